//! Faults at random, each kind as often as the others.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;
use rashomon_core::{
    Cluster, Disruption, Fault, FaultId, FaultKind, Reshaping, Rng, Shape, Skew, Target, Time,
};

use super::Order;
use super::bag::Bag;
use crate::plan::Random;

/// Before the first fault, so that a leader can be found and ops succeed.
const QUIET_START: Duration = Duration::from_secs(1);
/// Faults in force at a time: more would only keep everybody silent.
const MOST_ACTIVE: usize = 2;
/// A power failure finds unsynced records only where syncing takes long: the disks are slow for so long before it.
const SLOW_BEFORE_POWER_OFF: Duration = Duration::from_millis(400);

/// A way for clocks to be wrong, by an amount that is yet to be drawn.
#[derive(Clone, Copy, Debug)]
enum Skewing {
    Ahead,
    Behind,
    Strobe,
    Fast,
    Slow,
}

impl Skewing {
    const ALL: [Skewing; 5] =
        [Skewing::Ahead, Skewing::Behind, Skewing::Strobe, Skewing::Fast, Skewing::Slow];

    fn draw(self, rng: &mut Rng) -> Skew {
        // From a twentieth of a second to some twelve, each order of magnitude as often as the others.
        let by = Duration::from_millis(50) * (1 << rng.random_range(0..=8_u32));
        let percent = rng.random_range(1..=20);
        match self {
            Skewing::Ahead => Skew::Ahead(by),
            Skewing::Behind => Skew::Behind(by),
            Skewing::Strobe => {
                Skew::Strobe { by, every: Duration::from_millis(1 << rng.random_range(0..=8_u32)) }
            }
            Skewing::Fast => Skew::Fast(percent),
            Skewing::Slow => Skew::Slow(percent),
        }
    }
}

#[derive(Debug)]
pub(super) struct RandomFaults {
    interval: Duration,
    kinds: Bag<FaultKind>,
    shapes: Bag<Shape>,
    targets: Bag<Target>,
    power_targets: Bag<Target>,
    skews: Bag<Skewing>,
    changes: Bag<Reshaping>,
    next_start: Option<Time>,
    next_id: u32,
    heals: BTreeMap<FaultId, Time>,
    /// Power failures to come: their numbers, and the nodes whose disks are slow until then.
    power_offs: BTreeMap<FaultId, (Time, Fault, Disruption)>,
}

impl RandomFaults {
    pub(super) fn new(plan: &Random) -> RandomFaults {
        RandomFaults {
            interval: plan.interval,
            kinds: Bag::new(plan.kinds.clone()),
            shapes: Bag::new(Shape::NAMED.iter().map(|(shape, _)| shape.clone()).collect()),
            targets: Bag::new(vec![
                Target::Leader,
                Target::One,
                Target::Minority,
                Target::Leader,
                Target::Majority,
                Target::All,
            ]),
            // What a minority loses the others still have: only a majority tells synced from written.
            power_targets: Bag::new(vec![Target::All, Target::Majority, Target::All, Target::Leader]),
            skews: Bag::new(Skewing::ALL.to_vec()),
            changes: Bag::new(vec![Reshaping::Shrink, Reshaping::Grow, Reshaping::Replace]),
            next_start: (!plan.kinds.is_empty()).then_some(Time::ZERO + QUIET_START),
            next_id: 0,
            heals: BTreeMap::new(),
            power_offs: BTreeMap::new(),
        }
    }

    pub(super) fn next_due(&self) -> Option<Time> {
        let heal = self.heals.values().copied();
        let power_off = self.power_offs.values().map(|(at, ..)| *at);
        self.next_start.into_iter().chain(heal).chain(power_off).min()
    }

    pub(super) fn due(&mut self, now: Time, cluster: &Cluster<'_>, rng: &mut Rng) -> Vec<Order> {
        let mut orders = Vec::new();
        while let Some((id, (_, fault, disruption))) = take_due(&mut self.power_offs, |(at, ..)| *at <= now) {
            self.heals.insert(id, now + self.lasting(rng));
            orders.push(Order::Inject { id, fault, disruption });
        }
        while let Some((id, _)) = take_due(&mut self.heals, |at| *at <= now) {
            orders.push(Order::Heal { id });
        }
        if self.next_start.is_some_and(|start| start <= now) {
            if self.heals.len() + self.power_offs.len() >= MOST_ACTIVE {
                // A place becomes free when the next fault is healed.
                self.next_start =
                    self.heals.values().min().map(|heal| (*heal).max(now) + Duration::from_millis(1));
            } else {
                orders.extend(self.begin(now, cluster, rng));
                let gap = rng.random_range(
                    self.interval.as_nanos() as u64 / 2..=self.interval.as_nanos() as u64 * 3 / 2,
                );
                self.next_start = Some(now + Duration::from_nanos(gap));
            }
        }
        orders
    }

    fn lasting(&self, rng: &mut Rng) -> Duration {
        let interval = self.interval.as_nanos() as u64;
        Duration::from_nanos(rng.random_range(interval / 2..=interval * 5 / 4))
    }

    fn fresh_id(&mut self) -> FaultId {
        let id = FaultId(self.next_id);
        self.next_id += 1;
        id
    }

    fn begin(&mut self, now: Time, cluster: &Cluster<'_>, rng: &mut Rng) -> Vec<Order> {
        let Some(kind) = self.kinds.draw(rng) else { return Vec::new() };
        let fault = self.fault(kind, rng);
        let id = self.fresh_id();
        let Some(disruption) = fault.resolve(cluster, rng) else {
            return vec![Order::Skip { id, fault }];
        };
        if let Disruption::PowerOff { nodes } = &disruption {
            let slow = Fault::SlowDisk { target: Target::Nodes(nodes.clone()) };
            let slow_id = self.fresh_id();
            let orders = slow
                .resolve(cluster, rng)
                .map(|disruption| Order::Inject { id: slow_id, fault: slow, disruption })
                .into_iter()
                .collect();
            let at = now + SLOW_BEFORE_POWER_OFF;
            // Lifted right after the power failed: nothing is synced by a node that is off.
            self.heals.insert(slow_id, at + Duration::from_millis(1));
            self.power_offs.insert(id, (at, fault, disruption));
            return orders;
        }
        let lasting = if kind == FaultKind::Restart { Duration::ZERO } else { self.lasting(rng) };
        self.heals.insert(id, now + lasting);
        vec![Order::Inject { id, fault, disruption }]
    }

    /// A fault of that kind, with a target or shape from its own bag.
    fn fault(&mut self, kind: FaultKind, rng: &mut Rng) -> Fault {
        let mut target = || self.targets.draw(rng).unwrap_or_default();
        let all = Target::All;
        match kind {
            FaultKind::Partition => Fault::Partition { shape: self.shapes.draw(rng).unwrap_or_default() },
            FaultKind::Delay => {
                Fault::Delay { target: all, by: Duration::from_millis(rng.random_range(20..=100)) }
            }
            FaultKind::Jitter => {
                Fault::Jitter { target: all, up_to: Duration::from_millis(rng.random_range(20..=100)) }
            }
            FaultKind::Loss => Fault::Loss { target: all, percent: rng.random_range(10..=40) },
            FaultKind::Duplicate => Fault::Duplicate { target: all, percent: rng.random_range(10..=50) },
            FaultKind::Reorder => Fault::Reorder { target: all, percent: rng.random_range(10..=50) },
            FaultKind::Corrupt => Fault::Corrupt { target: all, percent: rng.random_range(10..=40) },
            FaultKind::Kill => Fault::Kill { target: target() },
            FaultKind::Pause => Fault::Pause { target: target() },
            FaultKind::Restart => Fault::Restart { target: target() },
            FaultKind::PowerOff => {
                Fault::PowerOff { target: self.power_targets.draw(rng).unwrap_or_default() }
            }
            FaultKind::SlowDisk => Fault::SlowDisk { target: all },
            FaultKind::Membership => Fault::Membership { change: self.changes.draw(rng).unwrap_or_default() },
            FaultKind::Clock => {
                let target = target();
                let skew = self.skews.draw(rng).expect("the bag of skews is never empty").draw(rng);
                Fault::Clock { target, skew }
            }
        }
    }
}

/// Takes the first entry whose time has come.
fn take_due<T>(map: &mut BTreeMap<FaultId, T>, due: impl Fn(&T) -> bool) -> Option<(FaultId, T)> {
    let id = map.iter().find(|(_, value)| due(value)).map(|(id, _)| *id)?;
    map.remove(&id).map(|value| (id, value))
}
