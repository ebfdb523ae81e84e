//! Reads a tree into checked values, keeps the place, and collects every error.
//!
//! [`section!`] declares a table of the format once: its keys with type, default and description. Reading, writing,
//! the list of known keys and the JSON Schema all come from that one list.

use std::collections::BTreeMap;

use schemars::{Schema, SchemaGenerator};

use super::error::{PolicyErrors, Problem, nearest, shown};
use super::node::Node;
use crate::fact::Vocabulary;
use crate::grade::{MetricKind, Role, Severity};
use crate::policy::section::Model;
use crate::text::pointer_step;

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Fractions, seconds, per minute: JSON and the log.
    Wire,
    /// With units, where that says exactly the same: TOML.
    Human,
}

/// A type of value in the format.
pub(crate) trait Field {
    /// What it is once it is checked.
    type Out: Clone;
    /// Reads it; `None` means that an error has been reported.
    fn read(node: &Node, reader: &mut Reader) -> Option<Self::Out>;
    /// Writes it so that reading gives the same value.
    fn write(value: &Self::Out, style: Style) -> Node;
    /// Its JSON Schema.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
    /// What to write where it is missing: `"10min"`.
    fn example() -> &'static str;
}

/// One key of a table.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static [&'static str],
    pub(crate) required: bool,
    pub(crate) default: Option<fn() -> Node>,
    pub(crate) schema: fn(&mut SchemaGenerator) -> Schema,
}

/// A table whose keys have been read, each as far as it could be.
pub(crate) trait Draft: Sized {
    const NAMES: &'static [&'static str];
    fn keys() -> Vec<Key>;
    fn read(entries: &[(String, Node)], reader: &mut Reader) -> Self;
    fn write(&self, style: Style) -> Node;
}

/// What other sections need to know of a metric, known even where the metric has errors.
pub(crate) struct Noted {
    pub(crate) kind: Option<MetricKind>,
    pub(crate) role: Option<Role>,
    pub(crate) model: Option<Model>,
}

/// The place and the errors so far.
pub(crate) struct Reader {
    errors: PolicyErrors,
    path: String,
    /// The metrics that were met.
    pub(super) metrics: BTreeMap<String, Noted>,
    /// The facts that conditions may speak of.
    pub(super) vocabulary: Vocabulary,
    /// The fact whose answers are being read.
    pub(super) asked_of: Option<String>,
    /// The severities that the policy has, even where they have errors; absent where the table could not be read.
    pub(super) severities: Option<Vec<Severity>>,
}

impl Reader {
    pub(super) const fn new() -> Self {
        Self {
            errors: PolicyErrors::new(),
            path: String::new(),
            metrics: BTreeMap::new(),
            vocabulary: Vocabulary { house: BTreeMap::new() },
            asked_of: None,
            severities: None,
        }
    }

    pub(super) fn into_errors(self) -> PolicyErrors {
        self.errors
    }

    /// The present place.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Reports at the present place. Returns `None`, so that a reading can end with it.
    pub(super) fn fail<T>(&mut self, problem: impl Into<Problem>) -> Option<T> {
        self.errors.push(&self.path, problem.into());
        None
    }

    /// Reports at a key of the present table.
    pub(super) fn fail_at<T>(&mut self, key: &str, problem: impl Into<Problem>) -> Option<T> {
        self.within(key, |reader| reader.fail(problem))
    }

    /// Reports at a place of the whole document.
    pub(super) fn fail_at_path<T>(&mut self, path: &str, problem: impl Into<Problem>) -> Option<T> {
        self.errors.push(path, problem.into());
        None
    }

    /// Reads below a key or an index of the present place.
    pub(super) fn within<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(&pointer_step(key));
        let out = read(self);
        self.path.truncate(length);
        out
    }

    /// Reports that another type belongs here.
    pub(super) fn wrong_type<T>(&mut self, expected: &'static str, node: &Node) -> Option<T> {
        self.fail(Problem::WrongType { expected, got: node.kind() })
    }

    /// The entries of a table.
    pub(super) fn table<'n>(&mut self, node: &'n Node) -> Option<&'n [(String, Node)]> {
        match node {
            Node::Table(entries) => Some(entries),
            _ => self.wrong_type("a table", node),
        }
    }

    /// Sorts the entries of a table by its known keys; reports unknown ones and those that stand twice.
    pub(super) fn slots<'n>(
        &mut self,
        known: &'static [&'static str],
        entries: &'n [(String, Node)],
    ) -> Vec<Option<&'n Node>> {
        let mut slots = vec![None; known.len()];
        for (key, node) in entries {
            let Some(index) = known.iter().position(|name| name == key) else {
                let full = self.errors.is_full();
                let near = if full { None } else { nearest(key, known.iter().copied()) };
                let problem = Problem::UnknownKey { key: shown(key), nearest: near, known };
                self.fail_at::<()>(key, problem);
                continue;
            };
            if slots[index].replace(node).is_some() {
                self.fail_at::<()>(key, Problem::DuplicateKey { key: shown(key) });
            }
        }
        slots
    }

    pub(super) fn required<F: Field>(
        &mut self,
        key: &'static str,
        node: Option<&Node>,
    ) -> Option<F::Out> {
        if let Some(node) = node {
            return self.within(key, |reader| F::read(node, reader));
        }
        let example = format!("`{key} = {}`", F::example());
        self.fail(Problem::MissingKey { key, example })
    }

    /// `None` after an error, `Some(None)` where the key is absent.
    #[expect(clippy::option_option, reason = "read, absent and refused are three things")]
    pub(super) fn optional<F: Field>(
        &mut self,
        key: &'static str,
        node: Option<&Node>,
    ) -> Option<Option<F::Out>> {
        match node {
            Some(node) => self.within(key, |reader| F::read(node, reader)).map(Some),
            None => Some(None),
        }
    }

    pub(super) fn or_default<F: Field>(
        &mut self,
        key: &'static str,
        node: Option<&Node>,
        default: fn() -> Node,
    ) -> Option<F::Out> {
        match node {
            Some(node) => self.within(key, |reader| F::read(node, reader)),
            None => self.within(key, |reader| F::read(&default(), reader)),
        }
    }

    /// Reports where the texts found by `names` are not unique; each comes with its place.
    pub(super) fn unique(&mut self, what: &'static str, names: &[(String, &str)]) {
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        for (path, name) in names {
            if let Some(first) = first.get(name) {
                let name = shown(name);
                let problem = Problem::DuplicateName { what, name, first: (*first).to_owned() };
                self.errors.push(path, problem);
            } else {
                first.insert(name, path);
            }
        }
    }
}

/// Declares the keys of a table, each with its type, whether it is `required`, `optional` or has a `default`, and its
/// description. `plain` tables are built from their keys one to one; `rules` sees them before, each as far as read.
macro_rules! section {
    (
        plain $(#[doc = $about:literal])+ $out:ident from $draft:ident, $rules:path {
            $($(#[doc = $doc:literal])+ $key:ident: $field:ty, [$($presence:tt)+];)+
        }
    ) => {
        section! {
            draft $(#[doc = $about])+ $out as $draft { $($(#[doc = $doc])+ $key: $field, [$($presence)+];)+ }
        }

        impl $crate::policy::reader::Field for $out {
            type Out = $out;
            fn read(
                node: &$crate::policy::node::Node,
                reader: &mut $crate::policy::reader::Reader,
            ) -> Option<$out> {
                use $crate::policy::reader::Draft as _;
                let draft = $draft::read(reader.table(node)?, reader);
                $rules(&draft, reader);
                Some($out { $($key: draft.$key?,)+ })
            }
            fn write(value: &$out, style: $crate::policy::reader::Style) -> $crate::policy::node::Node {
                use $crate::policy::reader::Draft as _;
                $draft { $($key: Some(value.$key.clone()),)+ }.write(style)
            }
            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<$out>()
            }
            fn example() -> &'static str {
                "{ … }"
            }
        }
    };
    (
        draft $(#[doc = $about:literal])+ $out:ident as $draft:ident {
            $($(#[doc = $doc:literal])+ $key:ident: $field:ty, [$($presence:tt)+];)+
        }
    ) => {
        pub(crate) struct $draft {
            $(pub(crate) $key: section!(@type $field, $($presence)+),)+
        }

        impl $crate::policy::reader::Draft for $draft {
            const NAMES: &'static [&'static str] = &[$(stringify!($key),)+];

            fn keys() -> Vec<$crate::policy::reader::Key> {
                vec![$($crate::policy::reader::Key {
                    name: stringify!($key),
                    doc: &[$($doc,)+],
                    required: section!(@required $($presence)+),
                    default: section!(@default $($presence)+),
                    schema: <$field as $crate::policy::reader::Field>::schema,
                },)+]
            }

            fn read(
                entries: &[(String, $crate::policy::node::Node)],
                reader: &mut $crate::policy::reader::Reader,
            ) -> Self {
                let mut slots = reader.slots(Self::NAMES, entries).into_iter();
                Self {
                    $($key: section!(
                        @read $field, $($presence)+; reader, stringify!($key), slots.next().flatten()
                    ),)+
                }
            }

            fn write(&self, style: $crate::policy::reader::Style) -> $crate::policy::node::Node {
                let mut entries = Vec::new();
                $(if let Some(value) = section!(@written self.$key, $($presence)+) {
                    let node = <$field as $crate::policy::reader::Field>::write(value, style);
                    entries.push((stringify!($key).to_owned(), node));
                })+
                $crate::policy::node::Node::Table(entries)
            }
        }

        impl schemars::JsonSchema for $out {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($out).into()
            }
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::policy::schema::table::<$draft>(generator, &[$($about,)+])
            }
        }
    };
    (@type $field:ty, optional) => { Option<Option<<$field as $crate::policy::reader::Field>::Out>> };
    (@type $field:ty, $($other:tt)+) => { Option<<$field as $crate::policy::reader::Field>::Out> };
    (@required required) => { true };
    (@required $($other:tt)+) => { false };
    (@default default $default:expr) => { Some(|| $crate::policy::node::Node::from($default)) };
    (@default $($other:tt)+) => { None };
    (@read $field:ty, required; $reader:ident, $name:expr, $slot:expr) => {
        $reader.required::<$field>($name, $slot)
    };
    (@read $field:ty, optional; $reader:ident, $name:expr, $slot:expr) => {
        $reader.optional::<$field>($name, $slot)
    };
    (@read $field:ty, default $default:expr; $reader:ident, $name:expr, $slot:expr) => {
        $reader.or_default::<$field>($name, $slot, || $crate::policy::node::Node::from($default))
    };
    (@written $self:ident.$key:ident, optional) => { $self.$key.as_ref().and_then(Option::as_ref) };
    (@written $self:ident.$key:ident, $($other:tt)+) => { $self.$key.as_ref() };
}
pub(crate) use section;
