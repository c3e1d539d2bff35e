//! What a majority of lock servers does not prevent.

use insta::assert_snapshot;
use rashomon_systems::lock::Redlock;

use crate::stage::Stage;

/// Five lock servers n1 to n5, the resource n6, and two holders, of which n7 has the lock and has read the value.
fn taken() -> Stage<Redlock> {
    let mut stage = Stage::<Redlock>::new(8, &[], &[]);
    stage.say("n7 gets the lock of all servers, and reads the value");
    stage.asks(7, r#"{"type":"work","key":"x","work":1}"#);
    stage.deliver(|_, _, _| true);
    stage
}

#[test]
fn a_holder_that_stood_still_writes_over_the_work_of_another() {
    let mut stage = taken();
    stage.say("n7 stands still, and the keys expire; n8 gets the lock and does its work");
    for server in 1..=5 {
        stage.lapse(server);
    }
    stage.asks(8, r#"{"type":"work","key":"x","work":2}"#);
    stage.deliver(|_, _, _| true);
    stage.finishes(8);
    stage.say("n7 goes on, and nothing tells the resource that it is too late");
    stage.finishes(7);
    assert_snapshot!(stage.story(&["sections-apart"]));
}

#[test]
fn a_server_that_forgets_makes_a_second_majority() {
    let mut stage = Stage::<Redlock>::new(8, &[], &[]);
    stage.say("n7 gets the lock of three servers, a majority, and reads the value");
    stage.asks(7, r#"{"type":"work","key":"x","work":1}"#);
    stage.deliver(|from, to, _| (from <= 3 || from >= 6) && (to <= 3 || to >= 6));
    stage.say("n3 dies, forgets, and votes for n8");
    stage.restart(3);
    stage.asks(8, r#"{"type":"work","key":"x","work":2}"#);
    stage.deliver(|from, to, _| from != 7 && to != 7);
    stage.finishes(8);
    stage.finishes(7);
    assert_snapshot!(stage.story(&["sections-apart"]));
}
