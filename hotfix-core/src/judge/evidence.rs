//! The full evidence of one metric, computed on demand.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::grade::EvidenceMode;
use crate::plan::Plan;
use crate::stats::interval::{Interval, null_is_infinite, null_or_finite, wilson};
use crate::stats::numeric::ln;
use crate::stats::{Counts, Totals};
use crate::unit::MetricName;

use super::Judge;
use super::aligned::Aligned;
use super::bursts::KnownBursts;
use super::evidence_basis::Guarantee;
use super::watched::Watched;

/// Confidence of the intervals of each arm.
const OF_AN_ARM: f64 = 0.95;

/// The evidence of one metric, with totals, intervals, thresholds and guarantee.
///
/// Counts are of bad events: failures where the metric counts successes. Absent values are not
/// defined: totals and intervals of a latency, which compares several boundaries at once, and
/// results of a test that no phase uses.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricEvidence {
    /// Type I error: chance of ever rolling back a release that is no worse; all tested metrics
    /// share it by their weights.
    pub alpha: f64,
    /// Most that one tick adds to the evidence.
    pub cap: Option<f64>,
    /// Whether this metric alone has ever reached `threshold`. In mode `randomised` the comparison
    /// of instances decides instead, by `p_value`; in `both` they have to agree.
    pub decided: bool,
    /// Basis of the false-rollback rate.
    pub guarantee: Guarantee,
    /// Log evidence from which this metric alone holds a promotion; null if it never does.
    #[serde(deserialize_with = "null_is_infinite", serialize_with = "null_or_finite")]
    pub hold: f64,
    /// Interval for the ratio at confidence `1 - alpha`, valid at every evaluation for independent
    /// errors; null for an infinite end.
    pub interval: Option<Interval>,
    /// Log e-value that the canary is worse than tolerated.
    pub log_e: f64,
    /// Log e-value that it is better than the margin, if a phase uses that test.
    pub log_e_safe: Option<f64>,
    /// The least `log_e` without one of the canary's instances, where they are known and at least
    /// four, or one was named as bad. The smaller of `log_e` and 1.6 times this decides.
    pub log_e_without_any: Option<f64>,
    /// The margin of `log_e_safe`, as a ratio.
    pub margin: f64,
    /// The evidence mode in force.
    pub mode: EvidenceMode,
    /// Intervals of each arm's rate, for a single evaluation: **not** anytime-valid.
    pub not_sequential: Option<ArmIntervals>,
    /// Anytime-valid p-value: upper bound of the chance of evidence as strong as the strongest so
    /// far under the null hypothesis; holds as far as `guarantee` does.
    pub p_value: f64,
    /// Canary rate over baseline rate; 0.5 replaces a count that is zero, and where both are it is
    /// absent. With several strata or planned splits it is the one within them, by Mantel and
    /// Haenszel. For latency the ratio of slow requests at the boundary with the strongest evidence.
    pub ratio: Option<f64>,
    /// Log evidence with which this metric alone decides, by its weight: `ln(1/(alpha * weight))`
    /// without a history, where the metrics' tests have all of `alpha`; null if it never decides alone.
    #[serde(deserialize_with = "null_is_infinite", serialize_with = "null_or_finite")]
    pub threshold: f64,
    /// The ratio that is tolerated.
    pub tolerated: f64,
    /// Totals that were compared so far.
    pub totals: Option<Totals>,
    /// Its share of `alpha`.
    pub weight: f64,
    /// Why the mode in force is valid here, or why that is not known.
    pub why: String,
}

/// Wilson intervals at 95%, for a single evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmIntervals {
    /// Of the live arm.
    pub baseline: Interval,
    /// Of the arm that runs the fix.
    pub canary: Interval,
}

impl MetricEvidence {
    /// The full evidence of one metric; None without a test, or before the first latency reading.
    pub fn of(judge: &Judge, id: MetricName, plan: &Plan) -> Option<Self> {
        let watched = judge.metric(id)?;
        let test = watched.tests().worse()?;
        let own = plan.policy().settings(watched.metric());
        let alpha = plan.error_budget().alpha();
        let assurance = watched.assurance();
        let figures = test.evidence();
        let threshold = watched.basis().own_threshold();
        let drawn = watched.instances().randomised();
        let totals = watched.compared();
        Some(Self {
            alpha,
            cap: test.limits().1,
            decided: match assurance.mode {
                EvidenceMode::Randomised => watched.instances().drawn,
                EvidenceMode::Both => watched.replay_says() && watched.instances().drawn,
                EvidenceMode::Replay => watched.replay_says(),
                // The p-value is of the strongest evidence so far, and may be somewhat above it.
                EvidenceMode::Plain => figures.log_e.max(-ln(figures.p_value)) >= threshold,
            },
            guarantee: assurance.guarantee,
            hold: watched.basis().own_hold(judge.hold),
            interval: watched.totals().interval(1.0 - alpha),
            log_e: watched.log_e().unwrap_or(figures.log_e),
            log_e_safe: watched.tests().safe().map(Aligned::log_e),
            log_e_without_any: watched.log_e_without_any(),
            margin: watched.tests().safe().map_or(own.margin.value(), Aligned::null_ratio),
            mode: assurance.mode,
            not_sequential: watched.arm_intervals(),
            p_value: match (assurance.mode, drawn) {
                (EvidenceMode::Randomised, Some(drawn)) => drawn.p_value(),
                // Both have to agree, so the larger p-value counts: the guarantee of the draw holds
                // for it.
                (EvidenceMode::Both, Some(drawn)) => drawn.p_value().max(figures.p_value),
                _ => figures.p_value,
            },
            ratio: watched.ratio().filter(|ratio| ratio.is_finite()),
            threshold,
            tolerated: test.null_ratio(),
            totals,
            weight: watched.metric().weight,
            why: watched.why(assurance.mode),
        })
    }
}

impl Watched {
    /// Wilson interval of each arm over the whole rollout; None for a rate with an exposure.
    fn arm_intervals(&self) -> Option<ArmIntervals> {
        if !self.metric().kind.is_fraction() {
            return None;
        }
        let of = |counts: Counts| wilson(counts, OF_AN_ARM).ok();
        let Totals { canary, baseline } = self.compared()?;
        Some(ArmIntervals { baseline: of(baseline)?, canary: of(canary)? })
    }

    /// Why the mode in force is valid, or why that is not known.
    fn why(&self, mode: EvidenceMode) -> String {
        let valid = match mode {
            EvidenceMode::Replay => {
                "the limits are calibrated on what noise alone reached in your own history, and \
                 are never below those for independent errors"
            }
            EvidenceMode::Randomised => {
                "if the release changes nothing, the counts do not depend on which instances are \
                 the canary's: valid where these were drawn at random"
            }
            EvidenceMode::Both => {
                "the history's limits and the comparison of instances both have to agree"
            }
            EvidenceMode::Plain => self.basis().why_plain(self.pre_deployment().applies()),
        };
        let mut why = valid.to_owned();
        // Writing to a string does not fail.
        if let Some(interval) = self.scrape(self.readings().totals) {
            let text = "the arms are read at different times, each about every";
            let _ = write!(why, "; {text} {interval}");
        }
        if let Some(test) = self.tests().settling().and(self.tests().worse()) {
            let text = "times as slow: arms of one version are assumed to differ by less";
            let _ = write!(why, "; the canary may be {} {text}", test.null_ratio());
        }
        if let Some([canary, live]) = self.bursts().map(KnownBursts::numbers) {
            let _ = write!(
                why,
                "; bursts of failures, of which the canary has had {canary} and the live version \
                 {live}, are not counted"
            );
        }
        let compares = matches!(mode, EvidenceMode::Randomised | EvidenceMode::Both);
        if compares && self.instances().has_no_analysis_left() {
            // The error probability of the phase is spent on interim analyses that are planned by
            // ticks.
            why += "; this phase has no further interim analysis, so from here on only bounds roll \
                    back";
        }
        why
    }
}
