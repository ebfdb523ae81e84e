//! Rendering of a template and its values as lines.
//!
//! minijinja runs the templates that `policy/template.rs` has accepted, with limits of steps and of
//! output. A field without a value leaves a mark where it would be printed, and lines with a mark
//! are left out afterwards, so that no text has a gap.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use crate::text::{line, sentence};

use super::escape::is_address;

/// Marks the place of a field without a value. A control character, which no value contains.
const MISSING: &str = "\u{1}";
/// Begin and end of an address.
const ADDRESS: [char; 2] = ['\u{2}', '\u{3}'];

/// Most steps of a template.
const FUEL: u64 = 20_000;
/// Most bytes that a template may write.
const MOST_BYTES: usize = 64_000;

/// Values by field: a text, the lines of a list, or an [`address`]; a field without one is absent.
pub(super) type Fields = BTreeMap<Arc<str>, Value>;

/// The value of a field with an address, which is shown as a link.
pub(super) fn address(address: &str) -> Value {
    Value::from(format!("{}{address}{}", ADDRESS[0], ADDRESS[1]))
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) is_item: bool,
    pub(super) parts: Vec<TemplatePart>,
}

/// Part of a line, not yet escaped for its format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TemplatePart {
    Text(String),
    Address(String),
}

impl TemplatePart {
    /// The text, or the address as text.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Address(text) => text,
        }
    }
}

impl Line {
    /// The line as text, without links.
    pub(super) fn text(&self) -> String {
        self.parts.iter().map(TemplatePart::text).collect()
    }

    pub(super) fn begin_with(&mut self, text: &str) {
        match self.parts.first_mut() {
            Some(TemplatePart::Text(first)) => first.insert_str(0, text),
            _ => self.parts.insert(0, TemplatePart::Text(text.to_owned())),
        }
    }

    pub(super) fn has_address(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, TemplatePart::Address(_)))
    }

    /// Reads a line of template output; `None` if it is empty or lacks a value.
    fn read(line: &str) -> Option<Self> {
        if line.contains(MISSING) {
            return None;
        }
        let line = line.trim();
        let (is_item, mut rest) = match line.strip_prefix("- ") {
            Some(item) => (true, item.trim_start()),
            None => (false, line),
        };
        let mut parts = Vec::new();
        while let Some((before, after)) = rest.split_once(ADDRESS[0]) {
            let (address, after) = after.split_once(ADDRESS[1]).unwrap_or((after, ""));
            parts.push(TemplatePart::Text(visible(before)));
            // A filter may have changed the address.
            parts.push(if is_address(address) {
                TemplatePart::Address(address.to_owned())
            } else {
                TemplatePart::Text(visible(address))
            });
            rest = after;
        }
        parts.push(TemplatePart::Text(visible(rest)));
        parts.retain(|part| !part.text().is_empty());
        (!parts.is_empty() && line != "-").then_some(Self { is_item, parts })
    }
}

/// Text without control characters, which a template may contain, too.
fn visible(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Runs a template.
///
/// # Errors
/// A text that says which limit the template exceeds: of steps or of output.
pub(super) fn render(template: &str, fields: &Fields) -> Result<Vec<Line>, String> {
    let environment = environment();
    let mut written = Bounded(Vec::new());
    environment
        .template_from_str(template)
        .and_then(|template| template.render_captured_to(Value::from(fields.clone()), &mut written))
        .map_err(|error| describe(&error))?;
    let text = String::from_utf8(written.0).unwrap_or_default();
    let mut lines: Vec<Line> = text.lines().filter_map(Line::read).collect();
    // The first line is a title, so it begins with a capital letter; an identifier keeps its own.
    if let Some(TemplatePart::Text(title)) =
        lines.first_mut().and_then(|line| line.parts.first_mut())
        && !begins_with_identifier(title, fields)
    {
        *title = sentence(title);
    }
    Ok(lines)
}

/// What the title begins with, as pages and questions do: `payments, INC-2041: `. The public reads
/// no incident, and its texts name the service themselves.
pub(super) fn addressed(fields: &Fields) -> String {
    let Some(incident) = fields.get("incident_id").and_then(printed) else {
        return String::new();
    };
    let service = fields.get("service").and_then(printed);
    service.map_or_else(|| format!("{incident}: "), |service| format!("{service}, {incident}: "))
}

/// Whether a text begins with the value of a field that is a name, not words. The title may begin
/// with such a name, and is a sentence.
fn begins_with_identifier(text: &str, fields: &Fields) -> bool {
    let begins_with = |name: &&str| {
        let value = fields.get(*name).and_then(printed);
        let rest = value.and_then(|value| text.strip_prefix(&*value));
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    let names = ["service", "version", "previous", "incident_id", "phase"];
    !begins_with(&"title") && names.iter().any(begins_with)
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(32);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_formatter(|out, _, value| {
        let text = printed(value);
        out.write_str(text.as_deref().unwrap_or(MISSING)).map_err(Error::from)
    });
    environment.add_filter("default", |value: Value, instead: String| {
        if value.is_true() { value } else { Value::from(line(&instead)) }
    });
    environment.add_filter("join", |value: Value, between: String| {
        strings(&value).map_or(Value::UNDEFINED, |lines| Value::from(lines.join(&between)))
    });
    let one = |value: &Value, pick: fn(&[String]) -> Option<&String>| {
        strings(value).and_then(|lines| pick(&lines).cloned()).map_or(Value::UNDEFINED, Value::from)
    };
    environment.add_filter("first", move |value: Value| one(&value, <[String]>::first));
    environment.add_filter("last", move |value: Value| one(&value, <[String]>::last));
    let cased = |value: &Value, change: fn(&str) -> String| {
        printed(value).map_or(Value::UNDEFINED, |text| Value::from(change(&text)))
    };
    environment.add_filter("upper", move |value: Value| cased(&value, str::to_uppercase));
    environment.add_filter("lower", move |value: Value| cased(&value, str::to_lowercase));
    environment
}

/// A value as text: several lines become list items; `None` where there is no value.
fn printed(value: &Value) -> Option<String> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => None,
        ValueKind::Seq => match strings(value)?.as_slice() {
            [] => None,
            [only] => Some(only.clone()),
            several => Some(format!("\n- {}", several.join("\n- "))),
        },
        _ => Some(value.to_string()).filter(|text| !text.is_empty()),
    }
}

fn strings(value: &Value) -> Option<Vec<String>> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => None,
        ValueKind::Seq => Some(value.try_iter().ok()?.map(|line| line.to_string()).collect()),
        _ => Some(vec![value.to_string()]),
    }
}

fn describe(error: &Error) -> String {
    match error.kind() {
        ErrorKind::OutOfFuel => format!("takes more than {FUEL} steps"),
        ErrorKind::WriteFailure => format!("has more than {MOST_BYTES} bytes"),
        kind => format!("cannot be written ({kind})"),
    }
}

/// A writer with a limit of bytes.
struct Bounded(Vec<u8>);

impl io::Write for &mut Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_BYTES {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
