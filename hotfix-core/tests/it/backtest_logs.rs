//! The backtest of a drill's log decides as the drill's rollout did.

use std::sync::Arc;

use hotfix_core::policy::Policy;
use hotfix_core::simulate::backtest::{Backtest, backtest};
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
