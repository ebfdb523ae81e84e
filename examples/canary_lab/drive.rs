//! The deploy tool: scrapes `/metrics`, feeds the library, stores its log, carries out its actions.
//!
//! It knows the versions only through their metrics. Events are on disk before anything is done
//! about them; an observation that leads to nothing is not waited for. A confirmed action is an
//! event, too. After a crash `--resume` reads the log, cuts a torn last line off, and carries out
//! again, under the same id, what the log does not confirm.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use hotfix_core::grade::{RollbackMethod, Severity};
use hotfix_core::plan::{Incident, Method, Plan, Release, Subject, Traffic};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{
    Act, Action, ActionId, Command, Input, LogFault, Recording, Rollout, State,
};
use hotfix_core::unit::{RoleName, Share, Span, Timestamp};
use hyper::Method as Verb;
use tokio::task::JoinSet;

use crate::http;
use crate::journal::Journal;
use crate::lines::{Line, Tick, Trail};
use crate::platform::Order;
use crate::process::told_to_end;
use crate::progress::plain;
use crate::real;
use crate::scrape::{self, Arms, Seen, Totals};
use crate::service::positive;
use crate::switch::Switch;
use crate::view::{self, Standing};

/// How long the platform may take for a deployment.
const DEPLOY_PATIENCE: Duration = Duration::from_secs(20);

/// How long a new share has to hold before it counts as reached: requests that left under the old
/// one have been answered by then.
const SETTLE: Duration = Duration::from_millis(800);

/// Where metrics come from.
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
    /// Go on from the log.
    #[arg(long)]
    resume: bool,
    /// Address of the platform that deploys.
    #[arg(long)]
    platform: SocketAddr,
    /// Control address of the splitter, or `haproxy:<socket>`.
    #[arg(long)]
    switch: Switch,
    /// `direct`, or `prometheus:<address>`.
    #[arg(long, default_value = "direct")]
    source: Source,
    /// Version that is live.
    #[arg(long, default_value = "2.3.0")]
    baseline: String,
    /// The fix.
    #[arg(long, default_value = "2.3.1")]
    canary: String,
    /// Requests per second of the whole service.
    #[arg(long, default_value_t = 300.0, value_parser = positive)]
    rate: f64,
    /// Give up after so many seconds.
    #[arg(long, default_value_t = 130.0, value_parser = positive)]
    give_up: f64,
    /// Write JSON lines, for the lab, instead of words.
    #[arg(long)]
    lines: bool,
}

/// Seconds of Unix time.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// The library's time.
fn stamp() -> Timestamp {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(passed.as_millis())
        .ok()
        .and_then(|millis| Timestamp::try_from_millis(millis).ok())
        .unwrap_or_default()
}

/// What became of an action.
type Done = (ActionId, anyhow::Result<()>);

struct Driver {
    flags: Flags,
    rollout: Rollout,
    journal: Journal,
    actions: JoinSet<Done>,
    services: BTreeMap<String, SocketAddr>,
    last: Arms,
    trail: Trail,
}

impl Driver {
    fn say(&self, line: &Line) {
        let text = if self.flags.lines { serde_json::to_string(line).ok() } else { plain(line) };
        if let Some(text) = text {
            // A display that has gone must not stop a rollout.
            let _ = writeln!(std::io::stdout().lock(), "{text}");
        }
    }

    /// Gives the library one input, stores what it says, then starts what it asks for. The key makes
    /// an input that comes again, as after a crash, count once.
    fn input(&mut self, at: Timestamp, key: String, command: Command) -> anyhow::Result<()> {
        let before = Standing::of(&self.rollout);
        let only_seen = matches!(command, Command::Observe { .. } | Command::Tick);
        let input = Input { key: Some(key), ..Input::new(command).by("lab-driver") };
        let actions = match self.rollout.handle(at, &input) {
            Ok(outcome) => {
                self.journal.append(outcome.events)?;
                if outcome.repeated { Vec::new() } else { outcome.actions.to_vec() }
            }
            Err(refusal) => {
                self.journal.append(&refusal.events)?;
                eprintln!("{} {refusal}", refusal.code());
                Vec::new()
            }
        };
        // A busy disk can take seconds. What nothing is done about need not wait for it: were it lost
        // with the machine, it would not have been taken.
        if !only_seen || !actions.is_empty() {
            self.journal.sync()?;
        }
        for (what, why) in before.decisions(&self.rollout) {
            self.say(&Line::Decided { at: now(), what, why });
        }
        for action in actions {
            self.act(&action, false);
        }
        Ok(())
    }

    /// Starts an action. It runs beside the observations, so that a slow deployment cannot hide
    /// what the metrics say, nor hold up a rollback.
    fn act(&mut self, action: &Action, again: bool) {
        let tell = |audience: &str, text: String| {
            self.say(&Line::Message { at: now(), audience: audience.to_owned(), text });
        };
        let (what, version, share) = match &action.act {
            Act::Deploy { version, .. } => {
                (format!("deploy {version}"), Some(version.clone()), None)
            }
            Act::SetTraffic { share } => (format!("send {share} to the fix"), None, Some(*share)),
            Act::RollBack { method, version } => {
                let redeploys = *method != RollbackMethod::FeatureFlag;
                let what = format!("roll back to {version} by {method}");
                (what, redeploys.then(|| version.clone()), Some(Share::NONE))
            }
            Act::AskDecision { question } => return tell("whoever decides", question.clone()),
            Act::RequestApproval { any_of } => {
                let roles: Vec<&str> = any_of.iter().map(RoleName::as_str).collect();
                return tell(&roles.join(" or "), "approval is asked for".to_owned());
            }
            Act::Notify { audience, message, .. } => {
                return tell(audience.as_str(), message.to_string());
            }
            Act::Page { role, why, .. } => return tell(role.as_str(), why.clone()),
            Act::UpdateStatusPage { message, .. } => {
                return tell("status page", message.to_string());
            }
            Act::Schedule { title, .. } => return tell("calendar", title.clone()),
        };
        let (id, settles) = (action.id, matches!(action.act, Act::SetTraffic { .. }));
        self.say(&Line::Acting { at: now(), id: id.to_string(), what, again });
        let (platform, switch) = (self.flags.platform, self.flags.switch.clone());
        self.actions.spawn(async move {
            let done = async {
                if let Some(version) = version {
                    let order = serde_json::to_vec(&Order { version, action: id.to_string() })?;
                    http::expect_ok(platform, Verb::POST, "/deploy", order, DEPLOY_PATIENCE)
                        .await?;
                }
                if let Some(share) = share {
                    switch.set_share(share.as_fraction()).await?;
                }
                if settles {
                    tokio::time::sleep(SETTLE).await;
                }
                Ok(())
            };
            let done = done.await;
            (id, done)
        });
    }

    /// Tells the library how an action ended.
    async fn acted(&mut self, (action, done): Done) -> anyhow::Result<()> {
        let why = done.err().map(|e| format!("{e:#}"));
        self.say(&Line::Acted { at: now(), id: action.to_string(), failed: why.clone() });
        self.learn_services().await;
        let (key, command) = match why {
            None => (format!("confirm-{action}"), Command::Confirm { action }),
            Some(why) => (format!("failed-{action}"), Command::Failed { action, why: Some(why) }),
        };
        self.input(stamp(), key, command)
    }

    /// Asks the platform where the versions are. Without an answer the old places stand.
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
                real::query(server, &self.flags.baseline, &self.flags.canary, now()).await
            }
        };
        let arms = seen.arms(&self.last);
        self.last = Arms {
            canary: arms.canary.clone().or(self.last.canary.take()),
            baseline: arms.baseline.clone().or(self.last.baseline.take()),
        };
        let metrics = arms.metrics()?;
        let (at, time) = (now(), stamp());
        let values = self.trail.values(at, arms);
        let key = format!("observe-{}", time.as_millis());
        self.input(time, key, Command::Observe { metrics })?;
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

    /// Scrapes both versions and the splitter at once.
    async fn scrape(&self) -> Seen {
        let place = |version: &String| self.services.get(version).copied();
        let page = async |place: Option<SocketAddr>| match place {
            Some(at) => scrape::fetch(at).await.and_then(|s| Totals::from_samples(&s, now())).ok(),
            None => None,
        };
        let splitter = async || match self.flags.switch {
            Switch::Splitter(control) => scrape::fetch(control).await.unwrap_or_default(),
            Switch::Haproxy(_) => Vec::new(),
        };
        let (canary, baseline, splitter) = tokio::join!(
            page(place(&self.flags.canary)),
            page(place(&self.flags.baseline)),
            splitter()
        );
        Seen { canary, baseline, lost: scrape::no_answers(&splitter) }
    }

    fn is_over(&self) -> bool {
        self.rollout.state().is_final() && self.actions.is_empty()
    }

    /// Observes, acts and confirms until the rollout is over.
    async fn run(&mut self) -> anyhow::Result<()> {
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
                why = &mut end => anyhow::bail!("{}: go on with --resume", why?),
                () = &mut give_up => anyhow::bail!(
                    "not over after {} s: it is `{}`",
                    self.flags.give_up,
                    self.rollout.state()
                ),
                Some(done) = self.actions.join_next(), if !self.actions.is_empty() => {
                    self.acted(done.context("an action was lost")?).await?;
                }
                _ = ticks.tick() => self.observe().await?,
                () = tokio::time::sleep(Duration::from_millis(wait.as_millis())),
                    if alarm.is_some() => {
                    let at = stamp();
                    self.input(at, format!("tick-{}", at.as_millis()), Command::Tick)?;
                }
            }
        }
        Ok(())
    }
}

/// What is to be done: the scenario of all examples.
fn plan(flags: &Flags) -> anyhow::Result<Plan> {
    let shown = flags.policy.display();
    let text = std::fs::read_to_string(&flags.policy)
        .with_context(|| format!("cannot read the policy {shown}"))?;
    let policy = Policy::from_toml(&text).with_context(|| format!("{shown} is no policy"))?;
    let method = |kind, seconds| Method { kind, seconds: Some(Span::from_seconds(seconds)) };
    let subject = Subject {
        incident: Incident {
            id: "INC-2041".into(),
            service: Some("payments".into()),
            title: Some("null pointer when no payment method is stored".into()),
            severity: Some(Severity::P1),
            ..Incident::default()
        },
        release: Release {
            version: flags.canary.clone(),
            previous: flags.baseline.clone(),
            branch: Some("hotfix/payment-null-check".into()),
            methods: vec![
                method(RollbackMethod::FeatureFlag, 1),
                method(RollbackMethod::Redeploy, 3),
            ],
            ..Release::default()
        },
        traffic: Traffic {
            requests_per_minute: Some(60.0 * flags.rate),
            flags: Some(true),
            ..Traffic::default()
        },
    };
    Ok(Plan::try_new(Arc::new(policy), subject)?)
}

/// Drives one rollout to its end.
pub(crate) async fn run(flags: Flags) -> anyhow::Result<()> {
    let (mut journal, log) = Journal::open(&flags.log, flags.resume)?;
    let (rollout, length) = match Rollout::recover(&log, Recording::HandOut) {
        Ok(recovered) => (recovered.rollout, recovered.length),
        // Not even the first line is whole: nothing has happened yet.
        Err(error) if error.fault == LogFault::Empty => {
            (Rollout::try_new(plan(&flags)?, Recording::HandOut, "canary lab")?, 0)
        }
        Err(error) => {
            anyhow::bail!("cannot go on from {}: {} {error}", flags.log.display(), error.code())
        }
    };
    if length < log.len() {
        journal.cut(length)?;
    }
    let mut driver = Driver {
        rollout,
        journal,
        actions: JoinSet::new(),
        services: BTreeMap::new(),
        last: Arms::default(),
        trail: Trail::new(flags.rate),
        flags,
    };
    let (resumed, events) = (driver.flags.resume, driver.journal.lines());
    driver.say(&Line::Began { at: now(), resumed, events });
    driver.learn_services().await;
    let pending: Vec<Action> = driver.rollout.pending_actions().to_vec();
    for action in pending {
        driver.act(&action, true);
    }
    if driver.rollout.state() == State::Ready {
        driver.input(stamp(), "start".to_owned(), Command::Start)?;
    }
    driver.run().await?;
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
