//! What the nodes write to their standard output and error, kept and read.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rashomon_core::{Map, NodeId, Probe, Value};

use crate::control::{LONGEST_LINE, Report};
use crate::poller::Waker;

/// The most bytes of one log file.
const LOG_CAP: u64 = 64 * 1024 * 1024;
/// How many of the last lines of a log are told when a node dies.
const LAST_LINES: usize = 12;
/// How much of a line that makes no sense is told.
const GARBAGE_SHOWN: usize = 200;
/// How many such lines of one process are told; the log has them all.
const MOST_GARBAGE: usize = 100;

/// Something that came out of a node.
#[derive(Debug)]
pub(crate) struct Notice {
    /// Which node.
    pub(crate) node: NodeId,
    /// In which incarnation.
    pub(crate) incarnation: u32,
    /// What.
    pub(crate) said: Said,
}

/// A line of standard output.
#[derive(Debug)]
pub(crate) enum Said {
    /// The state machine says something of itself, at this reading of the monotonic clock.
    Probe(u64, Probe),
    /// The driver says something.
    Report(Report),
    /// Neither.
    Garbage(String),
}

/// Where notices go.
#[derive(Clone, Debug)]
pub(crate) struct Notifier {
    /// Bounded: a harness that does not read slows the nodes down instead of filling the memory.
    pub(crate) notices: SyncSender<Notice>,
    /// Wakes the reader.
    pub(crate) waker: Waker,
}

/// The thread that reads one pipe to its end.
#[derive(Debug)]
pub(crate) struct Capture {
    thread: JoinHandle<()>,
    ended: Receiver<()>,
    last: Arc<Mutex<VecDeque<String>>>,
}

impl Capture {
    /// Keeps standard output in `log` and tells `notifier` of every line.
    pub(crate) fn stdout(
        pipe: impl Read + Send + 'static,
        log: &Path,
        node: NodeId,
        incarnation: u32,
        notifier: Notifier,
    ) -> io::Result<Capture> {
        let mut garbage = 0;
        // When nobody listens any more, the log is still kept.
        let mut listening = true;
        Capture::start(pipe, log, move |lines, _| {
            for line in lines {
                let said = understand(line);
                if matches!(said, Said::Garbage(_)) {
                    garbage += 1;
                    if garbage > MOST_GARBAGE {
                        continue;
                    }
                }
                if listening {
                    listening = notifier.notices.send(Notice { node, incarnation, said }).is_ok();
                }
            }
            notifier.waker.wake();
        })
    }

    /// Keeps standard error in `log`, and its last lines in memory.
    pub(crate) fn stderr(pipe: impl Read + Send + 'static, log: &Path) -> io::Result<Capture> {
        Capture::start(pipe, log, |lines, last| {
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            // A backtrace is indented, and would push out what it is the backtrace of; the file has it all.
            for line in lines.iter().filter(|line| !line.starts_with(b" ")) {
                if last.len() == LAST_LINES {
                    last.pop_front();
                }
                let shown = &line[..line.len().min(GARBAGE_SHOWN)];
                last.push_back(String::from_utf8_lossy(shown).into_owned());
            }
        })
    }

    fn start(
        mut pipe: impl Read + Send + 'static,
        log: &Path,
        mut take: impl FnMut(&[&[u8]], &Mutex<VecDeque<String>>) + Send + 'static,
    ) -> io::Result<Capture> {
        let mut file = LogFile::append(log)?;
        let last = Arc::new(Mutex::new(VecDeque::new()));
        let theirs = Arc::clone(&last);
        let (ending, ended) = channel();
        let thread = std::thread::Builder::new().name("capture".to_owned()).spawn(move || {
            // Dropped when the thread ends, which is what the other side waits for.
            let _ending = ending;
            let mut chunk = vec![0; 64 * 1024];
            let mut lines = Lines::default();
            loop {
                let count = match pipe.read(&mut chunk) {
                    Ok(0) => break,
                    Ok(count) => count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(_) => break,
                };
                file.write(&chunk[..count]);
                lines.feed(&chunk[..count], |complete| take(complete, &theirs));
            }
            lines.end(|rest| take(rest, &theirs));
        })?;
        Ok(Capture { thread, ended, last })
    }

    /// The last lines, once the pipe has ended or after this much time.
    pub(crate) fn last_lines(&self, patience: Duration) -> Vec<String> {
        // Nothing is ever sent: the channel only closes.
        let (Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected)) =
            self.ended.recv_timeout(patience);
        self.last.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The thread, which ends with the pipe.
    pub(crate) fn into_thread(self) -> JoinHandle<()> {
        self.thread
    }
}

/// What a line of standard output says.
fn understand(line: &[u8]) -> Said {
    let garbage = || {
        let shown = &line[..line.len().min(GARBAGE_SHOWN)];
        Said::Garbage(String::from_utf8_lossy(shown).into_owned())
    };
    let Ok(mut fields) = serde_json::from_slice::<Map<String, Value>>(line) else { return garbage() };
    if fields.contains_key("report") {
        return serde_json::from_value(Value::Object(fields)).map_or_else(|_| garbage(), Said::Report);
    }
    match (fields.remove("at").as_ref().and_then(Value::as_u64), fields.remove("probe")) {
        (Some(at), Some(Value::String(probe))) => {
            Said::Probe(at, Probe { probe: probe.into(), fields: fields.into() })
        }
        _ => garbage(),
    }
}

/// Cuts a stream into lines. A line that is too long is given by its beginning.
#[derive(Debug, Default)]
struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// Gives the lines that are complete with `bytes`, without their ends.
    fn feed(&mut self, bytes: &[u8], mut take: impl FnMut(&[&[u8]])) {
        let Some(last) = bytes.iter().rposition(|byte| *byte == b'\n') else {
            return self.begin(bytes);
        };
        let (complete, rest) = (&bytes[..last], &bytes[last + 1..]);
        let mut lines = complete.split(|byte| *byte == b'\n');
        let first = lines.next().unwrap_or_default();
        self.begin(first);
        let begun = std::mem::take(&mut self.begun);
        let all: Vec<&[u8]> =
            std::iter::once(&begun[..]).chain(lines).filter(|line| !line.is_empty()).collect();
        take(&all);
        self.begin(rest);
    }

    /// Gives a last line that nobody ended.
    fn end(&mut self, mut take: impl FnMut(&[&[u8]])) {
        if !self.begun.is_empty() {
            take(&[&self.begun]);
        }
    }

    fn begin(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE.saturating_sub(self.begun.len());
        self.begun.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// A log file that grows to a bound and then says so.
#[derive(Debug)]
struct LogFile {
    file: File,
    room: u64,
    full: bool,
}

impl LogFile {
    fn append(path: &Path) -> io::Result<LogFile> {
        let file = File::options().append(true).create(true).open(path)?;
        let room = LOG_CAP.saturating_sub(file.metadata()?.len());
        Ok(LogFile { file, room, full: false })
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.full {
            return;
        }
        let fits = bytes.len().min(usize::try_from(self.room).unwrap_or(usize::MAX));
        self.room -= fits as u64;
        let mut written = self.file.write_all(&bytes[..fits]);
        if fits < bytes.len() {
            self.full = true;
            written = written.and_then(|()| writeln!(self.file, "\n[cut here: the log reached its cap]"));
        }
        // A disk that is full must not stop the run: what the node says still reaches the harness.
        if written.is_err() {
            self.full = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lines::lines;

    fn cut(chunks: &[&[u8]]) -> Vec<String> {
        let mut found = Vec::new();
        let mut lines = Lines::default();
        let mut take = |some: &[&[u8]]| {
            found.extend(some.iter().map(|line| String::from_utf8_lossy(line).into_owned()));
        };
        for chunk in chunks {
            lines.feed(chunk, &mut take);
        }
        lines.end(&mut take);
        found
    }

    #[test]
    fn lines_are_cut_wherever_the_chunks_fall() {
        assert_eq!(cut(&[b"one\ntwo\n", b"thr", b"ee\n\nfo", b"ur"]), ["one", "two", "three", "four"]);
        assert_eq!(cut(&[b"\n", b"a", b"\n"]), ["a"]);
        let long = vec![b'x'; LONGEST_LINE];
        let found = cut(&[&long, &long, b"\nnext\n"]);
        assert_eq!((found[0].len(), found[1].as_str()), (LONGEST_LINE, "next"));
    }

    #[test]
    fn a_line_is_a_probe_a_report_or_garbage() {
        assert!(matches!(
            understand(br#"{"at":5,"probe":"leader","term":3}"#),
            Said::Probe(5, probe) if probe == Probe::new("leader").with("term", 3)
        ));
        assert!(matches!(understand(br#"{"report":"ready"}"#), Said::Report(Report::Ready)));
        for line in [&b"hello"[..], b"[]", br#"{"probe":"x"}"#, br#"{"report":"y"}"#, b"\xff\xfe"] {
            assert!(matches!(understand(line), Said::Garbage(_)));
        }
    }

    #[test]
    fn the_last_lines_are_there_when_the_pipe_has_ended() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("stderr.log");
        let lines: Vec<String> = (0..30).map(|number| format!("line {number}")).collect();
        let text = lines.join("\n");
        let capture = Capture::stderr(io::Cursor::new(text.clone()), &log).unwrap();
        let last = capture.last_lines(Duration::from_mins(1));
        assert_eq!((last.len(), last[11].as_str()), (LAST_LINES, "line 29"));
        capture.into_thread().join().unwrap();
        assert_eq!(std::fs::read_to_string(&log).unwrap(), text);
    }

    proptest! {
        #[test]
        fn no_line_of_a_node_panics(line in lines(&["at", "probe", "report", "dropped", "term"])) {
            if let Said::Probe(at, _) = understand(&line) {
                let field = format!("\"at\":{at}");
                prop_assert!(String::from_utf8_lossy(&line).contains(&field));
            }
        }
    }
}
