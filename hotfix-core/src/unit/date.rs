//! Calendar dates, such as the day on which a document was changed.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike as _, NaiveDate, NaiveTime};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::{Timestamp, UnitError};

/// A day of the Gregorian calendar, from the year 1 to the year 9999; written `"2025-10-14"`.
///
/// ```
/// use hotfix_core::unit::Date;
/// let changed: Date = "2025-10-14".parse()?;
/// assert_eq!(changed.starts().to_string(), "2025-10-14T00:00:00.000Z");
/// assert_eq!("2025-02-29".parse::<Date>().unwrap_err().code(), "HF-UNIT-009");
/// # Ok::<(), hotfix_core::unit::UnitError>(())
/// ```
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay, DeserializeFromStr,
)]
pub struct Date(NaiveDate);

impl Date {
    /// # Errors
    /// [`UnitError::Date`] if there is no such day, or outside the years 1 to 9999.
    pub fn try_new(year: u16, month: u8, day: u8) -> Result<Self, UnitError> {
        // The parser refuses a day that is not in the calendar.
        format!("{year:04}-{month:02}-{day:02}").parse()
    }

    /// When it starts, in UTC.
    pub fn starts(self) -> Timestamp {
        let millis = self.0.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
        // The years of both types are the same.
        Timestamp::try_from_millis(millis).unwrap_or_default()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

impl FromStr for Date {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        // chrono takes signs and single digits, too.
        date.filter(|date| (1..=9_999).contains(&date.year()))
            .map(Self)
            .filter(|date| date.to_string() == text)
            .ok_or_else(|| UnitError::Date { got: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_5_a_date_is_a_day_of_the_calendar() {
        for text in ["2025-10-14", "2024-02-29", "0001-01-01", "9999-12-31"] {
            let date: Date = text.parse().unwrap();
            assert_eq!(date.to_string(), text);
            assert_eq!(serde_json::from_str::<Date>(&format!("\"{text}\"")).unwrap(), date);
            assert_eq!(serde_json::to_string(&date).unwrap(), format!("\"{text}\""));
        }
        for text in [
            "",
            "2025-02-29",
            "2025-13-01",
            "2025-00-10",
            "0000-01-01",
            "2025-1-14",
            "+025-10-14",
            "2025-10-14T00:00",
            "14.10.2025",
            "2025/10/14",
            "2025-10-1\u{e9}",
            "\u{1F6A8}-10-14",
        ] {
            assert_eq!(text.parse::<Date>().unwrap_err().code(), "HF-UNIT-009", "{text}");
        }
    }

    #[test]
    fn field_5_days_are_ordered_and_start_at_midnight() {
        let (first, next) =
            (Date::try_new(2024, 2, 29).unwrap(), Date::try_new(2024, 3, 1).unwrap());
        assert!(first < next);
        assert_eq!(next.starts().since(first.starts()).to_string(), "1d");
    }
}
