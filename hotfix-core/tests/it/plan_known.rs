//! PLAN-3, VCS-5, SEV-5: a plan that is made in a rollout is about what is known then.

use std::sync::Arc;

use hotfix_core::grade::{CommitField, Severity};
use hotfix_core::plan::{Plan, PlanFindingKind};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{BlockerKind, Input, Recording, Rollout, audit};
use hotfix_core::vcs::CommitParts;
use serde_json::{Value, json};

fn open(preset: &str, incident: &Value, release: &str) -> Rollout {
    let policy = Arc::new(Policy::preset(preset).unwrap());
    let plan = Plan::from_json(policy, &incident.to_string(), release, "").unwrap();
    Rollout::try_new(plan, Recording::Keep, "pepper").unwrap()
}

/// Sends an input at this minute after two, and requires that log and snapshot give the same plan.
fn send(rollout: &mut Rollout, minute: u32, mut input: Value) {
    input["by"] = json!("lena");
    let snapshot = rollout.head().map(|_| rollout.snapshot().unwrap());
    let before = rollout.log().len();
    let at = format!("2026-03-03T02:{minute:02}:00Z").parse().unwrap();
    rollout.handle(at, &Input::from_value(input).unwrap()).unwrap();
    let log = rollout.log().as_bytes();
    let again = Rollout::replay(log, Recording::Keep).unwrap();
    assert_eq!(again.plan(), rollout.plan());
    assert_eq!(audit(log, rollout.head()).findings, []);
    if let Some(snapshot) = snapshot.filter(|_| before > 0) {
        let again = Rollout::restore(&snapshot, &log[before..], Recording::Keep).unwrap();
        assert_eq!(again.plan(), rollout.plan());
        assert_eq!(again.snapshot().unwrap(), rollout.snapshot().unwrap());
    }
}

fn release(version: &str) -> Value {
    let text = json!({"cause": "null", "solution": "a check", "tested": "locally"});
    json!({"version": version, "previous": "2.3.0", "description": "a check", "commit_text": text})
}

fn has(plan: &Plan, kind: PlanFindingKind) -> bool {
    plan.findings().iter().any(|finding| finding.kind == kind)
}

/// The plan and the rollout have the same severity and approvals, and the plan asks for nothing that is known.
fn assert_known(rollout: &Rollout, severity: Severity) {
    let plan = rollout.plan();
    assert_eq!((plan.severity(), rollout.severity()), (Some(severity), Some(severity)));
    let waits = rollout.blockers().into_iter();
    let waits = waits.filter(|blocker| blocker.kind == BlockerKind::Approval);
    let waits: Vec<_> = waits.map(|blocker| blocker.roles).collect();
    let demands = plan.demands();
    let asks = demands.approvals.iter().filter(|demand| demand.holds_start);
    let asks: Vec<Vec<_>> =
        asks.map(|demand| demand.any_of.iter().map(|one| one.role).collect()).collect();
    assert_eq!(asks, waits);
    assert!(!has(plan, PlanFindingKind::NoDetectionTime));
    let page = plan.to_markdown(None);
    assert!(page.contains(&format!("**{severity}")), "{page}");
    assert!(!page.contains("(`service_down`)"), "{page}");
    let missing = plan.commit_message(CommitParts::default()).unwrap().missing;
    let known = [CommitField::Severity, CommitField::Impact];
    assert!(!missing.iter().any(|field| known.contains(field)), "{missing:?}");
}

#[test]
fn plan_3_the_plan_of_a_release_a_supersede_and_a_retry_is_about_what_is_known_then() {
    let incident = json!({"id": "INC-1", "service": "pay-api", "title": "webhooks fail"});
    let mut rollout = open("severity-matrix", &incident, "");
    send(&mut rollout, 0, json!({"kind": "tick"}));
    let opened = rollout.plan().digest();
    let facts = json!({"service_down": false, "payment_webhooks_failing": true, "users_affected": 0.3, "revenue_impact": true});
    send(&mut rollout, 3, json!({"kind": "set_facts", "facts": facts}));
    send(&mut rollout, 4, json!({"kind": "set_severity", "severity": "P1", "why": "webhooks"}));
    let times = json!({"began": "2026-03-03T01:50:00Z", "detected": "2026-03-03T01:55:00Z"});
    send(&mut rollout, 4, json!({"kind": "set_times", "times": times}));
    // What people approve changes with an input that changes the plan, and with no other.
    assert_eq!(rollout.plan().digest(), opened);
    send(&mut rollout, 10, json!({"kind": "release", "release": release("2.3.1")}));
    assert_known(&rollout, Severity::P1);
    let incident = &rollout.plan().subject().incident;
    assert_eq!(json!(incident)["detected_at"], "2026-03-03T01:55:00.000Z");
    assert_eq!(json!(incident)["began_at"], "2026-03-03T01:50:00.000Z");
    assert_eq!(json!(incident)["facts"]["users_affected"], 0.3);
    send(&mut rollout, 11, json!({"kind": "set_severity", "severity": "P2", "why": "few pay"}));
    let next = json!({"kind": "supersede", "release": release("2.3.2"), "why": "better"});
    send(&mut rollout, 12, next);
    assert_known(&rollout, Severity::P2);
    send(&mut rollout, 13, json!({"kind": "abort", "why": "it can wait"}));
    send(&mut rollout, 14, json!({"kind": "set_severity", "severity": "P0", "why": "it cannot"}));
    send(&mut rollout, 15, json!({"kind": "retry", "why": "again"}));
    assert_known(&rollout, Severity::P0);
    send(&mut rollout, 16, json!({"kind": "abort", "why": "wrong fix"}));
    send(&mut rollout, 17, json!({"kind": "set_severity", "severity": "P1", "why": "fewer"}));
    send(&mut rollout, 18, json!({"kind": "retry", "release": release("2.3.3"), "why": "again"}));
    assert_known(&rollout, Severity::P1);
}

/// What facts give stays theirs: a severity that follows from them is not given, and one that does not is.
#[test]
fn plan_3_a_severity_by_the_worst_that_was_known_is_that_of_the_next_plan() {
    let mut rollout = open("standard", &json!({"id": "INC-1"}), "");
    send(&mut rollout, 0, json!({"kind": "tick"}));
    let facts = json!({"service_down": true, "detected_at": "2026-03-03T01:55:00Z"});
    send(&mut rollout, 1, json!({"kind": "set_facts", "facts": facts}));
    send(&mut rollout, 2, json!({"kind": "release", "release": release("2.3.1")}));
    let incident = rollout.plan().subject().incident.clone();
    assert_eq!((incident.severity, incident.detected_at), (None, None));
    assert_known(&rollout, Severity::P0);
    // It recovers, and stays a P0.
    let facts = json!({"service_down": false, "users_affected": 0.01});
    send(&mut rollout, 3, json!({"kind": "set_facts", "facts": facts}));
    let next = json!({"kind": "supersede", "release": release("2.3.2"), "why": "better"});
    send(&mut rollout, 4, next);
    assert_known(&rollout, Severity::P0);
}

/// Where nothing else is known, another plan for the same release is the same plan.
#[test]
fn plan_3_another_attempt_with_nothing_new_has_the_same_plan() {
    let first = json!({"version": "2.3.1", "previous": "2.3.0"}).to_string();
    for incident in [
        json!({"id": "INC-1"}),
        json!({"id": "INC-1", "severity": "P1", "detected_at": "2026-03-03T01:55:00Z", "facts": {"users_affected": "3%", "service_down": null}}),
        json!({"id": "INC-1", "facts": {"service_down": true, "began_at": "2026-03-03T01:50:00Z"}}),
    ] {
        for preset in ["standard", "phased-canary", "emergency-command"] {
            let mut rollout = open(preset, &incident, &first);
            let plan = rollout.plan().clone();
            send(&mut rollout, 0, json!({"kind": "abort", "why": "not now"}));
            send(&mut rollout, 1, json!({"kind": "retry", "why": "now"}));
            assert_eq!(*rollout.plan(), plan, "{preset}");
        }
    }
}

/// The first input opens the log: what the incident states is known with it.
#[test]
fn plan_3_a_release_as_the_first_input_keeps_what_the_incident_states() {
    let incident = json!({"id": "INC-1", "severity": "P1", "detected_at": "2026-03-03T01:55:00Z", "facts": {"users_affected": "3%"}});
    let mut rollout = open("standard", &incident, "");
    let opened = rollout.plan().subject().incident.clone();
    send(&mut rollout, 0, json!({"kind": "release", "release": release("2.3.1")}));
    assert_eq!(rollout.plan().subject().incident, opened);
}
