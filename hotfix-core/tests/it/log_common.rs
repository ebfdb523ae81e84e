//! A recorded log that names people wherever a log can.

use std::sync::Arc;

use hotfix_core::canonical::Digest;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, Recording, Rollout};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::Value;

use crate::ready;
use crate::story::Story;

pub(crate) const SALT: &str = "pepper & salt";

/// Everything in the log that is about a person.
pub(crate) const PERSONAL: [&str; 10] = [
    "Iris Moreau",
    "+44 20 7946 0018",
    "Omar Haddad",
    "omar@example.org",
    "Lena Ode",
    "lena@example.org",
    "Noor Haddad",
    "amir",
    "Quinn",
    SALT,
];

const HOUSE: &str = r#"
extends = "phased-canary"
name = "house"
approvals = [{ any_of = ["engineering_lead"], blocking = true, verbal = true }]

[roles.engineering_lead]
title = "engineering lead"
holders = [{ name = "Iris Moreau", reach = "+44 20 7946 0018" }, { name = "Omar Haddad <omar@example.org>" }]
reach = "the pager of payments"

[roles.incident_commander]
reach = "the bridge"

[roles.product_manager]
title = "product manager"
holders = [{ name = "Noor Haddad" }]
"#;

pub(crate) fn policy() -> Arc<Policy> {
    Arc::new(Policy::from_toml(HOUSE).unwrap())
}

pub(crate) fn release(author: &str) -> Value {
    serde_json::json!({
        "version": "2.3.1",
        "previous": "2.3.0",
        "author": author,
        "methods": [{"kind": "redeploy", "seconds": 150}, {"kind": "feature_flag", "seconds": 5}],
        "change_record": { "prepared_by": { "name": "Quinn", "kind": "person" }, "build": "456" },
    })
}

pub(crate) fn plan(policy: Arc<Policy>, release: &Value) -> Plan {
    let incident = r#"{"id":"INC-2041","service":"payments","severity":"P1"}"#;
    let traffic = r#"{"requests_per_minute":1000}"#;
    Plan::from_json(policy, incident, &release.to_string(), traffic).unwrap()
}

pub(crate) fn rollout() -> Rollout {
    let release = release("Lena Ode <lena@example.org>");
    Rollout::try_new(plan(policy(), &release), Recording::Keep, SALT).unwrap()
}

/// A rollout with names in every kind of place: an approval that somebody heard, a refused one, items, a few looks.
pub(crate) fn recorded() -> Rollout {
    let mut rollout = rollout();
    let mut at: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
    let mut deliver = |rollout: &mut Rollout, text: &str| {
        at = at + Span::from_seconds(1);
        rollout.handle(at, &Input::from_json(text).unwrap()).map(|_| ())
    };
    let mut send = |rollout: &mut Rollout, text: &str| {
        let refused = text.contains("Noor");
        let outcome = deliver(rollout, text).map_err(|refusal| refusal.to_string());
        assert_eq!(outcome.is_err(), refused, "{text}: {outcome:?}");
    };
    send(&mut rollout, r#"{"kind":"approve","by":"Noor Haddad","role":"engineering_lead"}"#);
    send(
        &mut rollout,
        r#"{"kind":"approve","by":"Iris Moreau","role":"engineering_lead","channel":"verbal","heard_by":"amir"}"#,
    );
    while let Some(input) = ready::next(&rollout) {
        send(&mut rollout, &input.to_string());
    }
    send(&mut rollout, r#"{"kind":"start","by":"Lena Ode"}"#);
    let healthy: Value = serde_json::from_str(&Story::healthy(0.1, 0)).unwrap();
    let look = serde_json::json!({"kind": "observe", "metrics": healthy}).to_string();
    for _ in 0..3 {
        while let Some(action) = rollout.pending_actions().first() {
            let confirm = format!(r#"{{"kind":"confirm","by":"tool","action":"{}"}}"#, action.id);
            send(&mut rollout, &confirm);
        }
        send(&mut rollout, &look);
    }
    rollout
}

/// The salted digest of a name, as the page on the log says.
pub(crate) fn salted(name: &str) -> Digest {
    Digest::of(format!("{SALT}\0{name}").as_bytes())
}

/// The lines of a log, with their line feeds.
pub(crate) fn lines(log: &str) -> Vec<&str> {
    log.split_inclusive('\n').collect()
}

/// The log with its lines' content changed and the chain made anew.
pub(crate) fn rewritten(log: &str, mut change: impl FnMut(usize, &mut Value)) -> String {
    let mut encoder = hotfix_core::canonical::Encoder::new();
    let (mut head, mut out) = (Digest::ZERO, Vec::new());
    for (index, line) in log.lines().enumerate() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        change(index, &mut line);
        let object = line.as_object_mut().unwrap();
        object.remove("hash");
        object.insert("prev".to_owned(), head.to_string().into());
        head = encoder.seal(&line, &mut out).unwrap();
    }
    String::from_utf8(out).unwrap()
}
