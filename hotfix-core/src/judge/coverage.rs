//! Coverage of a window: since when readings have filled it without a gap. A reading that is of all the
//! time since the one before, or of some of it, leaves no gap there, however late it comes.

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
    /// Time of the first reading after a gap since which the window was never full; None where it was
    /// at the last reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lacking: Option<Timestamp>,
}

impl Coverage {
    /// Of a window that is filled from this time on, whatever was read before.
    pub(super) const fn from(at: Timestamp) -> Self {
        Self { last: Some(at), since: Some(at), lacking: None }
    }

    /// A reading goes into the window of a phase that began at `phase`. `is_of`: of how much time it
    /// is, at most that since the one before.
    #[inline]
    pub(super) fn read(
        &mut self,
        at: Timestamp,
        phase: Option<Timestamp>,
        watch: &Watch,
        is_of: impl FnOnce(Span) -> Span,
    ) {
        if let Some(last) = self.last.max(phase)
            && watch.is_silence(at.since(last))
        {
            self.since = Some(at - is_of(at.since(last)));
            self.lacking.get_or_insert(at);
        }
        if self.lacking.is_some() && self.since.is_none_or(|since| at.since(since) >= watch.window)
        {
            self.lacking = None;
        }
        self.last = Some(at);
    }

    /// Whether readings have come for so long, and too far apart to fill the window.
    #[inline]
    pub(super) fn lacks_for(self, long: Span) -> bool {
        self.lacking.zip(self.last).is_some_and(|(lacking, last)| last.since(lacking) >= long)
    }

    /// Start of the time without a gap.
    #[inline]
    pub(super) fn since(self, phase: Option<Timestamp>) -> Option<Timestamp> {
        self.since.max(phase)
    }
}
