//! Failed requests that the readings counted, by version and metric, for the report and the
//! measures.
//!
//! The requests are counted, not estimated from a rate. The judge's harm ([`Rollout::harm`]) is an
//! estimate: the rate of the phase times the planned traffic. Multiplied by the minutes watched, it
//! would be too high where less traffic came than was planned, and would miss failed requests of a
//! warm-up, of traffic moves and of the rollback. The metric layer turns running counters into
//! differences, as for the judge.

use std::collections::BTreeMap;

use crate::grade::Role;
use crate::metric::{Counters, Layout, Observation, Reading, Tick};
use crate::plan::Plan;
use crate::policy::section::Metric;
use crate::rollout::Rollout;
use crate::sorting::{map_of, set_of};
use crate::unit::{MetricName, Share, Span, Timestamp};

use super::measures::{Impact, ImpactUnit};
use super::model::{Counted, MetricImpact};

/// What the live version is called while no release names it.
const LIVE: &str = "live version";

#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    bad: BTreeMap<(String, MetricName), Counted>,
    /// The version with the canary's share.
    canary: Option<String>,
    /// The last reading of each metric.
    readers: BTreeMap<MetricName, ImpactReader>,
    traffic: [Traffic; 2],
}

/// Whether the requests of a version are counted, and when it lost its traffic.
#[derive(Clone, Copy, Debug, Default)]
struct Traffic {
    is_any: bool,
    lost: Option<Timestamp>,
}

impl Traffic {
    fn follow(&mut self, at: Timestamp, has: bool) {
        self.lost = if has { None } else { self.lost.or(self.is_any.then_some(at)) };
        self.is_any = has;
    }

    /// Whether requests of the version are counted that came since an earlier reading: it has
    /// traffic, or had some until after that reading, which is not older than `stale`.
    fn counts(self, since: Option<Timestamp>, at: Timestamp, stale: Span) -> bool {
        self.is_any || self.lost.is_some_and(|lost| since < Some(lost) && at.since(lost) <= stale)
    }
}

#[derive(Clone, Debug, Default)]
struct ImpactReader {
    counters: Counters,
    tick: Tick,
    seen_at: Option<Timestamp>,
    /// When each version last had requests in a reading.
    requests_at: [Option<Timestamp>; 2],
}

/// Whether a metric counts failed requests: one with the role `decide`, or the bug's own metric.
fn counts(plan: &Plan, metric: &Metric) -> bool {
    let bug = plan.efficacy().is_some_and(|claim| claim.metric == metric.id);
    metric.counts_bad_events() && (metric.role == Role::Decide || bug)
}

impl Tally {
    /// The first release names the live version, which was counted without a name before.
    pub(super) fn name_live(&mut self, live: &str) {
        let counts = std::mem::take(&mut self.bad).into_iter();
        let named = |version| if version == LIVE { live.to_owned() } else { version };
        self.bad = map_of(counts.map(|((version, id), of)| ((named(version), id), of)));
    }

    /// Notes which versions have traffic after a line of the log.
    pub(super) fn follow(&mut self, rollout: &Rollout, at: Timestamp) {
        let share = rollout.share();
        let [canary, live] = &mut self.traffic;
        canary.follow(at, share > Share::NONE);
        live.follow(at, share < Share::ALL);
    }

    /// Adds one observation. A version without traffic is not counted, but for its first requests
    /// that are read after it has lost its traffic: they came before. A release that another one has
    /// replaced keeps its traffic, and its failed requests, until that moves.
    pub(super) fn add(&mut self, rollout: &Rollout, at: Timestamp, observed: &Observation) {
        let (plan, share) = (rollout.plan(), rollout.share());
        let (canary, live) = (rollout.canary_version(), rollout.live_version().unwrap_or(LIVE));
        if self.canary.as_deref() != canary {
            // Running counters of another version begin again; those of the live version go on.
            self.canary = canary.map(str::to_owned);
            for reader in self.readers.values_mut() {
                reader.counters.forget_canary();
                reader.requests_at[0] = None;
            }
            self.traffic[0].lost = None;
        }
        let (versions, stale) = ([canary, Some(live)], plan.policy().watch().stale);
        for (name, reading) in observed.iter() {
            let metric = plan.policy().metric(name.as_str()).filter(|m| counts(plan, m));
            let Some(metric) = metric else { continue };
            let reader = self.readers.entry(metric.id).or_default();
            let read = reader.read(metric, reading, at, share);
            for (arm, (version, counted)) in versions.iter().zip(read).enumerate() {
                let requests_at = &mut reader.requests_at[arm];
                let is_counted = self.traffic[arm].counts(*requests_at, at, stale);
                if counted.is_some_and(|counted| counted.of > 0.0) {
                    *requests_at = Some(at);
                }
                if let (Some(version), Some(Counted { bad, of }), true) =
                    (version, counted, is_counted)
                {
                    let sum = self.bad.entry(((*version).to_owned(), metric.id)).or_default();
                    sum.bad += bad;
                    sum.of += of;
                }
            }
        }
    }

    /// Counts of each version and metric, in the policy's order.
    pub(super) fn by_metric(&self, plan: &Plan) -> Vec<MetricImpact> {
        let mut parts = Vec::new();
        for version in set_of(self.bad.keys().map(|(version, _)| version.clone())) {
            for Metric { id, title, kind, .. } in plan.policy().metrics() {
                let (metric, title, kind) = (*id, title.clone(), *kind);
                if let Some(&counted) = self.bad.get(&(version.clone(), metric)) {
                    parts.push(MetricImpact {
                        version: version.clone(),
                        metric,
                        title,
                        kind,
                        counted,
                    });
                }
            }
        }
        parts
    }

    /// Lower limit for each version: the count of the metric with the most failed requests, because
    /// one request may fail for several metrics. One request may also have several events, so those are
    /// named only where no failed request is counted.
    pub(super) fn by_version(&self, plan: &Plan) -> BTreeMap<String, Impact> {
        let mut worst: BTreeMap<String, Impact> = BTreeMap::new();
        for ((version, metric), Counted { bad, .. }) in &self.bad {
            let of = plan.policy().metric(metric.as_str());
            let unit = if of.is_some_and(|of| of.kind.is_fraction()) {
                ImpactUnit::Requests
            } else {
                ImpactUnit::Events
            };
            let impact = Impact { at_least: *bad, metric: *metric, unit };
            let rank =
                |of: &Impact| (of.unit == ImpactUnit::Requests && of.at_least > 0.0, of.at_least);
            let known = worst.entry(version.clone()).or_insert(impact);
            if rank(known) < rank(&impact) {
                *known = impact;
            }
        }
        worst
    }
}

impl ImpactReader {
    /// Counts that a reading adds, for the new version and the live one.
    fn read(
        &mut self,
        metric: &Metric,
        reading: &Reading,
        at: Timestamp,
        share: Share,
    ) -> [Option<Counted>; 2] {
        let layout = Layout::default();
        let read = self.tick.read(metric, &layout, &self.counters, reading, at, share);
        self.counters.keep(metric, &layout, (reading, &self.tick), at);
        // A second reading with the same time is a repeated delivery.
        let is_repeated = self.seen_at.replace(at) == Some(at);
        let (Ok(()), false, &[events, trials, live_events, live_trials]) =
            (read, is_repeated, self.tick.row.as_slice())
        else {
            return [None, None];
        };
        let counted =
            |events, trials| Counted { bad: metric.worse.bad(events, trials), of: trials };
        [
            self.tick.canary.then(|| counted(events, trials)),
            self.tick.baseline.then(|| counted(live_events, live_trials)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    #[test]
    fn post_3_counters_repeated_readings_and_successes_are_counted_as_the_judge_reads_them() {
        let policy = Policy::preset("phased-canary").unwrap();
        let metric = policy.metrics().iter().find(|m| m.id.as_str() == "error_rate").unwrap();
        let mut reader = ImpactReader::default();
        let mut read = |minute: i64, text: &str| {
            let at = Timestamp::try_from_millis(60_000 * minute).unwrap();
            let half = Share::from_percent(50);
            let reading: Reading = serde_json::from_str(text).unwrap();
            reader.read(metric, &reading, at, half).map(|of| of.map(|of| [of.bad, of.of]))
        };
        let totals = |text: &str| format!(r#"{{"totals": true, {text}}}"#);
        // The first total counts nothing; then the increase; after a reset, the whole total.
        assert_eq!(read(1, &totals(r#""canary": [50, 900]"#)), [None, None]);
        assert_eq!(read(2, &totals(r#""canary": [53, 1000]"#)), [Some([3.0, 100.0]), None]);
        assert_eq!(read(3, &totals(r#""canary": [2, 40]"#)), [Some([2.0, 40.0]), None]);
        // A reading with the same time is the same reading.
        let both = r#"{"canary": {"a": [1, 10], "b": [4, 20]}, "baseline": [7, 70]}"#;
        assert_eq!(read(4, both), [Some([5.0, 30.0]), Some([7.0, 70.0])]);
        assert_eq!(read(4, both), [None, None]);

        let success = policy.metrics().iter().find(|m| m.id.as_str() == "payment_success").unwrap();
        let reading: Reading = serde_json::from_str(r#"{"baseline": [45, 100]}"#).unwrap();
        let read =
            ImpactReader::default().read(success, &reading, Timestamp::default(), Share::NONE);
        assert_eq!(read, [None, Some(Counted { bad: 55.0, of: 100.0 })]);
    }
}
