//! Bad events that were read, by version (STAT-5): what the impact counts.

use std::collections::BTreeMap;

use crate::grade::{MetricKind, Role, Worse};
use crate::metric::{Observation, Reading, Sample};
use crate::plan::Plan;
use crate::policy::section::Metric;
use crate::unit::MetricName;

use super::model::{Counted, HurtRange, MetricHurt};

/// Bad events by metric, the new version's and the live one's.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    by_metric: BTreeMap<MetricName, [Option<Counted>; 2]>,
    /// Running counters: what they showed last, by metric, version, stratum and instance.
    counters: BTreeMap<(MetricName, usize, usize, String), [f64; 2]>,
}

/// Metrics that count bad events: those that decide, and the bug's own.
fn counts(plan: &Plan, metric: &Metric) -> bool {
    let bug = plan.efficacy().is_some_and(|claim| claim.metric == metric.id);
    matches!(metric.kind, MetricKind::Proportion | MetricKind::Count)
        && (metric.role == Role::Decide || bug)
}

impl Tally {
    /// Adds what one observation read.
    pub(super) fn add(&mut self, plan: &Plan, observed: &Observation) {
        for (name, reading) in observed.iter() {
            let Some(metric) = plan.policy().metric(name.as_str()).filter(|m| counts(plan, m))
            else {
                continue;
            };
            self.read(metric, reading);
        }
    }

    fn read(&mut self, metric: &Metric, reading: &Reading) {
        for (stratum, arms) in reading.strata().enumerate() {
            for (version, sample) in [&arms.canary, &arms.baseline].into_iter().enumerate() {
                let Some(sample) = sample else { continue };
                for (instance, pair) in pairs(sample) {
                    let pair = if arms.totals {
                        let key = (metric.id, version, stratum, instance);
                        let before = self.counters.insert(key, pair);
                        since(before, pair)
                    } else {
                        pair
                    };
                    self.count(metric, version, pair);
                }
            }
        }
    }

    fn count(&mut self, metric: &Metric, version: usize, [events, trials]: [f64; 2]) {
        if !(events.is_finite() && trials.is_finite()) {
            return;
        }
        let bad = match (metric.kind, metric.worse) {
            (MetricKind::Proportion, Worse::Lower) => trials - events,
            _ => events,
        };
        if let Some(counted) = self.by_metric.entry(metric.id).or_default().get_mut(version) {
            let counted = counted.get_or_insert_default();
            counted.bad += bad;
            counted.of += trials;
        }
    }

    /// By metric, in the order of the policy.
    pub(super) fn by_metric(&self, plan: &Plan) -> Vec<MetricHurt> {
        let of = |metric: &Metric| {
            let [new_version, live_version] = *self.by_metric.get(&metric.id)?;
            let title = metric.title.clone();
            Some(MetricHurt { metric: metric.id, title, new_version, live_version })
        };
        plan.policy().metrics().iter().filter_map(of).collect()
    }
}

/// One request may be bad for several metrics, or each for another.
pub(super) fn range(all: impl Iterator<Item = Option<Counted>>) -> Option<HurtRange> {
    all.flatten().map(|counted| counted.bad).fold(None, |range: Option<HurtRange>, bad| {
        let HurtRange { at_least, at_most } =
            range.unwrap_or(HurtRange { at_least: 0.0, at_most: 0.0 });
        Some(HurtRange { at_least: at_least.max(bad), at_most: at_most + bad })
    })
}

/// Events and trials; latencies and levels have none.
fn pairs(sample: &Sample) -> Vec<(String, [f64; 2])> {
    match sample {
        Sample::Pair(events, trials) => vec![(String::new(), [*events, *trials])],
        Sample::Instances(instances) => {
            instances.iter().map(|(name, pair)| (name.clone(), *pair)).collect()
        }
        Sample::Level(_) | Sample::Histogram(_) | Sample::Samples(_) => Vec::new(),
    }
}

/// What a running counter brought: nothing the first time; one that stands lower than before began anew.
fn since(before: Option<[f64; 2]>, now: [f64; 2]) -> [f64; 2] {
    match before {
        None => [0.0, 0.0],
        Some([events, trials]) if now[0] < events || now[1] < trials => now,
        Some([events, trials]) => [now[0] - events, now[1] - trials],
    }
}
