//! The law of everything that reads files.

use std::{
    cell::Cell,
    fs,
    panic::{resume_unwind, set_hook},
    path::{Path, PathBuf},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner},
};

use crate::{memory::peak_of, mutation};

/// Set to a number for a longer run than that of the automatic checks.
const CASES: &str = "PEFT_ZOO_FUZZ_CASES";

/// Cases of one reader otherwise.
const FEW: u32 = 2000;

/// One case takes milliseconds; one that takes this long will never end.
const PATIENCE: Duration = Duration::from_secs(120);

/// The most that a byte of a file may cost while it is read: a field of a table is a `String` in
/// a growing `Vec`, three times 24 bytes at worst.
const BYTES_PER_BYTE: usize = 200;

/// The longest message that a person still reads, the path not counted.
const LONGEST_MESSAGE: usize = 1500;

/// A file that is right, and how it is packed.
pub struct Seed {
    /// What is mutated from within: the text, the header, the archive before its compression.
    inner: Vec<u8>,
    pack: Box<dyn Fn(Vec<u8>) -> Vec<u8> + Send>,
}

impl Seed {
    /// A file that is what it is.
    pub fn plain(bytes: impl Into<Vec<u8>>) -> Self {
        Self::packed(bytes, |bytes| bytes)
    }

    /// A file with something inside that is better broken before it is packed.
    pub fn packed(
        inner: impl Into<Vec<u8>>,
        pack: impl Fn(Vec<u8>) -> Vec<u8> + Send + 'static,
    ) -> Self {
        Self { inner: inner.into(), pack: Box::new(pack) }
    }

    /// A safetensors file whose header keeps its right length, whatever is in it.
    pub fn safetensors(file: &[u8]) -> Self {
        let header = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
        let data = file[8 + header..].to_vec();
        Self::packed(&file[8..8 + header], move |header| {
            [&(header.len() as u64).to_le_bytes(), header.as_slice(), &data].concat()
        })
    }

    fn whole(&self) -> Vec<u8> {
        (self.pack)(self.inner.clone())
    }
}

/// Which seed, what goes wrong inside it, what goes wrong with the whole.
type Case = (usize, Vec<mutation::Mutation>, Vec<mutation::Mutation>);

type Read = dyn Fn(&Path) -> Result<(), String> + Send;

/// Something that reads a file.
pub struct Reader {
    file: &'static str,
    seeds: Vec<Seed>,
    read: Box<Read>,
    /// What its errors name, if not the file.
    names: Vec<&'static str>,
    beside: Vec<(&'static str, Vec<u8>)>,
    fixed_bytes: usize,
    /// Of so many cases it gets one.
    one_in: u32,
}

impl Reader {
    /// `read` is given a folder with `file` in it. It gives the message of an error; what it
    /// reads instead must be of use, or it panics.
    pub fn new(
        file: &'static str,
        seeds: Vec<Seed>,
        read: impl Fn(&Path) -> Result<(), String> + Send + 'static,
    ) -> Self {
        Self {
            file,
            seeds,
            read: Box::new(read),
            names: vec![file],
            beside: vec![],
            fixed_bytes: 1 << 20,
            one_in: 1,
        }
    }

    /// Puts a file that is right beside the one that is not.
    pub fn beside(mut self, file: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        self.beside.push((file, bytes.into()));
        self
    }

    /// Errors may name this instead of the file.
    pub fn or_names(mut self, name: &'static str) -> Self {
        self.names.push(name);
        self
    }

    /// What it needs whatever the size of the file; a mebibyte otherwise.
    pub fn fixed_bytes(mut self, bytes: usize) -> Self {
        self.fixed_bytes = bytes;
        self
    }

    /// It is slow: it gets one of so many cases.
    pub fn one_in(mut self, cases: u32) -> Self {
        self.one_in = cases;
        self
    }

    /// Asserts the law on many broken files: a clear error or something of use, in memory that
    /// is in proportion to the file, without a panic, in the end.
    pub fn holds(self, name: &str) {
        // Not a temporary one: after a crash the file that caused it is found here.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz").join(name);
        let input = folder.join(self.file).display().to_string();
        let (beat, beats) = channel();
        let name = name.to_owned();
        let worker = thread::spawn(move || self.run(&name, &folder, &beat));
        loop {
            match beats.recv_timeout(PATIENCE) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => panic!("{input} takes more than {PATIENCE:?}"),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        worker.join().unwrap_or_else(|panic| resume_unwind(panic));
    }

    fn run(&self, name: &str, folder: &Path, beat: &Sender<()>) {
        // A panic that a reader contains is no failure, but a backtrace of it would be counted: it
        // reads the symbols of the whole program.
        set_hook(Box::new(|panic| eprintln!("{panic}")));
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).unwrap();
        for (file, bytes) in &self.beside {
            fs::write(folder.join(file), bytes).unwrap();
        }
        for (i, seed) in self.seeds.iter().enumerate() {
            let read = self.law(folder, &seed.whole());
            assert!(matches!(read, Ok(true)), "{name}: seed {i} is not read: {read:?}");
        }
        let (start, n, n_read) = (Instant::now(), Cell::new(0), Cell::new(0));
        let mut runner = TestRunner::new(Config {
            cases: (cases() / self.one_in).max(1),
            rng_seed: RngSeed::Fixed(0),
            failure_persistence: None,
            max_shrink_iters: 1000,
            ..Config::default()
        });
        let outcome = runner.run(&any_case(self.seeds.len()), |case| {
            let _ = beat.send(());
            n.set(n.get() + 1);
            let was_read = self.law(folder, &self.broken(&case)).map_err(TestCaseError::fail)?;
            n_read.set(n_read.get() + u32::from(was_read));
            Ok(())
        });
        match outcome {
            Ok(()) => {}
            Err(TestError::Abort(reason)) => panic!("{name}: {reason}"),
            Err(TestError::Fail(reason, case)) => {
                let input = folder.join(self.file);
                fs::write(&input, self.broken(&case)).unwrap();
                panic!("{name}: {reason}\nthe file is {}, by {case:?}", input.display());
            }
        }
        let (n, n_read, seconds) = (n.get(), n_read.get(), start.elapsed().as_secs_f64());
        println!("{name}: {n} cases, {n_read} of them read, the others refused, {seconds:.1} s");
        fs::remove_dir_all(folder).unwrap();
    }

    fn broken(&self, (seed, inside, outside): &Case) -> Vec<u8> {
        let apply = |bytes, mutation: &mutation::Mutation| mutation.apply(bytes);
        let seed = &self.seeds[*seed];
        let inner = inside.iter().fold(seed.inner.clone(), apply);
        outside.iter().fold((seed.pack)(inner), apply)
    }

    /// Whether the file was read; what is wrong with how it was refused.
    fn law(&self, folder: &Path, bytes: &[u8]) -> Result<bool, String> {
        let path: PathBuf = folder.join(self.file);
        fs::write(&path, bytes).unwrap();
        let (outcome, peak) = peak_of(|| (self.read)(folder));
        let most = self.fixed_bytes + BYTES_PER_BYTE * bytes.len();
        if peak > most {
            return Err(format!("{} bytes took {peak} of memory, {most} allowed", bytes.len()));
        }
        let Err(message) = outcome else {
            return Ok(true);
        };
        let place = folder.display().to_string();
        if message.chars().any(char::is_control) {
            Err(format!("the message is more than a line: {message:?}"))
        } else if !self.names.iter().any(|name| message.contains(name)) {
            Err(format!("the message does not name the file: {message}"))
        } else if message.replace(&place, "").chars().count() > LONGEST_MESSAGE {
            Err(format!("the message has {} characters: {message:.300} …", message.len()))
        } else {
            Ok(false)
        }
    }
}

/// Mostly one mistake: after several there is little left to be read.
fn any_case(n_seeds: usize) -> impl Strategy<Value = Case> {
    let some = |n| vec(mutation::any(), n);
    prop_oneof![
        4 => (0..n_seeds, some(1..=1), some(0..=0)),
        2 => (0..n_seeds, some(0..=0), some(1..=1)),
        2 => (0..n_seeds, some(2..=5), some(0..=2)),
    ]
}

fn cases() -> u32 {
    match std::env::var(CASES) {
        Err(_) => FEW,
        Ok(number) => number.parse().unwrap_or_else(|_| panic!("{CASES}={number} is no number")),
    }
}
