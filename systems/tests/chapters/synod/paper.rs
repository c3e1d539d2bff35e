//! What *Paxos Made Simple* argues, case by case.

use insta::assert_snapshot;
use rashomon_systems::synod::{Message, Step};

use super::cast::Stage;

#[track_caller]
fn approved(stage: Stage, name: &str) {
    let story = stage.story(&[]);
    assert_snapshot!(name, story);
}

/// Requests and promises pass, proposals do not: what a ballot knows when its proposer falls asleep.
fn phase_1(_from: u16, _to: u16, message: &Message) -> bool {
    matches!(message.step, Step::Prepare { .. } | Step::Promise { .. })
}

#[test]
fn a_value_that_nobody_contests() {
    let mut stage = Stage::new(3, &[], &[]);
    stage.say("2.2: with a single proposer and no failures, two phases suffice");
    stage.proposes(1, 7);
    stage.among(&[1, 2, 3]);
    stage.say("2.3: every learner was told by every acceptor");
    stage.learns(3);
    stage.say("A later proposal is told the decision");
    stage.proposes(2, 8);
    approved(stage, "uncontested");
}

/// Two proposers, five acceptors: n1 got 7 accepted by n2 alone, n3 got 8 accepted by n4 alone, in a higher ballot.
fn two_minorities(bugs: &[&str]) -> Stage {
    let mut stage = Stage::new(5, bugs, &[]);
    stage.say("n1 has the promises of all; what it proposes reaches n2 and nobody else");
    stage.proposes(1, 7);
    stage.deliver(phase_1);
    stage.among(&[1, 2]);
    stage.say("n3 asks n4 and n5, which have accepted nothing; what it proposes reaches n4 and nobody else");
    stage.proposes(3, 8);
    stage.deliver(|from, to, message| {
        [3, 4, 5].contains(&from) && [3, 4, 5].contains(&to) && phase_1(from, to, message)
    });
    stage.among(&[3, 4]);
    stage
}

#[test]
fn of_two_values_that_of_the_higher_ballot_must_be_adopted() {
    let mut stage = two_minorities(&[]);
    stage.say("P2c: n2, which has accepted 7 itself, asks n4 and n5; of what was accepted, 8 is of the higher ballot");
    stage.proposes(2, 9);
    stage.among(&[2, 4, 5]);
    stage.retries(2);
    stage.among(&[2, 4, 5]);
    stage.say("Whoever comes later finds 8");
    stage.retries(1);
    stage.among(&[1, 2, 3, 4, 5]);
    stage.retries(1);
    stage.among(&[1, 2, 3, 4, 5]);
    approved(stage, "highest_adopted");
}

#[test]
fn with_the_bug_a_chosen_value_is_replaced() {
    let mut stage = two_minorities(&["highest-not-adopted"]);
    stage.say("n3 gets 8 accepted by n5 too: it is chosen");
    stage.retries(3);
    stage.among(&[3, 4, 5]);
    stage.say("n2 takes what it is told of first, and that is what it accepted itself");
    stage.proposes(2, 9);
    stage.among(&[1, 2, 4]);
    stage.retries(2);
    stage.among(&[1, 2, 4]);
    assert_snapshot!(stage.story(&["agreement", "chosen-is-kept", "highest-is-adopted"]));
}

/// n2 promises n1, then n3, and starts again before n1 proposes.
fn a_promise_and_a_crash(bugs: &[&str]) -> Stage {
    let mut stage = Stage::new(5, bugs, &[]);
    let among = |nodes: [u16; 2], from: u16, to: u16| nodes.contains(&from) && nodes.contains(&to);
    stage.say("P1a: n1 has the promise of n2, and waits for one more");
    stage.proposes(1, 7);
    stage.deliver(|from, to, message| among([1, 2], from, to) && phase_1(from, to, message));
    stage.say("n3 has the promises of n2 and n5 for a higher ballot");
    stage.proposes(3, 8);
    stage.deliver(|from, to, message| among([3, 2], from, to) && phase_1(from, to, message));
    stage.deliver(|from, to, message| among([3, 5], from, to) && phase_1(from, to, message));
    stage.restarts(2);
    stage.say("n4's promise is what n1 has waited for; n4 accepts, and n2 is asked to");
    stage.deliver(|from, to, message| among([1, 4], from, to) && phase_1(from, to, message));
    stage.deliver(|from, to, message| {
        [1, 2, 4].contains(&from) && [1, 2, 4].contains(&to) && !phase_1(from, to, message)
    });
    stage.say("n4 and n5 have promised nothing that forbids them to accept n3's proposal");
    stage.deliver(|from, to, message| {
        [3, 4, 5].contains(&from) && [3, 4, 5].contains(&to) && !phase_1(from, to, message)
    });
    stage
}

#[test]
fn a_promise_outlives_the_process() {
    let stage = a_promise_and_a_crash(&[]);
    approved(stage, "promise_kept");
}

#[test]
fn with_a_promise_forgotten_two_values_are_chosen() {
    let story = a_promise_and_a_crash(&["promise-forgotten"]).story(&[
        "agreement",
        "chosen-is-kept",
        "highest-is-adopted",
        "nothing-below-promise",
    ]);
    assert_snapshot!("promise_forgotten", story);
}

#[test]
fn proposers_may_defeat_each_other_for_long() {
    let mut stage = Stage::new(3, &[], &[]);
    stage.say("2.4: two proposers keep issuing proposals with increasing numbers, and none is ever chosen");
    stage.proposes(1, 7);
    stage.deliver(phase_1);
    stage.proposes(3, 8);
    stage.deliver(phase_1);
    for _ in 0..2 {
        stage.say("n1's proposal comes too late, and so does n3's");
        stage.deliver(|from, _, message| from == 1 && matches!(message.step, Step::Accept { .. }));
        stage.deliver(|_, to, message| to == 1 && matches!(message.step, Step::Preempted { .. }));
        stage.retries(1);
        stage.deliver(phase_1);
        stage.deliver(|from, _, message| from == 3 && matches!(message.step, Step::Accept { .. }));
        stage.deliver(|_, to, message| to == 3 && matches!(message.step, Step::Preempted { .. }));
        stage.retries(3);
        stage.deliver(phase_1);
    }
    stage.say("One that waits long enough lets the other through");
    stage.deliver(|_, _, _| true);
    approved(stage, "duel");
}

#[test]
fn a_learner_that_missed_everything_asks_by_a_ballot() {
    let mut stage = Stage::new(3, &[], &[]);
    stage.say("2.3: nothing is proposed, so there is nothing to learn");
    stage.learns(3);
    stage.among(&[2, 3]);
    stage.say("7 is chosen, and n3 hears nothing of it");
    stage.proposes(1, 7);
    stage.among(&[1, 2]);
    stage.retries(1);
    stage.among(&[1, 2]);
    stage.say("n3's proposer issues a proposal, and finds what is chosen");
    stage.learns(3);
    stage.among(&[2, 3]);
    approved(stage, "late_learner");
}

#[test]
fn a_proposer_that_starts_again_takes_a_ballot_of_its_own() {
    let mut stage = Stage::new(3, &[], &[]);
    stage.say("n1 proposes 7; only n2 hears, and n1 has forgotten it");
    stage.proposes(1, 7);
    stage.deliver(phase_1);
    stage.deliver(|from, to, _| (from, to) == (1, 2));
    stage.restarts(1);
    stage.say("Its next ballot is another one; n3 has accepted nothing, but its own acceptor kept 7");
    stage.proposes(1, 8);
    stage.among(&[1, 3]);
    stage.learns(2);
    stage.among(&[1, 2, 3]);
    approved(stage, "started_again");
}
