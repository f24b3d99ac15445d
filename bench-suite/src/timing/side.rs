//! Our end of the line to a worker.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread::JoinHandle,
    time::Instant,
};

use anyhow::{Context, Result, anyhow};

use super::rounds::{Request, Round};

/// A worker, running and warm.
pub struct Side {
    name: String,
    child: Child,
    /// Closed to end the worker.
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    complaints: Option<JoinHandle<String>>,
    /// From the start of the process to the end of its first step.
    pub first_step_seconds: f64,
}

impl Side {
    /// Starts a worker and waits until it is warm. `greeting` is a line that it is told at once.
    ///
    /// # Errors
    /// A program that cannot be started, or that ends: with the last line it complained in.
    pub fn start(name: &str, mut command: Command, greeting: Option<&str>) -> Result<Self> {
        let clock = Instant::now();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command.spawn().with_context(|| format!("{program} cannot be started"))?;
        let from = child.stdout.take().map(BufReader::new);
        let from = from.with_context(|| format!("{program} has no output"))?;
        let complaints = child.stderr.take().map(|mut stderr| {
            std::thread::spawn(move || {
                let mut bytes = vec![];
                let _ = stderr.read_to_end(&mut bytes);
                String::from_utf8_lossy(&bytes).into_owned()
            })
        });
        let to = child.stdin.take();
        let name = name.to_owned();
        let mut side = Self { name, child, to, from, complaints, first_step_seconds: 0.0 };
        if let Some(greeting) = greeting {
            side.tell(greeting)?;
        }
        side.hear()?;
        side.first_step_seconds = clock.elapsed().as_secs_f64();
        side.hear()?;
        Ok(side)
    }

    /// Has one round done.
    ///
    /// # Errors
    /// A worker that ended, or an answer that is none.
    pub fn ask(&mut self, request: Request) -> Result<Round> {
        self.tell(request.name())?;
        let line = self.hear()?;
        serde_json::from_str(&line)
            .map_err(|error| anyhow!("{} answered '{}': {error}", self.name, line.trim()))
    }

    /// One line from the worker.
    ///
    /// # Errors
    /// The worker ended.
    pub fn hear(&mut self) -> Result<String> {
        let mut line = String::new();
        let n = self.from.read_line(&mut line).unwrap_or_default();
        if n == 0 { Err(self.ended()) } else { Ok(line) }
    }

    fn tell(&mut self, line: &str) -> Result<()> {
        let told = self.to.as_mut().map(|to| writeln!(to, "{line}").and_then(|()| to.flush()));
        match told {
            Some(Ok(())) => Ok(()),
            _ => Err(self.ended()),
        }
    }

    /// Why there is no answer any more.
    fn ended(&mut self) -> anyhow::Error {
        self.to = None;
        let said = self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        let reason = last.unwrap_or("it said nothing").trim().trim_start_matches("error: ");
        match self.child.wait() {
            Ok(status) => anyhow!("{} ended ({status}): {reason}", self.name),
            Err(error) => anyhow!("{} cannot be waited for: {error}", self.name),
        }
    }
}

impl Drop for Side {
    /// The end of its input ends a worker; one that is still at work is not waited for.
    fn drop(&mut self) {
        self.to = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
