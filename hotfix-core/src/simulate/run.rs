//! One simulated rollout, from the first input to its end.

use serde::Serialize;

use crate::judge::Reason;
use crate::metric::Observation;
use crate::rollout::{Act, Command, Input, RefusalReason, RollbackCause, Rollout, Stage, State};
use crate::unit::{PhaseName, Span, Timestamp};

use super::answers::Answers;
use super::environment::{Environment, Impact, Tick, cadence};

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Until the traffic no longer changes, and at most until this time.
    End(Timestamp),
    /// Until the rollback is decided or the traffic no longer changes, and at most until this time.
    RollBack(Timestamp),
    /// Until this time in any case, so that duties after the rollout's end are counted.
    Time(Timestamp),
}

/// A phase that was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Passed {
    /// The phase.
    pub phase: PhaseName,
    /// When it was passed.
    pub at: Timestamp,
}

/// The result of a run. Times of events that never happened are absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Run {
    /// The state at the end.
    pub ended: State,
    /// When the run ended.
    pub ended_at: Timestamp,
    /// When it was first started.
    pub started_at: Option<Timestamp>,
    /// When a verdict was first against the canary.
    pub alerted_at: Option<Timestamp>,
    /// When a person was first asked whether to continue.
    pub asked_at: Option<Timestamp>,
    /// When a rollback was decided or requested, also by a person or because the deployment failed.
    pub rolled_back_at: Option<Timestamp>,
    /// The cause of the rollback.
    pub why: Option<RollbackCause>,
    /// When all phases and the final validation were passed.
    pub completed_at: Option<Timestamp>,
    /// The phases that were passed, in order.
    pub passed: Vec<Passed>,
    /// The impact on users, as the environment counts it.
    pub affected: Impact,
    /// Questions to people whether to continue.
    pub asked: u32,
    /// Pages.
    pub paged: u32,
    /// Duties that were late or not done by the end, counting each occurrence of repeated ones, and
    /// pages without an answer.
    pub duties_missed: u32,
    /// Ticks of the driver while the fix was rolled out or live.
    pub ticks: u32,
    /// Ticks whose readings were accepted.
    pub evaluations: u32,
    /// Refused inputs, for example because a clock stepped back or an answer was too late.
    pub refused: u32,
}

/// The driver of a simulated rollout, in place of a deploy tool. A copy continues independently, so
/// that the common beginning of many runs is simulated once.
///
/// ```
/// use std::sync::Arc;
/// use hotfix_core::metric::Observation;
/// use hotfix_core::plan::Plan;
/// use hotfix_core::policy::Policy;
/// use hotfix_core::rollout::{Action, Command, Input, Recording, Rollout, State};
/// use hotfix_core::simulate::{Answers, Driver, Environment, Tick, Until};
/// use hotfix_core::unit::{Span, Timestamp};
///
/// /// Everybody approves, and the fix makes nothing worse.
/// struct Calm;
///
/// impl Environment for Calm {
///     fn show(&mut self, tick: Tick, into: &mut Observation) {
///         let canary = (1000.0 * tick.share.as_fraction()).round();
///         let baseline = 1000.0 - canary;
///         let reading = format!(
///             r#"{{"error_rate": {{"canary": [0, {canary}], "baseline": [1, {baseline}]}},
///                "payment_success": {{"canary": [{canary}, {canary}], "baseline": [{baseline}, {baseline}]}},
///                "request_volume": {{"canary": {canary}, "baseline": {baseline}}}}}"#
///         );
///         *into = serde_json::from_str(&reading).unwrap_or_default();
///     }
///
///     fn answer(&mut self, _: &Rollout, at: Timestamp, action: &Action, answers: &mut Answers) {
///         if action.act.awaits() {
///             let confirm = Input::new(Command::Confirm { action: action.id, why: None }).by("platform");
///             answers.after(at, Span::from_seconds(30), confirm);
///         }
///     }
///
///     fn enter(&mut self, rollout: &Rollout, at: Timestamp, answers: &mut Answers) {
///         if rollout.state() == State::Ready {
///             answers.at(at, Input::new(Command::Start).by("lena"));
///         }
///     }
/// }
///
/// let policy = Policy::from_toml(include_str!("../../tests/policies/simulated.toml"))?;
/// let plan = Plan::from_json(Arc::new(policy), r#"{"id": "drill"}"#, r#"{"version": "2", "previous": "1"}"#, "")?;
/// let from: Timestamp = "2026-03-03T14:00:00Z".parse()?;
/// let mut driver = Driver::new(Rollout::try_new(plan, Recording::Off, "")?, from);
/// let run = driver.play(&mut Calm, Until::End(from + Span::from_seconds(3600)));
/// assert_eq!((run.passed.len(), run.rolled_back_at), (3, None));
/// assert!(run.completed_at.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, educe::Educe)]
#[educe(Clone)]
pub struct Driver {
    rollout: Rollout,
    answers: Answers,
    run: Run,
    /// The observation, whose memory is reused. None while it is handed over.
    seen: Option<Box<Input>>,
    now: Timestamp,
    /// The next time to read the metrics, from the start on.
    tick_at: Option<Timestamp>,
    last_tick: Timestamp,
    /// The last time at which a `tick` was sent, so that none is sent twice.
    polled: Option<Timestamp>,
    /// The last state that the environment was notified of.
    entered: Option<State>,
    /// Occurrences of repeated duties that were done after their time.
    late: u64,
}

/// The next action of the driver.
enum Next {
    Answer,
    Look,
    Tick,
}

impl Driver {
    /// A driver that continues a rollout at this time.
    pub fn new(rollout: Rollout, at: Timestamp) -> Self {
        let mut driver = Self {
            run: Run { ended: rollout.state(), ended_at: at, ..Run::default() },
            rollout,
            answers: Answers::default(),
            seen: Some(Box::new(Input::observe(Observation::new()))),
            now: at,
            tick_at: None,
            last_tick: at,
            polled: None,
            entered: None,
            late: 0,
        };
        if driver.rollout.started_at().is_some() {
            driver.start();
        }
        driver
    }

    /// The rollout, with its log if one is kept, its duties and its reasons.
    pub const fn rollout(&self) -> &Rollout {
        &self.rollout
    }

    /// The result so far.
    pub const fn run(&self) -> &Run {
        &self.run
    }

    /// Runs until the next input is `start`, and returns whether it is. The time before it is the
    /// same for all runs of an environment that prepares them in the same way.
    pub fn prepare(&mut self, environment: &mut dyn Environment, until: Timestamp) -> bool {
        self.enter(environment);
        while self.run.started_at.is_none() {
            let next = self.answers.next();
            if next.is_some_and(|(_, input)| matches!(input.command, Command::Start)) {
                return true;
            }
            if !self.step(environment, until) {
                break;
            }
        }
        false
    }

    /// Continues the run.
    pub fn play(&mut self, environment: &mut dyn Environment, until: Until) -> &Run {
        let (Until::End(at) | Until::RollBack(at) | Until::Time(at)) = until;
        let is_over = |rollout: &Rollout| match until {
            Until::End(_) => rollout.state().is_final(),
            Until::RollBack(_) => rollout.stage().has_turned_back() || rollout.state().is_final(),
            Until::Time(_) => false,
        };
        self.enter(environment);
        while !is_over(&self.rollout) && self.step(environment, at) {}
        if !is_over(&self.rollout) {
            self.now = self.now.max(at);
        }
        self.run.ended = self.rollout.state();
        self.run.ended_at = self.now;
        self.run.affected = environment.affected();
        let missed = self.late.saturating_add(self.rollout.missed_duties(self.now));
        self.run.duties_missed = u32::try_from(missed).unwrap_or(u32::MAX);
        &self.run
    }

    /// Handles the next input. Returns false if none comes up to `until`.
    fn step(&mut self, environment: &mut dyn Environment, until: Timestamp) -> bool {
        // At the same time, the first of these comes first.
        let mut next = [
            (self.answers.next().map(|(at, _)| at), Next::Answer),
            (self.tick_at, Next::Look),
            (self.poll_at(environment), Next::Tick),
        ];
        if self.tick_at.is_some_and(|at| environment.reads_first(at)) {
            next.swap(0, 1);
        }
        let next = next.into_iter().filter_map(|(at, what)| Some((at?, what)));
        let next = next.min_by_key(|(at, _)| *at).filter(|(at, _)| *at <= until);
        let Some((at, what)) = next else { return false };
        self.now = self.now.max(at);
        match what {
            Next::Answer => {
                if let Some((_, mut input)) = self.answers.take() {
                    match self.say(environment, &input) {
                        Ok(()) if matches!(input.command, Command::Start) => self.start(),
                        Err(reason) if reason.is_of_the_clock() => {
                            self.answers.after(self.now, self.cadence(), input);
                        }
                        Err(reason) if leave_out(&mut input, &reason) => {
                            self.answers.at(self.now, input);
                        }
                        Ok(()) | Err(_) => {}
                    }
                }
            }
            Next::Look => self.look(environment),
            Next::Tick => {
                self.polled = self.rollout.poll_at();
                // A refused one is not repeated: the next reading follows within the cadence.
                let _refused = self.say(environment, &Input::new(Command::Tick)).is_err();
            }
        }
        true
    }

    /// When the next tick without readings is due by the tool's clock.
    fn poll_at(&self, environment: &dyn Environment) -> Option<Timestamp> {
        let due = self.rollout.poll_at().filter(|at| self.polled != Some(*at))?;
        let shown = environment.clock(self.now);
        Some(due - shown.since(self.now) + self.now.since(shown))
    }

    /// Hands over an input without readings. The environment is then notified that something may be
    /// due, unless a new state has already done so.
    fn say(
        &mut self,
        environment: &mut dyn Environment,
        input: &Input,
    ) -> Result<(), RefusalReason> {
        let before = self.entered;
        let taken = self.give(environment, input);
        if self.entered == before {
            environment.look(&self.rollout, self.now, &mut self.answers);
        }
        taken
    }

    fn start(&mut self) {
        self.run.started_at.get_or_insert(self.now);
        self.last_tick = self.now;
        self.tick_at = Some(self.now + self.cadence());
    }

    fn cadence(&self) -> Span {
        cadence(self.rollout.plan().policy())
    }

    fn look(&mut self, environment: &mut dyn Environment) {
        let tick = Tick { from: self.last_tick, to: self.now, share: self.rollout.share() };
        self.last_tick = self.now;
        self.run.ticks += 1;
        let Some(mut seen) = self.seen.take() else { return };
        if let Command::Observe { metrics } = &mut seen.command {
            environment.show(tick, metrics);
        }
        let taken = self.give_readings(environment, &mut seen);
        self.seen = Some(seen);
        self.run.evaluations += u32::from(taken);
        if taken && self.run.alerted_at.is_none() {
            let causes = &self.rollout.verdict().causes;
            if causes.iter().any(|cause| is_against_canary(cause.reason)) {
                self.run.alerted_at = Some(self.now);
            }
        }
        self.tick_at = (!self.rollout.state().is_final()).then(|| self.now + self.cadence());
    }

    /// Hands over readings as a deploy tool does: again without one that is refused, and a tick where none
    /// is left. Returns whether any were accepted.
    fn give_readings(&mut self, environment: &mut dyn Environment, seen: &mut Input) -> bool {
        if give_each(seen, |input| self.give(environment, input)) {
            return true;
        }
        if !has_readings(seen) {
            let _refused = self.give(environment, &Input::new(Command::Tick)).is_err();
        }
        false
    }

    /// Hands over an input with the time of the tool's clock, and its actions to the environment.
    fn give(
        &mut self,
        environment: &mut dyn Environment,
        input: &Input,
    ) -> Result<(), RefusalReason> {
        let at = environment.clock(self.now);
        let (before, share) = (self.rollout.phase(), self.rollout.share());
        let passed = match &input.command {
            Command::Acknowledge { duty, .. } | Command::Done { duty, .. } => {
                self.rollout.passed_occurrences(*duty, at)
            }
            _ => 0,
        };
        let asked = match self.rollout.handle(at, input) {
            Ok(outcome) => outcome.actions.len(),
            Err(refusal) => {
                self.run.refused += 1;
                environment.taken(&self.rollout, self.now, Some(&refusal));
                return Err(refusal.reason);
            }
        };
        self.late = self.late.saturating_add(passed);
        if self.rollout.share() != share && self.run.started_at.is_some() {
            environment.share_changed(Tick { from: self.last_tick, to: self.now, share });
        }
        environment.taken(&self.rollout, self.now, None);
        let is_prepared = matches!(self.rollout.stage(), Stage::Preparing)
            && !matches!(input.command, Command::Report { .. });
        for index in 0..asked {
            // The environment reads the rollout while it responds.
            let Some(action) = self.rollout.last_actions().get(index) else { break };
            match &action.act {
                // Left out: before the start, its blockers are cleared without a question, and
                // severity or facts are not settled by an answer to whether to continue.
                Act::AskDecision { question }
                    if is_prepared || self.rollout.is_about_severity(question) =>
                {
                    continue;
                }
                Act::AskDecision { .. } => {
                    self.run.asked += 1;
                    self.run.asked_at.get_or_insert(self.now);
                }
                Act::Page { .. } => self.run.paged += 1,
                _ => {}
            }
            environment.answer(&self.rollout, self.now, action, &mut self.answers);
        }
        // A phase that was left has passed, unless the rollout is rolled back or another release begins.
        let stage = self.rollout.stage();
        let is_left = stage.has_turned_back() || matches!(stage, Stage::Preparing);
        let left = before.filter(|_| asked > 0 && self.rollout.phase() != before);
        if let Some(phase) = left.filter(|_| !is_left) {
            self.run.passed.push(Passed { phase, at: self.now });
        }
        self.enter(environment);
        Ok(())
    }

    /// Notifies the environment of a new state, and records it.
    fn enter(&mut self, environment: &mut dyn Environment) {
        let state = self.rollout.state();
        if self.entered == Some(state) {
            return;
        }
        self.entered = Some(state);
        let stage = self.rollout.stage();
        // A frozen rollout keeps its traffic until somebody rolls it back.
        let is_back = stage.has_turned_back() && state != State::Frozen;
        if is_back && self.run.rolled_back_at.is_none() {
            self.run.rolled_back_at = Some(self.now);
            if let Stage::RollingBack(way) = stage {
                self.run.why = Some(way.why.clone());
            }
        }
        if state == State::Complete {
            self.run.completed_at.get_or_insert(self.now);
        }
        environment.enter(&self.rollout, self.now, &mut self.answers);
        environment.look(&self.rollout, self.now, &mut self.answers);
    }
}

fn has_readings(input: &Input) -> bool {
    matches!(&input.command, Command::Observe { metrics } if !metrics.is_empty())
}

/// Gives readings, and again without one that is refused, until none is left. Returns whether any were
/// accepted.
pub(super) fn give_each(
    input: &mut Input,
    mut give: impl FnMut(&Input) -> Result<(), RefusalReason>,
) -> bool {
    while has_readings(input) {
        match give(input) {
            Ok(()) => return true,
            Err(reason) if leave_out(input, &reason) => {}
            Err(_) => return false,
        }
    }
    false
}

/// Leaves out the metric whose reading a refusal names. Returns false if it names none.
fn leave_out(input: &mut Input, refused: &RefusalReason) -> bool {
    let RefusalReason::Reading(error) = refused else { return false };
    let Command::Observe { metrics } = &mut input.command else { return false };
    metrics.remove(error.metric()).is_some()
}

/// Whether a reason is a fault of the canary, and not missing knowledge.
const fn is_against_canary(reason: Reason) -> bool {
    match reason {
        Reason::Evidence
        | Reason::HoldLevel
        | Reason::WarmingUp
        | Reason::SlightlySlower
        | Reason::PhaseEndTest
        | Reason::EvidenceAssumed
        | Reason::FewerFailures
        | Reason::WorseThanSeen
        | Reason::OnlyWholePasses
        | Reason::NotBoth
        | Reason::BadInstance
        | Reason::RollbackBand
        | Reason::OneInstance
        | Reason::NotConfirmed
        | Reason::Burst
        | Reason::AlertBand
        | Reason::CriterionMissed => true,
        Reason::Between
        | Reason::TooFewTrials
        | Reason::NoData
        | Reason::Stale
        | Reason::NoLiveData
        | Reason::LiveNeverRead
        | Reason::NotFinite
        | Reason::NotJudged
        | Reason::Gaps
        | Reason::NotShownSafe
        | Reason::EfficacyNotShown
        | Reason::SplitNotAsPlanned
        | Reason::ArmsSwapped
        | Reason::IdenticalArms
        | Reason::Inconclusive
        | Reason::CannotDecide
        | Reason::WillFail => false,
    }
}
