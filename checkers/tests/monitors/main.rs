//! The near-linear monitors against an oracle that tries every order, and against the search; and what sessions see,
//! against oracles likewise.

#[path = "../histories/mod.rs"]
mod histories;
#[path = "../oracle/mod.rs"]
mod oracle;

mod agreement;
mod growing;
mod priority_queue;
mod queue;
mod register;
mod sessions;
mod set;
mod stack;
