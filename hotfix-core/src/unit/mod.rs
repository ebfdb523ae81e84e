//! Values with units as types: every value of such a type is in range.
//!
//! [`Timestamp`] and [`Span`] for time, [`Share`] for traffic, [`MetricName`] and others for names.
//!
//! Each type reads what people write (`"10min"`, `"0.3%"`, `"250ms"`) and what goes over the wire
//! (seconds, fractions), and writes the wire form.

mod date;
mod measure;
mod name;
mod ref_name;
mod time;

pub use date::Date;
pub(crate) use measure::any_number;
pub use measure::{PerMinute, Proportion, Ratio, Share};
pub use name::{FactName, MetricName, Name, PhaseName, RoleName};
pub(crate) use name::{FromNumberOrText, FromText};
pub(crate) use ref_name::is_invisible;
pub use ref_name::{RefFault, RefName};
pub use time::{Span, Timestamp};

use crate::code::coded;

/// Largest count, exposure or total of an input, 2^53: whole numbers up to it are exact.
pub const MAX_COUNT: f64 = 9_007_199_254_740_992.0;

/// Most characters of a text from outside in a sentence.
pub(crate) const MOST: usize = 64;

/// Whether a field has nothing that has to be written.
pub(crate) fn is_default<T: Default + PartialEq>(field: &T) -> bool {
    *field == T::default()
}

coded! {
    /// A value that is not valid for its unit, with the form that is.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum UnitError;

    /// A duration that is not a number with a unit.
    #[error("`{}` is not a duration: write a number and one of ms, s, min, h, d, as in \"10min\"", shown(.got))]
    Span { got: String } => "HF-UNIT-001",
    /// A duration that is zero or negative, or too long for the clock.
    #[error("the duration `{}` is out of range: it is at most 10000 d and not negative, \
         and above 0 where this key needs it", shown(.got))]
    SpanRange { got: String } => "HF-UNIT-002",
    /// A time that is not RFC 3339.
    #[error("`{}` is not a time: write RFC 3339 with a zone, as in \"2026-03-03T14:40:00.000Z\"", shown(.got))]
    Timestamp { got: String } => "HF-UNIT-003",
    /// A share or proportion that is neither a number nor a percentage.
    #[error("`{}` is not a share: write a fraction as in 0.1, or a percentage as in \"10%\"", shown(.got))]
    Share { got: String } => "HF-UNIT-004",
    /// A share or proportion outside 0 to 1.
    #[error("`{}` is outside 0 to 1: write a fraction as in 0.1, or a percentage as in \"10%\"", shown(.got))]
    ShareRange { got: String } => "HF-UNIT-005",
    /// A ratio that is not a finite number above 0.
    #[error("`{}` is not a ratio: write a finite number above 0, as in 1.1", shown(.got))]
    Ratio { got: String } => "HF-UNIT-006",
    /// A frequency without a unit of time.
    #[error("`{}` is not a frequency: write a number per s, min or h, as in \"5/min\"", shown(.got))]
    PerMinute { got: String } => "HF-UNIT-007",
    /// A name with characters that are not allowed, or too long.
    #[error("`{}` is not a name: use 1 to 31 of a-z, 0-9, `_` and `-`, a letter first", shown(.got))]
    Name { got: String } => "HF-UNIT-008",
    /// A text that is not a calendar date.
    #[error("`{}` is not a date: write year, month and day, as in \"2025-10-14\"", shown(.got))]
    Date { got: String } => "HF-UNIT-009",
    /// A text that is not the id of an action.
    #[error("`{}` is not an action id: write the numbers of its event and of its place in it, as in \"7.1\"", shown(.got))]
    ActionId { got: String } => "HF-UNIT-010",
}

/// Text from outside for an error: one short line, in which what cannot be seen is escaped.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(MOST) {
        if c == '\\' || is_invisible(c) {
            shown.extend(c.escape_debug());
        } else {
            shown.push(c);
        }
    }
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}
