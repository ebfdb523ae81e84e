//! Whole runs of an imported policy, as its users see them: names of their own, shares of successes,
//! bounds without tests.

use std::sync::Arc;

use hotfix_core::grade::{Audience, MessageKind};
use hotfix_core::interop::convert;
use hotfix_core::lint::Finding;
use hotfix_core::message::{Format, Rendered};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::report::measures::{Figure, MeasureName, Measures};
use hotfix_core::rollout::{Act, Input, Recording, Rollout, State};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

/// Flagger's own example, shortened.
const FLAGGER: &str = "
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: podinfo}
spec:
  progressDeadlineSeconds: 60
  analysis:
    interval: 1m
    threshold: 10
    maxWeight: 50
    stepWeight: 5
    metrics:
    - {name: request-success-rate, thresholdRange: {min: 99}, interval: 1m}
    - {name: request-duration, thresholdRange: {max: 500}, interval: 1m}
";

pub(crate) fn podinfo() -> Policy {
    convert(FLAGGER, None).unwrap().policy
}

/// A rollout of it under way, a minute at a time.
pub(crate) struct Run {
    pub(crate) rollout: Rollout,
    pub(crate) at: Timestamp,
}

impl Run {
    pub(crate) fn start(policy: Policy) -> Self {
        let plan = Plan::from_json(
            Arc::new(policy),
            r#"{"id": "INC-7", "service": "shop", "severity": "P1"}"#,
            r#"{"version": "6.0.2", "previous": "6.0.1"}"#,
            r#"{"requests_per_minute": 10000}"#,
        );
        let rollout = Rollout::try_new(plan.unwrap(), Recording::Keep, "").unwrap();
        let mut run = Self { rollout, at: "2026-05-04T09:00:00Z".parse().unwrap() };
        run.send(&json!({"kind": "start", "by": "lena"}));
        run
    }

    pub(crate) fn send(&mut self, input: &Value) {
        let input = Input::from_value(input.clone()).unwrap();
        self.rollout.handle(self.at, &input).unwrap();
    }

    /// A minute in which everything is confirmed at once; `good` of the fix's requests succeed.
    pub(crate) fn minute(&mut self, good: Option<f64>) {
        while let Some(action) = self.rollout.pending_actions().first() {
            let id = action.id.to_string();
            self.send(&json!({"kind": "confirm", "by": "tool", "action": id}));
        }
        self.at = self.at + Span::from_seconds(60);
        let share = self.rollout.share().as_fraction();
        let [new, live] = [10_000.0 * share, 10_000.0 * (1.0 - share)].map(f64::round);
        let took = |n: f64| json!({"le": [0.25, 0.5, 1.0], "counts": [n, n, n], "count": n});
        let mut metrics = json!({"request-success-rate": {}, "request-duration": {}});
        for (arm, n, good) in [("canary", new, good), ("baseline", live, Some(0.998))] {
            let Some(good) = good.filter(|_| n > 0.0) else { continue };
            metrics["request-success-rate"][arm] = json!([(n * good).round(), n]);
            metrics["request-duration"][arm] = took(n);
        }
        match good {
            Some(_) => self.send(&json!({"kind": "observe", "metrics": metrics})),
            None => self.send(&json!({"kind": "tick"})),
        }
    }

    /// The minutes until it is rolled back.
    fn until_rolled_back(&mut self, good: Option<f64>) -> u32 {
        let mut minutes = 0;
        while self.rollout.state() != State::RollingBack {
            assert!(minutes < 60, "{:?}", self.rollout.state());
            self.minute(good);
            minutes += 1;
        }
        minutes
    }
}

/// A share of successes that falls is an error rate that rises.
#[test]
fn post_3_the_error_rate_is_one_also_where_successes_are_counted() {
    let mut run = Run::start(podinfo());
    for _ in 0..5 {
        run.minute(Some(0.998));
    }
    run.until_rolled_back(Some(0.9));
    let measures = Measures::from_log(run.rollout.log().as_bytes()).unwrap();
    let measure = measures.get(MeasureName::ErrorRate);
    let Some(Figure::ErrorRate(rate)) = measure.figure else { panic!("{measure:?}") };
    let [before, after] = [rate.before, rate.after].map(|rate| (1e4 * rate.unwrap()).round());
    assert_eq!((before, after), (20.0, 1_000.0));
    let said = "failures by `request-success-rate`: 0.2% without the fix, 10% with it";
    assert_eq!(measure.sentence, said);
}

/// The phase is as long as its bounds need, so they act, and the linter says nothing else.
#[test]
fn dec_5_a_phase_that_waits_for_its_bounds_is_long_enough() {
    let found: Vec<&str> = podinfo().lint(None).iter().map(Finding::code).collect();
    for code in ["HF-LINT-083", "HF-LINT-086", "HF-LINT-087"] {
        assert!(!found.contains(&code), "{found:?}");
    }
    // The first missing check is missed an interval after the start.
    for (good, minutes) in [(Some(0.5), 10), (None, 11)] {
        let mut run = Run::start(podinfo());
        assert_eq!(run.until_rolled_back(good), minutes, "{good:?}");
        assert_eq!(run.rollout.share().as_fraction(), 0.05);
    }
}

/// As long as the source waits for a deployment, so long nobody is asked.
#[test]
fn field_5_somebody_is_asked_about_a_deployment_at_its_deadline() {
    for (deadline, seconds) in [("60", 60), ("600", 600)] {
        let text = FLAGGER.replace("Seconds: 60", &format!("Seconds: {deadline}"));
        let mut run = Run::start(convert(&text, None).unwrap().policy);
        let start = run.at;
        let mut asked = |second: u32| {
            run.at = start + Span::from_seconds(second);
            let tick = Input::from_json(r#"{"kind": "tick"}"#).unwrap();
            let outcome = run.rollout.handle(run.at, &tick).unwrap();
            outcome.actions.iter().any(|action| matches!(action.act, Act::AskDecision { .. }))
        };
        assert_eq!([asked(seconds - 1), asked(seconds)], [false, true], "{deadline}");
    }
}

/// Each side of a metric with two bounds is named, and what is wrong with it.
#[test]
fn field_5_the_sides_of_a_metric_with_two_bounds_are_told_apart() {
    let two = FLAGGER.replace(
        "    - {name: request-duration",
        "    - {name: connections, thresholdRange: {min: 5, max: 50}, templateRef: {name: c}}\n    - {name: request-duration",
    );
    let policy = convert(&two, None).unwrap().policy;
    let titles: Vec<&str> = policy.metrics().iter().map(|metric| metric.title.as_str()).collect();
    assert!(titles.contains(&"connections (low)") && titles.contains(&"connections (high)"));
    let mut run = Run::start(podinfo());
    run.until_rolled_back(Some(0.5));
    let kind = MessageKind::RollingBack;
    let told = run.rollout.message(kind, Audience::Responders, Format::Text).unwrap();
    let Rendered::Text(told) = told else { panic!("{told:?}") };
    assert!(told.contains("successful requests below the rollback bound"), "{told}");
}

/// The advice is about the metrics that the policy has.
#[test]
fn plan_6_a_missing_reference_is_asked_for_by_name() {
    let plan = |policy: &str| {
        let incident = r#"{"id": "INC-7", "severity": "P1"}"#;
        let release = r#"{"version": "2", "previous": "1"}"#;
        let policy = Arc::new(Policy::from_toml(policy).unwrap());
        Plan::from_json(policy, incident, release, r#"{"requests_per_minute": 1000}"#).unwrap()
    };
    let text = convert(FLAGGER, None).unwrap().text;
    let missing = plan(&text).power().missing.unwrap();
    assert!(missing.ends_with("add `reference` to `request-success-rate`"), "{missing}");
    // As it says: with a reference there is an analysis, also of a share of successes.
    let with = text.replace("success = \"99%\"", "success = \"99%\"\nreference = \"99.8%\"");
    let power = plan(&with).power();
    assert_eq!(power.missing, None);
    let leading = power.leading.unwrap();
    assert_eq!(leading.metric.as_str(), "request-success-rate");
    assert!((leading.base_rate - 0.002).abs() < 1e-12);
    let none = text.replace("proportion", "gauge").replace("\"99%\"", "99");
    let none = none.replace("quantile = 99", "quantile = \"99%\"");
    let missing = plan(&none).power().missing.unwrap();
    assert!(missing.starts_with("no deciding metric is a proportion"), "{missing}");
}
