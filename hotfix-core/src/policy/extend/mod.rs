//! Policies that extend others: `extends` is resolved before anything else is read.
//!
//! [`Policy::from_toml_with`] describes the rules. The limits below bound time and memory.

mod error;
mod merge;

use std::collections::BTreeMap;
use std::convert::Infallible;

use crate::policy::schema::{Definitions, Schema};
use serde_json::json;

pub use error::ExtendError;
use merge::merged;

use super::error::{PolicyErrors, Problem, nearest};
use super::field::NAME_PATTERN;
use super::reader::{Field, PolicyReader, Style, section};
use super::section::range::TakenKeys;
use super::section::root::{check_form, from_node, inheritable};
use super::{Policy, preset};
use crate::document::{DocumentErrors, Node, Value};
use crate::unit::Name;

/// The longest chain of bases.
const MOST_DEEP: usize = 8;
/// The most bases of a policy, including those of its bases, each counted as often as it is named.
const MOST_BASES: usize = 32;
/// The most bytes of all bases together, each counted once.
const MOST_BYTES: usize = 4 << 20;

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
    let mut resolution = Resolution {
        ask,
        answers: BTreeMap::new(),
        chain: Vec::new(),
        bases: 0,
        bytes: 0,
        stopped: false,
        texts: Vec::new(),
        errors: PolicyErrors::new(),
    };
    let resolved = resolution.resolved(document, "");
    let Resolution { errors, texts, .. } = resolution;
    // A base that two others extend is merged twice, but its errors are reported once.
    let mut errors = errors.placed_in(&Node::table([("extends", extends)])).in_order_of_text();
    // A removal that cannot be applied does not hide the other errors.
    match resolved.map(|tree| from_node(&tree)).transpose() {
        Ok(policy) => errors.or(policy),
        Err(more) => {
            errors.append_elsewhere(more.inherited(&texts));
            Err(errors)
        }
    }
}

/// A base in the chain to the current one. The name of a preset may also be a policy of the caller.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    name: String,
    preset: bool,
}

#[derive(Clone)]
enum Answer {
    Unknown,
    /// The policy exists, and its errors have been reported.
    Faulty,
    Tree(Node),
}

struct Resolution<'a> {
    ask: &'a mut Ask<'a>,
    answers: BTreeMap<Link, Answer>,
    chain: Vec<Link>,
    bases: usize,
    bytes: usize,
    /// A limit was exceeded: nothing more is read.
    stopped: bool,
    /// The names of the bases that were read, by the number of their document less 1.
    texts: Vec<String>,
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
            return self.stop(place, ExtendError::Many { most: MOST_BASES });
        }
        let name = base.policy.as_str();
        let (tree, link) = self.found(name, place)?;
        let mut names: Vec<String> = self.chain.iter().map(|link| link.name.clone()).collect();
        names.push(name.to_owned());
        if let Some(start) = self.chain.iter().position(|before| *before == link) {
            return self.fail(place, ExtendError::Cycle { chain: names.split_off(start) });
        }
        if names.len() > MOST_DEEP {
            return self.fail(place, ExtendError::Deep { chain: names, most: MOST_DEEP });
        }
        self.chain.push(link);
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

    /// The unresolved tree of a name: the caller is asked first, then the presets. Within a preset,
    /// names are presets.
    fn found(&mut self, name: &str, place: &str) -> Option<(Node, Link)> {
        let within_preset = self.chain.last().is_some_and(|link| link.preset);
        for preset in [false, true].into_iter().skip(usize::from(within_preset)) {
            let link = Link { name: name.to_owned(), preset };
            let answer = if let Some(answer) = self.answers.get(&link) {
                answer.clone()
            } else {
                let answer = self.answer(&link, place)?;
                self.answers.insert(link.clone(), answer.clone());
                answer
            };
            match answer {
                Answer::Unknown => {}
                Answer::Faulty => return None,
                Answer::Tree(tree) => return Some((tree, link)),
            }
        }
        let by = self.chain.last().map(|link| link.name.clone());
        let (known, got) = (Policy::presets(), name.to_owned());
        let nearest = nearest(name, known.iter().copied());
        self.fail(place, ExtendError::Unknown { got, by, nearest, known })
    }

    /// Looks up a text and reads it; `None` if a limit was exceeded.
    fn answer(&mut self, link: &Link, place: &str) -> Option<Answer> {
        if self.stopped {
            return None;
        }
        let name = link.name.as_str();
        let text = if link.preset { preset::text(name) } else { (self.ask)(name) };
        let Some(text) = text else { return Some(Answer::Unknown) };
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes > MOST_BYTES {
            return self.stop(place, ExtendError::Large { most: MOST_BYTES });
        }
        self.texts.push(name.to_owned());
        let document = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        Some(tree(&text, document).map_or_else(
            |errors| {
                self.errors.append(errors.in_base(name));
                Answer::Faulty
            },
            Answer::Tree,
        ))
    }

    fn report(&mut self, errors: PolicyErrors) {
        self.errors.append(match self.chain.last() {
            Some(base) => errors.in_base(&base.name),
            None => errors,
        });
    }

    fn fail<T>(&mut self, place: &str, error: ExtendError) -> Option<T> {
        self.errors.push(place, error.into());
        None
    }

    /// Reports a limit, once.
    fn stop<T>(&mut self, place: &str, error: ExtendError) -> Option<T> {
        if !std::mem::replace(&mut self.stopped, true) {
            self.fail::<()>(place, error);
        }
        None
    }
}

fn tree(text: &str, document: u32) -> Result<Node, PolicyErrors> {
    let tree = Node::from_text(text, document).map_err(DocumentErrors::of_family)?;
    check_form(&tree, true)?;
    Ok(tree)
}
