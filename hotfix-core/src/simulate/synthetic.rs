//! A synthetic environment: the readings of both arms in each tick of one run.

use crate::grade::MetricKind;
use crate::metric::{Arms, Observation, Sample};
use crate::plan::Plan;
use crate::rollout::{Act, Action, Command, Input, Rollout, Stage, State};
use crate::unit::{MetricName, Name, Share, Span, Timestamp};

use super::active::{Active, Faults, users};
use super::answers::Answers;
use super::arm_metrics::{ArmMetrics, CANARY, LIVE, MetricState};
use super::environment::{Environment, Impact, Tick};
use super::error::SimulationErrors;
use super::fault::{Fault, FaultKind};
use super::feed::{Feed, Scraper, count};
use super::healthy_service::{HealthyService, Instances};
use super::people::PeopleDraws;
use super::random::{Draws, Drift, Expected, Purpose, RunKey};
use super::recorded::{Merge, RecordedReading};
use super::scenario::Scenario;
use super::traffic::{Flow, Noise};

/// The common data of all runs of a scenario under a plan.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) scenario: Scenario,
    health: Vec<HealthyService>,
    /// Whether a metric has noise.
    is_noisy: bool,
    /// Whether the fix makes a metric worse by itself.
    is_worse: bool,
    /// The instances of both arms, if known.
    instances: Option<u32>,
    /// Requests a minute over all arms.
    requests: f64,
}

impl Setting {
    pub(super) fn try_new(scenario: &Scenario, plan: &Plan) -> Result<Self, SimulationErrors> {
        let planned = plan.subject().traffic.requests_per_minute;
        let volume = plan.policy().metrics().iter().find(|m| m.kind.is_traffic());
        let reference = volume.and_then(|metric| metric.reference).filter(|of| *of > 0.0);
        let requests = scenario.traffic.requests.or(planned).or(reference).unwrap_or(1000.0);
        let health = scenario.health(plan)?;
        let is_noisy = health.iter().any(|health| health.noise.deviation > 0.0);
        let is_worse = health.iter().any(HealthyService::is_worsened);
        let instances = scenario.instances(plan);
        Ok(Self { health, is_noisy, is_worse, instances, requests, scenario: scenario.clone() })
    }

    fn kind(&self, id: MetricName) -> Option<MetricKind> {
        self.health.iter().find(|health| health.id == id).map(|health| health.kind)
    }
}

/// One run of a scenario.
#[derive(Clone, Debug)]
pub(super) struct Synthetic<'s> {
    setting: &'s Setting,
    key: RunKey,
    flow: Flow,
    /// The last mean number of requests of the canary and the live version.
    expected: [Expected; 2],
    kept: Vec<MetricState>,
    /// Whether each fault occurs in this run.
    there: Vec<bool>,
    active: Vec<Active<'s>>,
    /// Since when the canary has had traffic.
    since: Option<Timestamp>,
    /// Whether the canary is worse now.
    bad: bool,
    /// When it was first worse.
    pub(super) bad_since: Option<Timestamp>,
    /// The requests that a crash left unanswered.
    crashed: Impact,
    /// Readings that are under way, each with the time of its arrival.
    late: Vec<RecordedReading>,
    /// In a tick whose share has changed: when the last change was, and the sums of the readings until then.
    begun: Option<(Timestamp, Observation)>,
    scraper: Scraper,
    random: PeopleDraws,
    /// The last attempt that people have prepared.
    attempt: u32,
    /// Occurrences of duties that people were asked to do.
    known: Vec<(Name, u64)>,
}

impl<'s> Synthetic<'s> {
    /// The environment before the start, which is the same in every run.
    pub(super) fn new(setting: &'s Setting, key: RunKey) -> Self {
        Self {
            setting,
            key,
            flow: Flow::new(key),
            expected: <[Expected; 2]>::default(),
            kept: vec![MetricState::default(); setting.health.len()],
            there: vec![true; setting.scenario.faults.len()],
            active: Vec::new(),
            since: None,
            bad: false,
            bad_since: None,
            crashed: Impact::default(),
            late: Vec::new(),
            begun: None,
            scraper: Scraper::default(),
            random: PeopleDraws(None),
            attempt: 0,
            known: Vec::new(),
        }
    }

    /// Begins another run from the start. Memory is reused.
    pub(super) fn begin(&mut self, key: RunKey) {
        let mut draws = key.draws(Purpose::Run, 0);
        self.key = key;
        self.flow = Flow::new(key);
        for (there, fault) in self.there.iter_mut().zip(&self.setting.scenario.faults) {
            *there = draws.chance(fault.chance);
        }
        for (kept, health) in self.kept.iter_mut().zip(&self.setting.health) {
            (kept.drift, kept.bad) = ([Drift::default(); 2], Impact::default());
            let Some(Instances { count, deviation, .. }) = health.instances else { continue };
            for factors in &mut kept.instances {
                factors.clear();
                factors.extend((0..count).map(|_| draws.factor(deviation)));
            }
        }
        (self.since, self.bad, self.bad_since, self.crashed) =
            (None, false, None, Impact::default());
        self.active.clear();
        self.late.clear();
        self.begun = None;
        self.scraper.clear();
        self.attempt = 1;
        self.known.clear();
        self.random = PeopleDraws(Some(key.draws(Purpose::People, 0)));
    }

    /// Finds the active faults of this tick. Returns the share of each arm's requests without an
    /// answer.
    fn activate_faults(&mut self, tick: Tick, draws: &mut Draws) -> [f64; 2] {
        let mut lost = [0.0_f64; 2];
        let setting = self.setting;
        if self.there.is_empty() && !setting.is_worse {
            return lost;
        }
        self.active.clear();
        let has_traffic = tick.share > Share::NONE;
        self.bad = has_traffic && setting.is_worse;
        if has_traffic && self.since.is_none() {
            self.since = Some(tick.from);
        }
        if self.bad {
            self.bad_since.get_or_insert(tick.from);
        }
        let Some(since) = self.since else { return lost };
        for (fault, there) in setting.scenario.faults.iter().zip(&self.there) {
            // Drawn in any case, so that later draws do not depend on the share.
            let hits = fault.kind != FaultKind::Lost || draws.chance(fault.users);
            if !(*there && hits && tick.share >= fault.from_share) {
                continue;
            }
            let Some(lasted) = fault.lasted(since, tick.to) else { continue };
            if has_traffic && fault.is_of_the_fix(&setting.health) {
                self.bad = true;
                self.bad_since.get_or_insert(tick.from.max(since + fault.after));
            }
            self.active.push(Active { fault, lasted });
            if fault.kind == FaultKind::Crash {
                for (arm, crashed) in lost.iter_mut().enumerate() {
                    if fault.hits(arm == CANARY) {
                        *crashed = crashed.max(users(fault, setting.instances, tick.share, arm));
                    }
                }
            }
        }
        lost
    }

    /// The last of the faults of a kind that were active in the last tick.
    fn last_active(&self, kind: FaultKind) -> Option<&'s Fault> {
        self.active.iter().rev().map(|active| active.fault).find(|fault| fault.kind == kind)
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

    /// Makes the readings of both arms.
    fn make(&mut self, tick: Tick, into: &mut Observation) {
        let setting = self.setting;
        let mut draws = self.key.draws(Purpose::Tick, tick.to.as_millis());
        let scenario = &setting.scenario;
        let times = self.flow.times(&scenario.traffic, scenario.from, tick.to, &mut draws);
        let minutes = tick.to.since(tick.from).as_seconds() / 60.0;
        // All draws that both policies of a comparison share come before those that depend on the
        // share; faults are drawn once the canary has had traffic.
        if setting.is_noisy {
            self.draw_noise(&mut draws);
        }
        let lost = self.activate_faults(tick, &mut draws);
        let parts = [tick.share, tick.share.rest()].map(Share::as_fraction);
        let mut arm = |index: usize| {
            let mean = setting.requests * minutes * times * parts[index];
            let all = draws.poisson_of(&mut self.expected[index], mean);
            let crashed = match lost[index] {
                0.0 => 0.0,
                chance => draws.binomial(all, chance),
            };
            let (share, part, requests) = (tick.share, parts[index], all - crashed);
            (ArmMetrics { index, share, minutes, requests, times, part }, crashed)
        };
        let ((canary, canary_crashed), (live, live_crashed)) = (arm(CANARY), arm(LIVE));
        if into.len() != setting.health.len() {
            into.clear();
            for health in &setting.health {
                into.set(health.id, Arms::default());
            }
        }
        let faults = Faults(&self.active);
        let mut is_missing = false;
        for (((_, reading), health), kept) in
            into.iter_mut().zip(&setting.health).zip(&mut self.kept)
        {
            let mut show = |arm: &ArmMetrics, sample: &mut Option<Sample>| {
                if arm.part <= 0.0 {
                    *sample = None;
                    return 0.0;
                }
                let bad = kept.read(health, faults, arm, &mut draws, sample);
                // The totals of a feed continue to count: they are only not scraped.
                if !self.active.is_empty()
                    && (lost[arm.index] >= 1.0
                        || setting.scenario.feed.is_none() && faults.lose(health, arm.index))
                {
                    *sample = None;
                }
                bad
            };
            let arms = reading.whole_mut();
            let bad = [show(&canary, &mut arms.canary), show(&live, &mut arms.baseline)];
            kept.bad.canary += bad[CANARY];
            kept.bad.live += bad[LIVE];
            is_missing |= arms.canary.is_none() && arms.baseline.is_none();
        }
        self.crashed.canary += canary_crashed;
        self.crashed.live += live_crashed;
        if is_missing {
            // An absent reading is not a reading of 0.
            let is_there = |arms: &Arms| arms.canary.is_some() || arms.baseline.is_some();
            into.retain(|reading| reading.whole().is_some_and(is_there));
        }
    }

    /// Makes the part of a tick since its begin or the last change of the share, and keeps its sums.
    fn make_part(&mut self, tick: Tick) {
        let (setting, from) = (self.setting, tick.from);
        // A part from before this tick is of an earlier attempt.
        let begun = self.begun.take().filter(|(at, _)| *at >= from);
        let (begun, mut sums) = begun.unwrap_or_else(|| (from, Observation::new()));
        let part = Tick { from: begun, ..tick };
        if part.to > part.from {
            if let Some(feed) = &setting.scenario.feed {
                self.make_and_scrape(feed, part);
            } else {
                let mut counted = Observation::new();
                self.make(part, &mut counted);
                let time = part.to.since(part.from);
                count(&mut sums, &counted, time, |id| setting.kind(id), |_| false);
            }
        }
        self.begun = Some((part.to.max(part.from), sums));
    }

    /// Makes the readings of a tick, with the parts before a change of the share.
    fn make_all(&mut self, tick: Tick, into: &mut Observation) {
        if self.begun.is_none() {
            return self.make(tick, into);
        }
        self.make_part(tick);
        if let Some((_, sums)) = self.begun.take() {
            *into = sums;
        }
        let minutes = tick.to.since(tick.from).as_seconds() / 60.0;
        let is_traffic = |id| self.setting.kind(id).is_some_and(MetricKind::is_traffic);
        for (id, reading) in into.iter_mut() {
            let arms = reading.whole_mut();
            for sample in [&mut arms.canary, &mut arms.baseline] {
                if let (Some(Sample::Level(requests)), true) = (sample, is_traffic(*id)) {
                    *requests /= minutes;
                }
            }
        }
    }

    /// Makes the counts of both arms in a tick, from scrape to scrape, and scrapes them.
    fn make_and_scrape(&mut self, feed: &Feed, tick: Tick) {
        let (key, setting) = (self.key, self.setting);
        let mut part = Tick { to: tick.from, ..tick };
        let mut counted = Observation::new();
        while part.to < tick.to {
            part.from = part.to;
            part.to = feed.next_of_all(part.from, tick.to);
            self.make(part, &mut counted);
            let kind = |id| setting.kind(id);
            let loses = |id, arm| {
                let mut health = setting.health.iter().filter(|health| health.id == id);
                health.any(|health| Faults(&self.active).lose(health, arm))
            };
            self.scraper.count(feed, &counted, (part.from, part.to), kind, loses, key);
        }
    }
}

impl Environment for Synthetic<'_> {
    fn show(&mut self, tick: Tick, into: &mut Observation) {
        match &self.setting.scenario.feed {
            None => self.make_all(tick, into),
            Some(feed) => {
                let from = self.begun.take().map_or(tick.from, |(at, _)| at.max(tick.from));
                self.make_and_scrape(feed, Tick { from, ..tick });
                self.scraper.show(into);
            }
        }
        let delay = self.last_active(FaultKind::Late).map(|fault| fault.by);
        if delay.is_some() || !self.late.is_empty() {
            let at = tick.to + delay.unwrap_or(Span::ZERO);
            self.late.push(RecordedReading { at, metrics: std::mem::take(into) });
            let come: Vec<_> = self.late.extract_if(.., |of| of.at <= tick.to).collect();
            Merge::default().put(&come, |id| self.setting.kind(id), into);
        }
    }

    fn share_changed(&mut self, part: Tick) {
        self.make_part(part);
    }

    fn clock(&self, at: Timestamp) -> Timestamp {
        match self.last_active(FaultKind::Clock) {
            Some(fault) if fault.back => at - fault.by,
            Some(fault) => at + fault.by,
            None => at,
        }
    }

    fn answer(&mut self, rollout: &Rollout, at: Timestamp, action: &Action, answers: &mut Answers) {
        let Scenario { people, platform, .. } = &self.setting.scenario;
        let random = &mut self.random;
        if action.act.awaits() {
            let Some(delay) = platform.takes(rollout, &action.act) else { return };
            let broken = matches!(&action.act,
                Act::RollBack { method, .. } if platform.broken.contains(method));
            let fails = random.happens(platform.fails) || broken;
            let command = if fails {
                Command::Failed { action: action.id, why: None }
            } else {
                Command::Confirm { action: action.id, why: None }
            };
            answers.after(at, delay, Input::new(command).by("platform"));
            return;
        }
        match &action.act {
            Act::AskDecision { .. } => people.decide(rollout, at, self.bad, random, answers),
            Act::Page { duty, .. } => people.settle(*duty, true, at, random, answers),
            Act::Notify { duty, .. } | Act::UpdateStatusPage { duty, .. } => {
                people.settle(*duty, false, at, random, answers);
            }
            Act::Schedule { .. } // It is on the list of duties.
            | Act::RequestApproval { .. }
            | Act::SetTraffic { .. }
            | Act::Deploy { .. }
            | Act::RollBack { .. } => {}
        }
    }

    fn enter(&mut self, rollout: &Rollout, at: Timestamp, answers: &mut Answers) {
        let people = &self.setting.scenario.people;
        match (rollout.stage(), rollout.state()) {
            (Stage::Preparing, State::Ready) => people.send_start(at, answers),
            (Stage::Preparing, _) if rollout.attempt() > self.attempt => {
                self.attempt = rollout.attempt();
                people.make_ready(rollout, at, answers);
            }
            (Stage::Deploying(step), _) if step.index == 0 && rollout.attempt() == 1 => {
                people.send_own_inputs(at, answers);
            }
            _ => {}
        }
    }

    fn look(&mut self, rollout: &Rollout, at: Timestamp, answers: &mut Answers) {
        let people = &self.setting.scenario.people;
        people.do_duties(rollout, at, &mut self.known, &mut self.random, answers);
    }

    /// The requests that are bad by the metric with the most of them in the whole run: the maximum
    /// over metrics in each tick would grow as ticks become shorter.
    fn affected(&self) -> Impact {
        let worst = |of: fn(&Impact) -> f64| {
            of(&self.crashed) + self.kept.iter().map(|kept| of(&kept.bad)).fold(0.0, f64::max)
        };
        Impact { canary: worst(|of| of.canary), live: worst(|of| of.live) }
    }
}
