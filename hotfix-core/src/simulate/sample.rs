//! Samples that reuse their memory.

use crate::metric::Sample;

/// Overwrites a sample of the same kind.
pub(super) fn pair(sample: &mut Option<Sample>, events: f64, trials: f64) {
    if let Some(Sample::Pair(old, of)) = sample {
        (*old, *of) = (events, trials);
    } else {
        *sample = Some(Sample::Pair(events, trials));
    }
}

/// The same for a level.
pub(super) fn level_of(sample: &mut Option<Sample>, level: f64) {
    if let Some(Sample::Level(old)) = sample {
        *old = level;
    } else {
        *sample = Some(Sample::Level(level));
    }
}
