//! What a run gives: the examples of the pages of outputs, and documents of many rollouts.

use std::sync::Arc;

use hotfix_core::canonical::Encoder;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Action, ActionDocument, Input, Recording, Rollout};
use hotfix_core::unit::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::random_rollout::Drawn;

/// A policy with one of everything that the examples show.
const POLICY: &str = r#"
format = 1
name = "example"
title = "One canary phase, then everybody"
strategy = "canary"
after = ["1h"]
final_validation = { watch = "1min", gate = "automatic" }
rollback = { watch = "1min", returned_within = "10min" }
approvals = [{ any_of = ["engineering_lead"], blocking = true }]
checklists = [
  { id = "tests", title = "Tests", at = "start", items = [{ id = "failing_case", text = "the failing case now passes" }] },
]
duties = [
  { id = "on_call", kind = "page", title = "on-call engineer paged", from = "detected", within = "5min", role = "on_call_engineer" },
  { id = "updates", kind = "update", title = "status update", from = "detected", within = "30min", every = "30min", until = "resolved", audience = "stakeholders" },
]

[roles.engineering_lead]
title = "engineering lead"
holders = [{ name = "Lena" }]

[roles.on_call_engineer]
title = "on-call engineer"
holders = [{ name = "Iris", reach = "pager 7" }]

[[phases]]
name = "canary"
share = "10%"
deploy = "1min"
watch = "10min"
promotion = "no_evidence_of_harm"
criteria_missed = "ask"
gate = "automatic"

[[phases]]
name = "all"
share = "100%"
deploy = "1min"
watch = "10min"
promotion = "no_evidence_of_harm"
criteria_missed = "ask"
gate = "automatic"

[watch]
cadence = "10s"
window = "5min"
least_trials = 100
stale = "1min"
no_data = { after = "2min", then = "ask" }

[metrics.error_rate]
title = "error rate"
kind = "proportion"
worse = "higher"
reference = "0.3%"
success = "1%"
rollback = "5%"
weight = 1.0
"#;

/// A document, with its type and the file in which that is found.
pub(crate) struct Document {
    /// The example of this name; empty for none.
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) value: Value,
}

impl Document {
    fn new(
        name: &'static str,
        file: &'static str,
        kind: &'static str,
        of: &impl Serialize,
    ) -> Self {
        // C writes canonical JSON, which has no infinite numbers.
        let mut text = Vec::new();
        Encoder::new().encode(of, &mut text).unwrap();
        Self { name, file, kind, value: serde_json::from_slice(&text).unwrap() }
    }
}

fn actions(name: &'static str, rollout: &Rollout, actions: &[Action]) -> Document {
    let of = |action| ActionDocument::of(action, rollout);
    let actions: Vec<_> = actions.iter().map(of).collect();
    Document::new(name, "rollout/action.rs", "Vec<ActionDocument>", &actions)
}

/// Everything that a rollout answers at a time, without names.
fn views(rollout: &Rollout, at: Timestamp) -> Vec<Document> {
    let evidence: Vec<_> = rollout.plan().policy().metrics().iter().collect();
    let evidence: Vec<_> = evidence.iter().map(|metric| rollout.evidence(metric.id)).collect();
    vec![
        actions("", rollout, rollout.last_actions()),
        actions("", rollout, rollout.pending_actions()),
        Document::new("", "rollout/stage.rs", "State", &rollout.state()),
        Document::new("", "rollout/stage.rs", "Stage", rollout.stage()),
        Document::new("", "rollout/blocker.rs", "Vec<Blocker>", &rollout.blockers()),
        Document::new("", "rollout/blocker.rs", "Approvals", &rollout.approvals()),
        Document::new("", "gate/checklist.rs", "Vec<ListStatus>", &rollout.checklists()),
        Document::new("", "gate/checklist.rs", "Vec<StepStatus>", &rollout.procedure()),
        Document::new("", "deadline/item.rs", "Duties", &rollout.duties(at)),
        Document::new("", "plan/change_record.rs", "PlanChangeRecord", &rollout.change_record()),
        Document::new("", "rollout/intervention.rs", "Vec<Intervention>", &rollout.interventions()),
        Document::new("", "rollout/question.rs", "Vec<OpenQuestion>", &rollout.questions()),
        Document::new("", "judge/verdict.rs", "Verdict", rollout.verdict()),
        Document::new("", "judge/evidence.rs", "Vec<Option<MetricEvidence>>", &evidence),
        Document::new("", "judge/why.rs", "Option<Why>", &rollout.why()),
        Document::new("", "judge/harm.rs", "Option<Harm>", &rollout.harm()),
        Document::new("", "judge/forecast.rs", "Option<Forecast>", &rollout.forecast()),
        Document::new("", "judge/table.rs", "Comparison", &rollout.comparison()),
    ]
}

/// A rollout under the policy, and the time.
struct Run {
    rollout: Rollout,
    at: Timestamp,
    documents: Vec<Document>,
}

impl Run {
    /// Sends an input at this time of the day; the answer is its actions.
    fn send(&mut self, at: &str, input: Value) -> Vec<Action> {
        self.at = format!("2026-03-03T{at}Z").parse().unwrap();
        let input = Input::from_value(input).unwrap();
        self.rollout.handle(self.at, &input).unwrap().actions.to_vec()
    }

    fn confirm(&mut self, at: &str) {
        let action = self.rollout.pending_actions()[0].id;
        self.send(at, json!({"kind": "confirm", "by": "tool", "action": action}));
    }

    fn observe(&mut self, at: &str, canary: [u32; 2], baseline: [u32; 2]) -> Vec<Action> {
        let metrics = json!({"error_rate": {"canary": canary, "baseline": baseline}});
        self.send(at, json!({"kind": "observe", "metrics": metrics}))
    }

    /// Keeps a document as an example.
    fn show(
        &mut self,
        name: &'static str,
        file: &'static str,
        kind: &'static str,
        of: impl FnOnce(&Rollout) -> Value,
    ) {
        self.documents.push(Document { name, file, kind, value: of(&self.rollout) });
    }
}

fn value(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap()
}

/// The run of the examples: its documents, and what the rollout answers on the way.
pub(crate) fn run() -> Vec<Document> {
    let plan = Plan::from_json(
        Arc::new(Policy::from_toml(POLICY).unwrap()),
        r#"{"id": "INC-2041", "service": "payments", "severity": "P1",
            "detected_at": "2026-03-03T14:30:00Z"}"#,
        r#"{"version": "2.3.1", "previous": "2.3.0",
            "methods": [{"kind": "feature_flag", "seconds": 5}]}"#,
        r#"{"requests_per_minute": 1000}"#,
    );
    let rollout = Rollout::try_new(plan.unwrap(), Recording::Keep, "pepper").unwrap();
    let mut run = Run { rollout, at: "2026-03-03T14:40:00Z".parse().unwrap(), documents: vec![] };

    run.send("14:40:00", json!({"kind": "tick"}));
    let first = actions("first_actions", &run.rollout, run.rollout.last_actions());
    run.documents.push(first);
    run.show("blockers", "rollout/blocker.rs", "Vec<Blocker>", |it| value(&it.blockers()));
    let at = "2026-03-03T14:41:00Z".parse().unwrap();
    run.show("duties", "deadline/item.rs", "Duties", |it| value(&it.duties(at)));
    let approve =
        json!({"kind": "approve", "by": "Lena", "role": "engineering_lead", "channel": "chat"});
    run.send("14:41:00", approve);
    run.show("approvals", "rollout/blocker.rs", "Approvals", |it| value(&it.approvals()));
    let item = "failing_case";
    let check = json!({"kind": "check_item", "by": "Omar", "item": item, "evidence": "build 412"});
    run.send("14:41:30", check);
    run.show("checklists", "gate/checklist.rs", "Vec<ListStatus>", |it| value(&it.checklists()));
    run.show("interventions", "rollout/intervention.rs", "Vec<Intervention>", |it| {
        value(&it.interventions())
    });
    run.documents.extend(views(&run.rollout, run.at));

    run.send("14:42:00", json!({"kind": "start", "by": "Lena"}));
    run.show("log_line", "rollout/event.rs", "Event", |it| {
        let mut line: Value = serde_json::from_str(it.log().lines().last().unwrap()).unwrap();
        line.as_object_mut().unwrap().remove("hash");
        line
    });
    run.documents.push(actions("pending", &run.rollout, run.rollout.pending_actions()));
    run.confirm("14:43:00");
    run.confirm("14:43:00");
    run.observe("14:43:10", [0, 17], [1, 150]);
    run.show("first_verdict", "judge/verdict.rs", "Verdict", |it| value(it.verdict()));
    run.observe("14:43:20", [1, 160], [4, 1500]);
    run.show("forecast", "judge/forecast.rs", "Forecast", |it| value(&it.forecast()));
    run.send("14:43:25", json!({"kind": "report", "by": "Lena", "signal": "doubt"}));
    run.show("questions", "rollout/question.rs", "Vec<OpenQuestion>", |it| value(&it.questions()));
    run.send("14:43:25", json!({"kind": "hold", "by": "Omar"}));
    run.documents.extend(views(&run.rollout, run.at));

    run.observe("14:43:30", [9, 167], [5, 1500]);
    let roll_back = actions("roll_back", &run.rollout, &run.rollout.last_actions()[..1]);
    run.documents.push(roll_back);
    run.show("verdict", "judge/verdict.rs", "Verdict", |it| value(it.verdict()));
    run.show("evidence", "judge/evidence.rs", "MetricEvidence", |it| {
        value(&it.evidence(it.plan().policy().metrics()[0].id))
    });
    run.show("why", "judge/why.rs", "Why", |it| value(&it.why()));
    run.show("harm", "judge/harm.rs", "Harm", |it| value(&it.harm()));
    run.show("comparison", "judge/table.rs", "Comparison", |it| value(&it.comparison()));
    run.documents.extend(views(&run.rollout, run.at));

    let power = run.rollout.plan().power();
    run.show("advice", "plan/power/advice.rs", "Vec<Advice>", |_| value(&power.advice));
    run.show("", "plan/power/mod.rs", "Power", |_| value(&power));
    run.documents
}

/// The documents of a preset's plan, before anything happened.
pub(crate) fn of_preset(preset: &str) -> Vec<Document> {
    let plan = Plan::from_json(
        Arc::new(Policy::preset(preset).unwrap()),
        r#"{"id": "INC-2041", "severity": "P1", "detected_at": "2026-03-03T14:30:00Z"}"#,
        r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
        r#"{"requests_per_minute": 1000}"#,
    );
    let plan = plan.unwrap();
    let power = Document::new("", "plan/power/mod.rs", "Power", &plan.power());
    let mut rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
    let at: Timestamp = "2026-03-03T16:40:00Z".parse().unwrap();
    rollout.handle(at, &Input::from_json(r#"{"kind": "tick"}"#).unwrap()).unwrap();
    let mut documents = views(&rollout, at);
    documents.push(power);
    documents
}

/// The lines of a drawn rollout, and what it answers from time to time.
pub(crate) fn of_seed(seed: u64) -> (Vec<Value>, Vec<Document>) {
    let mut drawn = Drawn::new(seed);
    let mut documents = Vec::new();
    for step in 0..40 {
        let (at, input) = drawn.draw();
        // A refused input is as good: its line is in the log.
        let _ = drawn.rollout.handle(at, &input);
        if step % 8 == 7 {
            documents.extend(views(&drawn.rollout, drawn.at));
        }
    }
    let lines = drawn.rollout.log().lines();
    (lines.map(|line| serde_json::from_str(line).unwrap()).collect(), documents)
}
