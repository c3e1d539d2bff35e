//! Stretches in which a system only goes on as before: they are passed over, and what they hold is counted.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::{Happening, History, Time};

use super::scene::RARE;
use crate::faults::FaultSpan;

/// How long after, and before, what is news everything is drawn.
const AROUND: u64 = 45_000_000;
/// Fewer messages than this are drawn rather than passed over.
const MANY: u64 = 8;

/// A stretch that is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fold {
    pub(super) from: Time,
    pub(super) to: Time,
    /// How many messages, requests and answers it hides.
    pub(super) messages: u64,
}

impl Fold {
    /// Whether something is not drawn because of it.
    pub(super) fn hides(&self, happening: &Happening) -> bool {
        (self.from..self.to).contains(&happening.at())
    }
}

/// Whether it is an arrow.
pub(super) fn is_message(happening: &Happening) -> bool {
    matches!(happening, Happening::Message { .. } | Happening::Request { .. } | Happening::Answer { .. })
}

/// The stretches between what is news: a fault, an op, a node that comes or goes, a message that the network touched,
/// a probe of a kind that is rare.
pub(super) fn folds(all: &[&Happening], history: &History, spans: &[FaultSpan]) -> Vec<Fold> {
    let mut said: BTreeMap<&str, usize> = BTreeMap::new();
    for happening in all {
        if let Happening::Probe { said: probe, .. } = happening {
            *said.entry(probe.probe.as_str()).or_default() += 1;
        }
    }
    let mut answered: BTreeMap<u64, &str> = BTreeMap::new();
    let mut news: BTreeSet<Time> = BTreeSet::new();
    for happening in all {
        let is_news = match happening {
            Happening::Message { fate, .. } => !fate.is_empty(),
            Happening::Probe { said: probe, .. } => said[probe.probe.as_str()] <= RARE,
            // An op that begins is news; that it is tried again is not, until it is answered something else.
            Happening::Answer { process, text, .. } => answered.insert(*process, text) != Some(text),
            Happening::Timer { .. } | Happening::Durable { .. } | Happening::Request { .. } => false,
            Happening::Unheard { .. }
            | Happening::Boot { .. }
            | Happening::End { .. }
            | Happening::Stopped { .. }
            | Happening::Resumed { .. } => true,
        };
        if is_news {
            news.insert(happening.at());
        }
    }
    news.extend(history.ops().iter().map(|op| op.time));
    news.extend(spans.iter().flat_map(|span| [Some(span.from), span.to]).flatten());
    let news: Vec<Time> = news.into_iter().collect();
    let between = news.windows(2).filter_map(|pair| {
        let (from, to) = (Time(pair[0].0.saturating_add(AROUND)), Time(pair[1].0.saturating_sub(AROUND)));
        let fold = Fold { from, to, messages: 0 };
        let hidden = all.iter().filter(|happening| fold.hides(happening));
        let messages = hidden.filter(|happening| is_message(happening)).count() as u64;
        (from < to && messages >= MANY).then_some(Fold { messages, ..fold })
    });
    between.collect()
}

#[cfg(test)]
mod tests {
    use rashomon_core::{Link, NodeId};

    use super::*;

    #[test]
    fn what_goes_on_as_before_is_folded_and_what_is_news_is_not() {
        let message = |at: u64, fate: &[&str]| Happening::Message {
            at: Time(at * 1_000_000),
            link: Link { from: NodeId(1), to: NodeId(2) },
            sequence: at,
            arrivals: vec![],
            fate: fate.iter().map(|fate| (*fate).to_owned()).collect(),
            text: "Beat".into(),
        };
        let boot = Happening::Boot { at: Time(0), node: NodeId(1), incarnation: 1 };
        let mut all = vec![boot];
        all.extend((1..=200).map(|at| message(at * 5, if at == 200 { &["cut"] } else { &[] })));
        let all: Vec<&Happening> = all.iter().collect();
        let folds = folds(&all, &History::default(), &[]);
        assert_eq!(folds.len(), 1);
        assert_eq!((folds[0].from, folds[0].to), (Time(45_000_000), Time(955_000_000)));
        let hidden = all.iter().filter(|happening| folds[0].hides(happening)).count() as u64;
        assert_eq!(hidden, folds[0].messages);
        assert!(!folds[0].hides(all[200]) && !folds[0].hides(all[0]));
    }
}
