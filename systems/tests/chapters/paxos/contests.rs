//! Ballots that compete, and what each node must make of them.

use insta::assert_snapshot;
use rashomon_systems::paxos::{Message, Timer};

use super::cast::Stage;

const WRITE_1: &str = r#"{"type":"write","key":"x","value":1,"session":1,"sequence":1}"#;
const WRITE_2: &str = r#"{"type":"write","key":"x","value":2,"session":2,"sequence":1}"#;
const READ: &str = r#"{"type":"read","key":"x"}"#;

/// Two proposers, one slot: what n1 got accepted by n2 alone must survive, although n3 wanted something else there.
fn contest(bugs: &[&str]) -> Stage {
    let mut stage = Stage::new(5, bugs, &[]);
    stage.say("n1 leads; what it proposes reaches n2 and nobody else");
    stage.fires(1, Timer::Election);
    stage.among(&[1, 2, 3, 4, 5]);
    stage.asks(1, WRITE_1);
    stage.among(&[1, 2]);
    stage.say(
        "n3 leads with the promises of n4 and n5; what it proposes for the slot reaches n4 and nobody else",
    );
    stage.fires(3, Timer::Election);
    stage.among(&[3, 4, 5]);
    stage.asks(3, WRITE_2);
    stage.among(&[3, 4]);
    stage
}

#[test]
fn a_contested_ballot() {
    let mut stage = contest(&[]);
    stage.say("n1 has noticed nothing; its next heartbeat tells it");
    stage.fires(1, Timer::Heartbeat);
    stage.among(&[1, 3]);
    stage.say("n2 leads with the promises of n1 and n4: of two values for the slot, that of the higher ballot counts");
    // Its first ballot is lower than what n4 has promised; the second is not.
    stage.fires(2, Timer::Election);
    stage.among(&[1, 2, 4]);
    stage.fires(2, Timer::Election);
    stage.among(&[1, 2, 4]);
    stage.asks(2, READ);
    stage.among(&[1, 2, 4]);
    stage.say("n3 and n5 come back and learn what was chosen");
    stage.fires(2, Timer::Heartbeat);
    stage.deliver(|_, _, _| true);
    let story = stage.story(&[]);
    assert_snapshot!(story);
}

#[test]
fn with_the_bug_a_chosen_value_is_replaced() {
    let mut stage = contest(&["highest-not-adopted"]);
    stage.say("n5 gets n3's proposal after all, and it is chosen");
    stage.fires(3, Timer::Heartbeat);
    stage.fires(3, Timer::Heartbeat);
    stage.among(&[3, 4, 5]);
    stage.say("n2 takes the first value that it knows of, which is its own");
    // Its first ballot is lower than what n4 has promised; the second is not.
    stage.fires(2, Timer::Election);
    stage.among(&[1, 2, 4]);
    stage.fires(2, Timer::Election);
    stage.among(&[1, 2, 4]);
    assert_snapshot!(stage.story(&["agreement", "chosen-is-kept", "states-agree"]));
}

#[test]
fn a_leader_that_lags_behind_what_is_discarded() {
    let mut stage = Stage::new(3, &[], &[("snapshot-every", 2)]);
    stage.say("n3 is down while n1 and n2 go on without it and discard what is old");
    stage.fires(1, Timer::Election);
    stage.among(&[1, 2]);
    stage.crash(3);
    for value in 1..=5 {
        let body = format!(r#"{{"type":"write","key":"x","value":{value},"session":1,"sequence":{value}}}"#);
        stage.asks(1, &body);
        stage.deliver(|_, to, _| to != 3);
    }
    stage.say(
        "n3 comes back, is the first to begin a ballot, and leads; it proposes nothing for what is discarded",
    );
    stage.start(3);
    stage.fires(3, Timer::Election);
    stage.deliver(|from, to, message| from != 1 && to != 1 && !matches!(message, Message::Learn { .. }));
    stage.say("It cannot answer before it has fetched the state");
    stage.asks(3, READ);
    stage.deliver(|from, to, message| from != 1 && to != 1 && !matches!(message, Message::Learn { .. }));
    stage.say("It fetches it; the state is that of a later place than the read's, which is left open");
    stage.among(&[2, 3]);
    stage.say("From now on it answers");
    stage.asks(3, READ);
    stage.among(&[2, 3]);
    let story = stage.story(&[]);
    assert!(story.contains(r#"n3 answers: {"type":"read_ok","value":5}"#), "{story}");
    assert_snapshot!(story);
}

#[test]
fn promises_come_in_parts_that_fit_into_messages() {
    let mut stage = Stage::new(3, &[], &[("snapshot-every", 0), ("window", 200)]);
    stage.fires(1, Timer::Election);
    stage.among(&[1, 2, 3]);
    // Accepted by n2, and nobody learns of it.
    for value in 1..=150 {
        stage.asks(1, &format!(r#"{{"type":"write","key":"x","value":{value}}}"#));
        stage.deliver(|from, to, message| (from, to) == (1, 2) && matches!(message, Message::Accept { .. }));
        stage.among(&[]);
    }
    stage.crash(1);
    stage.fires(3, Timer::Election);
    stage.among(&[2, 3]);
    stage.fires(3, Timer::Election);
    stage.among(&[2, 3]);
    stage.asks(3, READ);
    stage.among(&[2, 3]);
    let story = stage.story(&[]);
    assert!(story.matches("; and more").count() >= 2, "{story}");
    assert!(story.contains(r#"n3 answers: {"type":"read_ok","value":150}"#), "{story}");
}
