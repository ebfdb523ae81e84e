//! Faults that begin after a good phase, in whole simulated rollouts of `standard`: beside a live
//! version that has the bug or fails often, the evidence has fallen far by then.

use std::sync::Arc;

use hotfix_core::policy::Policy;
use hotfix_core::simulate::{Campaign, Scenario, SimulatedOutcome};

/// Forty rollouts of a P1 with this world, in TOML.
pub(crate) fn simulated(world: &str) -> SimulatedOutcome {
    let text = format!(
        "until = '2h'\nincident = {{ id = 'INC-2041', severity = 'P1' }}\n\
         release = {{ version = '2.3.1', previous = '2.3.0' }}\n{world}"
    );
    let policy = Arc::new(Policy::preset("standard").unwrap());
    let scenario = Scenario::read(&text).unwrap_or_else(|errors| panic!("{errors}"));
    let plan = scenario.plan(policy).unwrap();
    Campaign::try_new(plan, &scenario, 1).unwrap().tally(0..40).outcome()
}

#[test]
fn field_17_a_rollback_bound_acts_although_evidence_fell_while_the_fix_was_good() {
    // The live version fails 4.5% of the requests, the fix 0.3%, until it breaks at half of the
    // traffic. The rollback bound is 5%.
    for (requests, to, most) in
        [(1_000, "10%", 300.0), (10_000, "10%", 240.0), (1_000, "20%", 150.0)]
    {
        let of = simulated(&format!(
            "traffic = {{ requests = {requests} }}\n\
             metrics = {{ error_rate = {{ rate = '4.5%', fixed = 0.067 }} }}\n\
             faults = [{{ kind = 'errors', metric = 'error_rate', to = '{to}', after = '25min' }}]"
        ));
        let median = of.seconds_to_find.as_ref().map_or(f64::INFINITY, |of| of.median);
        assert!(of.found_faults.count == 40 && median <= most, "{requests}, {to}: {of:?}");
    }
}

#[test]
fn field_17_a_shock_that_both_arms_share_is_no_rise_where_they_are_read_apart() {
    // 50 times the failures, of both arms. On one alignment the live version is seen to have them first,
    // and to have lost them first: there the evidence falls far and rises again.
    for (every, canary, live, after, lasts) in
        [(10, 5, 0, 15, 60), (30, 0, 15, 27, 60), (30, 15, 0, 21, 80), (60, 0, 30, 21, 60)]
    {
        let of = simulated(&format!(
            "traffic = {{ requests = 6000 }}\n\
             feed = {{ every = '{every}s', canary = '{canary}s', live = '{live}s' }}\n\
             faults = [{{ kind = 'errors', arm = 'both', times = 50, after = '{after}min', lasts = '{lasts}s' }}]"
        ));
        assert!(of.rolled_back.count == 0, "{every}, {canary}, {live}: {of:?}");
    }
}

#[test]
fn field_17_a_rollback_bound_acts_where_arms_were_read_apart_and_no_live_version_is_left() {
    // Every tenth request fails: with all of the traffic, after the completion, and at half of the
    // traffic after the live version's readings have stopped.
    let full = "[{ kind = 'errors', metric = 'error_rate', to = '10%', from_share = '100%' }]";
    let complete = "[{ kind = 'errors', metric = 'error_rate', to = '10%', after = '85min' }]";
    let alone = "[{ kind = 'lost', arm = 'live', after = '20min' },
                  { kind = 'errors', metric = 'error_rate', to = '100%', after = '22min' }]";
    for (every, live, faults, most) in
        [(60, 30, full, 480.0), (10, 5, complete, 600.0), (10, 5, alone, 600.0)]
    {
        let of = simulated(&format!(
            "after_end = true\ntraffic = {{ requests = 1000 }}\n\
             feed = {{ every = '{every}s', live = '{live}s' }}\nfaults = {faults}"
        ));
        let median = of.seconds_to_find.as_ref().map_or(f64::INFINITY, |of| of.median);
        let found = of.found_faults.count == of.faulty && of.faulty >= 38;
        assert!(found && median <= most, "{every} s, {faults}: {of:?}");
    }
}

#[test]
fn field_17_a_shock_with_all_of_the_traffic_is_no_fault_of_a_fix_that_was_read_apart() {
    // Soon after the last phase has begun, so that it fills most of the window.
    for (every, live) in [(10, 5), (60, 30)] {
        let of = simulated(&format!(
            "traffic = {{ requests = 6000 }}\nfeed = {{ every = '{every}s', live = '{live}s' }}\n\
             faults = [{{ kind = 'errors', arm = 'both', times = 50, after = '41min', lasts = '60s' }}]"
        ));
        assert!(of.rolled_back.count <= 1, "{every}: {of:?}");
    }
}

#[test]
fn field_17_a_bound_of_counts_does_not_act_where_the_fix_makes_them_rarer() {
    for rate in [8, 6] {
        let of = simulated(&format!(
            "traffic = {{ requests = 1000 }}\nmetrics = {{ bug = {{ per_minute = {rate}, fixed = 0.5 }} }}"
        ));
        assert!(of.rolled_back.count == 0 && of.completed.count == 40, "{rate}: {of:?}");
    }
}

#[test]
fn comm_1_a_fix_that_stops_working_at_half_of_the_traffic_does_not_end_as_repaired() {
    let of = simulated(
        "traffic = { requests = 1000 }\nmetrics = { bug = { per_minute = 4.5 } }\n\
         faults = [{ kind = 'no_fix', from_share = '50%' }]",
    );
    assert!(of.completed.count <= 2, "{of:?}");
}
