//! Plans: timeline, ways back, digest, refusals (PLAN).

use std::sync::Arc;

use hotfix_core::grade::RollbackMethod;
use hotfix_core::plan::{Kept, Plan, PlanError, PlanFindingKind};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, Recording, Rollout};
use serde_json::{Value, json};

use crate::lint_patch::{Patch, patched};

const INCIDENT: &str = r#"{"id":"INC-2041","service":"payments","severity":"P1"}"#;
const RELEASE: &str = r#"{"version":"2.3.1","previous":"2.3.0","methods":[
    {"kind":"git_revert"},{"kind":"redeploy","seconds":150},{"kind":"feature_flag","seconds":5}]}"#;

fn plan(incident: &str, release: &str, traffic: &str) -> Result<Plan, PlanError> {
    Plan::from_json(Arc::new(Policy::preset("phased-canary").unwrap()), incident, release, traffic)
}

/// What may be left out may be null: a tool that writes all of its keys means the same.
#[test]
fn plan_1_null_is_as_absent() {
    let known = plan(r#"{"id":"INC-1"}"#, r#"{"version":"2","previous":"1"}"#, "{}").unwrap();
    let incident = r#"{"id":"INC-1","service":null,"facts":null,"severity":null}"#;
    let release = r#"{"version":"2","previous":"1","methods":null,"merge_back":null,"flow":null,"change_record":{"links":null}}"#;
    assert!(plan(INCIDENT, "null", "null").is_ok());
    let given = plan(incident, release, r#"{"instances":null}"#).unwrap();
    assert_eq!(given.methods(), known.methods());
    assert_eq!(given.facts(), known.facts());
    // In Python and JavaScript `10.0` is as whole as `10`.
    let [whole, float] = ["10", "10.0"].map(|of| format!(r#"{{"instances":{of}}}"#));
    let [whole, float] = [whole, float].map(|traffic| plan(incident, release, &traffic).unwrap());
    assert_eq!(whole.digest(), float.digest());
    assert!(plan(incident, release, r#"{"instances":10.5}"#).is_err());
    for input in [
        r#"{"kind":"observe","metrics":{"error_rate":{"canary":[0,9],"baseline":null,"totals":null}}}"#,
        r#"{"kind":"check_item","by":"lena","item":"staging","items":null,"evidence":null}"#,
        r#"{"kind":"tick","metrics":null}"#,
    ] {
        let absent = serde_json::from_str::<Value>(input).unwrap();
        let read = Input::from_value(absent);
        assert!(read.is_ok(), "{input}: {read:?}");
    }
}

/// The log keeps both documents, and messages repeat them.
#[test]
fn plan_1_texts_of_incident_and_release_are_no_longer_than_notes() {
    let long = "x".repeat(4_097);
    let incident = |title: &str| json!({"id": "INC-1", "title": title}).to_string();
    let release =
        |cause: &str| json!({"version": "2", "previous": "1", "commit_text": {"cause": cause}});
    let refused = |incident: &str, release: &Value| {
        let error = plan(incident, &release.to_string(), "").unwrap_err();
        (error.code(), error.path())
    };
    assert!(plan(&incident(&long[1..]), &release(&long[1..]).to_string(), "").is_ok());
    let at = |path: &str| ("HF-PLAN-020", path.to_owned());
    assert_eq!(refused(&incident(&long), &release("")), at("/incident/title"));
    let given = release(&long);
    assert_eq!(refused(&incident(""), &given), at("/release/commit_text/cause"));

    // A diff of many files is longer, and its limit is another.
    let many = "1\t2\tsrc/payments.rs\n".repeat(500);
    let diff = json!({"version": "2", "previous": "1", "numstat": many}).to_string();
    let opened = plan(&incident(""), "", "").unwrap();
    assert!(plan(&incident(""), &diff, "").is_ok());
    let mut rollout = Rollout::try_new(opened, Recording::Keep, "").unwrap();
    let input = Input::from_value(json!({"kind": "release", "by": "lena", "release": given}));
    let refusal = rollout.handle("2026-03-03T14:40:00Z".parse().unwrap(), &input.unwrap());
    assert_eq!(refusal.unwrap_err().reason.code(), "HF-PLAN-020");

    // A fact is kept by the log, too, whenever it becomes known.
    let mut state = |text: &str| {
        let facts = json!({"preceding_deploy": text});
        let input = Input::from_value(json!({"kind": "set_facts", "by": "lena", "facts": facts}));
        let handled = rollout.handle("2026-03-03T14:40:00Z".parse().unwrap(), &input.unwrap());
        handled.map(drop).map_err(|refusal| (refusal.code(), refusal.path()))
    };
    assert_eq!(state(&long), Err(at("/facts/preceding_deploy")));
    assert_eq!(state(&long[1..]), Ok(()));
}

/// Without a procedure a deployment takes its own time, or that of the phases, whichever ends later.
#[test]
fn plan_3_the_time_of_a_deployment_counts_without_a_procedure() {
    let rollout = |least: u32, most: u32| {
        let own = json!({ "least": least * 60, "most": most * 60 });
        let policy = patched("phased-canary", &[&vec![("/deploying", own)]]);
        let plan = Plan::from_json(Arc::new(policy), INCIDENT, RELEASE, "").unwrap();
        let rollout = plan.duration().rollout;
        (rollout.least.as_millis() / 60_000, rollout.most.as_millis() / 60_000)
    };
    // 27 minutes until all traffic has the fix, then 30 of watch and 3 of validation.
    assert_eq!(rollout(5, 20), (60, 60));
    assert_eq!(rollout(30, 40), (63, 73));
    assert_eq!(rollout(5, 40), (60, 73));
}

/// What follows where the metrics cannot decide is what the policy says.
#[test]
fn plan_6_findings_say_what_follows_where_nothing_decides() {
    let says = |preset: &str, inconclusive: &str, failure: &str, more: Patch| {
        let phase = |at| (at, json!(inconclusive));
        let policy = vec![
            phase("/phases/0/inconclusive"),
            phase("/phases/1/inconclusive"),
            phase("/phases/2/inconclusive"),
            ("/rollback/on_failure", json!(failure)),
        ];
        let policy = Arc::new(patched(preset, &[&policy, &more]));
        let (incident, traffic) = (r#"{"id": "INC-2041"}"#, r#"{"requests_per_minute": 20}"#);
        let plan = Plan::from_json(policy, incident, RELEASE, traffic).unwrap();
        plan.findings().into_iter().map(|finding| finding.text).collect::<Vec<_>>().join("\n")
    };
    for (inconclusive, failure, then) in [
        ("ask", "roll_back", "a person is asked"),
        ("hold", "roll_back", "the phase is held"),
        ("roll_back", "roll_back", "the release is rolled back"),
        ("roll_back", "ask", "a person is asked"),
        ("roll_back", "freeze", "the rollout freezes"),
    ] {
        let few = says("phased-canary", inconclusive, failure, vec![]);
        let when = format!("are not evaluated, and {then} when the time of the phase is over");
        assert!(few.contains(&when), "{few}");
        let cpu = json!({ "cpu": { "kind": "gauge", "worse": "higher" } });
        let nothing = vec![("/efficacy", Value::Null), ("/metrics", cpu)];
        let unjudged = says("standard", inconclusive, failure, nothing);
        assert!(unjudged.contains(&format!("so {then} there")), "{unjudged}");
    }
}

#[test]
fn plan_3_s1_s_timeline_takes_sixty_minutes() {
    let plan = plan(INCIDENT, RELEASE, "").unwrap();
    let start = "2026-03-03T14:40:00Z".parse().unwrap();
    let steps: Vec<String> = plan
        .timeline(start)
        .iter()
        .map(|step| {
            let phase = step.phase.map_or(String::new(), |phase| format!(" {phase}"));
            format!("T+{} {}{phase}", step.offset.as_millis() / 60_000, step.step)
        })
        .collect();
    assert_eq!(
        steps,
        [
            "T+0 deploy canary",
            "T+2 monitor canary",
            "T+12 gate canary",
            "T+12 deploy partial",
            "T+14 monitor partial",
            "T+24 gate partial",
            "T+24 deploy full",
            "T+27 monitor full",
            "T+57 final_validation",
            "T+60 complete",
        ]
    );
    assert_eq!(plan.timeline(start)[9].at.to_string(), "2026-03-03T15:40:00.000Z");
}

/// S3 takes 8 to 15 minutes before its rollout of 20 to 25, and is watched for 30 minutes after it: it is not closed before.
#[test]
fn plan_3_until_it_is_closed_the_watch_counts() {
    let mut policy: Value =
        serde_json::from_str(&Policy::preset("fast-track").unwrap().to_json()).unwrap();
    policy["change_record"]["slo"]["to"] = json!("closed");
    let policy = Arc::new(Policy::from_json(&policy.to_string()).unwrap());
    let incident = r#"{"id":"INC-2041","severity":"P2","detected_at":"2026-03-03T14:06:00Z"}"#;
    let plan = Plan::from_json(policy, incident, RELEASE, "").unwrap();
    let slo = plan.slo().slo.unwrap();
    assert_eq!(
        slo.sentence,
        "Planned: 58min to 1h 10min, more than the 30min allowed. The limit is missed."
    );
    // Phases, validation and watch take 55 minutes: no start keeps it.
    assert_eq!((slo.verdict, slo.latest_start), (Some(Kept::Missed), None));
}

/// The lasting fix after a stop-gap is another one, and what only a stop-gap has to keep concerns no other fix.
#[test]
fn sev_6_the_deadline_of_another_fix_is_none_of_this_one() {
    let mut policy: Value =
        serde_json::from_str(&Policy::preset("enterprise").unwrap().to_json()).unwrap();
    let duty = |id: &str, from: &str, stop_gap: bool| json!({"id": id, "kind": "fix", "title": id, "from": from, "within": 86_400, "stop_gap": stop_gap});
    policy["duties"] = json!([
        duty("live", "detected", false),
        duty("lasting", "deployed", true),
        duty("off", "detected", true),
    ]);
    let policy = Arc::new(Policy::from_json(&policy.to_string()).unwrap());
    let deadlines = |stop_gap: Value| -> Vec<String> {
        let release = json!({"version": "2.3.1", "previous": "2.3.0", "stop_gap": stop_gap});
        let plan =
            Plan::from_json(Arc::clone(&policy), INCIDENT, &release.to_string(), "").unwrap();
        plan.slo().deadlines.iter().filter_map(|one| Some(one.duty?.to_string())).collect()
    };
    assert_eq!(deadlines(json!(false)), ["live"]);
    assert_eq!(deadlines(json!(true)), ["live", "off"]);
    assert_eq!(deadlines(Value::Null), ["live", "off"]);
}

#[test]
fn plan_5_the_fastest_way_back_comes_first_and_unknown_ones_last() {
    let plan = plan(INCIDENT, RELEASE, "").unwrap();
    let kinds: Vec<_> = plan.methods().iter().map(|method| method.kind).collect();
    let expected =
        [RollbackMethod::FeatureFlag, RollbackMethod::Redeploy, RollbackMethod::GitRevert];
    assert_eq!(kinds, expected);
}

#[test]
fn plan_5_with_two_sides_the_switch_back_comes_before_faster_ways() {
    use RollbackMethod::{BlueGreenSwitch, FeatureFlag, Redeploy};
    let release = r#"{"version":"2.3.1","previous":"2.3.0","methods":[
        {"kind":"redeploy","seconds":150},{"kind":"feature_flag","seconds":5},{"kind":"blue_green_switch"}]}"#;
    let preset = Policy::preset("phased-canary").unwrap().to_toml();
    for (strategy, expected) in [
        ("canary", [FeatureFlag, Redeploy, BlueGreenSwitch]),
        ("feature_flag", [FeatureFlag, Redeploy, BlueGreenSwitch]),
        ("rolling", [FeatureFlag, Redeploy, BlueGreenSwitch]),
        ("immediate", [FeatureFlag, Redeploy, BlueGreenSwitch]),
        ("blue_green", [BlueGreenSwitch, FeatureFlag, Redeploy]),
    ] {
        let text = preset.replace("strategy = \"canary\"", &format!("strategy = \"{strategy}\""));
        let policy = Arc::new(Policy::from_toml(&text).unwrap());
        assert_eq!(policy.strategy().as_str(), strategy);
        let plan = Plan::from_json(policy, INCIDENT, release, "").unwrap();
        let kinds: Vec<_> = plan.methods().iter().map(|method| method.kind).collect();
        assert_eq!(kinds, expected, "{strategy}");
    }
}

#[test]
fn plan_7_the_digest_knows_policy_incident_release_and_traffic() {
    let first = plan(INCIDENT, RELEASE, r#"{"requests_per_minute":1000}"#).unwrap();
    let same =
        plan(INCIDENT, &RELEASE.replace('\n', ""), r#"{"requests_per_minute":1e3}"#).unwrap();
    assert_eq!(first.digest(), same.digest());
    let other = plan(INCIDENT, RELEASE, r#"{"requests_per_minute":1001}"#).unwrap();
    assert_ne!(first.digest(), other.digest());
}

#[test]
fn plan_7_all_faults_of_the_documents_come_at_once_with_their_places() {
    let incident = r#"{"sevrity":"P1","detected_at":"now","severity":"p1"}"#;
    let release = r#"{"version":"2","prevous":"1","strategy":"canari","methods":[{"kind":"redeploy"},{"kind":"undo"}]}"#;
    let traffic = r#"{"requests_per_min":5,"instances":"four"}"#;
    let error = plan(incident, release, traffic).unwrap_err();
    let PlanError::Values { faults } = &error else { panic!("{error}") };
    let says = |path: &str, sentence: &str| {
        let fault = faults.iter().find(|fault| fault.path == path);
        assert!(fault.is_some_and(|fault| fault.sentence.contains(sentence)), "{path}: {error}");
    };
    says("/incident/sevrity", "did you mean `severity`?");
    says("/incident/severity", "did you mean `P1`?");
    says("/incident/detected_at", "now");
    says("/incident/id", "`id` is missing");
    says("/release/prevous", "did you mean `previous`?");
    says("/release/previous", "`previous` is missing");
    says("/release/strategy", "did you mean `canary`?");
    says("/release/methods/1/kind", "`undo` is not allowed here");
    says("/traffic/requests_per_min", "did you mean `requests_per_minute`?");
    says("/traffic/instances", "\"four\" is not allowed here");
    assert_eq!((faults.len(), error.code()), (10, "HF-PLAN-001"));
}

#[test]
fn plan_7_what_cannot_be_a_plan_is_refused_with_its_place() {
    let cases = [
        (r#"{"id":" "}"#, RELEASE, "", "HF-PLAN-002", "/incident/id"),
        (r#"{"id":"I","sevrity":"P1"}"#, RELEASE, "", "HF-PLAN-001", "sevrity"),
        (INCIDENT, r#"{"version":"1","previous":"1"}"#, "", "HF-PLAN-003", "`1`"),
        (
            INCIDENT,
            r#"{"version":"1","previous":"0","bug_metric":"cpu"}"#,
            "",
            "HF-PLAN-004",
            "bug",
        ),
        (
            INCIDENT,
            RELEASE,
            r#"{"requests_per_minute":0}"#,
            "HF-PLAN-005",
            "/traffic/requests_per_minute",
        ),
        (INCIDENT, RELEASE, r#"{"instances":2,"canary_instances":3}"#, "HF-PLAN-005", "at most"),
        (
            r#"{"id":"I","began_at":"2026-05-04T14:00:00Z","detected_at":"2026-05-04T08:50:00Z"}"#,
            RELEASE,
            "",
            "HF-PLAN-019",
            "/incident/began_at",
        ),
        (
            r#"{"id":"I","began_at":"2026-05-04T14:00:00Z","facts":{"detected_at":"2026-05-04T08:50:00Z"}}"#,
            RELEASE,
            "",
            "HF-PLAN-019",
            "after it was detected (2026-05-04T08:50:00.000Z): correct one of them",
        ),
        (
            r#"{"id":"I","detected_at":"1970-01-01T00:00:00Z"}"#,
            RELEASE,
            "",
            "HF-PLAN-019",
            "before 2001-09-09: check the year",
        ),
        (
            r#"{"id":"I","facts":{"began_at":"1970-01-01T00:00:00Z"}}"#,
            RELEASE,
            "",
            "HF-PLAN-019",
            "/incident/facts/began_at",
        ),
        (
            r#"{"id":"I","facts":{"service_down":true,"cosmetic":true,"service_down":true}}"#,
            RELEASE,
            "",
            "HF-PLAN-001",
            "member `service_down` occurs twice",
        ),
        (
            INCIDENT,
            r#"{"version":"1","previous":"0","change_record":{"links":{"tests":"a","tests":"b"}}}"#,
            "",
            "HF-PLAN-001",
            "member `tests` occurs twice",
        ),
        (r#"{"id":"I","facts":{"servce_down":true}}"#, RELEASE, "", "HF-PLAN-009", "service_down"),
        (
            r#"{"id":"I","facts":{"users_affected":2.0}}"#,
            RELEASE,
            "",
            "HF-PLAN-009",
            "/users_affected",
        ),
    ];
    for (incident, release, traffic, code, names) in cases {
        let error = plan(incident, release, traffic).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(names), "{error}");
    }
}

#[test]
fn plan_1_names_with_control_characters_are_refused() {
    let plain = r#"{"version":"2","previous":"1"}"#;
    for (incident, release, path) in [
        (r#"{"id":"INC-1\u0000"}"#, plain, "/incident/id"),
        (r#"{"id":"I","service":"pay\nments"}"#, plain, "/incident/service"),
        (r#"{"id":"I"}"#, r#"{"version":"2\u0000-rc1","previous":"1"}"#, "/release/version"),
        (r#"{"id":"I"}"#, r#"{"version":"2","previous":"1\u001b"}"#, "/release/previous"),
    ] {
        let error = plan(incident, release, "").unwrap_err();
        assert_eq!((error.code(), error.path().as_str()), ("HF-PLAN-018", path));
        assert!(!error.to_string().contains(char::is_control), "{error:?}");
    }
}

#[test]
fn plan_1_a_value_that_cannot_be_read_is_named_as_json_has_it() {
    for (incident, traffic, says) in [
        (r#"{"id":null}"#, "", "null is not allowed here: write a text"),
        (INCIDENT, r#"{"instances":1099511627776}"#, "write a whole number from 0 to 4294967295"),
        (r#"["INC-1"]"#, "", "a list is not allowed here: write an object"),
    ] {
        let error = plan(incident, RELEASE, traffic).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

/// Nobody but the author holds the role, and the policy wants somebody else: a plan that never starts says so.
#[test]
fn plan_6_findings_say_that_only_the_author_could_approve() {
    let found = |holders: Value, more: Value| {
        let approvals = json!([{ "any_of": ["engineer"], "author_alone": more }]);
        let roles = json!({ "engineer": { "title": "Engineer", "holders": holders } });
        let policy = vec![("/roles", roles), ("/severities/P1/approvals", approvals)];
        let policy =
            Arc::new(patched("phased-canary", &[&policy, &vec![("/approvals", json!([]))]]));
        let release = r#"{"version": "2", "previous": "1", "author": "Max <max@example.org>"}"#;
        let plan = Plan::from_json(policy, INCIDENT, release, "").unwrap();
        let findings = plan.findings().into_iter();
        findings
            .filter(|of| of.kind == PlanFindingKind::AuthorOnly)
            .map(|of| of.text)
            .collect::<Vec<_>>()
    };
    let (max, mia) = (json!({ "name": "Max" }), json!({ "name": "Mia" }));
    let [text] = &found(json!([max]), json!(false))[..] else { panic!("one finding") };
    assert!(text.contains("`engineer`") && text.contains("`author_alone`"), "{text}");
    let none: Vec<String> = Vec::new();
    assert_eq!(found(json!([max]), json!(true)), none);
    assert_eq!(found(json!([max, mia]), json!(false)), none);
    assert_eq!(found(json!([]), json!(false)), none);
}

/// The start waits for a rollback point that neither the release nor an item of a list at the start names.
#[test]
fn plan_7_the_first_steps_have_the_rollback_point() {
    let steps = |patches: Patch, release: &str| {
        let demanded = ("/rollback/point", json!(true));
        let policy = Arc::new(patched("standard", &[&vec![demanded], &patches]));
        let plan = Plan::from_json(policy, r#"{"id":"INC-1"}"#, release, "").unwrap();
        let steps: Vec<String> = plan.first_steps().into_iter().map(|step| step.text).collect();
        (steps.join("\n"), plan.to_markdown(None))
    };
    let release = r#"{"version":"2","previous":"1"}"#;
    let named = r#"{"version":"2","previous":"1","point":{"commit":"4ae1f"}}"#;
    let (text, page) = steps(vec![], release);
    assert!(text.contains("check the item rollback_point with the commit, artifact"), "{text}");
    assert!(page.contains("to roll back to as evidence"), "{page}");
    let (text, page) = steps(vec![], named);
    assert!(!text.contains("roll back to") && !page.contains("roll back to as"), "{page}");
    let list = |at: &str| {
        let item = json!({ "id": "saved", "text": "t", "records": "rollback_point" });
        vec![("/checklists", json!([{ "id": "a", "title": "Save", "at": at, "items": [item] }]))]
    };
    let (text, _) = steps(list("start"), release);
    assert!(text.ends_with("check the 1 item of \"Save\""), "{text}");
    let (text, _) = steps(list("before"), release);
    assert!(text.contains("check the item saved with the commit"), "{text}");
}

/// The report is due by its own time, where no duty to write is due by then.
#[test]
fn post_2_what_follows_has_the_report_without_a_duty() {
    let duties = |within: &str, severity: &str| {
        let write = json!({ "id": "written", "kind": "write", "title": "t", "from": "resolved",
            "within": within, "severities": ["P0"] });
        let levels = json!({ "P0": { "label": "a", "hotfix": true }, "P1": { "label": "b", "hotfix": true } });
        let report = ("/report", json!({ "within": "4h" }));
        let patches = vec![("/severities", levels), ("/duties", json!([write])), report];
        let policy = Arc::new(patched("standard", &[&patches]));
        let incident = format!(r#"{{"id":"INC-1","severity":"{severity}"}}"#);
        let plan = Plan::from_json(policy, &incident, "", "").unwrap();
        let duties = plan.follow_up().duties;
        let duties = duties.iter().map(|duty| format!("{} {}", duty.id, duty.within));
        duties.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(duties("4h", "P0"), "written 4h");
    assert_eq!(duties("1d", "P0"), "written 1d, incident_report 4h");
    assert_eq!(duties("4h", "P1"), "incident_report 4h");
}
