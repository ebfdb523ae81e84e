//! Fleets with noise: the shipped calibration reads a history, then its tests judge streams of the
//! same law.

use std::collections::BTreeMap;

use hotfix_core::stats::instances::BadInstance;
use hotfix_core::stats::interval::ratio_interval;
use hotfix_core::stats::randomisation::{
    DEFAULT_BUDGET, DEFAULT_LOOKS, Randomisation, RandomisationDesign, RandomisationSettings,
};
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use hotfix_core::stats::replay::{
    Calibration, CalibrationSettings, Clip, History, calibrate, statistic,
};
use hotfix_core::stats::{Counts, StatError, Totals};

use crate::fleet::{Instances, Source};
use crate::intervals::{self, add};
use crate::laws::{Cell, Change, Fleet, Shared};
use crate::random::Random;
use crate::runner;
use crate::tally::{Delays, Estimate};
use crate::traffic::{PLANNED, Tick};

/// Weight of a metric among four.
const QUARTER: f64 = 0.25;

/// A method that judges a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Judge {
    /// The test for independent errors.
    Plain,
    /// `plain` with its evidence divided by twice the dispersion of the history, the usual remedy.
    Tempered,
    /// `plain` where it has the weight 0.25.
    PlainOfFour,
    /// `replay` by sums over each arm.
    Summed,
    /// `replay` by instance.
    Replay,
    /// `replay` by instance where it has the weight 0.25.
    ReplayOfFour,
    /// `replay` by instance in the change-point form over the planned ticks.
    ReplayChangePoint,
    /// The hold level of `replay` by instance.
    Hold,
    /// `randomised`: needs no history.
    Randomised,
    /// `randomised`, fed only at its comparisons with the counts since the last one: much cheaper.
    RandomisedByLook,
    /// Rolls back when both `replay` and `randomised` decide.
    Both,
    /// [`Judge::Both`] with [`Judge::RandomisedByLook`].
    BothByLook,
    /// Names a canary instance as bad.
    BadInstance,
    /// Promotes: not worse than twice, plain.
    NotWorse,
    /// [`Judge::NotWorse`], tempered by the calibration.
    NotWorseTempered,
    /// When the 99% interval for the ratio, checked every two minutes, does not contain 1.
    Interval,
}

impl Judge {
    fn needs_history(self) -> bool {
        !matches!(
            self,
            Self::Plain
                | Self::PlainOfFour
                | Self::Randomised
                | Self::RandomisedByLook
                | Self::BadInstance
                | Self::NotWorse
                | Self::Interval
        )
    }

    /// Whether it uses every instance's counts.
    fn needs_instances(self) -> bool {
        let by_instance = matches!(
            self,
            Self::Replay
                | Self::ReplayOfFour
                | Self::ReplayChangePoint
                | Self::Hold
                | Self::BadInstance
        );
        by_instance || self.needs_subsets()
    }

    fn needs_subsets(self) -> bool {
        matches!(self, Self::Randomised | Self::RandomisedByLook | Self::Both | Self::BothByLook)
    }

    fn is_fed_by_look(self) -> bool {
        matches!(self, Self::RandomisedByLook | Self::BothByLook)
    }
}

/// The fault of the canary in the test streams.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    None,
    /// Every canary instance has this many times the errors.
    Canary(f64),
    /// Every canary instance has so many times the errors from the tick after this one on.
    CanaryAfter(u32, f64),
    /// Only the first canary instance has this many times the errors.
    FirstInstance(f64),
}

impl Fault {
    /// The factor of an instance's errors at tick `at`.
    pub(crate) fn of(self, instance: usize, canary: usize, at: u32) -> f64 {
        match self {
            Self::CanaryAfter(after, ratio) if instance < canary && at > after => ratio,
            Self::Canary(ratio) if instance < canary => ratio,
            Self::FirstInstance(ratio) if instance == 0 => ratio,
            Self::None | Self::Canary(_) | Self::CanaryAfter(..) | Self::FirstInstance(_) => 1.0,
        }
    }
}

/// How many histories, and how many test streams with each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) histories: u32,
    pub(crate) streams: u32,
}

/// Results of the test streams of one cell.
pub(crate) struct Outcome {
    /// For each judge one figure per stream, grouped by history.
    delays: Vec<Delays>,
    streams: usize,
}

impl Outcome {
    pub(crate) fn delays(&self, judge: usize) -> &Delays {
        &self.delays[judge]
    }

    /// How often a judge decided, streams of one history taken together.
    pub(crate) fn share(&self, judge: usize) -> Estimate {
        Estimate::grouped_share(&self.delays[judge].hits(), self.streams)
    }
}

/// Runs one cell with a fault in the test streams.
pub(crate) fn run(
    cell: &Cell,
    fault: Fault,
    judges: &[Judge],
    effort: Effort,
    seed: u64,
) -> Result<Outcome, StatError> {
    let before = Source::new(cell.law, cell.per_minute, cell.fleet);
    let (law, fault) = match cell.change {
        Change::None | Change::Traffic(_) => (cell.law, fault),
        Change::Law(law) => (law, fault),
        // Not the release's fault, but indistinguishable from it.
        Change::Hardware(factor) => (cell.law, Fault::Canary(factor)),
    };
    let after = Source::new(law, cell.per_minute, cell.fleet);
    let after = match cell.change {
        Change::Traffic(factor) => after.with_traffic_of_canary(factor),
        Change::None | Change::Law(_) | Change::Hardware(_) => after,
    };
    let results: Vec<Result<Vec<Vec<Option<u32>>>, StatError>> =
        runner::all(effort.histories, |history| {
            let mut random = Random::new(seed, history);
            let traits = before.traits(&mut random);
            let calibrations = if judges.iter().any(|judge| judge.needs_history()) {
                let read = record(&before, &traits, cell.history, &mut random)?;
                let asked = asked(cell, history);
                let late = if judges.contains(&Judge::ReplayChangePoint) {
                    let horizon = Some(PLANNED);
                    Some(calibrate(&read, &CalibrationSettings { horizon, ..asked.clone() })?)
                } else {
                    None
                };
                Calibrations { usual: Some(calibrate(&read, &asked)?), late }
            } else {
                Calibrations::default()
            };
            let designs = Designs::new(cell, &calibrations, judges, history)?;
            let streams = (0..effort.streams)
                .map(|_| designs.judge(&after, &traits, fault, judges, &mut random));
            streams.collect()
        });
    let mut delays = vec![Vec::new(); judges.len()];
    for streams in results {
        for stream in streams? {
            for (of_judge, tick) in delays.iter_mut().zip(stream) {
                of_judge.push(tick);
            }
        }
    }
    let delays = delays.into_iter().map(Delays::new).collect();
    Ok(Outcome { delays, streams: effort.streams as usize })
}

fn names(fleet: Fleet) -> Vec<String> {
    (0..fleet.instances).map(|at| format!("i-{at:02}")).collect()
}

/// Neighbours by name, as many as the canary has.
fn zones(fleet: Fleet) -> Vec<Vec<String>> {
    names(fleet).chunks(fleet.canary).map(<[String]>::to_vec).collect()
}

/// A history of healthy instances.
fn record(
    source: &Source,
    traits: &Instances,
    ticks: u32,
    random: &mut Random,
) -> Result<History, StatError> {
    let names = names(source.fleet());
    let mut series: Vec<Vec<[f64; 2]>> = vec![Vec::with_capacity(ticks as usize); names.len()];
    let mut stream = source.stream(traits, Fault::None, random);
    let mut counts = Vec::new();
    for _ in 0..ticks {
        stream.instances(&mut counts, random);
        for (series, counts) in series.iter_mut().zip(&counts) {
            series.push([counts.events, counts.trials]);
        }
    }
    History::try_new(names.into_iter().zip(series).collect::<BTreeMap<_, _>>())
}

fn asked(cell: &Cell, seed: u32) -> CalibrationSettings {
    let share = cell.fleet.canary as f64 / cell.fleet.instances as f64;
    let mut settings = CalibrationSettings::new(share, PLANNED);
    settings.seed = u64::from(seed);
    settings.zones = (cell.law.shared == Shared::Neighbours).then(|| zones(cell.fleet));
    settings
}

/// Results of a calibration on one history.
#[derive(Default)]
struct Calibrations {
    usual: Option<Calibration>,
    /// For the change-point form.
    late: Option<Calibration>,
}

/// The tests with the limits of a calibration.
struct Designs {
    plain: RateRatioDesign,
    tempered: RateRatioDesign,
    summed: RateRatioDesign,
    /// None without a history.
    replay: Option<ByInstance>,
    change_point: Option<ByInstance>,
    not_worse: RateRatioDesign,
    not_worse_tempered: RateRatioDesign,
    randomisation: Option<RandomisationDesign>,
    fleet: Fleet,
}

/// The limits with which `replay` decides by instance.
struct ByInstance {
    design: RateRatioDesign,
    clip: Clip,
    hold: f64,
    leave_one_out: bool,
}

impl ByInstance {
    fn new(design: &RateRatioDesign, by: Option<&Calibration>) -> Result<Option<Self>, StatError> {
        let Some((by, limits)) = by.and_then(|by| Some((by, by.by_instance?))) else {
            return Ok(None);
        };
        Ok(Some(Self {
            design: design.with_limits(Some(limits.cap), Some(limits.threshold))?,
            clip: Clip::try_new(limits.clip_rate)?,
            hold: limits.hold,
            leave_one_out: by.leave_one_out,
        }))
    }
}

impl Designs {
    fn new(
        cell: &Cell,
        calibrations: &Calibrations,
        judges: &[Judge],
        seed: u32,
    ) -> Result<Self, StatError> {
        let calibration = calibrations.usual.as_ref();
        let usual = RateRatioSettings::default();
        let plain = RateRatioDesign::try_new(&usual)?;
        let dispersion = calibration.and_then(|calibration| calibration.dispersion).unwrap_or(1.0);
        let temper = (1.0 / (2.0 * dispersion)).min(1.0);
        let tempered = RateRatioSettings { temper, ..usual.clone() };
        let limited = |design: &RateRatioDesign, by: Option<&Calibration>| {
            design.with_limits(by.map(|of| of.cap), by.map(|of| of.threshold))
        };
        let horizon = Some(PLANNED);
        let change_point =
            RateRatioDesign::try_new(&RateRatioSettings { horizon, ..usual.clone() })?;
        let better = RateRatioSettings::better(2.0);
        let temper = calibration.map_or(1.0, Calibration::promotion_temper);
        let names = names(cell.fleet);
        let canary = names[..cell.fleet.canary].to_vec();
        let randomisation = if judges.iter().any(|judge| judge.needs_subsets()) {
            let mut settings = RandomisationSettings::new(names, canary, u64::from(seed));
            if judges.iter().any(|judge| judge.is_fed_by_look()) {
                settings.evaluations = Some((1..).take(DEFAULT_LOOKS.len()).collect());
                settings.budget = Some(DEFAULT_BUDGET.to_vec());
            }
            Some(RandomisationDesign::try_new(&settings)?)
        } else {
            None
        };
        Ok(Self {
            tempered: RateRatioDesign::try_new(&tempered)?,
            summed: limited(&plain, calibration)?,
            replay: ByInstance::new(&plain, calibration)?,
            change_point: ByInstance::new(&change_point, calibrations.late.as_ref())?,
            not_worse: RateRatioDesign::try_new(&better)?,
            not_worse_tempered: RateRatioDesign::try_new(&RateRatioSettings { temper, ..better })?,
            randomisation,
            fleet: cell.fleet,
            plain,
        })
    }

    /// One stream: when each judge decides.
    fn judge(
        &self,
        source: &Source,
        traits: &Instances,
        fault: Fault,
        judges: &[Judge],
        random: &mut Random,
    ) -> Result<Vec<Option<u32>>, StatError> {
        let mut tests: Vec<Running<'_>> =
            judges.iter().map(|judge| Running::new(self, *judge)).collect::<Result<_, _>>()?;
        let mut decided = vec![None; judges.len()];
        let mut stream = source.stream(traits, fault, random);
        let mut counts = Vec::with_capacity(self.fleet.instances);
        let each = judges.iter().any(|judge| judge.needs_instances());
        for _ in 0..PLANNED {
            let tick =
                if each { stream.instances(&mut counts, random) } else { stream.arms(random) };
            for (test, decided) in tests.iter_mut().zip(&mut decided) {
                if decided.is_none() && test.look(&tick, &counts)? {
                    *decided = Some(tick.at);
                }
            }
            if decided.iter().all(Option::is_some) {
                break;
            }
        }
        Ok(decided)
    }
}

/// A judge within one stream.
enum Running<'a> {
    Counts(&'a RateRatioDesign, RateRatio),
    /// Decides from this value of the log e-value on.
    From(&'a RateRatioDesign, RateRatio, f64),
    ByInstance(Box<Clipped<'a>>),
    Randomised(&'a RandomisationDesign, Box<Randomisation>),
    ByLook(&'a RandomisationDesign, Box<Randomisation>, Vec<Counts>),
    Both(Box<[Running<'a>; 2]>, [bool; 2]),
    BadInstance(Box<BadInstance>, usize),
    Interval(Totals),
}

/// `replay` by instance within one stream.
struct Clipped<'a> {
    by: &'a ByInstance,
    test: RateRatio,
    /// The test without each canary instance in turn; empty where there are too few.
    without: Vec<RateRatio>,
    canary: usize,
    counts: Vec<Counts>,
    /// Value of the statistic that decides.
    threshold: f64,
}

impl Clipped<'_> {
    fn look(&mut self, counts: &[Counts]) -> Result<bool, StatError> {
        let ByInstance { design, clip, .. } = self.by;
        self.counts.clear();
        let clip = clip.shared(counts.iter().copied());
        self.counts.extend(counts.iter().map(|counts| clip.clipped(*counts)));
        let (of_canary, of_baseline) = self.counts.split_at(self.canary);
        let [canary, baseline] = [of_canary, of_baseline].map(|arm| {
            arm.iter().fold(Counts::default(), |mut sum, one| {
                add(&mut sum, *one);
                sum
            })
        });
        self.test.update(design, canary, baseline)?;
        for (test, one) in self.without.iter_mut().zip(of_canary) {
            let rest = (canary.events - one.events).max(0.0);
            test.update(design, Counts::new(rest, canary.trials - one.trials), baseline)?;
        }
        let log_e = self.test.log_e(design);
        if log_e < self.threshold {
            return Ok(false);
        }
        let without = self.without.iter().map(|test| test.log_e(design)).reduce(f64::min);
        Ok(statistic(log_e, without) >= self.threshold)
    }
}

impl<'a> Running<'a> {
    fn new(designs: &'a Designs, judge: Judge) -> Result<Self, StatError> {
        let counts = |design| Self::Counts(design, RateRatio::new(design));
        let names = || names(designs.fleet).into_iter().take(designs.fleet.canary);
        Ok(match judge {
            Judge::Plain => counts(&designs.plain),
            Judge::Tempered => counts(&designs.tempered),
            Judge::PlainOfFour => {
                let design = &designs.plain;
                Self::From(design, RateRatio::new(design), design.threshold() - QUARTER.ln())
            }
            Judge::Summed => counts(&designs.summed),
            Judge::Replay => {
                Self::clipped(designs, designs.replay.as_ref(), |of| of.design.threshold())
            }
            Judge::ReplayOfFour => Self::clipped(designs, designs.replay.as_ref(), |of| {
                of.design.threshold() - QUARTER.ln()
            }),
            Judge::ReplayChangePoint => {
                Self::clipped(designs, designs.change_point.as_ref(), |of| of.design.threshold())
            }
            Judge::Interval => Self::Interval(Totals::default()),
            Judge::Hold => Self::clipped(designs, designs.replay.as_ref(), |of| of.hold),
            Judge::NotWorse => counts(&designs.not_worse),
            Judge::NotWorseTempered => counts(&designs.not_worse_tempered),
            Judge::BadInstance => {
                let tests = BadInstance::try_new(&RateRatioSettings::default(), names())?;
                Self::BadInstance(Box::new(tests), designs.fleet.canary)
            }
            Judge::Randomised => match &designs.randomisation {
                Some(design) => Self::Randomised(design, Box::new(Randomisation::new(design))),
                None => return Err(StatError::DesignMismatch),
            },
            Judge::RandomisedByLook => match &designs.randomisation {
                Some(design) => {
                    let sums = vec![Counts::default(); designs.fleet.instances];
                    Self::ByLook(design, Box::new(Randomisation::new(design)), sums)
                }
                None => return Err(StatError::DesignMismatch),
            },
            Judge::Both => Self::both(designs, Judge::Randomised)?,
            Judge::BothByLook => Self::both(designs, Judge::RandomisedByLook)?,
        })
    }

    /// Without limits by instance it never decides: the history had no event.
    fn clipped(
        designs: &'a Designs,
        by: Option<&'a ByInstance>,
        threshold: impl Fn(&ByInstance) -> f64,
    ) -> Self {
        let Some(by) = by else {
            return Self::From(&designs.plain, RateRatio::new(&designs.plain), f64::INFINITY);
        };
        let canary = designs.fleet.canary;
        let left_out = if by.leave_one_out { canary } else { 0 };
        Self::ByInstance(Box::new(Clipped {
            by,
            test: RateRatio::new(&by.design),
            without: vec![RateRatio::new(&by.design); left_out],
            canary,
            counts: Vec::with_capacity(designs.fleet.instances),
            threshold: threshold(by),
        }))
    }

    fn both(designs: &'a Designs, randomised: Judge) -> Result<Self, StatError> {
        let both = [Self::new(designs, Judge::Replay)?, Self::new(designs, randomised)?];
        Ok(Self::Both(Box::new(both), [false; 2]))
    }

    fn look(&mut self, tick: &Tick, counts: &[Counts]) -> Result<bool, StatError> {
        match self {
            Self::Counts(design, test) => test.update(design, tick.canary, tick.baseline),
            Self::From(design, test, level) => {
                test.update(design, tick.canary, tick.baseline)?;
                Ok(test.bounds(design).upper >= *level && test.log_e(design) >= *level)
            }
            Self::ByInstance(test) => test.look(counts),
            Self::Randomised(design, test) => test.update(design, counts),
            Self::ByLook(design, test, sums) => {
                for (sum, one) in sums.iter_mut().zip(counts) {
                    sum.events += one.events;
                    sum.trials += one.trials;
                }
                if !DEFAULT_LOOKS.contains(&tick.at) {
                    return Ok(test.decided());
                }
                let decided = test.update(design, sums)?;
                sums.fill(Counts::default());
                Ok(decided)
            }
            Self::Both(tests, decided) => {
                for (test, decided) in tests.iter_mut().zip(&mut *decided) {
                    *decided = *decided || test.look(tick, counts)?;
                }
                Ok(decided[0] && decided[1])
            }
            Self::Interval(totals) => {
                add(&mut totals.canary, tick.canary);
                add(&mut totals.baseline, tick.baseline);
                Ok(tick.at.is_multiple_of(intervals::EVERY)
                    && !ratio_interval(&[*totals], intervals::CONFIDENCE)?.contains(1.0))
            }
            Self::BadInstance(tests, canary) => Ok(tests.update(&counts[..*canary])?.is_some()),
        }
    }
}
