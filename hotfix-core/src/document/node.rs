//! The tree of a document before it is checked.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::error::DocumentErrors;
use super::fault::DocumentFault;
use super::text::MOST_DEPTH;
use crate::text::{pointer_step, shown};

/// A place in a text. A value that no text has, such as a default, has no place: line 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The number of the document that is read, from 0.
    pub(crate) document: u32,
    /// The line, from 1.
    pub(crate) line: u32,
    /// The column, from 1, in characters.
    pub(crate) column: u32,
}

impl Place {
    /// The start of the first document.
    pub(crate) const START: Self = Self { document: 0, line: 1, column: 1 };

    /// A place as a parser gives it; there is no line or column 0.
    pub(crate) fn new(document: u32, line: usize, column: usize) -> Self {
        let number = |number: usize| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
        Self { document, line: number(line), column: number(column) }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

/// The value of a node. Keys keep their order and may occur twice, which the reader reports.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Flag(bool),
    /// TOML's `nan` and `inf` included.
    Number(f64),
    Text(String),
    /// An unquoted scalar of YAML, whose type depends on what is expected.
    Plain(String),
    List(Vec<Node>),
    Table(Vec<Member>),
    /// A value below [`MOST_DEPTH`].
    TooDeep,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) node: Node,
}

impl Node {
    /// A document that a program made, without places.
    pub(crate) fn from_value(document: &serde_json::Value) -> Self {
        // Any value can be read.
        Self::deserialize(document).unwrap_or_else(|_| Value::TooDeep.into())
    }

    /// A table of values that no text has.
    pub(crate) fn table<K: Into<String>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Value::Table(entries.into_iter().map(Member::from).collect()).into()
    }

    pub(crate) const fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Flag(_) => "a yes or no",
            Value::Number(_) => "a number",
            Value::Text(_) | Value::Plain(_) => "a text",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::TooDeep => "something nested too deep",
        }
    }

    /// Whether it is null in YAML: `null`, `~`, or no value at all.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Plain(text)
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// A text, and whether it is unquoted; None for any other value.
    pub(crate) fn scalar(&self) -> Option<(&str, bool)> {
        match &self.value {
            Value::Plain(text) => Some((text, true)),
            Value::Text(text) => Some((text, false)),
            _ => None,
        }
    }

    /// The value for a sentence, or its type.
    pub(crate) fn shown(&self) -> String {
        match &self.value {
            Value::Number(number) => number.to_string(),
            Value::Plain(_) if self.is_null() => "nothing".to_owned(),
            Value::Plain(text) => format!("`{}`", shown(text)),
            Value::Text(text) => format!("the text `{}`", shown(text)),
            _ => self.kind().to_owned(),
        }
    }

    /// The value of a key; the first if the key occurs twice.
    pub(crate) fn key(&self, key: &str) -> Option<&Self> {
        self.members().iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// Refuses a document that is nested too deep: nothing below that was read.
    pub(crate) fn check_depth(&self) -> Result<(), DocumentErrors<DocumentFault>> {
        match self.too_deep() {
            None => Ok(()),
            Some(path) => Err(DocumentErrors::of(&path, DocumentFault::TooDeep {}).placed_in(self)),
        }
    }

    /// The JSON Pointer to the first value that is nested too deep.
    fn too_deep(&self) -> Option<String> {
        let below = |step: &str, inner: &Self| {
            Some(format!("/{}{}", pointer_step(step), inner.too_deep()?))
        };
        match &self.value {
            Value::TooDeep => Some(String::new()),
            Value::List(items) => {
                items.iter().enumerate().find_map(|(i, item)| below(&i.to_string(), item))
            }
            Value::Table(entries) => entries.iter().find_map(|e| below(&e.key, &e.node)),
            _ => None,
        }
    }

    /// The length in bytes of the part of a JSON Pointer that exists, and the place of its value.
    pub(crate) fn find(&self, pointer: &str) -> (usize, Place) {
        let (mut node, mut length) = (self, 0);
        for step in pointer.split('/').skip(1) {
            let Some(next) = node.step(step) else { break };
            node = next;
            length += 1 + step.len();
        }
        (length, node.place)
    }

    /// The value at a JSON Pointer.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Self> {
        pointer.split('/').skip(1).try_fold(self, Self::step)
    }

    /// The `id` or `name` of the innermost item of a list on the way to a JSON Pointer.
    pub(crate) fn item_at(&self, pointer: &str) -> Option<&str> {
        let mut item = None;
        pointer.split('/').skip(1).try_fold(self, |node, step| {
            let next = node.step(step)?;
            let is_item = matches!(node.value, Value::List(_));
            let id = next.key("id").or_else(|| next.key("name")).filter(|_| is_item);
            item = id.and_then(Self::as_text).or(item);
            Some(next)
        });
        item
    }

    /// The value at one step of a JSON Pointer.
    fn step(&self, step: &str) -> Option<&Self> {
        match &self.value {
            Value::List(items) => step.parse().ok().and_then(|i: usize| items.get(i)),
            _ => self.key(&step.replace("~1", "/").replace("~0", "~")),
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn members(&self) -> &[Member] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        Self { value, place: Place::default() }
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned()).into()
    }
}

macro_rules! node_of {
    ($($type:ty => $variant:ident;)+) => {$(
        impl From<$type> for Node {
            fn from(value: $type) -> Self {
                Value::$variant(value).into()
            }
        }
    )+};
}

node_of! {
    String => Text;
    f64 => Number;
    bool => Flag;
    Vec<Node> => List;
}

impl<K: Into<String>> From<(K, Node)> for Member {
    fn from((key, node): (K, Node)) -> Self {
        Self { key: key.into(), place: node.place, node }
    }
}

/// Reads a node at a depth; what is nested deeper is skipped, not followed.
struct At(usize);

impl<'de> DeserializeSeed<'de> for At {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }
    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Value::Null.into())
    }
    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(flag.into())
    }
    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok((number as f64).into())
    }
    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok((number as f64).into())
    }
    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(number.into())
    }
    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(text.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        if self.0 >= MOST_DEPTH {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::TooDeep.into());
        }
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(At(self.0 + 1))? {
            list.push(item);
        }
        Ok(list.into())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        if self.0 >= MOST_DEPTH {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Value::TooDeep.into());
        }
        let mut table = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            table.push(Member::from((key, entries.next_value_seed(At(self.0 + 1))?)));
        }
        Ok(Value::Table(table).into())
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        At(0).deserialize(deserializer)
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Null | Value::TooDeep => serializer.serialize_unit(),
            Value::Flag(flag) => serializer.serialize_bool(*flag),
            // Whole numbers are written without a fraction; RFC 8785 writes both forms the same.
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            Value::Number(n) if n.fract() == 0.0 && n.abs() < 9e15 => {
                serializer.serialize_i64(*n as i64)
            }
            Value::Number(n) => serializer.serialize_f64(*n),
            Value::Text(text) | Value::Plain(text) => serializer.serialize_str(text),
            Value::List(items) => serializer.collect_seq(items),
            Value::Table(entries) => {
                serializer.collect_map(entries.iter().map(|entry| (&entry.key, &entry.node)))
            }
        }
    }
}
