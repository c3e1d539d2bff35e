//! Echo: measures the harness itself.

use rashomon_core::generator::{Asked, Generator, Invocation, Next};
use rashomon_core::rpc::Body;
use rashomon_core::{Op, Value};

use crate::workload::{Request, Workload, WorkloadInfo, expect_type};

/// The echo workload: numbers that must come back as they went.
#[derive(Debug, Default)]
pub struct Echo {
    last: u64,
}

impl Echo {
    /// What the harness needs to know.
    pub const INFO: WorkloadInfo = WorkloadInfo {
        name: "echo",
        summary: "numbers that must come back as they went; measures the harness alone",
        ops: &["echo"],
        checkers: &["stats", "availability"],
        make: || Box::new(Echo::default()),
    };
}

impl Generator<Invocation> for Echo {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<Invocation> {
        self.last += 1;
        Next::Do(asked.thread(), Invocation { f: "echo", key: None, value: self.last.into() })
    }

    fn update(&mut self, _thread: usize, _op: &Op) {}
}

impl Workload for Echo {
    fn request(&self, invocation: &Invocation) -> Request {
        Request::new("echo", [("value", invocation.value.clone())]).read_only()
    }

    fn response(&self, invocation: &Invocation, reply: &Body) -> Result<Value, String> {
        expect_type(reply, "echo_ok")?;
        match reply.get("value") {
            Some(value) if *value == invocation.value => Ok(value.clone()),
            other => Err(format!("sent {} and got {other:?} back", invocation.value)),
        }
    }

    fn final_reads(&self) -> Vec<Invocation> {
        Vec::new()
    }
}
