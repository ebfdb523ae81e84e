//! Lists of tables with unique ids, and tables by the names of a closed set.

use super::list::keyed;
use super::{
    Advice, Alternative, Checklist, Contingency, Duty, Implication, Message, Phase, ProcedureStep,
    Remedy, Risk, Rule, SuccessCriterion, VcsWay, Vendor,
};
use crate::document::Node;
use crate::policy::field::List;
use crate::policy::reader::{Field, Narrowed, PolicyReader, Style};
use crate::policy::schema::{Definitions, Schema};

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
    Implication: "implication" by "id",
    Message: "message" by "id",
    Phase: "phase" by "name",
    ProcedureStep: "step" by "id",
    Remedy: "remedy" by "id",
    Risk: "risk" by "id",
    Rule: "rule" by "id",
    SuccessCriterion: "criterion" by "id",
    VcsWay: "way" by "id",
    Vendor: "vendor" by "name",
}

/// A list of such tables: no two have the same key.
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

/// Such tables by name.
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
