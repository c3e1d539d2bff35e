//! What a workload is.

use rashomon_core::Value;
use rashomon_core::generator::{Generator, Invocation};
use rashomon_core::rpc::Body;

use crate::{Bank, Consensus, Echo, Lock, Register, Set};

/// A request body, and whether it only reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Its JSON object, with `type`.
    pub body: Body,
    /// Whether running it changes nothing.
    pub read_only: bool,
}

impl Request {
    /// A body of type `kind` with the given fields.
    pub fn new<const N: usize>(kind: &str, fields: [(&str, Value); N]) -> Request {
        let mut body = Body::new();
        body.insert("type".to_owned(), kind.into());
        body.extend(fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Request { body, read_only: false }
    }

    /// The same, known to change nothing.
    pub fn read_only(self) -> Request {
        Request { read_only: true, ..self }
    }
}

/// What clients do for one run. As a generator it is endless: the plan sets its pace and its end.
pub trait Workload: Generator<Invocation> {
    /// The request that carries out an invocation.
    fn request(&self, invocation: &Invocation) -> Request;

    /// The value of the `ok` op: what the reply to `invocation` says. An error is a reply that makes no sense.
    fn response(&self, invocation: &Invocation, reply: &Body) -> Result<Value, String>;

    /// The reads, of every key, that end a run once all is healed.
    fn final_reads(&self) -> Vec<Invocation>;
}

/// What the harness needs to know of a workload before it runs.
#[derive(Clone, Copy)]
pub struct WorkloadInfo {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line on what it asks.
    pub summary: &'static str,
    /// The names of its ops, final reads among them.
    pub ops: &'static [&'static str],
    /// The checkers that judge it, by name.
    pub checkers: &'static [&'static str],
    /// A fresh one for a run.
    pub make: fn() -> Box<dyn Workload>,
}

/// Every workload.
pub fn all() -> &'static [WorkloadInfo] {
    const ALL: &[WorkloadInfo] = &[
        Register::INFO,
        Register::READ_WRITE,
        Set::INFO,
        Consensus::INFO,
        Bank::INFO,
        Lock::INFO,
        Echo::INFO,
    ];
    ALL
}

/// The workload of that name.
pub fn by_name(name: &str) -> Option<&'static WorkloadInfo> {
    all().iter().find(|info| info.name == name)
}

/// The reply must be of this type.
pub(crate) fn expect_type(reply: &Body, expected: &str) -> Result<(), String> {
    match reply.get("type").and_then(Value::as_str) {
        Some(kind) if kind == expected => Ok(()),
        other => Err(format!("a reply of type {other:?} where `{expected}` was due")),
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::Time;
    use rashomon_core::generator::{Asked, Next};

    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for info in all() {
            assert_eq!(by_name(info.name).map(|found| found.summary), Some(info.summary));
            assert!(!info.checkers.is_empty(), "{} is judged by nobody", info.name);
        }
        assert!(by_name("registr").is_none());
    }

    #[test]
    fn every_op_that_is_drawn_is_listed() {
        let mut rng = rashomon_core::Seed(3).rng();
        for info in all() {
            let mut workload = (info.make)();
            let mut drawn = workload.final_reads();
            for _ in 0..300 {
                let free = [0, 1, 2, 3];
                let mut asked = Asked { now: Time::ZERO, free: &free, threads: 4, rng: &mut rng };
                if let Next::Do(_, invocation) = workload.next(&mut asked) {
                    drawn.push(invocation);
                }
            }
            assert!(!drawn.is_empty(), "{} asks nothing", info.name);
            for invocation in drawn {
                assert!(info.ops.contains(&invocation.f), "{} asks {}", info.name, invocation.f);
            }
        }
    }
}
