//! Bursts minute by minute.

use super::*;
use crate::stats::numeric::{exp, ln};
use crate::stats::rate_ratio::RateRatioSettings;

fn minutes(count: i64) -> Timestamp {
    Timestamp::try_from_millis(60_000 * count).unwrap()
}

/// A live version with this number of failures in 1,000 requests of each minute.
fn live(failures: &[f64]) -> Live {
    let mut live = Live::default();
    for (events, minute) in failures.iter().zip(0..) {
        live.learn(minutes(minute), Counts::new(*events, 1_000.0));
    }
    live
}

/// One minute after the other: failures of the canary and of the live version, in 100 and 1,000
/// requests. The log evidence with all of them, and that which decides.
fn evidence(minutes_of_both: &[&[(f64, f64)]]) -> (f64, f64) {
    evidence_of(1, &minutes_of_both.concat())
}

/// As [`evidence`], in ticks of so many minutes.
fn evidence_of(tick: i64, minutes_of_both: &[(f64, f64)]) -> (f64, f64) {
    let (bursts, whole, design) = learned(tick, minutes_of_both);
    let known = KnownBursts { of: &bursts, design: &design };
    let whole = whole.log_e(&design);
    (whole, known.log_e().map_or(whole, |[least, _]| whole.min(least)))
}

fn learned(
    tick: i64,
    minutes_of_both: &[(f64, f64)],
) -> (Aligned<Bursts>, RateRatio, RateRatioDesign) {
    let design = RateRatioDesign::try_new(&RateRatioSettings::default()).unwrap();
    let (mut bursts, mut whole) = (Aligned::<Bursts>::default(), RateRatio::new(&design));
    for (&(canary, live), minute) in minutes_of_both.iter().zip(0..) {
        let (canary, live) = (Counts::new(canary, 100.0), Counts::new(live, 1_000.0));
        whole.update(&design, canary, live).unwrap();
        let at = minutes(tick * minute);
        bursts.each(|of| of.learn(at, (canary, live), 1.0, (&design, &whole)));
    }
    (bursts, whole, design)
}

/// The chance of a Poisson count of this mean to be at least so many.
fn at_least(least: f64, mean: f64) -> f64 {
    let (mut ln_chance, mut sum) = (-mean, 0.0);
    for count in (1..4_000).map(f64::from) {
        ln_chance += ln(mean) - ln(count);
        sum += if count >= least { exp(ln_chance) } else { 0.0 };
    }
    sum
}

#[test]
fn field_17_independent_errors_are_no_burst() {
    for mean in [0.01, 0.3, 1.0, 3.0, 20.0, 150.0, 1_000.0] {
        let usual = Counts::new(10_000.0 * mean, 1e7);
        let live = Live { usual, ..Live::default() };
        let is_burst = |events: &f64| live.is_burst(Counts::new(*events, 1_000.0));
        let least = (0..2_000).map(f64::from).find(is_burst).unwrap();
        let chance = at_least(least, mean);
        assert!(
            chance < 4e-5 && least < mean + 4.2 * mean.sqrt() + 6.0,
            "{mean}: {least} {chance}"
        );
    }
}

#[test]
fn field_17_what_ends_is_a_burst_and_what_stays_is_the_rate() {
    let calm = [3.0; 20];
    let of = |more: &[f64]| live(&[&calm, more].concat());
    assert_eq!(of(&[3.0, 2.0, 7.0]).bursts(), 0);
    let one = of(&[30.0, 25.0, 3.0, 3.0]);
    assert_eq!((one.bursts(), one.lasts), (1, 0));
    assert!(one.had().is_some_and(|of| (of.worst - 27.0).abs() < 0.5), "{one:?}");
    assert_eq!(of(&[30.0, 3.0, 3.0, 40.0]).bursts(), 2);
    let stays = of(&[30.0; 14]);
    assert!(!stays.is_burst(Counts::new(30.0, 1_000.0)), "{stays:?}");
    // Back to the rate of before, from which a burst differs again.
    let back = of(&[&[30.0; 14][..], &[3.0, 3.0, 2.0, 30.0]].concat());
    assert_eq!((back.bursts(), back.lasts), (1, 1), "{back:?}");
}

#[test]
fn field_17_what_becomes_the_rate_leaves_no_burst_behind() {
    let calm = [3.0; 20];
    let had = |more: &[f64]| live(&[&calm, more].concat()).had();
    // Until it has stayed for ten minutes it may be one.
    let ten = had(&[30.0; 10]).unwrap();
    assert_eq!((ten.bursts, ten.longest), (1, 10));
    assert_eq!(had(&[30.0; 11]), None);
    assert_eq!(had(&[30.0; 60]), None);
    // One that was over before is as it was, and what is above the new rate is one.
    let before = had(&[20.0, 20.0, 20.0, 3.0]).unwrap();
    let after = had(&[&[20.0, 20.0, 20.0, 3.0][..], &[30.0; 11]].concat()).unwrap();
    assert_eq!((after.bursts, after.longest), (before.bursts, before.longest));
    assert_eq!(after.worst, before.worst);
    assert_eq!(had(&[&[30.0; 20][..], &[90.0, 30.0]].concat()).unwrap().bursts, 1);
    // One that ends below the rate from before it has its minutes, too.
    let calm = [30.0; 20];
    let of = live(&[&calm[..], &[90.0, 90.0, 3.0]].concat()).had().unwrap();
    assert_eq!((of.bursts, of.longest), (1, 2));
}

#[test]
fn field_17_a_rise_from_before_the_canary_is_no_evidence_against_it() {
    let design = RateRatioDesign::try_new(&RateRatioSettings::default()).unwrap();
    let (mut bursts, mut whole) = (Aligned::<Bursts>::default(), RateRatio::new(&design));
    for minute in 0..30 {
        let live = Counts::new(if minute < 15 { 3.0 } else { 30.0 }, 1_000.0);
        let canary = Counts::new(3.0, 100.0);
        let canary = if minute < 20 { Counts::default() } else { canary };
        whole.update(&design, canary, live).unwrap();
        bursts.each(|of| of.learn(minutes(minute), (canary, live), 1.0, (&design, &whole)));
    }
    let canary = bursts.on(Side::Lag).canary.unwrap();
    assert!(canary.more == 0.0, "{canary:?}");
}

#[test]
fn field_17_a_fault_beside_a_rise_that_became_the_rate_is_found_as_without_it() {
    let good = [GOOD_MINUTE; 10];
    let of = |before: &[(f64, f64)]| evidence(&[&good, before, &[(25.0, 30.0); 4]]);
    let rise = [(3.0, 30.0); 12];
    let (whole, decides) = of(&rise);
    assert!(whole > 10.0 && (decides - whole).abs() < 1e-9, "{whole}, {decides}");
    // How many bursts the versions have is compared without it: as many of the canary are left out.
    let (bursts, ..) = learned(1, &[&good[..], &rise].concat());
    let canary = bursts.on(Side::Lag).canary.unwrap();
    assert!(canary.more.abs() < 1e-9, "{canary:?}");
}

/// Nothing fails on the canary.
const GOOD_MINUTE: (f64, f64) = (0.0, 3.0);
const OF_LIVE: [(f64, f64); 3] = [(0.0, 30.0), (0.0, 30.0), GOOD_MINUTE];
const AFTER: [(f64, f64); 2] = [GOOD_MINUTE; 2];

fn burst(minutes: usize) -> Vec<(f64, f64)> {
    vec![(9.0, 3.0); minutes]
}

#[test]
fn field_17_a_burst_of_a_canary_that_was_good_counts_only_if_it_stays() {
    let good = [GOOD_MINUTE; 10];
    for before in [vec![], OF_LIVE.to_vec()] {
        let of = |more: &[&[(f64, f64)]]| evidence(&[&[&good[..], &before], more].concat());
        let (whole, decides) = of(&[&burst(3), &AFTER]);
        assert!(whole > 5.0 && decides < 0.0, "{whole}, {decides}");
        let (_, lasts) = of(&[&burst(4)]);
        let (whole, stays) = of(&[&burst(5)]);
        assert!(lasts < 0.0 && whole > 10.0 && stays > 10.0, "{lasts}, {whole}, {stays}");
    }
    // One such as the live version has had may be larger, and end in its fifth minute.
    let large = [(20.0, 3.0); 4];
    let (_, fades) = evidence(&[&good, &OF_LIVE, &large, &[(8.0, 3.0)], &AFTER]);
    let (_, stays) = evidence(&[&good, &OF_LIVE, &large, &[(20.0, 3.0)]]);
    assert!(fades < 0.0 && stays > 50.0, "{fades}, {stays}");
    // A small one for eight minutes, and any for twice the longest of the live version.
    for (of_live, events, most) in [(2, 50.0, 480), (2, 51.0, 240), (3, 51.0, 360), (9, 300.0, 480)]
    {
        let live = live(&[&[3.0; 10][..], &vec![30.0; of_live], &[3.0]].concat());
        let lasts = canary::longest(&live, Counts::new(events, 1_000.0));
        assert_eq!(lasts.as_seconds(), f64::from(most), "{of_live}, {events}");
    }
    // In ticks of five minutes a fault would be found too late.
    let coarse = evidence_of(5, &[&good[..], &burst(1)].concat());
    assert!(coarse.1 > 0.0, "{coarse:?}");
}

#[test]
fn field_17_failures_from_the_start_of_a_phase_count_at_once_unless_the_live_version_had_them() {
    // The first minutes of the canary, and a third one after two with failures.
    for first in [vec![], burst(1), vec![(2.0, 3.0); 2]] {
        let (whole, decides) = evidence(&[&[GOOD_MINUTE], &first, &burst(1)]);
        assert!(whole > 5.0 && (decides - whole).abs() < 1e-9, "{whole}, {decides}");
    }
    let design = RateRatioDesign::try_new(&RateRatioSettings::default()).unwrap();
    for (had, counts) in [(30.0, false), (3.0, true)] {
        let mut bursts = Bursts::default();
        for minute in 0..20 {
            let failures = if minute == 10 { had } else { 3.0 };
            bursts.learn_live(minutes(minute), Counts::new(failures, 1_000.0));
        }
        let mut whole = RateRatio::new(&design);
        for minute in 20..23 {
            let of_both = (Counts::new(20.0, 100.0), Counts::new(3.0, 1_000.0));
            whole.update(&design, of_both.0, of_both.1).unwrap();
            bursts.learn(minutes(minute), of_both, 1.0, (&design, &whole));
        }
        let bursts = Aligned::new(bursts);
        let log_e = KnownBursts { of: &bursts, design: &design }.log_e();
        assert_eq!(log_e.is_none(), counts, "{log_e:?}");
    }
}

#[test]
fn field_17_a_live_version_without_a_burst_for_an_hour_has_none() {
    let hour = [GOOD_MINUTE; 62];
    let (whole, decides) = evidence(&[&hour, &burst(1)]);
    assert!((decides - whole).abs() < 1e-9, "{whole}, {decides}");
    // Its one burst was in that hour.
    let (whole, decides) = evidence(&[&AFTER, &OF_LIVE, &hour, &burst(1)]);
    assert!(decides < whole - 5.0, "{whole}, {decides}");
}

#[test]
fn field_17_more_bursts_than_chance_explains_count() {
    let good = [GOOD_MINUTE; 10];
    let again = |times: usize| [&burst(1)[..], &AFTER].concat().repeat(times);
    // At a share of a tenth: two, and more with those of the live version.
    for (of_live, left_out) in [(0, 2), (1, 3), (3, 4)] {
        let before = [&good[..], &OF_LIVE.repeat(of_live)].concat();
        let at_most = evidence(&[&before, &again(left_out)]).1;
        let one_more = evidence(&[&before, &again(left_out + 1)]).1;
        assert!(at_most < 0.0 && one_more > at_most + 4.0, "{of_live}: {at_most}, {one_more}");
    }
}

#[test]
fn field_17_a_burst_lasts_at_most_twice_as_long_as_the_longest_of_the_live_version() {
    let good = [GOOD_MINUTE; 10];
    for (had, may_last) in [(1, 4), (2, 4), (3, 6), (6, 8)] {
        let of_live = vec![(0.0, 30.0); had];
        let of = |minutes| evidence(&[&good, &of_live, &good, &burst(minutes)]).1;
        let (lasts, stays) = (of(may_last), of(may_last + 1));
        assert!(lasts < 0.0 && stays > 10.0, "{had}: {lasts}, {stays}");
    }
}

#[test]
fn field_17_what_is_larger_counts_at_once() {
    let good = [GOOD_MINUTE; 10];
    // A tenth of the requests at most; of a burst such as the live version has had, a third.
    let had = [&good[..], &OF_LIVE].concat();
    for (before, most) in [(&good[..], 10.0), (&had, 33.0)] {
        for (failures, counts) in [(most, false), (most + 1.0, true)] {
            let (_, decides) = evidence(&[before, &[(failures, 3.0)]]);
            assert_eq!(decides > 0.0, counts, "{failures}: {decides}");
        }
    }
    // 80 of 2,000 requests fail for as many as an outage of 2.4 s a minute.
    let design = RateRatioDesign::try_new(&RateRatioSettings::default()).unwrap();
    let (mut bursts, mut whole) = (Aligned::<Bursts>::default(), RateRatio::new(&design));
    let mut left_out = Vec::new();
    for minute in 0..15 {
        let failures = if minute < 10 { 3.0 } else { 80.0 };
        let (canary, live) = (Counts::new(failures, 1_000.0), Counts::new(3.0, 1_000.0));
        whole.update(&design, canary, live).unwrap();
        bursts.each(|of| of.learn(minutes(minute), (canary, live), 1.0, (&design, &whole)));
        left_out.push(KnownBursts { of: &bursts, design: &design }.log_e().is_some());
    }
    assert_eq!(left_out[9..], [false, true, true, false, false, false]);
}

#[test]
fn field_17_success_is_judged_without_several_bursts_only_if_the_live_version_had_one() {
    let good = [GOOD_MINUTE; 10];
    let twice = [&burst(1)[..], &AFTER].concat().repeat(2);
    for (of_live, left_out) in [(0, 0.0), (1, 18.0)] {
        let all = [&good[..], &OF_LIVE.repeat(of_live), &twice].concat();
        let (bursts, _, design) = learned(1, &all);
        let known = KnownBursts { of: &bursts, design: &design };
        assert_eq!(known.numbers(), [2, u32::try_from(of_live).unwrap()]);
        assert!((known.left_out_since(None).events - left_out).abs() < 1e-9);
    }
}
