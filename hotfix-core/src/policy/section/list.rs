//! Lists without duplicates, tables with a closed set of keys, and time ranges.

use super::rule::at_least;
use crate::document::Node;
use crate::policy::error::{Problem, shown};
use crate::policy::field::{Duration, List};
use crate::policy::reader::{Field, PolicyReader, Style, section};
use crate::policy::schema::{Definitions, Schema};
use crate::unit::Span;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// The schema of a table with only these keys: each has the same item schema, with its own
/// description.
pub(super) fn keyed(item: &Schema, keys: impl Iterator<Item = (&'static str, String)>) -> Schema {
    let described = |(key, description): (&'static str, String)| {
        let mut schema = item.clone();
        schema["description"] = description.into();
        (key.to_owned(), schema)
    };
    let properties: serde_json::Map<String, serde_json::Value> = keys.map(described).collect();
    json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// A list of texts, each at most once.
pub(super) struct Once<F>(F);

impl<F: Field> Field for Once<F> {
    type Out = Vec<F::Out>;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Self::Out> {
        let list = List::<F>::read(node, reader);
        each_once(node, reader);
        list
    }
    fn write(value: &Self::Out, style: Style) -> Node {
        List::<F>::write(value, style)
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        let mut schema = List::<F>::schema(definitions);
        schema["uniqueItems"] = true.into();
        schema
    }
    fn example() -> &'static str {
        List::<F>::example()
    }
}

/// Reports the texts of a list that it already has.
fn each_once(list: &Node, reader: &mut PolicyReader) {
    let mut firsts = BTreeMap::new();
    for (i, item) in list.items().iter().enumerate() {
        let Some(text) = item.as_text() else { continue };
        let first = *firsts.entry(text).or_insert(i);
        if first < i {
            let first = format!("{}/{first}", reader.path());
            let problem = Problem::StandsTwice { name: shown(text), first };
            reader.fail_at::<()>(&i.to_string(), problem);
        }
    }
}

section! {
    plain
    /// A range of time.
    pub TimeRange: Copy + Default + Eq + Serialize from TimeRangeDraft, time_range_rules {
        /// The shortest time; 0 or more. Without this key it is unknown.
        least: Span as Duration, [optional];
        /// The longest time, at least `least`. Without this key it is unknown.
        most: Span as Duration, [optional];
    }
}

fn time_range_rules(range: &TimeRangeDraft, reader: &mut PolicyReader) {
    rising(reader, range.least.flatten(), range.most.flatten());
}

/// Checks that `most` is at least `least`.
pub(super) fn rising(reader: &mut PolicyReader, least: Option<Span>, most: Option<Span>) {
    at_least(reader, "most", most, "least", least);
}

/// The default of a list.
pub(super) fn none() -> Node {
    Vec::new().into()
}

/// The default of a table.
pub(super) fn empty() -> Node {
    Node::table::<&str>([])
}
