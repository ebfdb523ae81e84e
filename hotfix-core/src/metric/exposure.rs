//! Check of the seconds of counts against the clock.

use crate::unit::{MetricName, Span};

use super::reading::{Observation, Sample};
use super::resolve::{ARMS, ReadingError, ReadingPlace};

/// By how much the seconds of a count may exceed the time in which they were counted. Windows that
/// overlap and readings that come late exceed it, too; a wrong unit does so a thousandfold.
const MOST: f64 = 100.0;

impl Observation {
    /// Refuses seconds of a count that are in another unit: many times as long as the time since
    /// the arm was last read. `since` is that time by arm, None where it is not known. This check is
    /// separate because logs of earlier releases have such numbers and have to be readable.
    ///
    /// # Errors
    /// [`ReadingError::Exposure`].
    pub(crate) fn check_exposure(
        &self,
        since: impl Fn(MetricName) -> Option<[Option<Span>; 2]>,
    ) -> Result<(), ReadingError> {
        for (metric, reading) in self.as_slice() {
            let Some(since) = since(*metric) else { continue };
            for (place, arms) in reading.strata().enumerate().filter(|(_, arms)| !arms.totals) {
                let samples = [&arms.canary, &arms.baseline];
                for ((arm, sample), since) in ARMS.into_iter().zip(samples).zip(since) {
                    let (Some(seconds), Some(since)) =
                        (sample.as_ref().and_then(Sample::exposure), since)
                    else {
                        continue;
                    };
                    if seconds > MOST * since.as_seconds() {
                        let stratum = reading.whole().is_none().then_some(place);
                        let of = ReadingPlace { metric: *metric, arm, stratum, instance: None };
                        return Err(ReadingError::Exposure { of: Box::new(of), seconds, since });
                    }
                }
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
