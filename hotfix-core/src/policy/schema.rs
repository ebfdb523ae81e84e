//! The JSON Schema of the format, generated from the same lists that the reader uses.

use schemars::{Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value, json};

use super::Policy;
use super::reader::Draft;
use crate::sorting::sort_by;

/// The JSON Schema (draft 2020-12) of the policy format, for editors; `policies/policy.schema.json`
/// is this text.
///
/// It checks keys, types and ranges of single values; consistency is checked only when a policy is
/// read. A document that extends others is described by definitions whose names end in `Part`:
/// nothing is required, and `remove = true` is allowed.
pub fn schema() -> String {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Policy>();
    let schema = with_parts(schema.to_value());
    // Sorted, whatever order the map keeps, so that the text does not depend on features of other
    // crates.
    let mut text = serde_json::to_string_pretty(&sorted(schema)).unwrap_or_default();
    text.push('\n');
    text
}

/// Adds for each definition its form in a document that extends others; the root says which of the
/// two applies.
fn with_parts(schema: Value) -> Value {
    let Value::Object(mut whole) = schema else { return schema };
    let mut root = Map::new();
    for key in ["$schema", "title"] {
        root.extend(whole.remove(key).map(|value| (key.to_owned(), value)));
    }
    let mut definitions = match whole.remove("$defs") {
        Some(Value::Object(definitions)) => definitions,
        _ => Map::new(),
    };
    definitions.insert("Policy".to_owned(), Value::Object(whole));
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
    root.insert("if".to_owned(), json!({ "required": ["extends"] }));
    root.insert("then".to_owned(), json!({ "$ref": format!("#/$defs/Policy{PART}") }));
    root.insert("else".to_owned(), json!({ "$ref": "#/$defs/Policy" }));
    root.insert("$defs".to_owned(), Value::Object(definitions));
    Value::Object(root)
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
            ("oneOf" | "anyOf", Value::Array(forms)) => {
                ("anyOf", Value::Array(forms.iter().map(part).collect()))
            }
            ("allOf", Value::Array(forms)) => {
                ("allOf", Value::Array(forms.iter().map(part).collect()))
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
    // As items of a list they keep their name.
    if ["id", "name"].iter().any(|name| properties.contains_key(*name)) && !is_root(properties) {
        out.insert(REMOVE.to_owned(), removed());
    }
    out
}

fn is_root(properties: &Map<String, Value>) -> bool {
    properties.contains_key("extends")
}

fn or_removed(schema: &Value) -> Value {
    let mut part = part(schema);
    let description = part.as_object_mut().and_then(|part| part.remove("description"));
    let mut either = json!({ "anyOf": [part, { "$ref": format!("#/$defs/{REMOVAL}") }] });
    if let (Some(either), Some(description)) = (either.as_object_mut(), description) {
        either.insert("description".to_owned(), description);
    }
    either
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let mut entries: Vec<(String, Value)> = entries.into_iter().collect();
            sort_by(&mut entries, |a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// The schema of a table from its list of keys.
pub(super) fn table<D: Draft>(generator: &mut SchemaGenerator, about: &[&str]) -> Schema {
    let mut properties = Map::new();
    let mut required: Vec<&str> = Vec::new();
    for key in D::keys() {
        if key.required {
            required.push(key.name);
        }
        let mut schema = (key.schema)(generator);
        // Also next to a reference to a definition: 2020-12 allows it.
        let unit = schema.get("description").and_then(Value::as_str).map(str::to_owned);
        let doc = joined(key.doc);
        let doc = unit.map_or_else(|| doc.clone(), |unit| format!("{doc} Write {unit}."));
        schema.insert("description".to_owned(), doc.into());
        if let Some(default) = key.default.and_then(|d| serde_json::to_value(d()).ok()) {
            schema.insert("default".to_owned(), default);
        }
        properties.insert(key.name.to_owned(), schema.to_value());
    }
    json_schema!({
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
