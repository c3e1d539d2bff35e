//! From what happened to arrows and marks.

use std::collections::BTreeMap;

use rashomon_core::{Happening, Link, NodeId, Time};

use super::scene::{Absence, Arrow, End, Mark, NEWS, RARE, Scene, Sign, Who, precise};
use super::words;
use crate::describe;

impl Scene {
    /// Adds everything that happened.
    pub(super) fn happen(&mut self, happenings: &[&Happening], found: Time, by_probe: bool, until: Time) {
        let mut said: BTreeMap<&str, usize> = BTreeMap::new();
        let mut unheard: BTreeMap<(Link, u64, Time), &str> = BTreeMap::new();
        for happening in happenings {
            match happening {
                Happening::Probe { said: probe, .. } => *said.entry(probe.probe.as_str()).or_default() += 1,
                Happening::Unheard { at, link, sequence, because } => {
                    unheard.insert((*link, *sequence, *at), because);
                }
                _ => {}
            }
        }
        let mut before: BTreeMap<Link, String> = BTreeMap::new();
        for happening in happenings {
            match happening {
                Happening::Message { link, text, .. } => {
                    let label = words::label(text, 60);
                    let again = before.insert(*link, label.clone()).is_some_and(|last| last == label);
                    self.message(happening, again, &unheard, until);
                }
                Happening::Request { .. } | Happening::Answer { .. } => self.request(happening, until),
                // Said where the message comes in.
                Happening::Unheard { .. } => {}
                Happening::Timer { at, node, timer } => {
                    let tip =
                        format!("timer {} of {node} fired, {}", describe::clean(timer, 200), precise(*at));
                    self.mark(*node, *at, Sign::Timer, "", tip);
                }
                Happening::Durable { at, node, writes } => {
                    let writes = describe::counted(*writes as u64, "write", "writes");
                    let tip = format!("{writes} of {node} durable, {}", precise(*at));
                    self.mark(*node, *at, Sign::Durable, "", tip);
                }
                // That a node boots is drawn as such.
                Happening::Probe { said: probe, .. } if probe.probe == "boot" => {}
                Happening::Probe { at, node, said: probe } => {
                    let count = said.get(probe.probe.as_str()).copied().unwrap_or(0);
                    let sign = if by_probe && *at == found {
                        Sign::Pill("found")
                    } else if count <= NEWS {
                        Sign::Pill("said")
                    } else if count <= RARE {
                        Sign::Pill("said often")
                    } else {
                        Sign::Dot
                    };
                    let full = serde_json::to_string(probe).unwrap_or_default();
                    let tip = format!("{node} said, {}\n{}", precise(*at), describe::clean(&full, 400));
                    self.mark(*node, *at, sign, &words::probe(probe), tip);
                }
                Happening::Boot { at, node, incarnation } => {
                    let words = if *incarnation <= 1 { "starts" } else { "starts again" };
                    let tip = format!("{node} begins its life number {incarnation}, {}", precise(*at));
                    self.comes(*node, *at, words, tip);
                }
                Happening::End { at, node, how } => {
                    let words = if how.chars().count() > 14 { "crashes" } else { how.as_str() };
                    let tip = format!("{node}: {}, {}", describe::clean(how, 400), precise(*at));
                    self.goes(*node, *at, "dead", words, tip);
                }
                Happening::Stopped { at, node } => {
                    self.goes(*node, *at, "still", "paused", format!("{node} stopped, {}", precise(*at)));
                }
                Happening::Resumed { at, node } => {
                    self.comes(*node, *at, "goes on", format!("{node} goes on, {}", precise(*at)));
                }
            }
        }
    }

    /// An arrow for each copy of a message.
    fn message(
        &mut self,
        happening: &Happening,
        again: bool,
        unheard: &BTreeMap<(Link, u64, Time), &str>,
        until: Time,
    ) {
        let Happening::Message { at, link, sequence, arrivals, fate, text } = happening else { return };
        let lanes = (self.lane(Who::Node(link.from)), self.lane(Who::Node(link.to)));
        let (Some(from), Some(to)) = lanes else { return };
        let class = if fate.is_empty() { "message" } else { "message touched" };
        let fates = if fate.is_empty() {
            String::new()
        } else {
            format!(", {}", describe::clean(&fate.join(", "), 80))
        };
        let again = again && fate.is_empty();
        let mut arrow = |end, how: &str| {
            let sent = format!("{link} number {sequence}, sent {}", precise(*at));
            let tip = format!("{}\n{sent}{how}{fates}", describe::clean(text, 500));
            self.arrows.push(Arrow { from, to, at: *at, end, class, text: text.clone(), again, tip });
        };
        if arrivals.is_empty() {
            arrow(End::Lost, ", never arrived");
        }
        for arrival in arrivals {
            let came = precise(*arrival);
            match unheard.get(&(*link, *sequence, *arrival)) {
                _ if *arrival > until => arrow(End::UnderWay, &format!(", arrives {came}")),
                Some(because) => {
                    arrow(
                        End::Unheard(*arrival),
                        &format!(", came {came}, but {}", describe::clean(because, 80)),
                    );
                }
                None => arrow(End::Arrives(*arrival), &format!(", arrived {came}")),
            }
        }
    }

    /// An arrow for what a client and a node tell each other.
    fn request(&mut self, happening: &Happening, until: Time) {
        let (at, ends, arrives, words, tip) = match happening {
            Happening::Request { at, process, node, arrives, text, .. } => {
                let refused = if arrives.is_none() { ", refused: nobody listens there" } else { "" };
                let tip = format!(
                    "client {process} asks {node}, {}{refused}\n{}",
                    precise(*at),
                    describe::clean(text, 500)
                );
                let words = if arrives.is_none() { "refused" } else { "" };
                (*at, (Who::Client(*process), Who::Node(*node)), *arrives, words.to_owned(), tip)
            }
            Happening::Answer { at, process, node, arrives, text, .. } => {
                let tip = format!(
                    "{node} answers client {process}, {}\n{}",
                    precise(*at),
                    describe::clean(text, 500)
                );
                let ends = (Who::Node(*node), Who::Client(*process));
                (*at, ends, Some(*arrives), words::answer(text), tip)
            }
            _ => return,
        };
        let (Some(from), Some(to)) = (self.lane(ends.0), self.lane(ends.1)) else { return };
        let end = match arrives {
            None => End::Lost,
            Some(arrives) if arrives > until => End::UnderWay,
            Some(arrives) => End::Arrives(arrives),
        };
        self.arrows.push(Arrow { from, to, at, end, class: "request", text: words, again: false, tip });
    }

    /// A node is gone, or stands still, from now on.
    fn goes(&mut self, node: NodeId, at: Time, class: &'static str, words: &str, tip: String) {
        let Some(lane) = self.lane(Who::Node(node)) else { return };
        self.absences.push(Absence { lane, from: self.marks.len(), to: None, class });
        self.mark(node, at, Sign::Pill("end"), words, tip);
    }

    /// A node is there, or moves, again.
    fn comes(&mut self, node: NodeId, at: Time, words: &str, tip: String) {
        let (Some(lane), here) = (self.lane(Who::Node(node)), self.marks.len()) else { return };
        if let Some(absence) = self.absences.iter_mut().rfind(|a| a.lane == lane && a.to.is_none()) {
            absence.to = Some(here);
        }
        self.mark(node, at, Sign::Pill("life"), words, tip);
    }

    fn mark(&mut self, node: NodeId, at: Time, sign: Sign, words: &str, tip: String) {
        if let Some(lane) = self.lane(Who::Node(node)) {
            self.marks.push(Mark { lane, at, sign, words: describe::clean(words, 40), tip });
        }
    }
}
