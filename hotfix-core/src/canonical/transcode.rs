//! JSON text of any layout into canonical text, without a tree in between: names that occur twice
//! are seen, where a tree would keep the last and say nothing.

use super::writer::Writer;
use super::{CanonicalError, MAX_INTEGER};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

pub(super) fn transcode(json: &str, writer: &mut Writer<'_>) -> Result<(), CanonicalError> {
    let mut found = Found::default();
    let mut reader = serde_json::Deserializer::from_str(json);
    let seed = Seed { writer, found: &mut found };
    let read = seed.deserialize(&mut reader).and_then(|()| reader.end());
    match (found.refused, read) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(CanonicalError::syntax(&error)),
        (None, Ok(())) if found.is_large => long_wholes(json).try_for_each(kept),
        (None, Ok(())) => Ok(()),
    }
}

/// From this size on the reader may have made a double of a whole number.
const LARGE: f64 = 9_223_372_036_854_775_808.0;

/// Digits of the least whole number of that size.
const LARGE_DIGITS: usize = 19;

/// The numbers of a JSON text that are whole, as written, and have so many digits that they may be large.
fn long_wholes(json: &str) -> impl Iterator<Item = &str> {
    let mut rest = json;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit())?;
            rest = &rest[start..];
            if let Some(inside) = rest.strip_prefix('"') {
                rest = after_text(inside);
                continue;
            }
            let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
            let (number, after) = rest.split_at(rest.find(|c| !is_part(c)).unwrap_or(rest.len()));
            rest = after;
            if number.len() >= LARGE_DIGITS && !number.contains(['.', 'e', 'E']) {
                return Some(number);
            }
        }
    })
}

/// What follows the text whose opening quote was just before.
fn after_text(mut inside: &str) -> &str {
    while let Some(at) = inside.find(['"', '\\']) {
        let is_end = inside[at..].starts_with('"');
        // An escape is two characters here, its second one of a single byte.
        inside = inside.get(at + if is_end { 1 } else { 2 }..).unwrap_or_default();
        if is_end {
            return inside;
        }
    }
    ""
}

/// Refuses a whole number that is neither exactly its double nor how that is printed.
fn kept(whole: &str) -> Result<(), CanonicalError> {
    let double: f64 = whole.parse().unwrap_or(f64::INFINITY);
    let is_printed = || ryu_js::Buffer::new().format(double) == whole;
    if is_printed() || format!("{double:.0}") == whole {
        return Ok(());
    }
    Err(CanonicalError::integer_range(false, whole))
}

/// What was met on the way: the reader carries no error of ours.
#[derive(Default)]
struct Found {
    refused: Option<CanonicalError>,
    /// A double is so large that it may have been written as a whole number.
    is_large: bool,
}

/// Reads one value and writes it. An error of ours travels beside the reader's own.
struct Seed<'s, 'a> {
    writer: &'s mut Writer<'a>,
    found: &'s mut Found,
}

impl<'a> Seed<'_, 'a> {
    fn again(&mut self) -> Seed<'_, 'a> {
        Seed { writer: self.writer, found: self.found }
    }

    fn check<T, E: de::Error>(&mut self, result: Result<T, CanonicalError>) -> Result<T, E> {
        result.map_err(|error| {
            let told = E::custom(&error);
            self.found.refused = Some(error);
            told
        })
    }

    /// A whole number may be written only where a double is exactly that number.
    fn whole<E: de::Error>(mut self, negative: bool, size: u64) -> Result<(), E> {
        if size <= MAX_INTEGER {
            let written = self.writer.integer(negative, size);
            return self.check(written);
        }
        let double = size as f64;
        // 2^64 itself would saturate back into range.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, positive, in range"
        )]
        let exact = double < 18_446_744_073_709_551_616.0 && double as u64 == size;
        // 2^63 prints as 9223372036854776000, and so that is how it may be read.
        let printed = ryu_js::Buffer::new().format_finite(double).parse() == Ok(size);
        let signed = if negative { -double } else { double };
        let written = if exact || printed {
            self.writer.float(signed)
        } else {
            Err(CanonicalError::integer_range(negative, size))
        };
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

    fn visit_f64<E: de::Error>(mut self, v: f64) -> Result<(), E> {
        self.found.is_large |= v.abs() >= LARGE;
        let written = self.writer.float(v);
        self.check(written)
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
            // The comma goes first, and is taken back where nothing follows.
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
            let named = self.writer.name(&mut object, |writer| Ok(writer.string(&name)));
            self.check(named)?;
            map.next_value_seed(self.again())?;
        }
        let ended = self.writer.end_object(&object);
        self.check(ended)
    }
}
