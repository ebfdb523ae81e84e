//! Recorded metrics as the environment of a rollout.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::grade::{ChecklistMoment, Role};
use crate::judge::{Cause, Decision, Reason};
use crate::metric::Observation;
use crate::plan::{Plan, Release, Subject};
use crate::policy::Policy;
use crate::policy::section::{Metric, Model};
use crate::rollout::{
    self, Action, BlockerKind, Command, Input, Recording, Refusal, Rollout, Stage, State,
};
use crate::simulate::environment::cadence;
use crate::simulate::people::{checked, cleared};
use crate::simulate::recorded::{
    Anomalies, Anomaly, Assumptions, Logged, Merge, RecordedErrors, RecordedFault, RecordedFinding,
    RecordedMetrics,
};
use crate::simulate::run::give_each;
use crate::simulate::{Answers, Driver, Environment, Tick, Until};
use crate::unit::{MetricName, Span, Timestamp};

use super::note::Notes;
use super::without::{unrecorded, without};
use super::{Backtest, Backtests, Ended};

/// The name of the simulated people and platform.
const NOBODY: &str = "backtest";
/// For how long before the start readings of the live version count.
const BEFORE: Span = Span::from_seconds(3_600);

/// Recorded metrics, and a platform that confirms every action.
struct Recorded<'a> {
    metrics: &'a RecordedMetrics,
    policy: &'a Policy,
    from: Timestamp,
    until: Timestamp,
    merge: Merge,
    notes: Notes,
    /// Ticks without a reading while the rollout was watched, with another share than the log's
    /// rollout had, or with another split than planned, and gates that the backtest promoted.
    odd: Anomalies,
}

impl Environment for Recorded<'_> {
    fn show(&mut self, tick: Tick, into: &mut Observation) {
        let since = if tick.to == self.from { self.last_before() } else { tick.from };
        self.merged(since, tick.to, into);
        if tick.to > self.from && into.is_empty() && tick.from < self.until {
            self.odd.note(Anomaly::Coarse(self.policy.watch().cadence), None, tick.to);
        }
        if !into.is_empty() && self.differs(&tick) {
            self.odd.note(Anomaly::OtherShare, None, tick.to);
        }
    }

    fn reads_first(&self, at: Timestamp) -> bool {
        // What is read before the first traffic is an answer to its action.
        at > self.from && self.metrics.read_before_move(at)
    }

    fn answer(&mut self, rollout: &Rollout, at: Timestamp, action: &Action, answers: &mut Answers) {
        let step = rollout.stage().step();
        let takes = match &action.act {
            rollout::Act::Deploy { .. } | rollout::Act::SetTraffic { .. }
                if step.is_some_and(|step| step.index == 0) =>
            {
                // A deploy tool would have read this before the first traffic, which is confirmed at `from`.
                if at < self.from {
                    let mut last = Observation::new();
                    self.merged(self.from - cadence(self.policy), self.last_before(), &mut last);
                    if !last.is_empty() {
                        answers.at(self.from, Input::observe(last));
                    }
                }
                self.from.since(at)
            }
            act @ (rollout::Act::Deploy { .. } | rollout::Act::SetTraffic { .. }) => {
                let phase = step.and_then(|step| self.policy.phases().get(step.index));
                let usual = phase.map(|phase| phase.deploy).unwrap_or_default();
                self.moved(act, at).map_or(usual, |moved| moved.since(at))
            }
            rollout::Act::AskDecision { question } => {
                self.notes.asked(question, rollout, at);
                let verdict = rollout.verdict();
                let is_alone = |cause: &Cause| cause.reason == Reason::LiveNeverRead;
                let passes = match verdict.decision {
                    // Asked only because the recording has one version.
                    Decision::Ask => verdict.causes.iter().all(is_alone),
                    // The final validation is over.
                    Decision::Promote => matches!(rollout.stage(), Stage::FinalValidation { .. }),
                    _ => false,
                };
                if passes {
                    self.pass(at, answers);
                }
                return;
            }
            _ => return,
        };
        let confirm = Input::new(Command::Confirm { action: action.id, why: None }).by(NOBODY);
        answers.after(at, takes, confirm);
    }

    fn enter(&mut self, rollout: &Rollout, at: Timestamp, answers: &mut Answers) {
        match rollout.state() {
            State::Ready => answers.at(at, Input::new(Command::Start).by(NOBODY)),
            State::Gate => {
                if let Stage::Gate { until: None, .. } = rollout.stage() {
                    self.pass(at, answers);
                }
            }
            State::FinalValidation => {
                let lists = self.policy.checklists().iter();
                let lists = lists.filter(|list| list.at == ChecklistMoment::FinalValidation);
                for item in lists.flat_map(|list| &list.items) {
                    answers.at(at, checked(item.id, NOBODY, None));
                }
            }
            _ => {}
        }
    }

    fn taken(&mut self, rollout: &Rollout, at: Timestamp, refused: Option<&Refusal>) {
        if at < self.from {
            return;
        }
        if let Some(refusal) = refused {
            return self.notes.refused(refusal, at);
        }
        self.notes.judged(rollout, at);
        let is_split = |cause: &Cause| cause.reason == Reason::SplitNotAsPlanned;
        if rollout.verdict().causes.iter().any(is_split) {
            self.odd.note(Anomaly::OtherSplit, None, at);
        }
    }
}

impl Recorded<'_> {
    /// Promotes at once what waits for a person.
    fn pass(&mut self, at: Timestamp, answers: &mut Answers) {
        self.odd.note(Anomaly::Passed, None, at);
        let why = Some("a backtest assumes an immediate go".to_owned());
        answers.at(at, Input::new(Command::Promote { why }).by(NOBODY));
    }

    /// The merged readings after `from` and up to `to`. Before the first traffic, the canary's are
    /// left out, except for running totals, whose differences need a first value.
    fn merged(&mut self, from: Timestamp, to: Timestamp, into: &mut Observation) {
        into.clear();
        let policy = self.policy;
        let kind = |id: MetricName| policy.metric(id.as_str()).map(|metric| metric.kind);
        let until = to.min(self.until);
        self.merge.put(self.metrics.between(from, until), kind, into);
        if to <= self.last_before() {
            leave_canary_out(into, false);
        }
    }

    /// The last time whose readings are from before the first traffic: that of the traffic, or 1 ms
    /// earlier if the log's rollout was read in the same moment after it.
    fn last_before(&self) -> Timestamp {
        let after = self.metrics.read_after_traffic(self.from);
        self.from - if after { Span::from_millis(1) } else { Span::ZERO }
    }

    /// When the log's rollout made the same move of traffic, after up to a tick before `at`: it may
    /// have been read between the ticks, and promoted earlier.
    fn moved(&self, act: &rollout::Act, at: Timestamp) -> Option<Timestamp> {
        let rollout::Act::SetTraffic { share } = act else { return None };
        let mut moves = self.metrics.moves().iter();
        let since = at - cadence(self.policy);
        moves.find(|(moved, to)| *moved > since && to == share).map(|(moved, _)| *moved)
    }

    /// Whether the log's rollout had another share of the traffic from begin to end of the tick.
    fn differs(&self, tick: &Tick) -> bool {
        let moves = self.metrics.moves();
        let logged = |at| moves.iter().rfind(|(moved, _)| *moved <= at).map(|(_, share)| *share);
        let other = |at| logged(at).is_some_and(|share| share != tick.share);
        other(tick.from) && other(tick.to)
    }

    /// Reads the live version before the start, as a deploy tool does.
    fn read_before(&mut self, rollout: &mut Rollout, mut from: Timestamp, start: Timestamp) {
        while from < start {
            let to = from + cadence(self.policy);
            let mut live = Observation::new();
            self.merged(from, to, &mut live);
            leave_canary_out(&mut live, true);
            give_each(&mut Input::observe(live), |input| match rollout.handle(to, input) {
                Ok(_) => Ok(()),
                Err(refusal) => {
                    self.notes.refused(&refusal, to);
                    Err(refusal.reason)
                }
            });
            from = to;
        }
    }
}

pub(super) fn play(
    policy: &Arc<Policy>,
    recorded: &RecordedMetrics,
    assume: &Assumptions,
    from: Timestamp,
    until: Timestamp,
) -> Result<Backtest, RecordedErrors> {
    let (seen, mut compared) = metrics_of(recorded, from, until);
    let left_out = unrecorded(policy, &seen)?;
    let (plan, strange) = planned(&without(policy, &left_out)?, recorded, assume)?;
    let run = plan.policy();
    // The start is early enough that a tick falls on the first traffic.
    let cadence = cadence(run);
    let deploy = run.phases().first().map(|phase| phase.deploy).unwrap_or_default();
    let ticks = deploy.as_millis().div_ceil(cadence.as_millis()).max(1);
    let start = from - Span::from_millis(ticks.saturating_mul(cadence.as_millis()));
    // The last reading is seen at the tick that it falls in.
    let last = until.since(from).as_millis().div_ceil(cadence.as_millis());
    let to_last = Span::from_millis(last.saturating_mul(cadence.as_millis()));
    let end = assume.until.unwrap_or(from + to_last);
    let evaluations = end.since(start).as_millis() / cadence.as_millis();
    if evaluations > Backtests::MOST_EVALUATIONS {
        let (policy, most) = (policy.name().to_string(), Backtests::MOST_EVALUATIONS);
        return Err(
            RecordedFault::TooLong { policy, evaluations, most, from, until: end }.anywhere()
        );
    }
    let mut before = recorded.between(from - BEFORE, start).iter();
    let before = before
        .find(|reading| reading.has(|arms| arms.baseline.is_some()))
        .map_or(0, |reading| start.since(reading.at).as_millis() / cadence.as_millis() + 1);
    let begin = start - Span::from_millis(before.saturating_mul(cadence.as_millis()));
    let mut rollout = ready(&plan, begin)?;
    let mut environment = Recorded {
        metrics: recorded,
        policy: run,
        from,
        until,
        merge: Merge::default(),
        notes: Notes::new(run, &left_out),
        odd: Anomalies::default(),
    };
    environment.read_before(&mut rollout, begin, start);
    let mut driver = Driver::new(rollout, start);
    driver.play(&mut environment, Until::RollBack(end));
    let done = environment.notes.found.first_rollback.or(driver.run().completed_at);
    let ended_at = done.unwrap_or(driver.run().ended_at);
    compared.append(&mut environment.notes.compared);
    let mut findings = metric_findings(run, &left_out, &seen, &compared);
    findings.extend(strange);
    findings.extend(environment.merge.findings());
    findings.extend(environment.notes.findings());
    findings.extend(environment.odd.findings());
    let (stage, state) = (driver.rollout().stage(), driver.rollout().state());
    if !stage.has_turned_back() && !matches!(state, State::Complete | State::Closed) {
        findings.push(Anomaly::Over(recorded.rolled_back()).finding(1, None, Some(ended_at)));
    }
    let Notes { found, .. } = environment.notes;
    let (after, phase) = (ended_at.since(from), found.ended.phase);
    Ok(Backtest { ended: Ended { at: ended_at, state, phase, after }, findings, ..found })
}

/// Removes the readings of the canary, running totals only if `also_totals`.
fn leave_canary_out(of: &mut Observation, also_totals: bool) {
    for (_, reading) in of.iter_mut() {
        for arms in reading.strata_mut().filter(|arms| also_totals || !arms.totals) {
            arms.canary = None;
        }
    }
    of.retain(|reading| {
        reading.strata().any(|arms| arms.canary.is_some() || arms.baseline.is_some())
    });
}

/// The metrics with a reading, and those with a reading of the live arm.
fn metrics_of(
    recorded: &RecordedMetrics,
    from: Timestamp,
    until: Timestamp,
) -> (BTreeSet<MetricName>, BTreeSet<MetricName>) {
    let (mut seen, mut compared) = (BTreeSet::new(), BTreeSet::new());
    for reading in recorded.between(from, until) {
        for (metric, reading) in reading.metrics.iter() {
            seen.insert(metric);
            if reading.strata().any(|arms| arms.baseline.is_some()) {
                compared.insert(metric);
            }
        }
    }
    (seen, compared)
}

fn metric_findings(
    policy: &Policy,
    left_out: &[MetricName],
    seen: &BTreeSet<MetricName>,
    compared: &BTreeSet<MetricName>,
) -> Vec<RecordedFinding> {
    let mut findings: Vec<RecordedFinding> =
        left_out.iter().map(|id| Anomaly::LeftOut.finding(1, Some(*id), None)).collect();
    let alone = |metric: &&Metric| seen.contains(&metric.id) && !compared.contains(&metric.id);
    for metric in policy.metrics().iter().filter(alone) {
        if metric.model != Model::None && metric.role == Role::Decide {
            findings.push(Anomaly::NoBaseline.finding(1, Some(metric.id), None));
        }
        if metric.scaled {
            findings.push(Anomaly::Scaled.finding(1, Some(metric.id), None));
        }
    }
    findings
}

pub(super) fn refused(policy: &Policy, fault: &impl ToString) -> RecordedErrors {
    let (policy, fault) = (policy.name().to_string(), fault.to_string());
    RecordedFault::Policy { policy, fault }.anywhere()
}

/// The plan of the rollout: with the strategy of a log's rollout and its calibrations, and a finding
/// for each of these that the policy cannot have.
fn planned(
    policy: &Arc<Policy>,
    recorded: &RecordedMetrics,
    assume: &Assumptions,
) -> Result<(Plan, Vec<RecordedFinding>), RecordedErrors> {
    let mut subject = Subject::default();
    NOBODY.clone_into(&mut subject.incident.id);
    let logged = recorded.planned();
    let mut levels = policy.severities().iter().map(|level| level.severity);
    let first = levels.clone().next();
    let known = logged.and_then(|logged| logged.severity);
    let known = known.filter(|known| levels.any(|level| level == *known));
    subject.incident.severity = assume.severity.or(known).or(first);
    if let Some(Logged { traffic, .. }) = logged {
        subject.traffic = traffic.clone();
    }
    let nothing = BTreeMap::new();
    let calibrated = logged.and_then(|logged| logged.calibrated.as_ref());
    let (made_for, had) =
        calibrated.map_or((&**policy, &nothing), |(made_for, had)| (made_for, had));
    let plan = |logged: Option<&Release>| {
        let release = Release {
            version: "recorded".to_owned(),
            previous: "before".to_owned(),
            strategy: logged.and_then(|logged| logged.strategy),
            batch: logged.and_then(|logged| logged.batch),
            bug_metric: logged
                .and_then(|logged| logged.bug_metric)
                .filter(|metric| policy.metric(metric.as_str()).is_some()),
            ..Release::default()
        };
        let subject = Subject { release: Some(release), ..subject.clone() };
        Plan::calibrated_as(Arc::clone(policy), subject, (made_for, had))
            .map_err(|error| refused(policy, &error))
    };
    let logged = logged.map(|logged| &logged.release);
    let mut findings = Vec::new();
    let plan = match (plan(logged), logged.and_then(|logged| logged.strategy)) {
        (Err(_), Some(strategy)) => {
            findings.push(Anomaly::OtherStrategy(strategy).finding(1, None, None));
            plan(None)?
        }
        (plan, _) => plan?,
    };
    let lost = had.iter().filter(|(metric, of)| plan.calibrations().get(metric) != Some(of));
    let lost = lost.filter(|(metric, _)| policy.metric(metric.as_str()).is_some());
    findings.extend(lost.map(|(metric, _)| Anomaly::OtherTests.finding(1, Some(*metric), None)));
    Ok((plan, findings))
}

/// A rollout of the plan without blockers of its start.
fn ready(plan: &Plan, at: Timestamp) -> Result<Rollout, RecordedErrors> {
    let policy = plan.policy();
    let mut rollout = Rollout::try_new(plan.clone(), Recording::Off, "")
        .map_err(|error| refused(policy, &error))?;
    let mut approvers = Vec::new();
    // Each round clears one blocker. A policy has at most some hundreds.
    for _ in 0..10_000 {
        let blockers = rollout.blockers();
        let Some(blocker) = blockers.first() else { return Ok(rollout) };
        let input = Some(blocker)
            .filter(|blocker| blocker.kind != BlockerKind::ChangeWindow)
            .and_then(|blocker| cleared(policy, blocker, NOBODY, &mut approvers))
            .ok_or_else(|| refused(policy, &blocker.sentence))?;
        rollout.handle(at, &input).map_err(|refusal| refused(policy, &refusal))?;
    }
    Err(refused(policy, &"the blockers of its start cannot all be cleared"))
}
