//! Readings of metrics, their trailing windows, and the bands between their bounds.
//!
//! An [`Observation`] has for each metric the [`Sample`]s of both [`Arms`]; the [`Band`] says where
//! a window lies between the bounds.

mod band;
mod buckets;
mod format;
mod judged;
mod pace;
mod reading;
mod resolve;
mod strata;
mod tick;
mod totals;
mod unjudged;
mod window;

pub use band::{Band, judge_bounds};
pub(crate) use band::{CONFIRMS, Zone, bound_figure, zone};
pub use buckets::BoundInBucket;
pub(crate) use format::{beyond, compared, in_unit, interpolated, measured, within};
pub use judged::Judged;
pub use reading::{Arms, Histogram, Observation, Sample};
pub use resolve::{Layout, ReadingError, ReadingPlace};
pub use strata::{Reading, Stratum};
pub(crate) use tick::trials_column;
pub use tick::{Tick, Unused};
pub use totals::Counters;
pub(crate) use totals::{Difference, difference};
pub use unjudged::Unjudged;
pub(crate) use window::Window;

use crate::policy::section::{Metric, Model};

impl Metric {
    /// Whether it counts events and has a test, so that a claim can be made of its rate.
    pub fn is_rate(&self) -> bool {
        self.kind.counts_events() && self.model != Model::None
    }
}
