//! Coverage of a window: since when readings have filled it without a gap.

use serde::{Deserialize, Serialize};

use crate::policy::section::Watch;
use crate::unit::{Span, Timestamp};

/// Coverage of a window by readings without a gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Coverage {
    /// Time of the last reading in this phase.
    last: Option<Timestamp>,
    /// Time of the first reading after a gap; None without a gap in this phase.
    since: Option<Timestamp>,
}

impl Coverage {
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

    /// Start of the time without a gap.
    #[inline]
    pub(super) fn since(self, phase: Option<Timestamp>) -> Option<Timestamp> {
        self.since.max(phase)
    }
}

/// Whether this time without a reading is a gap: the window is empty and more than one reading is
/// missing. With a window as short as the cadence, a single late or lost reading is not a gap.
#[inline]
fn is_silence(gap: Span, watch: &Watch) -> bool {
    gap >= watch.window && gap > watch.cadence + watch.cadence
}
