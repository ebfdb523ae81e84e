//! docs/policy.md names every key of the format, and no other: its tables are made from the JSON
//! Schema, the one of facts from the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use hotfix_core::fact::Fact;
use serde_json::Value;

use crate::policy_common::schema;
use crate::tree;

const PAGE: &str = "docs/policy.md";

/// A table of the format: the schema of its keys, and where it stands.
struct Table {
    schema: Value,
    places: Vec<String>,
}

/// The tables by name, as the page's markers have it. A condition has forms, no keys of its own; prose tells of them.
fn tables() -> BTreeMap<String, Table> {
    let schema = schema();
    let mut tables = BTreeMap::new();
    visit(&schema, "Policy", &schema["$defs"]["Policy"], "", &mut tables);
    tables
}

fn visit(
    root: &Value,
    name: &str,
    schema: &Value,
    place: &str,
    tables: &mut BTreeMap<String, Table>,
) {
    let table = tables
        .entry(name.to_owned())
        .or_insert_with(|| Table { schema: schema.clone(), places: Vec::new() });
    if table.places.iter().any(|known| known == place) {
        return;
    }
    table.places.push(place.to_owned());
    for (key, value) in schema["properties"].as_object().unwrap() {
        let at = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
        for (below, name, schema) in inner(root, key, value) {
            visit(root, &name, schema, &format!("{at}{below}"), tables);
        }
    }
}

/// The tables that a value may be made of: the step to them, their name and schema.
fn inner<'s>(root: &'s Value, key: &str, value: &'s Value) -> Vec<(String, String, &'s Value)> {
    if let Some(reference) = value["$ref"].as_str() {
        let name = reference.trim_start_matches("#/$defs/");
        return if name == "Condition" {
            Vec::new()
        } else {
            vec![(String::new(), name.to_owned(), &root["$defs"][name])]
        };
    }
    let mut found = Vec::new();
    for form in value["anyOf"].as_array().into_iter().flatten() {
        found.extend(inner(root, key, form));
    }
    for (step, below) in [("[]", &value["items"]), (".*", &value["additionalProperties"])] {
        if below.is_object() {
            let inner = inner(root, key, below).into_iter();
            found.extend(inner.map(|(rest, name, schema)| (format!("{step}{rest}"), name, schema)));
        }
    }
    // Tables without a definition of their own are named by their key.
    if value["properties"].is_object() {
        found.push((String::new(), key.to_owned(), value));
    }
    found
}

/// A table as the page shows it.
fn shown(table: &Table) -> String {
    let mut out = String::new();
    if !table.places[0].is_empty() {
        let places: Vec<String> = table.places.iter().map(|place| format!("`{place}`")).collect();
        writeln!(out, "At {}.\n", places.join(", ")).unwrap();
    }
    out.push_str("| key | value | without it | what it says |\n|---|---|---|---|\n");
    let keys = table.schema["properties"].as_object().unwrap();
    let (first, then): (Vec<_>, Vec<_>) = keys.iter().partition(|(key, _)| required(table, key));
    for (key, value) in first.into_iter().chain(then) {
        let without = without(table, key, value);
        let doc = value["description"].as_str().unwrap();
        // Units are in the second column; what only one key has stays.
        let doc = doc.split(" Write seconds").next().unwrap();
        let doc = doc.trim_end_matches(" Write a fraction, or a percentage.");
        let doc = doc.trim_end_matches(" Write a ratio.");
        let doc = doc.split(" Write what").next().unwrap();
        let doc = doc.replace('|', "\\|");
        writeln!(out, "| `{key}` | {} | {without} | {doc} |", words(key, value)).unwrap();
    }
    out
}

fn required(table: &Table, key: &str) -> bool {
    table.schema["required"].as_array().is_some_and(|all| all.iter().any(|name| name == key))
}

fn without(table: &Table, key: &str, value: &Value) -> String {
    if required(table, key) {
        return "**required**".to_owned();
    }
    match &value["default"] {
        Value::Null => "–".to_owned(),
        Value::Array(list) if list.is_empty() => "none".to_owned(),
        Value::Object(entries) if entries.is_empty() => {
            let by_name = value["additionalProperties"].is_object() || key == "severities";
            if by_name { "none" } else { "its defaults" }.to_owned()
        }
        Value::String(text) if text.is_empty() => "no text".to_owned(),
        Value::String(text) => format!("`{text}`"),
        Value::Bool(flag) => format!("`{flag}`"),
        Value::Number(number) => format!("`{number}`"),
        other => panic!("{key}: no words for the default {other}"),
    }
}

/// What may stand for a value, with its unit.
fn words(key: &str, value: &Value) -> String {
    if let Some(reference) = value["$ref"].as_str() {
        let name = reference.trim_start_matches("#/$defs/");
        return if name == "Condition" {
            "[condition](#conditions)".to_owned()
        } else {
            link(name)
        };
    }
    if let Some(codes) = value["enum"].as_array() {
        let codes: Vec<String> =
            codes.iter().map(|code| format!("`{}`", code.as_str().unwrap())).collect();
        return codes.join(", ");
    }
    if let Some(forms) = value["anyOf"].as_array() {
        return forms_in_words(key, forms);
    }
    if let Some(only) = value.get("const") {
        return format!("`{only}`");
    }
    match &value["type"] {
        Value::String(kind) => match kind.as_str() {
            "boolean" => "`true`, `false`".to_owned(),
            "integer" => format!("whole number{}", range(value)),
            "number" => format!("number{}", range(value)),
            "string" => match value["pattern"].as_str() {
                None | Some("\\S") => "text".to_owned(),
                Some(pattern) if pattern.starts_with("^[a-z]") => "name".to_owned(),
                Some(pattern) if pattern.starts_with("^[0-9]{4}-") => "date".to_owned(),
                Some(pattern) if pattern.starts_with("^[A-Za-z]") => {
                    "token of a trailer".to_owned()
                }
                Some(pattern) if pattern.starts_with("^[^!/") => "pattern of paths".to_owned(),
                Some(pattern) => panic!("no words for the pattern {pattern}"),
            },
            "array" => format!("list of {}", words(key, &value["items"])),
            "object" if value["properties"].is_object() => link(key),
            "object" => format!("by name: {}", words(key, &value["additionalProperties"])),
            other => panic!("no words for the type {other}"),
        },
        // Its unit is that of what it belongs to.
        Value::Array(kinds) if kinds.iter().all(|kind| kind == "number" || kind == "string") => {
            "figure".to_owned()
        }
        Value::Array(kinds) if kinds.iter().any(|kind| kind == "array") => {
            format!("name, or list of {}", words(key, &value["items"]))
        }
        Value::Array(_) => "yes or no, figure or text".to_owned(),
        other => panic!("no words for {other} of {value}"),
    }
}

/// Where several forms are open; a number beside a text is a duration or a share.
fn forms_in_words(key: &str, forms: &[Value]) -> String {
    let pattern = |form: &Value| form["pattern"].as_str().unwrap_or_default().to_owned();
    let mut out: Vec<String> = Vec::new();
    for form in forms {
        let unit = match pattern(form) {
            pattern if pattern.contains("(ms|s|min|h|d)") => Some("duration"),
            pattern if pattern.contains("%?") => Some("share"),
            _ => None,
        };
        match unit {
            // The number before it has the range.
            Some(unit) => {
                let number = forms.iter().find(|form| form["type"] == "number").unwrap();
                let above = number.get("exclusiveMinimum").is_some();
                out.retain(|form| !form.starts_with("number"));
                out.push(format!("{unit}{}", if above { " above 0" } else { "" }));
            }
            None => out.push(words(key, form)),
        }
    }
    out.join(", or ")
}

fn range(value: &Value) -> String {
    let figure = |key: &str| value.get(key).and_then(Value::as_f64);
    let above = figure("exclusiveMinimum").map(|least| format!(" above {least}"));
    let least = figure("minimum").map(|least| format!(" from {least}"));
    let most = figure("maximum").map(|most| format!(" to {most}"));
    [above, least, most].into_iter().flatten().collect()
}

fn link(name: &str) -> String {
    format!("[{name}](#{})", name.to_lowercase())
}

/// The table of the facts that every policy knows.
fn facts() -> String {
    let mut out = "| fact | kind | question |\n|---|---|---|\n".to_owned();
    for fact in Fact::ALL {
        let (name, kind) = (fact.as_str(), fact.kind().as_str());
        writeln!(out, "| `{name}` | {kind} | {} |", fact.question()).unwrap();
    }
    out
}

fn begin(name: &str) -> String {
    format!("<!-- keys of {name} -->\n")
}

/// The page with this table after its marker.
fn with_table(page: &str, begin: &str, table: &str) -> String {
    let (before, rest) = page.split_once(begin).unwrap_or_else(|| panic!("no {begin}"));
    let (_, after) = rest.split_once(END).unwrap_or_else(|| panic!("{begin} has no end"));
    format!("{before}{begin}\n{table}\n{END}{after}")
}

const FACTS: &str = "<!-- facts -->\n";
const END: &str = "<!-- end -->";

#[test]
fn field_5_the_page_of_the_format_has_every_key_with_unit_and_default() {
    let mut page = tree::read(&tree::root().join(PAGE));
    let tables = tables();
    let marked: Vec<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("<!-- keys of ")?.strip_suffix(" -->"))
        .map(str::to_owned)
        .collect();
    let unique: BTreeSet<&String> = marked.iter().collect();
    assert_eq!(unique.len(), marked.len(), "a table stands twice: {marked:?}");
    assert_eq!(unique, tables.keys().collect(), "{PAGE} must have each table of the format");
    for (name, table) in &tables {
        page = with_table(&page, &begin(name), &shown(table));
    }
    page = with_table(&page, FACTS, &facts());
    tree::committed(PAGE, &page);
}

#[test]
fn field_5_the_page_leaves_no_definition_of_the_schema_out() {
    let (definitions, tables) = (schema(), tables());
    for name in definitions["$defs"].as_object().unwrap().keys() {
        // Variants for documents that extend others; forms, which prose tells of.
        let other = name.ends_with("Part") || name == "Removal" || name == "Condition";
        assert!(other || tables.contains_key(name), "{name} stands nowhere in a policy");
    }
}
