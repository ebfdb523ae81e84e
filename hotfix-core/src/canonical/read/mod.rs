//! A log line checked and read in one pass.
//!
//! [`JsonReader`] gives serde what canonical text says and accepts no other: everything that it
//! returns, skips or buffers goes through [`Scan`], so reading to the end is the check that
//! [`canonical_object`](super::scan::canonical_object) makes.
//!
//! Every type is read by it, so that each is compiled for one reader: a document that people wrote
//! is first written with its members in order and its numbers as they are.

mod error;
mod items;

pub(crate) use error::{Cause, ReadError, Unread};

use super::line::{Line, bare, check, verify_line};
use super::number::Number;
use super::order::{Name, unescaped};
use super::scan::{Chain, Scan};
use super::writer::Numbers;
use super::{Encoder, LineError, MAX_DEPTH};
use items::Items;
use serde::de::value::StrDeserializer;
use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, Error as _, Expected, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Value;
use std::borrow::Cow;

/// Checks one line as [`verify_line`] does, and reads the value that it holds.
/// The inner error is that of a line whose hash matches but that does not hold such a value.
pub(crate) fn read_line<T: DeserializeOwned>(
    line: &[u8],
) -> Result<(Line<'_>, Result<T, ReadError>), LineError> {
    if let Ok(text) = std::str::from_utf8(line) {
        let text = bare(text);
        let mut reader = JsonReader::new(text);
        if let Ok(value) = reader.finish::<T>()
            && let Ok((prev, hash)) = check(&reader.chain, text.as_bytes())
        {
            return Ok((Line::checked(prev, hash, text), Ok(value)));
        }
    }
    // The line is wrong or in another layout: the slow path finds out which.
    let line = verify_line(line)?;
    if line.is_canonical() {
        return Ok((line, JsonReader::new(line.text()).finish()));
    }
    let mut canonical = Vec::with_capacity(line.text().len());
    Encoder::new().canonicalise(line.text(), &mut canonical)?;
    let text = String::from_utf8_lossy(&canonical);
    let value = JsonReader::new(&text).finish();
    Ok((line, value))
}

/// Reads a value from canonical JSON that is not a line of a log.
pub(crate) fn read_canonical<T: DeserializeOwned>(text: &str) -> Result<T, ReadError> {
    JsonReader::new(text).finish()
}

/// Reads a value from the text that [`Encoder::encode_state`] wrote.
pub(crate) fn read_state<T: DeserializeOwned>(text: &str) -> Result<T, ReadError> {
    JsonReader { numbers: Numbers::State, ..JsonReader::new(text) }.finish()
}

/// Reads a value from a tree. The error has the place of the fault in it.
pub(crate) fn read_tree<T: DeserializeOwned>(tree: &Value) -> Result<T, ReadError> {
    read_ordered(&Encoder::new().ordered(tree).map_err(ReadError::custom)?)
}

/// Reads a value from JSON of any layout. The error has no place in the text.
pub(crate) fn read_any<T: DeserializeOwned>(json: &str) -> Result<T, ReadError> {
    read_ordered(&Encoder::new().reordered(json).map_err(ReadError::custom)?)
}

fn read_ordered<T: DeserializeOwned>(text: &str) -> Result<T, ReadError> {
    T::deserialize(&mut JsonReader { numbers: Numbers::Ordered, ..JsonReader::new(text) })
}

/// Text that is canonical up to the position that was read.
struct JsonReader<'de> {
    text: &'de str,
    numbers: Numbers,
    scan: Scan<'de>,
    depth: usize,
    chain: Chain,
}

#[cold]
fn not_canonical() -> ReadError {
    ReadError::custom("it is not canonical JSON")
}

impl<'de> JsonReader<'de> {
    fn new(text: &'de str) -> Self {
        let (scan, chain) = (Scan::new(text), Chain::default());
        Self { text, numbers: Numbers::Canonical, scan, depth: MAX_DEPTH, chain }
    }

    /// The value, where it is an object and nothing follows it.
    fn finish<T: DeserializeOwned>(&mut self) -> Result<T, ReadError> {
        if self.scan.peek() != Some(b'{') {
            return Err(ReadError::custom("it is no object"));
        }
        let value = T::deserialize(&mut *self)?;
        if self.scan.at == self.text.len() { Ok(value) } else { Err(not_canonical()) }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), ReadError> {
        self.scan.word(word).ok_or_else(not_canonical)
    }

    /// Text between quotes, with its escapes.
    #[inline]
    fn string(&mut self) -> Result<Piece<'de>, ReadError> {
        let Name { raw, plain } = self.scan.string().ok_or_else(not_canonical)?;
        let end = self.scan.at - 1;
        let text = self.text.get(end - raw.len()..end).ok_or_else(not_canonical)?;
        Ok(Piece { text, plain })
    }

    /// Reads an object or array, whose opening bracket is next.
    fn nested<T, const DECLARED: bool>(
        &mut self,
        close: u8,
        fields: &'static [&'static str],
        read: impl FnOnce(&mut Items<'_, 'de, DECLARED>) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let mut items = self.begin(close, fields)?;
        let value = read(&mut items)?;
        items.end()?;
        Ok(value)
    }

    /// Not inlined: the code is the same for every type of value.
    #[inline(never)]
    fn begin<const DECLARED: bool>(
        &mut self,
        close: u8,
        fields: &'static [&'static str],
    ) -> Result<Items<'_, 'de, DECLARED>, ReadError> {
        let top = self.depth == MAX_DEPTH;
        self.depth = self.depth.checked_sub(1).ok_or_else(not_canonical)?;
        self.scan.at += 1;
        let ended = self.scan.peek() == Some(close);
        self.scan.at += usize::from(ended);
        Ok(Items { reader: self, close, ended, before: None, fields, place: 0, start: 0, top })
    }

    /// The error where the next value is not of the expected type.
    #[cold]
    fn unexpected(&mut self, expected: &dyn Expected) -> ReadError {
        let found = match self.scan.peek() {
            Some(b'"') => match self.string() {
                Ok(piece) => {
                    return ReadError::invalid_type(Unexpected::Str(&piece.meaning()), expected);
                }
                Err(error) => return error,
            },
            Some(b'{') => Unexpected::Map,
            Some(b'[') => Unexpected::Seq,
            Some(b't') => Unexpected::Bool(true),
            Some(b'f') => Unexpected::Bool(false),
            Some(b'n') => Unexpected::Unit,
            _ => match self.next_number() {
                Some(Number::Whole(number)) => Unexpected::Unsigned(number),
                Some(Number::Negative(number)) => Unexpected::Signed(number),
                Some(Number::Other(number)) => Unexpected::Float(number),
                None => return not_canonical(),
            },
        };
        ReadError::invalid_type(found, expected)
    }

    #[inline]
    fn text<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, ReadError> {
        self.string()?.visit(visitor)
    }

    #[inline]
    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, ReadError> {
        self.nested::<_, false>(b'}', &[], |items| visitor.visit_map(items))
    }

    fn boolean<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, ReadError> {
        let value = self.scan.peek() == Some(b't');
        self.word(if value { b"true" } else { b"false" })?;
        visitor.visit_bool(value)
    }

    #[inline]
    fn array<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, ReadError> {
        self.nested(b']', &[], |items| visitor.visit_seq(items))
    }

    #[inline]
    fn next_number(&mut self) -> Option<Number> {
        match self.numbers {
            Numbers::Canonical | Numbers::Declared => self.scan.number(),
            Numbers::State => self.scan.state_number(),
            Numbers::Ordered => self.scan.any_number(),
        }
    }

    fn pass(&mut self) -> Result<(), ReadError> {
        if self.numbers == Numbers::Ordered {
            return Value::deserialize(self).map(drop);
        }
        self.scan.value(self.depth).ok_or_else(not_canonical)
    }

    /// In what people write, `10.0` is a whole number, too.
    #[inline]
    fn integer<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, ReadError> {
        match self.next_number().ok_or_else(not_canonical)? {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and far below 2^63")]
            Number::Other(number)
                if self.numbers == Numbers::Ordered
                    && number.fract() == 0.0
                    && number.abs() < 1e15 =>
            {
                visitor.visit_i64(number as i64)
            }
            number => number.visit(visitor),
        }
    }

    #[inline]
    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, ReadError> {
        self.next_number().ok_or_else(not_canonical)?.visit(visitor)
    }
}

impl Number {
    #[inline]
    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self {
            Self::Whole(number) => visitor.visit_u64(number),
            Self::Negative(number) => visitor.visit_i64(number),
            Self::Other(number) => visitor.visit_f64(number),
        }
    }
}

/// The text between two quotes, with its escapes.
struct Piece<'de> {
    text: &'de str,
    /// ASCII without escapes.
    plain: bool,
}

impl<'de> Piece<'de> {
    /// The text with its escapes resolved.
    #[inline]
    fn meaning(&self) -> Cow<'de, str> {
        if self.plain || !self.text.contains('\\') {
            return Cow::Borrowed(self.text);
        }
        Cow::Owned(unescaped(self.text).collect())
    }

    #[inline]
    fn visit<V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, ReadError> {
        match self.meaning() {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }
}

/// Reads a value of the type that serde expects next.
macro_rules! expecting {
    ($($first:pat => $read:ident: $($method:ident)*;)*) => {$($(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            match self.scan.peek() {
                Some($first) => self.$read(visitor),
                _ => Err(self.unexpected(&visitor)),
            }
        }
    )*)*};
}

impl<'de> Deserializer<'de> for &mut JsonReader<'de> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.scan.peek() {
            Some(b'"') => self.text(visitor),
            Some(b'{') => self.object(visitor),
            Some(b'[') => self.array(visitor),
            Some(b't' | b'f') => self.boolean(visitor),
            Some(b'n') => self.word(b"null").and_then(|()| visitor.visit_unit()),
            _ => self.number(visitor),
        }
    }

    expecting! {
        b'"' => text: deserialize_str deserialize_string deserialize_identifier deserialize_char;
        b'{' => object: deserialize_map;
        b'[' => array: deserialize_seq;
        b'-' | b'0'..=b'9' => number: deserialize_f64 deserialize_f32;
        b'-' | b'0'..=b'9' => integer: deserialize_u64 deserialize_i64 deserialize_u32 deserialize_i32
            deserialize_u16 deserialize_i16 deserialize_u8 deserialize_i8;
        b't' | b'f' => boolean: deserialize_bool;
    }

    /// serde's derived reader gets each member as an index among its fields, not as a name; aliases
    /// would shift the index, so `tests/it/layers.rs` checks that no type has any.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match self.scan.peek() {
            Some(b'{') => self.nested::<_, true>(b'}', fields, |items| visitor.visit_map(items)),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if self.scan.peek() == Some(b'n') {
            self.word(b"null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match self.scan.peek() {
            Some(b'"') => {
                let text = self.string()?.meaning();
                visitor.visit_enum(StrDeserializer::<ReadError>::new(&text))
            }
            // Its content is the value of the only member.
            Some(b'{') => self.nested::<_, false>(b'}', &[], |items| visitor.visit_enum(items)),
            _ => Err(self.unexpected(&"string or map")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.pass()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bytes byte_buf unit unit_struct tuple_struct
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::{Digest, digest};
    use serde::{Deserialize, Serialize};
    use serde_json::{Map, json};

    /// A line with every shape that serde has for text.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        float: f64,
        flat: Flat,
        kind: Kind,
        maybe: Option<u8>,
        prev: Digest,
        rest: Map<String, Value>,
        signed: i64,
        text: String,
        unit: (),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "is", rename_all = "snake_case")]
    enum Flat {
        Point { x: f64 },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Kind {
        Plain,
        With(u32),
    }

    fn sample(kind: Kind, text: &str, number: &Value) -> Sample {
        let rest =
            json!({"list": [1, -2.5, [], {}, "é\u{1f600}", number], text: {"": null, "t": true}});
        let Value::Object(rest) = rest else { unreachable!() };
        let flat = Flat::Point { x: 0.1 };
        let (prev, text) = (Digest::of(b"before"), text.to_owned());
        Sample { float: 1e300, flat, kind, maybe: None, prev, rest, signed: -7, text, unit: () }
    }

    #[test]
    fn roll_7_what_is_read_in_one_pass_is_what_serde_json_reads() {
        let numbers = [
            json!(0.1),
            json!(9_007_199_254_740_993.0_f64),
            json!(-9_007_199_254_740_992_i64),
            json!(9_007_199_254_740_992_u64),
            json!(1e21),
            json!(-1.5e-7),
            json!(0.000_001),
            json!(123_456_789.012_345),
            json!(0.302_585_092_994_046_6),
        ];
        for number in numbers {
            for text in ["", "plain", "a \"quote\", a \\ and \u{1}\n", "é", "\u{7f}\u{80}"] {
                for kind in [Kind::Plain, Kind::With(3)] {
                    let sample = sample(kind, text, &number);
                    let mut line = Vec::new();
                    Encoder::new().seal(&sample, &mut line).unwrap();
                    let (read, value) = read_line::<Sample>(&line).unwrap();
                    assert_eq!(verify_line(&line).unwrap(), read);
                    assert_eq!(value.unwrap(), serde_json::from_slice(&line).unwrap());
                    // In another layout it is the same value with the same hash.
                    let value: Value = serde_json::from_slice(&line).unwrap();
                    let pretty = serde_json::to_string_pretty(&value).unwrap();
                    let (other, value) = read_line::<Sample>(pretty.as_bytes()).unwrap();
                    assert_eq!((other.hash(), other.is_canonical()), (read.hash(), false));
                    assert_eq!(digest(&value.unwrap()).unwrap(), digest(&sample).unwrap());
                }
            }
        }
    }

    #[test]
    fn roll_7_reading_finds_every_changed_byte_that_verifying_finds() {
        let mut line = Vec::new();
        let sample = sample(Kind::Plain, "a \"quote\" and é", &json!(0.25));
        Encoder::new().seal(&sample, &mut line).unwrap();
        for place in 0..line.len() {
            for byte in [0, b' ', b'"', b'\\', b',', b'0', b'1', b'e', b'}', b']', 0xc3, 0xff] {
                let mut changed = line.clone();
                changed[place] = byte;
                let (verified, read) = (verify_line(&changed), read_line::<Sample>(&changed));
                assert_eq!(read.map(|(line, _)| line), verified, "{byte} at {place}");
            }
        }
        for cut in 0..line.len() {
            assert!(read_line::<Sample>(&line[..cut]).is_err() || cut + 1 == line.len(), "{cut}");
        }
    }

    #[test]
    fn roll_7_a_line_that_holds_something_else_is_verified_and_says_what() {
        let mut line = Vec::new();
        Encoder::new().seal(&json!({"prev": Digest::ZERO, "seq": 1}), &mut line).unwrap();
        let (_, value) = read_line::<Sample>(&line).unwrap();
        assert_eq!(value.unwrap_err().to_string(), "missing field `float`");
        let (read, skipped) = read_line::<serde::de::IgnoredAny>(&line).unwrap();
        assert!(skipped.is_ok() && read.prev() == Digest::ZERO);
    }
}
