//! Probe.
fn main() {
    let t = std::time::Instant::now();
    let store = assets::Store::open(assets::StoreOptions::default()).unwrap();
    for name in std::env::args().skip(1) {
        let r = match name.strip_prefix("model:") { Some(n) => store.model(n), None => store.fetch(&name) };
        match r { Ok(d) => println!("{d:?} {:?}", t.elapsed()), Err(e) => println!("{name}: {e}") }
    }
}
