//! Swarm testing: every seed draws a mixture of its own.
//!
//! One fixed mixture of faults, rates and sizes finds only what shows under that mixture; some bugs hide behind
//! the very faults that others need. (Groce, Zhang, Eide, Chen and Regehr, Swarm Testing, 2012.) So each kind of
//! fault takes part in about half of the runs, and pace, load and latencies differ from run to run.

use std::time::Duration;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rashomon_core::{FaultKind, Rng, Seed};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::span::{Span, Timing};

/// What a swarm may draw from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// The sizes of cluster; one of them for a system that has but one. Must not be empty.
    pub nodes: Vec<u16>,
    /// The kinds of fault that make sense.
    pub kinds: Vec<FaultKind>,
    /// Ops a second, on the average. Must not be empty.
    pub rates: Vec<u32>,
}

impl Choices {
    /// For clusters of that many nodes and these faults, the usual rates.
    ///
    /// Low ones come as often as high ones: a quiet run reaches the same states of a protocol in a tenth of the
    /// time, a busy one reaches those that need load.
    pub fn new(nodes: Vec<u16>, kinds: Vec<FaultKind>) -> Choices {
        Choices { nodes, kinds, rates: vec![20, 50, 100, 200] }
    }
}

/// The mixture of one seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Swarm {
    /// How many nodes.
    pub nodes: u16,
    /// The kinds of fault that take part, at least one if any makes sense.
    pub kinds: Vec<FaultKind>,
    /// The mean time from the beginning of one fault to that of the next.
    #[serde(with = "humantime_serde")]
    pub interval: Duration,
    /// Ops a second, on the average.
    pub rate: u32,
    /// Clients at a time.
    pub concurrency: usize,
    /// How fast machines and network are.
    pub timing: Timing,
    /// Whether messages and records travel as JSON: in one run of sixteen, for it costs more than the run.
    pub through_json: bool,
}

impl Swarm {
    /// The mixture that `seed` stands for.
    pub fn draw(seed: Seed, choices: &Choices) -> Swarm {
        let mut rng = seed.split("swarm").rng();
        let nodes = one_of(&choices.nodes, &mut rng);
        let mut kinds: Vec<FaultKind> =
            choices.kinds.iter().copied().filter(|_| rng.random_bool(0.5)).collect();
        if kinds.is_empty() {
            kinds.extend(choices.kinds.choose(&mut rng));
        }
        let interval = Duration::from_millis(one_of(&[100, 250, 500, 1_500], &mut rng));
        let rate = one_of(&choices.rates, &mut rng);
        let concurrency = usize::from(nodes) * one_of(&[1, 2, 4], &mut rng);
        let message = one_of(
            &[
                Span::micros(50, 400),
                Span::micros(50, 1_000),
                Span::micros(200, 10_000),
                // So long that rounds of a protocol overlap.
                Span::micros(1_000, 40_000),
            ],
            &mut rng,
        );
        let sync =
            one_of(&[Span::micros(100, 300), Span::micros(100, 300), Span::micros(500, 10_000)], &mut rng);
        let timing = Timing { message, sync, ..Timing::default() };
        let through_json = rng.random_range(0..16_u8) == 0;
        Swarm { nodes, kinds, interval, rate, concurrency, timing, through_json }
    }

    /// The world of this mixture; bugs, options and policy are for the caller to add.
    pub fn config(&self, seed: Seed) -> Config {
        Config { timing: self.timing, through_json: self.through_json, ..Config::new(self.nodes, seed) }
    }
}

fn one_of<T: Copy>(choices: &[T], rng: &mut Rng) -> T {
    *choices.choose(rng).expect("a swarm has something to choose from")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn choices() -> Choices {
        Choices::new(vec![3, 5], FaultKind::ALL.iter().map(|(kind, ..)| *kind).collect())
    }

    #[test]
    fn a_seed_draws_the_same_mixture_for_ever_and_others_draw_others() {
        let mixtures: Vec<Swarm> = (0..200).map(|seed| Swarm::draw(Seed(seed), &choices())).collect();
        assert_eq!(mixtures[7], Swarm::draw(Seed(7), &choices()));
        let with = |kind| mixtures.iter().filter(|swarm| swarm.kinds.contains(&kind)).count();
        for (kind, ..) in FaultKind::ALL {
            assert!((60..140).contains(&with(kind)), "{kind} is in {} of 200", with(kind));
        }
        let rates: BTreeSet<u32> = mixtures.iter().map(|swarm| swarm.rate).collect();
        assert_eq!(rates.len(), 4);
        assert!((2..30).contains(&mixtures.iter().filter(|swarm| swarm.through_json).count()));
        assert!(mixtures.iter().all(|swarm| swarm.timing.trouble().is_none()));
    }

    #[test]
    fn if_any_fault_makes_sense_one_takes_part() {
        let lone = Choices::new(vec![1], vec![FaultKind::Kill]);
        assert!((0..50).all(|seed| Swarm::draw(Seed(seed), &lone).kinds == [FaultKind::Kill]));
        assert_eq!(Swarm::draw(Seed(1), &Choices::new(vec![1], Vec::new())).kinds, []);
    }

    #[test]
    fn a_mixture_is_written_plainly() {
        let swarm = Swarm::draw(Seed(1), &choices());
        let text = serde_json::to_string(&swarm).unwrap();
        assert!(text.contains(r#""at-least":"50us""#) || text.contains(r#""at-most":"#), "{text}");
        assert_eq!(serde_json::from_str::<Swarm>(&text).unwrap(), swarm);
    }
}
