//! The encoder, and the seal on a log line.

use super::order::Name;
use super::serializer::Value;
use super::writer::{Member, Writer};
use super::{CanonicalError, Digest, transcode};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::ops::Range;

/// Writes canonical JSON into the caller's buffer, and keeps its own scratch space for the next.
///
/// ```
/// use hotfix_core::canonical::Encoder;
///
/// #[derive(serde::Serialize)]
/// struct Arm {
///     trials: u32,
///     events: u32,
///     share: f64,
/// }
///
/// let mut encoder = Encoder::new();
/// let mut text = Vec::new();
/// encoder.encode(&Arm { trials: 1000, events: 3, share: 1e-7 }, &mut text)?;
/// assert_eq!(text, br#"{"events":3,"share":1e-7,"trials":1000}"#);
/// # Ok::<(), hotfix_core::canonical::CanonicalError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    members: Vec<Member>,
    scratch: Vec<u8>,
}

impl Encoder {
    /// An encoder with no scratch space yet.
    pub const fn new() -> Self {
        Self { members: Vec::new(), scratch: Vec::new() }
    }

    /// Appends the canonical JSON of `value` to `out`; on an error `out` is as it was.
    ///
    /// # Errors
    /// `HF-JSON-001` for NaN and infinities, `HF-JSON-002` for whole numbers beyond ±2^53,
    /// `HF-JSON-003` for a name that occurs twice, `HF-JSON-004` for keys that are not text,
    /// `HF-JSON-005` for more than 127 levels, `HF-JSON-006` where the type itself refuses.
    pub fn encode<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
        out: &mut Vec<u8>,
    ) -> Result<(), CanonicalError> {
        self.write(out, |writer| value.serialize(Value(writer)))
    }

    /// Appends the canonical form of JSON that somebody else wrote; on an error `out` is as it was.
    ///
    /// # Errors
    /// `HF-JSON-007` for text that is not JSON, and those of [`encode`](Self::encode). A whole
    /// number is refused where a double would change it.
    ///
    /// ```
    /// use hotfix_core::canonical::Encoder;
    ///
    /// let mut out = Vec::new();
    /// Encoder::new().canonicalise(r#"{ "b": 1.50, "a": "\u0041" }"#, &mut out)?;
    /// assert_eq!(out, br#"{"a":"A","b":1.5}"#);
    /// # Ok::<(), hotfix_core::canonical::CanonicalError>(())
    /// ```
    pub fn canonicalise(&mut self, json: &str, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
        self.write(out, |writer| transcode::transcode(json, writer))
    }

    /// Appends one log line: the canonical JSON of an object, with its `hash`, and a line feed.
    ///
    /// `hash` covers everything but itself and the top-level member `personal`, which is in the
    /// line and may be redacted later. The value has `prev`, the hash of the line before.
    ///
    /// # Errors
    /// `HF-JSON-008` unless the value is an object, `HF-JSON-009` when it has a `hash`,
    /// `HF-JSON-010` when it has no digest `prev`, and those of [`encode`](Self::encode).
    ///
    /// Shows ROLL-7.
    pub fn seal<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
        out: &mut Vec<u8>,
    ) -> Result<Digest, CanonicalError> {
        let start = out.len();
        self.encode(value, out)?;
        let hash = self.hash_and_place(start, out);
        match hash {
            Ok(_) => out.push(b'\n'),
            Err(_) => out.truncate(start),
        }
        hash
    }

    /// Where the top-level member `name` of the text just written stands, name included.
    pub(super) fn member(&self, name: &[u8], out: &[u8]) -> Option<Range<usize>> {
        let found = self.members.iter().find(|member| member.name(out).raw == name)?;
        Some(found.place())
    }

    fn hash_and_place(&self, start: usize, out: &mut Vec<u8>) -> Result<Digest, CanonicalError> {
        if out.get(start) != Some(&b'{') {
            return Err(CanonicalError::NotObject);
        }
        if self.member(b"hash", out).is_some() {
            return Err(CanonicalError::AlreadySealed);
        }
        let prev = self.member(b"prev", out).ok_or(CanonicalError::NoPrevious)?;
        digest_member(&out[prev], b"prev").ok_or(CanonicalError::NoPrevious)?;
        let hash = hash_without([None, self.member(b"personal", out)], start..out.len(), out);

        // `prev` is there and sorts after `hash`, so a comma always follows.
        let name = Name { raw: b"hash", plain: true };
        let after = self.members.iter().find(|member| member.name(out).cmp(name).is_gt());
        let at = after.map_or(out.len() - 1, |member| member.place().start);
        let mut text = [0; HASH_MEMBER];
        text[..8].copy_from_slice(br#""hash":""#);
        text[8..72].copy_from_slice(&hash.hex());
        text[72..].copy_from_slice(b"\",");
        let old = out.len();
        out.extend_from_slice(&text);
        out.copy_within(at..old, at + HASH_MEMBER);
        out[at..at + HASH_MEMBER].copy_from_slice(&text);
        Ok(hash)
    }

    fn write(
        &mut self,
        out: &mut Vec<u8>,
        body: impl FnOnce(&mut Writer<'_>) -> Result<(), CanonicalError>,
    ) -> Result<(), CanonicalError> {
        let start = out.len();
        self.members.clear();
        let Self { members, scratch } = self;
        let result = body(&mut Writer::new(out, members, scratch));
        if result.is_err() {
            out.truncate(start);
        }
        result
    }
}

/// Bytes of `"hash":"…",`.
const HASH_MEMBER: usize = 74;

/// SHA-256 of a canonical object at `object` in `text` as if the members at `cuts`, in order, were
/// not there.
pub(super) fn hash_without(
    cuts: [Option<Range<usize>>; 2],
    object: Range<usize>,
    text: &[u8],
) -> Digest {
    let mut hasher = Sha256::new();
    let mut from = object.start + 1; // after the brace
    let end = object.end - 1;
    let mut separator: &[u8] = b"{";
    let mut keep = |run: Range<usize>| {
        if run.start < run.end {
            hasher.update(separator);
            hasher.update(&text[run]);
            separator = b",";
        }
    };
    for cut in cuts.into_iter().flatten() {
        keep(from..cut.start - 1); // without the comma before
        from = cut.end + 1; // nor the one after
    }
    keep(from..end);
    let empty = separator == b"{";
    hasher.update(if empty { "{}" } else { "}" });
    Digest::finish(hasher)
}

/// The digest in a member `"name":"<64 digits>"`.
pub(super) fn digest_member(member: &[u8], name: &[u8]) -> Option<Digest> {
    let value = member.strip_prefix(b"\"")?.strip_prefix(name)?.strip_prefix(b"\":\"")?;
    Digest::from_hex(value.strip_suffix(b"\"")?)
}
