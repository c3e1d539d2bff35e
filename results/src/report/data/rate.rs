//! How many ops ended each way, over time.

use rashomon_core::Time;
use serde::Serialize;

use super::{Pairs, micros};

/// Into how many buckets a run is divided at most. A bucket of the page is about four pixels wide.
const MOST: u64 = 240;

/// Into how many at least, however few ops there are.
const LEAST: u64 = 24;

/// The least width of a bucket, in microseconds.
const NARROWEST: u64 = 1_000;

/// The width of a bucket, in microseconds, that puts about so many ops into each.
pub(crate) fn width(end: Time, ops: usize, into_each: u64) -> u64 {
    let buckets = (ops as u64 / into_each).clamp(LEAST, MOST);
    (micros(end) / buckets + 1).max(NARROWEST)
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
    let width = width(end, pairs.0.len(), 16);
    let empty = vec![0; (micros(end) / width + 1) as usize];
    let mut counts = [empty.clone(), empty.clone(), empty];
    for pair in &pairs.0 {
        let bucket = pair.to.unwrap_or(pair.from) / 1000 / width;
        counts[pair.outcome as usize][bucket as usize] += 1;
    }
    Rate { width, counts }
}
