//! What holds for every plan: sums, order, and checks that are there (PLAN-3, PLAN-4, GATE-6).

use std::sync::Arc;

use hotfix_core::grade::{AdviceCheck, Grade};
use hotfix_core::message::{Format, Rendered};
use hotfix_core::plan::{Duration, Kept, Plan, PlannedStep, Times};
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::Due;
use hotfix_core::rollout::{
    Audience, Blocker, BlockerKind, Input, MessageKind, Recording, Rollout, State,
};
use hotfix_core::unit::{Span, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

const RELEASE: &str = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;

fn plans(changes: impl Fn(&mut Value)) -> Vec<Plan> {
    let mut plans = Vec::new();
    for name in Policy::presets() {
        let mut document = serde_json::to_value(Policy::preset(name).unwrap()).unwrap();
        changes(&mut document);
        let policy = Arc::new(Policy::from_json(&document.to_string()).unwrap());
        for severity in ["P0", "P1", "P2", "P3"] {
            let incident =
                json!({"id": "INC-1", "severity": severity, "detected_at": "2026-03-03T14:06:00Z"});
            let plan = Plan::from_json(Arc::clone(&policy), &incident.to_string(), RELEASE, "");
            plans.push(plan.unwrap());
        }
    }
    plans
}

fn adds_up(times: &Times) {
    let sum = |of: fn(&hotfix_core::plan::StepTime) -> Span| {
        times.parts.iter().map(of).fold(Span::ZERO, |sum, part| sum + part)
    };
    assert_eq!((sum(|part| part.least), sum(|part| part.most)), (times.least, times.most));
    assert!(times.least <= times.most);
}

#[test]
fn plan_3_sums_add_up_and_the_timeline_ends_with_the_rollout() {
    for plan in plans(|_| {}) {
        let duration = plan.duration();
        adds_up(&duration.rollout);
        assert_eq!(plan.offsets().last().unwrap().offset, duration.rollout.least);
        // The fix is live, then complete, then the whole is over, at the earliest and at the latest.
        let sums = [&duration.until_live, &duration.until_complete, &duration.procedure];
        let mut reached = (Span::ZERO, Span::ZERO);
        for sum in sums.into_iter().flatten() {
            adds_up(sum);
            assert!(sum.least >= reached.0 && sum.most >= reached.1, "{duration:#?}");
            reached = (sum.least, sum.most);
        }
        let rollout = &duration.rollout;
        assert!(duration.procedure.is_none() || rollout.least <= reached.0);
        assert!(duration.procedure.is_none() || rollout.most <= reached.1);
        // The last step ends with the whole, or before it; the deployment when the fix is live.
        let steps = plan.procedure().steps;
        let ends = |step: &PlannedStep<'_>| step.ends.and_then(|of| Some((of.least?, of.most?)));
        if let Some((least, most)) = steps.last().and_then(ends) {
            assert!(least <= reached.0 && most <= reached.1, "{duration:#?}");
        }
        let deploys = steps.iter().find(|step| step.id.as_str().starts_with("deploy"));
        if let (Some(live), Some(step)) = (&duration.until_live, deploys) {
            assert_eq!(ends(step), Some((live.least, live.most)));
        }
    }
}

/// Plans of every preset and severity whose alerts have the expected end, with an objective to each moment.
fn with_objective(to: &str) -> Vec<Plan> {
    let objective = json!({ "name": "an objective", "within": "2h", "from": "detected", "to": to });
    let alert = json!({ "id": "a", "kind": "alert", "audience": "responders", "text": "Alert\nEnd: {{ eta }}" });
    plans(|document| {
        document["messages"] = json!([alert]);
        document["change_record"]["slo"] = objective.clone();
    })
}

#[test]
fn plan_3_objective_eta_and_page_have_the_times_of_the_duration() {
    let mut seen = 0;
    for to in ["deployed", "verified", "resolved"] {
        for plan in with_objective(to) {
            let Duration { until_live, until_complete, procedure, .. } = plan.duration();
            let known = if to == "deployed" { &until_live } else { &until_complete };
            let needs = plan.slo().slo.unwrap().needs.unwrap();
            assert!(known.as_ref().is_none_or(|known| *known == needs), "{known:?}, {needs:?}");
            let page = plan.to_markdown(None);
            let range = |what: &str| {
                let line = page.lines().find_map(|line| line.strip_prefix(&format!("- {what}: ")));
                line.and_then(|line| Some(line.split_once(" from detection")?.0.to_owned()))
            };
            let [live, complete] =
                ["until the fix is live", "until the fix is complete"].map(range);
            let shown = if to == "deployed" { &live } else { &complete };
            let sentence = plan.slo().slo.unwrap().sentence;
            assert!(shown.as_ref().is_none_or(|shown| sentence.contains(shown)), "{sentence}");
            let are_shown = [live, complete, range("whole procedure")].map(|of| of.is_some());
            assert_eq!(are_shown, [&until_live, &until_complete, &procedure].map(Option::is_some));
            let detected: Timestamp = "2026-03-03T14:06:00Z".parse().unwrap();
            let mut rollout = Rollout::try_new(plan, Recording::Off, "").unwrap();
            rollout.handle(detected, &Input::from_json(r#"{"kind": "tick"}"#).unwrap()).unwrap();
            let alert = rollout.message(MessageKind::Alert, Audience::Responders, Format::Text);
            let Ok(Rendered::Text(alert)) = alert else { panic!("{alert:?}") };
            if rollout.state() == State::Ready {
                continue;
            }
            // What waits for a decision has no end yet.
            let waits = |of: &Blocker| of.kind == BlockerKind::NormalProcess;
            let until_complete = until_complete.filter(|_| !rollout.blockers().iter().any(waits));
            let end = until_complete.map(|of| (detected + of.most).to_string()[11..16].to_owned());
            assert_eq!(alert.contains(" UTC"), end.is_some(), "{alert}");
            assert!(end.is_none_or(|end| alert.contains(&end)), "{alert}");
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn plan_3_a_verdict_says_what_its_figures_say() {
    let mut seen = Vec::new();
    for plan in plans(|_| {}) {
        let objectives = plan.slo();
        for objective in objectives.slo.iter().chain(&objectives.deadlines) {
            let (Due::Within(within), Some(needs)) = (objective.within, &objective.needs) else {
                assert_eq!(objective.verdict, None);
                continue;
            };
            adds_up(needs);
            let expected = match (needs.least <= within, needs.most <= within) {
                (_, true) => Kept::Kept,
                (true, false) => Kept::MayBeMissed,
                (false, false) => Kept::Missed,
            };
            assert_eq!(objective.verdict, Some(expected));
            seen.push(expected);
            // A start at the latest moment is in time however long its phases take, and is no start before the clock's.
            let due = objective.due.unwrap();
            if let Some(latest) = objective.latest_start {
                let phases = if objective.to == hotfix_core::grade::Moment::Deployed {
                    let steps = plan.offsets();
                    let last = plan.policy().phases().last().unwrap();
                    let least = steps.iter().rev().find(|s| s.phase == Some(last.name)).unwrap();
                    assert!(latest + least.offset <= due);
                    continue;
                } else {
                    plan.duration().rollout.most
                };
                assert_eq!(latest + phases, due);
            }
        }
    }
    for verdict in Kept::ALL {
        assert!(seen.contains(verdict), "no plan has {verdict}");
    }
}

fn with(changes: impl Fn(&mut Value)) -> Policy {
    let mut document = serde_json::to_value(Policy::preset("standard").unwrap()).unwrap();
    changes(&mut document);
    Policy::from_json(&document.to_string()).unwrap()
}

fn findings(policy: &Policy) -> Vec<String> {
    let found = policy.lint(None).into_iter().filter(|finding| finding.code() == "HF-LINT-070");
    found.map(|finding| finding.path).collect()
}

#[test]
fn gate_6_no_preset_names_a_check_that_it_lacks() {
    for name in Policy::presets() {
        assert_eq!(findings(&Policy::preset(name).unwrap()), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn gate_6_a_check_that_the_policy_lacks_is_a_finding_and_sees_to_nothing() {
    for check in AdviceCheck::ALL {
        let policy = with(|document| {
            document["advice"] = json!([{"id": "a", "kind": "do", "text": "x"}, {"id": "b", "kind": "do", "text": "y", "shown_by": check}]);
            let document = document.as_object_mut().unwrap();
            match check {
                AdviceCheck::Scope => drop(document.remove("scope")),
                AdviceCheck::Report => drop(document.remove("report")),
                AdviceCheck::MergeBack => document["vcs"]["merge_back"] = json!([]),
                AdviceCheck::Rollback => document["rollback"]["methods"] = json!([]),
                AdviceCheck::Drill => {
                    document["duties"].as_array_mut().unwrap().retain(|duty| duty["id"] != "drill");
                }
                AdviceCheck::Messages => {
                    document["messages"] = json!([]);
                    let notices =
                        |duty: &Value| duty["kind"] == "notify" || duty["kind"] == "update";
                    document["duties"].as_array_mut().unwrap().retain(|duty| !notices(duty));
                }
                AdviceCheck::Monitoring => {
                    document.remove("efficacy");
                    for metric in document["metrics"].as_object_mut().unwrap().values_mut() {
                        metric["role"] = json!("watch");
                        metric.as_object_mut().unwrap().remove("weight");
                    }
                }
                AdviceCheck::Testing | AdviceCheck::Review | AdviceCheck::Approvals => {
                    document["procedure"] = json!([]);
                    for level in document["severities"].as_object_mut().unwrap().values_mut() {
                        let level = level.as_object_mut().unwrap();
                        level.remove("testing");
                        level.remove("review");
                        level["approvals"] = json!([]);
                    }
                }
            }
        });
        assert_eq!(findings(&policy), ["/advice/1/shown_by"], "{check}");
        let incident = r#"{"id": "INC-1", "severity": "P0"}"#;
        let plan = Plan::from_json(Arc::new(policy), incident, RELEASE, "").unwrap();
        assert_eq!(plan.advice()[1].seen_to_by, None, "{check}");
        let whole = with(|document| {
            document["advice"] = json!([{"id": "b", "kind": "do", "text": "y", "shown_by": check}]);
        });
        assert_eq!(findings(&whole), Vec::<String>::new(), "{check}");
        let plan = Plan::from_json(Arc::new(whole), incident, RELEASE, "").unwrap();
        assert!(plan.advice()[0].seen_to_by.is_some(), "{check}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn plan_4_the_gravest_risks_come_first_and_equals_keep_their_order(
        grades in prop::collection::vec((0..4_usize, 0..4_usize), 0..12)
    ) {
        let risk = |(at, (likelihood, impact)): (usize, &(usize, usize))| json!({
            "id": format!("r{at}"), "risk": "x", "likelihood": Grade::ALL[*likelihood], "impact": Grade::ALL[*impact],
        });
        let mut whole = serde_json::to_value(Policy::preset("phased-canary").unwrap()).unwrap();
        whole["risks"] = grades.iter().enumerate().map(risk).collect();
        let policy = Arc::new(Policy::from_json(&whole.to_string()).unwrap());
        let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, RELEASE, "").unwrap();
        let mut expected: Vec<(usize, usize)> = grades.iter().enumerate().map(|(at, (l, i))| ((l + 1) * (i + 1), at)).collect();
        expected.sort_by_key(|(gravity, at)| (std::cmp::Reverse(*gravity), *at));
        let got: Vec<(usize, usize)> = plan.risks().register.iter().map(|risk| {
            (usize::from(risk.gravity), risk.id.as_str()[1..].parse().unwrap())
        }).collect();
        prop_assert_eq!(got, expected);
    }
}
