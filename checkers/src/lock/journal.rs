//! The journal read as a story: section after section.

use std::collections::BTreeMap;

use rashomon_core::{Anomaly, Kind};

use super::evidence::{Effect, Key, completed};

/// What the longest journal shows of one section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    pub(super) work: u64,
    pub(super) token: Option<u64>,
    /// The places of its first and last effect.
    pub(super) first: usize,
    pub(super) last: usize,
    /// The value that it read, and the one that it left, so far.
    pub(super) read: u64,
    pub(super) wrote: u64,
    /// The place of the first effect of another section after its first.
    pub(super) followed: Option<usize>,
}

/// The sections that a journal shows, by the work they do.
pub(super) type Sections = BTreeMap<u64, Section>;

impl Key<'_> {
    /// Reads the longest journal from its beginning, and accuses whatever cannot be.
    pub(super) fn sections(&self, anomalies: &mut Vec<Anomaly>) -> Sections {
        let mut sections = Sections::new();
        let mut present: Option<u64> = None;
        let mut value = 0;
        // The greatest token, whose it is, and where.
        let mut greatest: Option<(u64, u64, usize)> = None;
        let shown_first = self.shown_first();
        for (place, effect) in self.journal.iter().enumerate() {
            let work = effect.work;
            if let Some(before) = present.filter(|before| *before != work)
                && let Some(section) = sections.get_mut(&before)
            {
                section.followed.get_or_insert(place);
            }
            present = Some(work);
            match sections.get_mut(&work) {
                None => {
                    self.judge_origin(effect, shown_first[place], anomalies);
                    sections.insert(
                        work,
                        Section {
                            work,
                            token: effect.token,
                            first: place,
                            last: place,
                            read: effect.value,
                            wrote: effect.value,
                            followed: None,
                        },
                    );
                    if effect.write {
                        anomalies.push(self.irregular(effect, place, "it wrote and never read"));
                    } else if effect.value != value {
                        let because = format!(
                            "{} read {}, and the value that was last written is {value}",
                            self.named(work),
                            effect.value
                        );
                        let ops = [self.longest(), self.work(work)];
                        anomalies.push(self.accuse("wrong-read", &ops, &self.journal[..=place], because));
                    }
                }
                Some(section) => {
                    let expected = section.wrote + 1;
                    section.last = place;
                    let section = *section;
                    if let Some(followed) = section.followed {
                        anomalies.push(self.overlap(&section, followed, place, value));
                    }
                    if !effect.write || effect.value != expected {
                        anomalies.push(self.irregular(
                            effect,
                            place,
                            &format!("its write of {expected} was due"),
                        ));
                    } else if let Some(section) = sections.get_mut(&work) {
                        section.wrote = effect.value;
                    }
                    if effect.token != section.token {
                        let because = format!(
                            "{} showed the tokens {:?} and {:?}",
                            self.named(work),
                            section.token.unwrap_or_default(),
                            effect.token.unwrap_or_default()
                        );
                        let ops = [self.longest(), self.work(work)];
                        let effects = [self.journal[section.first], *effect];
                        anomalies.push(self.accuse("token-changed", &ops, &effects, because));
                    }
                }
            }
            if let Some(token) = effect.token {
                match greatest {
                    Some((most, whose, at)) if token < most => {
                        anomalies.push(self.stale(effect, place, (most, whose, at)));
                    }
                    Some((most, whose, at)) if token == most && whose != work => {
                        let because = format!(
                            "{} and {} both did something with token {token}",
                            self.named(whose),
                            self.named(work)
                        );
                        let ops = [self.longest(), self.work(whose), self.work(work)];
                        let effects = [self.journal[at], *effect];
                        anomalies.push(self.accuse("token-reuse", &ops, &effects, because));
                    }
                    Some((most, ..)) if token == most => {}
                    Some(_) | None => greatest = Some((token, work, place)),
                }
            }
            if effect.write {
                value = effect.value;
            }
        }
        self.judge_order(&sections, anomalies);
        sections
    }

    /// For each effect the index at which a read had first shown it.
    fn shown_first(&self) -> Vec<u64> {
        let mut readings: Vec<_> = self.readings.iter().collect();
        readings.sort_by_key(|reading| reading.completed());
        let mut shown = Vec::with_capacity(self.journal.len());
        for reading in readings {
            while shown.len() < reading.length {
                shown.push(reading.completed());
            }
        }
        shown
    }

    /// Whether somebody had asked for the section whose first effect this is.
    fn judge_origin(&self, effect: &Effect, shown: u64, anomalies: &mut Vec<Anomaly>) {
        let cause = match self.work(effect.work) {
            None => "nobody ever asked for it".to_owned(),
            Some(pair) if pair.outcome() == Kind::Fail => {
                format!("op {} failed, and so certainly did nothing", pair.invoke.index)
            }
            Some(pair) if pair.invoke.index > shown => {
                format!("it was asked for later (op {})", pair.invoke.index)
            }
            Some(_) => return,
        };
        let reader =
            self.readings.iter().find(|reading| reading.completed() == shown).map(|reading| reading.pair);
        let because = format!("a journal shows work {}, but {cause}", effect.work);
        let ops = [reader, self.work(effect.work)];
        anomalies.push(self.accuse("phantom-effect", &ops, &[*effect], because));
    }

    fn irregular(&self, effect: &Effect, place: usize, due: &str) -> Anomaly {
        let did = if effect.write { "wrote" } else { "read" };
        let because = format!("{} {did} {} where {due}", self.named(effect.work), effect.value);
        let from = self.journal.iter().position(|other| other.work == effect.work).unwrap_or(place);
        let ops = [self.longest(), self.work(effect.work)];
        self.accuse("repeated-effect", &ops, &self.journal[from..=place], because)
    }

    /// An effect of a section after another has begun. `value` is what was there.
    fn overlap(&self, section: &Section, followed: usize, place: usize, value: u64) -> Anomaly {
        let (other, effect) = (self.journal[followed].work, self.journal[place]);
        let lost = if effect.write && effect.value <= value {
            format!(", and so over the {value} that was there")
        } else {
            String::new()
        };
        let did = if effect.write { "wrote" } else { "read" };
        let because = format!(
            "{} {did} {} at the resource after {} had begun there{lost}: both were in their critical section",
            self.named(section.work),
            effect.value,
            self.named(other)
        );
        let ops = [self.longest(), self.work(section.work), self.work(other)];
        self.accuse("overlapping-sections", &ops, &self.journal[section.first..=place], because)
    }

    fn stale(&self, effect: &Effect, place: usize, greatest: (u64, u64, usize)) -> Anomaly {
        let (most, whose, at) = greatest;
        let because = format!(
            "the resource accepted token {} of {} after token {most} of {}",
            effect.token.unwrap_or_default(),
            self.named(effect.work),
            self.named(whose)
        );
        let ops = [self.longest(), self.work(effect.work), self.work(whose)];
        self.accuse("stale-token", &ops, &self.journal[at..=place], because)
    }

    /// A section that was acknowledged before another was asked for stands before it.
    fn judge_order(&self, sections: &Sections, anomalies: &mut Vec<Anomaly>) {
        let acknowledged = |work: u64| {
            self.work(work).filter(|pair| pair.outcome() == Kind::Ok).map(|pair| completed(&pair))
        };
        let mut ordered: Vec<&Section> = sections.values().collect();
        ordered.sort_by_key(|section| section.first);
        // Of the sections that stand later the one that was acknowledged first.
        let mut earliest: Option<(u64, u64)> = None;
        for section in ordered.into_iter().rev() {
            if let (Some(pair), Some((done, later))) = (self.work(section.work), earliest)
                && done < pair.invoke.index
            {
                let because = format!(
                    "{} stands before {} in the journal, and was asked for after that was acknowledged",
                    self.named(section.work),
                    self.named(later)
                );
                let ops = [self.longest(), self.work(section.work), self.work(later)];
                let effects = [self.journal[section.first], self.journal[sections[&later].first]];
                anomalies.push(self.accuse("out-of-order", &ops, &effects, because));
            }
            if let Some(done) = acknowledged(section.work)
                && earliest.is_none_or(|(first, _)| done < first)
            {
                earliest = Some((done, section.work));
            }
        }
    }

    /// Each journal must be the beginning of any that is longer, and none may be shorter than one that was read before.
    pub(super) fn compare_journals(&self, anomalies: &mut Vec<Anomaly>) {
        for reading in &self.readings {
            let differs =
                reading.effects().zip(&self.journal).position(|(shown, known)| shown.as_ref() != Ok(known));
            if let Some(place) = differs {
                let because = format!(
                    "two reads of the journal differ in effect {}: neither is the beginning of the other",
                    place + 1
                );
                let ops = [Some(reading.pair), self.longest()];
                anomalies.push(self.accuse("rewritten-journal", &ops, &self.journal[place..=place], because));
                break;
            }
        }
        let mut by_end: Vec<_> = self.readings.iter().collect();
        by_end.sort_by_key(|reading| reading.completed());
        let mut ended = by_end.into_iter().peekable();
        let mut most: Option<&super::evidence::Reading<'_>> = None;
        for reading in &self.readings {
            while let Some(before) = ended.next_if(|before| before.completed() < reading.invoked()) {
                if most.is_none_or(|most| before.length > most.length) {
                    most = Some(before);
                }
            }
            let Some(before) = most.filter(|before| before.length > reading.length) else { continue };
            let because = format!(
                "a read (op {}) showed {} effects, and one that began after it (op {}) shows {}",
                before.invoked(),
                before.length,
                reading.invoked(),
                reading.length
            );
            let ops = [Some(before.pair), Some(reading.pair)];
            anomalies.push(self.accuse("lost-effect", &ops, &[], because));
            break;
        }
    }
}
