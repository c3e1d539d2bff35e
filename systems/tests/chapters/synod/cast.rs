//! How the story of the Synod is told.

use rashomon_core::Probe;
use rashomon_systems::paxos::Ballot;
use rashomon_systems::synod::{Message, Step, Synod, Timer, Vote};

use crate::stage::Cast;

pub(super) type Stage = crate::stage::Stage<Synod>;

/// The instance that all scenes are about.
const KEY: &str = "x";

impl Cast for Synod {
    /// Acceptances are many, and what they lead to is told anyway.
    fn message(message: &Message) -> Option<String> {
        let told = |Vote { ballot, value }: Vote| format!("{value} in {ballot}");
        Some(match message.step {
            Step::Prepare { ballot } => format!("promise me {ballot}; what did you accept?"),
            Step::Promise { ballot, vote: None } => format!("I promise {ballot}; I accepted nothing"),
            Step::Promise { ballot, vote: Some(vote) } => {
                format!("I promise {ballot}; I accepted {}", told(vote))
            }
            Step::Accept { vote } => format!("accept {}", told(vote)),
            Step::Accepted { .. } => return None,
            Step::Preempted { promised } => format!("I promised {promised}"),
        })
    }

    fn timer(_timer: &Timer) -> Option<String> {
        Some("has waited long enough".to_owned())
    }

    fn probe(probe: &Probe) -> Option<String> {
        let ballot = Ballot::numbered(probe.number("ballot").unwrap_or_default());
        match probe.probe.as_str() {
            "prepare" => Some(format!("begins ballot {ballot}")),
            "chosen" => Some(format!("holds that {} is chosen, in ballot {ballot}", probe.fields["value"])),
            _ => None,
        }
    }
}

impl Stage {
    /// The process ends and starts again, with what is on its disk.
    pub(super) fn restarts(&mut self, node: u16) {
        self.crash(node);
        self.start(node);
    }

    pub(super) fn retries(&mut self, node: u16) {
        self.fires(node, Timer::Retry { key: KEY.to_owned() });
    }

    pub(super) fn proposes(&mut self, node: u16, value: i64) {
        self.asks(node, &format!(r#"{{"type":"propose","key":"{KEY}","value":{value}}}"#));
    }

    pub(super) fn learns(&mut self, node: u16) {
        self.asks(node, &format!(r#"{{"type":"learn","key":"{KEY}"}}"#));
    }
}
