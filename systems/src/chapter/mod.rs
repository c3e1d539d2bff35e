//! What every chapter needs and no paper speaks of: mistakes by name, options with their checks, and the small words
//! of invariants.

mod invariants;
mod mistakes;
mod options;

#[cfg(test)]
pub(crate) use invariants::violated;
pub(crate) use invariants::{bound, text, violation};
pub(crate) use mistakes::{Mistake, infos};
pub(crate) use options::{Options, refused};
