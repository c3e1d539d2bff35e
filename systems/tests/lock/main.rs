//! The chapter on locks, acted out: messages delivered by hand, and told as prose.

mod leases;
mod redlock;
mod stage;
mod tokens;
