//! Each preset from its first input to its last, minute by minute, with every approval, list, duty and reading that it asks
//! for, as a deploy tool and its people would (ROLL-1, GATE-2, MET-7, COMM-1, TIME-2, FIELD-20).

use std::sync::Arc;

use hotfix_core::deadline::Source;
use hotfix_core::gate::ItemState;
use hotfix_core::grade::{ChecklistMoment, DutyKind, MetricKind, Worse};
use hotfix_core::judge::Version;
use hotfix_core::message::Format;
use hotfix_core::metric::{Arms, Histogram, Observation, Sample};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::{Checklist, Metric};
use hotfix_core::rollout::{
    Act, Audience, BlockerKind, Input, MessageKind, Recording, Redaction, Rollout, State, audit,
    redact,
};
use hotfix_core::unit::{Share, Span, Timestamp};
use serde_json::{Value, json};

use crate::ready;

const MINUTE: Span = Span::from_seconds(60);
const HOUR: Span = Span::from_seconds(3_600);
/// Readings of the live version before the start.
const BEFORE: usize = 15;
const REQUESTS: f64 = 1_000.0;

/// What the fix does to the service.
#[derive(Clone, Copy, PartialEq)]
enum Fix {
    Works,
    /// A third of the requests fail.
    Fails,
    /// The bug is as frequent as before, four times a minute, and all else works.
    MendsNothing,
    /// Its arm is never read.
    IsNotRead,
}

/// What people do after the start.
#[derive(Clone, Copy, PartialEq)]
enum People {
    /// They go through the lists, do their duties and answer questions.
    Thorough,
    /// The same without the lists.
    LeaveListsOpen,
    /// Nothing.
    Silent,
}

/// A deploy tool and its people, who do what the rollout asks for.
struct Tool {
    rollout: Rollout,
    at: Timestamp,
    fix: Fix,
    people: People,
    /// Which part of the requests arrives.
    arrive: f64,
    /// Which metrics' requests do not arrive; all where it is empty.
    stuck: &'static [&'static str],
    /// Messages to each audience, with the state in which they were asked for; the status page is the public.
    sent: Vec<(Audience, MessageKind, State)>,
    question: bool,
}

impl Tool {
    fn new(preset: &str, fix: Fix, people: People) -> Self {
        Self::with(preset, fix, people, &release().to_string())
    }

    fn with(preset: &str, fix: Fix, people: People, release: &str) -> Self {
        let policy = Arc::new(Policy::preset(preset).expect("a preset"));
        let severity = policy.severities().first().map(|level| level.severity);
        let mut incident = json!({
            "id": "INC-2041", "service": "payments", "title": "Checkout fails on an empty method", "severity": severity,
        });
        // Where no approval holds the start, whether it is a hot-fix is asked until it is known.
        if preset == "fast-track" {
            incident["facts"] = json!({
                "customer_impacting": true, "small_isolated_change": true, "fix_riskier_than_issue": false,
                "quick_to_validate": true, "new_feature": false, "refactoring": false, "tested": true,
            });
        }
        let traffic = json!({ "requests_per_minute": REQUESTS });
        let [incident, traffic] = [incident, traffic].map(|part| part.to_string());
        let plan = Plan::from_json(policy, &incident, release, &traffic).expect("a plan");
        Self {
            rollout: Rollout::try_new(plan, Recording::Keep, "pepper").expect("a rollout"),
            at: "2026-03-03T14:40:00Z".parse().expect("a time"),
            fix,
            people,
            arrive: 1.0,
            stuck: &[],
            sent: Vec::new(),
            question: false,
        }
    }

    fn send(&mut self, input: Value) {
        let what = input.to_string();
        self.give(&Input::from_value(input).expect("an input"), &what);
    }

    fn give(&mut self, input: &Input, what: &str) {
        let outcome = self.rollout.handle(self.at, input);
        let actions =
            outcome.unwrap_or_else(|refusal| panic!("{what}: {refusal}")).actions.to_vec();
        let state = self.rollout.state();
        for action in actions {
            match action.act {
                Act::Notify { audience, message, duty, .. } => {
                    self.sent.push((audience, message, state));
                    self.settle("done", duty.map(|duty| duty.to_string()));
                }
                Act::UpdateStatusPage { message, duty } => {
                    self.sent.push((Audience::Public, message, state));
                    self.settle("done", duty.map(|duty| duty.to_string()));
                }
                Act::Schedule { duty, .. } => self.settle("done", Some(duty.to_string())),
                Act::Page { duty, .. } => {
                    self.settle("acknowledge", duty.map(|duty| duty.to_string()));
                }
                Act::AskDecision { .. } => self.question = true,
                Act::RequestApproval { .. }
                | Act::SetTraffic { .. }
                | Act::Deploy { .. }
                | Act::RollBack { .. } => {}
            }
        }
    }

    fn settle(&mut self, kind: &str, duty: Option<String>) {
        if let Some(duty) = duty {
            self.send(json!({"kind": kind, "by": "omar", "duty": duty}));
        }
    }

    /// One minute: readings, then what people and the platform do.
    fn minute(&mut self) {
        self.at = self.at + MINUTE;
        let seen = self.read();
        let observes = self.rollout.accepted().iter().any(|kind| kind.as_str() == "observe");
        if observes {
            self.give(&Input::observe(seen), "observe");
        } else {
            self.send(json!({"kind": "tick"}));
        }
        while let Some(action) = self.rollout.pending_actions().first().map(|action| action.id) {
            self.send(json!({"kind": "confirm", "by": "tool", "action": action.to_string()}));
        }
        if self.people == People::Thorough {
            self.check_items();
        }
        if self.people == People::Silent {
            return;
        }
        self.do_duties();
        let promotes = self.rollout.accepted().iter().any(|kind| kind.as_str() == "promote");
        let held =
            self.people == People::LeaveListsOpen && self.rollout.state() == State::FinalValidation;
        if std::mem::take(&mut self.question) && promotes && !held {
            self.send(promotion());
        }
    }

    fn check_items(&mut self) {
        let moment = match self.rollout.state() {
            State::FinalValidation => &[
                ChecklistMoment::Deployed,
                ChecklistMoment::Verified,
                ChecklistMoment::FinalValidation,
            ][..],
            State::RolledBack => &[ChecklistMoment::RolledBack],
            State::Complete => &[ChecklistMoment::After],
            _ => &[],
        };
        let lists = self.rollout.checklists().into_iter().filter(|list| moment.contains(&list.at));
        let items = lists.flat_map(|list| list.items);
        let open: Vec<_> =
            items.filter(|item| item.state == ItemState::Open).map(|item| item.id).collect();
        for item in open {
            self.send(json!({"kind": "check_item", "by": "omar", "item": item}));
        }
    }

    fn do_duties(&mut self) {
        let duties = self.rollout.duties(self.at);
        let by_hand = |kind| {
            matches!(
                kind,
                DutyKind::Act
                    | DutyKind::Review
                    | DutyKind::Write
                    | DutyKind::Watch
                    | DutyKind::FollowUp
                    | DutyKind::Meet
            )
        };
        let due = duties.due.iter().chain(&duties.overdue).filter(|item| {
            by_hand(item.kind)
                // Its items settle it.
                && item.source != Source::Checklist
                && item.watched_until().is_none_or(|until| until <= self.at)
        });
        let due: Vec<String> = due.map(|item| item.id.to_string()).collect();
        for duty in due {
            // One of a ladder, or of a list, may settle another.
            let input = Input::from_value(json!({"kind": "done", "by": "omar", "duty": duty}))
                .expect("an input");
            if self.rollout.handle(self.at, &input).is_err() {
                self.settle("acknowledge", Some(duty));
            }
        }
    }

    /// Both arms, or the live version alone before the start.
    fn read(&self) -> Observation {
        let share = self.rollout.share().as_fraction();
        let mut seen = Observation::new();
        for metric in self.rollout.plan().policy().metrics() {
            let is_stuck = self.stuck.is_empty() || self.stuck.contains(&metric.id.as_str());
            let arrive = if is_stuck { self.arrive } else { 1.0 };
            let arm = |version, share: f64| {
                (share > 0.0).then(|| sample(metric, share * arrive, (version, self.fix)))
            };
            let arms = Arms {
                canary: arm(Version::Canary, share).filter(|_| self.fix != Fix::IsNotRead),
                baseline: arm(Version::Live, 1.0 - share),
                ..Arms::default()
            };
            seen.set(metric.id, arms);
        }
        seen
    }

    /// Everything before the start, and the start.
    fn start(&mut self) {
        self.open();
        ready::make(&mut self.rollout, self.at);
        self.send(json!({"kind": "start", "by": "lena"}));
    }

    /// The first input, and the minutes before the start.
    fn open(&mut self) {
        self.send(json!({"kind": "tick"}));
        for _ in 0..BEFORE {
            self.minute();
        }
    }

    /// Until it has ended, for two days at most.
    fn run(&mut self) {
        for _ in 0..2 * 24 * 60 {
            if self.rollout.state().is_final() || self.rollout.state() == State::RolledBack {
                return;
            }
            self.minute();
        }
    }

    fn times(&self, audience: Audience, message: MessageKind) -> usize {
        self.sent.iter().filter(|(to, what, _)| (*to, *what) == (audience, message)).count()
    }
}

fn release() -> Value {
    json!({
        "version": "4.7.2", "previous": "4.7.1", "description": "guard against an empty method", "author": "zoe",
    })
}

fn promotion() -> Value {
    json!({"kind": "promote", "by": "lena", "why": "customers confirm that it works"})
}

/// A minute of the live version, which has the bug, or of the fix.
fn sample(metric: &Metric, share: f64, of: (Version, Fix)) -> Sample {
    let fails = of == (Version::Canary, Fix::Fails);
    let requests = (REQUESTS * share).round();
    match metric.kind {
        MetricKind::Proportion => {
            let usual = metric.reference.unwrap_or(if metric.worse == Worse::Higher {
                0.003
            } else {
                0.997
            });
            let rate = match (fails, metric.worse) {
                (false, _) => usual,
                (true, Worse::Higher) => 0.33,
                (true, Worse::Lower) => 0.67,
            };
            // A rounded count may be beyond a bound that the rate meets.
            let events = requests * rate;
            Sample::Pair(
                if metric.worse == Worse::Higher { events.floor() } else { events.ceil() },
                requests,
            )
        }
        MetricKind::Count => {
            let a_minute = match of {
                (_, Fix::MendsNothing) => 4.0,
                (Version::Live, _) => 60.0,
                (Version::Canary, Fix::Works | Fix::IsNotRead) => 0.0,
                (Version::Canary, Fix::Fails) => 600.0,
            };
            Sample::Pair((a_minute * share).round(), 60.0)
        }
        MetricKind::Latency => {
            let times = if fails { 10.0 } else { 1.0 };
            let took = metric.reference.unwrap_or(0.25) * 0.8 * times;
            let edges = metric.boundaries.clone();
            let counts =
                edges.iter().map(|edge| if *edge >= took { requests } else { 0.0 }).collect();
            Sample::Histogram(Histogram { le: edges, counts, count: requests })
        }
        MetricKind::Gauge => Sample::Level(metric.reference.unwrap_or(0.4)),
        MetricKind::Volume => Sample::Level(requests),
    }
}

#[test]
fn roll_1_each_preset_takes_a_good_fix_from_the_first_input_to_the_last() {
    let mut wrong = Vec::new();
    for preset in Policy::presets() {
        let mut tool = Tool::new(preset, Fix::Works, People::Thorough);
        tool.start();
        tool.run();
        wrong.extend(tool.faults().iter().map(|what| format!("{preset}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An incident is opened when nobody has a fix; the release comes a quarter of an hour later.
#[test]
fn roll_1_each_preset_is_opened_before_there_is_a_release() {
    let mut wrong = Vec::new();
    for preset in Policy::presets() {
        let mut tool = Tool::with(preset, Fix::Works, People::Thorough, "");
        tool.open();
        let blockers = tool.rollout.blockers();
        assert_eq!(blockers[0].kind, BlockerKind::Release, "{preset}");
        assert_eq!(tool.rollout.state(), State::Drafted, "{preset}");
        let at = tool.at;
        assert!(tool.rollout.plan().source_control(at).is_err(), "{preset}");
        let page = tool.rollout.plan().to_markdown(Some(at));
        assert!(page.contains("no release yet"), "{preset}: {page}");
        let text = tool.rollout.snapshot().expect("a snapshot");
        let again = Rollout::restore(&text, &[], Recording::Keep).expect("a rollout");
        assert_eq!(again.blockers(), blockers, "{preset}");
        assert_eq!(again.plan().digest(), tool.rollout.plan().digest(), "{preset}");
        tool.send(json!({"kind": "release", "by": "lena", "release": release()}));
        assert_eq!(tool.rollout.attempt(), 1, "{preset}");
        ready::make(&mut tool.rollout, at);
        tool.send(json!({"kind": "start", "by": "lena"}));
        tool.run();
        wrong.extend(tool.faults().iter().map(|what| format!("{preset}: {what}")));
        let rollout = &tool.rollout;
        let audit = audit(rollout.log().as_bytes(), rollout.head());
        assert!(audit.is_clean(), "{preset}: {:?}", audit.findings);
        let redacted = redact(rollout.log().as_bytes(), &Redaction::Everything).expect("a log");
        assert!(!redacted.contains("zoe"), "{preset}");
        let replayed = Rollout::replay(redacted.as_bytes(), Recording::Keep).expect("a log");
        assert_eq!(replayed.plan().digest(), rollout.plan().digest(), "{preset}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

impl Tool {
    /// What is wrong with a run that had to be good.
    fn faults(&self) -> Vec<String> {
        let (tool, mut wrong) = (self, Vec::new());
        let mut check = |holds: bool, what: String| {
            if !holds {
                wrong.push(what);
            }
        };
        let Tool { rollout, .. } = &tool;
        let causes = rollout.log().lines().rev().find(|line| line.contains("\"roll_back\""));
        let state = rollout.state();
        check(state == State::Closed, format!("is {state} at {}: {causes:?}", tool.at));
        check(rollout.share() == Share::ALL, format!("{} of the traffic", rollout.share()));
        let lists = rollout.checklists();
        let items = lists.iter().filter(|list| list.holds_start).flat_map(|list| &list.items);
        let open = items.filter(|item| item.required && item.state == ItemState::Open);
        let open: Vec<_> = open.map(|item| item.id.to_string()).collect();
        check(open.is_empty(), format!("open: {open:?}"));
        let duties = rollout.duties(tool.at);
        let overdue: Vec<_> = duties.overdue.iter().map(|item| item.id.to_string()).collect();
        check(overdue.is_empty(), format!("overdue: {overdue:?}"));
        for audience in [Audience::Responders, Audience::Stakeholders] {
            let ends = tool.times(audience, MessageKind::Resolved);
            check(ends == 1, format!("{audience} read {ends} times that it is resolved"));
            let backs = tool.times(audience, MessageKind::RolledBack);
            check(backs == 0, format!("{audience} read that it was rolled back"));
        }
        let early = tool.sent.iter().find(|(_, message, state)| {
            *message == MessageKind::Resolved && !matches!(state, State::Complete | State::Closed)
        });
        check(early.is_none(), format!("resolved too early: {early:?}"));
        wrong
    }
}

#[test]
fn roll_3_each_preset_rolls_a_bad_fix_back_by_itself() {
    for preset in Policy::presets() {
        let mut tool = Tool::new(preset, Fix::Fails, People::Thorough);
        tool.start();
        let started = tool.at;
        tool.run();
        assert_eq!(tool.rollout.state(), State::RolledBack, "{preset}");
        assert_eq!(tool.rollout.share(), Share::NONE, "{preset}");
        assert!(tool.at.since(started) <= Span::from_seconds(2 * 3_600), "{preset}: {}", tool.at);
        assert!(tool.times(Audience::Responders, MessageKind::RolledBack) == 1, "{preset}");
        assert_eq!(tool.times(Audience::Public, MessageKind::Resolved), 0, "{preset}");
        // People work through the list of the time after.
        tool.minute();
        let open = tool
            .rollout
            .checklists()
            .into_iter()
            .filter(|list| list.at == ChecklistMoment::RolledBack);
        assert!(
            open.flat_map(|list| list.items).all(|item| item.state != ItemState::Open),
            "{preset}"
        );
    }
}

#[test]
fn met_7_no_preset_completes_while_a_list_that_holds_its_end_is_open() {
    for preset in Policy::presets() {
        let mut tool = Tool::new(preset, Fix::Works, People::LeaveListsOpen);
        let policy = tool.rollout.plan().policy();
        if !policy.checklists().iter().any(Checklist::holds_completion) {
            continue;
        }
        tool.start();
        for _ in 0..6 * 60 {
            tool.minute();
        }
        assert_eq!(tool.rollout.state(), State::FinalValidation, "{preset}");
        assert_eq!(tool.times(Audience::Responders, MessageKind::Resolved), 0, "{preset}");
        let promote = Input::from_value(promotion()).expect("an input");
        let refused = tool.rollout.handle(tool.at, &promote).err().map(|refusal| refusal.code());
        assert_eq!(refused, Some("HF-ROLL-024"), "{preset}");
    }
}

/// Four minutes before the end of a phase's least time not one request arrives any more, of all metrics or of what
/// one exporter counts. The readings go on.
#[test]
fn field_3_no_preset_passes_a_phase_in_which_traffic_stops() {
    let mut wrong = Vec::new();
    for preset in Policy::presets() {
        for stuck in [&[][..], &["error_rate", "payment_success"]] {
            let mut tool = Tool::new(preset, Fix::Works, People::Silent);
            tool.stuck = stuck;
            tool.start();
            while tool.rollout.state() != State::Monitoring {
                tool.minute();
            }
            let policy = tool.rollout.plan().policy();
            let after = policy.watch().no_data.after;
            let minutes = policy.phases()[0].watch.as_millis() / MINUTE.as_millis();
            let phase = tool.rollout.phase();
            for _ in 4..minutes {
                tool.minute();
            }
            let dead = tool.at;
            tool.arrive = 0.0;
            while tool.at.since(dead) <= after + MINUTE + MINUTE && !tool.question {
                tool.minute();
            }
            let state = tool.rollout.state();
            // A volume with a bound of its own rolls back.
            let is_seen = tool.question || matches!(state, State::RollingBack | State::RolledBack);
            let passed = state == State::FinalValidation
                || tool.rollout.phase().is_some_and(|now| Some(now) != phase);
            if passed || !is_seen {
                wrong.push(format!("{preset}, {stuck:?}: {state}, {:?}", tool.rollout.phase()));
            }
            // After a rollback nobody knows whether it has helped.
            if let Some(open) = tool.rollout.questions().first()
                && state != State::RolledBack
                && !open.text.contains("no request since 2026-03-0")
            {
                wrong.push(format!("{preset}, {stuck:?}: {}", open.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Nobody answers, and the fix is not shown to mend anything: it mends nothing, or nobody reads it.
#[test]
fn field_20_no_preset_announces_what_was_not_shown() {
    let mut wrong = Vec::new();
    for preset in Policy::presets() {
        for (fix, name) in [(Fix::MendsNothing, "mends nothing"), (Fix::IsNotRead, "is not read")] {
            let mut tool = Tool::new(preset, fix, People::Silent);
            tool.start();
            for _ in 0..24 * 60 {
                let before = tool.sent.len();
                tool.minute();
                let sent = tool.sent[before..].iter().map(|(audience, kind, _)| (*audience, *kind));
                let sent: Vec<_> = sent.collect();
                let faults = tool.untrue(&sent).into_iter();
                wrong.extend(faults.map(|what| format!("{preset}, {name}, {}: {what}", tool.at)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

impl Tool {
    /// What the messages of this minute say, and what any other may say, that is not so: nobody has
    /// decided that the incident is over.
    fn untrue(&self, sent: &[(Audience, MessageKind)]) -> Vec<String> {
        let (rollout, mut wrong) = (&self.rollout, Vec::new());
        let state = rollout.state();
        if matches!(state, State::Complete | State::Closed) {
            wrong.push(format!("is {state}"));
        }
        if self.fix == Fix::IsNotRead && state == State::FinalValidation {
            wrong.push("passed a phase that nobody read".to_owned());
        }
        for audience in Audience::ALL {
            if rollout.message(MessageKind::Resolved, *audience, Format::Text).is_ok() {
                wrong.push(format!("{audience} may read that it is resolved"));
            }
        }
        // An hour after the start somebody has been asked.
        let asked = rollout.started_at().is_some_and(|start| self.at.since(start) > HOUR);
        for (audience, kind) in sent {
            let text = match rollout.message(*kind, *audience, Format::Text) {
                Ok(text) => text.to_string(),
                Err(error) => {
                    wrong.push(format!("{kind} for {audience}: {error}"));
                    continue;
                }
            };
            let blind = self.fix == Fix::IsNotRead && state == State::Monitoring;
            let says = ["repaired", "resolved:", "watched at", "watching the fix", "monitoring it"];
            let (over, watches) = says.split_at(2);
            let is_said = |said: &[&str]| said.iter().any(|words| text.contains(words));
            if is_said(over) || (asked && blind && is_said(watches)) {
                wrong.push(format!("{kind} for {audience}: {text}"));
            }
        }
        wrong
    }
}
