//! Verification of one line of the event log.

use serde_json::Value;

use super::encode::{digest_member, hash_without};
use super::scan::{Chain, canonical_object};
use super::{CanonicalError, Digest, Encoder, LineError};

/// A log line whose hash matches its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    prev: Digest,
    hash: Digest,
    text: &'a str,
    canonical: bool,
}

impl<'a> Line<'a> {
    /// A line in canonical form, checked.
    pub(super) const fn checked(prev: Digest, hash: Digest, text: &'a str) -> Self {
        Self { prev, hash, text, canonical: true }
    }

    /// The hash of the line before, as this line has it. Whether it is that line's is for the
    /// reader of the whole log to check.
    pub const fn prev(&self) -> Digest {
        self.prev
    }

    /// This line's hash, recomputed.
    pub const fn hash(&self) -> Digest {
        self.hash
    }

    /// The line without its line end: JSON to deserialise the event from.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// False where a tool has written the same value in another layout since.
    pub const fn is_canonical(&self) -> bool {
        self.canonical
    }
}

/// Checks one line of the log, with or without its line end.
/// A line in the form that [`Encoder::seal`] writes is hashed directly, in one pass and without
/// allocation. A line that another tool rewrote, with spaces or in another order, is brought into
/// canonical form first: the hash covers the value, not its layout.
///
/// # Errors
/// [`LineError`]: a missing `prev` or `hash`, one that is not a digest, or a hash that does not
/// match the content; [`LineError::Canonical`] for a text that is not a JSON object or that
/// [`Encoder::canonicalise`] refuses.
pub fn verify_line(line: &[u8]) -> Result<Line<'_>, LineError> {
    let text = std::str::from_utf8(line)
        .map_err(|error| CanonicalError::Syntax { reason: error.to_string() })?;
    let text = bare(text);
    if text.is_empty() {
        let reason = "the line is empty: delete it".to_owned();
        return Err(CanonicalError::Syntax { reason }.into());
    }
    if let Some(chain) = canonical_object(text) {
        let (prev, hash) = check(&chain, text.as_bytes())?;
        return Ok(Line::checked(prev, hash, text));
    }
    let mut encoder = Encoder::new();
    let mut canonical = Vec::with_capacity(text.len());
    encoder.canonicalise(text, &mut canonical)?;
    if canonical.first() != Some(&b'{') {
        return Err(CanonicalError::NotObject.into());
    }
    let member = |name| encoder.member(name, &canonical);
    let chain =
        Chain { prev: member(b"prev"), hash: member(b"hash"), personal: member(b"personal") };
    let (prev, hash) = check(&chain, &canonical)?;
    Ok(Line { prev, hash, text, canonical: false })
}

/// A checked line in canonical form, with `personal` replaced, or without it for `None`; also its
/// `prev` and `hash`, which do not cover that member.
///
/// # Errors
/// As for [`verify_line`].
pub(crate) fn with_personal(
    line: &[u8],
    change: impl FnOnce(Value) -> Option<Value>,
) -> Result<(Digest, Digest, String), LineError> {
    let line = verify_line(line)?;
    let (mut encoder, mut text) = (Encoder::new(), Vec::new());
    encoder.canonicalise(line.text(), &mut text)?;
    if let Some(member) = encoder.member(b"personal", &text) {
        let value = member.start + br#""personal":"#.len()..member.end;
        let personal = serde_json::from_slice(&text[value.clone()])
            .map_err(|error| CanonicalError::Syntax { reason: error.to_string() })?;
        if let Some(left) = change(personal) {
            let mut canonical = Vec::new();
            encoder.canonicalise(&left.to_string(), &mut canonical)?;
            text.splice(value, canonical);
        } else {
            // With the comma after it: `prev` follows.
            text.drain(member.start..=member.end);
        }
    }
    text.push(b'\n');
    Ok((line.prev(), line.hash(), String::from_utf8(text).unwrap_or_default()))
}

pub(super) fn bare(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

/// `prev` and `hash` of canonical text; an error if one is missing or the hash does not match.
pub(super) fn check(chain: &Chain, text: &[u8]) -> Result<(Digest, Digest), LineError> {
    let digest = |member: &Option<std::ops::Range<usize>>, name: &'static str| {
        let range = member.clone().ok_or(LineError::Missing { name })?;
        digest_member(&text[range], name.as_bytes()).ok_or(LineError::NotDigest { name })
    };
    let prev = digest(&chain.prev, "prev")?;
    let written = digest(&chain.hash, "hash")?;
    let computed = hash_without([chain.hash.clone(), chain.personal.clone()], 0..text.len(), text);
    if computed == written {
        Ok((prev, written))
    } else {
        Err(LineError::Mismatch { written, computed })
    }
}
