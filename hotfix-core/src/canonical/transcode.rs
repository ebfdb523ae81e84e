//! Conversion of JSON text of any layout to canonical text without a tree, which would silently
//! keep the last of two members with the same name.

use super::error::Unwritten;
use super::members::Scan;
use super::writer::{Numbers, Writer};
use super::{CanonicalError, MAX_INTEGER};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

pub(super) fn transcode(json: &str, writer: &mut Writer<'_>) -> Result<(), Unwritten> {
    let is_canonical = writer.numbers == Numbers::Canonical;
    let mut found = Found::default();
    let mut reader = serde_json::Deserializer::from_str(json);
    let seed = Seed { writer, found: &mut found };
    let read = seed.deserialize(&mut reader).and_then(|()| reader.end());
    match (found.refused, read) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(CanonicalError::syntax(&error).into()),
        (None, Ok(())) if found.is_large && is_canonical => long_wholes(json).try_for_each(kept),
        (None, Ok(())) => Ok(()),
    }
}

/// Digits of the smallest whole number that a double may change.
const LARGE_DIGITS: usize = 16;

/// The whole numbers of a JSON text, as written, with enough digits that a double may change them.
fn long_wholes(json: &str) -> impl Iterator<Item = &str> {
    let mut scan = Scan::new(json);
    std::iter::from_fn(move || {
        loop {
            match scan.peek()? {
                b'-' | b'0'..=b'9' => {
                    let number = scan.value();
                    if number.len() >= LARGE_DIGITS && !number.contains(['.', 'e', 'E']) {
                        return Some(number);
                    }
                }
                _ => scan.pass(),
            }
        }
    })
}

/// Refuses a whole number that is neither exactly its double nor the printed form of that double:
/// 2^63 prints as 9223372036854776000, so that is accepted.
fn kept(whole: &str) -> Result<(), Unwritten> {
    let double: f64 = whole.parse().unwrap_or(f64::INFINITY);
    let is_printed = || ryu_js::Buffer::new().format(double) == whole;
    if is_printed() || format!("{double:.0}") == whole {
        return Ok(());
    }
    Err(CanonicalError::IntegerRange { value: whole.to_owned() }.into())
}

/// What was found on the way: serde's reader cannot carry our error.
#[derive(Default)]
struct Found {
    refused: Option<Unwritten>,
    /// A number is so large that a double may have changed it.
    is_large: bool,
}

/// Reads one value and writes it. Our errors are kept beside the reader's own.
struct Seed<'s, 'a> {
    writer: &'s mut Writer<'a>,
    found: &'s mut Found,
}

impl<'a> Seed<'_, 'a> {
    fn again(&mut self) -> Seed<'_, 'a> {
        Seed { writer: self.writer, found: self.found }
    }

    fn check<T, E: de::Error>(&mut self, result: Result<T, Unwritten>) -> Result<T, E> {
        result.map_err(|error| {
            let shown = E::custom(&error);
            self.found.refused = Some(error);
            shown
        })
    }

    /// In canonical text a whole number beyond 2^53 is written as a double; whether that is the
    /// number is seen in the text.
    fn whole<E: de::Error>(mut self, negative: bool, size: u64) -> Result<(), E> {
        if size > MAX_INTEGER && self.writer.numbers == Numbers::Canonical {
            let double = size as f64;
            return self.float(if negative { -double } else { double });
        }
        let written = self.writer.integer(negative, size);
        self.check(written)
    }

    fn float<E: de::Error>(mut self, value: f64) -> Result<(), E> {
        self.found.is_large |= value.abs() >= MAX_INTEGER as f64;
        let written = self.writer.float(value);
        self.check(written)
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: de::Error>(self, v: bool) -> Result<(), E> {
        self.writer.out.extend_from_slice(if v { b"true" } else { b"false" });
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, v: i64) -> Result<(), E> {
        self.whole(v < 0, v.unsigned_abs())
    }

    fn visit_u64<E: de::Error>(self, v: u64) -> Result<(), E> {
        self.whole(false, v)
    }

    fn visit_f64<E: de::Error>(self, v: f64) -> Result<(), E> {
        self.float(v)
    }

    fn visit_str<E: de::Error>(self, v: &str) -> Result<(), E> {
        self.writer.string(v);
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.writer.out.extend_from_slice(b"null");
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<(), A::Error> {
        let begun = self.writer.begin(b'[');
        self.check(begun)?;
        let content = self.writer.out.len();
        loop {
            // The comma is written first, and removed if nothing follows.
            let before = self.writer.out.len();
            if before > content {
                self.writer.out.push(b',');
            }
            if array.next_element_seed(self.again())?.is_none() {
                self.writer.out.truncate(before);
                break;
            }
        }
        self.writer.end(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let begun = self.writer.begin_object();
        let mut object = self.check(begun)?;
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            self.writer.name(&mut object, &name);
            map.next_value_seed(self.again())?;
        }
        let ended = self.writer.end_object(&object);
        self.check(ended)
    }
}
