//! What each kind of transaction costs when nothing fails: the messages and records of the paper's comparison.
//!
//! (Mohan, Lindsay and Obermarck 1986, section 3 and the table of section 5, presumed abort.)

use insta::assert_snapshot;
use rashomon_systems::two_phase_commit::{Message, Timer};

use super::cast::four;

#[test]
fn a_commitment() {
    let mut stage = four(&[]);
    stage.say("Two participants change something: each forces two records, the coordinator one, and one more is not forced");
    stage.asks(
        1,
        r#"{"type":"transfer","key":"b","id":7,"from":0,"to":5,"amount":3,"session":1,"sequence":1}"#,
    );
    stage.deliver(|_, _, _| true);
    stage.say("The client has not heard the answer, and asks again; it is not done again");
    stage.asks(
        1,
        r#"{"type":"transfer","key":"b","id":7,"from":0,"to":5,"amount":3,"session":1,"sequence":1}"#,
    );
    stage.deliver(|_, _, _| true);
    stage.say("Who only reads writes nothing, and is out after the first phase");
    stage.asks(1, r#"{"type":"read_accounts","key":"b"}"#);
    stage.deliver(|_, _, _| true);
    stage.say("A participant sends clients to the coordinator");
    stage.asks(2, r#"{"type":"read_accounts","key":"b"}"#);
    assert_snapshot!(stage.story(&[]));
}

#[test]
fn an_abort() {
    let mut stage = four(&[]);
    stage.say("The account has not enough: nobody has voted, and nobody writes anything");
    stage.asks(1, r#"{"type":"transfer","key":"b","id":7,"from":0,"to":5,"amount":30}"#);
    stage.deliver(|_, _, _| true);
    stage.say("n4 starts again before it is asked for its vote, and has nothing left to vote for; n2 has voted yes by then");
    stage.asks(1, r#"{"type":"transfer","key":"b","id":8,"from":0,"to":5,"amount":3}"#);
    stage.deliver(|_, to, message| to != 4 || !matches!(message, Message::Prepare { .. }));
    stage.crash(4);
    stage.start(4);
    stage.fires(1, Timer::Resend);
    stage.deliver(|_, _, _| true);
    assert_snapshot!(stage.story(&[]));
}

#[test]
fn a_conflict() {
    let mut stage = four(&[]);
    stage.say("A transfer holds the accounts 0 and 5; nobody waits for it");
    stage.asks(1, r#"{"type":"transfer","key":"b","id":7,"from":0,"to":5,"amount":3}"#);
    stage.deliver(|from, _, _| from == 1);
    stage.asks(1, r#"{"type":"transfer","key":"b","id":8,"from":2,"to":0,"amount":3}"#);
    stage.deliver(|_, _, _| true);
    stage.say("Two readers do not disturb each other, and they disturb who would write");
    stage.asks(1, r#"{"type":"read_accounts","key":"b"}"#);
    stage.deliver(|from, _, _| from == 1);
    stage.asks(1, r#"{"type":"read_accounts","key":"b"}"#);
    stage.deliver(|from, _, _| from == 1);
    stage.asks(1, r#"{"type":"transfer","key":"b","id":9,"from":2,"to":0,"amount":3}"#);
    stage.deliver(|_, _, _| true);
    assert_snapshot!(stage.story(&[]));
}
