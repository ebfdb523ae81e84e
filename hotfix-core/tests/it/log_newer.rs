//! Logs that a newer release wrote: what is unknown is kept, or named with the release that reads it (ROLL-7).

use hotfix_core::rollout::{Recording, Redaction, Rollout, audit, redact};
use serde_json::json;

use crate::log_common::{lines, recorded, rewritten};

const HERE: &str = env!("CARGO_PKG_VERSION");

#[test]
fn roll_7_members_of_a_newer_release_are_kept_and_change_nothing() {
    let rollout = recorded();
    let newer = rewritten(rollout.log(), |index, line| {
        line["aside"] = json!({"index": index, "of": [0.1, null]});
        line["zeta"] = "\u{1f525}".into();
    });
    let again = Rollout::replay(newer.as_bytes(), Recording::Keep).unwrap();
    assert_eq!(again.log(), newer);
    assert_eq!(again.stage(), rollout.stage());
    assert_eq!(audit(newer.as_bytes(), again.head()).findings, []);
    let redacted = redact(newer.as_bytes(), &Redaction::Everything).unwrap();
    assert!(lines(&redacted).iter().all(|line| line.contains("aside") && line.contains("zeta")));
}

#[test]
fn roll_7_what_a_newer_release_wrote_is_named_with_the_release_that_reads_it() {
    let rollout = recorded();
    let log = rollout.log();
    let at = |kind: &str| {
        log.lines().position(|line| line.contains(&format!(r#""kind":"{kind}""#))).unwrap()
    };
    let (start, look) = (at("start"), at("observe"));
    let last = lines(log).len() - 1;
    let here = format!("this is release {HERE}: read the log with a newer one");
    let newer_than = format!("its event `mend` needs a release newer than {HERE}");
    for (what, line, change, code, words) in [
        ("a kind", last, json!({"kind": "mend"}), "HF-LOG-009", &[newer_than.as_str(), &here][..]),
        (
            "a kind with its release",
            last,
            json!({"kind": "mend", "needs": "77.2.0"}),
            "HF-LOG-009",
            &["its event `mend` needs release 77.2.0", &here],
        ),
        (
            "a kind that should be known",
            last,
            json!({"kind": "mend", "needs": "0.0.1"}),
            "HF-LOG-009",
            &[newer_than.as_str()],
        ),
        (
            "a stage",
            start,
            json!({"to": {"state": "healing"}, "needs": "77.2.0"}),
            "HF-LOG-009",
            &["its event `start` (", "needs release 77.2.0", &here],
        ),
        (
            "an action",
            start,
            json!({"actions": [{"id": "1.0", "kind": "mend"}], "needs": "77.2.0"}),
            "HF-LOG-009",
            &["its event `start` (", "mend", "needs release 77.2.0"],
        ),
        (
            "another meaning",
            look,
            json!({"needs": "77.2.0"}),
            "HF-LOG-009",
            &["its event `observe` needs release 77.2.0"],
        ),
        ("no version", look, json!({"needs": "soon"}), "HF-LOG-009", &["needs release soon"]),
        ("a stage without", start, json!({"to": {"state": "healing"}}), "HF-LOG-005", &["healing"]),
        (
            "a stage of this release",
            start,
            json!({"to": {"state": "healing"}, "needs": HERE}),
            "HF-LOG-005",
            &["healing"],
        ),
        ("no kind", look, json!({"kind": 7, "needs": "77.2.0"}), "HF-LOG-005", &[]),
    ] {
        let newer = rewritten(log, |index, value| {
            if index == line {
                value.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            }
        });
        let error = Rollout::replay(newer.as_bytes(), Recording::Keep).unwrap_err();
        assert_eq!((error.code(), error.line), (code, line + 1), "{what}: {error}");
        for word in words {
            assert!(error.to_string().contains(word), "{what}: {error}");
        }
        let found = audit(newer.as_bytes(), None).findings;
        assert_eq!((found[0].code, found[0].line), (code, line + 1), "{what}");
        assert_eq!(found.len(), 1, "the chain over it holds, {what}: {found:?}");
        // Names are taken out of it all the same.
        redact(newer.as_bytes(), &Redaction::Everything).unwrap();
    }
    let fits = rewritten(log, |_, line| line["needs"] = HERE.into());
    assert!(audit(fits.as_bytes(), None).is_clean());
}

#[test]
fn roll_7_the_first_format_needs_no_newer_release() {
    for line in recorded().log().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line.get("needs"), None);
    }
}
