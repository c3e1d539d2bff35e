//! What a node process is told when it starts.

use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};

use rashomon_core::{Map, NodeId, RunId, Seed, Value, WallClock};
use serde::{Deserialize, Serialize};

use super::NodeError;
use crate::clock::Clock;
use crate::control::Slowness;

/// The version of the file, which a reader of another version refuses.
pub(crate) const VERSION: u32 = 1;

/// The configuration of one incarnation of one node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeConfig {
    /// See [`VERSION`].
    pub(crate) version: u32,
    /// Tells the run from others on the wire.
    pub(crate) run: RunId,
    /// The node itself.
    pub(crate) me: NodeId,
    /// Every node, this one among them.
    pub(crate) nodes: Vec<NodeId>,
    /// How often the node has been started.
    pub(crate) incarnation: u32,
    /// The process id of the harness.
    pub(crate) parent: i32,
    /// The run's clock.
    pub(crate) clock: Clock,
    /// The run's seed.
    pub(crate) seed: Seed,
    /// Where clients connect.
    pub(crate) clients: SocketAddrV4,
    /// How the others are reached and heard.
    pub(crate) peers: Vec<Peer>,
    /// The seeded bugs to make.
    pub(crate) bugs: Vec<String>,
    /// The numbers that the plan sets.
    pub(crate) options: Map<String, Value>,
    /// The folder of the log.
    pub(crate) log: PathBuf,
    /// Whether the disk is slow from the start.
    pub(crate) slowness: Option<Slowness>,
    /// What the machine takes for the time.
    pub(crate) wall: WallClock,
}

/// Another node, as this one knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peer {
    /// Which.
    pub(crate) node: NodeId,
    /// Its address.
    pub(crate) address: SocketAddrV4,
    /// Where it is heard.
    pub(crate) listen: SocketAddrV4,
}

impl NodeConfig {
    /// Reads and checks the file.
    pub(crate) fn read(path: &Path) -> Result<NodeConfig, NodeError> {
        let wrong = |reason: String| NodeError::Config(format!("{}: {reason}", path.display()));
        let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        // Another version may have other fields: look at the version first.
        let value: Value = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        match value.get("version").and_then(Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) => return Err(wrong(format!("version {version} is unknown; this is {VERSION}"))),
            None => return Err(wrong("no `version`".to_owned())),
        }
        let config: NodeConfig = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if !config.nodes.contains(&config.me) {
            return Err(wrong(format!("{} is not among the nodes", config.me)));
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_and_unknown_fields_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        let refusal = |text: &str| {
            std::fs::write(&path, text).unwrap();
            NodeConfig::read(&path).unwrap_err().to_string()
        };
        assert!(refusal("{}").contains("no `version`"));
        assert!(refusal(r#"{"version": 2}"#).contains("version 2 is unknown"));
        assert!(refusal(r#"{"version": 1, "bags": []}"#).contains("unknown field `bags`"));
        assert!(refusal("{\n\"version").contains("line 2"));
        assert!(NodeConfig::read(&dir.path().join("none")).is_err());
    }
}
