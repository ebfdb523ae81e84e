//! What plans say: timelines, objectives, procedures, risks and records of the documents (PLAN-3, PLAN-4, PLAN-7, PLAN-8, GATE-6).

use std::collections::BTreeMap;
use std::sync::Arc;

use hotfix_core::plan::{Plan, PlanError};
use hotfix_core::policy::Policy;
use serde_json::{Value, json};

use crate::crate_files;
use crate::shared::plan_common::PlanCase;

type Presets = BTreeMap<&'static str, Arc<Policy>>;

fn plan(case: &PlanCase, presets: &Presets) -> Result<Plan, PlanError> {
    let policy = Arc::clone(&presets[case.policy.as_str()]);
    let [incident, release, traffic] = &case.parts;
    Plan::from_json(policy, incident, release, traffic)
}

fn faults(case: &PlanCase, presets: &Presets) -> Vec<String> {
    match (plan(case, presets), &case.error) {
        (Err(error), Some((code, path))) => {
            let got = (error.code(), error.path());
            let same = got == (code, path.clone());
            (!same).then(|| format!("{}: {got:?} {error}", case.id)).into_iter().collect()
        }
        (Err(error), None) => vec![format!("{}: {error}", case.id)],
        (Ok(_), Some(_)) => vec![format!("{}: a plan was made of it", case.id)],
        (Ok(plan), None) => {
            let mut faults = case.faults(&serde_json::to_value(plan.document()).unwrap());
            if let Some(start) = &case.start {
                let timeline = plan.timeline(start.parse().unwrap());
                faults.extend(case.time_faults(&serde_json::to_value(timeline).unwrap()));
            }
            faults
        }
    }
}

#[test]
fn plan_3_plan_4_plan_7_plan_8_gate_6_every_case_holds() {
    let cases = PlanCase::load(&crate_files::in_crate("tests/cases/plan"));
    assert!(cases.len() > 40, "only {} cases", cases.len());
    let presets: Presets = Policy::presets()
        .iter()
        .map(|name| (*name, Arc::new(Policy::preset(name).unwrap())))
        .collect();
    let wrong: Vec<String> = cases.iter().flat_map(|case| faults(case, &presets)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn plan_7_the_document_has_each_view_as_its_call_gives_it() {
    for name in Policy::presets() {
        let policy = Arc::new(Policy::preset(name).unwrap());
        let release = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;
        let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, release, "").unwrap();
        let document: Value = serde_json::from_str(&plan.to_json()).unwrap();
        for (view, wanted) in [
            ("strategy", json!(plan.strategy())),
            ("recommendation", json!(plan.recommendation())),
            ("rollback", json!(plan.rollback())),
            ("scope", json!(plan.scope())),
            ("demands", json!(plan.demands())),
            ("duration", json!(plan.duration())),
            ("change_record", json!(plan.change_record())),
        ] {
            assert_eq!(document[view], wanted, "{name}: {view}");
        }
        // They take milliseconds, and need a time.
        assert!(document.get("power").is_none() && document.get("source_control").is_none());
    }
}

#[test]
fn plan_3_page_and_chart_show_a_veto_window() {
    let mut document: Value =
        serde_json::from_str(&Policy::preset("phased-canary").unwrap().to_json()).unwrap();
    for phase in [0, 2] {
        document["phases"][phase]["gate"] = json!("veto");
        document["phases"][phase]["veto"] = json!("30min");
    }
    let policy = Arc::new(Policy::from_json(&document.to_string()).unwrap());
    let release = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;
    let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, release, "").unwrap();
    let page = plan.to_markdown(None);
    assert!(page.contains("| `canary` | 10% | 2min | 10min | veto, 30min |"), "{page}");
    assert!(page.contains("| T+12min | gate | `canary` |\n| T+42min | deploy |"), "{page}");
    assert!(page.contains("| gate | `full` |\n| T+1h 57min | final validation |"), "{page}");
    let chart = plan.gantt(Some("2026-03-03T14:40:00Z".parse().unwrap()));
    assert!(chart.contains("Gate canary :p2, 2026-03-03T14:52:00, 2026-03-03T15:22:00"), "{chart}");
    assert!(chart.contains("Gate partial :milestone,"), "{chart}");
}
