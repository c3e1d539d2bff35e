//! The outcome rules: from the attempts of one op to what may be claimed of it.
//!
//! An op has a deadline and makes attempts on successive nodes, all with the same session and sequence.
//!
//! - `ok` when an attempt succeeds.
//! - `fail` only if *every* attempt definitely failed. One doubtful attempt makes the op `info`, whatever later
//!   attempts say, unless the system remembers sessions and one of them *answers* the request.
//! - Definite: connection refused, or an error code which promises that nothing was started.
//! - Doubtful: a reset, an end of stream, a time-out after connecting, a reply that cannot be parsed.
//! - A doubtful read is `fail`: it has no effect that anybody could miss.
//!
//! [`Attempts`] is these rules as a state machine without a socket or a clock.

use std::fmt;
use std::time::Duration;

use crate::rpc::{Body, Meaning, RpcError};
use crate::{NodeId, Time};

/// How long clients wait, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The longest that an op may take.
    pub deadline: Duration,
    /// The longest that one attempt may take.
    pub attempt: Duration,
    /// The pause after every node refused, before they are asked again.
    pub pause: Duration,
    /// Whether the system answers a repeated (session, sequence) from memory.
    pub sessions: bool,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            deadline: Duration::from_secs(1),
            attempt: Duration::from_millis(300),
            pause: Duration::from_millis(20),
            sessions: true,
        }
    }
}

/// What may be claimed of an op.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It happened, and this was the answer of that node.
    Ok(NodeId, Body),
    /// It certainly did not happen and never will.
    Fail(String),
    /// Nobody knows.
    Info(String),
}

/// How one attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Attempt {
    /// A success.
    Reply(Body),
    /// An error that the node sent.
    Error(RpcError),
    /// Nobody listens there: the request was never sent.
    Refused,
    /// Anything that leaves the fate of the request open; the text says what.
    Doubtful(String),
}

/// What to do next for an op.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Send the request to this node, and give up waiting at this time.
    Try(NodeId, Time),
    /// Come back at this time.
    Pause(Time),
    /// The op is over.
    Finish(Outcome),
}

/// One op and its attempts so far.
#[derive(Debug)]
pub struct Attempts {
    policy: Policy,
    nodes: Vec<NodeId>,
    read_only: bool,
    started: Time,
    /// The position in `nodes` of the node to try next.
    next: usize,
    /// Refusals in a row: a full round of them earns a pause.
    refusals: usize,
    /// Where the current attempt went.
    trying: Option<NodeId>,
    /// The first attempt that left the op open, and the last that was turned away.
    doubt: Option<(NodeId, Attempt)>,
    refusal: Option<(NodeId, Attempt)>,
    finished: Option<Outcome>,
    paused: bool,
}

impl Attempts {
    /// An op that begins `now`, on the first of `nodes`; the others follow in order.
    pub fn new(policy: Policy, nodes: Vec<NodeId>, read_only: bool, now: Time) -> Attempts {
        assert!(!nodes.is_empty(), "an op needs a node to ask");
        Attempts {
            policy,
            nodes,
            read_only,
            started: now,
            next: 0,
            refusals: 0,
            trying: None,
            doubt: None,
            refusal: None,
            finished: None,
            paused: false,
        }
    }

    /// When the op must be over.
    pub fn deadline(&self) -> Time {
        self.started + self.policy.deadline
    }

    /// What to do at `now`. After [`Step::Try`] the caller reports the end with [`ended`](Attempts::ended).
    pub fn step(&mut self, now: Time) -> Step {
        if let Some(outcome) = &self.finished {
            return Step::Finish(outcome.clone());
        }
        if now >= self.deadline() {
            return Step::Finish(self.give_up());
        }
        // A doubtful request may be repeated only where a repetition is known for what it is.
        if self.doubt.is_some() && !self.policy.sessions && !self.read_only {
            return Step::Finish(self.give_up());
        }
        if self.refusals >= self.nodes.len() && !self.paused {
            self.paused = true;
            return Step::Pause((now + self.policy.pause).min(self.deadline()));
        }
        if self.paused {
            self.paused = false;
            self.refusals = 0;
        }
        let node = self.nodes[self.next];
        self.trying = Some(node);
        self.next = (self.next + 1) % self.nodes.len();
        Step::Try(node, (now + self.policy.attempt).min(self.deadline()))
    }

    /// Takes the end of the current attempt into account.
    pub fn ended(&mut self, attempt: Attempt) {
        let node = self.trying.take().expect("an attempt was under way");
        match attempt {
            Attempt::Reply(body) => self.finished = Some(Outcome::Ok(node, body)),
            Attempt::Error(ref error) => match error.code.meaning() {
                Meaning::Answered if self.doubt.is_none() || self.policy.sessions => {
                    self.finished = Some(Outcome::Fail(error.to_string()));
                }
                Meaning::Hopeless if self.doubt.is_none() => {
                    self.finished = Some(Outcome::Fail(error.to_string()));
                }
                Meaning::Answered | Meaning::Hopeless => {}
                Meaning::NotStarted => {
                    // Whoever refuses may know who serves; that node is next, once.
                    let hinted = |hint| self.nodes.iter().position(|node| *node == hint);
                    if let Some(position) = error.hint.and_then(hinted) {
                        self.next = position;
                    }
                    self.refused(node, attempt);
                }
                Meaning::Doubtful => self.doubtful(node, attempt),
            },
            Attempt::Refused => self.refused(node, attempt),
            Attempt::Doubtful(_) => self.doubtful(node, attempt),
        }
    }

    fn refused(&mut self, node: NodeId, attempt: Attempt) {
        self.refusals += 1;
        self.refusal = Some((node, attempt));
    }

    fn doubtful(&mut self, node: NodeId, attempt: Attempt) {
        self.refusals = 0;
        self.doubt.get_or_insert((node, attempt));
    }

    fn give_up(&self) -> Outcome {
        let reason = |(node, attempt): &(NodeId, Attempt)| format!("{node}: {attempt}");
        match (&self.doubt, &self.refusal) {
            (Some(doubt), _) if self.read_only => Outcome::Fail(reason(doubt)),
            (Some(doubt), _) => Outcome::Info(reason(doubt)),
            (None, Some(refusal)) => Outcome::Fail(reason(refusal)),
            (None, None) => Outcome::Fail("no attempt was made before the deadline".to_owned()),
        }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attempt::Reply(_) => f.write_str("a reply"),
            Attempt::Error(error) => error.fmt(f),
            Attempt::Refused => f.write_str("connection refused"),
            Attempt::Doubtful(reason) => f.write_str(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::ErrorCode;

    const MS: u64 = 1_000_000;

    fn op(sessions: bool, read_only: bool) -> Attempts {
        let policy = Policy { sessions, ..Policy::default() };
        Attempts::new(policy, NodeId::first(3), read_only, Time::ZERO)
    }

    fn error(code: u32) -> Attempt {
        Attempt::Error(RpcError::new(ErrorCode::from(code), "text"))
    }

    /// Feeds the ends of attempts, one each 10 ms, and gives the outcome at the deadline or before.
    fn outcome(mut op: Attempts, ends: Vec<Attempt>) -> Outcome {
        let mut now = Time::ZERO;
        for end in ends {
            loop {
                match op.step(now) {
                    Step::Try(..) => break,
                    Step::Pause(until) => now = until,
                    Step::Finish(outcome) => return outcome,
                }
            }
            op.ended(end);
            now = now + Duration::from_millis(10);
        }
        match op.step(op.deadline()) {
            Step::Finish(outcome) => outcome,
            other => panic!("{other:?} at the deadline"),
        }
    }

    fn is_fail(outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Fail(_))
    }

    fn is_info(outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Info(_))
    }

    fn is_ok(outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Ok(..))
    }

    fn lost() -> Attempt {
        Attempt::Doubtful("end of stream".into())
    }

    #[test]
    fn fail_only_if_every_attempt_definitely_failed() {
        assert!(is_fail(&outcome(op(true, false), vec![Attempt::Refused, error(11), Attempt::Refused])));
        assert!(is_info(&outcome(op(true, false), vec![Attempt::Refused, lost(), Attempt::Refused])));
    }

    #[test]
    fn one_doubtful_attempt_makes_info_whatever_later_attempts_say() {
        assert!(is_info(&outcome(op(true, false), vec![lost(), error(11), error(11), error(11)])));
        assert!(is_info(&outcome(op(true, false), vec![error(13), error(11)])));
        assert!(is_info(&outcome(op(true, false), vec![error(0)])));
        assert!(is_info(&outcome(op(true, false), vec![error(1000)])));
    }

    #[test]
    fn the_session_table_settles_a_doubt() {
        assert!(is_ok(&outcome(op(true, false), vec![lost(), Attempt::Reply(Body::new())])));
        assert!(is_fail(&outcome(op(true, false), vec![lost(), error(22)])));
    }

    #[test]
    fn without_sessions_a_doubtful_request_is_not_repeated() {
        let mut op = op(false, false);
        assert!(matches!(op.step(Time::ZERO), Step::Try(NodeId(1), _)));
        op.ended(lost());
        assert!(matches!(op.step(Time(10 * MS)), Step::Finish(Outcome::Info(_))));
    }

    #[test]
    fn a_definite_answer_is_the_end() {
        assert!(is_fail(&outcome(op(true, false), vec![error(22)])));
        assert!(is_fail(&outcome(op(false, false), vec![error(14)])));
        let mut op = op(true, false);
        assert!(matches!(op.step(Time::ZERO), Step::Try(..)));
        op.ended(error(12));
        assert!(matches!(op.step(Time::ZERO), Step::Finish(Outcome::Fail(_))), "asking others is hopeless");
    }

    #[test]
    fn a_doubtful_read_is_fail() {
        assert!(is_fail(&outcome(op(true, true), vec![lost(), lost()])));
        assert!(is_fail(&outcome(op(false, true), vec![lost(), error(11)])));
    }

    #[test]
    fn attempts_go_to_successive_nodes_and_end_by_the_deadline() {
        let mut op = op(true, false);
        let mut asked = Vec::new();
        let mut now = Time::ZERO;
        while let Step::Try(node, until) = op.step(now) {
            asked.push(node.0);
            assert!(until <= op.deadline());
            now = until;
            op.ended(Attempt::Doubtful("timed out".into()));
        }
        assert_eq!(asked, [1, 2, 3, 1]);
        assert_eq!(now, Time(1000 * MS));
    }

    #[test]
    fn a_hint_is_followed() {
        let mut op = op(true, false);
        assert!(matches!(op.step(Time::ZERO), Step::Try(NodeId(1), _)));
        op.ended(Attempt::Error(RpcError::unavailable("not the leader", Some(NodeId(3)))));
        assert!(matches!(op.step(Time::ZERO), Step::Try(NodeId(3), _)));
    }

    #[test]
    fn a_round_of_refusals_earns_a_pause() {
        let mut op = op(true, false);
        for _ in 0..3 {
            assert!(matches!(op.step(Time::ZERO), Step::Try(..)));
            op.ended(Attempt::Refused);
        }
        assert_eq!(op.step(Time::ZERO), Step::Pause(Time(20 * MS)));
        assert!(matches!(op.step(Time(20 * MS)), Step::Try(..)));
    }
}
