//! The trailing level of a volume: the traffic of the whole service some minutes ago, with which
//! that of a fix without a live arm is compared. Traffic has hours, so a figure from before the
//! incident is no standard for it. See `docs/decisions/volume.md`.

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::metric::{Tick, Window};
use crate::policy::section::{Metric, Watch};
use crate::unit::{Share, Span, Timestamp};

/// The last minutes are judged by the level, and so are not part of it.
const RECENT: Span = Span::from_seconds(5 * 60);
/// How far back the level reaches.
const BACK: Span = Span::from_seconds(20 * 60);
/// The least time that the level is a mean of, in seconds.
const LEAST: f64 = 600.0;

/// A row: the traffic of the service, its readings, and the seconds that they cover.
type Row = [f64; 3];

/// Traffic of the whole service over the last 20 minutes.
#[derive(Debug, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(super) struct Trailing {
    recent: Window,
    back: Window,
    last: Option<Timestamp>,
}

impl Trailing {
    /// For a volume that scales with the share and has a bound on the live version; None for other
    /// metrics.
    pub(super) fn of(metric: &Metric, watch: &Watch) -> Option<Box<Self>> {
        let applies = metric.has_own_level() && metric.compares_live_level();
        let window = |span| Window::new(span, watch.cadence, Row::default().len());
        applies.then(|| Box::new(Self { recent: window(RECENT), back: window(BACK), last: None }))
    }

    /// Adds the traffic of the whole service in this tick. `settled`: it is split as planned, so
    /// that one arm shows the whole. Time without readings beyond `stale` is not covered.
    pub(super) fn learn(
        &mut self,
        tick: &Tick,
        at: Timestamp,
        share: Share,
        settled: bool,
        stale: Span,
    ) {
        let &[canary, of_canary, live, of_live] = tick.row.as_slice() else { return };
        let arms = [(canary, of_canary, share), (live, of_live, share.rest())];
        let read = |(_, readings, _): &(f64, f64, Share)| *readings > 0.0;
        let both = arms.iter().filter(|(_, _, share)| *share > Share::NONE).all(read);
        if !(both || settled) {
            return;
        }
        let (mut traffic, mut of) = (0.0, 0.0);
        for (level, readings, share) in arms.into_iter().filter(read) {
            traffic += level / readings;
            of += share.as_fraction();
        }
        if of > 0.0 {
            let covered = self.last.map_or(Span::ZERO, |last| at.since(last).min(stale));
            self.last = Some(at);
            let traffic = if both { traffic } else { traffic / of };
            let row: Row = [traffic, 1.0, covered.as_seconds()];
            self.recent.add(at, &row);
            self.back.add(at, &row);
        }
    }

    /// The mean from 20 to 5 minutes before the last traffic; None before readings cover 10 minutes of
    /// that.
    pub(super) fn level(&self) -> Option<f64> {
        let part = |column: usize| self.back.sums()[column] - self.recent.sums()[column];
        (part(2) >= LEAST && part(1) > 0.0).then(|| part(0) / part(1))
    }

    pub(super) fn resume(&mut self, read: Self) -> bool {
        let Self { recent, back, last } = read;
        self.last = last;
        self.recent.resume(recent) && self.back.resume(back)
    }
}
