//! Hashes that are the same on every machine and in every build.

use std::fmt;

use rashomon_core::Value;
use serde::{Deserialize, Serialize};

/// A 64-bit fingerprint, written as 16 hexadecimal digits.
///
/// It compares what nodes say of themselves; it protects nobody against an adversary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest(pub u64);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<Digest> for Value {
    fn from(digest: Digest) -> Value {
        Value::String(digest.to_string())
    }
}

/// Builds a [`Digest`] from parts: FNV-1a over their bytes, then the finaliser of `SplitMix64`.
#[derive(Clone, Copy, Debug)]
pub struct Hasher(u64);

impl Hasher {
    /// A hasher for one kind of thing; equal parts of different kinds hash differently.
    pub fn new(kind: &str) -> Hasher {
        Hasher(0xcbf2_9ce4_8422_2325).text(kind)
    }

    fn bytes(self, bytes: &[u8]) -> Hasher {
        Hasher(
            bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)),
        )
    }

    /// Adds a text, and its length, so that neighbouring texts cannot run into each other.
    pub fn text(self, text: &str) -> Hasher {
        self.bytes(text.as_bytes()).number(text.len() as u64)
    }

    /// Adds a number.
    pub fn number(self, number: u64) -> Hasher {
        self.bytes(&number.to_le_bytes())
    }

    /// Adds a number that may be missing.
    pub fn maybe(self, number: Option<i64>) -> Hasher {
        match number {
            None => self.number(0),
            Some(number) => self.number(1).number(number as u64),
        }
    }

    /// The fingerprint of all parts.
    pub fn finish(self) -> Digest {
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Digest(z ^ (z >> 31))
    }
}
