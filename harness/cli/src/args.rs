//! The command line as clap reads it; `commands` lowers it to validated types.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use rashomon_checkers::formats::{Conversion, Format, Target};
use rashomon_checkers::generate::{Plant, Subject};
use rashomon_checkers::isolation::Level;
use rashomon_run::registry::unknown;

/// A correctness harness for distributed systems: real processes, real faults, a verdict.
///
/// `rashomon test raft` starts five Raft nodes as processes, tears them apart for 15 seconds, and says whether
/// one consistent story explains all that the clients saw.
///
/// Exit codes: 0 valid, 1 invalid, 2 unknown, 254 usage, 255 the harness itself failed.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Test(TestArguments),
    Sim(SimArguments),
    Zoo(ZooArguments),
    Check(CheckArguments),
    Convert(ConvertArguments),
    Generate(GenerateArguments),
    List(ListArguments),
    Doctor(DoctorArguments),
    Report(ReportArguments),
    #[command(hide = true)]
    Node(NodeArguments),
}

/// Run a system as real processes under faults, and judge what its clients saw.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rashomon test raft
  rashomon test raft --bug local-read
  rashomon test raft --nemesis partition,kill --nemesis-interval 1s --time-limit 30s --seed 7
  rashomon test raft --workload set --nemesis packet
  rashomon test --plan runs/latest/plan.json
  rashomon test --replay runs/latest --times 5
  rashomon test --schedule runs/latest/shrunk.json --times 10")]
pub(crate) struct TestArguments {
    #[command(flatten)]
    pub(crate) plan: PlanArguments,
    /// Do again what was done in this run: its plan, and the faults as they really struck. Flags override it.
    #[arg(long, value_name = "RUN", conflicts_with = "plan")]
    pub(crate) replay: Option<PathBuf>,
    /// Inject the faults of a shrunk run at their times. The fates of single messages and the exact ops of such a run
    /// exist in virtual time alone: here the clients ask as they did in the run that was shrunk.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["plan", "replay"])]
    pub(crate) schedule: Option<PathBuf>,
    /// Run it so many times, and tell how many of them were invalid.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) times: u64,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// Run a system in virtual time: many seeds, or one that is replayed bit for bit.
///
/// Each seed draws its own mixture of faults, rates and sizes, of which the flags fix what they name. A run that is
/// invalid is shrunk to the fewest faults, ops and lost messages that fail in the same way, and drawn in the report.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rashomon sim raft --seeds 1000
  rashomon sim raft --seeds 2000 --bug vote-not-persisted
  rashomon sim raft --seed 42
  rashomon sim --schedule runs/latest/shrunk.json")]
pub(crate) struct SimArguments {
    #[command(flatten)]
    pub(crate) plan: PlanArguments,
    /// How many seeds to run, from --seed on [default: the one seed of --seed, replayed with all its files].
    #[arg(long, value_name = "N")]
    pub(crate) seeds: Option<u64>,
    /// Seeds at a time [default: one a core].
    #[arg(long, short = 'j', value_name = "J")]
    pub(crate) jobs: Option<usize>,
    /// Go on after the first failure.
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Tell a shrunk run again, bit for bit.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["plan", "seeds"])]
    pub(crate) schedule: Option<PathBuf>,
    /// How long shrinking the first failure may take.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    pub(crate) shrink_time: Duration,
    /// Keep the first failure as it is.
    #[arg(long)]
    pub(crate) no_shrink: bool,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// Hunt every seeded bug, and watch that no correct system is accused.
///
/// Exits 1 when a bug escapes or a correct system is accused.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rashomon zoo
  rashomon zoo raft --hunts 5 --seeds 2000
  rashomon zoo raft --live 5")]
pub(crate) struct ZooArguments {
    /// One system [default: every one].
    pub(crate) system: Option<String>,
    /// The most seeds of a hunt in virtual time.
    #[arg(long, value_name = "N", default_value_t = 400)]
    pub(crate) seeds: u64,
    /// Hunts for each bug, in virtual time and against real processes, each from another first seed.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) hunts: u64,
    /// Seeds at a time [default: one a core].
    #[arg(long, short = 'j', value_name = "J")]
    pub(crate) jobs: Option<usize>,
    /// The most runs of a hunt against real processes; the first catch ends it. 0: no such hunts.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) live: u64,
    /// The folder that gets the folders of live runs.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub(crate) out: PathBuf,
    /// Print a page in Markdown.
    #[arg(long)]
    pub(crate) markdown: bool,
    /// Print an array of JSON objects.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where a run is kept, and how it is told.
#[derive(Debug, Args)]
pub(crate) struct OutputArguments {
    /// The folder that gets the run's own folder, and a link `latest` to it.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub(crate) out: PathBuf,
    /// Print the verdict as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a run is to do.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// The system under test; see `rashomon list systems`. A plan may name it instead.
    pub(crate) system: Option<String>,
    /// How many nodes [default: the system's own].
    #[arg(long, short = 'n')]
    pub(crate) nodes: Option<u16>,
    /// What clients ask; see `rashomon list workloads` [default: the system's first].
    #[arg(long, short = 'w')]
    pub(crate) workload: Option<String>,
    /// The faults to draw from, separated by commas; see `rashomon list faults`. Also `none`, `default`,
    /// `packet` (all faults of single messages) and `all` [default: partition,kill,pause,power-off].
    #[arg(long, value_name = "KINDS")]
    pub(crate) nemesis: Option<String>,
    /// The mean time between faults, such as `500ms` [default: 1500ms].
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) nemesis_interval: Option<Duration>,
    /// How long clients ask, such as `30s` [default: 15s].
    #[arg(long, short = 't', value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) time_limit: Option<Duration>,
    /// Ops a second over all clients; 0: as many as they can [default: 500].
    #[arg(long, short = 'r')]
    pub(crate) rate: Option<u32>,
    /// Clients at a time [default: two a node].
    #[arg(long, short = 'c')]
    pub(crate) concurrency: Option<usize>,
    /// The number from which all randomness descends [default: a fresh one, which is printed].
    #[arg(long, short = 's')]
    pub(crate) seed: Option<u64>,
    /// A seeded bug that the nodes are to make; may be given more than once. See `rashomon list bugs`.
    #[arg(long, value_name = "NAME")]
    pub(crate) bug: Vec<String>,
    /// Take the plan of a legal weakness, which must not be reported. See `rashomon list controls`.
    #[arg(long, value_name = "NAME")]
    pub(crate) control: Option<String>,
    /// A number of the system's own, such as `snapshot-every=50`; see `rashomon list systems --json`.
    #[arg(long = "option", short = 'o', value_name = "NAME=NUMBER")]
    pub(crate) options: Vec<String>,
    /// A plan file: what is to be done, and scripted faults. Flags override it.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
}

/// Judge recorded histories: our JSON lines, Jepsen's EDN or JSON, Porcupine's two formats, Plume's, dbcop's or Cobra's.
///
/// Of several files each has a line, and the worst decides how the program ends: a file that cannot be read, then
/// invalid, then unknown.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rashomon check runs/latest/history.jsonl --model register
  rashomon check store/latest/history.edn --model cas-register --initial 0
  rashomon check history.edn --model list-append --levels --promised snapshot-isolation
  rashomon check etcd_*.log
  zcat history.edn.gz | rashomon check - --json")]
pub(crate) struct CheckArguments {
    /// The histories; `-` is standard input. The folder of a run stands for its history, any other folder for every
    /// file in it.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// What the data is: register, cas-register, multi-register, kv, linearizable-counter, queue, stack, priority-queue,
    /// set, element-set, linearizable-set, linearizable-list, mutex, lock, consensus, sections, bank, atomic-commitment,
    /// linearizable-bank, list-append or rw-register; or any checker of `rashomon list checkers` [default: what the ops
    /// suggest].
    #[arg(long, short = 'm', value_parser = model)]
    pub(crate) model: Option<String>,
    /// The value before anything was written, as JSON [default: the format's own; null in ours].
    #[arg(long, value_name = "VALUE")]
    pub(crate) initial: Option<String>,
    /// The isolation level that was promised, such as serializable, strong-session-snapshot-isolation or read-committed
    /// [default: strict-serializable].
    #[arg(long, value_name = "LEVEL")]
    pub(crate) promised: Option<Level>,
    /// Print which isolation levels hold, are violated, or are unknown.
    #[arg(long)]
    pub(crate) levels: bool,
    /// Judge linearizability by the search alone, without the monitors of registers, queues, stacks and sets: to compare
    /// the two, or either with another checker.
    #[arg(long)]
    pub(crate) by_search: bool,
    /// The format of the files: jsonl, jepsen-edn, jepsen-json, porcupine-etcd, porcupine-kv, plume, dbcop or cobra [default: seen from their
    /// content].
    #[arg(long, short = 'f')]
    pub(crate) format: Option<Format>,
    /// The longest that checking one file may take before the answer is `unknown`.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    pub(crate) budget_time: Duration,
    /// The most memory that checking may take, such as `512MB` or `4GB`, before the answer is `unknown`. A bare number
    /// counts megabytes.
    #[arg(long, value_name = "SIZE", default_value = "2GB", value_parser = size)]
    pub(crate) budget_memory: usize,
    /// Write a report, with the violation drawn, to this HTML file; of several histories, a page each into this folder.
    #[arg(long, visible_alias = "html", value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Write the anomalies that are cycles as Graphviz's DOT to this file, a graph each; of several histories, a file each
    /// into this folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) dot: Option<PathBuf>,
    /// Print a JSON object for each file, on a line of its own.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A size in bytes.
fn size(text: &str) -> Result<usize, String> {
    let digits = text.trim_end_matches(|next: char| next.is_ascii_alphabetic());
    let unit = text[digits.len()..].to_ascii_uppercase();
    let shift = match unit.strip_suffix("IB").or(unit.strip_suffix('B')).unwrap_or(&unit) {
        "K" => 10,
        "M" => 20,
        "" if unit.is_empty() => 20,
        "G" => 30,
        "" => 0,
        _ => return Err(format!("`{unit}` is no unit of memory; units are KB, MB and GB")),
    };
    let number: usize = digits.trim().parse().map_err(|_| format!("`{text}` is no size such as 512MB"))?;
    number.checked_mul(1 << shift).ok_or_else(|| format!("`{text}` is more memory than there can be"))
}

/// A model or a checker by its name.
fn model(name: &str) -> Result<String, String> {
    let names = rashomon_checkers::names();
    if names.contains(&name) { Ok(name.to_owned()) } else { Err(unknown("model", name, names)) }
}

/// Write a recorded history in another format.
///
/// The ops keep their meaning; what the other format cannot say is named on standard error.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rashomon convert runs/latest --to jepsen-edn --out history.edn
  rashomon convert store/latest/history.edn --to jsonl --out history.jsonl
  rashomon convert history.json --to jepsen-edn | less")]
pub(crate) struct ConvertArguments {
    /// The history; `-` is standard input. The folder of a run stands for its history.
    pub(crate) file: PathBuf,
    /// The format to write: jsonl, jepsen-edn, or plume for transactions over registers.
    #[arg(long, short = 't', value_name = "FORMAT")]
    pub(crate) to: Conversion,
    /// The file to write [default: standard output].
    #[arg(long, short = 'o', value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The format of the file [default: seen from its content].
    #[arg(long, short = 'f', value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
}

/// Make a history of clients that are always busy, with a violation where one is asked for.
///
/// Values are unique, half of the operations read, and what stays open stays open to the end. It is written as it is made,
/// so its length costs no memory.
#[derive(Debug, Args)]
#[command(after_help = "\
Kinds and the violations of each: rashomon list generators

Examples:
  rashomon generate register --ops 1000 --plant stale-read --info 1% | rashomon check -
  rashomon generate list-append --ops 1000000 --clients 20 --format jepsen-edn --out history.edn")]
pub(crate) struct GenerateArguments {
    /// What the clients work on: register, cas-register, queue, stack, priority-queue, set, counter, bank, list-append or
    /// rw-register.
    pub(crate) kind: Subject,
    /// How many operations, or transactions.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) ops: u64,
    /// How many clients are at it at once.
    #[arg(long, short = 'c', value_name = "C", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) clients: u64,
    /// The share of operations that never return, in tenths of a percent: `1%` or `0.01`. Where nothing near-linear could
    /// judge an open removal, as of a stack, removals always return.
    #[arg(long, value_name = "RATE", default_value = "0", value_parser = per_mille)]
    pub(crate) info: u64,
    /// What decides everything else.
    #[arg(long, short = 's', default_value_t = 1)]
    pub(crate) seed: u64,
    /// The violation that one operation, at 95% of the length, is to show; see `rashomon list generators`.
    #[arg(long, value_name = "VIOLATION")]
    pub(crate) plant: Option<Plant>,
    /// How many operations are to show it. More than one are spread over the length, and only stale reads can be so many.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "plant", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) times: u64,
    /// The file to write [default: standard output].
    #[arg(long, short = 'o', value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The format to write: jsonl or jepsen-edn.
    #[arg(long, short = 'f', default_value_t = Target::Jsonl)]
    pub(crate) format: Target,
}

/// A share in tenths of a percent.
fn per_mille(text: &str) -> Result<u64, String> {
    let (number, whole) = match text.strip_suffix('%') {
        Some(percent) => (percent, 10.0),
        None => (text, 1000.0),
    };
    let share = number.trim().parse::<f64>().map(|number| number * whole).ok();
    match share.filter(|share| (0.0..=1000.0).contains(share) && (share - share.round()).abs() < 1e-9) {
        Some(share) => Ok(share.round() as u64),
        None => Err(format!("`{text}` is no share such as 1% or 0.005, in steps of 0.1%")),
    }
}

/// List what there is by name.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// What to list.
    pub(crate) what: Listed,
    /// Print an array of JSON objects.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listed {
    /// The systems that can be tested.
    Systems,
    /// What clients can ask.
    Workloads,
    /// What can go wrong.
    Faults,
    /// The bugs that each system can be told to have.
    Bugs,
    /// The legal weaknesses of each system, which must not be reported.
    Controls,
    /// What judges a history.
    Checkers,
    /// The kinds of histories that can be made, and the violations that can be planted in each.
    Generators,
}

/// Say what this machine allows, and what would enable the rest.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Print an array of JSON objects.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Render the report of a run again, from its files.
#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// The run's folder.
    #[arg(default_value = "runs/latest")]
    pub(crate) run: PathBuf,
}

/// Be a node of a system; the harness starts these.
#[derive(Debug, Args)]
pub(crate) struct NodeArguments {
    /// The system.
    pub(crate) system: String,
    /// What the node needs to know.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}
