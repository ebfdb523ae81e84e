//! A bound on what one instance may count in one reading.

use crate::stats::distribution::{Poisson, upper_tail};
use crate::stats::{Counts, StatError};

/// An instance has more events than the bound in at most this share of its readings, at the
/// history's rate. From our own simulation, see `docs/decisions/replay-by-instance.md`.
const RARE: f64 = 1e-3;

/// Above this mean the normal law is close enough.
const MOST_EXACT: f64 = 1e6;

/// Bounds the events of one instance in one reading: `min(x, q)`, where `q` is the least whole
/// number from 1 on that a Poisson count of the history's rate exceeds with chance 0.001 at most.
///
/// One customer who retries, or one job that fails, then counts as little as an instance can;
/// a faulty release has more events in every instance. Both arms are clipped, so that what they
/// share stays shared. In an incident all instances have more events than the history: then the bound
/// is at the rate that they [share](Self::shared).
///
/// ```
/// use hotfix_core::stats::{Counts, replay::Clip};
/// let clip = Clip::try_new(0.003)?;
/// // 100 requests have 0.3 failures: three are possible, thirty are a burst.
/// assert_eq!(clip.clipped(Counts::new(3.0, 100.0)).events, 3.0);
/// assert_eq!(clip.clipped(Counts::new(30.0, 100.0)).events, 3.0);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clip {
    rate: f64,
}

impl Clip {
    /// A bound at this rate of events.
    ///
    /// # Errors
    /// [`StatError`] for a rate that is not a number above 0.
    pub fn try_new(rate: f64) -> Result<Self, StatError> {
        StatError::unless(rate.is_finite() && rate > 0.0, "rate", rate, "above 0")?;
        Ok(Self { rate })
    }

    /// How many events are above the bound; none in almost every reading.
    #[inline]
    pub fn excess(&self, counts: Counts) -> f64 {
        let mean = self.rate * counts.trials;
        let above = counts.events - mean;
        // The bound is at least 1 and at least three standard deviations above the mean.
        if counts.events <= 1.0 || above * above <= 9.0 * mean || above <= 0.0 {
            return 0.0;
        }
        excess_over(counts.events, mean)
    }

    /// The bound in a tick with these readings of all instances: at the rate that they share, if all
    /// together are above this bound, too. The instance that is farthest above it is left out of both,
    /// because it may be the one with a burst.
    ///
    /// ```
    /// use hotfix_core::stats::{Counts, replay::Clip};
    /// let clip = Clip::try_new(0.003)?;
    /// let outage = [Counts::new(6.0, 100.0), Counts::new(13.0, 225.0), Counts::new(14.0, 225.0)];
    /// assert_eq!(outage.map(|counts| clip.excess(counts)), [3.0, 9.0, 10.0]);
    /// let shared = clip.shared(outage.into_iter());
    /// assert_eq!(outage.map(|counts| shared.excess(counts)), [0.0; 3]);
    /// # Ok::<(), hotfix_core::stats::StatError>(())
    /// ```
    #[must_use]
    pub fn shared(self, readings: impl Iterator<Item = Counts> + Clone) -> Self {
        let above = readings.clone().map(|counts| self.excess(counts)).enumerate();
        let worst = above.filter(|(_, above)| *above > 0.0).max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((worst, _)) = worst else { return self };
        let others = readings.enumerate().filter(|(place, _)| *place != worst);
        let others: Counts = others.map(|(_, counts)| counts).sum();
        if self.excess(others) > 0.0 && others.trials > 0.0 {
            Self { rate: others.events / others.trials }
        } else {
            self
        }
    }

    /// The counts with at most as many events as the bound.
    #[inline]
    pub fn clipped(&self, counts: Counts) -> Counts {
        Counts::new(counts.events - self.excess(counts), counts.trials)
    }
}

#[cold]
fn excess_over(events: f64, mean: f64) -> f64 {
    let law = Poisson { mean };
    // The normal law with its first correction for skewness is within two events.
    let mut most = (mean + 3.09 * mean.sqrt()).floor().max(1.0);
    let exact = mean > 0.0 && mean < MOST_EXACT;
    while exact && most < events && upper_tail(&law, most + 1.0) > RARE {
        most += 1.0;
    }
    (events - most).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::numeric::exp;

    /// The bound by its definition: the tail is summed term by term.
    fn bound(mean: f64) -> f64 {
        let (mut term, mut at_most, mut most) = (exp(-mean), exp(-mean), 0.0);
        while most < 1.0 || 1.0 - at_most > RARE {
            most += 1.0;
            term *= mean / most;
            at_most += term;
        }
        most
    }

    #[test]
    fn stat_2_a_reading_is_clipped_at_the_least_count_that_is_rare() {
        let clip = Clip::try_new(0.01).unwrap();
        for step in 0..4_000 {
            // Means from 0.001 to 300.
            let mean = 0.001 * exp(f64::from(step) * 0.003_15);
            let bound = bound(mean);
            for events in 0..=700 {
                let counts = Counts::new(f64::from(events), mean / 0.01);
                let expected = f64::from(events).min(bound);
                assert_eq!(clip.clipped(counts).events, expected, "{events} at {mean}");
            }
        }
    }

    #[test]
    fn stat_2_a_reading_without_trials_keeps_one_event() {
        let clip = Clip::try_new(0.003).unwrap();
        assert_eq!(clip.clipped(Counts::new(7.0, 0.0)).events, 1.0);
        assert_eq!(clip.clipped(Counts::new(0.0, 0.0)).events, 0.0);
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Clip::try_new(rate).unwrap_err().code(), "HF-STAT-030", "{rate}");
        }
    }
}
