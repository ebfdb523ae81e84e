//! Laws that sequential tests keep for any input: merging, scaling, order, bounds, refusals.

use hotfix_core::stats::bernoulli::{Bernoulli, BernoulliDesign, BernoulliSettings};
use hotfix_core::stats::combine::Combination;
use hotfix_core::stats::interval::{ratio_interval, wilson};
use hotfix_core::stats::latency::{Latency, LatencyDesign, LatencySettings, SlowCounts};
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use hotfix_core::stats::split::{Split, SplitDesign, SplitSettings, arms_swapped};
use hotfix_core::stats::{Counts, Direction, Evidence, MAX_COUNT, StatError, Totals};
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
        0.0..=MAX_COUNT,
        0.0..1.0,
    ]
}

/// A tick of modest traffic: events and trials of both arms.
fn tick() -> impl Strategy<Value = (Counts, Counts)> {
    let arm = |most| {
        (0_u32..most, 0.0..0.5_f64).prop_map(|(trials, rate)| {
            Counts::new((f64::from(trials) * rate).floor(), f64::from(trials))
        })
    };
    (arm(200), arm(900))
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Worse), Just(Direction::Better)]
}

/// A claim of either direction, with every kind of null ratio.
fn claim() -> impl Strategy<Value = (Direction, f64, f64)> {
    let tolerated = prop_oneof![Just(1.0), 1.0..3.0];
    let margin = prop_oneof![Just(2.0), Just(1.0), Just(0.5), 0.01..50.0];
    (direction(), tolerated, margin)
}

fn rate_ratio((direction, tolerated, margin): (Direction, f64, f64)) -> RateRatioDesign {
    let settings =
        RateRatioSettings { direction, tolerated, margin, ..RateRatioSettings::default() };
    RateRatioDesign::try_new(&settings).expect("valid settings")
}

fn bernoulli((direction, tolerated, margin): (Direction, f64, f64)) -> BernoulliDesign {
    let settings =
        BernoulliSettings { direction, tolerated, margin, ..BernoulliSettings::default() };
    BernoulliDesign::try_new(&settings).expect("valid settings")
}

fn close(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= 1e-12 * scale.max(1.0)
}

fn is_sound(evidence: &Evidence) -> bool {
    let ratio = evidence.ratio.is_none_or(|ratio| ratio > 0.0);
    evidence.log_e.is_finite() && (0.0..=1.0).contains(&evidence.p_value) && ratio
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn stat_2_merging_is_feeding(
        claim in claim(),
        first in prop::collection::vec(tick(), 0..8),
        second in prop::collection::vec(tick(), 0..8),
    ) {
        let design = rate_ratio(claim);
        let feed = |ticks: &[(Counts, Counts)]| {
            let mut test = RateRatio::new(&design);
            for (canary, baseline) in ticks {
                test.update(&design, *canary, *baseline).expect("valid counts");
            }
            test
        };
        let both = feed(&[first.clone(), second.clone()].concat());
        let (mut merged, mut turned) = (feed(&first), feed(&second));
        turned.merge(&design, &merged).expect("one design");
        merged.merge(&design, &feed(&second)).expect("one design");
        let events = both.totals().canary.events + both.totals().baseline.events;
        prop_assert_eq!(merged.totals(), both.totals());
        prop_assert_eq!(turned.totals(), both.totals());
        prop_assert!(close(merged.log_e(&design), both.log_e(&design), events * 10.0));
        prop_assert!(close(turned.log_e(&design), both.log_e(&design), events * 10.0));
        // What was decided stays; the running maximum may have missed a peak inside the second.
        prop_assert!(merged.p_value() >= both.p_value() * (1.0 - 1e-9));
        prop_assert!(both.decided() || !merged.decided());
    }

    #[test]
    fn stat_1_the_unit_of_exposure_does_not_matter(
        claim in claim(),
        ticks in prop::collection::vec(tick(), 1..8),
        unit in 1e-6..1e6_f64,
    ) {
        let design = rate_ratio(claim);
        let (mut one, mut other) = (RateRatio::new(&design), RateRatio::new(&design));
        let mut events = 0.0;
        for (canary, baseline) in ticks {
            let in_unit = |counts: Counts| Counts::new(counts.events, counts.trials * unit);
            one.update(&design, canary, baseline).expect("valid counts");
            other.update(&design, in_unit(canary), in_unit(baseline)).expect("valid counts");
            events += canary.events + baseline.events;
        }
        prop_assert!(close(one.log_e(&design), other.log_e(&design), events * 10.0));
    }

    #[test]
    fn stat_1_swapping_the_arms_turns_the_direction(ticks in prop::collection::vec(tick(), 1..8)) {
        // With nothing tolerated and margin 1 the tests are mirror images.
        let (worse, better) = (
            rate_ratio((Direction::Worse, 1.0, 1.0)),
            rate_ratio((Direction::Better, 1.0, 1.0)),
        );
        let (mut one, mut other) = (RateRatio::new(&worse), RateRatio::new(&better));
        let mut events = 0.0;
        for (canary, baseline) in ticks {
            one.update(&worse, canary, baseline).expect("valid counts");
            other.update(&better, baseline, canary).expect("valid counts");
            events += canary.events + baseline.events;
        }
        prop_assert!(close(one.log_e(&worse), other.log_e(&better), events * 10.0));
    }

    #[test]
    fn stat_2_more_canary_errors_never_speak_for_it(
        claim in claim(),
        ticks in prop::collection::vec(tick(), 1..6),
        more in 1_u32..50,
    ) {
        let (rates, trials) = (rate_ratio(claim), bernoulli(claim));
        let (mut of_rates, mut of_trials) = (RateRatio::new(&rates), Bernoulli::new(&trials));
        for (canary, baseline) in &ticks {
            of_rates.update(&rates, *canary, *baseline).expect("valid counts");
            of_trials.update(&trials, *canary, *baseline).expect("valid counts");
        }
        let (mut worse_rates, mut worse_trials) = (of_rates, of_trials);
        let (canary, baseline) = ticks[0];
        let canary_errors = (canary.events + f64::from(more)).min(canary.trials);
        let worse = Counts::new(canary_errors, canary.trials);
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
    fn stat_1_no_finite_input_gives_a_nan(
        claim in claim(),
        ticks in prop::collection::vec([(); 4].map(|()| any_figure()), 1..6),
        share in 1e-9..0.999_999_f64,
    ) {
        let (rates, trials) = (rate_ratio(claim), bernoulli(claim));
        let settings = LatencySettings {
            direction: claim.0, tolerated: claim.1, margin: claim.2, boundaries: 2,
            ..LatencySettings::default()
        };
        let slow = LatencyDesign::try_new(&settings).expect("valid settings");
        let splits = SplitDesign::try_new(&SplitSettings::default()).expect("valid settings");
        let mut of_rates = RateRatio::new(&rates);
        let mut of_trials = Bernoulli::new(&trials);
        let mut of_slow = Latency::new(&slow);
        let mut of_split = Split::new(&splits);
        for [x_c, n_c, x_b, n_b] in ticks {
            let (canary, baseline) = (Counts::new(x_c, n_c), Counts::new(x_b, n_b));
            of_rates.update(&rates, canary, baseline).expect("valid counts");
            of_split.update(&splits, share, n_c, n_b).expect("valid trials");
            let (canary, baseline) =
                (Counts::new(x_c.min(n_c), n_c), Counts::new(x_b.min(n_b), n_b));
            of_trials.update(&trials, canary, baseline).expect("valid counts");
            let (slow_c, slow_b) = ([canary.events, 0.0], [baseline.events, baseline.events]);
            let (canary, baseline) = (SlowCounts::new(&slow_c, n_c), SlowCounts::new(&slow_b, n_b));
            of_slow.update(&slow, canary, baseline).expect("valid counts");
            for evidence in [
                of_rates.evidence(&rates), of_trials.evidence(&trials), of_slow.evidence(&slow),
            ] {
                prop_assert!(is_sound(&evidence), "{evidence:?}");
            }
            prop_assert!(of_split.log_e(&splits).is_finite());
            prop_assert!(arms_swapped(share, n_c, n_b).is_ok_and(f64::is_finite));
            for (bounds, log_e) in [
                (of_rates.bounds(&rates), of_rates.log_e(&rates)),
                (of_trials.bounds(&trials), of_trials.log_e(&trials)),
                (of_slow.bounds(&slow), of_slow.log_e(&slow)),
            ] {
                let slack = 1e-9 * log_e.abs().max(1.0);
                prop_assert!(bounds.lower <= log_e + slack && log_e <= bounds.upper + slack);
            }
        }
    }

    #[test]
    fn stat_4_intervals_hold_their_estimate(
        figures in prop::collection::vec([(); 4].map(|()| any_figure()), 1..4),
        confidence in 0.5..0.999_f64,
    ) {
        let strata: Vec<Totals> = figures
            .iter()
            .map(|&[x_c, n_c, x_b, n_b]| Totals {
                canary: Counts::new(x_c, n_c),
                baseline: Counts::new(x_b, n_b),
            })
            .collect();
        let interval = ratio_interval(&strata, confidence).expect("valid counts");
        prop_assert!(interval.low >= 0.0 && interval.low <= interval.high, "{interval:?}");
        let [x, n, ..] = figures[0];
        let counts = Counts::new(x.min(n), n);
        let interval = wilson(counts, confidence).expect("valid counts");
        prop_assert!(interval.low >= 0.0 && interval.low <= interval.high && interval.high <= 1.0);
        prop_assert!(n < 1e-300 || interval.contains(counts.events / n), "{interval:?}");
    }

    #[test]
    fn roll_7_states_survive_a_document_bit_for_bit(
        claim in claim(),
        ticks in prop::collection::vec(tick(), 2..8),
    ) {
        let (rates, trials) = (rate_ratio(claim), bernoulli(claim));
        let settings = LatencySettings { boundaries: 1, ..LatencySettings::default() };
        let slow = LatencyDesign::try_new(&settings).expect("valid settings");
        let (mut of_rates, mut of_trials) = (RateRatio::new(&rates), Bernoulli::new(&trials));
        let mut of_slow = Latency::new(&slow);
        let (mut kept_rates, mut kept_trials, mut kept_slow) = (of_rates, of_trials, of_slow);
        for (canary, baseline) in ticks {
            let (slow_c, slow_b) = ([canary.events], [baseline.events]);
            let slow_c = SlowCounts::new(&slow_c, canary.trials);
            let slow_b = SlowCounts::new(&slow_b, baseline.trials);
            of_rates.update(&rates, canary, baseline).expect("valid counts");
            of_trials.update(&trials, canary, baseline).expect("valid counts");
            of_slow.update(&slow, slow_c, slow_b).expect("valid counts");
            // The other one is written and read before every tick.
            let text = serde_json::to_string(&(kept_rates, kept_trials, kept_slow)).expect("writes");
            (kept_rates, kept_trials, kept_slow) = serde_json::from_str(&text).expect("reads");
            kept_rates.update(&rates, canary, baseline).expect("valid counts");
            kept_trials.update(&trials, canary, baseline).expect("valid counts");
            kept_slow.update(&slow, slow_c, slow_b).expect("valid counts");
        }
        let bits = |of: Evidence| (of.log_e.to_bits(), of.p_value.to_bits(), of.ratio, of.decided);
        prop_assert_eq!(bits(kept_rates.evidence(&rates)), bits(of_rates.evidence(&rates)));
        prop_assert_eq!(kept_trials, of_trials);
        prop_assert_eq!(kept_slow, of_slow);
    }
}

#[test]
fn stat_2_states_are_small() {
    assert!(size_of::<RateRatio>() <= 256, "{}", size_of::<RateRatio>());
    assert!(size_of::<Bernoulli>() <= 256);
    // Of that, 5 KB keep what a tick would otherwise compute: its alternatives by bucket, and the logarithms of its split.
    assert!(size_of::<Latency>() <= 6144, "{}", size_of::<Latency>());
}

#[test]
fn stat_1_refusals_have_codes_and_leave_the_state() {
    let design = rate_ratio((Direction::Worse, 1.0, 2.0));
    let trials = bernoulli((Direction::Worse, 1.0, 2.0));
    let mut test = RateRatio::new(&design);
    let mut of_trials = Bernoulli::new(&trials);
    let good = Counts::new(1.0, 10.0);
    let bad = [
        (Counts::new(f64::NAN, 10.0), "HF-STAT-002"),
        (Counts::new(1.0, f64::INFINITY), "HF-STAT-002"),
        (Counts::new(-1.0, 10.0), "HF-STAT-003"),
        (Counts::new(1.0, -10.0), "HF-STAT-003"),
        (Counts::new(1.0, 1e16), "HF-STAT-005"),
    ];
    for (counts, code) in bad {
        for (canary, baseline) in [(counts, good), (good, counts)] {
            let before = test;
            let error = test.update(&design, canary, baseline).expect_err("refused");
            assert_eq!((error.code(), test), (code, before));
            let before = of_trials;
            let error = of_trials.update(&trials, canary, baseline).expect_err("refused");
            assert_eq!((error.code(), of_trials), (code, before));
        }
    }
    let too_many = Counts::new(11.0, 10.0);
    assert!(test.update(&design, too_many, good).is_ok(), "an exposure may be short");
    let error = of_trials.update(&trials, too_many, good).expect_err("refused");
    assert_eq!(error.code(), "HF-STAT-004");
    let other = rate_ratio((Direction::Worse, 1.25, 2.0));
    assert_eq!(test.update(&other, good, good), Err(StatError::DesignMismatch));
    assert_eq!(test.merge(&design, &RateRatio::new(&other)), Err(StatError::DesignMismatch));
    let message = StatError::EventsExceedTrials { events: 11.0, trials: 10.0 }.to_string();
    assert_eq!(message, "`11` events exceed `10` trials: give a count with exposure as a count");
}

#[test]
fn stat_1_settings_are_checked() {
    let base = RateRatioSettings::default;
    let refused = [
        (RateRatioSettings { alpha: 0.0, ..base() }, "HF-STAT-001"),
        (RateRatioSettings { alpha: 1.0, ..base() }, "HF-STAT-001"),
        (RateRatioSettings { alpha: f64::NAN, ..base() }, "HF-STAT-001"),
        (RateRatioSettings { grid: Some(vec![]), ..base() }, "HF-STAT-006"),
        (RateRatioSettings { grid: Some(vec![2.0; 9]), ..base() }, "HF-STAT-006"),
        (RateRatioSettings { grid: Some(vec![2.0, 1.0]), ..base() }, "HF-STAT-007"),
        (RateRatioSettings { grid: Some(vec![f64::NAN]), ..base() }, "HF-STAT-007"),
        (RateRatioSettings { weights: Some(vec![1.0]), ..base() }, "HF-STAT-008"),
        (RateRatioSettings { weights: Some(vec![0.5, 0.5, 0.0, 0.0]), ..base() }, "HF-STAT-009"),
        (RateRatioSettings { weights: Some(vec![0.3; 4]), ..base() }, "HF-STAT-010"),
        (RateRatioSettings { tolerated: 0.9, ..base() }, "HF-STAT-011"),
        (RateRatioSettings { margin: 0.0, ..base() }, "HF-STAT-012"),
        (RateRatioSettings { margin: f64::INFINITY, ..base() }, "HF-STAT-012"),
    ];
    for (settings, code) in refused {
        let error = RateRatioDesign::try_new(&settings).expect_err("refused");
        assert_eq!(error.code(), code, "{settings:?}");
    }
    let settings = BernoulliSettings { prior_trials: 0.0, ..BernoulliSettings::default() };
    let error = BernoulliDesign::try_new(&settings).expect_err("refused");
    assert_eq!(error.code(), "HF-STAT-013");
    for boundaries in [0, 13] {
        let settings = LatencySettings { boundaries, ..LatencySettings::default() };
        let error = LatencyDesign::try_new(&settings).expect_err("refused");
        assert_eq!(error.code(), "HF-STAT-014");
    }
    let settings = LatencySettings { cap: Some(0.0), ..LatencySettings::default() };
    assert_eq!(LatencyDesign::try_new(&settings).expect_err("refused").code(), "HF-STAT-016");
    let design = LatencyDesign::try_new(&LatencySettings::default()).expect("valid settings");
    let five = SlowCounts::new(&[1.0; 5], 10.0);
    let error = Latency::new(&design).update(&design, five, five).expect_err("refused");
    assert_eq!(error.code(), "HF-STAT-015");
    assert_eq!(Combination::try_new(0.01, &[]).expect_err("refused").code(), "HF-STAT-008");
    assert_eq!(wilson(Counts::new(1.0, 2.0), 1.0).expect_err("refused").code(), "HF-STAT-021");
    let read: Result<RateRatioSettings, _> = toml::from_str("alhpa = 0.05");
    assert!(read.is_err(), "an unknown key is refused");
    let read: RateRatioSettings = toml::from_str("direction = 'better'").expect("valid");
    assert_eq!(read, RateRatioSettings { direction: Direction::Better, ..base() });
}

#[test]
fn roll_7_documents_that_no_test_wrote_are_refused() {
    let design = rate_ratio((Direction::Worse, 1.0, 2.0));
    let good = serde_json::to_string(&RateRatio::new(&design)).expect("writes");
    assert!(serde_json::from_str::<RateRatio>(&good).is_ok());
    for (from, to) in [
        ("\"version\":1", "\"version\":2"),
        ("\"highest\":0.0", "\"highest\":-1.0"),
        ("\"terms\":[0.0,0.0,0.0,0.0]", "\"terms\":[]"),
        ("\"trials\":0.0", "\"trials\":-4.0"),
        ("\"decided\":false", "\"decided\":false,\"extra\":1"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{good} has {from}");
        assert!(serde_json::from_str::<RateRatio>(&bad).is_err(), "{bad}");
    }
}

#[test]
fn roll_7_evidence_has_the_same_bits_everywhere() {
    // Recorded on x86-64, unoptimised; vector code, other profiles and platforms must give the same.
    let bits = |claim: (Direction, f64, f64)| {
        let (rates, trials) = (rate_ratio(claim), bernoulli(claim));
        let settings = LatencySettings {
            direction: claim.0,
            tolerated: claim.1,
            margin: claim.2,
            boundaries: 3,
            ..LatencySettings::default()
        };
        let slow = LatencyDesign::try_new(&settings).expect("valid settings");
        let (mut of_rates, mut of_trials) = (RateRatio::new(&rates), Bernoulli::new(&trials));
        let mut of_slow = Latency::new(&slow);
        for tick in 0..50 {
            let (x_c, n_c) = (f64::from(tick % 4), f64::from(90 + tick % 7));
            let (x_b, n_b) = (f64::from(tick % 9), f64::from(880 + tick % 13));
            of_rates.update(&rates, Counts::new(x_c, n_c), Counts::new(x_b, n_b)).expect("valid");
            of_trials.update(&trials, Counts::new(x_c, n_c), Counts::new(x_b, n_b)).expect("valid");
            let (slow_c, slow_b) = ([45.0, 9.0, x_c], [430.0, 80.0, x_b]);
            let (slow_c, slow_b) = (SlowCounts::new(&slow_c, n_c), SlowCounts::new(&slow_b, n_b));
            of_slow.update(&slow, slow_c, slow_b).expect("valid");
        }
        [of_rates.log_e(&rates), of_trials.log_e(&trials), of_slow.log_e(&slow)].map(f64::to_bits)
    };
    let got = [
        bits((Direction::Worse, 1.0, 2.0)),
        bits((Direction::Worse, 1.25, 2.0)),
        bits((Direction::Better, 1.0, 0.5)),
    ];
    let recorded: [[u64; 3]; 3] = [
        [0x4040_f576_fce4_97a9, 0x4040_6640_5104_667e, 0x403f_e7f9_4423_cb4e],
        [0x4035_d0eb_ee2f_c7e8, 0x4037_86cf_2230_d529, 0x4035_750e_fef3_c0d9],
        [0xc046_70c8_f8b6_e58b, 0xc02a_12b9_6e0e_7452, 0xc014_22ff_4768_da96],
    ];
    assert_eq!(got, recorded, "{got:#x?}");
}
