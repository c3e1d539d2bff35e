//! The thread that carries messages.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rashomon_core::switch::Delivery;
use rashomon_core::{Link, NodeId, Time};
use rustix::net::sockopt;

use super::Shared;
use super::journal::{Entry, JournalWriter};
use crate::address::Network;
use crate::clock::Clock;
use crate::node::RECEIVE_BUFFER;
use crate::poller::{Interest, Poller, Ready, Waker};

/// How many messages of one link are carried before others get a turn.
const BATCH: usize = 64;
const WAKER: u64 = u64::MAX;

/// The socket of one link.
#[derive(Debug)]
struct Port {
    link: Link,
    socket: UdpSocket,
    /// The only sender that it listens to.
    sender: SocketAddrV4,
    /// Where the receiver listens for the sender.
    receiver: SocketAddrV4,
    /// The port of the opposite link, from whose socket the receiver hears.
    opposite: usize,
}

/// A delivery whose time has not come.
#[derive(Debug)]
struct Waiting {
    port: usize,
    sequence: u64,
    bytes: Vec<u8>,
}

/// All relays, and the messages under way.
#[derive(Debug)]
pub(super) struct Relay {
    ports: Vec<Port>,
    clock: Clock,
    shared: Arc<Shared>,
    poller: Poller,
    waker: Waker,
    journal: JournalWriter,
    /// By due time, and by order of arrival among equals.
    waiting: BTreeMap<(Time, u64), Waiting>,
    arrivals: u64,
}

impl Relay {
    /// Binds every socket.
    pub(super) fn bind(
        network: &Network,
        nodes: &[NodeId],
        clock: Clock,
        shared: Arc<Shared>,
        waker: Waker,
        journal: JournalWriter,
    ) -> io::Result<Relay> {
        let poller = Poller::new()?;
        poller.add(&waker, WAKER, Interest::Read)?;
        let links: Vec<Link> = Link::all(nodes).collect();
        let mut ports = Vec::new();
        for link in &links {
            let back = Link { from: link.to, to: link.from };
            let socket = UdpSocket::bind(network.relay(*link))?;
            socket.set_nonblocking(true)?;
            // As much as is allowed; less is no failure, for the kernel's drops are counted.
            let _ = sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER);
            poller.add(&socket, ports.len() as u64, Interest::Read)?;
            ports.push(Port {
                link: *link,
                socket,
                // A node sends to a peer from the socket on which it hears that peer.
                sender: network.ear(back),
                receiver: network.ear(*link),
                opposite: links.iter().position(|other| *other == back).expect("every link has an opposite"),
            });
        }
        Ok(Relay { ports, clock, shared, poller, waker, journal, waiting: BTreeMap::new(), arrivals: 0 })
    }

    /// Carries until told to stop.
    pub(super) fn run(mut self) -> io::Result<()> {
        let mut ready: Vec<Ready> = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        while !self.shared.stop.load(Ordering::SeqCst) {
            self.deliver_due();
            let timeout = self.waiting.first_key_value().map(|((at, _), _)| at.since(self.clock.now()));
            self.poller.wait(timeout, &mut ready)?;
            for ready in &ready {
                if ready.token == WAKER {
                    self.waker.seen();
                } else {
                    self.carry(ready.token as usize, &mut buffer)?;
                }
            }
        }
        Ok(())
    }

    /// Takes the messages that wait at a port, and asks the switch about each.
    fn carry(&mut self, port: usize, buffer: &mut [u8]) -> io::Result<()> {
        for _ in 0..BATCH {
            let count = match self.ports[port].socket.recv_from(buffer) {
                Ok((count, SocketAddr::V4(sender))) if sender == self.ports[port].sender => count,
                Ok(_) => {
                    self.shared.strays.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let message = &buffer[..count];
            let now = self.clock.now();
            let fate = self.shared.switch().route(now, self.ports[port].link, count);
            self.journal.write(|| Entry::fate(now, self.ports[port].link, message, &fate));
            for delivery in &fate.deliveries {
                self.dispatch(port, fate.sequence, *delivery, message, now);
            }
        }
        Ok(())
    }

    fn dispatch(&mut self, port: usize, sequence: u64, delivery: Delivery, message: &[u8], now: Time) {
        if delivery.flip.is_none() && delivery.at <= now {
            return self.deliver(port, sequence, message);
        }
        let mut bytes = message.to_owned();
        if let Some(byte) = delivery.flip.and_then(|bit| bytes.get_mut(bit / 8)) {
            *byte ^= 1 << (delivery.flip.unwrap_or(0) % 8);
        }
        if delivery.at <= now {
            return self.deliver(port, sequence, &bytes);
        }
        self.arrivals += 1;
        self.waiting.insert((delivery.at, self.arrivals), Waiting { port, sequence, bytes });
    }

    fn deliver_due(&mut self) {
        let now = self.clock.now();
        while let Some(first) = self.waiting.first_entry() {
            if first.key().0 > now {
                break;
            }
            let Waiting { port, sequence, bytes } = first.remove();
            self.deliver(port, sequence, &bytes);
        }
    }

    /// Hands a message to the receiver's socket. What does not arrive there is told apart in the journal.
    fn deliver(&mut self, port: usize, sequence: u64, message: &[u8]) {
        let Port { link, receiver, opposite, .. } = &self.ports[port];
        let there = self.shared.presence[&link.to].arrives();
        let sent = self.ports[*opposite].socket.send_to(message, receiver);
        if sent.is_err() {
            self.shared.switch().kernel_dropped(*link);
        }
        if sent.is_err() || !there {
            let now = self.clock.now();
            self.journal.write(|| Entry::missed(now, *link, sequence, sent.is_ok()));
        }
    }
}
