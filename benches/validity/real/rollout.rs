//! One rollout of a world: a deploy tool that hands over what it reads and does what is asked of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use hotfix_core::judge::{Cause, Reason};
use hotfix_core::metric::{Arms, Histogram, Observation, Sample};
use hotfix_core::plan::{
    Histories, Plan, PlanFinding, PlanFindingKind, PlanHistories, SlowHistories, Subject,
};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Act, Action, Command, Input, Recording, RollbackCause, Rollout, State};
use hotfix_core::unit::{MetricName, Span, Timestamp};
use serde_json::{Value, json};

use crate::random::Random;
use crate::ready;

use super::cells::READ_BEFORE;
use super::service::{CANARY, Counters, Fault, Instance, LIVE, Service, add, minus};
use super::world::{BOUNDARIES, Scrape, World};

/// Seconds after which a rollout is given up.
const LONGEST: u32 = 5_400;
/// Ticks of a history: six hours in ticks of 10 s.
const HISTORY: u32 = 2_160;

/// The policy of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Preset {
    /// `standard` with this reference of the latency in milliseconds.
    Standard(u32),
    /// `standard` with half the traffic for 30 minutes instead of 23, and all of it for 10 instead of
    /// 17.
    LongHalf,
    /// `phased-canary` as it is.
    Phased,
    /// `phased-canary` without bounds of errors, payments and latency, and without the volume, which
    /// has nothing else. Those of the bug stay: no other fix than a wrong one reaches them, and at
    /// 100% they alone judge it.
    PhasedEvidence,
}

impl Preset {
    fn is_standard(self) -> bool {
        matches!(self, Self::Standard(_) | Self::LongHalf)
    }

    /// The policy, in which `stale` and `no_data` are longer than ticks of more than half a minute.
    fn policy(self, tick: u32) -> Policy {
        let name = if self.is_standard() { "standard" } else { "phased-canary" };
        let text = Policy::preset(name).expect("a preset").to_json();
        let mut document: Value = serde_json::from_str(&text).expect("a document");
        match self {
            Self::Standard(reference) => {
                document["metrics"]["latency_p95"]["reference"] = json!(f64::from(reference) / 1e3);
            }
            Self::LongHalf => {
                for (phase, minutes) in [(1, [30.0, 50.0]), (2, [10.0, 60.0])] {
                    for (key, minutes) in ["watch", "watch_most"].into_iter().zip(minutes) {
                        document["phases"][phase][key] = json!(60.0 * minutes);
                    }
                }
            }
            Self::Phased => {}
            Self::PhasedEvidence => {
                let metrics = document["metrics"].as_object_mut().expect("metrics");
                metrics.remove("request_volume");
                for name in ["error_rate", "payment_success", "latency_p95"] {
                    let metric = metrics[name].as_object_mut().expect("a metric");
                    for bound in ["success", "alert", "rollback"] {
                        metric.remove(bound);
                    }
                }
            }
        }
        let watch = &mut document["watch"];
        watch["cadence"] = json!(f64::from(tick));
        if tick > 30 && name == "standard" {
            watch["stale"] = json!(3.0 * f64::from(tick));
            watch["no_data"]["after"] = json!(5.0 * f64::from(tick));
        }
        Policy::from_json(&document.to_string()).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// What became of a rollout; times in seconds since the canary got traffic, or since
/// the fault began.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) rolled_back: Option<u32>,
    pub(super) asked: bool,
    pub(super) done: Option<u32>,
    /// The first cause of the rollback, or else of the first question.
    pub(super) why: Option<String>,
    /// Whether a question named the split or swapped arms.
    pub(super) doubted_arms: bool,
}

/// Rollouts of one world with one policy.
pub(super) struct Rollouts {
    world: World,
    plan: Plan,
    by_instance: bool,
    /// For how many seconds the live version is read before the start.
    before: u32,
}

/// Names of the metrics.
struct Names {
    error_rate: MetricName,
    payment_success: MetricName,
    latency: MetricName,
    bug: MetricName,
    volume: MetricName,
}

impl Names {
    fn new() -> Self {
        let name = |text| MetricName::try_new(text).expect("a name");
        Self {
            error_rate: name("error_rate"),
            payment_success: name("payment_success"),
            latency: name("latency_p95"),
            bug: name("bug"),
            volume: name("request_volume"),
        }
    }
}

impl Rollouts {
    /// The rollouts of a world. With a random stream for `history`, the plan is calibrated with a
    /// history that is drawn from the same world, and counts are sent by instance.
    pub(super) fn new(
        world: &World,
        preset: Preset,
        by_instance: bool,
        history: Option<Random>,
    ) -> Self {
        let tick = if preset.is_standard() { world.tick } else { 60 };
        let world = World { tick, ..*world };
        let subject: Subject = serde_json::from_value(json!({
            "incident": { "id": "INC-1", "severity": "P1" },
            "release": { "version": "2", "previous": "1" },
            "traffic": { "requests_per_minute": world.requests, "instances": world.instances },
        }))
        .expect("a subject");
        let policy = Arc::new(preset.policy(tick));
        let by_instance = by_instance || history.is_some();
        let plan = match history {
            None => Plan::try_new(policy, subject),
            Some(random) => Plan::calibrated(policy, subject, recorded(&world, random)),
        };
        Self { world, plan: plan.unwrap_or_else(|error| panic!("{error}")), by_instance, before: 0 }
    }

    /// These rollouts with the live version read before the start.
    pub(super) fn read_before(self) -> Self {
        Self { before: READ_BEFORE, ..self }
    }

    /// Whether the plan has the finding that a healthy fix misses bounds by chance.
    pub(super) fn says_missed_by_chance(&self) -> bool {
        let says = |finding: &PlanFinding| finding.kind == PlanFindingKind::MissedByChance;
        self.plan.findings().iter().any(says)
    }

    /// One rollout. Nobody answers a question.
    pub(super) fn run(&self, fault: Fault, seed: u64, run: u32) -> Seen {
        let names = Names::new();
        let mut service = Service::new(&self.world, fault, Random::new(seed, run));
        let rollout = Rollout::try_new(self.plan.clone(), Recording::Off, "").expect("a rollout");
        let mut at: Timestamp = "2026-03-03T14:40:00Z".parse().expect("a time");
        let mut tool = Tool { rollout, seen: Seen::default(), fault, since: None };
        tool.send(at, &Input::new(Command::Tick));
        for _ in (0..self.before).step_by(self.world.tick as usize) {
            service.tick();
            at = at + Span::from_seconds(self.world.tick);
            let observation = self.observe(&service, &names);
            service.sent();
            tool.send(at, &Input::observe(observation));
        }
        ready::make(&mut tool.rollout, at);
        tool.send(at, &Input::new(Command::Start).by("lena"));
        for clock in (0..LONGEST).step_by(self.world.tick as usize) {
            tool.confirm(at, clock);
            if tool.rollout.turned_back_at().is_some() {
                tool.seen.rolled_back = tool.since.and_then(|since| clock.checked_sub(since));
                return tool.rolled_back();
            }
            if tool.rollout.state() == State::FinalValidation {
                tool.seen.done = tool.since.and_then(|since| clock.checked_sub(since));
                break;
            }
            service.split(tool.rollout.share().as_fraction());
            service.tick();
            at = at + Span::from_seconds(self.world.tick);
            let observation = self.observe(&service, &names);
            service.sent();
            tool.send(at, &Input::observe(observation));
        }
        tool.seen
    }

    /// What the tool reads.
    fn observe(&self, service: &Service<'_>, names: &Names) -> Observation {
        let totals = self.world.scrape != Scrape::Together;
        let present = |arm: usize| service.of(arm).next().is_some();
        let arms = |sample: &dyn Fn(usize) -> Option<Sample>, totals: bool| Arms {
            canary: present(CANARY).then(|| sample(CANARY)).flatten(),
            baseline: present(LIVE).then(|| sample(LIVE)).flatten(),
            totals,
        };
        let of = |one: &Instance| if totals { one.read } else { minus(one.read, one.sent) };
        let sum = |arm: usize| {
            let mut sum = if totals { service.arms[arm].retired } else { Counters::default() };
            for one in service.of(arm) {
                add(&mut sum, &of(one));
            }
            sum
        };
        let sums = [CANARY, LIVE].map(sum);
        let level = |arm: usize| {
            let arm = &service.arms[arm];
            if totals { arm.read } else { minus(arm.read, arm.sent) }
        };
        let pair = |events: &dyn Fn(&Counters) -> f64, arm: usize| {
            Some(if self.by_instance {
                let pairs = service.of(arm).map(|one| {
                    let counts = of(one);
                    (one.name.clone(), [events(&counts), counts[0]])
                });
                Sample::Instances(pairs.collect())
            } else {
                Sample::Pair(events(&sums[arm]), sums[arm][0])
            })
        };
        let mut observation = Observation::new();
        let mut set = |name: MetricName, reading: Arms| {
            if self.plan.policy().metrics().iter().any(|metric| metric.id == name) {
                observation.set(name, reading);
            }
        };
        set(names.error_rate, arms(&|arm| pair(&|counts| counts[1], arm), totals));
        set(names.payment_success, arms(&|arm| pair(&paid, arm), totals));
        let histogram = |arm: usize| {
            let [count, _, _, slow @ ..] = sums[arm];
            let counts = slow.iter().map(|slow| count - slow).collect();
            Some(Sample::Histogram(Histogram { count, counts, le: BOUNDARIES.to_vec() }))
        };
        set(names.latency, arms(&histogram, totals));
        let bug = |arm: usize| {
            let [events, seconds, _] = level(arm);
            Some(Sample::Pair(events, seconds))
        };
        set(names.bug, arms(&bug, totals));
        let volume = |arm: usize| {
            let arm = &service.arms[arm];
            let [_, seconds, requests] = minus(arm.read, arm.before);
            (seconds > 0.0).then(|| Sample::Level(60.0 * requests / seconds))
        };
        set(names.volume, arms(&volume, false));
        observation
    }
}

/// Payments that succeed: each request is one.
fn paid(counts: &Counters) -> f64 {
    counts[0] - counts[2]
}

/// Six hours of the live version, as the same scraper reads them.
fn recorded(world: &World, random: Random) -> PlanHistories {
    let mut service = Service::new(world, Fault::NONE, random);
    let mut rows: [BTreeMap<String, Vec<[f64; 2]>>; 2] = Default::default();
    let mut times: BTreeMap<String, Vec<Vec<f64>>> = BTreeMap::new();
    for _ in 0..HISTORY {
        service.tick();
        for one in service.of(LIVE) {
            let counts = minus(one.read, one.sent);
            let pairs = [[counts[1], counts[0]], [paid(&counts), counts[0]]];
            for (rows, pair) in rows.iter_mut().zip(pairs) {
                rows.entry(one.name.clone()).or_default().push(pair);
            }
            let [count, _, _, slow @ ..] = counts;
            let row = slow.iter().map(|slow| count - slow).chain([count]).collect();
            times.entry(one.name.clone()).or_default().push(row);
        }
        service.sent();
    }
    let names = Names::new();
    let [failed, succeeded] = rows;
    PlanHistories {
        counts: Histories::from([(names.error_rate, failed), (names.payment_success, succeeded)]),
        times: SlowHistories::from([(names.latency, times)]),
    }
}

/// The tool with its rollout.
struct Tool {
    rollout: Rollout,
    seen: Seen,
    fault: Fault,
    /// When the canary has traffic and the fault has begun.
    since: Option<u32>,
}

impl Tool {
    fn send(&mut self, at: Timestamp, input: &Input) {
        let outcome = self.rollout.handle(at, input);
        let outcome = outcome.unwrap_or_else(|refusal| panic!("{refusal}"));
        let asks = |action: &Action| matches!(action.act, Act::AskDecision { .. });
        let asked = outcome.actions.iter().any(asks);
        if asked && self.rollout.turned_back_at().is_none() {
            self.asked();
        }
    }

    fn asked(&mut self) {
        let causes = &self.rollout.verdict().causes;
        let doubts =
            |cause: &Cause| matches!(cause.reason, Reason::ArmsSwapped | Reason::SplitNotAsPlanned);
        self.seen.doubted_arms |= causes.iter().any(doubts);
        self.seen.asked = true;
        if self.seen.why.is_none() {
            self.seen.why = Some(words(causes));
        }
    }

    /// Confirms whatever awaits it.
    fn confirm(&mut self, at: Timestamp, clock: u32) {
        while let Some(action) = self.rollout.pending_actions().first().map(|action| action.id) {
            if self.rollout.turned_back_at().is_some() {
                return;
            }
            self.send(at, &Input::new(Command::Confirm { action, why: None }).by("tool"));
        }
        let share = self.rollout.share().as_fraction();
        if share > 0.0 && share >= self.fault.from {
            self.since.get_or_insert(clock + self.fault.after);
        }
    }

    fn rolled_back(mut self) -> Seen {
        self.seen.why = match self.rollout.turned_back_for() {
            Some(RollbackCause::Verdict { causes }) => Some(words(causes)),
            other => other.map(|cause| format!("{cause:?}")),
        };
        self.seen
    }
}

/// The first cause in words; if it names no metric, with the first one that does.
fn words(causes: &[Cause]) -> String {
    let of_metric = |cause: &Cause| Some(format!("{}: {}", cause.metric?, cause.reason));
    let first =
        causes.first().map(|cause| of_metric(cause).unwrap_or_else(|| cause.reason.to_string()));
    let without = causes.first().is_some_and(|cause| cause.metric.is_none());
    let rest = causes.iter().find_map(of_metric).filter(|_| without);
    first.into_iter().chain(rest).collect::<Vec<_>>().join(", ")
}
