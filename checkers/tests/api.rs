//! The checkers as workloads meet them.

use rashomon_checkers::{Budget, all, by_name};
use rashomon_core::{History, Validity};

#[test]
fn no_checker_says_valid_of_an_empty_history() {
    for checker in all() {
        let verdict = checker.check(&History::default(), &Budget::unlimited());
        assert_eq!(verdict.valid, Validity::Unknown, "{}", checker.name());
        assert_eq!(verdict.checker, checker.name());
    }
}

#[test]
fn names_are_unique_and_resolve() {
    for checker in all() {
        assert_eq!(by_name(checker.name()).map(|found| found.about()), Some(checker.about()));
    }
    assert!(by_name("nonesuch").is_none());
}
