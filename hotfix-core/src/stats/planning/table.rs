//! Power of each phase of a plan.

use super::{Chance, Comparison};
use crate::stats::StatError;
use serde::{Deserialize, Serialize};

/// Ratios that a plan reports.
pub const RATIOS: [f64; 5] = [1.5, 2.0, 5.0, 10.0, 20.0];
/// Chance from which on a ratio counts as detectable.
const POWER: f64 = 0.8;

/// A phase, as far as power goes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseTraffic {
    /// The canary's share of the traffic, above 0 and at most 1.
    pub share: f64,
    /// How long the phase lasts at least.
    pub minutes: f64,
    /// Log evidence that decides in this phase, where it is calibrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
}

/// The promotion test that a plan may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// `d`: 'not worse than so many times'.
    pub margin: f64,
    /// Chance of saying that of a canary at the margin.
    pub alpha: f64,
}

impl Default for Promotion {
    /// Not twice as bad, at 0.05.
    fn default() -> Self {
        Self { margin: 2.0, alpha: 0.05 }
    }
}

/// Whether one ratio is caught in a phase.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caught {
    /// Canary rate over baseline rate.
    pub ratio: f64,
    /// Chance that the phase, by itself, finds it in time; absent where the canary's rate would be
    /// over 1. Evidence is carried over phases, so later ones see more than this.
    pub in_time: Option<Chance>,
    /// Minutes that it takes on average; absent likewise.
    pub expected_minutes: Option<f64>,
}

/// What a phase can see.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhasePower {
    /// The phase.
    pub phase: PhaseTraffic,
    /// Events of the canary that are to be expected of a healthy fix.
    pub expected_events: f64,
    /// The smallest ratio that is found with chance 0.8; absent where none is, or nothing is left
    /// to compare with.
    pub smallest_ratio: Option<f64>,
    /// For each ratio asked; empty at full traffic, where no baseline is left.
    pub caught: Vec<Caught>,
    /// Chance that an equally good canary is shown to be within the promotion's margin by the end;
    /// absent at full traffic.
    pub shown_not_worse: Option<Chance>,
}

/// What each phase can see of each ratio. The comparison's own share is not used.
///
/// # Errors
/// As for [`Comparison::chance_to_decide`] and [`Comparison::chance_to_promote`].
///
/// ```
/// use hotfix_core::stats::planning::{Comparison, table};
/// # fn main() -> Result<(), hotfix_core::stats::StatError> {
/// let phases = [(0.1, 10.0), (0.5, 10.0)]
///     .map(|(share, minutes)| table::PhaseTraffic { share, minutes, threshold: None });
/// let comparison = Comparison::new(1000.0, 0.1, 0.003);
/// let power = table::power(&comparison, &phases, &table::RATIOS, table::Promotion::default())?;
/// // Ten minutes at a tenth find a ten-fold regression, and hardly ever a doubling.
/// let chance = |at: usize| power[0].caught[at].in_time.map_or(0.0, |found| found.chance);
/// assert!(chance(3) > 0.99 && chance(1) < 0.2);
/// # Ok(())
/// # }
/// ```
pub fn power(
    comparison: &Comparison,
    phases: &[PhaseTraffic],
    ratios: &[f64],
    promotion: Promotion,
) -> Result<Vec<PhasePower>, StatError> {
    phases.iter().map(|phase| of_phase(comparison, *phase, ratios, promotion)).collect()
}

fn of_phase(
    comparison: &Comparison,
    phase: PhaseTraffic,
    ratios: &[f64],
    promotion: Promotion,
) -> Result<PhasePower, StatError> {
    let PhaseTraffic { share, minutes, threshold } = phase;
    let canary_requests = comparison.requests_per_minute * share * minutes;
    let expected_events = canary_requests * comparison.base_rate;
    if share == 1.0 {
        // Every figure is still checked, at a share that has a baseline.
        Comparison { share: 0.5, ..*comparison }.detectable_ratio(minutes, POWER)?;
        return Ok(PhasePower {
            phase,
            expected_events,
            smallest_ratio: None,
            caught: Vec::new(),
            shown_not_worse: None,
        });
    }
    let threshold = threshold.or(comparison.threshold);
    let here = Comparison { share, threshold, ..*comparison };
    let smallest_ratio = here.detectable_ratio(minutes, POWER)?;
    let shown_not_worse =
        Some(here.chance_to_promote(1.0, minutes, promotion.margin, promotion.alpha)?);
    let caught = ratios.iter().map(|&ratio| {
        if ratio * here.base_rate > 1.0 {
            return Ok(Caught { ratio, in_time: None, expected_minutes: None });
        }
        let in_time = Some(here.chance_to_decide(ratio, minutes)?);
        let expected = here.time_to_detect(ratio)?.expected;
        let expected_minutes = Some(expected).filter(|minutes| minutes.is_finite());
        Ok(Caught { ratio, in_time, expected_minutes })
    });
    let caught = caught.collect::<Result<_, StatError>>()?;
    Ok(PhasePower { phase, expected_events, smallest_ratio, caught, shown_not_worse })
}
