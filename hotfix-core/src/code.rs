//! Codes of errors, refusals and findings, each with its explanation.
//!
//! `code/explanations.md` is the one table of them. A code keeps its meaning and is never used
//! again.

mod family;

use std::fmt;
use std::sync::LazyLock;

pub use family::Family;

use crate::packed::packed;

/// A code as text: `code! {HF-STAT-001}`.
///
/// Not a string literal, so that its end is not taken for the id of a requirement.
macro_rules! code {
    ($hf:ident-$family:ident-$number:literal) => {
        concat!(stringify!($hf), "-", stringify!($family), "-", stringify!($number))
    };
}
pub(crate) use code;

/// An enumeration of errors or findings: its name, then each variant with its code, as in
/// `Empty { what: String } => "HF-…",`.
///
/// A variant that wraps another error names it, to pass its code on, and may be made from it:
/// `Unit(error: #[from] UnitError) => error.code(),`. Its message has the message of that error,
/// because C and Python show one text. So that error is no `source`: whoever prints the chain would
/// read it twice. The message of a variant is its description, too: variants and fields need no
/// comment where it says what they are.
///
/// A second text for each variant, such as its place or its remedy, follows the code, as in
/// `Empty => "HF-…", "/summary";`; `pub const fn path;` after the name says what gives it.
macro_rules! coded {
    (@from from $name:ident $variant:ident $wrapped:ty) => {
        impl From<$wrapped> for $name {
            fn from(error: $wrapped) -> Self {
                Self::$variant(error)
            }
        }
    };
    (@from $name:ident $variant:ident $wrapped:ty) => {};
    (
        $(#[$about:meta])*
        $vis:vis enum $name:ident;
        $(
            $(#[doc = $of:literal])*
            $(#[error($transparent:ident)])?
            $(#[error($message:literal $($argument:tt)*)])?
            $variant:ident
                $(($inner:tt: $(#[$from:ident])? $wrapped:ty))?
                $({ $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? })?
                => $code:expr,
        )*
    ) => {
        $(#[$about])*
        #[allow(clippy::doc_markdown, reason = "a message may have the name of a value in braces")]
        #[non_exhaustive]
        $vis enum $name {$(
            $(#[doc = $of])*
            $(#[error($transparent)])?
            $(#[doc = $message] #[error($message $($argument)*)])?
            $variant
                $(($wrapped))?
                $({ $($(#[$field_doc])* #[allow(missing_docs)] $field: $type),* })?,
        )*}

        impl $name {
            /// The stable code; a code is never used again.
            #[allow(unused_variables)]
            $vis const fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant $(($inner))? $({ $($field),* })? => $code,)*
                }
            }
        }

        $($($crate::code::coded! { @from $($from)? $name $variant $wrapped })?)*

        impl $crate::code::Coded for $name {
            fn code(&self) -> &'static str {
                Self::code(self)
            }
        }
    };
    (
        $(#[$about:meta])*
        $vis:vis enum $name:ident;
        $(#[$second_doc:meta])*
        $second_vis:vis const fn $second:ident;
        $(
            $(#[$($of:tt)+])*
            $variant:ident
                $(($inner:tt: $(#[$from:ident])? $wrapped:ty))?
                $({ $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? })?
                => $code:expr, $text:expr;
        )*
    ) => {
        $crate::code::coded! {
            $(#[$about])*
            $vis enum $name;
            $(
                $(#[$($of)+])*
                $variant
                    $(($inner: $(#[$from])? $wrapped))?
                    $({ $($(#[$field_doc])* $field: $type),* })?
                    => $code,
            )*
        }

        impl $name {
            $(#[$second_doc])*
            #[allow(unused_variables)]
            $second_vis const fn $second(&self) -> &str {
                match self {
                    $(Self::$variant $(($inner))? $({ $($field),* })? => $text,)*
                }
            }
        }
    };
}
pub(crate) use coded;

/// An error, a refusal or a finding of this library.
pub trait Coded {
    /// The stable code.
    fn code(&self) -> &'static str;
}

static EXPLANATIONS: LazyLock<String> = LazyLock::new(|| packed!("explanations.md").text());

/// The code of an error, a refusal or a finding.
///
/// It is shown as `HF-JSON-001`: the prefix of its family and three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// What the code is about.
    pub family: Family,
    /// Its number in the family, from 1 to 999.
    pub number: u16,
    /// What is wrong, the cause, and what to do, as Markdown; often with an example.
    pub explanation: &'static str,
}

impl Code {
    /// What is wrong, in one sentence.
    ///
    /// ```
    /// use hotfix_core::code::codes;
    ///
    /// let first = codes().next();
    /// let sentence = first.map(|code| code.sentence().replace('\n', " "));
    /// assert_eq!(sentence.as_deref(), Some("A number is NaN or infinite, and JSON has no form for it."));
    /// ```
    pub fn sentence(&self) -> &'static str {
        first(self.explanation)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:03}", self.family.prefix(), self.number)
    }
}

/// All codes, by family and number.
pub fn codes() -> impl Iterator<Item = Code> {
    Family::ALL.iter().flat_map(|family| {
        entries(*family).filter_map(|(number, explanation)| {
            Some(Code { family: *family, number: number.parse().ok()?, explanation })
        })
    })
}

/// The explanation of a code: what is wrong, the cause, and what to do.
///
/// Markdown in lines of at most 100 characters; `hotfix.explain` in Python and
/// `hotfix_code_explain` in C give the same text. None for a code that this release does not have.
///
/// ```
/// use hotfix_core::code::explain;
///
/// let text = explain("HF-POL-041").ok_or("a code of this release")?;
/// assert!(text.contains("**What to do:**"));
/// assert_eq!(explain("HF-POL-999"), None);
/// # Ok::<(), &'static str>(())
/// ```
pub fn explain(code: &str) -> Option<&'static str> {
    let family = family(code)?;
    let number = code.strip_prefix(family.prefix())?;
    entries(family).find(|(known, _)| *known == number).map(|(_, explanation)| explanation)
}

/// What is wrong, in one sentence, by a code's text.
pub(crate) fn meaning(code: &str) -> Option<&'static str> {
    explain(code).map(first)
}

fn first(explanation: &'static str) -> &'static str {
    explanation.split("\n\n").next().unwrap_or_default()
}

/// The family of a code, also of one that a later release added.
///
/// ```
/// use hotfix_core::code::{Family, family};
///
/// assert_eq!(family("HF-JSON-003"), Some(Family::Json));
/// assert_eq!(family("E0308"), None);
/// ```
pub fn family(code: &str) -> Option<Family> {
    Family::ALL.iter().copied().find(|family| code.starts_with(family.prefix()))
}

/// The numbers of a family as they are written, with their explanations.
fn entries(family: Family) -> impl Iterator<Item = (&'static str, &'static str)> {
    let heading = family.prefix().trim_end_matches('-');
    let mut sections = EXPLANATIONS.split("## HF-").skip(1);
    let section = sections.find_map(|section| {
        section.strip_prefix(heading.trim_start_matches("HF-"))?.strip_prefix('\n')
    });
    let entries = section.unwrap_or_default().split("\n### ").skip(1);
    entries.filter_map(|entry| entry.split_once('\n')).map(|(number, text)| (number, text.trim()))
}
