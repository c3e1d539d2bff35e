//! Runs against real processes.

use std::sync::atomic::AtomicBool;

use rashomon_core::client::Policy;
use rashomon_core::{RunId, WorldError};
use rashomon_live::{Config, LiveWorld};
use rashomon_results::{Network, NodeReport, RunFolder};

use super::{Outcome, RunError, Script, Settings, Stage, play};
use crate::plan::Plan;
use crate::progress::Observer;

/// Runs the plan against real processes.
pub fn live(
    plan: &Plan,
    settings: &Settings,
    observer: &mut dyn Observer,
    interrupted: &AtomicBool,
) -> Result<Outcome, RunError> {
    let folder = RunFolder::create_fresh(&settings.out, plan.system.name)?;
    play(Script::Drawn(plan), folder, settings, observer, interrupted, |_, folder| {
        // Runs of one seed may overlap: what tells them apart must not come from the seed alone.
        let run = RunId(plan.seed.split("run").0 ^ u64::from(std::process::id()));
        let config = Config::new(plan.system.name, plan.nodes, plan.seed, run, folder.to_owned());
        let world = LiveWorld::start(Config {
            bugs: plan.bugs.clone(),
            options: plan.options.clone(),
            policy: Policy { sessions: plan.system.sessions, ..Policy::default() },
            executable: settings.executable.clone(),
            ..config
        })?;
        Ok(Box::new(world))
    })
}

impl Stage for LiveWorld {
    fn finish(self: Box<Self>) -> Result<Network, WorldError> {
        let (counts, journal) = self.shutdown()?;
        let starts = counts.starts;
        let nodes = counts
            .nodes
            .into_iter()
            .map(|(node, counters)| NodeReport {
                bad_checksum: counters.damaged,
                foreign: counters.foreign + counters.misaddressed + counters.stale,
                starts: starts.get(&node).copied().unwrap_or(0),
                ..NodeReport::new(node)
            })
            .collect();
        Ok(Network { unjournaled: journal.left_out, ..Network::new(counts.links, nodes) })
    }
}
