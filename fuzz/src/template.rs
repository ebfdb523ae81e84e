//! Reads any bytes as a message's template: the policy is refused with the place, or it is loaded,
//! and then every format of the message is written within its limits, or its budget is used up.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use hotfix_core::grade::{Audience, MessageKind};
use hotfix_core::message::{Format, Rendered, Request};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, Recording, Rollout};
use serde_json::{Value, json};

/// Loaded once: a fuzzer calls often.
static POLICY: LazyLock<Value> = LazyLock::new(|| {
    let policy = Policy::preset("fast-track").expect("a preset loads");
    serde_json::from_str(&policy.to_json()).expect("it is JSON")
});

/// Reads the bytes as the text of an update; the first byte selects the audience.
pub fn template(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let Ok(text) = str::from_utf8(rest) else { return };
    let audience = Audience::ALL[usize::from(*first) % Audience::ALL.len()];
    let mut document = POLICY.clone();
    document["messages"] =
        json!([{ "id": "m", "kind": "update", "audience": audience, "text": text }]);
    let policy = match Policy::from_json(&document.to_string()) {
        Ok(policy) => policy,
        Err(errors) => {
            for error in &errors {
                // The first: the text is blank.
                let known = ["HF-POL-008", "HF-POL-045", "HF-POL-062", "HF-POL-063"];
                let known = known.contains(&error.code());
                assert!(known && error.path() == "/messages/0/text", "{error}");
                assert!(!error.sentence().contains('\n'), "{error}");
            }
            return;
        }
    };
    assert_eq!(policy.messages()[0].text, text);
    write(policy, audience);
}

fn write(policy: Policy, audience: Audience) {
    let plan = Plan::from_json(
        Arc::new(policy),
        r#"{"id": "INC-1", "title": "SECRET <b>", "severity": "P2"}"#,
        r#"{"version": "SECRET-2", "previous": "SECRET-1", "description": "SECRET"}"#,
        "",
    )
    .expect("a plan is made");
    let mut rollout = Rollout::try_new(plan, Recording::HandOut, "").expect("its tests are set");
    let note = Input::from_json(r#"{"kind": "note", "by": "SECRET", "text": "SECRET"}"#);
    let at = "2026-03-03T14:08:00Z".parse().expect("a time");
    rollout.handle(at, &note.expect("an input")).map_err(|r| r.reason).expect("a note is taken");
    for format in Format::ALL {
        let lines = "one\n<!here> two\n".to_owned();
        let values = BTreeMap::from([
            ("metrics".to_owned(), lines),
            ("status_page".to_owned(), "https://status.example.org".to_owned()),
        ]);
        let request =
            Request { audience, format: *format, values, ..Request::new(MessageKind::Update) };
        let told = match rollout.message_for(&request) {
            Ok(told) => told,
            Err(error) => {
                assert_eq!(error.code(), "HF-MSG-006", "{error}");
                continue;
            }
        };
        check(&told, audience);
    }
}

fn check(told: &Rendered, audience: Audience) {
    let text = told.to_string();
    // A template may contain it; a policy of the fuzzer hardly does.
    if audience == Audience::Public {
        assert!(!text.contains("SECRET-") && !text.contains("\"SECRET"), "{text}");
    }
    match told {
        Rendered::Text(text) => {
            let blank = text.lines().any(|line| line.trim().is_empty());
            assert!(
                !text.contains(['\u{1}', '\u{2}', '\u{3}']) && (!blank || text.contains("\n\n"))
            );
        }
        Rendered::Json(document) => {
            let blocks = document["blocks"].as_array().map_or(0, Vec::len);
            assert!(blocks <= 50, "{blocks} blocks");
            let summary = document["payload"]["summary"].as_str().unwrap_or_default();
            assert!(summary.encode_utf16().count() <= 1_024);
            assert!(document["attachments"].is_null() || text.len() <= 20_000, "{}", text.len());
        }
    }
}
