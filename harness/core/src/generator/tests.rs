use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::{Kind, Process, Seed};

const MS: u64 = 1_000_000;

fn ask<A>(generator: &mut impl Generator<A>, now: u64, free: &[usize]) -> Next<A> {
    let mut rng = Seed(now).rng();
    generator.next(&mut Asked { now: Time(now * MS), free, threads: 4, rng: &mut rng })
}

fn say(text: &'static str) -> impl Generator<&'static str> {
    repeat(move |_: &mut Asked<'_>| text)
}

fn op(process: u64, kind: Kind) -> Op {
    Op {
        index: 0,
        time: Time::ZERO,
        kind,
        process: Process::Client(process),
        f: "read".into(),
        value: Value::Null,
        key: None,
        error: None,
        node: None,
    }
}

const ALL: &[usize] = &[0, 1, 2, 3];

#[test]
fn a_mix_draws_by_weight_and_outlives_its_parts() {
    let mut generator = mix(vec![(3, say("a").boxed()), (1, say("b").boxed())]);
    let mut counts = BTreeMap::new();
    for now in 0..1000 {
        let Next::Do(_, text) = ask(&mut generator, now, ALL) else { panic!("a mix of the endless ended") };
        *counts.entry(text).or_insert(0) += 1;
    }
    assert!((650..850).contains(&counts["a"]), "{counts:?}");
    let mut short = mix(vec![(9, say("a").limit(1).boxed()), (1, say("b").limit(2).boxed())]);
    let drawn =
        (0..4).map(|now| ask(&mut short, now, ALL)).filter(|next| matches!(next, Next::Do(..))).count();
    assert_eq!(drawn, 3);
    assert_eq!(ask(&mut short, 9, ALL), Next::Done);
}

#[test]
fn a_stagger_keeps_its_mean_rate() {
    let mut generator = say("a").stagger(Duration::from_millis(10));
    let mut count = 0;
    for now in 0..10_000 {
        count += u64::from(matches!(ask(&mut generator, now, ALL), Next::Do(..)));
    }
    assert!((900..1100).contains(&count), "{count} in ten seconds at one in 10 ms");
}

#[test]
fn a_stagger_does_not_make_up_for_a_stall_with_a_burst() {
    let mut generator = say("a").stagger(Duration::from_millis(10));
    ask(&mut generator, 0, ALL);
    let mut rng = Seed(1).rng();
    let mut at_once = || {
        let mut asked = Asked { now: Time(5000 * MS), free: ALL, threads: 4, rng: &mut rng };
        matches!(generator.next(&mut asked), Next::Do(..))
    };
    let burst = (0..1000).take_while(|_| at_once()).count();
    assert!(burst <= 40, "{burst} at once after a stall");
}

#[test]
fn a_time_limit_counts_from_the_first_question() {
    let mut generator = say("a").time_limit(Duration::from_millis(100));
    assert!(matches!(ask(&mut generator, 500, ALL), Next::Do(..)));
    assert!(matches!(ask(&mut generator, 599, ALL), Next::Do(..)));
    assert_eq!(ask(&mut generator, 600, ALL), Next::Done);
    let mut slow = say("a").stagger(Duration::from_secs(100)).time_limit(Duration::from_millis(100));
    ask(&mut slow, 0, ALL);
    assert_eq!(ask(&mut slow, 1, ALL), Next::Wait(Some(Time(100 * MS))), "woken to learn that it is over");
}

#[test]
fn phases_wait_for_all_threads() {
    let mut generator = phases(vec![say("a").limit(1).boxed(), say("b").limit(1).boxed()]);
    assert!(matches!(ask(&mut generator, 0, ALL), Next::Do(_, "a")));
    assert_eq!(ask(&mut generator, 1, &[0, 1, 2]), Next::Wait(None), "one thread still runs the first phase");
    assert!(matches!(ask(&mut generator, 2, ALL), Next::Do(_, "b")));
    assert_eq!(ask(&mut generator, 3, ALL), Next::Done);
}

#[test]
fn reserved_threads_keep_to_their_part() {
    let mut generator = reserve(vec![(1, say("a").boxed()), (3, say("b").boxed())]);
    assert_eq!(ask(&mut generator, 0, ALL), Next::Do(0, "a"));
    for now in 0..50 {
        match ask(&mut generator, now, &[1, 2, 3]) {
            Next::Do(thread, "b") => assert!(thread >= 1),
            other => panic!("{other:?}"),
        }
    }
    let mut finite = reserve(vec![(1, say("a").limit(0).boxed()), (3, say("b").limit(0).boxed())]);
    assert_eq!(ask(&mut finite, 0, ALL), Next::Done);
    let mut half = reserve(vec![(1, say("a").limit(0).boxed()), (3, say("b").boxed())]);
    assert_eq!(ask(&mut half, 0, &[0]), Next::Wait(None));
}

#[test]
fn until_ok_ends_with_the_first_ok_of_its_own() {
    let mut generator = say("a").until_ok();
    let Next::Do(thread, _) = ask(&mut generator, 0, &[2]) else { panic!() };
    generator.update(thread, &op(2, Kind::Invoke));
    generator.update(1, &op(1, Kind::Ok));
    assert!(matches!(ask(&mut generator, 1, ALL), Next::Do(..)), "another's ok is not its own");
    generator.update(thread, &op(2, Kind::Ok));
    assert_eq!(ask(&mut generator, 2, ALL), Next::Done);
}

#[test]
fn keys_retire_after_their_ops_or_infos() {
    let mut rng = Seed(1).rng();
    let mut keys = Keys::with_limits(1, 3, 2);
    let drawn: Vec<String> = (0..7).map(|_| keys.draw(&mut rng)).collect();
    assert_eq!(drawn, ["0", "0", "0", "1", "1", "1", "2"]);
    keys.info("2");
    keys.info("0");
    assert_eq!(keys.draw(&mut rng), "2");
    keys.info("2");
    assert_eq!(keys.draw(&mut rng), "3", "two open infos retire a key");
    assert_eq!(keys.all(), ["0", "1", "2", "3"]);
}
