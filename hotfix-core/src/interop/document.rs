//! YAML and JSON as trees with places. JSON is read as YAML.
//!
//! The type of a scalar is decided by its reader (`reader.rs`): `on` is a boolean if a boolean is
//! expected, and a text if a text is expected.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};

use super::fault::{ConvertError, Fault};
use crate::text::shown;

/// Most bytes of text.
pub(super) const MOST_BYTES: usize = 1 << 20;
/// Most levels of tables and lists.
pub(super) const MOST_LEVELS: usize = 48;
/// Most values, including those that aliases repeat.
pub(super) const MOST_VALUES: usize = 100_000;

/// A place in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// From 1.
    pub(super) line: usize,
    /// From 1, in characters.
    pub(super) column: usize,
}

impl From<Marker> for Place {
    fn from(marker: Marker) -> Self {
        Self { line: marker.line().max(1), column: marker.col() + 1 }
    }
}

/// A value with its place, and how the import used it.
#[derive(Clone, Debug)]
pub(super) struct DocumentNode {
    pub(super) place: Place,
    pub(super) value: Value,
    /// Whether the import has read it.
    pub(super) seen: Cell<bool>,
    /// Whether everything in it is handled.
    pub(super) whole: Cell<bool>,
    /// The keys of a table that the import knows.
    pub(super) asked: RefCell<BTreeSet<&'static str>>,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A text, and whether it is unquoted.
    Scalar(String, bool),
    List(Vec<DocumentNode>),
    Table(Vec<Entry>),
}

/// A key of a table.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) node: DocumentNode,
}

impl DocumentNode {
    fn new(value: Value, place: Place) -> Self {
        let asked = RefCell::default();
        Self { place, value, seen: Cell::new(false), whole: Cell::new(false), asked }
    }

    /// Nothing: `null`, `~`, or no value at all.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(text, true)
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The value of a key, without marking it as read.
    pub(super) fn peek(&self, key: &str) -> Option<&Self> {
        let Value::Table(entries) = &self.value else { return None };
        entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The text of a key, without marking it as read.
    pub(super) fn peek_text(&self, key: &str) -> Option<&str> {
        match self.peek(key).map(|node| &node.value) {
            Some(Value::Scalar(text, _)) => Some(text),
            _ => None,
        }
    }

    /// A short description of the value.
    pub(super) fn shown(&self) -> String {
        match &self.value {
            Value::List(_) => "a list".to_owned(),
            Value::Table(_) => "a table".to_owned(),
            Value::Scalar(..) if self.is_null() => "nothing".to_owned(),
            Value::Scalar(text, true) => format!("`{}`", shown(text)),
            Value::Scalar(text, false) => format!("the text `{}`", shown(text)),
        }
    }

    fn size(&self) -> usize {
        match &self.value {
            Value::Scalar(..) => 1,
            Value::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Value::Table(entries) => 1 + entries.iter().map(|e| e.node.size()).sum::<usize>(),
        }
    }

    fn levels(&self) -> usize {
        match &self.value {
            Value::Scalar(..) => 0,
            Value::List(items) => 1 + items.iter().map(Self::levels).max().unwrap_or(0),
            Value::Table(entries) => 1 + entries.iter().map(|e| e.node.levels()).max().unwrap_or(0),
        }
    }
}

/// The documents of a text, empty ones left out.
pub(super) fn read(text: &str) -> Result<Vec<DocumentNode>, Vec<ConvertError>> {
    let start = Place { line: 1, column: 1 };
    if text.len() > MOST_BYTES {
        let got = text.len().to_string();
        let fault = Fault::TooLarge { what: "bytes", got, most: MOST_BYTES };
        return Err(vec![ConvertError::new(fault, "", 0, start)]);
    }
    // JSON allows tabs between its tokens, but not inside texts.
    let tabs = text.trim_start().starts_with(['{', '[']) && text.contains('\t');
    let spaced = if tabs { text.replace('\t', " ") } else { String::new() };
    let mut builder = Builder::default();
    for event in Parser::new_from_str(if tabs { &spaced } else { text }) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                let place = Place::from(*error.marker());
                let detail = format!("{}{}", shown(error.info()), advice(text, place));
                builder.fail(Fault::Syntax { detail }, place);
                break;
            }
        };
        if builder.take(event, span).is_err() {
            break;
        }
    }
    if builder.errors.is_empty() { Ok(builder.documents) } else { Err(builder.errors) }
}

/// A hint to add to the parser's message at the place where it stopped.
fn advice(text: &str, place: Place) -> &'static str {
    let line = text.lines().nth(place.line - 1).unwrap_or_default().trim_start();
    if line.starts_with([']', '}']) {
        ": indent a closing bracket further than its key"
    } else if text.contains("{{-") || text.contains("{{ .") {
        ": render the chart first (`helm template`)"
    } else {
        ""
    }
}

/// An open collection: a list, or a table with the key whose value comes next.
struct Open {
    anchor: usize,
    place: Place,
    part: PathPart,
}

enum PathPart {
    List(Vec<DocumentNode>),
    Table {
        entries: Vec<Entry>,
        names: BTreeSet<String>,
        key: Option<(String, Place)>,
        merged: Vec<Entry>,
    },
}

#[derive(Default)]
struct Builder {
    documents: Vec<DocumentNode>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, DocumentNode>,
    values: usize,
    errors: Vec<ConvertError>,
}

/// Reading cannot continue. The error is recorded.
struct Stop;

impl Builder {
    fn fail(&mut self, fault: Fault, place: Place) {
        // If every line is wrong, the first few errors are enough.
        if self.errors.len() < 64 {
            let path = self.path();
            self.errors.push(ConvertError::new(fault, &path, self.documents.len(), place));
        }
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for open in &self.open {
            let step = match &open.part {
                PathPart::List(items) => items.len().to_string(),
                PathPart::Table { key: Some((key, _)), .. } => {
                    crate::text::pointer_step(key).into_owned()
                }
                PathPart::Table { .. } => break,
            };
            path.push('/');
            path.push_str(&step);
        }
        path
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let place = Place::from(span.start);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    let what = "an alias of a value that contains it".to_owned();
                    self.fail(Fault::Form { what, instead: "write the value instead" }, place);
                    return Err(Stop);
                };
                self.count(node.size(), place)?;
                if self.open.len() + node.levels() > MOST_LEVELS {
                    return self.too_deep(place);
                }
                self.put(DocumentNode { place, ..node }, place);
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1, place)?;
                let tagged = self.tag(tag.as_deref(), place);
                let plain = style == ScalarStyle::Plain && !tagged;
                let node = DocumentNode::new(Value::Scalar(text.into_owned(), plain), place);
                if anchor > 0 {
                    self.anchors.insert(anchor, node.clone());
                }
                self.put(node, place);
            }
            Event::SequenceStart(anchor, tag) => {
                self.tag(tag.as_deref(), place);
                self.begin(anchor, place, PathPart::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                self.tag(tag.as_deref(), place);
                let part = PathPart::Table {
                    entries: Vec::new(),
                    names: BTreeSet::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.begin(anchor, place, part)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
        }
        Ok(())
    }

    /// Whether a tag makes a scalar a text. Any other tag except those of plain types is refused.
    fn tag(&mut self, tag: Option<&Tag>, place: Place) -> bool {
        let Some(tag) = tag else { return false };
        let core = tag.is_yaml_core_schema();
        if core && matches!(tag.suffix.as_str(), "int" | "float" | "bool" | "null" | "map" | "seq")
        {
            return false;
        }
        if !(core && tag.suffix == "str") {
            let what = format!("the tag `{}{}`", shown(&tag.handle), shown(&tag.suffix));
            self.fail(Fault::Form { what, instead: "remove it" }, place);
        }
        true
    }

    fn count(&mut self, more: usize, place: Place) -> Result<(), Stop> {
        self.values = self.values.saturating_add(more);
        if self.values <= MOST_VALUES {
            return Ok(());
        }
        let got = format!("more than {MOST_VALUES}");
        self.fail(Fault::TooLarge { what: "values, with aliases", got, most: MOST_VALUES }, place);
        Err(Stop)
    }

    fn too_deep(&mut self, place: Place) -> Result<(), Stop> {
        let got = format!("more than {MOST_LEVELS}");
        self.fail(Fault::TooLarge { what: "levels", got, most: MOST_LEVELS }, place);
        Err(Stop)
    }

    fn begin(&mut self, anchor: usize, place: Place, part: PathPart) -> Result<(), Stop> {
        self.count(1, place)?;
        if self.open.len() >= MOST_LEVELS {
            return self.too_deep(place);
        }
        self.open.push(Open { anchor, place, part });
        Ok(())
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let value = match open.part {
            PathPart::List(items) => Value::List(items),
            PathPart::Table { mut entries, mut names, merged, .. } => {
                // Its own key overrides a merged one, and an earlier merge overrides a later one.
                for entry in merged {
                    if names.insert(entry.key.clone()) {
                        entries.push(entry);
                    }
                }
                Value::Table(entries)
            }
        };
        let node = DocumentNode::new(value, open.place);
        if open.anchor > 0 {
            self.anchors.insert(open.anchor, node.clone());
        }
        self.put(node, open.place);
    }

    /// Adds a value at its place: a document, an item, a key, or the value of a key.
    fn put(&mut self, node: DocumentNode, place: Place) {
        let Some(open) = self.open.last_mut() else {
            if !node.is_null() {
                self.documents.push(node);
            }
            return;
        };
        let mut fault = None;
        match &mut open.part {
            PathPart::List(items) => items.push(node),
            PathPart::Table { entries, names, key, merged } => match key.take() {
                None => match node.value {
                    Value::Scalar(text, _) => *key = Some((text, place)),
                    Value::List(_) | Value::Table(_) => {
                        let what = "a key that is a list or a table".to_owned();
                        *key = Some((String::new(), place));
                        let instead = "write a text; put a placeholder such as `{{args.name}}` in quotes, and render a chart first (`helm template`)";
                        fault = Some((Fault::Form { what, instead }, place));
                    }
                },
                Some((name, at)) if name == "<<" => {
                    let sources = match node.value {
                        Value::List(items) => items,
                        Value::Table(_) => vec![node],
                        Value::Scalar(..) => Vec::new(),
                    };
                    if sources.is_empty()
                        || sources.iter().any(|s| !matches!(s.value, Value::Table(_)))
                    {
                        let what = "`<<` without a table to merge".to_owned();
                        fault =
                            Some((Fault::Form { what, instead: "use the anchor of a table" }, at));
                    }
                    for source in sources {
                        if let Value::Table(more) = source.value {
                            merged.extend(more);
                        }
                    }
                }
                Some((name, at)) => {
                    if !names.insert(name.clone()) {
                        fault = Some((Fault::DuplicateKey { key: shown(&name) }, at));
                    }
                    entries.push(Entry { key: name, place: at, node });
                }
            },
        }
        if let Some((fault, place)) = fault {
            self.fail(fault, place);
        }
    }
}
