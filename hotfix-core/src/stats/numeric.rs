//! Elementary functions: the only implementation of logarithms and exponentials in this crate.
//!
//! The platform's `ln` and `exp` differ in the last bit between systems, and a recorded verdict
//! must replay bit for bit. So [`ln`], [`exp`] and [`ln1p`] are pure Rust, and the kernels that the
//! tests call in loops are branch free with plain `*` and `+` (never contracted, hence the same
//! bits everywhere) so that the compiler turns them into vector code on every target.

#![expect(clippy::inline_always, reason = "a call would keep the loops around it from vectorising")]

use core::f64::consts::{FRAC_1_SQRT_2, LN_2, LOG2_E, PI};

/// Bits of the mantissa of an `f64`.
const MANTISSA: u64 = (1 << 52) - 1;
/// High bits of the number that opens the mantissa's range: `1/√2`, cut to 20 bits.
const LOWEST_MANTISSA: u64 = 0x3fe6_a09e_0000_0000;
/// Added to the bits of a number, carries the exponent up where the mantissa is above `√2`.
const CARRY: u64 = 0x3ff0_0000_0000_0000 - LOWEST_MANTISSA;
/// `2^52` as bits; or-ing an integer below `2^52` into it gives `2^52` plus that integer.
const TWO_52: u64 = 0x4330_0000_0000_0000;
/// `2^52 + 1023`: what [`exponent_and_mantissa`] takes off again.
const TWO_52_AND_BIAS: f64 = 4_503_599_627_371_519.0;
/// ln 2 to 33 bits, so that its product with an exponent is exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
/// What [`LN_2_HIGH`] lacks of ln 2.
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// Coefficients of `(ln(1+s) - ln(1-s) - 2s)/s` in `s²`, Remez fit of degree seven on `|s| ≤
/// 0.1716`.
///
/// Source: the figures of Sun's `fdlibm`, which every C library and the `libm` crate share; with
/// them [`ln`] agrees with `libm::log` in every bit.
const LN_SERIES: [f64; 7] = [
    6.666_666_666_666_735e-1,
    3.999_999_999_940_942e-1,
    2.857_142_874_366_239e-1,
    2.222_219_843_214_978_4e-1,
    1.818_357_216_161_805e-1,
    1.531_383_769_920_937_3e-1,
    1.479_819_860_511_658_6e-1,
];

/// Square of the largest `|s|` that [`LN_SERIES`] was made for, `(√2 - 1)/(√2 + 1)`.
const LARGEST_S2: f64 = 0.029_437_251_522_859_4;

/// `1/k!` for `k` from 2 to 13: the series of `e^x`, to 2^-54 for `|x| ≤ ln 2/2`.
const EXP_SERIES: [f64; 12] = [
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5_040.0,
    1.0 / 40_320.0,
    1.0 / 362_880.0,
    1.0 / 3_628_800.0,
    1.0 / 39_916_800.0,
    1.0 / 479_001_600.0,
    1.0 / 6_227_020_800.0,
];

/// Coefficients of `2x/(e^x - 1) + x - 2` in `x²`, Remez fit of degree five on `|x| ≤ ln 2/2`.
///
/// Source: as for [`LN_SERIES`]; with them [`exp`] agrees with `libm::exp` in every bit.
const EXP_FIT: [f64; 5] = [
    1.666_666_666_666_660_2e-1,
    -2.777_777_777_701_559_3e-3,
    6.613_756_321_437_934e-5,
    -1.653_390_220_546_525_2e-6,
    4.138_136_797_057_238_5e-8,
];

/// The number from which on `exp` takes off a multiple of ln 2: `ln 2/2`, rounded up to 32 bits.
const HALF_LN_2_UP: f64 = f64::from_bits(0x3fd6_2e43_0000_0000);

/// `1.5 * 2^52`: added and taken off again rounds to a whole number, which stays in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// Below this `e^x` is not a normal number; the kernel stops here, at 3e-308.
const EXP_FLOOR: f64 = -708.0;

/// Natural logarithm, the same bits on every platform (those of `libm::log`).
///
/// As IEEE 754 has it: negative infinity of zero, NaN of a negative number.
///
/// ```
/// assert_eq!(hotfix_core::stats::numeric::ln(1.0), 0.0);
/// ```
#[inline]
pub fn ln(x: f64) -> f64 {
    if x.is_normal() && x > 0.0 { ln_normal(x) } else { libm::log(x) }
}

/// `ln(1 + x)`, exact to the last bits for small `x` too, the same bits on every platform.
///
/// ```
/// assert_eq!(hotfix_core::stats::numeric::ln1p(1e-300), 1e-300);
/// ```
#[inline]
pub fn ln1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// `e^x`, the same bits on every platform (those of `libm::exp`).
///
/// ```
/// assert_eq!(hotfix_core::stats::numeric::exp(0.0), 1.0);
/// ```
#[inline]
pub fn exp(x: f64) -> f64 {
    // Beyond 700 the result may not be a normal number; below 1e-8 libm rounds `1 + x`, and this
    // series differs from that in the last bit.
    if x.abs() > 1e-8 && x.abs() < 700.0 { exp_normal(x) } else { libm::exp(x) }
}

/// [`exp`] where it is a normal number and not next to 1.
#[inline]
fn exp_normal(x: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "at most 1011")]
    let nearest = (x * LOG2_E + 0.5_f64.copysign(x)) as i32;
    let whole = if x.abs() < HALF_LN_2_UP { 0 } else { nearest };
    let k = f64::from(whole);
    let (high, low) = (x - k * LN_2_HIGH, k * LN_2_LOW);
    let rest = high - low;
    let square = rest * rest;
    let [a, b, c, d, e] = EXP_FIT;
    let fit = rest - square * (a + square * (b + square * (c + square * (d + square * e))));
    let value = 1.0 + (rest * fit / (2.0 - fit) - low + high);
    f64::from_bits(value.to_bits().wrapping_add(i64::from(whole).cast_unsigned() << 52))
}

/// `ln Σ e^x` over the terms; negative infinity of none.
///
/// Terms may be infinite; the result overflows only where the answer does.
///
/// ```
/// let two = hotfix_core::stats::numeric::log_sum_exp(&[1000.0, 1000.0]);
/// assert!((two - 1000.693147180560).abs() < 1e-9);
/// ```
pub fn log_sum_exp(terms: &[f64]) -> f64 {
    let top = terms.iter().copied().fold(f64::NEG_INFINITY, larger);
    if !top.is_finite() {
        return top;
    }
    top + ln(terms.iter().map(|term| exp(term - top)).sum())
}

/// The sum; 0 for nothing, where [`Iterator::sum`] gives -0.0, which no reader of a chance expects.
pub(crate) fn sum(numbers: impl IntoIterator<Item = f64>) -> f64 {
    numbers.into_iter().fold(0.0, |sum, number| sum + number)
}

/// `ln(e^a + e^b)`.
///
/// ```
/// let e = hotfix_core::stats::numeric::log_add_exp(0.0, f64::NEG_INFINITY);
/// assert_eq!(e, 0.0);
/// ```
#[inline]
pub fn log_add_exp(a: f64, b: f64) -> f64 {
    let (top, low) = if a > b { (a, b) } else { (b, a) };
    if top.is_finite() { top + ln1p(exp(low - top)) } else { top }
}

/// Chance that a standard normal variable is at most `x`, exact to the last digits in the lower
/// tail.
///
/// ```
/// assert_eq!(hotfix_core::stats::numeric::normal_cdf(0.0), 0.5);
/// ```
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// The number below which a standard normal variable lies with chance `p`, to 1e-13 relative.
///
/// Infinite at 0 and 1, NaN outside.
///
/// A starting value good to 5e-4 (Abramowitz and Stegun 1964, 26.2.23) and three steps of Halley's
/// method on [`normal_cdf`], each of which triples the digits.
///
/// ```
/// let z = hotfix_core::stats::numeric::normal_quantile(0.975);
/// assert!((z - 1.959963984540054).abs() < 1e-14);
/// ```
pub fn normal_quantile(p: f64) -> f64 {
    if !(p > 0.0 && p < 1.0) {
        return match p {
            0.0 => f64::NEG_INFINITY,
            1.0 => f64::INFINITY,
            _ => f64::NAN,
        };
    }
    if p == 0.5 {
        return 0.0;
    }
    // `1 - p` is exact from a half on, so the lower tail is all there is to solve.
    let lower = if p <= 0.5 { p } else { 1.0 - p };
    let mut x = lower_quantile_nearly(lower);
    for _ in 0..3 {
        let miss = (normal_cdf(x) - lower) * (2.0 * PI).sqrt() * exp(0.5 * x * x);
        x -= miss / (1.0 + 0.5 * x * miss);
    }
    if p <= 0.5 { x } else { -x }
}

/// [`normal_quantile`] to 5e-4, in a tenth of the time; `p` above 0 and below 1.
pub(crate) fn normal_quantile_nearly(p: f64) -> f64 {
    if p <= 0.5 { lower_quantile_nearly(p) } else { -lower_quantile_nearly(1.0 - p) }
}

/// [`normal_quantile_nearly`] for `p` up to a half.
#[inline]
fn lower_quantile_nearly(p: f64) -> f64 {
    let t = (-2.0 * ln(p)).sqrt();
    let over = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let under = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    over / under - t
}

/// The larger of two numbers, neither of them NaN: one instruction, unlike `f64::max`.
#[inline(always)]
pub(crate) fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// The smaller of two numbers, neither of them NaN.
#[inline(always)]
pub(crate) fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// Splits a positive normal number into a whole exponent `k` and a mantissa in `1/√2..√2`.
#[inline(always)]
fn exponent_and_mantissa(x: f64) -> (f64, f64) {
    let carried = x.to_bits().wrapping_add(CARRY);
    let k = f64::from_bits((carried >> 52) | TWO_52) - TWO_52_AND_BIAS;
    (k, f64::from_bits((carried & MANTISSA).wrapping_add(LOWEST_MANTISSA)))
}

/// `k ln 2 + ln(1 + f)` for `1 + f` in `1/√2..√2`.
#[inline(always)]
fn ln_of_parts(k: f64, f: f64) -> f64 {
    let half_square = 0.5 * f * f;
    let s = f / (2.0 + f);
    s * (half_square + ln_series(s)) + k * LN_2_LOW - half_square + f + k * LN_2_HIGH
}

/// `ln((1 + s)/(1 - s))/s - 2` for `|s| ≤ 0.1716`.
#[inline(always)]
fn ln_series(s: f64) -> f64 {
    let [a, b, c, d, e, g, h] = LN_SERIES;
    let s2 = s * s;
    let s4 = s2 * s2;
    let even = s4 * (b + s4 * (d + s4 * g));
    let odd = s2 * (a + s4 * (c + s4 * (e + s4 * h)));
    odd + even
}

/// [`ln`] of a positive normal number, branch free. Anything else gives nonsense, but no panic.
#[inline(always)]
pub(crate) fn ln_normal(x: f64) -> f64 {
    let (k, mantissa) = exponent_and_mantissa(x);
    ln_of_parts(k, mantissa - 1.0)
}

/// [`ln1p`] of each `x`, above -1 with `1 + x` normal; branch free, within 2 units in the last
/// place.
///
/// Near zero the mantissa's distance from 1 is `x` itself, unrounded; further out the rounding of
/// `1 + x` is a relative error below one unit of the result. The sum is that of [`ln_of_parts`]
/// with fewer corrections: two thirds of the work.
#[inline(always)]
pub(crate) fn ln1p_each<const N: usize>(arguments: &[f64; N]) -> [f64; N] {
    let mut logs = [0.0; N];
    for (log, &x) in logs.iter_mut().zip(arguments) {
        let (k, mantissa) = exponent_and_mantissa(1.0 + x);
        let f = if k == 0.0 { x } else { mantissa - 1.0 };
        *log = k * LN_2 + ln_by_series(f / (2.0 + f));
    }
    logs
}

/// Whether `1 + x` has the exponent 0 of [`exponent_and_mantissa`]. Where two numbers do, so do all
/// between them.
#[inline(always)]
pub(crate) fn is_near_zero(x: f64) -> bool {
    let bits = (1.0 + x).to_bits();
    (LOWEST_MANTISSA..LOWEST_MANTISSA + MANTISSA + 1).contains(&bits)
}

/// [`ln1p_each`] of numbers for which [`is_near_zero`] is true: the same bits, two thirds of the
/// work.
#[inline(always)]
pub(crate) fn ln1p_near_zero<const N: usize>(arguments: &[f64; N]) -> [f64; N] {
    let mut logs = [0.0; N];
    for (log, &x) in logs.iter_mut().zip(arguments) {
        *log = ln_by_series(x / (2.0 + x));
    }
    logs
}

/// `ln((1 + s)/(1 - s))` for `|s| ≤ 0.1716`.
#[inline(always)]
fn ln_by_series(s: f64) -> f64 {
    s + (s + s * ln_series(s))
}

/// [`ln1p`] of each `a/b` for `b > 0`, above -1; within 2 units in the last place of `a/b`'s
/// rounding.
///
/// `ln(1 + a/b)` is the series in `s = a/(2 b + a)`. Where every `1 + a/b` lies in `1/√2..√2`, as
/// it mostly does for the complements of rates, that is one division instead of two and no
/// exponents.
#[inline(always)]
pub(crate) fn ln1p_of_quotients<const N: usize>(over: &[f64; N], under: &[f64; N]) -> [f64; N] {
    let mut logs = [0.0; N];
    let mut widest = [0.0; N];
    for j in 0..N {
        let s = over[j] / (2.0 * under[j] + over[j]);
        widest[j] = s * s;
        logs[j] = ln_by_series(s);
    }
    if largest(&widest) <= LARGEST_S2 {
        return logs;
    }
    let mut arguments = [0.0; N];
    for j in 0..N {
        arguments[j] = over[j] / under[j];
    }
    ln1p_each(&arguments)
}

/// `e^x` for `x ≤ 0`, branch free, to 1 unit in the last place; 3e-308 for everything below -708.
#[inline(always)]
pub(crate) fn exp_not_positive(x: f64) -> f64 {
    let x = larger(x, EXP_FLOOR);
    let shifted = x * LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    // In pairs rather than one after the other, for shorter chains of dependent operations.
    let [c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13] = EXP_SERIES;
    let r2 = r * r;
    let r4 = r2 * r2;
    let low = (c2 + c3 * r) + r2 * (c4 + c5 * r);
    let middle = (c6 + c7 * r) + r2 * (c8 + c9 * r);
    let high = (c10 + c11 * r) + r2 * (c12 + c13 * r);
    let sum = low + r4 * (middle + r4 * high);
    let value = 1.0 + (r + r2 * sum);
    f64::from_bits(value.to_bits().wrapping_add(shifted.to_bits() << 52))
}

/// `ln Σ w_j e^{l_j}` for weights that sum to 1; exactly zero where every term is.
///
/// At least one term is finite; a term of negative infinity counts as absent.
#[inline]
pub(crate) fn log_mean_exp<const N: usize>(terms: &[f64; N], weights: &[f64; N]) -> f64 {
    let top = largest(terms);
    let mut sums = [0.0; N];
    add_scaled(&mut sums, terms, top);
    top + ln(weighted_sum(sums, weights))
}

/// Adds `e^{l_j - top}` to each sum, for a `top` that no term exceeds.
#[inline]
fn add_scaled<const N: usize>(sums: &mut [f64; N], terms: &[f64; N], top: f64) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += exp_not_positive(term - top);
    }
}

/// `Σ w_j s_j` by halves: additions that do not wait for each other, in the same order everywhere.
/// `N` is a power of two.
#[inline]
fn weighted_sum<const N: usize>(mut sums: [f64; N], weights: &[f64; N]) -> f64 {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum *= weight;
    }
    let mut width = N;
    while width > 1 {
        width /= 2;
        for j in 0..width {
            sums[j] += sums[j + width];
        }
    }
    sums[0]
}

/// The largest of `N` terms, none of them NaN, by halves. `N` is a power of two.
#[inline]
pub(crate) fn largest<const N: usize>(terms: &[f64; N]) -> f64 {
    let mut tops = *terms;
    let mut width = N;
    while width > 1 {
        width /= 2;
        for j in 0..width {
            tops[j] = larger(tops[j], tops[j + width]);
        }
    }
    tops[0]
}

/// A double strictly between two others, near their middle; None if they are neighbours, which ends
/// every bisection.
pub(crate) fn between(one: f64, other: f64) -> Option<f64> {
    inside(0.5 * one + 0.5 * other, one, other)
}

/// [`between`] for whole numbers; beyond 2^53 only those that are doubles.
pub(crate) fn whole_between(one: f64, other: f64) -> Option<f64> {
    inside((0.5 * (one + other)).floor(), one, other)
}

fn inside(middle: f64, one: f64, other: f64) -> Option<f64> {
    (smaller(one, other) < middle && middle < larger(one, other)).then_some(middle)
}

/// The number without its fraction, as an index; 0 for less than that.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut at both ends")]
pub(crate) fn whole(x: f64) -> usize {
    x as usize
}

/// Percentile of an ascending list at `p` in `0..=1`, linear between points; none of an empty list.
///
/// R-7 of Hyndman and Fan (1996), The American Statistician 50(4): the first and the last point are
/// at the ends.
pub(crate) fn percentile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = p * last as f64;
    let index = whole(place);
    let (low, high) = (sorted[index], sorted[last.min(index + 1)]);
    Some(low + (place - index as f64) * (high - low))
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::f64::consts::SQRT_2;
    use rand_core::SeedableRng;
    use rand_distr::{Distribution, Uniform};
    use rand_pcg::Pcg64;

    /// Units in the last place of `reference` between the two.
    fn ulps(value: f64, reference: f64) -> f64 {
        let unit = reference.abs().next_up() - reference.abs();
        ((value - reference) / unit).abs()
    }

    fn draws(seed: u64, low: f64, high: f64) -> impl Iterator<Item = f64> {
        let law = Uniform::new(low, high).expect("a range");
        let mut stream = Pcg64::seed_from_u64(seed);
        (0..200_000).map(move |_| law.sample(&mut stream))
    }

    #[test]
    fn roll_7_ln_has_the_bits_of_libm() {
        for exponent in draws(1, -1021.0, 1023.0) {
            let x = libm::exp2(exponent);
            assert_eq!(ln_normal(x).to_bits(), libm::log(x).to_bits(), "ln {x:e}");
        }
        for x in draws(2, 0.5, 2.0).chain([1.0, SQRT_2, FRAC_1_SQRT_2, f64::MAX, f64::MIN_POSITIVE])
        {
            assert_eq!(ln_normal(x).to_bits(), libm::log(x).to_bits(), "ln {x:e}");
        }
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert!(ln(-1.0).is_nan());
        assert_eq!(ln(5e-324), libm::log(5e-324));
    }

    #[test]
    fn roll_7_exp_has_the_bits_of_libm() {
        let edges = [HALF_LN_2_UP, 0.5 * LN_2, 1.5 * LN_2, 2.5 * LN_2, 1e-8, 700.0]
            .into_iter()
            .flat_map(|x| [x.next_down(), x, x.next_up(), x * (1.0 - 1e-7), x * (1.0 + 1e-7)])
            .flat_map(|x| [x, -x]);
        for x in draws(10, -700.0, 700.0)
            .chain(draws(11, -2.0, 2.0))
            .chain(draws(12, -745.0, -690.0))
            .chain(draws(13, -8.5, -7.5).map(libm::exp10))
            .chain(edges)
            .chain([0.0, -0.0, 1e-300, 710.0, f64::INFINITY, f64::NEG_INFINITY])
        {
            assert_eq!(exp(x).to_bits(), libm::exp(x).to_bits(), "exp {x:e}");
        }
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn roll_7_kernels_are_within_their_stated_ulps() {
        let mut worst = (0.0_f64, 0.0_f64);
        let tiny = draws(3, -300.0, 0.0).map(libm::exp10);
        let arguments = tiny.chain(draws(4, -0.9999, 3.0)).chain(draws(5, 0.0, 1e6));
        for x in arguments {
            worst.0 = worst.0.max(ulps(ln1p_each(&[x])[0], libm::log1p(x)));
        }
        for x in draws(6, EXP_FLOOR, 0.0).chain(draws(7, -40.0, 0.0)).chain(draws(8, -1.0, 0.0)) {
            worst.1 = worst.1.max(ulps(exp_not_positive(x), libm::exp(x)));
        }
        // Measured against libm on these 1.2 million arguments: 2 and 1 unit.
        assert!(worst.0 <= 2.0 && worst.1 <= 1.0, "ln1p {} exp {}", worst.0, worst.1);
        assert_eq!((ln1p_each(&[0.0])[0], exp_not_positive(0.0)), (0.0, 1.0));
        let (mut near, mut far) = (0, 0);
        for x in draws(9, -0.4, 0.5).chain([0.0, 1e-300, SQRT_2 - 1.0, FRAC_1_SQRT_2 - 1.0]) {
            if is_near_zero(x) {
                near += 1;
                assert_eq!(ln1p_near_zero(&[x])[0].to_bits(), ln1p_each(&[x])[0].to_bits(), "{x}");
            } else {
                far += 1;
                assert_ne!(exponent_and_mantissa(1.0 + x).0, 0.0, "{x}");
            }
        }
        assert!(near > 100_000 && far > 10_000, "{near} {far}");
        assert!(exp_not_positive(f64::NEG_INFINITY) < 1e-307);
    }

    #[test]
    fn stat_4_normal_quantiles_agree_with_references() {
        // mpmath 1.3.0, 40 digits: sqrt(2) * erfinv(2p - 1).
        let table = [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054_2),
            (0.99, 2.326_347_874_040_841),
            (0.995, 2.575_829_303_548_900_4),
            (0.3, -0.524_400_512_708_041),
            (1e-12, -7.034_483_825_301_131),
            (1e-300, -37.047_096_299_361_2),
        ];
        for (p, z) in table {
            assert!(
                (normal_quantile(p) - z).abs() <= 1e-12 * z.abs(),
                "{p}: {}",
                normal_quantile(p)
            );
        }
        for p in draws(9, 1e-9, 1.0) {
            let back = normal_cdf(normal_quantile(p));
            assert!((back - p).abs() <= 1e-14, "{p}");
        }
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert!(normal_quantile(1.5).is_nan());
    }

    #[test]
    fn stat_4_sums_of_exponentials() {
        assert_eq!(log_sum_exp(&[]), f64::NEG_INFINITY);
        assert_eq!(log_sum_exp(&[f64::NEG_INFINITY, 3.0]), 3.0);
        assert!((log_add_exp(-1000.0, -1000.0) + 1000.0 - LN_2).abs() < 1e-12);
        assert_eq!(log_mean_exp(&[0.0; 8], &[0.125; 8]), 0.0);
        let uneven = log_mean_exp(&[0.0, 700.0, -5.0, f64::NEG_INFINITY], &[0.5, 0.25, 0.25, 0.0]);
        assert!((uneven - 700.0 - ln(0.25)).abs() < 1e-12);
    }
}
