//! The histories that are measured.

/// A table of histories that are judged in one way.
pub(super) struct Table {
    pub(super) title: &'static str,
    /// More words for `rashomon check`.
    pub(super) more: &'static [&'static str],
    pub(super) rows: &'static [Row],
}

/// One history.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) ops: u64,
    pub(super) clients: u64,
    /// More words for `rashomon generate`.
    pub(super) more: &'static [&'static str],
    pub(super) wanted: &'static str,
    /// The aim for the checking alone.
    pub(super) aim: &'static str,
}

const fn row(name: &'static str, kind: &'static str, ops: u64, clients: u64) -> Row {
    Row { name, kind, ops, clients, more: &[], wanted: "valid", aim: "" }
}

const STALE: &[&str] = &["--info", "1%", "--plant", "stale-read"];

pub(super) const TABLES: [Table; 4] = [
    Table { title: "One object, with monitors", more: &[], rows: &MONITORED },
    Table { title: "One object, by search alone", more: &["--by-search"], rows: &SEARCHED },
    Table { title: "Transactions of 4 micro-ops on 10 active keys", more: &[], rows: &TRANSACTIONS },
    Table { title: "Growth", more: &[], rows: &GROWTH },
];

const MONITORED: [Row; 10] = [
    Row {
        more: STALE,
        wanted: "invalid",
        aim: "1 ms",
        ..row("register, 1% info, one stale read", "register", 1000, 10)
    },
    Row { aim: "20 ms", ..row("register", "register", 100_000, 5) },
    Row { aim: "150 ms", ..row("register", "register", 1_000_000, 5) },
    Row { aim: "150 ms", ..row("register", "register", 1_000_000, 10) },
    Row {
        more: STALE,
        wanted: "invalid",
        aim: "150 ms",
        ..row("register, 1% info, one stale read", "register", 1_000_000, 30)
    },
    row("FIFO queue", "queue", 1000, 10),
    Row { aim: "600 ms", ..row("FIFO queue", "queue", 1_000_000, 10) },
    Row { aim: "1,000 ms", ..row("priority queue", "priority-queue", 1_000_000, 10) },
    Row { aim: "2,000 ms", ..row("stack", "stack", 1_000_000, 10) },
    row("register with cas", "cas-register", 1_000_000, 10),
];

const SEARCHED: [Row; 3] = [
    Row { aim: "110 ms", ..row("register", "register", 100_000, 5) },
    Row {
        more: STALE,
        wanted: "invalid",
        aim: "50 ms",
        ..row("register, 1% info, one stale read", "register", 1000, 10)
    },
    Row { more: &["--info", "1%"], aim: "6,200 ms", ..row("register, 1% info", "register", 100_000, 5) },
];

const TRANSACTIONS: [Row; 11] = [
    row("list-append", "list-append", 10_000, 20),
    row("list-append", "list-append", 100_000, 20),
    row("list-append", "list-append", 100_000, 500),
    Row {
        more: &["--plant", "stale-read", "--times", "50"],
        wanted: "invalid",
        ..row("list-append, 0.05% stale", "list-append", 100_000, 20)
    },
    row("list-append", "list-append", 1_000_000, 20),
    row("list-append", "list-append", 1_000_000, 500),
    row("list-append", "list-append", 10_000_000, 20),
    row("rw-register", "rw-register", 10_000, 20),
    row("rw-register", "rw-register", 100_000, 20),
    row("rw-register", "rw-register", 1_000_000, 20),
    Row {
        more: STALE,
        wanted: "invalid",
        ..row("rw-register, one stale read", "rw-register", 1_000_000, 20)
    },
];

/// How the time grows with the length.
const GROWTH: [Row; 5] = [
    row("register", "register", 1000, 10),
    row("register", "register", 10_000, 10),
    row("register", "register", 100_000, 10),
    row("register", "register", 1_000_000, 10),
    row("register", "register", 10_000_000, 10),
];
