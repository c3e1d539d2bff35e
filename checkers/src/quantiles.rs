//! Quantiles of durations, exactly.

use std::time::Duration;

use rashomon_core::Value;
use serde_json::json;

/// The quantiles 0.5, 0.95, 0.99 and the extremes, in nanoseconds; null when there is nothing.
///
/// Exact: the value at rank `ceil(q * n)` of the sorted list.
pub(crate) fn quantiles(mut durations: Vec<Duration>) -> Value {
    durations.sort_unstable();
    let Some(most) = durations.len().checked_sub(1) else { return Value::Null };
    let at = |per_mille: usize| {
        let rank = (durations.len() * per_mille).div_ceil(1000).max(1);
        durations[rank - 1].as_nanos() as u64
    };
    json!({
        "count": durations.len(),
        "min": at(0),
        "p50": at(500),
        "p95": at(950),
        "p99": at(990),
        "max": durations[most].as_nanos() as u64,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::quantiles;

    #[test]
    fn they_are_values_of_the_list() {
        let list = (1..=100).rev().map(Duration::from_nanos).collect();
        let expected = serde_json::json!({"count":100,"min":1,"p50":50,"p95":95,"p99":99,"max":100});
        assert_eq!(quantiles(list), expected);
        assert!(quantiles(Vec::new()).is_null());
        assert_eq!(quantiles(vec![Duration::from_nanos(7)])["p99"], 7);
    }
}
