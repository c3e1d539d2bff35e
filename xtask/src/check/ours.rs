//! What `rashomon check` takes.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

/// What a check took, in seconds and bytes. A file that is judged while it is read has no reading of its own.
pub(super) struct Ours {
    pub(super) name: String,
    pub(super) verdict: String,
    pub(super) reading: f64,
    pub(super) checking: f64,
    pub(super) memory: f64,
    /// The length of the file.
    pub(super) file: u64,
}

/// Judges a file; only what one process takes, from start to end, counts as its memory.
pub(super) fn measure(binary: &Path, file: &Path, model: &str, more: &[&str]) -> Result<Ours> {
    let output = Command::new(binary)
        .args(["check", "--json", "--model", model, "--budget-memory", "16GB", "--budget-time", "10m"])
        .args(more)
        .arg(file)
        .stderr(Stdio::null())
        .output()?;
    parse(&output.stdout).with_context(|| format!("the verdict on a {model}"))
}

/// One line of `--json`.
pub(super) fn parse(line: &[u8]) -> Result<Ours> {
    let object: Value = serde_json::from_slice(line)?;
    let number = |value: &Value| value.as_f64().context("a figure is missing");
    Ok(Ours {
        name: object["file"].as_str().unwrap_or_default().to_owned(),
        verdict: object["valid"].as_str().context("there is no verdict")?.to_owned(),
        reading: number(&object["seconds"]["reading"])?,
        checking: number(&object["seconds"]["checking"])?,
        memory: number(&object["peak_memory"])?,
        file: 0,
    })
}
