//! Placing operations, and taking them back.

use super::super::partition::{Known, NEVER};
use super::{Placed, Search, Source};

impl Search {
    /// Places a node that must be placed.
    pub(super) fn place_node(&mut self, place: u32) {
        let node = self.nodes[place as usize];
        self.nodes[node.previous as usize].next = node.next;
        self.nodes[node.next as usize].previous = node.previous;
        self.placed.push(Placed { claim: node.claim, from: Source::Node(place) });
        if self.is_exact() {
            if let Some(state) = node.effect.needs() {
                self.needs[state as usize] -= 1;
                self.wanted[state as usize] -= 1;
            }
            if let Some(state) = node.effect.gives() {
                self.gives[state as usize] -= 1;
            }
        }
    }

    pub(super) fn place_class(&mut self, class: u32, claim: u32) {
        let effect = self.optionals.effect(class);
        self.optionals.take(class);
        self.placed.push(Placed { claim, from: Source::Class(class) });
        if self.is_exact() {
            if let Some(state) = effect.needs() {
                self.wanted[state as usize] -= 1;
            }
            if let Some(state) = effect.gives() {
                self.gives[state as usize] -= 1;
            }
        }
    }

    /// Takes back what was placed last, until only `count` operations are.
    pub(super) fn take_back(&mut self, count: u32) {
        while self.placed.len() > count as usize {
            let Some(Placed { from, .. }) = self.placed.pop() else { return };
            let effect = match from {
                Source::Node(place) => {
                    let node = self.nodes[place as usize];
                    self.nodes[node.previous as usize].next = place;
                    self.nodes[node.next as usize].previous = place;
                    if self.is_exact()
                        && let Some(state) = node.effect.needs()
                    {
                        self.needs[state as usize] += 1;
                    }
                    node.effect
                }
                Source::Class(class) => {
                    self.optionals.put_back(class);
                    self.optionals.effect(class)
                }
            };
            if self.is_exact() {
                if let Some(state) = effect.needs() {
                    self.wanted[state as usize] += 1;
                }
                if let Some(state) = effect.gives() {
                    self.gives[state as usize] += 1;
                }
            }
        }
    }

    /// Places the writes in view, `except` apart, whose values nothing needs; answers with their fingerprint.
    pub(super) fn place_dead_writes(&mut self, except: u32) -> u128 {
        let mut fingerprint = 0;
        let mut least = NEVER;
        let mut place = self.nodes[self.head as usize].next;
        while place != self.head {
            let node = self.nodes[place as usize];
            if node.call > least {
                break;
            }
            let dead = matches!(node.effect, Known::Set(state) if self.wanted[state as usize] == 0);
            if dead && place != except {
                fingerprint ^= self.of_claim(node.claim);
                self.place_node(place);
            } else {
                least = least.min(node.ret);
            }
            place = node.next;
        }
        fingerprint
    }
}
