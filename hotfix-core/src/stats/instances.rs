//! Tests with the counts of every canary instance: distinguish a bad release from one bad instance.
//!
//! [`BadInstance`] names an instance that is worse than the other canary instances: 'replace it'.
//!
//! Instances are identified by index; their names are stored separately. An instance that is gone
//! or silent has zero trials. Nothing is allocated after the start.

use super::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use super::{Counts, Direction, StatError, check_version};
use serde::{Deserialize, Serialize};

const VERSION: u32 = 1;

/// Checks names: enough of them, none twice.
pub(super) fn check_names(names: &[String], needed: usize) -> Result<(), StatError> {
    if names.len() < needed {
        return Err(StatError::FewInstances { instances: names.len(), needed });
    }
    let mut sorted: Vec<&str> = names.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(StatError::RepeatedInstance { instance: pair[0].to_owned() }),
        None => Ok(()),
    }
}

/// The places of each zone's instances; none is in two.
pub(super) fn places(
    instances: &[String],
    zones: &[Vec<String>],
) -> Result<Vec<Vec<usize>>, StatError> {
    check_names(&zones.concat(), 0)?;
    let place = |name: &String| {
        let unknown = || StatError::UnknownInstance { instance: name.clone() };
        instances.iter().position(|known| known == name).ok_or_else(unknown)
    };
    zones.iter().map(|zone| zone.iter().map(place).collect()).collect()
}

/// Checks the counts of one tick and adds them up.
pub(super) fn sum_of(counts: &[Counts], expected: usize) -> Result<Counts, StatError> {
    if counts.len() != expected {
        return Err(StatError::InstanceCount { got: counts.len(), expected });
    }
    let mut sum = Counts::default();
    for counts in counts {
        counts.check()?;
        sum.add(*counts);
    }
    sum.check()?;
    Ok(sum)
}

/// Which canary instance is worse than the other ones.
///
/// The plain test of each instance against the others, at `α/k` each: names any one wrongly with
/// chance `α` at most while errors are independent and instances alike.
///
/// ```
/// use hotfix_core::stats::instances::BadInstance;
/// use hotfix_core::stats::rate_ratio::RateRatioSettings;
/// use hotfix_core::stats::Counts;
/// let mut tests = BadInstance::try_new(&RateRatioSettings::default(), ["a", "b", "c"])?;
/// let tick = [9.0, 0.0, 1.0].map(|events| Counts::new(events, 100.0));
/// assert_eq!(tests.update(&tick)?, Some(0));
/// assert_eq!(tests.names()[0], "a");
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BadDocument", into = "BadDocument")]
pub struct BadInstance {
    names: Vec<String>,
    settings: RateRatioSettings,
    design: RateRatioDesign,
    tests: Vec<RateRatio>,
}

impl BadInstance {
    /// No data yet. Of the settings `alpha`, `tolerated`, `grid` and `weights` are used: the test
    /// is the plain one in direction worse.
    ///
    /// # Errors
    /// [`StatError`] for fewer than two instances, a name that occurs
    /// twice, or settings out of range.
    pub fn try_new(
        settings: &RateRatioSettings,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, StatError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        check_names(&names, 2)?;
        let plain = RateRatioSettings {
            direction: Direction::Worse,
            alpha: settings.alpha / names.len() as f64,
            tolerated: settings.tolerated,
            grid: settings.grid.clone(),
            weights: settings.weights.clone(),
            ..RateRatioSettings::default()
        };
        // Alpha is checked before it is divided: 1.5 by two instances would pass.
        RateRatioDesign::try_new(&RateRatioSettings { alpha: settings.alpha, ..plain.clone() })?;
        let design = RateRatioDesign::try_new(&plain)?;
        let tests = vec![RateRatio::new(&design); names.len()];
        Ok(Self { names, settings: settings.clone(), design, tests })
    }

    /// Takes in one tick, the canary instances in the order of their names, and names the first
    /// that has been found bad, now or before, by its place.
    ///
    /// # Errors
    /// The state is unchanged. [`StatError`] for invalid counts, or counts
    /// of another number of instances.
    pub fn update(&mut self, canary: &[Counts]) -> Result<Option<usize>, StatError> {
        let all = sum_of(canary, self.names.len())?;
        for (test, counts) in self.tests.iter_mut().zip(canary) {
            test.update(&self.design, *counts, all.without(*counts))?;
        }
        Ok(self.found().next())
    }

    /// As [`update`](Self::update), with the data of an instance and those of the others from
    /// different intervals: `own` is compared with the sum of the other instances' `others`.
    pub(crate) fn update_apart(
        &mut self,
        own: &[Counts],
        others: &[Counts],
    ) -> Result<(), StatError> {
        let all = sum_of(others, self.names.len())?;
        sum_of(own, self.names.len())?;
        for ((test, own), other) in self.tests.iter_mut().zip(own).zip(others) {
            test.update(&self.design, *own, all.without(*other))?;
        }
        Ok(())
    }

    /// The places of all instances that have been found bad.
    pub fn found(&self) -> impl Iterator<Item = usize> + '_ {
        let decided = self.tests.iter().enumerate().filter(|(_, test)| test.decided());
        decided.map(|(place, _)| place)
    }

    /// `ln E` of each instance against the others, in the order of names.
    pub fn log_e(&self) -> impl Iterator<Item = f64> + '_ {
        self.tests.iter().map(|test| test.log_e(&self.design))
    }

    /// The compared counts of the instance at this place; None without such an instance.
    pub(crate) fn own(&self, place: usize) -> Option<Counts> {
        self.tests.get(place).map(|test| test.totals().canary)
    }

    /// Inserts an instance at this place; the comparisons of the others continue.
    pub(crate) fn join(&mut self, place: usize, name: &str) {
        let mut names = self.names.clone();
        names.insert(place, name.to_owned());
        let Ok(mut joined) = Self::try_new(&self.settings, names) else { return };
        let others = joined.tests.iter_mut().enumerate().filter(|(at, _)| *at != place);
        for ((_, test), before) in others.zip(&self.tests) {
            *test = before.moved_to(&joined.design);
        }
        *self = joined;
    }

    /// Starts the comparison of the instance at this place over.
    pub(crate) fn restart(&mut self, place: usize) {
        if let Some(test) = self.tests.get_mut(place) {
            *test = RateRatio::new(&self.design);
        }
    }

    /// `ln(k/α)`: the log evidence that names an instance.
    pub fn threshold(&self) -> f64 {
        self.design.threshold()
    }

    /// The instances, in the order in which counts are given.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether these tests were made with these settings.
    ///
    /// # Errors
    /// [`StatError`] if the state belongs to another design.
    pub fn check(&self, settings: &RateRatioSettings) -> Result<(), StatError> {
        if self.settings == *settings { Ok(()) } else { Err(StatError::DesignMismatch) }
    }

    /// Whether two are tests of the same instances with the same settings.
    pub(crate) fn asks_as(&self, other: &Self) -> bool {
        self.names == other.names && self.settings == other.settings
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BadDocument {
    version: u32,
    names: Vec<String>,
    settings: RateRatioSettings,
    tests: Vec<RateRatio>,
}

impl From<BadInstance> for BadDocument {
    fn from(state: BadInstance) -> Self {
        let BadInstance { names, settings, tests, .. } = state;
        Self { version: VERSION, names, settings, tests }
    }
}

impl TryFrom<BadDocument> for BadInstance {
    type Error = StatError;

    fn try_from(read: BadDocument) -> Result<Self, StatError> {
        check_version(read.version, VERSION)?;
        let mut state = Self::try_new(&read.settings, read.names)?;
        if read.tests.len() != state.names.len() {
            return Err(StatError::BadState { what: "tests of instances" });
        }
        read.tests.iter().try_for_each(|test| test.check(&state.design))?;
        state.tests = read.tests;
        Ok(state)
    }
}
