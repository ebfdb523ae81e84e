//! Bounds that a healthy fix often misses by chance, at the traffic of the plan.

use crate::grade::{Response, Worse};
use crate::metric::in_unit;
use crate::policy::section::{Bound, BoundValue, Bounds, Metric, Phase};
use crate::stats::numeric::larger;
use crate::text::{self, enumerated, rounded};

use super::Plan;
use super::healthy::{OFTEN, SURE, at_gate, figure, in_a_row, in_window};
use super::power::kept_by_rollback;

/// Multiples of the reference's bad events at which a bound may be set.
const MULTIPLES: [f64; 17] =
    [1.1, 1.2, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0];

/// What follows a bound that rolls back.
const ROLLED_BACK: &str = "is rolled back";

/// The three bounds.
#[derive(Clone, Copy)]
enum Which {
    Success,
    Alert,
    Rollback,
}

/// A bound that a healthy fix meets.
#[derive(Clone, Copy)]
struct Advised {
    /// In the metric's unit.
    figure: f64,
    /// Chance that a healthy fix meets it in all phases.
    kept: f64,
}

impl Plan {
    /// The bounds that a fix as good as the reference often misses by chance: which, how often, and
    /// what to change. Metrics that are not counted, or have no reference, are left out.
    pub(super) fn missed_by_chance(&self) -> Vec<String> {
        let each = self.policy().deciding().flat_map(|metric| {
            let Bounds { success, alert, rollback } = metric.bounds;
            let bounds =
                [(Which::Success, success), (Which::Alert, alert), (Which::Rollback, rollback)];
            bounds.map(|(which, bound)| self.often_missed(metric, which, bound?))
        });
        each.flatten().collect()
    }

    fn often_missed(&self, metric: &Metric, which: Which, bound: Bound) -> Option<String> {
        let often = self.often(metric, which, bound);
        if often.is_empty() {
            return None;
        }
        let cases: Vec<String> = often
            .iter()
            .map(|(phase, chance)| {
                let windows = if matches!(which, Which::Alert) { " windows" } else { "" };
                format!("{} of 100{windows} in `{}`", of_100(*chance), phase.name)
            })
            .collect();
        let side = match (which, metric.worse) {
            (Which::Success, Worse::Higher) => "at most",
            (Which::Success, Worse::Lower) => "at least",
            (Which::Alert | Which::Rollback, worse) => worse.side(),
        };
        let (misses, about, then) = match which {
            Which::Success => ("misses the success", "", after_a_miss(&often)),
            Which::Alert => ("breaches the alert", "", "waits"),
            Which::Rollback => ("breaches the rollback", "about ", ROLLED_BACK),
        };
        let change = match self.advised(metric, which, bound) {
            Some(advised) => format!(
                "set it to {}, which {about}{} of 100 healthy fixes keep in all phases",
                in_unit(metric.kind, advised.figure),
                of_100(advised.kept)
            ),
            None => "no bound up to 100 times the reference is kept: use longer phases".to_owned(),
        };
        let or = match which {
            Which::Success if then == ROLLED_BACK => ", or set `criteria_missed` to `hold`",
            Which::Success | Which::Alert | Which::Rollback => "",
        };
        Some(format!(
            "a fix that is as good as the reference {misses} bound of `{}`, {side} {}, by \
             chance in {about}{}, and {then}: {change}{or}",
            metric.id,
            shown(metric, bound),
            enumerated(&cases),
        ))
    }

    /// The phases in which a healthy fix often misses this bound, and how often.
    fn often(&self, metric: &Metric, which: Which, bound: Bound) -> Vec<(&Phase, f64)> {
        let mut often = self.misses(metric, which, bound);
        often.retain(|(_, chance)| *chance > OFTEN);
        often
    }

    /// Chance that a healthy fix meets this bound in all phases.
    fn kept(&self, metric: &Metric, which: Which, bound: Bound) -> f64 {
        self.misses(metric, which, bound).iter().map(|(_, chance)| 1.0 - chance).product()
    }

    /// The chance of a healthy fix to miss this bound, in each phase that judges it.
    fn misses(&self, metric: &Metric, which: Which, bound: Bound) -> Vec<(&Phase, f64)> {
        let policy = self.policy();
        let traffic = self.requests_per_minute();
        let phases = policy.phases().iter().filter_map(|phase| {
            let chance = match which {
                Which::Success if phase.criteria_missed == Response::Continue => return None,
                Which::Success => {
                    let law = at_gate(policy, metric, phase, traffic)?;
                    let beyond = |bound| Some(law.beyond(metric, figure(metric, bound)?)?.1);
                    // A reading beyond the alert or rollback bound does not pass the gate either.
                    let others = [metric.bounds.alert, metric.bounds.rollback].into_iter();
                    others.flatten().filter_map(beyond).fold(beyond(bound)?, larger)
                }
                Which::Alert => {
                    let law = in_window(policy, metric, phase, traffic)?;
                    in_a_row(policy, law.beyond(metric, figure(metric, bound)?)?.1)
                }
                Which::Rollback => 1.0 - kept_by_rollback(policy, traffic, metric, bound, phase)?,
            };
            Some((phase, chance))
        });
        phases.collect()
    }

    /// The figure to advise for a bound: the least multiple of the reference that a healthy fix meets in
    /// all phases with the first chance of [`SURE`] that any multiple reaches. None if none is reached.
    fn advised(&self, metric: &Metric, which: Which, bound: Bound) -> Option<Advised> {
        let reference = metric.reference?;
        let is_fraction = metric.kind.is_fraction();
        let base = if is_fraction { metric.worse.bad(reference, 1.0) } else { reference };
        let mut tried = Vec::new();
        for ratio in MULTIPLES {
            // As a person would write it.
            let bad = (base * ratio * 1e12).round() / 1e12;
            if is_fraction && bad >= 1.0 {
                break;
            }
            let figure = if is_fraction { metric.worse.bad(bad, 1.0) } else { bad };
            let figure = (figure * 1e12).round() / 1e12;
            let kept =
                self.kept(metric, which, Bound { value: BoundValue::Absolute(figure), ..bound });
            tried.push(Advised { figure, kept });
            if kept >= SURE[0] {
                break;
            }
        }
        SURE.iter().find_map(|sure| tried.iter().find(|of| of.kept >= *sure)).copied()
    }
}

/// What follows a success bound that is missed in these phases: the gravest of their responses.
fn after_a_miss(phases: &[(&Phase, f64)]) -> &'static str {
    match phases.iter().map(|(phase, _)| phase.criteria_missed).max() {
        Some(Response::RollBack) => ROLLED_BACK,
        Some(Response::Ask) => "is put before a person",
        Some(Response::Hold | Response::Continue) | None => "waits",
    }
}

/// A bound's figure, or its ratio if it is relative to the live version.
fn shown(metric: &Metric, bound: Bound) -> String {
    match (figure(metric, bound), bound.value) {
        (Some(figure), _) | (None, BoundValue::Absolute(figure)) => in_unit(metric.kind, figure),
        (None, BoundValue::Relative(ratio, _)) => {
            format!("{} × the live version", text::figure(ratio.value(), 4))
        }
    }
}

fn of_100(chance: f64) -> String {
    rounded(100.0 * chance, usize::from(chance >= 0.995))
}
