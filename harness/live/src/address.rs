//! Who listens where: one private /24 of the loopback network per run.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::ops::RangeInclusive;

use rand::RngExt;
use rashomon_core::{Link, NodeId, Rng};

/// The most nodes that fit: the upper half of the /24 is for the relays.
pub(crate) const MOST_NODES: u16 = 100;

/// How often another network is tried when one is taken.
const TRIES: usize = 32;

/// The addresses of one run.
///
/// The ports are never ephemeral: so no stranger's socket takes them by accident, a connection to a dead node
/// is refused, and no client can connect to itself.
#[derive(Debug)]
pub(crate) struct Network {
    prefix: [u8; 3],
    first_port: u16,
    /// Held for as long as the run: whoever draws the same network fails to bind it and draws again.
    _claim: UdpSocket,
}

impl Network {
    /// Claims a network that no other run has.
    pub(crate) fn claim(rng: &mut Rng) -> io::Result<Network> {
        let first_port = first_port(&ephemeral_ports()?)?;
        let mut last = io::Error::other("no network was tried");
        for _ in 0..TRIES {
            // 127.0.0.x is where everybody else lives.
            let prefix = [127, rng.random_range(1..=254), rng.random_range(0..=255)];
            let address = Ipv4Addr::new(prefix[0], prefix[1], prefix[2], 254);
            match UdpSocket::bind((address, first_port)) {
                Ok(claim) => return Ok(Network { prefix, first_port, _claim: claim }),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Where the clients of a node connect.
    pub(crate) fn clients(&self, node: NodeId) -> SocketAddrV4 {
        SocketAddrV4::new(self.host(node.0), self.first_port)
    }

    /// Where the receiver of a link hears the sender: a socket per peer, so that the kernel counts per link
    /// what it drops.
    pub(crate) fn ear(&self, link: Link) -> SocketAddrV4 {
        SocketAddrV4::new(self.host(link.to.0), self.first_port + link.from.0)
    }

    /// Where the sender of a link sends to: the relay that it takes for the receiver.
    pub(crate) fn relay(&self, link: Link) -> SocketAddrV4 {
        SocketAddrV4::new(self.host(MOST_NODES + link.from.0), self.first_port + link.to.0)
    }

    fn host(&self, number: u16) -> Ipv4Addr {
        let number = u8::try_from(number).expect("a /24 has room for the nodes and their relays");
        Ipv4Addr::new(self.prefix[0], self.prefix[1], self.prefix[2], number)
    }
}

/// The ports that the kernel hands out by itself.
fn ephemeral_ports() -> io::Result<RangeInclusive<u16>> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")?;
    let mut numbers = text.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(low)), Some(Ok(high))) => Ok(low..=high),
        _ => Err(io::Error::other(format!("ip_local_port_range is `{}`", text.trim()))),
    }
}

/// The first of a row of ports that are neither privileged nor ephemeral.
fn first_port(ephemeral: &RangeInclusive<u16>) -> io::Result<u16> {
    const PREFERRED: u16 = 20_000;
    const UNPRIVILEGED: u16 = 1024;
    let row = MOST_NODES + 1;
    [PREFERRED, ephemeral.start().saturating_sub(row), ephemeral.end().saturating_add(1)]
        .into_iter()
        .find(|first| {
            let Some(last) = first.checked_add(row - 1) else { return false };
            *first >= UNPRIVILEGED && (last < *ephemeral.start() || first > ephemeral.end())
        })
        .ok_or_else(|| {
            io::Error::other(format!("no {row} ports are left outside the ephemeral range {ephemeral:?}"))
        })
}

#[cfg(test)]
mod tests {
    use rashomon_core::Seed;

    use super::*;

    #[test]
    fn ports_are_never_ephemeral_nor_privileged() {
        assert_eq!(first_port(&(32_768..=60_999)).unwrap(), 20_000);
        assert_eq!(first_port(&(15_000..=61_000)).unwrap(), 15_000 - 101);
        assert_eq!(first_port(&(1024..=60_000)).unwrap(), 60_001);
        assert!(first_port(&(1024..=65_535)).is_err());
    }

    #[test]
    fn two_runs_with_the_same_draws_get_different_networks() {
        let one = Network::claim(&mut Seed(3).rng()).unwrap();
        let two = Network::claim(&mut Seed(3).rng()).unwrap();
        assert_ne!(one.prefix, two.prefix);
    }

    #[test]
    fn no_two_sockets_share_an_address() {
        let network = Network::claim(&mut Seed(5).rng()).unwrap();
        let nodes = NodeId::first(MOST_NODES);
        let mut all: Vec<SocketAddrV4> = nodes.iter().map(|node| network.clients(*node)).collect();
        all.extend(Link::all(&nodes).flat_map(|link| [network.ear(link), network.relay(link)]));
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
