//! Clocks that are wrong, in real processes: what nodes take for the time, and when their timers fire.

use std::time::Duration;

use rashomon_core::{Disruption, Event, NodeId, Skew, Time, WallClock, World};
use serde_json::json;

use crate::notebook::ALARM;
use crate::support::{Trial, nodes};
use crate::trials;

pub(crate) const TRIALS: &[trials::Trial] = &[
    ("a_clock_that_jumps_fires_no_timer", a_clock_that_jumps_fires_no_timer),
    ("a_slow_clock_bends_timers", a_slow_clock_bends_timers),
    ("a_clock_is_its_machines_over_a_restart", a_clock_is_its_machines_over_a_restart),
    ("a_process_that_starts_is_waited_for", a_process_that_starts_is_waited_for),
    ("a_stopped_process_acknowledges_when_it_goes_on", a_stopped_process_acknowledges_when_it_goes_on),
    ("a_clock_that_nobody_knew_of_did_not_bite", a_clock_that_nobody_knew_of_did_not_bite),
    ("two_errors_add_up", two_errors_add_up),
];

const HOUR: Duration = Duration::from_hours(1);

fn clock(skew: Skew) -> Disruption {
    Disruption::Clock { nodes: nodes(&[1]), skew }
}

/// The least and the most that n1's wall clock can be ahead, in seconds: it was read between two readings of the
/// right one.
fn ahead(trial: &mut Trial) -> (f64, f64) {
    let before = trial.world.now();
    let body = trial.eventually(1, &json!({"type": "time"}));
    let after = trial.world.now();
    let wall = Time(body["now"].as_u64().unwrap());
    let off = |right: Time| wall.as_secs_f64() - (right + WallClock::EPOCH).as_secs_f64();
    (off(after), off(before))
}

/// Whether n1's wall clock may be that many seconds ahead, and no other number of them.
fn is_ahead(trial: &mut Trial, seconds: f64) -> bool {
    let (least, most) = ahead(trial);
    least - 1e-6 <= seconds && seconds <= most + 1e-6
}

/// When n1's alarm went off.
fn alarm(trial: &mut Trial) -> Time {
    trial.wait(ALARM, |event| match event {
        Event::Probe { at, node: NodeId(1), probe } if probe.probe == ALARM => Some(*at),
        _ => None,
    })
}

fn a_clock_that_jumps_fires_no_timer() {
    let mut trial = Trial::start(2);
    assert!(is_ahead(&mut trial, 0.0));
    let begun = trial.world.now();
    trial.ok(1, &json!({"type": "alarm", "after": 300}));
    let jump = trial.inject(&clock(Skew::Ahead(HOUR)));
    assert!(is_ahead(&mut trial, 3_600.0));
    assert!(alarm(&mut trial) >= begun + Duration::from_millis(300));
    assert!(trial.world.verify_healed().is_err());
    let impact = trial.heal(jump);
    assert_eq!((impact.bit, impact.clocks), (true, 1));
    assert!(is_ahead(&mut trial, 0.0));
    trial.world.verify_healed().unwrap();
    assert_eq!(trial.heal(jump), impact);
}

fn a_slow_clock_bends_timers() {
    let mut trial = Trial::start(1);
    let begun = trial.world.now();
    trial.ok(1, &json!({"type": "alarm", "after": 100}));
    let slowing = trial.world.now();
    let slow = trial.inject(&clock(Skew::Slow(90)));
    let slowed = trial.world.now();
    let rang = alarm(&mut trial);
    // What was left when the clock was slowed takes ten times as long.
    let left = Duration::from_millis(100).saturating_sub(slowed.since(begun));
    assert!(
        rang.since(slowed) + Duration::from_millis(1) >= left * 10,
        "{rang:?}: {left:?} left at {slowed:?}"
    );
    let since = trial.world.now();
    trial.ok(1, &json!({"type": "alarm", "after": 30}));
    assert!(alarm(&mut trial) >= since + Duration::from_millis(300));
    let (least, most) = ahead(&mut trial);
    // It loses nine tenths of the time since then, and the order to be slow took its own time to come.
    let lost = trial.world.now().since(slowing).as_secs_f64() * 0.9;
    let sure = rang.since(slowed).as_secs_f64() * 0.9;
    assert!(-least >= sure && -most <= lost, "{least} to {most} s ahead, but {sure} to {lost} s are lost");
    assert!(trial.heal(slow).bit);
    assert!(is_ahead(&mut trial, 0.0));
    trial.world.verify_healed().unwrap();
}

fn a_clock_is_its_machines_over_a_restart() {
    let mut trial = Trial::start(2);
    let off = trial.inject(&Disruption::Kill { nodes: nodes(&[1]) });
    let behind = trial.inject(&clock(Skew::Behind(HOUR)));
    trial.heal(off);
    assert!(is_ahead(&mut trial, -3_600.0));
    let restart = trial.inject(&Disruption::Restart { nodes: nodes(&[1]) });
    trial.heal(restart);
    assert!(is_ahead(&mut trial, -3_600.0));
    assert!(trial.heal(behind).bit, "the new process found it in its configuration");
    assert!(is_ahead(&mut trial, 0.0));
    trial.world.verify_healed().unwrap();
}

fn a_process_that_starts_is_waited_for() {
    let mut trial = Trial::start(2);
    let off = trial.inject(&Disruption::Kill { nodes: nodes(&[1]) });
    let behind = trial.inject(&clock(Skew::Behind(HOUR)));
    trial.heal(off);
    let begun = trial.world.now();
    let impact = trial.heal(behind);
    // It reads of its clock as it starts, and a process that takes longer than that to start is given up.
    let late = trial.world.now().since(begun) >= Duration::from_secs(1);
    assert!(impact.bit || late, "it had begun with that clock");
    trial.world.verify_healed().unwrap();
}

fn a_stopped_process_acknowledges_when_it_goes_on() {
    let mut trial = Trial::start(2);
    let still = trial.inject(&Disruption::Pause { nodes: nodes(&[1]) });
    let unseen = trial.inject(&clock(Skew::Ahead(HOUR)));
    assert!(!trial.heal(unseen).bit, "nobody acknowledged it");
    let seen = trial.inject(&clock(Skew::Behind(HOUR)));
    trial.heal(still);
    assert!(is_ahead(&mut trial, -3_600.0));
    assert!(trial.heal(seen).bit);
    trial.world.verify_healed().unwrap();
}

fn a_clock_that_nobody_knew_of_did_not_bite() {
    let mut trial = Trial::start(2);
    let off = trial.inject(&Disruption::Kill { nodes: nodes(&[1]) });
    let jump = trial.inject(&clock(Skew::Ahead(HOUR)));
    let impact = trial.heal(jump);
    assert_eq!((impact.bit, impact.clocks), (false, 0), "its machine was off");
    trial.heal(off);
    assert!(is_ahead(&mut trial, 0.0));
    trial.world.verify_healed().unwrap();
}

fn two_errors_add_up() {
    let mut trial = Trial::start(1);
    let first = trial.inject(&clock(Skew::Ahead(2 * HOUR)));
    let second = trial.inject(&clock(Skew::Behind(HOUR)));
    assert!(is_ahead(&mut trial, 3_600.0));
    trial.heal(first);
    assert!(is_ahead(&mut trial, -3_600.0));
    assert!(trial.world.verify_healed().is_err());
    trial.heal(second);
    trial.world.verify_healed().unwrap();
}
