//! How long monitors and the generic search take, certificates included.
//!
//! `cargo bench -p rashomon-checkers`. With `RASHOMON_HISTORIES` naming a folder of recorded histories (`etcd/*.log`
//! and `kv/*.txt` in it), those are measured too; without, a line says that they were left out.

use std::fs;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use rashomon_checkers::formats::{Format, Recording, read};
use rashomon_checkers::generate::Clients;
use rashomon_checkers::linearizable::Linearizable;
use rashomon_checkers::models::{ElementSet, Kv, PriorityQueue, Queue, Register, Stack};
use rashomon_checkers::{Budget, Checker, Model, Question, judge};
use rashomon_core::{History, Seed, Validity};

fn clients(operations: u64, clients: u64, open_per_mille: u64, stale: bool) -> Clients {
    Clients { operations, clients, open_per_mille, stale, seed: Seed(1) }
}

fn register(history: &History, expected: Validity) {
    let verdict = Linearizable::new(Register::cas()).check(history, &Budget::unlimited());
    assert_eq!(verdict.valid, expected, "{}", verdict.summary);
}

fn judged<M: Model>(model: M, history: &History, expected: Validity) {
    let verdict = Linearizable::new(model).judge(history, &Budget::unlimited());
    assert_eq!(verdict.valid, expected, "{}", verdict.summary);
}

fn searched(history: &History, expected: Validity) {
    let verdict = Linearizable::new(Register::cas()).by_search().check(history, &Budget::unlimited());
    assert_eq!(verdict.valid, expected, "{}", verdict.summary);
}

/// Registers of unique values, by the monitor and, where that is bearable, by the search in the same run.
fn generated(criterion: &mut Criterion) {
    use Validity::{Invalid, Valid};
    let mut group = criterion.benchmark_group("generated");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for (name, shape, expected, both) in [
        ("register 1k ops, 10 clients, 1% info", clients(1000, 10, 10, false), Valid, true),
        ("register 1k ops, 10 clients, 1% info, stale", clients(1000, 10, 10, true), Invalid, true),
        ("register 100k ops, 5 clients", clients(100_000, 5, 0, false), Valid, true),
        ("register 100k ops, 5 clients, stale", clients(100_000, 5, 0, true), Invalid, true),
        ("register 100k ops, 5 clients, 1% info", clients(100_000, 5, 10, false), Valid, true),
        ("register 1M ops, 5 clients", clients(1_000_000, 5, 0, false), Valid, false),
        ("register 1M ops, 10 clients, stale", clients(1_000_000, 10, 0, true), Invalid, false),
        ("register 1M ops, 10 clients, 1% info", clients(1_000_000, 10, 10, false), Valid, false),
        ("register 1M ops, 30 clients, 1% info, stale", clients(1_000_000, 30, 10, true), Invalid, false),
    ] {
        let history = shape.unique_register();
        group.bench_function(name, |bencher| bencher.iter(|| register(&history, expected)));
        if both {
            let name = format!("{name}, searched");
            group.bench_function(name, |bencher| bencher.iter(|| searched(&history, expected)));
        }
    }
    for (name, operations, expected) in [
        ("queue 1k ops, 10 clients", 1000, Valid),
        ("queue 1k ops, 10 clients, one out of turn", 1000, Invalid),
        ("queue 1M ops, 10 clients", 1_000_000, Valid),
        ("queue 1M ops, 10 clients, one out of turn", 1_000_000, Invalid),
    ] {
        let history = clients(operations, 10, 0, expected == Invalid).unique_queue();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let verdict = Linearizable::new(Queue::default()).check(&history, &Budget::unlimited());
                assert_eq!(verdict.valid, expected, "{}", verdict.summary);
            });
        });
    }
    for (name, expected) in [("1M ops, 10 clients", Valid), ("1M ops, 10 clients, one out of turn", Invalid)]
    {
        let shape = clients(1_000_000, 10, 0, expected == Invalid);
        let stack = shape.unique_stack();
        group.bench_function(format!("stack {name}"), |bencher| {
            bencher.iter(|| judged(Stack::default(), &stack, expected));
        });
        let queue = shape.unique_priority_queue();
        group.bench_function(format!("priority queue {name}"), |bencher| {
            bencher.iter(|| judged(PriorityQueue::default(), &queue, expected));
        });
    }
    let set = clients(1_000_000, 10, 10, false).element_set(10_000);
    group.bench_function("set of 10k elements, 1M ops, 10 clients, 1% info", |bencher| {
        bencher.iter(|| judged(ElementSet::default(), &set, Valid));
    });
    let few = clients(170, 5, 50, false).cas_register(5);
    group.bench_function("cas register 170 ops of 5 values, 5% info", |bencher| {
        bencher.iter(|| register(&few, Valid));
    });
    let strings = clients(1700, 50, 0, false).kv(10);
    group.bench_function("kv 1.7k ops, 50 clients, 10 keys", |bencher| {
        bencher.iter(|| {
            let verdict = Linearizable::new(Kv::default()).check(&strings, &Budget::unlimited());
            assert_eq!(verdict.valid, Validity::Valid);
        });
    });
    group.finish();
}

fn recordings(folder: &Path, extension: &str) -> Vec<(String, Recording)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|end| end == extension))
        .collect();
    files.sort();
    let open = |path: &Path| {
        let text = fs::read_to_string(path).expect("a readable file");
        let format = Format::detect(&text).expect("a known format");
        read(format, &text).expect("a history")
    };
    let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), open(path))).collect()
}

fn recorded(criterion: &mut Criterion) {
    let Some(folder) = std::env::var_os("RASHOMON_HISTORIES") else {
        eprintln!("left out: recorded histories (RASHOMON_HISTORIES is not set)");
        return;
    };
    let folder = Path::new(&folder);
    let ask = |recording: &Recording| {
        judge(recording, &Question::default(), &Budget::unlimited()).expect("a verdict").valid
    };
    let mut group = criterion.benchmark_group("recorded");
    let etcd = recordings(&folder.join("etcd"), "log");
    group.bench_function(format!("etcd, {} files summed", etcd.len()), |bencher| {
        bencher.iter(|| etcd.iter().filter(|(_, file)| ask(file) == Validity::Valid).count());
    });
    for (name, recording) in recordings(&folder.join("kv"), "txt") {
        group.bench_function(format!("kv {name}"), |bencher| bencher.iter(|| ask(&recording)));
    }
    group.finish();
}

criterion_group!(benches, generated, recorded);
criterion_main!(benches);
