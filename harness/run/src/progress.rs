//! What a run tells those who watch it: one event type, any number of consumers.

use rashomon_core::{FaultId, FaultKind, Op, Time};

/// The parts of a run, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nodes begin.
    Starting,
    /// Clients ask, faults strike.
    Main,
    /// Nothing new is asked; open ops end.
    Draining,
    /// Every fault is lifted.
    Healing,
    /// Every key is read through every node.
    FinalReads,
    /// The nodes end.
    Stopping,
    /// The checkers judge.
    Checking,
    /// The report is written.
    Reporting,
}

impl Phase {
    /// A word or two for people.
    pub fn title(self) -> &'static str {
        match self {
            Phase::Starting => "starting nodes",
            Phase::Main => "running",
            Phase::Draining => "waiting for open ops",
            Phase::Healing => "healing",
            Phase::FinalReads => "final reads",
            Phase::Stopping => "stopping nodes",
            Phase::Checking => "checking",
            Phase::Reporting => "writing the report",
        }
    }
}

/// Something worth showing.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A phase begins.
    Phase(Phase),
    /// An op was recorded.
    Op(&'a Op),
    /// A fault is in force; the text says whom it strikes.
    Injected(FaultId, FaultKind, &'a str),
    /// A fault is lifted.
    Healed(FaultId),
    /// Something went wrong that will be in the verdict.
    Problem(&'a str),
    /// Time passes; comes at least ten times a second.
    Tick(Time),
}

/// Somebody who watches a run.
pub trait Observer {
    /// Takes one more event.
    fn event(&mut self, event: &Event<'_>);
}

/// Watches nothing.
#[derive(Debug)]
pub struct Nobody;

impl Observer for Nobody {
    fn event(&mut self, _event: &Event<'_>) {}
}
