//! What hand-written histories are judged to be.

use rashomon_checkers::notation::history;
use rashomon_checkers::{Budget, by_name};
use rashomon_core::{Validity, Verdict};

/// The verdict of the checker of that name.
pub(crate) fn judge(checker: &str, text: &str) -> Verdict {
    by_name(checker).expect("a checker").check(&history(text), &Budget::unlimited())
}

/// The anomalies are these, each with its events.
#[track_caller]
pub(crate) fn accused(checker: &str, text: &str, anomalies: &[(&str, &[u64])]) -> Verdict {
    let verdict = judge(checker, text);
    assert_eq!(verdict.valid, Validity::Invalid, "{verdict:?}");
    let found: Vec<(&str, &[u64])> =
        verdict.anomalies.iter().map(|anomaly| (anomaly.name.as_str(), anomaly.events.as_slice())).collect();
    assert_eq!(found, anomalies, "{verdict:?}");
    verdict
}

#[track_caller]
pub(crate) fn acquitted(checker: &str, text: &str) -> Verdict {
    let verdict = judge(checker, text);
    assert_eq!(verdict.valid, Validity::Valid, "{verdict:?}");
    verdict
}

/// It cannot be settled, and the summary says why.
#[track_caller]
pub(crate) fn open(checker: &str, text: &str, why: &str) -> Verdict {
    let verdict = judge(checker, text);
    assert_eq!(verdict.valid, Validity::Unknown, "{verdict:?}");
    assert!(verdict.summary.contains(why), "{}", verdict.summary);
    verdict
}

/// A spent budget settles nothing.
#[track_caller]
pub(crate) fn gives_up(checker: &str, text: &str) {
    let check = |bytes: usize, expired: bool| {
        let expired = || expired;
        by_name(checker).expect("a checker").check(&history(text), &Budget::new(bytes, &expired))
    };
    let late = check(usize::MAX, true);
    assert_eq!(
        (late.valid, late.summary.contains("time budget exhausted")),
        (Validity::Unknown, true),
        "{late:?}"
    );
    let large = check(0, false);
    assert_eq!(
        (large.valid, large.summary.contains("memory budget exhausted")),
        (Validity::Unknown, true),
        "{large:?}"
    );
}
