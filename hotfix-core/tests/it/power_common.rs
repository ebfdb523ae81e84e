//! Rollouts through `Rollout::handle` in the world that a plan's power takes for granted (PLAN-6): requests that come as
//! planned on average, independent errors, a live arm at its record. The validity program reads this file, too.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
#![allow(clippy::missing_panics_doc, clippy::too_many_lines, unreachable_pub, reason = "for tests")]

use std::sync::Arc;

use hotfix_core::metric::{Arms, Histogram, Observation, Sample};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Command, Input, Recording, Rollout, State};
use hotfix_core::stats::numeric::{exp, ln};
use hotfix_core::unit::{MetricName, Share, Span, Timestamp};
use serde_json::{Value, json};

/// The one whose bad events are drawn.
pub const METRIC: &str = "error_rate";

/// What of a preset is left in force, so that chances are of one thing.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Bounds: no metric but the bug's own has a test.
    Plain,
    /// The sequential tests, in this phase alone: the error rate has no bounds.
    Test(usize),
}

/// A preset of which one part is in force.
pub fn policy(preset: &str, part: &Part) -> Arc<Policy> {
    let text = Policy::preset(preset).unwrap().to_json();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let metrics = document["metrics"].as_object_mut().unwrap();
    match part {
        Part::Plain => {
            for (id, metric) in metrics {
                let metric = metric.as_object_mut().unwrap();
                if id == "bug" {
                    metric.insert("weight".to_owned(), json!(1.0));
                } else {
                    metric.insert("model".to_owned(), json!("none"));
                    metric.remove("weight");
                    metric.remove("tolerated");
                }
            }
        }
        Part::Test(phase) => {
            let metric = metrics[METRIC].as_object_mut().unwrap();
            for bound in ["success", "alert", "rollback"] {
                metric.remove(bound);
            }
            let phases = document["phases"].as_array_mut().unwrap();
            *phases = vec![phases[*phase].take()];
        }
    }
    // Nothing that somebody has to say or do first.
    for gone in ["checklists", "approvals"] {
        document.as_object_mut().unwrap().remove(gone);
    }
    for severity in document["severities"].as_object_mut().unwrap().values_mut() {
        severity.as_object_mut().unwrap().remove("approvals");
    }
    Arc::new(Policy::from_json(&document.to_string()).unwrap())
}

pub fn plan(policy: &Arc<Policy>, requests_per_minute: f64) -> Plan {
    Plan::from_json(
        Arc::clone(policy),
        r#"{"id": "INC-2041", "severity": "P1"}"#,
        r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
        &json!({ "requests_per_minute": requests_per_minute }).to_string(),
    )
    .unwrap()
}

/// What came of one rollout, each phase for its least time.
#[derive(Clone, Debug, Default)]
pub struct Fate {
    /// Phases whose gate was passed when the least time was over.
    pub passed: usize,
    /// The phase in which it was rolled back, and after how many minutes of it.
    pub gone: Option<(usize, f64)>,
}

/// A plan's world.
pub struct World {
    plan: Plan,
    ready: Rollout,
    /// Of each reading, where the policy has its metric.
    names: [Option<MetricName>; 5],
    /// By phase and tick: planned trials of both arms.
    ticks: Vec<Vec<(f64, f64)>>,
    /// By planned trials: what draws the bad events of the canary and of the live arm, and the good ones.
    tables: Vec<(u64, [Table; 2])>,
    live: Vec<(u64, [Table; 2])>,
    requests: f64,
}

const START: &str = "2026-03-03T14:40:00Z";

fn at() -> Timestamp {
    START.parse().unwrap()
}

/// Confirms what waits for it.
fn confirm(rollout: &mut Rollout, at: Timestamp) {
    while let Some(action) = rollout.pending_actions().first().map(|action| action.id) {
        rollout.handle(at, &Input::new(Command::Confirm { action, why: None }).by("tool")).unwrap();
    }
}

impl World {
    /// With so many times as many errors as the record has.
    pub fn new(plan: Plan, requests: f64, base_rate: f64, ratio: f64) -> Self {
        let mut ready = Rollout::try_new(plan.clone(), Recording::Off, "").unwrap();
        ready.handle(at(), &Input::new(Command::Start).by("lena")).unwrap();
        confirm(&mut ready, at());
        let policy = plan.policy();
        let cadence = policy.watch().cadence.as_seconds();
        let planned = |share: Share, tick: f64| {
            (requests * share.as_fraction() * tick * cadence / 60.0 * (1.0 + 1e-12)).floor()
        };
        let mut ticks = Vec::new();
        for phase in policy.phases() {
            let last = (phase.watch.as_seconds() / cadence).ceil().max(1.0) as u32;
            let both = |tick: u32| {
                let sums = |at: f64| {
                    let canary = planned(phase.share, at);
                    (canary, planned(Share::ALL, at) - canary)
                };
                let (now, before) = (sums(f64::from(tick)), sums(f64::from(tick) - 1.0));
                (now.0 - before.0, now.1 - before.1)
            };
            ticks.push((1..=last).map(both).collect::<Vec<_>>());
        }
        let (mut tables, mut live) = (Vec::new(), Vec::new());
        for (canary, other) in ticks.iter().flatten() {
            for (tables, trials, rate) in
                [(&mut tables, *canary, base_rate * ratio), (&mut live, *other, base_rate)]
            {
                if !tables.iter().any(|(of, _): &(u64, [Table; 2])| *of == trials as u64) {
                    let both = [rate, 1.0 - rate].map(|rate| Table::new(trials * rate));
                    tables.push((trials as u64, both));
                }
            }
        }
        let names = [METRIC, "payment_success", "latency_p95", "request_volume", "bug"];
        let document: Value = serde_json::from_str(&policy.to_json()).unwrap();
        let names = names.map(|name| {
            Some(name.parse().unwrap()).filter(|_| document["metrics"].get(name).is_some())
        });
        Self { plan, ready, names, ticks, tables, live, requests }
    }

    /// One rollout; each phase is watched for its least time, and ends there unless its gate is passed.
    pub fn run(&self, random: &mut Random) -> Fate {
        let mut rollout = self.ready.clone();
        let mut input = Input::observe(Observation::new());
        let mut fate = Fate::default();
        let cadence = self.plan.policy().watch().cadence;
        let mut now = at();
        for (index, ticks) in self.ticks.iter().enumerate() {
            let since = now;
            let name = rollout.phase();
            let share = self.plan.policy().phases()[index].share;
            for &(canary, live) in ticks {
                now = now + cadence;
                if let Command::Observe { metrics } = &mut input.command {
                    self.observe(metrics, random, share, (canary, live), cadence);
                }
                rollout.handle(now, &input).unwrap();
                if rollout.state() == State::RollingBack {
                    fate.gone = Some((index, now.since(since).as_seconds() / 60.0));
                    return fate;
                }
            }
            if rollout.phase() == name {
                return fate;
            }
            fate.passed += 1;
            confirm(&mut rollout, now);
        }
        fate
    }

    fn observe(
        &self,
        seen: &mut Observation,
        random: &mut Random,
        share: Share,
        (canary, live): (f64, f64),
        cadence: Span,
    ) {
        let draw = |tables: &[(u64, [Table; 2])], trials: f64, random: &mut Random| {
            let tables = tables.iter().find(|(of, _)| *of == trials as u64);
            let [bad, good] =
                tables.map_or([0.0; 2], |(_, [bad, good])| [bad.draw(random), good.draw(random)]);
            (bad, bad + good)
        };
        let (bad, canary) = draw(&self.tables, canary, random);
        let (other, live) = draw(&self.live, live, random);
        let fast = |trials: f64| {
            let le = vec![0.1, 0.25, 0.3, 0.5, 1.0, 2.5];
            Sample::Histogram(Histogram { count: trials, counts: vec![trials; le.len()], le })
        };
        let minute = self.requests;
        let seconds = cadence.as_seconds();
        let readings = [
            (Sample::Pair(bad, canary), Sample::Pair(other, live)),
            (Sample::Pair(canary, canary), Sample::Pair(live, live)),
            (fast(canary), fast(live)),
            (
                Sample::Level(minute * share.as_fraction()),
                Sample::Level(minute * share.rest().as_fraction()),
            ),
            // The live version has the bug, so the claim that the fix works is shown.
            (Sample::Pair(0.0, seconds), Sample::Pair(60.0, seconds)),
        ];
        for (name, (canary, baseline)) in self.names.iter().zip(readings) {
            let baseline = (share < Share::ALL).then_some(baseline);
            let Some(name) = *name else { continue };
            seen.set(name, Arms { canary: Some(canary), baseline, totals: false });
        }
    }
}

/// A stream of random numbers: `SplitMix64` (Steele, Lea and Flood, 2014), the same on every platform.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64, run: u32) -> Self {
        Self(
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)
                ^ u64::from(run).wrapping_mul(0xd134_2543_de82_ef95),
        )
    }

    /// At least 0 and below 1.
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Chances of at most 0, 1, 2, … bad events.
struct Table(Vec<f64>);

impl Table {
    /// Poisson, from nothing upwards.
    fn new(mean: f64) -> Self {
        let (mut sums, mut sum, mut x) = (Vec::new(), 0.0, 0.0);
        let mut term = -mean;
        while x <= mean || term > -40.0 {
            sum += exp(term);
            sums.push(sum);
            x += 1.0;
            term += ln(mean / x);
        }
        Self(sums)
    }

    fn draw(&self, random: &mut Random) -> f64 {
        let u = random.uniform();
        self.0.partition_point(|sum| *sum <= u).min(self.0.len() - 1) as f64
    }
}

/// An entry of a plan's power, and what was seen of it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which.
    #[allow(dead_code, reason = "a column of the validity program's page")]
    pub of: String,
    /// What the plan says.
    pub planned: f64,
    /// The plan says that it is approximate.
    pub approximate: bool,
    /// Seen, of so many.
    pub seen: f64,
    /// Runs that it was seen in.
    pub runs: f64,
    /// The standard error of `seen`, where the plan's figure is right.
    pub error: f64,
}

impl Entry {
    fn share(of: String, planned: f64, approximate: bool, hits: usize, runs: u32) -> Self {
        let runs = f64::from(runs);
        let error = (planned * (1.0 - planned) / runs).max(0.0).sqrt();
        Self { of, planned, approximate, seen: hits as f64 / runs, runs, error }
    }

    fn mean(of: String, (planned, approximate): (f64, bool), most: f64, seen: &[f64]) -> Self {
        let runs = seen.len() as f64;
        let mean = seen.iter().sum::<f64>() / runs;
        let variance = seen.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (runs - 1.0);
        // Where nearly all are at the most, the few others do not tell how they vary: at most by this (Bhatia and Davis,
        // 2000).
        let few = seen.iter().filter(|minutes| **minutes < most).count() < 10;
        let variance = if few { ((most - planned) * planned).max(variance) } else { variance };
        Self { of, planned, approximate, seen: mean, runs, error: (variance / runs).sqrt() }
    }

    /// How many standard errors off, a half of one case taken off for that cases are whole.
    pub fn errors_off(&self) -> f64 {
        let off = ((self.seen - self.planned).abs() - 0.5 / self.runs).max(0.0);
        // Where hardly anything is to be expected, a single case is no finding: as if of Poisson mean one quarter.
        off / self.error.max(0.5 / self.runs)
    }
}

/// Every entry of a preset's table for the error rate against so many rollouts each. `runner` gives the fates of all runs.
pub fn entries(
    preset: &str,
    requests: f64,
    runs: u32,
    seed: u64,
    runner: impl Fn(&World, u64) -> Vec<Fate>,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut seed = seed;
    let ratios = || [1.0].into_iter().chain(hotfix_core::plan::power::RATIOS);
    let plain = plan(&policy(preset, &Part::Plain), requests);
    let power = plain.power().leading.unwrap();
    let phases = plain.policy().phases();
    let least = |phase: usize| phases[phase].watch.as_seconds() / 60.0;
    for (at, ratio) in ratios().enumerate() {
        let world = World::new(plain.clone(), requests, power.base_rate, ratio);
        let fates = runner(&world, seed);
        seed += 1;
        let mut here = fates.len() as u32;
        for (index, phase) in power.phases.iter().enumerate() {
            // Those that come to this phase.
            if here < runs.min(400) / 4 {
                break;
            }
            let there: Vec<&Fate> = fates.iter().filter(|fate| fate.passed >= index).collect();
            let passed = there.iter().filter(|fate| fate.passed > index).count();
            let gone = |fate: &&&Fate| fate.gone.is_some_and(|(of, _)| of == index);
            let back = there.iter().filter(gone).count();
            let of = |what: &str| format!("{preset}, {}, {ratio} ×, {what}", phase.phase);
            let minutes: Vec<f64> = there
                .iter()
                .map(|fate| {
                    fate.gone.filter(|gone| gone.0 == index).map_or(least(index), |gone| gone.1)
                })
                .collect();
            if at == 0 {
                let (chance, about) = (phase.healthy_passes, phase.healthy_passes_approximate);
                entries.push(Entry::share(of("passes"), chance, about, passed, here));
                let chance = phase.healthy_rolled_back;
                let planned = (chance.chance, chance.approximate);
                entries.push(Entry::share(of("rolled back"), planned.0, planned.1, back, here));
            } else {
                let fault = &phase.faults[at - 1];
                let (passes, plain) = (fault.passes.unwrap(), fault.plain.unwrap());
                entries.push(Entry::share(
                    of("passes"),
                    passes.chance,
                    passes.approximate,
                    passed,
                    here,
                ));
                entries.push(Entry::share(
                    of("rolled back"),
                    plain.chance,
                    plain.approximate,
                    back,
                    here,
                ));
                entries.push(Entry::mean(
                    of("minutes by bounds"),
                    (plain.minutes, true),
                    least(index),
                    &minutes,
                ));
            }
            here = passed as u32;
        }
        let all = fates.iter().filter(|fate| fate.passed == phases.len()).count();
        let gone = fates.iter().filter(|fate| fate.gone.is_some()).count();
        let of = |what: &str| format!("{preset}, whole way, {ratio} ×, {what}");
        if at == 0 {
            let (chance, about) = (power.all_gates, power.all_gates_approximate);
            entries.push(Entry::share(of("passes"), chance, about, all, runs));
        } else {
            // A phase is reached by what passed those before it.
            let (mut reached, mut back, mut about) = (1.0, 0.0, [false; 2]);
            for fault in power.phases.iter().map(|phase| &phase.faults[at - 1]) {
                let (passes, plain) = (fault.passes.unwrap(), fault.plain.unwrap());
                back += reached * plain.chance;
                // What hardly ever comes there cannot be far off.
                let matters = reached > 5e-4;
                about[1] |= matters && (plain.approximate || about[0]);
                about[0] |= matters && passes.approximate;
                reached *= passes.chance;
            }
            entries.push(Entry::share(of("passes"), reached, about[0], all, runs));
            entries.push(Entry::share(of("rolled back"), back, about[1], gone, runs));
        }
    }
    let compared = phases.iter().enumerate().filter(|(_, phase)| phase.share < Share::ALL);
    for (index, _) in compared {
        let alone = plan(&policy(preset, &Part::Test(index)), requests);
        let power = alone.power().leading.unwrap();
        let phase = &power.phases[0];
        for (at, ratio) in ratios().enumerate() {
            let world = World::new(alone.clone(), requests, power.base_rate, ratio);
            let fates = runner(&world, seed);
            seed += 1;
            let gone = fates.iter().filter(|fate| fate.gone.is_some()).count();
            let of = |what: &str| format!("{preset}, {}, {ratio} ×, {what}", phase.phase);
            if at == 0 {
                let chance = phase.false_rollback.unwrap();
                let planned = (chance.chance, chance.approximate);
                entries.push(Entry::share(
                    of("found by the test"),
                    planned.0,
                    planned.1,
                    gone,
                    runs,
                ));
                continue;
            }
            let found = phase.faults[at - 1].sequential.unwrap();
            let of_test =
                Entry::share(of("found by the test"), found.chance, found.approximate, gone, runs);
            entries.push(of_test);
            let minutes: Vec<f64> =
                fates.iter().map(|fate| fate.gone.map_or(least(index), |gone| gone.1)).collect();
            entries.push(Entry::mean(
                of("minutes by the test"),
                (found.minutes, true),
                least(index),
                &minutes,
            ));
        }
    }
    entries
}
