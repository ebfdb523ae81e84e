//! What faults of a scenario do to the readings.

use std::sync::Arc;

use hotfix_core::policy::Policy;
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

/// Each run of totals has what happened while nothing was scraped.
#[test]
fn post_5_a_scrape_after_lost_ones_has_their_counts() {
    let scenario = "until = '1h'\ntraffic = { requests = 6000 }\npeople = { decide = 'never' }\n\
                    feed = { every = '10s' }\n\
                    faults = [{ kind = 'errors', metric = 'error_rate', to = 1.0, after = '5min', lasts = '3min' },\n\
                    { kind = 'lost', after = '5min', lasts = '3min' }]";
    let (run, lines) = drill("standard", scenario);
    let totals = |line: &Value| {
        let pair = line.pointer("/metrics/error_rate/canary")?;
        Some((pair[0].as_f64()?, pair[1].as_f64()?))
    };
    let totals: Vec<(f64, f64)> = lines.iter().filter_map(totals).collect();
    let steps = totals.windows(2).map(|pair| (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1));
    let (events, requests) = steps.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    // Three minutes of a tenth of 6,000 requests.
    assert!((1_700.0..2_000.0).contains(&events), "{events} of {requests}");
    assert!(run.alerted_at.is_some() && run.affected.canary >= events, "{run:?}");
}

#[test]
fn post_5_another_attempt_is_prepared_and_the_phase_that_it_left_was_not_passed() {
    // Two minutes after the first traffic, before the end of the first phase.
    let supersede = "{ after = '4min', input = { kind = 'supersede', by = 'lena', why = 'a typo', \
                     release = { version = '3', previous = '1' } } }";
    let retry = "{ after = '4min', input = { kind = 'roll_back', by = 'lena' } }, \
                 { after = '40min', input = { kind = 'retry', by = 'lena', why = 'again' } }";
    for (says, phases) in [(supersede, 3), (retry, 3)] {
        let scenario = format!(
            "until = '8h'\nafter_end = true\ntraffic = {{ requests = 6000 }}\npeople = {{ says = [{says}] }}\n\
             metrics = {{ error_rate = {{ rate = '0.05%' }}, payment_success = {{ rate = '99.95%' }} }}"
        );
        let (run, _) = drill("phased-canary", &scenario);
        assert_eq!((run.passed.len(), run.completed_at.is_some()), (phases, true), "{run:?}");
    }
}

/// Each reading of the canary arrives, also those that are under way when it ends.
#[test]
fn post_5_late_readings_arrive() {
    let scenario = "until = '30min'\ntraffic = { requests = 6000 }\nplatform = { traffic = '0s' }\n\
                    faults = [{ kind = 'late', by = '60s', after = '3min', lasts = '2min' }]";
    let (_, lines) = drill("standard", scenario);
    let trials = |line: &Value| line.pointer("/metrics/error_rate/canary/1")?.as_f64();
    let trials: Vec<f64> = lines.iter().filter_map(trials).take(50).collect();
    // A tenth of 1,000 requests each 10 s; six ticks have none, and six have twice as many.
    let mean = trials.iter().sum::<f64>() / 56.0;
    let twice = trials.iter().filter(|of| **of > 150.0).count();
    assert!((mean / 100.0 - 1.0).abs() < 0.05 && twice == 6, "{mean}, {trials:?}");
}
