//! Figures as people read them, in reports and explanations.

use crate::grade::MetricKind;
use crate::text;

use super::Decision;

/// Four significant digits.
pub(super) fn figure(value: f64) -> String {
    text::figure(value, 4)
}

/// A metric's value with its unit.
pub(crate) fn in_unit(kind: MetricKind, value: f64) -> String {
    match kind {
        MetricKind::Proportion => format!("{}%", figure(value * 100.0)),
        MetricKind::Latency => format!("{} ms", figure(value * 1e3)),
        MetricKind::Count | MetricKind::Volume => format!("{}/min", figure(value)),
        MetricKind::Gauge => figure(value),
    }
}

impl Decision {
    /// What happened.
    pub(super) const fn happened(self) -> &'static str {
        match self {
            Self::Continue => "went on",
            Self::Hold => "held",
            Self::Promote => "passed",
            Self::RollBack => "rolled back",
            Self::Ask => "asked",
        }
    }

    /// What would have happened, after 'it would have'.
    pub(super) const fn would_have(self) -> &'static str {
        match self {
            Self::Continue => "gone on",
            Self::Hold => "held",
            Self::Promote => "passed",
            Self::RollBack => "rolled back",
            Self::Ask => "asked",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn met_4_figures_have_four_digits_and_their_unit() {
        let shown = [9.0, 0.003, 12.3456, 1234.56, 1e-7, 0.0].map(figure);
        assert_eq!(shown, ["9", "0.003", "12.35", "1235", "0.0000001", "0"]);
        assert_eq!(in_unit(MetricKind::Proportion, 0.003), "0.3%");
        assert_eq!(in_unit(MetricKind::Latency, 0.25), "250 ms");
        assert_eq!(in_unit(MetricKind::Count, 4.8), "4.8/min");
    }
}
