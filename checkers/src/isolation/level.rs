//! Isolation levels, and which of them imply which.

use std::fmt;
use std::str::FromStr;

/// What transactions may see of each other.
///
/// Definitions: Adya's thesis (1999) for read uncommitted (PL-1), read committed (PL-2), repeatable read (PL-2.99) and
/// serializable (PL-3); Cerone, Bernardi and Gotsman (CONCUR 2015) for the others, as orders of visibility and
/// arbitration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isolation {
    /// Writes of transactions do not interleave: no G0.
    ReadUncommitted,
    /// Only final values of committed transactions are read: no G1.
    ReadCommitted,
    /// All of a transaction is seen, or nothing.
    ReadAtomic,
    /// What a transaction saw is seen by all who see it.
    Causal,
    /// Each transaction sees a prefix of one order of all.
    Prefix,
    /// Causal, and no two concurrent transactions write the same key.
    ParallelSnapshot,
    /// Prefix, and no two concurrent transactions write the same key.
    Snapshot,
    /// No cycle over single items. Without predicates, as here, the same cycles as of serializable.
    RepeatableRead,
    /// One order of all transactions, done one after another, explains everything.
    Serializable,
}

/// Which order between transactions must be kept besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// None.
    Plain,
    /// A process sees its own earlier transactions.
    Session,
    /// A transaction sees all that ended before it began.
    RealTime,
}

/// An isolation level: one cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level {
    /// The row.
    pub isolation: Isolation,
    /// The column.
    pub order: Order,
}

impl Isolation {
    /// From the weakest to the strongest, as far as they can be compared.
    pub const ALL: [Isolation; 9] = [
        Isolation::ReadUncommitted,
        Isolation::ReadCommitted,
        Isolation::ReadAtomic,
        Isolation::Causal,
        Isolation::Prefix,
        Isolation::ParallelSnapshot,
        Isolation::Snapshot,
        Isolation::RepeatableRead,
        Isolation::Serializable,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Isolation::ReadUncommitted => "read-uncommitted",
            Isolation::ReadCommitted => "read-committed",
            Isolation::ReadAtomic => "read-atomic",
            Isolation::Causal => "causal",
            Isolation::Prefix => "prefix",
            Isolation::ParallelSnapshot => "parallel-snapshot-isolation",
            Isolation::Snapshot => "snapshot-isolation",
            Isolation::RepeatableRead => "repeatable-read",
            Isolation::Serializable => "serializable",
        }
    }

    /// The levels next below it.
    fn below(self) -> &'static [Isolation] {
        use Isolation as I;
        match self {
            I::ReadUncommitted => &[],
            I::ReadCommitted => &[I::ReadUncommitted],
            I::ReadAtomic => &[I::ReadCommitted],
            I::Causal | I::RepeatableRead => &[I::ReadAtomic],
            I::Prefix | I::ParallelSnapshot => &[I::Causal],
            I::Snapshot => &[I::Prefix, I::ParallelSnapshot],
            I::Serializable => &[I::Snapshot, I::RepeatableRead],
        }
    }

    /// Whether all that satisfies this level satisfies the other.
    pub fn implies(self, other: Isolation) -> bool {
        self == other || self.below().iter().any(|below| below.implies(other))
    }
}

impl Order {
    /// From the weakest to the strongest.
    pub const ALL: [Order; 3] = [Order::Plain, Order::Session, Order::RealTime];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Order::Plain => "plain",
            Order::Session => "session",
            Order::RealTime => "realtime",
        }
    }
}

impl Level {
    /// Serializable in an order that agrees with real time.
    pub const STRICT_SERIALIZABLE: Level =
        Level { isolation: Isolation::Serializable, order: Order::RealTime };

    /// Serializable in an order that agrees with that of each process.
    pub const STRONG_SESSION_SERIALIZABLE: Level =
        Level { isolation: Isolation::Serializable, order: Order::Session };

    /// All levels, row by row.
    pub fn all() -> impl Iterator<Item = Level> {
        Isolation::ALL
            .into_iter()
            .flat_map(|isolation| Order::ALL.into_iter().map(move |order| Level { isolation, order }))
    }

    /// Whether all that satisfies this level satisfies the other.
    pub fn implies(self, other: Level) -> bool {
        self.isolation.implies(other.isolation) && self.order >= other.order
    }

    /// Whether it forbids two concurrent transactions to write the same key without forbidding more: then it depends on
    /// an order of writes that no read may show.
    pub(super) fn forbids_concurrent_writers(self) -> bool {
        matches!(self.isolation, Isolation::ParallelSnapshot | Isolation::Snapshot)
    }

    fn bit(self) -> u32 {
        1 << (self.isolation as u32 * 3 + self.order as u32)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.order {
            _ if *self == Level::STRICT_SERIALIZABLE => "strict-serializable".to_owned(),
            Order::Plain => self.isolation.name().to_owned(),
            Order::Session => format!("strong-session-{}", self.isolation.name()),
            Order::RealTime => format!("strong-{}", self.isolation.name()),
        };
        f.pad(&name)
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(name: &str) -> Result<Level, String> {
        Level::all().find(|level| level.to_string() == name).ok_or_else(|| {
            let rows = Isolation::ALL.map(Isolation::name).join(", ");
            format!(
                "`{name}` is no isolation level; levels are {rows}, each with strong-session- or strong- before \
                 it, and strict-serializable"
            )
        })
    }
}

/// A set of levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Levels(u32);

impl Levels {
    /// All levels at least as strong as one of these isolations, in every column from `order` on: what is ruled out by
    /// an anomaly that these forbid.
    pub(super) fn from(isolations: &[Isolation], order: Order) -> Levels {
        let weakest = |isolation: &Isolation| Level { isolation: *isolation, order };
        let ruled = Level::all().filter(|level| isolations.iter().any(|one| level.implies(weakest(one))));
        Levels(ruled.fold(0, |bits, level| bits | level.bit()))
    }

    pub(super) fn contains(self, level: Level) -> bool {
        self.0 & level.bit() != 0
    }

    pub(super) fn with(self, level: Level) -> Levels {
        Levels(self.0 | level.bit())
    }

    /// How many there are.
    pub(super) fn count(self) -> u32 {
        self.0.count_ones()
    }

    pub(super) fn includes(self, other: Levels) -> bool {
        self.0 | other.0 == self.0
    }

    pub(super) fn and(self, other: Levels) -> Levels {
        Levels(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Isolation, Level, Levels, Order};

    #[test]
    fn names_are_read_back() {
        for level in Level::all() {
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        assert!("serialisable".parse::<Level>().unwrap_err().contains("strict-serializable"));
    }

    #[test]
    fn the_strongest_level_implies_all_and_the_weakest_none() {
        for level in Level::all() {
            assert!(Level::STRICT_SERIALIZABLE.implies(level), "{level}");
            let weakest = Level { isolation: Isolation::ReadUncommitted, order: Order::Plain };
            assert_eq!(weakest.implies(level), level == weakest);
        }
        assert!(!Isolation::Prefix.implies(Isolation::ParallelSnapshot));
        assert!(!Isolation::RepeatableRead.implies(Isolation::Snapshot));
    }

    #[test]
    fn what_breaks_a_level_breaks_all_that_imply_it() {
        let broken = Levels::from(&[Isolation::Snapshot], Order::Session);
        for level in Level::all() {
            let expected = level.order >= Order::Session
                && [Isolation::Snapshot, Isolation::Serializable].contains(&level.isolation);
            assert_eq!(broken.contains(level), expected, "{level}");
        }
    }
}
