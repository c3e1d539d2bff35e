//! The plan file as written.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rashomon_core::{Disruption, Fault, FaultKind, Map, NodeId, Value};
use rashomon_sim::Timing;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::DEFAULT_INTERVAL;

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
    /// The legal weakness whose plan is to be taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// Numbers of the system.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
    /// How fast machines and network are in virtual time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulation: Option<Simulation>,
    /// Which faults, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nemesis: Option<Nemesis>,
    /// The command that repeats the run; for people, and ignored when read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// What a run in virtual time takes machines and network to be; one against processes takes them as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Simulation {
    /// How long things take.
    pub timing: Timing,
    /// Whether messages and records travel as JSON, as on a real wire and disk. Costs more than all else together.
    pub through_json: bool,
}

/// Which faults strike, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "NemesisFile", into = "NemesisFile")]
pub enum Nemesis {
    /// At random, each kind as often as the others.
    Random(Random),
    /// As written.
    Script(Script),
    /// As they happened in another run.
    Recorded(Vec<RecordedFault>),
}

/// A fault that was in force once, to be put in force again at the same time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedFault {
    /// Its number in that run, from which its random draws descend; its place in the list, if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    /// From when.
    #[serde(with = "humantime_serde")]
    pub at: Duration,
    /// Until when; to the end, if missing.
    #[serde(default, with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub until: Option<Duration>,
    /// What the plan of that run asked for.
    pub fault: Fault,
    /// Whom it struck.
    pub disruption: Disruption,
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

/// Any form as written: `kinds` with perhaps an `interval`, a `script`, or what was `recorded`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NemesisFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    kinds: Option<Vec<FaultKind>>,
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    interval: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<Vec<ScriptStep>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded: Option<Vec<RecordedFault>>,
}

impl TryFrom<NemesisFile> for Nemesis {
    type Error = &'static str;

    fn try_from(file: NemesisFile) -> Result<Nemesis, &'static str> {
        match file {
            NemesisFile { kinds: Some(kinds), interval, script: None, recorded: None } => {
                Ok(Nemesis::Random(Random { kinds, interval: interval.unwrap_or(DEFAULT_INTERVAL) }))
            }
            NemesisFile { kinds: None, interval: None, script: Some(steps), recorded: None } => {
                Ok(Nemesis::Script(Script { steps }))
            }
            NemesisFile { kinds: None, interval: None, script: None, recorded: Some(faults) } => {
                Ok(Nemesis::Recorded(faults))
            }
            _ => Err(
                "a nemesis takes `kinds` with perhaps an `interval`, or a `script`, or what was `recorded`",
            ),
        }
    }
}

impl From<Nemesis> for NemesisFile {
    fn from(nemesis: Nemesis) -> NemesisFile {
        match nemesis {
            Nemesis::Random(Random { kinds, interval }) => {
                NemesisFile { kinds: Some(kinds), interval: Some(interval), ..NemesisFile::default() }
            }
            Nemesis::Script(Script { steps }) => {
                NemesisFile { script: Some(steps), ..NemesisFile::default() }
            }
            Nemesis::Recorded(faults) => NemesisFile { recorded: Some(faults), ..NemesisFile::default() },
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
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Vec<Value>>,
}

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
pub(crate) fn plain(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |(reason, _)| reason).to_owned()
}

/// The first line that contains `token`.
pub(crate) fn line_of(text: &str, token: &str) -> Option<usize> {
    text.lines().position(|line| line.contains(token)).map(|index| index + 1)
}
