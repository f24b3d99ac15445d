//! The download by pip, with made-up launchers and a folder of archives in place of the index.

use super::*;
use crate::archive::tests::tar_gz;
use crate::checksum::sha256_file;

fn package(sha256: &str) -> PackageSource {
    PackageSource {
        name: "some-data".into(),
        version: "1.2".into(),
        form: Form::Source,
        bytes: 0,
        sha256: sha256.into(),
        nested: None,
        folder: "some-data-1.2".into(),
    }
}

fn transfer() -> Transfer {
    Transfer::start(false, "some-data", "a test", 0, 0)
}

#[test]
fn without_python_the_error_names_what_was_tried() {
    let work = tempfile::tempdir().unwrap();
    let launchers = [Launcher::new("no-such-python-3", &["-m", "pip"])];
    let error = download(&package(""), &launchers, work.path(), &transfer()).unwrap_err();
    assert!(matches!(error, Failure::NoPython { .. }));
    assert!(error.to_string().contains("no-such-python-3"), "{error}");
}

#[cfg(unix)]
mod with_scripts {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A launcher that is a shell script.
    fn script(folder: &Path, name: &str, body: &str) -> Launcher {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Launcher::new(path.to_str().unwrap(), &[])
    }

    /// The real pip, which sees the folder of archives and no network.
    fn offline_pip(folder: &Path) -> Launcher {
        let body = format!(
            "unset PIP_INDEX_URL PIP_EXTRA_INDEX_URL\n\
             PIP_NO_INDEX=1 PIP_FIND_LINKS='{}' exec python3 -m pip \"$@\"",
            folder.join("index").display()
        );
        script(folder, "pip", &body)
    }

    /// A source archive whose `setup.py` leaves a mark if it is run. Gives its checksum.
    fn put_source_archive(folder: &Path) -> String {
        let setup = format!(
            "open({:?}, 'w').close()\n\
             from setuptools import setup\n\
             setup(name='some-data', version='1.2')",
            folder.join("was-run")
        );
        let bytes = tar_gz(&[
            ("some-data-1.2/setup.py", setup.as_bytes()),
            ("some-data-1.2/PKG-INFO", b"Metadata-Version: 1.1\nName: some-data\nVersion: 1.2\n"),
        ]);
        let path = folder.join("index").join("some-data-1.2.tar.gz");
        fs::create_dir(folder.join("index")).unwrap();
        fs::write(&path, bytes).unwrap();
        sha256_file(path).unwrap()
    }

    #[test]
    fn a_source_archive_is_downloaded_and_its_code_is_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let package = package(&put_source_archive(folder.path()));
        let work = folder.path().join("work");
        fs::create_dir(&work).unwrap();
        let launchers = [offline_pip(folder.path())];
        let archive = download(&package, &launchers, &work, &transfer()).unwrap();
        assert_eq!(sha256_file(archive).unwrap(), package.sha256);
        assert!(!folder.path().join("was-run").exists());
    }

    #[test]
    fn an_archive_with_another_hash_is_refused_with_both_hashes() {
        let folder = tempfile::tempdir().unwrap();
        let got = put_source_archive(folder.path());
        let wrong = "0".repeat(64);
        let launchers = [offline_pip(folder.path())];
        let error = download(&package(&wrong), &launchers, folder.path(), &transfer()).unwrap_err();
        let Failure::Checksum { expected, got: reported, .. } = &error else { panic!("{error}") };
        assert_eq!((expected, reported), (&wrong, &got));
    }

    #[test]
    fn a_python_without_pip_gives_way_to_the_next_launcher() {
        let folder = tempfile::tempdir().unwrap();
        let bare = script(folder.path(), "bare", "echo 'bare: No module named pip' >&2; exit 1");
        let stand_in = script(folder.path(), "stand-in", "exit 127");
        let works = script(folder.path(), "works", "touch \"$PWD/archives/a.tar.gz\"");
        let error = download(&package(""), std::slice::from_ref(&bare), folder.path(), &transfer())
            .unwrap_err();
        assert!(matches!(&error, Failure::NoPip { tried } if tried.len() == 1), "{error}");
        let launchers = [stand_in, bare, works];
        let archive = download(&package(""), &launchers, folder.path(), &transfer()).unwrap();
        assert!(archive.ends_with("archives/a.tar.gz"));
    }
}
