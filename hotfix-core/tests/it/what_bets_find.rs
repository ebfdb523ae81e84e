//! Plan, linter and forecast ask the bets of the test that decides (PLAN-6, FIELD-15): against simulated runs.

use std::sync::Arc;

use hotfix_core::judge::TestForecast;
use hotfix_core::plan::{Plan, PlanFindingKind};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Command, Input, Recording, Rollout};
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

    /// The forecast of its test after some minutes, with as many errors as expected.
    fn foreseen(&self, ratio: f64, minutes: u32) -> TestForecast {
        let mut rollout = Rollout::try_new(self.plan(), Recording::Off, "").unwrap();
        let start: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
        rollout.handle(start, &Input::new(Command::Start).by("lena")).unwrap();
        while let Some(action) = rollout.pending_actions().first().map(|action| action.id) {
            let confirm = Input::new(Command::Confirm { action, why: None }).by("tool");
            rollout.handle(start, &confirm).unwrap();
        }
        for minute in 1..=minutes {
            let counts = |share: f64, rate: f64| {
                let trials = (self.requests * share).round();
                [(trials * rate).round(), trials]
            };
            let (canary, live) =
                (counts(self.share, self.base * ratio), counts(1.0 - self.share, self.base));
            let metrics: Value = json!({"error_rate": {"canary": canary, "baseline": live}});
            let input = Input::observe(serde_json::from_value(metrics).unwrap());
            rollout.handle(start + Span::from_seconds(60 * minute), &input).unwrap();
        }
        let forecast = rollout.forecast().unwrap().metrics[0];
        let safe = self.promotion == "evidence_of_no_harm";
        if safe { forecast.promotion.unwrap() } else { forecast.rollback.unwrap() }
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
    let between = World { margin: 1.5, requests: 6_000.0, minutes: 60, ..DENSE };
    let no_worse =
        World { promotion: "evidence_of_no_harm", margin: 1.3, requests: 300.0, ..shares };
    // What no bet shows has no time.
    for (world, ratio, at, never) in [
        (DENSE, 1.3, 3, true),
        (between, 1.5, 15, false),
        (shares, 1.1, 12, false),
        (safe, 1.0, 6, true),
        (no_worse, 1.0, 6, false),
    ] {
        let seen = world.foreseen(ratio, at);
        assert_eq!((seen.minutes.is_none(), seen.requests.is_none()), (never, never), "{seen:?}");
    }
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
