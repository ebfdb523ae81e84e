//! Calibration of threshold and cap from the organisation's own history (mode `replay`).
//!
//! Errors cluster, and a test that assumes independent errors then rolls back healthy releases.
//! Here the rate-ratio test, or the Bernoulli test ([`CountModel`]), is run over recorded ordinary
//! operation, with groups of instances as large as the canary as simulated canaries against the
//! rest, in windows of the phase's length; the threshold and a cap on what one tick may add follow
//! from the evidence that noise alone reached:
//!
//! ```text
//! tick:  l_j += min(gain_j, cap);  roll back when J ≥ threshold;  hold when J ≥ hold
//! J = min(ln E, 1.6 min_i ln E without instance i) from four canary instances on, else ln E
//! ```
//!
//! Where the counts of both arms come by instance, each instance's are [clipped](Clip) in both arms
//! before the rate-ratio test reads them, and the limits are [`Calibration::by_instance`]; they are
//! lower. The Bernoulli test has neither: its `J` is `ln E` of the sums over each arm.
//!
//! **Guaranteed**: chance `α` at most of a false rollback for independent errors and any history,
//! because the cap and a threshold of at least `ln(1/α)` only lower an e-process. **Calibrated**:
//! noise that resembles the history. **Not covered**: noise stronger than in the history, bursts
//! rarer than it is long, an arm on other hardware. The verdict shows which applies.
//!
//! Each window starts a test of its own, which for the Bernoulli test includes the rate that it
//! learns. In a rollout evidence is carried over phases; threshold and cap of a phase apply from
//! its first tick. With
//! [`RateRatioDesign::with_limits`](super::rate_ratio::RateRatioDesign::with_limits) and
//! [`BernoulliDesign::with_limits`](super::bernoulli::BernoulliDesign::with_limits) they are put
//! into a running test. A promotion test under noise is tempered by
//! [`Calibration::promotion_temper`].
//!
//! With a history *and* random canary instances, use both and roll back only when both do: run this
//! test and [`randomisation`](super::randomisation) side by side, decide where `replayed &&
//! randomised`, hold where one does. Not measured: traffic that differs much by instance.

mod advice;
mod clip;
mod history;
mod noise;

pub use advice::Advice;
pub use clip::Clip;
pub use history::History;

use super::draw::Draws;
use super::grid::{check_share, usual};
use super::instances::places;
use super::numeric::{larger, ln, percentile, smaller, whole};
use super::planning::{Comparison, check_tick};
use super::{Counts, StatError, check_version};
use crate::grade::closed_set;
use crate::unit::is_default;
pub(super) use advice::hours_of;
pub(super) use history::check_presence;
use noise::{Group, ONE_SIDED, Test};
pub(super) use noise::{Windows, fit};
use serde::{Deserialize, Serialize};

/// Up to this share the simulated canaries are disjoint groups; above it [`DRAWN`] are drawn.
const DISJOINT: f64 = 0.25;
const DRAWN: usize = 20;
/// The cap is the threshold fitted without a cap, divided by this, for sums over an arm.
const CAP_DIVISOR: f64 = 3.5;
/// The same for counts by instance: after clipping nothing is a single burst. From our own
/// simulation, as are the two figures below, see `docs/decisions/replay-by-instance.md`.
const CAP_DIVISOR_BY_INSTANCE: f64 = 2.0;
/// The threshold is at least this part of the dispersion times `ln(1/α)`.
const DISPERSION_PART: f64 = 0.75;
/// Quantile of the capped maxima at which a healthy rollout is held for investigation.
const HOLD: f64 = 0.9;
/// From this many canary instances on, a rollback needs evidence also without any one of them.
pub const LEAVE_ONE_OUT: usize = 4;
/// Factor on the evidence without one instance, which has fewer data than the whole.
const WITHOUT_ONE: f64 = 1.6;
const VERSION: u32 = 2;

/// `J`, the statistic that decides: `min(ln E, 1.6 min_i ln E without instance i)`. `without`: the
/// least evidence without one of the canary's instances, from [`LEAVE_ONE_OUT`] of them on.
///
/// It is at most `ln E`, so that it keeps the guarantee of the test.
#[inline]
pub fn statistic(log_e: f64, without: Option<f64>) -> f64 {
    without.map_or(log_e, |without| smaller(log_e, WITHOUT_ONE * without))
}

closed_set! {
    /// The test that is calibrated, in direction worse.
    #[derive(Default)]
    CountModel {
        /// The [rate-ratio test](super::rate_ratio), for rare events.
        #[default]
        Poisson = "poisson",
        /// The [Bernoulli test](super::bernoulli) with its usual prior trials, for proportions above
        /// about 5%. It has no limits by instance: `J = ln E`.
        Bernoulli = "bernoulli",
    }
}

impl CountModel {
    /// Whether it has limits of its own where the counts of both arms come by instance.
    const fn reads_instances(self) -> bool {
        matches!(self, Self::Poisson)
    }
}

/// Settings of a calibration. See [`calibrate`] for an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationSettings {
    /// The test.
    #[serde(default, skip_serializing_if = "is_default")]
    pub model: CountModel,
    /// The canary's share of the traffic, above 0 and below 1.
    pub share: f64,
    /// The phase's length in ticks, at least 1.
    pub ticks: u32,
    /// Chance of ever rolling back a release that is no worse.
    #[serde(default = "usual::alpha")]
    pub alpha: f64,
    /// `r0`, at least 1: the ratio that is tolerated.
    #[serde(default = "usual::one")]
    pub tolerated: f64,
    /// Ratios of the alternatives, as in the settings of the test.
    pub grid: Option<Vec<f64>>,
    /// Weights of these ratios, as there.
    pub weights: Option<Vec<f64>>,
    /// Factor on each tick's gain, above 0 and at most 1; the cap applies after it.
    #[serde(default = "usual::one")]
    pub temper: f64,
    /// Planned ticks of the change-point form (`docs/statistics.md`, A4); absent for the plain form.
    pub horizon: Option<u32>,
    /// If the canary will be a zone: the zones, each as the names of its instances, which are then
    /// the simulated canaries.
    pub zones: Option<Vec<Vec<String>>>,
    /// Length of a tick in seconds; only advice and the detectable ratio depend on it.
    #[serde(default = "usual::tick_seconds")]
    pub tick_seconds: f64,
    /// Where simulated canaries are drawn: the seed of the draws, at most 2^53.
    #[serde(default)]
    pub seed: u64,
}

impl CalibrationSettings {
    /// The rate-ratio test, α 0.01, nothing tolerated, its default grid, plain form, ticks of 10 s,
    /// seed 0.
    pub fn new(share: f64, ticks: u32) -> Self {
        Self {
            model: CountModel::Poisson,
            share,
            ticks,
            alpha: usual::alpha(),
            tolerated: usual::one(),
            grid: None,
            weights: None,
            temper: usual::one(),
            horizon: None,
            zones: None,
            tick_seconds: usual::tick_seconds(),
            seed: 0,
        }
    }
}

/// The dispersion of simulated canaries in blocks of one length: 1 for independent errors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockDispersion {
    /// Length of a block.
    pub ticks: usize,
    /// Blocks of each simulated canary.
    pub blocks: usize,
    /// Pearson's `Σ (x - mπ)²/Σ mπ(1 - π)`, pooled over simulated canaries. For the Bernoulli test
    /// each expected term is multiplied by `1 - m/n`, the share of requests without an event.
    pub dispersion: f64,
    /// Standard error of `dispersion`.
    pub standard_error: f64,
}

impl BlockDispersion {
    /// With 1.645 standard errors added: the value that the threshold is based on.
    pub fn upper(&self) -> f64 {
        self.dispersion + ONE_SIDED * self.standard_error
    }
}

/// What a history says about the noise, and what follows for the test. Written into the log with
/// the plan: threshold and cap are what the rollout decides by.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Calibration {
    #[serde(deserialize_with = "this_version")]
    version: u32,
    /// Log evidence that rolls back; at least `ln(1/α)`. This and `cap`, `hold`, `dispersion` and
    /// `highest` are for the sums over an arm.
    pub threshold: f64,
    /// Most that one tick may add to a grid point.
    pub cap: f64,
    /// Log e that holds the rollout for investigation; at most the threshold.
    pub hold: f64,
    /// The largest dispersion over blocks, with 1.645 standard errors; absent where the history has
    /// no event to measure it by.
    pub dispersion: Option<f64>,
    /// The dispersion for each length of block.
    pub dispersion_by_block: Vec<BlockDispersion>,
    /// Windows of each simulated canary; they overlap by three quarters.
    pub windows: usize,
    /// Number of simulated canaries.
    pub shards: usize,
    /// Instances of the smallest simulated canary: as many as the canary has.
    pub canary_instances: usize,
    /// Whether a rollback also needs the evidence without each one of the canary's instances, see
    /// [`statistic`]: from [`LEAVE_ONE_OUT`] canary instances on.
    pub leave_one_out: bool,
    /// The limits where the counts of both arms come by instance; absent where the history has no
    /// event, and for the Bernoulli test.
    pub by_instance: Option<ByInstance>,
    /// Largest log evidence that noise reached, without and with the cap.
    pub highest: [f64; 2],
    /// Events over trials in the whole history; absent without trials.
    pub base_rate: Option<f64>,
    /// Smallest ratio that this phase finds with power 0.8 at this threshold, by the formula of
    /// [`planning`](super::planning) with the history's traffic and rate, without the incident that
    /// the advice names; None if it finds none. Errors are taken as independent; the cap, and what
    /// more traffic raises, are ignored.
    pub detectable: Option<f64>,
    /// What to know before relying on it.
    pub advice: Vec<Advice>,
    /// The settings that this was computed with.
    pub settings: CalibrationSettings,
}

/// The limits of the [`statistic`] over clipped counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByInstance {
    /// Value that rolls back; at least `ln(1/α)`.
    pub threshold: f64,
    /// Most that one tick may add to a grid point.
    pub cap: f64,
    /// Value that holds the rollout for investigation; at most the threshold.
    pub hold: f64,
    /// Rate of events, above 0, for [`Clip`]: the history's after it was clipped once at its own
    /// rate, because bursts raise that.
    pub clip_rate: f64,
}

impl Calibration {
    /// `ln(1/α)` over the threshold: the `temper` of a promotion test under the same noise.
    ///
    /// Under noise a test without temper promotes a canary twice as bad in up to 0.68 of runs; a
    /// tempered one in up to 0.063 at 0.05, and is inconclusive otherwise. Calibrated, not
    /// guaranteed.
    pub fn promotion_temper(&self) -> f64 {
        smaller(-ln(self.settings.alpha) / self.threshold, 1.0)
    }

    /// With the limits for `times` the history's traffic, if that is clearly more.
    pub(crate) fn with_traffic(mut self, times: f64) -> Self {
        let Some(advice) = Advice::more_traffic(times) else { return self };
        let least = -ln(self.settings.alpha);
        let Self { threshold, cap, hold, .. } = &mut self;
        raise(least, times, [threshold, cap, hold]);
        if let Some(ByInstance { threshold, cap, hold, .. }) = &mut self.by_instance {
            raise(least, times, [threshold, cap, hold]);
        }
        self.advice.push(advice);
        self
    }
}

/// Raises threshold, cap and hold level for `times` the traffic: the evidence of noise grows with
/// the requests, as that of a fault does. `least` is `ln(1/α)`.
pub(super) fn raise(least: f64, times: f64, [threshold, cap, hold]: [&mut f64; 3]) {
    let raised = least + (*threshold - least) * times;
    *cap *= raised / *threshold;
    *threshold = raised;
    *hold = smaller(*hold * times, raised);
}

fn this_version<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let version = u32::deserialize(from)?;
    check_version(version, VERSION).map_err(serde::de::Error::custom)?;
    Ok(version)
}

/// Runs the test over the history and sets threshold, cap and hold level.
///
/// # Errors
/// [`StatError`] ([`ShortHistory`](crate::stats::StatError::ShortHistory))
/// if the history is shorter than the phase, [`EmptyHistory`](crate::stats::StatError::EmptyHistory)
/// if it has no trials, [`InstancesInTurn`](crate::stats::StatError::InstancesInTurn) if its instances
/// are not there at the same time: use another mode and report why. Other variants for settings, instances or
/// zones that are not valid.
///
/// ```
/// use hotfix_core::stats::replay::{CalibrationSettings, History, calibrate};
/// use std::collections::BTreeMap;
/// // Six hours of ten instances; every tenth tick one of them has an error.
/// let errors = |pod: usize, tick: usize| if tick % 100 == pod * 10 { 1.0 } else { 0.0 };
/// let counts = (0..10).map(|pod| {
///     (format!("pod-{pod}"), (0..2160).map(|tick| [errors(pod, tick), 100.0]).collect())
/// });
/// let history = History::try_new(counts.collect::<BTreeMap<_, _>>())?;
/// // For a tenth of the traffic for ten minutes, in ticks of ten seconds.
/// let calibration = calibrate(&history, &CalibrationSettings::new(0.1, 60))?;
/// assert!(calibration.threshold >= 100_f64.ln() && calibration.hold <= calibration.threshold);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
pub fn calibrate(
    history: &History,
    settings: &CalibrationSettings,
) -> Result<Calibration, StatError> {
    let CalibrationSettings { share, ticks: length, .. } = *settings;
    let test = Test::try_new(settings)?;
    check_share(share)?;
    StatError::unless(length > 0, "ticks", f64::from(length), "at least 1")?;
    check_tick(settings.tick_seconds)?;
    if settings.model == CountModel::Bernoulli {
        history.check_proportion()?;
    }
    let shards = shards(history, settings)?;
    let ticks = history.ticks();
    let length = length as usize;
    let windows =
        Windows::new(ticks, length).ok_or(StatError::ShortHistory { ticks, needed: length })?;
    let all = history.all();
    if all.iter().all(|counts| counts.trials == 0.0) {
        return Err(StatError::EmptyHistory { what: "trials" });
    }
    history.check_presence()?;
    let canary_instances = shards.iter().map(Vec::len).min().unwrap_or_default();
    let reads_instances = settings.model.reads_instances();
    let leave_one_out = reads_instances && canary_instances >= LEAVE_ONE_OUT;
    let groups = groups(history, &shards, false);
    let fitting = Fitting { test: &test, windows: &windows, least: -ln(settings.alpha) };
    let Fitted { threshold, cap, hold, highest, independent, dispersion_by_block } =
        fitting.fit(&groups, &all, CAP_DIVISOR)?;
    let dispersion = upper(&dispersion_by_block);
    let clip = reads_instances.then(|| history.clip()).flatten();
    let by_instance = if let Some((clip, clip_rate)) = clip {
        let clipped = history.clipped(clip);
        let groups = self::groups(&clipped, &shards, leave_one_out);
        let fitted = fitting.fit(&groups, &clipped.all(), CAP_DIVISOR_BY_INSTANCE)?;
        let Fitted { threshold, cap, hold, .. } = fitted;
        Some(ByInstance { threshold, cap, hold, clip_rate })
    } else {
        None
    };

    let traffic = Traffic::of(&all, &groups);
    let (incident, usual) = advice::incident(settings, &all).unzip();
    let detectable = traffic.detectable(settings, threshold, usual);
    let advice = advice::of(&advice::Seen {
        settings,
        history,
        canary_instances,
        traffic: &traffic,
        incident,
        dispersion,
        independent,
        detectable,
    });
    Ok(Calibration {
        version: VERSION,
        threshold,
        cap,
        hold,
        dispersion,
        dispersion_by_block,
        windows: windows.count,
        shards: shards.len(),
        canary_instances,
        leave_one_out,
        by_instance,
        highest,
        base_rate: traffic.base_rate(),
        detectable,
        advice,
        settings: settings.clone(),
    })
}

fn groups<'a>(history: &'a History, shards: &[Vec<usize>], left_out: bool) -> Vec<Group<'a>> {
    let group = |members: &Vec<usize>| Group {
        sum: history.sums(members.iter().copied()),
        parts: if left_out { history.series(members).collect() } else { Vec::new() },
    };
    shards.iter().map(group).collect()
}

/// The largest dispersion over blocks, with 1.645 standard errors.
fn upper(by_block: &[BlockDispersion]) -> Option<f64> {
    by_block.iter().map(BlockDispersion::upper).reduce(larger)
}

/// How limits are fitted to what noise alone reached.
struct Fitting<'a> {
    test: &'a Test,
    windows: &'a Windows,
    /// `ln(1/α)`.
    least: f64,
}

/// Fitted limits, and the figures behind them.
struct Fitted {
    threshold: f64,
    cap: f64,
    hold: f64,
    /// Largest statistic that noise reached, without and with the cap.
    highest: [f64; 2],
    /// Independent windows in the tail.
    independent: f64,
    dispersion_by_block: Vec<BlockDispersion>,
}

impl Fitting<'_> {
    fn fit(&self, groups: &[Group<'_>], all: &[Counts], divisor: f64) -> Result<Fitted, StatError> {
        let Self { test, windows, least } = *self;
        let uncapped = test.maxima((groups, all), windows, None)?;
        let (without_cap, _) = fit(&uncapped, windows, least);
        let cap = without_cap / divisor;
        let capped = test.maxima((groups, all), windows, Some(cap))?;
        let (with_cap, independent) = fit(&capped, windows, least);
        let dispersion_by_block = test.dispersions(groups, all);
        let spread = DISPERSION_PART * upper(&dispersion_by_block).unwrap_or(1.0);
        let threshold = larger(with_cap, least * larger(1.0, spread));
        let hold = hold_level(&capped, HOLD, threshold);
        let highest = [&uncapped, &capped].map(|maxima| maxima.last().copied().unwrap_or(0.0));
        Ok(Fitted { threshold, cap, hold, highest, independent, dispersion_by_block })
    }
}

/// The level that holds a rollout: a quantile of the sorted maxima, at least ln 10 and at most the
/// threshold. Only an alpha over 0.1 has a threshold below ln 10.
pub(super) fn hold_level(maxima: &[f64], quantile: f64, threshold: f64) -> f64 {
    let noisy = percentile(maxima, quantile).unwrap_or_default();
    smaller(larger(ln(10.0), noisy), threshold)
}

/// Traffic and events of the history.
struct Traffic {
    events: f64,
    trials: f64,
    ticks: usize,
    /// Mean share of the trials of a simulated canary.
    shard_share: f64,
}

impl Traffic {
    fn of(all: &[Counts], shards: &[Group<'_>]) -> Self {
        let Counts { events, trials } = all.iter().sum();
        let in_shards: f64 =
            shards.iter().map(|shard| shard.sum.iter().sum::<Counts>().trials).sum();
        let shard_share = in_shards / (trials * shards.len() as f64);
        Self { events, trials, ticks: all.len(), shard_share }
    }

    fn base_rate(&self) -> Option<f64> {
        (self.trials > 0.0).then(|| self.events / self.trials)
    }

    /// See [`Calibration::detectable`]; `usual` is the rate outside of an incident, if there is
    /// one.
    fn detectable(
        &self,
        settings: &CalibrationSettings,
        threshold: f64,
        usual: Option<f64>,
    ) -> Option<f64> {
        let minutes_a_tick = settings.tick_seconds / 60.0;
        let comparison = Comparison {
            requests_per_minute: self.trials / (self.ticks as f64 * minutes_a_tick),
            share: settings.share,
            base_rate: usual.or(self.base_rate()).filter(|rate| *rate > 0.0)?,
            tolerated: settings.tolerated,
            alpha: settings.alpha,
            tick_seconds: settings.tick_seconds,
            threshold: Some(threshold),
        };
        let minutes = f64::from(settings.ticks) * minutes_a_tick;
        // Planning refuses some rates that a history of exposures can have.
        comparison.detectable(settings.model, minutes, 0.8).ok().flatten()
    }
}

/// The instances of each simulated canary, by their places in the order of names.
fn shards(history: &History, settings: &CalibrationSettings) -> Result<Vec<Vec<usize>>, StatError> {
    if let Some(zones) = &settings.zones {
        return zones_of(history, zones);
    }
    let instances = history.instances();
    let size = canary_instances(settings.share, instances)?;
    if settings.share <= DISJOINT {
        let groups = 0..instances / size;
        return Ok(groups.map(|group| (group * size..(group + 1) * size).collect()).collect());
    }
    let mut draws = Draws::try_new(settings.seed)?;
    let mut pool: Vec<usize> = (0..instances).collect();
    Ok((0..DRAWN).map(|_| draws.choose(&mut pool, size).to_vec()).collect())
}

/// How many instances have this share of the traffic, at least one; an error if that is all.
pub(super) fn canary_instances(share: f64, instances: usize) -> Result<usize, StatError> {
    let size = whole((share * instances as f64).round()).max(1);
    if size < instances {
        Ok(size)
    } else {
        Err(StatError::FewInstances { instances, needed: size + 1 })
    }
}

fn zones_of(history: &History, zones: &[Vec<String>]) -> Result<Vec<Vec<usize>>, StatError> {
    let shards = places(history.names(), zones)?;
    let is_whole = |members: &Vec<usize>| members.len() == history.instances();
    if shards.is_empty() {
        return Err(StatError::NoComparison { what: "the list of zones" });
    }
    if shards.iter().any(|members| members.is_empty() || is_whole(members)) {
        return Err(StatError::NoComparison { what: "a zone" });
    }
    Ok(shards)
}
