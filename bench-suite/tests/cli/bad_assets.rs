//! Models and data that cannot be had: damaged, offline, no answer.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::PathBuf,
};

use assets::{Store, StoreOptions};

use crate::desk::{Desk, Ran};

const ASSET: &str = "sentiment-sentences";

#[test]
fn an_asset_that_is_not_cached_is_told_with_the_way_by_hand_when_offline() {
    let desk = Desk::new();
    let parts = ["cannot get `minilm-l6`", "not in the cache", "by hand: put", "--model DIR"];
    desk.refuses("fetch minilm-l6", &parts);
    let mut online = desk.program();
    online.env_remove("PEFT_ZOO_OFFLINE");
    Ran::of(online.args(["fetch", "minilm-l6", "--offline"])).refused(&["--offline", "by hand"]);
    desk.refuses("run --train mine.csv --device flex", &parts);
    desk.refuses("run --model model --device flex", &["cannot get `sentiment-sentences`"]);
    desk.refuses("explain lora", &parts);
}

#[test]
fn a_cached_asset_with_the_wrong_checksum_is_refused_and_named() {
    let desk = Desk::new();
    let folder = cache_folder(&desk);
    fs::create_dir_all(&folder).unwrap();
    let store = Store::open(StoreOptions::default()).unwrap();
    let files = &store.registry().get(ASSET).unwrap().files;
    for file in files {
        // The right size, and zeros.
        File::create(folder.join(&file.name)).unwrap().set_len(file.bytes).unwrap();
    }
    let file = &files[0];
    let parts = ["damaged in the cache", &file.name, "wrong checksum", &file.sha256, "by hand"];
    desk.refuses(&format!("fetch {ASSET}"), &parts);
    desk.refuses("run --model model --device flex --method lora", &parts);
    File::options().write(true).open(folder.join(&file.name)).unwrap().set_len(5).unwrap();
    desk.refuses(&format!("fetch {ASSET}"), &[&file.name, "wrong size", "got 5"]);
}

/// Where the program asks for the asset's files.
fn cache_folder(desk: &Desk) -> PathBuf {
    let refused = desk.run(&format!("fetch {ASSET}"));
    let (_, folder) = refused.stderr.trim_end().rsplit_once(" into ").unwrap();
    PathBuf::from(folder)
}

#[test]
fn a_hub_that_does_not_answer_is_told_with_its_address_and_the_way_by_hand() {
    let desk = Desk::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = format!("http://127.0.0.1:{port}");
    let mut program = desk.program();
    program.env_remove("PEFT_ZOO_OFFLINE").env("NO_PROXY", "127.0.0.1").env("HF_ENDPOINT", &server);
    program.args("run --model org/name --train mine.csv --device flex".split(' '));
    let parts = ["cannot get `org/name`", "no answer from", &server, "by hand", "--model DIR"];
    Ran::of(&mut program).refused(&parts);
    let parts = ["cannot get `org/name`", "offline mode is on", "--model DIR"];
    desk.refuses("run --model org/name --train mine.csv --device flex", &parts);
}

#[test]
fn a_cache_that_cannot_be_made_is_named_with_the_way_out() {
    let desk = Desk::new();
    let mut program = desk.program();
    program.env_remove("PEFT_ZOO_OFFLINE").env("PEFT_ZOO_CACHE", desk.path("mine.csv").join("x"));
    program.args(["fetch", "minilm-l6"]);
    Ran::of(&mut program).refused(&["mine.csv/x", "PEFT_ZOO_CACHE"]);
}
