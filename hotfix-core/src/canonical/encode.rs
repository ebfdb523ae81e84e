//! The encoder of canonical JSON, and the seal of a log line.

use super::error::Unwritten;
use super::order::Name;
use super::serializer::Value;
use super::writer::{Member, Numbers, Writer};
use super::{CanonicalError, Digest, transcode};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::ops::Range;

/// Writer of canonical JSON into the caller's buffer. It keeps its scratch space between calls.
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

/// A text, or why it cannot be written.
type Written = Result<String, CanonicalError>;

impl Encoder {
    /// An encoder with no scratch space yet.
    pub const fn new() -> Self {
        Self { members: Vec::new(), scratch: Vec::new() }
    }

    /// Appends the canonical JSON of `value` to `out`; on an error `out` is as it was.
    ///
    /// # Errors
    /// [`CanonicalError`] for NaN and infinities, whole numbers beyond ±2^53, a name that occurs
    /// twice, keys that are not text, more than 127 levels, or an error of the type itself.
    pub fn encode<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
        out: &mut Vec<u8>,
    ) -> Result<(), CanonicalError> {
        self.write(out, Numbers::Canonical, |writer| value.serialize(Value(writer)))
    }

    /// Appends the text of a state, which [`read_state`](super::read_state) reads: canonical JSON
    /// whose numbers keep every bit. Infinities are written as `1e999`, beyond every double.
    pub(crate) fn encode_state<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
        out: &mut Vec<u8>,
    ) -> Result<(), CanonicalError> {
        self.write(out, Numbers::State, |writer| value.serialize(Value(writer)))
    }

    /// Appends JSON whose members are as their types declare them: see [`pretty`](super::pretty()).
    pub(super) fn encode_declared<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
        out: &mut Vec<u8>,
    ) -> Result<(), CanonicalError> {
        self.write(out, Numbers::Declared, |writer| value.serialize(Value(writer)))
    }

    /// JSON with members in order and numbers as `serde_json` writes them.
    pub(super) fn ordered<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.written(|writer| value.serialize(Value(writer)))
    }

    /// JSON text with its members in order and its numbers as `serde_json` writes them.
    pub(crate) fn reordered(&mut self, json: &str) -> Written {
        self.written(|writer| transcode::transcode(json, writer))
    }

    fn written(&mut self, body: impl FnOnce(&mut Writer<'_>) -> Result<(), Unwritten>) -> Written {
        let mut out = Vec::new();
        self.write(&mut out, Numbers::Ordered, body)?;
        Ok(String::from_utf8(out).unwrap_or_default())
    }

    /// Appends the canonical form of JSON that somebody else wrote; on an error `out` is as it was.
    ///
    /// # Errors
    /// [`CanonicalError::Syntax`] for text that is not JSON; otherwise as for
    /// [`encode`](Self::encode). A whole number is refused where a double would change it.
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
        self.write(out, Numbers::Canonical, |writer| transcode::transcode(json, writer))
    }

    /// Appends one log line: the canonical JSON of an object, with its `hash`, and a line feed.
    ///
    /// `hash` covers everything but itself and the top-level member `personal`, which is in the
    /// line and may be redacted later. The value has `prev`, the hash of the line before.
    ///
    /// # Errors
    /// [`CanonicalError`] if the value is not an object, has a `hash`, or has no digest `prev`;
    /// otherwise as for [`encode`](Self::encode).
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

    /// Range of the top-level member `name` in the text just written, including its name.
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

        // `prev` is present and sorts after `hash`, so a comma always follows.
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
        numbers: Numbers,
        body: impl FnOnce(&mut Writer<'_>) -> Result<(), Unwritten>,
    ) -> Result<(), CanonicalError> {
        let start = out.len();
        self.members.clear();
        let Self { members, scratch } = self;
        let result = body(&mut Writer::new(out, members, scratch, numbers));
        result.map_err(|error| {
            out.truncate(start);
            *error.0
        })
    }
}

/// Bytes of `"hash":"…",`.
const HASH_MEMBER: usize = 74;

/// SHA-256 of the canonical object at `object` in `text` without the members at `cuts`, in order.
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
#[inline]
pub(super) fn digest_member(member: &[u8], name: &[u8]) -> Option<Digest> {
    let value = member.strip_prefix(b"\"")?.strip_prefix(name)?.strip_prefix(b"\":\"")?;
    Digest::from_hex(value.strip_suffix(b"\"")?)
}
