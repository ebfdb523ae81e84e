//! What a verdict explains: the least change that would have turned it, confirmed by judging that change (FIELD-11).

use hotfix_core::interop::openmetrics;
use hotfix_core::judge::{Counterfactual, Decision, NoCounterfactual, Reason, Rule, Why};
use hotfix_core::policy::Policy;
use hotfix_core::report::Report;
use hotfix_core::rollout::{Command, Input, Recording, Rollout, State};
use hotfix_core::stats::numeric::ln;
use hotfix_core::unit::{MetricName, Span, Timestamp};
use serde_json::{Value, json};

use crate::log_common::rewritten;
use crate::story::Story;

/// A small generator, so that streams are the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Events among `trials` at about `rate`.
    fn events(&mut self, trials: u64, rate: f64) -> u64 {
        (0..trials).filter(|_| (self.below(1_000_000) as f64) < rate * 1e6).count() as u64
    }
}

/// One tick of the five metrics at a tenth of the traffic; `sick` worsens the canary.
fn tick(random: &mut Random, sick: f64) -> Value {
    let canary = 60 + random.below(80);
    let baseline = 9 * canary + random.below(40);
    let histogram = |random: &mut Random, n: u64, slow: f64| {
        let over: Vec<u64> =
            [0.3, 0.03, 0.02, 0.01].iter().map(|q| random.events(n, (q * slow).min(1.0))).collect();
        let mut counts: Vec<u64> = over.iter().map(|slow| n - slow).collect();
        for i in 1..counts.len() {
            counts[i] = counts[i].max(counts[i - 1]);
        }
        json!({"le": [0.1, 0.25, 0.3, 0.5], "counts": counts, "count": n})
    };
    json!({
        "error_rate": {
            "canary": [random.events(canary, 0.004 * sick), canary],
            "baseline": [random.events(baseline, 0.004), baseline],
        },
        "payment_success": {
            "canary": [canary - random.events(canary, 0.004 * sick), canary],
            "baseline": [baseline - random.events(baseline, 0.4), baseline],
        },
        "latency_p95": {
            "canary": histogram(random, canary, 0.6 + 0.4 * sick),
            "baseline": histogram(random, baseline, 1.0),
        },
        "bug": {"canary": [u64::from(random.below(60) == 0), 10], "baseline": [7 + random.below(9), 10]},
        "request_volume": {"canary": 90 + random.below(20), "baseline": 900},
    })
}

fn observe(rollout: &mut Rollout, at: Timestamp, metrics: &Value) {
    let metrics = serde_json::from_value(metrics.clone()).unwrap();
    rollout.handle(at, &Input::observe(metrics)).unwrap();
}

/// The tick with the canary's reading changed as the turn says, or by one event less of it.
fn changed(metrics: &Value, id: &str, turn: &Counterfactual, less: f64) -> Option<Value> {
    let mut metrics = metrics.clone();
    let canary = &mut metrics[id]["canary"];
    let nearer = |from: f64, to: f64| if to > from { to - less } else { to + less };
    match *turn {
        Counterfactual::Events { from, to, .. } => {
            assert_eq!(canary[0].as_f64(), Some(from));
            canary[0] = json!(nearer(from, to));
        }
        Counterfactual::Slow { above, from, to, .. } => {
            let edges: Vec<f64> = serde_json::from_value(canary["le"].clone()).unwrap();
            let edge = edges.iter().position(|e| (e - above).abs() < 1e-12).unwrap();
            let count = canary["count"].as_f64().unwrap();
            let mut counts: Vec<f64> = serde_json::from_value(canary["counts"].clone()).unwrap();
            assert_eq!(count - counts[edge], from);
            let reached = count - nearer(from, to);
            if to > from {
                counts[..=edge].iter_mut().for_each(|c| *c = c.min(reached));
            } else {
                counts[edge..].iter_mut().for_each(|c| *c = c.max(reached));
            }
            canary["counts"] = json!(counts);
        }
        Counterfactual::Level { from, to, .. } => {
            assert_eq!(canary.as_f64(), Some(from));
            // Nine digits are given: a little further turns, a little nearer does not.
            let apart = if less > 0.0 { -1e-6 } else { 1e-6 };
            *canary = json!(to + (to - from).signum() * apart * to.abs().max(1.0));
        }
        Counterfactual::None { .. } => return None,
    }
    Some(metrics)
}

/// Checks every turn of a verdict against rollouts that were given the changed tick. Counts turns by kind.
fn confirm(before: &Rollout, at: Timestamp, metrics: &Value, why: &Why, seen: &mut [usize; 4]) {
    for metric in &why.metrics {
        let id = metric.metric.as_str();
        let Some(turned) = changed(metrics, id, &metric.counterfactual, 0.0) else {
            seen[3] += 1;
            continue;
        };
        let (kind, then) = match metric.counterfactual {
            Counterfactual::Events { then, .. } => (0, then),
            Counterfactual::Slow { then, .. } => (1, then),
            Counterfactual::Level { then, .. } => (2, then),
            Counterfactual::None { .. } => continue,
        };
        seen[kind] += 1;
        let mut rollout = before.clone();
        observe(&mut rollout, at, &turned);
        let got = rollout.verdict().decision;
        assert_eq!(got, then, "{}: {turned}: {:?}", metric.sentence, rollout.verdict());
        assert_ne!(got, why.decision, "{}", metric.sentence);
        let kept = changed(metrics, id, &metric.counterfactual, 1.0).unwrap();
        let mut rollout = before.clone();
        observe(&mut rollout, at, &kept);
        let got = rollout.verdict().decision;
        assert_eq!(got, why.decision, "{}: one less: {kept}", metric.sentence);
    }
}

fn watch(preset: &str) -> Story {
    let mut story = Story::new(preset, Recording::Off);
    story.start();
    story
}

#[test]
fn field_11_the_change_turns_the_verdict_and_one_event_less_does_not() {
    let mut seen = [0; 4];
    let mut decisions = std::collections::BTreeMap::new();
    for (stream, preset) in ["phased-canary", "standard"].iter().cycle().take(16).enumerate() {
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (stream as u64 + 1) << 20);
        let sick = [0.5, 1.0, 3.0, 8.0][stream / 2 % 4];
        let mut story = watch(preset);
        for number in 0..70 {
            // A window of one tick, where a single level tells, and one of six.
            story.at = story.at + Span::from_seconds(if stream % 8 < 2 { 60 } else { 10 });
            let metrics = tick(&mut random, if number < 8 { 1.0 } else { sick });
            let before = story.rollout.clone();
            observe(&mut story.rollout, story.at, &metrics);
            let Some(why) = story.rollout.why() else { panic!("tick {number} was judged") };
            assert_eq!(why.decision, story.rollout.verdict().decision);
            *decisions.entry(why.decision.as_str()).or_insert(0) += 1;
            if number % 3 == 0 || story.state() != State::Monitoring {
                confirm(&before, story.at, &metrics, &why, &mut seen);
            }
            if story.state() != State::Monitoring {
                break;
            }
        }
    }
    let [events, slow, levels, none] = seen;
    assert!(events > 200 && slow > 40 && levels > 0 && none > 10, "{seen:?}");
    for decision in [Decision::Continue, Decision::Hold, Decision::RollBack] {
        assert!(decisions.contains_key(decision.as_str()), "{decisions:?}");
    }
}

fn story_of(json: &[&str]) -> Rollout {
    let mut story = watch("phased-canary");
    for text in json {
        story.at = story.at + Span::from_seconds(60);
        observe(&mut story.rollout, story.at, &serde_json::from_str(text).unwrap());
    }
    story.rollout
}

#[test]
fn field_11_a_sentence_says_numbers_rule_and_turn() {
    let rollout = story_of(&[r#"{"error_rate":{"canary":[6,100],"baseline":[3,900]}}"#]);
    let why = rollout.why().unwrap();
    let error_rate = why.metrics.iter().find(|m| m.metric.as_str() == "error_rate").unwrap();
    assert_eq!(
        error_rate.to_string(),
        "error_rate: 6 of 100 requests failed, against 3 of 900 in the baseline. \
         6% over the window is above the rollback bound of 5%. Decision: roll back. \
         With 4 failures in this tick instead of 6 the decision would have been to hold."
    );
    let bug = why.metrics.iter().find(|m| m.metric.as_str() == "bug").unwrap();
    assert_eq!(bug.counterfactual, Counterfactual::None { reason: NoCounterfactual::NoReading });
    assert_eq!(bug.sentence, "bug: no reading. It was not read in this phase.");
}

#[test]
fn field_11_a_level_turns_at_its_bound() {
    // Traffic moved within the first reading, which is therefore left out.
    let healthy = r#"{"request_volume":{"canary":100,"baseline":900}}"#;
    let why = story_of(&[healthy, healthy]).why().unwrap();
    let volume = why.metrics.iter().find(|m| m.metric.as_str() == "request_volume").unwrap();
    // Below 600 a minute of the whole service: 60 of a tenth.
    let Counterfactual::Level { from: 100.0, to, then: Decision::RollBack } = volume.counterfactual
    else {
        panic!("{}", volume.sentence)
    };
    assert!(to < 60.0 && to > 59.999_999, "{to}");
}

#[test]
fn field_11_rules_have_their_figures_and_what_they_gave() {
    let rollout = story_of(&[
        r#"{"error_rate":{"canary":[0,100],"baseline":[3,900]}}"#,
        r#"{"error_rate":{"canary":[9,100],"baseline":[3,900]}}"#,
    ]);
    let why = rollout.why().unwrap();
    let error_rate = why.metrics.iter().find(|m| m.metric.as_str() == "error_rate").unwrap();
    let by_reason =
        |reason| error_rate.rules.iter().find(|r| r.reason == Some(reason)).unwrap().rule;
    assert!(matches!(
        by_reason(Reason::RollbackBand),
        Rule::Bound { figure: Some(0.05), value: Some(0.09), crossed: Some(true), .. }
    ));
    // One in four of the budget: ln 100 + ln 4.
    let Rule::Evidence { log_e, threshold: Some(threshold) } = by_reason(Reason::Evidence) else {
        panic!("{:?}", error_rate.rules)
    };
    assert!((threshold - ln(400.0)).abs() < 1e-12 && log_e >= threshold);
    let again: Why = serde_json::from_value(json!(why)).unwrap();
    assert_eq!(again, why);
}

#[test]
fn field_11_the_answer_outlives_the_way_back_and_a_replay() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.run(5, Story::healthy);
    let before = story.rollout.why().unwrap();
    let replayed = Rollout::replay(story.rollout.log().as_bytes(), Recording::Keep).unwrap();
    assert_eq!(replayed.why().unwrap(), before);
    assert_eq!(replayed.forecast(), story.rollout.forecast());
    assert_eq!(replayed.harm(), story.rollout.harm());
    story.run_until(20, Story::failing, State::RollingBack);
    let decided = story.rollout.why().unwrap();
    assert_eq!(decided.decision, Decision::RollBack);
    story.confirm_all();
    story.run(20, Story::after_rollback);
    assert_eq!(story.rollout.why().unwrap(), decided);
    let replayed = Rollout::replay(story.rollout.log().as_bytes(), Recording::Keep).unwrap();
    assert_eq!(replayed.why().unwrap(), decided);
    assert_eq!(replayed.comparison(), story.rollout.comparison());
}

#[test]
fn field_11_a_refused_reading_changes_no_answer() {
    let mut story = watch("phased-canary");
    story.run(3, Story::healthy);
    let why = story.rollout.why().unwrap();
    let wrong =
        r#"{"kind":"observe","metrics":{"error_rate":{"canary":[3,2]},"bug":{"canary":[9,10]}}}"#;
    story.refused(wrong);
    assert_eq!(story.rollout.why().unwrap(), why);
}

#[test]
fn field_11_warm_up_and_silence_say_that_nothing_was_taken() {
    let mut story = watch("standard");
    story.run(1, Story::failing);
    let why = story.rollout.why().unwrap();
    assert!(
        why.metrics
            .iter()
            .all(|m| m.counterfactual
                == Counterfactual::None { reason: NoCounterfactual::NotAccepted }),
        "{why:?}"
    );
    story.input(r#"{"kind":"tick"}"#);
    let why = story.rollout.why().unwrap();
    assert!(
        why.metrics
            .iter()
            .all(|m| m.counterfactual
                == Counterfactual::None { reason: NoCounterfactual::NoReading })
    );
    assert!(matches!(story.inputs.last(), Some((_, Input { command: Command::Tick, .. }))));
}

#[test]
fn field_11_the_largest_counts_keep_no_answer_waiting() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.run(3, Story::healthy);
    for counts in [[0.0, 2f64.powi(53)], [2f64.powi(52), 2f64.powi(53)]] {
        let mut last = None;
        let log = rewritten(story.rollout.log(), |_, line| {
            if let Some(canary) = line.pointer_mut("/metrics/error_rate/canary") {
                *canary = json!(counts);
                last = Some(());
            }
        });
        assert!(last.is_some());
        let replayed = Rollout::replay(log.as_bytes(), Recording::Keep).unwrap();
        assert!(replayed.why().is_some());
        assert!(Report::from_log(log.as_bytes()).is_ok());
    }
}

#[test]
fn field_11_a_level_that_turns_as_soon_as_it_is_above_nothing() {
    let mut policy: Value =
        serde_json::from_str(&Policy::preset("phased-canary").unwrap().to_json()).unwrap();
    policy["metrics"]["queue"] = json!({"title": "queue", "kind": "gauge", "worse": "higher", "role": "decide", "rollback": 0.0, "weight": 0.0});
    let policy = Policy::from_json(&policy.to_string()).unwrap();
    let mut story = Story::of(policy, Recording::Keep);
    story.start();
    for _ in 0..3 {
        story.at = story.at + Span::from_seconds(60);
        let metrics = json!({"queue": {"canary": 0.0}, "error_rate": {"canary": [0, 100]}});
        observe(&mut story.rollout, story.at, &metrics);
    }
    let why = story.rollout.why().unwrap();
    let queue = why.metrics.iter().find(|m| m.metric.as_str() == "queue").unwrap();
    assert!(
        matches!(queue.counterfactual, Counterfactual::Level { from: 0.0, to, .. } if to > 0.0),
        "{queue:?}"
    );
}

#[test]
fn stat_4_without_an_event_in_either_arm_there_is_no_ratio() {
    let mut story = watch("standard");
    for events in [0, 1] {
        story.at = story.at + Span::from_seconds(60);
        let metrics = json!({"error_rate": {"canary": [events, 100], "baseline": [0, 900]}});
        observe(&mut story.rollout, story.at, &metrics);
        let evidence_of = MetricName::try_new("error_rate").unwrap();
        let evidence = story.rollout.evidence(evidence_of).unwrap();
        assert_eq!(evidence.ratio.is_some(), events > 0, "{evidence:?}");
        let seen = story.rollout.verdict().metric(evidence_of).unwrap();
        assert_eq!(seen.ratio, evidence.ratio);
        let text = openmetrics::text(&story.rollout, story.at);
        let has_ratio = text.contains("hotfix_metric_rate_ratio{");
        assert_eq!(has_ratio, events > 0, "{text}");
    }
}

/// An e-value of 100 of one metric among several rolls nothing back: its weight raises the threshold.
#[test]
fn stat_4_evidence_decides_at_the_threshold_that_the_explanation_names() {
    let mut story = watch("standard");
    let error_rate = MetricName::try_new("error_rate").unwrap();
    let mut undecided = 0;
    for _ in 0..60 {
        story.at = story.at + Span::from_seconds(10);
        let metrics = json!({"error_rate": {"canary": [1, 100], "baseline": [2, 900]}});
        observe(&mut story.rollout, story.at, &metrics);
        let evidence = story.rollout.evidence(error_rate).unwrap();
        let why = story.rollout.why().unwrap();
        let metric = why.metrics.iter().find(|metric| metric.metric == error_rate).unwrap();
        let own = metric.rules.iter().find_map(|applied| match applied.rule {
            Rule::Evidence { threshold, .. } => threshold,
            _ => None,
        });
        assert_eq!(Some(evidence.threshold), own, "{evidence:?}");
        assert!((evidence.threshold - evidence.hold - (why.threshold - why.hold)).abs() < 1e-12);
        assert_eq!(evidence.decided, evidence.log_e >= evidence.threshold, "{evidence:?}");
        if evidence.decided {
            break;
        }
        undecided += usize::from(evidence.log_e > why.threshold);
    }
    assert!(undecided > 0 && story.rollout.evidence(error_rate).unwrap().decided);
}
