//! What the kernel dropped because a socket's buffer was full.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use rashomon_core::Link;

use crate::address::Network;

/// Drops of the sockets of each link, over the lives of processes that come and go.
///
/// The kernel counts per socket, and a socket dies with its process; so the count is read before each kill
/// and now and then. What a process lost in its last moment before it died by itself is not seen.
#[derive(Debug, Default)]
pub(crate) struct KernelDrops {
    /// By sockets that are gone.
    past: BTreeMap<Link, u64>,
    /// By those that live, when last seen.
    ears: BTreeMap<Link, u64>,
    /// By the relays, which live as long as the run.
    relays: BTreeMap<Link, u64>,
}

impl KernelDrops {
    /// Reads the kernel's counters.
    pub(crate) fn sample(&mut self, network: &Network, links: &[Link]) -> io::Result<()> {
        let drops = parse(&std::fs::read_to_string("/proc/net/udp")?);
        for link in links {
            if let Some(count) = drops.get(&network.ear(*link)) {
                self.ears.insert(*link, *count);
            }
            if let Some(count) = drops.get(&network.relay(*link)) {
                self.relays.insert(*link, *count);
            }
        }
        Ok(())
    }

    /// The sockets of the receiver of this link are gone.
    pub(crate) fn ear_is_gone(&mut self, link: Link) {
        *self.past.entry(link).or_default() += self.ears.remove(&link).unwrap_or(0);
    }

    /// Messages that were let through and dropped at the receiver's socket.
    pub(crate) fn at_receiver(&self, link: Link) -> u64 {
        let count = |drops: &BTreeMap<Link, u64>| drops.get(&link).copied().unwrap_or(0);
        count(&self.past) + count(&self.ears)
    }

    /// Messages that never reached the switch.
    pub(crate) fn at_relay(&self, link: Link) -> u64 {
        self.relays.get(&link).copied().unwrap_or(0)
    }
}

/// The last column of each line of `/proc/net/udp`, by local address.
fn parse(text: &str) -> BTreeMap<SocketAddrV4, u64> {
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (host, port) = words.nth(1)?.split_once(':')?;
            let host = Ipv4Addr::from(u32::from_str_radix(host, 16).ok()?.to_ne_bytes());
            let address = SocketAddrV4::new(host, u16::from_str_radix(port, 16).ok()?);
            Some((address, words.next_back()?.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use rashomon_core::{NodeId, Seed};

    use super::*;

    #[test]
    fn a_full_buffer_is_seen_on_its_link_alone_and_remembered() {
        let network = Network::claim(&mut Seed(11).rng()).unwrap();
        let link = Link { from: NodeId(1), to: NodeId(2) };
        let other = Link { from: NodeId(3), to: NodeId(2) };
        let ear = UdpSocket::bind(network.ear(link)).unwrap();
        let _other_ear = UdpSocket::bind(network.ear(other)).unwrap();
        rustix::net::sockopt::set_socket_recv_buffer_size(&ear, 4096).unwrap();
        let mouth = UdpSocket::bind(network.relay(link)).unwrap();
        for _ in 0..200 {
            mouth.send_to(&[0; 1000], network.ear(link)).unwrap();
        }
        let mut drops = KernelDrops::default();
        drops.sample(&network, &[link, other]).unwrap();
        let seen = drops.at_receiver(link);
        assert!(seen > 100, "{seen}");
        assert_eq!((drops.at_receiver(other), drops.at_relay(link)), (0, 0));
        drop(ear);
        drops.ear_is_gone(link);
        let _again = UdpSocket::bind(network.ear(link)).unwrap();
        drops.sample(&network, &[link, other]).unwrap();
        assert_eq!(drops.at_receiver(link), seen);
    }
}
