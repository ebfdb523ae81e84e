//! All faults of a JSON value of a type that serde reads field by field, each with its place.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fault::DocumentFault;
use super::text::without_mark;
use crate::canonical::{Cause, Encoder, ReadError, Unread, read_tree};
use crate::sorting;
use crate::text::{brief, joined, pointer_step, shown};

/// Most faults that are looked for.
const MOST: usize = 20;

/// A fault, and its place as a JSON Pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueFault {
    /// Where it is.
    pub path: String,
    /// What it is, with the remedy.
    pub sentence: String,
}

impl ValueFault {
    /// The fault, if the document is the part `name` of another one.
    #[must_use]
    pub fn under(self, name: &str) -> Self {
        Self { path: format!("/{name}{}", self.path), ..self }
    }

    /// Faults with their places, in one sentence.
    pub fn list(faults: &[Self]) -> String {
        let one = |fault: &Self| match fault.path.as_str() {
            "" => fault.sentence.clone(),
            path => format!("`{}`: {}", joined(path.split('/').map(shown), "/"), fault.sentence),
        };
        joined(faults.iter().map(one), "; ")
    }
}

/// Reads the JSON of the document `name`, in which no member occurs twice.
///
/// # Errors
/// All faults, with their places below `/name`.
pub fn read_document<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Vec<ValueFault>> {
    under(name, read_json(text))
}

/// Reads the part `name` of a document that is already parsed.
///
/// # Errors
/// As [`read_document`].
pub fn read_part<T: DeserializeOwned>(name: &str, value: &Value) -> Result<T, Vec<ValueFault>> {
    under(name, read_value(value))
}

fn under<T>(name: &str, read: Result<T, Vec<ValueFault>>) -> Result<T, Vec<ValueFault>> {
    read.map_err(|faults| faults.into_iter().map(|fault| fault.under(name)).collect())
}

/// Reads the JSON of a document without a name.
pub(crate) fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, Vec<ValueFault>> {
    let unreadable = |sentence| vec![ValueFault { path: String::new(), sentence }];
    read_value(&value_of(text).map_err(unreadable)?)
}

/// Reads a value.
///
/// # Errors
/// All faults: each is removed, and the rest is read again.
pub(crate) fn read_value<T: DeserializeOwned>(value: &Value) -> Result<T, Vec<ValueFault>> {
    let first = |error| faults(value.clone(), error, |rest| read_tree::<T>(rest).err());
    read_tree(value).map_err(first)
}

/// The faults of a value; `next` finds the first one of the value without the faults before.
fn faults(
    mut value: Value,
    first: ReadError,
    next: fn(&Value) -> Option<ReadError>,
) -> Vec<ValueFault> {
    let mut faults = Vec::<ValueFault>::new();
    let mut error = Some(first);
    while let Some(Unread { mut path, text, cause }) = error.map(ReadError::into_parts) {
        path.reverse();
        let missing = if let Cause::Missing(key) = cause { Some(key) } else { None };
        let steps = path.iter().map(String::as_str).chain(missing);
        let pointer: String =
            steps.flat_map(|step| ["/".to_owned(), pointer_step(step).into_owned()]).collect();
        // What is missing only because it was removed has its fault already.
        if faults.iter().all(|fault| fault.path != pointer) {
            faults.push(ValueFault { path: pointer, sentence: sentence(text, cause) });
        }
        if faults.len() == MOST || !remove(&mut value, &path) {
            break;
        }
        error = next(&value);
    }
    faults
}

/// What is wrong, with the remedy.
fn sentence(text: String, cause: Cause) -> String {
    match cause {
        Cause::Other => text,
        Cause::Type { got, expected } if expected == "string or map" => {
            let number = ["integer `", "floating point `"].iter().find_map(|n| got.strip_prefix(n));
            not_allowed(number.map_or(&got, |number| number.trim_end_matches('`')), &expected)
        }
        Cause::Type { got, expected } => not_allowed(&got, &expected),
        Cause::Range { got, expected } => {
            let most = match expected.as_str() {
                "u8" => u8::MAX.into(),
                "u16" => u16::MAX.into(),
                "u32" => u32::MAX,
                _ => return not_allowed(&got, &expected),
            };
            not_allowed(&got, &format!("a whole number from 0 to {most}"))
        }
        Cause::UnknownText { got, known } => DocumentFault::unknown_value(&got, known).to_string(),
        Cause::UnknownMember { key, known } => DocumentFault::unknown_key(&key, known).to_string(),
        Cause::Missing(key) => format!("`{key}` is missing: add it"),
    }
}

fn not_allowed(got: &str, expected: &str) -> String {
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" | "string or map" => "a text",
        "a sequence" => "a list",
        "a map" => "an object",
        other if other.starts_with("struct ") => "an object",
        other => other,
    };
    format!("{} is not allowed here: write {expected}", brief(got))
}

/// Reads JSON, in which no member occurs twice.
pub(crate) fn value_of(text: &str) -> Result<Value, String> {
    let text = without_mark(text);
    let value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Encoder::new().reordered(text).map(|_| value).map_err(|error| error.to_string())
}

/// Removes what is at this place; false for the root.
fn remove(value: &mut Value, path: &[String]) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    let mut parent = value;
    for step in parents {
        let child = match parent {
            Value::Object(object) => object.get_mut(step),
            Value::Array(items) => step.parse().ok().and_then(|at: usize| items.get_mut(at)),
            _ => None,
        };
        let Some(child) = child else { return false };
        parent = child;
    }
    match (parent, last.parse::<usize>()) {
        (Value::Object(object), _) => sorting::remove(object, last.as_str()).is_some(),
        (Value::Array(items), Ok(at)) if at < items.len() => {
            items.remove(at);
            true
        }
        _ => false,
    }
}
