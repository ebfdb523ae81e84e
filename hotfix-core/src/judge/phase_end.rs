//! One exact test at the end of each phase, where the policy asks for it (statistics, section 6).
//!
//! It finds small ratios more often than the tests that are looked at every tick, and is valid for one look only: when the
//! phase's least time is over, whatever has been seen by then. The phases and metrics share half of the error
//! probability. It takes errors to be independent, so it is for the mode plain.

use serde::{Deserialize, Serialize};

use crate::grade::MetricKind;
use crate::plan::Plan;
use crate::stats::fixed::{Alternative, fisher_exact, poisson_ratio};
use crate::stats::{StatError, Totals};
use crate::unit::{Share, Span, Timestamp};

use super::Judge;
use super::watched::Watched;

/// The test at each phase's end.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PhaseEnd {
    /// For all metrics in one phase.
    pub(super) alpha: f64,
    pub(super) tolerated: f64,
    /// The least time of each phase.
    pub(super) least: Vec<Span>,
    /// The present phase has had its look.
    pub(super) looked: bool,
    /// The metrics that were found worse, by their place.
    pub(super) worse: Vec<usize>,
    /// The last look, so that it can be taken again (FIELD-11).
    pub(super) last: Option<Look>,
}

/// A look at a phase's end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Look {
    at: Timestamp,
    phase: usize,
    since: Timestamp,
    /// How many metrics had been found worse before.
    found: usize,
}

impl PhaseEnd {
    /// The test, where the policy asks for it.
    pub(super) fn new(plan: &Plan) -> Option<Self> {
        let (policy, evidence) = (plan.policy(), plan.policy().evidence());
        let compared = policy.phases().iter().filter(|phase| phase.share < Share::ALL).count();
        evidence.phase_end_test.then(|| Self {
            alpha: evidence.alpha.as_fraction() / 2.0 / compared.max(1) as f64,
            tolerated: evidence.tolerated.value(),
            least: policy.phases().iter().map(|phase| phase.watch).collect(),
            looked: false,
            worse: Vec::new(),
            last: None,
        })
    }

    /// Another phase begins, with a look of its own.
    pub(super) const fn start(&mut self) {
        self.looked = false;
    }

    /// Takes back the look of this moment; gives the phase that it was at.
    pub(super) fn unlook(&mut self, moment: Timestamp) -> Option<(usize, Timestamp)> {
        let Look { phase, since, found, .. } = self.last.filter(|look| look.at == moment)?;
        self.looked = false;
        self.worse.truncate(found);
        Some((phase, since))
    }

    /// The metrics that were found worse; nothing heals that.
    pub(super) fn worse(&self) -> &[usize] {
        &self.worse
    }

    /// Whether the rate is higher than tolerated.
    fn finds(&self, watched: &Watched) -> bool {
        let alpha = self.alpha * watched.metric.weight;
        let Some(Totals { canary, baseline }) = watched.of_phase() else { return false };
        let p_value = || -> Result<f64, StatError> {
            if watched.metric.kind == MetricKind::Proportion && self.tolerated == 1.0 {
                return Ok(fisher_exact(canary, baseline, Alternative::Greater)?.p_value);
            }
            let (greater, confidence) = (Alternative::Greater, 0.95);
            Ok(poisson_ratio(canary, baseline, self.tolerated, greater, confidence)?.p_value)
        };
        // Counts that are not whole have no exact test; without data there is nothing to find.
        p_value().is_ok_and(|p_value| p_value <= alpha)
    }
}

impl Judge {
    /// Looks once at what a phase has shown, when its least time is over.
    pub fn end_phase(&mut self, at: Timestamp, phase: usize, since: Timestamp) {
        let Some(end) = &mut self.phase_end else { return };
        let over = end.least.get(phase).is_some_and(|least| at.since(since) >= *least);
        if end.looked || !over {
            return;
        }
        end.looked = true;
        end.last = Some(Look { at, phase, since, found: end.worse.len() });
        for &index in &self.tested {
            if end.finds(&self.watched[index]) && !end.worse.contains(&index) {
                end.worse.push(index);
            }
        }
    }
}
