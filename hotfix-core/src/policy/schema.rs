//! The JSON Schema of the format, from the same lists that the reader uses.

use schemars::{Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value};

use super::Policy;
use super::reader::Draft;

/// The JSON Schema (draft 2020-12) of the policy format, for editors; `policies/policy.schema.json` is this text.
///
/// It knows keys, types and ranges of single values; what hangs together is checked by reading alone.
pub fn schema() -> String {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Policy>();
    // Sorted, whatever order the map keeps, so that the text does not depend on features of other crates.
    let mut text = serde_json::to_string_pretty(&sorted(schema.to_value())).unwrap_or_default();
    text.push('\n');
    text
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let mut entries: Vec<(String, Value)> = entries.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
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
        // Beside a reference to a definition, too: 2020-12 allows it.
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
