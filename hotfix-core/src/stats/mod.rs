//! Sequential tests of canary against baseline, which may be evaluated at every tick.
//!
//! Each test keeps its evidence as the logarithm of an *e-value*: a number whose mean is at most 1
//! while the null hypothesis holds, so that by Ville's inequality it ever reaches `1/α` with chance
//! `α` at most, however many interim analyses are made. This module is the contract of such a test:
//!
//! - a *settings* value has the hypotheses and options; `try_new` checks it and precomputes an
//!   immutable *design*,
//! - a small `Copy` *state* is updated with the counts of each tick and keeps the evidence,
//! - [`Evidence`] is what a verdict reports, [`Bounds`] what is known of it without a logarithm.
//!
//! | module | test | docs/statistics.md |
//! |---|---|---|
//! | [`rate_ratio`] | counts and rare proportions | A1 |
//! | [`bernoulli`] | proportions above about 5% | A2 |
//! | [`ceiling`] | a rate below a ceiling, without a baseline | A ceiling without a baseline |
//! | [`latency`] | slow-request counts above several boundaries | A3 |
//! | [`combine`] | combined evidence of several metrics | A6 |
//! | [`SplitTotals`] | totals by planned split, for an interval | A7 |
//! | [`split`] | traffic that does not fit its planned share | |
//! | [`interval`] | intervals for a verdict | A7 |
//! | [`replay`] | threshold and cap calibrated from an own history | Which mode to choose |
//! | [`randomisation`] | the canary among random subsets of the instances | A5 |
//! | [`instances`] | which canary instance is worse than the others | One bad instance |
//! | [`planning`] | power analysis before a deployment | A8 |
//! | [`fixed`] | fixed-horizon tests: Fisher, Mann–Whitney and others | Fixed-horizon tests |
//! | [`quantile`] | a quantile inside a bucket of a histogram | |
//! | [`numeric`] | logarithms and exponentials, identical bits on every platform | |
//!
//! Nothing here reads a clock, allocates on an update, or depends on the rest of the crate.

use crate::grade::closed_set;
use serde::{Deserialize, Serialize};

pub mod bernoulli;
pub(crate) mod bursts;
pub mod ceiling;
pub mod combine;
mod distribution;
mod draw;
mod error;
pub mod fixed;
mod grid;
pub mod instances;
pub mod interval;
mod kernel;
pub mod latency;
mod mixture;
mod mixture_state;
pub mod numeric;
pub mod planning;
pub mod quantile;
pub mod randomisation;
pub mod rate_ratio;
pub mod replay;
pub mod split;
mod totals;

use error::Range;
pub use error::StatError;
pub use grid::{MAX_GRID, MAX_RATIO};
pub use totals::{MAX_SPLITS, SplitTotals};

pub use crate::unit::MAX_COUNT;

/// Events of one arm, and the trials or the exposure that they come from.
///
/// `trials` is a number of requests for a proportion, or an exposure in any unit (the same in both
/// arms) for a count. Both are from zero to [`MAX_COUNT`]; whole numbers are exact. Every test
/// checks its input, so the fields are public.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Number of events.
    pub events: f64,
    /// Trials, or exposure; zero means 'no data', not 'no errors'.
    pub trials: f64,
}

impl Counts {
    /// Counts as given; the tests check them.
    pub const fn new(events: f64, trials: f64) -> Self {
        Self { events, trials }
    }

    /// Checks that both figures are finite, not negative and at most [`MAX_COUNT`].
    ///
    /// # Errors
    /// [`StatError`] if a number is not finite, negative, or over [`MAX_COUNT`].
    #[inline]
    pub fn check(self) -> Result<(), StatError> {
        if in_range(self.events) & in_range(self.trials) { Ok(()) } else { Err(self.fault()) }
    }

    /// Out of line, because every update contains the check.
    #[cold]
    #[inline(never)]
    fn fault(self) -> StatError {
        StatError::of_count("events", self.events)
            .or(StatError::of_count("trials", self.trials))
            .unwrap_or(StatError::NotFinite { what: "events", value: self.events })
    }

    /// [`check`](Self::check), and that there are no more events than trials.
    ///
    /// # Errors
    /// As for [`check`](Self::check), and [`StatError::EventsExceedTrials`].
    #[inline]
    pub fn check_proportion(self) -> Result<(), StatError> {
        self.check()?;
        if self.events <= self.trials {
            Ok(())
        } else {
            Err(StatError::EventsExceedTrials { events: self.events, trials: self.trials })
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.events += other.events;
        self.trials += other.trials;
    }

    /// These counts less those of a part.
    ///
    /// Exact for whole numbers; a remaining exposure within rounding error of 0 becomes 0.
    fn without(self, part: Self) -> Self {
        let rest = self.trials - part.trials;
        let trials = if rest > self.trials * 1e-12 { rest } else { 0.0 };
        Self::new(numeric::larger(0.0, self.events - part.events), trials)
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |sum, part| {
            Self::new(sum.events + part.events, sum.trials + part.trials)
        })
    }
}

impl<'a> std::iter::Sum<&'a Self> for Counts {
    fn sum<I: Iterator<Item = &'a Self>>(parts: I) -> Self {
        parts.copied().sum()
    }
}

#[inline]
fn in_range(value: f64) -> bool {
    (0.0..=MAX_COUNT).contains(&value)
}

/// Checks both arms of a tick at once, as every update does.
#[inline]
fn check_both(canary: Counts, baseline: Counts) -> Result<(), StatError> {
    // The bits of numbers from 0 on are in the order of the numbers, and any others are above them;
    // minus zero passes the slow check.
    let bits = [canary.events, canary.trials, baseline.events, baseline.trials].map(f64::to_bits);
    if bits[0].max(bits[1]).max(bits[2].max(bits[3])) <= MAX_COUNT.to_bits() {
        return Ok(());
    }
    check_each(canary, baseline)
}

#[cold]
#[inline(never)]
fn check_each(canary: Counts, baseline: Counts) -> Result<(), StatError> {
    canary.check()?;
    baseline.check()
}

/// Counts of both arms, summed over the ticks in which both had trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// The version under test.
    pub canary: Counts,
    /// The version that it is compared with.
    pub baseline: Counts,
}

impl Totals {
    /// Canary rate over baseline rate, with 0.5 in place of a count that is zero; `None` without
    /// trials in both arms, or an event in either: then nothing supports a ratio.
    ///
    /// ```
    /// use hotfix_core::stats::{Counts, Totals};
    /// let totals = Totals { canary: Counts::new(6.0, 1000.0), baseline: Counts::new(9.0, 9000.0)
    /// };
    /// assert_eq!(totals.ratio(), Some(6.0));
    /// assert_eq!(Totals::default().ratio(), None);
    /// ```
    pub fn ratio(&self) -> Option<f64> {
        let has_events = self.canary.events > 0.0 || self.baseline.events > 0.0;
        if !(has_events && self.is_compared()) {
            return None;
        }
        let or_half = |events: f64| if events > 0.0 { events } else { 0.5 };
        let (events_c, events_b) = (or_half(self.canary.events), or_half(self.baseline.events));
        let ratio = events_c / events_b * (self.baseline.trials / self.canary.trials);
        if ratio.is_normal() {
            return Some(ratio);
        }
        // Exposures of 1e-300 take the quotients out of range; the sum of logarithms stays in it.
        let rates = numeric::ln(events_c) - numeric::ln(events_b)
            + numeric::ln(self.baseline.trials)
            - numeric::ln(self.canary.trials);
        Some(numeric::exp(rates).clamp(f64::MIN_POSITIVE, f64::MAX))
    }

    /// Whether both arms had trials.
    #[inline]
    pub(crate) fn is_compared(&self) -> bool {
        self.canary.trials > 0.0 && self.baseline.trials > 0.0
    }

    /// Canary rate over baseline rate, pooled from strata: planned splits, or kinds of users. Of
    /// plain sums, a shock during a larger split, or users who fail more often, would look like an
    /// effect of the canary. With one stratum, or without events in one arm, it is the sums'
    /// [`ratio`](Self::ratio). Source: Mantel and Haenszel (1959), for rates.
    ///
    /// ```
    /// use hotfix_core::stats::{Counts, Totals};
    /// // As many errors as the baseline; twice as many in both with half of the traffic.
    /// let of = |errors: f64, canary, baseline| Totals {
    ///     canary: Counts::new(errors * canary, canary),
    ///     baseline: Counts::new(errors * baseline, baseline),
    /// };
    /// let splits = [of(0.003, 1000.0, 9000.0), of(0.006, 5000.0, 5000.0)];
    /// assert!((Totals::common_ratio(&splits).unwrap() - 1.0).abs() < 1e-12);
    /// ```
    pub fn common_ratio<'a>(strata: impl IntoIterator<Item = &'a Self>) -> Option<f64> {
        let mut sums = Self::default();
        let (mut canary, mut baseline) = (0.0, 0.0);
        for stratum in strata {
            sums.add(stratum.canary, stratum.baseline);
            let trials = stratum.canary.trials + stratum.baseline.trials;
            if trials > 0.0 {
                canary += stratum.canary.events * (stratum.baseline.trials / trials);
                baseline += stratum.baseline.events * (stratum.canary.trials / trials);
            }
        }
        let ratio = canary / baseline;
        if ratio.is_normal() { Some(ratio) } else { sums.ratio() }
    }

    #[inline]
    pub(crate) fn add(&mut self, canary: Counts, baseline: Counts) {
        self.canary.add(canary);
        self.baseline.add(baseline);
    }

    /// Checks totals that were read from a document.
    fn check(&self) -> Result<(), StatError> {
        let figures =
            [self.canary.events, self.canary.trials, self.baseline.events, self.baseline.trials];
        let valid = figures.iter().all(|figure| figure.is_finite() && *figure >= 0.0);
        if valid { Ok(()) } else { Err(StatError::BadState { what: "totals" }) }
    }
}

/// Checks the version of a document of a test's state.
fn check_version(version: u32, known: u32) -> Result<(), StatError> {
    if version == known { Ok(()) } else { Err(StatError::StateVersion { version }) }
}

closed_set! {
    /// What a test is asked to show.
    #[derive(Default)]
    Direction {
        /// That the canary is worse: null 'ratio at most the tolerated one'. Evidence for a
        /// rollback.
        #[default]
        Worse = "worse",
        /// That it is not worse by the margin, or for a margin up to 1 that it is better: null
        /// 'ratio at least the margin'.
        Better = "better",
    }
}

impl Direction {
    /// The other direction's setting, if it is not at its default, with a sentence about it.
    pub fn without_effect(self, tolerated: f64, margin: f64) -> Option<(&'static str, String)> {
        let usual = rate_ratio::RateRatioSettings::default();
        let (key, other, is_usual) = match self {
            Self::Worse => ("margin", Self::Better, margin == usual.margin),
            Self::Better => ("tolerated", Self::Worse, tolerated == usual.tolerated),
        };
        (!is_usual).then(|| (key, format!("`{key}` belongs to direction \"{other}\"")))
    }
}

/// Evidence of one test, as a verdict reports it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Logarithm of the e-value; 0 without data. The design's threshold decides, `ln(1/α)` by
    /// default.
    pub log_e: f64,
    /// `min(1, 1/max E)` over all evaluations so far, from a lower bound of `E`; valid at every
    /// evaluation.
    pub p_value: f64,
    /// Canary rate over baseline rate, see [`Totals::ratio`]; absent without an event.
    pub ratio: Option<f64>,
    /// Whether the evidence has ever reached the threshold; stays once set.
    pub decided: bool,
}

/// Lower and upper bound of the logarithm of an e-value, computed without logarithms or
/// exponentials.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// `max_j (ln w_j + l_j)`.
    pub lower: f64,
    /// `max_j l_j`.
    pub upper: f64,
}

impl Bounds {
    /// The bounds without data: `E = 1`.
    pub const NO_DATA: Self = Self { lower: 0.0, upper: 0.0 };
}

/// Running maximum of a test's evidence, and whether it has crossed the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Watch {
    /// Running maximum of the lower bound of `ln E`; starts at 0, as `E` starts at 1.
    highest: f64,
    decided: bool,
}

impl Watch {
    const START: Self = Self { highest: 0.0, decided: false };

    /// The state after one more evaluation: `ln E` is from `lower` to `lower + slack`. `exact`
    /// gives it, and is called only if these bounds leave the crossing open.
    #[inline]
    fn evaluated(
        mut self,
        lower: f64,
        slack: f64,
        threshold: f64,
        exact: impl FnOnce() -> f64,
    ) -> Self {
        if lower > self.highest {
            self.highest = lower;
        }
        if !self.decided && lower + slack >= threshold {
            self.decided = lower >= threshold || exact() >= threshold;
        }
        self
    }

    fn p_value(self) -> f64 {
        numeric::exp(-self.highest)
    }

    /// The evidence as a verdict reports it.
    fn evidence(self, log_e: f64, ratio: Option<f64>) -> Evidence {
        Evidence { log_e, p_value: self.p_value(), ratio, decided: self.decided }
    }

    /// Checks and builds a state that was read from a document.
    fn restored(highest: f64, decided: bool) -> Result<Self, StatError> {
        if highest.is_finite() && highest >= 0.0 {
            Ok(Self { highest, decided })
        } else {
            Err(StatError::BadState { what: "running maximum" })
        }
    }
}
