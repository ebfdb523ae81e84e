//! YAML as trees with places. JSON is read as YAML.
//!
//! The type of a scalar is decided by its reader (`reader.rs`): `on` is a boolean if a boolean is
//! expected, and a text if a text is expected.

use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};

use super::fault::{ConvertErrors, Fault};
use crate::document::{DocumentFault, Member, Node, Place, Value};
use crate::text::shown;

pub(super) const MOST_BYTES: usize = 1 << 20;
pub(super) const MOST_LEVELS: usize = 48;
/// Most values, including those that aliases repeat.
pub(super) const MOST_VALUES: usize = 100_000;

impl Node {
    /// The scalar of a key.
    pub(super) fn text_at(&self, key: &str) -> Option<&str> {
        Some(self.key(key)?.scalar()?.0)
    }

    /// How many values it has, itself included.
    fn size(&self) -> usize {
        1 + self.inner().map(Self::size).sum::<usize>()
    }

    fn levels(&self) -> usize {
        match &self.value {
            Value::List(_) | Value::Table(_) => {
                1 + self.inner().map(Self::levels).max().unwrap_or(0)
            }
            _ => 0,
        }
    }

    /// The items of a list, or the values of a table.
    fn inner(&self) -> impl Iterator<Item = &Self> {
        self.items().iter().chain(self.members().iter().map(|member| &member.node))
    }
}

/// The documents of a text, empty ones left out.
pub(super) fn read(text: &str) -> Result<Vec<Node>, ConvertErrors> {
    let mut builder = Builder::default();
    if text.len() > MOST_BYTES {
        let (got, most) = (text.len().to_string(), MOST_BYTES);
        builder.fail(Fault::TooLarge { what: "bytes", got, most }, Place::START);
        return Err(builder.errors);
    }
    // JSON allows tabs between its tokens, but not inside texts.
    let tabs = text.trim_start().starts_with(['{', '[']) && text.contains('\t');
    let spaced = if tabs { text.replace('\t', " ") } else { String::new() };
    for event in Parser::new_from_str(if tabs { &spaced } else { text }) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                let place = builder.place(*error.marker());
                let detail = format!("{}{}", shown(error.info()), advice(text, place));
                let (line, column) = (place.line as usize, place.column as usize);
                let language = "YAML or JSON";
                builder.fail(DocumentFault::Syntax { language, line, column, detail }, place);
                break;
            }
        };
        if builder.take(event, span).is_err() {
            break;
        }
    }
    if builder.errors.is_clean() { Ok(builder.documents) } else { Err(builder.errors) }
}

/// A hint to add to the parser's message at the place where it stopped.
fn advice(text: &str, place: Place) -> &'static str {
    let line = text.lines().nth(place.line as usize - 1).unwrap_or_default().trim_start();
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
    List(Vec<Node>),
    Table {
        members: Vec<Member>,
        names: BTreeSet<String>,
        key: Option<(String, Place)>,
        merged: Vec<Member>,
    },
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    values: usize,
    errors: ConvertErrors,
}

/// Reading cannot continue. The error is recorded.
struct Stop;

impl Builder {
    fn fail(&mut self, fault: impl Into<Fault>, place: Place) {
        // If every line is wrong, the first few errors are enough.
        if self.errors.count() < 64 {
            self.errors.push_at(place, &self.path(), fault.into());
        }
    }

    fn place(&self, marker: Marker) -> Place {
        let document = u32::try_from(self.documents.len()).unwrap_or(u32::MAX);
        Place::new(document, marker.line(), marker.col() + 1)
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
        let place = self.place(span.start);
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
                self.check("levels", self.open.len() + node.levels(), MOST_LEVELS, place)?;
                self.put(Node { place, ..node }, place);
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1, place)?;
                let tagged = self.tag(tag.as_deref(), place);
                let plain = style == ScalarStyle::Plain && !tagged;
                let scalar = if plain { Value::Plain } else { Value::Text };
                let node = Node { value: scalar(text.into_owned()), place };
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
                    members: Vec::new(),
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
        self.check("values, with aliases", self.values, MOST_VALUES, place)
    }

    fn check(
        &mut self,
        what: &'static str,
        number: usize,
        most: usize,
        place: Place,
    ) -> Result<(), Stop> {
        if number <= most {
            return Ok(());
        }
        self.fail(Fault::TooLarge { what, got: format!("more than {most}"), most }, place);
        Err(Stop)
    }

    fn begin(&mut self, anchor: usize, place: Place, part: PathPart) -> Result<(), Stop> {
        self.count(1, place)?;
        self.check("levels", self.open.len() + 1, MOST_LEVELS, place)?;
        self.open.push(Open { anchor, place, part });
        Ok(())
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let value = match open.part {
            PathPart::List(items) => Value::List(items),
            PathPart::Table { mut members, mut names, merged, .. } => {
                // Its own key overrides a merged one, and an earlier merge overrides a later one.
                for member in merged {
                    if names.insert(member.key.clone()) {
                        members.push(member);
                    }
                }
                Value::Table(members)
            }
        };
        let node = Node { value, place: open.place };
        if open.anchor > 0 {
            self.anchors.insert(open.anchor, node.clone());
        }
        self.put(node, open.place);
    }

    /// Adds a value at its place: a document, an item, a key, or the value of a key.
    fn put(&mut self, node: Node, place: Place) {
        let Some(open) = self.open.last_mut() else {
            if !node.is_null() {
                self.documents.push(node);
            }
            return;
        };
        let mut fault = None;
        match &mut open.part {
            PathPart::List(items) => items.push(node),
            PathPart::Table { members, names, key, merged } => match key.take() {
                None => match node.value {
                    Value::Plain(text) | Value::Text(text) => *key = Some((text, place)),
                    _ => {
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
                        _ => Vec::new(),
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
                        let twice = DocumentFault::DuplicateKey { key: shown(&name) };
                        fault = Some((twice.into(), at));
                    }
                    members.push(Member { key: name, place: at, node });
                }
            },
        }
        if let Some((fault, place)) = fault {
            self.fail(fault, place);
        }
    }
}
