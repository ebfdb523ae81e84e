//! Bounds that readings can reach (FIELD-18): a bound of a latency inside a bucket of its histogram
//! is decided, and the plan names bounds that a healthy fix misses by chance. All seeds are fixed.

use std::sync::Arc;

use hotfix_core::judge::{BoundKind, Decision, Reason, Rule};
use hotfix_core::lint::Level;
use hotfix_core::metric::Judged;
use hotfix_core::plan::{Plan, PlanFindingKind};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, Recording, Rollout, State};
use hotfix_core::simulate::{Campaign, Run, Scenario};
use hotfix_core::stats::numeric::{exp, ln, normal_cdf};
use hotfix_core::stats::quantile::{Bucket, INTERPOLATION_ERROR};
use serde_json::{Value, json};

use crate::crate_files::in_crate;
use crate::ready;

/// A preset with other values in its text.
fn preset(name: &str, changes: &[(&str, &str)]) -> Arc<Policy> {
    let mut text =
        std::fs::read_to_string(in_crate(&format!("policies/{name}.toml"))).expect("a preset");
    for (from, to) in changes {
        assert!(text.contains(from), "{name}: {from}");
        text = text.replace(from, to);
    }
    Arc::new(Policy::from_toml(&text).unwrap_or_else(|errors| panic!("{errors}")))
}

/// A preset for a service with this p95. The alert bound of `phased-canary` is a figure for 250 ms:
/// a service with another p95 needs another one.
fn latency(name: &str, reference: u32) -> Arc<Policy> {
    let reference = format!("reference = \"{reference}ms\"");
    let mut changes = vec![("reference = \"250ms\"", reference.as_str())];
    if name == "phased-canary" {
        changes.push(("alert = \"300ms\"", "alert = { ratio = 1.2, of = \"reference\" }"));
    }
    preset(name, &changes)
}

const PRESETS: [&str; 2] = ["standard", "phased-canary"];
const REFERENCES: [u32; 5] = [110, 150, 200, 350, 600];

/// Whole rollouts. Of the criteria of `phased-canary` that a fix at the reference misses by chance
/// the service is better than the reference.
fn simulate(policy: &Arc<Policy>, faults: &Value, runs: u64) -> Vec<Run> {
    let scenario = json!({
        "until": "4h",
        "incident": { "id": "SIM-1", "severity": "P1" },
        "release": { "version": "2", "previous": "1" },
        "metrics": { "error_rate": { "rate": 0.0003 }, "payment_success": { "rate": 0.9995 } },
        "faults": faults,
    });
    let scenario = Scenario::from_value(&scenario).expect("a scenario");
    let plan = scenario.plan(Arc::clone(policy)).expect("a plan");
    let campaign = Campaign::try_new(plan, &scenario, 1804).expect("a campaign");
    let mut seen = Vec::new();
    campaign.each(0..runs, |_, run, _| seen.push(run.clone()));
    seen
}

#[test]
fn field_18_a_healthy_fix_completes_whatever_bucket_its_bounds_lie_in() {
    for name in PRESETS {
        for reference in REFERENCES {
            for run in simulate(&latency(name, reference), &json!([]), 8) {
                let last = run.passed.last().map(|passed| passed.at);
                // A question about the resolution comes after the last phase.
                let by_itself = run.asked_at.is_none_or(|asked| Some(asked) > last);
                let seen = (run.passed.len(), run.completed_at.is_some(), by_itself);
                assert_eq!(seen, (3, true, true), "{name}, {reference} ms: {run:?}");
            }
        }
    }
}

#[test]
fn field_18_a_service_that_is_clearly_too_slow_is_not_promoted() {
    // Both arms, so that no comparison of them finds it: the bounds alone decide.
    let slow = json!([{ "kind": "latency", "arm": "both", "times": 1.9 }]);
    for name in PRESETS {
        for reference in REFERENCES {
            for run in simulate(&latency(name, reference), &slow, 4) {
                let first = run.passed.first().map(|passed| passed.at);
                let by_a_person = first.is_none_or(|at| run.asked_at.is_some_and(|of| of <= at));
                assert!(by_a_person, "{name}, {reference} ms: {run:?}");
            }
        }
    }
}

/// Observations with these counts at or below 250 ms, 300 ms and 500 ms, of 1,000 in all, in both
/// arms.
fn observed(policy: Arc<Policy>, counts: [f64; 3], ticks: u32) -> Rollout {
    let incident = json!({ "id": "INC-1", "severity": "P1" }).to_string();
    let release = json!({ "version": "2", "previous": "1" }).to_string();
    let plan = Plan::from_json(policy, &incident, &release, "").expect("a plan");
    let cadence = plan.policy().watch().cadence;
    let mut rollout = Rollout::try_new(plan, Recording::Off, "").expect("a rollout");
    let mut at = "2026-03-03T14:40:00Z".parse().expect("a time");
    let send = |rollout: &mut Rollout, at, input: Value| {
        let input = Input::from_value(input).expect("an input");
        rollout.handle(at, &input).unwrap_or_else(|refusal| panic!("{refusal}"));
    };
    send(&mut rollout, at, json!({ "kind": "tick" }));
    ready::make(&mut rollout, at);
    send(&mut rollout, at, json!({ "kind": "start", "by": "lena" }));
    let histogram = |times: f64| {
        let [a, b, c] = counts;
        let counts = [10.0, a, b, c, 1000.0, 1000.0].map(|count| count * times);
        let count = 1000.0 * times;
        json!({ "le": [0.1, 0.25, 0.3, 0.5, 1.0, 2.5], "counts": counts, "count": count })
    };
    for _ in 0..ticks {
        while let Some(action) = rollout.pending_actions().first().map(|action| action.id) {
            let confirm = json!({ "kind": "confirm", "by": "tool", "action": action.to_string() });
            send(&mut rollout, at, confirm);
        }
        at = at + cadence;
        let latency = json!({ "canary": histogram(1.0), "baseline": histogram(9.0) });
        let observe = json!({ "kind": "observe", "metrics": { "latency_p95": latency } });
        send(&mut rollout, at, observe);
    }
    rollout
}

#[test]
fn field_18_an_interpolated_quantile_says_that_it_is_one() {
    // 950 of 1,000 lie between 250 and 300 ms, and so does the bound of 275 ms.
    let rollout = observed(preset("phased-canary", &[]), [930.0, 980.0, 999.0], 4);
    let why = rollout.why().expect("a verdict");
    let latency = why.metrics.iter().find(|of| of.metric.as_str() == "latency_p95").unwrap();
    let success = latency.rules.iter().find_map(|applied| match applied.rule {
        Rule::Bound { bound: BoundKind::Success, crossed, value, bucket, .. } => {
            Some((crossed, value, bucket))
        }
        _ => None,
    });
    let (crossed, value, bucket) = success.expect("a bound");
    assert_eq!((crossed, bucket), (Some(false), Some([0.25, 0.3])));
    assert!(value.is_some_and(|value| (0.26..0.27).contains(&value)), "{value:?}");
    let verdict = rollout.verdict();
    let (_, seen) = verdict.metrics.iter().find(|(id, _)| id.as_str() == "latency_p95").unwrap();
    assert_eq!((seen.bucket, seen.canary), (Some([0.25, 0.3]), value));
}

#[test]
fn field_18_an_interpolated_quantile_alerts_and_its_text_names_the_bucket() {
    let policy = preset("phased-canary", &[("alert = \"300ms\"", "alert = \"320ms\"")]);
    let rollout = observed(policy, [500.0, 600.0, 960.0], 4);
    let verdict = rollout.verdict();
    assert!(verdict.has(Reason::AlertBand), "{:?}", verdict.causes);
    let why = rollout.why().expect("a verdict");
    let latency = why.metrics.iter().find(|of| of.metric.as_str() == "latency_p95").unwrap();
    let text = "± 10%, interpolated between 300 ms and 500 ms)";
    assert!(latency.sentence.contains(text), "{}", latency.sentence);
    assert!(latency.sentence.contains("About 4"), "{}", latency.sentence);
}

#[test]
fn field_18_an_interpolated_quantile_never_rolls_back() {
    // 480 ms by interpolation, far beyond 330 ms; only the next edge, 500 ms, is certain.
    let rollback =
        [("rollback = { ratio = 2.0, of = \"reference\" }     # '>", "rollback = \"330ms\" # '>")];
    let policy = preset("phased-canary", &rollback);
    let rollout = observed(Arc::clone(&policy), [500.0, 600.0, 955.0], 9);
    assert_eq!(rollout.state(), State::Monitoring);
    assert!(rollout.verdict().has(Reason::AlertBand), "{:?}", rollout.verdict().causes);
    let rollout = observed(policy, [500.0, 600.0, 945.0], 9);
    assert_ne!(rollout.state(), State::Monitoring);
}

#[test]
fn field_18_a_criterion_that_is_missed_by_interpolation_alone_is_asked_about() {
    // `criteria_missed` is `roll_back` there; 299 ms is clearly beyond 260 ms.
    let success = "success = { ratio = 1.1, of = \"reference\" }";
    let policy = preset("phased-canary", &[(success, "success = \"260ms\"")]);
    let rollout = observed(policy, [500.0, 952.0, 999.0], 14);
    let verdict = rollout.verdict();
    assert!(verdict.has(Reason::CriterionMissed), "{:?}", verdict.causes);
    assert_eq!(verdict.decision, Decision::Ask);
}

/// A name, and the distribution function of a latency in multiples of some time.
type Shape = (&'static str, fn(f64) -> f64);

const SHAPES: [Shape; 8] = [
    ("lognormal, 0.3", |x| normal_cdf(ln(x) / 0.3)),
    ("lognormal, 0.6", |x| normal_cdf(ln(x) / 0.6)),
    ("lognormal, 1", |x| normal_cdf(ln(x))),
    ("exponential", |x| 1.0 - exp(-x)),
    ("gamma, 4", |x| 1.0 - exp(-x) * (1.0 + x + x * x / 2.0 + x * x * x / 6.0)),
    ("weibull, 0.7", |x| 1.0 - exp(-exp(0.7 * ln(x)))),
    ("pareto, 2.5", |x| if x <= 1.0 { 0.0 } else { 1.0 - exp(-2.5 * ln(x)) }),
    ("two populations", |x| 0.92 * normal_cdf(ln(x) / 0.3) + 0.08 * normal_cdf(ln(x / 4.0) / 0.4)),
];

/// The 95% quantile, by bisection.
fn p95(of: fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (1e-6, 1e6);
    for _ in 0..200 {
        let middle = exp(0.5 * (ln(low) + ln(high)));
        if of(middle) < 0.95 { low = middle } else { high = middle }
    }
    high
}

#[test]
fn field_18_the_interpolated_quantile_is_as_exact_as_stated() {
    let presets = [0.1, 0.25, 0.3, 0.5, 1.0, 2.5];
    let usual = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    let (mut errors, mut linear) = (Vec::new(), Vec::new());
    for edges in [&presets[..], &usual[..]] {
        for (name, shape) in SHAPES {
            for reference in [0.11, 0.15, 0.2, 0.27, 0.35, 0.45, 0.6, 0.8, 1.2] {
                let unit = p95(shape) / reference;
                let at = |edge: f64| shape(edge * unit);
                let place = edges.iter().position(|&edge| at(edge) >= 0.95).expect("a bucket");
                let [low, high] = [edges[place - 1], edges[place]];
                let (count, below, at_or_below) = (1e9, 1e9 * at(low), 1e9 * at(high));
                let bucket = Bucket { low, high, below, at_or_below, count };
                let found = bucket.interpolated(0.95).expect("a bucket with edges");
                errors.push((ln(found / reference).abs(), name));
                let way = (0.95 - at(low)) / (at(high) - at(low));
                linear.push(ln((low + way * (high - low)) / reference).abs());
            }
        }
    }
    errors.sort_by(|a, b| a.0.total_cmp(&b.0));
    let stated = ln(1.0 + INTERPOLATION_ERROR);
    let within = errors.iter().filter(|error| error.0 <= stated).count();
    assert_eq!(errors.len(), 144);
    assert!(within >= 135, "{within} of 144, the worst {:?}", errors.last());
    assert!(errors[143].0 <= ln(1.2), "{:?}", errors[143]);
    // A straight line is not within it for most.
    assert!(linear.iter().filter(|error| **error <= stated).count() <= 50);
}

/// With the middle of a bucket, two equal versions beside an edge were shown 100 ms apart.
#[test]
fn field_18_what_is_shown_moves_with_the_counts_and_does_not_jump_at_an_edge() {
    let edges = [0.1, 0.25, 0.5];
    let shown = |counts: [f64; 3]| Judged::quantile(0.95, 1e3, &counts, &edges).unwrap().shown();
    let mut last = 0.5;
    for faster in (0..=120).map(f64::from) {
        let [most, second] = [900.0 + faster, 800.0 + 2.0 * faster].map(|n| n.min(1e3));
        let now = shown([400.0 + 5.0 * faster, second, most]);
        assert!(now <= last && now > 0.9 * last, "{faster}: {now} after {last}");
        last = now;
    }
    assert_eq!(last, 0.1);
}

#[test]
fn field_18_more_slow_requests_never_make_the_quantile_smaller() {
    let edges = [0.1, 0.25, 0.3, 0.5];
    let of = |counts: [f64; 4]| {
        let judged = Judged::quantile(0.95, 400.0, &counts, &edges).expect("requests");
        judged.estimate().unwrap_or(judged.low)
    };
    for slow in 0..40 {
        for moved in 0..10 {
            let at = |slow: i32| 400.0 - f64::from(slow);
            let counts = [100.0, at(slow + moved + 15), at(slow + moved), at(slow)];
            let more = [100.0, at(slow + moved + 15), at(slow + moved + 1), at(slow)];
            let slower = [
                100.0,
                at(slow + moved + 15),
                at(slow + moved),
                at(slow.min(39) + 1).min(at(slow)),
            ];
            assert!(of(more) >= of(counts) && of(slower) >= of(counts), "{counts:?}");
        }
    }
}

#[test]
fn field_18_a_bound_inside_a_bucket_is_found_before_the_start() {
    let found = |policy: &Policy| {
        let findings = policy.lint(None).into_iter();
        let of_buckets = findings.filter(|of| matches!(of.code(), "HF-LINT-072" | "HF-LINT-073"));
        of_buckets
            .map(|of| (of.code(), of.level(), of.path.clone(), of.message()))
            .collect::<Vec<_>>()
    };
    let seen = found(&preset("phased-canary", &[]));
    let [(code, level, path, message)] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(
        (*code, *level, path.as_str()),
        ("HF-LINT-072", Level::Note, "/metrics/latency_p95/success")
    );
    for part in ["275 ms", "250 ms to 300 ms", "302.5 ms", "add 275 ms to the boundaries"] {
        assert!(message.contains(part), "{message}");
    }
    let exact =
        preset("phased-canary", &[("\"250ms\", \"300ms\"", "\"250ms\", \"275ms\", \"300ms\"")]);
    assert_eq!(found(&exact), []);
    // Between two milliseconds, too, which a boundary keeps as it is written.
    let changes = [
        ("{ ratio = 1.1, of = \"reference\" }", "\"252.5ms\""),
        ("\"300ms\", \"500ms\"", "\"252.5ms\", \"300ms\", \"500ms\""),
    ];
    let between = found(&preset("phased-canary", &changes[..1]));
    assert!(between[0].3.contains("add 252.5 ms to the boundaries"), "{between:?}");
    assert_eq!(found(&preset("phased-canary", &changes)), []);
    // A reference of 50 ms: no bound can be decided in the first bucket.
    let small = latency("standard", 50);
    let seen = found(&small);
    let places: Vec<&str> = seen.iter().map(|(.., path, _)| path.as_str()).collect();
    assert_eq!(places, ["/metrics/latency_p95/success", "/metrics/latency_p95/alert"]);
    assert!(seen.iter().all(|(code, level, ..)| (*code, *level) == ("HF-LINT-073", Level::Warn)));
    let plan =
        Plan::from_json(small, r#"{"id": "INC-1"}"#, r#"{"version": "2", "previous": "1"}"#, "");
    let findings = plan.expect("a plan").findings();
    let beyond = findings.iter().filter(|of| of.kind == PlanFindingKind::BoundBeyondBuckets);
    assert_eq!(beyond.count(), 2);
}

#[test]
fn field_18_the_plan_names_bounds_that_a_healthy_fix_misses_by_chance() {
    let texts = |name: &str, requests: f64| {
        let traffic = json!({ "requests_per_minute": requests }).to_string();
        let policy = preset(name, &[]);
        let release = r#"{"version": "2", "previous": "1"}"#;
        let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, release, &traffic).unwrap();
        let findings = plan.findings().into_iter();
        let by_chance = findings.filter(|of| of.kind == PlanFindingKind::MissedByChance);
        by_chance.map(|of| of.text).collect::<Vec<_>>()
    };
    let of_document = texts("phased-canary", 1_000.0);
    let errors = of_document.iter().find(|text| text.contains("success bound of `error_rate`"));
    let errors = errors.unwrap_or_else(|| panic!("{of_document:?}"));
    for part in
        ["35 of 100 in `canary`", "is rolled back", "`criteria_missed` to `hold`", "set it to 0."]
    {
        assert!(errors.contains(part), "{errors}");
    }
    assert!(of_document.iter().any(|text| text.contains("success bound of `payment_success`")));
    assert!(of_document.iter().any(|text| text.contains("rollback bound of `payment_success`")));
    assert_eq!(texts("standard", 1_000.0), [""; 0]);
}
