//! Every parser of text from outside, given anything: the bodies of the fuzz targets on the stable compiler.
//!
//! `RASHOMON_CASES` sets how many texts each parser is given, of each kind.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

#[path = "../../../fuzz/bodies.rs"]
mod bodies;

fn cases() -> u32 {
    std::env::var("RASHOMON_CASES").map_or(400, |text| text.parse().expect("RASHOMON_CASES is a number"))
}

fn runner() -> TestRunner {
    TestRunner::new(Config { cases: cases(), failure_persistence: None, ..Config::default() })
}

/// A change of a text: at a place, so many bytes are replaced by others, of the text itself or not.
type Change = (prop::sample::Index, usize, Vec<u8>, Option<prop::sample::Index>);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let bytes = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..4),
        "[\\[\\]{}()\"\\\\:;#^,0-9a-z \n-]{0,6}".prop_map(String::into_bytes),
    ];
    let change =
        (any::<prop::sample::Index>(), 0usize..8, bytes, proptest::option::of(any::<prop::sample::Index>()));
    proptest::collection::vec(change, 1..5)
}

fn changed(text: &str, changes: &[Change]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (place, length, with, copied) in changes {
        let from = place.index(bytes.len() + 1);
        let to = (from + length).min(bytes.len());
        let with = match copied {
            Some(other) => {
                let start = other.index(bytes.len() + 1);
                bytes[start..(start + 40).min(bytes.len())].to_vec()
            }
            None => with.clone(),
        };
        bytes.splice(from..to, with);
    }
    bytes
}

#[test]
fn no_bytes_make_a_parser_panic() {
    for (name, parse, _) in bodies::ALL {
        let bytes = proptest::collection::vec(any::<u8>(), 0..80);
        let run = runner().run(&bytes, |bytes| {
            parse(&bytes);
            Ok(())
        });
        run.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn no_change_of_a_good_text_makes_a_parser_panic() {
    for (name, parse, seeds) in bodies::ALL {
        for seed in seeds {
            parse(seed.as_bytes());
            let run = runner().run(&changes(), |changes| {
                let bytes = changed(seed, &changes);
                let shown = String::from_utf8_lossy(&bytes).into_owned();
                let quiet = std::panic::catch_unwind(|| parse(&bytes));
                prop_assert!(quiet.is_ok(), "{shown:?}");
                Ok(())
            });
            run.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
