//! What became of the messages of a run.

use rashomon_core::switch::LinkCounts;
use rashomon_core::{Link, NodeId};
use serde::{Deserialize, Serialize};

use super::document::VERSION;

/// The counters of every link and node at the end of a run: `network.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The version of the format.
    pub version: u64,
    /// Each link that carried anything.
    pub links: Vec<LinkReport>,
    /// Each node, in order.
    pub nodes: Vec<NodeReport>,
    /// Messages that the journal left out because it was full.
    #[serde(default)]
    pub unjournaled: u64,
}

/// What one link carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkReport {
    /// From whom to whom.
    #[serde(flatten)]
    pub link: Link,
    /// How much, and what became of it.
    #[serde(flatten)]
    pub counts: LinkCounts,
}

/// What one node had to throw away, and whether it held out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeReport {
    /// Which node.
    pub node: NodeId,
    /// Frames whose checksum was wrong: corruption caught.
    #[serde(default)]
    pub bad_checksum: u64,
    /// Frames of another run, or addressed to somebody else.
    #[serde(default)]
    pub foreign: u64,
    /// Frames that could not be read at all.
    #[serde(default)]
    pub malformed: u64,
    /// How often the process was started.
    #[serde(default)]
    pub starts: u64,
    /// How it ended, if it ended although nobody killed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crash: Option<String>,
}

impl Network {
    /// The counters of a run, in the current version of the format.
    pub fn new(links: impl IntoIterator<Item = (Link, LinkCounts)>, nodes: Vec<NodeReport>) -> Network {
        let links = links.into_iter().map(|(link, counts)| LinkReport { link, counts }).collect();
        Network { version: VERSION, links, nodes, unjournaled: 0 }
    }
}

impl NodeReport {
    /// A node of which there is nothing to report.
    pub fn new(node: NodeId) -> NodeReport {
        NodeReport { node, bad_checksum: 0, foreign: 0, malformed: 0, starts: 0, crash: None }
    }
}
