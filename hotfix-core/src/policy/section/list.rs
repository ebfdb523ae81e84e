//! Lists without duplicates, lists of tables with unique ids, tables by the names of a closed set, and time
//! ranges.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::{
    Advice, Alternative, Checklist, Contingency, Duty, Holder, Implication, Message, Phase,
    ProcedureStep, Remedy, Risk, RollbackWay, Rule, SuccessCriterion, VcsWay, Vendor,
};
use crate::document::Node;
use crate::policy::error::{Problem, shown};
use crate::policy::field::{Duration, List, NAME_PATTERN};
use crate::policy::reader::{Field, Narrowed, PolicyReader, Style, section};
use crate::policy::schema::{Definitions, Schema};
use crate::unit::Span;

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

/// Reports texts that a list has more than once.
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

/// A table in a list, identified by a key.
pub(super) trait Entry: Field {
    /// What it is called in error sentences.
    const WHAT: &'static str;
    /// The key that identifies it.
    const KEY: &'static str;
}

macro_rules! entries {
    ($($entry:ident: $what:literal by $key:literal,)+) => {$(
        impl Entry for $entry {
            const WHAT: &'static str = $what;
            const KEY: &'static str = $key;
        }
    )+};
}

entries! {
    Advice: "advice" by "id",
    Alternative: "alternative" by "strategy",
    Checklist: "checklist" by "id",
    Contingency: "contingency" by "id",
    Duty: "duty" by "id",
    Holder: "holder" by "name",
    Implication: "implication" by "id",
    Message: "message" by "id",
    Phase: "phase" by "name",
    ProcedureStep: "step" by "id",
    Remedy: "remedy" by "id",
    Risk: "risk" by "id",
    RollbackWay: "method" by "kind",
    Rule: "rule" by "id",
    SuccessCriterion: "criterion" by "id",
    VcsWay: "way" by "id",
    Vendor: "vendor" by "name",
}

/// A list of [`Entry`] tables, no two with the same key.
pub(super) struct Entries<E>(E);

impl<E: Entry> Narrowed for Entries<E> {
    type Of = List<E>;

    fn look(node: &Node, reader: &mut PolicyReader) {
        reader.unique(E::WHAT, &texts(node, reader.path(), E::KEY));
    }
}

/// The texts at `key` in the tables of a list, with their places.
pub(super) fn texts<'n>(list: &'n Node, path: &str, key: &str) -> Vec<(String, &'n str)> {
    let text = |(i, item): (usize, &'n Node)| {
        Some((format!("{path}/{i}/{key}"), item.key(key)?.as_text()?))
    };
    list.items().iter().enumerate().filter_map(text).collect()
}

/// A table with the settings of one value of a closed set, whose name is its key.
pub(super) trait NamedTable: Field<Out = Self> {
    /// The names, in the order in which the tables are kept.
    const NAMES: &'static [&'static str];

    /// What the schema says before and after a name.
    const ABOUT: [&'static str; 2];

    fn name(&self) -> &'static str;

    /// Notes the names for other sections, before the tables are read.
    fn note(_names: &[&'static str], _reader: &mut PolicyReader) {}
}

/// [`NamedTable`]s by name.
pub(super) struct ByName<T>(T);

impl<T: NamedTable + Clone> Field for ByName<T> {
    type Out = Vec<T>;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Vec<T>> {
        let entries = reader.table(node)?;
        let slots = T::NAMES.iter().zip(reader.slots(T::NAMES, entries));
        let (names, nodes): (Vec<&'static str>, Vec<&Node>) =
            slots.filter_map(|(name, slot)| Some((*name, slot?))).unzip();
        T::note(&names, reader);
        let mut tables = Vec::new();
        for (name, node) in names.iter().zip(&nodes) {
            tables.extend(reader.within(name, |reader| T::read(node, reader)));
        }
        (tables.len() == names.len()).then_some(tables)
    }

    fn write(value: &Vec<T>, style: Style) -> Node {
        Node::table(value.iter().map(|table| (table.name(), T::write(table, style))))
    }

    fn schema(definitions: &mut Definitions) -> Schema {
        let [before, after] = T::ABOUT;
        keyed(&T::schema(definitions), T::NAMES, |name| format!("{before}`{name}`{after}"))
    }
}
