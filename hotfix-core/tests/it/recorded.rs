//! Recorded metrics are read or refused with their place, and policies are run over them (FIELD-12).

use std::fmt::Write as _;
use std::sync::Arc;

use hotfix_core::metric::Observation;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Act, Action, Command, Input, Recording, Rollout, State};
use hotfix_core::simulate::backtest::{Backtest, Backtests, What, backtest};
use hotfix_core::simulate::recorded::{
    Assumptions, Format, Mapping, RecordedErrors, RecordedMetrics,
};
use hotfix_core::simulate::{Answers, Driver, Environment, Tick, Until};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

use crate::shared::recorded_cases::Case;
use crate::tree;

fn code(errors: &RecordedErrors) -> &'static str {
    errors.first().unwrap().code()
}

fn read(case: &Case) -> Result<(RecordedMetrics, Assumptions), RecordedErrors> {
    RecordedMetrics::from_texts(&case.format, &case.text, &case.mapping)
}

fn policy_of(case: &Case) -> Policy {
    match case.policy() {
        Ok(name) => Policy::preset(name).unwrap(),
        Err(text) => Policy::from_toml(text).unwrap_or_else(|error| panic!("{}: {error}", case.id)),
    }
}

pub(crate) fn run(case: &Case) -> Result<Backtests, RecordedErrors> {
    let (recorded, assume) = read(case)?;
    backtest(&[Arc::new(policy_of(case))], &recorded, &assume)
}

fn lines(recorded: &RecordedMetrics) -> String {
    let mut lines = String::new();
    for reading in recorded.readings() {
        let metrics = serde_json::to_string(&reading.metrics).unwrap();
        let _ = writeln!(lines, "{} {metrics}", reading.at);
    }
    lines
}

#[test]
fn field_12_recordings_are_read_or_refused_with_their_place() {
    let mut wrong = Vec::new();
    let cases = Case::load(&tree::root().join("hotfix-core/tests/cases/recorded"));
    assert!(cases.len() >= 40, "{}", cases.len());
    for case in &cases {
        if let (Some(expected), Ok((recorded, _))) = (&case.readings, read(case))
            && lines(&recorded) != *expected
        {
            wrong.push(format!("{}: read\n{}", case.id, lines(&recorded)));
        }
        let answer = run(case)
            .map(|found| serde_json::to_value(found).unwrap())
            .map_err(|error| (code(&error).to_owned(), error.place()));
        wrong.extend(case.faults(answer));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn field_17_a_history_is_read_from_a_recording() {
    let mut wrong = Vec::new();
    for case in Case::load_histories(&tree::root().join("hotfix-core/tests/cases/recorded")) {
        let answer = read(&case)
            .and_then(|(recorded, _)| recorded.history(&policy_of(&case)))
            .map(|found| json!({"findings": found.findings, "history": found.into_histories()}))
            .map_err(|error| (code(&error).to_owned(), error.place()));
        wrong.extend(case.faults(answer));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Both arms of a made-up service: the canary's errors are so many times the live arm's from some minute on.
struct Service {
    from: Timestamp,
    worse: f64,
    bad_from: u64,
    /// Seconds that later moves of traffic take, seldom as long as the policy expects.
    takes: u32,
    /// It is read in the moment of the first traffic, too, and in that of each move only after it.
    at_once: bool,
    seed: u64,
}

impl Service {
    fn count(&mut self, requests: u16, rate: f64) -> f64 {
        // Errors one by one, so that a seed has its own stream.
        let errors = (0..requests).filter(|_| {
            self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((self.seed >> 33) as f64) < rate * f64::from(1u32 << 31)
        });
        errors.count() as f64
    }
}

impl Environment for Service {
    fn show(&mut self, tick: Tick, into: &mut Observation) {
        into.clear();
        let minute = tick.to.since(self.from).as_millis() / 60_000;
        // A silence now and then; and what was read before the first traffic is no matter of a backtest.
        let early = tick.to < self.from || (tick.to == self.from && !self.at_once);
        if early || minute % 13 == 7 {
            return;
        }
        let canary = [900, 500, 100]
            .into_iter()
            .find(|requests| (tick.share.as_fraction() - f64::from(*requests) / 1e3).abs() < 1e-9);
        let canary: u16 = canary.unwrap();
        let live = 1_000 - canary;
        let worse = if minute >= self.bad_from { self.worse } else { 1.0 };
        let (bad, usual) = (self.count(canary, 0.003 * worse), self.count(live, 0.003));
        let text = format!(
            r#"{{"error_rate": {{"canary": [{bad}, {canary}], "baseline": [{usual}, {live}]}},
                "payment_success": {{"canary": [{}, {canary}], "baseline": [{}, {live}]}},
                "request_volume": {{"canary": {canary}, "baseline": {live}}}}}"#,
            f64::from(canary) - bad,
            f64::from(live) - usual
        );
        *into = serde_json::from_str(&text).unwrap();
    }

    fn reads_first(&self, _: Timestamp) -> bool {
        !self.at_once
    }

    fn answer(&mut self, rollout: &Rollout, at: Timestamp, action: &Action, answers: &mut Answers) {
        let deploys = matches!(action.act, Act::Deploy { .. });
        let first = rollout.stage().step().is_none_or(|step| step.index == 0);
        if deploys || matches!(action.act, Act::SetTraffic { .. }) {
            let takes = match (first, deploys) {
                (true, false) => Span::ZERO,
                (true, true) => Span::from_seconds(60),
                (false, _) => Span::from_seconds(self.takes),
            };
            let confirm =
                Input::new(Command::Confirm { action: action.id, why: None }).by("platform");
            answers.after(at, takes, confirm);
        }
    }

    fn enter(&mut self, rollout: &Rollout, at: Timestamp, answers: &mut Answers) {
        if rollout.state() == State::Ready {
            answers.at(at, Input::new(Command::Start).by("lena"));
        }
    }
}

/// Verdicts of a log that differ from the one before, up to the first that goes back: time, decision, causes in words.
fn verdicts(log: &str, from: Timestamp) -> Vec<(Timestamp, String, String)> {
    let mut found: Vec<(Timestamp, String, String)> = Vec::new();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let at: Timestamp = line["at"].as_str().unwrap().parse().unwrap();
        let Some(verdict) = line.get("verdict").filter(|_| at >= from) else { continue };
        let cause = |cause: &Value| {
            let reason = cause["reason"].as_str().unwrap();
            cause["metric"].as_str().map_or(reason.to_owned(), |id| format!("{id}: {reason}"))
        };
        let causes: Vec<String> = verdict["causes"].as_array().unwrap().iter().map(cause).collect();
        let (decision, causes) = (verdict["decision"].as_str().unwrap(), causes.join(", "));
        let known = found.last().is_some_and(|(_, last, why)| last == decision && *why == causes);
        let is_calm_start = found.is_empty() && decision == "continue";
        if !(known || is_calm_start) {
            found.push((at, decision.to_owned(), causes));
        }
        if decision == "roll_back" {
            break;
        }
    }
    found
}

#[test]
fn field_12_a_rollout_s_own_log_gives_the_decisions_of_that_rollout() {
    let text = tree::read(&tree::root().join("hotfix-core/tests/policies/simulated.toml"));
    let policy = Arc::new(Policy::from_toml(&text).unwrap());
    let mut ended = [0; 2];
    let worlds = [(1.0, 0), (8.0, 0), (4.0, 20), (40.0, 30)];
    for (at_once, (seed, (worse, bad_from))) in [false, true]
        .into_iter()
        .flat_map(|at_once| (1..9).map(move |seed| (at_once, seed)))
        .flat_map(|(at_once, seed)| worlds.map(|world| (at_once, (seed, world))))
    {
        let plan = Plan::from_json(
            Arc::clone(&policy),
            r#"{"id": "drill"}"#,
            r#"{"version": "2", "previous": "1"}"#,
            "",
        );
        let start: Timestamp = "2026-03-03T14:00:00Z".parse().unwrap();
        let from = start + Span::from_seconds(60);
        let rollout = Rollout::try_new(plan.unwrap(), Recording::Keep, "").unwrap();
        let mut player = Driver::new(rollout, start);
        let takes = 20 * (1 + u32::try_from(seed).unwrap() % 5);
        let mut service = Service { from, worse, bad_from, takes, at_once, seed };
        player.play(&mut service, Until::End(from + Span::from_seconds(7_200)));
        let log = player.rollout().log();

        let recorded = RecordedMetrics::read(Format::JsonLines, log, &Mapping::default()).unwrap();
        let found = backtest(&[Arc::clone(&policy)], &recorded, &Assumptions::default()).unwrap();
        assert_eq!(found.from, from);
        let one = &found.policies[0];
        // It begins there, although the new instances were read before.
        let metrics = json!({"error_rate": {"canary": [0, 0], "baseline": [1, 500]}});
        let early = json!({"kind": "observe", "at": start, "metrics": metrics});
        let early = format!("{early}\n{log}");
        let early = RecordedMetrics::read(Format::JsonLines, &early, &Mapping::default()).unwrap();
        let early = backtest(&[Arc::clone(&policy)], &early, &Assumptions::default()).unwrap();
        assert_eq!(early.from, from);
        let differs = |one: &Backtest| one.findings.iter().any(|of| of.code == "HF-REC-045");
        assert!(!differs(one), "{:?}", one.findings);
        let fifth = text.replacen("share = \"10%\"", "share = \"20%\"", 1);
        let other = Arc::new(Policy::from_toml(&fifth).unwrap());
        let other = backtest(&[other], &recorded, &Assumptions::default()).unwrap();
        assert!(differs(&other.policies[0]), "seed {seed}: {:?}", other.policies[0].findings);
        let told = one.would.iter().filter(|would| !would.reason.ends_with('?'));
        let told: Vec<(Timestamp, String, String)> = told
            .map(|would| {
                let decision = if would.what == What::Alert { "hold" } else { would.what.as_str() };
                (would.at, decision.to_owned(), would.reason.clone())
            })
            .collect();
        let mut live = verdicts(log, from);
        let over = recorded.readings().last().unwrap().at;
        live.retain(|(at, _, _)| *at <= over);
        // Of a rollback only what led to it is told.
        for (told, live) in told.iter().zip(&mut live).filter(|(told, _)| told.1 == "roll_back") {
            assert!(live.2.starts_with(&told.2), "{} is not the beginning of {}", told.2, live.2);
            live.2.clone_from(&told.2);
        }
        assert_eq!(told, live, "seed {seed}, {worse} times from minute {bad_from}, {at_once}");
        assert_eq!(one.first_rollback, player.run().rolled_back_at, "seed {seed}, {worse}");
        ended[usize::from(one.first_rollback.is_some())] += 1;
    }
    assert!(ended.iter().all(|count| *count >= 5), "both ends are met: {ended:?}");
}

/// A rollout whose live version is read before the start, and whose fix gets its first traffic in the second of a
/// reading, before or after it. Totals are scraped every 15 s, those of the live version 7 s after the canary's; the
/// canary becomes worse after five minutes. Its log, and the seconds after which it is rolled back.
fn scraped(policy: &Arc<Policy>, seed: u64, reads_first: bool) -> (String, Option<Timestamp>) {
    let release = r#"{"version": "2", "previous": "1"}"#;
    let traffic = r#"{"requests_per_minute": 1020}"#;
    let plan = Plan::from_json(Arc::clone(policy), r#"{"id": "INC-1"}"#, release, traffic).unwrap();
    let mut rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
    let first: Timestamp = "2026-03-03T14:00:00Z".parse().unwrap();
    let start = first + Span::from_seconds(400);
    let mut service =
        Service { from: start, worse: 1.0, bad_from: 0, takes: 0, at_once: false, seed };
    let (mut total, mut last) = ([[0.0; 2]; 2], [None; 2]);
    let deploy = |rollout: &mut Rollout| {
        rollout
            .handle(start, &Input::from_json(r#"{"kind":"start","by":"lena"}"#).unwrap())
            .unwrap();
        while let Some(action) = rollout.pending_actions().first().map(|action| action.id) {
            let confirm = Input::new(Command::Confirm { action, why: None }).by("tool");
            rollout.handle(start, &confirm).unwrap();
        }
    };
    for second in 1..1_000 {
        let live = second > 400;
        let arms =
            [(if live { 2 } else { 0 }, if second > 700 { 0.05 } else { 0.005 }), (15, 0.005)];
        for (arm, (requests, rate)) in arms.into_iter().enumerate() {
            total[arm][0] += service.count(requests, rate);
            total[arm][1] += f64::from(requests);
            if second % 15 == [5, 12][arm] && (live || arm == 1) {
                last[arm] = Some(total[arm]);
            }
        }
        if second == 400 && !reads_first {
            deploy(&mut rollout);
        }
        if second % 10 == 0 {
            let [canary, baseline] = last;
            let mut arms = json!({"baseline": baseline, "totals": true});
            if let Some(canary) = canary {
                arms["canary"] = json!(canary);
            }
            let at = first + Span::from_seconds(second);
            let metrics = json!({"kind": "observe", "metrics": {"error_rate": arms}});
            rollout.handle(at, &Input::from_value(metrics).unwrap()).unwrap();
            if rollout.state() == State::RollingBack {
                return (rollout.log().to_owned(), Some(at));
            }
        }
        if second == 400 && reads_first {
            deploy(&mut rollout);
        }
    }
    (rollout.log().to_owned(), None)
}

#[test]
fn field_12_a_log_gives_its_decisions_where_it_was_read_in_the_second_of_the_first_traffic() {
    let text = tree::read(&tree::root().join("hotfix-core/tests/policies/scraped.toml"));
    let policy = Arc::new(Policy::from_toml(&text).unwrap());
    for reads_first in [true, false] {
        let mut rolled_back = 0;
        for seed in 1..=40 {
            let (log, at) = scraped(&policy, seed * 7_919, reads_first);
            let recorded =
                RecordedMetrics::read(Format::JsonLines, &log, &Mapping::default()).unwrap();
            let found =
                backtest(&[Arc::clone(&policy)], &recorded, &Assumptions::default()).unwrap();
            assert_eq!(found.policies[0].first_rollback, at, "{seed}, {reads_first}");
            rolled_back += u32::from(at.is_some());
        }
        assert!((5..40).contains(&rolled_back), "both ends are met: {rolled_back}");
    }
}

/// Its first change of the traffic failed, and it was rolled back before it had any.
#[test]
fn field_12_the_log_of_another_attempt_begins_with_its_first_traffic() {
    let text = tree::read(&tree::root().join("hotfix-core/tests/policies/scraped.toml"));
    let policy = Arc::new(Policy::from_toml(&text).unwrap());
    let (release, start) = (r#"{"version": "2", "previous": "1"}"#, "2026-03-03T14:00:00Z");
    let plan = Plan::from_json(Arc::clone(&policy), r#"{"id": "INC-1"}"#, release, "").unwrap();
    let mut rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
    let at = |minute: u32| start.parse::<Timestamp>().unwrap() + Span::from_seconds(60 * minute);
    let kinds = "start confirm failed confirm observe observe observe observe observe retry start \
                 confirm confirm observe observe observe";
    for (minute, kind) in (0..).zip(kinds.split(' ')) {
        let action = rollout.pending_actions().first().map(|action| action.id);
        let action = action.filter(|_| matches!(kind, "confirm" | "failed"));
        let why = (kind == "retry").then_some("it was a typing error");
        let canary = (minute > 12).then_some([1, 100]);
        let readings = json!({"error_rate": {"canary": canary, "baseline": [9, 900]}});
        let metrics = (kind == "observe").then_some(readings);
        let input =
            json!({"kind": kind, "action": action, "why": why, "metrics": metrics, "by": "lena"});
        rollout.handle(at(minute), &Input::from_value(input).unwrap()).unwrap();
    }
    let log = rollout.log();
    let recorded = RecordedMetrics::read(Format::JsonLines, log, &Mapping::default()).unwrap();
    let found = backtest(&[policy], &recorded, &Assumptions::default()).unwrap();
    assert_eq!(found.from, at(12));
}

/// As in a rollout, what the live version read before the start is the baseline of a fix that gets all
/// of the traffic. The fix begins where the canary is read first.
#[test]
fn field_12_readings_of_the_live_version_from_before_the_start_count() {
    let line = |minute: u32, arm: &str, events: u32| {
        let at =
            "2026-03-03T14:00:00Z".parse::<Timestamp>().unwrap() + Span::from_seconds(60 * minute);
        format!("{}\n", json!({"at": at, "metrics": {"error_rate": {arm: [events, 1000]}}}))
    };
    let before: String = (1..=10).map(|minute| line(minute, "baseline", 20)).collect();
    let after: String = (16..=40).map(|minute| line(minute, "canary", 100)).collect();
    let run = |text: &str| {
        let recorded = RecordedMetrics::read(Format::JsonLines, text, &Mapping::default()).unwrap();
        let policy = Arc::new(Policy::preset("fast-track").unwrap());
        backtest(&[policy], &recorded, &Assumptions::default()).unwrap()
    };
    let (whole, alone) = (run(&(before + &after)), run(&after));
    assert_eq!((whole.from, whole.from), (alone.from, "2026-03-03T14:15:00Z".parse().unwrap()));
    assert!(whole.policies[0].first_rollback.is_some(), "{whole:?}");
    assert_eq!(alone.policies[0].first_rollback, None);
}

/// Everybody gets the fix at once, some seconds after a reading: what the live version had before is what the
/// fix is compared with, also where that reading is the only one.
#[test]
fn field_12_a_log_of_a_rollout_to_everybody_at_once_gives_its_rollback() {
    let text = tree::read(&tree::root().join("hotfix-core/tests/policies/scraped.toml"));
    let of_a_part = |line: &&str| !line.contains("share = \"10%\"");
    let text: Vec<&str> = text.lines().filter(of_a_part).collect();
    let text = text.join("\n").replace("\"canary\"", "\"immediate\"");
    let policy = Arc::new(Policy::from_toml(&text).unwrap());
    let release = r#"{"version": "2", "previous": "1"}"#;
    for (reads_from, moves) in [(60, 65), (60, 60), (20, 65), (20, 69)] {
        let incident = r#"{"id": "INC-1"}"#;
        let plan = Plan::from_json(Arc::clone(&policy), incident, release, "").unwrap();
        let mut rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
        let mut rolled_back = None;
        for second in 1..=600_u32 {
            let now =
                "2026-03-03T14:00:00Z".parse::<Timestamp>().unwrap() + Span::from_seconds(second);
            if second % 10 == 0 && second >= reads_from {
                let (arm, events) = if second > moves { ("canary", 50) } else { ("baseline", 5) };
                let metrics = json!({"error_rate": {arm: [events, 1000]}});
                let reading = json!({"kind": "observe", "metrics": metrics});
                rollout.handle(now, &Input::from_value(reading).unwrap()).unwrap();
                if rollout.state() == State::RollingBack {
                    rolled_back = Some(now);
                    break;
                }
            }
            if second == 10 {
                let start = r#"{"kind":"start","by":"lena"}"#;
                rollout.handle(now, &Input::from_json(start).unwrap()).unwrap();
            }
            while second == moves
                && let Some(action) = rollout.pending_actions().first().map(|action| action.id)
            {
                let confirm = Input::new(Command::Confirm { action, why: None }).by("tool");
                rollout.handle(now, &confirm).unwrap();
            }
        }
        let log = rollout.log();
        let recorded = RecordedMetrics::read(Format::JsonLines, log, &Mapping::default()).unwrap();
        let found = backtest(&[Arc::clone(&policy)], &recorded, &Assumptions::default()).unwrap();
        let (one, at) = (&found.policies[0], rolled_back.unwrap());
        let late = one.first_rollback.map(|also| also.since(at));
        assert!(late.is_some_and(|late| late < Span::from_seconds(10)), "{moves}: {one:?}");
        assert!(one.findings.iter().all(|of| of.code != "HF-REC-029"), "{:?}", one.findings);
    }
}

#[test]
fn field_12_running_totals_that_are_read_as_counts_are_a_finding_and_the_opposite() {
    let codes = |totals: bool, requests: fn(u32) -> u32| {
        let rows: Vec<String> =
            (1..200).map(|n| format!("{},0,{}\n", n * 10, requests(n))).collect();
        let text = format!("time,errors,requests\n{}", rows.concat());
        let of = r#"{"canary": {"events": "errors", "trials": "requests"}"#;
        let mapping = format!(
            r#"{{"time": {{"unit": "seconds"}}, "metrics": {{"error_rate": {of}, "totals": {totals}}}}}}}"#
        );
        let mapping = Mapping::from_json(&mapping).unwrap();
        let recorded = RecordedMetrics::read(Format::Csv, &text, &mapping).unwrap();
        let policy = Arc::new(Policy::preset("standard").unwrap());
        let found = backtest(&[policy], &recorded, &Assumptions::default()).unwrap();
        found.findings.into_iter().map(|of| of.code).collect::<Vec<_>>()
    };
    let rises = |n| 100 * n;
    let wanders = |n| 100 + n * 7 % 5;
    assert_eq!(codes(false, rises), ["HF-REC-042"]);
    assert_eq!(codes(true, wanders), ["HF-REC-048"]);
    assert_eq!((codes(true, rises), codes(false, wanders)), (Vec::new(), Vec::new()));
}

#[test]
fn field_12_what_cannot_be_read_names_its_remedy() {
    let mapping = r#"{"time": {"unit": "seconds"},
        "metrics": {"error_rate": {"canary": {"events": "errors", "trials": "requests"}}}}"#;
    let mapping = Mapping::from_json(mapping).unwrap();
    for (text, says) in [
        ("time;errors;requests\n60;3;1000\n", "separated by ';'"),
        ("time\terrors\trequests\n60\t3\t1000\n", "separated by '\\t'"),
        ("time,errors,requests\n60,3,\n70,,1000\n", "no time has all parts of a reading"),
    ] {
        let refused = RecordedMetrics::read(Format::Csv, text, &mapping).unwrap_err().to_string();
        assert!(refused.contains(says), "{refused}");
    }
}

#[test]
fn field_12_limits_and_what_cannot_be_run_are_said() {
    let none = backtest(&[], &some(), &Assumptions::default()).unwrap_err();
    assert_eq!(code(&none), "HF-REC-016");
    let many = "x".repeat(RecordedMetrics::MOST_BYTES + 1);
    let refused = RecordedMetrics::read(Format::JsonLines, &many, &Mapping::default());
    assert_eq!(code(&refused.unwrap_err()), "HF-REC-004");
    let source = r#"{"from": "v", "le": 1}"#;
    let buckets = vec![source; Mapping::MOST_SOURCES + 1].join(",");
    let text = format!(
        r#"{{"metrics": {{"a": {{"canary": {{"count": "n", "buckets": [{buckets}]}}}}}}}}"#
    );
    assert_eq!(code(&Mapping::from_json(&text).unwrap_err()), "HF-REC-004");
    let far = r#"{"at": "1026-03-03T14:00:00Z", "metrics": {"error_rate": {"canary": [0, 10]}}}
{"at": "2026-03-03T14:00:10Z", "metrics": {"error_rate": {"canary": [0, 10]}}}"#;
    let far = RecordedMetrics::read(Format::JsonLines, far, &Mapping::default()).unwrap();
    let standard = Arc::new(Policy::preset("standard").unwrap());
    let refused = backtest(&[standard], &far, &Assumptions::default()).unwrap_err();
    assert_eq!(code(&refused), "HF-REC-017", "{refused}");
    assert!(refused.to_string().contains("correct a time that is off"), "{refused}");
    // A tree that goes in a circle keeps the policy from starting.
    let policy = Policy::preset("phased-canary").unwrap().to_toml();
    let circle = r#"
[tree]
root = "a"
questions = [{ id = "a", ask = "?", when = "service_down", yes = "l", no = "b" },
    { id = "b", ask = "?", when = "data_corruption", yes = "l", no = "a" }]
leaves = [{ id = "l", title = "t", hotfix = true }]
"#;
    let policy = Arc::new(Policy::from_toml(&format!("{policy}{circle}")).unwrap());
    let refused = backtest(&[policy], &some(), &Assumptions::default()).unwrap_err();
    assert_eq!(code(&refused), "HF-REC-015", "{refused}");
    assert!(refused.to_string().contains("HF-LINT-001"), "{refused}");
}

#[test]
fn field_5_all_faults_of_a_mapping_have_line_and_column() {
    let text = r#"{"assume": {"from": "noon", "severity": "P9"},
 "metrics": {"error_rate": {"canry": {"events": "e"}},
  "latency_p95": {"canary": {"buckets": [{"le": true, "from": "a"}], "count": 7}},
  "cpu": {"canary": {"value": {"times": "0.01"}, "value": "cpu"}},
  "bug": {"canary": {"trials": "n"}}},
 "time": {"unit": "second"}}"#;
    let errors = Mapping::from_json(text).unwrap_err();
    let got: Vec<_> = errors
        .iter()
        .map(|e| (e.line().unwrap(), e.column().unwrap(), e.code(), e.path()))
        .collect();
    let expected = [
        (1, 21, "HF-REC-001", "/assume/from"),
        (1, 41, "HF-REC-001", "/assume/severity"),
        (2, 29, "HF-REC-001", "/metrics/error_rate/canry"),
        (3, 49, "HF-REC-001", "/metrics/latency_p95/canary/buckets/0/le"),
        (3, 79, "HF-REC-001", "/metrics/latency_p95/canary/count"),
        (4, 31, "HF-REC-001", "/metrics/cpu/canary/value"),
        (4, 41, "HF-REC-001", "/metrics/cpu/canary/value/times"),
        (4, 50, "HF-REC-001", "/metrics/cpu/canary/value"),
        (5, 21, "HF-REC-002", "/metrics/bug/canary"),
        (6, 19, "HF-REC-001", "/time/unit"),
    ];
    assert_eq!(got, expected, "{errors}");
}

#[test]
fn field_12_every_preset_runs_or_has_nothing_that_decides() {
    let line =
        r#"{"at": "2026-03-03T14:40:00Z", "metrics": {"error_rate": {"canary": [1, 1000]}}}"#;
    let recorded = RecordedMetrics::read(Format::JsonLines, line, &Mapping::default()).unwrap();
    let mut ran = 0;
    for name in Policy::presets() {
        let policy = Policy::preset(name).unwrap();
        let decides = policy.metric("error_rate").is_some();
        match backtest(&[Arc::new(policy)], &recorded, &Assumptions::default()) {
            Ok(_) => ran += 1,
            Err(refused) => {
                assert!(!decides && code(&refused) == "HF-REC-014", "{name}: {refused}");
            }
        }
    }
    assert!(ran >= 2, "{ran}");
}

/// A recording of a volume alone.
fn some() -> RecordedMetrics {
    let line = r#"{"at": "2026-03-03T14:40:00Z", "metrics": {"request_volume": {"canary": 1000}}}"#;
    RecordedMetrics::read(Format::JsonLines, line, &Mapping::default()).unwrap()
}

#[test]
fn field_17_an_instance_that_was_given_is_not_asked_for() {
    let text = "time,pod,errors,requests\n0,a,1,100\n10,a,0,100\n";
    let ask = |metrics: &str| {
        let mapping = format!(r#"{{"time": {{"unit": "seconds"}}, "metrics": {metrics}}}"#);
        let mapping = Mapping::from_json(&mapping).unwrap();
        let recorded = RecordedMetrics::read(Format::Csv, text, &mapping).unwrap();
        let policy = Policy::preset("standard").unwrap();
        recorded.history(&policy).unwrap_err().to_string()
    };
    let columns = r#""events": "requests", "trials": "errors", "instance": "pod""#;
    let swapped = ask(&format!(r#"{{"error_rate": {{"canary": {{{columns}}}}}}}"#));
    let asks = |text: &str| {
        let asked = text.split("; ").next().expect("a part");
        asked.contains("give the `instance` of ") && asked.contains("`error_rate`")
    };
    assert!(!asks(&swapped) && swapped.contains(" of `error_rate`: "), "{swapped}");
    let without = ask(r#"{"error_rate": {"canary": {"events": "errors", "trials": "requests"}}}"#);
    assert!(asks(&without), "{without}");
    // A latency is not read by instance.
    let asked = without.split("; ").next().expect("a part");
    assert!(asked.ends_with(
        "or histograms of both arms of `latency_p95`, whose tests a history calibrates in `standard`"
    ), "{without}");
}

#[test]
fn field_12_bytes_that_are_not_utf_8_are_refused_with_their_line() {
    let place = |format| {
        let error = RecordedMetrics::text_of(format, b"time,errors\n60,3\n\xff").unwrap_err();
        (code(&error), error.place())
    };
    assert_eq!(place("csv"), ("HF-REC-005", "line 3, column 1".to_owned()));
    assert_eq!(place("prometheus"), ("HF-REC-009", "line 3, column 1".to_owned()));
    assert_eq!(place("parquet").0, "HF-REC-003");
    assert_eq!(RecordedMetrics::text_of("csv", "é".as_bytes()).unwrap(), "é");
}
