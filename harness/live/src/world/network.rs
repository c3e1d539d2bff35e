//! What the network did, in figures, and the end of the world.

use std::collections::BTreeMap;

use rashomon_core::switch::LinkCounts;
use rashomon_core::{Link, NodeId, WorldError};

use super::{LiveWorld, doing};
use crate::control::{NodeCounters, Order};
use crate::fabric::JournalSummary;

/// The network of a run, in figures.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// What became of the messages of each link. `kernel_dropped` counts those that a full buffer cost, at the
    /// receiver (then they are not counted as delivered) or before they reached the switch.
    pub links: BTreeMap<Link, LinkCounts>,
    /// What the driver of each node counted, over all incarnations: as last told, so a killed process may have
    /// counted a little more.
    pub nodes: BTreeMap<NodeId, NodeCounters>,
    /// How often the process of each node was started.
    pub starts: BTreeMap<NodeId, u64>,
    /// Datagrams of strangers that the relays dropped.
    pub strays: u64,
}

impl LiveWorld {
    /// The figures so far.
    pub fn network(&mut self) -> Result<Network, WorldError> {
        self.sample_drops()?;
        let mut links = self.fabric.counts();
        for link in &self.links {
            let counts = links.entry(*link).or_default();
            let at_receiver = self.drops.at_receiver(*link);
            counts.kernel_dropped += at_receiver + self.drops.at_relay(*link);
            counts.delivered = counts.delivered.saturating_sub(at_receiver);
        }
        Ok(Network {
            links,
            nodes: self.slots.values().map(|slot| (slot.node, slot.counters())).collect(),
            starts: self.slots.values().map(|slot| (slot.node, slot.incarnation.into())).collect(),
            strays: self.fabric.strays(),
        })
    }

    /// Ends every process, closes the journal, and gives the last figures.
    pub fn shutdown(mut self) -> Result<(Network, JournalSummary), WorldError> {
        let nodes = self.nodes.clone();
        let orders: Vec<(NodeId, u64)> = nodes
            .iter()
            .filter_map(|node| Some((*node, self.order(*node, |id| Order::Ping { id })?)))
            .collect();
        // For their last counters; who does not answer keeps those it told before.
        self.await_orders(&orders, std::time::Duration::from_millis(300));
        let network = self.network()?;
        self.end_processes();
        let journal = self.fabric.stop().map_err(doing("closing the message journal"))?;
        Ok((network, journal))
    }
}
