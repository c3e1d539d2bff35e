//! How the story of the locks is told, for both systems of the chapter.

use rashomon_core::Probe;
use rashomon_systems::lock::{Lock, LockProtocol, Message, Redlock, Round, SectionId, Timer, Token};

use crate::stage::{Cast, Stage};

impl Cast for Lock {
    fn message(message: &Message) -> Option<String> {
        Some(describe(message))
    }

    fn timer(timer: &Timer) -> Option<String> {
        Some(meaning(timer).to_owned())
    }

    fn probe(_probe: &Probe) -> Option<String> {
        None
    }
}

impl Cast for Redlock {
    fn message(message: &Message) -> Option<String> {
        Some(describe(message))
    }

    fn timer(timer: &Timer) -> Option<String> {
        Some(meaning(timer).to_owned())
    }

    fn probe(_probe: &Probe) -> Option<String> {
        None
    }
}

impl<C: Cast<Protocol = LockProtocol>> Stage<C> {
    /// The node dies and starts again.
    pub(super) fn restart(&mut self, node: u16) {
        self.crash(node);
        self.start(node);
    }

    /// The lease of lock x has run its time at a lock server.
    pub(super) fn lapse(&mut self, server: u16) {
        self.fires(server, Timer::Lapse("x".to_owned()));
    }

    /// The first section of a holder stops believing in the lease that it asked for first.
    pub(super) fn doubts(&mut self, holder: u16) {
        self.fires(holder, Timer::Lease(SectionId(1), Round(1)));
    }

    /// The first section of a holder says the last thing again.
    pub(super) fn repeats(&mut self, holder: u16) {
        self.fires(holder, Timer::Retry(SectionId(1)));
    }

    /// A holder goes on to the end of its first section, undisturbed.
    pub(super) fn finishes(&mut self, holder: u16) {
        for _ in 0..2 {
            self.fires(holder, Timer::Work(SectionId(1)));
            self.deliver(|from, to, _| from == holder || to == holder);
        }
    }
}

fn meaning(timer: &Timer) -> &'static str {
    match timer {
        Timer::Lapse(_) => "says that the lease has run its time",
        Timer::Retry(_) => "asks again",
        Timer::Patience(_) => "has waited long enough",
        Timer::Renew(_) => "renews its lease",
        Timer::Work(_) => "has worked",
        Timer::Lease(..) => "does not believe in its lease any longer",
    }
}

fn describe(message: &Message) -> String {
    let with =
        |token: &Option<Token>| token.map_or_else(String::new, |token| format!(", with token {token}"));
    match message {
        Message::Acquire { lock, .. } => format!("give me lock {lock}"),
        Message::Renew { lock, .. } => format!("let my lease of lock {lock} begin anew"),
        Message::Release { lock, .. } => format!("I am done with lock {lock}"),
        Message::Granted { lock, token, .. } => format!("lock {lock} is yours{}", with(token)),
        Message::Denied { lock, .. } => format!("lock {lock} is another's"),
        Message::Open { key, token, .. } => {
            format!("what is {key}?{}", with(token).replace(", with", " I come with"))
        }
        Message::Opened { value, .. } => format!("it is {value}"),
        Message::Write { key, value, token, .. } => format!("{key} is {value}{}", with(token)),
        Message::Written { .. } => "it is written".to_owned(),
        Message::Fenced { .. } => "a newer token was here".to_owned(),
    }
}
