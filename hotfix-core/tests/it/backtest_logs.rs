//! The backtest of a drill's log decides as the drill's rollout did.

use std::sync::Arc;

use hotfix_core::policy::Policy;
use hotfix_core::rollout::State;
use hotfix_core::simulate::backtest::{Backtest, What, backtest};
use hotfix_core::simulate::recorded::{Assumptions, Format, Mapping, RecordedMetrics};
use hotfix_core::simulate::{Campaign, Run, Scenario};

/// A drill, and the backtest of its log under the same policy.
fn both(policy: Policy, scenario: &str) -> (Run, Backtest) {
    let (policy, scenario) = (Arc::new(policy), Scenario::read(scenario).unwrap());
    let plan = scenario.plan(Arc::clone(&policy)).unwrap();
    let (driver, _) = Campaign::try_new(plan, &scenario, 5).unwrap().drill(0).unwrap();
    let log = driver.rollout().log();
    let recorded = RecordedMetrics::read(Format::JsonLines, log, &Mapping::default()).unwrap();
    let mut found = backtest(&[policy], &recorded, &Assumptions::default()).unwrap();
    (driver.run().clone(), found.policies.remove(0))
}

#[test]
fn field_12_after_the_rollback_of_a_log_nothing_more_is_played() {
    let scenario = "until = '6h'\ntraffic = { requests = 6000 }\n\
                    faults = [{ kind = 'latency', times = 1.6 }]";
    for name in ["phased-canary", "standard"] {
        let (run, found) = both(Policy::preset(name).unwrap(), scenario);
        assert!(run.rolled_back_at.is_some(), "{name}: {run:?}");
        let late = found.first_rollback.unwrap().since(run.rolled_back_at.unwrap());
        assert!(late.as_seconds() <= 60.0, "{name}: {found:?}");
        assert!(found.findings.iter().all(|of| of.code != "HF-REC-045"), "{:?}", found.findings);
    }
}

/// A rollout that is frozen keeps its traffic, and one that asks goes on.
#[test]
fn field_12_a_policy_that_freezes_or_asks_would_not_have_rolled_back() {
    let scenario = "until = '3h'\ntraffic = { requests = 6000 }\npeople = { decide = 'never' }\n\
                    faults = [{ kind = 'errors', times = 5.0 }]";
    for (on_failure, what, ended) in
        [("freeze", What::Freeze, State::Frozen), ("ask", What::Ask, State::Monitoring)]
    {
        let policy =
            format!("extends = 'standard'\nname = 'x'\n[rollback]\non_failure = '{on_failure}'\n");
        let (run, found) = both(Policy::from_toml(&policy).unwrap(), scenario);
        assert_eq!((run.rolled_back_at, found.first_rollback), (None, None), "{on_failure}");
        let first = found.would.iter().find(|would| would.what == what).unwrap();
        assert!(first.reason.contains("error_rate"), "{on_failure}: {first:?}");
        assert_eq!((run.ended, found.ended.state), (ended, ended), "{on_failure}");
        let asked = (what == What::Ask).then_some(first.at);
        assert_eq!(found.first_ask, asked, "{on_failure}: {:?}", found.would);
    }
}

/// Its contingencies act otherwise at P2 than at the first severity.
#[test]
fn field_12_the_severity_of_a_log_is_that_of_its_backtest() {
    let scenario = "until = '6h'\ntraffic = { requests = 6000 }\npeople = { decide = 'never' }\n\
                    incident = { id = 'i', severity = 'P2' }\n\
                    release = { version = '2', previous = '1' }\n\
                    faults = [{ kind = 'lost', after = '3min', lasts = '40min' }]";
    let (run, found) = both(Policy::preset("phased-canary").unwrap(), scenario);
    let (live, played) = (run.rolled_back_at.unwrap(), found.first_rollback.unwrap());
    let apart = live.since(played).max(played.since(live));
    assert!(apart.as_seconds() <= 60.0, "{live}, {played}: {}", found.why());
}
