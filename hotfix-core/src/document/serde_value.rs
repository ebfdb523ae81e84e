//! All faults of a JSON value of a type that serde reads field by field, each with its place.

use std::fmt::{self, Display};

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use super::fault::DocumentFault;
use crate::text::{nearest, pointer_step, shown};

/// At most so many faults are looked for.
const MOST: usize = 20;

/// A fault, and its place as a JSON Pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueFault {
    /// Where it is.
    pub path: String,
    /// What it is, with the remedy.
    pub sentence: String,
}

/// All faults of this value, which serde does not accept as a `T`: each is removed, and the rest is
/// read again. Empty if serde accepts it.
pub(crate) fn faults_of<T: DeserializeOwned>(mut value: Value) -> Vec<ValueFault> {
    let mut faults: Vec<ValueFault> = Vec::new();
    while faults.len() < MOST {
        let Err(Error { mut path, sentence, missing }) = T::deserialize(At(&value)) else { break };
        path.reverse();
        path.extend(missing.map(str::to_owned));
        let pointer: String = path
            .iter()
            .flat_map(|step| ["/".to_owned(), pointer_step(step).into_owned()])
            .collect();
        // What is missing only because it was removed has its fault already.
        if faults.iter().all(|fault| fault.path != pointer) {
            faults.push(ValueFault { path: pointer, sentence });
        }
        if missing.is_some() {
            path.pop();
        }
        if !remove(&mut value, &path) {
            break;
        }
    }
    faults
}

/// Removes what is at this place; false for the root.
fn remove(value: &mut Value, path: &[String]) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    let mut parent = value;
    for step in parents {
        let child = match parent {
            Value::Object(object) => object.get_mut(step),
            Value::Array(items) => step.parse().ok().and_then(|at: usize| items.get_mut(at)),
            _ => None,
        };
        let Some(child) = child else { return false };
        parent = child;
    }
    match (parent, last.parse::<usize>()) {
        (Value::Object(object), _) => object.remove(last).is_some(),
        (Value::Array(items), Ok(at)) if at < items.len() => {
            items.remove(at);
            true
        }
        _ => false,
    }
}

/// The first fault: the steps to it, the innermost first.
#[derive(Debug)]
struct Error {
    path: Vec<String>,
    sentence: String,
    /// The key that is missing there.
    missing: Option<&'static str>,
}

impl Error {
    fn of(fault: impl Display) -> Self {
        Self { path: Vec::new(), sentence: fault.to_string(), missing: None }
    }

    fn under(mut self, step: impl Display) -> Self {
        self.path.push(step.to_string());
        self
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: Display>(fault: T) -> Self {
        Self::of(fault)
    }

    fn invalid_type(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = match expected.to_string().as_str() {
            "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more".to_owned(),
            "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
            "f32" | "f64" => "a number".to_owned(),
            other => other.to_owned(),
        };
        Self::of(format_args!("{got} is not allowed here: write {expected}"))
    }

    fn invalid_value(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(got, expected)
    }

    fn unknown_variant(got: &str, known: &'static [&'static str]) -> Self {
        Self::of(DocumentFault::unknown_value(got, known))
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        let nearest = nearest(key, known.iter().copied());
        Self::of(DocumentFault::UnknownKey { key: shown(key), nearest, known }).under(key)
    }

    fn missing_field(key: &'static str) -> Self {
        let sentence = format!("`{key}` is missing: add it");
        Self { path: Vec::new(), sentence, missing: Some(key) }
    }
}

/// A value to be read.
#[derive(Clone, Copy)]
struct At<'a>(&'a Value);

impl<'de> Deserializer<'de> for At<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), ..) => visitor.visit_u64(value),
                (_, Some(value), _) => visitor.visit_i64(value),
                (.., value) => visitor.visit_f64(value.unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(Items { items: items.iter(), at: 0 }),
            Value::Object(object) => {
                visitor.visit_map(Members { members: object.iter(), value: None })
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
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
        match self.0 {
            Value::String(text) => {
                let text: StrDeserializer<'_, Error> = text.as_str().into_deserializer();
                text.deserialize_enum(name, variants, visitor)
            }
            // The places inside of a variant with data are not known.
            value => value.deserialize_enum(name, variants, visitor).map_err(Error::custom),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Items<'de> {
    items: std::slice::Iter<'de, Value>,
    at: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let read = seed.deserialize(At(item)).map_err(|error| error.under(self.at))?;
        self.at += 1;
        Ok(Some(read))
    }
}

struct Members<'de> {
    members: serde_json::map::Iter<'de>,
    value: Option<(&'de str, &'de Value)>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.members.next() else { return Ok(None) };
        self.value = Some((key, value));
        let key: de::value::BorrowedStrDeserializer<'de, Error> =
            de::value::BorrowedStrDeserializer::new(key);
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((key, value)) = self.value.take() else {
            return Err(Error::custom("a value without a key"));
        };
        seed.deserialize(At(value)).map_err(|error| error.under(key))
    }
}
