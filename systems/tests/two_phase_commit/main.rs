//! The chapter on two-phase commit, acted out: messages delivered by hand, and told as prose.

mod commitment;
mod failures;
mod stage;
