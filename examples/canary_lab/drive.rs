//! The deploy tool: scrapes `/metrics`, sends observations to the library, stores its log, and
//! carries out its actions.
//!
//! It knows the versions only through their metrics. Events are on disk before it acts on them; it
//! continues to observe while the disk writes. A confirmed action is an event too. After a crash
//! `--resume` reads the log, removes an incomplete last line, and carries out again, with the same
//! id, every action that the log does not confirm. It receives inputs of people over HTTP.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use hotfix_core::grade::{RollbackMethod, Severity, Strategy};
use hotfix_core::plan::{Incident, Method, Plan, Release, Subject, Traffic};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Action, Command, Input, LogFault, Recording, Rollout, State};
use hotfix_core::unit::{Share, Span, Timestamp};
use hyper::Method as Verb;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::carry_out::{self, Done, Task};
use crate::fleet::Fleet;
use crate::http;
use crate::journal::Journal;
use crate::lines::{Line, Tick, Trail};
use crate::pace::Pace;
use crate::people::{self, Answer, PersonInput};
use crate::process::told_to_end;
use crate::progress::plain;
use crate::real;
use crate::scrape::{self, Arms, Seen, Totals};
use crate::scrapes::{Reading, Scrapes};
use crate::service::positive;
use crate::switch::{ARMS, Mover, Switch};
use crate::view::{self, LastSeen};

/// The source of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Each process's own `/metrics`.
    Direct,
    /// A Prometheus server that scrapes them.
    Prometheus(SocketAddr),
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "direct" {
            return Ok(Self::Direct);
        }
        let address = text.strip_prefix("prometheus:").and_then(|a| a.parse().ok());
        address
            .map(Self::Prometheus)
            .ok_or_else(|| format!("`{text}` is neither `direct` nor `prometheus:<address>`"))
    }
}

/// Flags of `canary_lab drive`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Flags {
    /// The policy, TOML.
    #[arg(long)]
    policy: PathBuf,
    /// The event log: JSON Lines, appended to.
    #[arg(long)]
    log: PathBuf,
    /// Resume from the log.
    #[arg(long)]
    resume: bool,
    /// Address of the platform, which deploys.
    #[arg(long)]
    platform: SocketAddr,
    /// What moves traffic: control address of the splitter, `haproxy:<socket>`,
    /// `fleet:<platform>,<splitter>`, or `flag:<service>`.
    #[arg(long)]
    switch: Switch,
    /// The strategy; by default the policy's own.
    #[arg(long)]
    strategy: Option<Strategy>,
    /// With `rolling`: instances per batch; by default the policy's number.
    #[arg(long)]
    batch: Option<u32>,
    /// Number of instances.
    #[arg(long)]
    instances: Option<u32>,
    /// `direct`, or `prometheus:<address>`.
    #[arg(long, default_value = "direct")]
    source: Source,
    /// The live version.
    #[arg(long, default_value = "2.3.0")]
    baseline: String,
    /// The fix.
    #[arg(long, default_value = "2.3.1")]
    canary: String,
    /// Requests per second of the whole service, as the policy expects.
    #[arg(long = "rate", value_name = "RATE", default_value = "300")]
    pace: Pace,
    /// Timeout in seconds.
    #[arg(long, default_value_t = 130.0, value_parser = positive)]
    give_up: f64,
    /// Write JSON lines for the lab instead of text.
    #[arg(long)]
    lines: bool,
}

/// Seconds of Unix time.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// The time as the library's type.
fn stamp() -> Timestamp {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(passed.as_millis())
        .ok()
        .and_then(|millis| Timestamp::try_from_millis(millis).ok())
        .unwrap_or_default()
}

/// The work that follows an input after it is on disk.
struct Due {
    /// Its number among the inputs that wait for the disk.
    number: u64,
    actions: Vec<Action>,
    /// The receiver of the answer, and the answer.
    answer: Option<(Answer, Option<String>)>,
}

struct Driver {
    flags: Flags,
    rollout: Rollout,
    journal: Journal,
    /// Writes to disk that are under way. Each returns the number of the last input that it covers.
    to_disk: JoinSet<anyhow::Result<u64>>,
    /// The work that waits for the disk, in the order of the inputs.
    due: VecDeque<Due>,
    /// Number of inputs that have waited for the disk.
    numbered: u64,
    actions: JoinSet<Done>,
    services: BTreeMap<String, Vec<SocketAddr>>,
    fleets: [Fleet; 2],
    scrapes: Scrapes,
    last: Arms,
    trail: Trail,
}

impl Driver {
    fn say(&self, line: &Line) {
        let text = if self.flags.lines { serde_json::to_string(line).ok() } else { plain(line) };
        if let Some(text) = text {
            // A closed output must not stop a rollout.
            let _ = writeln!(std::io::stdout().lock(), "{text}");
        }
    }

    /// Sends a command of this driver to the library. Because of the key, a repeated command counts
    /// once, for example after a crash.
    fn command(&mut self, at: Timestamp, key: String, command: Command) -> anyhow::Result<()> {
        let input = Input { key: Some(key), ..Input::new(command).by("lab-driver") };
        self.input(at, &input, None)
    }

    /// Sends one input to the library and stores the returned events. When they are on disk, the
    /// actions are started, and the `answer` is sent: the reason if the input was refused.
    fn input(
        &mut self,
        at: Timestamp,
        input: &Input,
        answer: Option<Answer>,
    ) -> anyhow::Result<()> {
        let before = LastSeen::of(&self.rollout);
        let only_seen = matches!(input.command, Command::Observe { .. } | Command::Tick);
        let mut refused = None;
        let actions = match self.rollout.handle(at, input) {
            Ok(outcome) => {
                self.journal.append(outcome.events)?;
                if outcome.repeated { Vec::new() } else { outcome.actions.to_vec() }
            }
            Err(refusal) => {
                self.journal.append(&refusal.events)?;
                let why = format!("{} {refusal}", refusal.code());
                eprintln!("{why}");
                refused = Some(why);
                Vec::new()
            }
        };
        for (what, why) in before.decisions(&self.rollout) {
            self.say(&Line::Decided { at: now(), what, why });
        }
        // Events without an action need not be on disk yet: if they are lost with the machine, the
        // input was not accepted.
        if !only_seen || !actions.is_empty() {
            self.numbered += 1;
            let number = self.numbered;
            let answer = answer.map(|answer| (answer, refused));
            self.due.push_back(Due { number, actions, answer });
            let on_disk = self.journal.on_disk();
            self.to_disk.spawn(async move { on_disk.await.map(|()| number) });
        }
        Ok(())
    }

    /// Does the work that waited for the disk, up to input `number`, in the order of the inputs: a
    /// promotion must not overtake the rollback that follows it.
    fn on_disk(&mut self, number: u64) {
        while self.due.front().is_some_and(|due| due.number <= number)
            && let Some(due) = self.due.pop_front()
        {
            for action in due.actions {
                self.act(&action, false);
            }
            if let Some((answer, refused)) = due.answer {
                let _ = answer.send(refused); // a receiver that has gone does not need it
            }
        }
    }

    /// Starts an action. It runs in parallel with the observations, so that a slow deployment
    /// delays neither observations nor a rollback.
    fn act(&mut self, action: &Action, again: bool) {
        let at = now();
        match carry_out::task(&action.act, &self.flags.switch, self.flags.instances) {
            Task::Tell { audience, text } => self.say(&Line::Message { at, audience, text }),
            Task::Do { what, work } => {
                let id = action.id;
                self.say(&Line::Acting { at, id: id.to_string(), what, again });
                let (platform, switch) = (self.flags.platform, self.flags.switch.clone());
                let pace = self.flags.pace;
                self.actions.spawn(async move {
                    let done = work.carry_out(platform, &switch, pace, id).await;
                    Done { id, done }
                });
            }
        }
    }

    /// Reports the end of an action to the library.
    fn acted(&mut self, Done { id, done }: Done) -> anyhow::Result<()> {
        let failed = done.as_ref().err().map(|e| format!("{e:#}"));
        self.say(&Line::Acted { at: now(), id: id.to_string(), failed: failed.clone() });
        for noted in done.unwrap_or_default() {
            self.say(&noted);
        }
        match failed {
            None => self.command(
                stamp(),
                format!("confirm-{id}"),
                Command::Confirm { action: id, why: None },
            ),
            why => {
                let failed = Command::Failed { action: id, why };
                self.command(stamp(), format!("failed-{id}"), failed)
            }
        }
    }

    /// Asks the platform for the addresses of the versions. Without an answer the old addresses are
    /// kept.
    async fn learn_services(&mut self) {
        let limit = Duration::from_secs(3);
        let asked = http::expect_ok(self.flags.platform, Verb::GET, "/services", "", limit).await;
        if let Ok(services) = asked.and_then(|r| Ok(serde_json::from_slice(&r.body)?)) {
            self.services = services;
        }
    }

    async fn observe(&mut self) -> anyhow::Result<()> {
        let seen = match self.flags.source {
            Source::Direct => self.scrape().await,
            Source::Prometheus(server) => {
                let versions = [self.flags.baseline.as_str(), &self.flags.canary];
                let seen = real::query(server, versions, &self.flags.switch, now()).await;
                seen.unless_counted(&self.last)
            }
        };
        let seen = if self.fix_is_idle() { Seen { canary: None, ..seen } } else { seen };
        let arms = seen.arms(&self.last);
        self.last = Arms {
            canary: arms.canary.clone().or(self.last.canary.take()),
            baseline: arms.baseline.clone().or(self.last.baseline.take()),
        };
        let metrics = arms.metrics()?;
        let (at, time) = (now(), stamp());
        let values = self.trail.values(at, arms);
        let key = format!("observe-{}", time.as_millis());
        self.command(time, key, Command::Observe { metrics })?;
        let (rollout, verdict) = (&self.rollout, self.rollout.verdict());
        let left = view::until(rollout).map(|until| until.since(time).as_seconds());
        self.say(&Line::Tick(Box::new(Tick {
            at,
            state: rollout.state().to_string(),
            phase: view::phase(rollout),
            share: rollout.share().as_fraction(),
            left,
            decision: verdict.decision.to_string(),
            why: view::reasons(rollout.plan(), verdict),
            values,
            judged: view::judged(rollout),
        })));
        Ok(())
    }

    /// Whether the fix is on the idle side: the payments there are test payments.
    fn fix_is_idle(&self) -> bool {
        self.rollout.plan().policy().strategy() == Strategy::BlueGreen
            && self.rollout.share() == Share::NONE
    }

    /// Scrapes every instance of both versions, and the splitter, in parallel. Behind a flag both
    /// arms are in one process.
    async fn scrape(&mut self) -> Seen {
        if let Mover::Flag(service) = self.flags.switch.by {
            let samples = scrape::fetch(service).await.unwrap_or_default();
            let arm = |state| Totals::from_samples(&samples, Some(state), now()).ok();
            return Seen { canary: arm("on"), baseline: arm("off"), lost: BTreeMap::new() };
        }
        self.learn_services().await;
        let places = |version: &String| self.services.get(version).cloned().unwrap_or_default();
        let arms = [places(&self.flags.baseline), places(&self.flags.canary)];
        let splitter = async || match self.flags.switch.by {
            Mover::Splitter(control) | Mover::Fleet { splitter: control, .. } => {
                scrape::fetch(control).await.unwrap_or_default()
            }
            Mover::Haproxy(_) | Mover::Flag(_) => Vec::new(),
        };
        let due = self.scrapes.due(now());
        let of = async |arm: usize| if due[arm] { pages(&arms[arm]).await } else { Vec::new() };
        let (baseline, canary, splitter) = tokio::join!(of(0), of(1), splitter());
        let (at, lost) = (now(), scrape::lost(&splitter, &self.flags.switch));
        let mut arm = |arm: usize, pages| {
            let new = due[arm].then(|| Reading {
                totals: self.fleets[arm].sum(arms[arm].len(), pages, at),
                lost: lost.get(ARMS[arm]).copied().unwrap_or(0.0),
            });
            self.scrapes.read(arm, at, new)
        };
        let [baseline, canary] = [arm(0, baseline), arm(1, canary)];
        let lost = [(0, baseline.lost), (1, canary.lost)];
        Seen {
            canary: canary.totals,
            baseline: baseline.totals,
            lost: lost.into_iter().map(|(arm, lost)| (ARMS[arm].to_owned(), lost)).collect(),
        }
    }

    fn is_over(&self) -> bool {
        self.rollout.state().is_final() && self.due.is_empty() && self.actions.is_empty()
    }

    /// Observes, acts, confirms and receives inputs of people until the rollout has ended. One
    /// timer is set to the time that the library asks for (`poll_at`).
    async fn run(&mut self, mut people: mpsc::Receiver<PersonInput>) -> anyhow::Result<()> {
        let cadence = self.rollout.plan().policy().watch().cadence;
        let mut ticks = tokio::time::interval(Duration::from_millis(cadence.as_millis().max(10)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let give_up = tokio::time::sleep(Duration::from_secs_f64(self.flags.give_up));
        let end = told_to_end();
        tokio::pin!(end, give_up);
        while !self.is_over() {
            let alarm = self.rollout.poll_at();
            let wait = alarm.map_or(Span::ZERO, |at| at.since(stamp()));
            tokio::select! {
                biased;
                why = &mut end => anyhow::bail!("{}: continue with --resume", why?),
                () = &mut give_up => anyhow::bail!(
                    "not finished after {} s: the state is `{}`",
                    self.flags.give_up,
                    self.rollout.state()
                ),
                Some(done) = self.actions.join_next(), if !self.actions.is_empty() => {
                    self.acted(done.context("an action was lost")?)?;
                }
                Some(number) = self.to_disk.join_next(), if !self.to_disk.is_empty() => {
                    self.on_disk(number.context("the log was lost")??);
                }
                Some(PersonInput { input, answer }) = people.recv() => {
                    self.input(stamp(), &input, Some(answer))?;
                }
                _ = ticks.tick() => self.observe().await?,
                () = tokio::time::sleep(Duration::from_millis(wait.as_millis())),
                    if alarm.is_some() => {
                    let at = stamp();
                    self.command(at, format!("tick-{}", at.as_millis()), Command::Tick)?;
                }
            }
        }
        Ok(())
    }
}

/// The totals of the instances that answer.
async fn pages(places: &[SocketAddr]) -> Vec<(SocketAddr, Totals)> {
    let mut asked = JoinSet::new();
    for &place in places {
        asked.spawn(async move {
            let samples = scrape::fetch(place).await.ok()?;
            Some((place, Totals::from_samples(&samples, None, now()).ok()?))
        });
    }
    asked.join_all().await.into_iter().flatten().collect()
}

/// The rollback methods that are available with this strategy.
fn methods(strategy: Option<Strategy>) -> Vec<Method> {
    let method = |kind, seconds| Method { kind, seconds: Some(Span::from_seconds(seconds)) };
    let redeploy = |seconds| method(RollbackMethod::Redeploy, seconds);
    match strategy {
        Some(Strategy::BlueGreen) => {
            vec![method(RollbackMethod::BlueGreenSwitch, 1), redeploy(3)]
        }
        Some(Strategy::Rolling) => vec![redeploy(10)],
        Some(Strategy::FeatureFlag) => vec![method(RollbackMethod::FeatureFlag, 1)],
        _ => vec![method(RollbackMethod::FeatureFlag, 1), redeploy(3)],
    }
}

/// Reads a policy, which may extend one in the same folder.
pub(crate) fn policy(file: &Path) -> anyhow::Result<Arc<Policy>> {
    let shown = file.display();
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read the policy {shown}"))?;
    policy_beside(&text, file)
}

/// Reads the text of a policy, which may extend one in the folder of `file`.
pub(crate) fn policy_beside(text: &str, file: &Path) -> anyhow::Result<Arc<Policy>> {
    let beside =
        |name: &str| std::fs::read_to_string(file.with_file_name(format!("{name}.toml"))).ok();
    let policy = Policy::from_toml_with(text, beside)
        .with_context(|| format!("{} is not a valid policy", file.display()))?;
    Ok(Arc::new(policy))
}

/// The plan: the scenario of all examples.
fn plan(flags: &Flags) -> anyhow::Result<Plan> {
    let subject = Subject {
        incident: Incident {
            id: "INC-2041".into(),
            service: Some("payments".into()),
            title: Some("null pointer when no payment method is stored".into()),
            severity: Some(Severity::P1),
            ..Incident::default()
        },
        release: Some(Release {
            version: flags.canary.clone(),
            previous: flags.baseline.clone(),
            branch: Some("hotfix/payment-null-check".into()),
            methods: methods(flags.strategy),
            strategy: flags.strategy,
            batch: flags.batch,
            ..Release::default()
        }),
        traffic: Traffic {
            requests_per_minute: Some(60.0 * flags.pace.rate()),
            instances: flags.instances,
            flags: Some(true),
            ..Traffic::default()
        },
    };
    Ok(Plan::try_new(policy(&flags.policy)?, subject)?)
}

/// Drives one rollout to its end.
pub(crate) async fn run(flags: Flags) -> anyhow::Result<()> {
    let (mut journal, log) = Journal::open(&flags.log, flags.resume)?;
    let (rollout, length) = match Rollout::recover(&log, Recording::HandOut) {
        Ok(recovered) => (recovered.rollout, recovered.length),
        // Not even the first line is complete: nothing has happened yet.
        Err(error) if error.fault == LogFault::Empty => {
            (Rollout::try_new(plan(&flags)?, Recording::HandOut, "canary lab")?, 0)
        }
        Err(error) => {
            anyhow::bail!("cannot resume from {}: {} {error}", flags.log.display(), error.code())
        }
    };
    if length < log.len() {
        journal.cut(length)?;
    }
    let scrapes = Scrapes::new(rollout.plan().policy());
    let mut driver = Driver {
        rollout,
        journal,
        to_disk: JoinSet::new(),
        due: VecDeque::new(),
        numbered: 0,
        actions: JoinSet::new(),
        services: BTreeMap::new(),
        fleets: Default::default(),
        scrapes,
        last: Arms::default(),
        trail: Trail::new(flags.pace),
        flags,
    };
    let (inputs_at, people, _server) = people::receive().await?;
    let (resumed, events) = (driver.flags.resume, driver.journal.lines());
    driver.say(&Line::Began { at: now(), resumed, events, people: Some(inputs_at) });
    let share = driver.flags.switch.canary_share().await?;
    if let Some(side) = driver.flags.switch.live_side(share) {
        driver.say(&carry_out::live(side));
    }
    let pending: Vec<Action> = driver.rollout.pending_actions().to_vec();
    for action in pending {
        driver.act(&action, true);
    }
    if driver.rollout.state() == State::Ready {
        driver.command(stamp(), "start".to_owned(), Command::Start)?;
    }
    driver.run(people).await?;
    let head = driver.rollout.head().map(|head| head.to_string()).unwrap_or_default();
    let facts = BTreeMap::from([
        ("events".to_owned(), driver.journal.lines().to_string()),
        ("head".to_owned(), head),
    ]);
    driver.say(&Line::Ended { at: now(), state: driver.rollout.state().to_string(), facts });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_named_clearly() {
        assert_eq!("direct".parse(), Ok(Source::Direct));
        assert!("prometheus:127.0.0.1:9090".parse::<Source>().is_ok());
        assert!("grafana".parse::<Source>().is_err());
    }
}
