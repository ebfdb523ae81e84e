//! The contract of a plan's views, its page and commit messages: null is an error, and an answer is a text.

use std::ptr::{null, null_mut};

use hotfix::buffer::hotfix_buf;
use hotfix::commit::*;
use hotfix::hook::hotfix_hook_panic_rollout;
use hotfix::plan::*;
use hotfix::plan_page::*;
use hotfix::status::hotfix_status;
use hotfix::view_table::{PLAN_VIEWS, ROLLOUT_VIEWS};
use hotfix::views::{View, Write, hotfix_plan_view, hotfix_rollout_view};

use crate::common::{
    Failed, Plan, Policy, Rollout, buffer, call, fails, in_crate, number, plan_view, raw,
    rollout_view,
};

const PARTS: &str = r#"{"summary": "read the secret"}"#;

#[test]
fn plan_7_views_take_a_plan_and_a_buffer() {
    let (plan, policy) = (Plan::any(), Policy::preset("phased-canary").unwrap());
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let out = &raw mut buf;
    let (parts, len) = (PARTS.as_ptr().cast(), PARTS.len());
    // SAFETY: null where that is refused, else live.
    let refused = unsafe {
        [
            call(|e| hotfix_plan_power(null(), out, e)),
            call(|e| hotfix_plan_power(plan.0, null_mut(), e)),
            call(|e| hotfix_plan_json(null(), out, e)),
            call(|e| hotfix_plan_json(plan.0, null_mut(), e)),
            call(|e| hotfix_plan_markdown(null(), null(), 0, out, e)),
            call(|e| hotfix_plan_markdown(plan.0, null(), 1, out, e)),
            call(|e| hotfix_plan_markdown(plan.0, null(), 0, null_mut(), e)),
            call(|e| hotfix_plan_commit_message(null(), parts, len, out, e)),
            call(|e| hotfix_plan_commit_message(plan.0, null(), 1, out, e)),
            call(|e| hotfix_plan_commit_message(plan.0, parts, len, null_mut(), e)),
            call(|e| hotfix_policy_commit_message(null(), parts, len, out, e)),
            call(|e| hotfix_policy_commit_message(policy.0, null(), 1, out, e)),
            call(|e| hotfix_policy_commit_message(policy.0, parts, len, null_mut(), e)),
            call(|e| hotfix_policy_parse_commit_message(null(), parts, len, out, e)),
            call(|e| hotfix_policy_parse_commit_message(policy.0, null(), 1, out, e)),
            call(|e| hotfix_policy_parse_commit_message(policy.0, parts, len, null_mut(), e)),
        ]
    };
    for (at, result) in refused.into_iter().enumerate() {
        assert_eq!(result.unwrap_err().status, hotfix_status::Null, "{at}");
    }
    assert!(buf.data.is_null());
    // SAFETY: null is refused, and nobody asked for the error.
    assert_eq!(unsafe { hotfix_plan_json(null(), out, null_mut()) }, hotfix_status::Null);
}

#[test]
fn plan_7_views_are_texts() {
    let (plan, policy) = (Plan::any(), Policy::preset("phased-canary").unwrap());
    let (parts, len) = (PARTS.as_ptr().cast(), PARTS.len());
    // SAFETY: live handles, buffers and texts.
    let (json, page) = unsafe {
        (
            [
                buffer(|out, e| hotfix_plan_json(plan.0, out, e)),
                plan_view(&plan, "scope", ""),
                plan_view(&plan, "demands", ""),
                buffer(|out, e| hotfix_plan_power(plan.0, out, e)),
                buffer(|out, e| hotfix_plan_commit_message(plan.0, parts, len, out, e)),
                buffer(|out, e| hotfix_policy_commit_message(policy.0, parts, len, out, e)),
            ],
            buffer(|out, e| hotfix_plan_markdown(plan.0, null(), 0, out, e)).unwrap(),
        )
    };
    let [document, rest @ ..] =
        json.map(|text| serde_json::from_str::<serde_json::Value>(&text.unwrap()).unwrap());
    for view in ["strategy", "recommendation", "rollback", "scope", "demands"] {
        assert!(document[view].is_object(), "{view}");
    }
    assert!(document.get("power").is_none());
    assert!(rest.iter().all(serde_json::Value::is_object));
    assert!(
        page.starts_with("# Hot-fix plan for ") && page.contains("## What each phase can detect")
    );
}

/// The argument that a view has.
const fn args<T>(view: &View<T>) -> &'static str {
    match view.write {
        Some(Write::At(_)) => r#"{"at": "2026-03-03T14:40:00Z"}"#,
        Some(Write::Start(_)) => r#"{"start": "2026-03-03T14:40:00+01:00"}"#,
        None | Some(Write::Now(_)) => "",
    }
}

fn check_table<T>(views: &[View<T>]) {
    for (index, view) in views.iter().enumerate() {
        // A number is never used again: a new view has the next one.
        assert_eq!(view.number, i32::try_from(index + 1).unwrap(), "{}", view.name);
        assert!(views[..index].iter().all(|other| other.name != view.name), "{}", view.name);
        assert!(view.write.is_some(), "{}: the tests have every part", view.name);
    }
}

#[test]
fn every_view_is_written_for_a_live_handle_and_for_no_other() {
    check_table(ROLLOUT_VIEWS);
    check_table(PLAN_VIEWS);
    let (plan, rollout, broken) = (Plan::any(), Rollout::any(), Rollout::any());
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let out = &raw mut buf;
    fails! { Panic:
        hotfix_hook_panic_rollout(broken.0);
    }
    let is_json = |name: &str, text: &str| {
        let is_text =
            ["comparison_markdown", "openmetrics", "icalendar", "power_markdown", "gantt"];
        let json = serde_json::from_str::<serde_json::Value>(text);
        assert_eq!(json.is_err(), is_text.contains(&name), "{name}: {text}");
    };
    for view in ROLLOUT_VIEWS {
        is_json(view.name, &rollout_view(&rollout, view.name, args(view)).unwrap());
        let (of, (at, len)) = (view.number, raw(args(view)));
        fails! { Null:
            hotfix_rollout_view(null(), of, at, len, out);
            hotfix_rollout_view(rollout.0, of, null(), 1, out);
            hotfix_rollout_view(rollout.0, of, at, len, null_mut());
        }
        fails! { Poisoned:
            hotfix_rollout_view(broken.0, of, at, len, out);
        }
        fails! { Handle:
            hotfix_rollout_view(plan.0.cast(), of, at, len, out);
        }
    }
    for view in PLAN_VIEWS {
        is_json(view.name, &plan_view(&plan, view.name, args(view)).unwrap());
        let (of, (at, len)) = (view.number, raw(args(view)));
        fails! { Null:
            hotfix_plan_view(null(), of, at, len, out);
            hotfix_plan_view(plan.0, of, null(), 1, out);
            hotfix_plan_view(plan.0, of, at, len, null_mut());
        }
        fails! { Handle:
            hotfix_plan_view(rollout.0.cast(), of, at, len, out);
        }
    }
    assert!(buf.data.is_null());
}

#[test]
fn a_number_that_is_no_view_and_a_wrong_argument_are_errors_with_a_place() {
    let (plan, rollout) = (Plan::any(), Rollout::any());
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let (out, bad) = (&raw mut buf, c"ab\xff".as_ptr());
    for of in [0, -1, i32::MAX, 1_000] {
        fails! { Enum:
            hotfix_rollout_view(rollout.0, of, null(), 0, out);
            hotfix_plan_view(plan.0, of, null(), 0, out);
        }
    }
    fails! { Utf8:
        hotfix_rollout_view(rollout.0, number(ROLLOUT_VIEWS, "why"), bad, 3, out);
        hotfix_plan_view(plan.0, number(PLAN_VIEWS, "gantt"), bad, 3, out);
    }
    let wrong = |view: Result<String, Failed>, status, code: &str, path: &str| {
        let failed = view.unwrap_err();
        let got = (failed.status, failed.code.as_str(), failed.path.as_str());
        assert_eq!(got, (status, code, path), "{}", failed.message);
    };
    let input = hotfix_status::Input;
    for (name, args, code, path) in [
        ("why", "[]", "HF-IN-001", "/args"),
        ("why", r#"{"at": "2026-03-03T14:40:00Z"}"#, "HF-FFI-012", "/args/at"),
        ("openmetrics", "", "HF-FFI-012", "/args/at"),
        ("openmetrics", "{}", "HF-FFI-012", "/args/at"),
        ("openmetrics", r#"{"at": 1772548800000}"#, "HF-FFI-012", "/args/at"),
        ("icalendar", r#"{"when": "2026-03-03T14:40:00Z"}"#, "HF-FFI-012", "/args/when"),
    ] {
        wrong(rollout_view(&rollout, name, args), input, code, path);
    }
    let time = r#"{"at": "now"}"#;
    wrong(
        rollout_view(&rollout, "icalendar", time),
        hotfix_status::Unit,
        "HF-UNIT-003",
        "/args/at",
    );
    let other = r#"{"at": "2026-03-03T14:40:00Z"}"#;
    wrong(plan_view(&plan, "gantt", other), input, "HF-FFI-012", "/args/at");
    wrong(plan_view(&plan, "source_control", "{}"), input, "HF-FFI-012", "/args/at");
    // Without its start a chart counts from zero; blank text is no argument.
    assert_eq!(plan_view(&plan, "gantt", " ").unwrap(), plan_view(&plan, "gantt", "{}").unwrap());
}

/// The part of the Python stub that declares a class.
fn python_class(name: &str) -> String {
    let stub = std::fs::read_to_string(in_crate("../hotfix-py/python/hotfix/_core.pyi")).unwrap();
    let is_it =
        |part: &&str| part.strip_prefix(name).is_some_and(|rest| rest.starts_with([':', '(']));
    stub.split("\nclass ").find(is_it).unwrap().to_owned()
}

#[test]
fn python_has_every_view_under_the_same_name() {
    // In Python a comparison is an object that writes itself as Markdown.
    let views = ROLLOUT_VIEWS.iter().map(|view| ("Rollout", view.name));
    let views = views.chain(PLAN_VIEWS.iter().map(|view| ("Plan", view.name)));
    for (class, name) in views.filter(|(_, name)| *name != "comparison_markdown") {
        assert!(python_class(class).contains(&format!("def {name}(")), "{class}.{name}");
    }
}
