//! PLAN-6, PLAN-3: figures of a plan against simulated rollouts. All seeds are fixed.

use std::sync::Arc;

use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::simulate::{Campaign, Run, Scenario};
use serde_json::{Value, json};

use crate::plan_power::canary_text;

/// Rollouts of a policy in this world, and its plan.
fn runs(text: &str, world: &Value, number: u64) -> (Plan, Vec<Run>) {
    let policy = Arc::new(Policy::from_toml(text).unwrap_or_else(|errors| panic!("{errors}")));
    let mut scenario = json!({
        "until": "8h",
        "incident": { "id": "SIM-1", "severity": "P1" },
        "release": { "version": "2", "previous": "1" },
        "traffic": { "requests": 1000 },
    });
    scenario.as_object_mut().unwrap().extend(world.as_object().unwrap().clone());
    let scenario = Scenario::from_value(&scenario).expect("a scenario");
    let plan = scenario.plan(policy).expect("a plan");
    let campaign = Campaign::try_new(plan.clone(), &scenario, 1_128).expect("a campaign");
    let mut seen = Vec::new();
    campaign.each(0..number, |_, run, _| seen.push(run.clone()));
    (plan, seen)
}

/// Minutes from the start until a phase was passed.
fn passed_after(run: &Run, phase: usize) -> Option<f64> {
    let start = run.started_at?;
    run.passed.get(phase).map(|passed| passed.at.since(start).as_seconds() / 60.0)
}

/// A gate that waits for a full window judges all of it: as many pass as the plan states, at that time.
#[test]
fn plan_6_a_count_whose_window_is_longer_than_its_phase_passes() {
    let crashes = "success = \"6%\"\n[metrics.crashes]\nkind = \"count\"\nworse = \"higher\"\nreference = \"1/min\"\nsuccess = \"1.6/min\"\nmodel = \"none\"";
    let text = canary_text(crashes).replacen("watch = \"10min\"", "watch = \"3min\"", 1);
    let (plan, seen) = runs(&text, &json!({}), 400);
    let power = plan.power();
    let phase = &power.metrics[0].phases[0];
    let at_once = seen.iter().filter(|run| passed_after(run, 0).is_some_and(|at| at < 7.5));
    let passed = at_once.filter(|run| run.asked == 0 || run.asked_at > run.passed[0].at.into());
    let passed = passed.count() as f64 / 400.0;
    assert!((phase.healthy_passes - passed).abs() < 0.08, "{phase:?}, {passed} passed");
    assert_eq!((phase.minutes, phase.waits_for_trials), (5.0, false));
    let rollout = plan.duration().rollout;
    assert_eq!(rollout.parts[0].least.to_string(), "7min");
}

/// A phase ends with a reading.
#[test]
fn plan_3_twelve_phases_take_as_long_as_readings_let_them() {
    let text = canary_text("");
    let (head, rest) = text.split_once("phases = [").unwrap();
    let (_, rest) = rest.split_once("\n]\n").unwrap();
    let phase = |n: u32| {
        let share = if n == 12 { 100 } else { n * 8 };
        format!(
            "{{ name = \"p-{n}\", share = \"{share}%\", deploy = \"1min\", watch = \"10min\", promotion = \"no_evidence_of_harm\", criteria_missed = \"ask\", gate = \"automatic\" }}"
        )
    };
    let phases: Vec<String> = (1..=12).map(phase).collect();
    for (cadence, stated) in [("10s", "133min"), ("5min", "181min")] {
        let rest = rest.replace("\"2min\", no", "\"12min\", no").replace("\"5min\"", "\"15min\"");
        let rest = rest.replace("\"10s\"", &format!("\"{cadence}\""));
        let text = format!("{head}phases = [{}]\n{rest}", phases.join(", "));
        let (plan, seen) =
            runs(&text, &json!({ "metrics": { "error_rate": { "rate": 0.001 } } }), 20);
        let took = seen.iter().map(|run| {
            let last = run.passed.last().unwrap().at;
            last.since(run.started_at.unwrap()).as_seconds() / 60.0
        });
        let mean = took.sum::<f64>() / seen.len() as f64;
        // The last minute is the final validation; moving the traffic takes five seconds, not the minute that is planned.
        let rollout = plan.duration().rollout.least;
        let off = (rollout.as_seconds() / 60.0 - 1.0 - mean).abs();
        assert!(off < 12.0, "{cadence}: {rollout} stated, {mean} minutes");
        assert_eq!(rollout.to_string(), stated);
    }
}
