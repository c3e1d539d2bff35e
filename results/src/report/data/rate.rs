//! How many ops ended each way, over time.

use rashomon_core::Time;
use serde::Serialize;

use super::{Pairs, micros};

/// Into how many buckets a run is divided. A bucket of the page is about four pixels wide.
pub(crate) const BUCKETS: u64 = 240;

/// The least width of a bucket, in microseconds: below it the counts are mostly noise.
const NARROWEST: u64 = 20_000;

/// The width of a bucket, in microseconds.
pub(crate) fn width(end: Time) -> u64 {
    (micros(end) / BUCKETS + 1).max(NARROWEST)
}

/// Ops by the bucket that they ended in; an op without an end counts where it began.
#[derive(Debug, Serialize)]
pub(crate) struct Rate {
    /// In microseconds.
    width: u64,
    /// For `ok`, `fail` and `info`.
    counts: [Vec<u64>; 3],
}

pub(crate) fn rate(pairs: &Pairs, end: Time) -> Rate {
    let width = width(end);
    let empty = vec![0; (micros(end) / width + 1) as usize];
    let mut counts = [empty.clone(), empty.clone(), empty];
    for pair in &pairs.0 {
        let bucket = pair.to.unwrap_or(pair.from) / 1000 / width;
        counts[pair.outcome as usize][bucket as usize] += 1;
    }
    Rate { width, counts }
}
