//! How a participant learns what became of a transaction: the second phase, and what it does when that does not come.
//!
//! A participant that voted yes is in doubt. It may not abort, since the coordinator may have decided to commit; it may
//! not commit, since somebody else may have voted no. So it asks: the coordinator, and the other writers, any of which
//! may know or may be free to abort (the *cooperative termination protocol*; Bernstein, Hadzilacos and Goodman 1987,
//! section 7.4). If none of them answers, it is *blocked*, keeps its locks, and asks again. No protocol can
//! do better in general (Skeen, *Nonblocking Commit Protocols*, 1981).

use rashomon_core::{NodeId, Probe};

use super::bugs::Bug;
use super::message::Message;
use super::outcomes::Outcome;
use super::participant::Participant;
use super::record::Record;
use super::system::{Cx, Timer};
use super::transaction::{Decision, TransactionId};

impl Participant {
    /// Takes the decision. What it has no part in, or did not vote for, it can only be told to abort.
    pub(super) fn on_decide(&mut self, from: NodeId, id: TransactionId, decision: Decision, cx: &mut Cx<'_>) {
        if self.doubts.contains_key(&id) {
            self.decide(id, decision, cx);
        } else if decision == Decision::Abort && !self.outcomes.is_over(id) {
            self.abort(id, cx);
        }
        if decision == Decision::Commit && from == self.config.coordinator {
            self.to_coordinator(Message::Acknowledge { transaction: id }, cx);
        }
    }

    /// Ends the doubt.
    fn decide(&mut self, id: TransactionId, decision: Decision, cx: &mut Cx<'_>) {
        let Some(doubt) = self.doubts.remove(&id) else { return };
        let record = Record::Decided { transaction: id, decision };
        let told = Probe::new("decide").with("transaction", id).with("decision", decision.name());
        match decision {
            Decision::Commit => {
                for write in &doubt.prepared.writes {
                    self.accounts.install(write);
                }
                self.outcomes.insert(id, Outcome::Committed);
                self.log(record, cx);
                cx.probe(told);
                self.unlock(id, cx);
            }
            Decision::Abort => {
                self.outcomes.insert(id, Outcome::Aborted);
                cx.probe(told);
                self.unlock(id, cx);
                // Not forced: without it the participant would be in doubt again, ask, and hear the same.
                self.log(record, cx);
            }
        }
    }

    /// Asks about everything it is in doubt of.
    pub(super) fn inquire(&mut self, cx: &mut Cx<'_>) {
        cx.set_timer(Timer::Inquire, self.config.inquire);
        let mut blocked = Vec::new();
        for (id, doubt) in &mut self.doubts {
            doubt.inquiries += 1;
            if doubt.inquiries == 1 {
                // The decision may be on its way.
                continue;
            }
            if doubt.inquiries == 3 {
                blocked.push(*id);
            }
            cx.send(self.config.coordinator, Message::Inquire { transaction: *id });
            for writer in doubt.prepared.writers.iter().filter(|writer| **writer != self.config.me) {
                cx.send(*writer, Message::Inquire { transaction: *id });
            }
        }
        for id in blocked {
            cx.probe(Probe::new("blocked").with("transaction", id));
            if self.has(Bug::UnilateralAbort) {
                self.decide(id, Decision::Abort, cx);
            }
        }
    }

    /// Tells another writer what it knows. What it has not voted for it may abort, and then it knows.
    pub(super) fn on_inquire(&mut self, from: NodeId, id: TransactionId, cx: &mut Cx<'_>) {
        if self.works_on(id) {
            self.abort(id, cx);
        }
        let decision = match self.outcomes.get(id) {
            Some(Outcome::Committed) => Decision::Commit,
            Some(Outcome::Aborted) => Decision::Abort,
            Some(Outcome::Read) | None => return,
        };
        cx.send(from, Message::Decide { transaction: id, decision });
    }
}
