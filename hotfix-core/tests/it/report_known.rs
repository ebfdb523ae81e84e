//! What the report says of what was known: the impact, the questions and the measures (POST-1, POST-3).

use std::sync::Arc;

use hotfix_core::grade::Moment;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::report::measures::{Figure, MeasureName, MeasureStatus};
use hotfix_core::report::{DutyOutcome, Format, Report};
use hotfix_core::rollout::{Input, Recording, Rollout};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

use crate::lint_patch::patched;

fn read(log: &str) -> Report {
    Report::from_log(log.as_bytes()).unwrap()
}

/// A rollout in this preset, with these inputs a minute apart from 14:40 on.
fn log_of(preset: &str, incident: &Value, inputs: &[Value]) -> String {
    log_at(preset, incident, &(0..).zip(inputs.iter().cloned()).collect::<Vec<_>>())
}

/// The same, with the minutes of the inputs, counted from 14:40.
fn log_at(preset: &str, incident: &Value, inputs: &[(u32, Value)]) -> String {
    let policy = Arc::new(Policy::preset(preset).unwrap());
    let release = r#"{"version": "2.3.1", "previous": "2.3.0", "description": "a null check"}"#;
    let plan = Plan::from_json(policy, &incident.to_string(), release, "").unwrap();
    let mut rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
    let start: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
    for (minute, input) in inputs {
        let at = start + Span::from_seconds(60 * minute);
        rollout.handle(at, &Input::from_json(&input.to_string()).unwrap()).unwrap();
    }
    rollout.log().to_owned()
}

fn facts(facts: &Value) -> Value {
    json!({"kind": "set_facts", "by": "omar", "facts": facts})
}

/// The impact is the worst that was known and how it developed, not what is left at the end.
#[test]
fn post_1_s2_the_impact_is_the_worst_that_was_known_and_how_it_developed() {
    let incident =
        json!({"id": "INC-1", "facts": {"service_down": true, "payment_failure_share": 0.55}});
    let inputs = [
        json!({"kind": "tick"}),
        facts(&json!({"users_affected": 0.1, "revenue_impact": true})),
        facts(&json!({"users_affected": 0.4, "payment_failure_share": 0.7})),
        facts(&json!({
            "service_down": false, "payment_failure_share": 0.01, "users_affected": 0.02,
            "revenue_impact": false,
        })),
    ];
    let report = read(&log_of("enterprise", &incident, &inputs));
    let shown = |fact: &str| report.impact.facts[fact].as_str();
    assert_eq!(shown("service_down"), "yes until 2026-03-03 14:43:00, then no");
    assert_eq!(
        shown("payment_failure_share"),
        "at worst 70%: 55% → 70% (2026-03-03 14:42:00) → 1% (2026-03-03 14:43:00)"
    );
    assert_eq!(report.impact.sentences[0], "At worst, 40% of the users were affected.");
    let users = report.measures.get(MeasureName::UsersAffected);
    assert_eq!(users.sentence, "40% of users at worst, 2% at the end");
    let revenue = report.measures.get(MeasureName::RevenueImpact).figure;
    assert_eq!(revenue, Some(Figure::Yes(true)));
    assert!(!report.open.contains(&"how many users were affected".to_owned()));
}

/// What the log answers is not open; what only people know is.
#[test]
fn post_1_s4_questions_that_the_log_answers_are_not_open() {
    let incident = json!({
        "id": "INC-1", "severity": "P1", "title": "payments fail", "detected_at": "2026-03-03T14:30:00Z",
        "facts": {"users_affected": 0.4},
    });
    let inputs = [
        json!({"kind": "note", "by": "omar", "text": "Root cause: a null"}),
        json!({"kind": "set_times", "by": "omar", "times": {"resolved": "2026-03-03T14:40:30Z"}}),
    ];
    let report = read(&log_of("severity-matrix", &incident, &inputs));
    let answered = |question: &str| {
        report.questions.iter().find(|part| part.question == question).unwrap().answered_in
    };
    assert_eq!(answered("what happened?"), Some("Summary"));
    assert_eq!(answered("when was it noticed?"), Some("Summary"));
    assert_eq!(answered("who was affected?"), Some("Impact"));
    assert_eq!(answered("how long?"), Some("Summary"));
    assert_eq!(answered("why did it happen?"), Some("Root cause"));
    for open in [
        "which conditions led to it?",
        "why was it not caught before?",
        "which tests were missing?",
    ] {
        assert_eq!(answered(open), None, "{open}");
        assert!(report.open.contains(&open.to_owned()), "{open}");
    }
    for known in ["what happened?", "who was affected?", "how long?", "why did it happen?"] {
        assert!(!report.open.contains(&known.to_owned()), "{known}");
    }
}

/// A section that the policy asks for and that no part of the report covers is open until somebody writes it.
#[test]
fn post_1_s5_a_section_that_nobody_wrote_is_open() {
    let incident =
        json!({"id": "INC-1", "facts": {"genuine_emergency": true, "cannot_wait": true}});
    let note = |text: &str| json!({"kind": "note", "by": "omar", "text": text});
    let sections = |report: &Report| -> Vec<String> {
        let of = |open: &&String| open.starts_with("the section");
        report.open.iter().filter(of).cloned().collect()
    };
    let tick = json!({"kind": "tick"});
    let report = read(&log_of("emergency-command", &incident, std::slice::from_ref(&tick)));
    let open = |name: &str| format!("the section “{name}”: not written yet");
    let wanted = ["what went wrong", "lessons", "improvements"].map(open);
    assert_eq!(sections(&report), wanted, "{:?}", report.to_improve);

    let noted = [tick, note("Lessons: check the secret"), note("To improve: rotate it earlier")];
    let report = read(&log_of("emergency-command", &incident, &noted));
    assert_eq!(sections(&report), [] as [String; 0]);
    let shown: Vec<&str> = report.custom_sections.iter().map(|part| &*part.question).collect();
    assert_eq!(shown, ["lessons"]);
}

/// A clock that nothing will ever end is not running.
#[test]
fn post_3_s3_what_the_policy_does_not_ask_for_is_not_open() {
    let incident = json!({"id": "INC-1", "severity": "P2", "detected_at": "2026-03-03T14:30:00Z"});
    let log = log_of("fast-track", &incident, &[json!({"kind": "tick"})]);
    let measures = read(&log).measures;
    for name in [MeasureName::TimeToApprove, MeasureName::TimeToAcknowledge] {
        let measure = measures.get(name);
        assert_eq!(measure.status, MeasureStatus::NotAsked, "{measure:?}");
        assert_eq!(measure.until, None);
    }
    let shown = "not asked for: the policy does not require the approval that it asks for, and nobody gave it";
    assert!(measures.to_markdown().contains(shown));
    let matrix = log_of(
        "severity-matrix",
        &json!({"id": "INC-1", "severity": "P0"}),
        &[json!({"kind": "tick"})],
    );
    let open = read(&matrix).measures.get(MeasureName::TimeToApprove);
    assert_eq!(open.status, MeasureStatus::Open);
}

/// An approval that the start does not wait for does not keep the clock of those for which it waits running.
#[test]
fn post_3_an_approval_that_blocks_nothing_is_not_waited_for() {
    let lead = json!({"any_of": ["team_lead"]});
    let approved = (MeasureStatus::Known, Some(Figure::Seconds(Span::from_seconds(600))));
    for other in [
        json!({"any_of": ["cto"], "blocking": false}),
        json!({"any_of": ["cto"], "after_the_fact": "24h"}),
    ] {
        let demands = json!([lead, other]);
        let policy = patched("fast-track", &[&vec![("/severities/P2/approvals", demands)]]);
        let incident = r#"{"id": "INC-1", "severity": "P2"}"#;
        let release = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;
        let plan = Plan::from_json(Arc::new(policy), incident, release, "").unwrap();
        let mut rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
        let mut say = |at: &str, input: Value| {
            rollout.handle(at.parse().unwrap(), &Input::from_value(input).unwrap()).unwrap();
            let measure = read(rollout.log()).measures.get(MeasureName::TimeToApprove).clone();
            (measure.status, measure.figure)
        };
        let declared = say("2026-03-03T14:40:00Z", json!({"kind": "note", "by": "a", "text": "b"}));
        assert_eq!(declared.0, MeasureStatus::Open, "{other}");
        let approval = json!({"kind": "approve", "by": "Zoe", "role": "team_lead"});
        assert_eq!(say("2026-03-03T14:50:00Z", approval), approved.clone());
        let later = json!({"kind": "approve", "by": "Ida", "role": "cto"});
        assert_eq!(say("2026-03-03T15:10:00Z", later), approved.clone());
    }
}

/// The response is acknowledged by the start of the work, and an incident that is over waits for nobody.
#[test]
fn post_3_s3_no_clock_waits_for_an_answer_that_nobody_owes() {
    let incident = |severity| json!({"id": "INC-1", "severity": severity, "detected_at": "2026-03-03T14:30:00Z"});
    let measure = |severity, inputs: &[(u32, Value)]| {
        let log = log_at("standard", &incident(severity), inputs);
        read(&log).measures.get(MeasureName::TimeToAcknowledge)
    };
    let tick = |minute| (minute, json!({"kind": "tick"}));
    let done = (5, json!({"kind": "done", "by": "omar", "duty": "p2_act"}));
    let over =
        json!({"kind": "set_times", "by": "omar", "times": {"resolved": "2026-03-03T15:00:00Z"}});
    assert_eq!(measure("P2", &[tick(0)]).status, MeasureStatus::Open);
    assert_eq!(measure("P2", &[tick(0), done, tick(60)]).status, MeasureStatus::NotAsked);
    assert_eq!(measure("P1", &[tick(0), tick(20)]).status, MeasureStatus::Open);
    let never = measure("P1", &[tick(0), (20, over), tick(300)]);
    assert_eq!(never.status, MeasureStatus::NotStated);
    assert_eq!(never.sentence, "the incident is resolved, and `acknowledged` is not recorded");
}

/// A millisecond after the time, when a driver looks again, is no figure.
#[test]
fn post_3_an_objective_that_is_missed_by_a_millisecond_is_told_without_it() {
    let incident = json!({"id": "INC-1", "severity": "P0", "detected_at": "2026-03-03T14:30:00Z"});
    let policy = Arc::new(Policy::preset("standard").unwrap());
    let release = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;
    let plan = Plan::from_json(policy, &incident.to_string(), release, "").unwrap();
    let mut rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
    let tick = Input::from_json(r#"{"kind": "tick"}"#).unwrap();
    let mut slo = |at: &str| {
        rollout.handle(at.parse().unwrap(), &tick).unwrap();
        read(rollout.log()).measures.get(MeasureName::Slo).sentence
    };
    let missed = "missed: more than the 2h allowed and still running";
    assert_eq!(slo("2026-03-03T16:30:00.001Z"), missed);
    assert_eq!(slo("2026-03-03T18:30:00.001Z"), "missed: 4h of the 2h allowed and still running");
}

/// An approval that does not count because its giver wrote the fix was given all the same.
#[test]
fn post_3_s3_an_approval_of_the_author_alone_was_given() {
    let incident = json!({"id": "INC-1", "severity": "P2", "detected_at": "2026-03-03T14:30:00Z"});
    let policy = Arc::new(Policy::preset("fast-track").unwrap());
    let release = r#"{"version": "2.3.1", "previous": "2.3.0", "author": "Zoe"}"#;
    let plan = Plan::from_json(policy, &incident.to_string(), release, "").unwrap();
    let mut rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
    let approval = r#"{"kind": "approve", "by": "Zoe", "role": "team_lead"}"#;
    let at = "2026-03-03T14:40:00Z".parse().unwrap();
    rollout.handle(at, &Input::from_json(approval).unwrap()).unwrap();
    let shown = "and only the author of the fix gave it";
    assert!(read(rollout.log()).measures.to_markdown().contains(shown));
}

/// Each figure of an incident that a preset's report asks for is one that people can state, or that the log has.
#[test]
fn post_3_every_preset_takes_every_figure_that_it_asks_for() {
    for name in Policy::presets() {
        let policy = Policy::preset(name).unwrap();
        for asked in policy.report().map(|report| report.measures.as_slice()).unwrap_or_default() {
            let facts: &[(&str, Value)] = match asked.as_str() {
                "users affected" => &[("users_affected", json!(0.4))],
                "downtime" => &[("service_down", json!(true))],
                "revenue impact" => &[("revenue_impact", json!(true))],
                "support tickets" => &[("support_tickets", json!(37))],
                "test coverage before and after" => {
                    &[("coverage_before", json!(0.7)), ("coverage_after", json!(0.8))]
                }
                // From the log: times, readings, and other incidents.
                "time to detect"
                | "time to fix"
                | "time to deploy"
                | "time to approve"
                | "time to review"
                | "incident duration"
                | "rollback needed"
                | "change of the error rate"
                | "similar incidents" => &[],
                other => panic!("{name} asks for `{other}`: say here what states it"),
            };
            for (fact, value) in facts {
                let set = json!({"kind": "set_facts", "by": "omar", "facts": {*fact: value}});
                log_of(name, &json!({"id": "INC-1"}), &[set]);
            }
        }
    }
}

/// Nobody is blamed for a call that was not made, nor for what was due as soon as it was asked for.
#[test]
fn post_2_s2_what_nobody_was_asked_for_and_what_was_due_at_once_is_not_late() {
    let by = |kind: &str, key: &str, value: Value| json!({"kind": kind, "by": "omar", key: value});
    let duty = |kind: &str, duty: &str| by(kind, "duty", json!(duty));
    let resolved = by("set_times", "times", json!({"resolved": "2026-03-03T15:30:00Z"}));
    let incident = |severity: &str| json!({"id": "INC-1", "severity": severity, "detected_at": "2026-03-03T14:40:00Z"});
    let of = |severity: &str, inputs: &[(u32, Value)]| {
        let report = read(&log_at("enterprise", &incident(severity), inputs));
        move |id: &str| report.duties.iter().find(|duty| duty.id.as_str() == id).unwrap().status
    };

    // The on-call engineer answers, so the lead is not called.
    let answered = of(
        "P0",
        &[
            (0, json!({"kind": "tick"})),
            (3, duty("acknowledge", "p0_on_call")),
            (4, duty("done", "p0_notice")),
            (50, resolved.clone()),
        ],
    );
    assert_eq!(answered("p0_on_call"), DutyOutcome::Done);
    assert_eq!(answered("p0_notice"), DutyOutcome::Done);
    assert_eq!(answered("p0_lead"), DutyOutcome::Over);
    assert_eq!(answered("p0_executive"), DutyOutcome::Over);

    // It is in the table, and not in the chart, where a bar beyond the deadline is late.
    let on_call = [(0, json!({"kind": "tick"})), (90, duty("acknowledge", "p0_on_call"))];
    let report = read(&log_at("enterprise", &incident("P0"), &on_call));
    let drawn = |id: &str| report.duties.iter().find(|duty| duty.id.as_str() == id).unwrap();
    let (page, done) = (report.write(Format::Html).unwrap(), drawn("p0_on_call"));
    assert_eq!((done.status, drawn("p0_fix").status), (DutyOutcome::Done, DutyOutcome::Open));
    assert!(
        page.contains(&done.title) && page.contains(&format!(">{}</text>", drawn("p0_fix").title))
    );
    assert!(!page.contains(&format!(">{}</text>", done.title)));

    // Nobody answers: the lead was called.
    let silent = of(
        "P0",
        &[(0, json!({"kind": "tick"})), (16, json!({"kind": "tick"})), (50, resolved.clone())],
    );
    assert_eq!(silent("p0_lead"), DutyOutcome::Missed);
    // Who was to be notified was notified of the end.
    assert_eq!(silent("p0_notice"), DutyOutcome::Done);

    // What was due before the severity demanded it could not be done earlier.
    let raised = of(
        "P1",
        &[
            (0, json!({"kind": "tick"})),
            (1, duty("acknowledge", "p1_on_call")),
            (13, by("set_severity", "severity", json!("P0"))),
            (14, duty("done", "p0_notice")),
            (50, resolved.clone()),
        ],
    );
    assert_eq!(raised("p0_notice"), DutyOutcome::Done);

    // A lower severity asks nobody again who has answered, nor for a notice that was sent.
    let lowered = of(
        "P0",
        &[
            (0, json!({"kind": "tick"})),
            (1, duty("acknowledge", "p0_on_call")),
            (2, duty("done", "p0_notice")),
            (40, by("set_severity", "severity", json!("P1"))),
            (50, resolved),
        ],
    );
    assert_eq!(lowered("p1_on_call"), DutyOutcome::Done);
    assert_eq!(lowered("p1_notice"), DutyOutcome::Done);
}

/// After an incident that ended without a fix, nothing waits for the deployment of one.
#[test]
fn post_2_no_duty_waits_for_a_fix_after_an_incident_that_ended_without_one() {
    let incident = json!({"id": "INC-1", "severity": "P1", "detected_at": "2026-03-03T14:40:00Z"});
    let abort = json!({"kind": "abort", "by": "omar", "why": "it recovered by itself"});
    let resolved = json!({"resolved": "2026-03-03T14:41:00Z"});
    let resolved = json!({"kind": "set_times", "by": "omar", "times": resolved});
    for preset in ["enterprise", "severity-matrix", "emergency-command"] {
        let waiting = |inputs: &[Value]| {
            let moments = [Moment::Deployed, Moment::Verified, Moment::Closed];
            let policy = Policy::preset(preset).unwrap();
            let report = read(&log_of(preset, &incident, inputs));
            let open = report.duties.iter().filter(|duty| duty.settled.is_none());
            let from = |id| policy.duties().iter().find(|duty| duty.id == id).map(|duty| duty.from);
            open.filter(|duty| from(duty.id).is_some_and(|from| moments.contains(&from))).count()
        };
        let tick = json!({"kind": "tick"});
        assert!(waiting(&[tick.clone(), abort.clone()]) > 0, "{preset}");
        assert_eq!(waiting(&[tick, resolved.clone(), abort.clone()]), 0, "{preset}");
    }
}
