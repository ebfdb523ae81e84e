//! What faults of a scenario do to the readings.

use std::sync::Arc;

use hotfix_core::policy::Policy;
use hotfix_core::rollout::State;
use hotfix_core::simulate::{Campaign, Run, Scenario};
use serde_json::Value;

/// A drill under a preset, and the readings of its log.
fn drill(preset: &str, scenario: &str) -> (Run, Vec<Value>) {
    let (policy, scenario) = (Policy::preset(preset).unwrap(), Scenario::read(scenario).unwrap());
    let plan = scenario.plan(Arc::new(policy)).unwrap();
    let (driver, _) = Campaign::try_new(plan, &scenario, 5).unwrap().drill(0).unwrap();
    let lines = driver.rollout().log().lines();
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    (driver.run().clone(), lines.filter(|line| line["kind"] == "observe").collect())
}

/// The share of the canary's second reading that is slower than every bucket.
fn slow(users: &str, traffic: &str) -> f64 {
    let (_, lines) = drill(
        "phased-canary",
        &format!(
            "until = '3h'\ntraffic = {{ requests = 60000{traffic} }}\n\
             faults = [{{ kind = 'tail', times = 100.0{users} }}]"
        ),
    );
    let canary = |line: &Value| line.pointer("/metrics/latency_p95/canary").cloned();
    let canary = lines.iter().filter_map(canary).nth(1).unwrap();
    let counts = canary["counts"].as_array().unwrap();
    1.0 - counts.last().unwrap().as_f64().unwrap() / canary["count"].as_f64().unwrap()
}

#[test]
fn post_5_a_tail_is_of_those_that_the_scenario_names() {
    let cases = [
        ("", "", 0.05),
        (", users = 0.9", "", 0.9),
        (", users = 1.0", "", 1.0),
        // A tenth of ten instances is one.
        (", instances = 1", ", instances = 10", 1.0),
        (", instances = 1", ", instances = 100", 0.1),
    ];
    for (users, traffic, expected) in cases {
        let got = slow(users, traffic);
        assert!((got - expected).abs() < 0.03 * expected.max(0.2), "{users}, {traffic}: {got}");
    }
}
