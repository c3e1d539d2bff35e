//! The envelope of a message between nodes: one UDP datagram.
//!
//! ```text
//! "RSHM" | version u8 | from u16 | to u16 | incarnation u32 | run u64 | payload (JSON) | CRC-32C of all before, u32
//! ```
//!
//! All numbers are big-endian. The checksum makes damage a loss and not a Byzantine message; the run id makes
//! a stray datagram of another run harmless; the incarnation lets a receiver drop what a sender said before it
//! died and started again.

use rashomon_core::{NodeId, RunId};
use thiserror::Error;

/// The largest frame. A default socket buffer silently drops what is larger than a few packets.
pub(crate) const LIMIT: usize = 8 * 1024;

const MAGIC: &[u8; 4] = b"RSHM";
const VERSION: u8 = 1;
const HEADER: usize = 4 + 1 + 2 + 2 + 4 + 8;
const CHECKSUM: usize = 4;

/// Whose message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The run it belongs to.
    pub(crate) run: RunId,
    /// The sender.
    pub(crate) from: NodeId,
    /// The receiver.
    pub(crate) to: NodeId,
    /// How often the sender had been started.
    pub(crate) incarnation: u32,
}

/// Why a datagram is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Damage {
    /// Not even a header fits.
    #[error("too short for a frame")]
    Short,
    /// Something flipped.
    #[error("checksum does not match")]
    Checksum,
    /// Whole, but of somebody else.
    #[error("not a frame of this program")]
    Magic,
    /// Whole, but of another time.
    #[error("frame version {0} is unknown")]
    Version(u8),
}

/// Wraps a payload. `None` when it does not fit into a frame.
pub(crate) fn encode(header: Header, payload: &[u8]) -> Option<Vec<u8>> {
    let size = HEADER + payload.len() + CHECKSUM;
    if size > LIMIT {
        return None;
    }
    let mut frame = Vec::with_capacity(size);
    frame.extend_from_slice(MAGIC);
    frame.push(VERSION);
    frame.extend_from_slice(&header.from.0.to_be_bytes());
    frame.extend_from_slice(&header.to.0.to_be_bytes());
    frame.extend_from_slice(&header.incarnation.to_be_bytes());
    frame.extend_from_slice(&header.run.0.to_be_bytes());
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&crc32c::crc32c(&frame).to_be_bytes());
    Some(frame)
}

/// Whose frame it is, when it is whole.
pub(crate) fn decode(frame: &[u8]) -> Result<Header, Damage> {
    let (head, checksum) = frame.split_last_chunk::<CHECKSUM>().ok_or(Damage::Short)?;
    if head.len() < HEADER {
        return Err(Damage::Short);
    }
    if crc32c::crc32c(head) != u32::from_be_bytes(*checksum) {
        return Err(Damage::Checksum);
    }
    if !head.starts_with(MAGIC) {
        return Err(Damage::Magic);
    }
    if head[4] != VERSION {
        return Err(Damage::Version(head[4]));
    }
    let short = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let header = Header {
        from: NodeId(short(5)),
        to: NodeId(short(7)),
        incarnation: u32::from(short(9)) << 16 | u32::from(short(11)),
        run: RunId((0..4).fold(0, |number, part| number << 16 | u64::from(short(13 + 2 * part)))),
    };
    Ok(header)
}

/// What a frame carries; nothing when it is no frame.
pub(crate) fn payload(frame: &[u8]) -> &[u8] {
    frame.get(HEADER..frame.len().saturating_sub(CHECKSUM)).unwrap_or_default()
}

/// What a message is called in the journal: the first key of its JSON, or the value of that key when it is `type`.
pub(crate) fn kind(frame: &[u8]) -> String {
    const LONGEST: usize = 40;
    let mut words = payload(frame).split(|byte| *byte == b'"').skip(1).step_by(2);
    let word = match words.next() {
        Some(b"type") => words.next(),
        word => word,
    };
    let word = word.unwrap_or_default();
    String::from_utf8_lossy(&word[..word.len().min(LONGEST)]).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER_OF_N1: Header = Header {
        run: RunId(0x0123_4567_89ab_cdef),
        from: NodeId(1),
        to: NodeId(515),
        incarnation: 0x0102_0304,
    };

    #[test]
    fn a_frame_survives_the_wire() {
        let frame = encode(HEADER_OF_N1, b"{\"vote\":{}}").unwrap();
        assert_eq!(decode(&frame), Ok(HEADER_OF_N1));
        assert_eq!(payload(&frame), b"{\"vote\":{}}");
        assert_eq!(kind(&frame), "vote");
    }

    #[test]
    fn the_label_is_the_first_key_or_the_type() {
        let label = |payload: &[u8]| kind(&encode(HEADER_OF_N1, payload).unwrap());
        assert_eq!(label(br#"{"type":"append","term":3}"#), "append");
        assert_eq!(label(br#""heartbeat""#), "heartbeat");
        assert_eq!(label(b"17"), "");
        assert_eq!(kind(b"x"), "");
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let frame = encode(HEADER_OF_N1, b"[1,2,3]").unwrap();
        for bit in 0..frame.len() * 8 {
            let mut damaged = frame.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&damaged), Err(Damage::Checksum), "bit {bit}");
        }
    }

    #[test]
    fn what_is_too_large_is_no_frame() {
        let most = LIMIT - HEADER - CHECKSUM;
        assert_eq!(encode(HEADER_OF_N1, &vec![b'x'; most]).unwrap().len(), LIMIT);
        assert_eq!(encode(HEADER_OF_N1, &vec![b'x'; most + 1]), None);
    }

    #[test]
    fn a_later_version_is_refused() {
        let mut frame = encode(HEADER_OF_N1, b"{}").unwrap();
        frame.truncate(frame.len() - CHECKSUM);
        frame[4] = 2;
        frame.extend_from_slice(&crc32c::crc32c(&frame).to_be_bytes());
        assert_eq!(decode(&frame), Err(Damage::Version(2)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
            kind(&bytes);
        }
    }
}
