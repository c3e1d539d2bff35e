//! What leases promise, and how long.

use insta::assert_snapshot;
use rashomon_systems::lock::Lock;

use crate::stage::Stage;

/// Gray and Cheriton, section 2: a server that crashed honours the leases that it granted, by waiting until they have
/// run out.
fn restart(bugs: &[&str]) -> Stage<Lock> {
    let mut stage = Stage::<Lock>::new(4, bugs, &[]);
    stage.asks(3, r#"{"type":"work","key":"x","work":1}"#);
    stage.deliver(|_, _, _| true);
    stage.say("While n3 works the lock server dies and comes back, and n4 asks for the lock");
    stage.restart(1);
    stage.asks(4, r#"{"type":"work","key":"x","work":2}"#);
    stage.deliver(|_, _, _| true);
    stage
}

#[test]
fn a_server_that_starts_again_remembers_its_leases() {
    let mut stage = restart(&[]);
    stage.say("n3 is not disturbed, and gives the lock back");
    stage.finishes(3);
    stage.repeats(4);
    stage.deliver(|_, _, _| true);
    assert_snapshot!(stage.story(&[]));
}

#[test]
fn with_the_bug_it_grants_the_same_lock_again() {
    let mut stage = restart(&["restart-amnesia"]);
    stage.say("n3 has a lease still, and is turned away all the same");
    stage.finishes(3);
    assert_snapshot!(stage.story(&["one-lease"]));
}

/// n3 stood still until n4 had the lock, and gives up.
fn late_release(bugs: &[&str]) -> Stage<Lock> {
    let mut stage = Stage::<Lock>::new(5, bugs, &[]);
    stage.asks(3, r#"{"type":"work","key":"x","work":1}"#);
    stage.deliver(|_, _, _| true);
    stage.say("n3 stands still, its lease runs out, and n4 gets the lock");
    stage.lapse(1);
    stage.asks(4, r#"{"type":"work","key":"x","work":2}"#);
    stage.deliver(|_, _, _| true);
    stage.say("n3 goes on, sees that its lease is over, and says that it is done; n5 asks for the lock");
    stage.doubts(3);
    stage.deliver(|_, _, _| true);
    stage.asks(5, r#"{"type":"work","key":"x","work":3}"#);
    stage.deliver(|_, _, _| true);
    stage.finishes(4);
    stage
}

#[test]
fn whoever_has_no_lock_gives_none_back() {
    assert_snapshot!(late_release(&[]).story(&[]));
}

#[test]
fn with_the_bug_a_lock_is_freed_under_the_feet_of_its_holder() {
    assert_snapshot!(late_release(&["release-by-non-owner"]).story(&["one-lease", "released-by-owner"]));
}

#[test]
fn who_finds_the_lock_taken_asks_again() {
    let mut stage = Stage::<Lock>::new(4, &[], &[]);
    stage.asks(3, r#"{"type":"work","key":"x","work":1}"#);
    stage.deliver(|_, _, _| true);
    stage.asks(4, r#"{"type":"work","key":"x","work":2}"#);
    stage.deliver(|_, _, _| true);
    stage.finishes(3);
    stage.repeats(4);
    stage.deliver(|_, _, _| true);
    stage.say("A client that asks the wrong node is told whom to ask");
    stage.asks(1, r#"{"type":"read","key":"x"}"#);
    assert_snapshot!(stage.story(&[]));
}
