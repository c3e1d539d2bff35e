//! Shrinking as a whole, on seeds that fail.

use rashomon_core::{Disruption, Fault, NodeId, Target};

use super::*;
use crate::plan::{DEFAULT_KINDS, Nemesis, PlanFile, Random, RecordedFault};
use crate::progress::Nobody;
use crate::schedule;
use crate::sweep::plan_of;

const EFFORT: Effort = Effort { jobs: 2, time: Duration::from_mins(10) };

fn flags(bug: &str) -> PlanFile {
    PlanFile {
        version: 1,
        system: Some("raft".to_owned()),
        bugs: vec![bug.to_owned()],
        time_limit: Some(Duration::from_secs(4)),
        rate: Some(100),
        nemesis: Some(Nemesis::Random(Random {
            kinds: DEFAULT_KINDS.to_vec(),
            interval: Duration::from_millis(400),
        })),
        ..PlanFile::default()
    }
}

/// The first seed that fails, and the run.
fn failing(bug: &str) -> (Plan, Imagined) {
    let seeds = (0..300).map(|seed| plan_of(seed, &flags(bug)).unwrap());
    let run = |plan: Plan| {
        let run =
            imagine(Script::Drawn(&plan), Limits::default(), None, &mut Nobody, &AtomicBool::new(false));
        run.ok().filter(|run| run.verdict.valid == Validity::Invalid).map(|run| (plan, run))
    };
    seeds.into_iter().find_map(run).expect("the bug shows in a few hundred seeds")
}

fn told(schedule: &Schedule) -> Imagined {
    imagine(Script::Listed(schedule), Limits::default(), None, &mut Nobody, &AtomicBool::new(false)).unwrap()
}

fn shrunk(plan: &Plan) -> Schedule {
    shrink(plan, "again", &EFFORT, &AtomicBool::new(false), &|_| {}).unwrap()
}

#[test]
fn a_run_told_as_a_list_is_the_same_run() {
    let (plan, run) = failing("leader-counts-twice");
    let list = Schedule::of(&plan, &run.history, &run.schedule);
    assert!(list.ops.len() > 50 && !list.faults().is_empty());
    assert_eq!(told(&list).history.ops(), run.history.ops());
}

#[test]
fn a_shrunk_run_fails_in_the_same_way_and_tells_the_same_history_for_ever() {
    let (plan, run) = failing("leader-counts-twice");
    let story = shrunk(&plan);
    let facts = story.shrunk.clone().unwrap();
    assert_eq!(Some(&facts.accusation), Accusation::first(&run.verdict.checkers).as_ref());
    assert!(facts.after.ops < facts.before.ops && facts.after.messages < facts.before.messages);
    assert!(story.faults().len() <= 3, "{:?}", story.faults());
    // By way of the file, twice.
    let read = schedule::parse("shrunk.json", &story.to_text()).unwrap();
    let (first, second) = (told(&story), told(&read));
    assert!(facts.accusation.among(&first.verdict.checkers).next().is_some());
    assert_eq!(first.verdict, second.verdict);
    assert_eq!(first.history.ops(), second.history.ops());
}

#[test]
fn what_is_found_does_not_depend_on_how_many_attempts_are_made_at_a_time() {
    let (plan, _) = failing("leader-counts-twice");
    let alone = Effort { jobs: 1, ..EFFORT };
    let alone = shrink(&plan, "again", &alone, &AtomicBool::new(false), &|_| {}).unwrap();
    let together = shrunk(&plan);
    assert_eq!(
        (alone.faults(), &alone.ops, &alone.messages),
        (together.faults(), &together.ops, &together.messages)
    );
}

#[test]
fn a_fault_that_does_not_matter_is_left_out() {
    let (plan, run) = failing("leader-counts-twice");
    let whole = Schedule::of(&plan, &run.history, &run.schedule);
    let accusation = Accusation::first(&run.verdict.checkers).unwrap();
    let never = AtomicBool::new(false);
    let bench = Bench::new(accusation, &EFFORT, Instant::now(), &never, &|_| {});
    let story = passes::all(&bench, &whole);
    // Planted: the same story, and a slow disk that changes nothing.
    let target = Target::Nodes(vec![NodeId(2)]);
    let planted = RecordedFault {
        id: Some(9_999),
        at: story.plan.time_limit / 2,
        until: Some(story.plan.time_limit / 2),
        fault: Fault::SlowDisk { target },
        disruption: Disruption::SlowDisk {
            nodes: vec![NodeId(2)],
            at_least: Duration::from_millis(1),
            at_most: Duration::from_millis(1),
        },
    };
    let mut faults = story.faults().to_vec();
    faults.push(planted);
    let with = story.with_faults(faults);
    assert!(bench.fails(&with).is_some(), "the plant does no harm");
    let without = passes::all(&bench, &with);
    assert!(without.faults().iter().all(|fault| fault.id != Some(9_999)), "{:?}", without.faults());
}

#[test]
fn a_run_that_accuses_nobody_is_not_shrunk() {
    let plan = plan_of(3, &PlanFile { bugs: Vec::new(), ..flags("leader-counts-twice") }).unwrap();
    let refused = shrink(&plan, "again", &EFFORT, &AtomicBool::new(false), &|_| {});
    assert!(matches!(refused, Err(NotShrunk::NotInvalid(_))), "{refused:?}");
}

#[test]
fn where_there_is_no_time_nothing_is_claimed() {
    let (plan, _) = failing("leader-counts-twice");
    let none = Effort { jobs: 1, time: Duration::ZERO };
    let refused = shrink(&plan, "again", &none, &AtomicBool::new(false), &|_| {});
    assert!(matches!(refused, Err(NotShrunk::NoTime)), "{refused:?}");
}

#[test]
fn an_interrupted_shrinking_gives_what_it_has() {
    let (plan, run) = failing("leader-counts-twice");
    let never = AtomicBool::new(false);
    let effort = Effort { jobs: 1, time: Duration::ZERO };
    let accusation = Accusation::first(&run.verdict.checkers).unwrap();
    let bench = Bench::new(accusation, &effort, Instant::now(), &never, &|_| {});
    let whole = Schedule::of(&plan, &run.history, &run.schedule);
    let story = passes::all(&bench, &whole);
    assert_eq!((story.faults(), &story.ops), (whole.faults(), &whole.ops));
    assert!(bench.is_over() && bench.attempts() == 0);
}
