//! Lists in which something stands at most once, ranges, and whole numbers.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::rule::at_least;
use crate::policy::error::{Problem, shown};
use crate::policy::field::{Duration, List};
use crate::policy::node::Node;
use crate::policy::reader::{Field, Reader, Style, section};
use crate::policy::section::TimeRange;
use crate::unit::Span;

/// A table that has a name in its list.
pub(super) trait Named: Field {
    /// The key that holds it.
    const KEY: &'static str = "id";
    /// What is named, in words.
    const WHAT: &'static str;
}

/// A list of tables, each with a name of its own.
pub(super) struct Unique<F>(F);

impl<F: Named> Field for Unique<F> {
    type Out = Vec<F::Out>;

    fn read(node: &Node, reader: &mut Reader) -> Option<Self::Out> {
        let list = List::<F>::read(node, reader);
        reader.unique(F::WHAT, &texts(node, reader.path(), F::KEY));
        list
    }
    fn write(value: &Self::Out, style: Style) -> Node {
        List::<F>::write(value, style)
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        List::<F>::schema(generator)
    }
    fn example() -> &'static str {
        List::<F>::example()
    }
}

/// The texts at `key` in the tables of a list, with their places.
pub(super) fn texts<'n>(list: &'n Node, path: &str, key: &str) -> Vec<(String, &'n str)> {
    let text = |(i, item): (usize, &'n Node)| {
        Some((format!("{path}/{i}/{key}"), item.key(key)?.as_text()?))
    };
    list.items().iter().enumerate().filter_map(text).collect()
}

/// A list of texts, each at most once.
pub(super) struct Once<F>(F);

impl<F: Field> Field for Once<F> {
    type Out = Vec<F::Out>;

    fn read(node: &Node, reader: &mut Reader) -> Option<Self::Out> {
        let list = List::<F>::read(node, reader);
        let items = node.items();
        for (i, item) in items.iter().enumerate() {
            let Some(text) = item.as_text() else { continue };
            if let Some(first) = items.iter().take(i).position(|before| before == item) {
                let first = format!("{}/{first}", reader.path());
                let problem = Problem::StandsTwice { name: shown(text), first };
                reader.fail_at::<()>(&i.to_string(), problem);
            }
        }
        list
    }
    fn write(value: &Self::Out, style: Style) -> Node {
        List::<F>::write(value, style)
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = List::<F>::schema(generator);
        schema.insert("uniqueItems".to_owned(), true.into());
        schema
    }
    fn example() -> &'static str {
        List::<F>::example()
    }
}

/// A whole number from 1 to a million.
pub(super) struct Whole;

impl Whole {
    const MOST: f64 = 1e6;
}

impl Field for Whole {
    type Out = u32;

    fn read(node: &Node, reader: &mut Reader) -> Option<u32> {
        match node {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
            Node::Number(n) if n.fract() == 0.0 && (1.0..=Self::MOST).contains(n) => {
                Some(*n as u32)
            }
            Node::Number(n) => reader.fail(Problem::OutOfRange {
                key: "the value",
                got: n.to_string(),
                range: "a whole number from 1 to 1000000",
            }),
            _ => reader.wrong_type("a whole number", node),
        }
    }
    fn write(value: &u32, _: Style) -> Node {
        Node::Number(f64::from(*value))
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": 1_000_000 })
    }
    fn example() -> &'static str {
        "2"
    }
}

section! {
    plain
    /// From a least to a most time.
    TimeRange from TimeRangeDraft, time_range_rules {
        /// The least; 0 or more. Without it: not said.
        least: Duration, [optional];
        /// The most, at least `least`. Without it: not said.
        most: Duration, [optional];
    }
}

fn time_range_rules(range: &TimeRangeDraft, reader: &mut Reader) {
    rising(reader, range.least.flatten(), range.most.flatten());
}

/// The most is no less than the least.
pub(super) fn rising(reader: &mut Reader, least: Option<Span>, most: Option<Span>) {
    at_least(reader, "most", most, "least", least);
}

/// The default of a list.
pub(super) const fn none() -> Node {
    Node::List(Vec::new())
}

/// The default of a table.
pub(super) const fn empty() -> Node {
    Node::Table(Vec::new())
}
