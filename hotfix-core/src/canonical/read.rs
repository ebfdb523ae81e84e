//! A log line checked and read in one pass.
//!
//! [`Reader`] gives serde what canonical text says and accepts no other: whatever it hands out, skips or buffers goes
//! through [`Scan`], so reading to the end is the proof that [`canonical_object`](super::scan::canonical_object) asks for.

use super::MAX_DEPTH;
use super::line::{Line, bare, check, verify_line};
use super::order::Name;
use super::scan::{Chain, Number, Scan};
use super::{Encoder, LineError};
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};
use std::borrow::Cow;

/// Elements that an array of a line is expected to have: no more is known before they were read.
const EXPECTED: usize = 8;

/// Checks one line as [`verify_line`] does, and reads the value that it holds.
///
/// The inner error is that of a line whose hash is right and that holds no such value.
///
/// # Errors
/// Those of [`verify_line`].
pub(crate) fn read_line<T: DeserializeOwned>(
    line: &[u8],
) -> Result<(Line<'_>, Result<T, Error>), LineError> {
    if let Ok(text) = std::str::from_utf8(line) {
        let text = bare(text);
        let mut reader = Reader::new(text);
        if let Ok(value) = reader.finish::<T>()
            && let Ok((prev, hash)) = check(&reader.chain, text.as_bytes())
        {
            return Ok((Line::checked(prev, hash, text), Ok(value)));
        }
    }
    // Something is wrong, or in another layout: what it is the long way says.
    let line = verify_line(line)?;
    if line.is_canonical() {
        return Ok((line, Reader::new(line.text()).finish()));
    }
    let mut canonical = Vec::with_capacity(line.text().len());
    Encoder::new().canonicalise(line.text(), &mut canonical)?;
    let text = String::from_utf8_lossy(&canonical);
    let value = Reader::new(&text).finish();
    Ok((line, value))
}

/// Text that is canonical as far as it was read.
struct Reader<'de> {
    text: &'de str,
    scan: Scan<'de>,
    /// Levels that are left.
    depth: usize,
    /// Where the chain's members stand.
    chain: Chain,
}

#[cold]
fn not_canonical() -> Error {
    Error::custom("it is not canonical JSON")
}

impl<'de> Reader<'de> {
    fn new(text: &'de str) -> Self {
        Self { text, scan: Scan::new(text), depth: MAX_DEPTH, chain: Chain::default() }
    }

    /// The value, where it is an object and nothing follows it.
    fn finish<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        if self.scan.peek() != Some(b'{') {
            return Err(Error::custom("it is no object"));
        }
        let value = T::deserialize(&mut *self)?;
        if self.scan.at == self.text.len() { Ok(value) } else { Err(not_canonical()) }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Error> {
        self.scan.word(word).ok_or_else(not_canonical)
    }

    /// Text between quotes, its escapes resolved.
    fn string(&mut self) -> Result<(Name<'de>, Cow<'de, str>), Error> {
        let name = self.scan.string().ok_or_else(not_canonical)?;
        let end = self.scan.at - 1;
        let text = self.text.get(end - name.raw.len()..end).ok_or_else(not_canonical)?;
        let plain = name.plain || !name.raw.contains(&b'\\');
        Ok((name, if plain { Cow::Borrowed(text) } else { Cow::Owned(unescaped(text)) }))
    }

    /// Reads an object or array, whose opening bracket is next.
    fn nested<T>(
        &mut self,
        [open, close]: [u8; 2],
        read: impl FnOnce(&mut Items<'_, 'de>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let outer = self.depth;
        self.depth = outer.checked_sub(1).ok_or_else(not_canonical)?;
        self.word(&[open])?;
        let is_empty = self.scan.peek() == Some(close);
        self.scan.at += usize::from(is_empty);
        let top = outer == MAX_DEPTH;
        let mut items =
            Items { reader: self, close, ended: is_empty, before: None, start: 0, top };
        let value = read(&mut items)?;
        // Whoever reads may stop early; the rest would be unread.
        if !items.ended {
            return Err(not_canonical());
        }
        self.depth = outer;
        Ok(value)
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.scan.peek() {
            Some(b'"') => match self.string()?.1 {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            Some(b'{') => self.nested(*b"{}", |items| visitor.visit_map(items)),
            Some(b'[') => self.nested(*b"[]", |items| visitor.visit_seq(items)),
            Some(b't') => self.word(b"true").and_then(|()| visitor.visit_bool(true)),
            Some(b'f') => self.word(b"false").and_then(|()| visitor.visit_bool(false)),
            Some(b'n') => self.word(b"null").and_then(|()| visitor.visit_unit()),
            _ => match self.scan.number().ok_or_else(not_canonical)? {
                Number::Whole(number) => visitor.visit_u64(number),
                Number::Negative(number) => visitor.visit_i64(number),
                Number::Other(number) => visitor.visit_f64(number),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
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
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.scan.peek() == Some(b'"') {
            let (_, text) = self.string()?;
            let text: StrDeserializer<'_, Error> = text.as_ref().into_deserializer();
            return visitor.visit_enum(text);
        }
        // Variants with content are rare.
        serde::Deserialize::deserialize(self)
            .and_then(|value: Value| value.deserialize_enum(name, variants, visitor))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.scan.value(self.depth).ok_or_else(not_canonical)?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier
    }
}

/// What is between the brackets of an object or array.
struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    close: u8,
    ended: bool,
    /// The name of the member before.
    before: Option<Name<'de>>,
    /// Where the present member begins.
    start: usize,
    /// They are the line's own.
    top: bool,
}

impl Items<'_, '_> {
    /// After an element: a comma, or the end.
    fn separator(&mut self) -> Result<(), Error> {
        match self.reader.scan.peek() {
            Some(b',') => {}
            Some(found) if found == self.close => self.ended = true,
            _ => return Err(not_canonical()),
        }
        self.reader.scan.at += 1;
        Ok(())
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if self.ended {
            return Ok(None);
        }
        let value = seed.deserialize(&mut *self.reader)?;
        self.separator()?;
        Ok(Some(value))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(if self.ended { 0 } else { EXPECTED })
    }
}

impl<'de> MapAccess<'de> for &mut Items<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        if self.ended {
            return Ok(None);
        }
        self.start = self.reader.scan.at;
        let (name, text) = self.reader.string()?;
        if self.before.is_some_and(|before| before.cmp(name).is_ge()) {
            return Err(not_canonical());
        }
        self.before = Some(name);
        self.reader.word(b":")?;
        match text {
            Cow::Borrowed(text) => seed.deserialize(Key(text)).map(Some),
            Cow::Owned(text) => seed.deserialize(text.into_deserializer()).map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let value = seed.deserialize(&mut *self.reader)?;
        if self.top
            && let Some(name) = self.before
        {
            let place = self.start..self.reader.scan.at;
            self.reader.chain.note(name.raw, place);
        }
        self.separator()?;
        Ok(value)
    }
}

/// A member's name that stands in the line as it is.
struct Key<'de>(&'de str);

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let text: StrDeserializer<'_, Error> = self.0.into_deserializer();
        visitor.visit_enum(text)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier ignored_any
    }
}

/// The characters that canonical escapes stand for.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next() {
            Some('b') => '\u{8}',
            Some('t') => '\t',
            Some('n') => '\n',
            Some('f') => '\u{c}',
            Some('r') => '\r',
            Some('u') => {
                let digits = chars.by_ref().take(4);
                let code = digits.fold(0, |code, c| code * 16 + c.to_digit(16).unwrap_or(0));
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            Some(itself) => itself,
            None => break,
        });
    }
    out
}
