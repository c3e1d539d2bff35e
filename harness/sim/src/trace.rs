//! Writes down what happens in the world.

use std::fmt::Debug;

use rashomon_core::switch::Marks;
use rashomon_core::{Happening, Time, Trace};

/// The longest text of a message, request or timer.
const LONGEST_TEXT: usize = 400;

/// Writes a trace, if there is to be one.
#[derive(Debug, Default)]
pub(crate) struct Tracer {
    most: usize,
    from: Time,
    trace: Trace,
}

impl Tracer {
    /// Keeps the first so many happenings from then on.
    pub(crate) fn new(most: usize, from: Time) -> Tracer {
        Tracer { most, from, trace: Trace::default() }
    }

    /// Notes a happening of `now`. Without a trace it costs nothing to describe.
    pub(crate) fn note(&mut self, now: Time, happening: impl FnOnce() -> Happening) {
        if self.most == 0 || now < self.from {
            return;
        }
        if self.trace.happenings.len() < self.most {
            self.trace.happenings.push(happening());
        } else {
            self.trace.left_out += 1;
        }
    }

    /// Hands over what was noted so far.
    pub(crate) fn take(&mut self) -> Trace {
        std::mem::take(&mut self.trace)
    }
}

/// The text of something, cut where it is too long to be read.
pub(crate) fn text(of: &impl Debug) -> String {
    let mut text = format!("{of:?}");
    if text.len() > LONGEST_TEXT {
        text.truncate(text.floor_char_boundary(LONGEST_TEXT));
        text.push_str("...");
    }
    text
}

/// The names of what was done to a message.
pub(crate) fn names(marks: Marks) -> Vec<String> {
    let Marks { cut, lost, delayed, duplicated, reordered, corrupted } = marks;
    let all = [
        (cut, "cut"),
        (lost, "lost"),
        (delayed, "delayed"),
        (duplicated, "duplicated"),
        (reordered, "reordered"),
        (corrupted, "corrupted"),
    ];
    all.into_iter().filter(|(marked, _)| *marked).map(|(_, name)| name.to_owned()).collect()
}
