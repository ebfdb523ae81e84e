//! Lists of tables with unique ids.

use crate::document::Node;
use crate::policy::field::List;
use crate::policy::reader::{Field, PolicyReader, Style};
use crate::policy::schema::{Definitions, Schema};

/// A table in a list, identified by a key.
pub(super) trait Entry: Field {
    /// What it is called in error sentences.
    const WHAT: &'static str;
    /// The key that identifies it.
    const KEY: &'static str = "id";
}

/// A list of such tables: no two have the same key.
pub(super) struct Entries<E>(E);

impl<E: Entry> Field for Entries<E> {
    type Out = Vec<E::Out>;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Self::Out> {
        let entries = List::<E>::read(node, reader);
        reader.unique(E::WHAT, &texts(node, reader.path(), E::KEY));
        entries
    }
    fn write(value: &Self::Out, style: Style) -> Node {
        List::<E>::write(value, style)
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        List::<E>::schema(definitions)
    }
    fn example() -> &'static str {
        List::<E>::example()
    }
}

/// The texts at `key` in the tables of a list, with their places.
pub(super) fn texts<'n>(list: &'n Node, path: &str, key: &str) -> Vec<(String, &'n str)> {
    let text = |(i, item): (usize, &'n Node)| {
        Some((format!("{path}/{i}/{key}"), item.key(key)?.as_text()?))
    };
    list.items().iter().enumerate().filter_map(text).collect()
}
