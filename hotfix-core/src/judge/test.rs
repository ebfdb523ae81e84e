//! One sequential test of any model, with its design.

use crate::policy::section::Model;
use crate::stats::bernoulli::{Bernoulli, BernoulliDesign, BernoulliSettings};
use crate::stats::latency::{Latency, LatencyDesign, LatencySettings, SlowCounts};
use crate::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use crate::stats::{Counts, Direction, Evidence, StatError};

/// What a test is to show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Claim {
    /// The canary is worse than tolerated.
    Worse { alpha: f64, tolerated: f64 },
    /// The canary is better than the margin.
    Better { alpha: f64, margin: f64 },
}

/// A test and its state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// Counts and rare proportions.
    Rate(Box<RateRatioDesign>, RateRatio),
    /// Proportions above about 5%.
    Bernoulli(Box<BernoulliDesign>, Bernoulli),
    /// Latency over several boundaries.
    Latency(Box<LatencyDesign>, Box<Latency>),
}

impl Test {
    /// A test of counts; None for a metric without one.
    pub(super) fn try_new(model: Model, claim: Claim) -> Result<Option<Self>, StatError> {
        let (direction, alpha, tolerated, margin) = claim.figures();
        Ok(match model {
            Model::Poisson => {
                let design = RateRatioDesign::try_new(&RateRatioSettings {
                    direction,
                    alpha,
                    tolerated,
                    margin,
                    ..RateRatioSettings::default()
                })?;
                let state = RateRatio::new(&design);
                Some(Self::Rate(Box::new(design), state))
            }
            Model::Bernoulli => {
                let design = BernoulliDesign::try_new(&BernoulliSettings {
                    direction,
                    alpha,
                    tolerated,
                    margin,
                    ..BernoulliSettings::default()
                })?;
                let state = Bernoulli::new(&design);
                Some(Self::Bernoulli(Box::new(design), state))
            }
            Model::None => None,
        })
    }

    /// A test of slow requests above this many boundaries.
    pub(super) fn try_latency(claim: Claim, boundaries: usize) -> Result<Self, StatError> {
        let (direction, alpha, tolerated, margin) = claim.figures();
        let design = LatencyDesign::try_new(&LatencySettings {
            direction,
            alpha,
            tolerated,
            margin,
            boundaries,
            ..LatencySettings::default()
        })?;
        let state = Latency::new(&design);
        Ok(Self::Latency(Box::new(design), Box::new(state)))
    }

    /// Feeds one tick of counts; says whether the test has decided.
    pub(super) fn feed(&mut self, canary: Counts, baseline: Counts) -> bool {
        match self {
            Self::Rate(design, state) => state.update(design, canary, baseline).unwrap_or(false),
            Self::Bernoulli(design, state) => {
                state.update(design, canary, baseline).unwrap_or(false)
            }
            Self::Latency(..) => false,
        }
    }

    /// Feeds one tick of slow requests.
    pub(super) fn feed_slow(&mut self, canary: SlowCounts<'_>, baseline: SlowCounts<'_>) {
        if let Self::Latency(design, state) = self {
            // Counts were checked when they were read, so the test takes them.
            let _ = state.update(design, canary, baseline);
        }
    }

    /// Log e-value.
    pub(crate) fn log_e(&self) -> f64 {
        match self {
            Self::Rate(design, state) => state.log_e(design),
            Self::Bernoulli(design, state) => state.log_e(design),
            Self::Latency(design, state) => state.log_e(design),
        }
    }

    /// Whether the test alone has ever crossed.
    pub(crate) fn decided(&self) -> bool {
        match self {
            Self::Rate(_, state) => state.decided(),
            Self::Bernoulli(_, state) => state.decided(),
            Self::Latency(_, state) => state.decided(),
        }
    }

    /// Estimated rate ratio; for latency that of slow requests at the loudest boundary.
    pub(crate) fn ratio(&self) -> Option<f64> {
        match self {
            Self::Rate(_, state) => state.ratio(),
            Self::Bernoulli(_, state) => state.ratio(),
            Self::Latency(_, state) => state.totals(state.loudest())?.ratio(),
        }
    }

    /// What a verdict reports on demand.
    pub(crate) fn evidence(&self) -> Evidence {
        match self {
            Self::Rate(design, state) => state.evidence(design),
            Self::Bernoulli(design, state) => state.evidence(design),
            Self::Latency(design, state) => state.evidence(design),
        }
    }
}

impl Claim {
    /// Direction, alpha, tolerated ratio and margin as the settings want them.
    const fn figures(self) -> (Direction, f64, f64, f64) {
        match self {
            // The margin is not used in this direction, but must be a legal one.
            Self::Worse { alpha, tolerated } => {
                (Direction::Worse, alpha, tolerated, 2.0 * tolerated)
            }
            Self::Better { alpha, margin } => (Direction::Better, alpha, 1.0, margin),
        }
    }
}
