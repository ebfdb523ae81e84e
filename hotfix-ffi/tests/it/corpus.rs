//! The shared cases through the C functions: rollouts and tests.

#![allow(
    clippy::unsafe_derive_deserialize,
    reason = "their methods call C functions, their fields promise nothing"
)]

use std::ffi::{CStr, c_char};
use std::path::PathBuf;
use std::ptr::null_mut;

use hotfix::buffer::{hotfix_digest, hotfix_name};
use hotfix::ceiling::{hotfix_ceiling_new, hotfix_ceiling_update};
use hotfix::duty::hotfix_rollout_duties;
use hotfix::kayenta::{hotfix_kayenta_classify, hotfix_kayenta_judge};
use hotfix::message::hotfix_rollout_message;
use hotfix::outcome::{hotfix_decision_name, hotfix_state, hotfix_state_name};
use hotfix::policy::{hotfix_policy_digest, hotfix_policy_to_json};
use hotfix::rate_ratio::{hotfix_rate_ratio_new, hotfix_rate_ratio_update};
use hotfix::report::hotfix_rollout_report;
use hotfix::rollout::{hotfix_recording, hotfix_rollout_handle, hotfix_rollout_replay};
use hotfix::sequential_test::{
    hotfix_evidence, hotfix_test_evidence, hotfix_test_free, hotfix_test_from_bytes,
    hotfix_test_to_bytes,
};
use hotfix::status::hotfix_status;
use hotfix::view::{
    HOTFIX_NEVER, hotfix_rollout_actions, hotfix_rollout_attempt, hotfix_rollout_head,
    hotfix_rollout_log, hotfix_rollout_pending_actions, hotfix_rollout_phase,
    hotfix_rollout_poll_at, hotfix_rollout_share, hotfix_rollout_state, hotfix_rollout_verdict,
};
use hotfix_core::unit::Timestamp;
use serde_json::{Value, json};

use crate::common::{
    Failed, Plan, Policy, Rollout, audit, buffer, call, in_crate, outcome, raw, rollout_view, text,
};
use crate::shared::kayenta_common::{self, Came, ClassifyCase, JudgeCase};
use crate::shared::roll_common::{Case, Seen, Step, by_kind, last_line};

pub(crate) fn cases(family: &str) -> PathBuf {
    in_crate("../hotfix-core/tests/cases").join(family)
}

fn c_text(characters: &[c_char]) -> String {
    assert_eq!(characters.last(), Some(&0));
    // SAFETY: ended by a null byte, at the latest by its last one.
    unsafe { CStr::from_ptr(characters.as_ptr()) }.to_str().unwrap().to_owned()
}

fn read(text: Result<String, Failed>) -> Value {
    serde_json::from_str(&text.unwrap()).unwrap()
}

pub(crate) fn to_json(policy: &Policy) -> Value {
    // SAFETY: live handles.
    read(buffer(|out, error| unsafe { hotfix_policy_to_json(policy.0, out, error) }))
}

pub(crate) fn digest(policy: &Policy) -> String {
    let mut digest = hotfix_digest { hex: [0; 65] };
    // SAFETY: a live handle and slot.
    call(|error| unsafe { hotfix_policy_digest(policy.0, &raw mut digest, error) }).unwrap();
    c_text(&digest.hex)
}

// ---- rollouts ----

fn head(rollout: &Rollout) -> String {
    let mut digest = hotfix_digest { hex: [0; 65] };
    // SAFETY: live handles.
    call(|error| unsafe { hotfix_rollout_head(rollout.0, &raw mut digest, error) }).unwrap();
    c_text(&digest.hex)
}

fn state(rollout: &Rollout) -> String {
    let mut state = hotfix_state::Drafted;
    // SAFETY: live handles; a name is static.
    unsafe {
        call(|error| hotfix_rollout_state(rollout.0, &raw mut state, error)).unwrap();
        CStr::from_ptr(hotfix_state_name(state as i32)).to_str().unwrap().to_owned()
    }
}

fn take(rollout: &Rollout, step: &Step, at: i64) -> Seen {
    let input = step.text(&head(rollout));
    let ((input, len), mut out) = (raw(&input), outcome());
    let mut seen = Seen::default();
    // SAFETY: live handles and text.
    let result = unsafe {
        call(|error| hotfix_rollout_handle(rollout.0, at, input, len, &raw mut out, error))
    };
    seen.lines = text(out.events).lines().count();
    seen.line = last_line(&text(out.events));
    seen.repeated = out.repeated == 1;
    match result {
        // SAFETY: live handles.
        Ok(()) => {
            seen.actions = read(buffer(|o, e| unsafe { hotfix_rollout_actions(rollout.0, o, e) }));
        }
        Err(failed) => {
            seen.message = failed.message;
            seen.accepts = failed.accepted;
            match failed.status {
                hotfix_status::Refused => seen.refused = Some(failed.code),
                hotfix_status::Input => seen.error = Some(failed.code),
                other => panic!("{other:?} {}", failed.code),
            }
        }
    }
    let mut phase = hotfix_name { text: [0; 32] };
    let mut poll_at = 0;
    // SAFETY: live handles; a name is static.
    unsafe {
        call(|error| hotfix_rollout_poll_at(rollout.0, &raw mut poll_at, error)).unwrap();
        call(|error| hotfix_rollout_attempt(rollout.0, &raw mut seen.attempt, error)).unwrap();
        let takes = read(rollout_view(rollout, "accepted", ""));
        seen.takes = serde_json::from_value(takes).unwrap();
        call(|error| hotfix_rollout_phase(rollout.0, &raw mut phase, error)).unwrap();
        call(|error| hotfix_rollout_share(rollout.0, &raw mut seen.share, error)).unwrap();
        seen.verdict = read(buffer(|o, e| hotfix_rollout_verdict(rollout.0, o, e)));
        seen.why = read(rollout_view(rollout, "why", ""));
        seen.harm = read(rollout_view(rollout, "harm", ""));
        seen.table = rollout_view(rollout, "comparison_markdown", "").unwrap();
        seen.pending = read(buffer(|o, e| hotfix_rollout_pending_actions(rollout.0, o, e)));
        if seen.error.is_none() {
            let decision = CStr::from_ptr(hotfix_decision_name(out.decision as i32));
            assert_eq!(seen.verdict["decision"].as_str(), decision.to_str().ok());
        }
    }
    seen.phase = c_text(&phase.text);
    seen.state = state(rollout);
    seen.poll_at = (poll_at != HOTFIX_NEVER).then_some(poll_at);
    // Seconds, which a case may send, are refused here as well.
    seen.duties = duties(rollout, step.asked_at(at).max(Timestamp::EARLIEST.as_millis()));
    seen.gates = gates(rollout);
    seen.messages = step.messages.iter().map(|request| message(rollout, request)).collect();
    if !step.report.is_empty() {
        seen.report = report(rollout);
    }
    seen
}

fn duties(rollout: &Rollout, at: i64) -> Value {
    // SAFETY: live handles.
    read(buffer(|o, e| unsafe { hotfix_rollout_duties(rollout.0, at, o, e) }))
}

fn report(rollout: &Rollout) -> String {
    let (format, len) = raw("markdown");
    // SAFETY: a live handle and text.
    buffer(|o, e| unsafe { hotfix_rollout_report(rollout.0, format, len, o, e) }).unwrap()
}

fn message(rollout: &Rollout, request: &Value) -> Value {
    let request = request.to_string();
    let (request, len) = raw(&request);
    // SAFETY: a live handle and text.
    let told = buffer(|o, e| unsafe { hotfix_rollout_message(rollout.0, request, len, o, e) });
    match told {
        Ok(text) => serde_json::from_str(&text).unwrap_or_else(|_| text.into()),
        Err(failed) => json!({ "code": failed.code, "message": failed.message }),
    }
}

fn gates(rollout: &Rollout) -> Value {
    let view = |name| read(rollout_view(rollout, name, ""));
    json!({
        "blockers": view("blockers"),
        "approvals": view("approvals"),
        "checklists": view("checklists"),
        "procedure": view("procedure"),
        "interventions": by_kind(&view("interventions")),
        "change_record": view("change_record"),
        "questions": view("questions"),
    })
}

fn run(case: &Case) -> Vec<String> {
    let mut document = to_json(&Policy::preset(&case.policy).unwrap());
    case.change(&mut document);
    let policy = Policy::from_json(&document.to_string()).unwrap();
    let parts = case.subject().map(|part| part.to_string());
    let [incident, release, traffic] = &parts;
    let parts = [incident.as_str(), release, traffic, &case.calibration()];
    let plan = Plan::calibrated(&policy, parts).unwrap();
    let rollout = Rollout::new(&plan, hotfix_recording::Keep);
    let mut faults = Vec::new();
    for (number, step) in case.steps.iter().enumerate() {
        if let Some(seen) = step.moments().map(|at| take(&rollout, step, at)).last() {
            faults.extend(step.compare(&format!("{}, step {number}", case.id), &seen));
        }
    }
    // SAFETY: a live handle.
    let log = buffer(|out, e| unsafe { hotfix_rollout_log(rollout.0, out, e) }).unwrap();
    if !log.is_empty() {
        let findings = audit(&log, &head(&rollout));
        if findings["clean"] != true {
            faults.push(format!("{}: {findings}", case.id));
        }
        let ((at, len), mut out) = (raw(&log), null_mut());
        // SAFETY: live text and slot.
        call(|error| unsafe {
            hotfix_rollout_replay(at, len, hotfix_recording::Keep as i32, &raw mut out, error)
        })
        .unwrap();
        let again = Rollout(out);
        // Any time before the last input is read as that.
        let early = Timestamp::EARLIEST.as_millis();
        let of = |rollout| (head(rollout), state(rollout), duties(rollout, early), gates(rollout));
        if of(&again) != of(&rollout) {
            faults.push(format!("{}: the log gives another rollout", case.id));
        }
    }
    faults
}

#[test]
fn roll_1_rollout_cases_come_out_in_c_as_they_say() {
    come_out("roll", 20);
}

#[test]
fn comm_1_message_cases_come_out_in_c_as_they_say() {
    come_out("message", 3);
}

#[test]
fn gate_1_and_gate_2_cases_come_out_in_c_as_they_say() {
    come_out("gate", 30);
}

fn come_out(family: &str, least: usize) {
    let cases = Case::load(&cases(family));
    assert!(cases.len() >= least, "only {} cases", cases.len());
    let faults: Vec<String> = cases.iter().flat_map(run).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

pub(crate) fn load<T: serde::de::DeserializeOwned>(path: &std::path::Path) -> Vec<T> {
    #[derive(serde::Deserialize)]
    struct File<T> {
        case: Vec<T>,
    }
    let text = std::fs::read_to_string(path).unwrap();
    let file: File<T> = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    file.case
}

// ---- the rate-ratio test ----

#[derive(serde::Deserialize)]
struct StatCase {
    id: String,
    settings: Value,
    updates: Vec<[f64; 4]>,
    repeat: u32,
    expect: Expected,
}

#[derive(serde::Deserialize)]
struct Expected {
    log_e: f64,
    log_e_bound: f64,
    p_value: f64,
    decided_at: u32,
    ratio: Option<f64>,
}

fn near(got: f64, wanted: f64) -> bool {
    (got - wanted).abs() <= 1e-9 * wanted.abs().max(1.0)
}

impl StatCase {
    fn faults(&self, model: &str) -> Option<String> {
        let mut settings = self.settings.clone();
        settings["model"] = model.into();
        let settings = settings.to_string();
        let ((at, len), mut test) = (raw(&settings), null_mut());
        // SAFETY: live text and slots; every handle is freed once.
        unsafe {
            call(|error| hotfix_rate_ratio_new(at, len, &raw mut test, error)).unwrap();
            let (mut tick, mut decided_at) = (0, 0);
            for [a, b, c, d] in (0..self.repeat).flat_map(|_| &self.updates) {
                let mut decided = false;
                call(|error| {
                    hotfix_rate_ratio_update(test, *a, *b, *c, *d, &raw mut decided, error)
                })
                .unwrap();
                tick += 1;
                if decided && decided_at == 0 {
                    decided_at = tick;
                }
            }
            // What is read back is the same test.
            let bytes = buffer(|out, error| hotfix_test_to_bytes(test, out, error)).unwrap();
            let ((at, len), mut again) = (raw(&bytes), null_mut());
            call(|error| hotfix_test_from_bytes(at, len, &raw mut again, error)).unwrap();
            let mut seen: hotfix_evidence = std::mem::zeroed();
            seen.struct_size = size_of::<hotfix_evidence>();
            call(|error| hotfix_test_evidence(again, &raw mut seen, error)).unwrap();
            hotfix_test_free(again);
            hotfix_test_free(test);
            let wanted = &self.expect;
            let same = near(seen.log_e, wanted.log_e)
                && near(seen.log_e_bound, wanted.log_e_bound)
                && near(seen.p_value, wanted.p_value)
                && decided_at == wanted.decided_at
                && (seen.has_ratio == 1) == wanted.ratio.is_some()
                && wanted.ratio.is_none_or(|ratio| near(seen.ratio, ratio));
            (!same).then(|| format!("{}: {seen:?}, decided at {decided_at}", self.id))
        }
    }
}

#[test]
fn stat_2_rate_ratio_cases_come_out_in_c_as_they_say() {
    let models = [("stat/rate_ratio.toml", "poisson"), ("stat/bernoulli.toml", "bernoulli")];
    for (file, model) in models {
        let cases = load::<StatCase>(&cases(file));
        let faults: Vec<String> = cases.iter().filter_map(|case| case.faults(model)).collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

// ---- the ceiling ----

#[derive(serde::Deserialize)]
struct CeilingCase {
    id: String,
    settings: Value,
    updates: Vec<[f64; 2]>,
    repeat: u32,
    expect: CeilingExpected,
}

#[derive(serde::Deserialize)]
struct CeilingExpected {
    log_e: f64,
    p_value: f64,
    decided_at: u32,
    ratio: Option<f64>,
}

impl CeilingCase {
    fn faults(&self) -> Option<String> {
        let settings = self.settings.to_string();
        let ((at, len), mut test) = (raw(&settings), null_mut());
        // SAFETY: live text and slots; every handle is freed once.
        unsafe {
            call(|error| hotfix_ceiling_new(at, len, &raw mut test, error)).unwrap();
            let (mut tick, mut decided_at) = (0, 0);
            for [events, trials] in (0..self.repeat).flat_map(|_| &self.updates) {
                let mut decided = false;
                call(|e| hotfix_ceiling_update(test, *events, *trials, &raw mut decided, e))
                    .unwrap();
                tick += 1;
                if decided && decided_at == 0 {
                    decided_at = tick;
                }
            }
            let bytes = buffer(|out, error| hotfix_test_to_bytes(test, out, error)).unwrap();
            let ((at, len), mut again) = (raw(&bytes), null_mut());
            call(|error| hotfix_test_from_bytes(at, len, &raw mut again, error)).unwrap();
            let mut seen: hotfix_evidence = std::mem::zeroed();
            seen.struct_size = size_of::<hotfix_evidence>();
            call(|error| hotfix_test_evidence(again, &raw mut seen, error)).unwrap();
            hotfix_test_free(again);
            hotfix_test_free(test);
            let wanted = &self.expect;
            let same = near(seen.log_e, wanted.log_e)
                && near(seen.p_value, wanted.p_value)
                && decided_at == wanted.decided_at
                && (seen.has_ratio == 1) == wanted.ratio.is_some()
                && wanted.ratio.is_none_or(|ratio| near(seen.ratio, ratio));
            (!same).then(|| format!("{}: {seen:?}, decided at {decided_at}", self.id))
        }
    }
}

#[test]
fn stat_3_ceiling_cases_come_out_in_c_as_they_say() {
    let cases = load::<CeilingCase>(&cases("stat/ceiling.toml"));
    let faults: Vec<String> = cases.iter().filter_map(CeilingCase::faults).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

// ---- the Kayenta-compatible judge ----

fn came(result: Result<String, Failed>) -> Came {
    let read = |text: String| serde_json::from_str(&text).unwrap();
    result.map(read).map_err(|failed| {
        assert_eq!(failed.status, hotfix_status::Stat, "{failed:?}");
        (failed.code, failed.message)
    })
}

#[test]
fn stat_1_kayenta_cases_come_out_in_c_as_they_say() {
    let classify = |settings: &str, samples: &str| {
        let ((settings, a), (samples, b)) = (raw(settings), raw(samples));
        // SAFETY: live text and slots.
        came(buffer(|out, error| unsafe {
            hotfix_kayenta_classify(settings, a, samples, b, out, error)
        }))
    };
    let mut faults = Vec::new();
    for file in ["classify.toml", "intervals.toml"] {
        for case in kayenta_common::load::<ClassifyCase>(&cases("kayenta"), file, 20) {
            faults.extend(case.faults(classify));
        }
    }
    for case in kayenta_common::load::<JudgeCase>(&cases("kayenta"), "judge.toml", 20) {
        let samples = case.samples();
        let ((config, a), (samples, b)) = (raw(&case.config), raw(&samples));
        let score = |given: Option<f64>| given.unwrap_or(f64::NAN);
        let (pass, marginal) = (score(case.pass), score(case.marginal));
        // SAFETY: live text and slots.
        let result = buffer(|out, error| unsafe {
            hotfix_kayenta_judge(config, a, samples, b, pass, marginal, out, error)
        });
        faults.extend(case.faults(&came(result)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
