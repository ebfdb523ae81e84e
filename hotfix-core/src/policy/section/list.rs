//! Lists without duplicates, tables with a closed set of keys, and time ranges.

use crate::document::Node;
use crate::policy::error::{Problem, shown};
use crate::policy::field::{Duration, List, NAME_PATTERN};
use crate::policy::reader::{Field, Narrowed, PolicyReader, section};
use crate::policy::schema::{Definitions, Schema};
use crate::unit::Span;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// The schema of a table with only these keys: one schema, a description each.
pub(super) fn keyed(item: &Schema, keys: &[&str], about: impl Fn(&str) -> String) -> Schema {
    let mut properties = serde_json::Map::new();
    for key in keys {
        let mut schema = item.clone();
        schema["description"] = about(key).into();
        properties.insert((*key).to_owned(), schema);
    }
    json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// The schema of a table whose keys are names of the policy's own.
pub(super) fn by_own_name(item: &Schema) -> Schema {
    json!({
        "type": "object",
        "propertyNames": { "pattern": NAME_PATTERN },
        "additionalProperties": item,
    })
}

/// A list of texts, each at most once.
pub(super) struct Once<F>(F);

impl<F: Field> Narrowed for Once<F> {
    type Of = List<F>;

    fn look(node: &Node, reader: &mut PolicyReader) {
        each_once(node, reader);
    }

    fn schema_of(definitions: &mut Definitions) -> Schema {
        let mut schema = Self::Of::schema(definitions);
        schema["uniqueItems"] = true.into();
        schema
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
    pub TimeRange: Copy + Default + Eq + Serialize from TimeRangeDraft {
        /// The shortest time; 0 or more. Without this key it is unknown.
        least: Span as Duration, [optional];
        /// The longest time, at least `least`. Without this key it is unknown.
        most: Span as Duration, [optional] at least least;
    }
}

/// The default of a list.
pub(super) fn none() -> Node {
    Vec::new().into()
}

/// The default of a table.
pub(super) fn empty() -> Node {
    Node::table::<&str>([])
}
