//! How long ops took, over time.

use std::collections::BTreeMap;

use rashomon_core::Time;
use serde::Serialize;

use super::rate::width;
use super::{Outcome, Pairs, micros};

/// The grid over which the cloud of points is thinned: columns of the whole run, rows of a factor of ten.
const COLUMNS: u64 = 360;
const ROWS_PER_DECADE: f64 = 24.0;

/// The most points that are kept. The grid bounds them to more than a page should carry only if a run fills
/// nearly every cell; then every nth is kept.
const MOST_POINTS: usize = 16_000;

/// Exact quantiles per bucket, and the cloud.
#[derive(Debug, Serialize)]
pub(crate) struct Latency {
    /// The width of a bucket, in microseconds.
    width: u64,
    /// p50, p95, p99 and max of the ops that were `ok` and ended in the bucket, in microseconds; null where
    /// there were none.
    quantiles: [Vec<Option<u64>>; 4],
    /// For `ok`, `fail` and `info`: start, latency, index of the op, and of how many it stands for one after
    /// the other.
    points: [Vec<u64>; 3],
    /// Ops that are in the cloud, themselves or by a neighbour.
    ended: u64,
    /// Points that are drawn.
    drawn: u64,
}

pub(crate) fn latency(pairs: &Pairs, end: Time) -> Latency {
    // A p99 of few ops is only their maximum.
    let width = width(end, pairs.0.len(), 50);
    let buckets = (micros(end) / width + 1) as usize;
    let mut times: Vec<Vec<u64>> = vec![Vec::new(); buckets];
    let mut cells: BTreeMap<(Outcome, u64, i64), [u64; 4]> = BTreeMap::new();
    let mut ended = 0;
    for pair in &pairs.0 {
        let Some(to) = pair.to else { continue };
        ended += 1;
        let (start, took) = (pair.from / 1000, (to - pair.from).div_ceil(1000).max(1));
        if pair.outcome == Outcome::Ok {
            times[(to / 1000 / width) as usize].push(took);
        }
        let column = start * COLUMNS / micros(end).max(1);
        let row = ((took as f64).log10() * ROWS_PER_DECADE) as i64;
        cells.entry((pair.outcome, column, row)).or_insert([start, took, pair.invoke, 0])[3] += 1;
    }
    let mut points = [Vec::new(), Vec::new(), Vec::new()];
    let every = cells.len().div_ceil(MOST_POINTS).max(1);
    let mut drawn = 0;
    for ((outcome, ..), point) in cells.into_iter().step_by(every) {
        points[outcome as usize].extend(point);
        drawn += 1;
    }
    let mut quantiles = [const { Vec::new() }; 4];
    for mut bucket in times {
        bucket.sort_unstable();
        for (place, share) in [0.5, 0.95, 0.99, 1.0].into_iter().enumerate() {
            quantiles[place].push(quantile(&bucket, share));
        }
    }
    Latency { width, quantiles, points, ended, drawn }
}

/// The least value that at least this share of a sorted list does not exceed.
pub(crate) fn quantile(sorted: &[u64], share: f64) -> Option<u64> {
    let rank = (sorted.len() as f64 * share).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let hundred: Vec<u64> = (1..=100).collect();
        let of = |share| quantile(&hundred, share);
        assert_eq!([of(0.5), of(0.95), of(0.99), of(1.0)], [Some(50), Some(95), Some(99), Some(100)]);
        assert_eq!(quantile(&[7], 0.5), Some(7));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
