//! Figures as people read them, in reports and explanations.

use crate::text;

use super::Decision;

/// Four significant digits.
pub(super) fn figure(value: f64) -> String {
    text::figure(value, 4)
}

/// The value that people read instead of this one.
pub(super) fn shown_figure(value: f64) -> f64 {
    figure(value).parse().unwrap_or(value)
}

/// A count with its thousands separated: `1,500`.
pub(super) fn count(value: f64) -> String {
    let text = figure(value);
    let first = usize::from(text.starts_with('-'));
    let end = text.find('.').unwrap_or(text.len());
    let mut grouped = String::with_capacity(text.len() + end / 3);
    for (place, digit) in text.char_indices() {
        if place > first && place < end && (end - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count with its noun: `1 failure`, `0 failures`, `3 successes`.
pub(super) fn counted(value: f64, noun: &str) -> String {
    let ending = match noun {
        _ if value == 1.0 => "",
        noun if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{} {noun}{ending}", count(value))
}

impl Decision {
    /// The decision as a verb, after "Decision:" and "the decision would have been to".
    pub(super) const fn in_words(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Hold => "hold",
            Self::Promote => "promote",
            Self::RollBack => "roll back",
            Self::Ask => "ask a person",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::grade::MetricKind;
    use crate::metric::in_unit;

    use super::*;

    #[test]
    fn met_4_figures_have_four_digits_and_their_unit() {
        let shown = [9.0, 0.003, 12.3456, 1234.56, 1e-7, 0.0].map(figure);
        assert_eq!(shown, ["9", "0.003", "12.35", "1235", "0.0000001", "0"]);
        assert_eq!([0.0, 999.0, 1500.0].map(count), ["0", "999", "1,500"]);
        assert_eq!(count(1_234_567.0), "1,234,567");
        assert_eq!([-999.0, -1500.0, 12.5].map(count), ["-999", "-1,500", "12.5"]);
        assert_eq!([0.0, 1.0].map(|n| counted(n, "failure")), ["0 failures", "1 failure"]);
        assert_eq!(counted(2.0, "success"), "2 successes");
        assert_eq!(in_unit(MetricKind::Proportion, 0.003), "0.3%");
        assert_eq!(in_unit(MetricKind::Latency, 0.25), "250 ms");
        assert_eq!(in_unit(MetricKind::Count, 4.8), "4.8/min");
    }
}
