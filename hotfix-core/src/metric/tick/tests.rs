//! Differences of running totals: of instances, of sums that fall, of strata.

use super::*;
use crate::policy::Policy;

fn read(counters: &mut Counters, text: &str) -> Result<Tick, ReadingError> {
    read_at(counters, 0, text)
}

fn read_at(counters: &mut Counters, seconds: i64, text: &str) -> Result<Tick, ReadingError> {
    read_of("error_rate", counters, seconds, text)
}

fn read_of(
    metric: &str,
    counters: &mut Counters,
    seconds: i64,
    text: &str,
) -> Result<Tick, ReadingError> {
    let policy = Policy::preset("phased-canary").unwrap();
    let metric = policy.metrics().iter().find(|m| m.id.as_str() == metric).unwrap();
    let reading: Reading = serde_json::from_str(text).unwrap();
    let mut tick = Tick::default();
    let (layout, at) = (Layout::default(), Timestamp::try_from_millis(1000 * seconds).unwrap());
    tick.read(metric, &layout, counters, &reading, at, Share::ALL)?;
    counters.keep(metric, &layout, (&reading, &tick), at);
    Ok(tick)
}

#[test]
fn met_6_each_instance_has_a_counter_of_its_own_and_resets_by_itself() {
    let mut counters = Counters::default();
    let first =
        r#"{"totals": true, "canary": {"a": [5, 100], "b": [50, 1000]}, "baseline": [9, 900]}"#;
    let tick = read(&mut counters, first).unwrap();
    assert_eq!((tick.canary, tick.row), (false, vec![0.0; 4]));
    // `a` went up by 1 in 20, `b` restarted, `c` is new and adds nothing yet.
    let second = r#"{"totals": true, "canary": {"a": [6, 120], "b": [2, 30], "c": [7, 70]}, "baseline": [10, 910]}"#;
    let tick = read(&mut counters, second).unwrap();
    assert_eq!(tick.row, [3.0, 50.0, 1.0, 10.0]);
    assert_eq!(tick.instances[0], [[1.0, 20.0], [2.0, 30.0], [0.0, 0.0]]);
    // One that was silent goes on where it was.
    let third = r#"{"totals": true, "canary": {"a": [6, 130]}, "baseline": [10, 910]}"#;
    assert_eq!(read(&mut counters, third).unwrap().row, [0.0, 10.0, 0.0, 0.0]);
    let fourth = r#"{"totals": true, "canary": {"a": [6, 130], "c": [8, 71]}}"#;
    assert_eq!(read(&mut counters, fourth).unwrap().row, [1.0, 1.0, 0.0, 0.0]);
}

/// Canary requests counted of 30 readings, each ten seconds after the last, of which every other one
/// is from a source that is `behind` by so many; `form` writes the totals of an arm.
fn counted(behind: i64, form: fn(&str, i64) -> String, until_restart: i64) -> f64 {
    let (mut counters, mut counted) = (Counters::default(), 0.0);
    for tick in 1..=30 {
        let of = if tick % 2 == 0 { (tick - behind).max(1) } else { tick };
        let (young, old) = (form("a", 50 * (of % until_restart)), form("b", 90_000 + 450 * of));
        let text = format!(r#"{{"totals": true, "canary": {young}, "baseline": {old}}}"#);
        counted += read_at(&mut counters, 10 * tick, &text).unwrap().row[1];
    }
    counted
}

#[test]
fn met_6_young_totals_of_a_source_that_is_behind_are_counted_once() {
    let by_instance = |name: &str, of: i64| format!(r#"{{"{name}": [0, {of}]}}"#);
    let as_sum = |_: &str, of: i64| format!("[0, {of}]");
    for behind in [0, 1, 2, 3, 6] {
        // The last reading is of the source that is behind.
        let least = if behind == 0 { 1_450.0 } else { 1_400.0 };
        let forms: [fn(&str, i64) -> String; 2] = [by_instance, as_sum];
        for form in forms {
            assert_eq!(counted(behind, form, i64::MAX), least, "{behind} readings behind");
        }
    }
    // One that restarts each minute loses what came between its end and the reading before.
    assert_eq!(counted(0, by_instance, 6), 50.0 * 24.0);
}

/// Requests counted of each reading of a canary's sum, ten seconds apart, beside a live version that
/// is scaled down in the third reading, too.
fn counted_of_sums(totals: &[f64]) -> Vec<f64> {
    let mut counters = Counters::default();
    let each = (0..).zip(totals).map(|(tick, total)| {
        let live = 90_000 + 450 * tick - if tick < 3 { 0 } else { 900 };
        let text =
            format!(r#"{{"totals": true, "canary": [0, {total}], "baseline": [9, {live}]}}"#);
        read_at(&mut counters, 10 * tick, &text).unwrap().row[1]
    });
    each.collect()
}

#[test]
fn met_6_a_sum_that_falls_counts_from_its_next_reading_and_what_comes_back_does_not_count() {
    // Instances of both arms are gone for good.
    let of = counted_of_sums(&[1000.0, 1050.0, 1100.0, 950.0, 1000.0, 1050.0, 1100.0, 1150.0]);
    assert_eq!(of, [0.0, 50.0, 50.0, 0.0, 50.0, 50.0, 50.0, 50.0]);
    // One is missing once, and twice: what it had is not new.
    let of = counted_of_sums(&[1000.0, 1050.0, 1100.0, 550.0, 1200.0, 1250.0]);
    assert_eq!(of, [0.0, 50.0, 50.0, 0.0, 100.0, 50.0]);
    let of = counted_of_sums(&[1000.0, 1050.0, 1100.0, 550.0, 575.0, 1250.0, 1300.0]);
    assert_eq!(of, [0.0, 50.0, 50.0, 0.0, 25.0, 0.0, 50.0]);
    // Three sources that answer in turn, each 10 s further behind.
    let of = counted_of_sums(&[1000.0, 1050.0, 1100.0, 1050.0, 1000.0, 1250.0, 1200.0, 1350.0]);
    assert_eq!(of, [0.0, 50.0, 50.0, 0.0, 0.0, 150.0, 0.0, 100.0]);
    // Two sources that answer by chance, one 30 s behind.
    let of = counted_of_sums(&[1000.0, 1050.0, 1100.0, 1000.0, 1050.0, 1250.0, 1150.0, 1350.0]);
    assert_eq!(of, [0.0, 50.0, 50.0, 0.0, 50.0, 0.0, 0.0, 100.0]);
    // A restart in a reading that may be of a source that is behind.
    let of = counted_of_sums(&[1000.0, 1050.0, 1100.0, 25.0, 75.0, 125.0]);
    assert_eq!(of, [0.0, 50.0, 50.0, 0.0, 50.0, 50.0]);
}

#[test]
fn met_6_a_sum_of_two_moments_counts_with_its_next_reading() {
    let mut counters = Counters::default();
    let totals = [([5, 1000], [0.0, 0.0]), ([6, 1050], [1.0, 50.0]), ([40, 1060], [0.0, 0.0])];
    for (tick, (sent, counted)) in (0..).zip(totals.into_iter().chain([
        ([41, 1150], [35.0, 100.0]),
        // The events of one that is gone were few: none is missed for long.
        ([44, 1151], [0.0, 0.0]),
        ([45, 1150], [0.0, 0.0]),
        ([46, 1200], [5.0, 50.0]),
    ])) {
        let text = format!(r#"{{"totals": true, "canary": {sent:?}}}"#);
        let row = read_at(&mut counters, 10 * tick, &text).unwrap().row;
        assert_eq!(row[..2], counted, "{text}");
    }
}

#[test]
fn met_6_totals_in_another_form_begin_again() {
    let mut counters = Counters::default();
    let forms = [
        (r#"{"totals": true, "canary": {"a": [0, 100]}}"#, 0.0),
        (r#"{"totals": true, "canary": {"a": [0, 200]}}"#, 100.0),
        (r#"{"totals": true, "canary": [0, 300]}"#, 0.0),
        (r#"{"totals": true, "canary": [0, 400]}"#, 100.0),
        (r#"{"totals": true, "canary": {"a": [0, 500]}}"#, 0.0),
        (r#"{"totals": true, "canary": {"a": [0, 600]}}"#, 100.0),
        (r#"{"canary": {"a": [0, 100]}}"#, 100.0),
        (r#"{"totals": true, "canary": {"a": [0, 800]}}"#, 0.0),
        (r#"{"totals": true, "canary": {"a": [0, 900]}}"#, 100.0),
    ];
    for (tick, (text, counted)) in (1..).zip(forms) {
        let row = read_at(&mut counters, 10 * tick, text).unwrap().row;
        assert_eq!(row[1], counted, "{text}");
    }
}

#[test]
fn field_3_a_total_that_is_not_finite_is_no_reset_of_its_instance() {
    let mut counters = Counters::default();
    let totals = |a: &str| format!(r#"{{"totals": true, "canary": {{"a": {a}, "b": [1, 10]}}}}"#);
    assert!(!read(&mut counters, &totals("[500, 900000]")).unwrap().canary);
    assert!(read(&mut counters, &totals(r#"["NaN", 900010]"#)).unwrap().not_finite);
    // What it had before is not known any more: this is a first value again.
    let third = read(&mut counters, &totals("[501, 900020]")).unwrap();
    assert_eq!(third.instances[0], [[0.0, 0.0], [0.0, 0.0]]);
    let fourth = read(&mut counters, &totals("[502, 900030]")).unwrap();
    assert_eq!(fourth.instances[0], [[1.0, 10.0], [0.0, 0.0]]);
}

#[test]
fn met_6_strata_keep_rows_of_their_own_and_counters_of_their_own() {
    let mut counters = Counters::default();
    let tick =
        read(&mut counters, r#"[{"canary": [1, 10]}, {"canary": [2, 30], "baseline": [4, 90]}]"#)
            .unwrap();
    assert_eq!(tick.row, [3.0, 40.0, 4.0, 90.0]);
    assert_eq!(tick.strata, [1.0, 10.0, 0.0, 0.0, 2.0, 30.0, 4.0, 90.0]);
    let totals = r#"[{"totals": true, "canary": [1, 10]}, {"totals": true, "canary": [2, 30]}]"#;
    assert!(!read(&mut counters, totals).unwrap().canary);
    let later = r#"[{"totals": true, "canary": [2, 20]}, {"totals": true, "canary": [2, 35]}]"#;
    assert_eq!(read(&mut counters, later).unwrap().row[..2], [1.0, 15.0]);
    // Another number of strata: nobody knows which is which.
    let fewer = r#"{"totals": true, "canary": [9, 95]}"#;
    assert!(!read(&mut counters, fewer).unwrap().canary);
}

#[test]
fn met_6_the_seconds_of_strata_pass_side_by_side() {
    for (text, row) in [
        (
            r#"{"eu": {"canary": [3, 10], "baseline": [1, 10]}, "us": {"canary": [1, 10]}}"#,
            [4.0, 10.0, 1.0, 0.0],
        ),
        (
            r#"{"eu": {"canary": [3, 10]}, "us": {"canary": {"a": [1, 12], "b": [0, 12]}}}"#,
            [4.0, 11.0, 0.0, 0.0],
        ),
        (r#"{"eu": {"canary": [3, 10]}, "us": {}}"#, [3.0, 10.0, 0.0, 0.0]),
    ] {
        let tick = read_of("bug", &mut Counters::default(), 0, text).unwrap();
        assert_eq!(tick.row, row, "{text}");
        assert_eq!(tick.strata[1], 10.0, "{text}");
    }
}

#[test]
fn met_6_a_stratum_whose_totals_did_not_grow_was_read() {
    let totals = |eu: &str, us: &str| {
        format!(
            r#"{{"eu": {{"totals": true, "canary": {eu}}}, "us": {{"totals": true, "canary": {us}}}}}"#
        )
    };
    let mut counters = Counters::default();
    read_of("bug", &mut counters, 0, &totals("[0, 10]", "[0, 10]")).unwrap();
    let tick = read_of("bug", &mut counters, 10, &totals("[3, 20]", "[0, 10]")).unwrap();
    assert_eq!(tick.row[..2], [3.0, 5.0]);
}

#[test]
fn field_16_a_pod_that_comes_back_counts_what_it_has_had_since() {
    let mut counters = Counters::default();
    let totals = |first: &str, each: u32| {
        format!(r#"{{"totals": true, "canary": {{{first}"b": [0, {each}], "c": [0, {each}]}}}}"#)
    };
    for tick in 1..=10 {
        let first = format!(r#""a": [0, {}], "#, 50 * tick);
        read_at(&mut counters, 10 * i64::from(tick), &totals(&first, 50 * tick)).unwrap();
    }
    for tick in 11..=13 {
        read_at(&mut counters, 10 * i64::from(tick), &totals("", 50 * tick)).unwrap();
    }
    let back = read_at(&mut counters, 140, &totals(r#""a": [100, 200], "#, 700)).unwrap();
    assert_eq!(back.row[..2], [100.0, 300.0]);
}

#[test]
fn met_6_a_number_that_is_not_finite_hides_no_number_that_is_too_large() {
    let text = r#"{"canary": {"a": ["NaN", 1], "b": [0, 1e300]}}"#;
    assert_eq!(read(&mut Counters::default(), text).unwrap_err().code(), "HF-MET-008");
}

#[test]
fn met_6_a_volume_of_which_a_stratum_was_not_read_is_not_known() {
    for (text, arms, row) in [
        (
            r#"{"eu": {"canary": 30, "baseline": 90}, "us": {"canary": 30, "baseline": 80}}"#,
            [true, true],
            [60.0, 1.0, 170.0, 1.0],
        ),
        (
            r#"{"eu": {"canary": 30, "baseline": 90}, "us": {"canary": 0, "baseline": 80}}"#,
            [true, true],
            [30.0, 1.0, 170.0, 1.0],
        ),
        (
            r#"{"eu": {"canary": 30, "baseline": 90}, "us": {"baseline": 80}}"#,
            [false, true],
            [0.0, 0.0, 170.0, 1.0],
        ),
        (
            r#"{"eu": {"canary": 30, "baseline": 90}, "us": {"canary": "NaN", "baseline": 80}}"#,
            [false, true],
            [0.0, 0.0, 170.0, 1.0],
        ),
        (r#"{"eu": {"canary": 30, "baseline": 90}, "us": {}}"#, [false, false], [0.0; 4]),
    ] {
        let tick = read_of("request_volume", &mut Counters::default(), 0, text).unwrap();
        assert_eq!(([tick.canary, tick.baseline], &tick.row[..]), (arms, &row[..]), "{text}");
    }
    // Totals of a stratum that is new only show what the next ones count from.
    let mut counters = Counters::default();
    let totals = |eu: u32, us: u32| {
        format!(
            r#"{{"eu": {{"totals": true, "canary": {eu}}}, "us": {{"totals": true, "canary": {us}}}}}"#
        )
    };
    let without = r#"{"eu": {"totals": true, "canary": 100}, "us": {"totals": true}}"#;
    assert!(!read_of("request_volume", &mut counters, 0, without).unwrap().canary);
    assert!(!read_of("request_volume", &mut counters, 60, &totals(200, 500)).unwrap().canary);
    let tick = read_of("request_volume", &mut counters, 120, &totals(300, 600)).unwrap();
    assert_eq!(tick.row[..2], [200.0, 1.0]);
}
