//! Measures and exports over C: the files that Rust's tests keep come out, and null, bad text and broken logs are errors
//! (POST-3, TIME-3).

use std::ptr::{null, null_mut};

use hotfix::buffer::hotfix_buf;
use hotfix::error::hotfix_error;
use hotfix::export::*;
use hotfix::measure::*;
use hotfix::rollout::{hotfix_recording, hotfix_rollout_replay};
use hotfix::status::hotfix_status;
use serde_json::Value;

use crate::common::{Policy, Rollout, buffer, call, in_crate, raw, rollout_view};

const INCIDENTS: [&str; 6] =
    ["INC-2041", "INC-2055", "INC-2101", "INC-2102", "INC-2103", "INC-2104"];

fn file(name: &str) -> String {
    let path = in_crate(&format!("../hotfix-core/tests/cases/measures/{name}"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Numbers by value: canonical JSON writes 240 where the file has 240.0.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn compare(name: &str, got: &str) {
    let (got, wanted): (Value, Value) =
        (serde_json::from_str(got).unwrap(), serde_json::from_str(&file(name)).unwrap());
    assert!(same(&got, &wanted), "{name}: {got}");
}

#[test]
fn post_3_measures_come_out_as_on_file() {
    let mut all = String::new();
    for id in INCIDENTS {
        let log = file(&format!("{id}.jsonl"));
        let (at, len) = raw(&log);
        // SAFETY: live text and slots.
        let [measures, page] = unsafe {
            [
                buffer(|out, e| hotfix_measures(at, len, out, e)),
                buffer(|out, e| hotfix_measures_markdown(at, len, out, e)),
            ]
        };
        compare(&format!("{id}.measures.json"), &measures.unwrap());
        assert_eq!(page.unwrap(), file(&format!("{id}.measures.md")));
        all += &log;
    }
    let ((at, len), (month, month_len), (week, week_len)) = (raw(&all), raw("month"), raw("week"));
    // SAFETY: live texts and slots.
    unsafe {
        let json = buffer(|out, e| hotfix_dora(at, len, month, month_len, out, e)).unwrap();
        compare("dora.month.json", &json);
        compare(
            "dora.week.json",
            &buffer(|out, e| hotfix_dora(at, len, week, week_len, out, e)).unwrap(),
        );
        let page =
            buffer(|out, e| hotfix_dora_markdown(at, len, month, month_len, out, e)).unwrap();
        assert_eq!(page, file("dora.month.md"));
        let chart = buffer(|out, e| hotfix_dora_chart(at, len, month, month_len, out, e)).unwrap();
        let chart: Value = serde_json::from_str(&chart).unwrap();
        assert_eq!(chart["svg"], file("dora.month.svg"));
        let none = buffer(|out, e| hotfix_dora_chart(null(), 0, month, month_len, out, e)).unwrap();
        assert_eq!(none, "null");
    }
}

#[test]
fn post_3_similar_incidents_come_out_as_on_file() {
    let logs: String = INCIDENTS.iter().map(|id| file(&format!("{id}.jsonl"))).collect();
    let known = r#"{"service": "Payments", "payment_failure_share": 0.6, "revenue_impact": true, "service_down": false, "users_affected": 0.5}"#;
    let policy = Policy::preset("enterprise").unwrap();
    let ((known, known_len), (at, len)) = (raw(known), raw(&logs));
    // SAFETY: live handles, texts and slots.
    let [without, with] = unsafe {
        [
            buffer(|out, e| hotfix_similar(null(), known, known_len, at, len, out, e)),
            buffer(|out, e| hotfix_similar(policy.0, known, known_len, at, len, out, e)),
        ]
    };
    compare("similar.json", &without.unwrap());
    compare("similar.json", &with.unwrap());
}

#[test]
fn post_3_exports_come_out_as_on_file() {
    for id in INCIDENTS {
        let log = file(&format!("{id}.jsonl"));
        let (at, len) = raw(&log);
        let mut handle = null_mut();
        // SAFETY: live texts, slots and handles.
        unsafe {
            let events =
                buffer(|out, e| hotfix_cdevents(at, len, null(), 0, null(), 0, null(), 0, out, e));
            compare(&format!("{id}.cdevents.json"), &events.unwrap());
            let notes = buffer(|out, e| hotfix_grafana_annotations(at, len, out, e)).unwrap();
            compare(&format!("{id}.grafana.json"), &notes);
            let keep = hotfix_recording::HandOut as i32;
            call(|e| hotfix_rollout_replay(at, len, keep, &raw mut handle, e)).unwrap();
            let rollout = Rollout(handle);
            let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
            let last: hotfix_core::unit::Timestamp = last["at"].as_str().unwrap().parse().unwrap();
            let at = last.as_millis() + 60_000;
            let at = hotfix_core::unit::Timestamp::try_from_millis(at).unwrap();
            let args = format!(r#"{{"at": "{at}"}}"#);
            let metrics = rollout_view(&rollout, "openmetrics", &args);
            assert_eq!(metrics.unwrap(), file(&format!("{id}.openmetrics.txt")));
            let calendar = rollout_view(&rollout, "icalendar", &args);
            assert_eq!(calendar.unwrap(), file(&format!("{id}.ics")));
        }
    }
}

#[test]
fn post_3_null_bad_text_and_broken_logs_are_errors() {
    let (out, bad) = (&mut hotfix_buf { data: null_mut(), len: 0 }, b"\xff");
    let out: *mut hotfix_buf = out;
    let (odd, one, (month, month_len)) = (bad.as_ptr().cast(), 1, raw("month"));
    let (facts, facts_len) = raw("{}");
    let status = |function: &dyn Fn(*mut *mut hotfix_error) -> hotfix_status| {
        call(function).unwrap_err().status
    };
    // SAFETY: null and bad text where they are refused, else live.
    unsafe {
        let nulls: [hotfix_status; 15] = [
            status(&|e| hotfix_measures(null(), 1, out, e)),
            status(&|e| hotfix_measures(odd, one, null_mut(), e)),
            status(&|e| hotfix_measures_markdown(null(), 1, out, e)),
            status(&|e| hotfix_measures_markdown(odd, one, null_mut(), e)),
            status(&|e| hotfix_dora(null(), 1, month, month_len, out, e)),
            status(&|e| hotfix_dora(odd, one, null(), 1, out, e)),
            status(&|e| hotfix_dora(odd, one, month, month_len, null_mut(), e)),
            status(&|e| hotfix_dora_markdown(null(), 1, month, month_len, out, e)),
            status(&|e| hotfix_dora_chart(null(), 1, month, month_len, out, e)),
            status(&|e| hotfix_similar(null(), null(), 0, null(), 0, out, e)),
            status(&|e| hotfix_similar(null(), facts, facts_len, null(), 1, out, e)),
            status(&|e| hotfix_similar(null(), facts, facts_len, null(), 0, null_mut(), e)),
            status(&|e| hotfix_cdevents(null(), 1, null(), 0, null(), 0, null(), 0, out, e)),
            status(&|e| hotfix_cdevents(odd, one, null(), 1, null(), 0, null(), 0, out, e)),
            status(&|e| hotfix_grafana_annotations(null(), 1, out, e)),
        ];
        assert!(nulls.iter().all(|status| *status == hotfix_status::Null), "{nulls:?}");
        assert_eq!(status(&|e| hotfix_dora(null(), 0, odd, one, out, e)), hotfix_status::Utf8);
        assert_eq!(
            status(&|e| hotfix_dora(null(), 0, facts, facts_len, out, e)),
            hotfix_status::Enum
        );
        let utf8 = status(&|e| hotfix_cdevents(null(), 0, odd, one, null(), 0, null(), 0, out, e));
        assert_eq!(utf8, hotfix_status::Utf8);
        assert_eq!(status(&|e| hotfix_measures(null(), 0, out, e)), hotfix_status::Log);
        assert_eq!(status(&|e| hotfix_grafana_annotations(odd, one, out, e)), hotfix_status::Log);
        let log = file("INC-2041.jsonl");
        let twice = log.clone() + &log;
        let (at, len) = raw(&twice);
        let failed = call(|e| hotfix_dora(at, len, month, month_len, out, e)).unwrap_err();
        assert_eq!((failed.status, failed.code.as_str()), (hotfix_status::Message, "HF-REP-020"));
        let failed = call(|e| hotfix_similar(null(), odd, one, null(), 0, out, e)).unwrap_err();
        assert_eq!((failed.status, failed.code.as_str()), (hotfix_status::Message, "HF-REP-022"));
        let (blank, blank_len) = raw("a b");
        let ((at, len), default) = (raw(&log), null());
        let failed =
            call(|e| hotfix_cdevents(at, len, blank, blank_len, default, 0, default, 0, out, e))
                .unwrap_err();
        assert_eq!((failed.status, failed.code.as_str()), (hotfix_status::Message, "HF-EXP-001"));
    }
}
