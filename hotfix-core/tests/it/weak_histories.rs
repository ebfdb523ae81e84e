//! A history that cannot calibrate a test is left out or does not calibrate it, and the plan says why (FIELD-17, PLAN-7).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use hotfix_core::grade::EvidenceMode;
use hotfix_core::judge::Guarantee;
use hotfix_core::plan::{Histories, Plan, PlanFindingKind, Subject};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Recording, Rollout};
use hotfix_core::simulate::recorded::{
    Format, Mapping, RecordedErrors, RecordedHistory, RecordedMetrics,
};
use serde_json::json;

use crate::modes::error_rate;
use crate::noise::{Law, Service};
use crate::plan_power::canary_text;
use crate::power_common::{Fate, Random, World};

type Pods = BTreeMap<String, Vec<[f64; 2]>>;

fn standard() -> Arc<Policy> {
    Arc::new(Policy::preset("standard").unwrap())
}

/// Independent errors of 20 instances, 0.3% of 1,000 requests a minute.
fn counts(ticks: usize) -> Pods {
    Service::new(Law::Independent, 20, 1_000.0, 0.003, 5).history(ticks).into()
}

/// The same as running totals.
fn totals(ticks: usize) -> Pods {
    let mut pods = counts(ticks);
    for rows in pods.values_mut() {
        let mut sum = [0.0; 2];
        for row in rows {
            sum = [sum[0] + row[0], sum[1] + row[1]];
            *row = sum;
        }
    }
    pods
}

fn plan(pods: Pods) -> Plan {
    plan_with(pods, "canary")
}

fn plan_with(pods: Pods, strategy: &str) -> Plan {
    let subject: Subject = serde_json::from_value(json!({
        "incident": {"id": "INC-1", "severity": "P1"},
        "release": {"version": "2.3.1", "previous": "2.3.0", "strategy": strategy},
        "traffic": {"requests_per_minute": 1000},
    }))
    .unwrap();
    Plan::calibrated(standard(), subject, Histories::from([(error_rate(), pods)])).unwrap()
}

fn weak(plan: &Plan) -> Vec<String> {
    let findings = plan.findings().into_iter();
    findings.filter(|of| of.kind == PlanFindingKind::WeakHistory).map(|of| of.text).collect()
}

fn basis(plan: Plan) -> (EvidenceMode, Guarantee) {
    let evidence = Rollout::try_new(plan, Recording::Off, "").unwrap();
    let evidence = evidence.evidence(error_rate()).unwrap();
    (evidence.mode, evidence.guarantee)
}

fn power(plan: &Plan) -> String {
    plan.power().leading.unwrap().history.unwrap().sentence
}

/// What a tick may add is limited: with much traffic that, not the threshold, says how long a fault takes.
#[test]
fn plan_6_the_delay_of_a_proportion_with_a_history_is_that_of_rollouts() {
    for requests in [1_500.0, 6_000.0, 30_000.0] {
        let history = Service::new(Law::Independent, 20, requests, 0.005, 5).history(2_160);
        let evidence = "[evidence]\nmode = \"replay\"\nhold = 90\n[metrics.error_rate]";
        let text = canary_text("rollback = \"60%\"").replace("[metrics.error_rate]", evidence);
        let subject: Subject = serde_json::from_value(json!({
            "incident": {"id": "INC-1"},
            "release": {"version": "2.3.1", "previous": "2.3.0"},
            "traffic": {"requests_per_minute": requests},
        }))
        .unwrap();
        let policy = Policy::from_toml(&text).unwrap_or_else(|errors| panic!("{errors}"));
        let histories = Histories::from([(error_rate(), history.into())]);
        let plan = Plan::calibrated(Arc::new(policy), subject, histories).unwrap();
        let stated = plan.power().leading.unwrap().history.unwrap().delay.unwrap();
        let world = World::new(plan, requests, 0.005, stated.ratio);
        let runs = 150;
        let minutes = |fate: Fate| fate.gone.map_or(10.0, |(_, minutes)| minutes);
        let fates = (0..runs).map(|run| world.run(&mut Random::new(1_964, run)));
        let seen = fates.map(minutes).sum::<f64>() / f64::from(runs);
        println!("{requests}: {seen:.2} min, stated {stated:?}");
        // Readings end a tick: half of one more on average.
        let (least, most) = (0.85 * seen - 0.1, 1.2 * seen + 0.1);
        assert!((least..most).contains(&stated.minutes), "{requests}: {seen}, stated {stated:?}");
    }
}

#[test]
fn plan_7_a_history_of_six_hours_calibrates_without_a_finding() {
    let plan = plan(counts(2_160));
    assert!(weak(&plan).is_empty(), "{:?}", weak(&plan));
    assert_eq!(basis(plan), (EvidenceMode::Replay, Guarantee::Calibrated));
}

#[test]
fn plan_7_a_history_that_contradicts_the_reference_is_named() {
    let mut pods = counts(2_160);
    for row in pods.values_mut().flatten() {
        row[0] = row[1] - row[0];
    }
    let weak = weak(&plan(pods));
    let says = "times the bad events of its reference: check whether its columns are swapped";
    assert!(weak.iter().any(|text| text.contains(says)), "{weak:?}");
}

#[test]
fn plan_7_a_history_in_which_nothing_was_counted_calibrates_nothing() {
    for (row, what) in [([0.0, 0.0], "no trials"), ([0.0, 8.0], "no events")] {
        let pods = (0..20).map(|pod| (format!("pod-{pod:02}"), vec![row; 2_160]));
        let plan = plan(pods.collect());
        let said = weak(&plan);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("does not calibrate its test in `canary`, `partial`"), "{said:?}");
        assert!(said[0].contains(&format!("HF-STAT-057: the history has {what}")), "{said:?}");
        assert!(power(&plan).contains("No history calibrates its test (HF-STAT-057"));
        assert_eq!(basis(plan), (EvidenceMode::Plain, Guarantee::Assumed));
    }
}

#[test]
fn plan_7_a_short_history_is_a_finding() {
    let an_hour = weak(&plan(counts(360)));
    assert_eq!(an_hour.len(), 1, "{an_hour:?}");
    assert!(an_hour[0].contains("`error_rate` is short: 1.0 hours"), "{an_hour:?}");
    let half_an_hour = weak(&plan(counts(180)));
    assert_eq!(half_an_hour.len(), 2, "{half_an_hour:?}");
    assert!(half_an_hour[0].contains("in `partial`: HF-STAT-033: the history has `180` ticks"));
    let a_quarter = plan(counts(90));
    let said = weak(&a_quarter);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("in `canary`, `partial`: HF-STAT-033"), "{said:?}");
    assert!(power(&a_quarter).contains("No history calibrates its test (HF-STAT-033"));
}

#[test]
fn plan_7_a_history_with_which_no_phase_finds_a_fault_is_a_finding() {
    let plan = plan(totals(2_160));
    let said = weak(&plan);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("no phase finds 5 times the reference rate"), "{said:?}");
}

#[test]
fn plan_7_a_history_calibrates_nothing_where_all_traffic_moves_at_once() {
    let plan = plan_with(counts(2_160), "immediate");
    let said = weak(&plan);
    assert_eq!(said.len(), 1, "{said:?}");
    let says = "the history of `error_rate` calibrates nothing: all traffic moves at once";
    assert!(said[0].starts_with(says), "{said:?}");
}

/// Ten minutes in which half of the requests failed are no ordinary operation.
#[test]
fn plan_7_an_incident_in_a_history_is_a_finding() {
    let mut pods = counts(4_320);
    for row in pods.values_mut().flat_map(|rows| &mut rows[2_000..2_060]) {
        row[0] = (row[1] / 2.0).round();
    }
    let (plan, ordinary) = (plan(pods), plan(counts(4_320)));
    let said = weak(&plan);
    let says = "the history of `error_rate` has an incident: in minutes 330 to 345 of the history events are";
    assert!(said.iter().any(|text| text.starts_with(says)), "{said:?}");
    // What a phase finds is that of the ordinary rate, at a threshold that the incident may raise.
    let found = |plan: &Plan| {
        plan.calibrations()[&error_rate()].of("canary".parse().unwrap()).unwrap().detectable
    };
    assert!(found(&plan) >= found(&ordinary), "{:?} {:?}", found(&plan), found(&ordinary));
}

/// One of 20 instances fails every request for nine minutes.
fn with_an_outage() -> Pods {
    let mut pods = counts(4_320);
    let bad = pods.get_mut("pod-05").unwrap();
    bad[2_000..2_054].iter_mut().for_each(|row| row[0] = row[1]);
    pods
}

#[test]
fn plan_7_what_a_history_costs_is_said_of_sums_and_by_instance() {
    let plan = plan(with_an_outage());
    let (mut said, power) = (weak(&plan), power(&plan));
    said.retain(|text| !text.contains("has an incident"));
    assert_eq!(said.len(), 1, "{said:?}");
    let says = "no phase finds 5 times the reference rate by sums over the arms";
    assert!(said[0].contains(says) && said[0].ends_with("send counts by instance"), "{said:?}");
    for says in [
        "on average where counts come by instance, and",
        "where sums over the arms do, as in the table, instead of",
        "Its bursts let a rollback bound wait for up to four minutes",
    ] {
        assert!(power.contains(says), "{power}");
    }
}

/// Ten generations of instances, each with names of its own if asked for.
fn generations(own: bool) -> Vec<Pods> {
    let name = |generation: usize, pod: &str| {
        if own { format!("{}-{pod}", generation * 7 % 10) } else { pod.to_owned() }
    };
    let generation = |at: u64| -> Pods {
        let pods = Service::new(Law::NegativeBinomial(4.0), 20, 1_000.0, 0.003, at).history(216);
        let pods = Pods::from(pods).into_iter();
        pods.map(|(pod, rows)| (name(usize::try_from(at).unwrap(), &pod), rows)).collect()
    };
    (0..10).map(generation).collect()
}

#[test]
fn field_17_instances_with_names_of_their_own_after_each_deployment_are_in_their_places() {
    let limits = |own: bool| {
        // 20 minutes between two generations, those of the deployment, are left out.
        let mut text = String::from(HEADER);
        for (at, pods) in generations(own).iter().enumerate() {
            rows_of(pods, at * (2_160 + 1_200), &mut text);
        }
        let plan = plan(read_text(&text, false).unwrap().history.remove(&error_rate()).unwrap());
        assert!(weak(&plan).is_empty(), "{:?}", weak(&plan));
        plan.calibrations()[&error_rate()].of("canary".parse().unwrap()).unwrap().clone()
    };
    let (own, same) = (limits(true), limits(false));
    assert_eq!((own.canary_instances, own.shards), (2, 10));
    let about = own.threshold / same.threshold;
    assert!((0.8..1.25).contains(&about), "{} and {}", own.threshold, same.threshold);
}

#[test]
fn plan_7_instances_that_take_turns_calibrate_nothing() {
    let (mut pods, ticks) = (Pods::new(), 10 * 216);
    for (at, generation) in generations(true).into_iter().enumerate() {
        for (pod, rows) in generation {
            let mut whole = vec![[0.0; 2]; ticks];
            whole[at * 216..][..216].copy_from_slice(&rows);
            pods.insert(pod, whole);
        }
    }
    let plan = plan(pods);
    let said = weak(&plan);
    assert!(said[0].contains("HF-STAT-058: the history has `200` instances, of which `20.0`"));
    assert_eq!(basis(plan), (EvidenceMode::Plain, Guarantee::Assumed));
}

const HEADER: &str = "time,pod,errors,requests\n";

fn rows_of(pods: &Pods, from: usize, text: &mut String) {
    for (pod, rows) in pods {
        for (tick, [events, trials]) in rows.iter().enumerate() {
            let _ = writeln!(text, "{},{pod},{events},{trials}", from + 10 * tick);
        }
    }
}

fn read(pods: &Pods, totals: bool) -> Result<RecordedHistory, RecordedErrors> {
    let mut text = String::from(HEADER);
    rows_of(pods, 0, &mut text);
    read_text(&text, totals)
}

fn read_text(text: &str, totals: bool) -> Result<RecordedHistory, RecordedErrors> {
    let arm = json!({"events": "errors", "trials": "requests", "instance": "pod"});
    let metrics = json!({"error_rate": {"canary": arm, "totals": totals}});
    let mapping = json!({"time": {"unit": "seconds"}, "metrics": metrics}).to_string();
    let recorded = RecordedMetrics::read(Format::Csv, text, &Mapping::from_json(&mapping)?)?;
    recorded.history(&standard())
}

#[test]
fn field_17_running_totals_that_are_read_as_counts_are_no_history() {
    let error = read(&totals(2_160), false).unwrap_err();
    let error = error.first().unwrap();
    assert_eq!(error.code(), "HF-REC-019");
    assert!(error.to_string().contains("HF-REC-042 of `error_rate`: the trials"), "{error}");
    // Restarts now and then hide nothing.
    let mut restarted = totals(2_160);
    for (pod, rows) in restarted.values_mut().enumerate() {
        for at in (100..2_000).step_by(200 + pod) {
            let before = rows[at];
            for row in &mut rows[at..] {
                *row = [(row[0] - before[0]).max(0.0), (row[1] - before[1]).max(0.0)];
            }
        }
    }
    assert_eq!(read(&restarted, false).unwrap_err().first().unwrap().code(), "HF-REC-019");
    assert!(read(&restarted, true).unwrap().findings.is_empty());
    assert!(read(&counts(2_160), false).unwrap().findings.is_empty());
    // Nor are differences that the mapping calls running totals.
    let error = read(&counts(2_160), true).unwrap_err();
    let error = error.first().unwrap().to_string();
    assert!(error.contains("HF-REC-048 of `error_rate`: the trials"), "{error}");
}

#[test]
fn field_17_a_recording_of_prometheus_says_what_is_absent() {
    let arm = json!({"events": "errors", "trials": "requests", "instance": "instance"});
    let mapping = json!({"metrics": {"error_rate": {"canary": arm, "totals": true}}}).to_string();
    let says = |answer: &serde_json::Value| {
        let mapping = Mapping::from_json(&mapping).unwrap();
        let read = RecordedMetrics::read(Format::Prometheus, &answer.to_string(), &mapping);
        read.unwrap_err().first().unwrap().to_string()
    };
    let series = |labels: serde_json::Value| {
        let values = json!([[0, "5"], [10, "8"]]);
        json!({"resultType": "matrix", "result": [{"metric": labels, "values": values}]})
    };
    let none = json!({"resultType": "matrix", "result": []});
    let requests = series(json!({"instance": "a"}));
    let one_of_two = says(&json!({"requests": requests, "errors": none}));
    assert!(one_of_two.ends_with(": no series matches `errors`"), "{one_of_two}");
    let unnamed = says(&requests);
    assert!(unnamed.ends_with(": no series matches `errors`, `requests`"), "{unnamed}");
    let pods = series(json!({"job": "api", "pod": "a"}));
    let label = says(&json!({"requests": pods, "errors": pods}));
    let expected = "has no `instance`, which names its instance by the mapping; its labels are";
    assert!(label.contains(expected) && label.ends_with("`job`, `pod`"), "{label}");
}

#[test]
fn plan_7_a_calibration_is_read_as_strictly_as_every_document() {
    let history = json!({"a": vec![[1, 100]; 400], "b": vec![[1, 100]; 400]});
    let twice = format!(r#"{{"error_rate":{history},"error_rate":{history}}}"#);
    let instance = r#"{"error_rate":{"a":[[0,10]],"b":[[0,10]],"a":[[5,10]]}}"#;
    let row = r#"{"error_rate":{"a":[[0,10],[0]],"b":[[0,10],[0,10]]}}"#;
    for (text, path, says) in [
        (twice.as_str(), "/calibration", "member `error_rate` occurs twice"),
        (instance, "/calibration", "member `a` occurs twice"),
        (row, "/calibration/error_rate/a/1", "an array of length 2"),
        ("[]", "/calibration", "a list is not allowed here"),
    ] {
        let (incident, release) = (r#"{"id":"I"}"#, r#"{"version":"2","previous":"1"}"#);
        let error =
            Plan::calibrated_from_json(standard(), incident, release, "", text).unwrap_err();
        assert_eq!((error.code(), error.path().as_str()), ("HF-PLAN-001", path), "{text}");
        assert!(error.to_string().contains(says), "{error}");
    }
}
