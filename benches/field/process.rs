//! What is measured: a child process on a core of its own, and what the system says of it.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A child that does not outlive the bench.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    /// When it was started.
    pub(crate) began: Instant,
}

impl Process {
    /// Starts `command` on the core for children; it will listen at `address`. What it logs goes
    /// nowhere, but it logs.
    pub(crate) fn start(mut command: Command, address: SocketAddr) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        cores::onto(cores::Side::Children);
        let began = Instant::now();
        let child = command.spawn().expect("the program to be measured");
        cores::onto(cores::Side::Bench);
        Self { child, address, began }
    }

    /// What all its threads have had of a processor.
    pub(crate) fn cpu(&self) -> Duration {
        let threads = fs::read_dir(self.proc("task")).expect("a running child");
        let of = |thread: std::io::Result<fs::DirEntry>| {
            // A thread may end in between.
            let told = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            told.split(' ').next()?.parse().ok().map(Duration::from_nanos)
        };
        threads.filter_map(of).sum()
    }

    /// Resident memory in KB.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(self.proc("status")).expect("a running child");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kb = line.and_then(|rest| rest.split_whitespace().next());
        kb.and_then(|kb| kb.parse().ok()).expect("a child that is alive")
    }

    pub(crate) fn open_files(&self) -> usize {
        fs::read_dir(self.proc("fd")).expect("a running child").count()
    }

    fn proc(&self, what: &str) -> String {
        format!("/proc/{}/{what}", self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that is free now, for a child that is to be waited for from its first moment on.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

#[cfg(target_os = "linux")]
mod cores {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    use std::sync::OnceLock;

    pub(super) enum Side {
        Children,
        Bench,
    }

    /// Moves this thread, and with it every process that it starts, to a core: the first for the
    /// children, the last for the bench.
    pub(super) fn onto(side: Side) {
        static ALLOWED: OnceLock<CpuSet> = OnceLock::new();
        let allowed = ALLOWED.get_or_init(|| sched_getaffinity(None).expect("a set of cores"));
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let core = match side {
            Side::Children => cores.next(),
            Side::Bench => cores.next_back(),
        };
        let mut only = CpuSet::new();
        only.set(core.expect("a core"));
        sched_setaffinity(None, &only).expect("a core of one's own");
    }
}

#[cfg(not(target_os = "linux"))]
mod cores {
    pub(super) enum Side {
        Children,
        Bench,
    }

    /// Elsewhere the system chooses.
    pub(super) fn onto(_: Side) {}
}
