//! Degradation of a metric within a phase, and whether it has healed.

use serde::{Deserialize, Serialize};

use crate::metric::Band;
use crate::unit::{Span, Timestamp};

use super::MetricVerdict;
use super::readings::Readings;

/// Degradation of a metric in this phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Degradation {
    /// The highest log evidence of its rollback test.
    peak: f64,
    /// Its window has been beyond the alert or rollback bound.
    alerted: bool,
    /// Breaches of the alert or rollback bound.
    breaches: Breaches,
    /// Breaches of the rollback bound alone.
    rollback: Breaches,
    /// Since when the window has missed the success bound, without and with the last verdict.
    missed: [Option<Timestamp>; 2],
    /// Time of the last verdict: the same moment may be judged again, also with other counts.
    looked: Option<Timestamp>,
    /// Whether the last verdict reported it as healed.
    pub(super) healed: bool,
    /// When this phase was first reported as unable to decide: reported once, until it has decided.
    pub(super) in_vain: Option<Timestamp>,
}

/// Breaches of a bound in a row, without and with the last verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Breaches {
    consecutive: [u32; 2],
    since: [Option<Timestamp>; 2],
}

impl Breaches {
    /// Number of breaches in a row, at a verdict that finds one after the state of index `last`: the
    /// first one, and each later reading that brings something new, but no more than come at the cadence.
    fn now(self, last: usize, at: Timestamp, (readings, cadence): (&Readings, Span)) -> u32 {
        let before = self.consecutive[last];
        let read_at = if before == 0 { readings.read_at } else { readings.new_at };
        let breaches = before.saturating_add(u32::from(read_at == Some(at)));
        let lasts = at.since(self.since[last].unwrap_or(at));
        let cadence = cadence.as_millis().max(1);
        // A reading may come half a cadence early.
        let most = lasts.as_millis().saturating_add(cadence / 2) / cadence;
        breaches.min(u32::try_from(most).unwrap_or(u32::MAX).saturating_add(1))
    }

    /// The breaches with a verdict after the state of index `last`; `is_breach`: it finds one.
    fn noted(self, last: usize, is_breach: bool, at: Timestamp, read: (&Readings, Span)) -> Self {
        let since = self.since[last];
        Self {
            consecutive: [
                self.consecutive[last],
                if is_breach { self.now(last, at, read) } else { 0 },
            ],
            since: [since, is_breach.then(|| since.unwrap_or(at))],
        }
    }
}

/// Ln 10: evidence that has fallen to a tenth of its peak counts as healed.
const FALLEN: f64 = core::f64::consts::LN_10;

impl Degradation {
    /// Consecutive readings beyond the bound of this band, which the window breaches now; those
    /// beyond the rollback bound count for the alert bound, too.
    pub(super) fn consecutive_breaches(
        self,
        band: Band,
        at: Timestamp,
        read: (&Readings, Span),
    ) -> u32 {
        let of = if band == Band::Rollback { self.rollback } else { self.breaches };
        of.now(self.last(at), at, read)
    }

    /// Index of the state that a verdict of this time follows: 1, or 0 if it judges this time again.
    fn last(self, at: Timestamp) -> usize {
        usize::from(self.looked != Some(at))
    }

    /// Since when the window has been beyond a bound, in a verdict of this time that finds it there.
    pub(super) fn breached_since(self, at: Timestamp) -> Timestamp {
        self.breaches.since[self.last(at)].unwrap_or(at)
    }

    /// Since when the window has been beyond a bound, in the last verdict.
    pub(super) const fn breached(self) -> Option<Timestamp> {
        self.breaches.since[1]
    }

    /// Since when the window has been beyond the rollback bound, in the last verdict.
    pub(super) const fn beyond_rollback(self) -> Option<Timestamp> {
        self.rollback.since[1]
    }

    /// Since when the window has missed the success bound, in the last verdict.
    pub(super) const fn missed(self) -> Option<Timestamp> {
        self.missed[1]
    }

    /// Records the metric's part of a verdict. `in_vain`: it reports the phase as unable to decide.
    pub(super) fn note(
        &mut self,
        at: Timestamp,
        read: (&Readings, Span),
        seen: &MetricVerdict,
        in_vain: bool,
    ) {
        if in_vain {
            self.in_vain.get_or_insert(at);
        }
        let beyond = matches!(seen.band, Band::Alert | Band::Rollback);
        let misses = beyond || seen.band == Band::Hold && seen.needs.is_none();
        // What is beyond another bound misses the success bound, too. Almost always no bound is crossed.
        if misses || self.missed != [None; 2] || self.breaches.since != [None; 2] {
            let last = self.last(at);
            self.missed = [self.missed[last], misses.then(|| self.missed[last].unwrap_or(at))];
            self.breaches = self.breaches.noted(last, beyond, at, read);
            self.rollback = self.rollback.noted(last, seen.band == Band::Rollback, at, read);
        }
        self.looked = Some(at);
        self.healed = seen.healed;
        self.peak = self.peak.max(seen.log_e.unwrap_or(0.0));
        self.alerted |= beyond;
    }

    /// Whether there was degradation and it is over: the band is within its bounds with data, and
    /// evidence that was above the hold level is at most a tenth of its peak, and below that level
    /// without any one instance. If evidence was never so high, the success bound has to be met, or
    /// no evidence of harm may be left.
    pub(super) fn healed(
        self,
        band: Band,
        log_e: f64,
        without_any: impl FnOnce() -> f64,
        hold: f64,
    ) -> bool {
        let was_loud = self.peak >= hold;
        if !(self.alerted || was_loud) {
            return false;
        }
        match band {
            Band::Success | Band::Hold | Band::Between if was_loud => {
                log_e <= self.peak - FALLEN && without_any() < hold
            }
            Band::Success => true,
            Band::Hold | Band::Between => log_e <= 0.0,
            Band::Alert
            | Band::Rollback
            | Band::NotJudged
            | Band::NoData
            | Band::Stale
            | Band::NoLiveData
            | Band::NotFinite => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(band: &str, log_e: f64) -> MetricVerdict {
        serde_json::from_value(serde_json::json!({ "band": band, "log_e": log_e })).unwrap()
    }

    #[test]
    fn field_8_trouble_has_healed_once_band_and_evidence_are_both_calm() {
        let (at, hold) = (Timestamp::try_from_millis(0).unwrap(), FALLEN);
        let readings = (&Readings::default(), Span::from_seconds(10));
        let mut degradation = Degradation::default();
        assert!(!degradation.healed(Band::Success, 0.0, || 0.0, hold), "nothing had degraded");
        degradation.note(at, readings, &seen("success", 3.0), false);
        assert!(
            !degradation.healed(Band::Success, 2.2, || 2.2, hold),
            "below the level, but hardly fallen"
        );
        assert!(degradation.healed(Band::Success, 0.6, || 0.6, hold));
        degradation.note(at, readings, &seen("alert", 0.0), false);
        assert!(!degradation.healed(Band::Alert, 0.0, || 0.0, hold));
        assert!(!degradation.healed(Band::Stale, 0.0, || 0.0, hold), "silence heals nothing");
        assert!(degradation.healed(Band::Success, 0.0, || 0.0, hold));
    }

    #[test]
    fn field_8_a_window_just_below_the_alert_bound_has_not_healed_while_evidence_of_harm_is_left() {
        let (at, hold) = (Timestamp::try_from_millis(0).unwrap(), FALLEN);
        let read = (&Readings::default(), Span::from_seconds(10));
        let mut degradation = Degradation::default();
        degradation.note(at, read, &seen("alert", 1.6), false);
        for band in [Band::Hold, Band::Between] {
            assert!(!degradation.healed(band, 2.1, || 2.1, hold), "six times as bad as before");
            assert!(degradation.healed(band, -0.4, || -0.4, hold));
        }
        assert!(degradation.healed(Band::Success, 1.1, || 1.1, hold));
    }
}
