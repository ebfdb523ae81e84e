//! The shared cases of plans through the C functions: documents, pages, charts.

use std::collections::BTreeMap;
use std::ptr::null;

use hotfix::plan::hotfix_plan_timeline;
use hotfix::plan_page::{hotfix_plan_json, hotfix_plan_markdown};
use hotfix::status::hotfix_status;
use hotfix_core::canonical::digest;
use serde_json::{Value, json};

use crate::common::{Failed, Plan, Policy, buffer, in_crate, plan_view, raw};
use crate::shared::plan_common::PlanCase;

fn document(plan: &Plan) -> Value {
    // SAFETY: a live handle and buffer.
    let text = buffer(|out, e| unsafe { hotfix_plan_json(plan.0, out, e) });
    serde_json::from_str(&text.unwrap()).unwrap()
}

fn timeline(plan: &Plan, start: &str) -> Value {
    let start: hotfix_core::unit::Timestamp = start.parse().unwrap();
    // SAFETY: a live handle and buffer.
    let text = buffer(|out, e| unsafe { hotfix_plan_timeline(plan.0, start.as_millis(), out, e) });
    serde_json::from_str(&text.unwrap()).unwrap()
}

fn page(plan: &Plan, start: &str) -> Result<String, Failed> {
    let (at, len) = raw(start);
    // SAFETY: a live handle, text and buffer.
    buffer(|out, e| unsafe { hotfix_plan_markdown(plan.0, at, len, out, e) })
}

fn chart(plan: &Plan, start: &str) -> Result<String, Failed> {
    let args = match start {
        "" => String::new(),
        start => json!({"start": start}).to_string(),
    };
    plan_view(plan, "gantt", &args)
}

fn faults(case: &PlanCase, presets: &BTreeMap<String, Policy>) -> Vec<String> {
    let parts = case.parts.each_ref().map(String::as_str);
    match (Plan::new(&presets[&case.policy], parts), &case.error) {
        (Err(failed), Some((code, path))) => {
            assert_eq!(failed.status, hotfix_status::Plan);
            let same = (&failed.code, &failed.path) == (code, path);
            (!same).then(|| format!("{}: {failed:?}", case.id)).into_iter().collect()
        }
        (Err(failed), None) => vec![format!("{}: {failed:?}", case.id)],
        (Ok(_), Some(_)) => vec![format!("{}: a plan was made of it", case.id)],
        (Ok(plan), None) => {
            let mut faults = case.faults(&document(&plan));
            if let Some(start) = &case.start {
                faults.extend(case.time_faults(&timeline(&plan, start)));
            }
            faults
        }
    }
}

#[test]
fn plan_3_plan_4_plan_7_plan_8_gate_6_every_case_holds_in_c() {
    let cases = PlanCase::load(&in_crate("../hotfix-core/tests/cases/plan"));
    assert!(cases.len() > 40, "only {} cases", cases.len());
    let mut presets = BTreeMap::new();
    for case in &cases {
        let load = || Policy::preset(&case.policy).unwrap();
        presets.entry(case.policy.clone()).or_insert_with(load);
    }
    let wrong: Vec<String> = cases.iter().flat_map(|case| faults(case, &presets)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const PARTS: [&str; 3] = [r#"{"id":"INC-2041"}"#, r#"{"version":"2.3.1","previous":"2.3.0"}"#, ""];

#[test]
fn plan_7_pages_and_charts_are_those_of_rust() {
    let policy = Policy::preset("phased-canary").unwrap();
    let plan = Plan::new(&policy, PARTS).unwrap();
    let preset = hotfix_core::policy::Policy::preset("phased-canary").unwrap();
    let rust = hotfix_core::plan::Plan::from_json(preset.into(), PARTS[0], PARTS[1], "").unwrap();
    let start = "2026-03-03T14:40:00Z";
    for (text, at) in [("", None), (start, Some(start.parse().unwrap()))] {
        assert_eq!(page(&plan, text).unwrap(), rust.to_markdown(at));
        assert_eq!(chart(&plan, text).unwrap(), rust.gantt(at));
    }
    // Seconds have a fraction in one and none in the other.
    let (c, rust) = (digest(&document(&plan)).unwrap(), digest(&rust.document()).unwrap());
    assert_eq!(c, rust);
}

#[test]
fn plan_7_a_start_that_is_no_time_is_refused_with_its_name() {
    let policy = Policy::preset("phased-canary").unwrap();
    let plan = Plan::new(&policy, PARTS).unwrap();
    for (call, place) in [(page as fn(&Plan, &str) -> _, "start"), (chart, "/args/start")] {
        for bad in ["soon", " ", "2026-03-03T14:40:00", "\u{0}"] {
            let failed = call(&plan, bad).unwrap_err();
            assert_eq!((failed.status, failed.path.as_str()), (hotfix_status::Unit, place));
        }
    }
    // SAFETY: a live buffer; null is refused for the handle.
    unsafe {
        let failed = buffer(|out, e| hotfix_plan_markdown(null(), null(), 0, out, e)).unwrap_err();
        assert_eq!(failed.status, hotfix_status::Null);
    }
}
