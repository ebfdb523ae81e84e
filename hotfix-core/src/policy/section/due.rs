//! When something is due.

use crate::grade::Calendar;
use crate::text::{time, words};
use crate::unit::Span;
use serde::{Serialize, Serializer};
use std::fmt;

/// When something is due: within a duration, or by a day that depends on a calendar.
///
/// ```
/// use hotfix_core::grade::Calendar;
/// use hotfix_core::policy::section::Due;
/// use hotfix_core::unit::Span;
/// assert_eq!(Due::Within(Span::from_seconds(7200)).to_string(), "2h");
/// assert_eq!(Due::Next(Calendar::NextSprint).to_string(), "next_sprint");
/// assert_eq!(Due::Next(Calendar::NextDay).within(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// This long after the moment from which it counts; zero: at once.
    Within(Span),
    /// By this day.
    Next(Calendar),
}

impl Due {
    /// The duration; none if a calendar is needed.
    pub const fn within(self) -> Option<Span> {
        match self {
            Self::Within(span) => Some(span),
            Self::Next(_) => None,
        }
    }

    /// Whether it is never later than another one that counts from the same moment. Which of a duration
    /// and a day comes first is not known.
    pub(crate) fn is_by(self, other: Self) -> bool {
        match (self, other) {
            (Self::Within(first), Self::Within(second)) => first <= second,
            _ => self == other,
        }
    }

    /// For people: `at once`, `30min` or `next day`.
    pub(crate) fn in_words(self) -> String {
        match self {
            Self::Within(span) if span.is_zero() => "at once".to_owned(),
            Self::Within(span) => time(span),
            Self::Next(day) => words(day.as_str()),
        }
    }
}

impl Serialize for Due {
    /// In the wire form of a policy: seconds, whole ones without a fraction, or the name of the
    /// day.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Within(span) if span.as_millis() % 1_000 == 0 => {
                serializer.serialize_u64(span.as_millis() / 1_000)
            }
            Self::Within(span) => span.serialize(serializer),
            Self::Next(day) => day.serialize(serializer),
        }
    }
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(span) => span.fmt(f),
            Self::Next(day) => day.fmt(f),
        }
    }
}
