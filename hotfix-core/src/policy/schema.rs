//! The JSON Schema of the format, generated from the same lists that the reader uses.

use serde_json::{Map, Value, json};

use super::Policy;
use super::reader::Key;
use crate::canonical::{pretty, tree_of};
use crate::sorting::remove;

/// The JSON Schema (draft 2020-12) of the policy format, for editors; `policies/policy.schema.json`
/// is this text.
///
/// It checks keys, types and the ranges of numbers. The range of a text such as `"101%"` and
/// consistency are checked only when a policy is read. A document that extends others is described
/// by definitions whose names end in `Part`: nothing is required, and `remove = true` is allowed.
pub fn schema() -> String {
    let mut definitions = Definitions::default();
    let policy = Policy::refer(&mut definitions);
    let schema = with_parts(&policy, definitions.0);
    // Sorted, whatever order the map keeps, so that the text does not depend on features of other
    // crates.
    pretty(&tree_of(&schema)).unwrap_or_default() + "\n"
}

pub(crate) type Schema = Value;

/// The definitions that schemas refer to, by name.
#[derive(Default)]
pub(crate) struct Definitions(Map<String, Schema>);

impl Definitions {
    /// A reference to a definition, which is made when it is first referred to.
    pub(crate) fn refer(&mut self, name: &str, define: fn(&mut Self) -> Schema) -> Schema {
        if !self.0.contains_key(name) {
            // Already there while it is made, because it may refer to itself.
            self.0.insert(name.to_owned(), Schema::Null);
            let schema = define(self);
            self.0.insert(name.to_owned(), schema);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }
}

/// Adds for each definition its form in a document that extends others; the root says which of the
/// two applies.
fn with_parts(policy: &Schema, mut definitions: Map<String, Schema>) -> Schema {
    let parts: Vec<(String, Value)> = definitions
        .iter()
        // The parts of `extends` are never inherited, and a condition only as a whole.
        .filter(|(name, _)| *name != BASE && *name != CONDITION)
        .map(|(name, schema)| (format!("{name}{PART}"), part(schema)))
        .collect();
    definitions.extend(parts);
    definitions.insert(
        REMOVAL.to_owned(),
        json!({
            "type": "object",
            "description": "Removes what is inherited here.",
            "properties": { REMOVE: removed() },
            "required": [REMOVE],
            "additionalProperties": false,
        }),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Policy",
        "if": { "required": ["extends"] },
        "then": { "$ref": format!("#/$defs/Policy{PART}") },
        "else": policy,
        "$defs": definitions,
    })
}

/// The definition of a base in `extends`.
const BASE: &str = "Base";
const CONDITION: &str = "Condition";
/// The suffix of definitions for documents with `extends`.
const PART: &str = "Part";
const REMOVAL: &str = "Removal";
const REMOVE: &str = "remove";

fn removed() -> Value {
    json!({ "const": true, "description": "Removes what is inherited here." })
}

/// The schema of a value that may be inherited in part.
fn part(schema: &Value) -> Value {
    let Value::Object(schema) = schema else { return schema.clone() };
    let mut out = Map::new();
    for (key, value) in schema {
        let (key, value) = match (key.as_str(), value) {
            // An inherited value may be absent, and replaces a default.
            (
                "required" | "default" | "dependentRequired" | "minProperties" | "not" | "if"
                | "then" | "else",
                _,
            ) => continue,
            ("$ref", Value::String(reference)) if reference.ends_with(CONDITION) => {
                ("$ref", value.clone())
            }
            ("$ref", Value::String(reference)) => ("$ref", json!(format!("{reference}{PART}"))),
            ("properties", Value::Object(properties)) => {
                ("properties", Value::Object(part_of_properties(properties)))
            }
            ("additionalProperties", Value::Object(_)) => {
                ("additionalProperties", or_removed(value))
            }
            ("items", Value::Object(_)) => ("items", part(value)),
            // Without required keys several forms may fit.
            ("oneOf" | "anyOf" | "allOf", Value::Array(forms)) => {
                let key = if key == "allOf" { "allOf" } else { "anyOf" };
                (key, Value::Array(forms.iter().map(part).collect()))
            }
            (key, value) => (key, value.clone()),
        };
        out.insert(key.to_owned(), value);
    }
    Value::Object(out)
}

fn part_of_properties(properties: &Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in properties {
        let value = if key == "extends" { value.clone() } else { or_removed(value) };
        out.insert(key.clone(), value);
    }
    // An item of a list keeps its name beside `remove`.
    let is_root = properties.contains_key("extends");
    if ["id", "name"].iter().any(|name| properties.contains_key(*name)) && !is_root {
        out.insert(REMOVE.to_owned(), removed());
    }
    out
}

fn or_removed(schema: &Value) -> Value {
    let mut part = part(schema);
    let description = part.as_object_mut().and_then(|part| remove(part, "description"));
    let mut either = json!({ "anyOf": [part, { "$ref": format!("#/$defs/{REMOVAL}") }] });
    if let (Some(either), Some(description)) = (either.as_object_mut(), description) {
        either.insert("description".to_owned(), description);
    }
    either
}

pub(super) fn table(definitions: &mut Definitions, keys: Vec<Key>, about: &[&str]) -> Schema {
    let mut properties = Map::new();
    let mut required: Vec<&str> = Vec::new();
    for key in keys {
        if key.required {
            required.push(key.name);
        }
        let mut schema = (key.schema)(definitions);
        // Also next to a reference to a definition: 2020-12 allows it.
        let mut doc = joined(key.doc);
        if let Some(unit) = schema["description"].as_str() {
            doc = format!("{doc} Write {unit}.");
        }
        schema["description"] = doc.into();
        if let Some(default) = key.default {
            schema["default"] = tree_of(&default());
        }
        properties.insert(key.name.to_owned(), schema);
    }
    json!({
        "type": "object",
        "description": joined(about),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn joined(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    lines.join(" ")
}
