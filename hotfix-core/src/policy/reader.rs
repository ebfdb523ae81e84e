//! Reads a tree into checked values, and collects every error with its place.
//!
//! [`section!`] declares a table of the format once: its keys with type, default and description.
//! Reading, writing, the list of known keys and the JSON Schema all come from that one list.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use crate::policy::schema::{Definitions, Schema};

use super::error::Problem;
use super::field::as_unit;
use crate::document::{DocumentFault, DocumentReader, Member, Node};
use crate::fact::{FactId, Vocabulary};
use crate::grade::{MetricKind, Role, Severity, Strategy};
use crate::policy::Policy;
use crate::policy::section::{Model, Phase, Vendor};
use crate::text::shown;
use crate::unit::{RoleName, Span};

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Fractions, seconds, per minute: JSON and the log.
    Wire,
    /// With units, if that is exactly the same value: TOML.
    Human,
}

/// A type of value in the format.
pub(crate) trait Field {
    /// The checked type.
    type Out: Clone;
    /// Reads it; `None` means that an error has been reported.
    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Self::Out>;
    /// Writes it so that reading gives the same value.
    fn write(value: &Self::Out, style: Style) -> Node;
    fn schema(definitions: &mut Definitions) -> Schema;
    /// An example for a missing value of a required key: `"10min"`.
    fn example() -> String {
        "{ … }".to_owned()
    }
}

/// A type of value that is written as another one, of which it accepts only some values.
pub(crate) trait Narrowed {
    type Of: Field;

    /// Reports what is wrong with the node as a whole, even if it could not be read.
    fn look(_node: &Node, _reader: &mut PolicyReader) {}

    /// The value to keep of the one that was read; `None` means that an error has been reported.
    fn check(
        read: <Self::Of as Field>::Out,
        _node: &Node,
        _reader: &mut PolicyReader,
    ) -> Option<<Self::Of as Field>::Out> {
        Some(read)
    }

    fn schema_of(definitions: &mut Definitions) -> Schema {
        Self::Of::schema(definitions)
    }
}

impl<N: Narrowed> Field for N {
    type Out = <N::Of as Field>::Out;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Self::Out> {
        let read = N::Of::read(node, reader);
        N::look(node, reader);
        N::check(read?, node, reader)
    }

    fn write(value: &Self::Out, style: Style) -> Node {
        N::Of::write(value, style)
    }

    fn schema(definitions: &mut Definitions) -> Schema {
        N::schema_of(definitions)
    }

    fn example() -> String {
        N::Of::example()
    }
}

pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static [&'static str],
    pub(crate) required: bool,
    pub(crate) default: Option<fn() -> Node>,
    pub(crate) schema: fn(&mut Definitions) -> Schema,
}

/// A table whose keys have been read, as far as possible.
pub(crate) trait Draft: Sized {
    const NAMES: &'static [&'static str];
    fn keys() -> Vec<Key>;
    fn read(entries: &[Member], reader: &mut PolicyReader) -> Self;
}

/// A table that is being written.
pub(crate) struct Written {
    style: Style,
    entries: Vec<(&'static str, Node)>,
}

impl Written {
    pub(crate) const fn new(style: Style) -> Self {
        Self { style, entries: Vec::new() }
    }

    /// Adds a key that has a value. Not inlined, so that the library has it once for each type, not key.
    #[inline(never)]
    pub(crate) fn put<F: Field>(&mut self, key: &'static str, value: Option<&F::Out>) {
        self.entries.extend(value.map(|value| (key, F::write(value, self.style))));
    }

    pub(crate) fn table(self) -> Node {
        Node::table(self.entries)
    }
}

/// Writes sections as JSON.
macro_rules! serialized {
    ($($section:ty),+) => {$(
        impl Serialize for $section {
            /// In the wire form of a policy.
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::write(self, Style::Wire).serialize(serializer)
            }
        }
    )+};
}

serialized! { Policy, Phase, Vendor }

/// A duration in a draft: of an optional key, or of any other.
pub(crate) trait Lasts {
    fn lasts(self) -> Option<Span>;
}

impl Lasts for Option<Span> {
    fn lasts(self) -> Option<Span> {
        self
    }
}

impl Lasts for Option<Option<Span>> {
    fn lasts(self) -> Option<Span> {
        self.flatten()
    }
}

/// A field of a table that is not one of its keys.
pub(crate) trait Apart: Sized {
    /// Its value, while the table is read; `None` means that an error has been reported.
    fn read_apart(reader: &mut PolicyReader) -> Option<Self>;
}

impl Apart for RoleName {
    fn read_apart(reader: &mut PolicyReader) -> Option<Self> {
        as_unit(&reader.own_key(), reader)
    }
}

impl Apart for Severity {
    fn read_apart(reader: &mut PolicyReader) -> Option<Self> {
        reader.own_key().parse().ok()
    }
}

impl Apart for Strategy {
    fn read_apart(reader: &mut PolicyReader) -> Option<Self> {
        reader.own_key().parse().ok()
    }
}

/// What other sections need to know about a metric, even if it has errors.
pub(crate) struct Noted {
    pub(crate) kind: Option<MetricKind>,
    pub(crate) role: Option<Role>,
    pub(crate) model: Option<Model>,
}

/// What the reader of a policy knows of other sections.
#[derive(Default)]
pub(crate) struct KnownSections {
    pub(super) metrics: BTreeMap<String, Noted>,
    /// The facts that conditions may use.
    pub(super) vocabulary: Vocabulary,
    /// The names of custom facts whose declaration has an error.
    pub(super) faulty_facts: BTreeSet<String>,
    /// The fact whose answers are being read.
    pub(super) asked_of: Option<FactId>,
    /// The severities of the policy, even if they have errors; absent if the table could not be
    /// read.
    pub(super) severities: Option<Vec<Severity>>,
}

pub(crate) type PolicyReader = DocumentReader<Problem, KnownSections>;

impl PolicyReader {
    pub(super) fn new() -> Self {
        Self::knowing(KnownSections::default())
    }

    pub(super) fn required<F: Field>(
        &mut self,
        key: &'static str,
        node: Option<&Node>,
    ) -> Option<F::Out> {
        if node.is_none() {
            self.missing(key, &F::example());
        }
        self.within(key, |reader| F::read(node?, reader))
    }

    /// Reports a key that the current table does not have.
    fn missing(&mut self, key: &'static str, example: &str) {
        let example = format!("it, with a value such as `{example}`");
        self.fail::<()>(DocumentFault::MissingKey { key, example });
    }

    /// `None` after an error, `Some(None)` if the key is absent.
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
        let made = if node.is_none() { Some(default()) } else { None };
        self.required::<F>(key, node.or(made.as_ref()))
    }

    /// Reports a duration that is shorter than that of another key.
    pub(super) fn at_least(
        &mut self,
        (key, got): (&'static str, Option<Span>),
        (least, at_least): (&'static str, Option<Span>),
    ) {
        if let (Some(got), Some(at_least)) = (got, at_least)
            && got < at_least
        {
            let (got, at_least) = (got.to_string(), at_least.to_string());
            self.fail_at::<()>(key, Problem::TooShort { key, got, least, at_least });
        }
    }

    /// Reports values of a list that are not above the one before; `key` is their place in an item.
    pub(super) fn rising<T: PartialOrd>(
        &mut self,
        list: &str,
        key: &str,
        values: &[T],
        problem: impl Fn(&T, &T) -> Problem,
    ) {
        for (index, (before, got)) in (1..).zip(values.iter().zip(values.iter().skip(1))) {
            if got <= before {
                let place = format!("{}/{list}/{index}{key}", self.path());
                self.fail_at_path::<()>(&place, problem(got, before));
            }
        }
    }

    /// Reports texts in `names` that are not unique; each comes with its place.
    pub(super) fn unique(&mut self, what: &'static str, names: &[(String, &str)]) {
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        for (path, name) in names {
            if let Some(first) = first.get(name) {
                let name = shown(name);
                let first = (*first).to_owned();
                self.fail_at_path::<()>(path, Problem::DuplicateName { what, name, first });
            } else {
                first.insert(name, path);
            }
        }
    }
}

/// Declares a table: its keys, each with its type, whether it is `required`, `optional` or has a
/// `default`, and its description. A key whose form in the document differs from its type has that
/// form after `as`.
///
/// A `plain` table is a struct with these fields, of the given visibility, and perhaps further
/// derived traits after a colon. A function after the name of the draft checks what was read of it.
/// A duration that is not shorter than that of another key has `at least` and this key at its end. A
/// key with a getter has `shown` and what that returns at its end.
/// The table may have a field that is no key ([`Apart`]) after `with`. Of a `draft` table another
/// type is made by hand.
macro_rules! section {
    (
        plain $(#[doc = $about:literal])+
        $fields:vis $out:ident $(: $also:ident $(+ $more:ident)*)?
        from $draft:ident $(, $rules:ident)?
        $(with $(#[doc = $apart_doc:literal])* $apart:ident: $apart_type:ty)? {
            $(
                $(#[doc = $doc:literal])+
                $key:ident: $type:ty $(as $form:ty)?, [$($presence:tt)+]
                    $(at least $floor:ident)? $(, shown($($shown:tt)+))?;
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq $(, $also $(, $more)*)?)]
        #[allow(unreachable_pub, reason = "`Base` is no section of a policy")]
        pub struct $out {
            $($(#[doc = $apart_doc])* $fields $apart: $apart_type,)?
            $($(#[doc = $doc])+ $fields $key: section!(@kept $type, $($presence)+),)+
        }

        section! {
            @table $(#[doc = $about])+ $out as $draft {
                $($(#[doc = $doc])+ $key: section!(@form $type $(as $form)?), [$($presence)+];)+
            }
        }

        $(section! { @getter $out $key: $(#[doc = $doc])+ $($($shown)+)? })+

        impl $crate::policy::reader::Field for $out {
            type Out = $out;
            fn read(
                node: &$crate::document::Node,
                reader: &mut $crate::policy::reader::PolicyReader,
            ) -> Option<$out> {
                use $crate::policy::reader::Draft as _;
                let draft = $draft::read(reader.table(node)?, reader);
                $($(reader.at_least(
                    (stringify!($key), $crate::policy::reader::Lasts::lasts(draft.$key)),
                    (stringify!($floor), $crate::policy::reader::Lasts::lasts(draft.$floor)),
                );)?)+
                $($rules(&draft, reader);)?
                $(let $apart = <$apart_type as $crate::policy::reader::Apart>::read_apart(reader);)?
                Some($out { $($apart: $apart?,)? $($key: draft.$key?,)+ })
            }
            fn write(value: &$out, style: $crate::policy::reader::Style) -> $crate::document::Node {
                let mut written = $crate::policy::reader::Written::new(style);
                $(written.put::<section!(@form $type $(as $form)?)>(
                    stringify!($key), section!(@present value.$key, $($presence)+),
                );)+
                written.table()
            }
            fn schema(definitions: &mut $crate::policy::schema::Definitions) -> $crate::policy::schema::Schema {
                $out::refer(definitions)
            }
        }
    };
    (
        draft $(#[doc = $about:literal])+ $out:ident as $draft:ident {
            $($(#[doc = $doc:literal])+ $key:ident: $form:ty, [$($presence:tt)+];)+
        }
    ) => {
        section! {
            @table $(#[doc = $about])+ $out as $draft { $($(#[doc = $doc])+ $key: $form, [$($presence)+];)+ }
        }

        impl $draft {
            fn write(&self, style: $crate::policy::reader::Style) -> $crate::document::Node {
                let mut written = $crate::policy::reader::Written::new(style);
                $(written.put::<$form>(stringify!($key), section!(@written self.$key, $($presence)+));)+
                written.table()
            }
        }
    };
    (
        @table $(#[doc = $about:literal])+ $out:ident as $draft:ident {
            $($(#[doc = $doc:literal])+ $key:ident: $form:ty, [$($presence:tt)+];)+
        }
    ) => {
        struct $draft {
            $($key: section!(@type $form, $($presence)+),)+
        }

        impl $crate::policy::reader::Draft for $draft {
            const NAMES: &'static [&'static str] = &[$(stringify!($key),)+];

            fn keys() -> Vec<$crate::policy::reader::Key> {
                vec![$($crate::policy::reader::Key {
                    name: stringify!($key),
                    doc: &[$($doc,)+],
                    required: section!(@required $($presence)+),
                    default: section!(@default $($presence)+),
                    schema: <$form as $crate::policy::reader::Field>::schema,
                },)+]
            }

            fn read(
                entries: &[$crate::document::Member],
                reader: &mut $crate::policy::reader::PolicyReader,
            ) -> Self {
                let mut slots = reader.slots(Self::NAMES, entries).into_iter();
                Self {
                    $($key: section!(
                        @read $form, $($presence)+; reader, stringify!($key), slots.next().flatten()
                    ),)+
                }
            }
        }

        impl $out {
            /// A reference to its JSON Schema.
            pub(in $crate::policy) fn refer(
                definitions: &mut $crate::policy::schema::Definitions,
            ) -> $crate::policy::schema::Schema {
                definitions.refer(stringify!($out), |definitions| {
                    let keys = <$draft as $crate::policy::reader::Draft>::keys();
                    $crate::policy::schema::table(definitions, keys, &[$($about,)+])
                })
            }
        }
    };
    (@getter $out:ident $key:ident: $(#[doc = $doc:literal])+) => {};
    (@getter $out:ident $key:ident: $(#[doc = $doc:literal])+ [$item:ty]) => {
        section! { @getter $out $key: $(#[doc = $doc])+ &[$item] = as_slice() }
    };
    (@getter $out:ident $key:ident: $(#[doc = $doc:literal])+ Option<$part:ty>) => {
        section! { @getter $out $key: $(#[doc = $doc])+ Option<$part> = as_ref() }
    };
    (@getter $out:ident $key:ident: $(#[doc = $doc:literal])+ &$part:ty) => {
        impl $out {
            $(#[doc = $doc])+
            pub const fn $key(&self) -> &$part {
                &self.$key
            }
        }
    };
    (@getter $out:ident $key:ident: $(#[doc = $doc:literal])+ $shown:ty $(= $get:ident())?) => {
        impl $out {
            $(#[doc = $doc])+
            pub const fn $key(&self) -> $shown {
                self.$key$(.$get())?
            }
        }
    };
    (@kept $type:ty, optional) => { Option<$type> };
    (@kept $type:ty, $($other:tt)+) => { $type };
    (@form $type:ty as $form:ty) => { $form };
    (@form $type:ty) => { $type };
    (@type $field:ty, optional) => { Option<Option<<$field as $crate::policy::reader::Field>::Out>> };
    (@type $field:ty, $($other:tt)+) => { Option<<$field as $crate::policy::reader::Field>::Out> };
    (@required required) => { true };
    (@required $($other:tt)+) => { false };
    (@default default $default:expr) => { Some(|| $crate::document::Node::from($default)) };
    (@default $($other:tt)+) => { None };
    (@read $field:ty, required; $reader:ident, $name:expr, $slot:expr) => {
        $reader.required::<$field>($name, $slot)
    };
    (@read $field:ty, optional; $reader:ident, $name:expr, $slot:expr) => {
        $reader.optional::<$field>($name, $slot)
    };
    (@read $field:ty, default $default:expr; $reader:ident, $name:expr, $slot:expr) => {
        $reader.or_default::<$field>($name, $slot, || $crate::document::Node::from($default))
    };
    (@present $table:ident.$key:ident, optional) => { $table.$key.as_ref() };
    (@present $table:ident.$key:ident, $($other:tt)+) => { Some(&$table.$key) };
    (@written $self:ident.$key:ident, optional) => { $self.$key.as_ref().and_then(Option::as_ref) };
    (@written $self:ident.$key:ident, $($other:tt)+) => { $self.$key.as_ref() };
}
pub(crate) use section;
