//! Shares, proportions, ratios and frequencies.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{FromNumberOrText, Span, UnitError};

/// A share of the traffic, in basis points so that logs compare exactly; a fraction on the wire.
///
/// ```
/// use hotfix_core::unit::Share;
/// assert_eq!("10%".parse::<Share>()?, Share::from_percent(10));
/// assert_eq!(Share::from_percent(10).as_fraction(), 0.1);
/// assert!("110%".parse::<Share>().is_err());
/// # Ok::<(), hotfix_core::unit::UnitError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u16);

impl Share {
    /// No traffic.
    pub const NONE: Self = Self(0);
    /// All traffic.
    pub const ALL: Self = Self(10_000);

    /// From whole per cent; everything above 100 is 100.
    pub const fn from_percent(percent: u8) -> Self {
        Self(if percent >= 100 { 10_000 } else { percent as u16 * 100 })
    }

    /// From a fraction, to the nearest basis point.
    ///
    /// # Errors
    /// `HF-UNIT-005` outside 0 to 1 or not finite.
    pub fn try_from_fraction(fraction: f64) -> Result<Self, UnitError> {
        if (0.0..=1.0).contains(&fraction) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1")]
            let basis_points = (fraction * 10_000.0).round() as u16;
            Ok(Self(basis_points))
        } else {
            Err(UnitError::ShareRange { got: any_number(fraction) })
        }
    }

    /// The fraction, 0 to 1.
    pub fn as_fraction(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }

    /// The share of the other arm.
    #[must_use]
    pub const fn rest(self) -> Self {
        Self(10_000 - self.0)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.0) / 100.0)
    }
}

impl FromStr for Share {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        Self::try_from_fraction(percentage(text)?)
            .map_err(|_| UnitError::ShareRange { got: text.to_owned() })
    }
}

/// A share of events among trials, 0 to 1; may be far smaller than a basis point.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Proportion(f64);

impl Proportion {
    /// From a fraction.
    ///
    /// # Errors
    /// `HF-UNIT-005` outside 0 to 1 or not finite.
    pub fn try_from_fraction(fraction: f64) -> Result<Self, UnitError> {
        if (0.0..=1.0).contains(&fraction) {
            Ok(Self(fraction))
        } else {
            Err(UnitError::ShareRange { got: any_number(fraction) })
        }
    }

    /// The fraction, 0 to 1.
    pub const fn as_fraction(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Proportion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Twelve significant digits hide that 0.3% is not 0.003 in binary.
        write!(f, "{}%", (self.0 * 1e14).round() / 1e12)
    }
}

impl FromStr for Proportion {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        Self::try_from_fraction(percentage(text)?)
            .map_err(|_| UnitError::ShareRange { got: text.to_owned() })
    }
}

/// A finite number above 0: a ratio, a margin, a tolerance.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Ratio(f64);

impl Ratio {
    /// # Errors
    /// `HF-UNIT-006` unless finite and above 0.
    pub fn try_new(ratio: f64) -> Result<Self, UnitError> {
        if ratio.is_finite() && ratio > 0.0 {
            Ok(Self(ratio))
        } else {
            Err(UnitError::Ratio { got: any_number(ratio) })
        }
    }

    /// The number.
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Ratio {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let refused = || UnitError::Ratio { got: text.to_owned() };
        text.trim()
            .parse()
            .map_err(|_| refused())
            .and_then(|r| Self::try_new(r).map_err(|_| refused()))
    }
}

/// Events per minute, 0 or more; written `"5/min"`, `"20/s"`, `"3/h"`; a number per minute on the
/// wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct PerMinute(f64);

impl PerMinute {
    /// # Errors
    /// `HF-UNIT-007` unless finite and at least 0.
    pub fn try_new(per_minute: f64) -> Result<Self, UnitError> {
        if per_minute.is_finite() && per_minute >= 0.0 {
            Ok(Self(per_minute))
        } else {
            Err(UnitError::PerMinute { got: any_number(per_minute) })
        }
    }

    /// Events per minute.
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl fmt::Display for PerMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/min", self.0)
    }
}

impl FromStr for PerMinute {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let refused = || UnitError::PerMinute { got: text.to_owned() };
        let (number, unit) = text.split_once('/').ok_or_else(refused)?;
        let number: f64 = number.trim().parse().map_err(|_| refused())?;
        let factor = match unit.trim() {
            "s" => 60.0,
            "min" => 1.0,
            "h" => 1.0 / 60.0,
            _ => return Err(refused()),
        };
        Self::try_new(number * factor).map_err(|_| refused())
    }
}

/// A number from outside, without hundreds of digits where it is very large or small.
pub(crate) fn any_number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() || (1e-9..1e21).contains(&value.abs()) {
        (value + 0.0).to_string()
    } else {
        format!("{value:e}")
    }
}

fn percentage(text: &str) -> Result<f64, UnitError> {
    let refused = || UnitError::Share { got: text.to_owned() };
    let text = text.trim();
    match text.strip_suffix('%') {
        Some(number) => number.trim().parse::<f64>().map(|n| n / 100.0).map_err(|_| refused()),
        None => text.parse().map_err(|_| refused()),
    }
}

fn from_number_or_text<'de, T, D>(
    deserializer: D,
    from_number: fn(f64) -> Result<T, UnitError>,
) -> Result<T, D::Error>
where
    T: FromStr<Err = UnitError>,
    D: Deserializer<'de>,
{
    let expected = "a number or a text with a unit";
    deserializer.deserialize_any(FromNumberOrText(expected, from_number, T::from_str))
}

macro_rules! wire {
    ($($type:ty, $read:path, $write:ident;)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_f64(self.$write())
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                from_number_or_text(deserializer, $read)
            }
        }
    )*};
}

wire! {
    Share, Share::try_from_fraction, as_fraction;
    Proportion, Proportion::try_from_fraction, as_fraction;
    Ratio, Ratio::try_new, value;
    PerMinute, PerMinute::try_new, value;
    Span, Span::try_from_seconds, as_seconds;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn met_1_people_write_units_and_the_wire_carries_fractions() {
        assert_eq!("0.3%".parse::<Proportion>().unwrap().to_string(), "0.3%");
        assert_eq!(serde_json::to_string(&Share::from_percent(10)).unwrap(), "0.1");
        assert_eq!(serde_json::from_str::<Share>("\"50%\"").unwrap(), Share::from_percent(50));
        assert_eq!("1000/min".parse::<PerMinute>().unwrap().value(), 1000.0);
        assert!(
            serde_json::from_str::<Share>("10").unwrap_err().to_string().contains("outside 0 to 1")
        );
    }
}
