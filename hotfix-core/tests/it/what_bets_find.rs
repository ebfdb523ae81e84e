//! Plan, linter and forecast ask the bets of the test that decides (PLAN-6, FIELD-15): against simulated runs.

use std::sync::Arc;

use hotfix_core::judge::TestForecast;
use hotfix_core::plan::{Plan, PlanFindingKind};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Command, Input, Recording, Rollout, State};
use hotfix_core::stats::Counts;
use hotfix_core::stats::planning::Comparison;
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

use crate::power_common::Random;

/// A phase with a part of the traffic, then all of it; one metric, which its test alone judges.
#[derive(Clone, Copy)]
struct World {
    model: &'static str,
    margin: f64,
    promotion: &'static str,
    requests: f64,
    share: f64,
    base: f64,
    minutes: u32,
}

/// 0.3% errors on a tenth of 200,000 requests a minute, for half an hour.
const DENSE: World = World {
    model: "poisson",
    margin: 1.3,
    promotion: "no_evidence_of_harm",
    requests: 200_000.0,
    share: 0.1,
    base: 0.003,
    minutes: 30,
};

impl World {
    fn policy(&self) -> Policy {
        let Self { model, margin, promotion, share, base, minutes, .. } = self;
        let text = format!(
            r#"format = 1
name = "bets"
title = "bets"
strategy = "canary"
phases = [
    {{ name = "canary", share = {share}, deploy = "1min", watch = "{minutes}min", watch_most = "{}min", promotion = "{promotion}", criteria_missed = "hold", inconclusive = "hold", gate = "automatic" }},
    {{ name = "all", share = "100%", deploy = "1min", watch = "1min", promotion = "no_evidence_of_harm", criteria_missed = "hold", gate = "automatic" }},
]
final_validation = {{ watch = "1min", gate = "automatic" }}
watch = {{ cadence = "1min", window = "1min", stale = "3min", no_data = {{ after = "10min", then = "ask" }} }}
rollback = {{ watch = "1min", returned_within = "10min" }}
[evidence]
alpha = "1%"
mode = "plain"
hold = 90
margin = {margin}
[metrics.error_rate]
kind = "proportion"
worse = "higher"
reference = {base}
weight = 1.0
model = "{model}"
"#,
            2 * minutes
        );
        Policy::from_toml(&text).unwrap_or_else(|errors| panic!("{errors}"))
    }

    fn plan(&self) -> Plan {
        let release = r#"{"version": "2", "previous": "1"}"#;
        let traffic = json!({ "requests_per_minute": self.requests }).to_string();
        Plan::from_json(Arc::new(self.policy()), r#"{"id": "INC-1"}"#, release, &traffic).unwrap()
    }

    /// Of rollouts that are not decided at one minute: the mean forecast then, and how many decide later
    /// in the phase.
    fn foreseen(&self, ratio: f64, at: u32, runs: u32) -> (f64, f64, Vec<TestForecast>) {
        let safe = self.promotion == "evidence_of_no_harm";
        let until = if safe { 2 * self.minutes - 1 } else { self.minutes };
        let mut ready = Rollout::try_new(self.plan(), Recording::Off, "").unwrap();
        let start: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
        ready.handle(start, &Input::new(Command::Start).by("lena")).unwrap();
        while let Some(action) = ready.pending_actions().first().map(|action| action.id) {
            let confirm = Input::new(Command::Confirm { action, why: None }).by("tool");
            ready.handle(start, &confirm).unwrap();
        }
        let (mut seen, mut later) = (Vec::new(), 0);
        for run in 0..runs {
            let mut random = Random::new(2_611, run);
            let mut rollout = ready.clone();
            let mut undecided = false;
            for minute in 1..=until {
                let counts = |random: &mut Random, share: f64, rate: f64| {
                    let trials = (self.requests * share).round();
                    let spread = (trials * rate * (1.0 - rate)).sqrt();
                    // Twelve uniform numbers are about normal, and these counts large.
                    let normal = (0..12).map(|_| random.uniform()).sum::<f64>() - 6.0;
                    [(trials * rate + spread * normal).round().max(0.0), trials]
                };
                let canary = counts(&mut random, self.share, self.base * ratio);
                let live = counts(&mut random, 1.0 - self.share, self.base);
                let metrics: Value = json!({"error_rate": {"canary": canary, "baseline": live}});
                let input = Input::observe(serde_json::from_value(metrics).unwrap());
                rollout.handle(start + Span::from_seconds(60 * minute), &input).unwrap();
                let forecast = rollout.forecast().map(|forecast| forecast.metrics[0]);
                let open = forecast.and_then(|of| if safe { of.promotion } else { of.rollback });
                let open = open.filter(|_| rollout.state() == State::Monitoring);
                if open.is_none() {
                    let came = safe || rollout.state() == State::RollingBack;
                    later += u32::from(undecided && came);
                    break;
                }
                if minute == at {
                    seen.extend(open);
                    undecided = true;
                }
            }
        }
        let mean = seen.iter().filter_map(|of| of.chance).sum::<f64>() / seen.len() as f64;
        (mean, f64::from(later) / seen.len() as f64, seen)
    }
}

#[test]
fn field_15_a_forecast_asks_the_bets_of_the_test_that_decides() {
    let shares = World {
        model: "bernoulli",
        margin: 1.1,
        requests: 1_000.0,
        share: 0.2,
        base: 0.3,
        minutes: 20,
        ..DENSE
    };
    let safe = World { promotion: "evidence_of_no_harm", margin: 1.2, ..DENSE };
    let table = [
        ("below all bets", DENSE, 1.3, 3, 0.1),
        (
            "between nothing and the first bet",
            World { margin: 1.5, requests: 6_000.0, minutes: 60, ..DENSE },
            1.5,
            15,
            0.15,
        ),
        ("shares, early", shares, 1.1, 2, 0.15),
        ("shares, later", shares, 1.1, 12, 0.15),
        ("not worse than what no bet shows", safe, 1.0, 6, 0.1),
        (
            "shares that are not worse",
            World { promotion: "evidence_of_no_harm", margin: 1.3, requests: 300.0, ..shares },
            1.0,
            6,
            0.15,
        ),
    ];
    let mut wrong = Vec::new();
    for (name, world, ratio, at, tolerance) in table {
        let (said, came, seen) = world.foreseen(ratio, at, 100);
        let off = (said - came).abs();
        let line = format!("{name}: {said:.3} foreseen, {came:.3} of {} came", seen.len());
        println!("{line}");
        if off > tolerance || seen.len() < 40 {
            wrong.push(line);
        }
        // What no bet shows has no time.
        let never = name.contains("no bet") || name.contains("below");
        if !seen.iter().all(|of| of.minutes.is_none() == never && of.requests.is_none() == never) {
            wrong.push(format!("{name}: {:?}", seen[0]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn plan_6_what_is_advised_is_enough() {
    let advised = |world: World| {
        let power = world.plan().power();
        let advice = serde_json::to_value(&power.advice).unwrap();
        let fault = advice.as_array().unwrap().iter().find(|of| of["kind"] == "fault").cloned();
        fault.unwrap_or_else(|| panic!("no advice: {advice}"))
    };
    // No time and no traffic is enough for what no bet gains from.
    for margin in [1.2, 1.3] {
        for (requests, minutes) in [(1_000.0, 30), (200_000.0, 30), (200_000.0, 300)] {
            let world = World { margin, requests, minutes, ..DENSE };
            let fault = advised(world);
            let sentence = fault["sentence"].as_str().unwrap();
            assert!(
                sentence.contains("even a phase a thousand times as long is not enough"),
                "{sentence}"
            );
            for way in ["minutes", "requests_per_minute", "share"] {
                assert!(fault.get(way).is_none(), "{fault}");
            }
            let seen = world.plan().power().leading.unwrap();
            assert_eq!(seen.phases[0].smallest_ratio.filter(|ratio| *ratio < 1.4), None);
        }
    }
    // And what is advised finds about as many as it says, by the exact law.
    for (margin, requests, share, base, minutes) in [
        (1.5, 1_000.0, 0.1, 0.003, 30),
        (1.6, 2_000.0, 0.3, 0.01, 10),
        (2.0, 1_000.0, 0.1, 0.003, 30),
    ] {
        let fault = advised(World { margin, requests, share, base, minutes, ..DENSE });
        let of = |name: &str| fault[name].as_f64().unwrap();
        let chance = |requests: f64, minutes: f64| {
            let comparison =
                Comparison { tick_seconds: 60.0, ..Comparison::new(requests, share, base) };
            comparison.chance_to_decide(margin, minutes).unwrap().chance
        };
        let found = [
            chance(requests, of("minutes")),
            chance(of("requests_per_minute"), f64::from(minutes)),
        ];
        assert!(
            found.iter().all(|found| (0.76..0.85).contains(found)),
            "{margin}: {found:?} {fault}"
        );
    }
}

#[test]
fn plan_6_the_mean_time_is_that_of_the_bets() {
    let design = RateRatioDesign::try_new(&RateRatioSettings::default()).unwrap();
    for (share, ratio) in [(0.1, 1.5), (0.1, 1.6), (0.5, 1.5), (0.1, 2.0), (0.1, 5.0)] {
        let comparison = Comparison::new(10_000.0, share, 0.003);
        let stated = comparison.time_to_detect(ratio).unwrap().expected;
        // One event at a time, of which so many are the canary's.
        let of_canary = ratio * share / (ratio * share + 1.0 - share);
        let events_per_minute = 30.0 * (ratio * share + 1.0 - share);
        let runs = 1_500;
        let (mut events, mut random) = (0_u32, Random::new(2_612, 0));
        for _ in 0..runs {
            let mut test = RateRatio::new(&design);
            loop {
                events += 1;
                let canary = f64::from(u8::from(random.uniform() < of_canary));
                let counts = (Counts::new(canary, share), Counts::new(1.0 - canary, 1.0 - share));
                if test.update(&design, counts.0, counts.1).unwrap() {
                    break;
                }
            }
        }
        let mean = f64::from(events) / f64::from(runs) / events_per_minute;
        assert!((stated / mean - 1.0).abs() < 0.15, "{share}, {ratio}: {stated} stated, {mean}");
    }
    // Below the bets it is never, although a bet on that very ratio would gain.
    for ratio in [1.1, 1.2, 1.42] {
        let time = Comparison::new(6_000.0, 0.1, 0.003).time_to_detect(ratio).unwrap();
        assert!(time.expected.is_infinite() && time.bound.is_finite(), "{ratio}: {time:?}");
    }
}

#[test]
fn plan_6_a_margin_that_is_never_shown_is_a_finding_of_plan_and_linter() {
    let safe = World { promotion: "evidence_of_no_harm", ..DENSE };
    for (margin, requests, shown) in [
        (1.1, 200_000.0, false),
        (1.3, 200_000.0, false),
        (1.5, 200_000.0, true),
        (2.0, 20.0, false),
    ] {
        let world = World { margin, requests, ..safe };
        let findings = world.plan().findings();
        let slow = findings.iter().find(|of| of.kind == PlanFindingKind::SlowEvidence);
        assert_eq!(slow.is_none(), shown, "{margin}: {findings:?}");
        let never = margin < 1.4;
        let says = |text: &str| text.contains("no time is long enough");
        assert_eq!(slow.is_some_and(|of| says(&of.text)), never, "{slow:?}");
        // The plan reckons with the time that the phase is held.
        let duration = serde_json::to_value(world.plan().duration()).unwrap();
        let least = duration["rollout"]["least"].as_f64().unwrap();
        assert_eq!(least >= 3_600.0, !shown, "{margin}: {duration}");
        // The policy has no traffic: the linter knows what none is enough for.
        let lint = world.policy().lint(None);
        let found = lint.iter().find(|of| of.code() == "HF-LINT-026");
        assert_eq!(found.is_some(), never, "{margin}: {lint:?}");
        assert!(found.is_none_or(|of| says(&of.message())), "{found:?}");
    }
}

/// The promotion test of a latency has to show at several boundaries that an equal canary is not slower.
#[test]
fn field_15_a_forecast_of_a_latency_that_is_not_slower_comes_true() {
    let (requests, share, minutes) = (600.0, 0.5, 8);
    let of_errors =
        World { promotion: "evidence_of_no_harm", margin: 2.0, requests, share, minutes, ..DENSE };
    let text = of_errors.policy().to_json();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    document["metrics"] = json!({"latency": {
        "kind": "latency",
        "worse": "higher",
        "quantile": 0.95,
        "boundaries": ["100ms", "250ms", "500ms"],
        "weight": 1.0,
    }});
    let policy = Arc::new(Policy::from_json(&document.to_string()).unwrap());
    let release = r#"{"version": "2", "previous": "1"}"#;
    let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, release, "").unwrap();
    let mut ready = Rollout::try_new(plan, Recording::Off, "").unwrap();
    let start: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
    ready.handle(start, &Input::new(Command::Start).by("lena")).unwrap();
    while let Some(action) = ready.pending_actions().first().map(|action| action.id) {
        ready
            .handle(start, &Input::new(Command::Confirm { action, why: None }).by("tool"))
            .unwrap();
    }
    let (mut chances, mut undecided, mut later) = (0.0, 0.0, 0.0);
    for run in 0..150 {
        let (mut random, mut rollout) = (Random::new(2_613, run), ready.clone());
        let mut is_open = false;
        for minute in 1..2 * minutes {
            let mut times = |requests: f64| {
                // How many requests take longer than each boundary.
                let mut slower = [0.0; 3];
                let mut request = 0.0;
                while request < requests {
                    let drawn = random.uniform();
                    for (slower, part) in slower.iter_mut().zip([0.3, 0.05, 0.01]) {
                        *slower += f64::from(u8::from(drawn < part));
                    }
                    request += 1.0;
                }
                let counts = slower.map(|slower| requests - slower);
                json!({"le": [0.1, 0.25, 0.5], "counts": counts, "count": requests})
            };
            let [canary, baseline] = [share, 1.0 - share].map(|share| times(requests * share));
            let metrics = json!({"latency": {"canary": canary, "baseline": baseline}});
            let input = Input::observe(serde_json::from_value(metrics).unwrap());
            rollout.handle(start + Span::from_seconds(60 * minute), &input).unwrap();
            let forecast = rollout.forecast().and_then(|forecast| forecast.metrics[0].promotion);
            let open = forecast.filter(|_| rollout.state() == State::Monitoring);
            let Some(open) = open else {
                later += f64::from(u8::from(is_open));
                break;
            };
            if minute == 4 {
                chances += open.chance.unwrap();
                (undecided, is_open) = (undecided + 1.0, true);
            }
        }
    }
    let (stated, came) = (chances / undecided, later / undecided);
    println!("a latency that is not slower: {stated:.3} foreseen, {came:.3} of {undecided} came");
    assert!(undecided > 40.0 && (stated - came).abs() < 0.15, "{stated}, {came} of {undecided}");
}
