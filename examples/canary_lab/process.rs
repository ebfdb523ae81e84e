//! Child processes that cannot outlive the lab.
//!
//! Three safeguards: a child is killed when its [`Proc`] is dropped (success, error, panic,
//! Ctrl-C); the kernel kills it when the lab is killed (`PR_SET_PDEATHSIG`, see [`die_with`]);
//! and a child that sets this after the lab has ended finds another parent process and ends.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A running child.
pub(crate) struct Proc {
    name: String,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Proc {
    /// Starts this program again with `args`; its errors go to `<folder>/<name>.log`.
    pub(crate) fn start(name: &str, args: &[String], folder: &Path) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let log = folder.join(format!("{name}.log"));
        let errors = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = Command::new(program)
            .arg(format!("--die-with={}", std::process::id()))
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start `{name}`"))?;
        let output = child.stdout.take().with_context(|| format!("`{name}` has no output"))?;
        Ok(Self { name: name.to_owned(), child, lines: BufReader::new(output).lines() })
    }

    /// What the child is called in messages and log files.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its process id; None once its end has been awaited.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The next line of its output; None at the end of the output.
    pub(crate) async fn line(&mut self) -> Option<String> {
        self.lines.next_line().await.ok().flatten()
    }

    /// Waits for the line with which a server names its address.
    pub(crate) async fn address(&mut self) -> anyhow::Result<SocketAddr> {
        let line = tokio::time::timeout(Duration::from_secs(20), self.line())
            .await
            .with_context(|| format!("`{}` named no address in 20 s", self.name))?
            .with_context(|| format!("`{}` ended at its start: see its log", self.name))?;
        let address = line.strip_prefix("listening ").unwrap_or(&line);
        address.parse().with_context(|| format!("`{}` named no address but `{line}`", self.name))
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills it with SIGKILL and waits until it is gone.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.with_context(|| format!("cannot kill `{}`", self.name))
    }

    /// Sends SIGTERM, waits for the end at most `patience`, then kills it.
    pub(crate) async fn stop(&mut self, patience: Duration) -> anyhow::Result<()> {
        if let Some(pid) = self.child.id().and_then(|p| i32::try_from(p).ok()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM); // gone already is as good
            if tokio::time::timeout(patience, self.child.wait()).await.is_ok() {
                return Ok(());
            }
        }
        self.kill().await
    }

    /// Waits for the end and returns the exit code; None if a signal ended it.
    pub(crate) async fn code(&mut self) -> anyhow::Result<Option<i32>> {
        Ok(self.child.wait().await?.code())
    }
}

/// Makes the kernel kill this process when its parent, which must be `parent`, ends.
///
/// # Errors
/// When the parent has ended already.
pub(crate) fn die_with(parent: u32) -> anyhow::Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).context("cannot tie life to the parent's")?;
    let now = nix::unistd::getppid().as_raw();
    anyhow::ensure!(u32::try_from(now) == Ok(parent), "the parent {parent} has ended");
    Ok(())
}

/// Prints the address at which this process listens, and writes it to `file` if there is one.
pub(crate) fn announce(address: SocketAddr, file: Option<&Path>) -> anyhow::Result<()> {
    if let Some(path) = file {
        std::fs::write(path, format!("{address}\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening {address}")?;
    out.flush()?;
    Ok(())
}

/// Resolves when the lab is asked to end: Ctrl-C, SIGTERM or SIGHUP.
pub(crate) async fn told_to_end() -> anyhow::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(tokio::select! {
        _ = interrupt.recv() => "interrupted",
        _ = terminate.recv() => "terminated",
        _ = hang_up.recv() => "hung up",
    })
}

/// Waits, at most 3 s, until all children have ended: they were killed, but may not be dead yet.
pub(crate) fn see_children_off() {
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    for _ in 0..300 {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(10)),
            Ok(_) => {}
            Err(_) => return, // no child is left
        }
    }
}

/// Processor time in seconds of all children that have ended.
pub(crate) fn children_cpu_seconds() -> Option<f64> {
    let usage =
        nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).ok()?;
    let seconds = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6;
    Some(seconds(usage.user_time()) + seconds(usage.system_time()))
}
