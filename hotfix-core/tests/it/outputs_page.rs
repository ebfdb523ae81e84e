//! `docs/outputs.md` and the pages with it have every field and value of the documents that a
//! rollout gives, and no other: their tables are made from the types, and real documents are
//! compared with the types. The examples are what a run gives.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hotfix_core::judge::Reason;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::Act;
use serde_json::{Map, Value, json};

use crate::outputs_run::{self, Document};
use crate::source_types::{Declared, Field, Form, Shape, Types, Variant, shape};
use crate::tree;

const PAGES: [&str; 5] = [
    "docs/outputs.md",
    "docs/status.md",
    "docs/verdicts.md",
    "docs/explanations.md",
    "docs/log-lines.md",
];
const END: &str = "<!-- end -->";

/// Name of a type, what the tables call it, and what it is in JSON.
type Other = (&'static str, &'static str, fn(&Value) -> bool);

/// Types without a table here.
const OTHER: [Other; 25] = [
    ("bool", "`true` or `false`", Value::is_boolean),
    // NaN and infinities are null.
    ("f64", "number", |value| value.is_number() || value.is_null()),
    ("f64; 2", "number", Value::is_number),
    ("u32", "whole number", Value::is_u64),
    ("u64", "whole number", Value::is_u64),
    ("usize", "whole number", Value::is_u64),
    ("Share", "share", Value::is_number),
    ("Span", "seconds", Value::is_number),
    ("Timestamp", "time", Value::is_string),
    ("String", "text", Value::is_string),
    ("str", "text", Value::is_string),
    ("Digest", "hash", Value::is_string),
    ("ActionId", "id of an action", Value::is_string),
    ("Name", "id", Value::is_string),
    ("MetricName", "metric", Value::is_string),
    ("PhaseName", "phase", Value::is_string),
    ("RoleName", "role", Value::is_string),
    ("InputKind", "[kind of input](inputs.md#inputs)", Value::is_string),
    ("EventKind", "[kind of line](#lines)", Value::is_string),
    ("Observation", "[readings](inputs.md#readings)", Value::is_object),
    ("Release", "[release](inputs.md#release)", Value::is_object),
    ("Subject", "incident, release, traffic ([inputs.md](inputs.md#incident))", Value::is_object),
    ("Policy", "[policy](policy.md)", Value::is_object),
    ("MetricCalibration", "[calibration](log.md#form)", Value::is_object),
    ("Map", "document", Value::is_object),
];

/// The types, and where the pages have their tables.
struct Reference {
    types: Types,
    /// File and name of a type; page and heading.
    places: BTreeMap<(String, String), (String, String)>,
}

/// File and name of a marker's type.
fn marked(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("<!-- type ")?.strip_suffix(" -->")?.split_once(' ')
}

fn anchor(heading: &str) -> String {
    heading.trim_start_matches(['#', ' ']).replace(' ', "-").to_lowercase()
}

impl Reference {
    fn of(pages: &BTreeMap<&str, String>) -> Self {
        let mut places = BTreeMap::new();
        for (path, page) in pages {
            let mut heading = String::new();
            for line in page.lines() {
                if line.starts_with('#') {
                    heading = anchor(line);
                } else if let Some((file, name)) = marked(line) {
                    let file_of_page = path.trim_start_matches("docs/").to_owned();
                    let place = (file_of_page, heading.clone());
                    let before = places.insert((file.to_owned(), name.to_owned()), place);
                    assert!(before.is_none(), "{name} has two tables");
                }
            }
        }
        Self { types: Types::read(), places }
    }

    fn declared(&self, file: &str, name: &str) -> (&str, &Declared) {
        let found = self.types.find(file, name);
        found.unwrap_or_else(|| panic!("{file}: `{name}` has no source, and is not in OTHER"))
    }

    fn find(&self, file: &str, name: &str) -> (&str, &Form) {
        let (file, declared) = self.declared(file, name);
        (file, &declared.form)
    }

    /// What a value of this shape is called on a page.
    fn words(&self, page: &str, file: &str, shape: &Shape) -> String {
        let name = match shape {
            Shape::Optional(of) => return format!("{}, or null", self.words(page, file, of)),
            Shape::List(of) => return format!("list: {}", self.words(page, file, of)),
            Shape::By(key, of) => {
                let key = self.words(page, file, &Shape::One(key.clone()));
                return format!("by {key}: {}", self.words(page, file, of));
            }
            Shape::One(name) => name,
        };
        if let Some((_, words, _)) = OTHER.iter().find(|(other, ..)| other == name) {
            return (*words).to_owned();
        }
        let (file, form) = self.find(file, name);
        match (self.places.get(&(file.to_owned(), name.clone())), form) {
            (Some((of, heading)), _) => {
                let of = if page.ends_with(of) { "" } else { of };
                format!("[{}]({of}#{heading})", heading.replace('-', " "))
            }
            (None, Form::Names(names)) => {
                names.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            }
            (None, _) => panic!("{file}: `{name}` has no table: add a marker to {PAGES:?}"),
        }
    }

    /// The cells of a field: name, value and meaning.
    fn cells(&self, page: &str, file: &str, field: &Field) -> [String; 3] {
        let shape = match shape(&field.kind) {
            Shape::Optional(of) if field.is_optional || field.is_flat => *of,
            shape => shape,
        };
        let words = self.words(page, file, &shape);
        assert!(!field.doc.is_empty(), "{file}: `{}` has no comment", field.name);
        if field.is_flat {
            return [String::new(), format!("the fields of {words}"), meaning(&field.doc)];
        }
        let optional = if field.is_optional { ", optional" } else { "" };
        [format!("`{}`", field.name), format!("{words}{optional}"), meaning(&field.doc)]
    }

    fn table(&self, page: &str, file: &str, name: &str) -> String {
        let (file, Declared { form, is_public }) = self.declared(file, name);
        let mut rows: Vec<Vec<String>> = Vec::new();
        match form {
            Form::Names(names) => {
                rows.push(["value", "meaning"].map(str::to_owned).into());
                rows.extend(
                    names.iter().map(|(name, doc)| vec![format!("`{name}`"), meaning(doc)]),
                );
            }
            Form::Fields(fields) => {
                rows.push(["field", "value", "meaning"].map(str::to_owned).into());
                rows.extend(fields.iter().map(|field| self.cells(page, file, field).into()));
            }
            Form::Variants(Some(tag), variants) => {
                let head = [&format!("`{tag}`"), "field", "value", "meaning"];
                rows.push(head.map(str::to_owned).into());
                for Variant { name, doc, part, fields } in variants {
                    let part = part.as_ref().map_or_else(String::new, |part| {
                        format!("the fields of {}", self.words(page, file, &shape(part)))
                    });
                    rows.push(vec![format!("`{name}`"), String::new(), part, meaning(doc)]);
                    let cells = fields.iter().map(|field| self.cells(page, file, field));
                    rows.extend(cells.map(|cells| [vec![String::new()], cells.into()].concat()));
                }
            }
            Form::Variants(None, variants) => {
                rows.push(["value", "meaning"].map(str::to_owned).into());
                rows.extend(variants.iter().map(|Variant { name, doc, part, .. }| {
                    let value = part.as_ref().map_or_else(
                        || format!("`\"{name}\"`"),
                        |part| {
                            let words = self.words(page, file, &shape(part));
                            format!("`{{\"{name}\": …}}` with {words}")
                        },
                    );
                    vec![value, meaning(doc)]
                }));
            }
        }
        let mut out = String::new();
        if *is_public {
            writeln!(out, "Rust: `{}`\n", self.types.path(file, name)).unwrap();
        }
        for (number, row) in rows.iter().enumerate() {
            writeln!(out, "| {} |", row.join(" | ").replace("  ", " ")).unwrap();
            if number == 0 {
                writeln!(out, "|{}", "---|".repeat(row.len())).unwrap();
            }
        }
        out
    }

    /// Compares a document with its type.
    fn check(&self, file: &str, shape: &Shape, value: &Value, place: &str) {
        match (shape, value) {
            (Shape::Optional(_), Value::Null) => {}
            (Shape::Optional(of), _) => self.check(file, of, value, place),
            (Shape::List(of), Value::Array(values)) => {
                for value in values {
                    self.check(file, of, value, place);
                }
            }
            (Shape::By(_, of), Value::Object(values)) => {
                for (name, value) in values {
                    self.check(file, of, value, &format!("{place}/{name}"));
                }
            }
            (Shape::One(name), _) => {
                if let Some((.., fits)) = OTHER.iter().find(|(other, ..)| other == name) {
                    return assert!(fits(value), "{place}: {value} is no {name}");
                }
                let (file, form) = self.find(file, name);
                match (form, value) {
                    (Form::Names(names), Value::String(text)) => {
                        let is_known = names.iter().any(|(name, _)| name == text);
                        assert!(is_known, "{place}: `{text}` is not listed");
                    }
                    (Form::Variants(None, variants), Value::String(text)) => {
                        let is_known = variants.iter().any(|variant| variant.name == *text);
                        assert!(is_known, "{place}: `{text}` is not listed");
                    }
                    (_, Value::Object(members)) => {
                        let mut members = members.clone();
                        self.take(file, form, &mut members, place);
                        assert!(members.is_empty(), "{place}: not on the page: {members:?}");
                    }
                    _ => panic!("{place}: {value} is no {name}"),
                }
            }
            _ => panic!("{place}: {value} has another shape"),
        }
    }

    /// Takes the members of a type out of an object.
    fn take(&self, file: &str, form: &Form, members: &mut Map<String, Value>, place: &str) {
        match form {
            Form::Names(_) => panic!("{place}: {members:?}"),
            Form::Fields(fields) => self.take_fields(file, fields, members, place),
            Form::Variants(tag, variants) => {
                let named = |name: &str| variants.iter().find(|variant| variant.name == name);
                let Some(tag) = tag else {
                    let (name, value) = std::mem::take(members).into_iter().next().unwrap();
                    let part = named(&name).and_then(|variant| variant.part.as_ref()).unwrap();
                    return self.check(file, &shape(part), &value, &format!("{place}/{name}"));
                };
                let name = members.remove(tag).unwrap_or_else(|| panic!("{place}: no `{tag}`"));
                let name = name.as_str().unwrap();
                let variant = named(name).unwrap_or_else(|| panic!("{place}: {name} is new"));
                self.take_fields(file, &variant.fields, members, place);
                if let Some(part) = &variant.part {
                    let (file, form) = self.find(file, part);
                    self.take(file, form, members, place);
                }
            }
        }
    }

    fn take_fields(
        &self,
        file: &str,
        fields: &[Field],
        members: &mut Map<String, Value>,
        place: &str,
    ) {
        for Field { name, kind, is_flat, is_optional, .. } in fields {
            let shape = shape(kind);
            let place = format!("{place}/{name}");
            let value = if *is_flat { None } else { members.remove(name) };
            match (value, &shape) {
                (Some(value), _) => self.check(file, &shape, &value, &place),
                (None, Shape::One(name)) if *is_flat => {
                    let (file, form) = self.find(file, name);
                    self.take(file, form, members, &place);
                }
                (None, Shape::Optional(of)) if *is_flat => {
                    let Shape::One(name) = &**of else { panic!("{place}") };
                    let (file, form) = self.find(file, name);
                    let Form::Fields(fields) = form else { panic!("{place}") };
                    if members.contains_key(&fields[0].name) {
                        self.take(file, form, members, &place);
                    }
                }
                (None, _) => assert!(is_optional, "{place} is absent"),
            }
        }
    }
}

/// A comment as a cell: links of rustdoc lead nowhere here.
fn meaning(doc: &str) -> String {
    let mut out = String::new();
    let mut rest = doc;
    while let Some((before, after)) = rest.split_once("[`") {
        let (name, after) = after.split_once("`]").unwrap();
        let target = after.strip_prefix('(').and_then(|after| after.split_once(')'));
        write!(out, "{before}`{name}`").unwrap();
        rest = target.map_or(after, |(_, after)| after);
    }
    out += rest;
    out.replace('|', "\\|")
}

/// A document with as much on a line as fits.
fn pretty(value: &Value, indent: usize) -> String {
    const WIDTH: usize = 112;
    fn on_a_line(value: &Value) -> String {
        let joined = |parts: Vec<String>| parts.join(", ");
        match value {
            Value::Array(all) => format!("[{}]", joined(all.iter().map(on_a_line).collect())),
            Value::Object(all) => {
                let parts = all.iter().map(|(name, of)| format!("\"{name}\": {}", on_a_line(of)));
                format!("{{{}}}", joined(parts.collect()))
            }
            other => other.to_string(),
        }
    }
    let line = on_a_line(value);
    if indent + line.len() <= WIDTH {
        return line;
    }
    let inner = indent + 2;
    let (open, parts, close): (_, Vec<String>, _) = match value {
        Value::Array(all) => ('[', all.iter().map(|of| pretty(of, inner)).collect(), ']'),
        Value::Object(all) => {
            let part = |(name, of): (&String, &Value)| format!("\"{name}\": {}", pretty(of, inner));
            ('{', all.iter().map(part).collect(), '}')
        }
        _ => return line,
    };
    let gap = format!(",\n{}", " ".repeat(inner));
    format!("{open}{}{}\n{}{close}", &gap[1..], parts.join(&gap), " ".repeat(indent))
}

/// A page with the text after each marker made again.
fn made(page: &str, mut make: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some(at) = rest.find("<!-- ") {
        let (before, after) = rest.split_at(at);
        let (marker, after) = after.split_once('\n').unwrap_or((after, ""));
        writeln!(out, "{before}{marker}").unwrap();
        rest = after;
        if let Some(text) = make(marker) {
            let (_, after) = after.split_once(END).unwrap_or_else(|| panic!("{marker} has no end"));
            write!(out, "\n{text}\n{END}").unwrap();
            rest = after;
        }
    }
    out + rest
}

fn pages() -> BTreeMap<&'static str, String> {
    PAGES.into_iter().map(|path| (path, tree::read(&tree::root().join(path)))).collect()
}

#[test]
fn field_5_the_pages_of_outputs_have_each_field_and_value() {
    let pages = pages();
    let reference = Reference::of(&pages);
    let run = outputs_run::run();
    let mut shown = Vec::new();
    for (path, page) in &pages {
        let text = made(page, |marker| {
            if let Some((file, name)) = marked(marker) {
                return Some(reference.table(path, file, name));
            }
            let name = marker.strip_prefix("<!-- example ")?.strip_suffix(" -->")?;
            let example = run.iter().find(|document| document.name == name);
            let example = example.unwrap_or_else(|| panic!("the run has no `{name}`"));
            shown.push(name.to_owned());
            Some(format!("```json\n{}\n```\n", pretty(&example.value, 0)))
        });
        tree::committed(path, &text);
    }
    for Document { name, .. } in run.iter().filter(|document| !document.name.is_empty()) {
        assert!(shown.iter().any(|shown| shown == name), "no page shows the example `{name}`");
    }
}

#[test]
fn field_5_documents_are_as_the_pages_of_outputs_say() {
    let reference = Reference::of(&pages());
    let check = |documents: Vec<Document>| {
        for Document { file, kind, value, .. } in documents {
            reference.check(file, &shape(kind), &value, kind);
        }
    };
    check(outputs_run::run());
    for preset in Policy::presets() {
        check(outputs_run::of_preset(preset));
    }
    for seed in 0..40 {
        let (lines, documents) = outputs_run::of_seed(seed);
        check(documents);
        for mut line in lines {
            // The seal is added to the line; docs/log.md has it.
            line.as_object_mut().unwrap().remove("hash");
            let place = format!("seed {seed}: {}", line["kind"]);
            reference.check("rollout/event.rs", &shape("Event"), &line, &place);
        }
    }
}

/// The cells of the rows under a heading.
fn rows<'p>(page: &'p str, heading: &str) -> Vec<Vec<&'p str>> {
    let (_, rest) = page.split_once(&format!("\n{heading}\n")).unwrap();
    let rows = rest.lines().skip_while(|line| !line.starts_with("| `"));
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn field_5_the_page_of_outputs_says_which_actions_await_an_answer() {
    let pages = pages();
    let values = json!({
        "any_of": [], "audience": "public", "duty": "look", "message": "alert", "method": "redeploy",
        "question": "", "role": "cto", "share": 0.5, "title": "", "version": "2", "why": "",
    });
    let reference = Reference::of(&pages);
    let (_, Form::Variants(_, variants)) = reference.find("rollout/action.rs", "Act") else {
        panic!("actions have kinds")
    };
    let rows = rows(&pages["docs/outputs.md"], "## Actions");
    let told: Vec<String> = rows.iter().map(|row| row[0].replace('`', "")).collect();
    assert_eq!(told, variants.iter().map(|variant| variant.name.clone()).collect::<Vec<_>>());
    for (variant, row) in variants.iter().zip(rows) {
        let mut action = values.clone();
        action["kind"] = json!(variant.name);
        let act: Act = serde_json::from_value(action).unwrap();
        assert_eq!(row[2].contains("`failed`"), act.awaits(), "{}: {}", variant.name, row[2]);
        let names_duty = row[2].contains("`done`") || row[2].contains("`acknowledge`");
        assert_eq!(names_duty, act.duty().is_some(), "{}: {}", variant.name, row[2]);
    }
}

#[test]
fn field_5_the_page_of_verdicts_says_what_follows_from_each_reason() {
    let pages = pages();
    let rows = rows(&pages["docs/verdicts.md"], "### Consequences");
    let mut named: Vec<&str> =
        rows.iter().flat_map(|row| row[0].split('`').skip(1).step_by(2)).collect();
    named.sort_unstable();
    let mut all: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    all.sort_unstable();
    assert_eq!(named, all);
}

#[test]
fn field_5_the_pages_of_outputs_name_what_is_there() {
    let read = |path: &str| tree::read(&tree::root().join(path));
    let header = read("include/hotfix.h");
    let stub = read("hotfix-py/python/hotfix/_core.pyi");
    let sources = tree::sources(&tree::root().join("hotfix-core/src"));
    let sources: String = sources.iter().map(|path| tree::read(path)).collect();
    for (path, page) in pages() {
        let mut rest = page.as_str();
        while let Some((_, after)) = rest.split_once('`') {
            let (code, after) = after.split_once('`').unwrap();
            rest = after;
            let is_there = if code.starts_with("hotfix_") && code != "hotfix_core" {
                header.contains(&format!("{code}(")) || header.contains(&format!(" {code};"))
            } else if let Some(of) = ["rollout.", "plan.", "outcome."]
                .iter()
                .find_map(|object| code.strip_prefix(object).filter(|of| !of.contains(['/', '.'])))
            {
                let name = of.split('(').next().unwrap_or_default();
                stub.contains(&format!("def {name}("))
            } else if let Some((_, name)) =
                code.split_once("::").filter(|(first, _)| first.starts_with(char::is_uppercase))
            {
                // The last form is a line of `getters!`.
                let declarations =
                    [format!("fn {name}("), format!("pub {name}: "), format!("\n    {name}: ")];
                declarations.iter().any(|declaration| sources.contains(declaration))
            } else {
                continue;
            };
            assert!(is_there, "{path}: there is no `{code}`");
        }
    }
}
