//! All faults of a document, each with a code, a place and a remedy.

use std::fmt;

use serde::{Serialize, Serializer};

use super::fault::DocumentFault;
use super::node::{Node, Place};
use crate::code::Coded;
use crate::getters::object;
use crate::sorting::sort_by_key;
use crate::text::{counted, shown};

/// The faults of one family of documents.
pub trait FaultFamily: fmt::Display + Coded {
    /// What a list of errors is headed with, after their number: ` in the policy`; empty: no heading.
    const HEADING: &'static str = "";

    /// Whether a text has several documents, so that an error has the number of its document, and one
    /// without a path its line.
    const NUMBERED: bool = false;

    /// Whether an error without a path is one of its line: measurements have lines, no keys.
    const BY_LINE: bool = false;

    /// The fault that a document of any kind may have, if it is one.
    fn of_document(&self) -> Option<&DocumentFault> {
        None
    }
}

/// One error of a document, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError<F> {
    path: String,
    place: Place,
    origin: Option<Origin>,
    fault: F,
}

/// What an error is about, besides its place in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    /// This base is wrong.
    Base(String),
    /// A value of this base is wrong, but only in the inheriting document.
    Inherited(String),
    /// A new item has nearly the name of this inherited one.
    Near(String),
    /// The whole document has a key of this name, which belongs above the first table.
    Above,
}

/// All errors of a document, in the order of its format; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentErrors<F> {
    list: Vec<DocumentError<F>>,
    left_out: usize,
}

impl<F> Default for DocumentErrors<F> {
    fn default() -> Self {
        Self::new()
    }
}

/// A list without duplicates: a part that two others refer to is read twice and reported once.
pub(crate) fn each_once<T: PartialEq>(list: Vec<T>) -> Vec<T> {
    let mut once: Vec<T> = Vec::new();
    for item in list {
        // After sorting by place, duplicates are neighbours, except for others at the same place.
        if !once.iter().rev().take(8).any(|other| *other == item) {
            once.push(item);
        }
    }
    once
}

impl<F> DocumentErrors<F> {
    /// How many errors are kept; further ones are only counted.
    pub const MOST: usize = 1_000;

    pub(crate) const fn new() -> Self {
        Self { list: Vec::new(), left_out: 0 }
    }

    /// One error at a JSON Pointer of a document without a text.
    pub fn of(path: &str, fault: impl Into<F>) -> Self {
        let mut errors = Self::new();
        errors.push(path, fault.into());
        errors
    }

    /// An error whose place in the text is not known yet.
    pub(crate) fn push(&mut self, path: &str, fault: F) {
        self.push_at(Place::default(), path, fault);
    }

    pub(crate) fn push_at(&mut self, place: Place, path: &str, fault: F) {
        if self.is_full() {
            self.left_out += 1;
        } else {
            self.list.push(DocumentError { path: path.to_owned(), place, origin: None, fault });
        }
    }

    pub(crate) fn append(&mut self, other: Self) {
        let room = Self::MOST.saturating_sub(self.list.len()).min(other.list.len());
        self.left_out += other.left_out + other.list.len() - room;
        self.list.extend(other.list.into_iter().take(room));
    }

    /// Adds the errors that are neither within nor around a place with an error: those may follow from it.
    pub(crate) fn append_elsewhere(&mut self, mut other: Self) {
        let is_within = |path: &str, of: &str| {
            path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        other.list.retain(|new| {
            let related = |old: &DocumentError<F>| {
                is_within(&new.path, &old.path) || is_within(&old.path, &new.path)
            };
            !self.list.iter().any(related)
        });
        self.append(other);
    }

    /// Whether further errors are only counted, so that their details are not needed.
    pub(crate) const fn is_full(&self) -> bool {
        self.list.len() >= Self::MOST
    }

    pub(crate) const fn is_clean(&self) -> bool {
        self.list.is_empty()
    }

    /// The same errors for a larger document that contains this one at `path`.
    pub(crate) fn under(mut self, path: &str) -> Self {
        for error in &mut self.list {
            error.path.insert_str(0, path);
        }
        self
    }

    /// The errors in the order of the text, each once.
    pub(crate) fn in_order_of_text(mut self) -> Self
    where
        F: PartialEq,
    {
        sort_by_key(&mut self.list, |error| error.place);
        Self { list: each_once(self.list), ..self }
    }

    /// The value, if there is no error.
    pub(crate) fn or<T>(self, read: Option<T>) -> Result<T, Self> {
        match read {
            Some(read) if self.is_clean() => Ok(read),
            _ => Err(self),
        }
    }

    /// The errors of a document that was merged over its bases, each with the name of the base that its
    /// place is in, if it is in one; the first base is document 1. A key that is missing because `own`,
    /// the document alone, removes it, has its place there. `near` finds the inherited name nearest to
    /// that of a new item, by its path.
    pub(crate) fn inherited(
        mut self,
        bases: &[String],
        own: &Node,
        near: impl Fn(&str) -> Option<String>,
    ) -> Self
    where
        F: FaultFamily,
    {
        for error in &mut self.list {
            let base = (error.place.document as usize).checked_sub(1).and_then(|i| bases.get(i));
            let key = match error.fault.of_document() {
                Some(DocumentFault::MissingKey { key, .. }) => Some(key),
                _ => None,
            };
            let removed = key.and_then(|key| own.at(&format!("{}/{key}", error.path)));
            if let Some(removed) = removed.filter(|value| value.key("remove").is_some()) {
                error.place = removed.place;
            } else if let Some(name) = base {
                error.origin = Some(Origin::Inherited(name.clone()));
            } else if error.origin.is_none() {
                error.origin = near(&error.path).map(Origin::Near);
            }
        }
        self
    }

    /// The errors, with a note for unknown keys that the whole document could have and does not: in
    /// TOML a key belongs to the table above it.
    pub(crate) fn below_a_table(mut self, document: &Node, keys: &[&str]) -> Self
    where
        F: FaultFamily,
    {
        let is_own = |key: &str| document.key(key).is_some_and(|of| of.place.document == 0);
        for error in &mut self.list {
            if let Some(DocumentFault::UnknownKey { key, .. }) = error.fault.of_document()
                && keys.contains(&key.as_str())
                && !is_own(key)
                && document.at(&error.path).is_some_and(|value| value.members().is_empty())
            {
                error.origin = Some(Origin::Above);
            }
        }
        self
    }

    /// The errors as those of this base.
    pub(crate) fn in_base(mut self, name: &str) -> Self {
        for error in &mut self.list {
            error.origin = Some(Origin::Base(name.to_owned()));
        }
        self
    }

    /// The errors with other faults, at the same places.
    pub(crate) fn map<G>(self, map: impl Fn(F) -> G) -> DocumentErrors<G> {
        let of = |DocumentError { path, place, origin, fault }| {
            let fault = map(fault);
            DocumentError { path, place, origin, fault }
        };
        DocumentErrors { list: self.list.into_iter().map(of).collect(), left_out: self.left_out }
    }

    /// The first error; a binding shows its code and place for the whole list.
    pub fn first(&self) -> Option<&DocumentError<F>> {
        self.list.first()
    }

    /// The errors.
    pub fn iter(&self) -> std::slice::Iter<'_, DocumentError<F>> {
        self.list.iter()
    }

    /// The number of errors, including those beyond [`DocumentErrors::MOST`].
    pub const fn count(&self) -> usize {
        self.list.len() + self.left_out
    }

    /// The errors with their places in the document: the error of a default, which has none, goes
    /// to the table around it.
    pub(crate) fn placed_in(mut self, document: &Node) -> Self {
        let unplaced =
            |error: &&mut DocumentError<F>| error.place.line == 0 && error.origin.is_none();
        for error in self.list.iter_mut().filter(unplaced) {
            let (length, place) = document.find(&error.path);
            error.path.truncate(length);
            error.place = place;
        }
        self
    }
}

impl DocumentErrors<DocumentFault> {
    /// The syntax error of a JSON text.
    pub(crate) fn of_json(error: &serde_json::Error, text: &str, document: u32) -> Self {
        let detail = error.to_string();
        if detail.starts_with("recursion limit") {
            return Self::of("", DocumentFault::TooDeep {});
        }
        // The parser adds its position, which the fault has already.
        let detail = detail.split(" at line ").next().unwrap_or_default();
        let mut errors = Self::new();
        // The parser counts the bytes of a line.
        let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
        let before = line.bytes().take(error.column());
        let column = error.column() - before.filter(|byte| byte & 0xc0 == 0x80).count();
        errors.push_syntax("JSON", Place::new(document, error.line(), column), detail);
        errors
    }

    pub(crate) fn push_syntax(&mut self, language: &'static str, place: Place, detail: &str) {
        let (line, column) = (place.line as usize, place.column as usize);
        let detail = if self.is_full() { String::new() } else { shown(detail) };
        self.push_at(place, "", DocumentFault::Syntax { language, line, column, detail });
    }

    /// The errors as faults of a family.
    pub(crate) fn of_family<F: From<DocumentFault>>(self) -> DocumentErrors<F> {
        self.map(F::from)
    }
}

impl<'a, F> IntoIterator for &'a DocumentErrors<F> {
    type Item = &'a DocumentError<F>;
    type IntoIter = std::slice::Iter<'a, DocumentError<F>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<F: FaultFamily> fmt::Display for DocumentErrors<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        if !F::HEADING.is_empty() {
            write!(f, "{}{}", counted(self.count() as u64, "error", "errors"), F::HEADING)?;
            gap = "\n";
        }
        for error in self {
            write!(f, "{gap}{error}")?;
            gap = "\n";
        }
        match self.left_out {
            0 => Ok(()),
            n => write!(f, "\nand {n} more"),
        }
    }
}

impl<F: FaultFamily + fmt::Debug> std::error::Error for DocumentErrors<F> {}

impl<F: FaultFamily> Serialize for DocumentErrors<F> {
    /// The list of its errors.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<F> DocumentError<F> {
    /// The place as a JSON Pointer, such as `/phases/1/share`; for a missing key the table that
    /// lacks it; empty for the whole document.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The number of the document in the text, or of the base, from 0.
    pub const fn document(&self) -> usize {
        self.place.document as usize
    }

    /// The line in the text, from 1; none if no text was read, as in a log.
    pub fn line(&self) -> Option<usize> {
        (self.place.line > 0).then_some(self.place.line as usize)
    }

    /// The column in the line, from 1, in characters.
    pub fn column(&self) -> Option<usize> {
        (self.place.line > 0).then_some(self.place.column as usize)
    }

    /// The base that has the place, if it is not the document itself: line and column are in its
    /// text.
    pub fn base(&self) -> Option<&str> {
        match self.origin.as_ref()? {
            Origin::Base(name) | Origin::Inherited(name) => Some(name),
            Origin::Near(_) | Origin::Above => None,
        }
    }

    /// What is wrong, as data.
    pub const fn fault(&self) -> &F {
        &self.fault
    }
}

impl<F: FaultFamily> DocumentError<F> {
    /// The stable code: `HF-POL-…`, or `HF-UNIT-…` for a single value with a wrong unit or range.
    pub fn code(&self) -> &'static str {
        self.fault.code()
    }

    /// What is wrong and what to do about it.
    pub fn sentence(&self) -> String {
        match &self.origin {
            None => self.fault.to_string(),
            Some(Origin::Near(name)) => format!(
                "{}, or correct the name: the nearest that is inherited is `{name}`",
                self.fault
            ),
            Some(Origin::Above) => format!(
                "{}; it is a key of the document: write it above the first table",
                self.fault
            ),
            Some(Origin::Base(name)) => format!("{} (in the base `{name}`)", self.fault),
            Some(Origin::Inherited(name)) => format!(
                "{} (inherited from `{name}`: write a value of your own in its place, or \
                 `{{ remove = true }}` where the key may be missing)",
                self.fault
            ),
        }
    }
}

impl<F: FaultFamily> fmt::Display for DocumentError<F> {
    /// `HF-POL-010 at line 12, column 9 (/phases/0/share): …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.escape_debug();
        let Place { line, column, .. } = self.place;
        let place = (line > 0).then(|| format!("line {line}, column {column}"));
        let of = self.base().map_or_else(String::new, |base| format!(" of `{base}`"));
        let at = match place {
            place if (F::BY_LINE || F::NUMBERED) && self.path.is_empty() => place,
            _ if self.path.is_empty() => Some("the document".to_owned()),
            Some(place) => Some(format!("{place}{of} ({path})")),
            None => Some(path.to_string()),
        };
        f.write_str(self.code())?;
        if let Some(at) = at {
            write!(f, " at {at}")?;
        }
        write!(f, ": {}", self.sentence())
    }
}

impl<F: FaultFamily + fmt::Debug> std::error::Error for DocumentError<F> {}

impl<F: FaultFamily> Serialize for DocumentError<F> {
    /// `{"code", "path", "document", "line", "column", "base", "message"}`, without what is not
    /// known; `document` only where a text may have several.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object!(serializer, DocumentError:
            code = self.code(), path = self.path,
            document if_some = F::NUMBERED.then(|| self.document()), line if_some = self.line(),
            column if_some = self.column(), base if_some = self.base(), message = self.sentence()
        )
    }
}
