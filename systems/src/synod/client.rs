//! What clients ask and are told.

use rashomon_core::Ticket;
use rashomon_core::rpc::RpcError;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::decree::Decree;
use super::node::Cx;
use super::value::Value;
use crate::kv::LONGEST_KEY;

/// The most clients that wait for one decree at one node: one that is cut off must not collect them without end.
const MOST_WAITING: usize = 1024;

/// A request, such as `{"type":"propose","key":"x","value":3}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Decide this, or whatever else, and tell what is decided.
    Propose {
        /// The decree.
        #[serde(deserialize_with = "key")]
        key: String,
        /// What the client would have decided.
        value: Value,
    },
    /// Tell what is decided.
    Learn {
        /// The decree.
        #[serde(deserialize_with = "key")]
        key: String,
    },
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// To a proposal.
    ProposeOk {
        /// What is decided, which need not be what was proposed.
        value: Value,
    },
    /// To a question.
    LearnOk {
        /// What is decided; null when nothing is.
        value: Option<Value>,
    },
}

fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let key = String::deserialize(deserializer)?;
    if key.len() > LONGEST_KEY {
        return Err(D::Error::custom(format!("a key of {} bytes; {LONGEST_KEY} are the most", key.len())));
    }
    Ok(key)
}

impl Request {
    /// The decree that it is about.
    pub(super) fn key(&self) -> &str {
        match self {
            Request::Propose { key, .. } | Request::Learn { key } => key,
        }
    }
}

/// A client that waits for the decision.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    ticket: Ticket,
    proposed: Option<Value>,
}

impl Waiting {
    /// The answer to its request, if there is one to that.
    fn reply(self, chosen: Option<Value>) -> Option<Reply> {
        match (self.proposed, chosen) {
            (Some(_), Some(value)) => Some(Reply::ProposeOk { value }),
            (Some(_), None) => None,
            (None, value) => Some(Reply::LearnOk { value }),
        }
    }
}

impl Decree {
    /// Answers from what it knows, or has its proposer find out.
    ///
    /// A request that is repeated here or at another node proposes the same value once more, which changes nothing: a
    /// value is decided once, however often it was proposed.
    pub(super) fn serve(&mut self, ticket: Ticket, proposed: Option<Value>, cx: &mut Cx<'_>) {
        if self.waiting.len() >= MOST_WAITING {
            cx.refuse(ticket, RpcError::unavailable("too many clients wait for this decree", None));
            return;
        }
        self.waiting.push(Waiting { ticket, proposed });
        if self.learner.chosen.is_some() {
            self.answer(self.learner.chosen, cx);
            return;
        }
        self.proposer.wish = self.proposer.wish.or(proposed);
        if !self.is_proposing() {
            self.begin(cx);
        }
    }

    /// Tells those who wait what is chosen, or that nothing is.
    pub(super) fn answer(&mut self, chosen: Option<Value>, cx: &mut Cx<'_>) {
        self.waiting.retain(|waiting| match waiting.reply(chosen) {
            None => true,
            Some(reply) => {
                cx.reply(waiting.ticket, reply);
                false
            }
        });
    }
}
