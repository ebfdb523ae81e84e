//! Times and durations, in whole milliseconds so that a log compares exactly.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::measure::any_number;
use super::{FromText, UnitError};

/// A time in UTC, in milliseconds since 1970; between the years 1 and 9999.
/// Written as RFC 3339 with milliseconds and `Z`; any zone is accepted.
///
/// ```
/// use hotfix_core::unit::{Span, Timestamp};
/// let start: Timestamp = "2026-03-03T15:40:00+01:00".parse()?;
/// assert_eq!(start.to_string(), "2026-03-03T14:40:00.000Z");
/// assert_eq!((start + Span::from_seconds(90)).to_string(), "2026-03-03T14:41:30.000Z");
/// # Ok::<(), hotfix_core::unit::UnitError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    const FIRST: i64 = -62_135_596_800_000;
    const LAST: i64 = 253_402_300_799_999;

    /// 2001-09-09T01:46:40Z, the earliest time of a live input. Seconds taken for milliseconds are
    /// before it until the year 33658.
    pub const EARLIEST: Self = Self(1_000_000_000_000);

    /// What is wrong with a time before [`EARLIEST`](Self::EARLIEST) that a person stated.
    pub(crate) const TOO_EARLY: &'static str = "before 2001-09-09: check the year";

    /// The last time that can be represented.
    pub const MAX: Self = Self(Self::LAST);

    /// From milliseconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// `HF-UNIT-003` outside the years 1 to 9999.
    pub fn try_from_millis(millis: i64) -> Result<Self, UnitError> {
        if (Self::FIRST..=Self::LAST).contains(&millis) {
            Ok(Self(millis))
        } else {
            Err(UnitError::Timestamp { got: millis.to_string() })
        }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero where it is not after.
    pub const fn since(self, earlier: Self) -> Span {
        if self.0 > earlier.0 { Span((self.0 - earlier.0).cast_unsigned()) } else { Span(0) }
    }

    /// Reads the wire form only; None for any other text. Every line of a log has a time, and a
    /// reader of all that RFC 3339 allows takes ten times as long.
    fn from_digits(text: &str) -> Option<Self> {
        let text: &[u8; 24] = text.as_bytes().try_into().ok()?;
        let number = |at: usize, width: usize| {
            let digits = text[at..at + width].iter();
            digits.fold(0, |number, digit| 10 * number + i64::from(digit.wrapping_sub(b'0')))
        };
        let days = days(number(0, 4), number(5, 2), number(8, 2));
        let minutes = 60 * number(11, 2) + number(14, 2);
        let millis = 1000 * (60 * minutes + number(17, 2)) + number(20, 3);
        let at = Self(86_400_000 * days + millis);
        // Only the wire form is equal to the time written again.
        ((Self::FIRST..=Self::LAST).contains(&at.0) && at.digits() == *text).then_some(at)
    }

    /// The text of the wire form, without allocating.
    fn digits(self) -> [u8; 24] {
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let (days, in_day) = (self.0.div_euclid(86_400_000), self.0.rem_euclid(86_400_000));
        let (year, month, day) = civil(days);
        let mut put = |at: usize, width: usize, mut value: i64| {
            for digit in text[at..at + width].iter_mut().rev() {
                #[expect(clippy::cast_sign_loss, reason = "a remainder of a year from 1 to 9999")]
                let units = (value % 10) as u8;
                *digit = b'0' + units;
                value /= 10;
            }
        };
        put(0, 4, year);
        put(5, 2, month);
        put(8, 2, day);
        put(11, 2, in_day / 3_600_000);
        put(14, 2, in_day / 60_000 % 60);
        put(17, 2, in_day / 1_000 % 60);
        put(20, 3, in_day % 1_000);
        text
    }
}

/// Days since 1970-01-01 of a date: the inverse of [`civil`]. Fields that are not a date give some
/// other day.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - (month <= 2) as i64;
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since 1970-01-01 (proleptic Gregorian calendar).
///
/// Counts from 0000-03-01, so that the leap day is the last of its year. chrono is used to read
/// times; this exists because every logged event writes one and chrono's writer costs as much as
/// the rest of the event.
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + (month <= 2) as i64, month, day)
}

impl std::ops::Add<Span> for Timestamp {
    type Output = Self;

    /// Later by `span`; stops at the end of the year 9999.
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.0).unwrap_or(i64::MAX)).min(Self::LAST))
    }
}

impl std::ops::Sub<Span> for Timestamp {
    type Output = Self;

    /// Earlier by `span`; stops at the year 1.
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.0).unwrap_or(i64::MAX)).max(Self::FIRST))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        f.write_str(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

impl FromStr for Timestamp {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        if let Some(at) = Self::from_digits(text) {
            return Ok(at);
        }
        let refused = || UnitError::Timestamp { got: text.to_owned() };
        let read = DateTime::parse_from_rfc3339(text).map_err(|_| refused())?;
        Self::try_from_millis(read.timestamp_millis()).map_err(|_| refused())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = self.digits();
        serializer.serialize_str(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "RFC 3339 with a zone, as in \"2026-03-03T14:40:00.000Z\"";
        deserializer.deserialize_str(FromText(expected, Self::from_str))
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(at: Timestamp) -> Self {
        Self::from_timestamp_millis(at.0).unwrap_or_default()
    }
}

/// From the clock of the caller, to the millisecond before.
///
/// ```
/// use chrono::DateTime;
/// use hotfix_core::unit::Timestamp;
/// let now = DateTime::from_timestamp_micros(1_772_548_800_000_500).unwrap_or_default();
/// assert_eq!(Timestamp::try_from(now)?.as_millis(), 1_772_548_800_000);
/// # Ok::<(), hotfix_core::unit::UnitError>(())
/// ```
///
/// # Errors
/// `HF-UNIT-003` outside the years 1 to 9999.
impl TryFrom<DateTime<Utc>> for Timestamp {
    type Error = UnitError;

    fn try_from(at: DateTime<Utc>) -> Result<Self, UnitError> {
        Self::try_from_millis(at.timestamp_millis())
    }
}

/// A duration in whole milliseconds; written `"10min"`, `"250ms"`, `"2h"`; seconds on the wire.
///
/// ```
/// use hotfix_core::unit::Span;
/// assert_eq!("10min".parse::<Span>()?, Span::from_seconds(600));
/// assert!("10 parsecs".parse::<Span>().is_err());
/// # Ok::<(), hotfix_core::unit::UnitError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

impl Span {
    /// No time: the default of a warm-up.
    pub const ZERO: Self = Self(0);
    const LAST: u64 = 10_000 * 86_400_000;

    /// From whole seconds.
    pub const fn from_seconds(seconds: u32) -> Self {
        Self(seconds as u64 * 1_000)
    }

    /// From whole milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From seconds with a fraction, to the nearest millisecond.
    ///
    /// # Errors
    /// `HF-UNIT-002` below 0, above 10,000 days, or not finite.
    pub fn try_from_seconds(seconds: f64) -> Result<Self, UnitError> {
        let millis = (seconds * 1_000.0).round();
        if millis >= 0.0 && millis <= Self::LAST as f64 {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
            let millis = millis as u64;
            Ok(Self(millis))
        } else {
            Err(UnitError::SpanRange { got: any_number(seconds) })
        }
    }

    /// Whole milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Seconds with a fraction.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1_000.0
    }

    /// The seconds of a text with a unit such as `90s`, not rounded to milliseconds.
    ///
    /// # Errors
    /// `HF-UNIT-001` for another text.
    pub(crate) fn seconds_of(text: &str) -> Result<f64, UnitError> {
        let refused = || UnitError::Span { got: text.to_owned() };
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(refused)?;
        let number: f64 = text[..end].parse().map_err(|_| refused())?;
        Ok(match text[end..].trim_start() {
            "ms" => number / 1_000.0,
            "s" => number,
            "min" => number * 60.0,
            "h" => number * 3_600.0,
            "d" => number * 86_400.0,
            _ => return Err(refused()),
        })
    }

    /// True for no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// For the caller's timer.
impl From<Span> for std::time::Duration {
    fn from(span: Span) -> Self {
        Self::from_millis(span.0)
    }
}

impl std::ops::Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::ops::Sub for Span {
    type Output = Self;

    /// What is left; no time where the other is longer.
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Span {
    /// As people write it: the largest unit that divides it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, millis) in [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)] {
            if self.0 >= millis && self.0.is_multiple_of(millis) {
                return write!(f, "{}{unit}", self.0 / millis);
            }
        }
        write!(f, "{}ms", self.0)
    }
}

impl FromStr for Span {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        Self::try_from_seconds(Self::seconds_of(text)?)
            .map_err(|_| UnitError::SpanRange { got: text.trim().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;

    use super::*;

    #[test]
    fn roll_7_a_time_reads_back_as_written() {
        for text in
            ["1970-01-01T00:00:00.000Z", "2024-02-29T23:59:59.999Z", "0001-01-01T00:00:00.000Z"]
        {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn roll_7_our_writer_agrees_with_chrono_on_every_day_of_900_years() {
        for days in -180_000..150_000 {
            let at = Timestamp::try_from_millis(days * 86_400_000 + 12_345_678).unwrap();
            let theirs = DateTime::<Utc>::from(at).to_rfc3339_opts(SecondsFormat::Millis, true);
            assert_eq!(at.to_string(), theirs);
            assert_eq!(Timestamp::from_digits(&theirs), Some(at));
        }
    }

    #[test]
    fn roll_7_the_short_way_of_reading_a_time_takes_no_other_text() {
        let good = "2026-03-03T14:40:59.999Z";
        assert!(Timestamp::from_digits(good).is_some());
        for place in 0..good.len() {
            for byte in 0..128_u8 {
                let mut text = good.as_bytes().to_vec();
                text[place] = byte;
                let text = String::from_utf8(text).unwrap();
                let long = DateTime::parse_from_rfc3339(&text).ok().map(|at| at.timestamp_millis());
                let short = Timestamp::from_digits(&text).map(Timestamp::as_millis);
                assert!(short.is_none() || short == long, "{text}: {short:?}, {long:?}");
            }
        }
        for text in [
            "2026-02-29T00:00:00.000Z",
            "2026-00-10T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-01-32T00:00:00.000Z",
            "2026-01-00T00:00:00.000Z",
            "2026-01-01T24:00:00.000Z",
            "2026-01-01T00:60:00.000Z",
            "2016-12-31T23:59:60.000Z",
            "0000-12-31T00:00:00.000Z",
            "",
        ] {
            assert_eq!(Timestamp::from_digits(text), None, "{text}");
        }
    }

    #[test]
    fn field_5_durations_name_their_unit() {
        assert_eq!("1.5s".parse::<Span>().unwrap().as_millis(), 1_500);
        assert_eq!("0.1 h".parse::<Span>().unwrap().as_millis(), 360_000);
        for text in ["", "10", "min", "-5s", "1e9d", "5 parsecs", "..s"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
        assert_eq!(Span::from_seconds(5400).to_string(), "90min");
    }
}
