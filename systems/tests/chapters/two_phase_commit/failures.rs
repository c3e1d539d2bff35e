//! Who knows what when somebody crashes: the cases of Bernstein, Hadzilacos and Goodman, section 7.4.

use insta::assert_snapshot;
use rashomon_systems::two_phase_commit::{Decision, Message};

use super::cast::{Stage, four};

const TRANSFER: &str =
    r#"{"type":"transfer","key":"b","id":7,"from":0,"to":5,"amount":3,"session":1,"sequence":1}"#;

fn is_commit(message: &Message) -> bool {
    matches!(message, Message::Decide { decision: Decision::Commit, .. })
}

fn is_vote(message: &Message) -> bool {
    matches!(message, Message::Vote { .. })
}

/// n2 and n4 have voted yes.
fn in_doubt(bugs: &[&str]) -> Stage {
    let mut stage = four(bugs);
    stage.say("n2 and n4 vote yes");
    stage.asks(1, TRANSFER);
    stage.deliver(|_, _, message| !is_vote(message));
    stage
}

/// n1 has decided to commit, told n2, and crashed.
fn half_told(bugs: &[&str]) -> Stage {
    let mut stage = in_doubt(bugs);
    stage.say("n1 decides to commit, and crashes when it has told n2");
    stage.deliver(|_, to, message| is_vote(message) || is_commit(message) && to == 2);
    stage.crash(1);
    stage.lose();
    stage
}

fn well(stage: Stage) -> String {
    stage.story(&[])
}

#[test]
fn blocked_until_the_coordinator_is_back() {
    let mut stage = in_doubt(&[]);
    stage.say("n1 crashes before it decides; n2 and n4 ask each other, and neither knows");
    stage.crash(1);
    stage.waits(2, 3);
    stage.waits(4, 3);
    stage.deliver(|_, _, _| true);
    stage.say("n1 is back, knows nothing of it, and presumes that it aborted");
    stage.start(1);
    stage.waits(2, 1);
    stage.waits(4, 1);
    stage.deliver(|_, _, _| true);
    stage.say("The client asks again; what was aborted may be begun anew");
    stage.asks(1, TRANSFER);
    stage.deliver(|_, _, _| true);
    assert_snapshot!(well(stage));
}

#[test]
fn one_that_knows_tells_the_other() {
    let mut stage = half_told(&[]);
    stage.say("n4 asks, and n2 knows");
    stage.waits(4, 2);
    stage.deliver(|_, _, _| true);
    stage.say("n1 is back, and tells everybody what its log holds, until it has heard from all");
    stage.start(1);
    stage.deliver(|_, _, _| true);
    stage.say("The client asks again, and is told from the log");
    stage.asks(1, TRANSFER);
    assert_snapshot!(well(stage));
}

#[test]
fn a_participant_that_crashes_in_doubt_is_in_doubt() {
    let mut stage = half_told(&[]);
    stage.say("n4 crashes too; when it is back it is in doubt, with its locks, and asks at once");
    stage.crash(4);
    stage.start(4);
    stage.deliver(|_, _, _| true);
    stage.say("n1 is back, and they read");
    stage.start(1);
    stage.deliver(|_, _, _| true);
    stage.asks(1, r#"{"type":"read_accounts","key":"b"}"#);
    stage.deliver(|_, _, _| true);
    assert_snapshot!(well(stage));
}

#[test]
fn one_that_has_not_voted_aborts_when_it_is_asked() {
    let mut stage = four(&[]);
    stage.say("n2 votes yes; n4 is never asked for its vote, and n1 crashes");
    stage.asks(1, TRANSFER);
    stage.deliver(|_, to, message| to != 4 || !matches!(message, Message::Prepare { .. }));
    stage.crash(1);
    stage.lose();
    stage.say("n2 asks, and n4 may abort");
    stage.waits(2, 2);
    stage.deliver(|_, _, _| true);
    assert_snapshot!(well(stage));
}

#[test]
fn locks_that_were_lost_in_between_are_not_enough() {
    let mut stage = four(&[]);
    stage.say("n2 does its part of a read, and a copy of the task is late");
    stage.asks(1, r#"{"type":"read_accounts","key":"b"}"#);
    stage.copy(|_, to, _| to == 2);
    stage.deliver(|from, to, _| from == 2 || to == 2);
    stage.say("n2 starts again; its locks are gone, and a transfer goes through");
    stage.crash(2);
    stage.start(2);
    stage.asks(1, r#"{"type":"transfer","key":"b","id":8,"from":0,"to":1,"amount":3}"#);
    stage.deliver(|from, to, _| from == 2 || to == 2);
    stage.say(
        "The copy arrives, and n2 locks again; asked for its vote, it knows that it was in another life",
    );
    stage.release();
    stage.deliver(|_, _, _| true);
    assert_snapshot!(well(stage));
}

#[test]
fn with_the_bug_a_recovering_coordinator_guesses_abort() {
    let mut stage = half_told(&["recovery-guesses-abort"]);
    stage.say("n1 is back, and guesses");
    stage.start(1);
    stage.deliver(|_, _, _| true);
    assert_snapshot!(stage.story(&["ac1-agreement"]));
}

#[test]
fn with_the_bug_a_blocked_participant_aborts_on_its_own() {
    let mut stage = half_told(&["unilateral-abort"]);
    stage.say("n4 asks in vain, and decides");
    stage.waits(4, 3);
    stage.lose();
    assert_snapshot!(stage.story(&["ac1-agreement"]));
}
