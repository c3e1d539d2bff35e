//! What became of each element of a queue, whatever the order in which elements come out.
//!
//! A history of a queue says of each element how often it went in and came out. That is much less than
//! linearizability asks, and it is judged in linear time: [`UnorderedQueue`] asks where each element came from,
//! [`TotalQueue`] whether all that went in came out. Order is for [`models::Queue`](crate::models::Queue).

mod flow;
mod total;
mod unordered;

pub use total::TotalQueue;
pub use unordered::UnorderedQueue;
