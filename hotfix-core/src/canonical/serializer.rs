//! The serde serializer, which produces the same JSON shapes as `serde_json`.

use super::CanonicalError;
use super::error::Unwritten;
use super::writer::{Object, Writer};
use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use std::fmt::Display;

type Done = Result<(), Unwritten>;

/// Forwards integers of fewer bits to the method of 64.
macro_rules! narrow {
    ($($method:ident($type:ty) => $wide:ident;)*) => {$(
        fn $method(self, v: $type) -> Result<Self::Ok, Unwritten> {
            self.$wide(v.into())
        }
    )*};
}

pub(super) struct Value<'w, 'a>(pub(super) &'w mut Writer<'a>);

pub(super) struct Array<'w, 'a> {
    writer: &'w mut Writer<'a>,
    empty: bool,
    variant: Option<Object>,
}

pub(super) struct Members<'w, 'a> {
    writer: &'w mut Writer<'a>,
    object: Object,
    variant: Option<Object>,
}

impl<'w, 'a> Value<'w, 'a> {
    fn array(self, variant: Option<Object>) -> Result<Array<'w, 'a>, Unwritten> {
        self.0.begin(b'[')?;
        Ok(Array { writer: self.0, empty: true, variant })
    }

    fn members(self, variant: Option<Object>) -> Result<Members<'w, 'a>, Unwritten> {
        let object = self.0.begin_object()?;
        Ok(Members { writer: self.0, object, variant })
    }

    /// `{"name":`, closed when the content ends.
    fn variant(&mut self, name: &str) -> Result<Object, Unwritten> {
        let mut object = self.0.begin_object()?;
        self.0.name(&mut object, name);
        Ok(object)
    }

    fn word(self, word: &[u8]) {
        self.0.out.extend_from_slice(word);
    }
}

impl<'w, 'a> Serializer for Value<'w, 'a> {
    type Ok = ();
    type Error = Unwritten;
    type SerializeSeq = Array<'w, 'a>;
    type SerializeTuple = Array<'w, 'a>;
    type SerializeTupleStruct = Array<'w, 'a>;
    type SerializeTupleVariant = Array<'w, 'a>;
    type SerializeMap = Members<'w, 'a>;
    type SerializeStruct = Members<'w, 'a>;
    type SerializeStructVariant = Members<'w, 'a>;

    fn serialize_bool(self, v: bool) -> Done {
        self.word(if v { b"true" } else { b"false" });
        Ok(())
    }

    narrow! {
        serialize_i8(i8) => serialize_i64; serialize_i16(i16) => serialize_i64; serialize_i32(i32) => serialize_i64;
        serialize_u8(u8) => serialize_u64; serialize_u16(u16) => serialize_u64; serialize_u32(u32) => serialize_u64;
    }

    fn serialize_i64(self, v: i64) -> Done {
        self.0.integer(v < 0, v.unsigned_abs())
    }

    fn serialize_i128(self, v: i128) -> Done {
        let size = v.unsigned_abs();
        let size = u64::try_from(size).map_err(|_| CanonicalError::integer_range(v < 0, size))?;
        self.0.integer(v < 0, size)
    }

    fn serialize_u64(self, v: u64) -> Done {
        self.0.integer(false, v)
    }

    fn serialize_u128(self, v: u128) -> Done {
        let size = u64::try_from(v).map_err(|_| CanonicalError::integer_range(false, v))?;
        self.0.integer(false, size)
    }

    fn serialize_f32(self, v: f32) -> Done {
        self.0.float(v.into())
    }

    fn serialize_f64(self, v: f64) -> Done {
        self.0.float(v)
    }

    fn serialize_char(self, v: char) -> Done {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, v: &str) -> Done {
        self.0.plain = self.0.string(v);
        Ok(())
    }

    fn serialize_bytes(self, v: &[u8]) -> Done {
        let mut array = self.array(None)?;
        for byte in v {
            SerializeSeq::serialize_element(&mut array, byte)?;
        }
        SerializeSeq::end(array)
    }

    fn serialize_none(self) -> Done {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        self.word(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Done {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Done {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Done {
        let object = self.variant(name)?;
        value.serialize(Value(self.0))?;
        self.0.end_object(&object)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Array<'w, 'a>, Unwritten> {
        self.array(None)
    }

    fn serialize_tuple(self, _: usize) -> Result<Array<'w, 'a>, Unwritten> {
        self.array(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Array<'w, 'a>, Unwritten> {
        self.array(None)
    }

    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Array<'w, 'a>, Unwritten> {
        let object = self.variant(name)?;
        self.array(Some(object))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'w, 'a>, Unwritten> {
        self.members(None)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'w, 'a>, Unwritten> {
        self.members(None)
    }

    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Members<'w, 'a>, Unwritten> {
        let object = self.variant(name)?;
        self.members(Some(object))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Done {
        self.0.plain = self.0.display(value)?;
        Ok(())
    }
}

impl Array<'_, '_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        if !self.empty {
            self.writer.out.push(b',');
        }
        self.empty = false;
        value.serialize(Value(self.writer))
    }

    #[inline]
    fn finish(self) -> Done {
        self.writer.end(b']');
        match self.variant {
            Some(object) => self.writer.end_object(&object),
            None => Ok(()),
        }
    }
}

impl Members<'_, '_> {
    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Done {
        self.writer.name(&mut self.object, name);
        value.serialize(Value(self.writer))
    }

    #[inline]
    fn finish(self) -> Done {
        self.writer.end_object(&self.object)?;
        match self.variant {
            Some(object) => self.writer.end_object(&object),
            None => Ok(()),
        }
    }
}

/// serde's names for an array, and for an object with declared members.
macro_rules! appended {
    ($($trait:ident for $target:ident: $method:ident($($name:ident: $text:ty)?) => $append:ident;)*) => {$(
        impl $trait for $target<'_, '_> {
            type Ok = ();
            type Error = Unwritten;

            fn $method<T: Serialize + ?Sized>(&mut self, $($name: $text,)? value: &T) -> Done {
                self.$append($($name,)? value)
            }

            fn end(self) -> Done {
                self.finish()
            }
        }
    )*};
}

appended! {
    SerializeSeq for Array: serialize_element() => element;
    SerializeTuple for Array: serialize_element() => element;
    SerializeTupleStruct for Array: serialize_field() => element;
    SerializeTupleVariant for Array: serialize_field() => element;
    SerializeStruct for Members: serialize_field(name: &'static str) => member;
    SerializeStructVariant for Members: serialize_field(name: &'static str) => member;
}

impl SerializeMap for Members<'_, '_> {
    type Ok = ();
    type Error = Unwritten;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        let start = self.writer.begin_name(&self.object);
        key.serialize(Value(self.writer))?;
        let plain = self.writer.as_name(start)?;
        self.writer.end_name(&mut self.object, start, plain);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        value.serialize(Value(self.writer))
    }

    fn end(self) -> Done {
        self.finish()
    }
}
