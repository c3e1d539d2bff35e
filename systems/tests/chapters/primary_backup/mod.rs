//! The chapter on primary and backup, acted out: messages delivered by hand, and told as prose.

mod cast;
mod failover;
