//! Laws that tests of counts with limits and horizons, ceilings and sums by split keep for any input.

use hotfix_core::stats::bernoulli::{Bernoulli, BernoulliDesign, BernoulliSettings};
use hotfix_core::stats::ceiling::{Ceiling, CeilingDesign, CeilingSettings};
use hotfix_core::stats::interval::ratio_interval;
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use hotfix_core::stats::{Counts, Direction, Evidence, MAX_COUNT, SplitTotals};
use proptest::prelude::*;

/// Any count or exposure that a test takes.
fn any_figure() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(5e-324),
        Just(1e12),
        Just(MAX_COUNT),
        (0_u32..2_000).prop_map(f64::from),
        (0_u64..1 << 53).prop_map(|n| n as f64),
        0.0..1.0,
    ]
}

fn tick() -> impl Strategy<Value = (Counts, Counts)> {
    let arm = |most: u32| {
        (0..most, 0.0..0.3_f64)
            .prop_map(|(n, rate)| Counts::new((f64::from(n) * rate).floor(), f64::from(n)))
    };
    (arm(200), arm(900))
}

/// Settings of every form, for both models.
fn forms() -> impl Strategy<Value = (RateRatioSettings, BernoulliSettings)> {
    let direction = prop_oneof![Just(Direction::Worse), Just(Direction::Better)];
    let cap = prop::option::of(0.01..5.0_f64);
    let horizon = prop::option::of(1_u32..12);
    let margin = prop_oneof![Just(2.0), Just(0.5), Just(1.0)];
    let tolerated = prop_oneof![Just(1.0), Just(1.25)];
    (direction, 0.1..=1.0_f64, cap, horizon, margin, tolerated).prop_map(
        |(direction, temper, cap, horizon, margin, tolerated)| {
            let rates = RateRatioSettings {
                direction,
                temper,
                cap,
                horizon,
                margin,
                tolerated,
                ..RateRatioSettings::default()
            };
            let trials = BernoulliSettings {
                direction,
                temper,
                cap,
                horizon,
                margin,
                tolerated,
                ..BernoulliSettings::default()
            };
            (rates, trials)
        },
    )
}

/// How far rounding may part two ways of the same sum of this many events.
fn slack(ticks: &[(Counts, Counts)]) -> f64 {
    let events: f64 = ticks.iter().map(|(c, b)| c.events + b.events).sum();
    1e-13 * (10.0 * events).max(1.0)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stat_1_no_finite_input_gives_a_nan_in_any_form(
        (rates, trials) in forms(),
        ticks in prop::collection::vec([(); 4].map(|()| any_figure()), 1..6),
        ceiling in prop_oneof![Just(1e-15), Just(0.5), 1e-9..0.999_f64],
    ) {
        let rates = RateRatioDesign::try_new(&rates).expect("valid settings");
        let trials = BernoulliDesign::try_new(&trials).expect("valid settings");
        let below = CeilingDesign::try_new(&CeilingSettings::below(ceiling)).expect("a rate");
        let clean = CeilingSettings { grid: Some(vec![0.0]), ..CeilingSettings::below(ceiling) };
        let clean = CeilingDesign::try_new(&clean).expect("a rate");
        let (mut of_rates, mut of_trials) = (RateRatio::new(&rates), Bernoulli::new(&trials));
        let (mut of_below, mut of_clean) = (Ceiling::new(&below), Ceiling::new(&clean));
        let (mut of_strata, mut sums) = (RateRatio::new(&rates), SplitTotals::new());
        let mut strata = Vec::new();
        for [x_c, n_c, x_b, n_b] in ticks {
            let (canary, baseline) = (Counts::new(x_c, n_c), Counts::new(x_b, n_b));
            strata.push((canary, baseline));
            of_rates.update(&rates, canary, baseline).expect("valid counts");
            of_strata.update_strata(&rates, &strata).expect("valid counts");
            sums.add(0.1, canary, baseline).expect("valid counts");
            let (canary, baseline) =
                (Counts::new(x_c.min(n_c), n_c), Counts::new(x_b.min(n_b), n_b));
            of_trials.update(&trials, canary, baseline).expect("valid counts");
            of_below.update(&below, canary).expect("valid counts");
            of_clean.update(&clean, canary).expect("valid counts");
            for evidence in [
                of_rates.evidence(&rates), of_strata.evidence(&rates), of_trials.evidence(&trials),
                of_below.evidence(&below), of_clean.evidence(&clean),
            ] {
                prop_assert!(evidence.log_e.is_finite(), "{evidence:?}");
                prop_assert!((0.0..=1.0).contains(&evidence.p_value), "{evidence:?}");
                prop_assert!(evidence.ratio.is_none_or(|ratio| ratio >= 0.0 && ratio.is_finite()));
            }
            for (bounds, log_e) in [
                (of_rates.bounds(&rates), of_rates.log_e(&rates)),
                (of_trials.bounds(&trials), of_trials.log_e(&trials)),
            ] {
                let slack = 1e-9 * log_e.abs().max(1.0);
                prop_assert!(bounds.lower <= log_e + slack && log_e <= bounds.upper + slack);
            }
            let interval = ratio_interval(&sums.totals().copied().collect::<Vec<_>>(), 0.99).expect("a level");
            prop_assert!(interval.low >= 0.0 && interval.low <= interval.high, "{interval:?}");
        }
    }

    #[test]
    fn stat_2_without_a_horizon_the_order_of_ticks_does_not_matter(
        (rates, _) in forms(),
        ticks in prop::collection::vec(tick(), 1..10),
        turn in 0_usize..10,
    ) {
        let rates = RateRatioSettings { horizon: None, ..rates };
        let design = RateRatioDesign::try_new(&rates).expect("valid settings");
        let mut turned = ticks.clone();
        turned.rotate_left(turn % ticks.len());
        let feed = |ticks: &[(Counts, Counts)]| {
            let mut test = RateRatio::new(&design);
            for (canary, baseline) in ticks {
                test.update(&design, *canary, *baseline).expect("valid counts");
            }
            test
        };
        let (one, other) = (feed(&ticks), feed(&turned));
        prop_assert_eq!(one.totals(), other.totals());
        prop_assert!((one.log_e(&design) - other.log_e(&design)).abs() <= slack(&ticks));
        // And merging is feeding, whatever limits what a tick adds.
        let (first, second) = ticks.split_at(turn % ticks.len());
        let mut merged = feed(first);
        merged.merge(&design, &feed(second)).expect("no horizon");
        prop_assert!((merged.log_e(&design) - one.log_e(&design)).abs() <= slack(&ticks));
        prop_assert_eq!(merged.totals(), one.totals());
    }

    #[test]
    fn stat_2_strata_are_one_tick(
        (rates, _) in forms(),
        strata in prop::collection::vec(tick(), 1..6),
        more in prop::collection::vec(tick(), 1..4),
    ) {
        let design = RateRatioDesign::try_new(&rates).expect("valid settings");
        let fresh = RateRatio::new(&design);
        let mut test = fresh;
        for stratum in &more {
            test.update(&design, stratum.0, stratum.1).expect("valid counts");
        }
        let (mut one, mut turned) = (test, test);
        one.update_strata(&design, &strata).expect("valid counts");
        let backwards: Vec<_> = strata.iter().rev().copied().collect();
        turned.update_strata(&design, &backwards).expect("valid counts");
        prop_assert_eq!(one.totals(), turned.totals());
        let gap = (one.log_e(&design) - turned.log_e(&design)).abs();
        prop_assert!(gap <= slack(&strata), "{gap}");
        prop_assert!(strata.len() > 2 || gap == 0.0, "two: to the bit");
        // One stratum is a plain tick, to the bit; so are many of which one has both arms.
        let (mut alone, mut plain) = (test, test);
        let half = (Counts::new(2.0, 50.0), Counts::default());
        alone.update_strata(&design, &[half, strata[0], half]).expect("valid counts");
        plain.update(&design, strata[0].0, strata[0].1).expect("valid counts");
        prop_assert_eq!(alone.log_e(&design).to_bits(), plain.log_e(&design).to_bits());
        // A cap bounds the tick, and without one and without a horizon strata are like ticks.
        let before = test.log_e(&design);
        if let Some(cap) = design.cap() {
            prop_assert!(one.log_e(&design) <= before.max(0.0) + cap + 1e-9);
        } else if rates.horizon.is_none() {
            let mut ticks = test;
            for stratum in &strata {
                ticks.update(&design, stratum.0, stratum.1).expect("valid counts");
            }
            prop_assert!((ticks.log_e(&design) - one.log_e(&design)).abs() <= slack(&strata));
        }
        let bad = [strata[0], (Counts::new(-1.0, 1.0), strata[0].1)];
        let before = test;
        prop_assert_eq!(test.update_strata(&design, &bad).map_err(|e| e.code()), Err("HF-STAT-003"));
        prop_assert_eq!(test, before);
    }

    #[test]
    fn stat_2_more_canary_errors_never_speak_for_it_in_any_form(
        (rates, trials) in forms(),
        ticks in prop::collection::vec(tick(), 1..6),
        more in 1_u32..50,
    ) {
        let rates = RateRatioDesign::try_new(&rates).expect("valid settings");
        let trials = BernoulliDesign::try_new(&trials).expect("valid settings");
        let (mut of_rates, mut of_trials) = (RateRatio::new(&rates), Bernoulli::new(&trials));
        for (canary, baseline) in &ticks {
            of_rates.update(&rates, *canary, *baseline).expect("valid counts");
            of_trials.update(&trials, *canary, *baseline).expect("valid counts");
        }
        let (mut worse_rates, mut worse_trials) = (of_rates, of_trials);
        let (canary, baseline) = ticks[0];
        let events = (canary.events + f64::from(more)).min(canary.trials);
        let worse = Counts::new(events, canary.trials);
        of_rates.update(&rates, canary, baseline).expect("valid counts");
        of_trials.update(&trials, canary, baseline).expect("valid counts");
        worse_rates.update(&rates, worse, baseline).expect("valid counts");
        worse_trials.update(&trials, worse, baseline).expect("valid counts");
        let sign = if rates.direction() == Direction::Worse { 1.0 } else { -1.0 };
        let gain = worse_rates.log_e(&rates) - of_rates.log_e(&rates);
        prop_assert!(sign * gain >= -1e-10, "rate ratio {gain}");
        let gain = worse_trials.log_e(&trials) - of_trials.log_e(&trials);
        prop_assert!(sign * gain >= -1e-10, "bernoulli {gain}");
    }

    #[test]
    fn roll_7_states_of_every_form_survive_a_document(
        (rates, trials) in forms(),
        ticks in prop::collection::vec(tick(), 1..8),
    ) {
        let rates = RateRatioDesign::try_new(&rates).expect("valid settings");
        let trials = BernoulliDesign::try_new(&trials).expect("valid settings");
        let (mut of_rates, mut of_trials) = (RateRatio::new(&rates), Bernoulli::new(&trials));
        let (mut kept_rates, mut kept_trials) = (of_rates, of_trials);
        for (canary, baseline) in ticks {
            of_rates.update(&rates, canary, baseline).expect("valid counts");
            of_trials.update(&trials, canary, baseline).expect("valid counts");
            let text = serde_json::to_string(&(kept_rates, kept_trials)).expect("writes");
            (kept_rates, kept_trials) = serde_json::from_str(&text).expect("reads");
            prop_assert_eq!(kept_rates.check(&rates), Ok(()));
            kept_rates.update(&rates, canary, baseline).expect("valid counts");
            kept_trials.update(&trials, canary, baseline).expect("valid counts");
        }
        let bits = |of: Evidence| (of.log_e.to_bits(), of.p_value.to_bits(), of.ratio, of.decided);
        prop_assert_eq!(bits(kept_rates.evidence(&rates)), bits(of_rates.evidence(&rates)));
        prop_assert_eq!(kept_trials, of_trials);
    }
}
