//! Median of times of which some are still running.

use serde::Serialize;

use crate::sorting::sort_by_key;
use crate::unit::Span;

/// Kaplan–Meier median of times of which some are still running.
///
/// Running times are included, because without them long incidents would be missing while they
/// last, and the median would be too small. Where the curve is at one half between two ended times,
/// the median is the middle of the two, as usual for an even number. Where no ended time follows,
/// or the curve never falls to one half, only a lower limit is known. Source: Kaplan and Meier
/// (1958), Journal of the American Statistical Association 53(282).
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Median {
    /// The median; absent where there are no times or too many are still running.
    pub seconds: Option<Span>,
    /// Lower limit of the median, where too many times are still running.
    pub at_least: Option<Span>,
    /// Number of times that have ended.
    pub known: usize,
    /// Number of times that are still running.
    pub open: usize,
    /// Number of times whose beginning or end is not recorded. They are not in the median.
    pub not_stated: usize,
}

impl Median {
    /// Median of times, each with whether it has ended; `None` for one that is not known.
    pub(super) fn of(all: &[Option<(Span, bool)>]) -> Self {
        let mut times: Vec<(Span, bool)> = all.iter().copied().flatten().collect();
        let not_stated = all.len() - times.len();
        // Among equal times, ended ones come first: a running one lasts longer.
        sort_by_key(&mut times, |(span, ended)| (*span, !*ended));
        let known = times.iter().filter(|(_, ended)| *ended).count();
        let median = Self { known, open: times.len() - known, not_stated, ..Self::default() };
        let longest = times.last().map(|(span, _)| *span);
        let mut left = times.len();
        let mut alive = 1.0_f64;
        let mut half: Option<Span> = None;
        for (span, ended) in &times {
            if *ended {
                if let Some(half) = half {
                    // The curve stays at one half until this time.
                    let middle = half.as_millis().midpoint(span.as_millis());
                    return Self { seconds: Some(Span::from_millis(middle)), ..median };
                }
                alive *= 1.0 - 1.0 / left as f64;
                if (alive - 0.5).abs() < 1e-9 {
                    half = Some(*span);
                } else if alive < 0.5 {
                    return Self { seconds: Some(*span), ..median };
                }
            }
            left -= 1;
        }
        Self { at_least: half.or(longest), ..median }
    }

    /// The median as text, with the number of times.
    pub(super) fn text(&self) -> String {
        let value = match (self.seconds, self.at_least) {
            (Some(span), _) => crate::text::time(span),
            (None, Some(span)) => format!("at least {}", crate::text::time(span)),
            (None, None) => return "–".to_owned(),
        };
        if self.open == 0 {
            format!("{value} (of {})", self.known)
        } else {
            format!("{value} (of {}, {} open)", self.known + self.open, self.open)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn median(times: &[(u32, bool)]) -> (Option<f64>, Option<f64>) {
        let time = |(s, ended): &(u32, bool)| Some((Span::from_seconds(*s), *ended));
        let median = Median::of(&times.iter().map(time).collect::<Vec<_>>());
        (median.seconds.map(Span::as_seconds), median.at_least.map(Span::as_seconds))
    }

    #[test]
    fn post_3_the_median_of_ended_times_is_the_usual_one() {
        assert_eq!(median(&[]), (None, None));
        assert_eq!(median(&[(5, true)]), (Some(5.0), None));
        assert_eq!(median(&[(3, true), (1, true)]), (Some(2.0), None));
        assert_eq!(median(&[(9, true), (1, true), (2, true)]), (Some(2.0), None));
        assert_eq!(median(&[(4, true), (1, true), (2, true), (3, true)]), (Some(2.5), None));
        assert_eq!(median(&[(2, true), (2, true), (2, true), (2, true)]), (Some(2.0), None));
        for n in 1..40_u32 {
            let times: Vec<_> = (1..=n).map(|k| (k * 2, true)).collect();
            assert_eq!(median(&times), (Some(f64::from(n + 1)), None), "{n}");
        }
    }

    #[test]
    fn post_3_what_still_runs_makes_the_median_no_smaller() {
        // 6-MP of Freireich and others (1963), as Kaplan-Meier is taught with: 21 patients, median
        // 23 weeks.
        let ended = [6, 6, 6, 7, 10, 13, 16, 22, 23].map(|week| (week, true));
        let open = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35].map(|week| (week, false));
        let times: Vec<_> = ended.into_iter().chain(open).collect();
        assert_eq!(median(&times), (Some(23.0), None));
        assert_eq!(median(&[(1, true), (5, false), (7, false)]), (None, Some(7.0)));
        assert_eq!(median(&[(5, false)]), (None, Some(5.0)));
        assert_eq!(median(&[(3, true), (5, false)]), (None, Some(3.0)));
    }
}
