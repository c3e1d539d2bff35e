//! One module for each command: lowers its arguments, does its work, says how it ended.

pub(crate) mod check;
pub(crate) mod convert;
pub(crate) mod doctor;
pub(crate) mod generate;
mod history;
pub(crate) mod list;
pub(crate) mod node;
mod outcome;
mod plan;
pub(crate) mod report;
mod shrink;
pub(crate) mod sim;
pub(crate) mod test;
pub(crate) mod zoo;
