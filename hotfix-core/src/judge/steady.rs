//! Since when a window has been filled without a silence (MET-5).

use serde::{Deserialize, Serialize};

use crate::policy::section::Watch;
use crate::unit::{Span, Timestamp};

/// Since when readings have gone into the window without a silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Steady {
    /// When the last one did, in this phase.
    last: Option<Timestamp>,
    /// When the first one did after a silence; none where there was none in this phase.
    since: Option<Timestamp>,
}

impl Steady {
    /// As a state of an earlier release has it, which knew of no silence.
    pub(super) const fn without_silence(last: Option<Timestamp>) -> Self {
        Self { last, since: None }
    }

    /// A reading goes into the window of a phase that began at `phase`.
    #[inline]
    pub(super) fn read(&mut self, at: Timestamp, phase: Option<Timestamp>, watch: &Watch) {
        if let Some(last) = self.last.max(phase)
            && is_silence(at.since(last), watch)
        {
            self.since = Some(at);
        }
        self.last = Some(at);
    }

    /// Since when there has been no silence.
    #[inline]
    pub(super) fn since(self, phase: Option<Timestamp>) -> Option<Timestamp> {
        self.since.max(phase)
    }
}

/// Whether nothing is left in the window after so long, and more than one reading did not come: where the window is as
/// short as the cadence, one that is late or lost is no silence.
#[inline]
fn is_silence(gap: Span, watch: &Watch) -> bool {
    gap >= watch.window && gap > watch.cadence + watch.cadence
}
