//! The text, part by part.

use std::path::Path;

use rashomon_core::{Anomaly, History, Validity};
use serde_json::Value;

use super::paint::Paint;
use super::table::{Align, Table};
use crate::{Coverage, RunVerdict, Totals, describe};

/// Where text is wrapped.
const WIDTH: usize = 100;

/// How many anomalies of a checker are shown in full.
const ANOMALIES: usize = 3;

/// How many ops of an anomaly are shown: a core that was not reduced may have thousands.
const EVENTS: usize = 16;

/// How many lines of evidence, problems or causes are shown.
const LINES: usize = 8;

/// What the text is made from. Only the verdict must be there.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The verdict.
    pub verdict: &'a RunVerdict,
    /// The plan, for the first line and the command.
    pub plan: Option<&'a Value>,
    /// The history, for the events of anomalies.
    pub history: Option<&'a History>,
    /// The folder of the run.
    pub run: Option<&'a Path>,
    /// The report.
    pub report: Option<&'a Path>,
    /// Whether the terminal wants colour.
    pub colour: bool,
}

/// The verdict as text, with a final newline.
pub fn render(shown: &Shown<'_>) -> String {
    let paint = Paint { on: shown.colour };
    let verdict = shown.verdict;
    let mut out = Vec::new();
    headline(&mut out, shown, paint);
    out.push(String::new());
    checkers(&mut out, verdict, paint);
    for checker in &verdict.checkers {
        for anomaly in checker.anomalies.iter().take(ANOMALIES) {
            out.push(String::new());
            show_anomaly(&mut out, anomaly, shown.history, paint);
        }
        if checker.anomalies.len() > ANOMALIES {
            let more = checker.anomalies.len() - ANOMALIES;
            out.push(format!("  and {more} more of {}", describe::clean(&checker.checker, 40)));
        }
    }
    for weakness in &verdict.weaknesses {
        out.push(String::new());
        out.extend(bullet("legal: ", &describe::weakness(weakness)));
    }
    if !verdict.coverage.is_empty() {
        out.push(String::new());
        coverage(&mut out, &verdict.coverage, paint);
    }
    out.push(String::new());
    totals(&mut out, &verdict.totals, &verdict.ended.to_string());
    places(&mut out, shown, paint);
    out.push(String::new());
    out.join("\n")
}

fn headline(out: &mut Vec<String>, shown: &Shown<'_>, paint: Paint) {
    let verdict = shown.verdict;
    let word = verdict.valid.to_string().to_uppercase();
    out.push(format!("{}  {}", paint.banner(verdict.valid, &word), subject(shown)));
    // A verdict that stands on problems lists them; its summary would say them once more.
    let reasons = if verdict.valid != Validity::Unknown || verdict.problems.is_empty() {
        out.extend(wrapped(&verdict.summary, 2).into_iter().map(|line| paint.bold(&line)));
        &verdict.problems[..]
    } else {
        let (first, rest) = (&verdict.problems[0], &verdict.problems[1..]);
        out.extend(wrapped(first, 2).into_iter().map(|line| paint.bold(&line)));
        rest
    };
    for problem in reasons.iter().take(LINES) {
        out.extend(bullet("also: ", problem));
    }
    if reasons.len() > LINES {
        out.push(format!("  and {} more", reasons.len() - LINES));
    }
}

/// What was tested: `raft, register, 5 nodes, bug stale-read, seed 7`.
fn subject(shown: &Shown<'_>) -> String {
    let mut parts = Vec::new();
    if let Some(plan) = shown.plan {
        let plan = crate::plan::PlanView::new(plan);
        parts.extend(plan.system());
        parts.extend(plan.workload());
        parts.extend(plan.nodes().map(|nodes| describe::counted(nodes, "node", "nodes")));
        parts.extend(plan.bugs().map(|bugs| format!("bug {bugs}")));
        parts.extend(plan.seed().map(|seed| format!("seed {seed}")));
    }
    if parts.is_empty() { "a recorded history".to_owned() } else { parts.join(", ") }
}

fn checkers(out: &mut Vec<String>, verdict: &RunVerdict, paint: Paint) {
    let widest = verdict.checkers.iter().map(|checker| checker.checker.chars().count()).max().unwrap_or(0);
    for checker in &verdict.checkers {
        let name = describe::clean(&checker.checker, 40);
        let indent = 2 + 9 + widest.min(40) + 2;
        let lines = wrapped(&describe::gist(checker), indent);
        let text = lines.iter().map(|line| line.trim_start()).collect::<Vec<_>>();
        let word = paint.validity(checker.valid, &format!("{:<7}", checker.valid));
        out.push(format!("  {word}  {name:<widest$}  {}", text.first().unwrap_or(&"")));
        out.extend(lines.into_iter().skip(1));
        for cause in checker.unknown.iter().filter(|cause| **cause != checker.summary).take(LINES) {
            out.extend(wrapped(cause, indent));
        }
    }
}

fn show_anomaly(out: &mut Vec<String>, anomaly: &Anomaly, history: Option<&History>, paint: Paint) {
    let key = anomaly.key.as_ref().map(|key| format!(" on key {}", describe::clean(key, 40)));
    let name = describe::clean(&anomaly.name, 60);
    out.push(format!("  {}", paint.validity(Validity::Invalid, &(name + &key.unwrap_or_default()))));
    if let Some(history) = history {
        out.extend(events(anomaly, history, paint));
    }
    for line in anomaly.evidence.iter().take(LINES) {
        out.extend(wrapped(line, 4));
    }
    if anomaly.evidence.len() > LINES {
        out.push(format!("    and {} lines more of evidence", anomaly.evidence.len() - LINES));
    }
    out.extend(bullet("because ", &anomaly.because));
}

fn events(anomaly: &Anomaly, history: &History, paint: Paint) -> Vec<String> {
    let core = describe::core(history, anomaly);
    if core.is_empty() {
        return Vec::new();
    }
    let illegal = describe::illegal(anomaly, &core);
    let mut table = Table::new(&[
        ("index", Align::Right),
        ("from", Align::Right),
        ("to", Align::Right),
        ("process", Align::Right),
        ("node", Align::Left),
        ("operation", Align::Left),
    ]);
    // The illegal op is what it is all about, so it is never among those left out.
    let kept: Vec<_> = core
        .iter()
        .enumerate()
        .filter(|(position, (invoke, _))| *position < EVENTS - 1 || illegal.contains(&invoke.index))
        .map(|(_, pair)| pair)
        .collect();
    for (invoke, completion) in &kept {
        let marked = illegal.contains(&invoke.index);
        let node = completion.and_then(|op| op.node.as_deref()).or(invoke.node.as_deref());
        let operation = format!(
            "{} -> {}{}",
            describe::action(invoke),
            describe::result(invoke, *completion),
            if marked { "   <-- cannot be" } else { "" }
        );
        table.row(
            vec![
                invoke.index.to_string(),
                describe::instant(invoke.time),
                completion.map_or_else(|| "...".to_owned(), |op| describe::instant(op.time)),
                invoke.process.to_string(),
                describe::clean(node.unwrap_or("-"), 20),
                operation,
            ],
            marked,
        );
    }
    let mut lines = table.lines(4, paint, |line| paint.validity(Validity::Invalid, line));
    if kept.len() < core.len() {
        lines.push(format!("    and {} ops more", core.len() - kept.len()));
    }
    lines
}

fn coverage(out: &mut Vec<String>, coverage: &[Coverage], paint: Paint) {
    let mut table = Table::new(&[
        ("fault", Align::Left),
        ("injected", Align::Right),
        ("bit", Align::Right),
        ("what it did", Align::Left),
    ]);
    for fault in coverage {
        let did = describe::effect(&fault.total());
        table.row(
            vec![fault.kind.to_string(), fault.injected.to_string(), fault.bit.to_string(), did],
            fault.bit == 0,
        );
    }
    out.extend(table.lines(2, paint, |line| paint.validity(Validity::Unknown, line)));
}

fn totals(out: &mut Vec<String>, totals: &Totals, ended: &str) {
    let took = describe::span(totals.duration.since(rashomon_core::Time::ZERO));
    out.push(format!(
        "  {} in {took} ({:.0} ok/s): {} ok, {} fail, {} info",
        describe::counted(totals.ops, "op", "ops"),
        totals.ok_rate(),
        describe::count(totals.ok),
        describe::count(totals.fail),
        describe::count(totals.info),
    ));
    let mut more = Vec::new();
    more.extend(
        totals
            .first_ok
            .map(|time| format!("first ok after {}", describe::span(time.since(rashomon_core::Time::ZERO)))),
    );
    more.extend(totals.leader_changes.map(|n| describe::counted(n, "change of leader", "changes of leader")));
    more.push(ended.to_owned());
    out.push(format!("  {}", more.join("; ")));
}

fn places(out: &mut Vec<String>, shown: &Shown<'_>, paint: Paint) {
    let command = shown.plan.and_then(|plan| crate::plan::PlanView::new(plan).command());
    let places = [
        ("run", shown.run.map(|path| path.display().to_string())),
        ("report", shown.report.map(|path| path.display().to_string())),
        ("again", command),
    ];
    if places.iter().any(|(_, place)| place.is_some()) {
        out.push(String::new());
    }
    for (name, place) in places {
        if let Some(place) = place {
            // Never cut or wrapped: these are for copying.
            out.push(format!("  {}  {}", paint.faint(&format!("{name:<6}")), describe::clean(&place, 4096)));
        }
    }
}

fn bullet(mark: &str, text: &str) -> Vec<String> {
    let mut lines = wrapped(text, 2 + mark.len());
    if let Some(first) = lines.first_mut() {
        *first = format!("  {mark}{}", first.trim_start());
    }
    lines
}

/// Text in lines of at most [`WIDTH`], each behind `indent` spaces.
fn wrapped(text: &str, indent: usize) -> Vec<String> {
    let text = describe::clean(text, 2000);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let length = line.chars().count() + usize::from(!line.is_empty()) + word.chars().count();
        if !line.is_empty() && indent + length > WIDTH {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines.into_iter().map(|line| " ".repeat(indent) + &line).collect()
}
