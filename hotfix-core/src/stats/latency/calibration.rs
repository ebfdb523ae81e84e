//! Calibration of the [test of a tolerance](super::Tolerance) with an own history (mode `replay`).
//!
//! Instances of one version differ, wander and pause. The test is run over recorded ordinary
//! operation, with groups of instances as large as the canary as simulated canaries against the
//! rest, in windows as long as the phases together. From the evidence that noise alone reached
//! follow, for each tolerance that is tried:
//!
//! ```text
//! gross_less = fit(max ln E_gross) - ln(1/α)          how much less the evidence of gross faults counts
//! caps: 0.4, 0.2 and 0.1 ln(1/α), and 0.4 fit(max ln E without a cap)
//! threshold = fit(max ln E with the cap);  cap ≤ 0.4 threshold
//! ```
//!
//! `fit` extends the tail of the maxima, as for counts ([`replay`](crate::stats::replay)). Noise
//! that wanders calls for a larger tolerance or threshold, noise that bursts for a lower cap: so a
//! canary that is 1.5 and one that is 2 times as slow are simulated in the same windows, and the
//! tolerance and cap are taken that find them soonest. The tolerance is never below the policy's.
//!
//! The promotion test, if there is one, is run over the same windows ([`PromotionLimits`]).
//!
//! **Guaranteed**: chance `α` at most of a false rollback for independent requests and a canary
//! that is at most so many times as slow, for any history: limits only lower an e-process.
//! **Calibrated**: noise that resembles the history. **Not covered**: what the history lacks, such
//! as cold starts, and arms that wander apart as a whole, unless it is one of
//! [both arms](super::SlowHistory).

use std::num::NonZeroU32;

use super::cold_start::FirstMinutes;
use super::history::SlowHistory;
use super::stretch::{Axis, Past, Scores, Transfer};
use super::tolerance::{ACTS, GROSSLY, Lane, joined};
use super::{
    MAX_BOUNDARIES, PromotionLimits, SlowCounts, SlowPromotion, Tolerance, ToleranceDesign,
    ToleranceLimits, ToleranceSettings,
};
use crate::stats::StatError;
use crate::stats::draw::Draws;
use crate::stats::latency::joint::ALTERNATIVES;
use crate::stats::numeric::{larger, ln, smaller};
use crate::stats::replay::{Advice, Windows, canary_instances, fit, hold_level, hours_of, raise};
use serde::{Deserialize, Serialize};

/// The tolerances that are tried, beside the policy's.
const TOLERANCES: [f64; 8] = [1.1, 1.15, 1.2, 1.3, 1.4, 1.5, 1.75, 2.0];
/// The faults by which tolerances are compared.
const FAULTS: [f64; 2] = [1.5, 2.0];
/// Caps that are tried beside the usual one and that of the evidence without a cap, as parts of
/// `ln(1/α)`: noise that bursts is to be within a few blocks.
const CAPS: [f64; 2] = [0.2, 0.1];
/// Simulated rollouts by which delays are compared.
pub(super) const FAULTY: usize = 40;
/// Disjoint groups of instances that are simulated canaries.
const GROUPS: usize = 5;
/// Most ticks that the test is run over for a tolerance; fewer windows are taken where there are more.
const MOST_TICKS: usize = 60_000;
/// In a history of both arms: the group in which the arms are swapped.
const SWAPPED: usize = 1;
/// Quantile of the maxima at which a healthy rollout is held for investigation.
const HOLD: f64 = 0.95;

/// Settings of a calibration for latency.
#[derive(Clone, Debug, PartialEq)]
pub struct SlowCalibrationSettings {
    /// Chance of ever rolling back a canary that is at most so many times as slow.
    pub alpha: f64,
    /// The metric's share of `alpha`, above 0: its own threshold is higher by `-ln(weight)`.
    pub weight: f64,
    /// The least tolerance, at least 1.
    pub tolerated: f64,
    /// Times of the rows' boundaries, in any unit.
    pub boundaries: Vec<f64>,
    /// Ticks of a block of about 30 seconds, above 0; less than 1 where a tick is longer.
    pub block: f64,
    /// Share of the traffic and most ticks of each phase with a live arm to compare with.
    pub phases: Vec<(f64, u32)>,
    /// Ticks after which the evidence is [renewed](Tolerance::renew).
    pub renewed: NonZeroU32,
    /// The promotion test, if there is one.
    pub promotion: Option<SlowPromotion>,
    /// How many times the history's traffic the service has; 1 where that is not known.
    pub traffic: f64,
    /// Length of a tick in seconds.
    pub tick_seconds: f64,
    /// Seed of the draws of instances for later phases, at most 2^53.
    pub seed: u64,
}

/// What a history says about the noise of request times, and what follows for the test. Written into
/// the log with the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SlowCalibration {
    /// How many times as slow is tolerated: as in the policy, or more where noise calls for it.
    pub tolerated: f64,
    /// The limits of the test.
    #[serde(flatten)]
    pub limits: ToleranceLimits,
    /// Log e-value that holds the rollout for investigation; at most the threshold.
    pub hold: f64,
    /// The limits of the promotion test under the same noise; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<PromotionLimits>,
    /// Largest log evidence that noise reached, without and with the cap.
    pub highest: [f64; 2],
    /// The times whose boundaries the history has, in seconds. Other boundaries have no limits.
    pub boundaries: Vec<f64>,
    /// Whether the history is of both arms of healthy rollouts.
    pub of_arms: bool,
    /// Simulated rollouts.
    pub rollouts: usize,
    /// Mean ticks of evidence until a canary that is 1.5, and one that is 2 times as slow is found; the
    /// length of the phases where it is not.
    pub delays: [f64; 2],
    /// What to know before relying on it.
    pub advice: Vec<Advice>,
}

/// Runs the test over the history and sets tolerance, threshold and cap.
///
/// # Errors
/// [`StatError`] ([`ShortHistory`](StatError::ShortHistory)) if the history is shorter than the
/// phases, [`EmptyHistory`](StatError::EmptyHistory) if it has no requests, other variants for
/// settings that are not valid, a history of other boundaries, or too few instances.
///
/// ```
/// use hotfix_core::stats::latency::{SlowCalibrationSettings, SlowHistory, calibrate_slow};
/// use std::num::NonZeroU32;
/// // Of ten pods; one request in a hundred takes more than 0.25 s.
/// let row = |pod: usize, tick: usize| vec![90.0, if (pod + tick) % 3 == 0 { 98.0 } else { 99.5 }, 100.0];
/// let pod = |pod| (format!("pod-{pod}"), (0..360).map(|tick| row(pod, tick)).collect());
/// let history = SlowHistory::try_new((0..10).map(pod).collect())?;
/// let calibration = calibrate_slow(&history, &SlowCalibrationSettings {
///     alpha: 0.01,
///     weight: 1.0,
///     tolerated: 1.3,
///     boundaries: vec![0.1, 0.25],
///     block: 3.0,
///     phases: vec![(0.1, 60)],
///     renewed: NonZeroU32::new(60).unwrap(),
///     promotion: None,
///     traffic: 1.0,
///     tick_seconds: 10.0,
///     seed: 0,
/// })?;
/// assert!(calibration.tolerated >= 1.3 && calibration.limits.threshold >= 100_f64.ln());
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
pub fn calibrate_slow(
    history: &SlowHistory,
    settings: &SlowCalibrationSettings,
) -> Result<SlowCalibration, StatError> {
    let (got, expected) = (history.boundaries(), settings.boundaries.len());
    if got != expected {
        return Err(StatError::BoundaryMismatch { got, expected });
    }
    let weight = settings.weight;
    let fits = weight > 0.0 && weight <= 1.0;
    StatError::unless(fits, "weight", weight, "above 0 and at most 1")?;
    StatError::unless(!settings.phases.is_empty(), "phases", 0.0, "at least 1")?;
    let replayed = Replayed::try_new(history, settings)?;
    let above = TOLERANCES.into_iter().filter(|choice| *choice > settings.tolerated);
    let mut best: Option<Choice> = None;
    for tolerated in std::iter::once(settings.tolerated).chain(above) {
        let choice = replayed.choice(tolerated)?;
        let usual = choice.limits.threshold <= replayed.least;
        if best.as_ref().is_none_or(|best| choice.is_sooner(best)) {
            best = Some(choice);
        }
        // A larger tolerance cannot find faults sooner at the same threshold.
        if usual {
            break;
        }
    }
    let best = best.ok_or(StatError::NoComparison { what: "the history" })?;
    let promotion = settings.promotion.map(|asked| replayed.promotion(asked)).transpose()?;
    let best = Choice { delays: replayed.stated(&best)?, ..best };
    Ok(replayed.calibration(best, promotion))
}

/// A tolerance with its limits, and the delays that they lead to.
#[derive(Clone, Copy)]
struct Choice {
    tolerated: f64,
    limits: ToleranceLimits,
    hold: f64,
    highest: [f64; 2],
    independent: f64,
    delays: [f64; 2],
}

impl Choice {
    /// Whether it finds faults sooner. Half a tick is no difference.
    fn is_sooner(&self, than: &Self) -> bool {
        self.delays.iter().sum::<f64>() + 0.5 < than.delays.iter().sum()
    }
}

/// Simulated rollouts over a history.
pub(super) struct Replayed<'a> {
    history: &'a SlowHistory,
    settings: &'a SlowCalibrationSettings,
    pub(super) axis: Axis,
    /// Requests of all instances, tick by tick.
    all: Vec<Past>,
    /// Requests of all instances and ticks.
    pub(super) whole: Past,
    pub(super) windows: Windows,
    /// Instances of each simulated canary in each phase.
    groups: Vec<Vec<Vec<usize>>>,
    /// In a history of both arms: the baseline's requests over the canary's.
    ratio: Option<f64>,
    /// Group and first tick of each rollout.
    pub(super) rollouts: Vec<(usize, usize)>,
    /// `ln(1/α)`.
    least: f64,
}

/// What a block of a healthy rollout adds to each alternative, and the highest evidence of gross
/// faults in it.
struct Block {
    gains: [f64; ALTERNATIVES],
    gross: f64,
    /// Evidence is [renewed](Lane::renew) before it.
    renewed: bool,
}

impl<'a> Replayed<'a> {
    fn try_new(
        history: &'a SlowHistory,
        settings: &'a SlowCalibrationSettings,
    ) -> Result<Self, StatError> {
        let ticks = history.ticks();
        let length = settings.phases.iter().map(|(_, ticks)| *ticks as usize).sum::<usize>();
        let windows =
            Windows::new(ticks, length).ok_or(StatError::ShortHistory { ticks, needed: length })?;
        let groups = groups(history, settings)?;
        history.check_presence()?;
        let all: Vec<Past> =
            (0..ticks).map(|tick| history.of(0..history.instances(), tick)).collect();
        let mut whole = Past::NONE;
        for tick in &all {
            whole.add(SlowCounts::new(&tick.slow[..history.boundaries()], tick.trials));
        }
        if whole.trials == 0.0 {
            return Err(StatError::EmptyHistory { what: "requests" });
        }
        let ratio = history.canary().map(|canary| {
            let trials = (0..ticks).map(|tick| history.of([canary], tick).trials).sum::<f64>();
            (whole.trials - trials) / larger(trials, 1.0)
        });
        // Windows are left out for all groups alike: a stride over windows and groups might always
        // meet the same group.
        let thinned = (windows.count * groups.len() * length).div_ceil(MOST_TICKS).max(1);
        let starts = (0..windows.count).step_by(thinned).map(|window| window * windows.stride);
        let of_groups = |start| (0..groups.len()).map(move |group| (group, start));
        Ok(Self {
            rollouts: starts.flat_map(of_groups).collect(),
            axis: Axis::new(&settings.boundaries),
            least: -ln(settings.alpha),
            windows: Windows { stride: windows.stride * thinned, ..windows },
            history,
            settings,
            all,
            whole,
            groups,
            ratio,
        })
    }

    fn design(&self, tolerated: f64) -> Result<ToleranceDesign, StatError> {
        ToleranceDesign::try_new(&ToleranceSettings {
            alpha: self.settings.alpha,
            tolerated,
            boundaries: self.settings.boundaries.clone(),
            block: self.settings.block,
        })
    }

    fn choice(&self, tolerated: f64) -> Result<Choice, StatError> {
        let design = self.design(tolerated)?;
        let blocks = self
            .rollouts
            .iter()
            .map(|rollout| self.blocks(*rollout, &design))
            .collect::<Result<Vec<_>, _>>()?;
        let sorted = |mut maxima: Vec<f64>| {
            maxima.sort_unstable_by(f64::total_cmp);
            maxima
        };
        let gross = |blocks: &Vec<Block>| blocks.iter().map(|b| b.gross).fold(0.0, larger);
        let (gross, _) =
            fit(&sorted(blocks.iter().map(gross).collect()), &self.windows, self.least);
        let gross_less = gross - self.least;
        let maxima = |cap: f64| {
            sorted(blocks.iter().map(|b| self.highest(&design, b, cap, gross_less)).collect())
        };
        let uncapped = maxima(f64::INFINITY);
        let usual = ToleranceLimits::cap_of(self.least);
        let wide = ToleranceLimits::cap_of(fit(&uncapped, &self.windows, self.least).0);
        let mut best: Option<Choice> = None;
        for cap in std::iter::once(usual).chain(CAPS.map(|part| part * self.least)).chain([wide]) {
            let capped = maxima(cap);
            let (threshold, independent) = fit(&capped, &self.windows, self.least);
            // One block alone is never enough, so the threshold limits the cap.
            let cap = smaller(cap, ToleranceLimits::cap_of(threshold));
            let limits = ToleranceLimits { threshold, cap, gross_less };
            let limited = design.with_limits(Some(limits))?;
            let mut delays = [0.0; 2];
            for (delay, fault) in delays.iter_mut().zip(FAULTS) {
                *delay = self.delay(&limited, fault)?;
            }
            let hold = hold_level(&capped, HOLD, threshold);
            let highest = [&uncapped, &capped].map(|maxima| maxima.last().copied().unwrap_or(0.0));
            let choice = Choice { tolerated, limits, hold, highest, independent, delays };
            let sooner = best.as_ref().is_none_or(|best| choice.is_sooner(best));
            if sooner {
                best = Some(choice);
            }
            // Without noise above the usual threshold no other cap is better.
            if threshold <= self.least {
                break;
            }
        }
        best.ok_or(StatError::NoComparison { what: "the history" })
    }

    fn blocks(
        &self,
        rollout: (usize, usize),
        design: &ToleranceDesign,
    ) -> Result<Vec<Block>, StatError> {
        let mut blocks = Vec::new();
        let (mut renewed, mut gross) = (false, 0.0);
        let as_it_is = |canary: SlowCounts<'_>| Transfer::NONE.slow(canary);
        self.run(rollout, design, as_it_is, |state, _, (_, renews)| {
            if renews {
                state.lanes[GROSSLY].renew();
                renewed = true;
            }
            let gains = state.lanes[ACTS].block;
            state.end_tick(design, 1.0);
            gross = larger(gross, state.lanes[GROSSLY].log_e());
            if state.elapsed == 0.0 {
                blocks.push(Block { gains, gross, renewed });
                (renewed, gross) = (false, 0.0);
            }
            true
        })?;
        Ok(blocks)
    }

    /// The highest evidence that a healthy rollout reaches with this cap.
    fn highest(
        &self,
        design: &ToleranceDesign,
        blocks: &[Block],
        cap: f64,
        gross_less: f64,
    ) -> f64 {
        let mut lane = Lane::NEW;
        lane.stake();
        // A block ends at the tick that is nearest to its planned end, as in a rollout.
        let (mut highest, lasts) = (0.0, (larger((self.settings.block - 0.5).ceil(), 1.0), 1.0));
        for block in blocks {
            if block.renewed {
                lane.renew();
            }
            lane.block = block.gains;
            design.end_block(&mut lane, true, lasts, cap);
            highest = larger(highest, joined(lane.log_e(), block.gross - gross_less));
        }
        highest
    }

    /// Mean ticks until a canary that is `times` as slow is found, by which choices are compared.
    fn delay(&self, design: &ToleranceDesign, times: f64) -> Result<f64, StatError> {
        let slower = self.slower(times);
        self.mean_ticks(FAULTY, |rollout, ticks| {
            let moved = |canary: SlowCounts<'_>| slower.slow(canary);
            self.until_found(rollout, design, moved, |_, _, _| false, ticks)
        })
    }

    /// The delays that are stated for the chosen limits, by fault, over all simulated rollouts.
    /// Here chance decides which requests become slow, and cold starts are waited for, as in a
    /// rollout; without both, evidence would be steadier and faults found sooner.
    fn stated(&self, choice: &Choice) -> Result<[f64; 2], StatError> {
        let design = self.design(choice.tolerated)?.with_limits(Some(choice.limits))?;
        let mut draws = Draws::try_new(self.settings.seed)?;
        let mut delays = [0.0; 2];
        for (delay, fault) in delays.iter_mut().zip(FAULTS) {
            let slower = self.slower(fault);
            *delay = self.mean_ticks(usize::MAX, |rollout, ticks| {
                let moved = |canary: SlowCounts<'_>| slower.drawn(canary, &mut draws);
                let mut first = FirstMinutes::new(self.axis.len, self.settings.tick_seconds);
                let waits = |state: &mut Tolerance, arms, place| {
                    first.learn(arms, place, choice.tolerated, state)
                };
                self.until_found(rollout, &design, moved, waits, ticks)
            })?;
        }
        Ok(delays)
    }

    fn slower(&self, times: f64) -> Transfer {
        Transfer::of(&self.axis, &Scores::of(&self.axis, &self.whole), ln(times))
    }

    /// Counts the ticks until the canary with `moved` requests is found; `waits` is asked after
    /// each tick whether evidence must not decide yet.
    fn until_found(
        &self,
        rollout: (usize, usize),
        design: &ToleranceDesign,
        moved: impl FnMut(SlowCounts<'_>) -> [f64; MAX_BOUNDARIES],
        mut waits: impl FnMut(&mut Tolerance, [Past; 2], u32) -> bool,
        ticks: &mut f64,
    ) -> Result<(), StatError> {
        let decides = design.threshold() - ln(self.settings.weight);
        self.run(rollout, design, moved, |state, arms, (place, renews)| {
            if renews {
                state.renew();
            }
            *ticks += 1.0;
            state.end_tick(design, 1.0);
            waits(state, arms, place) || state.log_e(design) < decides
        })
    }

    /// Mean ticks over about `most` rollouts; `count` adds the ticks of one until its decision.
    pub(super) fn mean_ticks(
        &self,
        most: usize,
        mut count: impl FnMut((usize, usize), &mut f64) -> Result<(), StatError>,
    ) -> Result<f64, StatError> {
        let apart = self.rollouts.len().div_ceil(most).max(1);
        let (mut ticks, mut rollouts) = (0.0, 0.0);
        for rollout in self.rollouts.iter().step_by(apart) {
            count(*rollout, &mut ticks)?;
            rollouts += 1.0;
        }
        Ok(ticks / larger(rollouts, 1.0))
    }

    /// Runs the test over a rollout: `moved` makes the canary's slow requests, `tick` ends each
    /// tick and returns whether to go on. Its last arguments are those of [`ticks`](Self::ticks).
    fn run(
        &self,
        rollout: (usize, usize),
        design: &ToleranceDesign,
        mut moved: impl FnMut(SlowCounts<'_>) -> [f64; MAX_BOUNDARIES],
        mut tick: impl FnMut(&mut Tolerance, [Past; 2], (u32, bool)) -> bool,
    ) -> Result<(), StatError> {
        let len = self.axis.len;
        let mut state = Tolerance::new(design);
        self.ticks(rollout, |mut canary, rest, of| {
            canary.slow = moved(canary.of(len));
            state.update(design, canary.of(len), rest.of(len))?;
            Ok(tick(&mut state, [canary, rest], of))
        })
    }

    /// Calls `each` for the ticks of a rollout, with the simulated canary, the rest, the place in
    /// the phase, and whether evidence is renewed, until it returns false.
    pub(super) fn ticks(
        &self,
        (group, start): (usize, usize),
        mut each: impl FnMut(Past, Past, (u32, bool)) -> Result<bool, StatError>,
    ) -> Result<(), StatError> {
        let (mut at, mut since) = (start, 0);
        for ((_, ticks), members) in self.settings.phases.iter().zip(&self.groups[group]) {
            for place in 0..*ticks {
                let mut canary = self.history.of(members.iter().copied(), at);
                let mut rest = less(&self.all[at], &canary);
                if let Some(ratio) = self.ratio.filter(|_| group == SWAPPED) {
                    (canary, rest) = (scaled(&rest, 1.0 / ratio), scaled(&canary, ratio));
                }
                let renews = (place == 0 && at > start) || since >= self.settings.renewed.get();
                since = if renews { 0 } else { since + 1 };
                if !each(canary, rest, (place, renews))? {
                    return Ok(());
                }
                at += 1;
            }
        }
        Ok(())
    }

    fn calibration(
        &self,
        choice: Choice,
        mut promotion: Option<PromotionLimits>,
    ) -> SlowCalibration {
        let Choice { tolerated, mut limits, mut hold, highest, independent, delays } = choice;
        let of_arms = self.history.canary().is_some();
        let mut advice = Vec::new();
        let hours = hours_of(self.history.ticks(), self.settings.tick_seconds);
        advice.extend(Advice::short_history(hours));
        advice.extend(Advice::few_windows(independent));
        if tolerated > self.settings.tolerated {
            advice.push(Advice::MoreTolerated { policy: self.settings.tolerated, tolerated });
        }
        if !of_arms {
            advice.push(Advice::OneArm { tolerated });
        }
        let more = self.settings.traffic;
        if let Some(of_traffic) = Advice::more_traffic(more) {
            raise(self.least, more, [&mut limits.threshold, &mut limits.cap, &mut hold]);
            limits.gross_less *= more;
            promotion = promotion.map(|limits| limits.with_traffic(more));
            advice.push(of_traffic);
        }
        SlowCalibration {
            tolerated,
            limits,
            hold,
            promotion,
            highest,
            boundaries: self.settings.boundaries.clone(),
            of_arms,
            rollouts: self.rollouts.len(),
            delays,
            advice,
        }
    }
}

fn scaled(of: &Past, times: f64) -> Past {
    Past { slow: of.slow.map(|slow| slow * times), trials: of.trials * times }
}

fn less(all: &Past, part: &Past) -> Past {
    let mut rest = *all;
    rest.trials = larger(all.trials - part.trials, 0.0);
    // Rounding of fractions must not leave less than nothing.
    let mut most = rest.trials;
    for (rest, part) in rest.slow.iter_mut().zip(&part.slow) {
        most = smaller(larger(*rest - part, 0.0), most);
        *rest = most;
    }
    rest
}

/// The instances of each simulated canary in each phase.
fn groups(
    history: &SlowHistory,
    settings: &SlowCalibrationSettings,
) -> Result<Vec<Vec<Vec<usize>>>, StatError> {
    let phases = settings.phases.len();
    if let Some(canary) = history.canary() {
        // Swapped arms show as well how far arms wander apart: they are a second group.
        return Ok(vec![vec![vec![canary]; phases]; SWAPPED + 1]);
    }
    let instances = history.instances();
    let sizes = settings.phases.iter().map(|(share, _)| canary_instances(*share, instances));
    let sizes = sizes.collect::<Result<Vec<_>, _>>()?;
    let most = sizes.iter().copied().max().unwrap_or(1);
    let first = sizes.first().copied().unwrap_or(1);
    let mut draws = Draws::try_new(settings.seed)?;
    let group = |group: usize| {
        let members = group * first..(group + 1) * first;
        let mut others: Vec<usize> = (0..instances).filter(|i| !members.contains(i)).collect();
        let more = most.saturating_sub(first);
        let mut order: Vec<usize> = members.collect();
        order.extend_from_slice(draws.choose(&mut others, more));
        sizes.iter().map(|size| order[..(*size).min(order.len())].to_vec()).collect()
    };
    Ok((0..(instances / first).min(GROUPS)).map(group).collect())
}
