//! A recorded history in another format.

use std::io::{self, Write};

use rashomon_core::{Kind, Op, Value};

use super::recording::Recording;
use super::write::{Target, Writer};

/// Writes a recording in another format, and answers what that format cannot say, in sentences.
///
/// The ops keep their meaning: where the formats differ in what an op claims, it is written as one that claims as much.
/// What claims more or less in the other format all the same is named.
pub fn convert<W: Write>(recording: &Recording, target: Target, sink: W) -> io::Result<(W, Vec<String>)> {
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
    let mut notes: Vec<String> = recording.left_out.iter().map(|what| format!("left out: {what}")).collect();
    notes.extend(counts.notes());
    Ok((writer.finish()?, notes))
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
