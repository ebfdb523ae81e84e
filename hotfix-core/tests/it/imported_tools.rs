//! Whole runs of policies from Argo Rollouts, Flagger and Kayenta with a deploy tool that reads once
//! per interval: what passes there passes here, and what fails there fails here (FIELD-5).

use std::sync::Arc;

use hotfix_core::interop::{Finding, Imported, convert};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Act, Input, InputKind, Recording, Rollout, State};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

/// An Argo Rollout of 10% and 50% with these metrics.
fn argo(pause: &str, metrics: &str) -> Policy {
    imported(pause, metrics).policy
}

fn imported(pause: &str, metrics: &str) -> Imported {
    let text = format!(
        "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: shop}}
spec:
  strategy:
    canary:
      trafficRouting: {{nginx: {{stableIngress: shop}}}}
      analysis: {{templates: [{{templateName: shop}}]}}
      steps: [{{setWeight: 10}}, {{pause: {{duration: {pause}}}}}, {{setWeight: 50}}, {{pause: {{duration: {pause}}}}}]
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {{name: shop}}
spec:
  metrics:
{metrics}"
    );
    convert(&text, None).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A metric of Prometheus with the rest of its keys.
fn metric(name: &str, interval: u32, rest: &str) -> String {
    let provider = "provider: {prometheus: {address: \"http://p\", query: q}}";
    format!("  - {{name: {name}, interval: {interval}s, {rest}, {provider}}}\n")
}

/// A run: the states, and what people were asked, each with the second.
struct Run {
    rollout: Rollout,
    start: Timestamp,
    at: Timestamp,
    todo: Vec<(Timestamp, String)>,
    states: Vec<(u64, State)>,
    asked: Vec<(u64, String)>,
}

impl Run {
    fn second(&self) -> u64 {
        self.at.since(self.start).as_millis() / 1000
    }

    fn send(&mut self, at: Timestamp, input: &Value) {
        self.at = at;
        let second = self.second();
        let input = Input::from_value(input.clone()).unwrap();
        let outcome = self.rollout.handle(at, &input).unwrap();
        for action in outcome.actions {
            // A deployment takes half a minute, a change of traffic 5 seconds.
            if action.act.awaits() {
                let long = if matches!(action.act, Act::Deploy { .. }) { 30 } else { 5 };
                self.todo.push((at + Span::from_seconds(long), action.id.to_string()));
            }
            if let Act::AskDecision { question } = &action.act {
                self.asked.push((second, question.clone()));
            }
        }
        let state = self.rollout.state();
        if self.states.last().is_none_or(|(_, last)| *last != state) {
            self.states.push((second, state));
        }
    }

    /// Runs for so many minutes, or to the end. `reading`: the metrics of a second; `every`: the
    /// seconds to the next reading, by its number. A tick comes at `poll_at`.
    fn of(
        policy: Policy,
        minutes: u32,
        every: impl Fn(u32) -> u32,
        reading: impl Fn(u64) -> Value,
    ) -> Self {
        let plan = Plan::from_json(
            Arc::new(policy),
            r#"{"id": "INC-7", "service": "shop"}"#,
            r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
            "",
        );
        let rollout = Rollout::try_new(plan.unwrap(), Recording::Keep, "").unwrap();
        let start: Timestamp = "2026-05-04T09:00:00Z".parse().unwrap();
        let (todo, states, asked) = (Vec::new(), Vec::new(), Vec::new());
        let mut run = Self { rollout, start, at: start, todo, states, asked };
        run.send(start, &json!({"kind": "tick"}));
        run.send(start, &json!({"kind": "start", "by": "ci"}));
        let (mut next, mut count) = (start, 0);
        let end = start + Span::from_seconds(60 * minutes);
        while run.at < end && !run.is_over() {
            let confirmed = run.todo.iter().min().cloned();
            let poll = run.rollout.poll_at().map(|at| at.max(run.at + Span::from_seconds(1)));
            let others = [confirmed.as_ref().map(|(at, _)| *at), poll].into_iter().flatten();
            let least = others.min();
            if let Some((at, id)) = confirmed.filter(|(at, _)| Some(*at) == least && *at < next) {
                run.todo.retain(|(_, other)| *other != id);
                run.send(at, &json!({"kind": "confirm", "by": "ci", "action": id}));
            } else if let Some(at) = poll.filter(|at| Some(*at) == least && *at < next) {
                run.send(at, &json!({"kind": "tick"}));
            } else {
                let metrics = reading(next.since(start).as_millis() / 1000);
                let mut input = json!({"kind": "tick"});
                if run.rollout.accepted().contains(&InputKind::Observe) {
                    input = json!({"kind": "observe", "metrics": metrics});
                }
                run.send(next, &input);
                next = next + Span::from_seconds(every(count));
                count += 1;
            }
        }
        run
    }

    fn is_over(&self) -> bool {
        matches!(self.rollout.state(), State::Closed | State::RolledBack | State::Frozen)
    }

    /// The second at which a rollback began.
    fn rolled_back(&self) -> Option<u64> {
        self.states.iter().find_map(|(at, state)| (*state == State::RollingBack).then_some(*at))
    }

    /// Whether it went to the end, and nobody was asked.
    fn passed(&self) -> bool {
        self.rollout.state() == State::Closed && self.asked.is_empty()
    }
}

fn canary(name: &str, value: f64) -> Value {
    json!({ name: { "canary": value } })
}

#[test]
fn field_5_a_healthy_fix_that_is_read_at_the_interval_of_the_source_passes() {
    for interval in [60, 120, 300] {
        let rest = "successCondition: \"result[0] <= 0.01\", failureLimit: 2";
        let policy = argo("30m", &metric("errors", interval, rest));
        let read = |_| canary("errors", 0.001);
        let run = Run::of(policy.clone(), 180, |_| interval, read);
        assert!(run.passed(), "{interval}: {:?} {:?}", run.states, run.asked);
        // Without readings it is rolled back after two intervals, or 50 s after the next one.
        let silent = Run::of(policy, 180, |_| interval, |_| json!({}));
        let limit = u64::from((2 * interval).max(interval + 50));
        assert_eq!(silent.rolled_back(), Some(35 + limit), "{:?}", silent.states);
    }
    for threshold in [1, 2] {
        let flagger = format!(
            "
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {{name: podinfo}}
spec:
  analysis:
    {{interval: 1m, threshold: {threshold}, maxWeight: 50, stepWeight: 10, metrics: [{{name: lag, query: q, thresholdRange: {{max: 5}}}}]}}"
        );
        let policy = convert(&flagger, None).unwrap().policy;
        // Some readings are a second late.
        let run = Run::of(policy, 90, |count| 60 + count % 2, |_| canary("lag", 1.0));
        assert!(run.passed(), "{threshold}: {:?} {:?}", run.states, run.asked);
    }
}

/// A healthy fix passes, and a fault of either metric ends the rollout, as in Argo.
#[test]
fn field_5_metrics_of_different_intervals_are_judged_by_their_own_readings() {
    for (fast, slow) in [(30, 60), (60, 120), (30, 300), (60, 300)] {
        for limit in [0, 2] {
            let rest = |most: f64| {
                format!("successCondition: \"result[0] <= {most}\", failureLimit: {limit}")
            };
            let policy = argo(
                "20m",
                &(metric("errors", fast, &rest(0.01)) + &metric("latency", slow, &rest(0.5))),
            );
            let run = |errors: f64, latency: f64| {
                let read = move |second: u64| {
                    let mut metrics = canary("errors", errors);
                    if second.is_multiple_of(u64::from(slow)) {
                        metrics["latency"] = json!({"canary": latency});
                    }
                    metrics
                };
                Run::of(policy.clone(), 120, |_| fast, read)
            };
            let healthy = run(0.001, 0.2);
            let shown = (fast, slow, limit, &healthy.states, &healthy.asked);
            assert!(healthy.passed(), "{shown:?}");
            // As many readings as fail in Argo, from the first one for which the window is full.
            for (run, every) in [(run(0.001, 0.6), slow), (run(0.02, 0.2), fast)] {
                let at = (35 + fast).next_multiple_of(every) + every * limit;
                assert_eq!(run.rolled_back(), Some(u64::from(at)), "{:?} {every}", run.states);
            }
        }
    }
}

/// The values of most conditions are whole numbers, and often at the edge: 1 error, 5 alerts.
#[test]
fn field_5_a_value_at_the_edge_of_a_condition_is_decided_as_in_argo() {
    let (below, at, above) = (true, true, true);
    for edge in [1.0_f64, 0.0, 5.0, 0.05, -2.0, 1e7] {
        for (condition, passes) in [
            ("successCondition: \"result[0] <", [below, false, false]),
            ("successCondition: \"result[0] <=", [below, at, false]),
            ("successCondition: \"result[0] >", [false, false, above]),
            ("successCondition: \"result[0] >=", [false, at, above]),
            ("failureCondition: \"result[0] <", [false, at, above]),
            ("failureCondition: \"result[0] <=", [false, false, above]),
            ("failureCondition: \"result[0] >", [below, at, false]),
            ("failureCondition: \"result[0] >=", [below, false, false]),
        ] {
            let rest = format!("{condition} {edge}\"");
            let policy = argo("10m", &metric("errors", 60, &rest));
            let by = 1e-6 * edge.abs().max(1.0);
            for (value, passes) in [edge - by, edge, edge + by].into_iter().zip(passes) {
                let run = Run::of(policy.clone(), 5, |_| 60, |_| canary("errors", value));
                assert_eq!(run.rolled_back().is_none(), passes, "{rest}: {value}");
            }
        }
    }
    // Between the conditions is the edge alone.
    let both = "successCondition: \"result[0] < 1\", failureCondition: \"result[0] > 1\"";
    let Imported { policy, findings, .. } = imported("10m", &metric("errors", 60, both));
    let run = Run::of(policy, 5, |_| 60, |_| canary("errors", 1.0));
    assert_eq!((run.rolled_back(), run.asked.len()), (None, 1), "{:?}", run.states);
    let note = "a value of exactly 1 does not pass; in the policy a bound passes its own value, so it is just below 1";
    assert!(findings.iter().map(Finding::message).any(|said| said == note), "{findings:?}");
}

/// A smoke test beside a metric that is read each minute: it is measured when the fix is there, and
/// Argo does not miss it afterwards.
#[test]
fn field_5_a_metric_that_is_measured_once_is_not_missed_afterwards() {
    let errors = metric("errors", 60, "successCondition: \"result[0] <= 0.05\"");
    let once = |rest: &str| {
        format!("{errors}  - {{name: smoke, {rest}, provider: {{web: {{url: \"http://s\"}}}}}}\n")
    };
    for rest in ["", "count: 1, ", "count: 1, interval: 30s, "] {
        let policy = argo("5m", &once(&format!("{rest}successCondition: \"result >= 1\"")));
        assert_eq!(policy.watch().cadence, Span::from_seconds(60));
        let read = |second| {
            let mut metrics = canary("errors", 0.01);
            if second <= 60 {
                metrics["smoke"] = json!({"canary": 1.0});
            }
            metrics
        };
        let healthy = Run::of(policy.clone(), 60, |_| 60, read);
        assert!(healthy.passed(), "{rest}: {:?} {:?}", healthy.states, healthy.asked);
        let mut failing = Run::of(policy, 3, |_| 60, read);
        assert_eq!(failing.rolled_back(), None);
        let failed = json!({"kind": "report", "by": "ci", "signal": "health_check_failed"});
        failing.send(failing.at, &failed);
        assert_eq!(failing.rolled_back(), Some(failing.second()));
    }
    let said = |rest: &str| {
        let imported = imported("5m", &once(rest));
        let then = json!(imported)["policy"]["triggers"]["health_check_failed"].clone();
        let once: Vec<String> = imported.findings.iter().map(Finding::message).collect();
        let once = once.into_iter().filter(|said| said.starts_with("it is measured once"));
        (then, once.collect::<Vec<_>>())
    };
    let (good, bad) = ("successCondition: \"result == 1\"", "failureCondition: \"result > 2\"");
    let (then, once) = said(&format!("{good}, {bad}"));
    assert_eq!((then, once.len()), (json!("roll_back"), 1));
    assert!(once[0].contains("which rolls back, and `pause` if it is inconclusive"), "{once:?}");
    // It cannot fail: nothing has to be sent.
    for rest in ["count: 1".to_owned(), format!("{good}, failureLimit: 1")] {
        assert_eq!(said(&rest), (json!("ask"), Vec::new()), "{rest}");
    }
}

/// The time that a built-in metric of Flagger covers is its own.
#[test]
fn field_5_a_long_query_of_one_metric_does_not_average_the_others() {
    let flagger = "
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: podinfo}
spec:
  analysis:
    interval: 1m
    threshold: 2
    maxWeight: 50
    stepWeight: 10
    metrics:
    - {name: request-success-rate, interval: 5m, thresholdRange: {min: 99}}
    - {name: lag, query: q, interval: 3m, thresholdRange: {max: 5}}";
    let policy = convert(flagger, None).unwrap().policy;
    let run = |failing: &'static [u64]| {
        let read = move |second| {
            let lag = if failing.contains(&(second / 60)) { 60.0 } else { 1.0 };
            json!({"lag": {"canary": lag}, "request-success-rate": {"canary": [999, 1000]}})
        };
        Run::of(policy.clone(), 60, |_| 60, read)
    };
    let healthy = run(&[]);
    assert!(healthy.passed(), "{:?} {:?}", healthy.states, healthy.asked);
    let (last, _) =
        healthy.states.iter().find(|(_, state)| *state == State::FinalValidation).unwrap();
    assert!(*last <= 60 * 12, "{:?}", healthy.states);
    assert_eq!(run(&[4]).rolled_back(), None);
    assert_eq!(run(&[4, 5]).rolled_back(), Some(300));
}

#[test]
fn field_5_a_measurement_between_the_conditions_asks() {
    let both = "successCondition: \"result[0] <= 0.01\", failureCondition: \"result[0] > 0.05\"";
    let policy = argo("10m", &metric("errors", 30, both));
    let read = |second| canary("errors", if (120..=180).contains(&second) { 0.04 } else { 0.001 });
    let run = Run::of(policy.clone(), 60, |_| 30, read);
    let (at, question) = &run.asked[0];
    assert_eq!(*at, 120);
    assert!(
        question.contains("errors: 0.04 with the fix (above the alert bound of 0.01)"),
        "{question}"
    );
    assert_eq!(run.rolled_back(), None);
    let failing = Run::of(policy, 60, |_| 30, |_| canary("errors", 0.06));
    assert_eq!(failing.rolled_back(), Some(90), "{:?}", failing.states);
}

/// NaN passes `failureCondition` alone in Argo and waits for a person with both, and an error ends
/// the rollout: a person is asked. With `successCondition` alone both fail.
#[test]
fn field_5_a_value_that_is_missing_asks_where_argo_does_not_fail_it() {
    let (good, bad) =
        ("successCondition: \"result[0] <= 1\"", "failureCondition: \"result[0] > 2\"");
    for (rest, asks) in
        [(bad.to_owned(), true), (format!("{good}, {bad}"), true), (good.to_owned(), false)]
    {
        let policy = argo("10m", &metric("errors", 30, &rest));
        let nan = json!({"errors": {"canary": "NaN"}});
        let read = |second| if second < 300 { canary("errors", 0.5) } else { nan.clone() };
        let run = Run::of(policy, 30, |_| 30, read);
        let last = 270 + 30 + 50;
        let expected = if asks { (Some(last), None) } else { (None, Some(last)) };
        let got = (run.asked.first().map(|(at, _)| *at), run.rolled_back());
        assert_eq!(got, expected, "{rest}: {:?} {:?}", run.states, run.asked);
    }
}

/// With `failureLimit: -1` an analysis fails unless so many measurements in a row succeed. A
/// question has the figure that missed the bound, not only that of the last window.
#[test]
fn field_5_successes_in_a_row_that_are_needed_are_asked_about() {
    let rest = "successCondition: \"result[0] <= 0.01\", failureLimit: -1, consecutiveSuccessLimit: 3, count: 10";
    let policy = argo("10m", &metric("errors", 30, rest));
    let healthy = Run::of(policy.clone(), 60, |_| 30, |_| canary("errors", 0.001));
    assert!(healthy.passed(), "{:?} {:?}", healthy.states, healthy.asked);
    let read = |second| canary("errors", if second < 300 { 0.1 } else { 0.001 });
    let run = Run::of(policy, 15, |_| 30, read);
    assert_eq!((run.rollout.state(), run.rolled_back()), (State::Monitoring, None));
    let (_, question) = &run.asked[0];
    let figure = "errors: 0.001 with the fix (0.0";
    assert!(question.contains(figure), "{question}");
    assert!(question.contains(" over the phase, above the success bound of 0.01"), "{question}");
}

#[test]
fn field_11_the_reading_that_would_have_changed_a_decision_is_on_the_right_side() {
    let rest = "successCondition: \"result[0] <= 0.01\"";
    for (value, shown) in [(0.5, "0.5"), (0.05, "0.05"), (0.02, "0.02")] {
        let policy = argo("10m", &metric("errors", 30, rest));
        let run = Run::of(policy, 2, |_| 30, |_| canary("errors", value));
        let why = run.rollout.why().unwrap();
        let said = format!("With a reading of 0.01 or below in this tick instead of {shown} the");
        assert!(why.metrics[0].sentence.contains(&said), "{}", why.metrics[0].sentence);
    }
}

/// Kayenta compares all points of a lifetime, so a point by itself decides nothing here either.
#[test]
fn field_5_a_healthy_release_with_noise_from_minute_to_minute_is_not_rolled_back() {
    let config = json!({"name": "shop", "metrics": [{"name": "cpu", "analysisConfigurations": {"canary":
        {"direction": "increase", "critical": true, "effectSize": {"allowedIncrease": 1.25}}}}]});
    let policy = convert(&config.to_string(), None).unwrap().policy;
    assert_eq!(policy.watch().window, Span::from_seconds(600));
    // Between 0.8 and 1.2 of the level, differently in each minute and arm.
    let noise = |second: u64, arm: u64| {
        let hash = (second / 60 * 2 + arm).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        0.8 + 0.4 * (hash % 1000) as f64 / 1000.0
    };
    let read = |worse: f64| move |second| json!({"cpu": {"canary": 50.0 * worse * noise(second, 0), "baseline": 50.0 * noise(second, 1)}});
    let healthy = Run::of(policy.clone(), 34, |_| 60, read(1.0));
    assert_eq!((healthy.rolled_back(), healthy.asked.len()), (None, 0), "{:?}", healthy.states);
    let faulty = Run::of(policy, 34, |_| 60, read(1.6));
    assert_eq!(faulty.rolled_back(), Some(660), "{:?}", faulty.states);
}
