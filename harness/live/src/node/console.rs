//! The node's standard input and output: orders in, probes and reports out.

use std::io::{self, Write};

use rashomon_core::Probe;
use rustix::io::Errno;
use serde::Serialize;

use super::{NodeError, doing};
use crate::clock;
use crate::control::{LONGEST_LINE, Order, Report};

/// The pipes to the harness. Lines leave in order, at the latest when the driver rests.
#[derive(Debug)]
pub(super) struct Console {
    stdout: io::Stdout,
    pending: Vec<u8>,
    input: Vec<u8>,
}

#[derive(Serialize)]
struct ProbeLine<'a> {
    at: u64,
    #[serde(flatten)]
    probe: &'a Probe,
}

impl Console {
    /// Takes the pipes over. Reading must not block: the driver has more to do.
    pub(super) fn open() -> Result<Console, NodeError> {
        rustix::io::ioctl_fionbio(io::stdin(), true)
            .map_err(|error| doing("preparing standard input")(error.into()))?;
        Ok(Console { stdout: io::stdout(), pending: Vec::new(), input: Vec::new() })
    }

    /// Tells the harness what the state machine says of itself, stamped with the monotonic clock.
    pub(super) fn probe(&mut self, probe: &Probe) -> Result<(), NodeError> {
        self.line(&ProbeLine { at: clock::monotonic(), probe })
    }

    /// Tells the harness what the driver has to say.
    pub(super) fn report(&mut self, report: &Report) -> Result<(), NodeError> {
        self.line(report)
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), NodeError> {
        serde_json::to_writer(&mut self.pending, line)
            .map_err(|error| NodeError::Unspeakable { what: "a probe", reason: error.to_string() })?;
        self.pending.push(b'\n');
        Ok(())
    }

    /// Sends the lines off.
    pub(super) fn flush(&mut self) -> Result<(), NodeError> {
        if !self.pending.is_empty() {
            let mut stdout = self.stdout.lock();
            stdout
                .write_all(&self.pending)
                .and_then(|()| stdout.flush())
                .map_err(doing("writing to standard output"))?;
            self.pending.clear();
        }
        Ok(())
    }

    /// The orders that have arrived. `None` when the harness has closed the pipe.
    pub(super) fn orders(&mut self) -> Result<Option<Vec<Order>>, NodeError> {
        let mut chunk = [0; 4096];
        let mut orders = Vec::new();
        loop {
            match rustix::io::read(io::stdin(), &mut chunk) {
                Ok(0) => return Ok(None),
                Ok(count) => self.input.extend_from_slice(&chunk[..count]),
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(doing("reading standard input")(error.into())),
            }
            while let Some(end) = self.input.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.input.drain(..=end).collect();
                match serde_json::from_slice(&line) {
                    Ok(order) => orders.push(order),
                    Err(error) => eprintln!("an order that makes no sense is ignored: {error}"),
                }
            }
            if self.input.len() > LONGEST_LINE {
                eprintln!("an order without end is ignored");
                self.input.clear();
            }
        }
        Ok(Some(orders))
    }
}
