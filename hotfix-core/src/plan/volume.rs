//! Planned traffic that does not suit the policy: beyond a bound of a volume metric, as every
//! reading of a healthy fix then is; so far within all of its bounds that none acts before most of
//! the traffic is lost; or too low for a window to have the least number of trials.

use crate::grade::{OnFailure, Response, Role, Worse};
use crate::metric::bound_figure;
use crate::metric_kind::Unit;
use crate::policy::Policy;
use crate::policy::section::{Metric, Phase};
use crate::text::quoted;
use crate::unit::Share;

use super::Plan;
use super::healthy::{OFTEN, trials};
use super::power::passes_in_time;
use crate::stats::numeric::whole;
use crate::stats::planning::chances::Draw;

/// Bounds that allow a larger part of the traffic to be lost are probably those of another service.
const MOST_LOST: f64 = 0.5;

/// A phase whose windows often have fewer trials than its bounds need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ShortWindow<'p> {
    pub(crate) index: usize,
    pub(crate) phase: &'p Phase,
    /// Trials in a window, of the arm that has fewer.
    pub(crate) trials: f64,
    /// The live version has fewer, which only the bounds that compare with it need.
    of_live: bool,
    /// The part of its windows with too few trials, if the number of requests is random.
    pub(crate) short: f64,
}

/// A bound of a volume metric that the planned traffic does not meet.
pub(super) struct Beyond {
    /// What follows a reading beyond it.
    rolls_back: bool,
    pub(super) sentence: String,
}

/// Whether the metric decides by bounds that need a least number of trials.
pub(crate) fn waits_for_trials(metric: &Metric) -> bool {
    metric.role == Role::Decide
        && metric.kind.counts_requests()
        && (metric.bounds.alert.is_some() || metric.bounds.rollback.is_some())
}

/// The phases whose alert and rollback bounds are often not evaluated with so many requests a minute.
pub(crate) fn short_windows(policy: &Policy, requests_per_minute: f64) -> Vec<ShortWindow<'_>> {
    let watch = policy.watch();
    let mut evaluated = policy.metrics().iter().filter(|metric| waits_for_trials(metric));
    let Some(first) = evaluated.next() else { return Vec::new() };
    // A bound that uses the live arm needs as many trials there, if there is one.
    let both = first.compares_live() || evaluated.any(Metric::compares_live);
    let phases = policy.phases().iter().enumerate().filter_map(|(index, phase)| {
        let share = phase.share_of_fewer(both);
        let trials = trials(requests_per_minute, share, watch.window);
        let too_few = whole(watch.least_trials.ceil()).checked_sub(1)?;
        let short = Draw::Events { expected: trials }.at_most(too_few);
        let of_live = share < phase.share;
        (short > OFTEN).then_some(ShortWindow { index, phase, trials, of_live, short })
    });
    phases.collect()
}

impl ShortWindow<'_> {
    /// Whose trials these are, to follow `trials`; empty for the canary.
    pub(crate) const fn of(&self) -> &'static str {
        if self.of_live { " of the live version" } else { "" }
    }

    /// The bounds that need them.
    pub(crate) const fn bounds(&self) -> &'static str {
        if self.of_live { "the bounds that compare with it" } else { "its bounds" }
    }

    /// Who gets more traffic, as a remedy.
    const fn remedy(&self) -> &'static str {
        if self.of_live {
            "leave the live version more traffic"
        } else {
            "give the phase more traffic"
        }
    }
}

impl Phase {
    /// The share of the arm that has fewer trials. `both`: the live arm needs them, too, if there is one.
    pub(super) fn share_of_fewer(&self, both: bool) -> Share {
        let live = self.share.rest();
        if both && live > Share::NONE { self.share.min(live) } else { self.share }
    }
}

impl Plan {
    /// A sentence about the phase with the fewest trials, if bounds are often not evaluated at the
    /// planned traffic.
    pub(super) fn low_traffic(&self) -> Option<String> {
        let policy = self.policy();
        let requests_per_minute = self.subject().traffic.requests_per_minute?;
        let short = short_windows(policy, requests_per_minute);
        let fewest = short.iter().min_by(|a, b| a.trials.total_cmp(&b.trials))?;
        let watch = policy.watch();
        if fewest.trials >= watch.least_trials {
            let decide = policy.metrics().iter().filter(|metric| waits_for_trials(metric));
            let passes = decide
                .filter_map(|metric| Some((passes_in_time(self, metric, fewest.phase)?, metric.id)))
                .min_by(|one, other| one.0.total_cmp(&other.0));
            let passes = passes.map_or_else(String::new, |(passes, metric)| {
                let lasts = policy.gate_after(fewest.phase);
                format!(
                    ": by the bounds of `{metric}` about {:.0} of 100 healthy fixes pass it in {lasts}",
                    100.0 * passes
                )
            });
            return Some(format!(
                "a window of {} in phase `{}` has {} trials{} on average, and about {:.0} of 100 have fewer \
                 than the {} that {} need: in these they are not evaluated, and a phase that \
                 ends with one waits{passes}. Lower `watch.least_trials`, use a longer window, or {}",
                watch.window,
                fewest.phase.name,
                fewest.trials,
                fewest.of(),
                100.0 * fewest.short,
                watch.least_trials,
                fewest.bounds(),
                fewest.remedy()
            ));
        }
        Some(format!(
            "a window of {} in phase `{}` has {} of the {} trials{} that {} need: they are \
             not evaluated, and {} when the time of the phase is over. Lower \
             `watch.least_trials`, use a longer window, or {}",
            watch.window,
            fewest.phase.name,
            fewest.trials,
            watch.least_trials,
            fewest.of(),
            fewest.bounds(),
            fewest.phase.undecided(self.on_failure()),
            fewest.remedy(),
        ))
    }

    /// The deciding volume metrics, each with the planned traffic, where the plan has one.
    fn planned_volumes(&self) -> impl Iterator<Item = (&Metric, f64)> {
        let planned = self.subject().traffic.requests_per_minute;
        let volumes = self.policy().deciding().filter(|of| of.kind.is_traffic());
        volumes.filter_map(move |of| Some((of, planned?)))
    }

    /// The deciding volume metrics with a bound that the planned traffic does not meet, each with its
    /// gravest such bound and the phases concerned: all of them if the bound scales with the share.
    pub(super) fn volumes_beyond(&self) -> Vec<Beyond> {
        let of = |(metric, requests_per_minute): (&Metric, f64)| {
            let gravest_first = [
                (true, "rollback", metric.bounds.rollback, "is rolled back"),
                (false, "success", metric.bounds.success, "misses this criterion"),
            ];
            gravest_first.into_iter().find_map(|(rolls_back, which, bound, then)| {
                let bound = bound_figure(metric, bound?, None)?;
                let is_beyond = |phase: &&Phase| {
                    let part = if metric.scaled { 1.0 } else { phase.share.as_fraction() };
                    metric.worse.is_beyond(requests_per_minute * part, bound)
                };
                let phases: Vec<&Phase> = self.phases().iter().filter(is_beyond).collect();
                if phases.is_empty() {
                    return None;
                }
                let [traffic, shown] =
                    [requests_per_minute, bound].map(|of| Unit::PerMinute.shown(of));
                let (part, or) = if phases.len() == self.phases().len() {
                    (String::new(), "")
                } else {
                    let names: Vec<_> = phases.iter().map(|phase| phase.name).collect();
                    let names = quoted(&names, " and ");
                    (format!("the share of {names} in "), ", or scale them (`scaled = true`)")
                };
                let sentence = format!(
                    "{part}the planned traffic of {traffic} does not meet the {which} bound {shown} of \
                     `{}`, so a healthy fix {then}: set the bounds and the reference of the metric to your \
                     traffic{or}",
                    metric.id
                );
                let miss = |phase: &&Phase| phase.criteria_missed == Response::RollBack;
                let rolls_back = rolls_back || phases.iter().any(miss);
                Some(Beyond { rolls_back, sentence })
            })
        };
        self.planned_volumes().filter_map(of).collect()
    }

    /// The deciding volume metrics with bounds of which none acts before [`MOST_LOST`] of the planned traffic
    /// is lost, in a sentence each.
    pub(super) fn volumes_far_within(&self) -> Vec<String> {
        let of = |(metric, requests_per_minute): (&Metric, f64)| {
            let is_of_all =
                metric.scaled && metric.worse == Worse::Lower && !metric.compares_live_level();
            let first = metric.bound_figures().max_by(f64::total_cmp).filter(|_| is_of_all)?;
            let part = first / requests_per_minute;
            let [traffic, shown] = [requests_per_minute, first].map(|of| Unit::PerMinute.shown(of));
            (part < 1.0 - MOST_LOST).then(|| {
                format!(
                    "no bound of `{}` acts before the planned traffic of {traffic} has fallen to {shown}, {:.0}% \
                     of it: set the bounds and the reference of the metric to your traffic",
                    metric.id,
                    100.0 * part
                )
            })
        };
        self.planned_volumes().filter_map(of).collect()
    }

    /// Those of [`Self::volumes_beyond`] that roll back every fix for certain, a sentence each.
    pub(crate) fn volumes_that_roll_back(&self) -> Vec<String> {
        if self.on_failure() != OnFailure::RollBack {
            return Vec::new();
        }
        let beyond = self.volumes_beyond().into_iter().filter(|of| of.rolls_back);
        beyond.map(|of| of.sentence).collect()
    }
}
