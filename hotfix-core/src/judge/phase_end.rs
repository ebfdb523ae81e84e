//! One exact test at the end of each phase, if the policy sets `phase_end_test`. It has more power
//! for small ratios than the sequential tests, and is valid for a single analysis: when the phase's
//! least time is over, whatever the data are by then. The phases and metrics share half of the
//! error probability. It assumes that errors are independent, so it is for the mode `plain`.

use serde::{Deserialize, Serialize};

use crate::grade::MetricKind;
use crate::plan::Plan;
use crate::stats::fixed::{Alternative, fisher_exact, poisson_ratio};
use crate::stats::{StatError, Totals};
use crate::unit::{Share, Span, Timestamp};

use super::Judge;
use super::aligned::Aligned;
use super::watched::Watched;

/// The test at each phase's end.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PhaseEnd {
    /// Error probability of all metrics in one phase.
    pub(super) alpha: f64,
    /// The least time of each phase.
    pub(super) least: Vec<Span>,
    /// The analysis of the present phase was made.
    pub(super) looked: bool,
    /// Indices of the metrics that were found worse.
    pub(super) worse: Vec<usize>,
    /// The last analysis, so that it can be repeated.
    pub(super) last: Option<PhaseEndTest>,
}

/// The analysis at a phase's end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PhaseEndTest {
    at: Timestamp,
    phase: usize,
    since: Timestamp,
    /// How many metrics had been found worse before.
    found: usize,
}

impl PhaseEnd {
    /// The test, if the policy sets it.
    pub(super) fn new(plan: &Plan) -> Option<Self> {
        let (policy, evidence) = (plan.policy(), plan.policy().evidence());
        let compared = policy.phases().iter().filter(|phase| phase.share < Share::ALL).count();
        evidence.phase_end_test.then(|| Self {
            alpha: evidence.alpha.as_fraction() / 2.0 / compared.max(1) as f64,
            least: policy.phases().iter().map(|phase| phase.watch).collect(),
            looked: false,
            worse: Vec::new(),
            last: None,
        })
    }

    /// Another phase begins, with its own analysis.
    pub(super) const fn start(&mut self) {
        self.looked = false;
    }

    /// Undoes the analysis of this moment, and returns its phase.
    pub(super) fn undo(&mut self, moment: Timestamp) -> Option<(usize, Timestamp)> {
        let PhaseEndTest { phase, since, found, .. } =
            self.last.filter(|look| look.at == moment)?;
        self.looked = false;
        self.worse.truncate(found);
        Some((phase, since))
    }

    /// The metrics that were found worse; this does not clear.
    pub(super) fn worse(&self) -> &[usize] {
        &self.worse
    }

    /// Whether the rate is higher than tolerated.
    fn finds(&self, watched: &Watched) -> bool {
        let alpha = self.alpha * watched.metric.weight;
        let Some(totals) = watched.of_phase() else { return false };
        let Some(tolerated) = watched.worse.as_ref().map(Aligned::null_ratio) else { return false };
        let p_value = |Totals { canary, baseline }| -> Result<f64, StatError> {
            if watched.metric.kind == MetricKind::Proportion && tolerated == 1.0 {
                return Ok(fisher_exact(canary, baseline, Alternative::Greater)?.p_value);
            }
            let (greater, confidence) = (Alternative::Greater, 0.95);
            Ok(poisson_ratio(canary, baseline, tolerated, greater, confidence)?.p_value)
        };
        // There is no exact test for counts that are not whole, or without data.
        totals.into_iter().all(|of_side| p_value(of_side).is_ok_and(|p_value| p_value <= alpha))
    }
}

impl Judge {
    /// Analyses a phase once, when its least time is over.
    pub fn end_phase(&mut self, at: Timestamp, phase: usize, since: Timestamp) {
        let Some(end) = &mut self.phase_end else { return };
        let over = end.least.get(phase).is_some_and(|least| at.since(since) >= *least);
        if end.looked || !over {
            return;
        }
        end.looked = true;
        end.last = Some(PhaseEndTest { at, phase, since, found: end.worse.len() });
        for &index in &self.tested {
            if end.finds(&self.watched[index]) && !end.worse.contains(&index) {
                end.worse.push(index);
            }
        }
    }
}
