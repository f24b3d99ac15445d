//! Named members out of a zip or a tar.gz.
//!
//! The archive never says where anything is written: only members that the registry names are
//! read, each to a path made from its registered plain name, and at most its registered size.
//! Members of a tar are taken as they lie there, without the extensions for paths of more than 255
//! bytes: those would be read into memory at whatever size the archive declares.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::GzDecoder;
use messages::plain;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::error::{Failure, io_failure};
use crate::registry::{AssetFile, Form, PackageSource};

/// Writes the files of a fetched package into the folder `into`, and nothing anywhere else.
///
/// # Errors
/// [`Failure::Archive`] for an archive that cannot be read, [`Failure::NotInArchive`] for a file
/// that it lacks, [`Failure::Size`] for one of another size, [`Failure::Io`] where the system
/// refuses.
pub fn extract(
    archive: &Path,
    package: &PackageSource,
    files: &[AssetFile],
    into: &Path,
) -> Result<(), Failure> {
    let opened = BufReader::new(File::open(archive).map_err(io_failure("open", archive))?);
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    let wanted = Wanted { archive: &name, folder: &package.folder, files, into };
    match (package.form, &package.nested) {
        (Form::Wheel, _) => wanted.unzip(opened),
        (Form::Source, None) => wanted.untar(opened),
        (Form::Source, Some(nested)) => wanted.untar_nested(opened, nested),
    }
}

/// Which members go where.
struct Wanted<'a> {
    archive: &'a str,
    folder: &'a str,
    files: &'a [AssetFile],
    into: &'a Path,
}

impl Wanted<'_> {
    fn unzip(&self, reader: BufReader<File>) -> Result<(), Failure> {
        let mut archive = ZipArchive::new(reader).map_err(|e| self.unreadable(e))?;
        for file in self.files {
            let member = self.member(file);
            match archive.by_name(&member) {
                Ok(content) => self.write(content, file)?,
                Err(ZipError::FileNotFound) => return Err(self.absent(member)),
                Err(error) => return Err(self.unreadable(error)),
            }
        }
        Ok(())
    }

    fn untar(&self, reader: impl Read) -> Result<(), Failure> {
        let mut missing: Vec<_> = self.files.iter().collect();
        let mut archive = tar::Archive::new(GzDecoder::new(reader));
        for entry in archive.entries().map_err(|e| self.unreadable(e))?.raw(true) {
            let entry = entry.map_err(|e| self.unreadable(e))?;
            let is_it = |file: &&AssetFile| *entry.path_bytes() == *self.member(file).as_bytes();
            if let Some(index) = missing.iter().position(is_it) {
                self.write(entry, missing.swap_remove(index))?;
            }
            if missing.is_empty() {
                return Ok(());
            }
        }
        match missing.first() {
            Some(file) => Err(self.absent(self.member(file))),
            None => Ok(()),
        }
    }

    fn untar_nested(&self, reader: impl Read, nested: &str) -> Result<(), Failure> {
        let mut archive = tar::Archive::new(GzDecoder::new(reader));
        for entry in archive.entries().map_err(|e| self.unreadable(e))?.raw(true) {
            let entry = entry.map_err(|e| self.unreadable(e))?;
            if *entry.path_bytes() == *nested.as_bytes() {
                return self.untar(entry);
            }
        }
        Err(self.absent(nested.to_string()))
    }

    fn member(&self, file: &AssetFile) -> String {
        format!("{}/{}", self.folder, file.name)
    }

    /// Reads one byte past the registered size at most: enough to know that it is too long.
    fn write(&self, content: impl Read, file: &AssetFile) -> Result<(), Failure> {
        let path = self.into.join(&file.name);
        let mut target = File::create(&path).map_err(io_failure("create", &path))?;
        let got =
            io::copy(&mut content.take(file.bytes + 1), &mut target).map_err(
                |error| match error.raw_os_error() {
                    Some(_) => io_failure("write", &path)(error),
                    None => self.unreadable(error),
                },
            )?;
        if got != file.bytes {
            return Err(Failure::Size { file: file.name.clone(), expected: file.bytes, got });
        }
        Ok(())
    }

    fn unreadable(&self, error: impl std::fmt::Display) -> Failure {
        Failure::Archive { archive: self.archive.to_string(), detail: plain(error) }
    }

    fn absent(&self, member: String) -> Failure {
        Failure::NotInArchive { archive: self.archive.to_string(), member }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    /// A tar.gz with these members.
    pub(crate) fn tar_gz(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, content) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, path, *content).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        for (path, content) in members {
            writer.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn package(form: Form, nested: Option<&str>) -> PackageSource {
        PackageSource {
            name: "p".into(),
            version: "1".into(),
            form,
            bytes: 0,
            sha256: String::new(),
            nested: nested.map(str::to_string),
            folder: "inner".into(),
        }
    }

    /// Extracts `inner/a` of three bytes; gives what lies in the target folder afterwards.
    fn extract_a(bytes: &[u8], package: &PackageSource) -> Result<Vec<String>, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let (archive, into) = (folder.path().join("archive"), folder.path().join("into"));
        std::fs::write(&archive, bytes).unwrap();
        std::fs::create_dir(&into).unwrap();
        let file = AssetFile { name: "a".into(), bytes: 3, sha256: String::new() };
        extract(&archive, package, &[file], &into)?;
        let entries = std::fs::read_dir(into).unwrap();
        Ok(entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect())
    }

    #[test]
    fn only_the_named_member_is_written() {
        let members: &[(&str, &[u8])] = &[("a", b"xyz"), ("inner/b", b"b"), ("inner/a", b"abc")];
        assert_eq!(extract_a(&zipped(members), &package(Form::Wheel, None)).unwrap(), ["a"]);
        assert_eq!(extract_a(&tar_gz(members), &package(Form::Source, None)).unwrap(), ["a"]);
    }

    #[test]
    fn a_nested_archive_is_read_where_it_lies() {
        let inner = tar_gz(&[("inner/a", b"abc")]);
        let outer = tar_gz(&[("x/readme", b"?"), ("x/data.tar.gz", &inner)]);
        let source = package(Form::Source, Some("x/data.tar.gz"));
        assert_eq!(extract_a(&outer, &source).unwrap(), ["a"]);
    }

    #[test]
    fn a_member_longer_than_registered_is_refused() {
        let members: &[(&str, &[u8])] = &[("inner/a", b"abcdef")];
        for (bytes, form) in [(zipped(members), Form::Wheel), (tar_gz(members), Form::Source)] {
            let error = extract_a(&bytes, &package(form, None)).unwrap_err();
            assert!(matches!(error, Failure::Size { expected: 3, got: 4, .. }), "{error}");
        }
    }

    #[test]
    fn an_absent_member_is_named() {
        let members: &[(&str, &[u8])] = &[("inner/b", b"abc")];
        for (bytes, form) in [(zipped(members), Form::Wheel), (tar_gz(members), Form::Source)] {
            let error = extract_a(&bytes, &package(form, None)).unwrap_err().to_string();
            assert!(error.contains("inner/a"), "{error}");
        }
    }

    #[test]
    fn a_cut_archive_is_an_error() {
        let noise: Vec<u8> =
            (0..9999u32).flat_map(|i| i.wrapping_mul(2654435761).to_le_bytes()).collect();
        let members: &[(&str, &[u8])] = &[("inner/noise", &noise), ("inner/a", b"abc")];
        for (bytes, form) in [(zipped(members), Form::Wheel), (tar_gz(members), Form::Source)] {
            let half = &bytes[..bytes.len() / 2];
            let error = extract_a(half, &package(form, None)).unwrap_err();
            assert!(matches!(error, Failure::Archive { .. }), "{error}");
        }
    }
}
