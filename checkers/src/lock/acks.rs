//! What clients were told, against the journal and against each other.

use rashomon_core::Anomaly;

use super::evidence::{Ack, Key, Reading, completed};
use super::journal::Sections;

impl<'h> Key<'h> {
    /// Accuses acknowledgements that cannot be true. Tells how many sections a journal read afterwards confirmed.
    pub(super) fn acknowledgements(&self, sections: &Sections, anomalies: &mut Vec<Anomaly>) -> usize {
        let mut confirmed = 0;
        for ack in &self.acks {
            // Of the journals that were read after it the shortest.
            let after = self.shortest_after(completed(&ack.pair));
            let lost = self.lost(ack, after, sections);
            confirmed += usize::from(after.is_some() && lost.is_none());
            anomalies.extend(lost);
            anomalies.extend(self.contradicted(ack, sections));
        }
        self.judge_each_other(anomalies);
        confirmed
    }

    fn shortest_after(&self, index: u64) -> Option<&Reading<'h>> {
        let from = self.readings.partition_point(|reading| reading.invoked() <= index);
        self.readings[from..].iter().min_by_key(|reading| reading.length)
    }

    /// An acknowledged section that is missing, in whole or in part, where it must be.
    fn lost(&self, ack: &Ack<'h>, after: Option<&Reading<'h>>, sections: &Sections) -> Option<Anomaly> {
        let told = format!("{} was acknowledged", self.named(ack.work));
        let Some(section) = sections.get(&ack.work) else {
            // A later token in the journal leaves no room for it behind the end.
            let later = sections.values().find(|section| section.token > ack.token && ack.token.is_some());
            let (reader, because) = match (after, later) {
                (Some(reading), _) => {
                    let because =
                        format!("{told}, and a read after that (op {}) does not show it", reading.invoked());
                    (Some(reading.pair), because)
                }
                (None, Some(later)) => {
                    let because = format!(
                        "{told} and is not in the journal, where {} follows it",
                        self.named(later.work)
                    );
                    (self.longest(), because)
                }
                (None, None) => return None,
            };
            return Some(self.accuse("lost-effect", &[Some(ack.pair), reader], &[], because));
        };
        let effects = &self.journal[section.first..=section.last];
        if let Some(reading) =
            after.filter(|reading| reading.length <= section.last || section.wrote < ack.wrote)
        {
            let because = format!(
                "{told}, having written {}, and a read after that (op {}) does not show all of it",
                ack.wrote,
                reading.invoked()
            );
            return Some(self.accuse("lost-effect", &[Some(ack.pair), Some(reading.pair)], effects, because));
        }
        if let Some(followed) = section.followed.filter(|_| section.wrote < ack.wrote) {
            let because = format!(
                "{told}, having written {}, and {} follows it in the journal before it did",
                ack.wrote,
                self.named(self.journal[followed].work)
            );
            return Some(self.accuse("lost-effect", &[Some(ack.pair), self.longest()], effects, because));
        }
        None
    }

    /// An answer that the journal contradicts.
    fn contradicted(&self, ack: &Ack<'h>, sections: &Sections) -> Option<Anomaly> {
        let section = sections.get(&ack.work)?;
        if section.token == ack.token && section.read == ack.read && section.wrote <= ack.wrote {
            return None;
        }
        let number = |token: Option<u64>| token.map_or_else(|| "none".to_owned(), |token| token.to_string());
        let because = format!(
            "{} was answered with token {}, read {} and wrote {}; the journal shows token {}, read {} and wrote {}",
            self.named(ack.work),
            number(ack.token),
            ack.read,
            ack.wrote,
            number(section.token),
            section.read,
            section.wrote
        );
        let effects = &self.journal[section.first..=section.last];
        Some(self.accuse("wrong-answer", &[Some(ack.pair), self.longest()], effects, because))
    }

    /// Acknowledgements alone: no journal is needed to see that two sections found the same value.
    fn judge_each_other(&self, anomalies: &mut Vec<Anomaly>) {
        let mut by_value: Vec<&Ack<'_>> = self.acks.iter().collect();
        by_value.sort_by_key(|ack| (ack.read, ack.wrote));
        for pair in by_value.windows(2) {
            if pair[1].read < pair[0].wrote {
                let because = format!(
                    "{} read {} and wrote {}, and {} read {}: one of them did not see the other",
                    self.named(pair[0].work),
                    pair[0].read,
                    pair[0].wrote,
                    self.named(pair[1].work),
                    pair[1].read
                );
                let ops = [Some(pair[0].pair), Some(pair[1].pair)];
                anomalies.push(self.accuse("lost-update", &ops, &[], because));
                break;
            }
        }
        let mut by_token: Vec<&Ack<'_>> = self.acks.iter().filter(|ack| ack.token.is_some()).collect();
        by_token.sort_by_key(|ack| ack.token);
        if let Some(pair) = by_token.windows(2).find(|pair| pair[0].token == pair[1].token) {
            let because = format!(
                "{} and {} were both answered with token {}",
                self.named(pair[0].work),
                self.named(pair[1].work),
                pair[0].token.unwrap_or_default()
            );
            let ops = [Some(pair[0].pair), Some(pair[1].pair)];
            anomalies.push(self.accuse("token-reuse", &ops, &[], because));
        }
        anomalies.extend(self.went_back());
    }

    /// A section that was asked for after another was acknowledged, and has no greater token, or read what was there
    /// before.
    fn went_back(&self) -> Option<Anomaly> {
        let mut by_end: Vec<&Ack<'_>> = self.acks.iter().collect();
        by_end.sort_by_key(|ack| completed(&ack.pair));
        let mut ended = by_end.into_iter().peekable();
        let (mut token, mut value): (Option<&Ack<'_>>, Option<&Ack<'_>>) = (None, None);
        for ack in &self.acks {
            while let Some(before) = ended.next_if(|before| completed(&before.pair) < ack.pair.invoke.index) {
                if token.is_none_or(|most| before.token > most.token) {
                    token = Some(before);
                }
                if value.is_none_or(|most| before.wrote > most.wrote) {
                    value = Some(before);
                }
            }
            if let Some(before) = token.filter(|before| ack.token.is_some() && before.token >= ack.token) {
                let because = format!(
                    "{} was answered with token {} before {} was asked for, which was answered with token {}",
                    self.named(before.work),
                    before.token.unwrap_or_default(),
                    self.named(ack.work),
                    ack.token.unwrap_or_default()
                );
                return Some(self.accuse(
                    "token-went-back",
                    &[Some(before.pair), Some(ack.pair)],
                    &[],
                    because,
                ));
            }
            if let Some(before) = value.filter(|before| before.wrote > ack.read) {
                let because = format!(
                    "{} had written {} before {} was asked for, which read {}",
                    self.named(before.work),
                    before.wrote,
                    self.named(ack.work),
                    ack.read
                );
                return Some(self.accuse("lost-update", &[Some(before.pair), Some(ack.pair)], &[], because));
            }
        }
        None
    }
}
