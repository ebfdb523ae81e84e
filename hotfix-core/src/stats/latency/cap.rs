//! The most that a reading may add to the evidence of all alternatives together.

use super::joint::{ALTERNATIVES, Stakes, WEIGHTS};
use crate::stats::numeric::{exp, largest, ln, log_add_exp};

/// What each alternative may gain, so that all of them together gain at most `most`: with weights
/// `w_j`, terms `l_j` and gains `g_j` the largest `c` for which
///
/// ```text
/// ln Σ w_j e^(l_j + min(g_j, c)) - ln Σ w_j e^(l_j) ≤ most
/// ```
///
/// It is at least `most`, and infinite where nothing has to be cut.
pub(super) fn common_cap(
    terms: &[f64; ALTERNATIVES],
    gains: &[f64; ALTERNATIVES],
    most: f64,
) -> f64 {
    if largest(gains) <= most {
        return most;
    }
    let before = Stakes::log_e(terms);
    let mut after = *terms;
    after.iter_mut().zip(gains).for_each(|(term, gain)| *term += gain);
    if Stakes::log_e(&after) - before <= most {
        return f64::INFINITY;
    }
    // Logarithms of the parts that the alternatives have of the evidence.
    let mut parts = WEIGHTS.map(ln);
    parts.iter_mut().zip(terms).for_each(|(part, term)| *part += term - before);
    let mut cap = most;
    loop {
        // What alternatives below the cap contribute, and the log of the others' parts.
        let (mut left, mut cut) = (0.0, f64::NEG_INFINITY);
        for (gain, part) in gains.iter().zip(&parts) {
            if *gain > cap {
                cut = log_add_exp(cut, *part);
            } else {
                left += exp(gain + part - most);
            }
        }
        let next = most + ln(1.0 - left) - cut;
        // The cap rises, and cuts fewer alternatives each time.
        if next > cap {
            cap = next;
        } else {
            return cap;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The evidence after gains with this cap, less that before.
    fn gained(terms: &[f64; ALTERNATIVES], gains: &[f64; ALTERNATIVES], cap: f64) -> f64 {
        let mut after = *terms;
        after.iter_mut().zip(gains).for_each(|(term, gain)| *term += gain.min(cap));
        Stakes::log_e(&after) - Stakes::log_e(terms)
    }

    #[test]
    fn field_17_all_alternatives_together_gain_as_much_as_they_may() {
        let even = [0.0; ALTERNATIVES];
        let worn: [f64; ALTERNATIVES] = std::array::from_fn(|j| -3.0 * j as f64);
        let mut one = [-4.0; ALTERNATIVES];
        one[12] = 700.0;
        let slower = [
            11.8, 19.5, -18.6, -229.5, 13.6, 5.5, 7.0, 4.7, -4.1, 0.8, 1.1, -3.2, -1.0, 1.0, 0.0,
            0.0,
        ];
        for terms in [even, worn] {
            for gains in [one, slower] {
                for most in [0.5, 1.8, 3.7] {
                    let cap = common_cap(&terms, &gains, most);
                    let gain = gained(&terms, &gains, cap);
                    assert!(cap >= most && (gain - most).abs() < 1e-9, "{most}: {gain} at {cap}");
                }
            }
        }
    }

    #[test]
    fn field_17_what_is_less_is_left_as_it_is() {
        let even = [0.0; ALTERNATIVES];
        assert_eq!(common_cap(&even, &[0.5; ALTERNATIVES], 1.8), 1.8);
        // One that matters little gains more than all together.
        let mut rare = [0.0; ALTERNATIVES];
        rare[13] = 2.5;
        assert_eq!(common_cap(&even, &rare, 1.8), f64::INFINITY);
        assert!(gained(&even, &rare, f64::INFINITY) < 1.8);
        // A part too small to be added.
        let mut lost = even;
        lost[13] = -900.0;
        let mut gains = [-1.0; ALTERNATIVES];
        gains[13] = 1_000.0;
        let cap = common_cap(&lost, &gains, 1.8);
        assert!((gained(&lost, &gains, cap) - 1.8).abs() < 1e-9, "{cap}");
    }
}
