use super::*;

fn assemble(text: &str) -> Result<Plan, String> {
    let file = parse("plan.json", text).map_err(|error| error.to_string())?;
    Plan::assemble(PlanFile::default(), Some((file, "plan.json", text)), None, Faults::default(), 1)
        .map_err(|error| error.to_string())
}

#[test]
fn what_nobody_says_is_the_default() {
    let flags = PlanFile { system: Some("raft".into()), ..PlanFile::default() };
    let plan = Plan::assemble(flags, None, None, Faults::default(), 77).unwrap();
    assert_eq!((plan.nodes, plan.concurrency, plan.seed, plan.workload), (5, 10, Seed(77), "register"));
    assert_eq!(plan.time_limit, Duration::from_secs(15));
    assert!(plan.kinds().contains(&FaultKind::SlowDisk), "slow-disk comes with power-off");
}

#[test]
fn flags_override_the_file() {
    let text = r#"{"version":1,"system":"raft","nodes":3,"rate":9}"#;
    let flags = PlanFile { nodes: Some(7), ..PlanFile::default() };
    let plan =
        Plan::assemble(flags, Some((parse("f", text).unwrap(), "f", text)), None, Faults::default(), 1)
            .unwrap();
    assert_eq!((plan.nodes, plan.rate), (7, 9));
}

#[test]
fn the_plan_of_a_run_is_a_plan_file() {
    let plan =
        assemble(r#"{"version":1,"system":"raft","seed":4,"nemesis":{"kinds":["kill"],"interval":"2s"}}"#)
            .unwrap();
    let text = serde_json::to_string_pretty(&plan.to_file()).unwrap();
    let again = assemble(&text).unwrap();
    assert_eq!(serde_json::to_string_pretty(&again.to_file()).unwrap(), text);
}

#[test]
fn mistakes_name_file_line_and_reason() {
    let wrong = |text: &str, expected: &str| match assemble(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => assert!(error.starts_with(expected), "{error}\nis not: {expected}"),
    };
    wrong(
        "{\"version\":1,\"system\":\"raft\",\n\"simulation\":{\"timing\":{\"sync\":{\"at-least\":\"2ms\",\"at-most\":\"1ms\"}}}}",
        "plan.json:2: a sync takes at least longer than at most",
    );
    wrong(
        "{\"version\":1,\n\"system\":\"raaft\"}",
        "plan.json:2: no system is called `raaft`; did you mean `raft`?",
    );
    wrong("{\"version\":1,\"system\":\"raft\",\n\n\"nods\":3}", "plan.json:3: unknown field `nods`");
    wrong("{\"version\":7,\"system\":\"raft\"}", "plan.json:1: version 7 of the plan format");
    wrong("{\"version\":1,\"system\":\"raft\",\n\"nodes\":0}", "plan.json:2: 0 nodes");
    wrong(
        "{\"version\":1,\"system\":\"raft\",\n\"bugs\":[\"nope\"]}",
        "plan.json:2: no bug of raft is called `nope`",
    );
    wrong(
        "{\"version\":1,\"system\":\"raft\",\n\"options\":{\"x\":1}}",
        "plan.json:2: no option of raft is called `x`",
    );
    wrong(
        "{\"version\":1,\"system\":\"echo\",\n\"nemesis\":{\"kinds\":[\"partition\"]}}",
        "plan.json:2: partition needs two nodes",
    );
    wrong("not json", "plan.json:1: expected");
    wrong(
        "{\"version\":1,\"system\":\"paxos\",\n\"nemesis\":{\"kinds\":[\"membership\"]}}",
        "plan.json:2: membership needs a system that can change who belongs to it while it runs",
    );
    wrong(
        "{\"version\":1,\"system\":\"raft\",\"nodes\":2,\n\"nemesis\":{\"kinds\":[\"membership\"]}}",
        "plan.json:2: membership needs three nodes",
    );
    wrong(
        "{\"version\":1,\"system\":\"raft\",\n\"nemesis\":{\"script\":[{\"at\":\"1s\",\"do\":{\"fault\":\"membership\",\"change\":{\"members\":[[\"n1\"],[]]}}}]}}",
        "plan.json:2: step 1 of the script: a membership needs one node at least",
    );
    wrong(
        "{\"version\":1,\"system\":\"raft\",\n\"nemesis\":{\"script\":[{\"at\":\"1s\",\"do\":{\"fault\":\"membership\",\"change\":{\"members\":[[\"n6\"]]}}}]}}",
        "plan.json:2: step 1 of the script: there is no n6",
    );
    wrong(
        "{\"version\":1,\"system\":\"raft\",\"nodes\":3,\n\"nemesis\":{\"script\":[{\"at\":\"1s\",\"do\":{\"fault\":\"kill\",\"target\":{\"nodes\":[\"n4\"]}}}]}}",
        "plan.json:2: step 1 of the script: there is no n4",
    );
    wrong(
        "{\"version\":1,\"system\":\"raft\",\n\"nemesis\":{\"script\":[{\"at\":\"1s\",\"do\":{\"fault\":\"clock\",\"skew\":{\"fast\":99}}}]}}",
        "plan.json:2: step 1 of the script: 99 percent; a clock can gain or lose 1 to 90",
    );
    wrong(
        "{\"version\":1,\"system\":\"raft\",\n\"nemesis\":{\"script\":[{\"at\":\"1s\",\"do\":{\"fault\":\"clock\",\"skew\":{\"late\":\"1s\"}}}]}}",
        "plan.json:2: unknown variant `late`",
    );
    wrong(
        "{\"version\":1,\"system\":\"raft\",\"nodes\":3,\"nemesis\":{\n\"recorded\":[{\"at\":\"1s\",\"fault\":{\"fault\":\"clock\"},\"disruption\":{\"do\":\"clock\",\"nodes\":[\"n1\"],\"skew\":{\"behind\":\"2h\"}}}]}}",
        "plan.json:2: fault 1 of those recorded: a clock can be set",
    );
    wrong(
        "{\"version\":1,\"system\":\"raft\",\n\"nemesis\":{\"script\":[{\"at\":\"1s\",\"heal\":[\"x\"]}]}}",
        "plan.json:2: step 1 of the script: no earlier step is called `x`",
    );
    wrong(
        "{\"version\":1,\"system\":\"raft\",\n\"nemesis\":{\"script\":[{\"do\":{\"fault\":\"kill\"}}]}}",
        "plan.json:2: step 1 of the script: it takes one trigger",
    );
}

#[test]
fn all_is_every_kind_that_the_system_can_be_asked_for() {
    let kinds = |system: &str| {
        let flags = PlanFile { system: Some(system.into()), ..PlanFile::default() };
        let faults = Faults { kinds: Some(parse_kinds("all").unwrap()), interval: None };
        Plan::assemble(flags, None, None, faults, 1).unwrap().kinds()
    };
    assert!(kinds("raft").contains(&FaultKind::Membership));
    assert_eq!(kinds("paxos").len() + 1, kinds("raft").len());
}

#[test]
fn kinds_are_a_list_of_names() {
    assert_eq!(parse_kinds("kill,partition"), Ok(vec![FaultKind::Partition, FaultKind::Kill]));
    assert_eq!(parse_kinds("none"), Ok(vec![]));
    assert_eq!(parse_kinds("packet,loss").unwrap().len(), 6);
    assert_eq!(
        parse_kinds("partitoin").unwrap_err(),
        "no fault is called `partitoin`; did you mean `partition`?"
    );
    assert!(parse_kinds("none,kill").is_err());
}

#[test]
fn every_control_has_a_plan_that_can_be_run() {
    for entry in registry::systems() {
        for control in entry.info.controls {
            let flags = PlanFile {
                system: Some(entry.info.name.into()),
                control: Some(control.name.into()),
                ..PlanFile::default()
            };
            Plan::assemble(flags, None, None, Faults::default(), 1)
                .unwrap_or_else(|error| panic!("{}: {error}", control.name));
        }
    }
}

#[test]
fn every_bug_has_a_plan_that_can_be_run() {
    for entry in registry::systems() {
        for bug in entry.info.bugs {
            let flags = PlanFile {
                system: Some(entry.info.name.into()),
                bugs: vec![bug.name.into()],
                ..PlanFile::default()
            };
            Plan::assemble(flags, None, None, Faults::default(), 1)
                .unwrap_or_else(|error| panic!("{}: {error}", bug.name));
        }
    }
}
