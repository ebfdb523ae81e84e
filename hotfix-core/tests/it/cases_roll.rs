//! The cases of `cases/roll`: scripts of inputs, and what must follow (ROLL, MET, FIELD).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hotfix_core::grade::Audience;
use hotfix_core::message::{Format, Rendered, Request};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{
    Act, Action, ActionDocument, Input, InputKind, Recording, Rollout, audit,
};
use hotfix_core::unit::Timestamp;
use serde_json::{Value, json};

use crate::shared::roll_common::{Case, Seen, Step, by_kind, last_line};

fn rollout(case: &Case) -> Rollout {
    let mut document: Value =
        serde_json::from_str(&Policy::preset(&case.policy).unwrap().to_json()).unwrap();
    case.change(&mut document);
    let policy =
        Policy::from_json(&document.to_string()).unwrap_or_else(|e| panic!("{}: {e}", case.id));
    let [incident, release, traffic] = case.subject().map(|part| part.to_string());
    let calibration = case.calibration();
    let policy = Arc::new(policy);
    let plan =
        Plan::calibrated_from_json(policy, &incident, &release, &traffic, &calibration).unwrap();
    Rollout::try_new(plan, Recording::Keep, "pepper").unwrap()
}

/// Actions as C and Python give them.
fn documents(actions: &[Action], rollout: &Rollout) -> Value {
    actions.iter().map(|action| json!(ActionDocument::of(action, rollout))).collect()
}

fn handle(rollout: &mut Rollout, step: &Step, at: i64) -> Seen {
    let head = rollout.head().unwrap().to_string();
    let mut seen = Seen::default();
    match Input::from_json(&step.text(&head)) {
        Err(error) => {
            (seen.error, seen.message) = (Some(error.code().to_owned()), error.to_string());
        }
        Ok(input) => match rollout.handle(Timestamp::try_from_millis(at).unwrap(), &input) {
            Ok(outcome) => {
                seen.lines = outcome.events.lines().count();
                seen.line = last_line(outcome.events);
                seen.repeated = outcome.repeated;
                let actions = outcome.actions.to_vec();
                seen.actions = documents(&actions, rollout);
            }
            Err(refusal) => {
                seen.refused = Some(refusal.code().to_owned());
                seen.message = refusal.to_string();
                seen.accepts = refusal.accepted.iter().map(ToString::to_string).collect();
                seen.lines = refusal.events.lines().count();
                seen.line = last_line(&refusal.events);
            }
        },
    }
    seen
}

/// What a rollout shows after a step, all of it.
fn look(rollout: &Rollout, step: &Step, at: i64, seen: &mut Seen) {
    seen.state = rollout.state().to_string();
    seen.phase = rollout.phase().map(|phase| phase.to_string()).unwrap_or_default();
    seen.share = rollout.share().as_fraction();
    seen.verdict = json!(rollout.verdict());
    seen.why = json!(rollout.why());
    seen.harm = json!(rollout.harm());
    seen.table = rollout.comparison().to_markdown();
    seen.pending = documents(rollout.pending_actions(), rollout);
    seen.poll_at = rollout.poll_at().map(Timestamp::as_millis);
    seen.attempt = rollout.attempt();
    seen.takes = rollout.accepted().iter().map(ToString::to_string).collect();
    seen.duties = duties(rollout, step.asked_at(at));
    seen.gates = gates(rollout);
    seen.messages = step.messages.iter().map(|request| message(rollout, request)).collect();
    if !step.report.is_empty() {
        seen.report = rollout.report("markdown").unwrap();
    }
}

fn message(rollout: &Rollout, request: &Value) -> Value {
    let request = match Request::from_value(request) {
        Ok(request) => request,
        Err(errors) => {
            let code = errors.first().map(hotfix_core::document::DocumentError::code);
            return json!({ "code": code, "message": errors.to_string() });
        }
    };
    match rollout.message_for(&request) {
        Ok(Rendered::Text(text)) => text.into(),
        Ok(Rendered::Json(document)) => document,
        Err(error) => json!({ "code": error.code(), "message": error.to_string() }),
    }
}

fn duties(rollout: &Rollout, at: i64) -> Value {
    json!(rollout.duties(Timestamp::try_from_millis(at).unwrap()))
}

fn gates(rollout: &Rollout) -> Value {
    json!({
        "blockers": rollout.blockers(),
        "approvals": rollout.approvals(),
        "checklists": rollout.checklists(),
        "procedure": rollout.procedure(),
        "interventions": by_kind(&json!(rollout.interventions())),
        "change_record": rollout.change_record(),
        "questions": rollout.questions(),
    })
}

fn run(case: &Case) -> Vec<String> {
    let mut rollout = rollout(case);
    let mut faults = Vec::new();
    for (number, step) in case.steps.iter().enumerate() {
        let place = format!("{}, step {number}", case.id);
        let mut last = None;
        for at in step.moments() {
            last = Some((handle(&mut rollout, step, at), at));
            faults.extend(notices(&rollout).into_iter().map(|fault| format!("{place}: {fault}")));
        }
        if let Some((mut seen, at)) = last {
            look(&rollout, step, at, &mut seen);
            faults.extend(step.compare(&place, &seen));
        }
    }
    let log = rollout.log();
    if log.is_empty() {
        return faults;
    }
    for finding in audit(log.as_bytes(), rollout.head()).findings {
        faults.push(format!("{}: line {}: {}", case.id, finding.line, finding.message));
    }
    let last = rollout.now().unwrap().as_millis();
    match Rollout::replay(log.as_bytes(), Recording::Keep) {
        Ok(again)
            if again.state() == rollout.state()
                && again.head() == rollout.head()
                && again.poll_at() == rollout.poll_at()
                && again.attempt() == rollout.attempt()
                && again.accepted() == rollout.accepted()
                && again.pending_actions() == rollout.pending_actions()
                && again.last_actions() == rollout.last_actions()
                && duties(&again, last) == duties(&rollout, last)
                && gates(&again) == gates(&rollout) => {}
        other => faults.push(format!("{}: the log gives {other:?}", case.id)),
    }
    faults
}

/// What is wrong with the messages that the last actions ask for: one cannot be written, or is asked for twice at once.
fn notices(rollout: &Rollout) -> Vec<String> {
    let mut asked = BTreeSet::new();
    let mut faults = Vec::new();
    for action in rollout.last_actions() {
        let (kind, audience, role) = match action.act {
            Act::Notify { message, audience, role, .. } => (message, audience, role),
            Act::UpdateStatusPage { message, .. } => (message, Audience::Public, None),
            Act::AskDecision { ref question } | Act::Page { why: ref question, .. } => {
                if question.matches("answer since").count() > 1 {
                    faults.push(format!("action {}: asked twice: {question}", action.id));
                }
                continue;
            }
            _ => continue,
        };
        if let Err(error) = rollout.message(kind, audience, Format::Text) {
            faults.push(format!("action {}: {error}", action.id));
        }
        if !asked.insert((kind, audience, role)) {
            faults.push(format!("action {}: `{kind}` to {audience} twice at once", action.id));
        }
    }
    faults
}

#[test]
fn roll_1_every_case_comes_out_as_it_says() {
    come_out("roll", 20);
}

#[test]
fn comm_1_every_message_case_comes_out_as_it_says() {
    come_out("message", 3);
}

#[test]
fn gate_1_and_gate_2_every_case_comes_out_as_it_says() {
    come_out("gate", 30);
}

fn tests() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap())
}

fn come_out(family: &str, least: usize) {
    let cases = Case::load(&tests().join("cases").join(family));
    assert!(cases.len() >= least, "only {} cases", cases.len());
    let faults: Vec<String> = cases.iter().flat_map(run).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// An embedder that keeps its inputs reads the same ones again.
#[test]
fn roll_1_every_input_of_the_cases_is_written_as_the_document_that_reads_as_it() {
    let mut kinds = BTreeSet::new();
    for case in ["roll", "message", "gate"]
        .iter()
        .flat_map(|of| Case::load(&tests().join("cases").join(of)))
    {
        for step in &case.steps {
            let Ok(input) = Input::from_json(&step.text(&"0".repeat(64))) else { continue };
            let written = serde_json::to_string(&input).unwrap();
            // NaN is not equal to itself, but is written like itself.
            let [again, input] = [Input::from_json(&written).unwrap(), input];
            assert_eq!(format!("{again:?}"), format!("{input:?}"), "{}: {written}", case.id);
            kinds.insert(input.command.kind());
        }
    }
    assert_eq!(kinds, InputKind::ALL.iter().copied().collect());
}

/// Cases whose logs are kept with each release: one for each thing that a line can say.
const KEPT: [&str; 14] = [
    "FIELD-9.a-new-release-starts-at-the-first-phase",
    "FIELD-9.from-frozen-traffic-stays-where-it-is",
    "FIELD-13.a-retry-of-another-release",
    "FIELD-13.what-was-checked-stays-checked-for-the-same-release-alone",
    "FIELD-6.traffic-goes-back-in-steps",
    "FIELD-6.a-verdict-asks-once",
    "FIELD-7.to-any-version-with-who-and-why-on-record",
    "ROLL-6.what-was-held-back-gets-the-fix-at-the-end",
    "ROLL-3.a-veto-waits-for-a-person",
    "FIELD-3.it-resumes-by-itself-when-data-return",
    "SEV-6.another-severity-has-other-times",
    "TIME-3.a-moment-that-did-not-come-is-taken-back",
    "PLAN-1.rolling-in-batches-of-two",
    "GATE-1.an-approval-that-may-follow-is-a-duty",
];

/// Where each log ends.
#[derive(Debug, PartialEq, serde::Deserialize, serde::Serialize)]
struct End {
    head: String,
    state: String,
    attempt: u32,
    pending: usize,
}

impl End {
    fn of(rollout: &Rollout) -> Self {
        Self {
            head: rollout.head().unwrap().to_string(),
            state: rollout.state().to_string(),
            attempt: rollout.attempt(),
            pending: rollout.pending_actions().len(),
        }
    }
}

/// `HOTFIX_KEEP_LOGS=0.2.0` writes those of a new release; those that are there are never written again.
#[test]
fn roll_7_logs_of_each_release_replay_for_ever() {
    let kept = tests().join("logs");
    if let Ok(release) = std::env::var("HOTFIX_KEEP_LOGS") {
        keep(&kept.join(release));
    }
    let mut count = 0;
    for folder in std::fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path()) {
        let Ok(ends) = std::fs::read_to_string(folder.join("ends.json")) else { continue };
        let ends: BTreeMap<String, End> = serde_json::from_str(&ends).unwrap();
        for (id, end) in ends {
            let log = std::fs::read(folder.join(format!("{id}.jsonl"))).unwrap();
            let again = Rollout::replay(&log, Recording::Keep);
            let again = again.unwrap_or_else(|e| panic!("{}, {id}: {e}", folder.display()));
            assert_eq!(End::of(&again), end, "{}, {id}", folder.display());
            count += 1;
        }
    }
    assert!(count >= KEPT.len(), "only {count} logs are kept");
}

fn keep(folder: &Path) {
    assert!(!folder.exists(), "{} is there: a kept log is not changed", folder.display());
    std::fs::create_dir_all(folder).unwrap();
    let mut ends = BTreeMap::new();
    let cases = Case::load(&tests().join("cases/roll"));
    for case in cases.iter().filter(|case| KEPT.contains(&case.id.as_str())) {
        let mut rollout = rollout(case);
        for step in &case.steps {
            step.moments().for_each(|at| drop(handle(&mut rollout, step, at)));
        }
        std::fs::write(folder.join(format!("{}.jsonl", case.id)), rollout.log()).unwrap();
        ends.insert(case.id.clone(), End::of(&rollout));
    }
    assert_eq!(ends.len(), KEPT.len(), "a case has another name: {:?}", ends.keys());
    let ends = serde_json::to_string_pretty(&ends).unwrap() + "\n";
    std::fs::write(folder.join("ends.json"), ends).unwrap();
}
