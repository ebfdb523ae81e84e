//! One sequential test of any model, with its design.

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::getters::getters;
use crate::policy::section::Model;
use crate::stats::bernoulli::{Bernoulli, BernoulliDesign, CountSettings};
use crate::stats::latency::{
    Latency, LatencyDesign, LatencySettings, SlowCounts, Tolerance, ToleranceDesign,
    ToleranceLimits, ToleranceRead, ToleranceSettings,
};
use crate::stats::rate_ratio::{RateRatio, RateRatioDesign};
use crate::stats::{Counts, Direction, Evidence, StatError, Totals};

use super::evidence_basis::of_counts;
use super::snapshot::Misfit;
use super::strata::OfCounts;

/// The claim of a test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Claim {
    /// The canary is worse than tolerated. With a horizon of planned ticks late changes are
    /// detected, too.
    Worse { alpha: f64, tolerated: f64, horizon: Option<u32> },
    /// The canary is better than the margin; of a latency, up to this quantile. Under noise,
    /// increments are multiplied by `temper`.
    Better { alpha: f64, margin: f64, quantile: Option<f64>, temper: f64 },
}

/// A test: its design and its state, of which a snapshot has the state. Boxed, so that moving it is cheap.
#[derive(Debug, Educe, PartialEq, Serialize)]
#[educe(Clone)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Test {
    /// Counts and rare proportions.
    Rate(#[serde(skip)] Box<RateRatioDesign>, Box<OfCounts<RateRatio>>),
    /// Proportions above about 5%.
    Bernoulli(#[serde(skip)] Box<BernoulliDesign>, Box<OfCounts<Bernoulli>>),
    /// Latency over several boundaries.
    Latency(#[serde(skip)] Box<LatencyDesign>, Box<Latency>),
    /// Latency of a canary that may be somewhat slower.
    Tolerance(#[serde(skip)] Box<ToleranceDesign>, Box<Tolerance>),
}

/// Evidence of counts by the design of some test, such as that without one instance or of one stratum.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CountEvidence {
    Rate(RateRatio),
    Bernoulli(Bernoulli),
}

impl CountEvidence {
    pub(super) fn totals(&self) -> &Totals {
        match self {
            Self::Rate(state) => state.totals(),
            Self::Bernoulli(state) => state.totals(),
        }
    }
}

/// The state of a test as it is read from a snapshot, without its design.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TestRead {
    Rate((Box<OfCounts<RateRatio>>,)),
    Bernoulli((Box<OfCounts<Bernoulli>>,)),
    Latency((Box<Latency>,)),
    Tolerance((Box<ToleranceRead>,)),
}

/// The value of an expression on the design and state of a test of any model.
macro_rules! of_any {
    ($test:expr, $design:pat, $state:pat => $value:expr) => {
        match $test {
            Test::Rate($design, of) => {
                let $state = &of.all;
                $value
            }
            Test::Bernoulli($design, of) => {
                let $state = &of.all;
                $value
            }
            Test::Latency($design, $state) => $value,
            Test::Tolerance($design, $state) => $value,
        }
    };
}

/// As `of_any!`, for a test of counts; None for a latency.
macro_rules! of_rates {
    ($test:expr, $design:pat, $state:pat => $value:expr) => {
        match $test {
            Test::Rate($design, of) => {
                let $state = &of.all;
                Some($value)
            }
            Test::Bernoulli($design, of) => {
                let $state = &of.all;
                Some($value)
            }
            Test::Latency(..) | Test::Tolerance(..) => None,
        }
    };
}
pub(super) use of_rates;

impl Test {
    /// A test of counts; None for a metric without one.
    pub(super) fn try_new(model: Model, claim: Claim) -> Result<Option<Self>, StatError> {
        let (settings, _) = claim.settings();
        Ok(match model {
            Model::Poisson => {
                let design = RateRatioDesign::try_new(&settings)?;
                let state = RateRatio::new(&design);
                Some(Self::Rate(Box::new(design), Box::new(state.into())))
            }
            Model::Bernoulli => {
                let design = BernoulliDesign::try_new(&settings)?;
                let state = Bernoulli::new(&design);
                Some(Self::Bernoulli(Box::new(design), Box::new(state.into())))
            }
            Model::None => None,
        })
    }

    /// A test of slow requests above these boundaries, in seconds. A tolerance that is above 1, or
    /// calibrated, is one of time: how many times as slow the canary may be. `block`: the ticks of
    /// about 30 s.
    pub(super) fn try_latency(
        claim: Claim,
        boundaries: &[f64],
        block: f64,
        calibrated: bool,
    ) -> Result<Self, StatError> {
        let (settings, quantile) = claim.settings();
        let CountSettings { direction, alpha, tolerated, margin, temper, .. } = settings;
        if direction == Direction::Worse && (tolerated > 1.0 || calibrated) {
            let boundaries = boundaries.to_vec();
            let design = ToleranceDesign::try_new(&ToleranceSettings {
                alpha,
                tolerated,
                boundaries,
                block,
            })?;
            let state = Tolerance::new(&design);
            return Ok(Self::Tolerance(Box::new(design), Box::new(state)));
        }
        let design = LatencyDesign::try_new(&LatencySettings {
            direction,
            alpha,
            tolerated,
            margin,
            quantile,
            temper,
            boundaries: boundaries.len(),
            ..LatencySettings::default()
        })?;
        let state = Latency::new(&design);
        Ok(Self::Latency(Box::new(design), Box::new(state)))
    }

    pub(super) fn resume(&mut self, read: TestRead) -> Result<(), Misfit> {
        let taken = match (&mut *self, read) {
            (Self::Rate(of, kept), TestRead::Rate((read,))) => {
                read.all.check(of).map(|()| *kept = read)
            }
            (Self::Bernoulli(of, kept), TestRead::Bernoulli((read,))) => {
                read.all.check(of).map(|()| *kept = read)
            }
            (Self::Latency(of, kept), TestRead::Latency((read,))) => {
                read.check(of).map(|()| *kept = read)
            }
            (Self::Tolerance(_, kept), TestRead::Tolerance((read,))) => kept.resume(&read),
            _ => Err(StatError::DesignMismatch),
        };
        let fits = taken.is_ok() && self.strata().is_none_or(|strata| strata.fits(self));
        if fits { Ok(()) } else { Err("a test") }
    }

    /// Updates the test with one tick of counts, which were checked when they were read, in which
    /// the canary may be `allowed` times as bad.
    #[inline]
    pub(super) fn feed(&mut self, canary: Counts, baseline: Counts, allowed: f64) {
        let _ = match self {
            Self::Rate(design, of) => feed_rate(design, &mut of.all, (canary, baseline), allowed),
            Self::Bernoulli(design, of) => {
                of.all.update_allowing(design, canary, baseline, allowed)
            }
            _ => return,
        };
    }

    /// A copy of the evidence of a test of counts; None for a latency.
    pub(super) fn of_counts(&self) -> Option<CountEvidence> {
        match self {
            Self::Rate(_, of) => Some(CountEvidence::Rate(of.all)),
            Self::Bernoulli(_, of) => Some(CountEvidence::Bernoulli(of.all)),
            _ => None,
        }
    }

    /// Updates other evidence by this test's design, as [`feed`](Self::feed) updates its own.
    #[inline]
    pub(super) fn feed_other(
        &self,
        other: &mut CountEvidence,
        (canary, baseline): (Counts, Counts),
        allowed: f64,
    ) {
        let _ = match (self, other) {
            (Self::Rate(design, _), CountEvidence::Rate(state)) => {
                feed_rate(design, state, (canary, baseline), allowed)
            }
            (Self::Bernoulli(design, _), CountEvidence::Bernoulli(state)) => {
                state.update_allowing(design, canary, baseline, allowed)
            }
            _ => return,
        };
    }

    /// The log e-value of other evidence by this test's design; None if it is of another design.
    pub(super) fn log_e_of(&self, other: &CountEvidence) -> Option<f64> {
        match (self, other) {
            (Self::Rate(design, _), CountEvidence::Rate(state)) => {
                state.check(design).is_ok().then(|| state.log_e(design))
            }
            (Self::Bernoulli(design, _), CountEvidence::Bernoulli(state)) => {
                state.check(design).is_ok().then(|| state.log_e(design))
            }
            _ => None,
        }
    }

    /// Calls `feed` for several ticks at once, with a cap of as many times that of one.
    pub(super) fn widened<R>(&mut self, ticks: f64, feed: impl FnOnce(&mut Self) -> R) -> R {
        if ticks > 1.0 { self.with_caps(ticks, feed) } else { feed(self) }
    }

    /// Calls `feed` while the cap is so many times as large; a test without a cap is fed as it is.
    fn with_caps<R>(&mut self, times: f64, feed: impl FnOnce(&mut Self) -> R) -> R {
        let (threshold, cap) = self.limits();
        let Some(cap) = cap else { return feed(self) };
        self.limit(Some(of_counts(threshold, cap * times)));
        let fed = feed(self);
        self.limit(Some(of_counts(threshold, cap)));
        fed
    }

    /// Feeds one tick of counts by stratum as if all had one ratio: their evidence adds.
    pub(super) fn feed_common(&mut self, strata: &[(Counts, Counts)], allowed: f64) {
        match self {
            Self::Rate(design, of) => {
                let _ = of.all.update_allowing(design, strata, allowed);
            }
            // The estimate of the rate uses earlier data only, so strata may be updated one after
            // the other. Together they may add at most the cap of one tick.
            Self::Bernoulli(..) => self.with_caps(1.0 / strata.len() as f64, |test| {
                for (canary, baseline) in strata {
                    test.feed(*canary, *baseline, allowed);
                }
            }),
            Self::Latency(..) | Self::Tolerance(..) => {}
        }
    }

    pub(super) fn feed_slow(&mut self, canary: SlowCounts<'_>, baseline: SlowCounts<'_>) {
        // Counts were checked when they were read, so the test accepts them.
        let _ = match self {
            Self::Latency(design, state) => state.update(design, canary, baseline).map(drop),
            Self::Tolerance(design, state) => state.update(design, canary, baseline),
            _ => return,
        };
    }

    /// Learns the baseline's times from before the first tick; of a tolerance only.
    pub(super) fn learn_before(&mut self, baseline: SlowCounts<'_>) {
        if let Self::Tolerance(_, state) = self {
            // Counts were checked when they were read.
            let _ = state.learn_before(baseline);
        }
    }

    /// Ends a tick that is as long as `ticks` cadences, after its last stratum; of a tolerance only.
    pub(super) fn end_tick(&mut self, ticks: f64) {
        if let Self::Tolerance(design, state) = self {
            state.end_tick(design, ticks);
        }
    }

    /// Starts the evidence over; that of a latency without a tolerance is kept.
    pub(super) fn restart(&mut self) {
        match self {
            Self::Rate(design, of) => **of = RateRatio::new(design).into(),
            Self::Bernoulli(design, of) => **of = Bernoulli::new(design).into(),
            Self::Latency(..) => {}
            Self::Tolerance(_, state) => state.restart(),
        }
    }

    /// Gives evidence that has less left than a new stake a new one; of a tolerance only.
    pub(super) fn renew(&mut self) {
        if let Self::Tolerance(_, state) = self {
            state.renew();
        }
    }

    /// The test of a latency with a tolerance; None for others.
    pub(super) fn tolerance(&self) -> Option<&Tolerance> {
        if let Self::Tolerance(_, state) = self { Some(state) } else { None }
    }

    /// Sets cap and threshold; None means the test's own. Evidence and earlier decisions are kept.
    pub(super) fn limit(&mut self, limits: Option<ToleranceLimits>) {
        let (cap, threshold) = (limits.map(|of| of.cap), limits.map(|of| of.threshold));
        // A calibration's limits are positive numbers; the test's own are valid already.
        let _ = match self {
            Self::Rate(of, _) => of.with_limits(cap, threshold).map(|limited| **of = limited),
            Self::Bernoulli(of, _) => of.with_limits(cap, threshold).map(|limited| **of = limited),
            Self::Tolerance(of, _) => of.with_limits(limits).map(|limited| **of = limited),
            Self::Latency(..) => return,
        };
    }

    /// Threshold of log e, and the cap in force.
    pub(crate) fn limits(&self) -> (f64, Option<f64>) {
        (self.threshold(), of_rates!(self, design, _ => design.cap()).flatten())
    }

    /// The test of counts and rare proportions; None for another.
    #[inline]
    pub(super) fn rate(&self) -> Option<(&RateRatioDesign, &RateRatio)> {
        match self {
            Self::Rate(design, of) => Some((design, &of.all)),
            _ => None,
        }
    }

    pub(crate) fn log_e(&self) -> f64 {
        match self.strata() {
            None => of_any!(self, design, state => state.log_e(design)),
            Some(strata) => strata.log_e(self),
        }
    }

    /// The part of the log e-value that one reading may raise above any threshold.
    pub(super) fn uncapped(&self) -> f64 {
        match self {
            Self::Tolerance(design, state) => state.uncapped(design),
            _ => self.log_e(),
        }
    }

    /// The log e-value with its [`uncapped`](Self::uncapped) part limited to this.
    pub(super) fn log_e_if(&self, uncapped: f64) -> f64 {
        match self {
            Self::Tolerance(design, state) => state.log_e_if(design, uncapped),
            _ => self.log_e().min(uncapped),
        }
    }

    /// A lower bound of the log e-value of counts; None for latency.
    #[inline]
    pub(super) fn log_e_bound(&self) -> Option<f64> {
        match self.strata() {
            None => of_rates!(self, design, state => state.log_e_bound(design)),
            Some(strata) => Some(strata.log_e(self)),
        }
    }

    /// Whether the test alone has ever crossed.
    pub(crate) fn decided(&self) -> bool {
        match self.strata() {
            None => of_any!(self, _, state => state.decided()),
            Some(strata) => strata.evidence(self).decided,
        }
    }

    /// The totals that [`ratio`](Self::ratio) is of.
    fn loudest(&self) -> Option<Totals> {
        match self {
            Self::Rate(..) | Self::Bernoulli(..) => self.totals(),
            Self::Latency(_, state) => state.totals(state.loudest()),
            Self::Tolerance(_, state) => state.totals(state.loudest()),
        }
    }

    pub(crate) fn evidence(&self) -> Evidence {
        self.strata().map_or_else(|| self.common(), |strata| strata.evidence(self))
    }

    /// Copies another test's state without its design; false where they are of different kinds.
    pub(super) fn keep(&mut self, of: &Self) -> bool {
        match (self, of) {
            (Self::Rate(_, kept), Self::Rate(_, of)) => {
                kept.all.take_over(&of.all);
                kept.strata.clone_from(&of.strata);
            }
            (Self::Bernoulli(_, kept), Self::Bernoulli(_, of)) => kept.clone_from(of),
            (Self::Latency(_, kept), Self::Latency(_, state)) => kept.take_over(state),
            (Self::Tolerance(_, kept), Self::Tolerance(_, state)) => kept.take_over(state),
            _ => return false,
        }
        true
    }
}

// What follows from design and state.
getters! {
    pub(super) fn Test: self;

    is_slightly_slower: bool =
        matches!(self, Self::Tolerance(design, state) if state.is_slightly_slower(design));
    is_raised: bool =
        matches!(self, Self::Tolerance(design, state) if state.is_raised(design));
    /// Totals compared so far; None for latency, which compares several boundaries at once.
    totals: Option<Totals> = of_rates!(self, _, state => *state.totals());
    /// The evidence without what is bet on single strata.
    common: Evidence = of_any!(self, design, state => state.evidence(design));
    /// Estimated rate ratio; for latency that of slow requests at the boundary with the strongest
    /// evidence.
    ratio: Option<f64> = self.loudest()?.ratio();
    /// Whether anything was compared.
    has_compared: bool = self.loudest().is_some_and(|totals| totals.is_compared());
    /// The ratio at the boundary of the null hypothesis.
    null_ratio: f64 = of_any!(self, design, _ => design.null_ratio());
    /// Log e-value `ln(1/α)` at which the test decides by itself.
    threshold: f64 = of_any!(self, design, _ => design.threshold());
    /// Whether a latency may be somewhat slower.
    tolerates: bool = matches!(self, Self::Tolerance(..));
}

impl Claim {
    /// The settings of its test, and of a latency the quantile.
    fn settings(self) -> (CountSettings, Option<f64>) {
        let usual = CountSettings::default();
        match self {
            Self::Worse { alpha, tolerated, horizon } => {
                // The margin is not used in this direction, but it has to be valid.
                let margin = 2.0 * tolerated;
                (CountSettings { alpha, tolerated, margin, horizon, ..usual }, None)
            }
            Self::Better { alpha, margin, quantile, temper } => {
                let direction = Direction::Better;
                (CountSettings { direction, alpha, margin, temper, ..usual }, quantile)
            }
        }
    }
}

/// Updates evidence of counts with one tick; quicker without an allowance, as almost always.
#[inline]
fn feed_rate(
    design: &RateRatioDesign,
    state: &mut RateRatio,
    (canary, baseline): (Counts, Counts),
    allowed: f64,
) -> Result<bool, StatError> {
    if allowed == 1.0 {
        state.update(design, canary, baseline)
    } else {
        state.update_allowing(design, &[(canary, baseline)], allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_2_strata_of_a_tick_add_at_most_the_cap_together() {
        let claim = Claim::Worse { alpha: 0.01, tolerated: 1.0, horizon: None };
        let stratum = (Counts::new(90.0, 100.0), Counts::new(10.0, 100.0));
        for model in [Model::Poisson, Model::Bernoulli] {
            let mut test = Test::try_new(model, claim).unwrap().unwrap();
            test.limit(Some(of_counts(30.0, 2.0)));
            test.feed_strata(&[stratum; 3], 1.0);
            assert!((test.log_e() - 2.0).abs() < 0.1, "{model:?}: {}", test.log_e());
            assert_eq!(test.limits(), (30.0, Some(2.0)));
        }
    }
}
