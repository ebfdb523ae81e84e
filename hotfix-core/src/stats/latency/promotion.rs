//! Calibration of the promotion test of a latency: a margin and a temper with which noise alone
//! promotes no canary that is as bad as the policy's margin.
//!
//! The test is run over the history with simulated canaries at that margin, boundary by boundary:
//! `temper = ln(1/α)/fit(max ln E)`. Where arms wander apart, a test of a smaller margin needs less
//! tempering; the margin is chosen that promotes a healthy canary soonest.

use super::calibration::{FAULTY, Replayed};
use super::{Latency, LatencyDesign, LatencySettings, boundaries_up_to};
use crate::stats::numeric::{larger, ln, smaller};
use crate::stats::replay::fit;
use crate::stats::{Direction, StatError};
use serde::{Deserialize, Serialize};

/// Margins that are tried, as parts of the policy's.
const NEARER: [f64; 6] = [1.0, 0.9, 0.8, 0.7, 0.6, 0.55];

/// Settings of a promotion test, as in [`LatencySettings`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlowPromotion {
    /// Chance of ever promoting a canary that is as bad as the margin.
    pub alpha: f64,
    /// Ratio of slow requests that is too bad to promote.
    pub margin: f64,
    /// Quantile of the baseline up to which boundaries count.
    pub quantile: f64,
}

/// Limits of a promotion test: they promote no canary because of noise that resembles the history.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromotionLimits {
    /// The margin that is tested: the policy's, or less where noise moves the arms apart.
    pub margin: f64,
    /// Factor on every gain.
    pub temper: f64,
}

impl PromotionLimits {
    /// The limits for `times` the history's traffic: what noise adds beyond the usual threshold
    /// grows with the requests.
    pub(super) fn with_traffic(self, times: f64) -> Self {
        Self { temper: 1.0 / (1.0 + (1.0 / self.temper - 1.0) * times), ..self }
    }
}

impl SlowPromotion {
    fn design(
        self,
        boundaries: usize,
        limits: PromotionLimits,
    ) -> Result<LatencyDesign, StatError> {
        let (Self { alpha, quantile, .. }, PromotionLimits { margin, temper }) = (self, limits);
        LatencyDesign::try_new(&LatencySettings {
            direction: Direction::Better,
            alpha,
            margin,
            quantile: Some(quantile),
            temper,
            boundaries,
            ..LatencySettings::default()
        })
    }
}

impl Replayed<'_> {
    /// The limits of a promotion test with which noise alone promotes no canary with as many slow
    /// requests as the margin forbids, be it at one boundary only: those that promote a healthy
    /// canary soonest.
    pub(super) fn promotion(&self, asked: SlowPromotion) -> Result<PromotionLimits, StatError> {
        let nearer = NEARER.into_iter().map(|part| part * asked.margin);
        let mut best: Option<(PromotionLimits, f64)> = None;
        for margin in nearer.filter(|margin| asked.margin <= 1.0 || *margin > 1.0) {
            let temper = self.temper(asked, margin)?;
            let limits = PromotionLimits { margin, temper };
            let delay = self.promoted_after(asked, limits)?;
            // Half a tick is no difference.
            if best.is_none_or(|(_, least)| delay + 0.5 < least) {
                best = Some((limits, delay));
            }
            // Without noise above the usual threshold no nearer margin is better.
            if temper == 1.0 || asked.margin <= 1.0 {
                break;
            }
        }
        Ok(best.map_or(PromotionLimits { margin: asked.margin, temper: 1.0 }, |(limits, _)| limits))
    }

    /// The temper with which a test of `margin` promotes, by noise alone, no canary that is as bad
    /// as `asked.margin`.
    fn temper(&self, asked: SlowPromotion, margin: f64) -> Result<f64, StatError> {
        let len = self.axis.len;
        let design = asked.design(len, PromotionLimits { margin, temper: 1.0 })?;
        let required = boundaries_up_to(self.whole.of(len), asked.quantile);
        let mut maxima = vec![vec![0.0; self.rollouts.len()]; required];
        for (place, rollout) in self.rollouts.iter().enumerate() {
            let mut state = Latency::new(&design);
            self.ticks(*rollout, |canary, mut rest, _| {
                // The rest gets fewer slow requests, not the canary more: that would multiply its
                // chance variation, too.
                rest.slow = rest.slow.map(|slow| smaller(slow / asked.margin, rest.trials));
                state.update(&design, canary.of(len), rest.of(len))?;
                for (boundary, maxima) in maxima.iter_mut().enumerate() {
                    let log_e = state.log_e_at(&design, boundary).unwrap_or_default();
                    maxima[place] = larger(maxima[place], log_e);
                }
                Ok(true)
            })?;
        }
        let least = -ln(asked.alpha);
        let tempers = maxima.iter_mut().map(|maxima| {
            maxima.sort_unstable_by(f64::total_cmp);
            least / fit(maxima, &self.windows, least).0
        });
        Ok(tempers.fold(1.0, smaller))
    }

    /// Mean ticks until a healthy canary is promoted.
    fn promoted_after(
        &self,
        asked: SlowPromotion,
        limits: PromotionLimits,
    ) -> Result<f64, StatError> {
        let len = self.axis.len;
        let design = asked.design(len, limits)?;
        self.mean_ticks(FAULTY, |rollout, ticks| {
            let mut state = Latency::new(&design);
            self.ticks(rollout, |canary, rest, _| {
                *ticks += 1.0;
                Ok(!state.update(&design, canary.of(len), rest.of(len))?)
            })
        })
    }
}
