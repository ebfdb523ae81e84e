//! What keeps a policy from being read: all of it at once, each with a code, a place and a remedy.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::node::Node;
pub use super::problem::Problem;
pub(super) use super::problem::listed;
pub(super) use crate::text::{nearest, shown};

/// Everything that is wrong with a policy, in the order of the format; never empty.
///
/// ```
/// use hotfix_core::policy::Policy;
/// let errors = Policy::from_toml("format = 1\nnaem = \"house\"").unwrap_err();
/// let naem = errors.iter().find(|e| e.path() == "/naem").unwrap();
/// assert_eq!(naem.code(), "HF-POL-006");
/// assert!(naem.sentence().contains("did you mean `name`"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyErrors {
    list: Vec<PolicyError>,
    left_out: usize,
}

impl PolicyErrors {
    /// How many errors are kept; the rest is counted.
    pub const MOST: usize = 1_000;

    pub(super) const fn new() -> Self {
        Self { list: Vec::new(), left_out: 0 }
    }

    pub(super) fn of(path: &str, problem: Problem) -> Self {
        Self { list: vec![PolicyError::new(path, problem)], left_out: 0 }
    }

    pub(super) fn push(&mut self, path: &str, problem: Problem) {
        if self.is_full() {
            self.left_out += 1;
        } else {
            self.list.push(PolicyError::new(path, problem));
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        for error in other.list {
            self.push(&error.path, error.problem);
        }
        self.left_out += other.left_out;
    }

    /// Whether further errors are only counted, so that nothing need be found out about them.
    pub(super) const fn is_full(&self) -> bool {
        self.list.len() >= Self::MOST
    }

    /// The same with every place in the document: a default stands nowhere, so its error goes to the table around it.
    pub(super) fn placed_in(mut self, document: &Node) -> Self {
        for error in &mut self.list {
            // These name a key that was met.
            if !matches!(error.problem, Problem::UnknownKey { .. } | Problem::DuplicateKey { .. }) {
                let length = document.present(&error.path);
                error.path.truncate(length);
            }
        }
        self
    }

    /// The same, each saying from which base the value came; `base_of` knows it by top-level key.
    pub(super) fn inherited<'a>(mut self, base_of: impl Fn(&str) -> Option<&'a str>) -> Self {
        for error in &mut self.list {
            let key = error.path.split('/').nth(1).unwrap_or_default();
            error.base = base_of(key).map(str::to_owned);
        }
        self
    }

    pub(super) const fn is_clean(&self) -> bool {
        self.list.is_empty()
    }

    /// The first error; its code and place are what a binding shows of the whole list.
    pub fn first(&self) -> Option<&PolicyError> {
        self.list.first()
    }

    /// The errors.
    pub fn iter(&self) -> std::slice::Iter<'_, PolicyError> {
        self.list.iter()
    }

    /// How many there are, those beyond [`PolicyErrors::MOST`] included.
    pub const fn count(&self) -> usize {
        self.list.len() + self.left_out
    }
}

impl<'a> IntoIterator for &'a PolicyErrors {
    type Item = &'a PolicyError;
    type IntoIter = std::slice::Iter<'a, PolicyError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count() {
            1 => write!(f, "1 error in the policy")?,
            n => write!(f, "{n} errors in the policy")?,
        }
        for error in self {
            write!(f, "\n{error}")?;
        }
        match self.left_out {
            0 => Ok(()),
            n => write!(f, "\nand {n} more"),
        }
    }
}

impl std::error::Error for PolicyErrors {}

impl Serialize for PolicyErrors {
    /// The list of its errors.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

/// One thing that is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    path: String,
    problem: Problem,
    base: Option<String>,
}

impl PolicyError {
    fn new(path: &str, problem: Problem) -> Self {
        Self { path: path.to_owned(), problem, base: None }
    }

    /// The stable code: `HF-POL-…`, or `HF-UNIT-…` where a single value has a wrong unit or range.
    pub const fn code(&self) -> &'static str {
        self.problem.code()
    }

    /// The place as a JSON Pointer, `/phases/1/share`; for a missing key that of the table which lacks it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong and what to do about it.
    pub fn sentence(&self) -> String {
        match &self.base {
            None => self.problem.to_string(),
            Some(base) => format!("{} (inherited from `{base}`)", self.problem),
        }
    }

    /// The base from which the whole top-level key came that the place is in; none where the policy has the key itself.
    pub fn base(&self) -> Option<&str> {
        self.base.as_deref()
    }

    /// What is wrong, as data.
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.path.is_empty() { "the document" } else { &self.path };
        write!(f, "{} at {}: {}", self.code(), place.escape_debug(), self.sentence())
    }
}

impl std::error::Error for PolicyError {}

impl Serialize for PolicyError {
    /// `{"code": …, "path": …, "sentence": …}`, for bindings.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut error = serializer.serialize_struct("PolicyError", 3)?;
        error.serialize_field("code", self.code())?;
        error.serialize_field("path", self.path())?;
        error.serialize_field("sentence", &self.sentence())?;
        error.end()
    }
}
