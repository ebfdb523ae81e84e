//! Bounds that a healthy fix often misses by chance, at the traffic of the plan.

use crate::grade::{Response, Role, Worse};
use crate::metric::in_unit;
use crate::policy::section::{Metric, Phase};
use crate::text::{enumerated, rounded};
use crate::unit::Span;

use super::Plan;
use super::healthy::{Law, SURE, at_gate, figure, in_a_row, power, trials};

/// A bound is named if a healthy fix misses it more often than this: success and rollback in a
/// phase, alert in a window.
const OFTEN: f64 = 0.05;
/// Multiples of the reference's bad events at which a bound may be set.
const MULTIPLES: [f64; 13] = [1.1, 1.2, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 8.0, 10.0, 20.0, 50.0];

/// What follows a bound that rolls back.
const ROLLED_BACK: &str = "is rolled back";

/// The three bounds of a metric, in the order of [`Bounds::named`].
///
/// [`Bounds::named`]: crate::policy::section::Bounds::named
#[derive(Clone, Copy)]
enum Which {
    Success,
    Alert,
    Rollback,
}

impl Plan {
    /// The bounds that a fix as good as the reference often misses by chance: which, how often, and
    /// what to change. Metrics that are not counted, or have no reference, are left out.
    pub(super) fn missed_by_chance(&self) -> Vec<String> {
        let deciding = self.policy().metrics().iter().filter(|of| of.role == Role::Decide);
        let each = deciding.flat_map(|metric| {
            let which = [Which::Success, Which::Alert, Which::Rollback];
            which.into_iter().zip(metric.bounds.named()).map(move |bound| (metric, bound))
        });
        each.filter_map(|(metric, (which, (name, bound)))| {
            self.often_missed(metric, which, name, figure(metric, bound?)?)
        })
        .collect()
    }

    fn often_missed(
        &self,
        metric: &Metric,
        which: Which,
        name: &str,
        bound: f64,
    ) -> Option<String> {
        let mut often = self.misses(metric, which, bound);
        often.retain(|(_, chance)| *chance > OFTEN);
        if often.is_empty() {
            return None;
        }
        let cases: Vec<String> = often
            .iter()
            .map(|(phase, chance)| format!("{} of 100 in `{}`", of_100(*chance), phase.name))
            .collect();
        let side = match (which, metric.worse) {
            (Which::Success, Worse::Higher) => "at most",
            (Which::Success, Worse::Lower) => "at least",
            (Which::Alert | Which::Rollback, worse) => worse.side(),
        };
        let (misses, windows, then) = match which {
            Which::Success => ("misses", "", after_a_miss(&often)),
            Which::Alert => ("breaches", " of its windows", "waits"),
            Which::Rollback => ("breaches", "", ROLLED_BACK),
        };
        let change = match self.advised(metric, which) {
            Some((advised, chance)) => format!(
                "set it to {}, which {} of 100 healthy fixes keep in all phases",
                in_unit(metric.kind, advised),
                of_100(chance)
            ),
            None => "no bound up to 50 times the reference is kept: use longer phases".to_owned(),
        };
        let or = match which {
            Which::Success if then == ROLLED_BACK => ", or set `criteria_missed` to `hold`",
            Which::Success | Which::Alert | Which::Rollback => "",
        };
        Some(format!(
            "a fix that is as good as the reference {misses} the {name} bound of `{}`, {side} {}, by \
             chance in {}{windows}, and {then}: {change}{or}",
            metric.id,
            in_unit(metric.kind, bound),
            enumerated(&cases),
        ))
    }

    /// The chance of a healthy fix to miss a bound at this figure, in each phase that judges it.
    fn misses(&self, metric: &Metric, which: Which, bound: f64) -> Vec<(&Phase, f64)> {
        let policy = self.policy();
        let traffic = self.requests_per_minute();
        let watch = policy.watch();
        let phases = policy.phases().iter().filter_map(|phase| {
            let chance = match which {
                Which::Success if phase.criteria_missed == Response::Continue => return None,
                Which::Success => at_gate(policy, metric, phase, traffic)?.beyond(metric, bound)?.1,
                Which::Alert | Which::Rollback => {
                    let trials = traffic.map(|of| trials(of, phase.share, watch.window));
                    if trials.is_some_and(|trials| trials < watch.least_trials) {
                        return None;
                    }
                    let law = Law::of(metric, phase.share, watch.window, trials)?;
                    let window = in_a_row(policy, law.beyond(metric, bound)?.1);
                    match which {
                        Which::Rollback => in_any(window, phase.watch, watch.window),
                        Which::Success | Which::Alert => window,
                    }
                }
            };
            Some((phase, chance))
        });
        phases.collect()
    }

    /// A bound that a healthy fix meets in all phases, and the chance of that.
    fn advised(&self, metric: &Metric, which: Which) -> Option<(f64, f64)> {
        let reference = metric.reference?;
        let at = |multiple: f64| {
            let figure = match metric.worse {
                Worse::Higher => reference * multiple,
                Worse::Lower => 1.0 - (1.0 - reference) * multiple,
            };
            // As a person would write it.
            (figure * 1e9).round() / 1e9
        };
        let tried: Vec<(f64, f64)> = MULTIPLES
            .into_iter()
            .map(at)
            .filter(|figure| *figure > 0.0)
            .map(|figure| {
                let missed = self.misses(metric, which, figure);
                (figure, missed.iter().map(|(_, chance)| 1.0 - chance).product())
            })
            .collect();
        SURE.iter().find_map(|sure| tried.iter().find(|(_, kept)| kept >= sure)).copied()
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

/// The chance that any of the windows of a phase breaches a bound. Those that share no data are
/// counted, so it is a lower limit.
fn in_any(chance: f64, watched: Span, window: Span) -> f64 {
    let windows = (watched.as_seconds() / window.as_seconds()).floor().max(1.0);
    1.0 - power(1.0 - chance, windows)
}

/// A chance as cases of 100.
fn of_100(chance: f64) -> String {
    rounded(100.0 * chance, usize::from(chance >= 0.995))
}
