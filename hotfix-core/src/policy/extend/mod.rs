//! Policies that extend others: `extends` is resolved before anything else is read.
//!
//! [`Policy::from_toml_with`] describes the rules. The number of bases bounds time and memory.

mod error;
mod merge;

use std::convert::Infallible;

use crate::policy::schema::{Definitions, Schema};
use serde_json::json;

pub use error::ExtendError;
use merge::{NAMES, has_custom_names, merged};

use super::error::{PolicyErrors, Problem, nearest};
use super::field::NAME_PATTERN;
use super::reader::{Field, PolicyReader, Style, section};
use super::section::range::TakenKeys;
use super::section::root::{check_form, from_node, inheritable};
use super::{Policy, preset};
use crate::document::{DocumentErrors, Node, Value};
use crate::unit::Name;

/// The most bases of a policy, including those of its bases, each counted as often as it is named.
const MOST_BASES: usize = 32;

/// Asks the caller for the text of a policy by name.
type Ask<'a> = dyn FnMut(&str) -> Option<String> + 'a;

/// The key `extends` in the schema. If it is still there when a document is read, it was not
/// resolved.
pub(crate) struct Extends;

impl Field for Extends {
    type Out = Infallible;

    fn read(_: &Node, reader: &mut PolicyReader) -> Option<Infallible> {
        reader.fail(ExtendError::Unresolved {})
    }
    fn write(value: &Infallible, _: Style) -> Node {
        match *value {}
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        let (name, base) = (Name::schema(definitions), Base::schema(definitions));
        json!({
            "type": ["string", "array"],
            "pattern": NAME_PATTERN,
            "items": { "anyOf": [name, base] },
            "minItems": 1,
            "maxItems": MOST_BASES,
        })
    }
}

section! {
    plain
    /// A base from which only some keys are inherited.
    pub(super) Base from BaseDraft {
        /// The name of the policy.
        policy: Name, [required];
        /// The top-level keys that are inherited. Without this key all of them.
        take: Vec<&'static str> as TakenKeys, [optional];
    }
}

pub(crate) struct TopLevelKey;

impl Field for TopLevelKey {
    type Out = &'static str;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<&'static str> {
        let known = inheritable();
        known.get(reader.name_of(node, known)?).copied()
    }
    fn write(key: &&'static str, _: Style) -> Node {
        Node::from(*key)
    }
    fn schema(_: &mut Definitions) -> Schema {
        json!({ "type": "string", "enum": inheritable() })
    }
}

fn bases(extends: &Node, reader: &mut PolicyReader) -> Option<Vec<Base>> {
    let whole = |policy| Base { policy, take: None };
    match &extends.value {
        Value::Text(_) => Some(vec![whole(Name::read(extends, reader)?)]),
        Value::List(items) if items.is_empty() => {
            reader.fail(Problem::Empty { what: "policy to extend" })
        }
        Value::List(items) if items.len() > MOST_BASES => {
            reader.fail(ExtendError::Many { most: MOST_BASES })
        }
        Value::List(items) => {
            let read = |reader: &mut PolicyReader, item: &Node| match &item.value {
                Value::Text(_) => Name::read(item, reader).map(whole),
                Value::Table(_) => Base::read(item, reader),
                _ => reader.wrong_type("a name, or a table with `policy` and `take`", item),
            };
            reader.all(items, read)
        }
        _ => reader.wrong_type("a name, or a list of names and tables", extends),
    }
}

/// Reads a document after its bases are merged into it.
pub(super) fn read(document: Node, ask: &mut Ask<'_>) -> Result<Policy, PolicyErrors> {
    let Some(extends) = document.key("extends").cloned() else { return from_node(&document) };
    check_form(&document, false)?;
    let own = document.clone();
    let (chain, texts, errors) = (Vec::new(), Vec::new(), PolicyErrors::new());
    let mut resolution = Resolution { ask, chain, bases: 0, texts, errors };
    let resolved = resolution.resolved(document, "");
    let Resolution { errors, texts, .. } = resolution;
    let names: Vec<String> = texts.into_iter().map(|(name, _)| name).collect();
    // A base that two others extend is merged twice, but its errors are reported once.
    let mut errors = errors.placed_in(&Node::table([("extends", extends)])).in_order_of_text();
    // A removal that cannot be applied does not hide the other errors.
    let Some(tree) = resolved else { return errors.or(None) };
    match from_node(&tree) {
        Ok(policy) => errors.or(Some(policy)),
        Err(more) => {
            let near = |path: &str| nearest_inherited(&tree, path);
            errors.append_elsewhere(more.inherited(&names, &own, near));
            Err(errors)
        }
    }
}

/// The inherited name that is nearest to that of a new item: one that should change an inherited item,
/// and whose name is misspelt, lacks the keys that it does not change.
fn nearest_inherited(tree: &Node, path: &str) -> Option<String> {
    let (outer, step) = path.rsplit_once('/')?;
    let (item, siblings) = (tree.at(path)?, tree.at(outer)?);
    let is_new = |item: &Node| item.members().iter().all(|of| of.node.place.document == 0);
    if !is_new(item) {
        return None;
    }
    let name = |item| NAMES.iter().find_map(|name| Node::key(item, name)?.as_text());
    let items = siblings.items().iter().filter(|item| !is_new(item)).filter_map(name);
    let tables =
        siblings.members().iter().filter(|of| has_custom_names(outer) && !is_new(&of.node));
    let own = if siblings.items().is_empty() { step } else { name(item)? };
    nearest(own, items.chain(tables.map(|of| of.key.as_str()))).map(str::to_owned)
}

struct Resolution<'a> {
    ask: &'a mut Ask<'a>,
    /// The bases down to the current one.
    chain: Vec<String>,
    /// How many bases were named.
    bases: usize,
    /// The names so far, each with the text that it has: the first is document 1.
    texts: Vec<(String, Option<String>)>,
    errors: PolicyErrors,
}

impl Resolution<'_> {
    /// Merges a document over its bases; `None` after an error. `place` is the place of the base in
    /// the `extends` of the policy.
    fn resolved(&mut self, mut document: Node, place: &str) -> Option<Node> {
        let Some(extends) = document.key("extends") else { return Some(document) };
        let mut reader = PolicyReader::new();
        let mut named = document.members().iter().filter(|member| member.key == "extends");
        let bases = if let Some(second) = named.nth(1) {
            reader.duplicate_key(second);
            None
        } else {
            reader.within("extends", |reader| bases(extends, reader))
        };
        let is_list = matches!(extends.value, Value::List(_));
        self.report(reader.into_errors().placed_in(&document));
        if let Value::Table(own) = &mut document.value {
            own.retain(|member| member.key != "extends");
        }
        let is_policy = self.chain.is_empty();
        let mut inherited = Some(Node::table::<&str>([]));
        for (i, base) in bases?.into_iter().enumerate() {
            let place = match (is_policy, is_list) {
                (true, true) => format!("/extends/{i}"),
                (true, false) => "/extends".to_owned(),
                (false, _) => place.to_owned(),
            };
            let tree = self.base(&base, &place);
            inherited = inherited.zip(tree).map(|(inherited, tree)| {
                let mut reader = PolicyReader::new();
                let merged = merged(inherited, tree, &mut reader);
                self.errors.append(reader.into_errors().in_base(base.policy.as_str()));
                merged
            });
        }
        let mut reader = PolicyReader::new();
        let document = merged(inherited?, document, &mut reader);
        self.report(reader.into_errors());
        Some(document)
    }

    /// The tree of a base, or the part of it that is inherited.
    fn base(&mut self, base: &Base, place: &str) -> Option<Node> {
        self.bases += 1;
        if self.bases > MOST_BASES {
            // Reported once: nothing more is read.
            if self.bases == MOST_BASES + 1 {
                self.fail::<()>(place, ExtendError::Many { most: MOST_BASES });
            }
            return None;
        }
        let name = base.policy.as_str();
        if let Some(start) = self.chain.iter().position(|before| before == name) {
            let mut chain = self.chain[start..].to_vec();
            chain.push(name.to_owned());
            return self.fail(place, ExtendError::Cycle { chain });
        }
        let tree = self.tree(name, place)?;
        self.chain.push(name.to_owned());
        let tree = self.resolved(tree, place);
        self.chain.pop();
        let tree = tree?;
        let Some(take) = &base.take else { return Some(tree) };
        let Value::Table(mut entries) = tree.value else { return None };
        let has = |key: &str| entries.iter().any(|member| member.key == key);
        let lacking: Vec<&'static str> = take.iter().copied().filter(|key| !has(key)).collect();
        if !lacking.is_empty() {
            let there: Vec<_> = inheritable().iter().copied().filter(|key| has(key)).collect();
            for key in lacking {
                let (base, has) = (name.to_owned(), there.clone());
                self.fail::<()>(place, ExtendError::NotThere { base, key, has });
            }
            return None;
        }
        entries.retain(|member| take.iter().any(|taken| *taken == member.key));
        Some(Node { value: Value::Table(entries), place: tree.place })
    }

    /// The unresolved tree of a name: the caller is asked first, then the presets.
    fn tree(&mut self, name: &str, place: &str) -> Option<Node> {
        let known = self.texts.iter().position(|(known, _)| known == name);
        let index = known.unwrap_or_else(|| {
            let text = (self.ask)(name).or_else(|| preset::text(name));
            self.texts.push((name.to_owned(), text));
            self.texts.len() - 1
        });
        let Some(text) = &self.texts[index].1 else {
            let (by, got, known) = (self.chain.last().cloned(), name.to_owned(), Policy::presets());
            let nearest = nearest(name, known.iter().copied());
            return self.fail(place, ExtendError::Unknown { got, by, nearest, known });
        };
        let read = tree(text, u32::try_from(index + 1).unwrap_or(u32::MAX));
        read.map_err(|errors| self.errors.append(errors.in_base(name))).ok()
    }

    fn report(&mut self, errors: PolicyErrors) {
        self.errors.append(match self.chain.last() {
            Some(base) => errors.in_base(base),
            None => errors,
        });
    }

    fn fail<T>(&mut self, place: &str, error: ExtendError) -> Option<T> {
        self.errors.push(place, error.into());
        None
    }
}

fn tree(text: &str, document: u32) -> Result<Node, PolicyErrors> {
    let tree = Node::from_text(text, document).map_err(DocumentErrors::of_family)?;
    check_form(&tree, true)?;
    Ok(tree)
}
