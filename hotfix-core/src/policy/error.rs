//! The errors of a policy: all of them at once, each with a code, a place and a remedy.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::node::PolicyNode;
pub use super::problem::Problem;
pub(super) use super::problem::listed;
pub(super) use crate::text::{nearest, shown};

/// All errors of a policy, in the order of the format; never empty.
///
/// ```
/// use hotfix_core::policy::Policy;
/// let errors = Policy::from_toml("format = 1\nnaem = \"payments\"").unwrap_err();
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
    /// How many errors are kept; further ones are only counted.
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

    /// Whether further errors are only counted, so that their details are not needed.
    pub(super) const fn is_full(&self) -> bool {
        self.list.len() >= Self::MOST
    }

    /// The same with every place in the document: the error of a default, which has no place, goes
    /// to the table around it.
    pub(super) fn placed_in(mut self, document: &PolicyNode) -> Self {
        for error in &mut self.list {
            // These name a key that exists.
            if !matches!(error.problem, Problem::UnknownKey { .. } | Problem::DuplicateKey { .. }) {
                let length = document.present(&error.path);
                error.path.truncate(length);
            }
        }
        self
    }

    /// The same, each with the base from which the value came; `base_of` gives it by top-level key.
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

    /// The first error; a binding shows its code and place for the whole list.
    pub fn first(&self) -> Option<&PolicyError> {
        self.list.first()
    }

    /// The errors.
    pub fn iter(&self) -> std::slice::Iter<'_, PolicyError> {
        self.list.iter()
    }

    /// The number of errors, including those beyond [`PolicyErrors::MOST`].
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

/// One error in a policy.
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

    /// The stable code: `HF-POL-…`, or `HF-UNIT-…` for a single value with a wrong unit or range.
    pub const fn code(&self) -> &'static str {
        self.problem.code()
    }

    /// The place as a JSON Pointer, such as `/phases/1/share`; for a missing key the table that
    /// lacks it.
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

    /// The base from which the top-level key of the place was inherited; none if the policy has the
    /// key itself.
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
