//! State of one metric in a snapshot.

use serde::{Deserialize, Serialize};

use crate::metric::{Layout, WindowState};
use crate::unit::MetricName;

use super::super::arm_checks::Sameness;
use super::super::arm_totals::ArmTotals;
use super::super::bracket::Bracket;
use super::super::counterfactual::{Before, LastTick};
use super::super::criterion::{Criterion, CriterionState};
use super::super::degradation::Degradation;
use super::super::left_out::{LeftOut, LeftOutState};
use super::super::metric_tests::MetricTestsState;
use super::super::readings::Readings;
use super::super::trailing::{Trailing, TrailingState};
use super::super::watched::Watched;
use super::Misfit;
use super::instances::InstancesState;

/// State of one metric.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WatchedState {
    metric: MetricName,
    /// The edges of the layout; empty where the metric has none yet.
    edges: Vec<f64>,
    readings: Readings,
    /// The pools, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bracket: Option<Box<Bracket>>,
    window: WindowState,
    /// Absent where all of the phase counts at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    criterion: Option<CriterionState>,
    totals: ArmTotals,
    last_tick: LastTick,
    /// The tests before the last tick; None before the first.
    tests_before: Option<MetricTestsState>,
    tests: MetricTestsState,
    same: Sameness,
    degradation: Degradation,
    instances: InstancesState,
    replayed: bool,
    pre_deployment: Vec<f64>,
    /// The trailing level of a volume; absent for other metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trailing: Option<TrailingState>,
    /// The windows of the canary's instances; absent where a metric has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left_out: Option<LeftOutState>,
}

impl Watched {
    pub(super) fn state(&self) -> WatchedState {
        let Self {
            metric,
            layout,
            watch: _,
            readings,
            bracket,
            window,
            criterion,
            totals,
            before: Before { tick, tests: tests_before },
            same,
            degradation,
            tests,
            claims: _,
            basis: _,
            instances,
            replayed,
            // They follow from the layout.
            boundaries: _,
            pre_deployment,
            trailing,
            left_out,
            // The judge has it.
            began: _,
            in_step: _,
            compares_live: _,
        } = self;
        WatchedState {
            metric: metric.id,
            edges: layout.edges().to_vec(),
            readings: readings.clone(),
            bracket: bracket.clone(),
            window: window.state(),
            criterion: criterion.as_deref().map(Criterion::state),
            totals: totals.clone(),
            last_tick: tick.clone(),
            tests_before: tick.at().map(|_| tests_before.state()),
            tests: tests.state(),
            same: *same,
            degradation: *degradation,
            instances: instances.state(),
            replayed: *replayed,
            pre_deployment: pre_deployment.rows().to_vec(),
            trailing: trailing.as_deref().map(Trailing::state),
            left_out: left_out.as_deref().map(LeftOut::state),
        }
    }

    /// Restores the state of the metric in the phase that has been entered.
    pub(super) fn resume(&mut self, state: WatchedState) -> Result<(), Misfit> {
        let WatchedState {
            metric,
            edges,
            readings,
            bracket,
            window,
            criterion,
            totals,
            last_tick,
            tests_before,
            tests,
            same,
            degradation,
            instances,
            replayed,
            pre_deployment,
            trailing,
            left_out,
        } = state;
        if metric != self.metric.id {
            return Err("the metrics");
        }
        if !edges.is_empty() {
            let layout = Layout::restored(&self.metric, edges).ok_or("a metric's buckets")?;
            self.settle_layout(layout);
        }
        if !self.window.resume(window) {
            return Err("a metric's window");
        }
        let width = 2 * self.columns();
        self.criterion = match criterion.map(|state| Criterion::restored(state, width)) {
            None => None,
            Some(Some(restored)) => Some(Box::new(restored)),
            Some(None) => return Err("what counts of a metric at the end of the phase"),
        };
        if bracket.as_ref().is_some_and(|bracket| !bracket.fits(self.columns())) {
            return Err("a metric's pools");
        }
        if !totals.fits(self.columns()) {
            return Err("a metric's totals");
        }
        if !last_tick.fits(self.columns()) || last_tick.at().is_some() != tests_before.is_some() {
            return Err("a metric's last tick");
        }
        if !self.pre_deployment.resume(pre_deployment, self.columns()) {
            return Err("a metric's readings before the deployment");
        }
        if let (Some(kept), Some(state)) = (&mut self.trailing, trailing)
            && !kept.resume(state)
        {
            return Err("a metric's trailing level");
        }
        if let (Some(kept), Some(state)) = (&mut self.left_out, left_out)
            && !kept.resume(state, &self.watch)
        {
            return Err("the windows of a metric's instances");
        }
        self.before.tick = last_tick;
        if let Some(state) = tests_before {
            self.before.tests.clone_from(&self.tests);
            self.before.tests.resume(state)?;
        }
        self.tests.resume(tests)?;
        self.instances.resume(instances, self.tests.worse())?;
        self.basis.read_by(self.instances.known());
        self.limit();
        (self.readings, self.bracket, self.totals) = (readings, bracket, totals);
        (self.same, self.degradation, self.replayed) = (same, degradation, replayed);
        Ok(())
    }
}
