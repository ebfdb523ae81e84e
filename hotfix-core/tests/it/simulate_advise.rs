//! Advice: what keeps false rollbacks under a bound at the least harm (POST-5).

use std::sync::Arc;

use hotfix_core::policy::Policy;
use hotfix_core::simulate::{Advice, Axis, Scenario, Search, SimulationError};
use serde_json::{Value, json};

fn policy() -> Arc<Policy> {
    Arc::new(Policy::from_toml(include_str!("../policies/simulated.toml")).expect("a policy"))
}

fn axis(path: &str, values: &Value) -> Axis {
    Axis { path: path.to_owned(), values: values.as_array().cloned().expect("a list") }
}

fn scenarios() -> Vec<Scenario> {
    ["", "faults = [{ kind = \"errors\", times = 10.0 }]"]
        .map(|text| Scenario::read(text).expect("a scenario"))
        .into()
}

fn advise(axes: &[Axis], bound: f64, runs: u64) -> Advice {
    let search = Search::try_new(&policy(), &scenarios(), axes, bound, 11, runs)
        .unwrap_or_else(|errors| panic!("{errors}"));
    search.advice(&search.play(0..search.work()))
}

#[test]
fn post_5_parts_of_a_search_add_up_to_the_whole() {
    let axes =
        [axis("/phases/0/share", &json!(["5%", "20%"])), axis("/evidence/alpha", &json!(["5%"]))];
    let search = Search::try_new(&policy(), &scenarios(), &axes, 0.1, 11, 30).expect("a search");
    assert_eq!(search.work(), 6 * 30);
    for first in (0..search.work()).step_by(30) {
        // As another thread might: the later runs first.
        let mut parts = search.play(first + 13..first + 30);
        parts.merge(&search.play(first..first + 13));
        assert_eq!(parts, search.play(first..first + 30), "candidate {}", first / 30);
    }
}

#[test]
fn post_5_a_bound_that_no_run_can_show_is_kept_by_none_and_a_wide_one_by_the_least_harm() {
    let axes = [axis("/phases/0/share", &json!(["5%", "20%"]))];
    // With 200 runs no share below one in a hundred can be shown, whatever the policy.
    assert_eq!(advise(&axes, 0.001, 200).best, None);
    let advice = advise(&axes, 0.2, 200);
    let best = &advice.candidates[advice.best.expect("one keeps it")];
    assert!(best.keeps && best.at_most <= 0.2);
    for candidate in advice.candidates.iter().filter(|candidate| candidate.keeps) {
        assert!(best.affected.mean <= candidate.affected.mean);
    }
    let table = advice.to_markdown();
    assert_eq!(table.lines().count(), 2 + advice.candidates.len());
    let first = table.lines().nth(2).expect("a row");
    assert!(best.changes.is_empty() == first.contains("unchanged"), "{table}");
}

#[test]
fn post_5_bounds_that_chance_crosses_are_found_out() {
    // One bad request in a hundred is what a healthy arm has by chance: such a bound goes back for nothing.
    let tight = json!(["0.35%"]);
    let advice = advise(&[axis("/metrics/error_rate/rollback", &tight)], 0.1, 100);
    let [as_it_is, tight] = advice.candidates.as_slice() else { panic!("two candidates") };
    assert_eq!(tight.not_tried, None);
    assert!(as_it_is.keeps && !tight.keeps, "{advice:?}");
    assert!(tight.false_rollbacks.low > as_it_is.at_most, "{advice:?}");
    assert_eq!(advice.best, Some(0));
}

#[test]
fn post_5_what_cannot_be_read_is_told_with_its_reason_and_what_cannot_be_asked_is_refused() {
    let advice = advise(&[axis("/phases/0/share", &json!(["a lot"]))], 0.2, 1);
    let why = advice.candidates[1].not_tried.as_deref().expect("not tried");
    assert!(why.contains("/phases/0/share"), "{why}");
    assert!(!advice.candidates[1].keeps);
    let refused = |scenarios: &[Scenario], axes: &[Axis], bound| {
        let errors = Search::try_new(&policy(), scenarios, axes, bound, 1, 1).expect_err("refused");
        let placed = |error: &SimulationError| (error.code(), error.path().to_owned());
        errors.iter().map(placed).collect::<Vec<_>>()
    };
    let share = |values: &Value| axis("/phases/0/share", values);
    let (one, many) = (share(&json!(["5%"])), share(&(0..1001).map(Value::from).collect()));
    let one = std::slice::from_ref(&one);
    let no = |path: &str| vec![("HF-SIM-012", path.to_owned())];
    assert_eq!(refused(&[], one, 0.1), no("/scenarios"));
    assert_eq!(refused(&scenarios(), &[], 0.1), no("/axes"));
    assert_eq!(refused(&scenarios(), one, 1.5), no("/bound"));
    assert_eq!(refused(&scenarios(), one, f64::NAN), no("/bound"));
    assert_eq!(refused(&scenarios(), &[many], 0.1), no("/axes"));
    assert_eq!(refused(&scenarios(), &[share(&json!([]))], 0.1), no("/axes/0/values"));
    let twice = [one, one].concat();
    assert_eq!(refused(&scenarios(), &twice, 0.1), no("/axes/1/path"));
    // A key that no table has, a list that is shorter, a misspelt key, and what is no pointer.
    for path in ["/phasse/0", "/phases/9/share", "/evidence/alhpa", "phases", ""] {
        let axes = [one, &[axis(path, &json!([0.1]))]].concat();
        let place = vec![("HF-SIM-009", "/axes/1/path".to_owned())];
        assert_eq!(refused(&scenarios(), &axes, 0.1), place, "{path}");
    }
    // What the policy leaves out can be tried all the same.
    let left_out = axis("/metrics/error_rate/alert", &json!(["5%"]));
    assert!(!policy().to_json().contains(r#""alert":"5%"#));
    assert_eq!(advise(&[left_out], 0.2, 1).candidates[1].not_tried, None);
    let stray = Scenario::read("metrics = { eror_rate = { rate = 0.1 } }").expect("a scenario");
    let place = vec![("HF-SIM-007", "/scenarios/2/metrics/eror_rate".to_owned())];
    assert_eq!(refused(&[scenarios(), vec![stray]].concat(), one, 0.1), place);
}

#[test]
fn post_5_a_question_is_answered_the_same_however_its_work_is_split() {
    let question = r#"
        runs = 70
        bound = "20%"
        seed = 11
        axes = [{ path = "/phases/0/share", values = ["5%", "20%"] }]
        scenarios = [{}, "faults = [{ kind = \"errors\", times = 10.0 }]"]
    "#;
    let search = Search::read(&policy(), question).unwrap_or_else(|errors| panic!("{errors}"));
    let whole = search.advice(&search.play(0..search.work()));
    assert_eq!(whole, advise(&[axis("/phases/0/share", &json!(["5%", "20%"]))], 0.2, 70));
    // Parts that end within a candidate, and one that goes beyond the last.
    let mut scores = search.play(199..1000);
    scores.merge(&search.play(0..69));
    scores.merge(&search.play(69..199));
    assert_eq!(search.advice(&scores), whole);
    let read: Advice = serde_json::from_value(json!(whole)).expect("it reads what it writes");
    assert_eq!(read, whole);
    // After one run intervals have no ends, which JSON writes as null.
    let one = advise(&[axis("/phases/0/share", &json!(["5%"]))], 0.2, 1);
    assert!(one.candidates[0].affected.high.is_infinite());
    assert_eq!(serde_json::from_value::<Advice>(json!(one)).expect("an advice"), one);
}

#[test]
fn post_5_the_usual_search_can_be_tried_on_every_preset_with_phases() {
    for name in ["standard", "phased-canary"] {
        let policy = Arc::new(Policy::preset(name).expect("a preset"));
        let axes = Axis::usual(&policy);
        let search = Search::try_new(&policy, &scenarios(), &axes, 0.05, 3, 1)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let advice = search.advice(&search.play(0..search.work()));
        assert_eq!(advice.candidates.len(), 3 * 3 * 3, "{name}");
        let untried: Vec<_> =
            advice.candidates.iter().filter_map(|c| c.not_tried.as_deref()).collect();
        assert!(untried.is_empty(), "{name}: {untried:?}");
    }
}
