//! Drills and simulations: a plan is run against a scenario, without a deployment.

use std::ffi::c_char;

use hotfix_core::plan::Plan;
use hotfix_core::simulate::{
    Campaign, Comparison, Run, Scenario, SimulatedOutcome, SimulationFault, Tally, Truth,
};
use serde::Serialize;

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::{Fallible, FaultStatus, hotfix_error};
use crate::plan::hotfix_plan;
use crate::pointer;
use crate::policy::sorted;
use crate::status::hotfix_status;

impl FaultStatus for SimulationFault {
    const STATUS: hotfix_status = hotfix_status::Simulate;
}

fn campaign(plan: &Plan, scenario: &Scenario, seed: u64) -> Fallible<Campaign> {
    Ok(Campaign::try_new(plan.clone(), scenario, seed)?)
}

/// Run numbers that would overflow end at the largest number.
const fn runs(from: u64, count: u64) -> std::ops::Range<u64> {
    from..from.saturating_add(count)
}

#[derive(Serialize)]
struct Tallied<'a> {
    outcome: SimulatedOutcome,
    tally: &'a Tally,
}

#[derive(Serialize)]
struct Drill<'a> {
    run: &'a Run,
    truth: Truth,
    unmet: Vec<String>,
    log: &'a str,
}

fn with_outcome(tally: &Tally) -> Fallible<String> {
    sorted(&Tallied { outcome: tally.outcome(), tally })
}

/// Simulates runs of a plan in a scenario, on the calling thread: {"outcome", "tally"}. The outcome
/// table has false rollbacks, missed faults, times, affected requests, missed duties and questions,
/// each with its 95% interval; the tally is for hotfix_simulate_merge.
///
/// Run number n of a seed is always the same, so the caller can split the runs between threads or
/// machines.
///
/// @param plan          A plan.
/// @param scenario      A scenario in TOML or JSON (docs/simulation.md); UTF-8, borrowed.
/// @param scenario_len  Its length in bytes.
/// @param seed          The seed.
/// @param from          Number of the first run.
/// @param count         Number of runs.
/// @param out           A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_SIMULATE for a scenario that cannot be read or does not fit the plan; the
///         error has every fault.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_simulate(
    plan: *const hotfix_plan,
    scenario: *const c_char,
    scenario_len: usize,
    seed: u64,
    from: u64,
    count: u64,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let scenario = pointer::text(scenario, scenario_len, "scenario")?;
            pointer::read(plan, "plan", |plan| {
                let scenario = Scenario::read(scenario)?;
                let campaign = campaign(plan, &scenario, seed)?;
                with_outcome(&campaign.tally(runs(from, count)))
            })
        })
    }
}

/// Merges the parts of one simulation: {"outcome", "tally"} of all their runs.
///
/// @param tallies      A JSON list of the "tally" of each part; UTF-8, borrowed.
/// @param tallies_len  Its length in bytes.
/// @param out          A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_SIMULATE for parts of different simulations, and if `tallies` is not a
///         list of tallies.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_simulate_merge(
    tallies: *const c_char,
    tallies_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let text = pointer::text(tallies, tallies_len, "tallies")?;
            with_outcome(&Tally::merged_from_json(text)?)
        })
    }
}

/// Compares two plans in runs with the same random seeds: the differences of the second plan, each
/// with its paired 95% interval, and both outcome tables.
///
/// @param first         A plan.
/// @param second        Another plan, for example of a changed policy.
/// @param scenario      A scenario in TOML or JSON; UTF-8, borrowed.
/// @param scenario_len  Its length in bytes.
/// @param seed          The seed.
/// @param from          Number of the first run.
/// @param count         Number of runs.
/// @param out           A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_SIMULATE for a scenario that cannot be read or does not fit the plans.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_simulate_compare(
    first: *const hotfix_plan,
    second: *const hotfix_plan,
    scenario: *const c_char,
    scenario_len: usize,
    seed: u64,
    from: u64,
    count: u64,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let text = pointer::text(scenario, scenario_len, "scenario")?;
            let one = |plan: &Plan| campaign(plan, &Scenario::read(text)?, seed);
            let first = pointer::read(first, "first", one)?;
            let second = pointer::read(second, "second", one)?;
            let pairs = Comparison::try_new(first, second)?.pairs(runs(from, count));
            sorted(&pairs.differences())
        })
    }
}

/// Simulates one run and keeps its log: {"run", "truth", "unmet", "log"}. "unmet" lists in
/// sentences the expectations of the scenario that were not met. The log has the same format as
/// that of any rollout.
///
/// @param plan          A plan.
/// @param scenario      A scenario in TOML or JSON; UTF-8, borrowed.
/// @param scenario_len  Its length in bytes.
/// @param seed          The seed.
/// @param number        Number of the run.
/// @param out           A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_SIMULATE for a scenario that cannot be read or does not fit the plan.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_drill(
    plan: *const hotfix_plan,
    scenario: *const c_char,
    scenario_len: usize,
    seed: u64,
    number: u64,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let text = pointer::text(scenario, scenario_len, "scenario")?;
            pointer::read(plan, "plan", |plan| {
                let scenario = Scenario::read(text)?;
                let (player, truth) = campaign(plan, &scenario, seed)?.drill(number)?;
                let (run, log) = (player.run(), player.rollout().log());
                sorted(&Drill { run, truth, unmet: scenario.unmet(run), log })
            })
        })
    }
}
