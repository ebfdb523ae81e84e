//! Strategies and the phases of each, the recommendation, and the way back (PLAN-1, PLAN-2, PLAN-5).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hotfix_core::grade::{ChecklistMoment, MetricKind, Severity, Strategy as Way};
use hotfix_core::judge::Decision;
use hotfix_core::plan::{Plan, PlanError, Subject};
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::Metric;
use hotfix_core::rollout::{Act, Input, Recording, Rollout, State};
use hotfix_core::unit::{Share, Span, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::crate_files;
use crate::ready;
use crate::shared::plan_cases::{self, Case};

fn preset(name: &str) -> Arc<Policy> {
    Arc::new(Policy::preset(name).unwrap())
}

fn plan_of(policy: Arc<Policy>, documents: &[Value; 3]) -> Result<Plan, PlanError> {
    let [incident, release, traffic] = documents;
    Plan::from_json(policy, &incident.to_string(), &release.to_string(), &traffic.to_string())
}

fn answer(plan: &Plan) -> Value {
    serde_json::to_value(plan.document()).unwrap()
}

fn faults(case: &Case) -> Vec<String> {
    let mut document: Value =
        serde_json::from_str(&Policy::preset(&case.policy).unwrap().to_json()).unwrap();
    case.change(&mut document);
    let policy = Policy::from_json(&document.to_string())
        .unwrap_or_else(|errors| panic!("{}: {errors}", case.id));
    match (plan_of(Arc::new(policy), &case.documents()), &case.refused) {
        (Ok(plan), None) => case.faults(&answer(&plan)),
        (Ok(_), Some(_)) => vec![format!("{}: it can be planned", case.id)],
        (Err(error), None) => {
            vec![format!("{}: {} at {}: {error}", case.id, error.code(), error.path())]
        }
        (Err(error), Some((code, place, part))) => {
            let as_expected =
                error.code() == code && error.path() == *place && error.to_string().contains(part);
            let got = format!("{}: {} at {}: {error}", case.id, error.code(), error.path());
            if as_expected { Vec::new() } else { vec![got] }
        }
    }
}

#[test]
fn plan_1_every_case_of_strategies_recommendations_and_ways_back() {
    let cases = plan_cases::load(&crate_files::in_crate("tests/cases/plan"));
    let ids: BTreeSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids.len(), cases.len(), "an id stands twice");
    let wrong: Vec<String> = cases.iter().flat_map(faults).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One look at a release that mends the bug and is otherwise a little better than the live version.
fn healthy(policy: &Policy, share: f64) -> Value {
    let reading = |metric: &Metric| {
        let arm = |part: f64, better: f64| {
            let (n, record) = ((20_000.0 * part).round(), metric.reference.unwrap_or(0.0));
            match metric.kind {
                MetricKind::Proportion => {
                    let bad = (metric.worse.bad(n * record, n) * better).floor();
                    json!([metric.worse.bad(bad, n), n])
                }
                MetricKind::Count => json!([((1.0 - better) * 50.0 * part).round(), 10.0 * part]),
                MetricKind::Gauge => json!(record),
                MetricKind::Volume => json!(record * part),
                MetricKind::Latency => {
                    let le = metric.boundaries.clone();
                    let mut counts = vec![n; le.len()];
                    counts[0] = (n * (1.0 - better / 100.0)).floor();
                    json!({ "counts": counts, "le": le, "count": n })
                }
            }
        };
        // The bug is gone in the canary.
        let mends = metric.kind == MetricKind::Count;
        let mut arms = json!({ "canary": arm(share, if mends { 1.0 } else { 0.8 }) });
        if share < 1.0 {
            arms["baseline"] = arm(1.0 - share, if mends { 0.0 } else { 1.0 });
        }
        (metric.id.to_string(), arms)
    };
    policy.metrics().iter().map(reading).collect::<serde_json::Map<_, _>>().into()
}

/// A rollout with somebody who does whatever is asked.
struct Driven {
    rollout: Rollout,
    at: Timestamp,
}

impl Driven {
    fn new(plan: Plan) -> Self {
        let rollout = Rollout::try_new(plan, Recording::Keep, "pepper").unwrap();
        let mut driven = Self { rollout, at: "2026-03-03T14:40:00Z".parse().unwrap() };
        driven.prepare();
        driven.give(&json!({ "kind": "start", "by": "lena" }));
        driven.confirm_all();
        driven
    }

    fn try_give(&mut self, input: &Value) -> Result<(), String> {
        self.at = self.at + Span::from_millis(1);
        let input = Input::from_json(&input.to_string()).unwrap();
        self.rollout.handle(self.at, &input).map(|_| ()).map_err(|refusal| refusal.to_string())
    }

    fn give(&mut self, input: &Value) {
        self.try_give(input).unwrap_or_else(|refusal| panic!("{input}: {refusal}"));
    }

    /// Checks every item and has every role approve, each by a person of its own. What is asked for is among it; what is
    /// not may be refused.
    fn prepare(&mut self) {
        let policy = self.rollout.plan().policy().clone();
        let lists = policy.checklists().iter().filter(|list| list.at == ChecklistMoment::Start);
        for item in lists.flat_map(|list| &list.items) {
            let id = item.id.to_string();
            let _ = self.try_give(&json!({
                "kind": "check_item", "by": "lena", "item": id, "evidence": "seen", "status": "done",
            }));
        }
        let of_severities = policy.severities().iter().flat_map(|level| &level.approvals);
        let roles: BTreeSet<String> = policy
            .approvals()
            .iter()
            .chain(of_severities)
            .flat_map(|demand| &demand.any_of)
            .map(ToString::to_string)
            .collect();
        for role in roles {
            let _ = self.try_give(&json!({
                "kind": "approve", "by": format!("one-{role}"), "role": role, "channel": "call",
            }));
        }
    }

    fn confirm_all(&mut self) {
        while let Some(action) = self.rollout.pending_actions().first() {
            let id = action.id.to_string();
            self.give(&json!({ "kind": "confirm", "by": "tool", "action": id }));
        }
    }

    /// One look; then whatever it led to is done, and a person passes what asks for one.
    fn look(&mut self) {
        self.at = self.at + self.rollout.plan().policy().watch().cadence;
        let share = self.rollout.share().as_fraction();
        let metrics = healthy(self.rollout.plan().policy(), share);
        self.give(&json!({ "kind": "observe", "metrics": metrics }));
        self.confirm_all();
        let asks = matches!(self.rollout.state(), State::Gate | State::FinalValidation)
            || self.rollout.verdict().decision == Decision::Ask;
        if self.rollout.state() == State::FinalValidation {
            for input in &ready::at_the_end(&self.rollout) {
                self.give(input);
            }
        }
        if asks {
            let _ =
                self.try_give(&json!({ "kind": "promote", "by": "lena", "why": "it looks right" }));
            self.confirm_all();
        }
    }

    fn run_until(&mut self, states: &[State]) {
        for _ in 0..5_000 {
            if states.contains(&self.rollout.state()) {
                return;
            }
            self.look();
        }
        panic!("{:?} in {}: {:?}", states, self.rollout.state(), self.rollout.verdict());
    }

    fn replays(&self) {
        let again = Rollout::replay(self.rollout.log().as_bytes(), Recording::Keep).unwrap();
        assert_eq!(again.head(), self.rollout.head());
        assert_eq!(again.stage(), self.rollout.stage());
        assert_eq!(again.plan(), self.rollout.plan(), "the log's plan is the plan");
        assert_eq!(again.plan().digest(), self.rollout.plan().digest());
        assert_eq!(again.plan().recommendation(), self.rollout.plan().recommendation());
        assert_eq!(again.plan().strategy(), self.rollout.plan().strategy());
    }
}

/// P1, or the most severe that the policy has.
fn severity(policy: &Policy) -> &'static str {
    let known: Vec<_> = policy.severities().iter().map(|level| level.severity).collect();
    if known.is_empty() || known.contains(&Severity::P1) { "P1" } else { known[0].as_str() }
}

fn documents(strategy: &str) -> [Value; 3] {
    [
        json!({ "id": "INC-2041", "severity": "P1" }),
        json!({
            "version": "2.3.1", "previous": "2.3.0", "strategy": strategy, "author": "dana",
            "methods": [{ "kind": "redeploy", "seconds": 60 }, { "kind": "blue_green_switch", "seconds": 90 }],
        }),
        json!({ "requests_per_minute": 120_000, "instances": 4, "flags": true, "schema_change": false }),
    ]
}

#[test]
fn plan_1_every_strategy_of_every_preset_is_rolled_out_and_rolled_back() {
    let mut without = Vec::new();
    for name in Policy::presets() {
        for strategy in Way::ALL {
            let policy = preset(name);
            let mut documents = documents(strategy.as_str());
            documents[0]["severity"] = severity(&policy).into();
            let plan = match plan_of(policy, &documents) {
                Ok(plan) => plan,
                Err(error) => {
                    assert_eq!(error.code(), "HF-PLAN-011", "{name}, {strategy}: {error}");
                    without.push(format!("{name} {strategy}"));
                    continue;
                }
            };
            assert_eq!(plan.policy().strategy(), *strategy);
            assert_eq!(plan.policy().denials(), [""; 0], "{name}, {strategy}");
            let count = plan.phases().len();

            let mut good = Driven::new(plan.clone());
            good.run_until(&[State::Complete]);
            assert_eq!(good.rollout.share(), Share::ALL, "{name}, {strategy}");
            good.replays();

            let mut bad = Driven::new(plan);
            bad.run_until(&[State::Monitoring]);
            // In the second phase, where there is one.
            while count > 1 && bad.rollout.phase() == Some(bad.rollout.plan().phases()[0].name) {
                bad.look();
            }
            bad.give(&json!({ "kind": "roll_back", "by": "lena", "why": "tickets" }));
            let first = bad.rollout.pending_actions().first().unwrap().act.clone();
            let Act::RollBack { method, .. } = first else { panic!("{first:?}") };
            let chosen = bad.rollout.plan().rollback().chosen().unwrap().kind;
            assert_eq!(method, chosen, "{name}, {strategy}: the plan says which way is taken");
            bad.confirm_all();
            bad.run_until(&[State::RolledBack]);
            bad.replays();
        }
    }
    // Shares of the traffic are nobody's to make up: these documents know none.
    let shares = ["emergency-command", "enterprise", "fast-track", "severity-matrix"];
    let expected: Vec<String> = Policy::presets()
        .iter()
        .filter(|name| shares.contains(name))
        .flat_map(|name| ["canary", "feature_flag"].map(|way| format!("{name} {way}")))
        .collect();
    assert_eq!(without, expected);
}

#[test]
fn plan_1_an_idle_side_that_fails_its_validation_ends_the_rollout_before_any_traffic() {
    let plan = plan_of(preset("emergency-command"), &documents("blue_green")).unwrap();
    let mut rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
    let mut driven =
        Driven { at: "2026-03-03T14:40:00Z".parse().unwrap(), rollout: rollout.clone() };
    driven.prepare();
    driven.give(&json!({ "kind": "start", "by": "lena" }));
    rollout = driven.rollout.clone();
    let deploy = rollout.pending_actions().first().unwrap();
    assert!(matches!(deploy.act, Act::Deploy { .. }));
    let id = deploy.id.to_string();
    driven.give(&json!({ "kind": "failed", "by": "tool", "action": id, "why": "not healthy" }));
    assert_eq!((driven.rollout.state(), driven.rollout.share()), (State::Failed, Share::NONE));
}

#[test]
fn plan_1_a_policy_of_a_plan_is_that_of_another_plan_as_it_was_written() {
    let chosen = plan_of(preset("phased-canary"), &documents("rolling")).unwrap();
    assert_eq!(chosen.policy().instead_of().map(|own| own.strategy), Some(Way::Canary));
    let policy = Arc::new(chosen.policy().clone());
    let [incident, mut release, traffic] = documents("rolling");
    release.as_object_mut().unwrap().remove("strategy");
    let other = plan_of(Arc::clone(&policy), &[incident.clone(), release, traffic]).unwrap();
    assert_eq!(other.policy(), &*preset("phased-canary"));
    // Twice as many instances: the batches are counted anew.
    let [_, release, mut traffic] = documents("rolling");
    traffic["instances"] = json!(8);
    let more = plan_of(policy, &[incident, release, traffic]).unwrap();
    assert_eq!(more.phases().len(), 8);
}

#[test]
fn plan_1_a_fault_that_denies_denies_whatever_the_release_chose() {
    let mut document: Value =
        serde_json::from_str(&Policy::preset("phased-canary").unwrap().to_json()).unwrap();
    let question = |id: &str, fact: &str, no: &str| json!({ "id": id, "ask": "?", "when": fact, "yes": "l", "no": no });
    document["tree"] = json!({
        "root": "a",
        "questions": [question("a", "service_down", "b"), question("b", "data_corruption", "a")],
        "leaves": [{ "id": "l", "title": "t", "hotfix": true }],
    });
    let policy = Arc::new(Policy::from_json(&document.to_string()).unwrap());
    let plan = plan_of(policy, &documents("immediate")).unwrap();
    assert_eq!(plan.policy().strategy(), Way::Immediate);
    let rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
    let mut driven = Driven { at: "2026-03-03T14:40:00Z".parse().unwrap(), rollout };
    driven.prepare();
    let refusal = driven.try_give(&json!({ "kind": "start", "by": "lena" })).unwrap_err();
    assert!(refusal.contains("HF-LINT-001"), "{refusal}");
}

#[test]
fn roll_7_a_log_keeps_the_phases_that_were_chosen() {
    let plan = plan_of(preset("phased-canary"), &documents("rolling")).unwrap();
    // As a later release would derive them otherwise: the log's own are kept.
    let mut document: Value = serde_json::from_str(&plan.policy().to_json()).unwrap();
    document["phases"][0]["watch"] = json!("7min");
    let policy = Arc::new(Policy::from_json(&document.to_string()).unwrap());
    let subject: Subject = plan.subject().clone();
    let kept = Plan::restored(Arc::clone(&policy), subject.clone(), BTreeMap::new()).unwrap();
    assert_eq!(kept.phases()[0].watch, Span::from_seconds(420));
    let made = Plan::try_new(policy, subject).unwrap();
    assert_eq!(made.phases()[0].watch, Span::from_seconds(600));
}

fn any_subject() -> impl Strategy<Value = [Value; 3]> {
    let traffic = (
        proptest::option::of(0.1f64..100_000.0),
        proptest::option::of(prop_oneof![0u32..6, 0u32..5_000]),
        proptest::option::of(any::<bool>()),
        proptest::option::of(any::<bool>()),
    );
    let incident = (
        proptest::option::of(proptest::sample::select(vec!["P0", "P1", "P2", "P3"])),
        proptest::option::of(any::<bool>()),
    );
    let methods = proptest::sample::subsequence(
        vec!["feature_flag", "redeploy", "git_revert", "blue_green_switch", "platform"],
        0..=5,
    );
    let batch = proptest::option::weighted(0.3, prop_oneof![1u32..5, 1u32..6_000]);
    let strategy = proptest::option::of(proptest::sample::select(Way::ALL.to_vec()));
    (traffic, incident, methods, batch, strategy).prop_map(
        |((requests, instances, flags, schema), (severity, down), methods, batch, strategy)| {
            let methods: Vec<Value> = methods.iter().map(|kind| json!({ "kind": kind })).collect();
            let some = |table: Value| match table {
                Value::Object(table) => {
                    table.into_iter().filter(|(_, value)| !value.is_null()).collect()
                }
                other => other,
            };
            [
                some(json!({ "id": "INC-1", "severity": severity, "facts": some(json!({ "service_down": down })) })),
                some(json!({
                    "version": "2", "previous": "1", "methods": methods, "batch": batch,
                    "strategy": strategy.map(Way::as_str),
                })),
                some(json!({
                    "requests_per_minute": requests, "instances": instances, "flags": flags, "schema_change": schema,
                })),
            ]
        },
    )
}

fn any_preset() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(Policy::presets().to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn plan_2_shares_never_fall_the_last_is_everything_and_a_plan_is_restored(
        name in any_preset(), documents in any_subject(),
    ) {
        let plan = match plan_of(preset(name), &documents) {
            Ok(plan) => plan,
            Err(error) => {
                prop_assert!(error.code() >= "HF-PLAN-010" && error.code() <= "HF-PLAN-014", "{error}");
                return Ok(());
            }
        };
        let shares: Vec<Share> = plan.phases().iter().map(|phase| phase.share).collect();
        prop_assert!(shares.windows(2).all(|pair| pair[0] < pair[1]), "{shares:?}");
        prop_assert_eq!(shares.last(), Some(&Share::ALL));
        prop_assert!(shares.len() <= 32);
        let names: BTreeSet<_> = plan.phases().iter().map(|phase| phase.name).collect();
        prop_assert_eq!(names.len(), shares.len());
        prop_assert!(plan.phases().iter().all(|phase| phase.watch_most.is_none_or(|most| most >= phase.watch)));

        // Through the text, as a log has it.
        let read = Policy::from_json(&plan.policy().to_json()).unwrap();
        prop_assert_eq!(&read, plan.policy());
        let again = Plan::restored(Arc::new(read), plan.subject().clone(), BTreeMap::new()).unwrap();
        prop_assert_eq!(again.digest(), plan.digest());
        prop_assert_eq!(again.recommendation(), plan.recommendation());
        prop_assert_eq!(again.rollback(), plan.rollback());
        prop_assert_eq!(again.strategy(), plan.strategy());
        prop_assert_eq!(&again, &plan);
        let anew = Plan::try_new(Arc::new(plan.policy().clone()), plan.subject().clone()).unwrap();
        prop_assert_eq!(anew.digest(), plan.digest());
    }

    #[test]
    fn plan_1_what_is_advised_can_be_planned_and_is_advised_again(
        name in any_preset(), documents in any_subject(),
    ) {
        let advised = match plan_of(preset(name), &documents) {
            Ok(plan) => plan.recommendation().strategy,
            Err(PlanError::Strategy { instead: Some(instead), .. }) => instead,
            Err(_) => return Ok(()),
        };
        let [incident, mut release, traffic] = documents;
        release["strategy"] = json!(advised.as_str());
        if advised != Way::Rolling {
            release.as_object_mut().unwrap().remove("batch");
        }
        let plan = plan_of(preset(name), &[incident, release, traffic]).unwrap();
        let advice = plan.recommendation();
        prop_assert_eq!(advice.strategy, advised);
        prop_assert_eq!(advice.alternatives.len(), Way::ALL.len() - 1);
        prop_assert!(!advice.reasons.is_empty());
        let kinds: Vec<_> = plan.methods().iter().map(|method| method.kind).collect();
        let planned: Vec<_> = plan.rollback().methods.iter().map(|method| method.kind).collect();
        prop_assert_eq!(kinds, planned);
    }
}

#[test]
fn plan_1_reasons_for_another_strategy_are_not_read_as_of_the_chosen_one() {
    let policy = Arc::new(Policy::preset("standard").unwrap());
    let release = r#"{"version": "2", "previous": "1", "strategy": "immediate"}"#;
    let traffic = r#"{"requests_per_minute": 1000, "instances": 10, "canary_instances": 1}"#;
    let plan = Plan::from_json(policy, r#"{"id": "INC-1", "severity": "P1"}"#, release, traffic);
    let page = plan.unwrap().to_markdown(None);
    for part in
        ["**Recommended instead: canary.**\n\nAbout canary:\n\n- ", "| immediate (chosen) | "]
    {
        assert!(page.contains(part), "{part}\n{page}");
    }
}
