//! Metrics that are read by instance, at another split than planned, or with few requests, in whole rollouts
//! of own policies: healthy fixes are not rolled back, and faults are found. All seeds are fixed.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]

use std::sync::Arc;

use hotfix_core::grade::Strategy;
use hotfix_core::judge::{Decision, Reason};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Act, Action, Input, Recording, Rollout, State};
use hotfix_core::unit::{Span, Timestamp};
use rand_core::SeedableRng;
use rand_distr::{Binomial, Distribution, Poisson};
use rand_pcg::Pcg64;
use serde_json::{Value, json};

use crate::own_policies::small;
use crate::ready;

/// A tenth of the traffic, then all of it.
fn canary(metrics: &str) -> Arc<Policy> {
    small(Strategy::Canary, &[("canary", "10%"), ("all", "100%")], metrics)
}

fn proportion(more: &str) -> String {
    format!("[metrics.m]\nkind = \"proportion\"\nworse = \"higher\"\nweight = 1.0\n{more}\n")
}

/// What a rollout came to.
#[derive(Debug, Default)]
struct Seen {
    state: Option<State>,
    /// The second after the start in which it was rolled back, and by what.
    rolled_back: Option<(u32, Vec<Reason>)>,
    /// All causes that ever were, each with its instance.
    causes: Vec<(Reason, Option<String>)>,
    questions: Vec<String>,
}

impl Seen {
    fn has(&self, reason: Reason) -> bool {
        self.causes.iter().any(|(of, _)| *of == reason)
    }

    /// Whether this instance was named as bad.
    fn names(&self, instance: &str) -> bool {
        let of = |(reason, named): &(Reason, Option<String>)| {
            *reason == Reason::BadInstance && named.as_deref() == Some(instance)
        };
        self.causes.iter().any(of)
    }
}

/// A rollout whose live version is read for five minutes before the start, and whose actions are confirmed after
/// a minute. `world`: what is read in a second after the start, at a share of the canary.
fn run(policy: &Arc<Policy>, until: u32, mut world: impl FnMut(u32, f64) -> Value) -> Seen {
    let incident = r#"{"id": "INC-1", "severity": "P1"}"#;
    let release = r#"{"version": "2", "previous": "1"}"#;
    let plan = Plan::from_json(Arc::clone(policy), incident, release, "").expect("a plan");
    let mut rollout = Rollout::try_new(plan, Recording::Off, "").expect("a rollout");
    let first: Timestamp = "2026-03-03T14:40:00Z".parse().expect("a time");
    for second in (0..300).step_by(10) {
        let read = json!({"kind": "observe", "metrics": world(0, 0.0)});
        send(&mut rollout, first + Span::from_seconds(second), read);
    }
    let start = first + Span::from_seconds(300);
    ready::make(&mut rollout, start);
    send(&mut rollout, start, json!({"kind": "start", "by": "lena"}));
    let (mut seen, mut asked_at) = (Seen::default(), None);
    for second in (10..until).step_by(10) {
        let at = start + Span::from_seconds(second);
        if rollout.pending_actions().is_empty() {
            asked_at = None;
        } else if second >= *asked_at.get_or_insert(second) + 60 {
            while let Some(action) = rollout.pending_actions().first().map(|action| action.id) {
                let done = json!({"kind": "confirm", "by": "tool", "action": action.to_string()});
                send(&mut rollout, at, done);
            }
            asked_at = None;
        }
        let read =
            json!({"kind": "observe", "metrics": world(second, rollout.share().as_fraction())});
        for action in send(&mut rollout, at, read) {
            if let Act::AskDecision { question } = &action.act {
                seen.questions.push(question.clone());
            }
        }
        let verdict = rollout.verdict();
        for cause in &verdict.causes {
            let cause = (cause.reason, cause.instance.as_deref().map(str::to_owned));
            if !seen.causes.contains(&cause) {
                seen.causes.push(cause);
            }
        }
        if verdict.decision == Decision::RollBack {
            seen.rolled_back = Some((second, verdict.causes.iter().map(|of| of.reason).collect()));
            break;
        }
        if rollout.state() == State::Complete {
            break;
        }
    }
    seen.state = Some(rollout.state());
    seen
}

fn send(rollout: &mut Rollout, at: Timestamp, input: Value) -> &[Action] {
    let input = Input::from_value(input).expect("an input");
    rollout.handle(at, &input).expect("it is accepted").actions
}

fn poisson(random: &mut Pcg64, mean: f64) -> f64 {
    if mean > 0.0 { Poisson::new(mean).unwrap().sample(random) } else { 0.0 }
}

/// Failures and requests.
fn failures(random: &mut Pcg64, requests: f64, share: f64) -> [f64; 2] {
    let trials = poisson(random, requests);
    let events = Binomial::new(trials as u64, share).unwrap().sample(random);
    [f64::from(u32::try_from(events).unwrap()), trials]
}

/// Counts by instance of both arms, in ten seconds.
#[derive(Clone, Copy)]
struct Fleet {
    canary: usize,
    live: usize,
    requests_per_minute: f64,
    /// Events in a time, instead of failures.
    counts: bool,
}

impl Fleet {
    /// `times`: how many times as bad an instance of the canary is.
    fn read(&self, random: &mut Pcg64, share: f64, times: impl Fn(usize) -> f64) -> Value {
        let mut arms = json!({});
        for (arm, part, size) in
            [("canary", share, self.canary), ("baseline", 1.0 - share, self.live)]
        {
            if part <= 0.0 {
                continue;
            }
            let mut of = json!({});
            for instance in 0..size {
                let times = if arm == "canary" { times(instance) } else { 1.0 };
                let part = part / size as f64;
                of[format!("{}{instance:02}", &arm[..1])] = if self.counts {
                    json!([poisson(random, 5.0 * times * part), 10])
                } else {
                    let requests = self.requests_per_minute / 6.0 * part;
                    json!(failures(random, requests, (0.005 * times).min(1.0)))
                };
            }
            arms[arm] = of;
        }
        json!({ "m": arms })
    }
}

#[test]
fn stat_2_one_bad_instance_of_ten_rolls_nothing_back_whatever_is_counted() {
    let count = "[metrics.m]\nkind = \"count\"\nworse = \"higher\"\nweight = 1.0\n".to_owned();
    for (metrics, counts) in [
        (proportion("reference = \"0.5%\""), false),
        (proportion(""), false),
        (proportion("reference = \"0.5%\"\nmodel = \"bernoulli\""), false),
        (count.clone(), true),
        (format!("{count}reference = \"30/min\"\n"), true),
    ] {
        let policy = canary(&metrics);
        let fleet = Fleet { canary: 10, live: 27, requests_per_minute: 3_000.0, counts };
        let bad = |instance| if instance == 2 { 20.0 } else { 1.0 };
        for seed in 0..10 {
            let mut random = Pcg64::seed_from_u64(seed);
            let seen = run(&policy, 700, |_, share| fleet.read(&mut random, share, bad));
            assert!(seen.rolled_back.is_none() && seen.names("c02"), "{metrics}{seed}: {seen:?}");
            let mut random = Pcg64::seed_from_u64(seed);
            let all = run(&policy, 700, |_, share| fleet.read(&mut random, share, |_| 20.0));
            assert!(all.rolled_back.is_some_and(|(after, _)| after <= 240), "{metrics}{seed}");
        }
    }
}

#[test]
fn stat_2_an_instance_that_is_read_as_a_sum_later_holds_nothing_back() {
    let policy = canary(&proportion(""));
    let fleet = Fleet { canary: 5, live: 27, requests_per_minute: 3_000.0, counts: false };
    let mut random = Pcg64::seed_from_u64(1);
    let seen = run(&policy, 900, |second, share| {
        if second < 300 {
            return fleet.read(&mut random, share, |_| 1.0);
        }
        let [canary, live] = [(share, 0.1), (1.0 - share, 0.005)]
            .map(|(part, failing)| failures(&mut random, 500.0 * part, failing));
        json!({ "m": { "canary": canary, "baseline": live } })
    });
    assert!(seen.rolled_back.is_some_and(|(after, _)| after <= 360));
}

const BOUNDS: &str = "reference = \"0.5%\"\nalert = \"2%\"\nrollback = \"5%\"";

#[test]
fn stat_2_an_instance_that_joins_or_fails_with_all_of_the_traffic_is_named() {
    let policy = canary(&proportion(BOUNDS));
    let all_fail = |bad: bool| if bad { 200.0 } else { 1.0 };
    for seed in 0..4 {
        for canary in [3, 30] {
            let fleet = Fleet { canary, live: 27, requests_per_minute: 3_000.0, counts: false };
            let mut random = Pcg64::seed_from_u64(seed);
            let seen = run(&policy, 1_900, |second, share| {
                fleet.read(&mut random, share, |of| all_fail(of == 2 && second > 1_000))
            });
            let asked = seen.questions.iter().any(|question| question.contains("c02"));
            assert!(seen.rolled_back.is_none() && seen.names("c02"), "{canary}: {seen:?}");
            assert!(asked, "{canary}: {:?}", seen.questions);
        }
        let mut random = Pcg64::seed_from_u64(seed);
        let seen = run(&policy, 700, |second, share| {
            let canary = if second < 240 { 30 } else { 31 };
            let fleet = Fleet { canary, live: 27, requests_per_minute: 30_000.0, counts: false };
            fleet.read(&mut random, share, |of| all_fail(of == 30))
        });
        assert!(seen.rolled_back.is_none() && seen.names("c30"), "{seen:?}");
    }
}

#[test]
fn stat_2_a_bound_waits_for_the_comparison_of_running_totals() {
    let policy = canary(&proportion(BOUNDS));
    let fleet = Fleet { canary: 3, live: 27, requests_per_minute: 3_000.0, counts: false };
    let totals = |seed, bad: fn(usize) -> bool| {
        let (mut random, mut sums) = (Pcg64::seed_from_u64(seed), json!({}));
        run(&policy, 600, |_, share| {
            let mut read = fleet.read(&mut random, share, |of| if bad(of) { 200.0 } else { 1.0 });
            for (arm, instances) in read["m"].as_object_mut().unwrap() {
                for (name, counts) in instances.as_object_mut().unwrap() {
                    let part = |at: usize| counts[at].as_f64().unwrap_or(0.0);
                    let before = &sums[arm][name];
                    let sum = |at: usize| before[at].as_f64().unwrap_or(0.0) + part(at);
                    *counts = json!([sum(0), sum(1)]);
                    sums[arm][name] = counts.clone();
                }
            }
            read["m"]["totals"] = json!(true);
            read
        })
    };
    for seed in 0..10 {
        let one = totals(seed, |of| of == 2);
        assert!(one.rolled_back.is_none() && one.names("c02"), "{seed}: {one:?}");
        let all = totals(seed, |_| true);
        assert!(all.rolled_back.is_some_and(|(after, _)| after <= 130), "{seed}");
    }
}

const SCALED: &str = "[metrics.error_rate]\nkind = \"proportion\"\nworse = \"higher\"\nreference = \"0.5%\"\nweight = 0.5\n\
    [metrics.bug]\nkind = \"count\"\nworse = \"higher\"\nreference = \"30/min\"\nweight = 0.5\nalert = \"60/min\"\nrollback = \"90/min\"\n\
    [metrics.orders]\nkind = \"volume\"\nworse = \"lower\"\nrollback = { ratio = 0.7, of = \"live\" }\n";

/// What is read at a real share of the traffic, where the bug comes so many times as often with the fix.
fn scaled(random: &mut Pcg64, share: f64, times: f64) -> Value {
    let mut read = json!({"error_rate": {}, "bug": {}, "orders": {}});
    for (arm, part, times) in [("canary", share, times), ("baseline", 1.0 - share, 1.0)] {
        if part > 0.0 {
            read["error_rate"][arm] = json!(failures(random, 1_000.0 * part, 0.005));
            read["bug"][arm] = json!([poisson(random, 5.0 * times * part), 10]);
            read["orders"][arm] = json!(600.0 * part);
        }
    }
    read
}

#[test]
fn field_4_what_is_scaled_by_the_planned_share_is_not_judged_at_another() {
    let policy = canary(SCALED);
    for seed in 0..6 {
        for real in [0.05, 0.15, 0.2, 0.5] {
            let mut random = Pcg64::seed_from_u64(seed);
            let seen = run(&policy, 1_500, |_, share| {
                let is_split = share > 0.0 && share < 1.0;
                scaled(&mut random, if is_split { real } else { share }, 1.0)
            });
            assert!(seen.rolled_back.is_none(), "{real}: {seen:?}");
            assert!(seen.has(Reason::SplitNotAsPlanned), "{real}: {seen:?}");
        }
        // Once the split is repaired, a fault is found, and no earlier.
        let mut random = Pcg64::seed_from_u64(seed);
        let seen = run(&policy, 1_500, |second, share| {
            let is_wrong = share > 0.0 && share < 1.0 && second < 400;
            scaled(&mut random, if is_wrong { 0.2 } else { share }, 20.0)
        });
        assert!(seen.rolled_back.as_ref().is_some_and(|(after, _)| *after > 600), "{seen:?}");
    }
}

#[test]
fn field_4_what_is_bad_although_the_canary_has_fewer_requests_is_the_fix() {
    let half = |share: f64| if share > 0.0 && share < 1.0 { 0.5 * share } else { share };
    for seed in 0..6 {
        // It crashes, and loses half of its requests.
        let mut random = Pcg64::seed_from_u64(seed);
        let seen = run(&canary(SCALED), 1_500, |_, share| scaled(&mut random, half(share), 20.0));
        let found = seen.rolled_back.as_ref();
        assert!(found.is_some_and(|(after, _)| *after <= 300), "{seed}: {seen:?}");
    }
    // It halves what it does not have; that shows nothing, whatever the policy says of the split.
    let only_counts = SCALED.split("[metrics.orders]").next().unwrap();
    let mut document: Value =
        serde_json::from_str(&canary(only_counts).to_json()).expect("a document");
    document["watch"]["alert"] = json!("continue");
    document["metrics"]["bug"]["success"] = json!(20.0);
    let policy = Arc::new(Policy::from_json(&document.to_string()).expect("a policy"));
    let mut random = Pcg64::seed_from_u64(1);
    let seen = run(&policy, 1_500, |_, share| {
        let mut read = scaled(&mut random, half(share), 1.0);
        read.as_object_mut().unwrap().remove("orders");
        read
    });
    assert!(seen.rolled_back.is_none() && seen.state == Some(State::Monitoring), "{seen:?}");
    assert!(seen.has(Reason::TooFewTrials), "{seen:?}");
}

#[test]
fn field_4_only_a_canary_with_more_requests_than_planned_is_asked_about() {
    let mut document: Value = serde_json::from_str(&canary(SCALED).to_json()).expect("a document");
    document["phases"][0]["watch"] = json!(1_200.0);
    document["watch"]["alert"] = json!("hold");
    let policy = Arc::new(Policy::from_json(&document.to_string()).expect("a policy"));
    for real in [0.05, 0.2] {
        let mut random = Pcg64::seed_from_u64(1);
        let seen = run(&policy, 4_000, |second, share| {
            let is_wrong = share > 0.0 && share < 1.0 && second < 600;
            scaled(&mut random, if is_wrong { real } else { share }, 1.0)
        });
        assert!(seen.has(Reason::SplitNotAsPlanned), "{real}: {seen:?}");
        let names_split = |question: &String| question.contains("the fix has about");
        assert!(seen.questions.iter().all(names_split), "{real}: {:?}", seen.questions);
        assert_eq!(seen.questions.is_empty(), real < 0.1, "{real}: {:?}", seen.questions);
    }
}

#[test]
fn field_4_connections_that_drain_are_no_wrong_split_and_one_that_stays_is() {
    let policy = canary(&proportion(BOUNDS));
    // The share that is reached with a time constant of a minute, as a part of the planned one.
    let seen = |reached: f64, seed: u64| {
        let (mut random, mut changed) = (Pcg64::seed_from_u64(seed), (0.0, 0));
        run(&policy, 1_500, |second, share| {
            if share != changed.0 {
                changed = (share, second);
            }
            let drained = 1.0 - (-f64::from(second - changed.1 + 10) / 60.0).exp();
            let real = if share < 1.0 { share * drained * reached } else { share };
            let [canary, live] =
                [real, 1.0 - real].map(|part| failures(&mut random, 8_000.0 * part, 0.005));
            json!({"m": if share > 0.0 { json!({"canary": canary, "baseline": live}) } else { json!({"baseline": live}) }})
        })
    };
    for seed in 0..10 {
        let drains = seen(1.0, seed);
        assert!(
            !drains.has(Reason::SplitNotAsPlanned) && drains.questions.is_empty(),
            "{drains:?}"
        );
        assert!(seen(0.5, seed).has(Reason::SplitNotAsPlanned), "{seed}");
        assert!(seen(2.0, seed).has(Reason::SplitNotAsPlanned), "{seed}");
    }
}

#[test]
fn field_4_swapped_arms_show_in_a_volume_where_nothing_counts_requests() {
    let policy = canary(
        "[metrics.orders]\nkind = \"volume\"\nworse = \"lower\"\nreference = \"600/min\"\nsuccess = { ratio = 0.8, of = \"live\" }\n\
         [metrics.bug]\nkind = \"count\"\nworse = \"higher\"\nreference = \"6/min\"\nweight = 1.0\n",
    );
    for swapped in [false, true] {
        let mut random = Pcg64::seed_from_u64(1);
        let seen = run(&policy, 900, |_, share| {
            let mut read = scaled(&mut random, share, 1.0);
            read.as_object_mut().unwrap().remove("error_rate");
            if swapped && share > 0.0 && share < 1.0 {
                for (_, arms) in read.as_object_mut().unwrap() {
                    let canary = arms["canary"].take();
                    arms["canary"] = arms["baseline"].take();
                    arms["baseline"] = canary;
                }
            }
            read
        });
        assert!(seen.rolled_back.is_none(), "{swapped}: {seen:?}");
        assert_eq!(seen.has(Reason::ArmsSwapped), swapped, "{seen:?}");
    }
}

#[test]
fn stat_1_with_few_requests_the_plan_is_true_and_nothing_is_thrown_away() {
    let text = |requests: u32| format!(r#"{{"requests_per_minute": {requests}}}"#);
    let policy = small(Strategy::Canary, &[("half", "50%"), ("all", "100%")], &proportion(""));
    let mut document: Value = serde_json::from_str(&policy.to_json()).unwrap();
    document["phases"][0]["watch"] = json!(3_600.0);
    document["watch"]["least_trials"] = json!(1.0);
    document["metrics"]["m"]["reference"] = json!(0.005);
    let policy = Arc::new(Policy::from_json(&document.to_string()).unwrap());
    for requests in [3, 12] {
        let plan = Plan::from_json(
            Arc::clone(&policy),
            r#"{"id": "INC-1", "severity": "P1"}"#,
            r#"{"version": "2", "previous": "1"}"#,
            &text(requests),
        );
        let power = serde_json::to_value(plan.unwrap().power()).unwrap();
        let faults = power["phases"][0]["faults"].as_array().unwrap();
        let planned = faults.last().unwrap()["sequential"]["chance"].as_f64().unwrap();
        for every in [10, 60] {
            let found = (0..40).filter(|seed| {
                let mut random = Pcg64::seed_from_u64(*seed);
                let mut sums = [[0.0; 2]; 2];
                let seen = run(&policy, 3_670, |second, share| {
                    for (sum, (part, failing)) in
                        sums.iter_mut().zip([(share, 0.1), (1.0 - share, 0.005)])
                    {
                        let new = failures(&mut random, f64::from(requests) / 6.0 * part, failing);
                        (sum[0], sum[1]) = (sum[0] + new[0], sum[1] + new[1]);
                    }
                    if second % every != 0 {
                        return json!({});
                    }
                    let [canary, live] = std::mem::take(&mut sums);
                    json!({"m": if share > 0.0 { json!({"canary": canary, "baseline": live}) } else { json!({"baseline": live}) }})
                });
                seen.rolled_back.is_some()
            });
            let (found, of) = (found.count() as f64 / 40.0, format!("{requests}, {every} s"));
            assert!((found - planned).abs() <= 0.2, "{of}: {found}, planned {planned}");
        }
    }
}

#[test]
fn field_17_an_outage_of_both_versions_is_no_burst_of_the_canary() {
    let policy = canary(&proportion(BOUNDS));
    for seed in 0..5 {
        let mut random = Pcg64::seed_from_u64(seed);
        let seen = run(&policy, 1_200, |second, share| {
            let failing = if (500..1_100).contains(&second) { 1.0 } else { 0.005 };
            let [canary, live] =
                [share, 1.0 - share].map(|part| failures(&mut random, 500.0 * part, failing));
            json!({"m": if share > 0.0 { json!({"canary": canary, "baseline": live}) } else { json!({"baseline": live}) }})
        });
        assert!(!seen.has(Reason::Burst), "{seen:?}");
    }
}

#[test]
fn met_2_a_ratio_of_a_level_below_zero_is_no_bound() {
    let gauge = "[metrics.offset]\nkind = \"gauge\"\nworse = \"higher\"\nrollback = { ratio = 2.0, of = \"live\" }\n";
    let policy = canary(&format!("{}{gauge}", proportion(BOUNDS)));
    for (level, rolled_back) in
        [([-20.0, -20.0], false), ([20.0, 20.0], false), ([50.0, 20.0], true)]
    {
        let seen = run(&policy, 2_000, |_, share| {
            let mut read = json!({"m": {}, "offset": {}});
            for (arm, part, level) in
                [("canary", share, level[0]), ("baseline", 1.0 - share, level[1])]
            {
                if part > 0.0 {
                    read["m"][arm] = json!([(2.0 * part).round(), (500.0 * part).round()]);
                    read["offset"][arm] = json!(level);
                }
            }
            read
        });
        assert_eq!(seen.rolled_back.is_some(), rolled_back, "{level:?}: {seen:?}");
        assert!(rolled_back || seen.state == Some(State::Complete), "{level:?}: {seen:?}");
    }
}
