//! What holds of the gates before a start, whatever comes in (GATE-1, GATE-2, FIELD-14).

use std::sync::{Arc, LazyLock};

use hotfix_core::gate::DemandState;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{BlockerKind, Input, Recording, Rollout, State, audit};
use hotfix_core::unit::{Span, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::ready;

const POLICY: &str = r#"
extends = "standard"
name = "gates"
approvals = [
    { any_of = ["engineering_manager", "team_lead"], verbal = true, notified = ["cto"] },
    { any_of = ["on_call_engineer"], after_the_fact = "1h" },
]
checklists = [
    { id = "one", title = "t", items = [{ id = "built", text = "t" }, { id = "nice", text = "t", required = false }] },
    { id = "two", title = "t", severities = ["P0"], items = [{ id = "bridge", text = "t" }] },
    { id = "three", title = "t", when = "payments_down", items = [{ id = "ledger", text = "t", if_applicable = true }] },
]
"#;

/// The policy above, with its own lists alone.
static HOUSE: LazyLock<Arc<Policy>> = LazyLock::new(|| {
    let mut document: toml::Table = POLICY.parse().unwrap();
    let lists = document.remove("checklists").unwrap();
    let policy = Policy::from_toml(&document.to_string()).unwrap();
    let mut policy: Value = serde_json::from_str(&policy.to_json()).unwrap();
    policy["checklists"] = serde_json::to_value(lists).unwrap();
    Arc::new(Policy::from_json(&policy.to_string()).unwrap())
});

fn rollout(severity: Option<&str>) -> Rollout {
    let plan = Plan::from_json(
        Arc::clone(&HOUSE),
        &json!({"id": "INC-2041", "severity": severity}).to_string(),
        r#"{"version": "2.3.1", "previous": "2.3.0", "author": "lena"}"#,
        "",
    );
    Rollout::try_new(plan.unwrap(), Recording::Keep, "pepper").unwrap()
}

fn input() -> impl Strategy<Value = Value> {
    let role = || {
        prop::sample::select(vec![
            "engineering_manager",
            "team_lead",
            "primary_on_call",
            "secondary_on_call",
            "cto",
            "security",
        ])
    };
    let by = || prop::sample::select(vec!["lena", "omar", "tariq", "noor", " "]);
    let heard = prop::sample::select(vec![json!(null), json!("omar"), json!("noor")]);
    let item = || prop::sample::select(vec!["built", "nice", "bridge", "ledger", "biult"]);
    let status = prop::sample::select(vec!["done", "not_applicable", "open"]);
    let down = prop::sample::select(vec![json!(null), json!(true), json!(false), json!("x")]);
    prop_oneof![
        6 => (by(), role(), heard).prop_map(|(by, role, heard)| {
            json!({"kind": "approve", "by": by, "role": role, "heard_by": heard})
        }),
        1 => (by(), role()).prop_map(|(by, role)| json!({"kind": "deny", "by": by, "role": role})),
        1 => (by(), role()).prop_map(|(by, role)| json!({"kind": "withdraw", "by": by, "role": role})),
        6 => (item(), status).prop_map(|(item, status)| {
            json!({"kind": "check_item", "by": "omar", "item": item, "status": status, "evidence": "seen"})
        }),
        1 => item().prop_map(|item| json!({"kind": "waive_item", "by": "omar", "item": item, "why": "so"})),
        1 => prop::sample::select(vec!["P0", "P1", "P2", "P3"])
            .prop_map(|severity| json!({"kind": "set_severity", "by": "omar", "severity": severity})),
        1 => down.prop_map(|down| json!({"kind": "set_facts", "by": "omar", "facts": {"payments_down": down}})),
    ]
}

/// Everything that can be asked, names included.
fn on_record(rollout: &Rollout) -> Value {
    json!({
        "state": rollout.state(),
        "blockers": rollout.blockers(),
        "approvals": rollout.approvals(),
        "checklists": rollout.checklists(),
        "procedure": rollout.procedure(),
        "interventions": rollout.interventions(),
        "facts": rollout.facts(),
        "severity": rollout.severity(),
        "accepted": rollout.accepted(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A start is taken exactly where nothing blocks it, and then every demand that holds it is met and every required
    /// item that may apply is settled, counted anew.
    #[test]
    fn gate_1_and_gate_2_a_start_is_taken_exactly_where_nothing_blocks(
        inputs in prop::collection::vec(input(), 1..40),
        severity in prop::sample::select(vec![None, Some("P0"), Some("P1"), Some("P3")]),
        also_ready in any::<bool>(),
    ) {
        let mut rollout = rollout(severity);
        let mut at: Timestamp = "2026-03-03T14:00:00Z".parse().unwrap();
        for input in &inputs {
            at = at + Span::from_seconds(1);
            let _ = rollout.handle(at, &Input::from_value(input.clone()).unwrap());
            let mut trial = rollout.clone();
            let blockers = trial.blockers();
            let started = trial.handle(at, &Input::from_json(r#"{"kind":"start","by":"omar"}"#).unwrap());
            prop_assert_eq!(started.is_ok(), blockers.is_empty(), "{:?}", blockers);
            if let Err(refusal) = &started {
                prop_assert_eq!(refusal.code(), "HF-ROLL-007");
                let sentence = refusal.to_string();
                // Five are told, and how many more there are.
                let told = blockers.iter().take(5).all(|b| sentence.contains(&b.sentence));
                let more = blockers.len().saturating_sub(5);
                prop_assert!(told, "{}", sentence);
                prop_assert_eq!(sentence.contains(&format!("and {more} more")), more > 0, "{}", sentence);
            } else {
                prop_assert!(may_start(&rollout));
                prop_assert!(trial.blockers().is_empty());
            }
            // What a blocker names does clear it.
            for blocker in &blockers {
                prop_assert!(!blocker.clears.is_empty() && !blocker.sentence.is_empty(), "{blocker:?}");
                prop_assert!(blocker.kind != BlockerKind::Policy);
            }
        }
        if also_ready {
            ready::make(&mut rollout, at);
            prop_assert_eq!(rollout.state(), State::Ready);
            rollout.handle(at, &Input::from_json(r#"{"kind":"start","by":"omar"}"#).unwrap()).unwrap();
            for input in &inputs {
                let _ = rollout.handle(at, &Input::from_value(input.clone()).unwrap());
            }
        }
        let log = rollout.log();
        if !log.is_empty() {
            let again = Rollout::replay(log.as_bytes(), Recording::Keep).unwrap();
            prop_assert_eq!(on_record(&again), on_record(&rollout));
            let found = audit(log.as_bytes(), rollout.head());
            prop_assert!(found.is_clean(), "{:?}", found.findings);
        }
    }
}

/// The slow way: straight from the words and marks that the record shows.
fn may_start(rollout: &Rollout) -> bool {
    let policy = rollout.plan().policy();
    let approvals = rollout.approvals();
    let record = json!(approvals);
    let all: Vec<&Value> = record["demands"].as_array().unwrap().iter().collect();
    let denied = record.to_string().contains(r#""answer":"denied""#);
    let by_others = |demand: &Value| {
        let words = demand["statements"].as_array().map(Vec::as_slice).unwrap_or_default();
        words.iter().any(|word| {
            let spoken = word.get("heard_by").is_some();
            word["answer"] == "approved"
                && word["author"] != true
                && (!spoken || demand["verbal"] == true)
        })
    };
    let lacking: Vec<&&Value> =
        all.iter().filter(|d| d["holds_start"] == true && !by_others(d)).collect();
    // The author may stand for one, where another person met another.
    let met = lacking.is_empty() || (lacking.len() == 1 && all.iter().any(|d| by_others(d)));
    let severity = rollout.severity();
    let open_items = rollout.checklists().into_iter().any(|list| {
        list.holds_start
            && list.items.iter().any(|item| item.required && json!(item.state) == "open")
    });
    let states = approvals.demands.iter().filter(|d| d.holds_start).map(|d| d.state);
    !denied
        && met
        && states.into_iter().all(|state| state == DemandState::Approved)
        && !open_items
        && severity.is_some_and(|severity| policy.severity(severity).is_some())
}

/// GATE-2: long, odd and hostile texts are texts on record and nothing else; what is no input stays none.
#[test]
fn gate_2_hostile_texts_are_kept_as_they_are() {
    let mut rollout = rollout(Some("P1"));
    let at: Timestamp = "2026-03-03T14:00:00Z".parse().unwrap();
    let odd = "`$(rm -rf /)`\n\u{202e}\u{0}\"}]\u{1f525}";
    for input in [
        json!({"kind": "approve", "by": odd, "role": "cto", "channel": odd, "why": odd}),
        json!({"kind": "deny", "by": odd, "role": "security", "why": odd}),
        json!({"kind": "waive_item", "by": odd, "item": "built", "why": odd.repeat(100)}),
        json!({"kind": "check_item", "by": odd, "item": "ledger", "evidence": odd}),
    ] {
        rollout.handle(at, &Input::from_value(input).unwrap()).unwrap();
    }
    let blocker = &rollout.blockers()[0];
    assert_eq!(blocker.kind, BlockerKind::Denial);
    assert!(
        !blocker.sentence.contains('\n') && !blocker.sentence.contains('\u{202e}'),
        "{blocker:?}"
    );
    let words = json!(rollout.approvals());
    assert_eq!(words["unasked"][0]["why"], odd, "in full where it is asked for");
    for (input, code) in [
        (json!({"kind": "approve", "by": "x".repeat(257), "role": "cto"}), "HF-IN-005"),
        (json!({"kind": "approve", "by": "x", "role": "../cto"}), "HF-IN-001"),
        (json!({"kind": "approve", "by": "x", "role": "cto", "heard_by": ["y"]}), "HF-IN-001"),
        (json!({"kind": "approve", "by": "x"}), "HF-IN-003"),
        (json!({"kind": "check_item", "by": "x", "item": "a".repeat(40)}), "HF-IN-001"),
        (
            json!({"kind": "waive_item", "by": "x", "item": "built", "why": "x".repeat(4097)}),
            "HF-IN-005",
        ),
    ] {
        let error = Input::from_value(input).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
    let log = rollout.log().to_owned();
    let again = Rollout::replay(log.as_bytes(), Recording::Keep).unwrap();
    assert_eq!(on_record(&again), on_record(&rollout));
}
