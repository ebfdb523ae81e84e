//! Laws that the fixed-horizon tests keep for any input: symmetry, monotony, range, nesting.

use hotfix_core::stats::fixed::{
    Alternative, Method, Scale, clopper_pearson, equivalence, fisher_exact, hodges_lehmann,
    ks_2samp, ks_from_counts, mann_whitney_from_counts, mann_whitney_u, newcombe, non_inferiority,
    poisson_ratio,
};
use hotfix_core::stats::interval::Interval;
use hotfix_core::stats::{Counts, MAX_COUNT};
use proptest::prelude::*;

const SIDES: [Alternative; 3] = [Alternative::TwoSided, Alternative::Less, Alternative::Greater];

const fn turned(alternative: Alternative) -> Alternative {
    match alternative {
        Alternative::TwoSided => Alternative::TwoSided,
        Alternative::Less => Alternative::Greater,
        Alternative::Greater => Alternative::Less,
    }
}

/// An arm with trials, from one to a billion.
fn arm() -> impl Strategy<Value = Counts> {
    let trials = prop_oneof![1_u64..30, 1_u64..5_000, 1_u64..1_000_000_000];
    (trials, prop_oneof![Just(0.0), Just(1.0), 0.0..1e-6, 0.0..1.0_f64]).prop_map(
        |(trials, rate)| {
            let trials = trials as f64;
            Counts::new((trials * rate).floor(), trials)
        },
    )
}

/// Values of a small set, so that there are ties; distinct ones where `step` is small.
fn sample() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((-20_i32..20).prop_map(|v| f64::from(v) / 4.0), 1..40)
}

fn close(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * a.abs().max(b.abs()) || (a - b).abs() < 1e-300
}

fn is_chance(p: f64) -> bool {
    (0.0..=1.0).contains(&p)
}

fn within(inner: Interval, outer: Interval) -> bool {
    let below = |a: f64, b: f64| a <= b || close(a, b, 1e-12);
    below(outer.low, inner.low) && below(inner.high, outer.high)
}

/// How often each of the values occurs.
fn histogram(values: &[f64], known: &[f64]) -> Vec<f64> {
    let count = |value| values.iter().filter(|other| *other == value).count() as f64;
    known.iter().map(count).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stat_1_swapping_the_arms_turns_the_alternative(canary in arm(), baseline in arm()) {
        for side in SIDES {
            let one = fisher_exact(canary, baseline, side).expect("whole counts");
            let other = fisher_exact(baseline, canary, turned(side)).expect("whole counts");
            prop_assert!(is_chance(one.p_value) && is_chance(other.p_value));
            prop_assert!(close(one.p_value, other.p_value, 1e-7), "{one:?} {other:?}");
            let one = poisson_ratio(canary, baseline, 2.0, side, 0.9).expect("whole counts");
            let other = poisson_ratio(baseline, canary, 0.5, turned(side), 0.9).expect("whole counts");
            prop_assert!(is_chance(one.p_value), "{one:?}");
            prop_assert!(close(one.p_value, other.p_value, 1e-7), "{one:?} {other:?}");
            prop_assert!(close(one.interval.low, 1.0 / other.interval.high, 1e-9), "{one:?} {other:?}");
        }
        let one = newcombe(canary, baseline, 0.9).expect("valid");
        let other = newcombe(baseline, canary, 0.9).expect("valid");
        prop_assert!(close(one.low, -other.high, 1e-12) && close(one.high, -other.low, 1e-12));
    }

    #[test]
    fn stat_1_both_tails_hold_the_outcome_itself(canary in arm(), baseline in arm()) {
        let p = |side| fisher_exact(canary, baseline, side).expect("whole counts").p_value;
        prop_assert!(p(Alternative::Less) + p(Alternative::Greater) >= 1.0 - 1e-9);
        // Either tail is a part of the two-sided sum, or that sum is larger than half of both.
        let smaller = p(Alternative::Less).min(p(Alternative::Greater));
        prop_assert!(p(Alternative::TwoSided) >= smaller * (1.0 - 1e-9));
    }

    #[test]
    fn stat_1_one_more_event_makes_the_canary_no_better(canary in arm(), baseline in arm()) {
        prop_assume!(canary.events < canary.trials);
        let more = Counts::new(canary.events + 1.0, canary.trials);
        let fisher = |c| fisher_exact(c, baseline, Alternative::Greater).expect("valid").p_value;
        prop_assert!(fisher(more) <= fisher(canary) * (1.0 + 1e-8));
        let poisson =
            |c| poisson_ratio(c, baseline, 1.0, Alternative::Greater, 0.9).expect("valid");
        prop_assert!(poisson(more).p_value <= poisson(canary).p_value * (1.0 + 1e-8));
        prop_assert!(poisson(more).interval.low >= poisson(canary).interval.low * (1.0 - 1e-9));
        let cp = |c| clopper_pearson(c, 0.9).expect("valid");
        prop_assert!(cp(more).low >= cp(canary).low && cp(more).high >= cp(canary).high * (1.0 - 1e-12));
        let allowed = |c| non_inferiority(c, baseline, 0.1, Scale::Difference).expect("valid").p_value;
        prop_assert!(allowed(more) >= allowed(canary) * (1.0 - 1e-6));
    }

    #[test]
    fn stat_4_intervals_are_nested_in_confidence(canary in arm(), baseline in arm(), a in 0.01..0.999_f64, b in 0.01..0.999_f64) {
        let (narrow, wide) = if a < b { (a, b) } else { (b, a) };
        let p = canary.events / canary.trials;
        let of = |confidence| clopper_pearson(canary, confidence).expect("valid");
        prop_assert!(within(of(narrow), of(wide)) && of(narrow).contains(p), "{:?} {p}", of(narrow));
        let of = |confidence| newcombe(canary, baseline, confidence).expect("valid");
        prop_assert!(within(of(narrow), of(wide)), "{:?} {:?}", of(narrow), of(wide));
        let of = |confidence| {
            poisson_ratio(canary, baseline, 1.0, Alternative::Less, confidence).expect("valid").interval
        };
        prop_assert!(within(of(narrow), of(wide)), "{:?} {:?}", of(narrow), of(wide));
    }

    #[test]
    fn stat_3_margins(canary in arm(), baseline in arm(), margin in 0.001..50.0_f64) {
        for (margin, scale) in [(margin, Scale::Ratio), (margin / 51.0, Scale::Difference)] {
            let test = non_inferiority(canary, baseline, margin, scale).expect("valid");
            prop_assert!(test.z.is_finite() && is_chance(test.p_value), "{test:?}");
            let (p_c, p_b) = test.restricted;
            prop_assert!(is_chance(p_c) && is_chance(p_b), "{test:?}");
            let kept = match scale {
                Scale::Ratio => close(p_c, margin * p_b, 1e-9),
                Scale::Difference => close(p_c, p_b + margin, 1e-9),
            };
            prop_assert!(kept, "{test:?}");
        }
        let wide = 1.0 + margin;
        let both = equivalence(canary, baseline, wide, Scale::Ratio).expect("valid");
        let other = equivalence(baseline, canary, wide, Scale::Ratio).expect("valid");
        prop_assert_eq!(both.p_value, other.p_value);
        prop_assert_eq!(both.p_value, both.not_worse.p_value.max(both.not_better.p_value));
    }

    #[test]
    fn stat_1_samples_and_histograms_agree(x in sample(), y in sample()) {
        let mut known: Vec<f64> = x.iter().chain(&y).copied().collect();
        known.sort_by(f64::total_cmp);
        known.dedup();
        let (h_x, h_y) = (histogram(&x, &known), histogram(&y, &known));
        for side in SIDES {
            let one = mann_whitney_u(&x, &y, side, Method::Asymptotic, true).expect("valid");
            let other = mann_whitney_from_counts(&h_x, &h_y, side, true).expect("valid");
            prop_assert_eq!((one.u, one.p_value, one.rank_biserial), (other.u, other.p_value, other.rank_biserial));
            let one = ks_2samp(&x, &y, side, Method::Auto).expect("valid");
            let other = ks_from_counts(&h_x, &h_y, side, Method::Auto).expect("valid");
            prop_assert_eq!((one.statistic, one.p_value), (other.statistic, other.p_value));
        }
    }

    #[test]
    fn stat_1_rank_tests_are_symmetric_and_blind_to_order(x in sample(), y in sample()) {
        let backwards: Vec<f64> = x.iter().rev().copied().collect();
        for (side, method) in SIDES.into_iter().flat_map(|s| [(s, Method::Auto), (s, Method::Asymptotic)]) {
            let one = mann_whitney_u(&x, &y, side, method, true).expect("valid");
            let other = mann_whitney_u(&y, &x, turned(side), method, true).expect("valid");
            prop_assert!(is_chance(one.p_value) && is_chance(one.common_language));
            prop_assert_eq!(one.u + other.u, (x.len() * y.len()) as f64);
            prop_assert!(close(one.p_value, other.p_value, 1e-13), "{one:?} {other:?}");
            prop_assert_eq!(mann_whitney_u(&backwards, &y, side, method, true), Ok(one));
            let one = ks_2samp(&x, &y, side, method).expect("valid");
            let other = ks_2samp(&y, &x, turned(side), method).expect("valid");
            prop_assert!(is_chance(one.p_value) && is_chance(one.statistic));
            prop_assert!(close(one.p_value, other.p_value, 1e-12), "{one:?} {other:?}");
        }
    }

    #[test]
    fn stat_1_the_shift_is_the_middle_of_all_differences(x in sample(), y in sample(), by in -8_i32..8) {
        let mut all: Vec<f64> = x.iter().flat_map(|x| y.iter().map(move |y| x - y)).collect();
        all.sort_by(f64::total_cmp);
        let middle = 0.5 * (all[(all.len() - 1) / 2] + all[all.len() / 2]);
        let shift = hodges_lehmann(&x, &y, 0.8).expect("valid");
        prop_assert_eq!(shift.shift, middle);
        prop_assert!(shift.interval.contains(middle));
        let end = |end: f64| end.is_infinite() || all.contains(&end);
        prop_assert!(end(shift.interval.low) && end(shift.interval.high));
        // Quarters are exact: moving x moves everything.
        let by = f64::from(by);
        let moved: Vec<f64> = x.iter().map(|x| x + by).collect();
        let moved = hodges_lehmann(&moved, &y, 0.8).expect("valid");
        prop_assert_eq!((moved.shift, moved.interval.low), (shift.shift + by, shift.interval.low + by));
    }

    #[test]
    fn stat_4_no_nan_from_any_finite_input(
        x in prop::collection::vec(any::<f64>().prop_filter("finite", |v| v.is_finite()), 1..12),
        y in prop::collection::vec(any::<f64>().prop_filter("finite", |v| v.is_finite()), 1..12),
        figures in prop::array::uniform4(prop_oneof![Just(0.0), Just(MAX_COUNT), (0_u64..1 << 53).prop_map(|n| n as f64), 0.0..9.0_f64]),
        margin in any::<f64>(),
    ) {
        let shift = hodges_lehmann(&x, &y, 0.9).expect("finite");
        prop_assert!(!shift.shift.is_nan() && shift.interval.low <= shift.interval.high);
        let test = mann_whitney_u(&x, &y, Alternative::TwoSided, Method::Auto, true).expect("finite");
        prop_assert!(is_chance(test.p_value) && is_chance(test.common_language));
        let [a, b, c, d] = figures;
        // Refused or answered; exact laws of this size are refused before they are summed.
        let (canary, baseline) = (Counts::new(a.min(b), a.max(b)), Counts::new(c.min(d), c.max(d)));
        if let Ok(test) = non_inferiority(canary, baseline, margin, Scale::Ratio) {
            prop_assert!(is_chance(test.p_value) && test.z.is_finite(), "{test:?}");
        }
        if let Ok(test) = non_inferiority(canary, baseline, margin, Scale::Difference) {
            prop_assert!(is_chance(test.p_value) && test.z.is_finite(), "{test:?}");
        }
        if let Ok(interval) = newcombe(canary, baseline, 0.9) {
            prop_assert!(interval.low <= interval.high, "{interval:?}");
        }
    }
}
