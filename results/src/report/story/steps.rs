//! The story in sentences, for those who would rather read.

use rashomon_core::Time;

use super::scene::{Scene, Sign, Who};
use crate::describe;

/// The most sentences.
const STEPS: usize = 40;

/// A sentence with its time; whether it is the end of the story.
#[derive(Debug, PartialEq)]
pub(super) struct Step {
    pub(super) at: Time,
    pub(super) words: String,
    pub(super) culprit: bool,
}

/// What matters, in order, and how many earlier sentences were left out.
pub(super) fn steps(scene: &Scene) -> (Vec<Step>, usize) {
    let mut steps: Vec<(u8, Step)> = Vec::new();
    let mut add = |rank: u8, at: Time, words: String, culprit: bool| {
        steps.push((rank, Step { at, words, culprit }));
    };
    for rule in &scene.rules {
        add(if rule.class == "found" { 9 } else { 0 }, rule.at, capital(&rule.words), rule.class == "found");
    }
    for mark in &scene.marks {
        let Who::Node(node) = scene.lanes[mark.lane] else { continue };
        match mark.sign {
            // Every node starts at the beginning: that is no news.
            Sign::Pill("life") if mark.at == Time::ZERO => {}
            Sign::Pill("said" | "found") => {
                add(1, mark.at, format!("{node} says: {}", mark.words), mark.sign == Sign::Pill("found"));
            }
            Sign::Pill("said often") | Sign::Timer | Sign::Durable | Sign::Dot => {}
            Sign::Pill(_) => add(1, mark.at, format!("{node}: {}", mark.words), false),
        }
    }
    for bar in &scene.bars {
        let Who::Client(process) = scene.lanes[bar.lane] else { continue };
        let (asked, result) = bar.words.split_once(" → ").unwrap_or((&bar.words, ""));
        add(2, bar.from, format!("client {process} asks: {asked}"), false);
        if let Some(to) = bar.to {
            let cannot = if bar.illegal { ", which cannot be" } else { "" };
            add(1, to, format!("client {process} is answered: {asked} → {result}{cannot}"), bar.illegal);
        }
    }
    steps.sort_by_key(|(rank, step)| (step.at, *rank));
    let spare = steps.len().saturating_sub(STEPS);
    (steps.into_iter().skip(spare).map(|(_, step)| step).collect(), spare)
}

fn capital(words: &str) -> String {
    describe::clean(words, 200)
}
