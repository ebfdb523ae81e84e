//! Simulated rollouts: what holds of every campaign (POST-5).

use std::collections::BTreeMap;
use std::sync::Arc;

use hotfix_core::policy::Policy;
use hotfix_core::rollout::State;
use hotfix_core::rollout::audit;
use hotfix_core::simulate::{
    Campaign, Comparison, Scenario, SimulatedOutcome, SimulationError, Tally,
};
use serde_json::Value;

fn policy() -> Arc<Policy> {
    Arc::new(Policy::from_toml(include_str!("../policies/simulated.toml")).expect("a policy"))
}

fn campaign(policy: &Arc<Policy>, scenario: &str, seed: u64) -> Campaign {
    let scenario = Scenario::read(scenario).expect("a scenario");
    let plan = scenario.plan(Arc::clone(policy)).expect("a plan");
    Campaign::try_new(plan, &scenario, seed).unwrap_or_else(|errors| panic!("{errors}"))
}

fn outcome(scenario: &str, runs: u64) -> SimulatedOutcome {
    campaign(&policy(), scenario, 1).tally(0..runs).outcome()
}

#[test]
fn post_5_the_same_seed_has_the_same_table_and_another_has_another() {
    let noisy = r#"
        traffic = { noise = { deviation = 0.3, memory = 0.7 }, bursts = { every = "20min", lasts = "5min", times = 3.0 } }
        metrics.error_rate = { instances = { count = 8, deviation = 0.3, sent = false } }
        faults = [{ kind = "errors", times = 3.0, chance = 0.5 }]
        people = { late = 0.3, absent = 0.2 }
    "#;
    let policy = policy();
    let table = |seed| campaign(&policy, noisy, seed).tally(0..60);
    assert_eq!(table(3), table(3));
    assert_ne!(table(3).outcome(), table(4).outcome());
}

#[test]
fn post_5_a_campaign_split_anywhere_merges_to_the_same() {
    let policy = policy();
    let scenario = "faults = [{ kind = \"errors\", times = 3.0, after = \"5min\" }]";
    let campaign = campaign(&policy, scenario, 9);
    let whole = campaign.tally(0..40);
    for cut in [1, 7, 20, 39] {
        // The later part is played first, as another thread might.
        let (later, mut first) = (campaign.tally(cut..40), campaign.tally(0..cut));
        first.merge(later).expect("parts of one campaign");
        assert_eq!(first, whole, "cut at {cut}");
    }
    let threads: Vec<Tally> = std::thread::scope(|scope| {
        let campaign = &campaign;
        let part = |part: u64| scope.spawn(move || campaign.tally(part * 10..part * 10 + 10));
        let handles: Vec<_> = [3, 1, 0, 2].map(part).into_iter().collect();
        handles.into_iter().map(|handle| handle.join().expect("played")).collect()
    });
    let merged = threads.into_iter().reduce(|mut all, part| {
        all.merge(part).expect("parts of one campaign");
        all
    });
    assert_eq!(merged, Some(whole.clone()));
    // Parts of another campaign are not.
    let mut other = campaign.tally(0..1);
    let another = self::campaign(&policy, scenario, 10).tally(1..2);
    let error = other.merge(another).expect_err("another seed");
    assert_eq!(error.first().map(SimulationError::code), Some("HF-SIM-011"));
}

#[test]
fn post_5_a_healthy_fix_seldom_goes_back() {
    // 1% is what the policy allows its tests; the bounds are too far away to matter.
    let healthy = outcome("", 3000);
    assert_eq!((healthy.faulty, healthy.never_started), (0, 0));
    assert!(healthy.false_rollbacks.low <= 0.01, "{:?}", healthy.false_rollbacks);
    assert!(healthy.completed.share > Some(0.98), "{:?}", healthy.completed);
}

#[test]
fn post_5_a_big_fault_is_always_found_and_soon() {
    let bad = outcome("faults = [{ kind = \"errors\", times = 30.0 }]", 500);
    assert_eq!((bad.faulty, bad.missed_faults.count), (500, 0));
    let took = bad.seconds_to_find.expect("it was found");
    assert!(took.median <= 300.0 && took.most_of <= 600.0, "{took:?}");
    // One that only comes later is found as well, and nothing goes back before it.
    let late = outcome("faults = [{ kind = \"errors\", times = 30.0, from_share = \"50%\" }]", 300);
    assert_eq!((late.missed_faults.count, late.found_faults.count), (0, late.faulty));
}

/// A frozen rollout keeps its traffic: its fault was not rolled back.
#[test]
fn post_5_a_frozen_rollout_is_not_rolled_back() {
    let text = include_str!("../policies/simulated.toml");
    let text = text.replace("[rollback]\n", "[rollback]\non_failure = \"freeze\"\n");
    let policy = Arc::new(Policy::from_toml(&text).expect("a policy"));
    let scenario = "faults = [{ kind = \"errors\", times = 30.0 }]";
    let outcome = campaign(&policy, scenario, 1).tally(0..20).outcome();
    assert_eq!(outcome.ended.get(&State::Frozen), Some(&20));
    assert_eq!((outcome.rolled_back.count, outcome.found_faults.count), (0, 0));
    assert_eq!((outcome.missed_faults.count, outcome.seconds_to_find), (20, None));
}

#[test]
fn post_5_lost_metrics_never_promote() {
    let blind =
        outcome("people = { decide = \"never\" }\nfaults = [{ kind = \"lost\", users = 1.0 }]", 50);
    assert_eq!(blind.completed.count, 0);
    assert_eq!(blind.ended.get(&State::Monitoring), Some(&50), "{:?}", blind.ended);
    // Lost from the second phase on: the first is passed, no other.
    let later = campaign(
        &policy(),
        "people = { decide = \"never\" }\nfaults = [{ kind = \"lost\", from_share = \"50%\" }]",
        1,
    );
    later.each(0..50, |number, run, _| {
        assert!(run.passed.len() <= 1, "run {number} passed {:?}", run.passed);
        assert_eq!(run.completed_at, None, "run {number}");
    });
}

#[test]
fn post_5_the_clock_and_late_readings_hurt_nobody() {
    let clock = outcome(
        "faults = [{ kind = \"clock\", by = \"1h\", back = true, after = \"5min\", lasts = \"4min\" }]",
        50,
    );
    // Each of these looks is refused, and the rollout goes on with the next.
    assert!(clock.refused_each.mean >= Some(3.0), "{:?}", clock.refused_each);
    assert!(clock.completed.count >= 49, "{:?}", clock.completed);
    // A tool whose clock is wrong from the first traffic on sends everything with that time, and a
    // clock that was ahead for some minutes is refused until it has caught up: nothing gets lost.
    let healthy = outcome("", 50);
    for wrong in ["by = \"5min\"", "by = \"5min\", after = \"5min\", lasts = \"4min\""] {
        let clock = outcome(&format!("faults = [{{ kind = \"clock\", {wrong} }}]"), 50);
        assert!(clock.completed.count >= 49, "{wrong}: {:?}", clock.ended);
        assert!(clock.pages_each.mean <= healthy.pages_each.mean.map(|mean| mean + 0.1), "{wrong}");
    }
    let late = outcome("faults = [{ kind = \"late\", by = \"2min\" }]", 50);
    assert!(late.completed.count >= 49, "{:?}", late.completed);
}

#[test]
fn post_5_shocks_in_both_arms_are_no_fault_of_the_fix() {
    let shock = outcome("faults = [{ kind = \"errors\", times = 3.0, arm = \"both\" }]", 400);
    assert_eq!(shock.faulty, 0);
    // The tests compare the arms, so a shock that both have takes back no more than a quiet day.
    assert!(shock.false_rollbacks.low <= 0.01, "{:?}", shock.false_rollbacks);
}

#[test]
fn post_5_absent_people_miss_duties_and_questions_stay_open() {
    let text = r#"
        after_end = true
        until = "12h"
        metrics = { error_rate = { rate = 0.0001 }, payment_success = { rate = 0.9999 }, latency_p95 = { time = "180ms" } }
        [people]
        duties = "never"
        acknowledge = "never"
    "#;
    let policy = Arc::new(Policy::preset("phased-canary").expect("a preset"));
    let absent = campaign(&policy, text, 1).tally(0..3).outcome();
    assert_eq!(absent.duties_missed.count, 3, "{absent:?}");
    let there = text.replace("duties = \"never\"", "duties = \"1min\"");
    let there = campaign(&policy, &there, 1).tally(0..3).outcome();
    assert!(
        there.duties_missed_each.mean < absent.duties_missed_each.mean,
        "{:?} is not less than {:?}",
        there.duties_missed_each,
        absent.duties_missed_each
    );
    // Nobody approves: it never starts, and the table says so.
    let never = campaign(&policy, "people = { approve = \"never\" }", 1).tally(0..3).outcome();
    assert_eq!((never.never_started, never.completed.count), (3, 0));
}

/// `policies/simulated.toml` with duties.
fn with_duties(duties: &str) -> Arc<Policy> {
    let policy = include_str!("../policies/simulated.toml");
    let (head, tables) = policy.split_once("\n[evidence]").expect("tables");
    let text = format!("{head}\nduties = [{duties}]\n[evidence]{tables}");
    Arc::new(Policy::from_toml(&text).unwrap_or_else(|errors| panic!("{errors}")))
}

/// How many duties each of some runs missed.
fn missed(policy: &Arc<Policy>, scenario: &str) -> Vec<u32> {
    let mut missed = Vec::new();
    campaign(policy, scenario, 1).each(0..5, |_, run, _| missed.push(run.duties_missed));
    missed
}

#[test]
fn post_5_a_duty_that_is_done_late_was_missed() {
    let look = |kind: &str| {
        let duty = format!(
            r#"{{ id = "look", kind = "{kind}", from = "deploy_started", within = "10min", title = "x" }}"#
        );
        with_duties(&duty)
    };
    for kind in ["act", "watch"] {
        let policy = look(kind);
        assert_eq!(missed(&policy, r#"people = { duties = "30min" }"#), [1; 5], "{kind}");
        assert_eq!(missed(&policy, r#"people = { duties = "5min" }"#), [0; 5], "{kind}");
        assert_eq!(missed(&policy, r#"people = { duties = "10min" }"#), [0; 5], "{kind}");
        assert_eq!(missed(&policy, r#"people = { duties = "never" }"#), [1; 5], "{kind}");
    }
    // What a moment settles has no word of anybody, and a call is made at its time: answered, it was not missed.
    let fix = |within: &str| {
        let duty = format!(
            r#"{{ id = "fix", kind = "fix", from = "detected", within = "{within}", title = "x" }}"#
        );
        missed(
            &with_duties(&duty),
            r#"incident = { id = "drill", detected_at = "2026-03-03T13:00:00Z" }"#,
        )
    };
    assert_eq!((fix("90min"), fix("10h")), (vec![1; 5], vec![0; 5]));
    let page =
        r#"{ id = "page", kind = "page", from = "deploy_started", within = "10min", title = "x" }"#;
    let page = with_duties(page);
    assert_eq!(missed(&page, r#"people = { acknowledge = "5min" }"#), [0; 5]);
    assert_eq!(missed(&page, r#"people = { acknowledge = "never" }"#), [1; 5]);
}

#[test]
fn post_5_a_repeated_duty_is_done_each_time() {
    let look = r#"{ id = "look", kind = "watch", from = "deploy_started", within = "15min", every = "15min", title = "x" }"#;
    let policy = with_duties(look);
    assert_eq!(missed(&policy, r#"people = { duties = "5min" }"#), [0; 5]);
    // Done at 20 for what was due at 15, at 40 for 30, at 60 for 45.
    let late = missed(&policy, r#"people = { duties = "20min" }"#);
    assert!(late.iter().all(|missed| *missed >= 2), "{late:?}");
    let never = missed(&policy, r#"people = { duties = "never" }"#);
    assert!(never.iter().zip(&late).all(|(never, late)| never >= late), "{never:?} {late:?}");
}

#[test]
fn post_5_a_fault_in_part_of_the_runs_and_people_who_err() {
    let some = outcome("faults = [{ kind = \"errors\", times = 30.0, chance = 0.3 }]", 600);
    let share = some.faulty as f64 / 600.0;
    assert!((share - 0.3).abs() < 0.1, "{share}");
    assert_eq!((some.missed_faults.count, some.found_faults.count), (0, some.faulty));
    // All who are asked say the wrong thing.
    let wrong = outcome(
        "people = { wrong = 1.0 }\nfaults = [{ kind = \"lost\" }, { kind = \"errors\", times = 30.0 }]",
        20,
    );
    assert_eq!(wrong.missed_faults.count, 20, "{wrong:?}");
    let right = outcome("faults = [{ kind = \"lost\" }, { kind = \"errors\", times = 30.0 }]", 20);
    assert_eq!(right.found_faults.count, 20, "{right:?}");
}

#[test]
fn post_5_a_drill_has_a_log_that_replays_and_is_the_run_of_the_campaign() {
    let text = "faults = [{ kind = \"errors\", times = 30.0 }]\n[expect]\nended = [\"rolled_back\"]\nreasons = [\"evidence\"]\nrolled_back_within = \"20min\"\npassed = []";
    let policy = policy();
    let scenario = Scenario::read(text).expect("a scenario");
    let campaign = campaign(&policy, text, 5);
    let mut runs = Vec::new();
    campaign.each(0..4, |_, run, truth| runs.push((run.clone(), truth)));
    for (number, (run, truth)) in (0..).zip(&runs) {
        let (player, seen) = campaign.drill(number).expect("played before");
        assert_eq!((player.run(), seen), (run, *truth), "run {number}");
        assert_eq!(scenario.unmet(player.run()), Vec::<String>::new(), "run {number}");
        let log = player.rollout().log();
        assert!(audit(log.as_bytes(), player.rollout().head()).is_clean(), "run {number}");
    }
    let healthy = Scenario::read(&text.replace("30.0", "1.0")).expect("a scenario");
    let plan = healthy.plan(Arc::clone(&policy)).expect("a plan");
    let (player, truth) =
        Campaign::try_new(plan, &healthy, 5).expect("it starts").drill(0).expect("played");
    assert_eq!(truth.bad_since, None);
    assert_eq!(healthy.unmet(player.run()).len(), 4, "{:?}", healthy.unmet(player.run()));
}

/// What users met is no matter of how often it is read: so many requests fail a minute.
#[test]
fn post_5_affected_requests_do_not_follow_the_cadence() {
    let text = include_str!("../policies/simulated.toml");
    let [often, seldom] = [10.0, 60.0].map(|seconds| {
        let text = text.replace("cadence = \"1min\"", &format!("cadence = \"{seconds}s\""));
        let policy = Arc::new(Policy::from_toml(&text).expect("a policy"));
        let outcome = campaign(&policy, "until = \"4h\"", 7).tally(0..60).outcome();
        let [canary, live, ticks] =
            [outcome.affected_by_canary, outcome.affected_by_live, outcome.ticks_each]
                .map(|each| each.mean.expect("runs"));
        (canary + live) / (ticks * seconds / 60.0)
    });
    assert!((often / seldom - 1.0).abs() < 0.03, "{often} and {seldom} a minute");
}

#[test]
fn post_5_a_fix_that_is_worse_by_what_it_makes_of_a_metric_is_faulty() {
    for metric in ["error_rate", "payment_success"] {
        let worse = outcome(&format!("metrics.{metric} = {{ fixed = 20.0 }}"), 30);
        assert_eq!((worse.faulty, worse.false_rollbacks.count), (30, 0), "{metric}");
        assert_eq!(worse.found_faults.count, 30, "{metric}");
        let better = outcome(&format!("metrics.{metric} = {{ fixed = 0.5 }}"), 3);
        assert_eq!(better.faulty, 0, "{metric}");
    }
}

/// One instance is a tenth of the canary, or its part of those that the scenario gives.
#[test]
fn post_5_a_fault_of_an_instance_is_of_the_arms_instances() {
    let with = |fault: &str, more: &str| {
        let fault = format!("kind = \"errors\", metric = \"error_rate\", times = 40.0, {fault}");
        outcome(&format!("{more}\nfaults = [{{ {fault} }}]"), 40)
    };
    assert_eq!(with("instances = 1", ""), with("users = 0.1", ""));
    let of_metric = "metrics.error_rate = { instances = { count = 20 } }";
    let of_traffic = "traffic = { instances = 20 }";
    assert_eq!(with("instances = 1", of_traffic), with("instances = 1", of_metric));
    assert_ne!(with("instances = 1", of_traffic), with("instances = 1", ""));
}

#[test]
fn post_5_a_comparison_is_of_the_same_luck() {
    let policy = policy();
    let scenario = "metrics.error_rate = { noise = { deviation = 0.4, memory = 0.5 } }\nfaults = [{ kind = \"errors\", times = 2.5 }]";
    let one = campaign(&policy, scenario, 3);
    let same = Comparison::try_new(one.clone(), one.clone()).expect("one scenario");
    let same = same.pairs(0..100).differences();
    assert_eq!((same.affected_each.mean, same.rolled_back.only_first), (Some(0.0), 0));
    assert_eq!(same.first, same.second);
    // Ten times the error budget finds it sooner, and is wrong more often.
    let text = include_str!("../policies/simulated.toml");
    let bold = text.replace("alpha = \"1%\"", "alpha = \"10%\"");
    let bold = Arc::new(Policy::from_toml(&bold).expect("a policy"));
    let other = campaign(&bold, scenario, 3);
    let comparison = Comparison::try_new(one.clone(), other).expect("one scenario");
    let whole = comparison.pairs(0..150);
    let mut parts = comparison.pairs(0..70);
    parts.merge(comparison.pairs(70..150)).expect("parts of one comparison");
    assert_eq!(parts, whole);
    let table = whole.differences();
    let sooner = table.seconds_to_find.expect("both found it");
    assert!(sooner.high < 0.0, "{sooner:?}");
    assert!(table.affected_by_canary_each.mean < Some(0.0), "{:?}", table.affected_by_canary_each);
    // Another seed is other luck.
    let error = Comparison::try_new(one, campaign(&policy, scenario, 4)).expect_err("another seed");
    assert_eq!(error.first().map(SimulationError::code), Some("HF-SIM-011"));
}

#[test]
fn post_5_the_last_pairs_that_there_are_are_played() {
    let one = campaign(&policy(), "", 3);
    let pairs = Comparison::try_new(one.clone(), one).expect("one scenario");
    assert_eq!(pairs.pairs(u64::MAX - 70..u64::MAX).runs(), 70);
}

#[test]
fn post_5_every_fault_of_a_scenario_is_told_at_once_with_its_place() {
    let text = r#"
        sed = 1
        until = "soon"
        metrics = { error_rate = { rate = 2, instances = { deviation = 4 } } }
        feed = { missed = 2 }
        traffic = { noise = { memory = 2 }, day = { peak = -1 }, bursts = { times = 0 } }
        [[faults]]
        times = -1
        [[faults]]
        kind = "clock"
        times = 2.0
        [people]
        judgement = "rigt"
        says = [{ input = { kind = "pause" } }]
    "#;
    let errors = Scenario::read(text).expect_err("wrong in many places");
    let mut told: Vec<_> = errors.iter().map(|error| (error.path(), error.code())).collect();
    told.sort_unstable();
    let expected = [
        ("/faults/0", "HF-SIM-003"),
        ("/faults/0/times", "HF-SIM-006"),
        ("/faults/1/times", "HF-SIM-008"),
        // A missing key does not hide the faults of the keys after it.
        ("/feed", "HF-SIM-003"),
        ("/feed/missed", "HF-SIM-004"),
        ("/metrics/error_rate/instances", "HF-SIM-003"),
        ("/metrics/error_rate/instances/deviation", "HF-SIM-006"),
        ("/metrics/error_rate/rate", "HF-SIM-004"),
        ("/people/judgement", "HF-SIM-005"),
        ("/people/says/0", "HF-SIM-003"),
        ("/people/says/0/input", "HF-SIM-009"),
        ("/sed", "HF-SIM-002"),
        ("/traffic/bursts", "HF-SIM-003"),
        ("/traffic/bursts", "HF-SIM-003"),
        ("/traffic/bursts/times", "HF-SIM-006"),
        ("/traffic/day", "HF-SIM-003"),
        ("/traffic/day/peak", "HF-SIM-004"),
        ("/traffic/noise", "HF-SIM-003"),
        ("/traffic/noise/memory", "HF-SIM-004"),
        ("/until", "HF-SIM-004"),
    ];
    assert_eq!(told, expected);
    assert_eq!(
        Scenario::read("{").expect_err("no JSON").first().map(SimulationError::code),
        Some("HF-SIM-001")
    );
    let late = Scenario::read("feed = { every = \"60s\", canary = \"60s\", live = \"90s\" }");
    let late = late.expect_err("nothing is scraped then");
    let told: Vec<_> = late.iter().map(|error| (error.path(), error.code())).collect();
    assert_eq!(told, [("/feed/canary", "HF-SIM-008"), ("/feed/live", "HF-SIM-008")]);
    // What does not fit the policy.
    let scenario = Scenario::read(
        "metrics = { eror_rate = {}, request_volume = { rate = 0.1 } }\nfaults = [{ kind = \"tail\", metric = \"error_rate\" }]\nexpect = { passed = [\"canary\", \"canari\"] }",
    )
    .expect("readable");
    let plan = scenario.plan(policy()).expect("a plan");
    let errors = Campaign::try_new(plan, &scenario, 1).expect_err("it does not fit");
    let told: Vec<_> = errors.iter().map(|error| (error.path(), error.code())).collect();
    let expected = [
        ("/metrics/eror_rate", "HF-SIM-007"),
        ("/metrics/request_volume/rate", "HF-SIM-008"),
        ("/faults/0/metric", "HF-SIM-008"),
        ("/expect/passed/1", "HF-SIM-009"),
    ];
    assert_eq!(told, expected);
    // A policy that asks for what nobody gives.
    let unknown = Scenario::read("incident = { id = \"x\" }").expect("readable");
    let plan = unknown.plan(Arc::new(Policy::preset("phased-canary").expect("a preset")));
    let errors = Campaign::try_new(plan.expect("a plan"), &unknown, 1).expect_err("no severity");
    assert_eq!(errors.first().map(SimulationError::code), Some("HF-SIM-010"));
    // Incident and release: all faults, each with its place.
    let misspelt = "incident = { id = 'x', sevrity = 'P1' }\n\
                    release = { version = '2', previous = '1', tags = 1 }";
    let misspelt = Scenario::read(misspelt).expect("readable");
    let plan = misspelt.plan(Arc::new(Policy::preset("phased-canary").expect("a preset")));
    let errors = plan.expect_err("neither can be read");
    let told: Vec<_> = errors.iter().map(|error| (error.path(), error.code())).collect();
    let expected = [("/incident/sevrity", "HF-SIM-009"), ("/release/tags", "HF-SIM-009")];
    assert_eq!(told, expected);
}

#[test]
fn post_5_every_preset_is_rehearsed_with_all_kinds_of_metrics() {
    for name in Policy::presets() {
        let policy = Arc::new(Policy::preset(name).expect("a preset"));
        if policy.metrics().is_empty() {
            continue;
        }
        let healthy = campaign(&policy, "until = \"6h\"", 2).tally(0..5).outcome();
        assert_eq!(healthy.never_started, 0, "{name}");
        assert!(healthy.ticks_each.mean > Some(5.0), "{name}: {:?}", healthy.ticks_each);
        // News that somebody is about to send while another one says that it is over comes too late; so does `done` of a
        // duty that the start or a complete list has settled meanwhile.
        assert!(healthy.refused_each.mean <= Some(3.0), "{name}: {:?}", healthy.refused_each);
        let bad = "faults = [{ kind = \"errors\", times = 60.0 }, { kind = \"crash\", after = \"2min\", users = 0.5 }, { kind = \"latency\", times = 5.0 }]\nuntil = \"6h\"";
        let bad = campaign(&policy, bad, 2).tally(0..5).outcome();
        assert_eq!(bad.completed.count, 0, "{name}: {bad:?}");
    }
}

/// The levels of the canary's queue in run 3, by time, where the policy has one and this share in its first phase.
fn queue(share: &str, worse: &str, scenario: &str) -> BTreeMap<String, f64> {
    let text = include_str!("../policies/simulated.toml").replace("share = \"10%\"", share);
    let gauge = format!(
        "[metrics.queue]\ntitle = \"queue\"\nkind = \"gauge\"\nworse = \"{worse}\"\nrole = \"watch\"\n"
    );
    let policy = Arc::new(Policy::from_toml(&format!("{text}\n{gauge}")).expect("a policy"));
    let (player, _) = campaign(&policy, scenario, 17).drill(3).expect("played");
    let lines = player.rollout().log().lines();
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let level = |line: Value| {
        let level = line.pointer("/metrics/queue/canary")?.as_f64()?;
        Some((line["at"].as_str()?.to_owned(), level))
    };
    lines.filter_map(level).collect()
}

#[test]
fn post_5_the_noise_of_a_metric_does_not_follow_the_share() {
    for apart in ["", ", apart = true"] {
        let scenario = format!(
            "until = \"1h\"\nmetrics.error_rate = {{ noise = {{ deviation = 0.2{apart} }} }}\nmetrics.queue = {{ level = 100, deviation = 0, noise = {{ deviation = 0.4, memory = 0.5{apart} }} }}"
        );
        let small = queue("share = \"10%\"", "higher", &scenario);
        let large = queue("share = \"30%\"", "higher", &scenario);
        let same = small.iter().filter(|(at, level)| large.get(*at) == Some(*level)).count();
        let shared = small.keys().filter(|at| large.contains_key(*at)).count();
        assert!(shared > 20 && same == shared, "{same} of {shared}: {small:?}, {large:?}");
        assert_ne!(small.values().next(), small.values().last(), "there is noise");
    }
}

#[test]
fn post_5_a_leak_makes_a_gauge_worse_whichever_side_that_is() {
    let scenario = "until = \"1h\"\nmetrics.queue = { level = 100, deviation = 0 }\nfaults = [{ kind = \"leak\", metric = \"queue\", times = 4.0, over = \"10min\" }]";
    let ends = |worse| {
        let levels: Vec<f64> = queue("share = \"10%\"", worse, scenario).into_values().collect();
        assert!(levels.len() > 20, "{levels:?}");
        (levels[0], levels[levels.len() - 1])
    };
    let (first, last) = ends("higher");
    assert!(first > 100.0 && last > 300.0, "{first} {last}");
    let (first, last) = ends("lower");
    assert!(first < 100.0 && last < 34.0, "{first} {last}");
}

/// The canary has its requests while it has its share, also within a tick.
#[test]
fn post_5_a_share_counts_from_its_moment_to_its_end() {
    let policy = Arc::new(Policy::preset("phased-canary").expect("a preset"));
    // A minute of a tenth of 6,000 requests, half of which fail, until the first reading; then the rollback.
    for seconds in [0, 1, 30, 59, 60, 61, 119] {
        let scenario = format!(
            "until = \"2h\"\ntraffic = {{ requests = 6000.0 }}\nplatform = {{ roll_back = \"{seconds}s\", traffic = \"0s\" }}\n\
             faults = [{{ kind = \"errors\", to = 0.5, metric = \"error_rate\" }}]"
        );
        let affected = campaign(&policy, &scenario, 1).tally(0..60).outcome().affected_by_canary;
        let expected = 300.0 + 5.0 * f64::from(seconds);
        let mean = affected.mean.expect("runs");
        let off = (mean / expected - 1.0).abs();
        assert!(off < 0.03, "{seconds} s: {mean} and not {expected}");
    }
    // The traffic is confirmed so many seconds into a minute.
    for (traffic, rest) in [(0, 60.0), (5, 55.0), (50, 10.0)] {
        let scenario = format!(
            "until = \"1h\"\ntraffic = {{ requests = 60000.0 }}\nplatform = {{ traffic = \"{traffic}s\", deploy = \"2min\" }}"
        );
        let (player, _) = campaign(&policy, &scenario, 3).drill(0).expect("played");
        let lines = player.rollout().log().lines();
        let lines = lines.map(|line| serde_json::from_str::<Value>(line).expect("a line"));
        let trials = |line: Value| line["metrics"]["error_rate"]["canary"][1].as_f64();
        let trials: Vec<f64> = lines.filter_map(trials).collect();
        let expected = 6_000.0 / 60.0 * rest;
        assert!((trials[0] / expected - 1.0).abs() < 0.1, "{traffic}: {} of {expected}", trials[0]);
        assert!((trials[1] / 6_000.0 - 1.0).abs() < 0.1, "{traffic}: {trials:?}");
    }
}
