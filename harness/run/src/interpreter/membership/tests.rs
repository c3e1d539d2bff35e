use rashomon_core::{Disruption, Event, FaultKind, Impact, Map, MembershipChange, Value, WorldError};

use super::*;

/// A world that remembers what it was asked.
#[derive(Default)]
struct Office {
    nodes: Vec<NodeId>,
    now: Time,
    calls: Vec<Call>,
}

impl World for Office {
    fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }
    fn now(&self) -> Time {
        self.now
    }
    fn call(&mut self, call: Call) {
        self.calls.push(call);
    }
    fn inject(&mut self, _id: FaultId, _disruption: &Disruption) -> Result<(), WorldError> {
        Ok(())
    }
    fn heal(&mut self, _id: FaultId) -> Result<Impact, WorldError> {
        Ok(Impact::default())
    }
    fn verify_healed(&mut self) -> Result<(), WorldError> {
        Ok(())
    }
    fn running(&self) -> Vec<NodeId> {
        self.nodes.clone()
    }
    fn poll(&mut self, _until: Time) -> Option<Event> {
        None
    }
}

const FAULT: FaultId = FaultId(0);

fn members(numbers: &[u16]) -> Vec<NodeId> {
    numbers.iter().copied().map(NodeId).collect()
}

struct Desk {
    membership: Membership,
    world: Office,
}

impl Desk {
    fn new() -> Desk {
        let nodes = NodeId::first(4);
        let world = Office { nodes: nodes.clone(), ..Office::default() };
        Desk { membership: Membership::new(nodes), world }
    }

    /// What is asked next, which ends like this.
    fn asked(&mut self, outcome: &Outcome) -> Option<MembershipChange> {
        let before = self.world.calls.len();
        self.world.now = self.membership.next_due()?.max(self.world.now);
        self.membership.act(&mut self.world);
        let call = self.world.calls.get(before)?.clone();
        assert_eq!(self.world.calls.len(), before + 1);
        assert!(!self.membership.is_settled() && self.membership.next_due().is_none(), "one at a time");
        assert!(!self.membership.completed(self.world.now, 3, outcome), "a client's");
        assert!(self.membership.completed(self.world.now, call.process, outcome));
        MembershipChange::asked(&call.body).map(Result::unwrap)
    }

    fn done(&mut self) -> Option<MembershipChange> {
        let body = Map::from_iter([("type".to_owned(), Value::from("membership_ok"))]);
        self.asked(&Outcome::Ok(NodeId(1), body))
    }
}

use MembershipChange::{Add, Remove};

#[test]
fn nodes_leave_one_by_one_and_come_back_when_healed() {
    let mut desk = Desk::new();
    assert!(desk.membership.is_settled() && desk.done().is_none());
    desk.membership.inject(FAULT, &[members(&[1, 3])]);
    assert_eq!(
        [desk.done(), desk.done(), desk.done()],
        [Some(Remove(NodeId(2))), Some(Remove(NodeId(4))), None]
    );
    assert!(desk.membership.is_settled());
    assert_eq!(desk.membership.heal(FAULT), 2);
    assert_eq!([desk.done(), desk.done(), desk.done()], [Some(Add(NodeId(2))), Some(Add(NodeId(4))), None]);
    let homes: Vec<u16> = desk.world.calls.iter().map(|call| call.home.0).collect();
    assert_eq!(homes, [1, 2, 3, 4], "every node is asked in its turn");
}

#[test]
fn a_walk_goes_on_when_a_step_is_reached() {
    let mut desk = Desk::new();
    desk.membership.inject(FAULT, &[members(&[1, 2, 3]), members(&[1, 2, 4])]);
    let asked: Vec<_> = std::iter::from_fn(|| desk.done()).collect();
    assert_eq!(asked, [Remove(NodeId(4)), Add(NodeId(4)), Remove(NodeId(3))]);
    assert_eq!(desk.membership.heal(FAULT), 3);
}

#[test]
fn what_was_refused_or_left_without_an_answer_is_asked_again() {
    let mut desk = Desk::new();
    desk.membership.inject(FAULT, &[members(&[1, 2, 3])]);
    let leave = Some(Remove(NodeId(4)));
    assert_eq!(desk.asked(&Outcome::Fail("not the leader".into())), leave);
    assert!(desk.membership.next_due() > Some(desk.world.now), "after a pause");
    assert_eq!(desk.asked(&Outcome::Info("no answer".into())), leave);
    // It may have left: nobody knows until the system says that it is back.
    assert_eq!(desk.membership.heal(FAULT), 0);
    assert!(!desk.membership.is_settled());
    assert_eq!(desk.done(), Some(Add(NodeId(4))));
    assert!(desk.membership.is_settled());
}

#[test]
fn the_latest_fault_has_its_way() {
    let mut desk = Desk::new();
    desk.membership.inject(FAULT, &[members(&[1, 2, 3])]);
    desk.membership.inject(FaultId(1), &[members(&[2, 3, 4])]);
    assert_eq!([desk.done(), desk.done()], [Some(Remove(NodeId(1))), None]);
    assert_eq!((desk.membership.heal(FaultId(1)), desk.membership.heal(FaultId(1))), (1, 0));
    assert_eq!(
        [desk.done(), desk.done(), desk.done()],
        [Some(Add(NodeId(1))), Some(Remove(NodeId(4))), None]
    );
}

#[test]
fn a_step_that_came_too_late_does_not_keep_the_restoring_awake() {
    // When the membership is to be restored the second step is due, and will never strike.
    let text = r#"{
        "version": 1, "system": "raft", "nodes": 3, "rate": 50, "time-limit": "2s", "seed": 1,
        "nemesis": { "script": [
            { "at": "500ms", "do": { "fault": "membership" } },
            { "at": "2001ms", "do": { "fault": "kill" } }
        ] }
    }"#;
    let file = crate::plan::parse("plan", text).unwrap();
    let plan = crate::Plan::assemble(file, None, None, crate::plan::Faults::default(), 1).unwrap();
    let never = std::sync::atomic::AtomicBool::new(false);
    let verdict = crate::in_memory(&plan, crate::judge::Limits::default(), &never).unwrap();
    let problems = verdict.problems.join("; ");
    assert!(!problems.contains("not recovered"), "{problems}");
    assert!(
        verdict.coverage.iter().any(|kind| kind.kind == FaultKind::Membership && kind.bit == 1),
        "{problems}"
    );
}
