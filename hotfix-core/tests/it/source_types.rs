//! The types that serialise, as their sources declare them: fields and values with their comments.
//! It reads what rustfmt leaves: one field or variant at the start of a line.

use std::collections::BTreeMap;

use crate::tree;

/// A field of a struct or of a variant.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) doc: String,
    /// Its own fields stand in the document, not the field itself.
    pub(crate) is_flat: bool,
    pub(crate) is_optional: bool,
}

/// A variant of an enum that is no list of names.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    /// As the document has it.
    pub(crate) name: String,
    pub(crate) doc: String,
    /// The type of its only part, or its fields.
    pub(crate) part: Option<String>,
    pub(crate) fields: Vec<Field>,
}

/// What a type is in a document.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    Fields(Vec<Field>),
    /// By the name of the member that has the variant's name; without one, the variant's name is
    /// the member.
    Variants(Option<String>, Vec<Variant>),
    /// `closed_set!`: texts with their meaning.
    Names(Vec<(String, String)>),
}

/// A type, and whether it is part of the public interface.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub(crate) form: Form,
    pub(crate) is_public: bool,
}

/// The shape of a field's type.
pub(crate) enum Shape {
    Optional(Box<Shape>),
    List(Box<Shape>),
    /// By names of this type.
    By(String, Box<Shape>),
    One(String),
}

/// What one line begins, with its comment, attributes and the lines inside.
struct Entry<'s> {
    doc: String,
    attributes: String,
    head: &'s str,
    body: Vec<&'s str>,
}

/// The entries at this indentation. An entry whose line ends with a brace has the lines up to the
/// closing one.
fn entries<'s>(lines: &[&'s str], indent: usize) -> Vec<Entry<'s>> {
    let mut found = Vec::new();
    let (mut doc, mut attributes) = (String::new(), String::new());
    let mut lines = lines.iter();
    while let Some(line) = lines.next() {
        let text = line.trim_start();
        if text.is_empty() || line.len() - text.len() != indent {
            continue;
        }
        if let Some(comment) = text.strip_prefix("///") {
            let gap = if doc.is_empty() { "" } else { " " };
            doc = format!("{doc}{gap}{}", comment.trim());
        } else if text.starts_with("#[") {
            attributes.push_str(text);
        } else if !text.starts_with("//") {
            let mut body = Vec::new();
            if text.ends_with('{') {
                let is_end = |line: &&&str| {
                    let text = line.trim_start();
                    text.starts_with('}') && line.len() - text.len() == indent
                };
                body = lines.by_ref().take_while(|line| !is_end(line)).copied().collect();
            }
            let (doc, attributes) = (std::mem::take(&mut doc), std::mem::take(&mut attributes));
            found.push(Entry { doc, attributes, head: text, body });
        }
    }
    found
}

/// The text between this opening and the next quote.
fn quoted(text: &str, opening: &str) -> Option<String> {
    let (_, rest) = text.split_once(opening)?;
    rest.split('"').next().map(str::to_owned)
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// The fields of a struct or variant; `no_nulls`: none that is `None` is written.
fn fields(entries: Vec<Entry<'_>>, no_nulls: bool) -> Vec<Field> {
    let serialised = entries.into_iter().filter(|entry| !entry.attributes.contains("serde(skip)"));
    serialised
        .filter_map(|entry| {
            let head = entry.head.trim_end_matches(',');
            let head = head.strip_prefix("pub(super) ").unwrap_or(head);
            let (name, kind) = head.strip_prefix("pub ").unwrap_or(head).split_once(": ")?;
            Some(Field {
                name: quoted(&entry.attributes, "rename = \"").unwrap_or_else(|| name.to_owned()),
                kind: kind.to_owned(),
                doc: entry.doc,
                is_flat: entry.attributes.contains("flatten"),
                is_optional: entry.attributes.contains("skip_serializing_if")
                    || no_nulls
                        && kind.starts_with("Option<")
                        && !entry.attributes.contains("serialize_always"),
            })
        })
        .collect()
}

fn variant(entry: Entry<'_>, is_snake: bool, no_nulls: bool) -> Variant {
    let name = entry.head.split([' ', '(', ',']).next().unwrap_or_default();
    let part = entry.head.split_once('(').map(|(_, part)| part.trim_end_matches(['(', ')', ',']));
    Variant {
        name: if is_snake { snake(name) } else { name.to_owned() },
        doc: entry.doc,
        part: part.map(str::to_owned),
        fields: fields(entries(&entry.body, 8), no_nulls),
    }
}

/// The type that an entry declares, if it serialises.
fn declared(entry: &Entry<'_>) -> Vec<(String, Declared)> {
    let is_public = entry.head.starts_with("pub ");
    let head = entry.head.trim_start_matches("pub(super) ").trim_start_matches("pub ");
    let name = |rest: &str| rest.split(['<', ' ']).next().unwrap_or_default().to_owned();
    if head.ends_with("closed_set! {") {
        let names = |entry: Entry<'_>| {
            let values = entries(&entry.body, 8)
                .into_iter()
                .filter_map(|value| Some((quoted(value.head, "= \"")?, value.doc)));
            (name(entry.head), Declared { form: Form::Names(values.collect()), is_public: true })
        };
        return entries(&entry.body, 4).into_iter().map(names).collect();
    }
    if !entry.attributes.contains("Serialize") || !head.ends_with('{') {
        return Vec::new();
    }
    let no_nulls = entry.attributes.contains("skip_serializing_none");
    if let Some(rest) = head.strip_prefix("struct ") {
        let form = Form::Fields(fields(entries(&entry.body, 4), no_nulls));
        return vec![(name(rest), Declared { form, is_public })];
    }
    let Some(rest) = head.strip_prefix("enum ") else { return Vec::new() };
    let tag = quoted(&entry.attributes, "tag = \"");
    let is_snake = entry.attributes.contains("rename_all = \"snake_case\"");
    let variants = entries(&entry.body, 4).into_iter();
    let variants = variants.map(|entry| variant(entry, is_snake, no_nulls));
    let form = Form::Variants(tag, variants.collect());
    vec![(name(rest), Declared { form, is_public })]
}

/// What is between the angle brackets of this type.
fn inside<'k>(kind: &'k str, name: &str) -> Option<&'k str> {
    kind.strip_prefix(name)?.strip_prefix('<')?.strip_suffix('>')
}

/// The shape of a type.
pub(crate) fn shape(kind: &str) -> Shape {
    let kind = kind.trim().trim_start_matches('&');
    let kind = match kind.split_once(' ') {
        Some((lifetime, rest)) if lifetime.starts_with('\'') => rest,
        _ => kind,
    };
    let by = |pair: &str| {
        let (name, of) = pair.split_once(", ").unwrap_or_else(|| panic!("{pair} is no pair"));
        Shape::By(name.to_owned(), Box::new(shape(of)))
    };
    if let Some(of) = inside(kind, "Option") {
        Shape::Optional(Box::new(shape(of)))
    } else if let Some(of) = inside(kind, "Vec") {
        match of.strip_prefix('(').and_then(|of| of.strip_suffix(')')) {
            Some(pair) => by(pair),
            None => Shape::List(Box::new(shape(of))),
        }
    } else if let Some(of) = kind.strip_prefix('[').and_then(|of| of.strip_suffix(']')) {
        Shape::List(Box::new(shape(of)))
    } else if let Some(pair) = inside(kind, "BTreeMap") {
        by(pair)
    } else if let Some(of) = inside(kind, "Box").or_else(|| inside(kind, "Arc")) {
        shape(of)
    } else if let Some(of) = inside(kind, "Cow") {
        shape(of.split_once(", ").map_or(of, |(_, of)| of))
    } else {
        Shape::One(kind.split('<').next().unwrap_or(kind).to_owned())
    }
}

/// All types of the core that serialise, by name and file.
pub(crate) struct Types {
    all: BTreeMap<String, BTreeMap<String, Declared>>,
    sources: BTreeMap<String, String>,
}

impl Types {
    pub(crate) fn read() -> Self {
        let root = tree::root().join("hotfix-core/src");
        let mut types = Self { all: BTreeMap::new(), sources: BTreeMap::new() };
        for path in tree::sources(&root) {
            let file = tree::shown(&path).trim_start_matches("hotfix-core/src/").to_owned();
            let source = tree::read(&path);
            let lines: Vec<&str> = source.lines().collect();
            for (name, declared) in
                entries(&lines, 0).into_iter().flat_map(|entry| declared(&entry))
            {
                types.all.entry(name).or_default().insert(file.clone(), declared);
            }
            types.sources.insert(file, source);
        }
        types
    }

    /// The type of this name as a file means it: its own, else that of a file in its folder, else
    /// the imported one.
    pub(crate) fn find(&self, from: &str, name: &str) -> Option<(&str, &Declared)> {
        let all = self.all.get(name)?;
        let folder = |file: &str| file.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        let imported = |file: &str| {
            let uses = self.sources[from].split("\nuse ").skip(1);
            let mut uses = uses.map(|text| text.split(';').next().unwrap_or_default());
            let module = file.split('/').next().unwrap_or_default();
            uses.any(|text| text.starts_with(&format!("crate::{module}")) && text.contains(name))
        };
        let find = |fits: &dyn Fn(&str) -> bool| all.iter().find(|(file, _)| fits(file));
        let found = find(&|file| file == from)
            .or_else(|| find(&|file| folder(file) == folder(from)))
            .or_else(|| find(&imported))
            .or_else(|| all.iter().next().filter(|_| all.len() == 1));
        let (file, declared) = found.unwrap_or_else(|| panic!("{from}: which `{name}`? {all:?}"));
        Some((file.as_str(), declared))
    }

    /// The path by which callers import a public type of a file.
    pub(crate) fn path(&self, file: &str, name: &str) -> String {
        let stem = file.trim_end_matches(".rs").trim_end_matches("/mod");
        let Some((folder, module)) = stem.rsplit_once('/').filter(|_| !file.ends_with("/mod.rs"))
        else {
            return format!("{}::{name}", stem.replace('/', "::"));
        };
        let parent = &self.sources[&format!("{folder}/mod.rs")];
        let exports = parent.split(&format!("\npub use {module}::")).nth(1);
        let exports = exports.map_or("", |text| text.split(';').next().unwrap_or_default());
        let folder = folder.replace('/', "::");
        if exports.split(|c: char| !c.is_alphanumeric()).any(|export| export == name) {
            return format!("{folder}::{name}");
        }
        assert!(parent.contains(&format!("\npub mod {module};")), "{file}: `{name}` is hidden");
        format!("{folder}::{module}::{name}")
    }
}
