//! A node's process, as the harness holds it.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rashomon_core::NodeId;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::capture::{Capture, Notifier};
use crate::control::Order;

/// How long a signal may take to show in `/proc`.
const SIGNAL_PATIENCE: Duration = Duration::from_secs(2);

/// A thread that spawns processes, and lives for as long as they may.
///
/// The kernel sends a parent-death signal when the *thread* that spawned ends, so that thread must be one that
/// does nothing else.
#[derive(Debug)]
pub(crate) struct Spawner {
    requests: Option<Sender<(Command, Sender<io::Result<Child>>)>>,
    thread: Option<JoinHandle<()>>,
}

impl Spawner {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<Spawner> {
        let (requests, queue) = channel::<(Command, Sender<io::Result<Child>>)>();
        let thread = std::thread::Builder::new().name("spawner".to_owned()).spawn(move || {
            while let Ok((mut command, answer)) = queue.recv() {
                // Whoever asked waits for the answer.
                let _ = answer.send(command.spawn());
            }
        })?;
        Ok(Spawner { requests: Some(requests), thread: Some(thread) })
    }

    fn spawn(&self, command: Command) -> io::Result<Child> {
        let gone = || io::Error::other("the spawner's thread is gone");
        let (answer, answered) = channel();
        self.requests.as_ref().ok_or_else(gone)?.send((command, answer)).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }

    /// Ends the thread. Every process that it spawned dies with it.
    pub(crate) fn stop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to panic about, and if it did, it is gone all the same.
            let _ = thread.join();
        }
    }
}

/// What a process is made of.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    /// The program.
    pub(crate) executable: &'a Path,
    /// The system's name.
    pub(crate) system: &'a str,
    /// Which node.
    pub(crate) node: NodeId,
    /// How often it was started, this time included.
    pub(crate) incarnation: u32,
    /// The node's folder, where its `config.json` lies.
    pub(crate) dir: PathBuf,
}

/// A process that has not been reaped.
#[derive(Debug)]
pub(crate) struct NodeProcess {
    child: Child,
    pid: Pid,
    /// Readable when the process has ended.
    pidfd: OwnedFd,
    stdin: ChildStdin,
    stdout: Capture,
    stderr: Capture,
}

impl NodeProcess {
    /// Spawns a node.
    pub(crate) fn launch(
        spawner: &Spawner,
        launch: &Launch<'_>,
        notifier: Notifier,
    ) -> io::Result<NodeProcess> {
        let mut command = Command::new(launch.executable);
        command
            .arg("node")
            .arg(launch.system)
            .arg("--config")
            .arg(launch.dir.join("config.json"))
            // A group of its own: Ctrl-C at the terminal is for the harness alone, which then ends the nodes.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = spawner.spawn(command)?;
        let missing = || io::Error::other("a spawned process has no pipe");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let pid = Pid::from_child(&child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        Ok(NodeProcess {
            pid,
            pidfd,
            stdin,
            stdout: Capture::stdout(
                stdout,
                &launch.dir.join("stdout.log"),
                launch.node,
                launch.incarnation,
                notifier,
            )?,
            stderr: Capture::stderr(stderr, &launch.dir.join("stderr.log"))?,
            child,
        })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Gives it an order. A process that is dying does not take it.
    pub(crate) fn order(&mut self, order: &Order) -> io::Result<()> {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        self.stdin.write_all(&line)
    }

    /// By its descriptor: a process id may be another's by the time that it is used.
    fn signal(&self, signal: Signal) -> rustix::io::Result<()> {
        pidfd_send_signal(&self.pidfd, signal)
    }

    /// Stops it, and sees it stopped.
    pub(crate) fn stop(&self) -> io::Result<()> {
        self.signal(Signal::STOP)?;
        let start = Instant::now();
        // There is nothing to wait on: a stop is told only to whoever waits for the whole process.
        while start.elapsed() < SIGNAL_PATIENCE {
            match self.state()? {
                'T' | 't' => return Ok(()),
                _ => std::thread::sleep(Duration::from_micros(100)),
            }
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "the process was told to stop and did not"))
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) -> io::Result<()> {
        Ok(self.signal(Signal::CONT)?)
    }

    /// The letter for its state in `/proc`: `R`, `S`, `D`, `T`, `Z`.
    fn state(&self) -> io::Result<char> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()))?;
        // The name before it may hold anything, brackets and blanks included.
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        state.ok_or_else(|| io::Error::other(format!("/proc/{}/stat makes no sense", self.pid())))
    }

    /// How it ended, if it has.
    pub(crate) fn exit_status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Kills it and waits until it is reaped. It may turn out to have ended otherwise a moment before.
    pub(crate) fn kill(&mut self) -> io::Result<ExitStatus> {
        // It may have ended by itself a moment ago: then there is only the reaping left.
        match self.signal(Signal::KILL) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
        self.child.wait()
    }

    /// The threads that read its last words. It must have been reaped.
    pub(crate) fn into_threads(self) -> [JoinHandle<()>; 2] {
        [self.stdout.into_thread(), self.stderr.into_thread()]
    }

    /// How it ended, and its last lines of log, for people.
    pub(crate) fn epitaph(&self, end: &str) -> String {
        let lines = self.stderr.last_lines(Duration::from_secs(1));
        if lines.is_empty() {
            return format!("{end}; its log is empty");
        }
        format!("{end}; its last lines of log:\n  {}", lines.join("\n  "))
    }
}

impl AsFd for NodeProcess {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// How a process ended, for people.
pub(crate) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with status {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}
