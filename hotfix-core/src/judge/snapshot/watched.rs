//! State of one metric in a snapshot.

use serde::{Deserialize, Serialize};

use crate::metric::{Counters, Layout, Tick, WindowState};
use crate::stats::{SplitTotals, Totals};
use crate::unit::{MetricName, Span, Timestamp};

use super::super::aligned::Aligned;
use super::super::arm_checks::Sameness;
use super::super::bracket::Bracket;
use super::super::counterfactual::{Before, Flags};
use super::super::coverage::Coverage;
use super::super::degradation::Degradation;
use super::super::left_out::{LeftOut, LeftOutState};
use super::super::settling::{Settling, SettlingState};
use super::super::test::Test;
use super::super::trailing::{Trailing, TrailingState};
use super::super::watched::Watched;
use super::instances::InstancesState;
use super::{AlignedState, Misfit};

/// State of one metric.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WatchedState {
    metric: MetricName,
    /// The edges of the layout; empty where the metric has none yet.
    edges: Vec<f64>,
    counters: Counters,
    /// The pools, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bracket: Option<Box<Bracket>>,
    window: WindowState,
    read_at: Option<Timestamp>,
    not_finite: bool,
    covered: Span,
    step: Span,
    learned: Span,
    /// None in a state of an earlier release.
    #[serde(default)]
    coverage: Option<Coverage>,
    seen_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    totals: bool,
    before: BeforeState,
    same: Sameness,
    degradation: Degradation,
    worse: Option<AlignedState>,
    safe: Option<AlignedState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settling: Option<SettlingState>,
    instances: InstancesState,
    uncounted: [f64; 2],
    replayed: bool,
    level: Vec<f64>,
    pre_deployment: Vec<f64>,
    /// The trailing level of a volume; absent for other metrics, and in a state of an earlier
    /// release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trailing: Option<TrailingState>,
    /// The windows of the canary's instances; absent where a metric has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left_out: Option<LeftOutState>,
    compared: Vec<SplitTotals>,
    of_phase: Option<[Totals; 2]>,
}

/// State of a metric before its last tick, and that tick.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BeforeState {
    at: Option<Timestamp>,
    row: Vec<f64>,
    canary: bool,
    baseline: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bracket: Option<Box<Bracket>>,
    worse: Option<AlignedState>,
    safe: Option<AlignedState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settling: Option<SettlingState>,
    same: Sameness,
    flags: Flags,
    in_parts: bool,
}

impl Watched {
    pub(super) fn state(&self) -> WatchedState {
        let Self {
            metric,
            layout,
            counters,
            bracket,
            window,
            read_at,
            not_finite,
            covered,
            step,
            learned,
            coverage,
            seen_at,
            totals,
            before,
            same,
            degradation,
            worse,
            safe,
            settling,
            claims: _,
            basis: _,
            instances,
            uncounted,
            replayed,
            // They follow from the layout.
            boundaries: _,
            level,
            pre_deployment,
            trailing,
            left_out,
            watch: _,
            // The judge has it.
            began: _,
            in_step: _,
            compares_live: _,
            compared,
            of_phase,
        } = self;
        WatchedState {
            metric: metric.id,
            edges: layout.edges().to_vec(),
            counters: counters.clone(),
            bracket: bracket.clone(),
            window: window.state(),
            read_at: *read_at,
            not_finite: *not_finite,
            covered: *covered,
            step: *step,
            learned: *learned,
            coverage: Some(*coverage),
            seen_at: *seen_at,
            totals: *totals,
            before: before.state(),
            same: *same,
            degradation: *degradation,
            worse: worse.as_ref().map(Aligned::state),
            safe: safe.as_ref().map(Aligned::state),
            settling: settling.as_deref().map(Settling::state),
            instances: instances.state(),
            uncounted: *uncounted,
            replayed: *replayed,
            level: level.clone(),
            pre_deployment: pre_deployment.rows().to_vec(),
            trailing: trailing.as_deref().map(Trailing::state),
            left_out: left_out.as_deref().map(LeftOut::state),
            compared: compared.clone(),
            of_phase: *of_phase,
        }
    }

    /// Restores the state of the metric in the phase that has been entered.
    pub(super) fn resume(&mut self, state: WatchedState) -> Result<(), Misfit> {
        let WatchedState {
            metric,
            edges,
            counters,
            bracket,
            window,
            read_at,
            not_finite,
            covered,
            step,
            learned,
            coverage,
            seen_at,
            totals,
            before,
            same,
            degradation,
            worse,
            safe,
            settling,
            instances,
            uncounted,
            replayed,
            level,
            pre_deployment,
            trailing,
            left_out,
            compared,
            of_phase,
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
        check_pools(bracket.as_deref(), self.columns())?;
        if level.len() != self.columns() || compared.is_empty() {
            return Err("a metric's totals");
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
        resume_test(self.worse.as_mut(), worse)?;
        resume_test(self.safe.as_mut(), safe)?;
        let tests = [self.worse.as_ref(), self.safe.as_ref()];
        self.before = Before::restored(before, tests, self.settling.as_deref(), self.columns())?;
        self.settling = resume_settling(self.settling.as_deref(), settling)?;
        self.instances.resume(instances, self.worse.as_ref())?;
        self.basis.read_by(self.instances.known());
        self.limit();
        self.uncounted = uncounted;
        (self.counters, self.bracket) = (counters, bracket);
        (self.read_at, self.seen_at, self.not_finite) = (read_at, seen_at, not_finite);
        self.totals = totals;
        (self.covered, self.step, self.learned) = (covered, step, learned);
        self.coverage = coverage.unwrap_or_else(|| Coverage::without_silence(read_at));
        (self.same, self.degradation, self.replayed) = (same, degradation, replayed);
        (self.level, self.compared, self.of_phase) = (level, compared, of_phase);
        Ok(())
    }
}

fn check_pools(bracket: Option<&Bracket>, columns: usize) -> Result<(), Misfit> {
    if bracket.is_none_or(|bracket| bracket.fits(columns)) {
        Ok(())
    } else {
        Err("a metric's pools")
    }
}

fn resume_test(
    test: Option<&mut Aligned<Test>>,
    state: Option<AlignedState>,
) -> Result<(), Misfit> {
    match (test, state) {
        (Some(test), Some(state)) => test.resume(state),
        (None, None) => Ok(()),
        _ => Err("a test"),
    }
}

/// `fresh` has read nothing yet.
fn resume_settling(
    fresh: Option<&Settling>,
    state: Option<SettlingState>,
) -> Result<Option<Box<Settling>>, Misfit> {
    match (fresh, state) {
        (Some(fresh), Some(state)) => {
            let mut settling = Box::new(fresh.clone());
            settling.resume(state)?;
            Ok(Some(settling))
        }
        (None, None) => Ok(None),
        _ => Err("a metric's warm-up"),
    }
}

impl Before {
    fn state(&self) -> BeforeState {
        let Self { at, tick, bracket, worse, safe, settling, same, flags, in_parts } = self;
        // This is all of the tick that is saved.
        let Tick {
            row,
            strata: _,
            instances: _,
            canary,
            baseline,
            not_finite: _,
            totals: _,
            uneven: _,
        } = tick;
        BeforeState {
            at: *at,
            row: row.clone(),
            canary: *canary,
            baseline: *baseline,
            bracket: bracket.clone(),
            worse: worse.as_ref().map(Aligned::state),
            safe: safe.as_ref().map(Aligned::state),
            settling: settling.as_deref().map(Settling::state),
            same: *same,
            flags: *flags,
            in_parts: *in_parts,
        }
    }

    /// `present`: the tests as they are now, whose designs those before had, too.
    fn restored(
        state: BeforeState,
        present: [Option<&Aligned<Test>>; 2],
        fresh: Option<&Settling>,
        columns: usize,
    ) -> Result<Self, Misfit> {
        let BeforeState {
            at,
            row,
            canary,
            baseline,
            bracket,
            worse,
            safe,
            settling,
            same,
            flags,
            in_parts,
        } = state;
        check_pools(bracket.as_deref(), columns)?;
        if row.len() != if at.is_some() { 2 * columns } else { 0 } {
            return Err("a metric's last tick");
        }
        let before =
            |present: Option<&Aligned<Test>>, state: Option<AlignedState>| -> Result<_, Misfit> {
                // Before the first tick nothing is saved.
                let Some(state) = state else { return Ok(None) };
                let mut test = present.cloned().ok_or("a test")?;
                test.resume(state)?;
                Ok(Some(test))
            };
        let [now_worse, now_safe] = present;
        Ok(Self {
            at,
            tick: Tick { row, canary, baseline, ..Tick::default() },
            bracket,
            worse: before(now_worse, worse)?,
            safe: before(now_safe, safe)?,
            settling: match settling {
                None => None,
                settling => resume_settling(fresh, settling)?,
            },
            same,
            flags,
            in_parts,
        })
    }
}
