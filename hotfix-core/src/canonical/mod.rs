//! Canonical JSON (RFC 8785), digests over it, and the lines of the event log.
//!
//! One value has one text: members sorted by the UTF-16 code units of their names, numbers as
//! ECMAScript prints them, no spaces. So a digest of the text is a digest of the value, independent
//! of the program that wrote it.
//!
//! * [`Encoder::encode`] writes a value; nothing is allocated once its buffers are warm.
//! * [`digest`] gives the SHA-256 of that text.
//! * [`Encoder::seal`] writes a log line with its `hash`, and [`verify_line`] reads one.
//!
//! Two things follow from the RFC. `-0` is written as `0`, so the sign of a negative zero is lost;
//! every other finite double is restored bit for bit. Integers beyond ±2^53 are refused,
//! because a reader with doubles would silently change them. In text from elsewhere only those that
//! a double would change are refused.
//!
//! ```
//! use hotfix_core::canonical::{Digest, Encoder, verify_line};
//! use serde::Serialize;
//!
//! #[derive(Serialize)]
//! struct Event {
//!     seq: u64,
//!     prev: Digest,
//!     fact: &'static str,
//! }
//!
//! let mut encoder = Encoder::new();
//! let mut log = Vec::new();
//! let hash = encoder.seal(&Event { seq: 0, prev: Digest::ZERO, fact: "opened" }, &mut log)?;
//!
//! let line = verify_line(&log).expect("what was sealed can be read");
//! assert_eq!((line.prev(), line.hash()), (Digest::ZERO, hash));
//! assert!(line.text().starts_with(r#"{"fact":"opened","hash":""#));
//! # Ok::<(), hotfix_core::canonical::CanonicalError>(())
//! ```

mod digest;
mod encode;
mod error;
mod line;
mod members;
mod number;
mod order;
mod pretty;
mod read;
mod scan;
mod serializer;
mod transcode;
mod writer;

pub(crate) use digest::Begun;
pub use digest::{Digest, digest};
pub use encode::Encoder;
pub use error::{CanonicalError, DigestError, LineError};
pub(crate) use line::with_personal;
pub use line::{Line, verify_line};
pub(crate) use members::Scan;
pub use pretty::sorted;
pub(crate) use pretty::{pretty, tree_of};
pub(crate) use read::{
    Cause, ReadError, Unread, read_any, read_canonical, read_line, read_state, read_tree,
};

use serde::de::{Deserialize, Deserializer};

/// Greatest nesting depth of a value: the depth that `serde_json` reads.
const MAX_DEPTH: usize = 127;

/// Largest whole number up to which every one is exact as a double.
const MAX_INTEGER: u64 = 1 << 53;

/// Reads a value that may be left out; `null` is the default, too.
pub(crate) fn if_any<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}
