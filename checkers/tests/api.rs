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

#[test]
fn every_checker_has_its_place_on_the_page() {
    let page = include_str!("../../docs/checkers.md");
    let titled: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let names: Vec<&str> = all().iter().map(|checker| checker.name()).collect();
    for name in &names {
        assert_eq!(titled.iter().filter(|title| *title == name).count(), 1, "`{name}` in docs/checkers.md");
    }
    for title in titled {
        assert!(names.contains(&title), "docs/checkers.md tells of `{title}`, which is no checker");
    }
}

#[test]
fn every_section_of_the_page_tells_the_same_things() {
    let page = include_str!("../../docs/checkers.md");
    for section in page.split("\n### ").skip(1) {
        let section = section.split("\n## ").next().unwrap_or_default();
        let name = section.lines().next().unwrap_or_default();
        for item in ["- *Ops*: ", "- *`info`*: ", "- *Anomalies*: ", "- *Source*: "] {
            assert!(section.contains(item), "{name} lacks {item}");
        }
    }
}
