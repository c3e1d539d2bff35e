//! What tokens are for.

use insta::assert_snapshot;
use rashomon_systems::lock::Lock;

use crate::stage::Stage;

/// n3 has the lock and has read the value; then it stands still, its lease runs out, and n4 has the lock.
fn paused_holder(bugs: &[&str]) -> Stage<Lock> {
    let mut stage = Stage::<Lock>::new(4, bugs, &[]);
    stage.say("n3 gets the lock and reads the value");
    stage.asks(3, r#"{"type":"work","key":"x","work":1}"#);
    stage.deliver(|_, _, _| true);
    stage.say("n3 stands still, and its lease runs out; n4 gets the lock and reads the value");
    stage.lapse(1);
    stage.asks(4, r#"{"type":"work","key":"x","work":2}"#);
    stage.deliver(|_, _, _| true);
    stage
}

/// Kleppmann's figure of a client that pauses, told with tokens.
#[test]
fn a_client_that_stood_still_is_turned_away() {
    let mut stage = paused_holder(&[]);
    stage.finishes(4);
    stage.say("n3 goes on where it was: it does not know that time has passed");
    stage.finishes(3);
    stage.asks(2, r#"{"type":"read","key":"x"}"#);
    assert_snapshot!(stage.story(&[]));
}

/// The same figure without.
#[test]
fn with_the_bug_it_writes_over_the_work_of_another() {
    let mut stage = paused_holder(&["lease-without-fencing"]);
    stage.finishes(4);
    stage.say("n3 goes on where it was: it does not know that time has passed");
    stage.finishes(3);
    stage.asks(2, r#"{"type":"read","key":"x"}"#);
    assert_snapshot!(stage.story(&["fence-holds", "sections-apart"]));
}

#[test]
fn what_a_section_has_read_cannot_change_under_its_hands() {
    let mut stage = paused_holder(&[]);
    stage.say("n3 goes on before n4 has written anything");
    stage.finishes(3);
    stage.finishes(4);
    stage.asks(2, r#"{"type":"read","key":"x"}"#);
    assert_snapshot!(stage.story(&[]));
}

#[test]
fn with_the_bug_two_sections_build_on_the_same_value() {
    let mut stage = paused_holder(&["fence-on-writes-only"]);
    stage.say("n3 goes on before n4 has written anything");
    stage.finishes(3);
    stage.finishes(4);
    stage.asks(2, r#"{"type":"read","key":"x"}"#);
    assert_snapshot!(stage.story(&["fence-holds", "sections-apart"]));
}

#[test]
fn tokens_go_on_rising_after_a_restart() {
    let mut stage = Stage::<Lock>::new(4, &[], &[]);
    stage.asks(3, r#"{"type":"work","key":"x","work":1}"#);
    stage.deliver(|_, _, _| true);
    stage.finishes(3);
    stage.restart(1);
    stage.asks(4, r#"{"type":"work","key":"x","work":2}"#);
    stage.deliver(|_, _, _| true);
    stage.finishes(4);
    assert_snapshot!(stage.story(&[]));
}

#[test]
fn with_the_bug_a_token_comes_back() {
    let mut stage = Stage::<Lock>::new(4, &["token-reused"], &[]);
    stage.asks(3, r#"{"type":"work","key":"x","work":1}"#);
    stage.deliver(|_, _, _| true);
    stage.finishes(3);
    stage.restart(1);
    stage.asks(4, r#"{"type":"work","key":"x","work":2}"#);
    stage.deliver(|_, _, _| true);
    stage.finishes(4);
    assert_snapshot!(stage.story(&["one-owner-per-token", "tokens-rise"]));
}
