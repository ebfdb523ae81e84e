//! Root finding, to Kayenta's tolerance.
//!
//! The method is Brent's, Algorithms for Minimization without Derivatives (1973), chapter 4,
//! procedure `zero`, in the form in which Netlib's C library and R distribute it: a step is
//! measured against the last one, not the one before last, and `t` is half the tolerance given.

/// Kayenta's absolute tolerance, in the metric's unit.
pub(super) const TOLERANCE: f64 = 1e-4;
const MOST_STEPS: usize = 1001;

/// A point and the function's value there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) at: f64,
    pub(super) value: f64,
}

/// A zero between two points; `None` where the function has no value.
pub(super) fn zero(
    lower: Point,
    upper: Point,
    mut function: impl FnMut(f64) -> Option<f64>,
) -> Option<f64> {
    for end in [lower, upper] {
        if end.value == 0.0 {
            return Some(end.at);
        }
    }
    // The zero lies between `best` and `across`; `before` is `best` of one step ago.
    let (mut before, mut best, mut across) = (lower, upper, lower);
    for _ in 0..MOST_STEPS {
        let last_step = best.at - before.at;
        if across.value.abs() < best.value.abs() {
            (before, best, across) = (best, across, best);
        }
        let least = 2.0 * f64::EPSILON * best.at.abs() + TOLERANCE / 2.0;
        let half = (across.at - best.at) / 2.0;
        if half.abs() <= least || best.value == 0.0 {
            return Some(best.at);
        }
        let mut step = half;
        if last_step.abs() >= least && before.value.abs() > best.value.abs() {
            let (over, under) = interpolated(before, best, across);
            let inside = 0.75 * (across.at - best.at) * under - (least * under).abs() / 2.0;
            if over < inside && over < (last_step * under / 2.0).abs() {
                step = over / under;
            }
        }
        if step.abs() < least {
            step = if step > 0.0 { least } else { -least };
        }
        before = best;
        let at = best.at + step;
        best = Point { at, value: function(at)? };
        if (best.value > 0.0 && across.value > 0.0) || (best.value < 0.0 && across.value < 0.0) {
            across = before;
        }
    }
    Some(best.at)
}

/// The step to the zero of a line through two points or of an inverse parabola through three, as a
/// fraction whose numerator is not negative. It is divided only when the step is used.
fn interpolated(before: Point, best: Point, across: Point) -> (f64, f64) {
    let span = across.at - best.at;
    let s = best.value / before.value;
    let (over, under) = if before.at == across.at {
        (span * s, 1.0 - s)
    } else {
        let (q, r) = (before.value / across.value, best.value / across.value);
        let over = s * (span * q * (q - r) - (best.at - before.at) * (r - 1.0));
        (over, (q - 1.0) * (r - 1.0) * (s - 1.0))
    };
    if over > 0.0 { (over, -under) } else { (-over, under) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solve(low: f64, high: f64, function: impl Fn(f64) -> f64) -> f64 {
        let point = |at| Point { at, value: function(at) };
        zero(point(low), point(high), |at| Some(function(at))).expect("a value everywhere")
    }

    #[test]
    fn stat_1_smooth_zeros_are_found_to_the_tolerance() {
        assert!((solve(1.0, 2.0, |x| x * x - 2.0) - 2.0_f64.sqrt()).abs() <= TOLERANCE);
        assert!((solve(-4.0, 1.0, |x| 1.0 - (x + 1.0).powi(3))).abs() <= TOLERANCE);
        assert_eq!(solve(0.0, 3.0, |x| x), 0.0, "an end that is the zero is returned as it is");
    }

    #[test]
    fn stat_1_a_step_is_found_to_the_tolerance() {
        for place in [0.3, 17.123_456, -40.0] {
            let found = solve(-100.0, 100.0, |x| if x < place { 2.0 } else { -1.0 });
            assert!((found - place).abs() <= TOLERANCE, "{found} for {place}");
        }
    }

    #[test]
    fn stat_1_a_function_without_a_value_has_no_zero() {
        let (lower, upper) = (Point { at: 0.0, value: 1.0 }, Point { at: 1.0, value: -1.0 });
        assert_eq!(zero(lower, upper, |_| None), None);
    }
}
