//! Names in policies and observations: short, and copied and compared without allocation.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{MOST, UnitError};

/// Reads a value that is written as a text: what is expected, and the reader.
pub(crate) struct FromText<F>(pub(crate) &'static str, pub(crate) F);

impl<T, Fault: fmt::Display, F: FnOnce(&str) -> Result<T, Fault>> Visitor<'_> for FromText<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.1)(text).map_err(E::custom)
    }
}

/// Reads a value that is written as a number or as a text: what is expected, and both readers.
pub(crate) struct FromNumberOrText<N, T>(pub(crate) &'static str, pub(crate) N, pub(crate) T);

impl<V, Fault: fmt::Display, N, T> Visitor<'_> for FromNumberOrText<N, T>
where
    N: FnOnce(f64) -> Result<V, Fault>,
    T: FnOnce(&str) -> Result<V, Fault>,
{
    type Value = V;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<V, E> {
        (self.1)(value).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<V, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<V, E> {
        self.visit_f64(value as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V, E> {
        (self.2)(text).map_err(E::custom)
    }
}

/// A name of 1 to 31 characters of `a-z`, `0-9`, `_` and `-`, a letter first.
///
/// It is 32 bytes in place, so an observation is resolved against the policy without heap
/// allocation.
///
/// ```
/// use hotfix_core::unit::Name;
/// assert_eq!("latency_p95".parse::<Name>()?.as_str(), "latency_p95");
/// assert!("Latency P95".parse::<Name>().is_err());
/// # Ok::<(), hotfix_core::unit::UnitError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name([u8; 32]);

impl Name {
    /// # Errors
    /// [`UnitError::Name`] if the text is not a valid name.
    pub fn try_new(text: &str) -> Result<Self, UnitError> {
        let refused = || UnitError::Name { got: text.chars().take(MOST + 1).collect() };
        let bytes = text.as_bytes();
        // Padded with zero bytes, which sort before every valid character, so the order is that of
        // the text.
        let mut name = [0; 32];
        let place = name[..31].get_mut(..bytes.len()).ok_or_else(refused)?;
        place.copy_from_slice(bytes);
        // All 32 bytes without an early exit, so that the compiler uses vector instructions.
        let legal = |b: &u8| u8::from(matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        let count: u8 = name.iter().map(legal).sum();
        if !name[0].is_ascii_lowercase() || usize::from(count) != bytes.len() {
            return Err(refused());
        }
        Ok(Self(name))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|&b| b == 0).unwrap_or(self.0.len());
        std::str::from_utf8(&self.0[..end]).unwrap_or_default()
    }
}

/// Whether the name equals this text. Compares overlapping words, without a search for the end and
/// without a call.
impl PartialEq<[u8]> for Name {
    #[inline]
    fn eq(&self, text: &[u8]) -> bool {
        #[inline]
        fn ends<const N: usize>(a: &[u8], b: &[u8]) -> bool {
            a.first_chunk::<N>() == b.first_chunk::<N>()
                && a.last_chunk::<N>() == b.last_chunk::<N>()
        }
        let Some((name, rest)) = self.0.split_at_checked(text.len()) else { return false };
        // Padding is not part of the name.
        name.last() != Some(&0)
            && rest.first() == Some(&0)
            && match text.len() {
                0..=3 => name.iter().eq(text),
                4..=7 => ends::<4>(name, text),
                8..=15 => ends::<8>(name, text),
                _ => ends::<16>(name, text),
            }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl FromStr for Name {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        Self::try_new(text)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(FromText("a name", Self::try_new))
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Name);

        impl $name {
            /// # Errors
            /// [`UnitError::Name`] if the text is not a valid name.
            pub fn try_new(text: &str) -> Result<Self, UnitError> {
                Name::try_new(text).map(Self)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl PartialEq<[u8]> for $name {
            #[inline]
            fn eq(&self, text: &[u8]) -> bool {
                self.0 == *text
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = UnitError;

            fn from_str(text: &str) -> Result<Self, UnitError> {
                Self::try_new(text)
            }
        }
    )*};
}

names! {
    /// The id of a metric in a policy and in an observation.
    MetricName;
    /// The name of a phase.
    PhaseName;
    /// The name of a fact: `service_down`.
    FactName;
    /// The name of a role: `incident_commander`, `product_manager`.
    RoleName;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_its_text_and_no_other() {
        let letters = b"abcdefghijklmnopqrstuvwxyz_0123";
        for len in 1..=31 {
            let text = &letters[..len];
            let name = Name::try_new(std::str::from_utf8(text).unwrap()).unwrap();
            assert!(name == *text, "{len}");
            assert!(name != text[..len - 1], "{len}: without its end");
            let padded = [text, &[0]].concat();
            assert!(name != padded[..], "{len}: with what pads it");
            let longer = [text, b"x"].concat();
            assert!(name != longer[..], "{len}: with more");
            for place in 0..len {
                let mut other = text.to_vec();
                other[place] = b'-';
                assert!(name != other[..], "{len}: another character at {place}");
            }
        }
        assert!(Name::try_new("a").unwrap() != [0_u8; 40][..]);
    }
}
