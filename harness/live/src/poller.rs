//! Waits for many descriptors at once.
//!
//! A thin layer over epoll, level-triggered. The harness, its fabric and every node run one such loop each:
//! at tens of thousands of small messages a second, handing work from thread to thread costs more than the work.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::Errno;
use rustix::time::Timespec;

/// How many descriptors one wait may report.
const BATCH: usize = 128;

/// What is waited for on a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Only the breakdown of the connection, which is always told.
    Nothing,
    /// Something to read, or the end.
    Read,
    /// Room to write.
    Write,
    /// Room to write; also something to read.
    ReadWrite,
}

impl Interest {
    fn flags(self) -> EventFlags {
        match self {
            Interest::Nothing => EventFlags::empty(),
            Interest::Read => EventFlags::IN,
            Interest::Write => EventFlags::OUT,
            Interest::ReadWrite => EventFlags::IN | EventFlags::OUT,
        }
    }
}

/// A descriptor that has something to say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    /// The number it was registered under.
    pub(crate) token: u64,
    /// Reading will not block: there are bytes, or the end, or an error.
    pub(crate) readable: bool,
    /// Writing will not block.
    pub(crate) writable: bool,
}

/// A set of descriptors to wait for. A descriptor leaves it when it is closed.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
}

impl Poller {
    /// An empty set.
    pub(crate) fn new() -> io::Result<Poller> {
        Ok(Poller { epoll: epoll::create(CreateFlags::CLOEXEC)? })
    }

    /// Waits for this descriptor too, from now on.
    pub(crate) fn add(&self, source: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, source, EventData::new_u64(token), interest.flags())?)
    }

    /// Changes what is waited for.
    pub(crate) fn modify(&self, source: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, source, EventData::new_u64(token), interest.flags())?)
    }

    /// Waits no longer than `timeout` (for ever without one), and puts what is ready into `ready`.
    pub(crate) fn wait(&self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        ready.clear();
        self.look(ready)?;
        if !ready.is_empty() || timeout == Some(Duration::ZERO) {
            return Ok(());
        }
        // epoll itself counts in milliseconds before Linux 5.11: too coarse for a paced client.
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        match poll(&mut [PollFd::new(&self.epoll, PollFlags::IN)], timeout.as_ref()) {
            Ok(0) | Err(Errno::INTR) => Ok(()),
            Ok(_) => self.look(ready),
            Err(error) => Err(error.into()),
        }
    }

    fn look(&self, ready: &mut Vec<Ready>) -> io::Result<()> {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let mut events = [const { MaybeUninit::uninit() }; BATCH];
        let events = match epoll::wait(&self.epoll, &mut events[..], Some(&now)) {
            Ok((events, _)) => events,
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let told = EventFlags::IN | EventFlags::HUP | EventFlags::ERR | EventFlags::RDHUP;
        ready.extend(events.iter().map(|event| {
            let (flags, data) = (event.flags, event.data);
            Ready {
                token: data.u64(),
                readable: flags.intersects(told),
                writable: flags.intersects(EventFlags::OUT | EventFlags::HUP | EventFlags::ERR),
            }
        }));
        Ok(())
    }
}

/// Wakes a [`Poller`] from another thread.
#[derive(Clone, Debug)]
pub(crate) struct Waker(Arc<OwnedFd>);

impl Waker {
    /// A waker; the poller that it is for registers it like any other descriptor.
    pub(crate) fn new() -> io::Result<Waker> {
        Ok(Waker(Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)))
    }

    /// Wakes. A wake that was not yet seen swallows the next.
    pub(crate) fn wake(&self) {
        // The only refusal is a counter that is full: then a wake is pending anyway.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Takes note of all wakes so far.
    pub(crate) fn seen(&self) {
        let mut counter = [0; 8];
        // Nothing to read means that nobody woke us: no harm.
        let _ = rustix::io::read(&self.0, &mut counter);
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_from_another_thread_is_seen_once() {
        let poller = Poller::new().unwrap();
        let waker = Waker::new().unwrap();
        poller.add(&waker, 7, Interest::Read).unwrap();
        let mut ready = Vec::new();
        poller.wait(Some(Duration::ZERO), &mut ready).unwrap();
        assert!(ready.is_empty());
        let other = waker.clone();
        std::thread::spawn(move || other.wake()).join().unwrap();
        poller.wait(None, &mut ready).unwrap();
        assert_eq!((ready.len(), ready[0].token, ready[0].readable), (1, 7, true));
        waker.seen();
        poller.wait(Some(Duration::from_nanos(1)), &mut ready).unwrap();
        assert!(ready.is_empty());
    }
}
