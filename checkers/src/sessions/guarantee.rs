//! The four session guarantees.

/// A promise about what one session sees (Terry, Demers, Petersen, Spreitzer, Theimer and Welch 1994).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guarantee {
    /// A read sees no older version than a write before it.
    ReadYourWrites,
    /// A read sees no older version than a read before it.
    MonotonicReads,
    /// A write comes after the writes before it.
    MonotonicWrites,
    /// A write comes after the versions that were read before it.
    WritesFollowReads,
}

impl Guarantee {
    /// All of them.
    pub const ALL: [Guarantee; 4] = [
        Guarantee::ReadYourWrites,
        Guarantee::MonotonicReads,
        Guarantee::MonotonicWrites,
        Guarantee::WritesFollowReads,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Guarantee::ReadYourWrites => "read-your-writes",
            Guarantee::MonotonicReads => "monotonic-reads",
            Guarantee::MonotonicWrites => "monotonic-writes",
            Guarantee::WritesFollowReads => "writes-follow-reads",
        }
    }

    /// The guarantees together with which it is judged, as bits: without monotonic reads no read can tell whether writes
    /// came in order.
    pub(super) fn judged_with(self) -> u8 {
        match self {
            Guarantee::MonotonicWrites => self.bit() | Guarantee::MonotonicReads.bit(),
            Guarantee::ReadYourWrites | Guarantee::MonotonicReads | Guarantee::WritesFollowReads => {
                self.bit()
            }
        }
    }

    pub(super) fn bit(self) -> u8 {
        match self {
            Guarantee::ReadYourWrites => 1,
            Guarantee::MonotonicReads => 2,
            Guarantee::MonotonicWrites => 4,
            Guarantee::WritesFollowReads => 8,
        }
    }
}
