//! Requests that readings counted as bad, by version and metric: one count for report and measures (POST-3, STAT-5).
//!
//! They are counted, not worked out from a rate: the judge's harm ([`Rollout::harm`]) is a rate over the phase times the planned
//! traffic, which says what a version would hurt from here on. Times the minutes watched it would be more than was hurt
//! wherever less traffic came than was planned, and nothing of what was hurt in a warm-up, while traffic moved, or on the
//! way back. Running counters are turned into differences by the metric layer, as the judge has them turned.

use std::collections::BTreeMap;

use crate::grade::Role;
use crate::metric::{Counters, Layout, Observation, Reading, Tick};
use crate::plan::Plan;
use crate::policy::section::Metric;
use crate::rollout::Rollout;
use crate::unit::{MetricName, Share, Timestamp};

use super::measures::Hurt;
use super::model::{Counted, MetricHurt};

/// Bad requests by version and metric.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    hurt: BTreeMap<(String, MetricName), Counted>,
    /// What each metric showed last, in this attempt.
    readers: BTreeMap<MetricName, Reader>,
}

/// Reads one metric.
#[derive(Clone, Debug, Default)]
struct Reader {
    counters: Counters,
    tick: Tick,
    seen_at: Option<Timestamp>,
}

/// Metrics that count bad requests: those that decide, and the bug's own.
fn counts(plan: &Plan, metric: &Metric) -> bool {
    let bug = plan.efficacy().is_some_and(|claim| claim.metric == metric.id);
    metric.counts_bad_events() && (metric.role == Role::Decide || bug)
}

impl Tally {
    /// Another attempt begins, as for the judge: its counters are another version's.
    pub(super) fn begin_anew(&mut self) {
        self.readers.clear();
    }

    /// Adds what one observation read. A version without traffic hurts nobody.
    pub(super) fn add(&mut self, rollout: &Rollout, at: Timestamp, observed: &Observation) {
        let (plan, share) = (rollout.plan(), rollout.share());
        let release = &plan.subject().release;
        let versions = [
            (share > Share::NONE).then_some(&release.version),
            (share < Share::ALL).then_some(&release.previous),
        ];
        for (name, reading) in observed.iter() {
            let metric = plan.policy().metric(name.as_str()).filter(|m| counts(plan, m));
            let Some(metric) = metric else { continue };
            let reader = self.readers.entry(metric.id).or_default();
            for (version, counted) in versions.iter().zip(reader.read(metric, reading, at, share)) {
                if let (Some(version), Some(Counted { bad, of })) = (version, counted) {
                    let hurt = self.hurt.entry(((*version).clone(), metric.id)).or_default();
                    hurt.bad += bad;
                    hurt.of += of;
                }
            }
        }
    }

    /// Each version and metric, in the order of the policy.
    pub(super) fn by_metric(&self, plan: &Plan) -> Vec<MetricHurt> {
        let metrics = plan.policy().metrics().iter().enumerate();
        let places: BTreeMap<MetricName, (usize, &Metric)> =
            metrics.map(|(place, metric)| (metric.id, (place, metric))).collect();
        let mut parts: Vec<(usize, MetricHurt)> = Vec::new();
        for ((version, id), counted) in &self.hurt {
            let Some((place, metric)) = places.get(id) else { continue };
            let (version, title) = (version.clone(), metric.title.clone());
            let kind = metric.kind;
            let part = MetricHurt { version, metric: *id, title, kind, counted: *counted };
            parts.push((*place, part));
        }
        parts.sort_by(|(a, x), (b, y)| x.version.cmp(&y.version).then(a.cmp(b)));
        parts.into_iter().map(|(_, part)| part).collect()
    }

    /// By version: at least what its worst metric counts, as one request may be bad for several.
    pub(super) fn by_version(&self) -> BTreeMap<String, Hurt> {
        let mut worst: BTreeMap<String, Hurt> = BTreeMap::new();
        for ((version, metric), Counted { bad, .. }) in &self.hurt {
            let hurt = Hurt { at_least: *bad, metric: *metric };
            let known = worst.entry(version.clone()).or_insert(hurt);
            if known.at_least < *bad {
                *known = hurt;
            }
        }
        worst
    }
}

impl Reader {
    /// What a reading adds: bad ones of so many, of the new version and the live one.
    fn read(
        &mut self,
        metric: &Metric,
        reading: &Reading,
        at: Timestamp,
        share: Share,
    ) -> [Option<Counted>; 2] {
        let layout = Layout::default();
        let read = self.tick.read(metric, &layout, &self.counters, reading, at, share);
        self.counters.keep(metric, &layout, reading, at);
        // The same moment again is a repeated delivery.
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
        let mut reader = Reader::default();
        let mut read = |minute: i64, text: &str| {
            let at = Timestamp::try_from_millis(60_000 * minute).unwrap();
            let half = Share::from_percent(50);
            let reading: Reading = serde_json::from_str(text).unwrap();
            reader.read(metric, &reading, at, half).map(|of| of.map(|of| [of.bad, of.of]))
        };
        let totals = |text: &str| format!(r#"{{"totals": true, {text}}}"#);
        // The first total is of a time before; then what it rose by; then all of it, after a reset.
        assert_eq!(read(1, &totals(r#""canary": [50, 900]"#)), [None, None]);
        assert_eq!(read(2, &totals(r#""canary": [53, 1000]"#)), [Some([3.0, 100.0]), None]);
        assert_eq!(read(3, &totals(r#""canary": [2, 40]"#)), [Some([2.0, 40.0]), None]);
        // The same moment again is the same reading.
        let both = r#"{"canary": {"a": [1, 10], "b": [4, 20]}, "baseline": [7, 70]}"#;
        assert_eq!(read(4, both), [Some([5.0, 30.0]), Some([7.0, 70.0])]);
        assert_eq!(read(4, both), [None, None]);

        let success = policy.metrics().iter().find(|m| m.id.as_str() == "payment_success").unwrap();
        let reading: Reading = serde_json::from_str(r#"{"baseline": [45, 100]}"#).unwrap();
        let read = Reader::default().read(success, &reading, Timestamp::default(), Share::NONE);
        assert_eq!(read, [None, Some(Counted { bad: 55.0, of: 100.0 })]);
    }
}
