//! The parts of the error probability, over all that can roll back a release (STAT-2).

use hotfix_core::grade::{EvidenceMode, Otherwise};
use hotfix_core::judge::Reason;
use hotfix_core::metric::Sample;
use hotfix_core::plan::{ErrorBudget, Plan};
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::{Metric, Phase};
use hotfix_core::rollout::{Input, Recording};
use hotfix_core::stats::numeric::ln;
use hotfix_core::unit::{Share, Span};
use proptest::prelude::*;
use serde_json::json;

use crate::modes::{TICKS, error_rate, policy, seen, subject, watched};
use crate::policy_laws;
use crate::ready;
use crate::tree;

/// Whether a crossing of a metric's sequential test asks, and only comparisons of its instances roll
/// back.
fn asks(policy: &Policy, metric: &Metric) -> bool {
    let settings = policy.settings(metric);
    settings.mode == EvidenceMode::Randomised && settings.otherwise == Otherwise::Ask
}

/// Whether all that can roll back spends the error probability once: no more, and where nothing only
/// asks no less. Weights sum to 1 but for rounding.
fn check(policy: &Policy) -> Result<(), TestCaseError> {
    let budget = ErrorBudget::new(policy);
    let (all, spends) = (policy.phases(), |phase: &&Phase| budget.spends(phase));
    let live = all.iter().filter(|phase| phase.share < Share::ALL).count();
    // Where all traffic moves at once, each phase may roll back.
    let phases = if live == 0 { all.len() } else { live };
    prop_assert_eq!(all.iter().filter(spends).count(), phases);
    let phases = phases as f64;
    let tested: Vec<&Metric> = policy.metrics().iter().filter(|m| m.is_tested()).collect();
    let part = |metric: &&Metric| {
        let asks = asks(policy, metric);
        let sequential = if asks { 0.0 } else { budget.sequential_of(metric) };
        sequential + phases * (budget.drawing(metric) + budget.phase_end(metric))
    };
    let (alpha, spent) = (budget.alpha(), tested.iter().map(part).sum::<f64>());
    prop_assert!(spent <= alpha * (1.0 + 1e-8), "{spent} of {alpha}");
    let whole = !tested.is_empty() && !tested.iter().any(|metric| asks(policy, metric));
    prop_assert!(!whole || spent >= alpha * (1.0 - 1e-8), "{spent} of {alpha}");
    // The sum of the evidence of all metrics has the same parts as each metric alone.
    let sums = tested.iter().map(|m| budget.weight(m) * budget.sequential());
    let alone = tested.iter().map(|m| budget.sequential_of(m));
    prop_assert!(sums.zip(alone).all(|(sum, alone)| (sum / alone - 1.0).abs() < 1e-9));
    Ok(())
}

#[test]
fn stat_2_presets_spend_their_error_probability_once() {
    let presets = Policy::presets().iter().map(|name| Policy::preset(name).unwrap());
    let files = std::fs::read_dir(tree::root().join("hotfix-core/tests/policies")).unwrap();
    let files = files.filter_map(|file| Policy::from_toml(&tree::read(&file.unwrap().path())).ok());
    let policies: Vec<Policy> = presets.chain(files).collect();
    assert!(policies.len() > Policy::presets().len());
    for policy in &policies {
        check(policy).unwrap();
    }
}

/// Whether the test at the end of a phase finds a canary 1.7 times as bad, in the phase after so many.
fn phase_end_finds(passed: usize) -> bool {
    let mut changes = vec![
        ("/evidence/mode", json!("plain")),
        ("/evidence/phase_end_test", json!(true)),
        ("/phases/0/early_promotion", json!(true)),
        ("/phases/1/early_promotion", json!(true)),
    ];
    let lasts = ["/phases/0/watch", "/phases/1/watch", "/phases/2/watch"];
    changes.extend(lasts.map(|key| (key, json!(600.0))));
    let plan = Plan::try_new(policy(&changes), subject()).unwrap();
    let (mut rollout, mut at) = watched(plan, Recording::Off);
    for _ in 0..passed {
        at = at + Span::from_seconds(1);
        let promote = Input::from_json(r#"{"kind":"promote","by":"lena"}"#).unwrap();
        rollout.handle(at, &promote).unwrap();
        at = ready::confirm_all(&mut rollout, at);
    }
    assert_eq!(rollout.phase(), Some(rollout.plan().policy().phases()[passed].name));
    (1..=TICKS).any(|tick| {
        at = at + Span::from_seconds(10);
        let canary = Sample::Pair(f64::from(u8::from(tick % 15 != 0)), 100.0);
        rollout.handle(at, &seen(canary, Sample::Pair(5.0, 900.0))).unwrap();
        rollout.verdict().has(Reason::PhaseEndTest)
    })
}

#[test]
fn stat_2_no_test_ends_a_phase_that_has_no_part_of_the_error_probability() {
    // Instances of the old version that are still read at 100% are no live arm.
    assert_eq!([0, 1, 2].map(phase_end_finds), [true, true, false]);
}

#[test]
fn stat_2_what_may_be_judged_in_two_ways_has_half_of_its_part_for_each() {
    let threshold = |mode: &str, otherwise: &str| {
        let changes = [("/evidence/mode", json!(mode)), ("/evidence/otherwise", json!(otherwise))];
        let plan = Plan::try_new(policy(&changes), subject()).unwrap();
        let (mut rollout, at) = watched(plan, Recording::Off);
        let quiet = seen(Sample::Pair(0.0, 100.0), Sample::Pair(3.0, 900.0));
        rollout.handle(at + Span::from_seconds(10), &quiet).unwrap();
        rollout.evidence(error_rate()).unwrap().threshold
    };
    let (whole, half) = (-ln(0.01), -ln(0.005));
    assert_eq!(threshold("plain", "plain"), whole);
    assert_eq!(threshold("replay", "plain"), whole);
    assert_eq!(threshold("randomised", "ask"), whole, "the test asks, only the draws roll back");
    assert_eq!(threshold("randomised", "plain"), half);
    assert_eq!(threshold("both", "ask"), half);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stat_2_all_that_can_roll_back_shares_one_error_probability(
        document in policy_laws::document(),
    ) {
        check(&policy_laws::loaded(&document))?;
    }
}
