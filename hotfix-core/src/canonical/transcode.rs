//! JSON text of any layout into canonical text, without a tree in between: names that occur twice
//! are seen, where a tree would keep the last and say nothing.

use super::writer::Writer;
use super::{CanonicalError, MAX_INTEGER};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

pub(super) fn transcode(json: &str, writer: &mut Writer<'_>) -> Result<(), CanonicalError> {
    let mut refused = None;
    let mut reader = serde_json::Deserializer::from_str(json);
    let seed = Seed { writer, refused: &mut refused };
    let read = seed.deserialize(&mut reader).and_then(|()| reader.end());
    match (refused, read) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(CanonicalError::syntax(&error)),
        (None, Ok(())) => Ok(()),
    }
}

/// Reads one value and writes it. An error of ours travels beside the reader's own.
struct Seed<'s, 'a> {
    writer: &'s mut Writer<'a>,
    refused: &'s mut Option<CanonicalError>,
}

impl<'a> Seed<'_, 'a> {
    fn again(&mut self) -> Seed<'_, 'a> {
        Seed { writer: self.writer, refused: self.refused }
    }

    fn check<T, E: de::Error>(&mut self, result: Result<T, CanonicalError>) -> Result<T, E> {
        result.map_err(|error| {
            let told = E::custom(&error);
            *self.refused = Some(error);
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
        let value = if negative { -i128::from(size) } else { i128::from(size) };
        let written = if exact || printed {
            self.writer.float(signed)
        } else {
            Err(CanonicalError::IntegerRange { value })
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
