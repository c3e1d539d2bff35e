//! Shows a run while it goes: one living line on a terminal, a line for each thing that matters elsewhere.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rashomon_core::{FaultId, Kind, Time};
use rashomon_run::Plan;
use rashomon_run::progress::{Event, Observer, Phase};

/// Whether to use colour on a stream.
pub(crate) fn colour(is_terminal: bool) -> bool {
    is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// An observer that writes to standard error.
pub(crate) fn observer(plan: &Plan, is_terminal: bool) -> Box<dyn Observer> {
    let status = Status { limit: plan.time_limit, ..Status::default() };
    let bugs =
        if plan.bugs.is_empty() { String::new() } else { format!(", with bug {}", plan.bugs.join(", ")) };
    eprintln!(
        "{} on {} nodes, workload {}, {} clients, seed {}{bugs}",
        plan.system.name, plan.nodes, plan.workload, plan.concurrency, plan.seed
    );
    if !is_terminal {
        return Box::new(Lines { status, last: Time::ZERO });
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{spinner} {wide_msg}").expect("the template is well formed");
    bar.set_style(style);
    bar.enable_steady_tick(Duration::from_millis(120));
    Box::new(Living { status, bar })
}

/// A bar that counts up to so many, on a terminal.
pub(crate) fn counter(count: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(count), target());
    bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
    bar
}

/// A line that says what is going on, on a terminal.
pub(crate) fn spinner(template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, target());
    bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn target() -> ProgressDrawTarget {
    if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}

/// What is known of the run right now.
#[derive(Default)]
struct Status {
    limit: Duration,
    phase: Option<Phase>,
    now: Time,
    ok: u64,
    fail: u64,
    info: u64,
    faults: BTreeMap<FaultId, String>,
    /// Completions at the last change of second, and the rate reckoned then.
    window: (Time, u64),
    rate: f64,
}

impl Status {
    fn update(&mut self, event: &Event<'_>) {
        match event {
            Event::Phase(phase) => self.phase = Some(*phase),
            Event::Op(op) => match op.kind {
                Kind::Ok => self.ok += 1,
                Kind::Fail => self.fail += 1,
                Kind::Info if op.process != rashomon_core::Process::Nemesis => self.info += 1,
                Kind::Info | Kind::Invoke => {}
            },
            Event::Injected(id, kind, whom) => drop(self.faults.insert(*id, format!("{kind} {whom}"))),
            Event::Healed(id) => drop(self.faults.remove(id)),
            Event::Problem(_) => {}
            Event::Tick(now) => {
                self.now = *now;
                let seconds = now.since(self.window.0).as_secs_f64();
                if seconds >= 1.0 {
                    let done = self.ok + self.fail + self.info;
                    self.rate = (done - self.window.1) as f64 / seconds;
                    self.window = (*now, done);
                }
            }
        }
    }

    fn line(&self) -> String {
        let phase = self.phase.map_or("", Phase::title);
        if self.phase != Some(Phase::Main) {
            return phase.to_owned();
        }
        let faults: Vec<&str> = self.faults.values().map(String::as_str).collect();
        let faults = if faults.is_empty() { "no fault".to_owned() } else { faults.join(", ") };
        format!(
            "{phase} {:.0}/{:.0} s  {:.0} ops/s  {} ok {} fail {} info  [{faults}]",
            self.now.as_secs_f64(),
            self.limit.as_secs_f64(),
            self.rate,
            self.ok,
            self.fail,
            self.info
        )
    }
}

/// One line that changes in place.
struct Living {
    status: Status,
    bar: ProgressBar,
}

impl Observer for Living {
    fn event(&mut self, event: &Event<'_>) {
        self.status.update(event);
        match event {
            Event::Op(_) => {}
            Event::Problem(problem) => self.bar.println(format!("  {problem}")),
            Event::Phase(_) | Event::Injected(..) | Event::Healed(_) | Event::Tick(_) => {
                self.bar.set_message(self.status.line());
            }
        }
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A line now and then, for a log.
struct Lines {
    status: Status,
    last: Time,
}

impl Observer for Lines {
    fn event(&mut self, event: &Event<'_>) {
        self.status.update(event);
        match event {
            Event::Phase(Phase::Main) | Event::Op(_) | Event::Healed(_) => {}
            Event::Phase(phase) => eprintln!("{}", phase.title()),
            Event::Injected(_, kind, whom) => {
                eprintln!("{:7.3} s  {kind} {whom}", self.status.now.as_secs_f64());
            }
            Event::Problem(problem) => eprintln!("problem: {problem}"),
            Event::Tick(now) => {
                if self.status.phase == Some(Phase::Main) && now.since(self.last) >= Duration::from_secs(5) {
                    self.last = *now;
                    eprintln!("{}", self.status.line());
                }
            }
        }
    }
}
