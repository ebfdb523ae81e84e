//! Check of the seconds of counts against the clock.

use crate::unit::{MetricName, Span};

use super::reading::{Reading, Sample};
use super::resolve::ReadingError;

/// By how much the seconds of a count may exceed the time in which they were counted. Windows that
/// overlap and readings that come late exceed it, too; a wrong unit does so a thousandfold.
const MOST: f64 = 100.0;

impl Reading {
    /// Refuses seconds of a count that are in another unit: many times as long as the time since
    /// the arm was last read. `since` is that time by arm, None where it is not known. This check is
    /// separate because logs of earlier releases have such numbers and have to be readable.
    pub(crate) fn check_exposure(
        &self,
        metric: MetricName,
        since: [Option<Span>; 2],
    ) -> Result<(), ReadingError> {
        for (_, arm, sample, of) in self.samples(metric).filter(|(arms, ..)| !arms.totals) {
            if let (Some(seconds), Some(since)) = (sample.exposure(), since[arm])
                && seconds > MOST * since.as_seconds()
            {
                return Err(ReadingError::Exposure { of: Box::new(of), seconds, since });
            }
        }
        Ok(())
    }
}

impl Sample {
    /// The seconds of a count; of its instances the longest.
    fn exposure(&self) -> Option<f64> {
        match self {
            Self::Pair(_, seconds) => Some(*seconds),
            Self::Instances(instances) => {
                instances.values().map(|[_, seconds]| *seconds).max_by(f64::total_cmp)
            }
            Self::Level(_) | Self::Histogram(_) | Self::Samples(_) => None,
        }
    }
}
