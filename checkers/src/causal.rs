//! Whether the operations of one session on a register happen in the order in which they were asked for.

use std::collections::BTreeMap;

use rashomon_core::history::Pair;
use rashomon_core::{History, Kind, Map, Value, Verdict};

use crate::accusations::{Accusations, anomaly, completed};
use crate::{Budget, Checker};

/// Judges registers that one session after another reads and writes, in the terms of Jepsen's `causal`: a causal order
/// `read-init`, `write`, `read`, `write`, `read` on each key.
///
/// Operations: `write` with a value; `read` and `read-init`, whose `ok` value is that of the register, 0 at first. A
/// value may be an object of `value`, `position` and `link`: the position that the database gave to the operation, and
/// the one that it followed, or `"init"`. (Jepsen has them beside the value.) A `read` of nil says nothing; a `read-init`
/// of nil says that nothing was written. On a key, operations come one after another.
///
/// - *read-your-writes*: a read shows an older value than the session wrote last;
/// - *monotonic-reads*: it shows an older value than the session has read;
/// - *dirty-read*, *future-read*, *garbage-read*: it shows a value whose write failed, or comes later, or that nobody
///   writes;
/// - *broken-link*: an operation follows another position than that of the last one.
///
/// Each is *invalid*. A write that ended `info` may take effect at any later time, or never, so its value may be read
/// from then on, once for each such write. (Jepsen's checker takes the values of writes to count upwards, so a write that
/// failed makes it accuse the next; this one does not.) *Unknown* when no read told a value, or when operations on one
/// key overlap.
#[derive(Clone, Copy, Debug, Default)]
pub struct Causal;

/// Its anomalies, the worst first.
const ORDER: [&str; 6] =
    ["garbage-read", "dirty-read", "future-read", "read-your-writes", "monotonic-reads", "broken-link"];

/// The register of one key, as its session knows it.
#[derive(Debug)]
struct Register<'h> {
    value: Value,
    /// The operation that told the session the value: its write, or its read.
    known: Option<Pair<'h>>,
    /// The values that it had before.
    gone: Vec<Value>,
    /// The writes of unknown end that nobody has seen yet.
    pending: Vec<(Value, Pair<'h>)>,
    position: Option<&'h Value>,
    last: Option<Pair<'h>>,
}

impl Default for Register<'_> {
    fn default() -> Self {
        let (value, gone, pending) = (Value::from(0), Vec::new(), Vec::new());
        Register { value, known: None, gone, pending, position: None, last: None }
    }
}

/// The value of an op, where position and link may stand beside it.
fn plain(value: &Value) -> &Value {
    value.as_object().and_then(|object| object.get("value")).unwrap_or(value)
}

fn beside<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_object().and_then(|object| object.get(name)).filter(|value| !value.is_null())
}

impl<'h> Register<'h> {
    fn replace(&mut self, value: Value, by: Pair<'h>) {
        self.gone.push(std::mem::replace(&mut self.value, value));
        self.known = Some(by);
    }

    /// Takes the next operation. `writes` are all of the key.
    fn take(
        &mut self,
        pair: Pair<'h>,
        writes: &[Pair<'h>],
        accusations: &mut Accusations,
    ) -> Result<(), String> {
        let index = pair.invoke.index;
        if let Some(last) = self.last.replace(pair)
            && matches!(last.outcome(), Kind::Ok | Kind::Fail)
            && completed(&last) > index
        {
            let last = last.invoke.index;
            return Err(format!(
                "op {index}: it began while op {last} was open, so neither follows the other"
            ));
        }
        let answer = pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| &op.value);
        if let Some(answer) = answer {
            self.link(pair, answer, accusations);
        }
        match (pair.invoke.f.as_str(), pair.outcome(), answer.map(plain)) {
            ("write", Kind::Ok, _) => self.replace(plain(&pair.invoke.value).clone(), pair),
            ("write", Kind::Info | Kind::Invoke, _) => {
                self.pending.push((plain(&pair.invoke.value).clone(), pair));
            }
            ("read", Kind::Ok, Some(Value::Null)) => {}
            ("read-init", Kind::Ok, Some(Value::Null)) => {
                self.read(&Value::from(0), pair, writes, accusations);
            }
            ("read" | "read-init", Kind::Ok, Some(value)) => {
                self.read(value, pair, writes, accusations);
            }
            ("write" | "read" | "read-init", _, _) => {}
            (other, _, _) => return Err(format!("op {index}: there is no operation `{other}` here")),
        }
        Ok(())
    }

    fn read(&mut self, value: &Value, read: Pair<'h>, writes: &[Pair<'h>], accusations: &mut Accusations) {
        if *value == self.value {
            self.known = Some(read);
            return;
        }
        if let Some(place) = self.pending.iter().position(|(pending, _)| pending == value) {
            let (value, _) = self.pending.remove(place);
            self.replace(value, read);
            return;
        }
        let index = read.invoke.index;
        let of = |write: &&Pair<'h>| plain(&write.invoke.value) == value;
        let write = writes.iter().find(of).copied();
        let known = self.known.filter(|known| known.invoke.index != index);
        let was = &self.value;
        let told = format!("a read (op {index}) showed {value}");
        let (name, because, other) = match (write, known) {
            (_, Some(known)) if self.gone.contains(value) => {
                let op = known.invoke.index;
                if known.invoke.f == "write" {
                    (
                        "read-your-writes",
                        format!("{told} after the same session had written {was} (op {op})"),
                        Some(known),
                    )
                } else {
                    (
                        "monotonic-reads",
                        format!("{told} after the same session had read {was} (op {op})"),
                        Some(known),
                    )
                }
            }
            (Some(write), _) if write.outcome() == Kind::Fail => {
                let op = write.invoke.index;
                (
                    "dirty-read",
                    format!("{told}, but its write (op {op}) failed and so did not happen"),
                    Some(write),
                )
            }
            (Some(write), _) if write.invoke.index > completed(&read) => {
                let op = write.invoke.index;
                ("future-read", format!("{told}, but its write (op {op}) began only later"), Some(write))
            }
            _ => ("garbage-read", format!("{told}, where {was} was and nobody wrote {value} since"), write),
        };
        accusations.add(name, || {
            anomaly(name, because, [Some(read), other].into_iter().flatten().collect(), Map::default())
        });
    }

    /// Whether the operation follows the last one.
    fn link(&mut self, pair: Pair<'h>, answer: &'h Value, accusations: &mut Accusations) {
        let link = beside(answer, "link").filter(|link| *link != "init");
        if let (Some(link), before) = (link, self.position)
            && before != Some(link)
        {
            accusations.add("broken-link", || {
                let before = before.map_or("none".to_owned(), Value::to_string);
                let because = format!(
                    "op {} follows the position {link}, where that of the last operation was {before}",
                    pair.invoke.index
                );
                anomaly("broken-link", because, vec![pair], Map::default())
            });
        }
        self.position = beside(answer, "position").or(self.position);
    }
}

impl Causal {
    fn judge(self, history: &History, budget: &Budget<'_>) -> Result<Verdict, String> {
        let mut keys: BTreeMap<Option<&str>, Vec<Pair<'_>>> = BTreeMap::new();
        for (pair, place) in history.pairs().zip(1_usize..) {
            keys.entry(pair.invoke.key.as_deref()).or_default().push(pair);
            budget.spend(pair.invoke.index, place * size_of::<(Pair<'_>, Value)>() * 2)?;
        }
        let mut accusations = Accusations::default();
        let mut reads = 0;
        for (step, pairs) in (0..).zip(keys.values()) {
            budget.spend(step, 0)?;
            let writes: Vec<Pair<'_>> =
                pairs.iter().filter(|pair| pair.invoke.f == "write").copied().collect();
            let mut register = Register::default();
            for pair in pairs {
                register.take(*pair, &writes, &mut accusations)?;
                let told = |pair: &&Pair<'_>| {
                    let answer = pair.completion.filter(|op| op.kind == Kind::Ok);
                    pair.invoke.f.starts_with("read") && answer.is_some_and(|op| !plain(&op.value).is_null())
                };
                reads += usize::from(told(&pair));
            }
        }
        let facts = format!("{} keys, {reads} reads that told a value", keys.len());
        let verdict = match accusations.verdict(self.name(), &ORDER, &facts) {
            Some(invalid) => invalid,
            None if reads == 0 => Verdict::unknown(self.name(), format!("vacuous: {facts}")),
            None => Verdict::valid(self.name(), format!("{facts}, each in the order of its session")),
        };
        Ok(verdict.with_stat("keys", keys.len()).with_stat("reads", reads))
    }
}

impl Checker for Causal {
    fn name(&self) -> &'static str {
        "causal"
    }

    fn about(&self) -> &'static str {
        "what a session does to a register, it sees in the order in which it did it"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        self.judge(history, budget).unwrap_or_else(|reason| Verdict::unknown(self.name(), reason))
    }
}
