//! A made-up world: what both arms show in each tick of one run.

use std::collections::{BTreeMap, VecDeque};

use crate::grade::MetricKind;
use crate::metric::{Arms, Observation, Sample};
use crate::plan::Plan;
use crate::rollout::{Action, Rollout, Stage, State};
use crate::unit::{Name, Share, Span, Timestamp};

use super::answers::Answers;
use super::error::SimulationErrors;
use super::fault::{Fault, FaultKind};
use super::health::{Health, Instances};
use super::latency::LatencyLaw;
use super::people::{Answering, Luck};
use super::random::{Chance, Draws, Drift, Expected, Purpose, RunKey};
use super::sample::{level_of, pair};
use super::scenario::Scenario;
use super::traffic::{Flow, Noise};
use super::world::{Hurt, Shown, Tick, World};

/// Instances of an arm where the scenario has none: what a fault of some instances is a part of.
const TEN: u32 = 10;

/// What all runs of a scenario under a plan have in common.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) scenario: Scenario,
    health: Vec<Health>,
    /// A metric has noise.
    is_noisy: bool,
    /// Requests a minute over all arms.
    requests: f64,
}

impl Setting {
    pub(super) fn try_new(scenario: &Scenario, plan: &Plan) -> Result<Self, SimulationErrors> {
        let planned = plan.subject().traffic.requests_per_minute;
        let volume = plan.policy().metrics().iter().find(|m| m.kind == MetricKind::Volume);
        let recorded = volume.and_then(|metric| metric.record).filter(|record| *record > 0.0);
        let requests = scenario.traffic.requests.or(planned).or(recorded).unwrap_or(1000.0);
        let health = scenario.health(plan)?;
        let is_noisy = health.iter().any(|health| health.noise.deviation > 0.0);
        Ok(Self { health, is_noisy, requests, scenario: scenario.clone() })
    }
}

/// A fault of this run that is there in the present tick.
#[derive(Clone, Copy, Debug)]
struct Active {
    fault: usize,
    lasted: Span,
}

/// What one metric keeps from tick to tick.
#[derive(Clone, Debug, Default)]
struct Kept {
    drift: [Drift; 2],
    /// What the present tick's noise makes of each arm; of no meaning where there is none.
    noise: [f64; 2],
    /// The factors of the instances of canary and live version.
    instances: [Vec<f64>; 2],
    /// The last chance of a bad event.
    chance: [Chance; 2],
    latency: [LatencyLaw; 2],
}

/// One run of a scenario.
#[derive(Clone, Debug)]
pub(super) struct MadeUp<'s> {
    setting: &'s Setting,
    key: RunKey,
    flow: Flow,
    /// The last mean of requests of canary and live version.
    expected: [Expected; 2],
    kept: Vec<Kept>,
    /// Whether each fault is there in this run.
    there: Vec<bool>,
    active: Vec<Active>,
    /// Since when the canary has had traffic.
    since: Option<Timestamp>,
    /// The canary is worse now.
    bad: bool,
    /// The first time that it was.
    pub(super) bad_since: Option<Timestamp>,
    hurt: Hurt,
    late: VecDeque<(Timestamp, Observation)>,
    luck: Luck,
    /// Duties that people have on their list.
    known: Vec<Name>,
}

const CANARY: usize = 0;

impl<'s> MadeUp<'s> {
    /// The world before the start, which is the same in every run.
    pub(super) fn new(setting: &'s Setting, key: RunKey) -> Self {
        Self {
            setting,
            key,
            flow: Flow::new(key),
            expected: <[Expected; 2]>::default(),
            kept: vec![Kept::default(); setting.health.len()],
            there: vec![true; setting.scenario.faults.len()],
            active: Vec::new(),
            since: None,
            bad: false,
            bad_since: None,
            hurt: Hurt::default(),
            late: VecDeque::new(),
            luck: Luck(None),
            known: Vec::new(),
        }
    }

    /// Another run from the start on. Memory is used again.
    pub(super) fn begin(&mut self, key: RunKey) {
        let mut draws = key.draws(Purpose::Run, 0);
        self.key = key;
        self.flow = Flow::new(key);
        for (there, fault) in self.there.iter_mut().zip(&self.setting.scenario.faults) {
            *there = draws.chance(fault.chance);
        }
        for (kept, health) in self.kept.iter_mut().zip(&self.setting.health) {
            kept.drift = [Drift::default(); 2];
            let Some(Instances { count, deviation, .. }) = health.instances else { continue };
            for factors in &mut kept.instances {
                factors.clear();
                factors.extend((0..count).map(|_| draws.factor(deviation)));
            }
        }
        (self.since, self.bad, self.bad_since, self.hurt) = (None, false, None, Hurt::default());
        self.late.clear();
        self.known.clear();
        self.luck = Luck(Some(key.draws(Purpose::People, 0)));
    }

    /// Finds what goes wrong in this tick, and gives what each arm loses to it.
    fn strike(&mut self, tick: Tick, draws: &mut Draws) -> [Lost; 2] {
        let mut lost = [Lost::default(); 2];
        if self.there.is_empty() {
            return lost;
        }
        self.active.clear();
        self.bad = false;
        if tick.share > Share::NONE && self.since.is_none() {
            self.since = Some(tick.from);
        }
        let Some(since) = self.since else { return lost };
        for (index, fault) in self.setting.scenario.faults.iter().enumerate() {
            // Drawn in any case, so that what follows does not depend on the share.
            let hits = fault.kind != FaultKind::Lost || draws.chance(fault.users);
            let there = self.there.get(index).is_some_and(|there| *there);
            if !(there && hits && tick.share >= fault.from_share) {
                continue;
            }
            let Some(lasted) = fault.lasted(since, tick.to) else { continue };
            if fault.is_of_the_fix() && tick.share > Share::NONE {
                self.bad = true;
                self.bad_since.get_or_insert(tick.from.max(since + fault.after));
            }
            self.active.push(Active { fault: index, lasted });
            if fault.kind == FaultKind::Crash {
                for (arm, lost) in lost.iter_mut().enumerate() {
                    if fault.hits(arm == CANARY) {
                        lost.crashed = lost.crashed.max(users(fault, None, tick.share, arm));
                    }
                }
            }
        }
        lost
    }

    /// The faults of these kinds that touch a metric in an arm.
    fn touching<'a>(
        &'a self,
        health: &'a Health,
        arm: usize,
    ) -> impl Iterator<Item = (&'a Fault, Span)> {
        self.active.iter().filter_map(move |active| {
            let fault = self.setting.scenario.faults.get(active.fault)?;
            (fault.hits(arm == CANARY) && fault.touches(health)).then_some((fault, active.lasted))
        })
    }

    /// Bad events a trial, or a minute: what is usual, made worse. `instance`: of this instance alone.
    #[inline]
    fn rate(
        &self,
        health: &Health,
        arm: usize,
        usual: f64,
        share: Share,
        instance: Option<u32>,
    ) -> f64 {
        let rate = if arm == CANARY { usual * health.fixed } else { usual };
        if self.active.is_empty() {
            return rate;
        }
        self.worsened(health, arm, (usual, rate), share, instance)
    }

    /// The same while something is wrong: `usual`, and what the version makes of it.
    fn worsened(
        &self,
        health: &Health,
        arm: usize,
        (usual, mut rate): (f64, f64),
        share: Share,
        instance: Option<u32>,
    ) -> f64 {
        for (fault, lasted) in self.touching(health, arm) {
            let hit = match (fault.instances, instance) {
                (Some(most), Some(instance)) => f64::from(u8::from(instance < most)) * fault.users,
                _ => users(fault, health.instances, share, arm),
            };
            let worse = match fault.kind {
                FaultKind::Errors => fault.to.unwrap_or(rate * fault.times),
                FaultKind::Leak => fault.leaked(rate, lasted, health.falls()),
                FaultKind::NoFix => usual,
                FaultKind::Latency
                | FaultKind::Tail
                | FaultKind::Crash
                | FaultKind::Lost
                | FaultKind::Late
                | FaultKind::Clock => rate,
            };
            rate += hit * (worse - rate);
        }
        rate
    }
}

impl MadeUp<'_> {
    /// Fills the law of an arm's latencies.
    fn latency(&mut self, index: usize, arm: usize, noise: f64, share: Share) {
        let Some(health) = self.setting.health.get(index) else { return };
        let Some(kept) = self.kept.get_mut(index) else { return };
        let mut law = std::mem::take(&mut kept.latency[arm]);
        law.begin(noise);
        for (fault, lasted) in self.touching(health, arm) {
            let hit = users(fault, health.instances, share, arm);
            match fault.kind {
                FaultKind::Latency => law.slow(hit, fault.times),
                // Without a word of users the tail is a twentieth.
                FaultKind::Tail => law.slow(if hit >= 1.0 { 0.05 } else { hit }, fault.times),
                FaultKind::Leak => law.slow(hit, fault.grown(lasted)),
                FaultKind::Errors
                | FaultKind::Crash
                | FaultKind::NoFix
                | FaultKind::Lost
                | FaultKind::Late
                | FaultKind::Clock => {}
            }
        }
        law.work_out(health);
        if let Some(kept) = self.kept.get_mut(index) {
            kept.latency[arm] = law;
        }
    }
}

/// What an arm loses to faults in a tick.
#[derive(Clone, Copy, Debug, Default)]
struct Lost {
    /// The share of its requests that nobody answers.
    crashed: f64,
}

/// The share of an arm's users whom a fault hits.
fn users(fault: &Fault, instances: Option<Instances>, share: Share, arm: usize) -> f64 {
    let Some(hit) = fault.instances else { return fault.users };
    let all = of_arm(instances.map_or(TEN, |instances| instances.count), share, arm);
    fault.users * (f64::from(hit) / f64::from(all)).min(1.0)
}

/// How many of the instances an arm has: as many as its share, and at least one.
fn of_arm(all: u32, share: Share, arm: usize) -> u32 {
    let canary = (f64::from(all) * share.as_fraction()).round();
    let canary = if canary < 1.0 {
        1
    } else {
        (1..=all).find(|count| f64::from(*count) >= canary).unwrap_or(all)
    };
    if arm == CANARY { canary } else { (all - canary).max(1) }
}

/// One arm in one tick.
#[derive(Clone, Copy)]
struct Arm {
    index: usize,
    share: Share,
    minutes: f64,
    /// Its requests that are answered and counted.
    requests: f64,
    /// How many times the usual traffic there is.
    times: f64,
    noise: f64,
    /// Its part of all traffic.
    part: f64,
}

impl MadeUp<'_> {
    /// What one arm shows of a metric; gives the requests that were bad.
    fn read(
        &mut self,
        metric: usize,
        arm: Arm,
        draws: &mut Draws,
        sample: &mut Option<Sample>,
    ) -> f64 {
        let Some(health) = self.setting.health.get(metric) else { return 0.0 };
        match health.kind {
            MetricKind::Proportion if health.instances.is_none() => {
                self.read_proportion(metric, health, arm, draws, sample)
            }
            MetricKind::Proportion | MetricKind::Count => {
                self.read_rate(metric, health, arm, draws, sample)
            }
            MetricKind::Latency => {
                self.latency(metric, arm.index, arm.noise, arm.share);
                let Some(kept) = self.kept.get(metric) else { return 0.0 };
                kept.latency[arm.index].draw(health, arm.requests, draws, sample);
                0.0
            }
            MetricKind::Gauge => {
                let mut level = health.base * arm.noise * (1.0 + health.spread * draws.normal());
                for (fault, lasted) in self.touching(health, arm.index) {
                    if fault.kind == FaultKind::Leak {
                        level = fault.leaked(level, lasted, health.falls());
                    }
                }
                level_of(sample, level);
                0.0
            }
            MetricKind::Volume => {
                level_of(sample, arm.requests / arm.minutes);
                0.0
            }
        }
    }

    /// A proportion of the arm as a whole.
    fn read_proportion(
        &mut self,
        metric: usize,
        health: &Health,
        arm: Arm,
        draws: &mut Draws,
        sample: &mut Option<Sample>,
    ) -> f64 {
        let rate = self.rate(health, arm.index, health.base * arm.noise, arm.share, None).min(1.0);
        let Some(kept) = self.kept.get_mut(metric) else { return 0.0 };
        let trials =
            if health.of < 1.0 { draws.binomial(arm.requests, health.of) } else { arm.requests };
        let bad = draws.binomial_of(trials, &mut kept.chance[arm.index], rate);
        pair(sample, if health.counts_good { trials - bad } else { bad }, trials);
        bad
    }

    fn read_rate(
        &mut self,
        metric: usize,
        health: &Health,
        arm: Arm,
        draws: &mut Draws,
        sample: &mut Option<Sample>,
    ) -> f64 {
        let is_count = health.kind == MetricKind::Count;
        let trials = if is_count {
            // Seconds; the judge scales them with the share where the metric is scaled.
            arm.minutes * 60.0
        } else if health.of < 1.0 {
            draws.binomial(arm.requests, health.of)
        } else {
            arm.requests
        };
        let part = if health.scaled { arm.part } else { 1.0 };
        let exposure = arm.minutes * arm.times * part;
        let kept = self.kept.get_mut(metric).map(|kept| &mut kept.chance[arm.index]);
        let mut chance = kept.map(std::mem::take).unwrap_or_default();
        let mut events_of = |rate: f64, trials: f64, part: f64| {
            if is_count {
                draws.poisson(rate * exposure * part)
            } else {
                draws.binomial_of(trials, &mut chance, rate.min(1.0))
            }
        };
        let shown = |bad: f64, trials: f64| {
            if health.counts_good { trials - bad } else { bad }
        };
        let usual = health.base * arm.noise;
        let factors = self.kept.get(metric).map(|kept| kept.instances[arm.index].as_slice());
        let Some((instances, factors)) = health.instances.zip(factors) else {
            let rate = self.rate(health, arm.index, usual, arm.share, None);
            let bad = events_of(rate, trials, 1.0);
            pair(sample, shown(bad, trials), trials);
            if let Some(kept) = self.kept.get_mut(metric) {
                kept.chance[arm.index] = chance;
            }
            return if is_count { 0.0 } else { bad };
        };
        let count = of_arm(instances.count, arm.share, arm.index);
        if !instances.sent {
            let own = factors.iter().take(count as usize);
            let mean = own.sum::<f64>() / f64::from(count);
            let rate = self.rate(health, arm.index, usual * mean, arm.share, None);
            let bad = events_of(rate, trials, 1.0);
            pair(sample, shown(bad, trials), trials);
            return if is_count { 0.0 } else { bad };
        }
        let mut sent = match sample.take() {
            Some(Sample::Instances(sent)) if sent.len() == count as usize => sent,
            _ => BTreeMap::new(),
        };
        let prefix = if arm.index == CANARY { "canary" } else { "live" };
        if sent.is_empty() {
            sent.extend((0..count).map(|number| (format!("{prefix}-{number:04}"), [0.0; 2])));
        }
        let (mut left, mut all) = (trials, 0.0);
        for ((number, factor), sent) in (0..count).zip(factors).zip(sent.values_mut()) {
            // Side by side they are watched all the time; requests go to one of them each.
            let own = if is_count {
                trials
            } else {
                let part = (left / f64::from(count - number)).floor();
                if number + 1 == count { left } else { part }
            };
            left -= if is_count { 0.0 } else { own };
            let rate = self.rate(health, arm.index, usual * factor, arm.share, Some(number));
            let bad = events_of(rate, own, 1.0 / f64::from(count));
            all += bad;
            *sent = [shown(bad, own), own];
        }
        *sample = Some(Sample::Instances(sent));
        if is_count { 0.0 } else { all }
    }

    /// Whether an arm's readings of a metric do not come.
    fn is_lost(&self, health: &Health, arm: usize) -> bool {
        self.touching(health, arm).any(|(fault, _)| fault.kind == FaultKind::Lost)
    }

    /// Draws the noise of every metric that has one.
    fn draw_noise(&mut self, draws: &mut Draws) {
        for (kept, health) in self.kept.iter_mut().zip(&self.setting.health) {
            let Noise { deviation, memory, apart } = health.noise;
            if deviation > 0.0 {
                let both = kept.drift[0].next(draws, deviation, memory);
                let live = if apart { kept.drift[1].next(draws, deviation, memory) } else { both };
                kept.noise = [both, live];
            }
        }
    }

    /// Makes what both arms show.
    fn make(&mut self, tick: Tick, into: &mut Observation) {
        let setting = self.setting;
        let mut draws = self.key.draws(Purpose::Tick, tick.to.as_millis());
        let scenario = &setting.scenario;
        let times = self.flow.times(&scenario.traffic, scenario.from, tick.to, &mut draws);
        let minutes = tick.to.since(tick.from).as_seconds() / 60.0;
        // All draws that both policies of a comparison share come before those that depend on the share; faults are drawn once
        // the canary has had traffic.
        if setting.is_noisy {
            self.draw_noise(&mut draws);
        }
        let lost = self.strike(tick, &mut draws);
        let parts = [tick.share, tick.share.rest()].map(Share::as_fraction);
        let (mut requests, mut hurt) = ([0.0; 2], [0.0_f64; 2]);
        for arm in 0..2 {
            let mean = setting.requests * minutes * times * parts[arm];
            let all = draws.poisson_of(&mut self.expected[arm], mean);
            let crashed = match lost[arm].crashed {
                0.0 => 0.0,
                chance => draws.binomial(all, chance),
            };
            requests[arm] = all - crashed;
            hurt[arm] = crashed;
        }
        if into.len() != setting.health.len() {
            into.clear();
            for health in &setting.health {
                into.set(health.id, Arms::default());
            }
        }
        let mut worst = [0.0_f64; 2];
        let mut is_missing = false;
        for (metric, (_, reading)) in into.iter_mut().enumerate() {
            let Some(health) = setting.health.get(metric) else { continue };
            let noise = match self.kept.get(metric) {
                Some(kept) if health.noise.deviation > 0.0 => kept.noise,
                _ => [1.0; 2],
            };
            let arms = reading.whole_mut();
            for index in 0..2 {
                let sample = if index == CANARY { &mut arms.canary } else { &mut arms.baseline };
                if parts[index] <= 0.0 {
                    *sample = None;
                    continue;
                }
                let arm = Arm {
                    index,
                    share: tick.share,
                    minutes,
                    requests: requests[index],
                    times,
                    noise: noise[index],
                    part: parts[index],
                };
                let bad = self.read(metric, arm, &mut draws, sample);
                if bad > worst[index] {
                    worst[index] = bad;
                }
                if lost[index].crashed >= 1.0
                    || (!self.active.is_empty() && self.is_lost(health, index))
                {
                    *sample = None;
                }
            }
            is_missing |= arms.canary.is_none() && arms.baseline.is_none();
        }
        self.hurt.canary += hurt[0] + worst[0];
        self.hurt.live += hurt[1] + worst[1];
        if is_missing {
            // Absent is not a reading of nothing.
            let is_there = |arms: &Arms| arms.canary.is_some() || arms.baseline.is_some();
            into.retain(|reading| reading.whole().is_some_and(is_there));
        }
    }
}

impl World for MadeUp<'_> {
    fn show(&mut self, tick: Tick, into: &mut Observation) -> Shown {
        self.make(tick, into);
        let (mut late, mut shown) = (None, Shown::Readings);
        for active in &self.active {
            let Some(fault) = self.setting.scenario.faults.get(active.fault) else { continue };
            match fault.kind {
                FaultKind::Late => late = Some(fault.by),
                FaultKind::Clock if fault.back => shown = Shown::At(tick.to - fault.by),
                FaultKind::Clock => shown = Shown::At(tick.to + fault.by),
                _ => {}
            }
        }
        if late.is_none() && self.late.is_empty() {
            return if into.is_empty() { Shown::Nothing } else { shown };
        }
        if let Some(by) = late {
            self.late.push_back((tick.to + by, std::mem::take(into)));
            // The newest of those that have come.
            let come = self.late.iter().take_while(|(due, _)| *due <= tick.to).count();
            match self.late.drain(..come).next_back() {
                Some((_, observation)) => *into = observation,
                None => return Shown::Nothing,
            }
        } else {
            self.late.clear();
        }
        if into.is_empty() { Shown::Nothing } else { shown }
    }

    fn answer(&mut self, rollout: &Rollout, at: Timestamp, action: &Action, answers: &mut Answers) {
        let Scenario { people, platform, .. } = &self.setting.scenario;
        let bad = self.bad;
        Answering { people, platform, luck: &mut self.luck, bad }
            .answer(rollout, at, action, answers);
    }

    fn enter(&mut self, rollout: &Rollout, at: Timestamp, answers: &mut Answers) {
        let people = &self.setting.scenario.people;
        match (rollout.stage(), rollout.state()) {
            (Stage::Preparing, State::Ready) => people.go(at, answers),
            (Stage::Preparing, _) if rollout.now().is_none() => {
                people.make_ready(rollout, at, answers);
            }
            (Stage::Deploying(step), _) if step.index == 0 => people.speak(at, answers),
            _ => {}
        }
    }

    fn look(&mut self, rollout: &Rollout, at: Timestamp, answers: &mut Answers) {
        let people = &self.setting.scenario.people;
        people.do_duties(rollout, at, &mut self.known, &mut self.luck, answers);
    }

    fn hurt(&self) -> Hurt {
        self.hurt
    }
}
