//! Reads TOML and JSON into trees, in bounded time and depth.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::error::DocumentErrors;
use super::fault::DocumentFault;
use super::node::{Member, Node, Place, Value};
use crate::canonical::Scan;
use crate::sorting::sort_by_key;

pub(super) const MOST_BYTES: usize = 1 << 20;
/// The byte order mark, which editors write at the begin of a text and which means nothing in UTF-8.
const MARK: char = '\u{feff}';
/// How deep tables and lists may be nested.
pub(super) const MOST_DEPTH: usize = 32;

/// A tree, or all faults of its text.
type Read = Result<Node, DocumentErrors<DocumentFault>>;

impl Node {
    /// Reads JSON; `document` is its number in the places.
    pub(crate) fn from_json(text: &str, document: u32) -> Read {
        check_length(text)?;
        Self::from_json_data(text, document)
    }

    /// Reads JSON of any length: measurements, which no person writes.
    pub(crate) fn from_json_data(text: &str, document: u32) -> Read {
        let text = without_mark(text);
        let mut root: Self = serde_json::from_str(text)
            .map_err(|error| DocumentErrors::of_json(&error, text, document))?;
        Places { scan: Scan::new(text), lines: Lines::new(text, document) }.place(&mut root);
        Ok(root)
    }

    /// Reads TOML and reports all syntax errors; `document` is its number in the places.
    pub(crate) fn from_toml(text: &str, document: u32) -> Read {
        check_length(text)?;
        let (table, faults) = DeTable::parse_recoverable(text);
        let lines = Lines::new(text, document);
        if faults.is_empty() {
            let place = Place { document, ..Place::START };
            return Ok(Self { value: from_toml_table(table.get_ref(), 0, &lines), place });
        }
        // Errors that follow from a level that was not read are noise.
        if faults.iter().any(|fault| fault.message().contains("recurs")) {
            return Err(DocumentErrors::of("", DocumentFault::TooDeep {}));
        }
        let mut faults: Vec<(Place, &str)> = faults
            .iter()
            .map(|fault| (lines.place(fault.span().map_or(0, |span| span.start)), fault.message()))
            .collect();
        // One error for each line: the rest of the line causes further ones.
        sort_by_key(&mut faults, |(place, _)| *place);
        faults.dedup_by_key(|(place, _)| place.line);
        let mut errors = DocumentErrors::new();
        for (place, message) in faults {
            errors.push_syntax("TOML", place, message);
        }
        Err(errors)
    }

    /// Reads JSON if the text starts with a brace, which TOML cannot do, otherwise TOML.
    pub(crate) fn from_text(text: &str, document: u32) -> Read {
        if text.trim_start_matches([MARK, ' ', '\t', '\n', '\r']).starts_with('{') {
            Self::from_json(text, document)
        } else {
            Self::from_toml(text, document)
        }
    }
}

/// The text after a byte order mark, if it begins with one.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix(MARK).unwrap_or(text)
}

fn check_length(text: &str) -> Result<(), DocumentErrors<DocumentFault>> {
    let bytes = text.len();
    if bytes > MOST_BYTES {
        return Err(DocumentErrors::of("", DocumentFault::TooLarge { bytes }));
    }
    Ok(())
}

fn from_toml_table(table: &DeTable<'_>, depth: usize, lines: &Lines<'_>) -> Value {
    if depth >= MOST_DEPTH {
        return Value::TooDeep;
    }
    let entry = |(key, node): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| Member {
        key: key.get_ref().to_string(),
        place: lines.place(key.span().start),
        node: from_toml(node, depth + 1, lines),
    };
    Value::Table(table.iter().map(entry).collect())
}

fn from_toml(node: &Spanned<DeValue<'_>>, depth: usize, lines: &Lines<'_>) -> Node {
    let value = match node.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            // The parser accepts integers of any length.
            Value::Number(match number.radix() {
                10 => number.as_str().parse().unwrap_or(f64::NAN),
                radix => {
                    i128::from_str_radix(number.as_str(), radix).map_or(f64::INFINITY, |n| n as f64)
                }
            })
        }
        DeValue::Float(number) => Value::Number(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(_) if depth >= MOST_DEPTH => Value::TooDeep,
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| from_toml(item, depth + 1, lines)).collect())
        }
        DeValue::Table(table) => from_toml_table(table, depth, lines),
    };
    Node { value, place: lines.place(node.span().start) }
}

/// Finds the lines and columns of a text.
struct Lines<'t> {
    text: &'t str,
    /// A byte in each stretch of [`Self::STEP`] bytes, with its place.
    marks: Vec<(usize, Place)>,
}

impl<'t> Lines<'t> {
    const STEP: usize = 64;

    fn new(text: &'t str, document: u32) -> Self {
        let (mut at, mut place) = (0, Place { document, ..Place::START });
        let mut marks = vec![(at, place)];
        while let Some(next) = (at + Self::STEP..text.len()).find(|at| text.is_char_boundary(*at)) {
            place = after(place, &text[at..next]);
            at = next;
            marks.push((at, place));
        }
        Self { text, marks }
    }

    fn place(&self, at: usize) -> Place {
        let after_it = self.marks.partition_point(|(mark, _)| *mark <= at);
        let (mark, place) = self.marks[after_it.saturating_sub(1)];
        after(place, self.text.get(mark..at).unwrap_or_default())
    }
}

fn after(mut place: Place, text: &str) -> Place {
    for c in text.chars() {
        if c == '\n' {
            place = Place { line: place.line + 1, column: 1, ..place };
        } else {
            place.column += 1;
        }
    }
    place
}

/// Adds places to a tree that was read from valid JSON, by a scan of the text beside it.
struct Places<'t> {
    scan: Scan<'t>,
    lines: Lines<'t>,
}

impl Places<'_> {
    /// Goes to the next key, value or closing bracket.
    fn next(&mut self) {
        while self.scan.peek().is_some_and(|byte| b" \t\r\n,:".contains(&byte)) {
            self.scan.pass();
        }
    }

    fn here(&mut self) -> Place {
        self.next();
        self.lines.place(self.scan.at())
    }

    fn place(&mut self, node: &mut Node) {
        node.place = self.here();
        match &mut node.value {
            Value::List(items) => {
                self.scan.pass();
                for item in items {
                    self.place(item);
                }
                self.next();
                self.scan.pass();
            }
            Value::Table(entries) => {
                self.scan.pass();
                for entry in entries {
                    entry.place = self.here();
                    self.scan.value();
                    self.place(&mut entry.node);
                }
                self.next();
                self.scan.pass();
            }
            _ => {
                self.scan.value();
            }
        }
    }
}
