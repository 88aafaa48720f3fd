//! The program as it runs: what it is told, what it says, and its end.

use std::{io, process::ExitStatus, time::Duration};

use bytes::{Bytes, BytesMut};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
};

use super::redacted::redacted;
use crate::{sse::MAX_FRAME, upstream::Error};

/// How long a program that has said everything gets to put its things away.
const GRACE: Duration = Duration::from_secs(2);

/// How much of what the program says beside its answer is kept, in bytes: the end tells why.
const TAIL: usize = 2048;

/// A program that runs, with all that it has started; gone as soon as this is dropped.
pub(super) struct Running {
    child: Child,
    /// Closed once all has been written.
    stdin: Option<ChildStdin>,
    input: Bytes,
    stdout: ChildStdout,
    output: BytesMut,
    /// Read up to its end.
    stderr: Option<ChildStderr>,
    aside: BytesMut,
    _folder: TempDir,
}

impl Running {
    /// Starts `command`, which runs in `folder`, and has it read `input`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(
        mut command: Command,
        input: String,
        folder: TempDir,
    ) -> Result<Self, Error> {
        let program = command.as_std().get_program().display().to_string();
        let failed = |why: io::Error| Error::Program(format!("`{program}` cannot be run: {why}"));
        let mut child = command.spawn().map_err(failed)?;
        let taken = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = taken else {
            return Err(failed(io::Error::other("it has no pipes")));
        };
        Ok(Self {
            child,
            stdin: Some(stdin),
            input: input.into(),
            stdout,
            output: BytesMut::new(),
            stderr: Some(stderr),
            aside: BytesMut::new(),
            _folder: folder,
        })
    }

    /// The next line that the program says; `None` when it says no more.
    ///
    /// # Errors
    /// When it says nothing for as long as `idle`, or a line is longer than is bearable.
    pub(super) async fn line(&mut self, idle: Duration) -> Result<Option<Bytes>, Error> {
        let next = tokio::time::timeout(idle, self.next_line());
        next.await.map_err(|_| Error::TimedOut(idle))?
    }

    async fn next_line(&mut self) -> Result<Option<Bytes>, Error> {
        let mut looked = 0;
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.output[looked..]) {
                let line = self.output.split_to(looked + end + 1);
                return Ok(Some(line.freeze()));
            }
            looked = self.output.len();
            if looked > MAX_FRAME {
                return Err(Error::Garbled(format!(
                    "`codex exec` printed a line of more than {MAX_FRAME} bytes"
                )));
            }
            if self.more().await == 0 {
                let rest = self.output.split().freeze();
                return Ok((!rest.is_empty()).then_some(rest));
            }
        }
    }

    /// All that the program prints.
    ///
    /// # Errors
    /// When it says nothing for as long as `idle`, says more than is bearable, or fails.
    pub(super) async fn whole(mut self, idle: Duration) -> Result<Bytes, Error> {
        let all = async {
            while self.output.len() <= MAX_FRAME && self.more().await > 0 {}
            self.ended().await
        };
        let status = tokio::time::timeout(idle, all).await.map_err(|_| Error::TimedOut(idle))?;
        match status {
            Some(status) if status.success() => Ok(self.output.split().freeze()),
            status => Err(self.failed(status)),
        }
    }

    /// Reads more of the output, and meanwhile does whatever else the program waits for; 0 at the
    /// end of the output.
    async fn more(&mut self) -> usize {
        loop {
            tokio::select! {
                read = self.stdout.read_buf(&mut self.output) => return read.unwrap_or_default(),
                written = write(&mut self.stdin, &mut self.input), if self.stdin.is_some() => {
                    // A program that does not want to read says itself why.
                    if written.is_err() || self.input.is_empty() {
                        self.stdin = None;
                    }
                }
                read = read(&mut self.stderr, &mut self.aside), if self.stderr.is_some() => {
                    if read == 0 {
                        self.stderr = None;
                    }
                }
            }
        }
    }

    /// Waits a little for the program to end by itself.
    pub(super) async fn ended(&mut self) -> Option<ExitStatus> {
        self.stdin = None;
        let end = async {
            while self.stderr.is_some() {
                if read(&mut self.stderr, &mut self.aside).await == 0 {
                    self.stderr = None;
                }
            }
            self.child.wait().await.ok()
        };
        tokio::time::timeout(GRACE, end).await.ok().flatten()
    }

    /// What to say of a program that ended in this way without an answer.
    pub(super) fn failed(&self, status: Option<ExitStatus>) -> Error {
        let how = match status.map(|status| (status.code(), status)) {
            Some((Some(code), _)) => format!("ended with status {code}"),
            Some((None, status)) => format!("was ended ({status})"),
            None => "closed its output".to_owned(),
        };
        let aside = String::from_utf8_lossy(&self.aside);
        let aside = match redacted(aside.trim()) {
            aside if aside.is_empty() => String::new(),
            aside => format!("; it said: {aside}"),
        };
        Error::Program(format!("`codex exec` {how} before it had answered{aside}"))
    }
}

async fn write(stdin: &mut Option<ChildStdin>, input: &mut Bytes) -> io::Result<usize> {
    match stdin {
        Some(stdin) => stdin.write_buf(input).await,
        None => Ok(0),
    }
}

/// Reads on, and keeps the end of what has come; 0 when there is no more.
async fn read(stderr: &mut Option<ChildStderr>, kept: &mut BytesMut) -> usize {
    let Some(stderr) = stderr else { return 0 };
    let read = stderr.read_buf(kept).await.unwrap_or_default();
    if kept.len() > 2 * TAIL {
        *kept = kept.split_off(kept.len() - TAIL);
    }
    read
}

impl Drop for Running {
    fn drop(&mut self) {
        // The number is this child's as long as nobody has waited for it.
        #[cfg(unix)]
        if let Some(group) =
            self.child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?))
        {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}
