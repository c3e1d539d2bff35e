//! The journal of the network: what became of each message.
//!
//! Compressed JSON lines. The first names the format; then one line per message, as the switch decided; a
//! copy that met nobody has a line of its own. The last line says how much was left out.
//!
//! ```text
//! {"format":"rashomon-messages","version":1,"run":"..."}
//! {"time":15000000,"link":["n1","n2"],"sequence":7,"bytes":120,"kind":"append","marks":["delayed"],"at":[65000000]}
//! {"time":65000100,"link":["n1","n2"],"sequence":7,"receiver":"absent"}
//! {"end":true,"entries":2,"left_out":0}
//! ```
//!
//! `at` lists when copies are handed to the receiver's socket; it is empty for a message that was dropped.
//! `receiver` is `absent` where the process was dead, stopped or not yet ready at that moment (a stopped one
//! may hear the message later), and `refused` where the kernel did not take it. What the kernel drops silently,
//! for want of a buffer, it only counts: see the counters of the link. So a line never claims that a message
//! was received.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rashomon_core::switch::{Fate, Marks};
use rashomon_core::{Link, NodeId, RunId, Time};
use serde::Serialize;

use crate::frame;

/// How many entries may wait for the writer. What does not fit is left out, and counted.
const QUEUE: usize = 16 * 1024;
/// How long an entry may stay in memory: what a harness that is killed loses of its journal.
const FLUSH_AFTER: Duration = Duration::from_millis(500);
/// The fastest that is worth it: the relay shares its processor with the nodes.
const LEVEL: i32 = 1;

/// Where the journal goes and how long it may get.
#[derive(Clone, Debug)]
pub(crate) struct JournalPlan {
    /// The file.
    pub(crate) path: PathBuf,
    /// The run that it tells of.
    pub(crate) run: RunId,
    /// The most bytes, before compression.
    pub(crate) cap: u64,
}

/// What a journal holds in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalSummary {
    /// Lines written, header and end not counted.
    pub entries: u64,
    /// Lines left out, because the cap was reached or the writer could not keep up.
    pub left_out: u64,
    /// Why the journal has no end, if it has none: a disk that is full stops the journal and not the run.
    pub trouble: Option<String>,
}

/// One line.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    time: Time,
    link: (NodeId, NodeId),
    sequence: u64,
    #[serde(flatten)]
    story: Story,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Story {
    Fate { bytes: usize, kind: String, marks: Vec<&'static str>, at: Vec<Time> },
    Met { receiver: &'static str },
}

impl Entry {
    /// What the switch decided about a message.
    pub(super) fn fate(now: Time, link: Link, message: &[u8], fate: &Fate) -> Entry {
        let story = Story::Fate {
            bytes: message.len(),
            kind: frame::kind(message),
            marks: names(fate.marks),
            at: fate.deliveries.iter().map(|delivery| delivery.at).collect(),
        };
        Entry { time: now, link: (link.from, link.to), sequence: fate.sequence, story }
    }

    /// A copy was let through and met nobody: the kernel took it for a process that is not there, or not even that.
    pub(super) fn missed(now: Time, link: Link, sequence: u64, taken: bool) -> Entry {
        let story = Story::Met { receiver: if taken { "absent" } else { "refused" } };
        Entry { time: now, link: (link.from, link.to), sequence, story }
    }
}

fn names(marks: Marks) -> Vec<&'static str> {
    let Marks { cut, lost, delayed, duplicated, reordered, corrupted } = marks;
    [
        (cut, "cut"),
        (lost, "lost"),
        (delayed, "delayed"),
        (duplicated, "duplicated"),
        (reordered, "reordered"),
        (corrupted, "corrupted"),
    ]
    .into_iter()
    .filter_map(|(met, name)| met.then_some(name))
    .collect()
}

/// The relay's end of the journal.
#[derive(Debug)]
pub(super) struct JournalWriter {
    queue: SyncSender<Entry>,
    left_out: Arc<AtomicU64>,
    full: Arc<AtomicBool>,
}

impl JournalWriter {
    /// Writes an entry, which is made only when there is room for it. Never waits.
    pub(super) fn write(&self, entry: impl FnOnce() -> Entry) {
        if self.full.load(Ordering::Relaxed) || self.queue.try_send(entry()).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The journal's thread.
#[derive(Debug)]
pub(crate) struct Journal {
    thread: JoinHandle<(u64, io::Result<()>)>,
    left_out: Arc<AtomicU64>,
}

impl Journal {
    /// Makes the file and starts the thread, which ends when the writer is dropped.
    pub(super) fn start(plan: &JournalPlan) -> io::Result<(Journal, JournalWriter)> {
        let file = BufWriter::new(File::create(&plan.path)?);
        let mut encoder = zstd::Encoder::new(file, LEVEL)?;
        let header =
            serde_json::json!({"format": "rashomon-messages", "version": 1, "run": plan.run.to_string()});
        writeln!(encoder, "{header}")?;
        let (queue, entries) = sync_channel(QUEUE);
        let left_out = Arc::new(AtomicU64::new(0));
        let full = Arc::new(AtomicBool::new(false));
        let writer = JournalWriter { queue, left_out: Arc::clone(&left_out), full: Arc::clone(&full) };
        let (cap, theirs) = (plan.cap, Arc::clone(&left_out));
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            let mut written = 0;
            let ended = write(encoder, &entries, cap, &full, &theirs, &mut written);
            (written, ended)
        })?;
        Ok((Journal { thread, left_out }, writer))
    }

    /// Waits for the last line. The writer must have been dropped.
    pub(crate) fn close(self) -> io::Result<JournalSummary> {
        let (entries, ended) =
            self.thread.join().map_err(|_| io::Error::other("the journal's thread panicked"))?;
        let trouble = ended.err().map(|error| format!("the message journal was cut short: {error}"));
        Ok(JournalSummary { entries, left_out: self.left_out.load(Ordering::Relaxed), trouble })
    }
}

/// The thread's life. Counts the entries written.
fn write(
    mut encoder: zstd::Encoder<'static, BufWriter<File>>,
    queue: &Receiver<Entry>,
    cap: u64,
    full: &AtomicBool,
    left_out: &AtomicU64,
    entries: &mut u64,
) -> io::Result<()> {
    let mut bytes = 0;
    let mut line = Vec::new();
    let mut flushed = Instant::now();
    loop {
        if flushed.elapsed() >= FLUSH_AFTER {
            encoder.flush()?;
            flushed = Instant::now();
        }
        match queue.recv_timeout(FLUSH_AFTER) {
            Ok(_) if full.load(Ordering::Relaxed) => {
                left_out.fetch_add(1, Ordering::Relaxed);
            }
            Ok(entry) => {
                line.clear();
                serde_json::to_writer(&mut line, &entry)?;
                line.push(b'\n');
                bytes += line.len() as u64;
                if bytes > cap {
                    full.store(true, Ordering::Relaxed);
                    left_out.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                encoder.write_all(&line)?;
                *entries += 1;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let left_out = left_out.load(Ordering::Relaxed);
    let end = serde_json::json!({"end": true, "entries": entries, "left_out": left_out});
    writeln!(encoder, "{end}")?;
    encoder.finish()?.flush()
}

#[cfg(test)]
mod tests {
    use rashomon_core::switch::Delivery;

    use super::*;

    const LINK: Link = Link { from: NodeId(1), to: NodeId(2) };

    fn entry(sequence: u64) -> Entry {
        let marks = Marks { delayed: true, ..Marks::default() };
        let fate = Fate {
            sequence,
            deliveries: [Delivery { at: Time(9), flip: None }].into_iter().collect(),
            marks,
        };
        Entry::fate(Time(4), LINK, b"", &fate)
    }

    fn journal(cap: u64, count: u64) -> (Vec<serde_json::Value>, JournalSummary) {
        let dir = tempfile::tempdir().unwrap();
        let plan = JournalPlan { path: dir.path().join("messages.jsonl.zst"), run: RunId(1), cap };
        let (journal, writer) = Journal::start(&plan).unwrap();
        (0..count).for_each(|sequence| writer.write(|| entry(sequence)));
        drop(writer);
        let summary = journal.close().unwrap();
        let text = zstd::decode_all(File::open(&plan.path).unwrap()).unwrap();
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        (lines.map(|line| serde_json::from_slice(line).unwrap()).collect(), summary)
    }

    #[test]
    fn a_journal_says_what_it_is_and_how_it_ends() {
        let (lines, summary) = journal(1_000_000, 3);
        assert_eq!(summary, JournalSummary { entries: 3, left_out: 0, trouble: None });
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[0]["format"], "rashomon-messages");
        assert_eq!(
            lines[2].to_string(),
            r#"{"time":4,"link":["n1","n2"],"sequence":1,"bytes":0,"kind":"","marks":["delayed"],"at":[9]}"#
                .parse::<serde_json::Value>()
                .unwrap()
                .to_string()
        );
        assert_eq!(lines[4]["left_out"], 0);
    }

    #[test]
    fn a_full_disk_stops_the_journal_alone() {
        let plan = JournalPlan { path: PathBuf::from("/dev/full"), run: RunId(1), cap: 1_000_000 };
        let (journal, writer) = Journal::start(&plan).unwrap();
        (0..3).for_each(|sequence| writer.write(|| entry(sequence)));
        drop(writer);
        let trouble = journal.close().unwrap().trouble.unwrap();
        assert!(trouble.contains("No space left"), "{trouble}");
    }

    #[test]
    fn the_cap_holds_and_what_it_cost_is_said() {
        let (lines, summary) = journal(300, 50);
        assert!(summary.entries > 0 && summary.entries < 10, "{summary:?}");
        assert_eq!(summary.entries + summary.left_out, 50);
        let end = lines.last().unwrap();
        assert_eq!((&end["entries"], &end["left_out"]), (&summary.entries.into(), &summary.left_out.into()));
    }
}
