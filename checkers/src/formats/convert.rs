//! A recorded history in another format.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use rashomon_core::{Kind, Op, Value};

use super::format::Format;
use super::plume;
use super::recording::Recording;
use super::write::{Target, Writer};

/// A format that whole recordings can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// One that is written op by op.
    Ops(Target),
    /// Plume's text, whose transactions follow from the whole history.
    Plume,
}

impl Conversion {
    /// All of them.
    pub const ALL: [Conversion; 3] =
        [Conversion::Ops(Target::Jsonl), Conversion::Ops(Target::JepsenEdn), Conversion::Plume];

    /// The format as one that can be read.
    pub fn format(self) -> Format {
        match self {
            Conversion::Ops(target) => target.format(),
            Conversion::Plume => Format::Plume,
        }
    }
}

impl fmt::Display for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.format().fmt(f)
    }
}

impl FromStr for Conversion {
    type Err = String;

    fn from_str(name: &str) -> Result<Conversion, String> {
        Conversion::ALL.into_iter().find(|one| one.format().name() == name).ok_or_else(|| {
            let names = Conversion::ALL.map(|one| one.format().name()).join(", ");
            format!("`{name}` is no format that can be written; these are {names}")
        })
    }
}

/// Writes a recording in another format, and answers what that format cannot say, in sentences.
///
/// The ops keep their meaning: where the formats differ in what an op claims, it is written as one that claims as much.
/// What claims more or less in the other format all the same is named. An op that the other format has no words for is an
/// error of kind [`InvalidData`](io::ErrorKind::InvalidData), which names it.
pub fn convert<W: Write>(recording: &Recording, to: Conversion, mut sink: W) -> io::Result<(W, Vec<String>)> {
    let left_out = recording.left_out.iter().map(|what| format!("left out: {what}"));
    let (sink, notes) = match to {
        Conversion::Ops(target) => ops(recording, target, sink)?,
        Conversion::Plume => {
            let notes = plume::write(recording, &mut sink)?;
            sink.flush()?;
            (sink, notes)
        }
    };
    Ok((sink, left_out.chain(notes).collect()))
}

/// Writes it op by op.
fn ops<W: Write>(recording: &Recording, target: Target, sink: W) -> io::Result<(W, Vec<String>)> {
    let mut writer = Writer::new(sink, target)?;
    let mut counts = Counts::default();
    for op in recording.history.ops() {
        let nil_read = op.kind == Kind::Ok && op.f == "read" && op.value.is_null();
        match target {
            Target::Jsonl if nil_read && recording.nil_reads_anything => {
                counts.wild += 1;
                writer.op(&Op { kind: Kind::Info, ..op.clone() })?;
            }
            Target::JepsenEdn => {
                counts.nil += u64::from(nil_read && !recording.nil_reads_anything);
                let refused = op.kind == Kind::Ok && op.f == "cas" && op.value == Value::Bool(false);
                counts.refused += u64::from(refused);
                writer.op(op)?;
            }
            Target::Jsonl => writer.op(op)?,
        }
    }
    Ok((writer.finish()?, counts.notes()))
}

/// The ops that mean something else in the other format.
#[derive(Default)]
struct Counts {
    wild: u64,
    nil: u64,
    refused: u64,
}

impl Counts {
    fn notes(&self) -> Vec<String> {
        let note = |count: u64, what: &str| (count > 0).then(|| format!("{count} {what}"));
        let notes = [
            note(
                self.wild,
                "reads that answered nil may have read anything, which Rashomon's format cannot say; they became \
                 info, which claims as little",
            ),
            note(
                self.nil,
                "reads that answered null saw that nothing was there; in Jepsen's format such a read may have read \
                 anything, so they prove less",
            ),
            note(
                self.refused,
                "cas that found another value are ok with the answer false; Jepsen's own checkers know only those \
                 that are ok and swapped, or failed",
            ),
        ];
        notes.into_iter().flatten().collect()
    }
}
