//! Times of a message: in UTC, or at the readers' offset from it.

use std::fmt;
use std::str::FromStr;

use chrono::FixedOffset;

use crate::unit::Timestamp;

use super::MessageError;

/// Offset of the readers' clocks from UTC, in minutes.
///
/// Time zones by name need a table that changes several times a year. The caller has one and passes
/// the offset in force.
///
/// ```
/// use hotfix_core::message::Offset;
/// assert_eq!("+05:30".parse::<Offset>()?.to_string(), "+05:30");
/// assert!("+15:00".parse::<Offset>().is_err());
/// # Ok::<(), hotfix_core::message::MessageError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(i16);

impl Offset {
    /// UTC itself.
    pub const UTC: Self = Self(0);

    /// Creates an offset from minutes east of UTC.
    ///
    /// # Errors
    /// [`MessageError::Offset`] outside of -12 to +14 hours, the range of all time zones.
    pub fn try_from_minutes(minutes: i32) -> Result<Self, MessageError> {
        i16::try_from(minutes)
            .ok()
            .filter(|minutes| (-12 * 60..=14 * 60).contains(minutes))
            .map(Self)
            .ok_or_else(|| MessageError::Offset { got: format!("{minutes} minutes") })
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        let minutes = self.0.unsigned_abs();
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl FromStr for Offset {
    type Err = MessageError;

    fn from_str(text: &str) -> Result<Self, MessageError> {
        let refused = || MessageError::Offset { got: crate::text::shown(text) };
        if matches!(text, "Z" | "UTC") {
            return Ok(Self::UTC);
        }
        let read: FixedOffset = text.parse().map_err(|_| refused())?;
        let offset = Self::try_from_minutes(read.local_minus_utc() / 60).map_err(|_| refused())?;
        // chrono reads other forms, too; `-00:00` is `+00:00`.
        let is_ours = offset.to_string().get(1..) == text.get(1..);
        is_ours.then_some(offset).ok_or_else(refused)
    }
}

/// Clock of a message: the readers' offset, and the time of the message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    offset: Offset,
    now: Timestamp,
}

impl Clock {
    pub(super) const fn new(offset: Offset, now: Timestamp) -> Self {
        Self { offset, now }
    }

    /// `14:40 UTC`; on another day than the message, with the date: `2026-03-04 14:40 UTC`.
    pub(super) fn time(&self, at: Timestamp) -> String {
        let (date, time) = self.local(at);
        let zone = if self.offset == Offset::UTC { String::new() } else { self.offset.to_string() };
        if date == self.local(self.now).0 {
            format!("{time} UTC{zone}")
        } else {
            format!("{date} {time} UTC{zone}")
        }
    }

    /// Date and time of day to the minute.
    fn local(&self, at: Timestamp) -> (String, String) {
        let shift = i64::from(self.offset.0) * 60_000;
        let shifted = Timestamp::try_from_millis(at.as_millis().saturating_add(shift));
        let text = shifted.unwrap_or(at).to_string();
        let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default().to_owned();
        (part(0..10), part(11..16))
    }
}
