//! placeholder
/// placeholder
#[derive(Debug)]
pub struct Swarm;
