//! The envelope of a snapshot's content: magic, format, place in the log, and a digest over everything.
//!
//! | bytes | |
//! |---|---|
//! | 8 | [`MAGIC`] |
//! | 4 | the format's number, little-endian as every number here |
//! | 8 | `seq`: how many lines the log had |
//! | 32 | the log's head |
//! | 8 | the length of the content |
//! | | policy and plan: a line of canonical JSON |
//! | | the state: canonical JSON whose numbers keep every bit |
//! | 32 | SHA-256 of everything before |

use crate::canonical::Digest;

use super::SnapshotHead;
use super::error::SnapshotError;

/// The version of the snapshot's format: a snapshot of another one is refused, and the log replayed.
pub const SNAPSHOT_FORMAT: u32 = 23;

/// The magic bytes. The first is not valid in a text; the last shows a transfer that rewrote line ends.
const MAGIC: [u8; 8] = *b"\x89HFSNAP\n";

/// A snapshot, with its content still in bytes.
pub(super) struct Envelope<'a> {
    pub(super) at: SnapshotHead,
    pub(super) content: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// The whole snapshot.
    pub(super) fn seal(&self) -> Vec<u8> {
        let Self { at: SnapshotHead { seq, head }, content } = self;
        let mut bytes = Vec::with_capacity(92 + content.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&SNAPSHOT_FORMAT.to_le_bytes());
        bytes.extend_from_slice(&seq.to_le_bytes());
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
        bytes.extend_from_slice(content);
        let digest = Digest::of(&bytes);
        bytes.extend_from_slice(digest.as_bytes());
        bytes
    }

    /// Opens a snapshot whose bytes are those that were written.
    pub(super) fn open(snapshot: &'a [u8]) -> Result<Self, SnapshotError> {
        let mut rest = snapshot.strip_prefix(&MAGIC).ok_or(SnapshotError::Foreign)?;
        let torn = SnapshotError::Length;
        let format = u32::from_le_bytes(take(&mut rest).ok_or(torn.clone())?);
        if format != SNAPSHOT_FORMAT {
            return Err(SnapshotError::Format { found: format });
        }
        let seq = u64::from_le_bytes(take(&mut rest).ok_or(torn.clone())?);
        let head = Digest::new(take(&mut rest).ok_or(torn.clone())?);
        let length = u64::from_le_bytes(take(&mut rest).ok_or(torn.clone())?);
        let (content, digest) =
            rest.split_last_chunk::<32>().filter(|(c, _)| c.len() as u64 == length).ok_or(torn)?;
        if Digest::of(&snapshot[..snapshot.len() - 32]) != Digest::new(*digest) {
            return Err(SnapshotError::Changed);
        }
        Ok(Self { at: SnapshotHead { seq, head }, content })
    }
}

/// Takes a number of bytes off the front.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}
