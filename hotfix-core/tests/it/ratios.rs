//! The ratio that a verdict reports is one within strata and planned splits (STAT-6).

use std::sync::Arc;

use hotfix_core::judge::{Judge, MetricEvidence, Use, Verdict};
use hotfix_core::metric::Observation;
use hotfix_core::plan::{Plan, Subject};
use hotfix_core::policy::Policy;
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

use crate::latency_worlds::moment;

/// Ratio and interval of the errors after these readings, one a minute, each with the phase in which
/// it is taken.
fn reported(readings: &[(usize, Value)]) -> (f64, [f64; 2]) {
    let subject: Subject = serde_json::from_value(json!({
        "incident": {"id": "INC-2041"},
        "release": {"version": "2.3.1", "previous": "2.3.0"},
    }))
    .unwrap();
    let mut policy: Value =
        serde_json::from_str(&Policy::preset("standard").unwrap().to_json()).unwrap();
    policy["watch"]["warm_up"] = json!(0);
    let policy = Policy::from_json(&policy.to_string()).unwrap();
    let plan = Plan::try_new(Arc::new(policy), subject).unwrap();
    let mut judge = Judge::try_new(&plan).unwrap();
    let mut at: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
    let (mut phase, mut verdict) = (None, Verdict::default());
    for (of, error_rate) in readings {
        let share = plan.policy().phases()[*of].share;
        if phase != Some(*of) {
            judge.move_traffic(at);
            judge.start_phase(at);
            phase = Some(*of);
        }
        at = at + Span::from_seconds(60);
        let observation: Observation =
            serde_json::from_value(json!({ "error_rate": error_rate })).unwrap();
        let readings = judge.prepare(at, share, &observation).unwrap();
        judge.take(readings, Use::Watch);
        judge.assess(&moment(&plan, at, share), &mut verdict);
        judge.note(at, &verdict);
    }
    let id = "error_rate".parse().unwrap();
    let evidence = MetricEvidence::of(&judge, id, &plan).unwrap();
    let seen = verdict.metrics.iter().find(|(metric, _)| *metric == id).unwrap();
    assert_eq!(seen.1.ratio, evidence.ratio);
    let interval = evidence.interval.unwrap();
    (evidence.ratio.unwrap(), [interval.low, interval.high])
}

#[test]
fn stat_6_equal_arms_have_a_ratio_of_one_whatever_their_mixture() {
    // Phones fail ten times as often in both arms, and most users of the canary have one.
    let mixed = json!([
        { "canary": [80, 8000], "baseline": [20, 2000] },
        { "canary": [2, 2000], "baseline": [8, 8000] },
    ]);
    // Both arms fail twice as often once half of the traffic is moved.
    let before = json!({ "canary": [30, 10000], "baseline": [270, 90000] });
    let after = json!({ "canary": [300, 50000], "baseline": [300, 50000] });
    let worse = json!({ "canary": [600, 50000], "baseline": [300, 50000] });
    for (readings, ratio) in [
        (vec![(0, mixed)], 1.0),
        (vec![(0, before.clone()), (1, after)], 1.0),
        (vec![(0, before.clone())], 1.0),
        (vec![(0, before), (1, worse)], 1.847),
    ] {
        let (found, [low, high]) = reported(&readings);
        assert!((found - ratio).abs() < 0.005, "{found} for {ratio}: {readings:?}");
        assert!(low < found && found < high, "{low} to {high}");
    }
}
