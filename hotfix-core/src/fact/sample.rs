//! Readable values between two bounds: `25%` rather than `27.5%`, `10s` rather than `5.001s`.

/// The longest duration in seconds: ten thousand days, as for [`crate::unit::Span`].
pub(super) const LONGEST: f64 = 864_000_000.0;

/// Steps of readable durations, in milliseconds, from ten days on.
const STEPS: [f64; 22] = [
    864e6, 864e5, 432e5, 216e5, 36e5, 18e5, 6e5, 3e5, 6e4, 3e4, 1e4, 5e3, 1e3, 500.0, 250.0, 100.0,
    50.0, 25.0, 10.0, 5.0, 2.0, 1.0,
];

/// A readable number from `low` to `high`, both included.
pub(super) fn number(low: f64, high: f64) -> f64 {
    if low == high {
        return low;
    }
    let (near, far) = narrowed(low, high);
    let width = far - near;
    // Halved first: the sum of two large bounds may overflow.
    let middle = near / 2.0 + far / 2.0;
    // Digits beyond the 17th change nothing.
    let top = power_of_ten(width) + 1;
    for power in (top - 18..=top).rev() {
        for quarters in [100.0, 50.0, 25.0] {
            let exponent = power - 2;
            let step = decimal(quarters, exponent);
            let value = decimal((middle / step).round() * quarters, exponent);
            if inside(value, middle, width) && low <= value && value <= high {
                return value;
            }
        }
    }
    low
}

/// A readable duration in whole milliseconds from `low` to `high` seconds, both included.
pub(super) fn millis(low: f64, high: f64) -> u64 {
    let (near, far) =
        if high == LONGEST && low < high { narrowed(low, f64::MAX) } else { (low, high) };
    let (low, high) = (in_millis(low), in_millis(high));
    let (near, far) = (in_millis(near), in_millis(far).min(high));
    let (middle, width) = (near / 2.0 + far / 2.0, far - near);
    for step in STEPS {
        let value = (middle / step).round() * step;
        if inside(value, middle, width) && low <= value && value <= high {
            return whole(value);
        }
    }
    whole(low)
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

/// The range to search, where one or both bounds mean 'no limit'.
fn narrowed(low: f64, high: f64) -> (f64, f64) {
    match (low == f64::MIN, high == f64::MAX) {
        (true, true) => (-1.0, 1.0),
        (true, false) if high > 0.0 => (0.0, high),
        (true, false) => (-beyond(-high, f64::MAX), high),
        (false, true) => (low, beyond(low, high)),
        (false, false) => (low, high),
    }
}

/// An upper bound for values above `low`: three times `low`, so that the middle is twice `low`.
fn beyond(low: f64, high: f64) -> f64 {
    // The smallest number above zero would be read as zero.
    let reach = if low.abs() < f64::MIN_POSITIVE {
        2.0
    } else if low < 0.0 {
        -low
    } else {
        low * 3.0
    };
    reach.min(high)
}

/// The middle half of a range, clearly inside the bounds.
fn inside(value: f64, middle: f64, width: f64) -> bool {
    (value - middle).abs() <= width / 4.0
}

/// `digits` times ten to the power of `exponent`, as the nearest number.
fn decimal(digits: f64, exponent: i32) -> f64 {
    format!("{digits}e{exponent}").parse().unwrap_or(digits)
}

fn in_millis(seconds: f64) -> f64 {
    (seconds * 1_000.0).round()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within a duration")]
const fn whole(millis: f64) -> u64 {
    millis as u64
}

/// The power of ten of the first digit, from the digits: logarithms may differ between platforms.
fn power_of_ten(number: f64) -> i32 {
    let text = format!("{number:e}");
    text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0)
}
