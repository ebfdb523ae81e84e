//! A document before it is checked: TOML and JSON read into one tree, in bounded time and depth.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

use super::error::{PolicyErrors, Problem, shown};

/// The longest text that is read, in bytes.
pub(super) const MOST_BYTES: usize = 1 << 20;
/// How deep tables and lists may be nested.
pub(super) const MOST_DEPTH: usize = 32;

/// A value of a document. Keys keep their order and may occur twice, which the reader reports with
/// a place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PolicyNode {
    Null,
    Flag(bool),
    /// TOML's `nan` and `inf` included.
    Number(f64),
    Text(String),
    List(Vec<PolicyNode>),
    Table(Vec<(String, PolicyNode)>),
    /// A value below [`MOST_DEPTH`].
    TooDeep,
}

impl PolicyNode {
    /// Its type, in words.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "a yes or no",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::TooDeep => "something nested too deep",
        }
    }

    /// The value of a key; the first if the key occurs twice.
    pub(super) fn key(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Table(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The steps to the first value that is nested too deep.
    pub(super) fn too_deep(&self) -> Option<Vec<String>> {
        let (mut steps, step) = match self {
            Self::TooDeep => return Some(Vec::new()),
            Self::List(items) => {
                let mut items = items.iter().enumerate();
                items.find_map(|(i, item)| Some((item.too_deep()?, i.to_string())))?
            }
            Self::Table(entries) => {
                entries.iter().find_map(|(key, node)| Some((node.too_deep()?, key.clone())))?
            }
            Self::Null | Self::Flag(_) | Self::Number(_) | Self::Text(_) => return None,
        };
        steps.insert(0, step);
        Some(steps)
    }

    /// The length of the part of a JSON Pointer that exists in this document, in bytes.
    pub(super) fn present(&self, pointer: &str) -> usize {
        let mut node = self;
        let mut length = 0;
        for step in pointer.split('/').skip(1) {
            let next = match node {
                Self::List(items) => step.parse().ok().and_then(|i: usize| items.get(i)),
                _ => node.key(&step.replace("~1", "/").replace("~0", "~")),
            };
            let Some(next) = next else { break };
            node = next;
            length += 1 + step.len();
        }
        length
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// Reads JSON.
    pub(super) fn from_json(text: &str) -> Result<Self, PolicyErrors> {
        check_length(text)?;
        serde_json::from_str(text).map_err(|error| {
            if error.to_string().starts_with("recursion limit") {
                return PolicyErrors::of("", Problem::TooDeep { most: MOST_DEPTH });
            }
            // The parser adds its position, which the error sentence already has.
            let detail = error.to_string();
            let detail = detail.split(" at line ").next().unwrap_or_default();
            let (line, column) = (error.line(), error.column());
            syntax("JSON", line.max(1), column.max(1), detail)
        })
    }

    /// Reads TOML; reports all syntax errors.
    pub(super) fn from_toml(text: &str) -> Result<Self, PolicyErrors> {
        check_length(text)?;
        let (table, faults) = DeTable::parse_recoverable(text);
        if faults.is_empty() {
            return Ok(from_toml_table(table.get_ref(), 0));
        }
        // Errors that follow from a level that was not read are noise.
        if faults.iter().any(|fault| fault.message().contains("recurs")) {
            return Err(PolicyErrors::of("", Problem::TooDeep { most: MOST_DEPTH }));
        }
        let mut starts: Vec<(usize, &str)> = faults
            .iter()
            .map(|fault| (fault.span().map_or(0, |span| span.start), fault.message()))
            .collect();
        starts.sort_by_key(|(at, _)| *at);
        let mut errors = PolicyErrors::new();
        // From error to error, so that the text is read only once.
        let (mut line, mut line_start, mut walked, mut last) = (1, 0, 0, 0);
        for (at, message) in starts {
            let between = text.get(walked..at).unwrap_or_default();
            line += between.matches('\n').count();
            line_start = between.rfind('\n').map_or(line_start, |end| walked + end + 1);
            walked = at;
            // One error for each line: the rest of the line causes further ones.
            if line > last {
                last = line;
                let column =
                    text.get(line_start..at).map_or(1, |before| before.chars().count() + 1);
                let detail = if errors.is_full() { String::new() } else { shown(message) };
                errors.push("", Problem::Syntax { language: "TOML", line, column, detail });
            }
        }
        Err(errors)
    }
}

fn check_length(text: &str) -> Result<(), PolicyErrors> {
    if text.len() > MOST_BYTES {
        let problem = Problem::TooLarge { bytes: text.len(), most: MOST_BYTES };
        return Err(PolicyErrors::of("", problem));
    }
    Ok(())
}

fn syntax(language: &'static str, line: usize, column: usize, detail: &str) -> PolicyErrors {
    let detail = shown(detail);
    PolicyErrors::of("", Problem::Syntax { language, line, column, detail })
}

fn from_toml_table(table: &DeTable<'_>, depth: usize) -> PolicyNode {
    if depth >= MOST_DEPTH {
        return PolicyNode::TooDeep;
    }
    let entry =
        |(key, value): (&toml::Spanned<toml::de::DeString<'_>>, &toml::Spanned<DeValue<'_>>)| {
            (key.get_ref().to_string(), from_toml_value(value.get_ref(), depth + 1))
        };
    PolicyNode::Table(table.iter().map(entry).collect())
}

fn from_toml_value(value: &DeValue<'_>, depth: usize) -> PolicyNode {
    match value {
        DeValue::String(text) => PolicyNode::Text(text.to_string()),
        DeValue::Integer(number) => {
            let read = i128::from_str_radix(number.as_str(), number.radix());
            // The parser accepts integers of any length.
            PolicyNode::Number(read.map_or(f64::INFINITY, |n| n as f64))
        }
        DeValue::Float(number) => PolicyNode::Number(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => PolicyNode::Flag(*flag),
        DeValue::Datetime(time) => PolicyNode::Text(time.to_string()),
        DeValue::Array(_) if depth >= MOST_DEPTH => PolicyNode::TooDeep,
        DeValue::Array(items) => PolicyNode::List(
            items.iter().map(|i| from_toml_value(i.get_ref(), depth + 1)).collect(),
        ),
        DeValue::Table(table) => from_toml_table(table, depth),
    }
}

/// Reads a node at a depth; what is nested deeper is skipped, not followed.
struct At(usize);

impl<'de> DeserializeSeed<'de> for At {
    type Value = PolicyNode;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PolicyNode, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At {
    type Value = PolicyNode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a policy")
    }
    fn visit_unit<E>(self) -> Result<PolicyNode, E> {
        Ok(PolicyNode::Null)
    }
    fn visit_bool<E>(self, flag: bool) -> Result<PolicyNode, E> {
        Ok(PolicyNode::Flag(flag))
    }
    fn visit_i64<E>(self, number: i64) -> Result<PolicyNode, E> {
        Ok(PolicyNode::Number(number as f64))
    }
    fn visit_u64<E>(self, number: u64) -> Result<PolicyNode, E> {
        Ok(PolicyNode::Number(number as f64))
    }
    fn visit_f64<E>(self, number: f64) -> Result<PolicyNode, E> {
        Ok(PolicyNode::Number(number))
    }
    fn visit_str<E>(self, text: &str) -> Result<PolicyNode, E> {
        Ok(PolicyNode::Text(text.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<PolicyNode, A::Error> {
        if self.0 >= MOST_DEPTH {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(PolicyNode::TooDeep);
        }
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(At(self.0 + 1))? {
            list.push(item);
        }
        Ok(PolicyNode::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<PolicyNode, A::Error> {
        if self.0 >= MOST_DEPTH {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(PolicyNode::TooDeep);
        }
        let mut table = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            table.push((key, entries.next_value_seed(At(self.0 + 1))?));
        }
        Ok(PolicyNode::Table(table))
    }
}

impl<'de> Deserialize<'de> for PolicyNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        At(0).deserialize(deserializer)
    }
}

impl Serialize for PolicyNode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null | Self::TooDeep => serializer.serialize_unit(),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            // Whole numbers are written without a fraction; RFC 8785 writes both forms the same.
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            Self::Number(n) if n.fract() == 0.0 && n.abs() < 9e15 => {
                serializer.serialize_i64(*n as i64)
            }
            Self::Number(n) => serializer.serialize_f64(*n),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Table(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, node) in entries {
                    map.serialize_entry(key, node)?;
                }
                map.end()
            }
        }
    }
}

impl From<&str> for PolicyNode {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<f64> for PolicyNode {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for PolicyNode {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl<const N: usize> From<[(&str, PolicyNode); N]> for PolicyNode {
    fn from(entries: [(&str, PolicyNode); N]) -> Self {
        Self::Table(entries.into_iter().map(|(key, node)| (key.to_owned(), node)).collect())
    }
}
