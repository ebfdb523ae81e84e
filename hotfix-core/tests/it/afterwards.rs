//! What a report says after an incident is what was: whose failures, what was missed, who approved, what worked (POST-1 to
//! POST-3).

use std::sync::Arc;

use hotfix_core::canonical::Digest;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::report::measures::{Figure, Known, Measure, MeasureName, Period, dora, similar};
use hotfix_core::report::{DutyOutcome, DutyPart, Format, PhaseEnd, Report};
use hotfix_core::rollout::{Input, Recording, Redaction, Rollout, State, audit, redact};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

use crate::log_common::rewritten;
use crate::ready;
use crate::story::Story;

/// A rollout of 4.7.2 after 4.7.1, with a clock of whole minutes.
struct Run {
    rollout: Rollout,
    at: Timestamp,
}

impl Run {
    fn new(preset: &str, severity: &str) -> Self {
        Self::of(preset, &json!({"severity": severity}), &json!({}), &json!({}))
    }

    /// With further members of the incident, the release and the traffic.
    fn of(preset: &str, incident: &Value, release: &Value, traffic: &Value) -> Self {
        let with = |mut base: Value, more: &Value| {
            base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            base.to_string()
        };
        let plan = Plan::from_json(
            Arc::new(Policy::preset(preset).unwrap()),
            &with(
                json!({"id": "INC-9", "service": "payments", "title": "nobody can pay"}),
                incident,
            ),
            &with(json!({"version": "4.7.2", "previous": "4.7.1"}), release),
            &with(json!({"requests_per_minute": 6000}), traffic),
        );
        let rollout = Rollout::try_new(plan.unwrap(), Recording::Keep, "salt").unwrap();
        Self { rollout, at: "2026-05-04T09:00:00Z".parse().unwrap() }
    }

    fn send(&mut self, input: Value) {
        let shown = input.to_string();
        let taken = self.rollout.handle(self.at, &Input::from_value(input).unwrap());
        assert!(taken.is_ok(), "{shown}: {:?}", taken.err());
    }

    /// An input of a person.
    fn say(&mut self, kind: &str, more: &Value) {
        let mut input = json!({"kind": kind, "by": "lena"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.send(input);
    }

    fn wait(&mut self, minutes: u32) {
        self.at = self.at + Span::from_seconds(60 * minutes);
    }

    fn tick(&mut self, minutes: u32) {
        self.wait(minutes);
        self.send(json!({"kind": "tick"}));
    }

    fn answer(&mut self, kind: &str) {
        let action = self.rollout.pending_actions()[0].id.to_string();
        self.send(json!({"kind": kind, "by": "tool", "action": action, "why": "so it is"}));
    }

    fn confirm(&mut self) {
        let action = self.rollout.pending_actions()[0].id.to_string();
        self.send(json!({"kind": "confirm", "by": "tool", "action": action}));
    }

    /// Started at this minute, deployed after one, with its first traffic, and a minute more.
    fn live(mut self) -> Self {
        self.go_live();
        self
    }

    fn go_live(&mut self) {
        ready::make(&mut self.rollout, self.at);
        self.say("start", &json!({}));
        self.wait(1);
        while !self.rollout.pending_actions().is_empty() {
            self.confirm();
        }
        self.wait(1);
    }

    /// A minute in which so many of so many requests of each version fail.
    fn read(&mut self, arms: &Value) {
        self.wait(1);
        self.send(json!({"kind": "observe", "metrics": {"error_rate": arms}}));
    }

    fn another(&mut self, kind: &str) {
        let release = json!({"version": "4.7.3", "previous": "4.7.1"});
        self.say(kind, &json!({"why": "a better fix", "release": release}));
    }

    fn log(&self) -> &str {
        self.rollout.log()
    }

    fn report(&self) -> Report {
        Report::from_log(self.log().as_bytes()).unwrap()
    }

    fn measure(&self, name: MeasureName) -> Measure {
        self.report().measures.get(name)
    }

    /// The failed requests of each version.
    fn failed(&self) -> Vec<(String, f64)> {
        match self.measure(MeasureName::RequestsAffected).figure {
            Some(Figure::Requests(of)) => {
                of.into_iter().map(|(version, of)| (version, of.at_least)).collect()
            }
            figure => panic!("{figure:?}"),
        }
    }

    fn duty(&self, id: &str) -> Option<DutyPart> {
        self.report().duties.into_iter().find(|duty| duty.id.as_str() == id)
    }

    fn row(&self, id: &str) -> (DutyOutcome, Option<u64>, Option<u64>) {
        let duty = self.duty(id).unwrap_or_else(|| panic!("no {id}"));
        (duty.status, duty.times, duty.missed)
    }
}

fn times(times: &Value) -> Value {
    json!({"times": times})
}

/// Whether one of these sentences begins so.
fn says(sentences: &[String], begin: &str) -> bool {
    sentences.iter().any(|sentence| sentence.starts_with(begin))
}

#[test]
fn post_3_failed_requests_are_those_of_the_version_that_has_the_traffic() {
    let of = |version: &str, count: f64| (version.to_owned(), count);

    // Frozen with all of the traffic, and the next release is on paper only.
    let schema = json!({"schema_change": true});
    let mut run =
        Run::of("severity-matrix", &json!({"severity": "P0"}), &json!({}), &schema).live();
    run.read(&json!({"canary": [120, 6000]}));
    run.say("report", &json!({"signal": "data_corruption"}));
    assert_eq!(run.rollout.state(), State::Frozen);
    run.another("supersede");
    for _ in 0..30 {
        run.read(&json!({"canary": [1800, 6000]}));
    }
    assert_eq!(run.failed(), [of("4.7.2", 54_120.0)]);
    let sentences = run.report().impact.sentences;
    assert!(says(&sentences, "4.7.2: at least 54120 requests failed"), "{sentences:?}");

    // The traffic of the superseded release is still being moved away.
    let mut run = Run::new("phased-canary", "P1").live();
    run.another("supersede");
    for _ in 0..5 {
        run.read(&json!({"canary": [60, 600], "baseline": [20, 5400]}));
    }
    run.confirm();
    run.read(&json!({"baseline": [20, 6000]}));
    assert_eq!(run.failed(), [of("4.7.1", 120.0), of("4.7.2", 300.0)]);
}

/// The ordinary rate of a day of watching is no harm of the incident. What a late rollback ends is.
#[test]
fn post_3_what_fails_after_the_end_counts_only_if_the_incident_went_on() {
    let mut run = Run::new("severity-matrix", "P0").live();
    run.read(&json!({"canary": [12, 6000]}));
    let resolved = run.at.to_string();
    run.say("set_times", &times(&json!({"resolved": resolved})));
    run.read(&json!({"canary": [9, 6000]}));
    assert_eq!(run.failed(), [("4.7.2".to_owned(), 12.0)]);
    let part = &run.report().impact.affected[0];
    assert_eq!((part.counted.bad, part.counted.of), (12.0, 6000.0));
    run.say("set_times", &times(&json!({"resolved": null})));
    assert_eq!(run.failed(), [("4.7.2".to_owned(), 21.0)]);
}

/// The next attempt does not answer what the failed fix owes, and a rollback of its own asks again.
#[test]
fn post_1_checks_after_a_rollback_are_owed_until_they_are_made() {
    let asks = |run: &Run| says(&run.report().open, "After the rollback: ");
    let mut run = Run::new("phased-canary", "P1").live();
    run.say("roll_back", &json!({"why": "it hangs"}));
    run.wait(2);
    run.confirm();
    assert!(!asks(&run));
    run.tick(6);
    assert_eq!(run.rollout.state(), State::RolledBack);
    assert!(asks(&run));
    run.another("retry");
    assert!(asks(&run));
    run.go_live();
    assert!(asks(&run));
    let items = ["back_error_rate", "back_stable", "back_notified", "back_review", "back_next_fix"];
    run.say("check_item", &json!({ "items": items }));
    assert!(!asks(&run));
    run.wait(1);
    run.say("roll_back", &json!({"why": "it hangs, too"}));
    run.wait(2);
    run.confirm();
    run.tick(6);
    assert!(asks(&run));
}

/// Declared P1, started, and then a P0: its second approval and its lists were not asked for before the start.
#[test]
fn post_1_what_another_severity_demands_after_the_start_is_named() {
    let mut run = Run::new("enterprise", "P1").live();
    let approve = |run: &Run| run.measure(MeasureName::TimeToApprove).sentence;
    let before = approve(&run);
    assert!(!says(&run.report().open, "approval by "));
    run.say("set_severity", &json!({"severity": "P0", "why": "all shops"}));
    run.tick(30);
    assert!(
        says(&run.report().open, "approval by on-call manager: not given"),
        "{:?}",
        run.report().open
    );
    assert_eq!(approve(&run), before);
}

/// The fix kept all of the traffic: 'rolled back' would hide the worst end.
#[test]
fn post_1_a_phase_whose_rollback_failed_was_not_rolled_back() {
    let mut run = Run::new("fast-track", "P2").live();
    run.say("roll_back", &json!({"why": "it fails"}));
    while run.rollout.state() == State::RollingBack {
        run.wait(1);
        run.answer("failed");
    }
    assert_eq!(run.rollout.state(), State::Frozen);
    let phase = |run: &Run| run.report().phases[0].end;
    assert_eq!(phase(&run), PhaseEnd::RollbackFailed);
    let says_so = |sentence: &String| sentence.ends_with("; its rollback failed.");
    assert!(run.report().resolution.iter().any(says_so), "{:?}", run.report().resolution);
    run.another("supersede");
    assert_eq!(phase(&run), PhaseEnd::RollbackFailed);
}

#[test]
fn post_1_a_deployment_that_failed_was_not_deployed() {
    let mut run = Run::new("phased-canary", "P1");
    ready::make(&mut run.rollout, run.at);
    run.say("start", &json!({}));
    run.wait(2);
    run.answer("failed");
    assert_eq!(run.rollout.state(), State::Failed);
    let failed = "Phase canary, 10%: the deployment began at 2026-05-04 09:00:00; failed at \
                  2026-05-04 09:02:00, before the phase was watched.";
    let was_deployed = |run: &Run| {
        run.report().resolution.iter().any(|sentence| sentence.contains("was deployed with"))
    };
    assert!(says(&run.report().resolution, failed), "{:?}", run.report().resolution);
    assert!(!was_deployed(&run));
    run.say("retry", &json!({"why": "the image is there now"}));
    run.tick(1);
    ready::make(&mut run.rollout, run.at);
    run.say("start", &json!({}));
    assert!(!was_deployed(&run));
    let second = "Phase canary (attempt 2), 10%: the deployment began at 2026-05-04 09:03:00.";
    assert!(says(&run.report().resolution, second), "{:?}", run.report().resolution);
    run.wait(1);
    while !run.rollout.pending_actions().is_empty() {
        run.confirm();
    }
    assert!(was_deployed(&run));
}

/// Forty minutes in which nobody was reached are not undone by another severity.
#[test]
fn post_2_what_was_missed_under_another_severity_stays() {
    let mut run = Run::new("enterprise", "P0");
    for _ in 0..40 {
        run.tick(1);
    }
    let missed = ["p0_notice", "p0_on_call", "p0_lead", "p0_update"];
    let rows = |run: &Run| missed.map(|id| run.row(id));
    let before = rows(&run);
    assert_eq!(before[0], (DutyOutcome::Missed, None, None));
    assert_eq!(before[3], (DutyOutcome::Missed, Some(0), Some(2)));
    run.say("set_severity", &json!({"severity": "P2", "why": "only the test shop"}));
    assert_eq!(rows(&run), before);
    let report = run.report();
    for title in ["status update", "on-call engineer paged"] {
        assert!(report.to_improve[0].contains(title), "{:?}", report.to_improve);
    }
    assert!(!report.open.iter().any(|open| open.ends_with(": overdue")), "{:?}", report.open);
    assert!(run.measure(MeasureName::TimeToAcknowledge).sentence.starts_with("at least"));
    run.wait(1);
    run.say("set_severity", &json!({"severity": "P0", "why": "no, all shops"}));
    run.tick(1);
    assert_eq!(rows(&run), before);

    // One was sent in time, and those after it were not.
    let mut run = Run::new("enterprise", "P0");
    run.tick(0);
    run.wait(14);
    run.say("done", &json!({"duty": "p0_update"}));
    run.tick(40);
    run.say("set_severity", &json!({"severity": "P2", "why": "only the test shop"}));
    assert_eq!(run.row("p0_update"), (DutyOutcome::Missed, Some(1), Some(2)));

    // Who had a minute to answer has missed nothing.
    let mut run = Run::new("enterprise", "P0");
    run.tick(0);
    run.wait(1);
    run.say("set_severity", &json!({"severity": "P2", "why": "only the test shop"}));
    assert_eq!(missed.map(|id| run.duty(id).is_some()), [false; 4]);
}

/// One source: the measure of missed duties and the report follow the same corrected time.
#[test]
fn post_2_what_was_done_is_in_time_by_the_corrected_detection() {
    let act = |run: &Run| {
        let duty = run.duty("p0_act").unwrap();
        (duty.status, duty.due.unwrap().to_string()[11..16].to_owned())
    };
    let detected = |at: &str| times(&json!({"detected": format!("2026-05-04T{at}:00Z")}));
    // The time was an hour off, and is corrected afterwards.
    let incident = json!({"severity": "P0", "detected_at": "2026-05-04T07:58:00Z"});
    let mut run = Run::of("severity-matrix", &incident, &json!({}), &json!({}));
    run.tick(0);
    run.wait(5);
    run.say("done", &json!({"duty": "p0_act"}));
    run.wait(1);
    run.say("set_times", &detected("08:58"));
    assert_eq!(act(&run), (DutyOutcome::Kept, "09:13".to_owned()));
    // It was missing, and comes after the response, or before it.
    for response_first in [true, false] {
        let mut run = Run::new("severity-matrix", "P0");
        run.tick(0);
        run.wait(9);
        if !response_first {
            run.say("set_times", &detected("08:30"));
        }
        run.wait(1);
        run.say("done", &json!({"duty": "p0_act"}));
        if response_first {
            run.wait(1);
            run.say("set_times", &detected("08:30"));
        }
        assert_eq!(act(&run), (DutyOutcome::Late, "08:45".to_owned()), "{response_first}");
    }
}

#[test]
fn post_1_a_claim_that_was_shown_is_no_success_of_a_fix_that_was_rolled_back() {
    let shown = |story: &Story| {
        let report = Report::from_log(story.rollout.log().as_bytes()).unwrap();
        says(&report.resolution, "The fix was shown to work")
    };
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.run(30, Story::healthy);
    assert!(shown(&story));
    story.run_until(40, Story::failing, State::RollingBack);
    assert!(!shown(&story));
    story.confirm_all();
    story.run_until(60, Story::after_rollback, State::RolledBack);
    let release = json!({"version": "2.3.2", "previous": "2.3.0"});
    let retry = json!({"kind": "retry", "by": "lena", "why": "another fix", "release": release});
    story.input(&retry.to_string());
    story.start();
    assert!(!shown(&story));
    story.run(30, Story::healthy);
    assert!(shown(&story));
}

#[test]
fn post_1_only_what_is_overdue_now_is_called_overdue() {
    let mut run = Run::new("enterprise", "P0");
    run.tick(0);
    run.wait(16);
    run.say("done", &json!({"duty": "p0_update"}));
    run.wait(14);
    run.say("done", &json!({"duty": "p0_update"}));
    let overdue = |run: &Run| run.report().open.contains(&"status update: overdue".to_owned());
    assert_eq!(run.row("p0_update"), (DutyOutcome::Missed, Some(2), Some(1)));
    assert!(!overdue(&run));
    run.tick(16);
    assert!(overdue(&run));
}

#[test]
fn post_3_the_start_of_a_stopped_attempt_is_no_lower_bound() {
    let deploy = |run: &Run| run.measure(MeasureName::TimeToDeploy).sentence;
    let stopped = "the last deployment was stopped or replaced";
    let mut run = Run::new("severity-matrix", "P1").live();
    run.say("roll_back", &json!({"why": "x"}));
    run.confirm();
    run.tick(20);
    assert_eq!(deploy(&run), stopped);
    run.another("retry");
    run.tick(180);
    assert_eq!(deploy(&run), stopped);
    run.go_live();
    assert_eq!(deploy(&run), "1min from `deploy_started` to `deployed`");
    let mut run = Run::new("phased-canary", "P1").live();
    run.tick(1);
    assert_eq!(deploy(&run), "at least 3min from `deploy_started` so far");
}

/// An incident is known by the hash of its opening, which all copies of its log have.
#[test]
fn post_3_a_redacted_copy_is_the_same_incident() {
    let incident = json!({"severity": "P1", "facts": {"service_down": true}});
    let run = Run::of("severity-matrix", &incident, &json!({"author": "zoe"}), &json!({})).live();
    let archive = redact(run.log().as_bytes(), &Redaction::Everything).unwrap();
    let spelled = run.log().replace("{\"", "{ \"");
    for copy in [archive, spelled] {
        let logs = [run.log().as_bytes(), copy.as_bytes()];
        assert_eq!(dora(&logs, Period::Month).unwrap_err().code(), "HF-REP-020");
        let known = Known::from_log(logs[0]).unwrap();
        assert!(similar(&known, &logs).unwrap().is_empty());
    }
}

#[test]
fn roll_7_an_audit_compares_the_plan_of_the_opening() {
    let run =
        Run::of("fast-track", &json!({"severity": "P2"}), &json!({"commit": "abc"}), &json!({}));
    let run = run.live();
    let opening = |change: fn(&mut Value)| {
        rewritten(run.log(), |line, event| {
            if line == 0 {
                change(event);
            }
        })
    };
    assert!(audit(opening(|_| ()).as_bytes(), None).is_clean());
    let changes: [fn(&mut Value); 3] = [
        |event| event["plan_digest"] = json!(Digest::ZERO),
        |event| event["plan"]["release"]["commit"] = json!("deadbeef"),
        |event| event["policy"]["title"] = json!("signed off by the board"),
    ];
    for change in changes {
        let found = audit(opening(change).as_bytes(), None).findings;
        let places: Vec<_> = found.iter().map(|of| (of.code, of.line)).collect();
        assert_eq!(places, [("HF-LOG-007", 1)]);
    }
}

#[test]
fn post_1_the_reason_of_a_rollback_that_a_person_requested_is_told() {
    let mut run = Run::new("severity-matrix", "P1").live();
    run.wait(3);
    run.say("roll_back", &json!({"why": "orders doubled"}));
    let report = run.report();
    let told = "(a person decided to roll back: orders doubled)";
    assert!(report.summary[1].contains(told), "{:?}", report.summary);
    let detection = report.detection.iter().any(|it| it.ends_with(": orders doubled."));
    assert!(detection, "{:?}", report.detection);
}

/// The service was down after the end, which is no part of the incident.
#[test]
fn post_3_a_downtime_ends_with_the_incident() {
    let incident = |down: bool| json!({"severity": "P0", "facts": {"service_down": down}});
    let down = |down: bool| json!({"facts": {"service_down": down}, "why": "for the record"});
    let resolved = || times(&json!({"resolved": "2026-05-04T09:20:00Z"}));
    let run = |first: bool| {
        let mut run = Run::of("severity-matrix", &incident(first), &json!({}), &json!({}));
        run.tick(0);
        run.wait(20);
        run.say("set_times", &resolved());
        run.wait(5);
        run.say("set_facts", &down(!first));
        run.measure(MeasureName::Downtime).sentence
    };
    let none = "none: the service was recorded as not down before the incident was resolved";
    assert_eq!(run(false), none);
    let least = "down for at least 20min; neither its beginning nor its detection is stated";
    assert_eq!(run(true), least);
}

#[test]
fn post_1_a_rollback_method_that_failed_did_not_work_at_once() {
    let release = json!({"methods": [{"kind": "platform", "seconds": 60}]});
    let mut run =
        Run::of("severity-matrix", &json!({"severity": "P1"}), &release, &json!({})).live();
    run.say("roll_back", &json!({"why": "x"}));
    run.answer("failed");
    assert_eq!(run.rollout.state(), State::Frozen);
    run.wait(1);
    run.say("roll_back", &json!({"why": "again"}));
    run.confirm();
    assert!(says(&run.report().summary, "At first no rollback method worked"));
}

#[test]
fn post_1_small_things_of_the_report_are_true() {
    // What a P2 waives as a rule is no item of a checklist.
    let mut run = Run::new("severity-matrix", "P2");
    ready::make(&mut run.rollout, run.at);
    assert!(run.log().contains("\"waive_item\""));
    let improve = |run: &Run| run.report().to_improve;
    let waived: Vec<String> =
        improve(&run).into_iter().filter(|it| it.contains("waived")).collect();
    assert_eq!(waived, ["The normal process was waived."]);

    // Of the inputs that were refused the log has one a minute, with its sender.
    let mut run = Run::new("severity-matrix", "P1");
    let promote = json!({"kind": "promote", "by": "mallory", "why": "x"});
    run.tick(0);
    for _ in 0..3 {
        run.rollout.handle(run.at, &Input::from_value(promote.clone()).unwrap()).unwrap_err();
    }
    assert!(says(&improve(&run), "At least 1 input was refused (HF-ROLL-001)."));
    let trail = run.report().audit_trail.entries;
    let refused = trail.iter().find(|entry| entry.kind == "refused").unwrap();
    assert_eq!(refused.who.as_deref(), Some("mallory"));

    // No verdict ever found it.
    let mut run = Run::new("severity-matrix", "P1").live();
    run.say("report", &json!({"signal": "doubt"}));
    if run.rollout.state() != State::RollingBack {
        run.say("roll_back", &json!({"why": "by hand"}));
    }
    let detection = run.report().detection.join(" ");
    assert!(detection.contains("doubt"), "{detection}");

    // A plan that was made after its deployment has no lead time.
    let created = json!({"change_record": {"created": "2026-05-04T12:00:00Z"}});
    let run = Run::of("severity-matrix", &json!({"severity": "P1"}), &created, &json!({})).live();
    let keys = dora(&[run.log().as_bytes()], Period::Month).unwrap();
    assert_eq!((keys.whole.lead_time.known, keys.clocks.not_stated), (0, 1));

    // A text stays as it was written.
    let mut run = Run::new("severity-matrix", "P1");
    run.say("note", &json!({"text": "action: see https://x.example/a;b=1; owner: payments"}));
    let report = run.report();
    let item = report.action_items.iter().find(|item| item.duty.is_none()).unwrap();
    assert_eq!(item.task, "see https://x.example/a;b=1");
    assert_eq!(item.owner.as_deref(), Some("payments"));
    // The policy asks for a deadline, and for no success criterion.
    let open: Vec<_> = report.open.iter().filter(|open| open.starts_with("see https")).collect();
    assert_eq!(open, ["see https://x.example/a;b=1: no deadline"]);
    assert!(report.write(Format::Markdown).unwrap().contains("x.example/a;b=1"));
}
