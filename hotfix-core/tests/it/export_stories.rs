//! What exports say of single incidents: what was not, is not said (POST-3, TIME-3, FIELD-20).

use std::collections::BTreeMap;
use std::sync::Arc;

use hotfix_core::interop::{cdevents, grafana, icalendar};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, Recording, Rollout};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

use crate::ready;

fn at(seconds: u32) -> Timestamp {
    let opened: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
    opened + Span::from_seconds(seconds)
}

/// Of a release with these keys, and the traffic that it names.
fn rollout(policy: &str, severity: &str, release: &Value) -> Rollout {
    of_policy(Policy::preset(policy).unwrap(), severity, release)
}

fn of_policy(policy: Policy, severity: &str, release: &Value) -> Rollout {
    let incident = json!({"id": "I", "severity": severity, "detected_at": "2026-03-03T14:30:00Z"});
    let mut whole = json!({"version": "2", "previous": "1"});
    whole.as_object_mut().unwrap().extend(release.as_object().unwrap().clone());
    let policy = Arc::new(policy);
    let traffic = whole.as_object_mut().unwrap().remove("traffic").unwrap_or(json!({}));
    let [incident, release, traffic] = [incident, whole, traffic].map(|of| of.to_string());
    let plan = Plan::from_json(policy, &incident, &release, &traffic).unwrap();
    Rollout::try_new(plan, Recording::Keep, "").unwrap()
}

fn send(rollout: &mut Rollout, seconds: u32, input: Value) {
    rollout.handle(at(seconds), &Input::from_value(input).unwrap()).unwrap();
}

fn answer(rollout: &mut Rollout, seconds: u32, kind: &str) {
    let action = rollout.pending_actions()[0].id.to_string();
    send(
        rollout,
        seconds,
        json!({"kind": kind, "by": "tool", "action": action, "why": "no image"}),
    );
}

/// A rollout of `standard` that has started and deploys.
fn started(release: &Value) -> Rollout {
    let mut rollout = rollout("standard", "P1", release);
    ready::make(&mut rollout, at(0));
    send(&mut rollout, 0, json!({"kind": "start", "by": "lena"}));
    rollout
}

/// One whose first phase is watched.
fn watched(release: &Value) -> Rollout {
    let mut rollout = started(release);
    ready::confirm_all(&mut rollout, at(0));
    rollout
}

fn events(rollout: &Rollout) -> Vec<Value> {
    cdevents::events(rollout.log().as_bytes(), &cdevents::Options::default()).unwrap()
}

/// The content of the last event of a type.
fn last(rollout: &Rollout, kind: &str) -> Value {
    let kind = format!("dev.cdevents.{kind}.0.2.0");
    let events = events(rollout);
    let event = events.iter().rfind(|event| event["type"] == kind.as_str());
    event.unwrap_or_else(|| panic!("no {kind}"))["data"]["subject"]["content"].clone()
}

#[test]
fn field_20_an_event_says_why_a_run_ended_and_no_rollback_that_was_not() {
    let failed = |rollout: &Rollout, kind: &str| {
        let content = last(rollout, kind);
        assert_eq!(content["outcome"], "failure");
        content["errors"].as_str().unwrap().to_owned()
    };
    let mut rollout = started(&json!({}));
    answer(&mut rollout, 5, "failed");
    assert_eq!(rollout.state().as_str(), "failed");
    assert_eq!(failed(&rollout, "pipelinerun.finished"), "the deployment failed");

    let mut frozen = watched(&json!({"traffic": {"schema_change": true}}));
    let bad = json!({"error_rate": {"canary": [60, 167], "baseline": [5, 1500]}});
    for second in (10..130).step_by(10) {
        if frozen.state().as_str() == "monitoring" {
            send(&mut frozen, second, json!({"kind": "observe", "metrics": bad}));
        }
    }
    assert_eq!(frozen.state().as_str(), "frozen");
    assert_eq!(failed(&frozen, "taskrun.finished"), "traffic is frozen until a person acts");

    for (order, end) in [("roll_back", "it was rolled back"), ("abort", "it was aborted")] {
        let mut rollout = watched(&json!({}));
        send(&mut rollout, 60, json!({"kind": order, "by": "lena", "why": "wrong"}));
        assert_eq!(failed(&rollout, "taskrun.finished"), "it is being rolled back");
        answer(&mut rollout, 65, "confirm");
        send(&mut rollout, 4000, json!({"kind": "tick"}));
        assert!(rollout.state().is_final(), "{}", rollout.state());
        assert_eq!(failed(&rollout, "pipelinerun.finished"), end);
    }
}

#[test]
fn post_3_a_service_is_upgraded_once_all_traffic_has_the_fix() {
    let policy = r#"
        format = 1
        name = "half"
        title = "Half"
        strategy = "canary"
        phases = [{ name = "half", share = "50%", deploy = "1min", watch = "1min", promotion = "no_evidence_of_harm", criteria_missed = "hold", gate = "automatic" }]
        after = [{ until = "5min", from = "deployed" }]
        final_validation = { watch = "1min", gate = "automatic" }
        watch = { cadence = "1min", stale = "3min", window = "1min", no_data = { after = "3min", then = "ask" } }
        rollback = { watch = "1min", returned_within = "1min" }
        metrics = { error_rate = { kind = "proportion", worse = "higher", weight = 1, reference = "0.5%", success = "2%", rollback = "5%" } }
    "#;
    let mut rollout = of_policy(Policy::from_toml(policy).unwrap(), "P1", &json!({}));
    let upgraded = |rollout: &Rollout| {
        let kind = "dev.cdevents.service.upgraded.0.2.0";
        let all = events(rollout).into_iter().filter(|event| event["type"] == kind);
        all.map(|event| event["time"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    send(&mut rollout, 0, json!({"kind": "start", "by": "lena"}));
    ready::confirm_all(&mut rollout, at(0));
    let fine = json!({"error_rate": {"canary": [2, 500], "baseline": [2, 500]}});
    for second in (60..=360).step_by(60) {
        send(&mut rollout, second, json!({"kind": "observe", "metrics": fine}));
    }
    assert_eq!((rollout.state().as_str(), rollout.share().as_fraction()), ("complete", 0.5));
    assert!(upgraded(&rollout).is_empty());
    answer(&mut rollout, 420, "confirm");
    assert_eq!((rollout.state().as_str(), rollout.share().as_fraction()), ("closed", 1.0));
    assert_eq!(upgraded(&rollout), ["2026-03-03T14:47:00.000Z"]);
}

#[test]
fn post_3_the_artifact_of_a_version_is_its_own() {
    let release = json!({"point": {"artifact": "pkg:oci/pay@sha256:aaa"}});
    for (order, artifact) in [
        (json!({"kind": "roll_back", "by": "lena"}), "pkg:oci/pay@sha256:aaa"),
        (
            json!({"kind": "revert", "by": "lena", "version": "0.9", "why": "good"}),
            "pkg:generic/I@0.9",
        ),
    ] {
        let mut rollout = watched(&release);
        send(&mut rollout, 60, order);
        answer(&mut rollout, 65, "confirm");
        assert_eq!(last(&rollout, "service.rolledback")["artifactId"], artifact);
    }
}

#[test]
fn post_3_a_line_that_reopens_an_incident_and_corrects_its_detection_is_one_event() {
    let mut rollout = rollout("standard", "P1", &json!({}));
    let times =
        |times: Value| json!({"kind": "set_times", "by": "omar", "why": "w", "times": times});
    send(&mut rollout, 0, json!({"kind": "note", "by": "omar", "text": "x"}));
    send(&mut rollout, 60, times(json!({"resolved": at(30)})));
    send(&mut rollout, 120, times(json!({"resolved": null, "detected": "2026-03-03T14:20:00Z"})));
    let events = events(&rollout);
    let seen: Vec<(&str, &str)> = events
        .iter()
        .map(|event| (event["type"].as_str().unwrap(), event["time"].as_str().unwrap()))
        .collect();
    let (detected, resolved) =
        ("dev.cdevents.incident.detected.0.2.0", "dev.cdevents.incident.resolved.0.2.0");
    assert_eq!(
        seen,
        [
            (detected, "2026-03-03T14:30:00.000Z"),
            (resolved, "2026-03-03T14:40:30.000Z"),
            (detected, "2026-03-03T14:20:00.000Z"),
        ]
    );
}

#[test]
fn post_3_annotations_have_an_abort_and_the_end_of_its_rollback_when_they_were() {
    for order in ["roll_back", "abort"] {
        let mut rollout = watched(&json!({}));
        send(&mut rollout, 60, json!({"kind": order, "by": "lena", "why": "wrong"}));
        answer(&mut rollout, 65, "confirm");
        send(&mut rollout, 4000, json!({"kind": "tick"}));
        let notes = grafana::annotations(rollout.log().as_bytes()).unwrap();
        let seconds = |note: &Value| (note["time"].as_i64().unwrap() - at(0).as_millis()) / 1000;
        let of = |kind: &str| -> Vec<i64> {
            let is_of = |note: &&Value| note["tags"].as_array().unwrap().contains(&json!(kind));
            notes.iter().filter(is_of).map(seconds).collect()
        };
        assert_eq!((of("rolling_back"), of("rolled_back")), (vec![60], vec![65]), "{order}");
        assert!(notes.iter().any(|note| note["text"] == "1 runs again"));
        assert_eq!(of("aborted"), if order == "abort" { vec![60] } else { vec![] });
    }
}

/// The to-dos of a calendar by `UID`: title and status.
fn to_dos(rollout: &Rollout, seconds: u32) -> BTreeMap<String, (String, String)> {
    let text = icalendar::text(rollout, at(seconds)).replace("\r\n ", "");
    let value = |to_do: &str, name: &str| {
        let line = to_do.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.to_owned()
    };
    let all = text.split("BEGIN:VTODO").skip(1);
    all.map(|to_do| (value(to_do, "UID:"), (value(to_do, "SUMMARY:"), value(to_do, "STATUS:"))))
        .collect()
}

#[test]
fn time_3_no_to_do_of_an_earlier_calendar_is_left_open_in_a_later_one() {
    let mut rollout = rollout("enterprise", "P0", &json!({}));
    let mut before = BTreeMap::new();
    let mut follow = |rollout: &Rollout, seconds: u32| {
        let now = to_dos(rollout, seconds);
        let lost: Vec<_> = before.iter().filter(|(uid, _)| !now.contains_key(*uid)).collect();
        assert!(lost.is_empty(), "{seconds}: {lost:?}");
        before.clone_from(&now);
        now
    };
    let status = |all: &BTreeMap<String, (String, String)>, title: &str| {
        let of: Vec<_> = all.values().filter(|(summary, _)| summary == title).collect();
        assert_eq!(of.len(), 1, "{title}: {of:?}");
        of[0].1.clone()
    };
    send(&mut rollout, 0, json!({"kind": "tick"}));
    let opened = follow(&rollout, 0);
    assert!(opened.values().all(|(_, status)| status != "CANCELLED"), "{opened:?}");
    send(&mut rollout, 240, json!({"kind": "done", "by": "omar", "duty": "p0_update"}));
    let answered = follow(&rollout, 240);
    assert_eq!(status(&answered, "I: status update"), "NEEDS-ACTION");
    send(
        &mut rollout,
        600,
        json!({"kind": "set_severity", "by": "lena", "severity": "P1", "why": "x"}),
    );
    let lowered = follow(&rollout, 600);
    let cancelled = lowered.values().filter(|(_, status)| status == "CANCELLED").count();
    assert!(cancelled > 3, "{lowered:?}");
    // Those of the higher severity come back with it.
    send(
        &mut rollout,
        660,
        json!({"kind": "set_severity", "by": "lena", "severity": "P0", "why": "y"}),
    );
    let raised = follow(&rollout, 660);
    for (uid, (title, status)) in &answered {
        if status == "NEEDS-ACTION" {
            assert_eq!(raised[uid].1, "NEEDS-ACTION", "{title}");
        }
    }
}

#[test]
fn time_3_what_a_fact_or_another_release_drops_is_cancelled() {
    let down = |is: bool| json!({"kind": "set_facts", "by": "omar", "facts": {"service_down": is}});
    let tick = json!({"kind": "tick"});
    let release = json!({"version": "3", "previous": "1", "stop_gap": false});
    let fixed =
        json!({"kind": "supersede", "by": "lena", "release": release, "why": "the real fix"});
    for (policy, severity, [before, after], title) in [
        (
            "standard",
            "P0",
            [down(true), down(false)],
            "I: status page says that we are investigating",
        ),
        ("phased-canary", "P1", [tick, fixed], "I: a ticket for the permanent fix is open"),
    ] {
        let mut rollout = rollout(policy, severity, &json!({}));
        send(&mut rollout, 0, before);
        let status = |rollout: &Rollout| {
            let all = to_dos(rollout, 60);
            let of = all.values().find(|(summary, _)| summary == title);
            of.unwrap_or_else(|| panic!("{title}: {all:?}")).1.clone()
        };
        assert_eq!(status(&rollout), "NEEDS-ACTION");
        send(&mut rollout, 60, after);
        assert_eq!(status(&rollout), "CANCELLED");
    }
}

#[test]
fn time_3_what_the_first_input_drops_of_a_draft_is_cancelled() {
    let mut rollout = rollout("standard", "P0", &json!({}));
    let draft = to_dos(&rollout, 0);
    let lower = json!({"kind": "set_severity", "by": "lena", "severity": "P1", "why": "x"});
    send(&mut rollout, 0, lower);
    let opened = to_dos(&rollout, 0);
    let lost: Vec<_> = draft.iter().filter(|(uid, _)| !opened.contains_key(*uid)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let is_cancelled = |uid: &String| opened[uid].1 == "CANCELLED";
    assert!(draft.keys().any(is_cancelled), "{draft:?}, {opened:?}");
}
