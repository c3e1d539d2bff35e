//! What nodes tell each other.

use serde::{Deserialize, Serialize};

use super::value::Vote;
use crate::paxos::Ballot;

/// A message: a step of one decree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Which decree.
    pub key: String,
    /// What it says.
    pub step: Step,
}

/// The steps of the algorithm (2.2). Any of them may be lost, repeated, late and overtaken; each names its ballot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Phase 1a: "promise to accept nothing below this ballot, and tell what you have accepted".
    Prepare {
        /// The ballot that begins.
        ballot: Ballot,
    },
    /// Phase 1b: the promise is made, and on disk.
    Promise {
        /// The ballot of the request.
        ballot: Ballot,
        /// What the acceptor accepted last, if anything; its ballot is below that of the request.
        vote: Option<Vote>,
    },
    /// Phase 2a: "accept this".
    Accept {
        /// The proposal.
        vote: Vote,
    },
    /// Phase 2b, said to every learner: it is accepted, and on disk (2.3).
    Accepted {
        /// The proposal.
        vote: Vote,
    },
    /// A request was ignored because a higher ballot is promised. The paper recommends to say so, as an optimisation.
    Preempted {
        /// What is promised.
        promised: Ballot,
    },
}
