//! Many runs of one plan in one scenario.

use std::ops::Range;

use crate::canonical::{Digest, digest};
use crate::plan::Plan;
use crate::rollout::{Recording, Rollout};
use crate::unit::Timestamp;

use super::error::{SimulationErrors, SimulationFault};
use super::made_up::{MadeUp, Setting};
use super::random::RunKey;
use super::run::{Player, Run, Until};
use super::scenario::Scenario;
use super::tally::{Sum, Tally, Truth};

/// Many runs of one plan in one scenario. Run `i` of a seed is the same whoever plays it and whatever else is played, so
/// threads and hosts may split them as they like.
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
    /// At the start, which is the same in every run.
    ready: Player,
    of: Sum,
}

impl Campaign {
    /// Prepares the runs: what comes before the start is played once.
    ///
    /// # Errors
    /// `HF-SIM-007` and `HF-SIM-008` where the scenario does not fit the policy, `HF-SIM-009` where its tests cannot be set
    /// up, `HF-SIM-010` where it never starts although nobody is said to keep away.
    pub fn try_new(plan: Plan, scenario: &Scenario, seed: u64) -> Result<Self, SimulationErrors> {
        let setting = Setting::try_new(scenario, &plan)?;
        let digests = [plan.digest(), scenario_digest(scenario)];
        let mut of = [seed, 0];
        for (part, digest) in of.iter_mut().zip(digests) {
            *part ^= digest.as_bytes()[..8].iter().fold(0, |n, &byte| (n << 8) | u64::from(byte));
        }
        Ok(Self {
            ready: prepared(plan, &setting, Recording::Off)?,
            setting,
            seed,
            of: Sum::of_campaign(of),
        })
    }

    /// Plays these runs and adds up what came of them.
    pub fn tally(&self, runs: Range<u64>) -> Tally {
        let mut tally = self.nothing();
        self.each(runs, |_, run, truth| tally.add(run, truth));
        tally
    }

    /// Plays these runs, each told with its number.
    pub fn each(&self, runs: Range<u64>, mut told: impl FnMut(u64, &Run, Truth)) {
        let mut world = MadeUp::new(&self.setting, RunKey::new(self.seed, 0));
        let mut player = self.ready.clone();
        for number in runs {
            world.begin(RunKey::new(self.seed, number));
            // In the memory of the run before.
            player.clone_from(&self.ready);
            let run = player.play(&mut world, self.until());
            told(number, run, Truth { bad_since: world.bad_since });
        }
    }

    /// Plays one run and keeps its log, its duties and all that a rollout can tell: what a drill shows.
    ///
    /// # Errors
    /// As [`try_new`](Self::try_new).
    pub fn drill(&self, number: u64) -> Result<(Player, Truth), SimulationErrors> {
        let plan = self.ready.rollout().plan().clone();
        let mut player = prepared(plan, &self.setting, Recording::Keep)?;
        let mut world = MadeUp::new(&self.setting, RunKey::new(self.seed, number));
        world.begin(RunKey::new(self.seed, number));
        player.play(&mut world, self.until());
        Ok((player, Truth { bad_since: world.bad_since }))
    }

    /// Whether runs of the same number meet the same luck.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.seed == other.seed && self.setting.scenario == other.setting.scenario
    }

    /// A tally of no runs.
    pub(super) fn nothing(&self) -> Tally {
        Tally::new(self.of)
    }

    fn until(&self) -> Until {
        let end: Timestamp = self.setting.scenario.from + self.setting.scenario.lasts;
        if self.setting.scenario.after_end { Until::Time(end) } else { Until::End(end) }
    }
}

fn scenario_digest(scenario: &Scenario) -> Digest {
    // What it was made of, which any difference shows in.
    digest(&format!("{scenario:?}")).unwrap_or(Digest::ZERO)
}

/// A rollout that is about to start.
fn prepared(
    plan: Plan,
    setting: &Setting,
    recording: Recording,
) -> Result<Player, SimulationErrors> {
    let scenario = &setting.scenario;
    let fail = |fault| SimulationErrors::of("", fault);
    let rollout = Rollout::try_new(plan, recording, "").map_err(|error| {
        fail(SimulationFault::NotTaken { detail: format!("{}: {error}", error.code()) })
    })?;
    let mut player = Player::new(rollout, scenario.from);
    let mut world = MadeUp::new(setting, RunKey::new(scenario.seed, 0));
    let starts = player.prepare(&mut world, scenario.from + scenario.lasts);
    if starts || scenario.people.may_not_start() {
        return Ok(player);
    }
    let waits = player.rollout().blockers().into_iter().next();
    let waits = waits.map_or_else(|| "nobody starts it".to_owned(), |blocker| blocker.sentence);
    Err(fail(SimulationFault::NeverStarts { waits }))
}
