//! Volume against the live arm, and without one against its own level some minutes before
//! (FIELD-19). All seeds are fixed.

use std::sync::Arc;

use hotfix_core::judge::Reason;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Act, Input, Recording, Rollout, State};
use hotfix_core::unit::{Span, Timestamp};
use rand_distr::{Binomial, Distribution, Poisson};
use rand_pcg::Pcg64;
use serde_json::{Value, json};

use crate::noise::stream;
use crate::ready;

const TICK: Span = Span::from_seconds(10);

/// Requests a minute at a second: the mean, times a wave of two hours.
#[derive(Clone, Copy)]
struct Traffic {
    swing: f64,
    from: f64,
    /// From this many seconds in the last phase on, this part of it.
    drop: Option<(u32, f64)>,
}

impl Traffic {
    fn at(self, second: f64) -> f64 {
        let way = 2.0 * std::f64::consts::PI * (second / 7_200.0 + self.from);
        1_000.0 * (1.0 + self.swing * way.sin())
    }
}

/// What a rollout of `standard` came to.
#[derive(Debug, Default)]
struct Seen {
    /// Seconds from the start to the final validation.
    complete: Option<u32>,
    /// Questions before that.
    asked: usize,
    /// Seconds from the drop to the first alert of the volume, and to the first question.
    found: Option<u32>,
    question: Option<u32>,
    /// Ticks of the last phase, before a drop, in which the volume alerted.
    alerts: usize,
    /// The state at the end.
    ended: Option<State>,
}

struct Service {
    rollout: Rollout,
    at: Timestamp,
    draws: Pcg64,
    /// The share of the requests that fail.
    failing: f64,
}

impl Service {
    fn new(seed: u64) -> Self {
        let policy = Arc::new(Policy::preset("standard").expect("a preset"));
        let incident = json!({ "id": "INC-1", "severity": "P1" }).to_string();
        let release = json!({ "version": "2", "previous": "1" }).to_string();
        let plan = Plan::from_json(policy, &incident, &release, "").expect("a plan");
        let rollout = Rollout::try_new(plan, Recording::Off, "").expect("a rollout");
        let at = "2026-03-03T14:40:00Z".parse().expect("a time");
        Self { rollout, at, draws: stream(seed), failing: 0.003 }
    }

    fn send(&mut self, input: Value) -> usize {
        let input = Input::from_value(input).expect("an input");
        let outcome = self.rollout.handle(self.at, &input);
        let outcome = outcome.unwrap_or_else(|refusal| panic!("{refusal}"));
        let asks = |act: &Act| matches!(act, Act::AskDecision { .. });
        outcome.actions.iter().filter(|action| asks(&action.act)).count()
    }

    fn confirm(&mut self) {
        while let Some(action) = self.rollout.pending_actions().first().map(|of| of.id) {
            let action = action.to_string();
            self.send(json!({ "kind": "confirm", "by": "tool", "action": action }));
        }
    }

    fn draw(&mut self, mean: f64) -> f64 {
        if mean > 0.0 { Poisson::new(mean).expect("a mean").sample(&mut self.draws) } else { 0.0 }
    }

    /// Those of so many that have something with this chance.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a drawn count")]
    fn part(&mut self, of: f64, chance: f64) -> f64 {
        let drawn = Binomial::new(of as u64, chance).expect("a chance").sample(&mut self.draws);
        drawn as f64
    }

    /// The readings of an arm with this share: those of a healthy service, and of the bug in the
    /// live version.
    fn arm(&mut self, requests: f64, share: f64, canary: bool) -> [Value; 5] {
        let count = self.draw(requests / 6.0 * share);
        let failed = self.part(count, self.failing);
        let unpaid = self.part(count, 0.005);
        let bugs = if canary { 0.0 } else { self.draw(60.0 / 6.0 * share) };
        // Requests above 100, 250, 300 and 500 ms.
        let mut above = count;
        let below = [0.5, 0.08, 0.6, 0.2, 0.0, 0.0].map(|part| {
            above = self.part(above, part);
            count - above
        });
        let histogram =
            json!({ "le": [0.1, 0.25, 0.3, 0.5, 1.0, 2.5], "counts": below, "count": count });
        [
            json!([failed, count]),
            json!([count - unpaid, count]),
            json!([bugs, 10.0]),
            json!(count * 6.0),
            histogram,
        ]
    }

    fn observe(&mut self, requests: f64) -> usize {
        const IDS: [&str; 5] =
            ["error_rate", "payment_success", "bug", "request_volume", "latency_p95"];
        let share = self.rollout.share().as_fraction();
        let canary = (share > 0.0).then(|| self.arm(requests, share, true));
        let live = (share < 1.0).then(|| self.arm(requests, 1.0 - share, false));
        let mut metrics = json!({});
        for (place, id) in IDS.into_iter().enumerate() {
            let mut arms = json!({});
            if let Some(canary) = &canary {
                arms["canary"] = canary[place].clone();
            }
            if let Some(live) = &live {
                arms["baseline"] = live[place].clone();
            }
            metrics[id] = arms;
        }
        self.send(json!({ "kind": "observe", "metrics": metrics }))
    }

    fn run(mut self, traffic: Traffic) -> Seen {
        self.send(json!({ "kind": "tick" }));
        ready::make(&mut self.rollout, self.at);
        self.send(json!({ "kind": "start", "by": "lena" }));
        let mut seen = Seen::default();
        let mut in_last = 0;
        for tick in 1..=3 * 360_u32 {
            self.confirm();
            if self.rollout.state() == State::FinalValidation {
                seen.complete = Some((tick - 1) * 10);
                return seen;
            }
            self.at = self.at + TICK;
            let last = self.rollout.share().as_fraction() >= 1.0;
            in_last += u32::from(last) * 10;
            let dropped = traffic.drop.filter(|(from, _)| in_last > *from);
            let times = dropped.map_or(1.0, |(_, times)| times);
            let asked = self.observe(traffic.at(f64::from(tick) * 10.0) * times);
            seen.asked += asked;
            let alert = self.rollout.verdict().causes.iter().any(|cause| {
                cause.reason == Reason::AlertBand
                    && cause.metric.is_some_and(|id| id.as_str() == "request_volume")
            });
            match dropped {
                Some((from, _)) => {
                    seen.found = seen.found.or(alert.then_some(in_last - from));
                    if asked > 0 {
                        seen.question = Some(in_last - from);
                        return seen;
                    }
                }
                None => seen.alerts += usize::from(alert && last),
            }
        }
        seen.ended = Some(self.rollout.state());
        seen
    }
}

#[test]
fn field_19_nobody_is_asked_about_traffic_that_rises_and_falls_by_half() {
    let (mut times, mut rolled_back) = (Vec::new(), 0);
    for run in 0..24_u32 {
        let from = f64::from(run) / 24.0;
        let traffic = Traffic { swing: 0.5, from, drop: None };
        let seen = Service::new(u64::from(run)).run(traffic);
        assert_eq!((seen.asked, seen.alerts), (0, 0), "{from}: {seen:?}");
        match seen.complete {
            Some(seconds) => times.push(seconds),
            // The tests of the other metrics roll back one healthy fix in a hundred.
            None => rolled_back += 1,
        }
    }
    times.sort_unstable();
    assert!(rolled_back <= 1, "{rolled_back} rolled back");
    // 50 minutes of watching; while traffic falls fastest, the gate waits.
    let in_time = times.iter().filter(|time| **time <= 3_060).count();
    assert!(in_time >= 18 && times.last().is_some_and(|last| *last <= 4_500), "{times:?}");
}

#[test]
fn field_19_a_drop_at_all_of_the_traffic_is_seen_in_minutes() {
    // With steady traffic, and while a wave of two hours rises and falls.
    for (swing, most) in [(0.0, 200), (0.3, 300)] {
        for run in 0..8_u32 {
            let from = f64::from(run) / 8.0;
            let traffic = Traffic { swing, from, drop: Some((500, 0.4)) };
            let seen = Service::new(100 + u64::from(run)).run(traffic);
            let found = seen.found.unwrap_or_else(|| panic!("{swing}, {from}: {seen:?}"));
            assert!(found <= most && seen.alerts == 0, "{swing}, {from}: {seen:?}");
            // A hold does not help with all of the traffic: a person is asked.
            let question = seen.question.unwrap_or_else(|| panic!("{swing}, {from}: {seen:?}"));
            assert!(question <= found + 430, "{swing}, {from}: {seen:?}");
        }
    }
}

#[test]
fn field_3_no_traffic_at_all_is_asked_about_in_two_minutes() {
    for run in 0..4_u32 {
        let traffic = Traffic { swing: 0.0, from: 0.0, drop: Some((500, 0.0)) };
        let seen = Service::new(200 + u64::from(run)).run(traffic);
        assert!(seen.question.is_some_and(|question| question <= 130), "{seen:?}");
    }
}

#[test]
fn field_20_errors_that_stay_with_all_of_the_traffic_are_asked_about() {
    let mut service = Service::new(9);
    service.send(json!({ "kind": "tick" }));
    ready::make(&mut service.rollout, service.at);
    service.send(json!({ "kind": "start", "by": "lena" }));
    let mut failing = 0;
    for _ in 0..600 {
        service.confirm();
        service.at = service.at + TICK;
        if service.rollout.share().as_fraction() >= 1.0 {
            failing += u32::from(service.failing > 0.003) * 10;
            service.failing = 0.04;
        }
        if service.observe(1_000.0) > 0 {
            break;
        }
    }
    assert_eq!(service.rollout.state(), State::Monitoring);
    // The window and `no_data.after` are 5 and 2 minutes.
    assert!((420..=540).contains(&failing), "{failing}");
    let question = service.rollout.questions().first().map(|open| open.text.clone());
    let question = question.expect("a question");
    assert!(question.contains("error rate: ") && question.contains("alert bound"), "{question}");
}

#[test]
fn field_19_traffic_that_the_canary_alone_loses_alerts() {
    let mut service = Service::new(7);
    service.send(json!({ "kind": "tick" }));
    ready::make(&mut service.rollout, service.at);
    service.send(json!({ "kind": "start", "by": "lena" }));
    let mut alerted = false;
    for _ in 0..120 {
        service.confirm();
        service.at = service.at + TICK;
        let share = service.rollout.share().as_fraction();
        let volume = json!({ "canary": 500.0 * share, "baseline": 1_000.0 * (1.0 - share) });
        service.send(json!({ "kind": "observe", "metrics": { "request_volume": volume } }));
        alerted |= service.rollout.verdict().has(Reason::AlertBand);
    }
    assert!(alerted);
}

#[test]
fn field_19_a_snapshot_keeps_the_level_before() {
    let level = |service: &Service| service.rollout.snapshot().expect("a snapshot");
    let policy = Arc::new(Policy::preset("standard").expect("a preset"));
    let plan = Plan::from_json(
        policy,
        r#"{"id": "INC-1", "severity": "P1"}"#,
        r#"{"version": "2", "previous": "1"}"#,
        "",
    );
    let rollout = Rollout::try_new(plan.expect("a plan"), Recording::Keep, "").expect("a rollout");
    let at = "2026-03-03T14:40:00Z".parse().expect("a time");
    let mut service = Service { rollout, at, draws: stream(3), failing: 0.003 };
    service.send(json!({ "kind": "tick" }));
    for _ in 0..30 {
        service.at = service.at + TICK;
        service.observe(1_000.0);
    }
    let kept = level(&service);
    assert!(String::from_utf8_lossy(&kept).contains("\"trailing\""), "no trailing level");
    let again = Rollout::restore(&kept, &[], Recording::Keep).expect("a rollout");
    assert_eq!(again.snapshot().expect("a snapshot"), kept);
    let replayed = Rollout::replay(service.rollout.log().as_bytes(), Recording::Keep);
    assert_eq!(replayed.expect("a log").snapshot().expect("a snapshot"), kept);
}
