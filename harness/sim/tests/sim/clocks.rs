//! Clocks that are wrong: what nodes take for the time, and when their timers fire.

use std::time::Duration;

use rashomon_core::{Disruption, FaultId, NodeId, Skew, Time, WallClock, World};
use serde_json::json;

use crate::pad::{Desk, MILLISECOND, config};

const FAULT: FaultId = FaultId(0);
const OTHER: FaultId = FaultId(1);
const HOUR: Duration = Duration::from_hours(1);

fn clock(skew: Skew) -> Disruption {
    Disruption::Clock { nodes: vec![NodeId(1)], skew }
}

fn alarm(desk: &mut Desk, number: u64, after: u64) {
    desk.begin(1, json!({"type": "alarm", "number": number, "after": after}));
}

/// When each alarm went off, and how far its node's clock was ahead then, in nanoseconds.
fn alarms(desk: &Desk) -> Vec<(Time, i64)> {
    let right = |at: Time| (at + WallClock::EPOCH).0;
    let wall = |probe: &rashomon_core::Probe| probe.number("wall").unwrap();
    desk.probes("alarm")
        .iter()
        .map(|(at, _, probe)| (*at, wall(probe).cast_signed() - right(*at).cast_signed()))
        .collect()
}

fn at(milliseconds: u32) -> Time {
    Time::ZERO + MILLISECOND * milliseconds
}

#[test]
fn a_clock_that_jumps_fires_no_timer() {
    let mut desk = Desk::new(config(9));
    alarm(&mut desk, 1, 100);
    desk.pass(10 * MILLISECOND);
    desk.world.inject(FAULT, &clock(Skew::Ahead(HOUR))).unwrap();
    desk.pass(80 * MILLISECOND);
    assert_eq!(alarms(&desk), [], "an hour has passed for the wall clock alone");
    assert!(desk.world.verify_healed().is_err());
    desk.pass(20 * MILLISECOND);
    let [(when, ahead)] = alarms(&desk)[..] else { panic!("{:?}", desk.events) };
    assert!(at(100) < when && when < at(110), "{when:?}");
    assert_eq!(ahead, 3_600_000_000_000);
    let impact = desk.world.heal(FAULT).unwrap();
    assert!(impact.bit && impact.clocks == 1, "{impact:?}");
    desk.world.verify_healed().unwrap();
    alarm(&mut desk, 2, 1);
    desk.pass(10 * MILLISECOND);
    assert_eq!(alarms(&desk)[1].1, 0);
}

#[test]
fn a_clock_that_runs_fast_or_slow_bends_the_timers_that_are_set_and_those_to_come() {
    let mut desk = Desk::new(config(9));
    alarm(&mut desk, 1, 1_000);
    desk.pass(100 * MILLISECOND);
    desk.world.inject(FAULT, &clock(Skew::Fast(50))).unwrap();
    alarm(&mut desk, 2, 900);
    desk.pass(700 * MILLISECOND);
    // What is left passes in two thirds of the time.
    let fast = alarms(&desk);
    assert_eq!(fast.len(), 2);
    assert!(fast.iter().all(|(when, _)| at(690) < *when && *when < at(710)), "{fast:?}");
    assert!(fast.iter().all(|(_, ahead)| (290_000_000..310_000_000).contains(ahead)), "{fast:?}");
    desk.world.heal(FAULT).unwrap();
    desk.world.inject(OTHER, &clock(Skew::Slow(50))).unwrap();
    let begun = desk.world.now();
    alarm(&mut desk, 3, 100);
    desk.pass(195 * MILLISECOND);
    assert_eq!(alarms(&desk).len(), 2);
    desk.pass(20 * MILLISECOND);
    let (when, ahead) = alarms(&desk)[2];
    assert!(when > begun + 200 * MILLISECOND && ahead < -95_000_000, "{when:?} {ahead}");
    // A timer that is set when the clock is set right again has only its own time to wait.
    alarm(&mut desk, 4, 100);
    desk.pass(10 * MILLISECOND);
    desk.world.heal(OTHER).unwrap();
    desk.world.verify_healed().unwrap();
    desk.pass(98 * MILLISECOND);
    assert_eq!(alarms(&desk)[3].1, 0);
}

#[test]
fn a_clock_is_its_machines_and_stays_wrong_over_a_restart() {
    let mut desk = Desk::new(config(4));
    desk.world.inject(FAULT, &clock(Skew::Behind(HOUR))).unwrap();
    desk.world.inject(OTHER, &Disruption::Kill { nodes: vec![NodeId(1)] }).unwrap();
    desk.pass(10 * MILLISECOND);
    desk.world.heal(OTHER).unwrap();
    desk.pass(10 * MILLISECOND);
    alarm(&mut desk, 1, 1);
    desk.pass(10 * MILLISECOND);
    assert_eq!(alarms(&desk)[0].1, -3_600_000_000_000);
    assert!(desk.world.heal(FAULT).unwrap().bit);
    desk.world.verify_healed().unwrap();
}

#[test]
fn a_clock_that_nobody_looked_at_did_not_bite() {
    let mut desk = Desk::new(config(4));
    desk.world.inject(OTHER, &Disruption::Kill { nodes: vec![NodeId(1)] }).unwrap();
    desk.world.inject(FAULT, &clock(Skew::Ahead(HOUR))).unwrap();
    desk.pass(100 * MILLISECOND);
    let impact = desk.world.heal(FAULT).unwrap();
    assert_eq!((impact.bit, impact.clocks), (false, 0), "its machine was off");
}

#[test]
fn clocks_that_are_wrong_in_two_ways_are_wrong_by_the_sum() {
    let mut desk = Desk::new(config(5));
    desk.world.inject(FAULT, &clock(Skew::Ahead(2 * HOUR))).unwrap();
    desk.world.inject(OTHER, &clock(Skew::Behind(HOUR))).unwrap();
    alarm(&mut desk, 1, 1);
    desk.pass(10 * MILLISECOND);
    desk.world.heal(FAULT).unwrap();
    alarm(&mut desk, 2, 1);
    desk.pass(10 * MILLISECOND);
    let ahead: Vec<i64> = alarms(&desk).iter().map(|(_, ahead)| ahead / 1_000_000_000).collect();
    assert_eq!(ahead, [3_600, -3_600]);
    assert!(desk.world.verify_healed().is_err());
}
