//! The shared cases of simulations, comparisons and advice through the C functions (POST-5).

use std::ptr::null_mut;

use hotfix::advise::hotfix_simulate_advise;
use hotfix::policy::hotfix_policy_from_toml;
use hotfix::simulate::{hotfix_simulate, hotfix_simulate_compare, hotfix_simulate_merge};
use hotfix::status::hotfix_status;
use serde_json::{Value, json};

use crate::common::{Failed, Plan, Policy, buffer, call, in_crate, raw};
use crate::shared::simulate_cases::Case;

fn policy(named: Result<&str, &str>) -> Policy {
    match named {
        Ok(name) => Policy::preset(name).unwrap(),
        Err(text) => {
            let ((at, len), mut out) = (raw(text), null_mut());
            // SAFETY: live text and slot.
            call(|e| unsafe { hotfix_policy_from_toml(at, len, &raw mut out, e) }).unwrap();
            Policy(out)
        }
    }
}

/// A host's own plan, of what the scenario says.
fn plan(case: &Case, named: Result<&str, &str>) -> Plan {
    let part = |key: &str| case.scenario[key].to_string();
    let requests = &case.scenario["traffic"]["requests"];
    let traffic =
        if requests.is_null() { json!({}) } else { json!({ "requests_per_minute": requests }) };
    let parts = [part("incident"), part("release"), traffic.to_string()];
    Plan::new(&policy(named), [&parts[0], &parts[1], &parts[2]]).unwrap()
}

fn check(what: &str, run: impl Fn(&Case) -> Result<String, Failed>) {
    let mut wrong = Vec::new();
    for case in Case::load(&in_crate("../hotfix-core/tests/cases/simulate"), what) {
        let answer = run(&case).map(|text| serde_json::from_str(&text).unwrap());
        let answer = answer.map_err(|failed| {
            assert_eq!(failed.status, hotfix_status::Simulate, "{failed:?}");
            (failed.code, failed.path)
        });
        wrong.extend(case.faults(answer));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn post_5_shared_simulations_come_out_in_c_as_their_cases_say() {
    check("simulate", |case| {
        let (plan, scenario) = (plan(case, case.policy()), case.scenario.to_string());
        let (text, len) = raw(&scenario);
        let tally = |from: u64, to: u64| {
            // SAFETY: a live plan, text and buffer.
            let part = buffer(|out, e| unsafe {
                hotfix_simulate(plan.0, text, len, case.seed, from, to - from, out, e)
            });
            part.map(|part| serde_json::from_str::<Value>(&part).unwrap()["tally"].take())
        };
        let parts = json!([tally(case.split(), case.runs)?, tally(0, case.split())?]).to_string();
        let (text, len) = raw(&parts);
        // SAFETY: live text and buffer.
        let whole = buffer(|out, e| unsafe { hotfix_simulate_merge(text, len, out, e) })?;
        Ok(serde_json::from_str::<Value>(&whole).unwrap()["outcome"].to_string())
    });
}

#[test]
fn post_5_shared_comparisons_come_out_in_c_as_their_cases_say() {
    check("compare", |case| {
        let (first, second) = (plan(case, case.policy()), plan(case, case.second()));
        let scenario = case.scenario.to_string();
        let (text, len) = raw(&scenario);
        // SAFETY: live plans, text and buffer.
        buffer(|out, e| unsafe {
            let (seed, runs) = (case.seed, case.runs);
            hotfix_simulate_compare(first.0, second.0, text, len, seed, 0, runs, out, e)
        })
    });
}

#[test]
fn post_5_shared_advice_comes_out_in_c_as_its_cases_say() {
    check("advise", |case| {
        let (policy, question) = (policy(case.policy()), case.question.to_string());
        let (text, len) = raw(&question);
        // SAFETY: a live policy, text and buffer.
        buffer(|out, e| unsafe { hotfix_simulate_advise(policy.0, text, len, out, e) })
    });
}
