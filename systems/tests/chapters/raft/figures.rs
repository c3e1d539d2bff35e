//! The figures of the paper, and scenes like them, as prose that was read and approved.

use std::cell::Cell;

use insta::assert_snapshot;
use rashomon_systems::raft::{Message, Timer};

use super::cast::{Stage, history};

fn fresh(nodes: usize, options: &[(&str, u64)]) -> Stage {
    Stage::from_disks(vec![Vec::new(); nodes], &[], options)
}

#[test]
fn an_election() {
    let mut stage = fresh(3, &[]);
    stage.say("The first time-out leads to the first leader");
    stage.fires(1, Timer::Election);
    stage.among(&[1, 2, 3]);
    stage.say("A write is answered when a majority has it");
    stage.asks(1, r#"{"type":"write","key":"x","value":7}"#);
    stage.among(&[1, 2]);
    stage.say("A read is answered when a majority has confirmed the leader");
    stage.asks(1, r#"{"type":"read","key":"x"}"#);
    stage.among(&[1, 2]);
    stage.say("A follower sends clients to the leader");
    stage.asks(2, r#"{"type":"read","key":"x"}"#);
    stage.say("A node that hears nobody asks before it disturbs");
    stage.fires(3, Timer::Election);
    stage.among(&[1, 2, 3]);
    assert_snapshot!(stage.story(&[]));
}

#[test]
fn a_partition() {
    let mut stage = fresh(5, &[]);
    stage.say("n1 leads");
    stage.elects(1, &[2, 3, 4, 5]);
    stage.deliver(|_, _, _| true);
    stage.say(
        "n1 and n2 are cut off; what n1 takes, it cannot commit, and what it is asked, it cannot answer",
    );
    stage.asks(1, r#"{"type":"write","key":"x","value":1}"#);
    stage.asks(1, r#"{"type":"read","key":"x"}"#);
    stage.among(&[1, 2]);
    stage.say("The others elect n3, which serves");
    for node in [4, 5] {
        stage.fires(node, Timer::Silence);
    }
    stage.elects(3, &[4, 5]);
    stage.among(&[3, 4, 5]);
    stage.asks(3, r#"{"type":"write","key":"x","value":2}"#);
    stage.among(&[3, 4, 5]);
    stage.say("n1 notices that it has no quorum");
    stage.fires(1, Timer::Quorum);
    stage.fires(1, Timer::Quorum);
    stage.say("The partition heals, and the logs of n1 and n2 are repaired");
    stage.fires(3, Timer::Heartbeat);
    stage.deliver(|_, _, _| true);
    stage.logs();
    assert_snapshot!(stage.story(&[]));
}

#[test]
fn a_snapshot_is_installed() {
    let mut stage = fresh(3, &[("snapshot-every", 2)]);
    stage.say("n3 is down while n1 and n2 go on without it");
    stage.elects(1, &[2]);
    stage.among(&[1, 2]);
    stage.crash(3);
    for value in 1..=6 {
        let body = format!(r#"{{"type":"write","key":"x","value":{value},"session":1,"sequence":{value}}}"#);
        stage.asks(1, &body);
        stage.among(&[1, 2]);
    }
    stage.logs();
    stage.say("n3 comes back; the entries that it needs are gone; the first chunk gets lost");
    stage.start(3);
    stage.fires(1, Timer::Heartbeat);
    stage.deliver(|from, to, message| {
        let is_chunk = matches!(message, Message::Install { .. });
        (from == 3 || to == 3) && !is_chunk
    });
    stage.lose();
    stage.say("The next heartbeat sends it again");
    stage.fires(1, Timer::Heartbeat);
    stage.deliver(|_, _, _| true);
    stage.logs();
    assert_snapshot!(stage.story(&[]));
}

/// The paper's Figure 7: a leader of term 8 comes to power, and its followers may be in any of these states.
#[test]
fn figure_7() {
    let followers: [(&str, &[u64]); 6] = [
        ("(a) misses one entry", &[1, 1, 1, 4, 4, 5, 5, 6, 6]),
        ("(b) misses many", &[1, 1, 1, 4]),
        ("(c) has one too many", &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]),
        ("(d) led term 7, and committed nothing in it", &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]),
        ("(e) misses many and has others", &[1, 1, 1, 4, 4, 4, 4]),
        ("(f) led terms 2 and 3, and committed nothing in them", &[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]),
    ];
    let mut disks = vec![history(7, &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6])];
    disks.extend(followers.iter().map(|(_, terms)| history(7, terms)));
    let mut stage = Stage::from_disks(disks, &[], &[]);
    stage.say("The logs before; n1 is to lead, n2 to n7 are the followers (a) to (f)");
    stage.logs();
    stage.say("n1 is elected by those whose logs are not ahead of its own");
    stage.elects(1, &[2, 3, 4, 5, 6, 7]);
    for (number, (name, _)) in (2..).zip(followers) {
        stage.say(name);
        stage.deliver(|from, to, _| (from, to) == (1, number) || (from, to) == (number, 1));
    }
    stage.say("The logs after");
    stage.logs();
    assert_snapshot!(stage.story(&[]));
}

/// The paper's Figure 8 up to (c): n1 has led terms 2 and 4, n5 term 3, and the entries of term 2 are on a majority.
///
/// Every leader here begins its term with an entry, so "the entry of term 2" is two: that one, and a client's write.
fn figure_8(bugs: &[&str]) -> Stage {
    let mut stage = Stage::from_disks(vec![history(1, &[1]); 5], bugs, &[("batch", 2)]);
    stage.say("(a) n1 leads term 2; its entries reach n2 alone");
    stage.elects(1, &[2, 3, 4, 5]);
    stage.forget();
    stage.asks(1, r#"{"type":"write","key":"x","value":2,"session":1,"sequence":1}"#);
    stage.fires(1, Timer::Heartbeat);
    stage.deliver(|from, to, _| (from, to) == (1, 2));
    stage.forget();
    stage.logs();
    stage.say("(b) n1 crashes; n5 leads term 3 by the votes of n3 and n4; its entry reaches nobody");
    stage.crash(1);
    stage.elects(5, &[3, 4]);
    stage.forget();
    stage.logs();
    stage.say("(c) n5 crashes; n1 learns of term 3, and leads term 4");
    stage.crash(5);
    stage.start(1);
    stage.elects(1, &[2, 3, 4]);
    stage.elects(1, &[2, 3, 4]);
    stage.say(
        "The entry that term 4 begins with is lost on its way to n2; n3 and n4 have no place for it yet",
    );
    let first = Cell::new([true; 5]);
    stage.deliver(|from, to, message| {
        let mut pending = first.get();
        let first_to = from == 1 && (to == 3 || to == 4) && std::mem::take(&mut pending[usize::from(to)]);
        first.set(pending);
        let answers = to == 1 && (from == 3 || from == 4);
        first_to || answers || ((from, to) == (1, 3) && !ends_with_term(message, 4))
    });
    stage.forget();
    stage.say(
        "A read makes n1 ask again; n2 agrees to what it has, so the entries of term 2 are on a majority",
    );
    stage.asks(1, r#"{"type":"read","key":"x"}"#);
    stage.deliver(|from, to, message| [(1, 2), (2, 1)].contains(&(from, to)) && !ends_with_term(message, 4));
    stage.forget();
    stage.logs();
    stage
}

fn ends_with_term(message: &Message, term: u64) -> bool {
    match message {
        Message::Append { entries, .. } => entries.last().is_some_and(|entry| entry.term.0 == term),
        _ => false,
    }
}

/// Figure 8 (d): n1 crashes, and n5 leads term 5 and overwrites the entries of term 2.
fn figure_8_d(stage: &mut Stage) {
    stage.say("(d) n1 crashes; n5 learns of term 4, leads term 5, and overwrites the entries of term 2");
    stage.crash(1);
    stage.start(5);
    for node in [2, 3, 4] {
        stage.fires(node, Timer::Silence);
    }
    stage.elects(5, &[2, 3, 4]);
    stage.elects(5, &[2, 3, 4]);
    stage.among(&[2, 3, 4, 5]);
    stage.logs();
}

#[test]
fn figure_8_d_what_is_counted_is_not_committed() {
    let mut stage = figure_8(&[]);
    figure_8_d(&mut stage);
    let story = stage.story(&[]);
    assert_snapshot!(story);
}

#[test]
fn figure_8_d_with_the_bug_a_committed_entry_is_lost() {
    let mut stage = figure_8(&["commit-earlier-term"]);
    figure_8_d(&mut stage);
    assert_snapshot!(stage.story(&["leader-completeness", "state-machine-safety"]));
}

#[test]
fn figure_8_e_an_entry_of_the_own_term_commits_those_before_it() {
    let mut stage = figure_8(&[]);
    stage.say("(e) n1 lives on; the entry of term 4 reaches n2 and n3, and all before it is committed");
    stage.fires(1, Timer::Heartbeat);
    stage.among(&[1, 2, 3]);
    stage.say("n5 comes back and cannot win");
    stage.crash(1);
    stage.start(5);
    for node in [2, 3, 4] {
        stage.fires(node, Timer::Silence);
    }
    stage.elects(5, &[2, 3, 4]);
    stage.fires(5, Timer::Election);
    stage.among(&[2, 3, 4, 5]);
    stage.logs();
    let story = stage.story(&[]);
    assert_snapshot!(story);
}

/// A cluster of n1 to n4, of whose log everything up to the configuration is committed; n5 waits outside.
fn four_of_five(bugs: &[&str]) -> Stage {
    let mut stage = Stage::from_disks(vec![Vec::new(); 5], bugs, &[]);
    stage.say("n1 leads all five, and is asked to let n5 go; n5 is sent nothing any more");
    stage.elects(1, &[2, 3, 4, 5]);
    stage.deliver(|_, _, _| true);
    stage.asks(1, r#"{"type":"membership","remove":"n5"}"#);
    stage.deliver(|_, _, _| true);
    stage.fires(1, Timer::Heartbeat);
    stage.deliver(|_, _, _| true);
    stage
}

#[test]
fn a_server_is_removed_and_disturbs_nobody() {
    let mut stage = four_of_five(&[]);
    stage.say("n5 hears nobody, and asks for votes that nobody would give");
    stage.fires(5, Timer::Silence);
    stage.fires(5, Timer::Election);
    stage.among(&[1, 2, 3, 4, 5]);
    stage.say("Whoever asks it is not told what it last knew");
    stage.asks(5, r#"{"type":"read","key":"x"}"#);
    stage.say("It comes back: first it catches up, then it counts");
    stage.asks(1, r#"{"type":"write","key":"x","value":7}"#);
    stage.among(&[1, 2, 3]);
    stage.asks(1, r#"{"type":"membership","add":"n5"}"#);
    stage.among(&[1, 2, 5]);
    assert_snapshot!(stage.story(&[]));
}

#[test]
fn a_leader_removes_itself_and_goes_when_that_is_committed() {
    let mut stage = fresh(3, &[]);
    stage.elects(1, &[2, 3]);
    stage.deliver(|_, _, _| true);
    stage.say("n1 is asked to let itself go; it does not count itself, so both others must agree");
    stage.asks(1, r#"{"type":"membership","remove":"n1"}"#);
    stage.deliver(|from, to, _| from != 3 && to != 3);
    stage.say("A read waits for the same two");
    stage.asks(1, r#"{"type":"read","key":"x"}"#);
    stage.deliver(|from, to, _| from != 3 && to != 3);
    stage.say("Now n3 answers");
    stage.deliver(|_, _, _| true);
    stage.say("n1 does not campaign any more");
    stage.fires(1, Timer::Election);
    stage.deliver(|_, _, _| true);
    assert_snapshot!(stage.story(&[]));
}

#[test]
fn a_server_that_does_not_catch_up_is_given_up() {
    let mut stage = four_of_five(&[]);
    stage.crash(5);
    stage.forget();
    stage.asks(1, r#"{"type":"membership","add":"n5"}"#);
    stage.among(&[1, 2, 3, 4]);
    stage.asks(1, r#"{"type":"membership","remove":"n2"}"#);
    for _ in 0..11 {
        stage.fires(1, Timer::CatchUp);
    }
    stage.asks(1, r#"{"type":"membership","remove":"n2"}"#);
    stage.among(&[1, 2, 3, 4]);
    assert_snapshot!(stage.story(&[]));
}

/// The counterexample of 2015, in which n1 to n4 are S1 to S4, and n5 is S5.
fn two_changes(bugs: &[&str]) -> Stage {
    let mut stage = four_of_five(bugs);
    stage.forget();
    stage.say("n1 is asked to add n5, which catches up; the configuration of five reaches nobody but n5");
    stage.asks(1, r#"{"type":"membership","add":"n5"}"#);
    stage.among(&[1, 5]);
    stage.logs();
    stage.say("n2 leads the next term by the votes of n3 and n4; its entry does not arrive anywhere yet");
    for node in [3, 4] {
        stage.fires(node, Timer::Silence);
    }
    stage.elects(2, &[3, 4]);
    stage.forget();
    stage.say("n2 is asked to let n1 go");
    stage.asks(2, r#"{"type":"membership","remove":"n1"}"#);
    stage.fires(2, Timer::Heartbeat);
    stage.among(&[2, 3]);
    stage.logs();
    stage
}

/// n1 learns of the term, and asks n4 and n5 for their votes: three of the five that it knows of.
fn n1_again(stage: &mut Stage) {
    stage.say("n1 learns of the term, and asks n4 and n5 for their votes");
    for node in [4, 5] {
        stage.fires(node, Timer::Silence);
    }
    stage.fires(1, Timer::Quorum);
    stage.fires(1, Timer::Quorum);
    for _ in 0..2 {
        stage.elects(1, &[4, 5]);
    }
    stage.among(&[1, 4, 5]);
    stage.logs();
}

#[test]
fn bug_of_2015_a_change_waits_for_an_entry_of_the_term() {
    let mut stage = two_changes(&[]);
    stage.say("n2 may begin when its own entry is committed, so n3 and n4 must have it");
    stage.fires(2, Timer::Heartbeat);
    stage.among(&[2, 3, 4]);
    stage.asks(2, r#"{"type":"membership","remove":"n1"}"#);
    stage.among(&[2, 3]);
    n1_again(&mut stage);
    assert_snapshot!(stage.story(&[]));
}

#[test]
fn bug_of_2015_without_the_wait_a_committed_entry_is_lost() {
    let mut stage = two_changes(&["membership-before-commit"]);
    n1_again(&mut stage);
    assert_snapshot!(stage.story(&["leader-completeness", "state-machine-safety"]));
}
