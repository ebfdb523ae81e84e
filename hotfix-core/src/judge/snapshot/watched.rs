//! State of one metric in a snapshot.

use serde::{Deserialize, Serialize};

use crate::metric::{Layout, Window};
use crate::unit::MetricName;

use super::super::arm_checks::Sameness;
use super::super::arm_totals::ArmTotals;
use super::super::bracket::Bracket;
use super::super::counterfactual::Before;
use super::super::criterion::Criterion;
use super::super::degradation::Degradation;
use super::super::instances::Instances;
use super::super::left_out::LeftOut;
use super::super::metric_tests::MetricTests;
use super::super::readings::Readings;
use super::super::test::{Test, TestEvidence};
use super::super::trailing::Trailing;
use super::super::watched::Watched;
use super::{Misfit, both_or_neither};

/// State of one metric.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WatchedState<T> {
    metric: MetricName,
    /// The edges of the layout; empty where the metric has none yet.
    edges: Vec<f64>,
    readings: Readings,
    /// The pools, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bracket: Option<Box<Bracket>>,
    window: Window,
    /// Absent where all of the phase counts at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    criterion: Option<Box<Criterion>>,
    totals: ArmTotals,
    before: Before<T>,
    tests: MetricTests<T>,
    same: Sameness,
    degradation: Degradation,
    instances: Instances,
    replayed: bool,
    pre_deployment: Vec<f64>,
    /// The trailing level of a volume; absent for other metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trailing: Option<Box<Trailing>>,
    /// The windows of the canary's instances; absent where a metric has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left_out: Option<Box<LeftOut>>,
}

impl Watched {
    pub(super) fn state(&self) -> WatchedState<Test> {
        let Self {
            metric,
            layout,
            watch: _,
            readings,
            bracket,
            window,
            criterion,
            totals,
            before,
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
            window: window.clone(),
            criterion: criterion.clone(),
            totals: totals.clone(),
            before: before.clone(),
            tests: tests.clone(),
            same: *same,
            degradation: *degradation,
            instances: instances.clone(),
            replayed: *replayed,
            pre_deployment: pre_deployment.rows().to_vec(),
            trailing: trailing.clone(),
            left_out: left_out.clone(),
        }
    }

    /// Restores the state of the metric in the phase that has been entered.
    pub(super) fn resume(&mut self, state: WatchedState<TestEvidence>) -> Result<(), Misfit> {
        let WatchedState {
            metric,
            edges,
            readings,
            bracket,
            window,
            criterion,
            totals,
            before,
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
        self.criterion = match criterion.map(|read| read.of_width(width)) {
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
        self.before.resume(before, &self.tests, self.layout.columns())?;
        if !self.pre_deployment.resume(pre_deployment, self.columns()) {
            return Err("a metric's readings before the deployment");
        }
        let misfit = "a metric's trailing level";
        both_or_neither(&mut self.trailing, trailing, misfit, |fresh, read| {
            fresh.resume(*read).then_some(()).ok_or(misfit)
        })?;
        let misfit = "the windows of a metric's instances";
        both_or_neither(&mut self.left_out, left_out, misfit, |fresh, read| {
            fresh.resume(*read, &self.watch).then_some(()).ok_or(misfit)
        })?;
        self.tests.resume(tests)?;
        self.instances.resume(instances, self.tests.worse())?;
        self.basis.read_by(self.instances.known());
        self.limit();
        (self.readings, self.bracket, self.totals) = (readings, bracket, totals);
        (self.same, self.degradation, self.replayed) = (same, degradation, replayed);
        Ok(())
    }
}
