//! The violations that can be planted.

use std::fmt;
use std::str::FromStr;

/// A lie that one operation tells, at 95% of the length of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plant {
    /// A read answers with what was replaced long ago.
    StaleRead,
    /// A read or a removal answers with what nobody wrote.
    Garbage,
    /// Two cas succeed from the same value.
    LostUpdate,
    /// A value comes out of a queue twice, or is twice in a set or a list.
    Duplicate,
    /// A value comes out before one that was due.
    Reordered,
    /// A removal finds nothing although much is there.
    FalseEmpty,
    /// What was acknowledged is never there.
    Lost,
    /// A read counts more than was ever added.
    Overcount,
    /// A read counts less than was acknowledged.
    Undercount,
    /// The balances of a read do not add up.
    WrongTotal,
    /// A balance of a read is below zero.
    NegativeBalance,
    /// Two reads disagree about the order of what was appended.
    IncompatibleOrder,
    /// A transaction does not see its own write.
    Internal,
    /// A transaction reads what another wrote that failed.
    AbortedRead,
}

impl Plant {
    /// All of them.
    pub const ALL: [Plant; 14] = [
        Plant::StaleRead,
        Plant::Garbage,
        Plant::LostUpdate,
        Plant::Duplicate,
        Plant::Reordered,
        Plant::FalseEmpty,
        Plant::Lost,
        Plant::Overcount,
        Plant::Undercount,
        Plant::WrongTotal,
        Plant::NegativeBalance,
        Plant::IncompatibleOrder,
        Plant::Internal,
        Plant::AbortedRead,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Plant::StaleRead => "stale-read",
            Plant::Garbage => "garbage",
            Plant::LostUpdate => "lost-update",
            Plant::Duplicate => "duplicate",
            Plant::Reordered => "reordered",
            Plant::FalseEmpty => "false-empty",
            Plant::Lost => "lost",
            Plant::Overcount => "overcount",
            Plant::Undercount => "undercount",
            Plant::WrongTotal => "wrong-total",
            Plant::NegativeBalance => "negative-balance",
            Plant::IncompatibleOrder => "incompatible-order",
            Plant::Internal => "internal",
            Plant::AbortedRead => "g1a",
        }
    }

    /// Whether operations that never return could explain it: whoever took nothing may have taken what is missing.
    pub fn excused_by_open_ops(self) -> bool {
        matches!(self, Plant::Reordered | Plant::FalseEmpty)
    }
}

impl fmt::Display for Plant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Plant {
    type Err = String;

    fn from_str(name: &str) -> Result<Plant, String> {
        Plant::ALL.into_iter().find(|plant| plant.name() == name).ok_or_else(|| {
            let names: Vec<_> = Plant::ALL.iter().map(|plant| plant.name()).collect();
            format!("`{name}` is no violation that can be planted; these are {}", names.join(", "))
        })
    }
}
