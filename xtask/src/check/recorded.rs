//! Porcupine's recorded histories, file by file: ours and Porcupine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::ours::{self, Ours};
use super::rival::Outcome;
use super::{Bench, seconds};

/// The title of the table.
const TITLE: &str = "Recorded histories";

/// A folder of files, or some of them.
struct Set {
    name: &'static str,
    folder: &'static str,
    model: &'static str,
    kind: &'static str,
    is_in: fn(&Ours) -> bool,
    aim: &'static str,
}

fn is_named(one: &Ours, name: &str) -> bool {
    Path::new(&one.name).file_name().is_some_and(|file| file == name)
}

const ETCD: Set = Set {
    name: "etcd, all files",
    folder: "porcupine/etcd",
    model: "cas-register",
    kind: "porcupine-etcd",
    is_in: |_| true,
    aim: "5 ms, each file a fifth",
};
const KV: Set = Set { folder: "porcupine/kv", model: "kv", kind: "porcupine-kv", ..ETCD };

/// In a valid history both answer with the verdict; in an invalid one we answer with a minimal core as well.
const SETS: [Set; 6] = [
    ETCD,
    Set { name: "etcd, valid ones", is_in: |one| one.verdict == "valid", aim: "", ..ETCD },
    Set {
        name: "etcd, invalid ones, ours with cores",
        is_in: |one| one.verdict == "invalid",
        aim: "",
        ..ETCD
    },
    Set { name: "kv, all files", aim: "", ..KV },
    Set { name: "kv, c50-ok", is_in: |one| is_named(one, "c50-ok.txt"), aim: "20 ms", ..KV },
    Set {
        name: "kv, c50-bad, ours with a core",
        is_in: |one| is_named(one, "c50-bad.txt"),
        aim: "50 ms",
        ..KV
    },
];

/// A file: what we made of it, and how long Porcupine read and checked.
struct File {
    ours: Ours,
    rival: Option<(f64, f64)>,
}

pub(super) fn measure(bench: &mut Bench<'_>, histories: &Path) -> Result<()> {
    if !bench.is_wanted(TITLE) {
        return Ok(());
    }
    println!("\n{TITLE}\n");
    println!(
        "| files | how many | reading, summed | checking, summed | slowest | aim | porcupine: checking, summed | slowest | \
         least ratio of a file | median ratio |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for folder in [ETCD.folder, KV.folder] {
        let sets: Vec<&Set> = SETS.iter().filter(|set| set.folder == folder).collect();
        let files = judged(bench, &histories.join(folder), sets[0])?;
        for set in sets {
            println!("{}", told(set, &files)?);
        }
    }
    Ok(())
}

/// Every file, judged so often that a median can be taken.
fn judged(bench: &mut Bench<'_>, folder: &Path, set: &Set) -> Result<Vec<File>> {
    ensure!(folder.is_dir(), "{} is no folder", folder.display());
    let mut runs: Vec<Vec<Ours>> = Vec::new();
    for _ in 0..bench.arguments.runs.max(1) {
        let output = Command::new(bench.binary)
            .args(["check", "--json", "--model", set.model])
            .arg(folder)
            .output()?;
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        runs.push(lines.map(ours::parse).collect::<Result<_>>()?);
    }
    let porcupine = bench.arguments.rivals.iter().find(|rival| rival.takes(set.kind));
    let mut files = Vec::new();
    let count = runs[0].len();
    for place in 0..count {
        let mut all: Vec<Ours> = Vec::new();
        for run in &mut runs {
            ensure!(run.len() == count - place, "runs differ in the files that they judge");
            all.push(run.remove(0));
        }
        all.sort_by(|one, other| one.checking.total_cmp(&other.checking));
        let ours = all.swap_remove(all.len() / 2);
        let mut rival = None;
        if let Some(porcupine) = porcupine {
            let path = PathBuf::from(&ours.name);
            let took = porcupine.judge(set.kind, &path, &bench.limits)?;
            let said = took.contradicts(&ours.verdict);
            bench.wrong.extend(said.map(|said| format!("{}: {} {said}", ours.name, porcupine.name())));
            match took.outcome {
                Outcome::Judged { reading, checking, .. } => rival = Some((reading, checking)),
                Outcome::TimedOut(_) | Outcome::OutOfMemory(_) | Outcome::Died(_) => {
                    println!("{}: {} {}", ours.name, porcupine.name(), took.told(1.0));
                }
            }
        }
        files.push(File { ours, rival });
    }
    Ok(files)
}

fn told(set: &Set, files: &[File]) -> Result<String> {
    let files: Vec<&File> = files.iter().filter(|file| (set.is_in)(&file.ours)).collect();
    ensure!(!files.is_empty(), "{}: no such file", set.name);
    let sum = |of: fn(&Ours) -> f64| seconds(files.iter().map(|file| of(&file.ours)).sum());
    let slowest = files.iter().map(|file| file.ours.checking).fold(0.0, f64::max);
    let checks: Vec<f64> = files.iter().filter_map(|file| file.rival).map(|(_, checking)| checking).collect();
    let theirs = if checks.is_empty() {
        " | | |".to_owned()
    } else {
        let pairs = files.iter().filter_map(|file| Some(file.rival?.1 / file.ours.checking));
        let mut ratios: Vec<f64> = pairs.collect();
        ratios.sort_by(f64::total_cmp);
        let (least, median) = (ratios.first().context("some")?, ratios[ratios.len() / 2]);
        format!(
            "{} | {} | {least:.1} | {median:.1}",
            seconds(checks.iter().sum()),
            seconds(checks.iter().copied().fold(0.0, f64::max))
        )
    };
    Ok(format!(
        "| {} | {} | {} | {} | {} | {} | {theirs} |",
        set.name,
        files.len(),
        sum(|one| one.reading),
        sum(|one| one.checking),
        seconds(slowest),
        set.aim,
    ))
}
