//! Tests that need the counts of every instance: randomisation, one bad instance.

use hotfix_core::stats::instances::BadInstance;
use hotfix_core::stats::randomisation::{
    DEFAULT_LOOKS, Randomisation, RandomisationDesign, RandomisationSettings,
};
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use hotfix_core::stats::{Counts, StatError};

use crate::noise::{Law, Service, sum};

fn pods(count: usize) -> Vec<String> {
    (0..count).map(|pod| format!("pod-{pod:02}")).collect()
}

fn design_of(instances: usize, canary: usize, subsets: usize, seed: u64) -> RandomisationDesign {
    let names = pods(instances);
    let settings = RandomisationSettings::new(names.clone(), names[..canary].to_vec(), seed);
    RandomisationDesign::try_new(&RandomisationSettings { subsets, ..settings })
        .expect("valid settings")
}

/// The tick at which a rollout is rolled back.
fn randomised(design: &RandomisationDesign, service: &mut Service, ratio: f64) -> Option<u32> {
    let mut state = Randomisation::new(design);
    let mut now = vec![Counts::default(); service.instances];
    (1..=*DEFAULT_LOOKS.last().expect("looks")).find(|_| {
        service.tick(10, ratio, &mut now);
        state.update(design, &now).expect("valid counts")
    })
}

/// Share and median tick of the rollbacks.
fn rollbacks(law: Law, per_minute: f64, ratio: f64, runs: u64, subsets: usize) -> (f64, u32) {
    let mut found: Vec<u32> = (0..runs)
        .map(|run| {
            // The canary is the first ten; which instances those are is as good as drawn, because the
            // noise takes no notice of their places.
            let design = design_of(20, 10, subsets, run);
            let mut service = Service::new(law, 20, per_minute, 0.003, run);
            randomised(&design, &mut service, ratio).unwrap_or(u32::MAX)
        })
        .collect();
    found.sort_unstable();
    let decided = found.partition_point(|tick| *tick < u32::MAX);
    (decided as f64 / runs as f64, found[found.len() / 2])
}

#[test]
fn stat_2_randomisation_is_exact_under_bursts() {
    // 100 subsets at 0.1 instead of 2,000 at 0.01: the claim is the same and shows in fewer runs.
    for law in [Law::OnOff(30.0), Law::Wandering(1.0, 0.99), Law::NegativeBinomial(10.0)] {
        let runs = 150;
        let mut rolled_back = 0;
        for run in 0..runs {
            let names = pods(20);
            let settings = RandomisationSettings {
                alpha: 0.1,
                subsets: 100,
                ..RandomisationSettings::new(names.clone(), names[..10].to_vec(), run)
            };
            let design = RandomisationDesign::try_new(&settings).expect("valid settings");
            let mut service = Service::new(law, 20, 5_000.0, 0.003, run);
            rolled_back += u32::from(randomised(&design, &mut service, 1.0).is_some());
        }
        let share = f64::from(rolled_back) / f64::from(u32::try_from(runs).expect("few"));
        // Two standard errors of 150 runs at 0.1.
        assert!(share <= 0.1 + 0.049, "{law:?}: {share}");
    }
}

#[test]
fn stat_2_randomisation_finds_a_regression() {
    let (found, median) = rollbacks(Law::Independent, 1000.0, 5.0, 31, 2_000);
    assert!(found > 0.99 && (12..=18).contains(&median), "{found} {median}");
    let (found, median) = rollbacks(Law::NegativeBinomial(2.0), 1000.0, 5.0, 31, 2_000);
    assert!(found > 0.99 && (18..=30).contains(&median), "{found} {median}");
}

/// The larger campaign: `cargo test --release --test it stat_instances:: -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn stat_2_randomisation_at_length() {
    for law in [
        Law::Independent,
        Law::NegativeBinomial(2.0),
        Law::NegativeBinomial(10.0),
        Law::OnOff(30.0),
        Law::Wandering(1.0, 0.99),
    ] {
        let (wrong, _) = rollbacks(law, 1000.0, 1.0, 2_000, 2_000);
        let (found, median) = rollbacks(law, 1000.0, 5.0, 400, 2_000);
        println!("{law:?}: false rollbacks {wrong:.4}, five-fold {found:.3} at tick {median}");
        assert!(wrong <= 0.01 + 2.0 * (0.01 * 0.99 / 2_000.0_f64).sqrt(), "{law:?}: {wrong}");
    }
}

/// Evidence of one subset by the plain test.
fn evidence_of(members: impl Fn(usize) -> bool, ticks: &[Vec<Counts>]) -> f64 {
    let design = RateRatioDesign::try_new(&RateRatioSettings::default()).expect("valid settings");
    let mut test = RateRatio::new(&design);
    for now in ticks {
        let (mut canary, mut rest) = (Vec::new(), Vec::new());
        for (at, counts) in now.iter().enumerate() {
            if members(at) { canary.push(*counts) } else { rest.push(*counts) }
        }
        test.update(&design, sum(&canary), sum(&rest)).expect("valid counts");
    }
    test.log_e(&design)
}

#[test]
fn stat_2_each_subset_has_the_plain_tests_evidence() {
    // All 45 pairs of ten instances: the canary's p-value is its place among drawn pairs.
    let mut service = Service::new(Law::Independent, 10, 2_000.0, 0.01, 11);
    let mut ticks = vec![vec![Counts::default(); 10]; 12];
    for now in &mut ticks {
        service.tick(2, 6.0, now);
    }
    // A tick in which only the canary has data says nothing of any subset that it fills.
    ticks[4][2..].fill(Counts::default());
    let names = pods(10);
    let settings = RandomisationSettings {
        subsets: 400,
        alpha: 0.05,
        evaluations: Some(vec![12]),
        ..RandomisationSettings::new(names.clone(), names[..2].to_vec(), 5)
    };
    let design = RandomisationDesign::try_new(&settings).expect("valid settings");
    let mut state = Randomisation::new(&design);
    for now in &ticks {
        state.update(&design, now).expect("valid counts");
    }
    let canary = evidence_of(|at| at < 2, &ticks);
    assert!((state.log_e(&design) - canary).abs() < 1e-9 * canary.abs());
    let mut better = 0;
    for a in 0..10 {
        for b in a + 1..10 {
            better += u32::from(evidence_of(|at| at == a || at == b, &ticks) > canary + 1e-9);
        }
    }
    assert_eq!(better, 0, "the canary is the worst pair");
    // Copies of the canary's pair among the 399 draws, about nine of them, come first.
    let copies = state.p_value() * 400.0 - 1.0;
    assert!(state.decided() && (2.0..19.0).contains(&copies), "{copies}");
}

#[test]
fn stat_2_budgets_are_kept_and_ties_lost() {
    // Nothing tells subsets of alike instances apart: all tie, the canary loses, nothing is decided.
    let design = design_of(20, 10, 2_000, 3);
    let mut state = Randomisation::new(&design);
    for _ in 0..300 {
        let now = vec![Counts::new(1.0, 10.0); 20];
        assert_eq!(state.update(&design, &now), Ok(false));
    }
    assert_eq!((state.p_value(), state.ticks()), (1.0, 300));
    // A canary that is bad from the first look on is spent first.
    let mut state = Randomisation::new(&design);
    let bad = |at: usize| Counts::new(if at < 10 { 2.0 } else { 0.0 }, 50.0);
    let now: Vec<Counts> = (0..20).map(bad).collect();
    let decided: Vec<bool> =
        (0..4).map(|_| state.update(&design, &now).expect("valid counts")).collect();
    assert_eq!(decided, [false, false, true, true]);
    assert_eq!(state.p_value(), 1.0 / 2_000.0);
    assert_eq!(state.evidence(&design).ratio, Some(80.0 / 0.5));
    // After the last look nothing is decided any more.
    let mut late = Randomisation::new(&design);
    for _ in 0..300 {
        late.update(&design, &[Counts::default(); 20]).expect("no data");
    }
    for _ in 0..30 {
        assert_eq!(late.update(&design, &now), Ok(false));
    }
    assert_eq!(late.ticks(), 330);
}

#[test]
fn stat_2_draws_within_zones_keep_each_zones_part() {
    // Zone a is bad for everyone. A canary of two of its four and one of b's eight is one of 48 such
    // subsets, all equally bad.
    let names = pods(12);
    let canary = [0, 1, 4].map(|at: usize| names[at].clone()).to_vec();
    let settings = |zones: Option<Vec<Vec<String>>>| RandomisationSettings {
        subsets: 500,
        alpha: 0.1,
        evaluations: Some(vec![3]),
        zones,
        ..RandomisationSettings::new(names.clone(), canary.clone(), 9)
    };
    let now: Vec<Counts> =
        (0..12).map(|at| Counts::new(if at < 4 { 6.0 } else { 0.0 }, 50.0)).collect();
    let decided = |zones| {
        let design = RandomisationDesign::try_new(&settings(zones)).expect("valid settings");
        let mut state = Randomisation::new(&design);
        (0..3).any(|_| state.update(&design, &now).expect("valid counts"))
    };
    assert!(!decided(Some(vec![names[..4].to_vec(), names[4..].to_vec()])));
    assert!(!decided(None), "18% of all subsets of three have as many of zone a");
    let split = |zones: Vec<Vec<String>>| RandomisationDesign::try_new(&settings(Some(zones)));
    assert_eq!(code(split(vec![names[..4].to_vec()])), "HF-STAT-035");
    assert_eq!(code(split(vec![names.clone(), names[..1].to_vec()])), "HF-STAT-036");
}

fn code<T: std::fmt::Debug>(result: Result<T, StatError>) -> &'static str {
    result.expect_err("it is refused").code()
}

#[test]
fn field_5_settings_and_counts_that_are_none_are_refused() {
    let names = pods(20);
    let usual = RandomisationSettings::new(names.clone(), names[..10].to_vec(), 0);
    let table = [
        (RandomisationSettings { alpha: 2.0, ..usual.clone() }, "HF-STAT-001"),
        (RandomisationSettings { tolerated: 0.0, ..usual.clone() }, "HF-STAT-011"),
        (RandomisationSettings { budget: Some(vec![1.0]), ..usual.clone() }, "HF-STAT-008"),
        (RandomisationSettings { evaluations: Some(vec![3, 3]), ..usual.clone() }, "HF-STAT-030"),
        (RandomisationSettings { evaluations: Some(Vec::new()), ..usual.clone() }, "HF-STAT-030"),
        (RandomisationSettings { budget: Some(vec![0.1; 9]), ..usual.clone() }, "HF-STAT-030"),
        (RandomisationSettings { subsets: 2_000_000, ..usual.clone() }, "HF-STAT-030"),
        (RandomisationSettings { seed: u64::MAX, ..usual.clone() }, "HF-STAT-030"),
        (RandomisationSettings { instances: pods(1), ..usual.clone() }, "HF-STAT-034"),
        (RandomisationSettings { instances: pods(9), ..usual.clone() }, "HF-STAT-035"),
        (
            RandomisationSettings { canary: vec![names[0].clone(); 2], ..usual.clone() },
            "HF-STAT-036",
        ),
        (RandomisationSettings { canary: Vec::new(), ..usual.clone() }, "HF-STAT-037"),
        (RandomisationSettings { canary: names.clone(), ..usual.clone() }, "HF-STAT-037"),
        (RandomisationSettings { subsets: 99, ..usual.clone() }, "HF-STAT-038"),
    ];
    for (settings, expected) in table {
        assert_eq!(code(RandomisationDesign::try_new(&settings)), expected);
    }
    let design = RandomisationDesign::try_new(&usual).expect("valid settings");
    let mut state = Randomisation::new(&design);
    let before = state.clone();
    assert_eq!(code(state.update(&design, &[Counts::new(0.0, 1.0); 19])), "HF-STAT-039");
    let mut bad = [Counts::new(0.0, 1.0); 20];
    bad[19] = Counts::new(f64::NAN, 1.0);
    assert_eq!(code(state.update(&design, &bad)), "HF-STAT-002");
    let other = RandomisationDesign::try_new(&RandomisationSettings { seed: 1, ..usual });
    let other = other.expect("valid settings");
    assert_eq!(code(state.update(&other, &[Counts::default(); 20])), "HF-STAT-017");
    assert_eq!(state, before, "nothing was taken in");
}

/// Whether tests of single instances are those of the usual settings at this alpha.
fn made_with(bad: &BadInstance, alpha: f64) -> Result<(), &'static str> {
    let settings = RateRatioSettings { alpha, ..RateRatioSettings::default() };
    bad.check(&settings).map_err(|error| error.code())
}

/// The document with one term less in every row, as of a grid with one point less.
fn fewer_terms(text: &str) -> String {
    fn shorten(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Array(list) if list.iter().all(serde_json::Value::is_number) => {
                list.pop();
            }
            serde_json::Value::Array(list) => list.iter_mut().for_each(shorten),
            serde_json::Value::Object(fields) => fields
                .iter_mut()
                .filter(|(name, _)| ["terms", "tests", "without"].contains(&name.as_str()))
                .for_each(|(_, value)| shorten(value)),
            _ => {}
        }
    }
    let mut document = serde_json::from_str(text).expect("JSON");
    shorten(&mut document);
    let short = document.to_string();
    assert_ne!(short.len(), text.len(), "there are terms");
    short
}

#[test]
fn roll_7_states_come_back_from_their_documents() {
    let design = design_of(20, 10, 200, 3);
    let mut state = Randomisation::new(&design);
    let mut service = Service::new(Law::Independent, 20, 3_000.0, 0.003, 8);
    let mut now = vec![Counts::default(); 20];
    // Two of 200 may be spent, the first of them at tick 30.
    for _ in 0..40 {
        service.tick(10, 20.0, &mut now);
        state.update(&design, &now).expect("valid counts");
    }
    let text = serde_json::to_string(&state).expect("writes");
    let mut back: Randomisation = serde_json::from_str(&text).expect("reads");
    assert!(state.decided());
    for _ in 0..20 {
        service.tick(10, 5.0, &mut now);
        assert_eq!(back.update(&design, &now), state.update(&design, &now));
    }
    assert_eq!(back.evidence(&design), state.evidence(&design));
    for (whole, part) in [
        (r#""version":1"#, r#""version":9"#),
        (r#""spent":["#, r#""spent":[9999,"#),
        (r#""rank":"#, r#""rank":9"#),
        (r#""terms":[["#, r#""terms":[[1.0,"#),
    ] {
        assert!(text.contains(whole));
        assert!(serde_json::from_str::<Randomisation>(&text.replacen(whole, part, 1)).is_err());
    }

    let short: Randomisation = serde_json::from_str(&fewer_terms(&text)).expect("reads");
    let other = short.check(&design).expect_err("a term less than the grid has points");
    assert_eq!(other.code(), "HF-STAT-017");

    let mut bad = BadInstance::try_new(&RateRatioSettings::default(), pods(5)).expect("enough");
    let tick = [4.0, 0.0, 0.0, 0.0, 1.0].map(|events| Counts::new(events, 100.0));
    for _ in 0..3 {
        bad.update(&tick).expect("valid counts");
    }
    let text = serde_json::to_string(&bad).expect("writes");
    let back: BadInstance = serde_json::from_str(&text).expect("reads");
    assert!(back.found().eq(bad.found()) && back.log_e().eq(bad.log_e()));
    assert!(serde_json::from_str::<BadInstance>(&fewer_terms(&text)).is_err());
    assert_eq!(made_with(&bad, 0.02), Err("HF-STAT-017"));
    assert_eq!(made_with(&bad, 0.01), Ok(()));
    let text = serde_json::to_string(&bad).expect("writes");
    // Settings that the states were not made for.
    assert!(serde_json::from_str::<BadInstance>(&text.replace("0.01", "0.02")).is_err());
}

#[test]
fn stat_2_a_bad_instance_is_named_and_a_good_one_is_not() {
    let settings = RateRatioSettings::default();
    let (mut wrong, mut right, mut first) = (0, 0, 0);
    let runs = 100;
    for run in 0..runs {
        let mut service = Service::new(Law::Independent, 50, 1000.0, 0.003, run);
        let mut alike = BadInstance::try_new(&settings, pods(5)).expect("enough");
        let mut one = alike.clone();
        // The limits that a history of independent errors gives.
        let design = RateRatioDesign::try_new(&settings)
            .and_then(|design| design.with_limits(Some(1.6), Some(5.4)))
            .expect("valid limits");
        let mut whole = RateRatio::new(&design);
        let mut now = vec![Counts::default(); 50];
        let (mut found, mut crossed) = (None, None);
        for tick in 0..300 {
            // All canary instances ten times as bad: no single one stands out.
            service.tick(5, 10.0, &mut now);
            wrong += usize::from(
                alike.found().next().is_none() && alike.update(&now[..5]).expect("valid").is_some(),
            );
            // One of them thirty times as bad.
            service.tick(1, 30.0, &mut now);
            let bad = one.update(&now[..5]).expect("valid counts");
            found = found.or(bad.map(|bad| (tick, bad)));
            whole.update(&design, sum(&now[..5]), sum(&now[5..])).expect("valid counts");
            crossed = crossed.or(whole.decided().then_some(tick));
        }
        right += usize::from(found.is_some_and(|(_, bad)| bad == 0));
        first += usize::from(matches!((found, crossed), (Some((at, _)), Some(all)) if at <= all));
    }
    // Stated: a good one in at most 0.003, a bad one always, and sooner than the whole passes.
    assert!(wrong as u64 * 100 <= runs * 2, "{wrong} of {runs}");
    assert_eq!(right as u64, runs);
    assert!(first as u64 * 2 > runs, "{first} of {runs}");
    assert_eq!(code(BadInstance::try_new(&settings, pods(1))), "HF-STAT-034");
    let twice = vec!["a".to_owned(), "a".to_owned()];
    assert_eq!(code(BadInstance::try_new(&settings, twice)), "HF-STAT-036");
    let high = RateRatioSettings { alpha: 1.5, ..settings };
    assert_eq!(code(BadInstance::try_new(&high, pods(2))), "HF-STAT-001");
}
