//! What a counter may show, by what was added to it.
//!
//! Additions commute, so no order needs to be found: a read shows the sum of those that happened. [`Counter`] asks of
//! every read whether its value lies between the least and the greatest sum that is possible then;
//! [`EventualCounter`] asks of the last reads whether their value is one of the sums that are possible at all.

mod additions;
mod bounded;
mod eventual;
mod sums;

pub use bounded::Counter;
pub use eventual::EventualCounter;
