//! The journal of what the nemesis did.

use std::fs::File;
use std::io::BufRead;
use std::path::Path;

use rashomon_core::{Disruption, Fault, FaultId, Impact, Time};
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::journal::Journal;

/// The first line of every schedule file.
const HEADER: &str = r#"{"rashomon":"schedule","version":1}"#;

/// The longest line that is read.
const LONGEST_LINE: u64 = 1 << 20;

/// What an entry says about its fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleEvent {
    /// It is about to be injected. Recorded first, so that nothing is done that is not on record.
    Intent,
    /// It is in force.
    Injected,
    /// It is over, and this is what it did.
    Healed,
    /// There was nobody to strike.
    Skipped,
    /// The world could not inject or heal it; the note says why.
    Failed,
}

/// One line of a schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleEntry {
    /// When.
    pub time: Time,
    /// Which injection: every entry of one fault carries the same number.
    pub id: FaultId,
    /// What happened to it.
    pub event: ScheduleEvent,
    /// The fault as the plan wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// What it resolved to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disruption: Option<Disruption>,
    /// What it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<Impact>,
    /// Anything that a person should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl ScheduleEntry {
    /// An entry that says no more than this; set the other fields as they are known.
    pub fn new(time: Time, id: FaultId, event: ScheduleEvent) -> ScheduleEntry {
        ScheduleEntry { time, id, event, fault: None, disruption: None, impact: None, note: None }
    }
}

/// Writes a schedule: each entry is handed over before the call returns.
#[derive(Debug)]
pub struct ScheduleWriter {
    journal: Journal<File>,
}

impl ScheduleWriter {
    /// A new schedule in `file`.
    pub fn create(file: &Path) -> Result<ScheduleWriter, StoreError> {
        Journal::create(file, HEADER).map(|journal| ScheduleWriter { journal })
    }

    /// Adds an entry.
    pub fn write(&mut self, entry: &ScheduleEntry) -> Result<(), StoreError> {
        self.journal.push(entry)?;
        self.journal.flush()
    }
}

/// A schedule as read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schedule {
    /// Its entries, in order.
    pub entries: Vec<ScheduleEntry>,
    /// Whether the file ended in the middle of a line, as a killed run may leave it.
    pub torn: bool,
}

impl Schedule {
    /// Reads a schedule, which errors call `file`.
    pub fn read(file: &Path, mut source: impl BufRead) -> Result<Schedule, StoreError> {
        let mut schedule = Schedule::default();
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let length = std::io::Read::take(&mut source, LONGEST_LINE)
                .read_until(b'\n', &mut line)
                .map_err(StoreError::io(file, "reading"))?;
            if length == 0 && number == 1 {
                let reason = "the file is empty; a schedule begins with its header";
                return Err(StoreError::malformed(file, 1, reason));
            }
            if length == 0 {
                break;
            }
            if line.pop_if(|byte| *byte == b'\n').is_none() {
                if length as u64 == LONGEST_LINE {
                    let reason = format!("a line of more than {LONGEST_LINE} bytes");
                    return Err(StoreError::malformed(file, number, reason));
                }
                schedule.torn = true;
                break;
            }
            if number == 1 {
                check_header(file, &line)?;
            } else if !line.iter().all(u8::is_ascii_whitespace) {
                let entry =
                    serde_json::from_slice(&line).map_err(|error| StoreError::json(file, number, &error))?;
                schedule.entries.push(entry);
            }
        }
        Ok(schedule)
    }
}

fn check_header(file: &Path, line: &[u8]) -> Result<(), StoreError> {
    #[derive(Deserialize)]
    struct Header {
        rashomon: String,
        version: u64,
    }
    let header: Header = serde_json::from_slice(line).map_err(|_| {
        StoreError::malformed(file, 1, format!("not the header of a schedule, which reads {HEADER}"))
    })?;
    let reason = if header.rashomon != "schedule" {
        format!("this is a `{}` file, not a schedule", header.rashomon)
    } else if header.version != 1 {
        format!("version {} of the schedule format; this program reads version 1", header.version)
    } else {
        return Ok(());
    };
    Err(StoreError::malformed(file, 1, reason))
}

#[cfg(test)]
mod tests {
    use rashomon_core::{NodeId, Target};

    use super::*;

    fn entry() -> ScheduleEntry {
        ScheduleEntry {
            fault: Some(Fault::Kill { target: Target::Leader }),
            disruption: Some(Disruption::Kill { nodes: vec![NodeId(3)] }),
            impact: Some(Impact { bit: true, processes: 1, ..Impact::default() }),
            note: Some("two\nlines".into()),
            ..ScheduleEntry::new(Time(5), FaultId(1), ScheduleEvent::Healed)
        }
    }

    fn read(text: &str) -> Result<Schedule, String> {
        Schedule::read(Path::new("schedule.jsonl"), text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn each_entry_is_on_disk_when_the_call_returns() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("schedule.jsonl");
        let mut writer = ScheduleWriter::create(&file).unwrap();
        writer.write(&entry()).unwrap();
        std::mem::forget(writer);
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(read(&text).unwrap(), Schedule { entries: vec![entry()], torn: false });
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_said() {
        let line = serde_json::to_string(&entry()).unwrap();
        let schedule = read(&format!("{HEADER}\n{line}\n{}", &line[..30])).unwrap();
        assert_eq!(schedule, Schedule { entries: vec![entry()], torn: true });
    }

    #[test]
    fn every_error_names_file_line_and_reason() {
        assert_eq!(
            read("").unwrap_err(),
            "schedule.jsonl:1: the file is empty; a schedule begins with its header"
        );
        assert_eq!(
            read(&format!("{}\n", HEADER.replace('1', "2"))).unwrap_err(),
            "schedule.jsonl:1: version 2 of the schedule format; this program reads version 1"
        );
        assert_eq!(
            read(&format!("{}\n", HEADER.replace("schedule", "history"))).unwrap_err(),
            "schedule.jsonl:1: this is a `history` file, not a schedule"
        );
        assert!(read("nonsense\n").unwrap_err().starts_with("schedule.jsonl:1: not the header"));
        assert_eq!(
            read(&format!("{HEADER}\n{{\"time\":1,\"id\":0,\"event\":\"bitten\"}}\n")).unwrap_err(),
            "schedule.jsonl:2: unknown variant `bitten`, expected one of `intent`, `injected`, `healed`, \
             `skipped`, `failed`"
        );
    }
}
