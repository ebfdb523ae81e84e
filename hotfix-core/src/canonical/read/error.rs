//! Why text does not hold the value that was to be read.

use serde::de::{self, Expected, Unexpected};
use std::fmt::{self, Display};

/// Why a value cannot be read, in serde's words, with the cause as data, of which a reader of
/// documents makes its own message. It is boxed, so that what was read stays small in a result.
#[derive(Debug)]
pub(crate) struct ReadError(Box<Unread>);

#[derive(Debug)]
pub(crate) struct Unread {
    /// Member names and indices on the way to the fault, the innermost first.
    pub(crate) path: Vec<String>,
    pub(crate) text: String,
    pub(crate) cause: Cause,
}

/// What is wrong with a value.
#[derive(Debug)]
pub(crate) enum Cause {
    /// A fault that only `text` describes, such as one that a type reports itself.
    Other,
    /// The value has another type or length.
    Type { got: String, expected: String },
    /// The value is beyond the limits of its type.
    Range { got: String, expected: String },
    /// The value is not one of the known texts.
    UnknownText { got: String, known: &'static [&'static str] },
    /// A member that its object does not have.
    UnknownMember { key: String, known: &'static [&'static str] },
    /// This member is missing in the object.
    Missing(&'static str),
}

impl ReadError {
    #[cold]
    #[inline(never)]
    fn new(text: &dyn Display, cause: Cause) -> Self {
        Self(Box::new(Unread { path: Vec::new(), text: text.to_string(), cause }))
    }

    /// Adds the member name or index of the enclosing value to the path.
    #[cold]
    #[inline(never)]
    pub(super) fn within(mut self, step: String) -> Self {
        self.0.path.push(step);
        self
    }

    /// What it consists of.
    pub(crate) fn into_parts(self) -> Unread {
        *self.0
    }
}

impl Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl std::error::Error for ReadError {}

/// Words for a value that was not expected.
#[cold]
#[inline(never)]
fn shown(got: Unexpected<'_>) -> String {
    match got {
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "an object".to_owned(),
        Unexpected::Unit => "null".to_owned(),
        _ => got.to_string(),
    }
}

/// Messages are worded as those of `serde_json`.
impl de::Error for ReadError {
    #[cold]
    #[inline(never)]
    fn custom<T: Display>(fault: T) -> Self {
        Self::new(&fault, Cause::Other)
    }

    #[cold]
    #[inline(never)]
    fn invalid_type(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let cause = Cause::Type { got: shown(got), expected: expected.to_string() };
        Self::new(&<serde_json::Error as de::Error>::invalid_type(got, expected), cause)
    }

    #[cold]
    #[inline(never)]
    fn invalid_value(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let cause = Cause::Range { got: shown(got), expected: expected.to_string() };
        Self::new(&<serde_json::Error as de::Error>::invalid_value(got, expected), cause)
    }

    #[cold]
    #[inline(never)]
    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let got = format!("a list of {length}");
        let cause = Cause::Type { got, expected: expected.to_string() };
        Self::new(&format_args!("invalid length {length}, expected {expected}"), cause)
    }

    #[cold]
    #[inline(never)]
    fn unknown_variant(got: &str, known: &'static [&'static str]) -> Self {
        let cause = Cause::UnknownText { got: got.to_owned(), known };
        Self::new(&<serde_json::Error as de::Error>::unknown_variant(got, known), cause)
    }

    #[cold]
    #[inline(never)]
    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        let cause = Cause::UnknownMember { key: key.to_owned(), known };
        Self::new(&<serde_json::Error as de::Error>::unknown_field(key, known), cause)
    }

    #[cold]
    #[inline(never)]
    fn missing_field(key: &'static str) -> Self {
        Self::new(&format_args!("missing field `{key}`"), Cause::Missing(key))
    }

    #[cold]
    #[inline(never)]
    fn duplicate_field(key: &'static str) -> Self {
        Self::new(&format_args!("duplicate field `{key}`"), Cause::Other)
    }
}
