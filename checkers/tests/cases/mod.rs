//! How long to look for a counterexample.

/// How many cases a property is tried on: `usual`, or what `RASHOMON_CASES` says, for long runs.
pub(crate) fn cases(usual: u32) -> u32 {
    std::env::var("RASHOMON_CASES").map_or(usual, |text| text.parse().expect("RASHOMON_CASES is a number"))
}
