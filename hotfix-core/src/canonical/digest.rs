//! SHA-256 digests.

use super::{CanonicalError, DigestError, Encoder};
use crate::unit::FromText;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};

/// A SHA-256 digest; as text and in JSON 64 lower-case hexadecimal digits.
///
/// ```
/// use hotfix_core::canonical::Digest;
///
/// let digest = Digest::of(b"abc");
/// assert!(digest.to_string().starts_with("ba7816bf8f01cfea"));
/// assert_eq!(digest.to_string().parse::<Digest>()?, digest);
/// # Ok::<(), hotfix_core::canonical::DigestError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// 64 zeros: the head of an empty log, and `prev` of its first line.
    pub const ZERO: Self = Self([0; 32]);

    /// A digest that was computed elsewhere.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// SHA-256 of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn finish(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }

    /// The text form, on the stack.
    pub(super) fn hex(&self) -> [u8; 64] {
        // No table and no branch: vector code.
        let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
        let mut text = [0; 64];
        for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        text
    }

    /// Reads 64 lower-case hexadecimal digits.
    pub(super) fn from_hex(text: &[u8]) -> Option<Self> {
        let text: &[u8; 64] = text.try_into().ok()?;
        // No early exit from the loop, for the same reason.
        let mut wrong = 0;
        let nibbles = text.map(|byte| {
            let (digit, letter) = (byte.wrapping_sub(b'0'), byte.wrapping_sub(b'a'));
            let (is_digit, is_letter) = (u8::from(digit < 10), u8::from(letter < 6));
            wrong |= (is_digit | is_letter) ^ 1;
            if digit < 10 { digit } else { letter.wrapping_add(10) }
        });
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(nibbles.as_chunks::<2>().0) {
            *byte = high << 4 | low & 15;
        }
        (wrong == 0).then_some(Self(bytes))
    }
}

/// SHA-256 of a value's canonical JSON.
///
/// # Errors
/// [`CanonicalError`], as for [`Encoder::encode`].
///
/// ```
/// use hotfix_core::canonical::{Digest, digest};
///
/// assert_eq!(digest(&[1.0, 2.5])?, Digest::of(b"[1,2.5]"));
/// # Ok::<(), hotfix_core::canonical::CanonicalError>(())
/// ```
pub fn digest<T: Serialize + ?Sized>(value: &T) -> Result<Digest, CanonicalError> {
    let mut text = Vec::new();
    Encoder::new().encode(value, &mut text)?;
    Ok(Digest::of(&text))
}

/// Hash state after a prefix that many texts share.
#[derive(Clone, Debug)]
pub(crate) struct Begun(Sha256);

impl Begun {
    /// The state after this beginning.
    pub(crate) fn with(beginning: &[u8]) -> Self {
        Self(Sha256::new_with_prefix(beginning))
    }

    /// SHA-256 of the beginning and the rest.
    pub(crate) fn end(&self, rest: &[u8]) -> Digest {
        let mut hasher = self.0.clone();
        hasher.update(rest);
        Digest::finish(hasher)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.hex()).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        Self::from_hex(text.as_bytes()).ok_or(DigestError { length: text.len() })
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let hex = self.hex();
        serializer.serialize_str(std::str::from_utf8(&hex).map_err(ser::Error::custom)?)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(FromText("64 lower-case hexadecimal digits", Self::from_str))
    }
}
