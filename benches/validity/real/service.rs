//! Draws what the instances of a world do, step by step, and what a scraper reads of it.

use hotfix_core::stats::numeric::{exp, ln};

use crate::random::Random;

use super::world::{BOUNDARIES, Caller, Scrape, Shape, Spells, Wander, World};

/// Requests, failed ones, failed payments, and requests that took longer than each boundary.
pub(super) type Counters = [f64; 3 + BOUNDARIES.len()];

pub(super) const CANARY: usize = 0;
pub(super) const LIVE: usize = 1;

/// How much worse the canary is than the live version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) errors: f64,
    pub(super) latency: f64,
    /// The canary's share of the traffic from which on it is worse.
    pub(super) from: f64,
    /// Seconds for which it has that share before it becomes worse.
    pub(super) after: u32,
}

impl Fault {
    pub(super) const NONE: Self = Self { errors: 1.0, latency: 1.0, from: 0.0, after: 0 };
}

/// One instance: its state, its totals, and those that were read last and were sent last.
pub(super) struct Instance {
    pub(super) name: String,
    arm: usize,
    zone: usize,
    /// When it was new. None if it has run for long.
    new_at: Option<f64>,
    slower: f64,
    latency: f64,
    errors: f64,
    slow: bool,
    bursts: bool,
    offset: u32,
    total: Counters,
    pub(super) read: Counters,
    pub(super) sent: Counters,
}

/// What is counted of an arm as a whole: events of the bug, seconds, requests.
pub(super) type Level = [f64; 3];

#[derive(Default)]
pub(super) struct Arm {
    latency: f64,
    offset: u32,
    /// Counters of instances that were replaced.
    pub(super) retired: Counters,
    total: Level,
    pub(super) read: Level,
    /// What was read before `read`, and what was sent last.
    pub(super) before: Level,
    pub(super) sent: Level,
}

/// Calls of a client: until when, by which instance, and when it comes again.
struct Calls {
    until: f64,
    by: usize,
    next: f64,
}

/// A running service.
pub(super) struct Service<'a> {
    world: &'a World,
    fault: Fault,
    /// When the canary first had the share from which on there is a fault.
    reached: Option<u32>,
    unit: f64,
    random: Random,
    clock: u32,
    share: f64,
    turn: f64,
    pub(super) instances: Vec<Instance>,
    pub(super) arms: [Arm; 2],
    zones: Vec<f64>,
    slow: bool,
    shock: bool,
    outage: Option<usize>,
    customer: Calls,
    cron: Calls,
    slow_client: Calls,
}

impl<'a> Service<'a> {
    /// A service with all traffic on the live version, which has run for long.
    pub(super) fn new(world: &'a World, fault: Fault, mut random: Random) -> Self {
        let turn = random.uniform();
        let zones = (0..world.zones).map(|_| world.in_zones.spread * random.normal()).collect();
        let mut arms = [Arm::default(), Arm::default()];
        for arm in &mut arms {
            arm.latency = world.arms.spread * random.normal();
        }
        arms[CANARY].offset = match world.scrape {
            Scrape::Together | Scrape::Instances { .. } => 0,
            Scrape::Arms { apart, .. } => apart,
            Scrape::AnyApart { every } => any_step(every, &mut random),
        };
        let mut calls =
            |of: Caller| Calls { until: 0.0, by: 0, next: after(of.every, &mut random) };
        let (customer, slow_client) = (calls(world.customer), calls(world.slow_client));
        let first = world.cron.every * random.uniform();
        let cron = Calls { until: 0.0, by: random.below(world.instances), next: first };
        let mut service = Self {
            world,
            fault,
            reached: None,
            unit: world.shape.unit(world.p95),
            clock: 0,
            share: 0.0,
            turn,
            instances: Vec::new(),
            arms,
            zones,
            slow: random.happens(world.slow.share()),
            shock: random.happens(world.shocks.share()),
            outage: None,
            customer,
            cron,
            slow_client,
            random,
        };
        service.instances = (0..world.instances).map(|at| service.instance(LIVE, at)).collect();
        service
    }

    fn instance(&mut self, arm: usize, number: usize) -> Instance {
        let is_canary = arm == CANARY;
        let past = if is_canary { Counters::default() } else { self.past() };
        let (world, random) = (self.world, &mut self.random);
        Instance {
            name: format!("{}-{number:02}", if is_canary { "fix" } else { "live" }),
            arm,
            zone: number % world.zones,
            new_at: is_canary.then_some(f64::from(self.clock)),
            slower: if is_canary && number == 0 { world.slow_node } else { 1.0 },
            latency: world.pods.spread * random.normal(),
            errors: world.error_rate.spread * random.normal(),
            slow: random.happens(world.neighbours.share()),
            bursts: random.happens(world.bursts.share()),
            offset: match world.scrape {
                Scrape::Instances { every } => any_step(every, random),
                _ => self.arms[arm].offset,
            },
            total: past,
            read: past,
            sent: past,
        }
    }

    /// What an instance of the live version has counted in the hour before: the mean, without noise.
    fn past(&self) -> Counters {
        let World { requests, instances, errors, unpaid, shape, .. } = *self.world;
        let count = (60.0 * requests / instances as f64).round();
        let mut past = Counters::default();
        (past[0], past[1], past[2]) = (count, (count * errors).round(), (count * unpaid).round());
        for (slow, boundary) in past[3..].iter_mut().zip(BOUNDARIES) {
            *slow = (count * shape.beyond(boundary / self.unit)).round();
        }
        past
    }

    /// Gives the canary this share of the traffic, and as many of the instances.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of them")]
    pub(super) fn split(&mut self, share: f64) {
        self.share = share;
        if self.reached.is_none() && share >= self.fault.from {
            self.reached = Some(self.clock);
        }
        let wanted = (share * self.world.instances as f64).round() as usize;
        let canary = self.instances.iter().filter(|one| one.arm == CANARY).count();
        for number in canary..wanted {
            // It replaces an instance of the live version.
            if let Some(at) = self.instances.iter().rposition(|one| one.arm == LIVE) {
                let new = self.instance(CANARY, number);
                let old = std::mem::replace(&mut self.instances[at], new);
                add(&mut self.arms[LIVE].retired, &old.total);
                if self.cron.by == at {
                    self.cron.by = self.random.below(self.world.instances);
                }
            }
        }
    }

    /// Serves for a tick.
    pub(super) fn tick(&mut self) {
        let step = self.world.step();
        for _ in 0..self.world.tick / step {
            self.serve(step);
        }
    }

    fn serve(&mut self, step: u32) {
        self.clock += step;
        let (world, seconds) = (self.world, f64::from(step));
        let random = &mut self.random;
        turn(&mut self.slow, world.slow, seconds, random);
        turn(&mut self.shock, world.shocks, seconds, random);
        let mut out = self.outage.is_some();
        turn(&mut out, world.outages, seconds, random);
        let zone = self.outage.unwrap_or_else(|| random.below(world.zones));
        self.outage = out.then_some(zone);
        for zone in &mut self.zones {
            walk(zone, world.in_zones, seconds, random);
        }
        for arm in &mut self.arms {
            walk(&mut arm.latency, world.arms, seconds, random);
        }
        let now = f64::from(self.clock);
        let is_faulty = self.reached.is_some_and(|at| self.clock > at + self.fault.after);
        let way = std::f64::consts::TAU * (now / world.swing.1 + self.turn);
        let traffic = 1.0 + world.swing.0 * way.sin();
        let mut latency = if world.load == 0.0 { 1.0 } else { exp(world.load * ln(traffic)) };
        if self.slow {
            latency *= world.slow.times;
        }
        let mut served = [0; 2];
        for one in &self.instances {
            served[one.arm] += 1;
        }
        let shares = [self.share, 1.0 - self.share];
        let mean = |arm: usize| {
            world.requests / 60.0 * traffic * seconds * shares[arm] / f64::from(served[arm])
        };
        for one in &mut self.instances {
            walk(&mut one.latency, world.pods, seconds, random);
            walk(&mut one.errors, world.error_rate, seconds, random);
            turn(&mut one.slow, world.neighbours, seconds, random);
            turn(&mut one.bursts, world.bursts, seconds, random);
            let faulty = one.arm == CANARY && is_faulty;
            let fault = if faulty { self.fault } else { Fault::NONE };
            let age = one.new_at.map(|at| now - 0.5 * seconds - at);
            let wander = one.latency + self.arms[one.arm].latency + self.zones[one.zone];
            let mut times = latency * one.slower * fault.latency * exp(wander);
            times *= 1.0 + age.map_or(0.0, |age| world.cold.at(age));
            if one.slow {
                times *= world.neighbours.times;
            }
            let mut failing = world.errors * fault.errors * exp(one.errors);
            for (is_on, spells) in [
                (one.bursts, world.bursts),
                (self.outage == Some(one.zone), world.outages),
                (self.shock, world.shocks),
            ] {
                failing *= if is_on { spells.times } else { 1.0 };
            }
            failing = (failing + age.map_or(0.0, |age| world.resets.at(age))).min(1.0);
            let counts = requests(world, self.unit * times, mean(one.arm), seconds, random);
            add(&mut one.total, &counts);
            one.total[1] += random.among(counts[0], failing);
            one.total[2] += random.among(counts[0], world.unpaid);
            self.arms[one.arm].total[2] += counts[0];
        }
        self.calls(seconds);
        self.arms[LIVE].total[0] += self.random.poisson(world.bug / 60.0 * seconds * shares[LIVE]);
        for arm in &mut self.arms {
            arm.total[1] += seconds;
        }
        self.scrape();
    }

    /// Counts the requests of single clients.
    fn calls(&mut self, seconds: f64) {
        let (now, world, random) = (f64::from(self.clock), self.world, &mut self.random);
        for (calls, Caller { every, lasts, .. }) in
            [(&mut self.customer, world.customer), (&mut self.slow_client, world.slow_client)]
        {
            if now >= calls.next {
                calls.until = now + after(lasts, random);
                calls.by = random.below(self.instances.len());
                calls.next = now + after(every, random);
            }
        }
        if now >= self.cron.next {
            self.cron.until = now + world.cron.lasts;
            self.cron.next += world.cron.every;
        }
        for (calls, caller, fails) in [
            (&self.customer, world.customer, true),
            (&self.cron, world.cron, true),
            (&self.slow_client, world.slow_client, false),
        ] {
            if now <= calls.until {
                let count = random.poisson(world.requests / 60.0 * caller.share * seconds);
                let one = &mut self.instances[calls.by];
                one.total[0] += count;
                let counted = if fails { &mut one.total[1..2] } else { &mut one.total[3..] };
                for total in counted {
                    *total += count;
                }
                self.arms[one.arm].total[2] += count;
            }
        }
    }

    fn scrape(&mut self) {
        let every = match self.world.scrape.interval() {
            0 => self.world.tick,
            every => every,
        };
        for one in &mut self.instances {
            if self.clock % every == one.offset % every {
                one.read = one.total;
            }
        }
        for arm in &mut self.arms {
            if self.clock % every == arm.offset % every {
                (arm.before, arm.read) = (arm.read, arm.total);
            }
        }
    }

    /// The instances of an arm.
    pub(super) fn of(&self, arm: usize) -> impl Iterator<Item = &Instance> {
        self.instances.iter().filter(move |one| one.arm == arm)
    }

    /// Records that the counters that were read last were sent.
    pub(super) fn sent(&mut self) {
        for one in &mut self.instances {
            one.sent = one.read;
        }
        for arm in &mut self.arms {
            arm.sent = arm.read;
        }
    }
}

/// Draws the requests of so many seconds, `mean` on average, with those slower than each boundary.
fn requests(world: &World, unit: f64, mean: f64, seconds: f64, random: &mut Random) -> Counters {
    let mut counts = Counters::default();
    let mut waiting = 0.0;
    if world.pauses.every.is_finite() {
        let pauses = random.poisson(seconds / world.pauses.every);
        waiting = (pauses * world.pauses.lasts / seconds).min(1.0);
        let mut left = random.poisson(mean * waiting);
        counts[0] += left;
        while left > 0.0 {
            left -= 1.0;
            let waits = world.pauses.lasts * random.uniform();
            let takes = waits + unit * drawn(world.shape, random);
            for (count, boundary) in counts[3..].iter_mut().zip(BOUNDARIES) {
                *count += f64::from(u8::from(takes > boundary));
            }
        }
    }
    let mut left = random.poisson(mean * (1.0 - waiting));
    counts[0] += left;
    let mut before = 1.0;
    for (count, boundary) in counts[3..].iter_mut().zip(BOUNDARIES) {
        if left == 0.0 {
            break;
        }
        let beyond = world.shape.beyond(boundary / unit);
        left = random.among(left, (beyond / before).min(1.0));
        before = beyond;
        *count += left;
    }
    counts
}

/// One response time in units.
fn drawn(shape: Shape, random: &mut Random) -> f64 {
    match shape {
        Shape::LogNormal => exp(0.6 * random.normal()),
        Shape::HeavyTails => {
            let share = random.uniform();
            exp(ln(share / (1.0 - share)) / 3.0)
        }
        Shape::TwoPopulations if random.happens(0.08) => 4.0 * exp(0.4 * random.normal()),
        Shape::TwoPopulations => exp(0.3 * random.normal()),
    }
}

fn walk(logarithm: &mut f64, law: Wander, seconds: f64, random: &mut Random) {
    if law.spread > 0.0 {
        let (kept, new) = law.step(seconds);
        *logarithm = kept * *logarithm + new * random.normal();
    }
}

fn turn(is_on: &mut bool, law: Spells, seconds: f64, random: &mut Random) {
    if law.every.is_finite() {
        let mean = if *is_on { law.lasts } else { law.every };
        *is_on ^= random.happens(1.0 - exp(-seconds / mean));
    }
}

fn after(mean: f64, random: &mut Random) -> f64 {
    if mean.is_finite() { -mean * ln(random.uniform()) } else { mean }
}

/// A second within the interval at which a step ends.
#[expect(clippy::cast_possible_truncation, reason = "below `every`")]
fn any_step(every: u32, random: &mut Random) -> u32 {
    5 * random.below((every / 5) as usize) as u32
}

pub(super) fn add(sum: &mut Counters, more: &Counters) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
}

pub(super) fn minus<const N: usize>(more: [f64; N], less: [f64; N]) -> [f64; N] {
    std::array::from_fn(|at| more[at] - less[at])
}

#[cfg(test)]
mod tests {
    use super::super::world::QUIET;
    use super::*;

    fn over_an_hour(world: &World, share: f64) -> [Counters; 2] {
        let mut service = Service::new(world, Fault::NONE, Random::new(5, 1));
        service.split(share);
        for _ in 0..360 {
            service.tick();
        }
        [CANARY, LIVE].map(|arm| {
            let mut sum = service.arms[arm].retired;
            for one in service.of(arm) {
                add(&mut sum, &one.total);
            }
            // Without what the live version counted in the hour before.
            let before = if arm == LIVE { world.instances as f64 } else { 0.0 };
            minus(sum, service.past().map(|count| before * count))
        })
    }

    #[test]
    fn a_quiet_world_has_its_rates_and_its_quantile() {
        for shape in [Shape::LogNormal, Shape::HeavyTails, Shape::TwoPopulations] {
            let world = World { shape, requests: 60_000.0, ..QUIET };
            for (counts, share) in over_an_hour(&world, 0.1).iter().zip([0.1, 0.9]) {
                let wanted = share * 3_600_000.0;
                assert!((counts[0] / wanted - 1.0).abs() < 0.01, "{counts:?}");
                for (part, of) in [(0.003, 1), (0.005, 2), (0.05, 4)] {
                    let error = (part * counts[0]).sqrt();
                    assert!((counts[of] - part * counts[0]).abs() < 5.0 * error, "{counts:?}");
                }
            }
        }
    }

    #[test]
    fn noise_is_in_both_arms_as_stated() {
        let customer = Caller { every: 300.0, lasts: 100.0, share: 0.03 };
        let world = World { customer, requests: 6_000.0, ..QUIET };
        let [_, live] = over_an_hour(&world, 0.0);
        // A third of the hour, at 180 a minute.
        let failed = live[1] - 0.003 * live[0];
        assert!((2_000.0..5_500.0).contains(&failed), "{failed}");
        let pauses = super::super::world::Pauses { every: 60.0, lasts: 1.0 };
        let paused = World { pauses, requests: 6_000.0, ..QUIET };
        let [canary, live] = over_an_hour(&paused, 0.5);
        for counts in [canary, live] {
            // A request in 60 waits, three in four of them for more than 250 ms.
            let share = counts[4] / counts[0];
            assert!((0.058..0.066).contains(&share), "{share}");
        }
    }
}
