//! Reads the values of a tree: keys, lists, numbers, texts and names of a closed set.

use std::str::FromStr;

use super::fault::DocumentFault;
use super::node::{Node, Value};
use super::reader::DocumentReader;
use crate::grade::ClosedSet;
use crate::text::shown;
use crate::unit::{MetricName, Timestamp};

impl<F: From<DocumentFault>, K> DocumentReader<F, K> {
    pub(crate) fn wrong<T>(&mut self, expected: &'static str, node: &Node) -> Option<T> {
        self.fail(DocumentFault::WrongType { expected, got: node.shown() })
    }

    pub(crate) fn out_of_range<T>(&mut self, range: &'static str, node: &Node) -> Option<T> {
        self.fail(DocumentFault::OutOfRange { got: node.shown(), range })
    }

    /// A table with these keys and no other.
    pub(crate) fn table_of<'n>(
        &mut self,
        node: &'n Node,
        known: &'static [&'static str],
    ) -> Option<&'n Node> {
        let members = self.table(node)?;
        self.slots(known, members);
        Some(node)
    }

    /// The value of a key. None if it is absent or has an error.
    pub(crate) fn key<T>(
        &mut self,
        table: &Node,
        key: &str,
        read: impl FnOnce(&mut Self, &Node) -> Option<T>,
    ) -> Option<T> {
        table.key(key).and_then(|node| self.within(key, |reader| read(reader, node)))
    }

    /// The value of a key; `null` counts as absent.
    pub(crate) fn unless_null<T>(
        &mut self,
        table: &Node,
        key: &str,
        read: impl FnOnce(&mut Self, &Node) -> Option<T>,
    ) -> Option<T> {
        self.key(table, key, |reader, node| match node.value {
            Value::Null => None,
            _ => read(reader, node),
        })
    }

    /// The value of a required key.
    pub(crate) fn needed<T>(
        &mut self,
        table: &Node,
        key: &'static str,
        read: impl FnOnce(&mut Self, &Node) -> Option<T>,
    ) -> Option<T> {
        if table.key(key).is_none() {
            return self.fail(DocumentFault::MissingKey { key, example: "it".to_owned() });
        }
        self.key(table, key, read)
    }

    /// The items of a list, each read by itself.
    pub(crate) fn items<T>(
        &mut self,
        node: &Node,
        read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        match &node.value {
            Value::List(items) => Some(self.each(items, read)),
            _ => self.wrong("a list", node),
        }
    }

    /// The items of a list under a key.
    pub(crate) fn list<T>(
        &mut self,
        table: &Node,
        key: &str,
        read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Vec<T> {
        self.key(table, key, |reader, node| reader.items(node, read)).unwrap_or_default()
    }

    pub(crate) fn number(&mut self, node: &Node) -> Option<f64> {
        match node.value {
            Value::Number(number) if number.is_finite() => Some(number),
            _ => self.wrong("a finite number", node),
        }
    }

    pub(crate) fn flag(&mut self, node: &Node) -> Option<bool> {
        match node.value {
            Value::Flag(flag) => Some(flag),
            _ => self.wrong("true or false", node),
        }
    }

    pub(crate) fn text(&mut self, node: &Node) -> Option<String> {
        node.as_text().map(str::to_owned).or_else(|| self.wrong("a text", node))
    }

    /// A value that is written as a text.
    pub(crate) fn parsed<T: FromStr>(&mut self, node: &Node, expected: &'static str) -> Option<T> {
        let read = node.as_text().and_then(|text| shown(text).parse().ok());
        read.or_else(|| self.wrong(expected, node))
    }

    pub(crate) fn time(&mut self, node: &Node) -> Option<Timestamp> {
        self.parsed(node, "a time, as in \"2026-03-03T14:00:00Z\"")
    }

    pub(crate) fn metric_name(&mut self, node: &Node) -> Option<MetricName> {
        let name = node.as_text().and_then(|text| MetricName::try_new(text).ok());
        name.or_else(|| self.wrong("the name of a metric", node))
    }

    /// One of a closed set.
    pub(crate) fn one_of<T: ClosedSet>(&mut self, node: &Node) -> Option<T> {
        let index = self.name_of(node, T::SET.1)?;
        T::SET.0.get(index).copied()
    }
}
