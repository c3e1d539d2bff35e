//! The network's one judge: decides what becomes of each message.
//!
//! Every fabric, real or simulated, asks the same [`Switch`]. Its decision depends on the seed, the link and
//! how many messages the link carried before, never on timing elsewhere, so the nth message of a link meets
//! the same fate under the same rules.

use std::collections::BTreeMap;
use std::time::Duration;

use arrayvec::ArrayVec;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::{FaultId, Link, Seed, Time};

/// What becomes of the messages on a link. The default lets everything pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkRule {
    /// Nothing passes.
    pub cut: bool,
    /// Everything takes this much longer.
    #[serde(with = "humantime_serde")]
    pub delay: Duration,
    /// Everything takes longer by a random time up to this.
    #[serde(with = "humantime_serde")]
    pub jitter: Duration,
    /// Of a hundred messages, how many vanish.
    pub loss: u8,
    /// Of a hundred messages, how many arrive twice.
    pub duplicate: u8,
    /// Of a hundred messages, how many are held back so that later ones overtake them.
    pub reorder: u8,
    /// Of a hundred messages, how many arrive damaged.
    pub corrupt: u8,
}

/// The longest that a reordered or repeated message is held back.
const HELD_BACK: Duration = Duration::from_millis(30);

/// One arrival of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// When.
    pub at: Time,
    /// The bit that is flipped in this copy, counted from its beginning.
    pub flip: Option<usize>,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// How many messages the link carried before.
    pub sequence: u64,
    /// Its arrivals: none when it was dropped.
    pub deliveries: ArrayVec<Delivery, 2>,
    /// What was done to it, for the journal.
    pub marks: Marks,
}

/// What the switch did to a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a message may meet any mixture of these")]
pub struct Marks {
    /// Dropped because the link is cut.
    pub cut: bool,
    /// Dropped at random.
    pub lost: bool,
    /// Held back.
    pub delayed: bool,
    /// Delivered twice.
    pub duplicated: bool,
    /// Held back so that others overtake it.
    pub reordered: bool,
    /// Damaged.
    pub corrupted: bool,
}

/// The messages of one link, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCounts {
    /// Handed to the switch.
    pub sent: u64,
    /// Let through, repeats not counted.
    pub delivered: u64,
    /// Dropped by a partition.
    pub cut: u64,
    /// Dropped at random.
    pub lost: u64,
    /// Held back.
    pub delayed: u64,
    /// Delivered twice.
    pub duplicated: u64,
    /// Held back so that others overtake them.
    pub reordered: u64,
    /// Damaged.
    pub corrupted: u64,
    /// Let through, and then dropped by the kernel because a buffer was full.
    #[serde(default)]
    pub kernel_dropped: u64,
    /// Bytes handed to the switch.
    pub bytes: u64,
}

/// Decides each message's fate from the rules in force.
#[derive(Debug)]
pub struct Switch {
    seed: Seed,
    rules: BTreeMap<FaultId, BTreeMap<Link, LinkRule>>,
    affected: BTreeMap<FaultId, u64>,
    counts: BTreeMap<Link, LinkCounts>,
}

impl Switch {
    /// A switch that lets everything pass.
    pub fn new(seed: Seed) -> Switch {
        Switch { seed, rules: BTreeMap::new(), affected: BTreeMap::new(), counts: BTreeMap::new() }
    }

    /// Puts a rule in force on some links, on top of those that are.
    pub fn install(&mut self, id: FaultId, links: &[Link], rule: LinkRule) {
        self.rules.insert(id, links.iter().map(|link| (*link, rule)).collect());
        self.affected.entry(id).or_default();
    }

    /// Lifts a rule and tells how many messages it touched. Lifting it again is harmless.
    pub fn remove(&mut self, id: FaultId) -> u64 {
        self.rules.remove(&id);
        self.affected.get(&id).copied().unwrap_or(0)
    }

    /// Whether no rule is in force.
    pub fn is_clear(&self) -> bool {
        self.rules.is_empty()
    }

    /// The messages so far, by link.
    pub fn counts(&self) -> &BTreeMap<Link, LinkCounts> {
        &self.counts
    }

    /// Takes back a delivery that the kernel refused.
    pub fn kernel_dropped(&mut self, link: Link) {
        let counts = self.counts.entry(link).or_default();
        counts.kernel_dropped += 1;
        counts.delivered = counts.delivered.saturating_sub(1);
    }

    /// Decides the fate of a message of `bytes` bytes that enters `link` at `now`.
    pub fn route(&mut self, now: Time, link: Link, bytes: usize) -> Fate {
        let counts = self.counts.entry(link).or_default();
        let sequence = counts.sent;
        counts.sent += 1;
        counts.bytes += bytes as u64;
        let component = u64::from(link.from.0) << 16 | u64::from(link.to.0);
        let mut marks = Marks::default();
        let mut delay = Duration::ZERO;
        let mut twin = Duration::ZERO;
        let mut flip = None;
        for (id, rules) in &self.rules {
            let Some(rule) = rules.get(&link) else { continue };
            // A stream per message and fault: what one rule draws never shifts what another draws.
            let mut rng =
                self.seed.split_number(component).split_number(sequence).split_number(u64::from(id.0)).rng();
            let mut one_of = |percent: u8| rng.random_range(0..100_u8) < percent;
            let (lost, duplicated, reordered, corrupted) =
                (one_of(rule.loss), one_of(rule.duplicate), one_of(rule.reorder), one_of(rule.corrupt));
            let mut up_to =
                |limit: Duration| Duration::from_nanos(rng.random_range(0..=limit.as_nanos() as u64));
            let (jitter, overtaken, repeated) = (up_to(rule.jitter), up_to(HELD_BACK), up_to(HELD_BACK));
            let bit = rng.random_range(0..(bytes.max(1) as u64) * 8);
            let mut touched = rule.cut || lost;
            marks.cut |= rule.cut;
            marks.lost |= lost;
            if !rule.delay.is_zero() || !rule.jitter.is_zero() {
                delay += rule.delay + jitter;
                marks.delayed = true;
                touched = true;
            }
            if reordered {
                delay += overtaken;
                marks.reordered = true;
                touched = true;
            }
            if duplicated {
                twin += repeated;
                marks.duplicated = true;
                touched = true;
            }
            if corrupted {
                flip = Some(bit as usize);
                marks.corrupted = true;
                touched = true;
            }
            *self.affected.entry(*id).or_default() += u64::from(touched);
        }
        let mut deliveries = ArrayVec::new();
        if marks.cut || marks.lost {
            // A dropped message has no further story.
            marks = Marks { cut: marks.cut, lost: marks.lost && !marks.cut, ..Marks::default() };
            counts.cut += u64::from(marks.cut);
            counts.lost += u64::from(marks.lost);
        } else {
            counts.delivered += 1;
            counts.delayed += u64::from(marks.delayed);
            counts.duplicated += u64::from(marks.duplicated);
            counts.reordered += u64::from(marks.reordered);
            counts.corrupted += u64::from(marks.corrupted);
            deliveries.push(Delivery { at: now + delay, flip });
            if marks.duplicated {
                deliveries.push(Delivery { at: now + delay + twin, flip: None });
            }
        }
        Fate { sequence, deliveries, marks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeId;

    const LINK: Link = Link { from: NodeId(1), to: NodeId(2) };
    const BACK: Link = Link { from: NodeId(2), to: NodeId(1) };

    fn fates(rule: LinkRule, count: usize) -> (Vec<Fate>, u64) {
        let mut switch = Switch::new(Seed(9));
        switch.install(FaultId(0), &[LINK], rule);
        let fates = (0..count).map(|_| switch.route(Time::ZERO, LINK, 100)).collect();
        (fates, switch.remove(FaultId(0)))
    }

    #[test]
    fn without_rules_everything_passes_at_once() {
        let mut switch = Switch::new(Seed(9));
        let fate = switch.route(Time(7), LINK, 100);
        assert_eq!(*fate.deliveries, [Delivery { at: Time(7), flip: None }]);
        assert!(switch.is_clear());
    }

    #[test]
    fn a_cut_is_one_way_and_can_be_lifted() {
        let mut switch = Switch::new(Seed(9));
        switch.install(FaultId(3), &[LINK], LinkRule { cut: true, ..LinkRule::default() });
        assert!(switch.route(Time::ZERO, LINK, 1).deliveries.is_empty());
        assert_eq!(switch.route(Time::ZERO, BACK, 1).deliveries.len(), 1);
        assert_eq!(switch.remove(FaultId(3)), 1);
        assert_eq!(switch.remove(FaultId(3)), 1, "lifting twice is harmless");
        assert_eq!(switch.route(Time::ZERO, LINK, 1).deliveries.len(), 1);
        assert_eq!(
            switch.counts()[&LINK],
            LinkCounts { sent: 2, delivered: 1, cut: 1, bytes: 2, ..LinkCounts::default() }
        );
    }

    #[test]
    fn each_rule_does_its_work_about_as_often_as_asked() {
        let share = |rule: LinkRule, test: fn(&Fate) -> bool| {
            fates(rule, 2000).0.iter().filter(|fate| test(fate)).count()
        };
        let about_a_fifth = 300..500;
        let rule = LinkRule::default();
        assert!(about_a_fifth.contains(&share(LinkRule { loss: 20, ..rule }, |f| f.deliveries.is_empty())));
        assert!(
            about_a_fifth.contains(&share(LinkRule { duplicate: 20, ..rule }, |f| f.deliveries.len() == 2))
        );
        assert!(
            about_a_fifth
                .contains(&share(LinkRule { reorder: 20, ..rule }, |f| f.deliveries[0].at > Time::ZERO))
        );
        assert!(
            about_a_fifth
                .contains(&share(LinkRule { corrupt: 20, ..rule }, |f| f.deliveries[0].flip.is_some()))
        );
        let delay = Duration::from_millis(50);
        assert_eq!(share(LinkRule { delay, ..rule }, |f| f.deliveries[0].at == Time(50_000_000)), 2000);
        assert!(
            share(LinkRule { jitter: delay, ..rule }, |f| f.deliveries[0].at <= Time(50_000_000)) == 2000
        );
    }

    #[test]
    fn the_nth_message_of_a_link_meets_the_same_fate() {
        let rule = LinkRule { loss: 30, duplicate: 30, reorder: 30, corrupt: 30, ..LinkRule::default() };
        assert_eq!(fates(rule, 500), fates(rule, 500));
        // Traffic elsewhere changes nothing.
        let mut switch = Switch::new(Seed(9));
        switch.install(FaultId(0), &[LINK], rule);
        let mixed: Vec<Fate> = (0..500)
            .map(|_| {
                switch.route(Time::ZERO, BACK, 5);
                switch.route(Time::ZERO, LINK, 100)
            })
            .collect();
        assert_eq!(mixed, fates(rule, 500).0);
    }

    #[test]
    fn what_a_fault_touched_is_counted_for_that_fault() {
        let (all, touched) = fates(LinkRule { loss: 20, ..LinkRule::default() }, 1000);
        assert_eq!(touched, all.iter().filter(|fate| fate.marks.lost).count() as u64);
        assert_eq!(fates(LinkRule::default(), 10).1, 0);
    }
}
