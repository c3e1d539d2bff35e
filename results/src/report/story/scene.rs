//! What is drawn of a trace: the lanes, and everything between them.

use std::collections::BTreeSet;

use rashomon_core::{Anomaly, Happening, Kind, NodeId, Op, Process, Time, Trace};

use super::super::Parts;
use super::fold::{self, Fold};
use crate::describe;
use crate::faults::FaultSpan;

/// The most messages, requests and answers that are drawn: the last before what was found.
const MESSAGES: usize = 260;
/// The most clients that have a lane.
const CLIENTS: usize = 6;
/// The most nodes that have a lane.
const NODES: u16 = 9;
/// A kind of probe that is said more often than this is a dot, and no label.
pub(super) const RARE: usize = 14;
/// What is said no more often than this is news, and told in words, too.
pub(super) const NEWS: usize = 6;

/// Who has a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Client(u64),
    Node(NodeId),
}

/// How the way of a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At this time, by somebody who takes it up.
    Arrives(Time),
    /// At this time, at a door where nobody takes it up.
    Unheard(Time),
    /// On the way.
    Lost,
    /// After the last that is drawn.
    UnderWay,
}

/// A message, a request or an answer.
#[derive(Debug)]
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) at: Time,
    pub(super) end: End,
    /// What it is, for the class of its line.
    pub(super) class: &'static str,
    /// Its text, to be cut to what fits.
    pub(super) text: String,
    /// Whether it says what the one before it on its way said.
    pub(super) again: bool,
    pub(super) tip: String,
}

/// What a mark on a lane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Timer,
    Durable,
    Dot,
    /// A label of that class.
    Pill(&'static str),
}

/// Something on one lane.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) lane: usize,
    pub(super) at: Time,
    pub(super) sign: Sign,
    pub(super) words: String,
    pub(super) tip: String,
}

/// A stretch of a lane in which nobody is there, or nobody moves.
#[derive(Debug)]
pub(super) struct Absence {
    pub(super) lane: usize,
    /// The marks at its ends.
    pub(super) from: usize,
    pub(super) to: Option<usize>,
    pub(super) class: &'static str,
}

/// A fault while it is in force, by the rules at its ends; none where it begins before or ends after what is drawn.
#[derive(Debug)]
pub(super) struct Band {
    pub(super) from: Option<usize>,
    pub(super) to: Option<usize>,
    pub(super) class: &'static str,
    pub(super) words: String,
}

/// An op of a client.
#[derive(Debug)]
pub(super) struct Bar {
    pub(super) lane: usize,
    pub(super) from: Time,
    pub(super) to: Option<Time>,
    pub(super) class: &'static str,
    pub(super) illegal: bool,
    pub(super) core: bool,
    pub(super) words: String,
    pub(super) tip: String,
}

/// Something that concerns every lane.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) at: Time,
    pub(super) class: &'static str,
    pub(super) words: String,
}

/// All that is drawn.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) lanes: Vec<Who>,
    pub(super) from: Time,
    pub(super) arrows: Vec<Arrow>,
    pub(super) marks: Vec<Mark>,
    pub(super) absences: Vec<Absence>,
    pub(super) bars: Vec<Bar>,
    pub(super) rules: Vec<Rule>,
    pub(super) bands: Vec<Band>,
    pub(super) folds: Vec<Fold>,
    /// What is not drawn, in words.
    pub(super) left_out: Vec<String>,
}

/// When an anomaly was complete: the time of the probe that shows it, or of the last of its ops.
pub(super) fn found(parts: &Parts<'_>, anomaly: &Anomaly) -> Option<Time> {
    if let Some(time) = anomaly.details.get("time").and_then(serde_json::Value::as_u64) {
        return Some(Time(time));
    }
    let ops =
        anomaly.events.iter().filter_map(|index| parts.history.ops().get(usize::try_from(*index).ok()?));
    ops.map(|op| op.time).max()
}

impl Scene {
    /// The scene of a trace, around an anomaly.
    pub(super) fn new(
        parts: &Parts<'_>,
        trace: &Trace,
        anomaly: &Anomaly,
        spans: &[FaultSpan],
    ) -> Option<Scene> {
        let found = found(parts, anomaly)?;
        let until = found;
        let all: Vec<&Happening> =
            trace.happenings.iter().filter(|happening| happening.at() <= until).collect();
        let folds = fold::folds(&all, parts.history, spans);
        let unfolded = |happening: &&Happening| !folds.iter().any(|fold| fold.hides(happening));
        let kept: Vec<&Happening> = all.iter().copied().filter(unfolded).collect();
        let messages: Vec<Time> = kept
            .iter()
            .filter(|happening| fold::is_message(happening))
            .map(|happening| happening.at())
            .collect();
        let from = match messages.len().checked_sub(MESSAGES) {
            None | Some(0) => Time::ZERO,
            Some(spare) => messages[spare],
        };
        let drawn: Vec<&Happening> = kept.into_iter().filter(|happening| happening.at() >= from).collect();
        let core: BTreeSet<u64> =
            describe::core(parts.history, anomaly).iter().map(|(op, _)| op.index).collect();
        let illegal = describe::illegal(anomaly, &describe::core(parts.history, anomaly));
        let pairs: Vec<(&Op, Option<&Op>)> = parts
            .history
            .ops()
            .iter()
            .filter(|op| op.kind == Kind::Invoke && op.process != Process::Nemesis && op.time <= until)
            .map(|op| (op, parts.history.partner_of(op)))
            .filter(|(_, end)| end.is_none_or(|end| end.time >= from))
            .collect();
        let (lanes, silent) = lanes(&drawn, &pairs, &core);
        let mut scene = Scene {
            lanes,
            from,
            arrows: Vec::new(),
            marks: Vec::new(),
            absences: Vec::new(),
            bars: Vec::new(),
            rules: Vec::new(),
            bands: Vec::new(),
            folds: folds.into_iter().filter(|fold| fold.from >= from).collect(),
            left_out: Vec::new(),
        };
        scene.ops(&pairs, &core, &illegal, until);
        scene.happen(&drawn, found, anomaly.events.is_empty(), until);
        scene.faults(spans, from, until);
        let name = describe::clean(&anomaly.name, 60);
        scene.rules.push(Rule { at: found, class: "found", words: format!("{name}: here it shows") });
        let earlier = messages.iter().filter(|at| **at < from).count() as u64;
        let later = trace.happenings.len() as u64 - all.len() as u64 + trace.left_out;
        if earlier > 0 {
            let text = describe::counted(earlier, "earlier message", "earlier messages");
            scene.left_out.push(format!("{text}, up to {}", describe::instant(from)));
        }
        if later > 0 {
            scene.left_out.push(describe::counted(later, "later happening", "later happenings"));
        }
        if silent > 0 {
            scene
                .left_out
                .push(format!("what {} asked", describe::counted(silent, "more client", "more clients")));
        }
        Some(scene)
    }

    pub(super) fn lane(&self, who: Who) -> Option<usize> {
        self.lanes.iter().position(|lane| *lane == who)
    }

    fn ops(&mut self, pairs: &[(&Op, Option<&Op>)], core: &BTreeSet<u64>, illegal: &[u64], until: Time) {
        for (invoke, end) in pairs {
            let Process::Client(process) = invoke.process else { continue };
            let Some(lane) = self.lane(Who::Client(process)) else { continue };
            let to = end.filter(|end| end.time <= until);
            let class = match to.map(|end| end.kind) {
                Some(Kind::Ok | Kind::Invoke) => "ok",
                Some(Kind::Fail) => "fail",
                Some(Kind::Info) | None => "info",
            };
            let key = invoke.key.as_ref().map(|key| format!(" on key {}", describe::clean(key, 40)));
            let result = match to.map(|end| end.kind) {
                Some(Kind::Ok | Kind::Invoke) => describe::result(invoke, to),
                Some(Kind::Fail) => "fail".to_owned(),
                Some(Kind::Info) => "info".to_owned(),
                None => "...".to_owned(),
            };
            self.bars.push(Bar {
                lane,
                from: invoke.time.max(self.from),
                to: to.map(|end| end.time),
                class,
                illegal: illegal.contains(&invoke.index),
                core: core.contains(&invoke.index),
                words: format!("{} → {result}", describe::action(invoke)),
                tip: format!(
                    "op {}{}: {} → {}, from {} to {}",
                    invoke.index,
                    key.unwrap_or_default(),
                    describe::action(invoke),
                    describe::result(invoke, *end),
                    precise(invoke.time),
                    end.map_or_else(|| "never".to_owned(), |end| precise(end.time)),
                ),
            });
        }
    }

    fn faults(&mut self, spans: &[FaultSpan], from: Time, until: Time) {
        for span in spans.iter().filter(|span| span.struck()) {
            let words = format!("{} {}", span.name(), describe::clean(&span.resolved, 80));
            if span.from > until || span.to.is_some_and(|to| to < from) {
                continue;
            }
            let mut rule = |at: Time, words: String| {
                self.rules.push(Rule { at, class: span.family(), words });
                self.rules.len() - 1
            };
            let begin = (span.from >= from).then(|| rule(span.from, words.clone()));
            let end = span.to.filter(|to| *to <= until && *to > span.from);
            let end = end.map(|to| rule(to, format!("end of {words}")));
            // What begins and ends at one moment has no extent.
            if span.to != Some(span.from) {
                self.bands.push(Band { from: begin, to: end, class: span.family(), words });
            }
        }
    }
}

/// Who has a lane, clients first; and how many clients have none.
fn lanes(happenings: &[&Happening], pairs: &[(&Op, Option<&Op>)], core: &BTreeSet<u64>) -> (Vec<Who>, u64) {
    let mut nodes = BTreeSet::new();
    for happening in happenings {
        match happening {
            Happening::Message { link, .. } | Happening::Unheard { link, .. } => {
                nodes.extend([link.from, link.to]);
            }
            Happening::Request { node, .. }
            | Happening::Answer { node, .. }
            | Happening::Timer { node, .. }
            | Happening::Durable { node, .. }
            | Happening::Probe { node, .. }
            | Happening::Boot { node, .. }
            | Happening::End { node, .. }
            | Happening::Stopped { node, .. }
            | Happening::Resumed { node, .. } => {
                nodes.insert(*node);
            }
        }
    }
    // Those whose ops show the anomaly come first, and then those who asked last.
    let mut clients: Vec<(bool, u64, u64)> = Vec::new();
    for (invoke, _) in pairs.iter().rev() {
        let Process::Client(process) = invoke.process else { continue };
        let shows = core.contains(&invoke.index);
        match clients.iter_mut().find(|(_, _, known)| *known == process) {
            Some((known, ..)) => *known |= shows,
            None => clients.push((shows, invoke.index, process)),
        }
    }
    clients.sort_by_key(|(shows, last, _)| (!shows, std::cmp::Reverse(*last)));
    let silent = clients.len().saturating_sub(CLIENTS) as u64;
    clients.truncate(CLIENTS);
    let mut processes: Vec<u64> = clients.into_iter().map(|(_, _, process)| process).collect();
    processes.sort_unstable();
    let nodes = nodes.into_iter().filter(|node| node.0 <= NODES).map(Who::Node);
    (processes.into_iter().map(Who::Client).chain(nodes).collect(), silent)
}

/// An instant to the microsecond.
pub(super) fn precise(time: Time) -> String {
    format!("{:.6} s", time.as_secs_f64())
}
