//! Policies that extend others: `extends` is resolved before anything else is read.
//!
//! [`Policy::from_toml_with`] describes the rules. The limits below bound time and memory.

mod error;
mod merge;

use std::collections::BTreeMap;
use std::convert::Infallible;

use schemars::{Schema, SchemaGenerator, json_schema};

pub use error::ExtendError;
use merge::merged;

use super::error::{PolicyErrors, Problem, nearest, shown};
use super::field::{List, NAME_PATTERN};
use super::node::PolicyNode;
use super::reader::{Field, PolicyReader, Style, section};
use super::section::root::{check_form, from_node, inheritable};
use super::{Policy, preset};
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

    fn read(_: &PolicyNode, reader: &mut PolicyReader) -> Option<Infallible> {
        reader.fail(ExtendError::Unresolved {})
    }
    fn write(value: &Infallible, _: Style) -> PolicyNode {
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

section! {
    plain
    /// A base from which only some keys are inherited.
    pub(super) Base from BaseDraft, base_rules {
        /// The name of the policy.
        policy: Name, [required];
        /// The top-level keys that are inherited. Without this key all of them.
        take: Vec<&'static str> as List<TopLevelKey>, [optional];
    }
}

fn base_rules(base: &BaseDraft, reader: &mut PolicyReader) {
    if matches!(&base.take, Some(Some(keys)) if keys.is_empty()) {
        reader.fail_at::<()>("take", Problem::Empty { what: "key to take" });
    }
}

/// A top-level key of the format.
pub(crate) struct TopLevelKey;

impl Field for TopLevelKey {
    type Out = &'static str;

    fn read(node: &PolicyNode, reader: &mut PolicyReader) -> Option<&'static str> {
        let known = inheritable();
        match node {
            PolicyNode::Text(text) => {
                known.iter().find(|key| *key == text).copied().or_else(|| {
                    let nearest = nearest(text, known.iter().copied());
                    reader.fail(Problem::UnknownValue { got: shown(text), nearest, known })
                })
            }
            _ => reader.wrong_type("a top-level key", node),
        }
    }
    fn write(key: &&'static str, _: Style) -> PolicyNode {
        PolicyNode::from(*key)
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": inheritable() })
    }
    fn example() -> &'static str {
        "\"metrics\""
    }
}

/// Reads the value of `extends`.
fn bases(extends: &PolicyNode, reader: &mut PolicyReader) -> Option<Vec<Base>> {
    let whole = |policy| Base { policy, take: None };
    match extends {
        PolicyNode::Text(_) => Some(vec![whole(Name::read(extends, reader)?)]),
        PolicyNode::List(items) if items.is_empty() => {
            reader.fail(Problem::Empty { what: "policy to extend" })
        }
        PolicyNode::List(items) if items.len() > MOST_BASES => {
            reader.fail(ExtendError::Many { most: MOST_BASES })
        }
        PolicyNode::List(items) => {
            let read = |(i, item): (usize, &PolicyNode)| {
                reader.within(&i.to_string(), |reader| match item {
                    PolicyNode::Text(_) => Name::read(item, reader).map(whole),
                    PolicyNode::Table(_) => Base::read(item, reader),
                    _ => reader.wrong_type("a name, or a table with `policy` and `take`", item),
                })
            };
            // All of them first, so that every error is reported.
            let read: Vec<Option<Base>> = items.iter().enumerate().map(read).collect();
            read.into_iter().collect()
        }
        _ => reader.wrong_type("a name, or a list of names and tables", extends),
    }
}

/// Reads a document after its bases are merged into it.
pub(super) fn read(document: PolicyNode, ask: &mut Ask<'_>) -> Result<Policy, PolicyErrors> {
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

/// A base in the chain to the current one. The name of a preset may also be a policy of the caller.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    name: String,
    preset: bool,
}

/// The result of looking up a name.
#[derive(Clone)]
enum Answer {
    Unknown,
    /// The policy exists, and its errors have been reported.
    Faulty,
    Tree(PolicyNode),
}

struct Resolution<'a> {
    ask: &'a mut Ask<'a>,
    answers: BTreeMap<Link, Answer>,
    chain: Vec<Link>,
    bases: usize,
    bytes: usize,
    /// A limit was exceeded: nothing more is read.
    stopped: bool,
    /// The base of each top-level key that the policy does not have itself.
    origins: BTreeMap<String, String>,
    errors: PolicyErrors,
}

impl Resolution<'_> {
    /// Merges a document over its bases; `None` after an error. `place` is the place of the base in
    /// the `extends` of the policy.
    fn resolved(&mut self, document: PolicyNode, place: &str) -> Option<PolicyNode> {
        let PolicyNode::Table(entries) = document else { return Some(document) };
        let (extends, own): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(key, _)| key == "extends");
        let mut reader = PolicyReader::new();
        let Some((_, first)) = extends.first() else { return Some(PolicyNode::Table(own)) };
        let bases = reader.within("extends", |reader| {
            if extends.len() > 1 {
                return reader.fail(Problem::DuplicateKey { key: "extends".to_owned() });
            }
            bases(first, reader)
        });
        self.report(reader, place);
        let is_list = matches!(first, PolicyNode::List(_));
        let is_policy = self.chain.is_empty();
        let mut inherited = Some(PolicyNode::Table(Vec::new()));
        for (i, base) in bases?.into_iter().enumerate() {
            let place = match (is_policy, is_list) {
                (true, true) => format!("/extends/{i}"),
                (true, false) => "/extends".to_owned(),
                (false, _) => place.to_owned(),
            };
            let tree = self.base(&base, &place);
            if is_policy && let Some(PolicyNode::Table(entries)) = &tree {
                let named = |key: &String| (key.clone(), base.policy.to_string());
                self.origins.extend(entries.iter().map(|(key, _)| named(key)));
            }
            inherited = inherited.zip(tree).map(|(inherited, tree)| {
                let mut reader = PolicyReader::new();
                let merged = merged(inherited, tree, &mut reader);
                self.report_in(reader, &base.policy, &place);
                merged
            });
        }
        if is_policy {
            self.origins.retain(|key, _| own.iter().all(|(own, _)| own != key));
        }
        let mut reader = PolicyReader::new();
        let document = merged(inherited?, PolicyNode::Table(own), &mut reader);
        self.report(reader, place);
        Some(document)
    }

    /// The tree of a base, or the part of it that is inherited.
    fn base(&mut self, base: &Base, place: &str) -> Option<PolicyNode> {
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
        let PolicyNode::Table(mut entries) = tree else { return None };
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
        Some(PolicyNode::Table(entries))
    }

    /// The unresolved tree of a name: the caller is asked first, then the presets. Within a preset,
    /// names are presets.
    fn found(&mut self, name: &str, place: &str) -> Option<(PolicyNode, Link)> {
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

    /// Reports the errors of the current document.
    fn report(&mut self, reader: PolicyReader, place: &str) {
        match self.chain.last().map(|link| link.name.clone()) {
            Some(base) => self.push_in(&reader.into_errors(), &base, place),
            None => self.errors.append(reader.into_errors()),
        }
    }

    fn report_in(&mut self, reader: PolicyReader, base: &Name, place: &str) {
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

/// Reads the text of a base: JSON if it starts with `{`, which TOML cannot do and a JSON object has
/// to.
fn tree(text: &str) -> Result<PolicyNode, PolicyErrors> {
    let is_json = text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{');
    let tree = if is_json { PolicyNode::from_json(text) } else { PolicyNode::from_toml(text) }?;
    check_form(&tree)?;
    match tree.key("format") {
        Some(PolicyNode::Number(_)) | None => Ok(tree),
        Some(other) => {
            let expected = "the number of a format";
            let problem = Problem::WrongType { expected, got: other.kind() };
            Err(PolicyErrors::of("/format", problem))
        }
    }
}
