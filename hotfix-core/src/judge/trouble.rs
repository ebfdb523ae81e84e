//! Early trouble that healed is told from trouble that stays (FIELD-8).

use serde::{Deserialize, Serialize};

use crate::metric::Band;
use crate::unit::Timestamp;

use super::{Cause, Judge, Reason, Verdict};

/// What a metric has been through in this phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trouble {
    /// The highest log evidence of its rollback test.
    peak: f64,
    /// Its window has been beyond the alert or rollback bound.
    alerted: bool,
    /// How many looks in a row have been beyond the alert or rollback bound, before the last verdict and with it.
    bad_looks: [u32; 2],
    /// When the last verdict was: the same moment may be judged again, also with other counts (FIELD-11).
    looked: Option<Timestamp>,
    /// As the last verdict said.
    healed: bool,
    /// When it was said first that this phase cannot show what it must: said once, until it is shown (FIELD-15).
    pub(super) in_vain: Option<Timestamp>,
}

/// Ln 10: evidence that has fallen to a tenth of its peak has turned.
const FALLEN: f64 = core::f64::consts::LN_10;

impl Trouble {
    /// Whether the last verdict said that it is over.
    pub(super) const fn has_healed(self) -> bool {
        self.healed
    }

    /// How many looks in a row are beyond a bound with this one, which read something at `read_at`.
    pub(super) fn bad_looks(self, at: Timestamp, read_at: Option<Timestamp>) -> u32 {
        // A verdict without a new reading is no look.
        self.looks_before(at).saturating_add(u32::from(read_at == Some(at)))
    }

    fn looks_before(self, at: Timestamp) -> u32 {
        self.bad_looks[usize::from(self.looked != Some(at))]
    }

    /// Takes note of a verdict's part.
    fn note(&mut self, band: Band, log_e: f64, healed: bool) {
        self.healed = healed;
        self.peak = self.peak.max(log_e);
        self.alerted |= matches!(band, Band::Alert | Band::Rollback);
    }

    /// Whether there was trouble and it is over: the band is within its bounds on data, and the evidence, where it was
    /// above the hold level, is below it and at most a tenth of its peak.
    pub(super) fn healed(self, band: Band, log_e: f64, hold: f64) -> bool {
        let was_loud = self.peak >= hold;
        if !(self.alerted || was_loud) {
            return false;
        }
        let calm = matches!(band, Band::Success | Band::Hold | Band::Between);
        let is_quiet = log_e < hold && log_e <= self.peak - FALLEN;
        calm && (!was_loud || is_quiet)
    }
}

impl Judge {
    /// Takes note of a verdict that was made, or read from a log.
    pub fn note(&mut self, at: Timestamp, verdict: &Verdict) {
        let says_in_vain = verdict.has(Reason::CannotDecide);
        // Verdicts name every metric in order; a log of another policy's would not replay.
        let mut seen = verdict.metrics.iter();
        for watched in &mut self.watched {
            // The look that made it dropped what was too old; a replay takes no look.
            watched.window.expire(at);
            let Some((id, seen)) = seen.next().filter(|(id, _)| watched.metric.id == *id) else {
                continue;
            };
            let trouble = &mut watched.trouble;
            let in_vain =
                |cause: &Cause| cause.reason == Reason::CannotDecide && cause.metric == Some(*id);
            if says_in_vain && trouble.in_vain.is_none() && verdict.causes.iter().any(in_vain) {
                trouble.in_vain = Some(at);
            }
            let beyond = matches!(seen.band, Band::Alert | Band::Rollback);
            let before = trouble.looks_before(at);
            let looks = before.saturating_add(u32::from(watched.read_at == Some(at)));
            trouble.bad_looks = [before, if beyond { looks } else { 0 }];
            trouble.looked = Some(at);
            trouble.note(seen.band, seen.log_e.unwrap_or(0.0), seen.healed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_8_trouble_has_healed_once_band_and_evidence_are_both_calm() {
        let hold = FALLEN;
        let mut trouble = Trouble::default();
        assert!(!trouble.healed(Band::Success, 0.0, hold), "there was none");
        trouble.note(Band::Success, 3.0, false);
        assert!(!trouble.healed(Band::Success, 2.2, hold), "below the level, but hardly fallen");
        assert!(trouble.healed(Band::Success, 0.6, hold));
        trouble.note(Band::Alert, 0.0, false);
        assert!(!trouble.healed(Band::Alert, 0.0, hold));
        assert!(!trouble.healed(Band::Stale, 0.0, hold), "silence heals nothing");
        assert!(trouble.healed(Band::Success, 0.0, hold));
    }
}
