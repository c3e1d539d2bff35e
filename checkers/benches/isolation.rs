//! How long it takes to fill the whole table of isolation levels.
//!
//! `cargo bench -p rashomon-checkers --bench isolation`: transactions of 4 micro-ops over 10 active keys. The history is in
//! memory already: reading and parsing a file are not measured.

use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rashomon_checkers::generate::ListClients;
use rashomon_checkers::isolation::ListAppend;
use rashomon_checkers::{Budget, Checker};
use rashomon_core::{Seed, Validity};

fn lists(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("list-append");
    group.sample_size(10).measurement_time(Duration::from_secs(1)).warm_up_time(Duration::from_millis(200));
    for (name, transactions, clients, stale_per_100_000) in [
        ("10k txns, 20 clients", 10_000, 20, 0),
        ("100k txns, 20 clients", 100_000, 20, 0),
        ("100k txns, 20 clients, 0.05% stale", 100_000, 20, 50),
        ("100k txns, 500 clients", 100_000, 500, 0),
        ("1M txns, 20 clients", 1_000_000, 20, 0),
    ] {
        let (keys, micro_ops, open_per_mille, seed) = (10, 4, 0, Seed(1));
        let shape =
            ListClients { transactions, clients, keys, micro_ops, open_per_mille, stale_per_100_000, seed };
        let history = shape.history();
        let expected = if stale_per_100_000 == 0 { Validity::Valid } else { Validity::Invalid };
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || (),
                |()| {
                    let verdict = ListAppend::default().check(&history, &Budget::unlimited());
                    assert_eq!(verdict.valid, expected, "{}", verdict.summary);
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, lists);
criterion_main!(benches);
