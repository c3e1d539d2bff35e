//! A failover, and scenes like it, as prose that was read and approved.

use insta::assert_snapshot;
use rashomon_systems::primary_backup::Timer;

use super::cast::Stage;

/// Three servers and a view service, in the first view: n2 serves, n3 is its backup.
fn first_view(bugs: &[&str]) -> Stage {
    let mut stage = Stage::new(4, bugs, &[]);
    // The first pings are lost, so that the scene begins when somebody acts.
    stage.forget();
    stage.say("The view service has heard of all servers, and forms the first view");
    for server in [2, 3, 4] {
        stage.ping(server);
    }
    stage.fires(1, Timer::First);
    stage.deliver(|_, _, _| true);
    stage.say("n3 tells the view service, with its next ping, that it has the state");
    stage.ping(3);
    stage.deliver(|_, _, _| true);
    stage
}

#[test]
fn a_failover() {
    let mut stage = first_view(&[]);
    stage.say("A write is answered when the backup has it, and so is a read");
    stage.asks(2, r#"{"type":"write","key":"x","value":1,"session":1,"sequence":1}"#);
    stage.deliver(|_, _, _| true);
    stage.asks(2, r#"{"type":"read","key":"x"}"#);
    stage.deliver(|_, _, _| true);
    stage.say("Others send clients to the primary");
    stage.asks(1, r#"{"type":"read","key":"x"}"#);
    stage.asks(3, r#"{"type":"read","key":"x"}"#);
    stage.say("n2 is cut off from the view service, takes a write, and is given up");
    stage.asks(2, r#"{"type":"cas","key":"x","from":1,"to":2,"session":1,"sequence":2}"#);
    stage.hold(|from, to, _| (from, to) == (2, 3));
    stage.dead(2);
    stage.deliver(|from, to, _| from != 2 && to != 2);
    stage.say("n3 serves, with n4 as its backup; the client repeats its request there");
    stage.asks(3, r#"{"type":"cas","key":"x","from":1,"to":2,"session":1,"sequence":2}"#);
    stage.deliver(|from, to, _| from != 2 && to != 2);
    stage.say("What n2 sent to n3 arrives late, and n3 does not acknowledge it; a read waits in vain");
    stage.release();
    stage.asks(2, r#"{"type":"read","key":"x"}"#);
    stage.deliver(|_, to, _| to == 3);
    stage.say("n2 hears that it is no longer needed");
    stage.deliver(|_, _, _| true);
    let story = stage.story(&[]);
    assert_snapshot!(story);
}

#[test]
fn an_incomplete_backup_is_not_promoted() {
    let mut stage = first_view(&[]);
    stage.asks(2, r#"{"type":"write","key":"x","value":1,"session":1,"sequence":1}"#);
    stage.deliver(|_, _, _| true);
    stage.say("n3 dies, and n4 takes its place; what n2 sends to n4 is lost");
    stage.crash(3);
    stage.dead(3);
    stage.deliver(|from, to, _| !(from == 2 && to == 4));
    stage.lose();
    stage.say("n2 dies as well; nobody can serve");
    stage.crash(2);
    stage.dead(2);
    stage.ping(4);
    stage.deliver(|_, _, _| true);
    stage.say("n2 comes back, is still the primary, and goes on");
    stage.start(2);
    stage.deliver(|_, _, _| true);
    stage.asks(2, r#"{"type":"read","key":"x"}"#);
    stage.deliver(|_, _, _| true);
    let story = stage.story(&[]);
    assert_snapshot!(story);
}

#[test]
fn with_the_bug_an_incomplete_backup_is_promoted() {
    let mut stage = first_view(&["lagging-backup-promoted"]);
    stage.asks(2, r#"{"type":"write","key":"x","value":1,"session":1,"sequence":1}"#);
    stage.deliver(|_, _, _| true);
    stage.say("n3 dies, and n4 takes its place; what n2 sends to n4 is lost; n2 dies as well");
    stage.crash(3);
    stage.dead(3);
    stage.deliver(|from, to, _| !(from == 2 && to == 4));
    stage.lose();
    stage.crash(2);
    stage.dead(2);
    stage.deliver(|_, _, _| true);
    stage.asks(4, r#"{"type":"read","key":"x"}"#);
    assert_snapshot!(stage.story(&["committed-stays", "view-succession"]));
}

#[test]
fn when_all_lose_power_all_come_back_as_they_were() {
    let mut stage = first_view(&[]);
    stage.asks(2, r#"{"type":"write","key":"x","value":1,"session":1,"sequence":1}"#);
    stage.deliver(|_, _, _| true);
    stage.say("All crash; the view service and the primary start again");
    for node in 1..=4 {
        stage.crash(node);
    }
    stage.start(1);
    stage.start(2);
    stage.deliver(|_, _, _| true);
    stage.asks(2, r#"{"type":"read","key":"x"}"#);
    stage.deliver(|_, _, _| true);
    stage.say("Without its backup it answers nobody; with it, all who wait");
    stage.start(3);
    stage.fires(2, Timer::Resend);
    stage.deliver(|_, _, _| true);
    let story = stage.story(&[]);
    assert_snapshot!(story);
}
