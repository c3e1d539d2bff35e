//! What a run does: parsed once, and correct from then on.
//!
//! A plan file is one JSON object; every field but `version` may be missing. Flags override the file, the file
//! overrides the bug's own plan, and what nobody says is the default. A run stores its plan in the same format,
//! so `plan.json` of any run is a plan file.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use rashomon_core::{Fault, FaultKind, Map, NodeId, Seed, SystemInfo, Target, Value};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::registry;

/// The plan file as written: anything may be missing, nothing is checked but its shape.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlanFile {
    /// The version of the format: 1.
    pub version: u32,
    /// The system under test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// How many nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<u16>,
    /// What clients ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
    /// For how long.
    #[serde(default, with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub time_limit: Option<Duration>,
    /// Ops a second, on the average; 0: as many as the clients can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
    /// Clients at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<usize>,
    /// The one number from which all randomness descends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The seeded bugs to make.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bugs: Vec<String>,
    /// Numbers of the system.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
    /// Which faults, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nemesis: Option<Nemesis>,
    /// The command that repeats the run; for people, and ignored when read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// Which faults strike, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "NemesisFile", into = "NemesisFile")]
pub enum Nemesis {
    /// At random, each kind as often as the others.
    Random(Random),
    /// As written.
    Script(Script),
}

/// Faults at random.
#[derive(Clone, Debug, PartialEq)]
pub struct Random {
    /// The kinds to draw from; empty: no faults at all.
    pub kinds: Vec<FaultKind>,
    /// The mean time from the beginning of one fault to that of the next.
    pub interval: Duration,
}

/// Faults as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// In no particular order: each waits for its own trigger.
    pub steps: Vec<ScriptStep>,
}

/// Either form as written: `kinds` with perhaps an `interval`, or a `script`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NemesisFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    kinds: Option<Vec<FaultKind>>,
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    interval: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<Vec<ScriptStep>>,
}

impl TryFrom<NemesisFile> for Nemesis {
    type Error = &'static str;

    fn try_from(file: NemesisFile) -> Result<Nemesis, &'static str> {
        match file {
            NemesisFile { kinds: Some(kinds), interval, script: None } => {
                Ok(Nemesis::Random(Random { kinds, interval: interval.unwrap_or(DEFAULT_INTERVAL) }))
            }
            NemesisFile { kinds: None, interval: None, script: Some(steps) } => {
                Ok(Nemesis::Script(Script { steps }))
            }
            _ => Err("a nemesis takes `kinds` with perhaps an `interval`, or else a `script`"),
        }
    }
}

impl From<Nemesis> for NemesisFile {
    fn from(nemesis: Nemesis) -> NemesisFile {
        match nemesis {
            Nemesis::Random(Random { kinds, interval }) => {
                NemesisFile { kinds: Some(kinds), interval: Some(interval), script: None }
            }
            Nemesis::Script(Script { steps }) => {
                NemesisFile { script: Some(steps), ..NemesisFile::default() }
            }
        }
    }
}

/// One fault of a script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScriptStep {
    /// What other steps call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// It strikes at this time after the start.
    #[serde(default, with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub at: Option<Duration>,
    /// It strikes when a node says this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<ProbeMatch>,
    /// It strikes only this much later.
    #[serde(default, with = "humantime_serde", skip_serializing_if = "is_zero")]
    pub after: Duration,
    /// It waits until all these steps have struck.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub once_after: Vec<String>,
    /// What it does.
    #[serde(default, rename = "do", skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Or which earlier steps it heals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heal: Vec<String>,
    /// How long it stays in force; to the end, if nobody says.
    #[serde(default, rename = "for", with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Duration>,
    /// Whether it waits for its trigger again once it is healed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeat: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(duration: &Duration) -> bool {
    duration.is_zero()
}

/// A probe that arms a fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeMatch {
    /// Its name.
    pub probe: String,
    /// The node that must say it; any, if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// Fields that must have one of these values.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub fields: std::collections::BTreeMap<String, Vec<Value>>,
}

/// The mean interval between faults when nobody says.
pub const DEFAULT_INTERVAL: Duration = Duration::from_millis(1500);
/// The faults of the main job.
pub const DEFAULT_KINDS: [FaultKind; 4] =
    [FaultKind::Partition, FaultKind::Kill, FaultKind::Pause, FaultKind::PowerOff];
const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(15);
const DEFAULT_RATE: u32 = 500;
const MOST_NODES: u16 = 32;
const MOST_CONCURRENCY: usize = 1000;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{origin}{}: {reason}", line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct PlanError {
    /// Where the mistake stands: a file, or a flag.
    pub origin: String,
    /// The line, counted from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub reason: String,
}

/// Parses the text of a plan file.
pub fn parse(origin: &str, text: &str) -> Result<PlanFile, PlanError> {
    let error = |line, reason: String| PlanError { origin: origin.to_owned(), line, reason };
    let file: PlanFile =
        serde_json::from_str(text).map_err(|cause| error(Some(cause.line()), plain(&cause.to_string())))?;
    if file.version != 1 {
        let reason = format!("version {} of the plan format; this program reads version 1", file.version);
        return Err(error(line_of(text, "\"version\""), reason));
    }
    Ok(file)
}

/// Reads a plan file.
pub fn read(path: &Path) -> Result<(PlanFile, String), PlanError> {
    let origin = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|cause| PlanError {
        origin: origin.clone(),
        line: None,
        reason: cause.to_string(),
    })?;
    parse(&origin, &text).map(|file| (file, text))
}

/// The line is in the error already; `serde_json` says it once more at the end.
fn plain(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |(reason, _)| reason).to_owned()
}

/// The first line that contains `token`.
fn line_of(text: &str, token: &str) -> Option<usize> {
    text.lines().position(|line| line.contains(token)).map(|index| index + 1)
}

/// What flags say of the nemesis.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// The kinds to draw from, in place of whatever a file says.
    pub kinds: Option<Vec<FaultKind>>,
    /// The mean interval of faults at random.
    pub interval: Option<Duration>,
}

impl Faults {
    fn on_top_of(self, base: Option<Nemesis>, default: Vec<FaultKind>) -> Result<Nemesis, &'static str> {
        let base = match self.kinds {
            Some(kinds) => Nemesis::Random(Random { kinds, interval: DEFAULT_INTERVAL }),
            None => base.unwrap_or(Nemesis::Random(Random { kinds: default, interval: DEFAULT_INTERVAL })),
        };
        match (base, self.interval) {
            (Nemesis::Random(random), Some(interval)) => Ok(Nemesis::Random(Random { interval, ..random })),
            (Nemesis::Script(_), Some(_)) => {
                Err("--nemesis-interval is for faults at random; the plan has a script")
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
    /// Numbers of the system.
    pub options: Map<String, Value>,
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
        options,
        nemesis: over.nemesis.or(base.nemesis),
        command: None,
    }
}

impl Plan {
    /// A plan from flags and, perhaps, a file with its name and text. `fresh_seed` is taken when nobody gives one.
    ///
    /// A mistake is reported where its token stands: in the file, or else on the command line.
    pub fn assemble(
        flags: PlanFile,
        file: Option<(PlanFile, &str, &str)>,
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
        let Some(name) = asked.system.clone() else {
            return Err(wrong("{", "no system is named".to_owned()));
        };
        let system = registry::system(&name).map_err(|reason| wrong(&name, reason))?.info;
        for name in asked.bugs.clone() {
            let bug = system.bugs.iter().find(|bug| bug.name == name.as_str()).ok_or_else(|| {
                let known = system.bugs.iter().map(|bug| bug.name);
                wrong(&name, registry::unknown(&format!("bug of {}", system.name), &name, known))
            })?;
            if let Some(own) = bug.plan {
                let own = parse(&format!("the plan of bug {name}"), own)?;
                asked = overlay(own, asked);
            }
        }
        let bugs: BTreeSet<&String> = asked.bugs.iter().collect();
        if bugs.len() < asked.bugs.len() {
            return Err(wrong("\"bugs\"", "a bug is named twice".to_owned()));
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
        for (name, value) in &asked.options {
            let known = system.options.iter().map(|option| option.name);
            if !known.clone().any(|option| option == name) {
                return Err(wrong(
                    name,
                    registry::unknown(&format!("option of {}", system.name), name, known),
                ));
            }
            if value.as_u64().is_none() {
                return Err(wrong(
                    name,
                    format!("option `{name}` is {value}; it takes a non-negative integer"),
                ));
            }
        }
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
        let nemesis = faults.on_top_of(asked.nemesis, default_kinds(&system, nodes)).map_err(|reason| {
            PlanError { origin: "command line".to_owned(), line: None, reason: reason.to_owned() }
        })?;
        check_nemesis(&nemesis, &system, nodes).map_err(|(token, reason)| wrong(&token, reason))?;
        Ok(Plan {
            system,
            nodes,
            workload,
            time_limit,
            rate: asked.rate.unwrap_or(DEFAULT_RATE),
            concurrency,
            seed: Seed(asked.seed.unwrap_or(fresh_seed)),
            bugs: asked.bugs,
            options: asked.options,
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
            options: self.options.clone(),
            nemesis: Some(self.nemesis.clone()),
            command: None,
        }
    }
}

/// The default faults that make sense: no partition of one node, no loss of memory where nothing is kept.
fn default_kinds(system: &SystemInfo, nodes: u16) -> Vec<FaultKind> {
    DEFAULT_KINDS
        .into_iter()
        .filter(|kind| if kind.is_link() { nodes > 1 } else { *kind == FaultKind::Pause || system.durable })
        .collect()
}

fn check_nemesis(nemesis: &Nemesis, system: &SystemInfo, nodes: u16) -> Result<(), (String, String)> {
    match nemesis {
        Nemesis::Random(random) => {
            if random.interval < Duration::from_millis(10) {
                return Err(("\"interval\"".into(), "the nemesis interval must be at least 10ms".into()));
            }
            random.kinds.iter().try_for_each(|kind| check_kind(*kind, system, nodes))
        }
        Nemesis::Script(script) => {
            let mut names = BTreeSet::new();
            for (number, step) in script.steps.iter().enumerate() {
                let wrong = |reason: String| {
                    let token =
                        step.name.as_ref().map_or_else(|| "\"script\"".into(), |name| format!("\"{name}\""));
                    (token, format!("step {} of the script: {reason}", number + 1))
                };
                match (&step.fault, step.heal.is_empty()) {
                    (None, true) => return Err(wrong("it neither does nor heals anything".into())),
                    (Some(_), false) => return Err(wrong("it both does and heals something".into())),
                    (Some(fault), true) => {
                        check_kind(fault.kind(), system, nodes).map_err(|(_, reason)| wrong(reason))?;
                        check_nodes(fault, nodes).map_err(wrong)?;
                    }
                    (None, false) => {}
                }
                if step.at.is_some() && step.on.is_some()
                    || step.at.is_none() && step.on.is_none() && step.once_after.is_empty()
                {
                    return Err(wrong("it takes one trigger: `at`, `on`, or else `once-after`".into()));
                }
                if step.repeat && (step.on.is_none() || step.lasts.is_none()) {
                    return Err(wrong("`repeat` needs a probe to wait for (`on`) and an end (`for`)".into()));
                }
                for name in step.heal.iter().chain(&step.once_after) {
                    if !names.contains(name) {
                        return Err(wrong(registry::unknown(
                            "earlier step",
                            name,
                            names.iter().map(|name: &String| name.as_str()),
                        )));
                    }
                }
                if step.name.clone().is_some_and(|name| !names.insert(name)) {
                    return Err(wrong("another step has the same name".into()));
                }
            }
            Ok(())
        }
    }
}

fn check_kind(kind: FaultKind, system: &SystemInfo, nodes: u16) -> Result<(), (String, String)> {
    let token = format!("\"{kind}\"");
    if kind.is_link() && nodes < 2 {
        return Err((token, format!("{kind} needs two nodes at least: one node has no links")));
    }
    if matches!(kind, FaultKind::PowerOff | FaultKind::SlowDisk) && !system.durable {
        return Err((
            token,
            format!("{kind} needs a system that keeps something on disk; {} does not", system.name),
        ));
    }
    Ok(())
}

/// Every node that a fault names must be there, every share must be one.
fn check_nodes(fault: &Fault, nodes: u16) -> Result<(), String> {
    let exists = |node: &NodeId| {
        if node.0 <= nodes {
            Ok(())
        } else {
            Err(format!("there is no {node}: the nodes are n1 to n{nodes}"))
        }
    };
    let target = |target: &Target| match target {
        Target::Nodes(named) => named.iter().try_for_each(exists),
        Target::One | Target::Minority | Target::Majority | Target::All | Target::Leader | Target::Source => {
            Ok(())
        }
    };
    let share = |percent: u8| {
        if (1..=100).contains(&percent) {
            Ok(())
        } else {
            Err(format!("{percent} percent; 1 to 100 can be done"))
        }
    };
    match fault {
        Fault::Partition { shape: rashomon_core::Shape::Groups(groups) } => {
            groups.iter().flatten().try_for_each(exists)
        }
        Fault::Partition { .. } => Ok(()),
        Fault::Delay { target: whom, .. }
        | Fault::Jitter { target: whom, .. }
        | Fault::Kill { target: whom }
        | Fault::PowerOff { target: whom }
        | Fault::Pause { target: whom }
        | Fault::Restart { target: whom }
        | Fault::SlowDisk { target: whom } => target(whom),
        Fault::Loss { target: whom, percent }
        | Fault::Duplicate { target: whom, percent }
        | Fault::Reorder { target: whom, percent }
        | Fault::Corrupt { target: whom, percent } => target(whom).and_then(|()| share(*percent)),
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
