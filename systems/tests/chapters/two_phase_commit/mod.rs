//! The chapter on two-phase commit, acted out: messages delivered by hand, and told as prose.

mod cast;
mod commitment;
mod failures;
