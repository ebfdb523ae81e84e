//! What must be there before the start: the scenario's morning under its house policy (GATE).

use std::sync::Arc;

use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{
    Act, Input, Recording, Redaction, Refusal, Rollout, State, audit, redact,
};
use hotfix_core::unit::Timestamp;
use serde_json::{Value, json};

use crate::tree;

struct Morning {
    rollout: Rollout,
    policy: Arc<Policy>,
}

impl Morning {
    fn new() -> Self {
        Self::under(&tree::read(&tree::root().join("examples/policies/payments.toml")))
    }

    fn under(text: &str) -> Self {
        let policy = Arc::new(Policy::from_toml(text).unwrap());
        let plan = Plan::from_json(
            Arc::clone(&policy),
            r#"{"id":"INC-2041","service":"payments","severity":"P1"}"#,
            r#"{"version":"2.3.1","previous":"2.3.0"}"#,
            "",
        );
        Self { rollout: Rollout::try_new(plan.unwrap(), Recording::Keep, "").unwrap(), policy }
    }

    fn try_input(&mut self, clock: &str, text: &str) -> Result<Vec<Act>, Refusal> {
        let at: Timestamp = format!("2026-03-03T{clock}:00Z").parse().unwrap();
        let outcome = self.rollout.handle(at, &Input::from_json(text).unwrap())?;
        Ok(outcome.actions.iter().map(|action| action.act.clone()).collect())
    }

    fn input(&mut self, clock: &str, text: &str) -> Vec<Act> {
        self.try_input(clock, text).unwrap()
    }

    /// Checks every item but one.
    fn check_all_but(&mut self, left_open: &str) {
        let policy = Arc::clone(&self.policy);
        for item in policy.checklists().iter().flat_map(|list| &list.items) {
            let id = item.id;
            if id.as_str() != left_open {
                self.input(
                    "14:20",
                    &format!(r#"{{"kind":"check_item","by":"omar","item":"{id}"}}"#),
                );
            }
        }
    }
}

#[test]
fn gate_1_both_roles_approve_before_the_start() {
    let mut morning = Morning::new();
    let asked = morning.input("14:15", r#"{"kind":"note","by":"lena","text":"fix is on its way"}"#);
    assert_eq!(asked.iter().filter(|act| matches!(act, Act::RequestApproval { .. })).count(), 2);
    morning.check_all_but("");
    assert_eq!(morning.rollout.state(), State::AwaitingApproval);
    morning.input(
        "14:31",
        r#"{"kind":"approve","by":"lena","role":"engineering_lead","channel":"chat"}"#,
    );
    assert_eq!(morning.rollout.state(), State::AwaitingApproval);
    let refusal = morning.try_input("14:32", r#"{"kind":"start","by":"omar"}"#).unwrap_err();
    assert_eq!(refusal.code(), "HF-ROLL-007");
    assert!(refusal.to_string().contains("`product_manager`"), "{refusal}");
    morning.input("14:34", r#"{"kind":"approve","by":"noor","role":"product_manager"}"#);
    assert_eq!(morning.rollout.state(), State::Ready);
    morning.input("14:35", r#"{"kind":"withdraw","by":"noor","role":"product_manager"}"#);
    assert_eq!(morning.rollout.state(), State::AwaitingApproval);
    let refusal =
        morning.try_input("14:36", r#"{"kind":"withdraw","by":"noor","role":"product_manager"}"#);
    assert_eq!(refusal.unwrap_err().code(), "HF-ROLL-009");
}

#[test]
fn gate_1_a_denial_stands_until_the_role_says_otherwise() {
    let mut morning = Morning::new();
    morning.check_all_but("");
    morning.input("14:31", r#"{"kind":"approve","by":"lena","role":"engineering_lead"}"#);
    morning.input("14:32", r#"{"kind":"approve","by":"noor","role":"product_manager"}"#);
    morning.input("14:33", r#"{"kind":"deny","by":"sam","role":"security","why":"unreviewed"}"#);
    assert_eq!(morning.rollout.state(), State::AwaitingApproval);
    let refusal = morning.try_input("14:34", r#"{"kind":"start","by":"lena"}"#).unwrap_err();
    assert!(refusal.to_string().contains("`security` denied the plan"), "{refusal}");
    morning.input("14:35", r#"{"kind":"approve","by":"sam","role":"security"}"#);
    assert_eq!(morning.rollout.state(), State::Ready);
}

#[test]
fn gate_2_no_start_while_a_required_item_is_open() {
    let mut morning = Morning::new();
    morning.check_all_but("rollback_tested");
    morning.input("14:31", r#"{"kind":"approve","by":"lena","role":"engineering_lead"}"#);
    morning.input("14:34", r#"{"kind":"approve","by":"noor","role":"product_manager"}"#);
    assert_eq!(morning.rollout.state(), State::Drafted);
    let refusal = morning.try_input("14:36", r#"{"kind":"start","by":"lena"}"#).unwrap_err();
    assert!(refusal.to_string().contains("`rollback_tested` is open"), "{refusal}");
    let unknown = morning.try_input(
        "14:37",
        r#"{"kind":"waive_item","by":"lena","item":"rollback_testd","why":"?"}"#,
    );
    let unknown = unknown.unwrap_err();
    assert_eq!((unknown.code(), unknown.path().as_str()), ("HF-ROLL-008", "/item"));
    assert!(unknown.to_string().contains("did you mean `rollback_tested`?"), "{unknown}");
    morning.input("14:38", r#"{"kind":"check_item","by":"omar","item":"rollback_tested"}"#);
    assert_eq!(morning.rollout.state(), State::Ready);
    let acts = morning.input("14:40", r#"{"kind":"start","by":"lena"}"#);
    assert!(acts.iter().any(|act| matches!(act, Act::Deploy { .. })));
    let again = Rollout::replay(morning.rollout.log().as_bytes(), Recording::Keep).unwrap();
    assert_eq!(again.state(), State::Deploying);
}

/// The house policy, with this put in before its name.
fn house(more: &str) -> String {
    let text = tree::read(&tree::root().join("examples/policies/payments.toml"));
    let (before, after) = text.split_once("\nname = ").unwrap();
    format!("{before}\n{more}\nname = {after}")
}

/// The house policy with its list about the way back at another moment.
fn house_with_rollback_at(moment: &str) -> String {
    house(&format!("checklists = [{{ id = \"rollback\", at = {moment} }}]"))
}

#[test]
fn gate_2_the_start_waits_for_start_lists_alone() {
    for moment in ["before", "deployed", "verified", "final_validation", "rolled_back", "after"] {
        let mut morning = Morning::under(&house_with_rollback_at(&format!("\"{moment}\"")));
        morning.check_all_but("rollback_tested");
        morning.input("14:31", r#"{"kind":"approve","by":"lena","role":"engineering_lead"}"#);
        morning.input("14:34", r#"{"kind":"approve","by":"noor","role":"product_manager"}"#);
        assert_eq!(morning.rollout.state(), State::Ready, "{moment}");
        // An item of such a list is an item all the same, before the start and after it.
        morning.input("14:35", r#"{"kind":"check_item","by":"omar","item":"rollback_tested"}"#);
        morning.input("14:40", r#"{"kind":"start","by":"lena"}"#);
    }
    // The default is `start`.
    let mut morning = Morning::under(&house_with_rollback_at("{ remove = true }"));
    morning.check_all_but("rollback_tested");
    assert_eq!(morning.rollout.state(), State::Drafted);
}

#[test]
fn gate_1_the_start_waits_for_no_approval_that_may_follow_or_holds_nothing_up() {
    for (key, waits) in [
        ("verbal = true", true),
        ("author_alone = true", true),
        ("blocking = true", true),
        ("blocking = false", false),
        ("after_the_fact = \"24h\"", false),
    ] {
        let demand = format!("approvals = [{{ any_of = [\"release_manager\"], {key} }}]");
        let mut morning = Morning::under(&house(&demand));
        let note = r#"{"kind":"note","by":"lena","text":"fix is on its way"}"#;
        let asked = morning.input("14:15", note);
        let asked = asked.iter().filter(|act| matches!(act, Act::RequestApproval { .. })).count();
        assert_eq!(asked, 3, "{key}: asked for it is");
        morning.check_all_but("");
        morning.input("14:31", r#"{"kind":"approve","by":"lena","role":"engineering_lead"}"#);
        morning.input("14:32", r#"{"kind":"approve","by":"noor","role":"product_manager"}"#);
        let expected = if waits { State::AwaitingApproval } else { State::Ready };
        assert_eq!(morning.rollout.state(), expected, "{key}");
        // A denial counts whoever may be asked afterwards.
        morning.input(
            "14:33",
            r#"{"kind":"deny","by":"iris","role":"release_manager","why":"not today"}"#,
        );
        assert_eq!(morning.rollout.state(), State::AwaitingApproval, "{key}");
    }
}

/// What is on record, but for the names.
fn on_record(rollout: &Rollout) -> Value {
    let mut record = json!({
        "state": rollout.state(),
        "severity": rollout.severity(),
        "blockers": rollout.blockers(),
        "approvals": rollout.approvals(),
        "checklists": rollout.checklists(),
        "procedure": rollout.procedure(),
        "interventions": rollout.interventions(),
        "accepted": rollout.accepted(),
    });
    without_names(&mut record);
    record
}

fn without_names(value: &mut Value) {
    match value {
        Value::Object(table) => {
            // The list of roles that may clear a blocker is no name.
            table.remove("by");
            table.remove("heard_by");
            table.values_mut().for_each(without_names);
        }
        Value::Array(list) => list.iter_mut().for_each(without_names),
        _ => {}
    }
}

/// Who wrote the fix is on record as a fact, so names can be taken out and nobody's approval counts for more or less (GATE-1).
#[test]
fn gate_1_a_log_without_names_gives_the_same_approvals() {
    let policy = Arc::new(Policy::preset("enterprise").unwrap());
    let plan = Plan::from_json(
        policy,
        r#"{"id":"INC-2041","severity":"P0"}"#,
        r#"{"version":"2.3.1","previous":"2.3.0","author":"Lena Ode"}"#,
        "",
    );
    let mut rollout = Rollout::try_new(plan.unwrap(), Recording::Keep, "pepper").unwrap();
    let digest = rollout.plan().digest().to_string();
    let at: Timestamp = "2026-03-03T14:31:00Z".parse().unwrap();
    for text in [
        r#"{"kind":"approve","by":"lena ode","role":"engineering_lead","channel":"chat"}"#,
        r#"{"kind":"approve","by":"Noor Vis","role":"on_call_manager","heard_by":"Omar Pak"}"#,
        r#"{"kind":"deny","by":"Lena Ode","role":"security","why":"wait"}"#,
        r#"{"kind":"waive_item","by":"Omar Pak","item":"staging_smoke","why":"no staging"}"#,
        r#"{"kind":"set_severity","by":"Iris Ma","severity":"P0"}"#,
    ] {
        rollout.handle(at, &Input::from_json(text).unwrap()).unwrap();
    }
    let log = rollout.log();
    let approvals: Vec<&str> = log.lines().filter(|l| l.contains(r#""kind":"approve""#)).collect();
    assert!(approvals.iter().all(|line| line.contains(&digest)), "each names the plan");
    assert!(approvals[0].contains(r#""author":true"#) && !approvals[1].contains(r#""author""#));
    let mut redacted = String::new();
    for line in log.lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line.as_object_mut().unwrap().remove("personal");
        redacted.push_str(&line.to_string());
        redacted.push('\n');
    }
    // The plan names the author; who spoke stands in no line.
    for name in ["lena ode", "Noor", "Omar", "Iris"] {
        assert!(log.contains(name) && !redacted.contains(name), "{name}");
    }
    let again = Rollout::replay(redacted.as_bytes(), Recording::Keep).unwrap();
    assert_eq!(on_record(&again), on_record(&rollout));
    assert_eq!(
        json!(again.approvals())["demands"][0]["state"],
        "approved",
        "one of two, with another's"
    );
    assert!(audit(redacted.as_bytes(), rollout.head()).is_clean());
}

/// A tool sends one shape for whatever a role answers: nothing that it says is lost, and a witness can be taken out of the log.
#[test]
fn field_5_an_objection_says_where_it_was_given_and_who_heard_it() {
    let mut morning = Morning::new();
    let waived = json!({"kind":"waive_item","by":"omar","item":"rollback_tested"});
    let with = |more: Value| {
        let mut document = waived.clone();
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Input::from_value(document)
    };
    for text in [
        r#"{"kind":"approve","by":"noor","role":"product_manager","channel":"ticket"}"#,
        r#"{"kind":"withdraw","by":"noor","role":"product_manager","channel":"phone","heard_by":"Omar Pak","why":"late"}"#,
        r#"{"kind":"deny","by":"lena","role":"engineering_lead","channel":"phone","heard_by":"Omar Pak","why":"unreviewed"}"#,
        // Nobody heard it: an objection is accepted all the same.
        r#"{"kind":"deny","by":"sam","role":"security","channel":"verbal"}"#,
        r#"{"kind":"note","by":"lena","text":"on it","why":"they asked"}"#,
    ] {
        morning.input("14:31", text);
    }
    let reason = with(json!({"evidence": "no staging", "status": "waived"})).unwrap();
    let at: Timestamp = "2026-03-03T14:32:00Z".parse().unwrap();
    let line = morning.rollout.handle(at, &reason).unwrap().events.to_owned();
    assert!(line.contains(r#""why":"no staging""#), "{line}");
    for (more, code, says) in [
        (json!({"why": "w", "status": "not_applicable"}), "HF-IN-001", "or send `check_item`"),
        (json!({"why": "w", "evidence": "w"}), "HF-IN-004", "`evidence`"),
        (json!({"status": "waived"}), "HF-IN-003", "`why`"),
        (json!({"kind": "check_item", "status": "waived"}), "HF-IN-001", "or send `waive_item`"),
    ] {
        let error = with(more).unwrap_err();
        assert!(error.code() == code && error.to_string().contains(says), "{error}");
    }

    let log = morning.rollout.log();
    let again = Rollout::replay(log.as_bytes(), Recording::Keep).unwrap();
    assert_eq!(again.approvals(), morning.rollout.approvals());
    let given = json!(again.approvals());
    let said: Vec<&Value> = given["demands"][0]["statements"].as_array().unwrap().iter().collect();
    assert_eq!(
        [&said[0]["answer"], &said[0]["channel"], &said[0]["heard_by"]],
        ["denied", "phone", "Omar Pak"]
    );
    let report = hotfix_core::report::report(log.as_bytes(), "markdown").unwrap();
    for says in [
        "denied the plan, by phone, heard by another person",
        "withdrew the approval, by phone, heard by another person",
        "denied the plan, by verbal",
        "| they asked |",
    ] {
        assert!(report.contains(says), "{says}: {report}");
    }
    let redacted = redact(log.as_bytes(), &Redaction::Names(vec!["omar pak".to_owned()])).unwrap();
    assert!(log.contains("Omar Pak") && !redacted.contains("Omar Pak"));
    let without = Rollout::replay(redacted.as_bytes(), Recording::Keep).unwrap();
    assert_eq!(on_record(&without), on_record(&again));
    assert!(audit(redacted.as_bytes(), morning.rollout.head()).is_clean());
}

/// The names of kinds are short: the rest of a long text is not compared with them.
#[test]
fn field_5_a_kind_of_a_megabyte_is_refused_at_once() {
    let error = Input::from_value(json!({"kind": "x".repeat(1 << 20), "by": "lena"})).unwrap_err();
    assert_eq!((error.code(), error.path().as_str()), ("HF-IN-002", "/kind"));
    assert!(error.to_string().len() < 700, "{error}");
    let error = Input::from_value(json!({"kind": "aprove", "by": "lena"})).unwrap_err();
    assert!(error.to_string().ends_with("the nearest is `approve`"), "{error}");
}
