//! Many runs of one plan in one scenario.

use std::ops::Range;

use crate::canonical::{Digest, digest};
use crate::plan::Plan;
use crate::rollout::{Recording, Rollout};
use crate::unit::Timestamp;

use super::error::{SimulationErrors, SimulationFault};
use super::random::RunKey;
use super::run::{Driver, Run, Until};
use super::scenario::Scenario;
use super::synthetic::{Setting, Synthetic};
use super::tally::{Sum, Tally, Truth};

/// Many runs of one plan in one scenario. Run `i` of a seed is always the same, so threads and
/// machines may split the runs in any way.
///
/// ```
/// use std::sync::Arc;
/// use hotfix_core::policy::Policy;
/// use hotfix_core::simulate::{Campaign, Scenario};
///
/// let policy = Arc::new(Policy::from_toml(include_str!("../../tests/policies/simulated.toml"))?);
/// let scenario = Scenario::read("faults = [{ kind = \"errors\", times = 20.0 }]")?;
/// let campaign = Campaign::try_new(scenario.plan(policy)?, &scenario, 7)?;
/// let mut tally = campaign.tally(0..20);
/// tally.merge(campaign.tally(20..50))?;
/// assert_eq!(tally, campaign.tally(0..50));
/// assert_eq!(tally.outcome().missed_faults.count, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Campaign {
    setting: Setting,
    seed: u64,
    /// The state at the start, which is the same in every run.
    ready: Driver,
    of: Sum,
}

impl Campaign {
    /// Prepares the runs: the time before the start is simulated once.
    ///
    /// # Errors
    /// An error if the scenario does not fit the policy, if its tests cannot be set up, or if the
    /// rollout never starts although the scenario makes nobody absent.
    pub fn try_new(plan: Plan, scenario: &Scenario, seed: u64) -> Result<Self, SimulationErrors> {
        let setting = Setting::try_new(scenario, &plan)?;
        // A digest of the inputs, in which any difference shows.
        let of_scenario = digest(&format!("{scenario:?}")).unwrap_or(Digest::ZERO);
        let mut of = [seed, 0];
        for (part, digest) in of.iter_mut().zip([plan.digest(), of_scenario]) {
            *part ^= digest.as_bytes()[..8].iter().fold(0, |n, &byte| (n << 8) | u64::from(byte));
        }
        Ok(Self {
            ready: prepared(plan, &setting, Recording::Off)?,
            setting,
            seed,
            of: Sum::of_campaign(of),
        })
    }

    /// Makes these runs and tallies their results.
    pub fn tally(&self, runs: Range<u64>) -> Tally {
        let mut tally = self.nothing();
        self.each(runs, |_, run, truth| tally.add(run, truth));
        tally
    }

    /// Makes these runs, and passes on each with its number.
    pub fn each(&self, runs: Range<u64>, mut use_run: impl FnMut(u64, &Run, Truth)) {
        let mut environment = Synthetic::new(&self.setting, RunKey::new(self.seed, 0));
        let mut driver = self.ready.clone();
        for number in runs {
            environment.begin(RunKey::new(self.seed, number));
            // Reuses the memory of the previous run.
            driver.clone_from(&self.ready);
            let run = driver.play(&mut environment, self.until());
            use_run(number, run, Truth { bad_since: environment.bad_since });
        }
    }

    /// Makes one run and keeps its rollout with log and duties, for a drill.
    ///
    /// # Errors
    /// As [`try_new`](Self::try_new).
    pub fn drill(&self, number: u64) -> Result<(Driver, Truth), SimulationErrors> {
        let plan = self.ready.rollout().plan().clone();
        let mut driver = prepared(plan, &self.setting, Recording::Keep)?;
        let mut environment = Synthetic::new(&self.setting, RunKey::new(self.seed, number));
        environment.begin(RunKey::new(self.seed, number));
        driver.play(&mut environment, self.until());
        Ok((driver, Truth { bad_since: environment.bad_since }))
    }

    /// Whether runs with the same number have the same random numbers.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.seed == other.seed && self.setting.scenario == other.setting.scenario
    }

    /// An empty tally.
    pub(super) fn nothing(&self) -> Tally {
        Tally::new(self.of)
    }

    fn until(&self) -> Until {
        let end: Timestamp = self.setting.scenario.from + self.setting.scenario.lasts;
        if self.setting.scenario.after_end { Until::Time(end) } else { Until::End(end) }
    }
}

/// A rollout that is about to start.
fn prepared(
    plan: Plan,
    setting: &Setting,
    recording: Recording,
) -> Result<Driver, SimulationErrors> {
    let scenario = &setting.scenario;
    let fail = |fault| SimulationErrors::of("", fault);
    let rollout = Rollout::try_new(plan, recording, "").map_err(|error| {
        fail(SimulationFault::NotTaken { detail: format!("{}: {error}", error.code()) })
    })?;
    let mut driver = Driver::new(rollout, scenario.from);
    let mut environment = Synthetic::new(setting, RunKey::new(scenario.seed, 0));
    let starts = driver.prepare(&mut environment, scenario.from + scenario.lasts);
    if starts || scenario.people.may_not_start() {
        return Ok(driver);
    }
    let waits = driver.rollout().blockers().into_iter().next();
    let waits = waits.map_or_else(|| "nobody sends `start`".to_owned(), |blocker| blocker.sentence);
    Err(fail(SimulationFault::NeverStarts { waits }))
}
