//! All faults of a JSON value of a type that serde reads field by field, each with its place.

use std::fmt::{self, Display};

use serde::de::value::StrDeserializer;
use serde::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, Expected,
    IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use super::fault::DocumentFault;
use crate::text::{joined, pointer_step, shown};

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

impl ValueFault {
    /// The same of a document that is the part `name` of another.
    #[must_use]
    pub fn under(self, name: &str) -> Self {
        Self { path: format!("/{name}{}", self.path), ..self }
    }

    /// Faults with their places, in one sentence.
    pub(crate) fn list(faults: &[Self]) -> String {
        let one = |fault: &Self| match fault.path.as_str() {
            "" => fault.sentence.clone(),
            path => format!("`{path}`: {}", fault.sentence),
        };
        joined(faults.iter().map(one), "; ")
    }
}

/// Reads the JSON of the document `name`, in which no member comes twice.
///
/// # Errors
/// All faults, with their places below `/name`.
pub fn read_document<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Vec<ValueFault>> {
    under(name, read_json(text))
}

/// The same for a part of a document that is already parsed.
///
/// # Errors
/// As [`read_document`].
pub fn read_part<T: DeserializeOwned>(name: &str, value: &Value) -> Result<T, Vec<ValueFault>> {
    under(name, read_value(value))
}

fn under<T>(name: &str, read: Result<T, Vec<ValueFault>>) -> Result<T, Vec<ValueFault>> {
    read.map_err(|faults| faults.into_iter().map(|fault| fault.under(name)).collect())
}

/// Reads the JSON of a document without a name.
///
/// # Errors
/// All faults; the parser's sentence has no place.
pub(crate) fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, Vec<ValueFault>> {
    let unreadable = |sentence| vec![ValueFault { path: String::new(), sentence }];
    read_value(&value_of(text).map_err(unreadable)?)
}

/// Reads a value.
///
/// # Errors
/// All faults: each is removed, and the rest is read again.
pub(crate) fn read_value<T: DeserializeOwned>(value: &Value) -> Result<T, Vec<ValueFault>> {
    let mut error = match T::deserialize(At(value)) {
        Ok(read) => return Ok(read),
        Err(error) => error,
    };
    let (mut value, mut faults) = (value.clone(), Vec::<ValueFault>::new());
    loop {
        let Fault { mut path, sentence, missing } = *error.0;
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
        if faults.len() == MOST || !remove(&mut value, &path) {
            return Err(faults);
        }
        error = match T::deserialize(At(&value)) {
            Ok(_) => return Err(faults),
            Err(error) => error,
        };
    }
}

/// Reads JSON, in which no member comes twice.
///
/// # Errors
/// The parser's sentence.
pub(crate) fn value_of(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map(|Unique(value)| value).map_err(|error| error.to_string())
}

/// A JSON value without members that come twice.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            read.push(item);
        }
        Ok(Value::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if read.contains_key(&key) {
                return Err(A::Error::custom(format_args!("`{}` comes twice", shown(&key))));
            }
            let Unique(value) = members.next_value()?;
            read.insert(key, value);
        }
        Ok(Value::Object(read))
    }
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

/// The first fault. It is boxed, so that what was read stays small in a result.
#[derive(Debug)]
struct Error(Box<Fault>);

#[derive(Debug)]
struct Fault {
    /// The steps to it, the innermost first.
    path: Vec<String>,
    sentence: String,
    /// The key that is missing there.
    missing: Option<&'static str>,
}

impl Error {
    #[cold]
    #[inline(never)]
    fn of(fault: &dyn Display) -> Self {
        Self::new(fault.to_string(), None)
    }

    fn new(sentence: String, missing: Option<&'static str>) -> Self {
        Self(Box::new(Fault { path: Vec::new(), sentence, missing }))
    }

    #[cold]
    #[inline(never)]
    fn under(mut self, step: &dyn Display) -> Self {
        self.0.path.push(step.to_string());
        self
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.sentence)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: Display>(fault: T) -> Self {
        Self::of(&fault)
    }

    fn invalid_type(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = match expected.to_string().as_str() {
            "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more".to_owned(),
            "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
            "f32" | "f64" => "a number".to_owned(),
            "a string" => "a text".to_owned(),
            "a sequence" => "a list".to_owned(),
            "a map" => "an object".to_owned(),
            other if other.starts_with("struct ") => "an object".to_owned(),
            other => other.to_owned(),
        };
        let got: &dyn Display = match got {
            Unexpected::Seq => &"a list",
            Unexpected::Map => &"an object",
            Unexpected::Unit => &"null",
            _ => &got,
        };
        Self::of(&format_args!("{got} is not allowed here: write {expected}"))
    }

    fn invalid_value(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let most = match expected.to_string().as_str() {
            "u8" => u8::MAX.into(),
            "u16" => u16::MAX.into(),
            "u32" => u32::MAX,
            _ => return Self::invalid_type(got, expected),
        };
        Self::invalid_type(got, &format!("a whole number from 0 to {most}").as_str())
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::of(&format_args!("a list of {length} is not allowed here: write {expected}"))
    }

    fn unknown_variant(got: &str, known: &'static [&'static str]) -> Self {
        Self::of(&DocumentFault::unknown_value(got, known))
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::of(&DocumentFault::unknown_key(key, known))
    }

    #[cold]
    #[inline(never)]
    fn missing_field(key: &'static str) -> Self {
        Self::new(format!("`{key}` is missing: add it"), Some(key))
    }

    #[cold]
    #[inline(never)]
    fn duplicate_field(key: &'static str) -> Self {
        Self::of(&format_args!("duplicate field `{key}`"))
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

    /// A list would be read as the fields in order.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.0.is_array() {
            return Err(de::Error::invalid_type(Unexpected::Seq, &visitor));
        }
        self.deserialize_any(visitor)
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
            value @ Value::Object(_) => {
                value.deserialize_enum(name, variants, visitor).map_err(Error::custom)
            }
            Value::Null => Err(de::Error::invalid_type(Unexpected::Unit, &"a text")),
            Value::Bool(got) => Err(de::Error::invalid_type(Unexpected::Bool(*got), &"a text")),
            Value::Array(_) => Err(de::Error::invalid_type(Unexpected::Seq, &"a text")),
            Value::Number(got) => {
                let got = got.to_string();
                Err(de::Error::invalid_type(Unexpected::Other(&got), &"a text"))
            }
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
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
        let read = seed.deserialize(At(item)).map_err(|error| error.under(&self.at))?;
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
        let text: de::value::BorrowedStrDeserializer<'de, Error> =
            de::value::BorrowedStrDeserializer::new(key);
        seed.deserialize(text).map(Some).map_err(|error| error.under(&key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((key, value)) = self.value.take() else {
            return Err(Error::custom("a value without a key"));
        };
        seed.deserialize(At(value)).map_err(|error| error.under(&key))
    }
}
