//! The cases of simulations, comparisons and advice that C and Python have too (POST-5): the same numbers everywhere.

use std::sync::Arc;

use hotfix_core::policy::Policy;
use hotfix_core::simulate::{Campaign, Comparison, Scenario, Search, SimulationErrors};
use serde_json::{Value, json};

use crate::shared::simulate_cases::Case;
use crate::tree;

fn policy(named: Result<&str, &str>) -> Arc<Policy> {
    Arc::new(match named {
        Ok(name) => Policy::preset(name).unwrap(),
        Err(text) => Policy::from_toml(text).unwrap_or_else(|errors| panic!("{errors}")),
    })
}

fn campaign(case: &Case, named: Result<&str, &str>) -> Result<Campaign, SimulationErrors> {
    let scenario = Scenario::from_value(&case.scenario)?;
    Campaign::try_new(scenario.plan(policy(named))?, &scenario, case.seed)
}

fn check(what: &str, run: impl Fn(&Case) -> Result<Value, SimulationErrors>) {
    let mut wrong = Vec::new();
    for case in Case::load(&tree::root().join("hotfix-core/tests/cases/simulate"), what) {
        let answer = run(&case).map_err(|errors| {
            let first = errors.first().unwrap();
            (first.code().to_owned(), first.path().to_owned())
        });
        wrong.extend(case.faults(answer));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn post_5_shared_simulations_come_out_as_their_cases_say() {
    check("simulate", |case| {
        let campaign = campaign(case, case.policy())?;
        let mut tally = campaign.tally(case.split()..case.runs);
        tally.merge(campaign.tally(0..case.split()))?;
        Ok(json!(tally.outcome()))
    });
}

#[test]
fn post_5_shared_comparisons_come_out_as_their_cases_say() {
    check("compare", |case| {
        let [first, second] = [case.policy(), case.second()].map(|policy| campaign(case, policy));
        let comparison = Comparison::try_new(first?, second?)?;
        let mut pairs = comparison.pairs(case.split()..case.runs);
        pairs.merge(comparison.pairs(0..case.split()))?;
        Ok(json!(pairs.differences()))
    });
}

#[test]
fn post_5_shared_advice_comes_out_as_its_cases_say() {
    check("advise", |case| {
        let search = Search::read(&policy(case.policy()), &case.question.to_string())?;
        let middle = search.work() / 3;
        let mut scores = search.play(middle..search.work());
        scores.merge(&search.play(0..middle));
        Ok(json!(search.advice(&scores)))
    });
}
