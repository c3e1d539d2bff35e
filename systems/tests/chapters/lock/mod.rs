//! The chapter on locks, acted out: messages delivered by hand, and told as prose.

mod cast;
mod leases;
mod redlock;
mod tokens;
