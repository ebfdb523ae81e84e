//! Response times of replicas of one version: they wander, start cold, and pause. A rollout of two
//! phases is judged tick by tick.

use std::collections::BTreeMap;
use std::sync::Arc;

use hotfix_core::judge::{Decision, Judge, Moment, Reason, Use, Verdict, Why};
use hotfix_core::metric::{Arms, Histogram, Observation, Sample};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::stats::numeric::{exp, ln, normal_cdf};
use hotfix_core::unit::{Share, Span, Timestamp};
use rand_core::SeedableRng;
use rand_distr::{Binomial, Distribution, Poisson, Uniform};
use rand_pcg::Pcg64;
use serde_json::json;

use crate::noise::{normal, wander};

/// Those of the presets, in seconds.
const BOUNDARIES: [f64; 6] = [0.1, 0.25, 0.3, 0.5, 1.0, 2.5];
/// Log-normal times: standard deviation of their logarithms, and the median for a p95 of 250 ms.
const SIGMA: f64 = 0.6;
const MEDIAN: f64 = 0.0932;
/// Seconds between two readings.
const TICK: u32 = 10;
/// Length of the phases in seconds.
pub(crate) const PHASES: [u32; 2] = [600, 1_800];

/// What differs between instances of one version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Noise {
    None,
    /// The logarithm of each arm's median wanders: standard deviation, and memory in seconds.
    Wander(f64, f64),
    /// New instances are slower by this part at first, which decays with this time in seconds.
    Cold(f64, f64),
    /// Each instance pauses for a second every minute.
    Pauses,
    /// Each instance is so many times as slow for so many seconds, after as many seconds on average.
    Bursts(f64, u32, f64),
    /// So many of the requests take nearly the same time: their median in seconds, and the standard
    /// deviation of the logarithm.
    Close(f64, f64, f64),
    /// So many of the canary's requests take so many seconds.
    Hangs(f64, f64),
    /// So many requests a minute of one client at the canary take 5 s: from this second of the rollout to
    /// that.
    Client(f64, u32, u32),
}

/// Six hours of the live version, for the plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Recorded {
    Nothing,
    /// Of each instance.
    Instances,
    /// Of both arms of healthy rollouts.
    Arms,
}

/// Readings and traffic of one rollout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    pub(crate) noise: Noise,
    /// Requests a minute over both arms.
    pub(crate) requests: f64,
    /// How many times as slow the canary is from some time on, in seconds since the start.
    pub(crate) fault: f64,
    pub(crate) from: u32,
    pub(crate) tolerated: f64,
    pub(crate) history: Recorded,
}

/// What the judge made of one rollout; times in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) rolled_back: Option<u32>,
    pub(crate) held: u32,
    pub(crate) asked: u32,
    pub(crate) warmed_up: u32,
}

impl World {
    pub(crate) const fn new(noise: Noise, requests: f64) -> Self {
        let history = Recorded::Nothing;
        Self { noise, requests, fault: 1.0, from: 0, tolerated: 1.3, history }
    }

    pub(crate) fn plan(&self) -> Plan {
        let text = format!(
            r#"
format = 1
name = "worlds"
title = "One latency, two arms"
strategy = "canary"

[evidence]
tolerated = {}
mode = "replay"
otherwise = "plain"

[watch]
cadence = "{TICK}s"
window = "5min"
stale = "5min"
no_data = {{ after = "10min", then = "ask" }}
scrape = "0s"

[[phases]]
name = "few"
share = "10%"
deploy = "1min"
watch = "10min"
promotion = "no_evidence_of_harm"
criteria_missed = "hold"
gate = "automatic"

[[phases]]
name = "half"
share = "50%"
deploy = "1min"
watch = "30min"
promotion = "no_evidence_of_harm"
criteria_missed = "hold"
gate = "automatic"

[[phases]]
name = "all"
share = "100%"
deploy = "1min"
watch = "10min"
promotion = "no_evidence_of_harm"
criteria_missed = "hold"
gate = "automatic"

[final_validation]
watch = "3min"
gate = "manual"

[metrics.latency_p95]
kind = "latency"
worse = "higher"
quantile = 0.95
reference = "250ms"
boundaries = ["100ms", "250ms", "300ms", "500ms", "1s", "2500ms"]
weight = 1

[rollback]
methods = [{{ kind = "redeploy", most = "15min" }}]
watch = "2min"
returned_within = "5min"
"#,
            self.tolerated
        );
        let history = self.recorded(900);
        let history = history.map_or_else(String::new, |of| json!({"latency_p95": of}).to_string());
        Plan::calibrated_from_json(
            Arc::new(Policy::from_toml(&text).expect("a valid policy")),
            r#"{"id":"INC-2041"}"#,
            r#"{"version":"2.3.1","previous":"2.3.0"}"#,
            &format!(r#"{{"requests_per_minute":{}}}"#, self.requests),
            &history,
        )
        .expect("a plan")
    }

    /// Rows of a history, by instance or arm.
    fn recorded(&self, seed: u64) -> Option<BTreeMap<String, Vec<Vec<f64>>>> {
        let mut random = Pcg64::seed_from_u64(seed);
        let mut state = State::new(self, &mut random);
        let healthy = Self { fault: 1.0, ..*self };
        let mut rows: BTreeMap<String, Vec<Vec<f64>>> = BTreeMap::new();
        for _ in 0..6 * 3_600 / TICK {
            state.advance(self, &mut random);
            let read = match self.history {
                Recorded::Nothing => return None,
                Recorded::Arms => {
                    let [canary, baseline] = healthy.serve(&state, (0, 600, 0), &mut random);
                    vec![("canary".to_owned(), canary), ("baseline".to_owned(), baseline)]
                }
                Recorded::Instances => {
                    let each = self.requests / 60.0 * f64::from(TICK) / 20.0;
                    let one = |(place, slower): (usize, f64)| {
                        let mut counts = [0.0; 7];
                        serve(&mut counts, each, slower, &mut random);
                        (format!("pod-{place:02}"), counts)
                    };
                    (0..20).map(|place| (place, state.slower(self, place))).map(one).collect()
                }
            };
            for (name, [count, slow @ ..]) in read {
                let row = slow.iter().map(|slow| count - slow).chain([count]).collect();
                rows.entry(name).or_default().push(row);
            }
        }
        Some(rows)
    }

    /// Requests of one tick in both arms, all and those slower than each boundary, at this phase,
    /// second of the phase and second of the rollout.
    fn serve(
        &self,
        state: &State,
        (phase, within, clock): (usize, u32, u32),
        random: &mut Pcg64,
    ) -> [[f64; 7]; 2] {
        let World { noise, requests, fault, from, .. } = *self;
        let slower = if clock > from { fault } else { 1.0 };
        let requests = requests / 60.0 * f64::from(TICK);
        // Of twenty instances.
        let (canary, baseline) = if phase == 0 { (2.0, 18.0) } else { (10.0, 10.0) };
        let mut counts = [[0.0; 7]; 2];
        let each = requests / 20.0;
        let wander = state.wander.map(exp);
        match noise {
            Noise::Bursts(..) => {
                for place in 0..20 {
                    let of_canary = (place as f64) < canary;
                    let times = state.slower(self, place) * if of_canary { slower } else { 1.0 };
                    serve(&mut counts[usize::from(!of_canary)], each, times, random);
                }
            }
            Noise::Close(share, median, sigma) => {
                for (counts, (instances, times)) in
                    counts.iter_mut().zip([(canary, slower), (baseline, 1.0)])
                {
                    let all = each * instances;
                    serve(counts, all * (1.0 - share), times, random);
                    serve_as(counts, all * share, (median * times, sigma), random);
                }
            }
            Noise::Hangs(share, seconds) => {
                serve(&mut counts[0], each * canary * (1.0 - share), 1.0, random);
                serve_as(&mut counts[0], each * canary * share, (seconds, 0.05), random);
                serve(&mut counts[1], each * baseline, 1.0, random);
            }
            Noise::Client(per_minute, begins, ends) => {
                serve(&mut counts[0], each * canary, 1.0, random);
                if clock > begins && clock <= ends {
                    let of_client = per_minute / 60.0 * f64::from(TICK);
                    serve_as(&mut counts[0], of_client, (5.0, 0.05), random);
                }
                serve(&mut counts[1], each * baseline, 1.0, random);
            }
            Noise::None | Noise::Wander(..) | Noise::Cold(..) | Noise::Pauses => {
                let (new, cold) = match noise {
                    Noise::Cold(excess, decays) => {
                        let age = f64::from(within) - 0.5 * f64::from(TICK);
                        (if phase == 0 { 2.0 } else { 8.0 }, 1.0 + excess * exp(-age / decays))
                    }
                    _ => (0.0, 1.0),
                };
                serve(&mut counts[0], each * new, slower * cold, random);
                serve(&mut counts[0], each * (canary - new), slower * wander[0], random);
                serve(&mut counts[1], each * baseline, wander[1], random);
            }
        }
        if noise == Noise::Pauses {
            pause(&mut counts[0], canary, each, slower, random);
            pause(&mut counts[1], baseline, each, 1.0, random);
        }
        counts
    }
}

/// A verdict of a rollout.
pub(crate) struct Seen<'a> {
    judge: &'a Judge,
    moment: &'a Moment<'a>,
    pub(crate) verdict: &'a Verdict,
    /// Seconds since the start.
    pub(crate) clock: u32,
}

impl Seen<'_> {
    /// The explanation of the metric.
    pub(crate) fn sentence(&self) -> String {
        Why::of(self.judge, self.moment, self.verdict).metrics[0].sentence.clone()
    }
}

/// Judges rollouts of one world.
pub(crate) struct Rollouts {
    world: World,
    plan: Plan,
    judge: Judge,
}

impl Rollouts {
    pub(crate) fn new(world: World) -> Self {
        let plan = world.plan();
        let judge = Judge::try_new(&plan).expect("a judge");
        Self { world, plan, judge }
    }

    /// One rollout; `each` sees every verdict.
    pub(crate) fn run(&self, seed: u64, mut each: impl FnMut(&Seen<'_>)) -> Outcome {
        let mut random = Pcg64::seed_from_u64(seed);
        let mut judge = self.judge.clone();
        let mut verdict = Verdict::default();
        let mut outcome = Outcome::default();
        let mut state = State::new(&self.world, &mut random);
        let mut at = Timestamp::try_from_millis(1_772_546_400_000).expect("a time");
        let mut clock = 0;
        for (index, seconds) in PHASES.into_iter().enumerate() {
            let share = self.plan.policy().phases()[index].share;
            judge.move_traffic(at);
            judge.enter_phase(index);
            judge.start_phase(at);
            for within in (TICK..=seconds).step_by(TICK as usize) {
                at = at + Span::from_seconds(TICK);
                clock += TICK;
                state.advance(&self.world, &mut random);
                let counts = self.world.serve(&state, (index, within, clock), &mut random);
                let observation = self.observation(counts);
                let readings = judge.prepare(at, share, &observation).expect("a reading");
                judge.take(readings, Use::Watch);
                let moment = moment(&self.plan, at, share);
                judge.assess(&moment, &mut verdict);
                judge.note(at, &verdict);
                each(&Seen { judge: &judge, verdict: &verdict, moment: &moment, clock });
                let has = |reason: Reason| verdict.has(reason);
                outcome.warmed_up += if has(Reason::WarmingUp) { TICK } else { 0 };
                match verdict.decision {
                    Decision::RollBack => {
                        outcome.rolled_back = Some(clock);
                        return outcome;
                    }
                    Decision::Hold => outcome.held += TICK,
                    Decision::Ask => outcome.asked += TICK,
                    Decision::Continue | Decision::Promote => {}
                }
            }
        }
        outcome
    }

    /// One tick of both arms.
    fn observation(&self, counts: [[f64; 7]; 2]) -> Observation {
        let sample = |[count, slow @ ..]: [f64; 7]| {
            let counts = slow.iter().map(|slow| count - slow).collect();
            Some(Sample::Histogram(Histogram { count, counts, le: BOUNDARIES.to_vec() }))
        };
        let mut observation = Observation::new();
        let reading =
            Arms { canary: sample(counts[0]), baseline: sample(counts[1]), totals: false };
        observation.set(self.plan.policy().metrics()[0].id, reading);
        observation
    }
}

/// What differs between arms and instances now.
struct State {
    /// Of each arm: the logarithm of how many times as slow.
    wander: [f64; 2],
    /// Of each instance: seconds of its burst that are left.
    burst: [u32; 20],
}

impl State {
    fn new(world: &World, random: &mut Pcg64) -> Self {
        let mut wander = [0.0; 2];
        if let Noise::Wander(deviation, _) = world.noise {
            wander = wander.map(|_: f64| deviation * normal(random));
        }
        Self { wander, burst: [0; 20] }
    }

    /// A tick goes by.
    fn advance(&mut self, world: &World, random: &mut Pcg64) {
        match world.noise {
            Noise::Wander(deviation, memory) => {
                wander(&mut self.wander, deviation, exp(-f64::from(TICK) / memory), random);
            }
            Noise::Bursts(_, lasts, every) => {
                for left in &mut self.burst {
                    *left = left.saturating_sub(TICK);
                    let begins = Uniform::new(0.0, 1.0).expect("a range").sample(random);
                    if *left == 0 && begins < f64::from(TICK) / every {
                        *left = lasts;
                    }
                }
            }
            Noise::None
            | Noise::Cold(..)
            | Noise::Pauses
            | Noise::Close(..)
            | Noise::Hangs(..)
            | Noise::Client(..) => {}
        }
    }

    /// How many times as slow an instance is.
    fn slower(&self, world: &World, place: usize) -> f64 {
        match world.noise {
            Noise::Bursts(times, ..) if self.burst[place] > 0 => times,
            _ => 1.0,
        }
    }
}

/// Adds requests with log-normal times, multiplied by `factor`.
fn serve(counts: &mut [f64; 7], mean: f64, factor: f64, random: &mut Pcg64) {
    serve_as(counts, mean, (MEDIAN * factor, SIGMA), random);
}

/// Adds requests with log-normal times to all and to those slower than each boundary.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a drawn count")]
fn serve_as(counts: &mut [f64; 7], mean: f64, (median, sigma): (f64, f64), random: &mut Pcg64) {
    if mean <= 0.0 {
        return;
    }
    let trials: f64 = Poisson::new(mean).expect("a mean").sample(random);
    counts[0] += trials;
    let (mut left, mut share) = (trials, 1.0);
    for (count, boundary) in counts[1..].iter_mut().zip(BOUNDARIES) {
        let beyond = normal_cdf(ln(median / boundary) / sigma);
        let law = Binomial::new(left as u64, (beyond / share).min(1.0)).expect("a share");
        (left, share) = (law.sample(random) as f64, beyond);
        *count += left;
    }
}

/// The running total of so many requests, each of which took `factor` times as long as usual.
pub(crate) fn total(requests: f64, factor: f64) -> Sample {
    let count = requests.round();
    let slower = |boundary: f64| normal_cdf(ln(MEDIAN * factor / boundary) / SIGMA);
    let counts = BOUNDARIES.map(|boundary| count - (count * slower(boundary)).round());
    let counts = counts.to_vec();
    Sample::Histogram(Histogram { count, counts, le: BOUNDARIES.to_vec() })
}

/// Requests that came while an instance paused for a second: they waited for the rest of it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a drawn count")]
fn pause(counts: &mut [f64; 7], instances: f64, each: f64, factor: f64, random: &mut Pcg64) {
    let pauses = Poisson::new(instances * f64::from(TICK) / 60.0).expect("a mean").sample(random);
    for _ in 0..pauses as u64 {
        let waiting = Poisson::new(each / f64::from(TICK)).expect("a mean").sample(random);
        for _ in 0..waiting as u64 {
            let waits = Uniform::new(0.0, 1.0).expect("a range").sample(random);
            let time = waits + MEDIAN * factor * exp(SIGMA * normal(random));
            counts[0] += 1.0;
            for (count, boundary) in counts[1..].iter_mut().zip(BOUNDARIES) {
                *count += f64::from(u8::from(time > boundary));
            }
        }
    }
}

/// A moment in which nothing is due.
pub(crate) fn moment(plan: &Plan, at: Timestamp, share: Share) -> Moment<'_> {
    Moment {
        at,
        share,
        watch: plan.policy().watch(),
        due: None,
        overdue: false,
        needs_efficacy: false,
        can_show_later: false,
        after_the_phases: false,
        waits_for_readings: false,
        traffic: None,
        running: None,
    }
}
