//! Bands: the zone of a value between its bounds.

use crate::grade::{BoundBase, Worse, closed_set};
use crate::policy::section::{Bound, BoundValue, Metric};

use super::judged::{Judged, clearly_beyond};

closed_set! {
    /// Zone of a metric's value between its bounds, or why it has no zone.
    Band {
        /// At or on the good side of the success bound.
        Success = "success",
        /// Neither success nor alert, or too few trials.
        Hold = "hold",
        /// Not decided, so no pass: a bound is inside the bucket of a quantile that cannot be
        /// interpolated there, or is on the live version of a volume that has no earlier level yet.
        Between = "between",
        /// Beyond the alert bound.
        Alert = "alert",
        /// Beyond the rollback bound; where no bound has its figure, with evidence that rolls back.
        Rollback = "rollback",
        /// It was read, and nothing judges it now: no bound has its reference, and no test has a
        /// live arm or readings from before the start, or these are used up.
        NotJudged = "not_judged",
        /// It was not read in this phase.
        NoData = "no_data",
        /// The last reading is too old.
        Stale = "stale",
        /// The live version, with which it is compared, has no fresh reading, and was read before, by this metric
        /// or another.
        NoLiveData = "no_live_data",
        /// A number of the canary was NaN or infinite.
        NotFinite = "not_finite",
    }
}

impl Band {
    pub(crate) const fn is_judged(self) -> bool {
        matches!(self, Self::Success | Self::Hold | Self::Between | Self::Alert | Self::Rollback)
    }
}

/// Log evidence that the canary is worse which a rollback bound waits for where chance or the live
/// version may explain a breach: ln 10.
pub(crate) const CONFIRMS: f64 = std::f64::consts::LN_10;

/// The present figure of a bound; None if its reference is missing.
///
/// Without a live arm a bound on it falls back on the reference, except for a volume: traffic
/// changes over the day, so callers pass its own earlier level as `live`, or None. A ratio has no
/// meaning for a level below zero, or for no traffic: None.
#[inline]
pub(crate) fn bound_figure(metric: &Metric, bound: Bound, live: Option<Judged>) -> Option<f64> {
    let (of, ratio) = match bound.value {
        BoundValue::Absolute(figure) => return Some(figure),
        BoundValue::Relative(ratio, BoundBase::Live) => {
            let before = metric.reference.filter(|_| !metric.kind.is_traffic());
            (live.map(Judged::middle).or(before), ratio)
        }
        BoundValue::Relative(ratio, _) => (metric.reference, ratio),
    };
    of.filter(|of| is_reference(metric, *of)).map(|of| of * ratio.value())
}

/// Whether a ratio of this level has a meaning.
fn is_reference(metric: &Metric, level: f64) -> bool {
    level > 0.0 || level == 0.0 && !metric.kind.is_traffic()
}

impl Bound {
    /// Whether it depends on the live arm.
    pub(crate) const fn compares_live(self) -> bool {
        self.unless_both_arms || self.is_on_live()
    }

    /// Whether it is a ratio of the live arm.
    pub(crate) const fn is_on_live(self) -> bool {
        matches!(self.value, BoundValue::Relative(_, BoundBase::Live))
    }
}

impl Metric {
    /// Whether the canary is beyond a bound; None if a bucket cannot decide it, or the reference is
    /// missing.
    #[inline]
    pub(crate) fn crossed(
        &self,
        bound: Bound,
        canary: Judged,
        live: Option<Judged>,
    ) -> Option<bool> {
        let figure = match (bound.value, live) {
            (BoundValue::Relative(ratio, BoundBase::Live), Some(live))
                if is_reference(self, live.low) =>
            {
                live.times(ratio)
            }
            _ => Judged::exactly(bound_figure(self, bound, live)?),
        };
        let both = bound.unless_both_arms
            && live.is_some_and(|live| live.beyond(figure, self.worse) == Some(true));
        if both { Some(false) } else { canary.beyond(figure, self.worse) }
    }

    /// Whether a value within the success bound, or without one the alert bound, is at most `times`
    /// times as bad as the reference, so that nothing worse passes a gate without the live version,
    /// too. False without such a bound or the reference.
    pub(crate) fn keeps_within(&self, times: f64) -> bool {
        let bound = self.bounds.success.or(self.bounds.alert);
        let figure = bound.and_then(|bound| bound_figure(self, bound, None));
        let Some((figure, reference)) = figure.zip(self.reference) else { return false };
        match self.worse {
            // A reference of 0 has no multiple: the bound is what is allowed.
            Worse::Higher => reference == 0.0 || figure <= times * reference,
            Worse::Lower if self.kind.is_fraction() => 1.0 - figure <= times * (1.0 - reference),
            Worse::Lower => times * figure >= reference,
        }
    }

    /// Whether the canary is worse than the live version was last, as this bound measures it: by its
    /// ratio, or at all where the bound is a figure.
    pub(crate) fn is_worse_than_last(&self, bound: Bound, canary: Judged, last: Judged) -> bool {
        let figure = match bound.value {
            BoundValue::Relative(ratio, _) => last.times(ratio),
            BoundValue::Absolute(_) => last,
        };
        canary.beyond(figure, self.worse) == Some(true)
    }

    /// Whether the canary's interpolated value is beyond a bound by more than its error; None if it
    /// cannot be interpolated, or the reference is missing.
    pub(crate) fn clearly_crossed(
        &self,
        bound: Bound,
        canary: Judged,
        live: Option<Judged>,
    ) -> Option<bool> {
        let canary = canary.estimate()?;
        let live = live.map(Judged::likely);
        let figure = bound_figure(self, bound, live.map(Judged::exactly))?;
        let beyond = |value: f64| clearly_beyond(value, figure, self.worse);
        Some(beyond(canary) && !(bound.unless_both_arms && live.is_some_and(beyond)))
    }

    /// The figure of a bound to show beside the canary's value: the one that it was compared with.
    pub(crate) fn figure_shown(
        &self,
        bound: Bound,
        canary: Judged,
        live: Option<Judged>,
    ) -> Option<f64> {
        let by_edges = self.crossed(bound, canary, live).is_some() || canary.estimate().is_none();
        let of = if by_edges { Judged::shown } else { Judged::likely };
        bound_figure(self, bound, live.map(|live| Judged::exactly(of(live))))
    }

    /// Whether any bound depends on the live arm.
    pub(crate) fn compares_live(&self) -> bool {
        self.bounds.all().any(Bound::compares_live)
    }

    /// Whether any bound is a ratio of the live arm.
    pub(crate) fn compares_live_level(&self) -> bool {
        let bounds = &self.bounds;
        [&bounds.success, &bounds.alert, &bounds.rollback]
            .into_iter()
            .any(|bound| is_on_live(bound.as_ref()))
    }

    /// The figures of all bounds that do not need the live arm, in the metric's unit.
    pub fn bound_figures(&self) -> impl Iterator<Item = f64> {
        self.bounds.all().filter_map(|bound| bound_figure(self, bound, None))
    }
}

/// Whether a bound is a ratio of the live arm. Not inlined: LLVM would compare fields of a bound that
/// is not there before it knows that, which valgrind takes for a fault.
#[inline(never)]
fn is_on_live(bound: Option<&Bound>) -> bool {
    bound.is_some_and(|bound| bound.is_on_live())
}

/// Whether anything judges a value: a bound with a figure, or a test with a live arm.
pub(super) fn is_judged(metric: &Metric, live: Option<Judged>, tested: bool) -> bool {
    (tested && live.is_some())
        || metric.bounds.all().any(|bound| bound_figure(metric, bound, live).is_some())
}

/// The band of the canary's value. `live` is the baseline arm's, where there is one; `tested`: a
/// test compares them.
///
/// A bound on the live arm falls back on the reference without a live arm, as at 100% traffic, but
/// for a volume. If no bound has a figure and no test compares, nothing judges the value, however good or bad it is.
pub fn judge_bounds(metric: &Metric, canary: Judged, live: Option<Judged>, tested: bool) -> Band {
    zone(metric, canary, live, tested).band
}

/// A band, and what it follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    pub(crate) band: Band,
    /// It follows from a quantile that was interpolated inside its bucket, not from the bucket
    /// alone.
    pub(crate) interpolated: bool,
}

/// The band of the canary's value, as [`judge_bounds`].
///
/// The edges of a bucket decide where they can. Where they cannot, the interpolated quantile
/// decides success and alert. It never breaches a rollback bound.
pub(crate) fn zone(metric: &Metric, canary: Judged, live: Option<Judged>, tested: bool) -> Zone {
    let surely = |band| Zone { band, interpolated: false };
    if !is_judged(metric, live, tested) {
        return surely(Band::NotJudged);
    }
    let crossed = |bound: Option<Bound>| match bound {
        Some(bound) => metric.crossed(bound, canary, live),
        None => Some(false),
    };
    let rollback = crossed(metric.bounds.rollback);
    if rollback == Some(true) {
        return surely(Band::Rollback);
    }
    let alert = crossed(metric.bounds.alert);
    if alert == Some(true) {
        return surely(Band::Alert);
    }
    let missed = crossed(metric.bounds.success);
    match (rollback, alert, missed) {
        (None, _, _) | (_, None, _) | (_, _, None) => {}
        (_, _, Some(true)) => return surely(Band::Hold),
        (_, _, Some(false)) => return surely(Band::Success),
    }
    let clearly = |known: Option<bool>, bound: Option<Bound>| {
        known.or_else(|| bound.and_then(|bound| metric.clearly_crossed(bound, canary, live)))
    };
    let band = match (
        clearly(rollback, metric.bounds.rollback),
        clearly(alert, metric.bounds.alert),
        clearly(missed, metric.bounds.success),
    ) {
        (_, Some(true), _) => Band::Alert,
        (None, _, _) | (_, None, _) | (_, _, None) => return surely(Band::Between),
        // A miss that the bucket's edges show is not interpolated.
        (_, _, Some(true)) => return Zone { band: Band::Hold, interpolated: missed.is_none() },
        // An interpolated value does not roll back, and does not pass.
        (Some(true), _, _) => Band::Hold,
        (_, _, Some(false)) => Band::Success,
    };
    Zone { band, interpolated: true }
}
