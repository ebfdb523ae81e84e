//! Tests of counts with limits and horizons, ceilings and sums by split against exact references.

use hotfix_core::stats::bernoulli::{Bernoulli, BernoulliDesign, BernoulliSettings};
use hotfix_core::stats::ceiling::{Ceiling, CeilingDesign, CeilingSettings};
use hotfix_core::stats::interval::ratio_interval;
use hotfix_core::stats::numeric::{exp, ln};
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use hotfix_core::stats::{Counts, Direction, Evidence, MAX_SPLITS, SplitTotals, StatError, Totals};
use num_bigint::BigUint;
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use serde::Deserialize;

/// A fraction of whole numbers, never rounded.
#[derive(Clone)]
struct Fraction(BigUint, BigUint);

impl Fraction {
    fn new(over: u64, under: u64) -> Self {
        Self(over.into(), under.into())
    }

    fn times(&self, other: &Self) -> Self {
        Self(&self.0 * &other.0, &self.1 * &other.1)
    }

    fn over(&self, other: &Self) -> Self {
        Self(&self.0 * &other.1, &self.1 * &other.0)
    }

    fn plus(&self, other: &Self) -> Self {
        Self(&self.0 * &other.1 + &other.0 * &self.1, &self.1 * &other.1)
    }

    /// One less it.
    fn rest(&self) -> Self {
        Self(&self.1 - &self.0, self.1.clone())
    }

    fn power(&self, exponent: u32) -> Self {
        Self(self.0.pow(exponent), self.1.pow(exponent))
    }

    fn smaller(self, other: Self) -> Self {
        if &self.0 * &other.1 <= &other.0 * &self.1 { self } else { other }
    }

    fn ln(&self) -> f64 {
        let shift = 90 + self.1.bits();
        let quotient = (&self.0 << shift) / &self.1;
        let excess = quotient.bits().saturating_sub(64);
        let top = u64::try_from(&quotient >> excess).expect("64 bits");
        ln(top as f64) + (excess as f64 - shift as f64) * core::f64::consts::LN_2
    }
}

/// Section 5 as it is written, in whole numbers: cash, stakes, and even weights.
struct Reference {
    horizon: Option<u64>,
    cap: Option<u64>,
    granted: u64,
    ticks: u64,
    stakes: Vec<Fraction>,
}

impl Reference {
    fn new(points: usize, horizon: Option<u64>, cap: Option<u64>) -> Self {
        let first = if horizon.is_some() { Fraction::new(1, 2) } else { Fraction::new(1, 1) };
        Self { horizon, cap, granted: 0, ticks: 0, stakes: vec![first; points] }
    }

    /// A tick by whose factors the stakes grow; none where it has no data.
    fn tick(&mut self, factors: Option<Vec<Fraction>>) {
        self.ticks += 1;
        if let Some(horizon) = self.horizon
            && self.ticks > 1
            && self.granted < horizon
        {
            self.granted += 1;
            let grant = Fraction::new(1, 2 * horizon);
            self.stakes = self.stakes.iter().map(|stake| stake.plus(&grant)).collect();
        }
        for (stake, factor) in self.stakes.iter_mut().zip(factors.into_iter().flatten()) {
            let cap = self.cap.map(|cap| Fraction::new(cap, 1));
            *stake = stake.times(&cap.map_or(factor.clone(), |cap| factor.smaller(cap)));
        }
    }

    fn log_e(&self) -> f64 {
        let points = Fraction::new(1, self.stakes.len() as u64);
        let cash = self.horizon.map_or(Fraction::new(0, 1), |horizon| {
            Fraction::new(horizon - self.granted, 2 * horizon)
        });
        self.stakes.iter().fold(cash, |sum, stake| sum.plus(&stake.times(&points))).ln()
    }
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0)
}

/// A number below `bound`.
fn below(bound: u32, stream: &mut Pcg64) -> u32 {
    u32::try_from((u64::from(stream.next_u32()) * u64::from(bound)) >> 32).expect("below a u32")
}

/// Horizon, cap as a factor, whether increments count half.
const FORMS: [(Option<u32>, Option<u32>, bool); 7] = [
    (None, None, false),
    (None, Some(3), false),
    (None, None, true),
    (Some(12), None, false),
    (Some(5), Some(3), false),
    (Some(1), None, true),
    (Some(9), Some(2), true),
];

fn counts(events: u32, trials: u32) -> Counts {
    Counts::new(f64::from(events), f64::from(trials))
}

#[test]
fn stat_2_the_rate_ratio_in_every_form_equals_whole_numbers() {
    let grid = [2_u32, 3, 7, 19];
    for (direction, null) in
        [(Direction::Worse, 1_u32), (Direction::Worse, 2), (Direction::Better, 2)]
    {
        for (seed, (horizon, cap, halved)) in FORMS.into_iter().enumerate() {
            let design = RateRatioDesign::try_new(&RateRatioSettings {
                direction,
                tolerated: f64::from(null),
                margin: f64::from(null),
                grid: Some(grid.map(f64::from).to_vec()),
                temper: if halved { 0.5 } else { 1.0 },
                cap: cap.map(|cap| ln(f64::from(cap))),
                horizon,
                ..RateRatioSettings::default()
            })
            .expect("valid settings");
            let mut stream = Pcg64::seed_from_u64(seed as u64);
            let mut test = RateRatio::new(&design);
            let mut exact = Reference::new(4, horizon.map(u64::from), cap.map(u64::from));
            for tick in 0..16 {
                let n_c = if tick % 5 == 3 { 0 } else { 20 + below(60, &mut stream) };
                let (n_b, x_c, x_b) =
                    (300 + below(200, &mut stream), below(4, &mut stream), below(6, &mut stream));
                // Twice the events where they count half: the same exponents in whole numbers.
                let fed = if halved { 2 } else { 1 };
                test.update(&design, counts(fed * x_c, n_c), counts(fed * x_b, n_b))
                    .expect("valid counts");
                let of_point = |g: u32| {
                    // Better: g is the inverse of the point's ratio.
                    let (up, down) = if direction == Direction::Worse { (g, 1) } else { (1, g) };
                    let [up, down, null, n_c, n_b] = [up, down, null, n_c, n_b].map(u64::from);
                    let base =
                        Fraction::new((null * n_c + n_b) * down, null * up * n_c + down * n_b);
                    Fraction::new(up, down).power(x_c).times(&base.power(x_c + x_b))
                };
                let factors = (n_c > 0).then(|| grid.iter().map(|&g| of_point(g)).collect());
                exact.tick(factors);
                let (got, want) = (test.log_e(&design), exact.log_e());
                assert!(
                    near(got, want, 1e-13),
                    "{direction:?} {null} {horizon:?} {cap:?} {halved}, tick {tick}: {got} {want}"
                );
                let bounds = test.bounds(&design);
                assert!(bounds.lower <= got + 1e-12 && got <= bounds.upper + 1e-12);
                assert!(got - bounds.lower <= ln(5.0) + 1e-12);
            }
        }
    }
}

#[test]
fn stat_2_bernoulli_in_every_form_equals_whole_numbers() {
    // Nothing tolerated: the closest null point is the pooled rate, and all are fractions.
    let grid = [2_u32, 5];
    for direction in [Direction::Worse, Direction::Better] {
        for (seed, (horizon, cap, halved)) in FORMS.into_iter().enumerate() {
            let design = BernoulliDesign::try_new(&BernoulliSettings {
                direction,
                margin: 1.0,
                grid: Some(grid.map(f64::from).to_vec()),
                temper: if halved { 0.5 } else { 1.0 },
                cap: cap.map(|cap| ln(f64::from(cap))),
                horizon,
                ..BernoulliSettings::default()
            })
            .expect("valid settings");
            let mut stream = Pcg64::seed_from_u64(seed as u64);
            let mut test = Bernoulli::new(&design);
            let mut exact = Reference::new(2, horizon.map(u64::from), cap.map(u64::from));
            // Twice the past events and prior, and the past trials and prior.
            let (mut past_x, mut past_n) = (1_u32, 50_u32);
            for tick in 0..6 {
                let fed = if halved { 2 } else { 1 };
                let n_c = if tick == 2 { 0 } else { 3 + below(4, &mut stream) };
                let (n_b, x_b) = (9 + below(6, &mut stream), below(4, &mut stream));
                let x_c = if n_c == 0 { 0 } else { below(3, &mut stream) };
                let (canary, baseline) =
                    (counts(fed * x_c, fed * n_c), counts(fed * x_b, fed * n_b));
                test.update(&design, canary, baseline).expect("valid counts");
                let of_point = |g: u32| {
                    let r = match direction {
                        Direction::Worse => Fraction::new(g.into(), 1),
                        Direction::Better => Fraction::new(1, g.into()),
                    };
                    let w = Fraction::new(n_c.into(), (n_c + n_b).into());
                    let p = Fraction::new(past_x.into(), (2 * past_n).into());
                    let t_b = p.over(&w.times(&r).plus(&w.rest()));
                    let odds = r.times(&t_b).over(&t_b.rest());
                    let t_a = odds.over(&Fraction::new(1, 1).plus(&odds));
                    let q = w.times(&t_a).plus(&w.rest().times(&t_b));
                    let (loud_c, loud_b) = (t_a.over(&q), t_b.over(&q));
                    let (calm_c, calm_b) = (t_a.rest().over(&q.rest()), t_b.rest().over(&q.rest()));
                    let arms = loud_c.power(x_c).times(&calm_c.power(n_c - x_c));
                    arms.times(&loud_b.power(x_b)).times(&calm_b.power(n_b - x_b))
                };
                exact.tick((n_c > 0).then(|| grid.iter().map(|&g| of_point(g)).collect()));
                if n_c > 0 {
                    past_x += 2 * fed * (x_c + x_b);
                    past_n += fed * (n_c + n_b);
                }
                let (got, want) = (test.log_e(&design), exact.log_e());
                assert!(
                    near(got, want, 1e-13),
                    "{direction:?} {horizon:?} {cap:?} {halved}, tick {tick}: {got} {want}"
                );
            }
        }
    }
}

#[test]
fn stat_2_limits_change_under_a_state_and_other_settings_do_not() {
    let settings = RateRatioSettings::default();
    let phase = RateRatioDesign::try_new(&settings).expect("valid settings");
    let next = phase.with_limits(Some(0.5), Some(7.0)).expect("valid limits");
    assert_eq!((next.threshold(), next.cap()), (7.0, Some(0.5)));
    let mut test = RateRatio::new(&phase);
    for _ in 0..2 {
        test.update(&phase, counts(3, 100), counts(3, 900)).expect("valid counts");
    }
    let before = test.log_e(&phase);
    assert!(before < 7.0);
    test.update(&next, counts(60, 100), counts(3, 900)).expect("one state for both");
    assert!(test.log_e(&next) <= before + 0.5 + 1e-12, "one burst adds no more than the cap");
    assert_eq!(next.with_limits(None, None).as_ref(), Ok(&phase));
    let of_trials = BernoulliDesign::try_new(&BernoulliSettings::default()).expect("valid");
    let limited = of_trials.with_limits(Some(0.5), Some(7.0)).expect("valid limits");
    assert_eq!(Bernoulli::new(&of_trials).check(&limited), Ok(()));
    for other in [
        RateRatioSettings { temper: 0.5, ..settings.clone() },
        RateRatioSettings { horizon: Some(60), ..settings.clone() },
        RateRatioSettings { alpha: 0.02, ..settings.clone() },
        RateRatioSettings { grid: Some(vec![2.0]), ..settings },
    ] {
        let other = RateRatioDesign::try_new(&other).expect("valid settings");
        assert_eq!(test.check(&other), Err(StatError::DesignMismatch));
        assert_eq!(test.update(&other, counts(0, 1), counts(0, 1)), Err(StatError::DesignMismatch));
    }
}

#[test]
fn stat_2_limits_and_horizons_are_checked() {
    let base = RateRatioSettings::default;
    let refused = [
        (RateRatioSettings { temper: 0.0, ..base() }, "HF-STAT-024"),
        (RateRatioSettings { temper: 1.5, ..base() }, "HF-STAT-024"),
        (RateRatioSettings { temper: f64::NAN, ..base() }, "HF-STAT-024"),
        (RateRatioSettings { cap: Some(0.0), ..base() }, "HF-STAT-016"),
        (RateRatioSettings { cap: Some(f64::INFINITY), ..base() }, "HF-STAT-016"),
        (RateRatioSettings { threshold: Some(0.0), ..base() }, "HF-STAT-025"),
        (RateRatioSettings { threshold: Some(f64::NAN), ..base() }, "HF-STAT-025"),
        (RateRatioSettings { horizon: Some(0), ..base() }, "HF-STAT-026"),
    ];
    for (settings, code) in refused {
        let error = RateRatioDesign::try_new(&settings).expect_err("refused");
        assert_eq!(error.code(), code, "{settings:?}");
        let settings = BernoulliSettings {
            temper: settings.temper,
            cap: settings.cap,
            threshold: settings.threshold,
            horizon: settings.horizon,
            ..BernoulliSettings::default()
        };
        assert_eq!(BernoulliDesign::try_new(&settings).expect_err("refused").code(), code);
    }
    let planned = RateRatioSettings { horizon: Some(9), ..base() };
    let design = RateRatioDesign::try_new(&planned).expect("valid settings");
    let (mut one, other) = (RateRatio::new(&design), RateRatio::new(&design));
    let error = one.merge(&design, &other).expect_err("its ticks have an order");
    assert_eq!((error.code(), one), ("HF-STAT-023", other));
    for (settings, code) in [
        (CeilingSettings::below(0.0), "HF-STAT-027"),
        (CeilingSettings::below(1.0), "HF-STAT-027"),
        (CeilingSettings::below(f64::NAN), "HF-STAT-027"),
        (CeilingSettings { grid: Some(vec![1.0]), ..CeilingSettings::below(0.1) }, "HF-STAT-028"),
        (CeilingSettings { grid: Some(vec![]), ..CeilingSettings::below(0.1) }, "HF-STAT-006"),
        (CeilingSettings { alpha: 0.0, ..CeilingSettings::below(0.1) }, "HF-STAT-001"),
        (
            CeilingSettings { weights: Some(vec![1.0]), ..CeilingSettings::below(0.1) },
            "HF-STAT-008",
        ),
    ] {
        assert_eq!(CeilingDesign::try_new(&settings).expect_err("refused").code(), code);
    }
}

#[test]
fn stat_3_a_ceiling_takes_the_stated_requests() {
    let only_zero = CeilingSettings { grid: Some(vec![0.0]), ..CeilingSettings::below(0.005) };
    for (settings, stated) in [(only_zero, 598.0), (CeilingSettings::below(0.005), 690.0)] {
        let design = CeilingDesign::try_new(&settings).expect("valid settings");
        assert_eq!(design.clean_trials(), stated);
        let mut test = Ceiling::new(&design);
        assert_eq!(test.update(&design, Counts::new(0.0, stated - 1.0)), Ok(false));
        assert_eq!(test.update(&design, Counts::new(0.0, 1.0)), Ok(true));
    }
    // For 1e-9 three thousand million clean requests, and no rounding that would spare one.
    let tiny = CeilingDesign::try_new(&CeilingSettings::below(1e-9)).expect("valid settings");
    let clean = tiny.clean_trials();
    let mut test = Ceiling::new(&tiny);
    assert_eq!(test.update(&tiny, Counts::new(0.0, clean - 1.0)), Ok(false));
    assert_eq!(test.update(&tiny, Counts::new(0.0, 1.0)), Ok(true));
}

#[test]
fn stat_3_a_share_that_nothing_tells_from_the_ceiling_takes_for_ever() {
    let share = 1.0f64.next_down();
    let settings = CeilingSettings { grid: Some(vec![share]), ..CeilingSettings::below(1e-12) };
    let clean = CeilingDesign::try_new(&settings).expect("valid settings").clean_trials();
    assert!(clean > 1e26, "{clean}");
}

#[test]
fn stat_3_no_rate_above_a_ceiling_lets_the_evidence_grow() {
    let settings = CeilingSettings::below(0.2);
    let design = CeilingDesign::try_new(&settings).expect("valid settings");
    for p in [0.2, 0.3, 0.9, 1.0] {
        for trials in [1_u32, 4, 12] {
            let mean: f64 = (0..=trials)
                .map(|x| {
                    let mut test = Ceiling::new(&design);
                    test.update(&design, counts(x, trials)).expect("valid counts");
                    let ways: f64 =
                        (0..x).map(|i| f64::from(trials - i) / f64::from(i + 1)).product();
                    let chance = ways
                        * (0..x).map(|_| p).product::<f64>()
                        * (x..trials).map(|_| 1.0 - p).product::<f64>();
                    chance * exp(test.log_e(&design))
                })
                .sum();
            assert!(mean <= 1.0 + 1e-12, "{p} {trials}: {mean}");
        }
    }
}

const CEILING_CASES: &str = include_str!("../cases/stat/ceiling.toml");

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    settings: CeilingSettings,
    updates: Vec<[f64; 2]>,
    repeat: usize,
    expect: Expected,
}

#[derive(Debug, Deserialize)]
struct Expected {
    log_e: f64,
    p_value: f64,
    decided_at: usize,
    ratio: Option<f64>,
}

#[test]
fn stat_3_ceiling_cases() {
    let cases: Cases = toml::from_str(CEILING_CASES).expect("cases parse");
    for case in &cases.case {
        let design = CeilingDesign::try_new(&case.settings).expect("valid settings");
        let (mut test, mut decided_at) = (Ceiling::new(&design), 0);
        let mut parts = [Ceiling::new(&design); 2];
        for (tick, [x, n]) in (0..case.repeat).flat_map(|_| &case.updates).enumerate() {
            let decided = test.update(&design, Counts::new(*x, *n)).expect("valid counts");
            parts[tick % 2].update(&design, Counts::new(*x, *n)).expect("valid counts");
            if decided && decided_at == 0 {
                decided_at = tick + 1;
            }
            // What is read back is the same state.
            let text = serde_json::to_string(&test).expect("writes");
            assert_eq!(serde_json::from_str::<Ceiling>(&text).expect("reads"), test);
        }
        let (Evidence { log_e, p_value, ratio, .. }, want) = (test.evidence(&design), &case.expect);
        let same = near(log_e, want.log_e, 1e-12)
            && (p_value - want.p_value).abs() <= 1e-11 * want.p_value
            && decided_at == want.decided_at
            && near(ratio.unwrap_or(-1.0), want.ratio.unwrap_or(-1.0), 1e-14);
        assert!(same, "{}: {log_e} {p_value} {ratio:?} {decided_at}, {want:?}", case.id);
        let [mut merged, other] = parts;
        merged.merge(&design, &other).expect("one design");
        let merged = merged.evidence(&design);
        assert_eq!((merged.log_e, merged.ratio), (log_e, ratio));
    }
}

#[test]
fn stat_4_sums_by_planned_split() {
    let mut sums = SplitTotals::new();
    let none = ratio_interval(&[], 0.99).expect("a level");
    assert_eq!(none.high, f64::INFINITY);
    assert_eq!(sums.add(0.1, counts(3, 100), counts(9, 900)), Ok(true));
    assert_eq!(sums.add(0.5, counts(4, 500), counts(5, 500)), Ok(true));
    assert_eq!(sums.add(0.1, counts(2, 110), counts(8, 890)), Ok(true));
    assert_eq!(sums.add(1.0, counts(1, 10), Counts::default()), Ok(true));
    let strata = [
        Totals { canary: counts(5, 210), baseline: counts(17, 1790) },
        Totals { canary: counts(4, 500), baseline: counts(5, 500) },
    ];
    assert!(sums.totals().eq(&strata));
    let text = serde_json::to_string(&sums).expect("writes");
    assert_eq!(serde_json::from_str::<SplitTotals>(&text).expect("reads"), sums);
    let before = sums;
    let error = sums.add(0.0, counts(1, 2), counts(1, 2)).expect_err("no share");
    assert_eq!((error.code(), sums), ("HF-STAT-020", before));
    let error = sums.add(0.1, Counts::new(f64::NAN, 2.0), counts(1, 2)).expect_err("no count");
    assert_eq!((error.code(), sums), ("HF-STAT-002", before));
    for k in 2..MAX_SPLITS {
        let share = 0.2 + 0.01 * k as f64;
        assert_eq!(sums.add(share, counts(1, 10), counts(1, 10)), Ok(true));
    }
    assert_eq!(sums.add(0.9, counts(9, 10), counts(1, 10)), Ok(false), "no room, left out");
    assert_eq!(sums.totals().count(), MAX_SPLITS);
    assert!(size_of::<SplitTotals>() <= 1024);
}
