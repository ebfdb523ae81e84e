//! Requests of the canary while its deployment is not confirmed: a tool may have died before it
//! confirmed, and instances may be replaced one by one for half an hour. They are traffic on the fix,
//! and bounds on proportions act on them. What is scaled by the share waits for the confirmation, and
//! so do latencies, which are high at first on new instances. See `docs/decisions/rollback-bounds.md`.

use serde::{Deserialize, Serialize};

use crate::metric::{Band, Judged, Reading, Tick, zone};
use crate::unit::Timestamp;

use super::Use;
use super::prepared::Increment;
use super::watched::Watched;

/// What is known of the canary's unconfirmed requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unconfirmed {
    /// Nothing is unconfirmed.
    #[default]
    None,
    /// There were requests before the deployment: what is read as the canary is not the fix alone.
    OfAnother,
    /// The fix has had requests since then.
    Since(Timestamp),
}

impl Unconfirmed {
    /// Notes whether the canary has requests.
    pub(super) fn read<'a>(
        &mut self,
        at: Timestamp,
        purpose: Use,
        mut seen: impl Iterator<Item = (&'a mut Watched, &'a Increment)>,
    ) {
        if matches!(self, Self::None) && seen.any(|(watched, of)| watched.has_requests(&of.tick)) {
            *self = if purpose == Use::Deploy { Self::Since(at) } else { Self::OfAnother };
        }
    }

    /// Puts a tick into the window, once the first instances are warm: not in the first window, in which
    /// connections are reset and caches fill.
    pub(super) fn learn(self, watched: &mut Watched, tick: &Tick, at: Timestamp, seen: &Reading) {
        let Self::Since(since) = self else { return };
        let warm_up = watched.watch().warm_up.max(watched.watch().window);
        if watched.has_requests(tick) && at.since(since) >= warm_up {
            watched.learn_unconfirmed(tick, at, seen);
        }
    }
}

impl Watched {
    /// Whether a tick has requests of the canary; of proportions only.
    fn has_requests(&self, tick: &Tick) -> bool {
        self.metric().kind.is_fraction() && tick.canary && tick.row[1] > 0.0
    }

    /// The band of what the canary had before its traffic was confirmed. It may be of the version that
    /// is replaced, so a breach counts only beside a live version that is better.
    #[cold]
    pub(super) fn unconfirmed_band(&self, band: Band, live: Option<Judged>) -> Band {
        let (_, baseline) = self.window().sums().split_at(self.columns());
        let is_enough = self.trials(baseline) >= Some(self.watch().least_trials);
        let live = live.filter(|_| is_enough);
        let of_live = live.map(|live| zone(self.metric(), live, None, self.is_tested()).band);
        match (band, of_live) {
            (Band::Rollback | Band::Alert, None | Some(Band::Rollback))
            | (Band::Alert, Some(Band::Alert)) => Band::Hold,
            _ => band,
        }
    }
}
