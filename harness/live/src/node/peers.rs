//! The node's end of the network: frames to and from the other nodes.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddrV4, UdpSocket};

use rashomon_core::{NodeId, RunId};
use rustix::net::sockopt;

use super::{NodeConfig, NodeError, doing};
use crate::control::NodeCounters;
use crate::frame::{self, Header};
use crate::poller::{Interest, Poller};

/// What is asked for a receive buffer; the kernel gives what it allows.
pub(crate) const RECEIVE_BUFFER: usize = 4 * 1024 * 1024;

/// One other node.
#[derive(Debug)]
struct Peer {
    node: NodeId,
    address: SocketAddrV4,
    socket: UdpSocket,
    /// The highest incarnation that it was heard in.
    incarnation: u32,
}

/// All other nodes.
#[derive(Debug)]
pub(super) struct Peers {
    run: RunId,
    me: NodeId,
    incarnation: u32,
    links: Vec<Peer>,
    index: BTreeMap<NodeId, usize>,
    first_token: u64,
    buffer: Vec<u8>,
}

impl Peers {
    /// Binds the sockets and registers them under the tokens from `first_token` on.
    pub(super) fn open(config: &NodeConfig, poller: &Poller, first_token: u64) -> Result<Peers, NodeError> {
        let mut links = Vec::new();
        for (peer, token) in config.peers.iter().zip(first_token..) {
            let socket = UdpSocket::bind(peer.listen).map_err(doing("binding a socket for peers"))?;
            socket.set_nonblocking(true).map_err(doing("preparing a socket for peers"))?;
            // As much as is allowed; less is no failure, for the kernel's drops are counted.
            let _ = sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER);
            poller.add(&socket, token, Interest::Read).map_err(doing("waiting for peers"))?;
            links.push(Peer { node: peer.node, address: peer.address, socket, incarnation: 0 });
        }
        Ok(Peers {
            run: config.run,
            me: config.me,
            incarnation: config.incarnation,
            index: links.iter().enumerate().map(|(index, peer)| (peer.node, index)).collect(),
            links,
            first_token,
            buffer: vec![0; 64 * 1024],
        })
    }

    /// Whether the token is one of the sockets'.
    pub(super) fn owns(&self, token: u64) -> bool {
        (self.first_token..self.first_token + self.links.len() as u64).contains(&token)
    }

    /// Sends a message. The kernel may refuse it, as any network may lose it.
    pub(super) fn send(
        &self,
        to: NodeId,
        payload: &[u8],
        counters: &mut NodeCounters,
    ) -> Result<(), NodeError> {
        let Some(peer) = self.index.get(&to).map(|index| &self.links[*index]) else {
            return Err(NodeError::Config(format!(
                "the node sends to {to}, which is not in its address book"
            )));
        };
        let header = Header { run: self.run, from: self.me, to, incarnation: self.incarnation };
        let frame = frame::encode(header, payload).ok_or_else(|| NodeError::TooLarge {
            bytes: payload.len(),
            to,
            beginning: String::from_utf8_lossy(&payload[..payload.len().min(60)]).into_owned(),
        })?;
        match peer.socket.send_to(&frame, peer.address) {
            Ok(_) => counters.sent += 1,
            Err(error) => {
                if counters.unsent == 0 {
                    eprintln!("a message to {to} was refused by the kernel: {error}");
                }
                counters.unsent += 1;
            }
        }
        Ok(())
    }

    /// The payload of the next good frame on the socket of `token`. `None` when there is no more for now.
    pub(super) fn receive(
        &mut self,
        token: u64,
        counters: &mut NodeCounters,
    ) -> Result<Option<(NodeId, &[u8])>, NodeError> {
        let peer = &mut self.links[(token - self.first_token) as usize];
        let count = loop {
            match peer.socket.recv(&mut self.buffer) {
                Ok(count) if peer.accept(self.run, self.me, &self.buffer[..count], counters) => break count,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(doing("receiving from peers")(error)),
            }
        };
        Ok(Some((peer.node, frame::payload(&self.buffer[..count]))))
    }
}

impl Peer {
    /// Whether the datagram is a frame from this peer to `me`; counts what it is otherwise.
    fn accept(&mut self, run: RunId, me: NodeId, datagram: &[u8], counters: &mut NodeCounters) -> bool {
        let Ok(header) = frame::decode(datagram) else {
            counters.damaged += 1;
            return false;
        };
        if header.run != run {
            counters.foreign += 1;
        } else if header.from != self.node || header.to != me {
            counters.misaddressed += 1;
        } else if header.incarnation < self.incarnation {
            counters.stale += 1;
        } else {
            self.incarnation = header.incarnation;
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_frames_of_this_run_and_link_and_of_the_latest_incarnation_pass() {
        let mut peer = Peer {
            node: NodeId(2),
            address: "127.0.0.1:1".parse().unwrap(),
            socket: UdpSocket::bind("127.0.0.1:0").unwrap(),
            incarnation: 0,
        };
        let good = Header { run: RunId(7), from: NodeId(2), to: NodeId(1), incarnation: 3 };
        let mut counters = NodeCounters::default();
        let mut accept = |header: Header, counters: &mut NodeCounters| {
            let frame = frame::encode(header, b"{}").unwrap();
            peer.accept(RunId(7), NodeId(1), &frame, counters)
        };
        assert!(accept(good, &mut counters));
        assert!(accept(good, &mut counters));
        assert!(!accept(Header { run: RunId(8), ..good }, &mut counters));
        assert!(!accept(Header { from: NodeId(3), ..good }, &mut counters));
        assert!(!accept(Header { to: NodeId(3), ..good }, &mut counters));
        assert!(!accept(Header { incarnation: 2, ..good }, &mut counters));
        assert!(accept(Header { incarnation: 4, ..good }, &mut counters));
        assert!(!accept(good, &mut counters));
        assert!(!peer.accept(RunId(7), NodeId(1), b"rubbish", &mut counters));
        let expected =
            NodeCounters { foreign: 1, misaddressed: 2, stale: 2, damaged: 1, ..NodeCounters::default() };
        assert_eq!(counters, expected);
    }
}
