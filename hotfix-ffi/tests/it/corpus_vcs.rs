//! The shared cases of source control through the C functions.

use hotfix::policy::hotfix_policy_to_json;
use hotfix::time::hotfix_time_parse;
use hotfix::vcs::{
    hotfix_branch_name, hotfix_next_version, hotfix_timestamp_tag, hotfix_version_tag,
    hotfix_versioning,
};
use serde_json::{Value, json};

use crate::common::{Failed, Plan, Policy, buffer, call, in_crate, plan_view, raw};
use crate::shared::vcs_cases::{Answer, NameCase, PlanCase, Versions, Wrong};

fn folder() -> std::path::PathBuf {
    in_crate("../hotfix-core/tests/cases/vcs")
}

fn time(text: &str) -> i64 {
    let ((at, len), mut millis) = (raw(text), 0);
    // SAFETY: live text and slot.
    call(|e| unsafe { hotfix_time_parse(at, len, &raw mut millis, e) }).unwrap();
    millis
}

fn plan(case: &PlanCase) -> Result<Value, Wrong> {
    let preset = Policy::preset(&case.policy).unwrap();
    // SAFETY: a live handle and buffer.
    let text = buffer(|out, e| unsafe { hotfix_policy_to_json(preset.0, out, e) }).unwrap();
    let policy = Policy::from_json(&case.document(&text)).unwrap();
    let (incident, release) = (case.incident.to_string(), case.release.to_string());
    let plan = Plan::new(&policy, [&incident, &release, ""]).unwrap();
    let text = plan_view(&plan, "source_control", &json!({"at": case.at}).to_string());
    let wrong =
        |failed: Failed| Wrong { code: failed.code, path: failed.path, message: failed.message };
    Ok(serde_json::from_str(&text.map_err(wrong)?).unwrap())
}

#[test]
fn vcs_1_every_document_has_its_lines_in_its_order_in_c() {
    let cases = PlanCase::load(&folder());
    assert!(cases.len() >= 30, "only {} cases", cases.len());
    let faults: Vec<String> = cases.iter().flat_map(|case| case.faults(plan(case))).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn alone(text: Result<String, Failed>) -> Answer {
    text.map(|text| (text, Vec::new())).map_err(|failed| failed.code)
}

#[test]
fn vcs_2_branches_are_named_after_descriptions_in_c() {
    let name = |case: &NameCase| {
        let description = case.description();
        let ((at, len), (prefix, prefix_len)) = (raw(&description), raw(&case.prefix));
        // SAFETY: live texts and buffer.
        alone(buffer(|out, e| unsafe { hotfix_branch_name(at, len, prefix, prefix_len, out, e) }))
    };
    let faults: Vec<String> =
        NameCase::load(&folder()).iter().filter_map(|case| case.fault(&name(case))).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn vcs_3_vcs_4_versions_and_tags_in_c() {
    let cases = Versions::load(&folder());
    let mut faults = Vec::new();
    for case in &cases.next {
        let kind = match case.kind.as_str() {
            "patch" => hotfix_versioning::Patch,
            _ => hotfix_versioning::HotfixIdentifier,
        };
        let (at, len) = raw(&case.version);
        // SAFETY: live text and buffer.
        let next = buffer(|out, e| unsafe { hotfix_next_version(at, len, kind as i32, out, e) });
        let read = |text: String| {
            let next: Value = serde_json::from_str(&text).unwrap();
            let findings = next["findings"].as_array().unwrap().iter();
            let codes =
                findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect();
            (next["version"].as_str().unwrap().to_owned(), codes)
        };
        faults.extend(case.fault(&next.map(read).map_err(|failed| failed.code)));
    }
    for case in &cases.tag {
        // SAFETY: live texts and buffers.
        let tag = unsafe {
            match (&case.version, &case.at) {
                (Some(version), _) => {
                    let (at, len) = raw(version);
                    buffer(|out, e| hotfix_version_tag(at, len, out, e))
                }
                (None, at) => {
                    let at = time(at.as_deref().unwrap());
                    buffer(|out, e| hotfix_timestamp_tag(at, out, e))
                }
            }
        };
        faults.extend(case.fault(&alone(tag)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
