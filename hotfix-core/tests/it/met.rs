//! Bounds and their references, scaling, roles, data that are missing (MET, FIELD).

use std::sync::Arc;

use hotfix_core::judge::{Decision, Reason};
use hotfix_core::metric::{Arms, Band, Histogram, Observation, Reading, Sample};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, Recording, Rollout, State, audit};
use hotfix_core::unit::{MetricName, Span, Timestamp};

use crate::ready;
use crate::story::Story;

/// A share of errors without a test.
const ERRORS: &str =
    "[e]\nkind = \"proportion\"\nworse = \"higher\"\nmodel = \"none\"\nalert = \"2%\"";

/// A watched 10% phase under a policy made of `phased-canary` and other metrics.
struct Watch {
    rollout: Rollout,
    at: Timestamp,
}

impl Watch {
    fn new(metrics: &str) -> Self {
        let preset = Policy::preset("phased-canary").unwrap().to_toml();
        let mut policy: toml::Table = preset.parse().unwrap();
        // These name metrics of the preset.
        policy.remove("efficacy");
        policy.remove("success");
        policy.insert("metrics".to_owned(), toml::Value::Table(metrics.parse().unwrap()));
        let policy = Policy::from_toml(&toml::to_string(&policy).unwrap()).unwrap();
        let plan = Plan::from_json(
            Arc::new(policy),
            r#"{"id":"I"}"#,
            r#"{"version":"2","previous":"1"}"#,
            "",
        );
        let mut watch = Self {
            rollout: Rollout::try_new(plan.unwrap(), Recording::Keep, "").unwrap(),
            at: "2026-03-03T14:40:00Z".parse().unwrap(),
        };
        ready::make(&mut watch.rollout, watch.at);
        watch.input(r#"{"kind":"start","by":"lena"}"#);
        while let Some(id) = watch.rollout.pending_actions().first().map(|a| a.id) {
            watch.input(&format!(r#"{{"kind":"confirm","by":"tool","action":"{id}"}}"#));
        }
        watch
    }

    fn input(&mut self, text: &str) {
        self.rollout.handle(self.at, &Input::from_json(text).unwrap()).unwrap();
    }

    /// What the first metric's window has of the canary.
    fn value(&self) -> Option<f64> {
        self.rollout.verdict().metrics[0].1.canary
    }

    /// Observes the same thing every ten seconds.
    fn observe(&mut self, ticks: u32, metrics: &str) -> Band {
        for _ in 0..ticks {
            self.at = self.at + Span::from_seconds(10);
            self.input(&format!(r#"{{"kind":"observe","metrics":{metrics}}}"#));
        }
        self.rollout.verdict().metrics[0].1.band
    }
}

const VOLUME: &str = "[cpu]\nkind = \"volume\"\nworse = \"higher\"\nscaled = false\n";
const GAUGE: &str = "[cpu]\nkind = \"gauge\"\nworse = \"higher\"\n";

#[test]
fn met_2_a_bound_is_absolute_or_relative_to_the_record_or_to_the_live_arm() {
    let cases = [
        ("alert = 0.8", 0.79, 0.1, Band::Success),
        ("alert = 0.8", 0.81, 0.1, Band::Alert),
        ("reference = 0.4\nalert = { ratio = 2.0, of = \"reference\" }", 0.81, 0.9, Band::Alert),
        ("reference = 0.4\nalert = { ratio = 2.0, of = \"live\" }", 0.81, 0.9, Band::Success),
        ("alert = { ratio = 2.0, of = \"live\" }", 0.81, 0.4, Band::Alert),
        ("rollback = { value = 0.8, unless_both_arms = true }", 0.9, 0.85, Band::Success),
        ("rollback = { value = 0.8, unless_both_arms = true }", 0.9, 0.75, Band::Rollback),
    ];
    for (bound, canary, baseline, expected) in cases {
        let mut watch = Watch::new(&format!("{GAUGE}{bound}"));
        let band =
            watch.observe(7, &format!(r#"{{"cpu":{{"canary":{canary},"baseline":{baseline}}}}}"#));
        assert_eq!(band, expected, "{bound}, {canary} against {baseline}");
    }
}

#[test]
fn met_2_volumes_and_counts_scale_with_the_share_and_rates_hold_per_arm() {
    let volume =
        "[v]\nkind = \"volume\"\nworse = \"lower\"\nreference = \"1000/min\"\nalert = \"800/min\"";
    assert_eq!(
        Watch::new(volume).observe(7, r#"{"v":{"canary":100,"baseline":900}}"#),
        Band::Success
    );
    assert_eq!(Watch::new(volume).observe(7, r#"{"v":{"canary":79,"baseline":900}}"#), Band::Alert);
    // One event in a minute of a tenth of the traffic is ten a minute.
    let count = "[c]\nkind = \"count\"\nworse = \"higher\"\nmodel = \"none\"\nalert = \"9/min\"";
    let mut watch = Watch::new(count);
    watch.observe(6, r#"{"c":{"canary":[0,10]}}"#);
    assert_eq!(watch.observe(1, r#"{"c":{"canary":[1,10]}}"#), Band::Alert);
}

#[test]
fn met_3_a_p95_in_the_first_bucket_with_its_bound_is_between_and_passes_nothing() {
    let latency = "[l]\nkind = \"latency\"\nworse = \"higher\"\nmodel = \"none\"\nquantile = 0.95\nsuccess = \"75ms\"\nboundaries = [\"250ms\"]";
    let mut watch = Watch::new(latency);
    let seen = r#"{"l":{"canary":{"le":[0.1,0.25,0.5],"counts":[96,98,99],"count":100}}}"#;
    assert_eq!(watch.observe(70, seen), Band::Between);
    assert_eq!(watch.rollout.state(), State::Monitoring);
    assert!(watch.rollout.verdict().has(Reason::Between));
}

#[test]
fn field_3_whatever_numbers_come_the_log_has_what_is_folded() {
    let numbers = [0.0, 5e-324, 1.5, 100.0, 1e16, f64::MAX, f64::NAN, f64::INFINITY];
    let metrics = "[e]\nkind = \"proportion\"\nworse = \"higher\"\nweight = 1.0\n[g]\nkind = \"gauge\"\nworse = \"higher\"\nalert = 3.0\n[l]\nkind = \"latency\"\nworse = \"higher\"\nquantile = 0.9\nboundaries = [\"250ms\"]\n[n]\nkind = \"count\"\nworse = \"higher\"\nalert = \"9/min\"\n[v]\nkind = \"volume\"\nworse = \"lower\"";
    let mut watch = Watch::new(metrics);
    let name = |id: &str| id.parse::<MetricName>().unwrap();
    let histogram = |count, counts: [f64; 2]| {
        let (counts, le) = (counts.to_vec(), vec![0.1, 0.25]);
        Sample::Histogram(Histogram { count, counts, le })
    };
    let instances = |first, second| {
        let pods = [("a", first), ("b", second)];
        Sample::Instances(pods.map(|(pod, counts)| (pod.to_owned(), counts)).into())
    };
    let mut taken = 0;
    for (place, &x) in numbers.iter().enumerate() {
        for (other, &y) in numbers.iter().enumerate() {
            watch.at = watch.at + Span::from_seconds(10);
            let mut seen = Observation::new();
            let mut set = |id: &str, totals, canary, baseline| {
                let arms = Arms { canary: Some(canary), baseline: Some(baseline), totals };
                seen.set(name(id), arms);
            };
            let pair = Sample::Pair(x, y);
            let (good, few) = (Sample::Pair(1.0, 100.0), histogram(9.0, [1.0, 2.0]));
            match (place + other) % 5 {
                0 => set("e", false, pair, good),
                1 => set("e", true, instances([x, y], [0.0, 1.0]), instances([0.0, y], [x, y])),
                2 => set("e", false, good, instances([x, y], [0.0, 1.0])),
                3 => set("n", true, pair, good),
                _ => set("n", false, instances([x, y], [x, y]), pair),
            }
            set("g", false, Sample::Level(x), Sample::Level(1.0 - y));
            set("l", other % 2 == 1, histogram(y, [0.0, x]), few);
            set("v", false, Sample::Level(y), Sample::Level(x));
            let before = watch.rollout.snapshot().unwrap();
            match watch.rollout.observe(watch.at, seen) {
                Ok(_) => taken += 1,
                Err(refusal) => {
                    assert!(refusal.code().starts_with("HF-MET-"), "{x} {y}: {refusal}");
                    let log = watch.rollout.log().to_owned();
                    let now = Rollout::replay(log.as_bytes(), Recording::Keep).unwrap();
                    assert!(
                        now.snapshot().unwrap() == watch.rollout.snapshot().unwrap(),
                        "{x} {y}"
                    );
                    if refusal.events.is_empty() {
                        assert!(before == watch.rollout.snapshot().unwrap(), "{x} {y}");
                    }
                }
            }
        }
    }
    assert!(taken > 10, "{taken}");
    let log = watch.rollout.log().to_owned();
    assert_eq!(audit(log.as_bytes(), watch.rollout.head()).findings, []);
    let again = Rollout::replay(log.as_bytes(), Recording::Keep).unwrap();
    assert!(again.snapshot().unwrap() == watch.rollout.snapshot().unwrap());
}

#[test]
fn met_6_instances_that_no_document_could_have_are_refused_before_they_are_folded() {
    for names in [&[][..], &["le"], &["a", "counts"], &["count"], &["samples", "z"]] {
        let mut watch = Watch::new(ERRORS);
        let pods = names.iter().map(|name| ((*name).to_owned(), [f64::NAN, 10.0])).collect();
        let arms = Arms { canary: Some(Sample::Instances(pods)), ..Arms::default() };
        let mut seen = Observation::new();
        seen.set("e".parse().unwrap(), arms);
        let refusal = watch.rollout.observe(watch.at, seen).unwrap_err();
        assert_eq!(refusal.code(), "HF-MET-002", "{names:?}");
        let log = watch.rollout.log().to_owned();
        let again = Rollout::replay(log.as_bytes(), Recording::Keep).unwrap();
        assert!(again.snapshot().unwrap() == watch.rollout.snapshot().unwrap());
    }
}

#[test]
fn met_6_counters_may_reset_and_ticks_may_repeat() {
    let mut watch = Watch::new(ERRORS);
    watch.observe(1, r#"{"e":{"totals":true,"canary":[500,10000]}}"#);
    assert_eq!(watch.value(), None, "the first total is no difference");
    watch.observe(1, r#"{"e":{"totals":true,"canary":[501,10200]}}"#);
    assert_eq!(watch.value(), Some(1.0 / 200.0));
    // The same moment again is the same reading.
    watch.input(r#"{"kind":"observe","metrics":{"e":{"totals":true,"canary":[501,10200]}}}"#);
    assert_eq!(watch.value(), Some(1.0 / 200.0));
    watch.observe(1, r#"{"e":{"totals":true,"canary":[3,100]}}"#);
    assert_eq!(watch.value(), Some(4.0 / 300.0), "after a reset all of it is new");
}

#[test]
fn met_6_an_instance_that_restarts_young_is_no_reading_of_more_events_than_trials() {
    let mut watch = Watch::new(ERRORS);
    watch.observe(1, r#"{"e":{"totals":true,"canary":{"a":[1,1000],"b":[29,31]}}}"#);
    watch.observe(1, r#"{"e":{"totals":true,"canary":{"a":[1,1100],"b":[30,32]}}}"#);
    assert_eq!(watch.value(), Some(1.0 / 101.0));
    // Three errors more in one request more: `b` is new, and all that it had is.
    watch.observe(1, r#"{"e":{"totals":true,"canary":{"a":[1,1200],"b":[33,33]}}}"#);
    assert_eq!(watch.value(), Some(34.0 / 234.0));
    // Nobody has 1,200 requests in that time, so the two numbers of `a` are not of one moment.
    watch.observe(1, r#"{"e":{"totals":true,"canary":{"a":[8,1205],"b":[33,43]}}}"#);
    assert_eq!(watch.value(), Some(34.0 / 244.0));
    watch.observe(1, r#"{"e":{"totals":true,"canary":{"a":[8,1300],"b":[33,53]}}}"#);
    assert_eq!(watch.value(), Some(41.0 / 354.0));
}

#[test]
fn met_6_totals_of_a_replica_that_is_a_scrape_behind_are_no_restart() {
    let mut watch = Watch::new(ERRORS);
    for (a, b) in [(30_000, 29_000), (30_010, 29_010), (30_000, 29_000), (30_020, 29_020)] {
        let totals = format!(r#"{{"a":[9,{a}],"b":[8,{b}]}}"#);
        watch.observe(1, &format!(r#"{{"e":{{"totals":true,"canary":{totals}}}}}"#));
    }
    watch.observe(1, r#"{"e":{"totals":true,"canary":{"a":[9,30030],"b":[9,29030]}}}"#);
    assert_eq!(watch.value(), Some(1.0 / 60.0));
    // This one is a restart.
    watch.observe(1, r#"{"e":{"totals":true,"canary":{"a":[1,5],"b":[9,29040]}}}"#);
    assert_eq!(watch.value(), Some(2.0 / 75.0));
}

#[test]
fn met_6_totals_of_two_moments_wait_and_do_not_stop_the_rollout() {
    let mut watch = Watch::new(ERRORS);
    watch.observe(1, r#"{"e":{"totals":true,"canary":[900,1000]}}"#);
    watch.observe(1, r#"{"e":{"totals":true,"canary":[901,1005]}}"#);
    assert_eq!(watch.value(), Some(1.0 / 5.0));
    watch.observe(1, r#"{"e":{"totals":true,"canary":[910,1008]}}"#);
    assert_eq!(watch.value(), Some(1.0 / 5.0));
    watch.observe(1, r#"{"e":{"totals":true,"canary":[911,1020]}}"#);
    assert_eq!(watch.value(), Some(11.0 / 20.0));
    // A sum over instances of which one is new does not catch up: after two minutes it counts from there.
    watch.observe(13, r#"{"e":{"totals":true,"canary":[990,1025]}}"#);
    watch.observe(1, r#"{"e":{"totals":true,"canary":[991,1030]}}"#);
    assert_eq!(watch.value(), Some(1.0 / 5.0));
}

#[test]
fn met_6_a_count_of_an_instance_that_restarts_has_the_seconds_of_the_clock() {
    let count =
        "[c]\nkind = \"count\"\nworse = \"higher\"\nmodel = \"none\"\nscaled = false\nalert = 100";
    let mut watch = Watch::new(count);
    watch.observe(1, r#"{"c":{"totals":true,"canary":{"a":[50,1772546400],"b":[1,1772546400]}}}"#);
    watch.observe(1, r#"{"c":{"totals":true,"canary":{"a":[2,1772546460],"b":[2,1772546460]}}}"#);
    assert_eq!(watch.value(), Some(1.5), "3 events in the 2 minutes of two instances");
}

#[test]
fn field_3_absent_is_never_zero_and_silence_never_promotes() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.run(50, Story::healthy);
    for _ in 0..60 {
        story.at = story.at + Span::from_seconds(10);
        let tick = Input::from_json(r#"{"kind":"tick"}"#).unwrap();
        let asked = story.rollout.handle(story.at, &tick).unwrap().actions.len();
        assert!(asked <= 1);
    }
    assert_eq!(story.state(), State::Monitoring);
    assert_eq!(story.rollout.verdict().decision, Decision::Ask);
    assert!(story.rollout.verdict().has(Reason::Stale));
    // Metrics return: it goes on by itself.
    story.run(7, Story::healthy);
    assert_eq!(story.state(), State::Deploying, "{:?}", story.rollout.verdict().causes);
}

#[test]
fn field_3_not_a_number_holds() {
    let mut watch = Watch::new(ERRORS);
    assert_eq!(watch.observe(1, r#"{"e":{"canary":["NaN",100]}}"#), Band::NotFinite);
    assert_eq!(watch.rollout.verdict().decision, Decision::Hold);
}

#[test]
fn field_12_a_metric_that_is_watched_decides_nothing() {
    let metrics = format!(
        "[a]\nkind = \"proportion\"\nworse = \"higher\"\nmodel = \"none\"\nalert = \"2%\"\n[z]{}role = \"watch\"\nrollback = 0.5",
        &GAUGE[5..]
    );
    let mut watch = Watch::new(&metrics);
    watch.observe(7, r#"{"a":{"canary":[0,100]},"z":{"canary":0.9}}"#);
    assert_eq!(watch.rollout.verdict().metrics[1].1.band, Band::Rollback);
    assert_eq!(watch.rollout.verdict().decision, Decision::Continue);
}

#[test]
fn roll_2_the_same_inputs_give_the_same_bytes() {
    let run = || {
        let mut story = Story::new("standard", Recording::Keep);
        story.start();
        story.run(80, Story::healthy);
        story.rollout.log().to_owned()
    };
    assert_eq!(run(), run());
}

#[test]
fn roll_6_it_is_watched_until_the_last_window_and_a_late_fault_goes_back() {
    let complete = || {
        let mut story = Story::new("phased-canary", Recording::Keep);
        story.start();
        for ticks in [60, 60, 186] {
            story.run(ticks, Story::healthy);
            story.confirm_all();
        }
        story.check_the_end();
        story.run(12, Story::healthy);
        assert_eq!(story.state(), State::Complete);
        story
    };
    let mut watched = complete();
    let end = watched.rollout.poll_at();
    assert!(end.is_some());
    watched.at = watched.at + Span::from_seconds(24 * 3600);
    watched.input(r#"{"kind":"tick"}"#);
    assert_eq!(watched.state(), State::Complete, "nobody saw the day: a person is asked");
    watched.observe(Story::healthy);
    assert_eq!(watched.state(), State::Closed);
    let mut late = complete();
    late.run_until(12, Story::failing, State::RollingBack);
}

#[test]
fn field_8_the_warm_up_is_left_out_of_the_verdict() {
    let mut story = Story::new("standard", Recording::Keep);
    story.start();
    story.run(2, Story::failing);
    assert_eq!(story.rollout.verdict().log_e, 0.0, "thirty seconds after a deploy caches fill");
    story.run(60, Story::healthy);
    assert_eq!(story.state(), State::Deploying, "{:?}", story.rollout.verdict().causes);
}

#[test]
fn field_3_time_without_readings_is_not_time_watched() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.at = story.at + Span::from_seconds(3600);
    story.input(r#"{"kind":"tick"}"#);
    // Twelve looks are two minutes; with what the stale limit allows before them four, not ten.
    story.run(12, Story::healthy);
    assert_eq!(story.state(), State::Monitoring, "an hour of silence watched nothing");
    assert!(story.rollout.verdict().has(Reason::Gaps));
    story.run_until(48, Story::healthy, State::Deploying);
}

#[test]
fn met_5_after_a_silence_a_level_is_watched_for_a_window_before_it_is_judged() {
    // A volume is the rate since the reading before: it has watched the silence.
    let mut volume = Watch::new(&format!("{VOLUME}rollback = 0.8"));
    assert_eq!(volume.observe(7, r#"{"cpu":{"canary":0.1}}"#), Band::Success);
    volume.at = volume.at + Span::from_seconds(290);
    assert_eq!(volume.observe(1, r#"{"cpu":{"canary":0.9}}"#), Band::Rollback);
    let mut watch = Watch::new(&format!("{GAUGE}rollback = 0.8"));
    assert_eq!(watch.observe(7, r#"{"cpu":{"canary":0.1}}"#), Band::Success);
    watch.at = watch.at + Span::from_seconds(290);
    assert_eq!(watch.observe(6, r#"{"cpu":{"canary":0.9}}"#), Band::Hold, "one is no window");
    assert_eq!(watch.rollout.state(), State::Monitoring);
    assert_eq!(watch.rollout.verdict().metrics[0].1.needs, Some(10.0));
    let snapshot = watch.rollout.snapshot().unwrap();
    watch.rollout = Rollout::restore(&snapshot, b"", Recording::Keep).unwrap();
    assert_eq!(watch.observe(1, r#"{"cpu":{"canary":0.9}}"#), Band::Rollback);
    // So is the first reading of a phase that has run for long.
    let mut late = Watch::new(&format!("{GAUGE}rollback = 0.8"));
    late.at = late.at + Span::from_seconds(300);
    assert_eq!(late.observe(1, r#"{"cpu":{"canary":0.9}}"#), Band::Hold);
    assert_eq!(late.observe(6, r#"{"cpu":{"canary":0.9}}"#), Band::Rollback);
    // A reading that is missed is no silence.
    let mut missed = Watch::new(&format!("{GAUGE}rollback = 0.8"));
    missed.observe(7, r#"{"cpu":{"canary":0.1}}"#);
    missed.at = missed.at + Span::from_seconds(50);
    assert_eq!(missed.observe(1, r#"{"cpu":{"canary":0.9}}"#), Band::Rollback);
}

#[test]
fn met_5_looks_faster_than_the_cadence_still_see_a_trailing_window() {
    // Cadence and window are both a minute; looks come every ten seconds.
    let mut watch = Watch::new(ERRORS);
    watch.observe(6, r#"{"e":{"canary":[0,100]}}"#);
    watch.observe(3, r#"{"e":{"canary":[3,100]}}"#);
    assert_eq!(watch.rollout.verdict().metrics[0].1.canary, Some(9.0 / 600.0));
}

#[test]
fn roll_1_a_final_validation_that_is_not_content_asks_somebody() {
    let mut story = Story::new("standard", Recording::Keep);
    story.start();
    story.check_the_end();
    while story.state() != State::FinalValidation {
        story.run(1, Story::healthy);
        story.confirm_all();
    }
    // 4.9% errors are beyond alert and below rollback: no reason to go back, and none to be content.
    let alerting = |share: f64, _| Story::tick(share, 0.049, [0, 12], false);
    story.run(18, alerting);
    assert_eq!(story.state(), State::FinalValidation);
    let asks = |rollout: &Rollout| rollout.verdict().decision == Decision::Ask;
    for _ in 0..400 {
        story.run(1, alerting);
        if asks(&story.rollout) {
            break;
        }
    }
    assert!(asks(&story.rollout), "{:?}", story.rollout.verdict());
    story.input(r#"{"kind":"promote","by":"lena","why":"known, and smaller than the bug"}"#);
    assert_eq!(story.state(), State::Complete);
}

/// The refusal of an observation.
fn refused(watch: &mut Watch, metrics: &str) -> (String, String) {
    watch.at = watch.at + Span::from_seconds(10);
    let input = Input::from_json(&format!(r#"{{"kind":"observe","metrics":{metrics}}}"#)).unwrap();
    let refusal = watch.rollout.handle(watch.at, &input).unwrap_err();
    (format!("{} {}", refusal.code(), refusal.path()), refusal.to_string())
}

/// What is said of the first metric.
fn why(watch: &Watch) -> String {
    watch.rollout.why().unwrap().metrics[0].to_string()
}

#[test]
fn met_6_totals_by_stratum_keep_their_places() {
    let strata = |list: &[(u32, u32)]| {
        let each = list.iter().map(|(errors, all)| {
            format!(r#"{{"totals":true,"canary":[{errors},{all}],"baseline":[3,{}]}}"#, 9 * all)
        });
        format!(r#"{{"e":[{}]}}"#, each.collect::<Vec<_>>().join(","))
    };
    let mut watch = Watch::new(ERRORS);
    watch.observe(1, &strata(&[(10, 1_000), (500, 50_000)]));
    watch.observe(1, &strata(&[(11, 1_100), (500, 50_100)]));
    assert_eq!(watch.value(), Some(1.0 / 200.0));
    let (place, says) = refused(&mut watch, &strata(&[(12, 1_200)]));
    assert_eq!(place, "HF-MET-009 /metrics/e", "{says}");
    assert!(says.contains("of 1 stratum, and had 2 strata before"), "{says}");
    let (place, _) = refused(&mut watch, &strata(&[(12, 1_200), (500, 50_200), (0, 7)]));
    assert_eq!(place, "HF-MET-009 /metrics/e");
    // One that was not read is empty.
    watch.observe(1, r#"{"e":[{"totals":true,"canary":[12,1200],"baseline":[3,10800]},{}]}"#);
    watch.observe(1, &strata(&[(13, 1_300), (0, 90)]));
    assert_eq!(watch.value(), Some(3.0 / 490.0));
    let log = watch.rollout.log().to_owned();
    assert!(audit(log.as_bytes(), watch.rollout.head()).is_clean());
}

#[test]
fn met_6_totals_of_strata_with_names_follow_their_names() {
    let strata = |named: &[(&str, u32, u32)]| {
        let each = named.iter().map(|(name, errors, all)| {
            let baseline = 9 * all;
            format!(
                r#""{name}":{{"totals":true,"canary":[{errors},{all}],"baseline":[3,{baseline}]}}"#
            )
        });
        format!(r#"{{"e":{{{}}}}}"#, each.collect::<Vec<_>>().join(","))
    };
    let mut watch = Watch::new(ERRORS);
    watch.observe(1, &strata(&[("eu", 10, 1_000), ("us", 500, 50_000)]));
    watch.observe(1, &strata(&[("us", 500, 50_100), ("eu", 11, 1_100)]));
    assert_eq!(watch.value(), Some(1.0 / 200.0));
    let snapshot = watch.rollout.snapshot().unwrap();
    watch.rollout = Rollout::restore(&snapshot, b"", Recording::Keep).unwrap();
    for others in [
        strata(&[("eu", 11, 1_100)]),
        strata(&[("asia", 12, 1_200), ("us", 500, 50_200)]),
        strata(&[("asia", 0, 7), ("eu", 11, 1_100), ("us", 500, 50_200)]),
        r#"{"e":[{"totals":true,"canary":[11,1100]},{}]}"#.to_owned(),
    ] {
        let (place, says) = refused(&mut watch, &others);
        assert_eq!(place, "HF-MET-009 /metrics/e", "{says}");
        assert!(says.contains("and had `eu`, `us` before"), "{says}");
    }
    // One that was not read is empty.
    watch.observe(
        1,
        r#"{"e":{"us":{},"eu":{"totals":true,"canary":[12,1200],"baseline":[3,10800]}}}"#,
    );
    watch.observe(1, &strata(&[("us", 502, 50_250), ("eu", 13, 1_300)]));
    assert_eq!(watch.value(), Some(4.0 / 350.0), "of the last minute");
    let (place, says) = refused(&mut watch, r#"{"e":{"eu":{"canary":[11,10]},"us":{}}}"#);
    assert_eq!(place, "HF-MET-003 /metrics/e/eu/canary", "{says}");
    assert!(says.contains("the canary of `e` in stratum `eu`"), "{says}");
    let named = Reading::by_stratum([("canary".to_owned(), Arms::default())].into());
    let mut seen = Observation::new();
    seen.set("e".parse().unwrap(), named);
    assert_eq!(
        watch.rollout.handle(watch.at, &Input::observe(seen)).unwrap_err().code(),
        "HF-MET-002"
    );
}

#[test]
fn met_6_readings_that_came_and_were_not_used_are_said_to_be_so() {
    let mut watch = Watch::new(ERRORS);
    for errors in [0, 20, 40] {
        let totals = format!(r#"{{"totals":true,"canary":[{errors},1000],"baseline":[3,9000]}}"#);
        let band = watch.observe(1, &format!(r#"{{"e":{totals}}}"#));
        assert_eq!(band, Band::NoData);
        let reason = if errors == 0 { "the first totals" } else { "rose by more than the trials" };
        let says = why(&watch);
        assert!(says.contains("came and were not used, because the"), "{says}");
        assert!(says.contains(reason) && !says.contains("not read"), "{says}");
    }
    let mut watch = Watch::new(ERRORS);
    watch.observe(2, r#"{"e":{"canary":[0,0],"baseline":[0,0]}}"#);
    assert!(why(&watch).starts_with("e: no requests."), "{}", why(&watch));
}

#[test]
fn met_6_a_refused_reading_says_which_part_it_was() {
    let pods = r#"{"e":{"canary":{"pod-1":[1,10],"pod-77":[11,10]}}}"#;
    let negative = r#"{"e":{"canary":{"pod-1":[5,-4],"pod-77":[0,1000]}}}"#;
    let large = r#"{"e":{"canary":{"pod-77":[1,1e300]}}}"#;
    let stratum = r#"{"e":[{"canary":[1,10]},{"baseline":[-1,10]}]}"#;
    for (metrics, place, says) in [
        (
            pods,
            "HF-MET-003 /metrics/e/canary/pod-77",
            "instance `pod-77` of the canary of `e` has 11",
        ),
        (
            large,
            "HF-MET-008 /metrics/e/canary/pod-77",
            "instance `pod-77` of the canary of `e` has",
        ),
        (
            negative,
            "HF-MET-004 /metrics/e/canary/pod-1",
            "instance `pod-1` of the canary of `e` has",
        ),
        (stratum, "HF-MET-004 /metrics/e/1/baseline", "the baseline of `e` in stratum 2 has"),
    ] {
        let (at, sentence) = refused(&mut Watch::new(ERRORS), metrics);
        assert_eq!(at, place);
        assert!(sentence.contains(says), "{sentence}");
    }
    let of_gauge = r#"{"cpu":{"canary":{"pod-1":[1,10]}}}"#;
    let (at, sentence) = refused(&mut Watch::new(GAUGE), of_gauge);
    assert_eq!(at, "HF-MET-002 /metrics/cpu/canary");
    assert!(sentence.contains("is a gauge: it is not read by instance"), "{sentence}");
}

#[test]
fn met_6_a_form_that_cannot_be_read_is_named_with_its_place() {
    for (metrics, path, says) in [
        (
            r#"{"e":{"canary":{"le":[1],"counts":[2]}}}"#,
            "/metrics/e/canary/count",
            "`count` is missing",
        ),
        (
            r#"{"e":{"canary":{"p":[1,2],"q":[3]}}}"#,
            "/metrics/e/canary/q",
            "only counts and proportions are read by instance",
        ),
        (
            r#"{"e":{"canary":{"events":1,"trials":1000}}}"#,
            "/metrics/e/canary/events",
            "for the whole arm the list comes in place of the object, as [1, 1000]",
        ),
        (r#"{"e":[[[1,10],[2,10]]]}"#, "/metrics/e/0", "a list is not allowed here"),
    ] {
        let text = format!(r#"{{"kind":"observe","metrics":{metrics}}}"#);
        let error = Input::from_json(&text).unwrap_err();
        assert_eq!((error.code(), error.path().as_str()), ("HF-IN-001", path));
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn met_6_a_boundary_is_at_least_a_nanosecond() {
    let latency = "[l]\nkind = \"latency\"\nworse = \"higher\"\nquantile = 0.95\nmodel = \"none\"\nalert = \"1s\"\n\
                   boundaries = [\"500ms\"]";
    let mut watch = Watch::new(latency);
    let tiny = r#"{"l":{"canary":{"le":[5e-324,0.5],"counts":[0,200],"count":200}}}"#;
    let (place, says) = refused(&mut watch, tiny);
    assert_eq!(place, "HF-MET-005 /metrics/l/canary");
    assert!(says.contains("a nanosecond"), "{says}");
}
