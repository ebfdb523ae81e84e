//! Policies that extend others: `extends` is resolved away before anything is read.
//!
//! The rules are told at [`Policy::from_toml_with`]. All work is on trees, in time and memory that the limits below bound.

mod error;
mod merge;

use std::collections::BTreeMap;
use std::convert::Infallible;

use schemars::{Schema, SchemaGenerator, json_schema};

pub use error::ExtendError;
use merge::merged;

use super::error::{PolicyErrors, Problem, nearest, shown};
use super::field::{List, NAME_PATTERN};
use super::format::{check_form, from_node, inheritable};
use super::node::Node;
use super::reader::{Field, Reader, Style, section};
use super::{Policy, preset};
use crate::unit::Name;

/// How long a chain of bases may be.
const MOST_DEEP: usize = 8;
/// How many bases a policy may have, those of its bases included, each as often as it is named.
const MOST_BASES: usize = 32;
/// How many bytes the bases may have together, each counted once.
const MOST_BYTES: usize = 4 << 20;

/// Asks the caller for the text of a policy by name.
type Ask<'a> = dyn FnMut(&str) -> Option<String> + 'a;

/// `extends` as the schema has it. Where it is still there when a document is read, nobody resolved it.
pub(crate) struct Extends;

impl Field for Extends {
    type Out = Infallible;

    fn read(_: &Node, reader: &mut Reader) -> Option<Infallible> {
        reader.fail(ExtendError::Unresolved {})
    }
    fn write(value: &Infallible, _: Style) -> Node {
        match *value {}
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let (name, base) = (Name::schema(generator), Base::schema(generator));
        json_schema!({
            "type": ["string", "array"],
            "pattern": NAME_PATTERN,
            "items": { "anyOf": [name, base] },
            "minItems": 1,
            "maxItems": MOST_BASES,
        })
    }
    fn example() -> &'static str {
        "\"standard\""
    }
}

/// One policy that another one extends.
#[derive(Clone, Debug)]
struct Base {
    policy: Name,
    take: Option<Vec<&'static str>>,
}

section! {
    plain
    /// A base of which only some keys are taken.
    Base from BaseDraft, base_rules {
        /// The name of the policy.
        policy: Name, [required];
        /// The top-level keys that are taken; without it all of them.
        take: List<TopLevelKey>, [optional];
    }
}

fn base_rules(base: &BaseDraft, reader: &mut Reader) {
    if matches!(&base.take, Some(Some(keys)) if keys.is_empty()) {
        reader.fail_at::<()>("take", Problem::Empty { what: "key to take" });
    }
}

/// A top-level key of the format.
pub(crate) struct TopLevelKey;

impl Field for TopLevelKey {
    type Out = &'static str;

    fn read(node: &Node, reader: &mut Reader) -> Option<&'static str> {
        let known = inheritable();
        match node {
            Node::Text(text) => known.iter().find(|key| *key == text).copied().or_else(|| {
                let nearest = nearest(text, known.iter().copied());
                reader.fail(Problem::UnknownValue { got: shown(text), nearest, known })
            }),
            _ => reader.wrong_type("a top-level key", node),
        }
    }
    fn write(key: &&'static str, _: Style) -> Node {
        Node::from(*key)
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": inheritable() })
    }
    fn example() -> &'static str {
        "\"metrics\""
    }
}

/// Reads the value of `extends`.
fn bases(extends: &Node, reader: &mut Reader) -> Option<Vec<Base>> {
    let whole = |policy| Base { policy, take: None };
    match extends {
        Node::Text(_) => Some(vec![whole(Name::read(extends, reader)?)]),
        Node::List(items) if items.is_empty() => {
            reader.fail(Problem::Empty { what: "policy to extend" })
        }
        Node::List(items) if items.len() > MOST_BASES => {
            reader.fail(ExtendError::Many { most: MOST_BASES })
        }
        Node::List(items) => {
            let read = |(i, item): (usize, &Node)| {
                reader.within(&i.to_string(), |reader| match item {
                    Node::Text(_) => Name::read(item, reader).map(whole),
                    Node::Table(_) => Base::read(item, reader),
                    _ => reader.wrong_type("a name, or a table with `policy` and `take`", item),
                })
            };
            // All of them first, so that every error is told.
            let read: Vec<Option<Base>> = items.iter().enumerate().map(read).collect();
            read.into_iter().collect()
        }
        _ => reader.wrong_type("a name, or a list of names and tables", extends),
    }
}

/// Reads a document, after that which it extends was laid under it.
pub(super) fn read(document: Node, ask: &mut Ask<'_>) -> Result<Policy, PolicyErrors> {
    if document.key("extends").is_none() {
        return from_node(&document);
    }
    check_form(&document)?;
    let mut resolution = Resolution {
        ask,
        answers: BTreeMap::new(),
        chain: Vec::new(),
        bases: 0,
        bytes: 0,
        stopped: false,
        origins: BTreeMap::new(),
        errors: PolicyErrors::new(),
    };
    let resolved = resolution.resolved(document, "");
    let Resolution { errors, origins, .. } = resolution;
    match resolved {
        Some(document) if errors.is_clean() => from_node(&document)
            .map_err(|errors| errors.inherited(|key| origins.get(key).map(String::as_str))),
        _ => Err(errors),
    }
}

/// A base on the way to the present one. A preset's name may stand for a policy of the caller, too.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    name: String,
    preset: bool,
}

/// What came of asking for a name.
#[derive(Clone)]
enum Answer {
    Unknown,
    /// There is such a policy, and what is wrong with it has been reported.
    Faulty,
    Tree(Node),
}

struct Resolution<'a> {
    ask: &'a mut Ask<'a>,
    answers: BTreeMap<Link, Answer>,
    chain: Vec<Link>,
    bases: usize,
    bytes: usize,
    /// A limit was crossed: nothing more is looked at.
    stopped: bool,
    /// From which base a top-level key came that the policy does not have itself.
    origins: BTreeMap<String, String>,
    errors: PolicyErrors,
}

impl Resolution<'_> {
    /// A document over its bases, `None` after an error; `place` is that of the base in the policy's own `extends`.
    fn resolved(&mut self, document: Node, place: &str) -> Option<Node> {
        let Node::Table(entries) = document else { return Some(document) };
        let (extends, own): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(key, _)| key == "extends");
        let mut reader = Reader::new();
        let Some((_, first)) = extends.first() else { return Some(Node::Table(own)) };
        let bases = reader.within("extends", |reader| {
            if extends.len() > 1 {
                return reader.fail(Problem::DuplicateKey { key: "extends".to_owned() });
            }
            bases(first, reader)
        });
        self.report(reader, place);
        let is_list = matches!(first, Node::List(_));
        let is_policy = self.chain.is_empty();
        let mut inherited = Some(Node::Table(Vec::new()));
        for (i, base) in bases?.into_iter().enumerate() {
            let place = match (is_policy, is_list) {
                (true, true) => format!("/extends/{i}"),
                (true, false) => "/extends".to_owned(),
                (false, _) => place.to_owned(),
            };
            let tree = self.base(&base, &place);
            if is_policy && let Some(Node::Table(entries)) = &tree {
                let named = |key: &String| (key.clone(), base.policy.to_string());
                self.origins.extend(entries.iter().map(|(key, _)| named(key)));
            }
            inherited = inherited.zip(tree).map(|(inherited, tree)| {
                let mut reader = Reader::new();
                let merged = merged(inherited, tree, &mut reader);
                self.report_in(reader, &base.policy, &place);
                merged
            });
        }
        if is_policy {
            self.origins.retain(|key, _| own.iter().all(|(own, _)| own != key));
        }
        let mut reader = Reader::new();
        let document = merged(inherited?, Node::Table(own), &mut reader);
        self.report(reader, place);
        Some(document)
    }

    /// The tree of a base, or the part of it that is taken.
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
            return self.fail(place, ExtendError::Circle { chain: names.split_off(start) });
        }
        if names.len() > MOST_DEEP {
            return self.fail(place, ExtendError::Deep { chain: names, most: MOST_DEEP });
        }
        self.chain.push(link);
        let tree = self.resolved(tree, place);
        self.chain.pop();
        let tree = tree?;
        let Some(take) = &base.take else { return Some(tree) };
        let Node::Table(mut entries) = tree else { return None };
        let has = |key: &str| entries.iter().any(|(has, _)| has == key);
        let lacking: Vec<&'static str> = take.iter().copied().filter(|key| !has(key)).collect();
        if !lacking.is_empty() {
            let there: Vec<_> = inheritable().iter().copied().filter(|key| has(key)).collect();
            for key in lacking {
                let (base, has) = (name.to_owned(), there.clone());
                self.fail::<()>(place, ExtendError::NotThere { base, key, has });
            }
            return None;
        }
        entries.retain(|(key, _)| take.iter().any(|taken| taken == key));
        Some(Node::Table(entries))
    }

    /// The tree of a name, not resolved: asked of the caller first, then a preset. Within a preset names are presets.
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

    /// Asks for a text and reads it; `None` where a limit was crossed.
    fn answer(&mut self, link: &Link, place: &str) -> Option<Answer> {
        if self.stopped {
            return None;
        }
        let name = link.name.as_str();
        let text =
            if link.preset { preset::text(name).map(str::to_owned) } else { (self.ask)(name) };
        let Some(text) = text else { return Some(Answer::Unknown) };
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes > MOST_BYTES {
            return self.stop(place, ExtendError::Large { most: MOST_BYTES });
        }
        Some(tree(&text).map_or_else(
            |errors| {
                self.push_in(&errors, name, place);
                Answer::Faulty
            },
            Answer::Tree,
        ))
    }

    /// Reports what is wrong with the document whose turn it is.
    fn report(&mut self, reader: Reader, place: &str) {
        match self.chain.last().map(|link| link.name.clone()) {
            Some(base) => self.push_in(&reader.into_errors(), &base, place),
            None => self.errors.append(reader.into_errors()),
        }
    }

    fn report_in(&mut self, reader: Reader, base: &Name, place: &str) {
        self.push_in(&reader.into_errors(), base.as_str(), place);
    }

    fn push_in(&mut self, errors: &PolicyErrors, base: &str, place: &str) {
        for error in errors {
            let (base, fault) = (base.to_owned(), error.to_string());
            self.errors.push(place, ExtendError::InBase { base, fault }.into());
        }
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

/// Reads the text of a base: JSON where it starts with `{`, as no TOML can and each JSON object must.
fn tree(text: &str) -> Result<Node, PolicyErrors> {
    let is_json = text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{');
    let tree = if is_json { Node::from_json(text) } else { Node::from_toml(text) }?;
    check_form(&tree)?;
    match tree.key("format") {
        Some(Node::Number(_)) | None => Ok(tree),
        Some(other) => {
            let expected = "the number of a format";
            let problem = Problem::WrongType { expected, got: other.kind() };
            Err(PolicyErrors::of("/format", problem))
        }
    }
}
