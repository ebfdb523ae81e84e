//! PLAN-6: what each phase can see.

use std::sync::Arc;

use hotfix_core::plan::{Plan, PlanError, PlanFindingKind, Power, StepKind};
use hotfix_core::policy::Policy;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::power_common::{Random, World};
use crate::shared::power_cases::Case;

fn plan(document: &Value, traffic: &Value) -> Result<Plan, PlanError> {
    let policy = Arc::new(Policy::from_json(&document.to_string()).unwrap());
    let release = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;
    Plan::from_json(policy, r#"{"id": "INC-2041"}"#, release, &traffic.to_string())
}

fn preset(name: &str) -> Value {
    serde_json::from_str(&Policy::preset(name).unwrap().to_json()).unwrap()
}

fn power(document: &Value, traffic: &Value) -> Power {
    plan(document, traffic).unwrap().power()
}

/// Every chance is one, and every figure a number.
fn check(power: &Power) -> Result<(), TestCaseError> {
    for metric in power.leading.iter().chain(&power.metrics) {
        prop_assert!((0.0..=1.0).contains(&metric.all_gates), "{metric:?}");
        for phase in &metric.phases {
            let mut chances = vec![phase.healthy_passes, phase.healthy_rolled_back.chance];
            chances.extend(phase.false_rollback.map(|chance| chance.chance));
            for fault in &phase.faults {
                chances.extend(fault.passes.map(|chance| chance.chance));
                for found in fault.plain.iter().chain(&fault.sequential) {
                    chances.push(found.chance);
                    prop_assert!(
                        found.minutes >= 0.0 && found.requests_affected >= 0.0,
                        "{found:?}"
                    );
                    prop_assert!(found.minutes.is_finite() && found.requests_affected.is_finite());
                }
            }
            prop_assert!(chances.iter().all(|c| (0.0..=1.0).contains(c)), "{phase:?}");
            prop_assert!(phase.expected_events.is_finite() && phase.trials.is_finite());
        }
    }
    // Canonical JSON takes it, so C and Python do.
    prop_assert!(hotfix_core::canonical::digest(power).is_ok());
    prop_assert!(!power.to_markdown().contains("NaN") && !power.to_markdown().contains("inf"));
    Ok(())
}

#[test]
fn plan_6_cases_come_out_as_they_say() {
    let faults: Vec<String> = Case::all()
        .iter()
        .flat_map(|case| {
            let mut document = preset(&case.policy);
            case.change(&mut document);
            let plan = plan(&document, &case.traffic).unwrap();
            let seen = plan.power();
            case.faults(&serde_json::to_value(&seen).unwrap(), &seen.to_markdown())
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn plan_6_the_case_file_finds_what_does_not_come_out() {
    let case = &Case::all()[0];
    assert!(!case.faults(&json!({"phases": []}), "").is_empty());
}

/// What is sure not to come has the chance 0, and not -0.
#[test]
fn plan_6_no_figure_of_a_preset_has_a_sign() {
    fn signs(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Number(number) if number.as_f64().is_some_and(f64::is_sign_negative) => {
                found.push(format!("{path}: {number}"));
            }
            Value::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    signs(item, &format!("{path}/{place}"), found);
                }
            }
            Value::Object(fields) => {
                fields
                    .iter()
                    .for_each(|(name, field)| signs(field, &format!("{path}/{name}"), found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for name in Policy::presets() {
        let seen = power(&preset(name), &json!({"requests_per_minute": 1000}));
        signs(&serde_json::to_value(&seen).unwrap(), name, &mut found);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn plan_6_a_longer_bad_run_is_rarer_than_a_single_bad_look() {
    let mut document = preset("standard");
    let traffic = json!({"requests_per_minute": 1000});
    let gone = |document: &Value| {
        let seen = power(document, &traffic).leading.unwrap();
        seen.phases[0].faults[3].plain.unwrap().chance
    };
    let once = gone(&document);
    document["watch"]["consecutive_breaches"] = json!(3);
    assert!(gone(&document) < once && gone(&document) > 0.0);
}

#[test]
fn plan_6_the_advice_holds() {
    // With what is advised the phase finds the margin with about the power that was asked for.
    let mut document = preset("phased-canary");
    let seen = power(&document, &json!({"requests_per_minute": 1000, "instances": 20}));
    let text = serde_json::to_value(&seen.advice).unwrap();
    let fault = text.as_array().unwrap().iter().find(|advice| advice["kind"] == "fault").unwrap();
    assert_eq!((&fault["phases"], &fault["metric"]), (&json!(["canary"]), &json!("error_rate")));
    let minutes = fault["minutes"].as_f64().unwrap();
    document["phases"][0]["watch"] = json!(minutes * 60.0);
    let then = power(&document, &json!({"requests_per_minute": 1000})).leading.unwrap();
    let found = then.phases[0].faults[1].sequential.unwrap();
    assert!((found.chance - 0.8).abs() < 0.03, "{found:?}");
    // With the bound that a finding advises a healthy fix passes.
    document["metrics"]["error_rate"]["success"] = json!(0.009);
    let passes = power(&document, &json!({"requests_per_minute": 1000})).leading.unwrap();
    assert!(passes.phases[..2].iter().all(|phase| phase.healthy_passes > 0.99), "{passes:?}");
}

/// A release that chose another strategy is foreseen, timed and laid out with the phases of that one.
#[test]
fn plan_6_plan_3_a_release_that_rolls_has_the_phases_of_its_batches() {
    let policy = Arc::new(Policy::preset("phased-canary").unwrap());
    let release = r#"{"version": "2.3.1", "previous": "2.3.0", "strategy": "rolling"}"#;
    let traffic = r#"{"requests_per_minute": 1000, "instances": 4}"#;
    let plan = Plan::from_json(policy, r#"{"id": "INC-2041"}"#, release, traffic).unwrap();
    let seen = plan.power();
    let phases = seen.leading.as_ref().unwrap().phases.iter();
    let seen_of: Vec<(String, f64, f64)> = phases
        .map(|of| (of.phase.to_string(), of.share.as_fraction(), of.expected_events))
        .collect();
    // 0.3% of a quarter, a half … of 10,000 requests; all traffic is watched for 30 minutes.
    let batch = |number: u32, share: f64, errors: f64| (format!("batch-{number}"), share, errors);
    let wanted = [(1, 0.25, 7.5), (2, 0.5, 15.0), (3, 0.75, 22.5), (4, 1.0, 90.0)];
    assert_eq!(seen_of, wanted.map(|(n, share, errors)| batch(n, share, errors)));
    // Three times 2 and 10 minutes, then 3 and 30, then 3 to validate.
    assert_eq!(plan.duration().rollout.least.to_string(), "72min");
    let offsets = plan.offsets();
    let gates = offsets.iter().filter(|step| step.step == StepKind::Gate);
    let gates: Vec<(String, String)> =
        gates.map(|step| (step.phase.unwrap().to_string(), step.offset.to_string())).collect();
    let gate = |phase: &str, at: &str| (phase.to_owned(), at.to_owned());
    assert_eq!(
        gates,
        [gate("batch-1", "12min"), gate("batch-2", "24min"), gate("batch-3", "36min")]
    );
    let page = plan.to_markdown(None);
    assert!(
        page.contains("A healthy fix is expected to have 7.5, 15, 22.5 and 90 errors"),
        "{page}"
    );
    assert!(page.contains("| T+36min | gate | `batch-3` |"), "{page}");
    assert!(
        page.contains("**rolling**, chosen for this release; the policy's strategy is canary"),
        "{page}"
    );
    assert!(page.contains("4. deploy to reach 2 instances: 50%, 2min (`batch-2`)"), "{page}");
}

#[test]
fn plan_6_a_calibrated_plan_says_that_it_is_approximate_and_finds_less() {
    let mut document = preset("standard");
    document["watch"]["new_instances"]["ratio"] = json!(1.0);
    let policy = Arc::new(Policy::from_json(&document.to_string()).unwrap());
    let series = |n: usize| -> Vec<[f64; 2]> {
        (0..2160)
            .map(|tick| [if (tick + 7 * n).is_multiple_of(90) { 12.0 } else { 0.0 }, 17.0])
            .collect()
    };
    let pods: std::collections::BTreeMap<String, Vec<[f64; 2]>> =
        (0..10).map(|n| (format!("pod-{n}"), series(n))).collect();
    let history = json!({ "error_rate": pods }).to_string();
    let (incident, release) = (r#"{"id": "INC-2041"}"#, r#"{"version": "2", "previous": "1"}"#);
    let traffic = r#"{"requests_per_minute": 1000}"#;
    let plain = Plan::from_json(Arc::clone(&policy), incident, release, traffic).unwrap();
    let noisy = Plan::calibrated_from_json(policy, incident, release, traffic, &history).unwrap();
    let five = |plan: &Plan| plan.power().leading.unwrap().phases[0].faults[2].sequential.unwrap();
    assert!(five(&plain).approximate && five(&noisy).approximate);
    assert!(five(&noisy).chance < five(&plain).chance);
}

#[test]
fn plan_6_what_was_simulated_with_one_per_cent_is_said_of_no_other_alpha() {
    for (alpha, says) in
        [("1%", "7% to 18% in simulations"), ("5%", "independent; more where they are not")]
    {
        let mut document = preset("standard");
        document["evidence"]["alpha"] = json!(alpha);
        let seen = power(&document, &json!({"requests_per_minute": 1000}));
        let sentence = seen.leading.unwrap().history.unwrap().sentence;
        assert!(sentence.contains(says), "{sentence}");
        assert_eq!(sentence.contains("simulations"), alpha == "1%", "{sentence}");
    }
}

/// One phase of ten minutes at a tenth, and two tests at half a per cent each.
fn one_phase(record: f64) -> Value {
    let text = include_str!("../policies/simulated.toml");
    let mut document: Value =
        serde_json::from_str(&Policy::from_toml(text).unwrap().to_json()).unwrap();
    let phases = document["phases"].as_array_mut().unwrap();
    phases.truncate(1);
    phases[0]["watch"] = json!("10min");
    let metric = document["metrics"]["error_rate"].as_object_mut().unwrap();
    metric.insert("reference".to_owned(), json!(record));
    metric.remove("rollback");
    document
}

#[test]
fn plan_6_a_bound_that_no_count_reaches_is_no_limit() {
    for bound in [1e12, 1e15, 9e15, 1e16, 1e18, 1e300] {
        for (record, which) in
            [(1.0, "rollback"), (1.0, "alert"), (1.0, "success"), (1e6, "rollback")]
        {
            let mut document = one_phase(0.003);
            let mut metric = json!({"title": "crashes", "kind": "count", "worse": "higher", "reference": record, "model": "none"});
            metric[which] = json!(bound);
            document["metrics"]["crashes"] = metric;
            let seen = power(&document, &json!({"requests_per_minute": 1000}));
            check(&seen).unwrap();
            let of = seen.metrics.iter().chain(&seen.leading);
            let crashes = of.clone().find(|metric| metric.metric.as_str() == "crashes").unwrap();
            assert!(crashes.phases[0].healthy_rolled_back.chance < 1e-9, "{bound} {which}");
        }
    }
}

#[test]
fn plan_6_what_can_be_detected_has_a_smallest_ratio() {
    use hotfix_core::stats::planning::Comparison;
    for record in [0.1, 0.3, 0.5] {
        let document = one_phase(record);
        let detectable = |requests: f64| {
            let comparison = Comparison {
                alpha: 0.005,
                tick_seconds: 60.0,
                ..Comparison::new(requests, 0.1, record)
            };
            comparison.detectable_ratio(10.0, 0.8).unwrap().is_some()
        };
        let least = (1..100_000).map(f64::from).find(|requests| detectable(*requests)).unwrap();
        // Near the least traffic that the detectable canary fails almost always.
        for times in [1.2, 1.5, 2.0] {
            let requests = (least * times).ceil() + 1.0;
            let seen = power(&document, &json!({"requests_per_minute": requests}));
            let metric = seen.metrics.iter().chain(&seen.leading);
            let metric = metric.clone().find(|m| m.metric.as_str() == "error_rate").unwrap();
            assert_eq!(metric.alpha, Some(0.005));
            let smallest = metric.phases[0].smallest_ratio;
            assert!(smallest.is_some(), "{record} at {requests} a minute");
        }
    }
}

#[test]
fn plan_6_a_metric_of_shares_has_the_figures_of_the_bernoulli_test() {
    use hotfix_core::stats::Counts;
    use hotfix_core::stats::bernoulli::{Bernoulli, BernoulliDesign, BernoulliSettings};
    for (record, requests) in [(0.1, 900), (0.2, 300), (0.3, 200), (0.3, 300)] {
        let mut document = one_phase(record);
        document["metrics"]["error_rate"]["model"] = json!("bernoulli");
        let seen = power(&document, &json!({"requests_per_minute": requests}));
        let metric = seen.metrics.iter().chain(&seen.leading);
        let metric = metric.clone().find(|m| m.metric.as_str() == "error_rate").unwrap();
        let phase = &metric.phases[0];
        let fault = phase.faults.iter().find(|fault| fault.ratio == 1.5).unwrap();
        let stated = fault.sequential.unwrap();
        assert!(stated.approximate);
        let settings =
            BernoulliSettings { alpha: metric.alpha.unwrap(), ..BernoulliSettings::default() };
        let design = BernoulliDesign::try_new(&settings).unwrap();
        let runs = 400;
        let decided = (0..runs).filter(|run| {
            let mut random = Random::new(1_107, *run);
            let mut failed =
                |n: u32, rate: f64| (0..n).filter(|_| random.uniform() < rate).count() as f64;
            let mut test = Bernoulli::new(&design);
            let (canary, live) = (requests / 10, requests * 9 / 10);
            (0..10).any(|_| {
                let canary = Counts::new(failed(canary, record * 1.5), f64::from(canary));
                let live = Counts::new(failed(live, record), f64::from(live));
                test.update(&design, canary, live).unwrap()
            })
        });
        let chance = decided.count() as f64 / f64::from(runs);
        let off = (stated.chance - chance).abs();
        assert!(off < 0.12, "{record} at {requests}: {} stated, {chance} found", stated.chance);
    }
}

#[test]
fn plan_6_what_is_advised_is_more_than_there_is() {
    let mut advised = 0;
    for requests in (8_800..8_900).step_by(20) {
        let traffic = json!({"requests_per_minute": requests, "instances": 20});
        for advice in power(&one_phase(0.003), &traffic).advice {
            let text = serde_json::to_value(&advice).unwrap();
            if text["kind"] != "fault" || text["metric"] != "error_rate" {
                continue;
            }
            advised += 1;
            let more = |name: &str, present: f64| {
                let figure = text.get(name).and_then(Value::as_f64);
                assert!(figure.is_none_or(|figure| figure > present), "{name}: {text}");
            };
            more("minutes", 10.0);
            more("requests_per_minute", f64::from(requests));
            more("share", 0.1 + 1e-9);
            more("instances", 2.0);
        }
    }
    assert!(advised > 0);
}

/// A small policy: ten minutes at a tenth, then all of the traffic.
fn canary(metric: &str, requests: f64) -> Plan {
    plan_of(&canary_text(metric), requests)
}

pub(crate) fn canary_text(metric: &str) -> String {
    format!(
        r#"format = 1
name = "co"
title = "co"
after = ["1h"]
strategy = "canary"
phases = [
    {{ name = "canary", share = "10%", deploy = "2min", watch = "10min", promotion = "no_evidence_of_harm", criteria_missed = "ask", gate = "automatic" }},
    {{ name = "all", share = "100%", deploy = "2min", watch = "10min", promotion = "no_evidence_of_harm", criteria_missed = "ask", gate = "automatic" }},
]
final_validation = {{ watch = "1min", gate = "automatic" }}
watch = {{ cadence = "10s", window = "5min", stale = "2min", no_data = {{ after = "5min", then = "ask" }} }}
rollback = {{ watch = "2min", returned_within = "5min" }}
[metrics.error_rate]
kind = "proportion"
worse = "higher"
reference = "0.5%"
weight = 1.0
{metric}
"#
    )
}

pub(crate) fn plan_of(text: &str, requests: f64) -> Plan {
    let policy = Policy::from_toml(text).unwrap_or_else(|errors| panic!("{errors}"));
    let release = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;
    let traffic = json!({ "requests_per_minute": requests }).to_string();
    Plan::from_json(Arc::new(policy), r#"{"id": "INC-1"}"#, release, &traffic).unwrap()
}

/// At any traffic the plan says no more than the planning function, which evaluates after each event, and the smallest ratio
/// is found as often as wanted.
#[test]
fn plan_6_much_traffic_has_one_law() {
    use hotfix_core::stats::planning::Comparison;
    for requests in [20_000.0, 56_000.0, 58_000.0, 100_000.0, 200_000.0, 1e6] {
        let phase =
            canary("rollback = \"60%\"", requests).power().leading.unwrap().phases.remove(0);
        let comparison = Comparison::new(requests, 0.1, 0.005);
        let often = |ratio: f64| comparison.chance_to_decide(ratio, 10.0).unwrap().chance;
        for fault in &phase.faults {
            let less = often(fault.ratio) - fault.sequential.unwrap().chance;
            assert!((-1e-3..0.06).contains(&less), "{requests}, {less}: {fault:?}");
        }
        let smallest = phase.smallest_ratio.unwrap();
        assert!((often(smallest) - 0.8).abs() < 0.08, "{requests}: {smallest}");
        // No bet of the test gains anything at less than 1.43 times the errors.
        assert!(smallest > 1.4, "{requests}: {smallest}");
    }
}

/// With the evidence that both arms ask for, far fewer are rolled back, and what waits for it passes.
/// Simulated with 3,000 rollouts each: 3.4, 15.7 and 41.1 of 100 rolled back, 70.5 and 41.1 passed.
#[test]
fn plan_6_a_rollback_bound_of_both_arms_waits_for_evidence() {
    let bound = "rollback = { value = \"1.07%\", unless_both_arms = true }";
    let plan = canary(bound, 1_000.0);
    let phase = plan.power().leading.unwrap().phases.remove(0);
    let near = |said: f64, seen: f64| assert!((said - seen).abs() < 0.09, "{said}, seen {seen}");
    near(phase.healthy_rolled_back.chance, 0.034);
    assert!(phase.healthy_rolled_back.approximate);
    for (fault, back, passes) in [(0, 0.157, 0.705), (1, 0.411, 0.411), (2, 0.997, 0.0)] {
        near(phase.faults[fault].plain.unwrap().chance, back);
        near(phase.faults[fault].passes.unwrap().chance, passes);
    }
    // All of the traffic has no live version: there the bound acts as it is.
    let said: Vec<String> = plan.findings().into_iter().map(|of| of.text).collect();
    assert!(said.iter().any(|text| text.contains("24 of 100 in `all`")), "{said:?}");
    assert!(said.iter().all(|text| !text.contains("of 100 in `canary`")), "{said:?}");
}

/// How often a rollback bound rolls a healthy fix back has one figure, in which the number of requests and the live
/// version vary, and one remedy. Of 40,000 draws of ten minutes' requests and errors of both arms.
#[test]
fn plan_6_dec_5_rollbacks_by_chance_have_one_figure_and_one_remedy() {
    let volume = "[metrics.request_volume]\nkind = \"volume\"\nworse = \"lower\"\nreference = \"1000/min\"\nrole = \"watch\"";
    for (bound, seen) in [
        ("\"1%\"", 0.428),
        ("\"1.07%\"", 0.364),
        ("{ ratio = 2.1, of = \"live\" }", 0.524),
        ("{ ratio = 3.1, of = \"live\" }", 0.256),
    ] {
        let plan = canary(&format!("rollback = {bound}\n{volume}"), 1_000.0);
        let back = plan.power().leading.unwrap().phases[0].healthy_rolled_back;
        assert!((back.chance - seen).abs() < 0.04 && back.approximate, "{bound}: {back:?}");
        let of_100 = format!("about {:.0} of 100 in `canary`", 100.0 * back.chance);
        let found =
            plan.findings().into_iter().find(|of| of.kind == PlanFindingKind::MissedByChance);
        let found = found.map(|of| of.text).unwrap_or_default();
        let lint = plan.policy().lint(None).into_iter().find(|of| of.code() == "HF-LINT-024");
        let lint = lint.map(|finding| finding.message()).unwrap_or_default();
        assert!(found.contains(&of_100) && lint.contains(&of_100), "{of_100}: {found}; {lint}");
    }
}

/// A gate gets exactly the planned requests, and says where a few more or fewer move its bound by a step.
#[test]
fn plan_6_a_bound_on_a_step_is_missed_as_by_exactly_the_planned_requests() {
    let misses = |requests: f64| {
        let plan = canary("success = \"0.5%\"\nrollback = \"60%\"", requests);
        let phase = &plan.power().leading.unwrap().phases[0];
        assert!(phase.healthy_passes_approximate, "{requests}");
        1.0 - phase.healthy_passes
    };
    // At most five of 1,000, and four of 990; with as many requests as chance brings 47.1 of 100 of both are missed.
    assert!((misses(1_000.0) - 0.384).abs() < 0.001, "{}", misses(1_000.0));
    assert!((misses(990.0) - 0.551).abs() < 0.001, "{}", misses(990.0));
}

/// As many trials as the least are too few in half of the windows.
#[test]
fn plan_6_windows_at_the_least_trials_are_named() {
    let low = |requests: f64| {
        let policy = Arc::new(Policy::preset("phased-canary").unwrap());
        let (release, traffic) = (
            r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
            json!({ "requests_per_minute": requests }).to_string(),
        );
        let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, release, &traffic).unwrap();
        let mut found = plan.findings().into_iter();
        found.find(|of| of.kind == PlanFindingKind::LowTraffic).map(|of| of.text)
    };
    let says = "a window of 1min in phase `canary` has 100 trials on average, and about 49 of 100 have fewer";
    assert!(low(1_000.0).is_some_and(|text| text.starts_with(says)), "{:?}", low(1_000.0));
    assert_eq!(low(1_300.0), None);
}

/// Half of the gates wait for the hundredth request, and say how many healthy fixes pass in time; the table has how many meet
/// the gate with exactly the planned requests.
#[test]
fn plan_6_a_gate_that_waits_for_trials_says_how_many_pass_in_time() {
    let text = canary_text("success = \"0.5%\"\nrollback = \"60%\"");
    for (window, requests) in [("1min", 1_000.0), ("1min", 1_100.0), ("2min", 505.0)] {
        let watch = format!("window = \"{window}\"");
        let plan = plan_of(&text.replace("window = \"5min\"", &watch), requests);
        let phase = plan.power().leading.unwrap().phases.remove(0);
        assert!(phase.healthy_passes > 0.5 && phase.healthy_passes_approximate, "{phase:?}");
        let low = plan.findings().into_iter().find(|of| of.kind == PlanFindingKind::LowTraffic);
        let low = low.map(|of| of.text).unwrap_or_default();
        let said = low.split("by the bounds of `error_rate` about ").nth(1);
        let said = said.and_then(|rest| rest.split(' ').next());
        let said: f64 = said.and_then(|number| number.parse().ok()).unwrap_or(f64::NAN);
        let (world, runs) = (World::new(plan, requests, 0.005, 1.0), 600);
        let fates = (0..runs).map(|run| world.run(&mut Random::new(4_117, run)));
        let seen = fates.filter(|fate| fate.passed > 0).count() as f64 / f64::from(runs);
        assert!((said / 100.0 - seen).abs() < 0.06, "{seen}, {}: {low}", phase.healthy_passes);
    }
}

/// The linter and the plan have one figure for windows beyond an alert bound.
#[test]
fn plan_6_dec_5_alerts_by_chance_have_one_figure() {
    let plan = canary(
        "success = \"2%\"\nalert = \"0.9%\"\nrollback = \"20%\"\n[metrics.request_volume]\nkind = \"volume\"\nworse = \"lower\"\nreference = \"1000/min\"\nrole = \"watch\"",
        1_000.0,
    );
    let lint = plan.policy().lint(None).into_iter().find(|of| of.code() == "HF-LINT-023");
    let lint = lint.map(|finding| finding.message()).unwrap_or_default();
    assert!(lint.contains("in 11 of 100 windows of `canary`"), "{lint}");
    let said: Vec<String> = plan.findings().into_iter().map(|of| of.text).collect();
    assert!(said.iter().any(|text| text.contains("11 of 100 windows in `canary`")), "{said:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]

    /// Tiny and huge traffic, phases of no time and of all the traffic, records near nothing and near everything.
    #[test]
    fn plan_6_whatever_traffic_and_phases_are_there_is_an_answer(
        requests in prop_oneof![1e-9..1.0, 1.0..1e4, 1e4..1e9, Just(1e300)],
        share in prop_oneof![Just(1.0), Just(0.0001), 0.001..1.0],
        watch in prop_oneof![Just(0.0), Just(0.001), 1.0..7200.0],
        record in prop_oneof![Just(1.0), Just(0.0), 1e-9..1e-3, 0.001..1.0],
        cadence in prop_oneof![Just(10.0), Just(60.0), Just(1.0)],
        window in 1.0_f64..6.0,
        missed in prop_oneof![Just("hold"), Just("roll_back"), Just("continue"), Just("ask")],
    ) {
        let mut document = preset("phased-canary");
        document["watch"]["cadence"] = json!(cadence);
        document["watch"]["window"] = json!(cadence * window.floor());
        let phase = &mut document["phases"][0];
        phase["share"] = json!(share);
        phase["watch"] = json!(watch);
        phase["criteria_missed"] = json!(missed);
        let last = document["phases"].as_array_mut().unwrap();
        last.truncate(1);
        document["metrics"]["error_rate"]["reference"] = json!(record);
        document["metrics"]["payment_success"]["reference"] = json!(1.0 - record);
        if let Ok(policy) = Policy::from_json(&document.to_string()) {
            let plan = Plan::from_json(
                Arc::new(policy),
                r#"{"id": "INC-2041"}"#,
                r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
                &json!({"requests_per_minute": requests}).to_string(),
            );
            check(&plan.unwrap().power())?;
        }
    }

    /// More traffic never lowers what the test finds, nor does a larger fault, but for what an approximation is off by.
    #[test]
    fn plan_6_more_traffic_and_larger_faults_are_found_no_less(
        requests in 50.0..50_000.0_f64,
        more in 1.0..20.0_f64,
    ) {
        let document = preset("phased-canary");
        let of = |requests: f64| {
            let seen = power(&document, &json!({"requests_per_minute": requests.round()}));
            let phase = seen.leading.unwrap().phases.swap_remove(0);
            phase.faults.into_iter().filter_map(|f| f.sequential).collect::<Vec<_>>()
        };
        let (few, many) = (of(requests), of(requests * more));
        let slack = |a: &hotfix_core::plan::power::Detection, b: &hotfix_core::plan::power::Detection| {
            // Looks at the end of a minute find a little less than a look after every event.
            if a.approximate || b.approximate { 0.06 } else { 0.005 }
        };
        for (one, other) in few.iter().zip(&many) {
            prop_assert!(other.chance >= one.chance - slack(one, other), "{one:?} {other:?}");
        }
        for pair in few.windows(2) {
            prop_assert!(pair[1].chance >= pair[0].chance - slack(&pair[0], &pair[1]));
        }
    }
}
