//! What clients ask of a system, and which checkers judge the answers.
//!
//! A [`Workload`] generates invocations, turns each into a request body, reads the reply, and names the
//! checkers. It never sees a system: any system that speaks its bodies can serve it. To add one, write a
//! module like `register.rs` and name it in [`all`].

mod bank;
mod consensus;
mod echo;
mod lock;
mod register;
mod set;
mod workload;

pub use bank::Bank;
pub use consensus::Consensus;
pub use echo::Echo;
pub use lock::Lock;
pub use register::Register;
pub use set::Set;
pub use workload::{Request, Workload, WorkloadInfo, all, by_name};
