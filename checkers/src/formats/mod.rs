//! Histories recorded by other tools.
//!
//! [`read_from`] takes a stream and gives a [`Recording`]: the history, and what its format says about how to read it.
//! [`Format::detect`] tells formats apart by content. A file is read op by op: beside the history only one op of its text
//! is held. Files come from outside, so an error names the line and the reason, and nothing panics.
//!
//! [`judge_stream`] judges a file while it is read, and keeps no history.
//!
//! A history of Cobra is several files, which [`read_cobra`] takes.
//!
//! [`Writer`] writes op by op in the formats that can be written so, and [`convert`](convert()) a whole recording, and says
//! what got lost on the way.

mod format;

mod beside;
mod edn;
mod events;
mod forms;
mod jepsen;
mod marks;
mod porcupine;
mod recording;
mod reread;
mod stream;
mod suggest;

mod cobra;
mod dbcop;
mod plume;
mod sessions;

mod convert;
mod write;

pub use cobra::{CobraLog, is_cobra, read_cobra};
pub use convert::{Conversion, convert};
pub use edn::{Edn, EdnError, Reader};
pub use format::Format;
pub use jepsen::Keyed;
pub use recording::{Recording, read, read_from, read_keyed};
pub use stream::{Beginning, Source, Streamed, begins, judge_stream};
pub use write::{Target, Writer, write_edn};
