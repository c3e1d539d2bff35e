//! Random faults of the kinds asked for.

use std::time::Duration;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rashomon_core::{Cluster as View, Fault, FaultId, FaultKind, Reshaping, Rng, Seed, Shape, Skew, Target};

use super::cluster::{Cluster, Happening};

#[derive(Clone, Copy, Debug)]
pub(crate) enum NemesisStep {
    Strike,
    Heal(FaultId),
}

pub(crate) struct Nemesis {
    kinds: Vec<FaultKind>,
    rng: Rng,
    next: u32,
    active: Vec<FaultId>,
    stopped: bool,
    /// The longest time between two strikes, in milliseconds: some runs are wilder than others.
    longest_gap: u64,
}

impl Nemesis {
    pub(crate) fn new(kinds: Vec<FaultKind>, seed: Seed) -> Nemesis {
        let mut rng = seed.rng();
        let longest_gap = rng.random_range(100..=900);
        Nemesis { kinds, rng, next: 0, active: Vec::new(), stopped: false, longest_gap }
    }

    /// Begins; in one run of three all disks are slow throughout, so that a power failure finds something to lose.
    pub(crate) fn start(&mut self, cluster: &mut Cluster) {
        if self.kinds.contains(&FaultKind::SlowDisk) && self.rng.random_range(0..3_u32) == 0 {
            self.inject(&Fault::SlowDisk { target: Target::All }, cluster);
        }
        self.schedule(cluster);
    }

    fn schedule(&mut self, cluster: &mut Cluster) {
        let when = cluster.now() + Duration::from_millis(self.rng.random_range(20..=self.longest_gap));
        cluster.at(when, Happening::Nemesis(NemesisStep::Strike));
    }

    pub(crate) fn take(&mut self, step: NemesisStep, cluster: &mut Cluster) {
        match step {
            NemesisStep::Strike if self.stopped => {}
            NemesisStep::Strike => {
                self.strike(cluster);
                self.schedule(cluster);
            }
            NemesisStep::Heal(id) => {
                self.active.retain(|active| *active != id);
                cluster.heal(id);
            }
        }
    }

    fn strike(&mut self, cluster: &mut Cluster) {
        let Some(kind) = self.kinds.choose(&mut self.rng) else { return };
        let fault = fault(*kind, &mut self.rng);
        if let Some(id) = self.inject(&fault, cluster) {
            let heal = cluster.now() + Duration::from_millis(self.rng.random_range(50..=1500));
            cluster.at(heal, Happening::Nemesis(NemesisStep::Heal(id)));
        }
    }

    fn inject(&mut self, fault: &Fault, cluster: &mut Cluster) -> Option<FaultId> {
        let running = cluster.running();
        let view = View { nodes: cluster.nodes(), running: &running, leader: cluster.leader(), source: None };
        let disruption = fault.resolve(&view, &mut self.rng)?;
        let id = FaultId(self.next);
        self.next += 1;
        self.active.push(id);
        cluster.inject(id, disruption);
        Some(id)
    }

    /// Ends all faults for good.
    pub(crate) fn stop(&mut self, cluster: &mut Cluster) {
        self.stopped = true;
        for id in self.active.drain(..) {
            cluster.heal(id);
        }
    }
}

fn fault(kind: FaultKind, rng: &mut Rng) -> Fault {
    let targets = [Target::One, Target::Minority, Target::Majority, Target::All, Target::Leader];
    let target = targets.choose(rng).expect("there are some").clone();
    let shapes = Shape::NAMED;
    let shape = shapes.choose(rng).expect("there are some").0.clone();
    match kind {
        FaultKind::Partition => Fault::Partition { shape },
        FaultKind::Delay => Fault::Delay { target, by: Duration::from_millis(rng.random_range(1..=80)) },
        FaultKind::Jitter => {
            Fault::Jitter { target, up_to: Duration::from_millis(rng.random_range(1..=150)) }
        }
        FaultKind::Loss => Fault::Loss { target, percent: rng.random_range(5..=60) },
        FaultKind::Duplicate => Fault::Duplicate { target, percent: rng.random_range(5..=80) },
        FaultKind::Reorder => Fault::Reorder { target, percent: rng.random_range(5..=80) },
        FaultKind::Corrupt => Fault::Corrupt { target, percent: rng.random_range(5..=60) },
        FaultKind::Kill => Fault::Kill { target },
        FaultKind::PowerOff => Fault::PowerOff { target },
        FaultKind::Pause => Fault::Pause { target },
        FaultKind::Restart => Fault::Restart { target },
        FaultKind::SlowDisk => Fault::SlowDisk { target },
        FaultKind::Membership => {
            let changes = [Reshaping::Shrink, Reshaping::Grow, Reshaping::Replace];
            Fault::Membership { change: changes.choose(rng).expect("there are some").clone() }
        }
        FaultKind::Clock => {
            let seconds = Duration::from_secs(rng.random_range(1..=60));
            let skews = [Skew::Ahead(seconds), Skew::Behind(seconds), Skew::Fast(20), Skew::Slow(20)];
            Fault::Clock { target, skew: *skews.choose(rng).expect("there are some") }
        }
    }
}
