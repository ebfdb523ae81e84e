//! One exact test at the end of each phase, if the policy sets `phase_end_test`. It has more power
//! for small ratios than the sequential tests, and is valid for a single analysis: when the phase's
//! least time is over, whatever the data are by then. It assumes that errors are independent, so it
//! is for the mode `plain`.

use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use crate::policy::section::Phase;
use crate::stats::fixed::{Alternative, fisher_exact, poisson_ratio};
use crate::stats::{StatError, Totals};
use crate::unit::{Span, Timestamp};

use super::aligned::Aligned;
use super::snapshot::Misfit;
use super::watched::Watched;

/// The test at each phase's end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PhaseEnd {
    /// Error probability of each tested metric in one phase.
    #[serde(skip)]
    alpha: Vec<f64>,
    /// The least time of each phase; None where it spends nothing on this.
    #[serde(skip)]
    least: Vec<Option<Span>>,
    pub(super) results: Analyses,
}

/// Results of the analyses so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Analyses {
    /// The analysis of the present phase was made.
    looked: bool,
    /// Indices of the metrics that were found worse; this does not clear.
    pub(super) worse: Vec<usize>,
    /// The last analysis, so that it can be repeated.
    last: Option<Analysis>,
}

/// The analysis at a phase's end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Analysis {
    at: Timestamp,
    phase: usize,
    since: Timestamp,
    /// How many metrics had been found worse before.
    found: usize,
}

impl PhaseEnd {
    /// The test, if the policy sets it.
    pub(super) fn new(plan: &Plan) -> Option<Self> {
        let (policy, budget) = (plan.policy(), plan.error_budget());
        let tested = policy.metrics().iter().filter(|metric| metric.is_tested());
        let least = |phase: &Phase| budget.spends(phase).then_some(phase.watch);
        policy.evidence().phase_end_test.then(|| Self {
            alpha: tested.map(|metric| budget.phase_end(metric)).collect(),
            least: policy.phases().iter().map(least).collect(),
            results: Analyses::default(),
        })
    }

    pub(super) const fn start(&mut self) {
        self.results.looked = false;
    }

    /// Analyses a phase once, when its least time is over. `tested`: the tested metrics, by index.
    pub(super) fn analyse(
        &mut self,
        at: Timestamp,
        phase: usize,
        since: Timestamp,
        tested: &[usize],
        watched: &[Watched],
    ) {
        let least = self.least.get(phase).copied().flatten();
        let over = least.is_some_and(|least| at.since(since) >= least);
        if self.results.looked || !over {
            return;
        }
        self.results.looked = true;
        self.results.last = Some(Analysis { at, phase, since, found: self.results.worse.len() });
        for (&index, &alpha) in tested.iter().zip(&self.alpha) {
            if watched[index].is_worse_at_end(alpha) && !self.results.worse.contains(&index) {
                self.results.worse.push(index);
            }
        }
    }

    /// Undoes the analysis of this moment, and returns its phase and when that began; None without one.
    pub(super) fn undo(&mut self, moment: Timestamp) -> Option<(usize, Timestamp)> {
        let Analysis { phase, since, found, .. } =
            self.results.last.filter(|look| look.at == moment)?;
        self.results.looked = false;
        self.results.worse.truncate(found);
        Some((phase, since))
    }

    pub(super) fn resume(&mut self, read: Self, metrics: usize) -> Result<(), Misfit> {
        let Self { alpha: _, least: _, results } = read;
        if results.worse.len() > metrics || results.worse.iter().any(|place| *place >= metrics) {
            return Err("the test at a phase's end");
        }
        self.results = results;
        Ok(())
    }
}

impl Watched {
    /// Whether its rate in this phase is higher than tolerated.
    fn is_worse_at_end(&self, alpha: f64) -> bool {
        let Some(totals) = self.of_phase() else { return false };
        let Some(tolerated) = self.tests().worse().map(Aligned::null_ratio) else { return false };
        let p_value = |Totals { canary, baseline }| -> Result<f64, StatError> {
            if self.metric().kind.is_fraction() && tolerated == 1.0 {
                return Ok(fisher_exact(canary, baseline, Alternative::Greater)?.p_value);
            }
            let (greater, confidence) = (Alternative::Greater, 0.95);
            Ok(poisson_ratio(canary, baseline, tolerated, greater, confidence)?.p_value)
        };
        // There is no exact test for counts that are not whole, or without data.
        totals.into_iter().all(|of_side| p_value(of_side).is_ok_and(|p_value| p_value <= alpha))
    }
}
