//! A run on disk: one folder, whose files each carry a version.
//!
//! | file | what it is |
//! |---|---|
//! | `plan.json` | what was asked for, and the command that repeats it |
//! | `history.jsonl` | what the clients saw, written as it happened |
//! | `schedule.jsonl` | what the nemesis meant to do, did and undid |
//! | `network.json` | what became of the messages, by link |
//! | `messages.jsonl.zst` | the journal of the messages themselves |
//! | `verdict.json`, `junit.xml`, `report.html` | what to think of it |
//! | `trace.json` | what happened inside, in virtual time, around what was found |
//! | `shrunk.json` | the schedule that shrinking left, to be run again |
//! | `original/` | the run that was shrunk, with all its files |
//! | `nodes/<id>/` | what each node said and kept |
//!
//! The two journals grow by whole lines, so a run that is killed leaves a readable prefix. The other files
//! appear whole or not at all. A reader refuses a version it does not know, and names file, line and reason.

mod document;
mod error;
mod folder;
mod history;
mod journal;
mod network;
mod schedule;
mod story;

pub use error::StoreError;
pub use folder::RunFolder;
pub use history::HistoryWriter;
pub use network::{LinkReport, Network, NodeReport};
pub use schedule::{Schedule, ScheduleEntry, ScheduleEvent, ScheduleWriter};
pub use story::{Accusation, Shrunk, Size};
pub(crate) use story::{ShrunkFile, TraceFile};
