//! Whether logs of messages keep what was sent to them, in order, and show it to consumers without gaps.

mod circles;
mod consumers;
mod logs;
mod transactions;

use rashomon_core::{History, Kind, Verdict};
use serde_json::json;

use crate::accusations::Accusations;
use crate::{Budget, Checker};
use logs::Logs;
use transactions::Transactions;

/// Judges logs in the manner of Kafka's, in the terms of Jepsen's and Maelstrom's `kafka`.
///
/// Operations: `send`, `poll` and `txn`, whose value is a list of micro-ops: `["send", key, message]`, answered with
/// `["send", key, [offset, message]]`, and `["poll"]`, answered with `["poll", {key: [[offset, message], ...]}]`;
/// `assign` and `subscribe` with the keys that a consumer polls from then on; `crash`, after which the process is
/// another. An `assign` that seeks to the beginning has the value `{"keys": [...], "seek-to-beginning": true}`, and
/// `["rebalance", keys]` in an answer names keys that changed hands meanwhile: Jepsen has both beside the value. Every
/// message is sent once to a key.
///
/// - *inconsistent-offsets*: two messages at one offset; *duplicate*: one message at two;
/// - *garbage-read*, *G1a*: a poll shows a message that nobody sent, or that was sent by a transaction that failed;
///   *precommitted-read*: one that its own transaction sent;
/// - *lost-write*: a message was sent, a later one was polled, and nobody ever polled the first;
/// - *poll-skip*, *nonmonotonic-poll*: from one poll of a process to the next, or after it went to the beginning, it
///   misses a message that is there, or does not go forward; *int-poll-skip*, *int-nonmonotonic-poll*: the same within
///   one operation;
/// - *nonmonotonic-send*, *int-nonmonotonic-send*: what a process sends to a key does not go forward;
/// - *G1c*, *G1c-process*, *G1c-realtime*: transactions saw each other's messages in a circle, perhaps with one of them
///   after another in its process, or in real time.
///
/// Each is *invalid*. Writes are not isolated from each other, so circles of them (G0) and gaps between the sends of one
/// transaction are legal; nor is a consumer that `subscribe`d held to going on where it stopped, for its keys may be
/// given to others.
///
/// A send that ended `info` counts as done when a message of its transaction was polled. A poll that ended so, and does
/// not say what it took, may have taken any message: then a loss is only certain where a consumer passed over it, and
/// otherwise *unknown*. *Unknown* also while acknowledged messages were polled by nobody (`unseen`; Jepsen accuses there),
/// when a message was sent twice, and when nothing was polled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kafka;

/// Its anomalies, the worst first.
const ORDER: [&str; 16] = [
    "garbage-read",
    "inconsistent-offsets",
    "lost-write",
    "duplicate",
    "G1a",
    "precommitted-read",
    "poll-skip",
    "int-poll-skip",
    "nonmonotonic-poll",
    "int-nonmonotonic-poll",
    "nonmonotonic-send",
    "int-nonmonotonic-send",
    "G1c",
    "G1c-process",
    "G1c-realtime",
    "unseen",
];

impl Kafka {
    fn judge(self, history: &History, budget: &Budget<'_>) -> Result<Verdict, String> {
        let transactions = Transactions::follow(history, budget)?;
        let logs = Logs::of(&transactions)?;
        budget.spend(0, transactions.bytes() * 4)?;
        let mut accusations = Accusations::default();
        logs.accuse(&transactions, &mut accusations);
        let passed = consumers::accuse(&transactions, &logs, &mut accusations, budget)?;
        let perhaps_lost = logs.accuse_losses(&transactions, &passed, &mut accusations);
        circles::accuse(&transactions, &logs, history, &mut accusations, budget)?;

        let unseen = logs.unseen(&transactions);
        let polled = transactions.polled();
        let mut unknown = Vec::new();
        if polled == 0 {
            unknown.push("vacuous: nothing was polled".to_owned());
        }
        if perhaps_lost > 0 {
            unknown.push(format!(
                "{perhaps_lost} messages were never polled, and polls of unknown end may have taken them"
            ));
        }
        if unseen > 0 {
            unknown.push(format!("{unseen} acknowledged messages were polled by nobody"));
        }
        let sent = transactions.list.iter().filter(|transaction| transaction.outcome == Kind::Ok);
        let sent: usize = sent.map(|transaction| transaction.sends.len()).sum();
        let facts = format!("{sent} messages acknowledged, {polled} polled, {} logs", logs.len());
        let verdict = match accusations.verdict(self.name(), &ORDER, &facts) {
            Some(invalid) => invalid,
            None if unknown.is_empty() => Verdict::valid(self.name(), facts),
            None => {
                let summary = format!("{}; {facts}", unknown.join("; "));
                Verdict { unknown, ..Verdict::unknown(self.name(), summary) }
            }
        };
        Ok(verdict
            .with_stat("sent", sent)
            .with_stat("polled", polled)
            .with_stat("logs", logs.len())
            .with_stat("unseen", unseen)
            .with_stat("perhaps_lost", json!(perhaps_lost)))
    }
}

impl Checker for Kafka {
    fn name(&self) -> &'static str {
        "kafka"
    }

    fn about(&self) -> &'static str {
        "logs keep what was sent to them, one message at each offset, and consumers see it in order and without gaps"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        self.judge(history, budget).unwrap_or_else(|reason| Verdict::unknown(self.name(), reason))
    }
}
