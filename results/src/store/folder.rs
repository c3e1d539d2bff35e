//! The folder of one run.

use std::fs::{self, File};
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rashomon_core::{History, NodeId, Trace};
use serde_json::Value;

use super::{
    HistoryWriter, Network, Schedule, ScheduleWriter, Shrunk, ShrunkFile, StoreError, TraceFile, document,
};
use crate::RunVerdict;

/// The link, beside the runs, that points to the youngest.
const LATEST: &str = "latest";

/// The folder of one run, and the paths in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// A name for a run that begins now, such as `raft-20261120T153324Z`: sorts by time, needs no quoting.
    ///
    /// Two runs of one second get the same name, and [`RunFolder::create`] refuses the second; see
    /// [`RunFolder::create_fresh`].
    pub fn name(system: &str, now: SystemTime) -> String {
        let stamp = humantime::format_rfc3339_seconds(now).to_string();
        format!("{system}-{}", stamp.replace(['-', ':'], ""))
    }

    /// Makes the folder `<out>/<id>` and points `<out>/latest` to it.
    pub fn create(out: &Path, id: &str) -> Result<RunFolder, StoreError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if id.is_empty() || id.starts_with('.') || id == LATEST || !id.chars().all(plain) {
            let reason = format!("`{id}` cannot name a run: use letters, digits, `-`, `_` and `.`");
            return Err(StoreError::NotARun { path: out.to_owned(), reason });
        }
        fs::create_dir_all(out).map_err(StoreError::io(out, "making the folder of runs"))?;
        let path = out.join(id);
        fs::create_dir(&path).map_err(StoreError::io(&path, "making the folder of the run"))?;
        fs::create_dir(path.join("nodes")).map_err(StoreError::io(&path, "making a folder in it"))?;
        point_latest(out, id)?;
        Ok(RunFolder { path })
    }

    /// Makes a folder for a run of `system` that begins now. Runs of the same second get a number behind.
    pub fn create_fresh(out: &Path, system: &str) -> Result<RunFolder, StoreError> {
        let name = RunFolder::name(system, SystemTime::now());
        let mut id = name.clone();
        for number in 2.. {
            match RunFolder::create(out, &id) {
                Err(StoreError::Io { source, .. })
                    if source.kind() == ErrorKind::AlreadyExists && number < 1000 =>
                {
                    id = format!("{name}-{number}");
                }
                outcome => return outcome,
            }
        }
        unreachable!("the loop ends by returning")
    }

    /// Takes in the folder of the run that this one was shrunk from, as `original`.
    pub fn adopt(&self, original: &RunFolder) -> Result<RunFolder, StoreError> {
        let path = self.path.join("original");
        fs::rename(&original.path, &path).map_err(StoreError::io(&path, "moving the original run"))?;
        Ok(RunFolder { path })
    }

    /// The folder of a run that was made before. A link such as `latest` is followed.
    pub fn open(path: &Path) -> Result<RunFolder, StoreError> {
        let path = match fs::read_link(path) {
            Ok(target) => path.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => path.to_owned(),
        };
        let not = |reason: &str| StoreError::NotARun { path: path.clone(), reason: reason.to_owned() };
        if !path.exists() {
            return Err(not("no such folder"));
        }
        if !path.is_dir() {
            return Err(not("a file; the folder of a run is wanted"));
        }
        let run = RunFolder { path: path.clone() };
        let any = [run.plan_file(), run.history_file(), run.verdict_file()].iter().any(|file| file.exists());
        if any { Ok(run) } else { Err(not("not the folder of a run: it has no plan, history or verdict")) }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the run.
    pub fn id(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// `plan.json`
    pub fn plan_file(&self) -> PathBuf {
        self.path.join("plan.json")
    }

    /// `history.jsonl`
    pub fn history_file(&self) -> PathBuf {
        self.path.join("history.jsonl")
    }

    /// `schedule.jsonl`
    pub fn schedule_file(&self) -> PathBuf {
        self.path.join("schedule.jsonl")
    }

    /// `network.json`
    pub fn network_file(&self) -> PathBuf {
        self.path.join("network.json")
    }

    /// `messages.jsonl.zst`
    pub fn messages_file(&self) -> PathBuf {
        self.path.join("messages.jsonl.zst")
    }

    /// `verdict.json`
    pub fn verdict_file(&self) -> PathBuf {
        self.path.join("verdict.json")
    }

    /// `junit.xml`
    pub fn junit_file(&self) -> PathBuf {
        self.path.join("junit.xml")
    }

    /// `trace.json`
    pub fn trace_file(&self) -> PathBuf {
        self.path.join("trace.json")
    }

    /// `shrunk.json`
    pub fn shrunk_file(&self) -> PathBuf {
        self.path.join("shrunk.json")
    }

    /// `report.html`
    pub fn report_file(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// `nodes/<id>`: the output of a node, and its log. Not made yet; see [`RunFolder::create_node`].
    pub fn node(&self, node: NodeId) -> PathBuf {
        self.path.join("nodes").join(node.to_string())
    }

    /// Makes the folder of a node, if it is not there.
    pub fn create_node(&self, node: NodeId) -> Result<PathBuf, StoreError> {
        let path = self.node(node);
        fs::create_dir_all(&path).map_err(StoreError::io(&path, "making the folder of a node"))?;
        Ok(path)
    }

    /// `nodes/<id>/stdout.log`
    pub fn stdout_file(&self, node: NodeId) -> PathBuf {
        self.node(node).join("stdout.log")
    }

    /// `nodes/<id>/stderr.log`
    pub fn stderr_file(&self, node: NodeId) -> PathBuf {
        self.node(node).join("stderr.log")
    }

    /// Starts `history.jsonl`.
    pub fn history_writer(&self) -> Result<HistoryWriter, StoreError> {
        HistoryWriter::create(&self.history_file())
    }

    /// Starts `schedule.jsonl`.
    pub fn schedule_writer(&self) -> Result<ScheduleWriter, StoreError> {
        ScheduleWriter::create(&self.schedule_file())
    }

    /// Writes the plan: an object with `version` 1.
    pub fn write_plan(&self, plan: &Value) -> Result<(), StoreError> {
        document::write(&self.plan_file(), plan)
    }

    /// Writes the counters of the network.
    pub fn write_network(&self, network: &Network) -> Result<(), StoreError> {
        document::write(&self.network_file(), network)
    }

    /// Writes the verdict, for programs.
    pub fn write_verdict(&self, verdict: &RunVerdict) -> Result<(), StoreError> {
        document::write(&self.verdict_file(), verdict)
    }

    /// Writes the verdict, for continuous integration.
    pub fn write_junit(&self, verdict: &RunVerdict) -> Result<(), StoreError> {
        document::write_whole(&self.junit_file(), crate::junit::render(&self.id(), verdict).as_bytes())
    }

    /// Writes what happened inside.
    pub fn write_trace(&self, trace: Trace) -> Result<(), StoreError> {
        document::write(&self.trace_file(), &TraceFile::new(trace))
    }

    /// Writes the schedule that shrinking left, as text that its owner made.
    pub fn write_shrunk(&self, text: &str) -> Result<(), StoreError> {
        document::write_whole(&self.shrunk_file(), text.as_bytes())
    }

    /// Makes the report from what is in the folder, and writes it.
    pub fn write_report(&self) -> Result<PathBuf, StoreError> {
        let page = crate::report::render(self)?;
        document::write_whole(&self.report_file(), page.as_bytes())?;
        Ok(self.report_file())
    }

    /// The plan; `None` when the run has none.
    pub fn plan(&self) -> Result<Option<Value>, StoreError> {
        document::read(&self.plan_file(), "plan")
    }

    /// What happened inside; `None` when the run has no trace.
    pub fn trace(&self) -> Result<Option<Trace>, StoreError> {
        let file: Option<TraceFile> = document::read(&self.trace_file(), "trace")?;
        Ok(file.map(|file| file.trace))
    }

    /// What the run was shrunk from; `None` when it was not.
    pub fn shrunk(&self) -> Result<Option<Shrunk>, StoreError> {
        let file: Option<ShrunkFile> = document::read(&self.shrunk_file(), "schedule")?;
        Ok(file.and_then(|file| file.shrunk))
    }

    /// The counters of the network; `None` when the run has none.
    pub fn network(&self) -> Result<Option<Network>, StoreError> {
        document::read(&self.network_file(), "network")
    }

    /// The verdict; `None` when the run has none, as when it was killed.
    pub fn verdict(&self) -> Result<Option<RunVerdict>, StoreError> {
        document::read(&self.verdict_file(), "verdict")
    }

    /// The history; `None` when the run has none.
    pub fn history(&self) -> Result<Option<History>, StoreError> {
        let file = self.history_file();
        let Some(source) = open(&file)? else { return Ok(None) };
        History::read(source).map(Some).map_err(|error| StoreError::history(&file, error))
    }

    /// The schedule; `None` when the run has none.
    pub fn schedule(&self) -> Result<Option<Schedule>, StoreError> {
        let file = self.schedule_file();
        let Some(source) = open(&file)? else { return Ok(None) };
        Schedule::read(&file, source).map(Some)
    }
}

/// The link is made beside and moved into place, so that at any moment it points to some run.
fn point_latest(out: &Path, id: &str) -> Result<(), StoreError> {
    let link = out.join(LATEST);
    let fresh = out.join(format!(".{LATEST}-{id}"));
    std::os::unix::fs::symlink(id, &fresh)
        .and_then(|()| fs::rename(&fresh, &link))
        .map_err(StoreError::io(&link, "pointing it to the new run"))
}

fn open(file: &Path) -> Result<Option<BufReader<File>>, StoreError> {
    match File::open(file) {
        Ok(source) => Ok(Some(BufReader::with_capacity(256 << 10, source))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io(file, "opening")(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    #[test]
    fn latest_points_to_the_youngest_run() {
        let out = tempfile::tempdir().unwrap();
        RunFolder::create(out.path(), "a").unwrap();
        let second = RunFolder::create(out.path(), "b").unwrap();
        second.write_plan(&json!({"version": 1})).unwrap();
        let latest = RunFolder::open(&out.path().join("latest")).unwrap();
        assert_eq!(latest, second);
        assert_eq!(latest.id(), "b");
        let mut names: Vec<_> =
            fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["a", "b", "latest"], "no half-made link is left");
    }

    #[test]
    fn a_name_is_used_once_and_stays_inside() {
        let out = tempfile::tempdir().unwrap();
        RunFolder::create(out.path(), "a").unwrap();
        assert!(RunFolder::create(out.path(), "a").is_err());
        for id in ["", "..", "../x", "a/b", "latest", ".hidden", "a b"] {
            let error = RunFolder::create(out.path(), id).unwrap_err().to_string();
            assert!(error.contains("cannot name a run"), "{id}: {error}");
        }
    }

    #[test]
    fn runs_of_the_same_second_do_not_meet() {
        let out = tempfile::tempdir().unwrap();
        let runs: Vec<String> =
            (0..5).map(|_| RunFolder::create_fresh(out.path(), "raft").unwrap().id()).collect();
        let distinct: std::collections::BTreeSet<_> = runs.iter().collect();
        assert_eq!(distinct.len(), 5);
        let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        assert_eq!(RunFolder::name("raft", moment), "raft-20010909T014640Z");
    }

    #[test]
    fn what_is_no_run_is_refused() {
        let out = tempfile::tempdir().unwrap();
        let file = out.path().join("file");
        fs::write(&file, "").unwrap();
        let error = |path: &Path| RunFolder::open(path).unwrap_err().to_string();
        assert!(error(&out.path().join("none")).ends_with("none: no such folder"));
        assert!(error(&file).ends_with("file: a file; the folder of a run is wanted"));
        assert!(error(out.path()).ends_with("it has no plan, history or verdict"));
    }

    #[test]
    fn what_is_missing_is_none_and_what_is_wrong_names_its_line() {
        let out = tempfile::tempdir().unwrap();
        let run = RunFolder::create(out.path(), "a").unwrap();
        assert!(run.plan().unwrap().is_none());
        assert!(run.history().unwrap().is_none());
        assert!(run.schedule().unwrap().is_none());
        assert!(run.network().unwrap().is_none());
        assert!(run.verdict().unwrap().is_none());
        fs::write(run.history_file(), "{\"rashomon\":\"history\",\"version\":1}\n{}\n").unwrap();
        let error = run.history().unwrap_err().to_string();
        assert!(error.contains("history.jsonl:2: missing field"), "{error}");
        fs::write(run.plan_file(), "{\"version\":2}").unwrap();
        let error = run.plan().unwrap_err().to_string();
        assert!(error.ends_with("plan.json:1: version 2 of the plan format; this program reads version 1"));
    }
}
