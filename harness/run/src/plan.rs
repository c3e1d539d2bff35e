//! What a run does: parsed once, and correct from then on.
//!
//! A plan file is one JSON object; every field but `version` may be missing. Flags override the file, the file
//! overrides the bug's own plan, and what nobody says is the default. A run stores its plan in the same format,
//! so `plan.json` of any run is a plan file.

mod check;
mod file;

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use rashomon_core::{Fault, FaultKind, Map, Seed, Shows, SystemInfo, Value};

use crate::registry;
pub(crate) use check::recorded as check_recorded;
pub use file::{
    Nemesis, PlanError, PlanFile, ProbeMatch, Random, RecordedFault, Script, ScriptStep, Simulation, parse,
    read,
};
pub(crate) use file::{line_of, plain};

/// The mean interval between faults when nobody says.
pub const DEFAULT_INTERVAL: Duration = Duration::from_millis(1500);
/// The faults of the main job.
pub const DEFAULT_KINDS: [FaultKind; 4] =
    [FaultKind::Partition, FaultKind::Kill, FaultKind::Pause, FaultKind::PowerOff];
const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(15);
const DEFAULT_RATE: u32 = 500;
const MOST_NODES: u16 = 32;
const MOST_CONCURRENCY: usize = 1000;

/// What flags say of the nemesis.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// The kinds to draw from, in place of whatever a file says.
    pub kinds: Option<Vec<FaultKind>>,
    /// The mean interval of faults at random.
    pub interval: Option<Duration>,
}

impl Faults {
    fn on_top_of(
        self,
        base: Option<Nemesis>,
        default: Vec<FaultKind>,
        system: &SystemInfo,
    ) -> Result<Nemesis, &'static str> {
        let base = match self.kinds {
            Some(mut kinds) => {
                // `all` is every kind that there is: fixed nodes are no reason to refuse it.
                if kinds.len() == FaultKind::ALL.len() && !system.membership {
                    kinds.retain(|kind| *kind != FaultKind::Membership);
                }
                Nemesis::Random(Random { kinds, interval: DEFAULT_INTERVAL })
            }
            None => base.unwrap_or(Nemesis::Random(Random { kinds: default, interval: DEFAULT_INTERVAL })),
        };
        match (base, self.interval) {
            (Nemesis::Random(random), Some(interval)) => Ok(Nemesis::Random(Random { interval, ..random })),
            (Nemesis::Script(_) | Nemesis::Recorded(_), Some(_)) => {
                Err("--nemesis-interval is for faults at random; the plan says when each of its own strikes")
            }
            (base, None) => Ok(base),
        }
    }
}

/// A plan that cannot be wrong: everything it names exists, every number is in its range.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The system under test.
    pub system: SystemInfo,
    /// How many nodes.
    pub nodes: u16,
    /// What clients ask.
    pub workload: &'static str,
    /// For how long.
    pub time_limit: Duration,
    /// Ops a second, on the average; 0: as many as the clients can.
    pub rate: u32,
    /// Clients at a time.
    pub concurrency: usize,
    /// The one number from which all randomness descends.
    pub seed: Seed,
    /// The seeded bugs to make.
    pub bugs: Vec<String>,
    /// The legal weakness whose plan this is.
    pub control: Option<String>,
    /// Numbers of the system.
    pub options: Map<String, Value>,
    /// How fast machines and network are in virtual time.
    pub simulation: Simulation,
    /// Which faults, and when.
    pub nemesis: Nemesis,
}

/// Puts what `over` says on top of what `base` says.
fn overlay(base: PlanFile, over: PlanFile) -> PlanFile {
    let mut options = base.options;
    options.extend(over.options);
    PlanFile {
        version: 1,
        system: over.system.or(base.system),
        nodes: over.nodes.or(base.nodes),
        workload: over.workload.or(base.workload),
        time_limit: over.time_limit.or(base.time_limit),
        rate: over.rate.or(base.rate),
        concurrency: over.concurrency.or(base.concurrency),
        seed: over.seed.or(base.seed),
        bugs: if over.bugs.is_empty() { base.bugs } else { over.bugs },
        control: over.control.or(base.control),
        options,
        simulation: over.simulation.or(base.simulation),
        nemesis: over.nemesis.or(base.nemesis),
        command: None,
    }
}

impl Plan {
    /// A plan from flags and, perhaps, a file with its name and text. `fresh_seed` is taken when nobody gives one.
    ///
    /// `base`, if there is one, stands in for what neither says, and for the plans of the bugs. What brings out a known weakness of the system lies
    /// beneath all that is asked. A mistake is reported where its token stands: in the file, or else on the command line.
    pub fn assemble(
        flags: PlanFile,
        file: Option<(PlanFile, &str, &str)>,
        base: Option<PlanFile>,
        faults: Faults,
        fresh_seed: u64,
    ) -> Result<Plan, PlanError> {
        let text = file.as_ref().map(|(_, origin, text)| ((*origin).to_owned(), (*text).to_owned()));
        let wrong = |token: &str, reason: String| match &text {
            Some((origin, text)) if line_of(text, token).is_some() => {
                PlanError { origin: origin.clone(), line: line_of(text, token), reason }
            }
            _ => PlanError { origin: "command line".to_owned(), line: None, reason },
        };
        let mut asked = match file {
            Some((file, ..)) => overlay(file, flags),
            None => overlay(PlanFile::default(), flags),
        };
        let mixed = base.is_some();
        let Some(name) = asked.system.clone() else {
            return Err(wrong("{", "no system is named; there are: ".to_owned() + &names()));
        };
        let system = registry::system(&name).map_err(|reason| wrong(&name, reason))?.info;
        for name in asked.bugs.clone() {
            let bug = system.bugs.iter().find(|bug| bug.name == name.as_str()).ok_or_else(|| {
                let known = system.bugs.iter().map(|bug| bug.name);
                wrong(&name, registry::unknown(&format!("bug of {}", system.name), &name, known))
            })?;
            // A mixture stands in for the plan of a bug, unless that aims at an instant only virtual time can hit.
            if let Some(own) = bug.plan.filter(|_| !mixed || bug.shows == Shows::Sim) {
                let own = parse(&format!("the plan of bug {name}"), own)?;
                asked = overlay(own, asked);
            }
        }
        if let Some(name) = asked.control.clone() {
            let control = system.controls.iter().find(|control| control.name == name).ok_or_else(|| {
                let known = system.controls.iter().map(|control| control.name);
                wrong(&name, registry::unknown(&format!("control of {}", system.name), &name, known))
            })?;
            if let Some(own) = control.plan {
                asked = overlay(parse(&format!("the plan of control {name}"), own)?, asked);
            }
        }
        if let Some(own) = system.weak.and_then(|weak| weak.plan) {
            asked = overlay(parse(&format!("the plan of {}", system.name), own)?, asked);
        }
        let bugs: BTreeSet<&String> = asked.bugs.iter().collect();
        if bugs.len() < asked.bugs.len() {
            return Err(wrong("\"bugs\"", "a bug is named twice".to_owned()));
        }
        if let Some(base) = base {
            asked = overlay(base, asked);
        }
        let workload = match &asked.workload {
            None => system.workloads[0],
            Some(name) => system.workloads.iter().find(|known| *known == name).copied().ok_or_else(|| {
                wrong(
                    name,
                    registry::unknown(
                        &format!("workload of {}", system.name),
                        name,
                        system.workloads.to_vec(),
                    ),
                )
            })?,
        };
        options(&asked.options, &system).map_err(|(name, reason)| wrong(&name, reason))?;
        let nodes = asked.nodes.unwrap_or(system.nodes);
        if !(1..=MOST_NODES).contains(&nodes) {
            return Err(wrong("\"nodes\"", format!("{nodes} nodes; from 1 to {MOST_NODES} can be run")));
        }
        let concurrency = asked.concurrency.unwrap_or_else(|| 2 * usize::from(nodes));
        if !(1..=MOST_CONCURRENCY).contains(&concurrency) {
            let reason = format!("a concurrency of {concurrency}; from 1 to {MOST_CONCURRENCY} can be run");
            return Err(wrong("\"concurrency\"", reason));
        }
        let time_limit = asked.time_limit.unwrap_or(DEFAULT_TIME_LIMIT);
        if time_limit.is_zero() || time_limit > Duration::from_hours(24) {
            let reason = "the time limit must be more than nothing and at most a day".to_owned();
            return Err(wrong("\"time-limit\"", reason));
        }
        let nemesis =
            faults.on_top_of(asked.nemesis, default_kinds(&system, nodes), &system).map_err(|reason| {
                PlanError { origin: "command line".to_owned(), line: None, reason: reason.to_owned() }
            })?;
        check::nemesis(&nemesis, &system, nodes).map_err(|(token, reason)| wrong(&token, reason))?;
        let simulation = asked.simulation.unwrap_or_default();
        if let Some(trouble) = simulation.timing.trouble() {
            return Err(wrong("\"timing\"", trouble));
        }
        Ok(Plan {
            system,
            nodes,
            workload,
            time_limit,
            rate: asked.rate.unwrap_or(DEFAULT_RATE),
            concurrency,
            seed: Seed(asked.seed.unwrap_or(fresh_seed)),
            bugs: asked.bugs,
            control: asked.control,
            options: asked.options,
            simulation,
            nemesis,
        })
    }

    /// The kinds of fault that the plan asks for.
    pub fn kinds(&self) -> BTreeSet<FaultKind> {
        match &self.nemesis {
            Nemesis::Random(random) => {
                let slow = random.kinds.contains(&FaultKind::PowerOff).then_some(FaultKind::SlowDisk);
                random.kinds.iter().copied().chain(slow).collect()
            }
            Nemesis::Recorded(faults) => faults.iter().map(|recorded| recorded.disruption.kind()).collect(),
            Nemesis::Script(script) => {
                script.steps.iter().filter_map(|step| step.fault.as_ref().map(Fault::kind)).collect()
            }
        }
    }

    /// The plan in the format of a plan file.
    pub fn to_file(&self) -> PlanFile {
        PlanFile {
            version: 1,
            system: Some(self.system.name.to_owned()),
            nodes: Some(self.nodes),
            workload: Some(self.workload.to_owned()),
            time_limit: Some(self.time_limit),
            rate: Some(self.rate),
            concurrency: Some(self.concurrency),
            seed: Some(self.seed.0),
            bugs: self.bugs.clone(),
            control: self.control.clone(),
            options: self.options.clone(),
            simulation: Some(self.simulation).filter(|simulation| *simulation != Simulation::default()),
            nemesis: Some(self.nemesis.clone()),
            command: None,
        }
    }
}

/// Refuses an option that the system does not have, or that is no number: its name, and why.
fn options(options: &Map<String, Value>, system: &SystemInfo) -> Result<(), (String, String)> {
    for (name, value) in options {
        let known = system.options.iter().map(|option| option.name);
        if !known.clone().any(|option| option == name) {
            let what = format!("option of {}", system.name);
            return Err((name.clone(), registry::unknown(&what, name, known)));
        }
        if value.as_u64().is_none() {
            let reason = format!("option `{name}` is {value}; it takes a non-negative integer");
            return Err((name.clone(), reason));
        }
    }
    Ok(())
}

fn names() -> String {
    registry::systems().iter().map(|entry| entry.info.name).collect::<Vec<_>>().join(", ")
}

/// The default faults that make sense: no partition of one node, no loss of memory where nothing is kept.
fn default_kinds(system: &SystemInfo, nodes: u16) -> Vec<FaultKind> {
    DEFAULT_KINDS.into_iter().filter(|kind| makes_sense(*kind, system, nodes)).collect()
}

/// Whether a kind of fault tells anything of a system of that many nodes.
pub(crate) fn makes_sense(kind: FaultKind, system: &SystemInfo, nodes: u16) -> bool {
    match kind {
        FaultKind::Pause | FaultKind::Clock => true,
        FaultKind::Membership => system.membership && nodes > 2,
        FaultKind::Kill | FaultKind::PowerOff | FaultKind::Restart | FaultKind::SlowDisk => system.durable,
        FaultKind::Partition
        | FaultKind::Delay
        | FaultKind::Jitter
        | FaultKind::Loss
        | FaultKind::Duplicate
        | FaultKind::Reorder
        | FaultKind::Corrupt => nodes > 1,
    }
}

/// The kinds in a list like `partition,kill`; `none` is no fault at all, `default` the faults of the main job,
/// `packet` every fault of single messages, `all` every kind.
pub fn parse_kinds(text: &str) -> Result<Vec<FaultKind>, String> {
    let mut kinds = Vec::new();
    for name in text.split(',').map(str::trim) {
        match name {
            "none" => {}
            "default" => kinds.extend(DEFAULT_KINDS),
            "all" => kinds.extend(FaultKind::ALL.iter().map(|(kind, ..)| *kind)),
            "packet" => kinds.extend([
                FaultKind::Delay,
                FaultKind::Jitter,
                FaultKind::Loss,
                FaultKind::Duplicate,
                FaultKind::Reorder,
                FaultKind::Corrupt,
            ]),
            name => kinds.push(FaultKind::from_str(name).map_err(|_| {
                let words = ["none", "default", "packet", "all"];
                let known = FaultKind::ALL.iter().map(|(_, name, _)| *name).chain(words);
                registry::unknown("fault", name, known)
            })?),
        }
    }
    if text.split(',').any(|name| name.trim() == "none") && !kinds.is_empty() {
        return Err("`none` goes with no other fault".to_owned());
    }
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds)
}

#[cfg(test)]
mod tests;
