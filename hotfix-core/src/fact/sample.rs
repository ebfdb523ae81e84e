//! Readable values between two bounds: `30%` rather than `27.5%`, `10s` rather than `5.001s`.

/// The longest duration in seconds: ten thousand days, as for [`crate::unit::Span`].
pub(super) const LONGEST: f64 = 864_000_000.0;

/// Steps of readable durations, in milliseconds, from a day on.
const STEPS: [f64; 8] = [864e5, 36e5, 6e5, 6e4, 1e4, 1e3, 100.0, 1.0];

/// A number from `low` to `high`, both included, with as few digits as possible.
pub(super) fn number(low: f64, high: f64) -> f64 {
    let middle = match (low == f64::MIN, high == f64::MAX) {
        (_, true) => (2.0 * low).max(1.0),
        (true, false) if high > 0.0 => high / 2.0,
        (true, false) => (2.0 * high).min(-1.0),
        (false, false) => f64::midpoint(low, high),
    };
    // Digits beyond the 17th change nothing.
    let rounded = (0..17).filter_map(|digits| format!("{middle:.digits$e}").parse().ok());
    first_inside(rounded, [low, middle, high])
}

/// A readable duration in whole milliseconds from `low` to `high` seconds, both included.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within a duration")]
pub(super) fn millis(low: f64, high: f64) -> u64 {
    let middle =
        if high == LONGEST { (2.0 * low).clamp(1.0, high) } else { f64::midpoint(low, high) };
    let bounds = [low, middle, high].map(in_millis);
    first_inside(STEPS.map(|step| (bounds[1] / step).round() * step), bounds) as u64
}

/// The first value inside the bounds that is nearer to the middle than to them.
fn first_inside(values: impl IntoIterator<Item = f64>, [low, middle, high]: [f64; 3]) -> f64 {
    let near = [f64::midpoint(low, middle), f64::midpoint(middle, high)];
    let is_inside = |value: &f64| low.max(near[0]) <= *value && *value <= high.min(near[1]);
    values.into_iter().find(is_inside).unwrap_or(low)
}

/// The bounds in seconds, narrowed to whole milliseconds; crossed if none is between them.
pub(super) fn whole_millis(low: f64, high: f64) -> (f64, f64) {
    if low > high {
        return (low, high);
    }
    let mut first = in_millis(low) - 1.0;
    while first / 1_000.0 < low {
        first += 1.0;
    }
    let mut last = in_millis(high) + 1.0;
    while last / 1_000.0 > high {
        last -= 1.0;
    }
    (first / 1_000.0, last / 1_000.0)
}

fn in_millis(seconds: f64) -> f64 {
    (seconds * 1_000.0).round()
}
