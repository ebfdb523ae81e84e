//! What an object or array contains, as serde asks for it.

use super::{JsonReader, ReadError, not_canonical};
use crate::canonical::order::{Name, unescaped};
use crate::canonical::writer::Numbers;
use serde::de::value::{BorrowedStrDeserializer, StrDeserializer, U64Deserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use std::borrow::Cow;

/// Expected number of elements of an array, which is unknown before they are read.
const EXPECTED: usize = 8;

/// The content of an object or array; `DECLARED` is that of a struct.
pub(super) struct Items<'r, 'de, const DECLARED: bool> {
    pub(super) reader: &'r mut JsonReader<'de>,
    pub(super) close: u8,
    pub(super) ended: bool,
    /// The name of the member before.
    pub(super) before: Option<Name<'de>>,
    /// The names that a struct has, as it declares them.
    pub(super) fields: &'static [&'static str],
    /// Index in `fields` after the last that was found; in an array, the number of elements read.
    pub(super) place: usize,
    /// Where the present member begins.
    pub(super) start: usize,
    /// The members are those of the line itself.
    pub(super) top: bool,
}

impl<'de, const DECLARED: bool> Items<'_, 'de, DECLARED> {
    /// Notes a name; an error unless it comes after the one before.
    #[inline]
    fn follows(&mut self, name: Name<'de>) -> Result<(), ReadError> {
        if self.before.is_some_and(|before| !before.is_before(name)) {
            return Err(not_canonical());
        }
        self.before = Some(name);
        Ok(())
    }

    /// Reads the next name if it is a declared field that is not before `place`; returns its index.
    /// None, with nothing read, for any other name. Most fields are declared in canonical order, so
    /// most are found here. Declared names are plain text.
    fn declared_next(&mut self) -> Option<u64> {
        let text = self.reader.scan.rest();
        let ahead = self.fields.get(self.place..)?;
        let [b'"', first, ..] = text else { return None };
        for (skipped, field) in ahead.iter().enumerate() {
            let field = field.as_bytes();
            let end = 1 + field.len();
            if field.first() == Some(first)
                && let Some(b"\":") = text.get(end..end + 2)
                && text.get(1..end) == Some(field)
            {
                self.follows(Name { raw: field, plain: true }).ok()?;
                let place = self.place + skipped;
                self.place = place + 1;
                self.reader.scan.at += end + 2;
                return Some(place as u64);
            }
        }
        None
    }

    /// Reads the next name, whichever it is.
    #[inline]
    fn name(&mut self) -> Result<Cow<'de, str>, ReadError> {
        let piece = self.reader.string()?;
        self.follows(Name { raw: piece.text.as_bytes(), plain: piece.plain })?;
        if self.reader.scan.peek() != Some(b':') {
            return Err(not_canonical());
        }
        self.reader.scan.at += 1;
        Ok(piece.meaning())
    }

    /// Reads the next name and returns its index among the fields, `u64::MAX` for none of them.
    #[inline(never)]
    fn declared(&mut self) -> Result<u64, ReadError> {
        if let Some(place) = self.declared_next() {
            return Ok(place);
        }
        let name = self.name()?;
        let place = self.fields.iter().position(|field| *field == name);
        Ok(place.map_or(u64::MAX, |place| place as u64))
    }

    /// Ends a member, whose range is kept if it is the line's. Not inlined: the code is the same
    /// for every type of value.
    #[inline(never)]
    fn after_member(&mut self) -> Result<(), ReadError> {
        if self.top
            && let Some(name) = self.before
        {
            let place = self.start..self.reader.scan.at;
            self.reader.chain.note(name.raw, place);
        }
        self.separator()
    }

    #[cold]
    #[inline(never)]
    fn within(&self, error: ReadError) -> ReadError {
        error.within(self.step())
    }

    /// The error for a member that a struct does not have; serde's knows only its index.
    #[cold]
    #[inline(never)]
    fn unknown(&self, _: ReadError) -> ReadError {
        self.within(ReadError::unknown_field(&self.step(), self.fields))
    }

    /// The name or place of what is being read.
    fn step(&self) -> String {
        match self.before {
            Some(name) => unescaped(std::str::from_utf8(name.raw).unwrap_or_default()).collect(),
            None => self.place.to_string(),
        }
    }

    /// Ends the object or array. A visitor may stop early and leave the rest unread.
    #[inline]
    pub(super) fn end(&mut self) -> Result<(), ReadError> {
        if !self.ended {
            self.pass_rest()?;
        }
        self.reader.depth += 1;
        Ok(())
    }

    /// Skips what a visitor left unread, which only a document of people may have.
    #[cold]
    #[inline(never)]
    fn pass_rest(&mut self) -> Result<(), ReadError> {
        if self.reader.numbers != Numbers::Ordered {
            return Err(not_canonical());
        }
        while !self.ended {
            if self.close == b'}' {
                self.name()?;
            }
            self.reader.pass()?;
            self.separator()?;
        }
        Ok(())
    }

    /// Reads what follows an element: a comma, or the closing bracket.
    fn separator(&mut self) -> Result<(), ReadError> {
        match self.reader.scan.peek() {
            Some(b',') => {}
            Some(found) if found == self.close => self.ended = true,
            _ => return Err(not_canonical()),
        }
        self.reader.scan.at += 1;
        Ok(())
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'_, 'de, false> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ReadError> {
        if self.ended {
            return Ok(None);
        }
        let value = seed.deserialize(&mut *self.reader).map_err(|error| self.within(error))?;
        self.place += 1;
        self.separator()?;
        Ok(Some(value))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(if self.ended { 0 } else { EXPECTED })
    }
}

impl<'de, const DECLARED: bool> MapAccess<'de> for &mut Items<'_, 'de, DECLARED> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ReadError> {
        if self.ended {
            return Ok(None);
        }
        self.start = self.reader.scan.at;
        if !DECLARED {
            let read = match self.name()? {
                Cow::Borrowed(name) => {
                    seed.deserialize(BorrowedStrDeserializer::<ReadError>::new(name))
                }
                Cow::Owned(name) => seed.deserialize(StrDeserializer::<ReadError>::new(&name)),
            };
            return read.map(Some).map_err(|error| self.within(error));
        }
        let field = U64Deserializer::<ReadError>::new(self.declared()?);
        seed.deserialize(field).map(Some).map_err(|error| self.unknown(error))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let value = seed.deserialize(&mut *self.reader).map_err(|error| self.within(error))?;
        self.after_member()?;
        Ok(value)
    }
}

impl<'de> EnumAccess<'de> for &mut Items<'_, 'de, false> {
    type Error = ReadError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        mut self,
        seed: V,
    ) -> Result<(V::Value, Self), ReadError> {
        let none = || ReadError::invalid_value(Unexpected::Map, &"map with a single key");
        Ok((self.next_key_seed(seed)?.ok_or_else(none)?, self))
    }
}

impl<'de> VariantAccess<'de> for &mut Items<'_, 'de, false> {
    type Error = ReadError;

    fn unit_variant(mut self) -> Result<(), ReadError> {
        self.next_value()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        mut self,
        seed: T,
    ) -> Result<T::Value, ReadError> {
        self.next_value_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ReadError> {
        let value = self.reader.deserialize_seq(visitor)?;
        self.separator().map(|()| value)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let value = self.reader.deserialize_struct("", fields, visitor)?;
        self.separator().map(|()| value)
    }
}
