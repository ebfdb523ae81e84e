//! One rollout, played from the first input to its end.

use serde::Serialize;

use crate::judge::Reason;
use crate::metric::Observation;
use crate::rollout::{Act, Command, Input, RollbackCause, Rollout, Stage, State};
use crate::unit::{PhaseName, Span, Timestamp, clone_in_place};

use super::answers::Answers;
use super::world::{Hurt, Shown, Tick, World};

/// How long a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Until nothing more happens to the traffic, and at most so long.
    End(Timestamp),
    /// Until then, whatever comes: duties that follow the end are counted, too.
    Time(Timestamp),
}

/// A phase that was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Passed {
    /// Which.
    pub phase: PhaseName,
    /// When.
    pub at: Timestamp,
}

/// What came of a run. A time that never came is absent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// The state at the end.
    pub ended: State,
    /// When that was.
    pub ended_at: Timestamp,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When a verdict first spoke against the canary.
    pub alerted_at: Option<Timestamp>,
    /// When a person was first asked something about the rollout.
    pub asked_at: Option<Timestamp>,
    /// When it was decided to go back, or that it should; also by a person, and where the deployment failed.
    pub turned_back_at: Option<Timestamp>,
    /// Why.
    pub why: Option<RollbackCause>,
    /// When all phases and the final validation were passed.
    pub completed_at: Option<Timestamp>,
    /// The phases that were passed, in order.
    pub passed: Vec<Passed>,
    /// What users had to bear, as the world counts it.
    pub hurt: Hurt,
    /// How often a person was asked something.
    pub asked: u32,
    /// How often somebody was woken.
    pub paged: u32,
    /// Duties that were done late or not at all by the end, each occurrence of what is repeated, and calls that nobody answered.
    pub duties_missed: u32,
    /// Ticks of the host while the fix was on its way or live.
    pub ticks: u32,
    /// Ticks whose readings were taken in.
    pub looks: u32,
    /// Inputs that were refused: a clock that stepped back, an answer that came too late.
    pub refused: u32,
}

impl Run {
    const fn new(state: State, at: Timestamp) -> Self {
        Self {
            ended: state,
            ended_at: at,
            started_at: None,
            alerted_at: None,
            asked_at: None,
            turned_back_at: None,
            why: None,
            completed_at: None,
            passed: Vec::new(),
            hurt: Hurt { canary: 0.0, live: 0.0 },
            asked: 0,
            paged: 0,
            duties_missed: 0,
            ticks: 0,
            looks: 0,
            refused: 0,
        }
    }
}

/// The host of a simulated rollout. A copy goes on by itself from where it was made, so that what is the same in many runs is
/// played once.
///
/// ```
/// use std::sync::Arc;
/// use hotfix_core::metric::Observation;
/// use hotfix_core::plan::Plan;
/// use hotfix_core::policy::Policy;
/// use hotfix_core::rollout::{Action, Command, Input, Recording, Rollout, State};
/// use hotfix_core::simulate::{Answers, Player, Shown, Tick, Until, World};
/// use hotfix_core::unit::{Span, Timestamp};
///
/// /// Nobody says anything but yes, and the fix makes nothing worse.
/// struct Calm;
///
/// impl World for Calm {
///     fn show(&mut self, tick: Tick, into: &mut Observation) -> Shown {
///         let canary = (1000.0 * tick.share.as_fraction()).round();
///         let baseline = 1000.0 - canary;
///         let reading = format!(
///             r#"{{"error_rate": {{"canary": [0, {canary}], "baseline": [1, {baseline}]}},
///                "payment_success": {{"canary": [{canary}, {canary}], "baseline": [{baseline}, {baseline}]}},
///                "request_volume": {{"canary": {canary}, "baseline": {baseline}}}}}"#
///         );
///         *into = serde_json::from_str(&reading).unwrap_or_default();
///         Shown::Readings
///     }
///
///     fn answer(&mut self, _: &Rollout, at: Timestamp, action: &Action, answers: &mut Answers) {
///         if action.act.awaits() {
///             let confirm = Input::new(Command::Confirm { action: action.id }).by("platform");
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
/// let mut player = Player::new(Rollout::try_new(plan, Recording::Off, "")?, from);
/// let run = player.play(&mut Calm, Until::End(from + Span::from_seconds(3600)));
/// assert_eq!((run.passed.len(), run.turned_back_at), (3, None));
/// assert!(run.completed_at.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Player {
    rollout: Rollout,
    answers: Answers,
    run: Run,
    /// The observation, whose memory is used again; none while it is handed over.
    seen: Option<Box<Input>>,
    now: Timestamp,
    /// When the host looks next; it looks from the start on.
    tick_at: Option<Timestamp>,
    last_tick: Timestamp,
    /// The last time at which a `tick` was sent, so that none is sent twice.
    polled: Option<Timestamp>,
    /// The last state that the world was told.
    entered: Option<State>,
    /// Occurrences of repeated duties that were done after their time.
    late: u64,
}

clone_in_place!(Player {
    rollout,
    answers,
    run,
    seen,
    now,
    tick_at,
    last_tick,
    polled,
    entered,
    late
});

/// What the host does next.
enum Next {
    Answer,
    Look,
    Tick,
}

impl Player {
    /// A host that takes up a rollout at this time.
    pub fn new(rollout: Rollout, at: Timestamp) -> Self {
        let mut player = Self {
            run: Run::new(rollout.state(), at),
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
        if player.rollout.started_at().is_some() {
            player.start();
        }
        player
    }

    /// The rollout as it stands: its log where one is kept, its duties, why it decided.
    pub const fn rollout(&self) -> &Rollout {
        &self.rollout
    }

    /// What has come of it so far.
    pub const fn run(&self) -> &Run {
        &self.run
    }

    /// Plays until the next input is the start; true where it is. What comes before it is the same for all runs of a world
    /// that prepares them alike.
    pub fn prepare<W: World + ?Sized>(&mut self, world: &mut W, until: Timestamp) -> bool {
        self.enter(world);
        while self.run.started_at.is_none() {
            let next = self.answers.next();
            if next.is_some_and(|(_, input)| matches!(input.command, Command::Start)) {
                return true;
            }
            if !self.step(world, until) {
                break;
            }
        }
        false
    }

    /// Plays on.
    pub fn play<W: World + ?Sized>(&mut self, world: &mut W, until: Until) -> &Run {
        let (at, to_the_end) = match until {
            Until::End(at) => (at, true),
            Until::Time(at) => (at, false),
        };
        self.enter(world);
        while !(to_the_end && self.rollout.state().is_final()) && self.step(world, at) {}
        if !(to_the_end && self.rollout.state().is_final()) {
            self.now = self.now.max(at);
        }
        self.run.ended = self.rollout.state();
        self.run.ended_at = self.now;
        self.run.hurt = world.hurt();
        let missed = self.late.saturating_add(self.rollout.missed_duties(self.now));
        self.run.duties_missed = u32::try_from(missed).unwrap_or(u32::MAX);
        &self.run
    }

    /// One input; false where none comes until then.
    fn step<W: World + ?Sized>(&mut self, world: &mut W, until: Timestamp) -> bool {
        let mut next: Option<(Timestamp, Next)> = None;
        let mut consider = |at: Option<Timestamp>, what| {
            if let Some(at) = at
                && next.as_ref().is_none_or(|(known, _)| at < *known)
            {
                next = Some((at, what));
            }
        };
        consider(self.answers.next().map(|(at, _)| at), Next::Answer);
        consider(self.tick_at, Next::Look);
        consider(self.rollout.poll_at().filter(|at| self.polled != Some(*at)), Next::Tick);
        let Some((at, what)) = next.filter(|(at, _)| *at <= until) else { return false };
        self.now = self.now.max(at);
        match what {
            Next::Answer => {
                if let Some((_, input)) = self.answers.take() {
                    let started = matches!(input.command, Command::Start);
                    if self.say(world, &input) && started {
                        self.start();
                    }
                }
            }
            Next::Look => self.look(world),
            Next::Tick => {
                self.polled = Some(at);
                self.say(world, &Input::new(Command::Tick));
            }
        }
        true
    }

    /// Hands over what is no look at the metrics; the world sees what may have become due, where another state has not made
    /// it do so.
    fn say<W: World + ?Sized>(&mut self, world: &mut W, input: &Input) -> bool {
        let before = self.entered;
        let taken = self.give(world, self.now, input);
        if self.entered == before {
            world.look(&self.rollout, self.now, &mut self.answers);
        }
        taken
    }

    fn start(&mut self) {
        self.run.started_at = Some(self.now);
        self.last_tick = self.now;
        self.tick_at = Some(self.now + self.cadence());
    }

    /// A cadence of nothing would never get on.
    fn cadence(&self) -> Span {
        self.rollout.plan().policy().watch().cadence.max(Span::from_millis(1))
    }

    fn look<W: World + ?Sized>(&mut self, world: &mut W) {
        let tick = Tick { from: self.last_tick, to: self.now, share: self.rollout.share() };
        self.last_tick = self.now;
        self.run.ticks += 1;
        let Some(mut seen) = self.seen.take() else { return };
        let shown = match &mut seen.command {
            Command::Observe { metrics } => world.show(tick, metrics),
            _ => Shown::Nothing,
        };
        let taken = match shown {
            Shown::Nothing => {
                self.give(world, self.now, &Input::new(Command::Tick));
                false
            }
            Shown::Readings => self.give(world, self.now, &seen),
            Shown::At(at) => self.give(world, at, &seen),
        };
        self.seen = Some(seen);
        self.run.looks += u32::from(taken);
        if taken && self.run.alerted_at.is_none() {
            let causes = &self.rollout.verdict().causes;
            if causes.iter().any(|cause| speaks_against(cause.reason)) {
                self.run.alerted_at = Some(self.now);
            }
        }
        self.tick_at = (!self.rollout.state().is_final()).then(|| self.now + self.cadence());
    }

    /// Hands an input over, and its actions to the world; false where it was refused.
    fn give<W: World + ?Sized>(&mut self, world: &mut W, at: Timestamp, input: &Input) -> bool {
        let before = self.rollout.phase();
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
                world.taken(&self.rollout, self.now, Some(&refusal));
                return false;
            }
        };
        self.late = self.late.saturating_add(passed);
        world.taken(&self.rollout, self.now, None);
        for index in 0..asked {
            // The world looks at the rollout while it answers.
            let Some(action) = self.rollout.last_actions().get(index) else { break };
            match &action.act {
                Act::AskDecision { .. } => {
                    self.run.asked += 1;
                    self.run.asked_at.get_or_insert(self.now);
                }
                Act::Page { .. } => self.run.paged += 1,
                _ => {}
            }
            world.answer(&self.rollout, self.now, action, &mut self.answers);
        }
        if let Some(phase) = before.filter(|_| asked > 0) {
            self.note_phase(phase);
        }
        self.enter(world);
        true
    }

    /// A phase that it was in and no longer is was passed, unless it goes back.
    fn note_phase(&mut self, phase: PhaseName) {
        let stage = self.rollout.stage();
        if self.rollout.phase() != Some(phase) && !stage.has_turned_back() {
            self.run.passed.push(Passed { phase, at: self.now });
        }
    }

    /// Tells the world of another state, and notes what it means.
    fn enter<W: World + ?Sized>(&mut self, world: &mut W) {
        let state = self.rollout.state();
        if self.entered == Some(state) {
            return;
        }
        self.entered = Some(state);
        let stage = self.rollout.stage();
        if stage.has_turned_back() && self.run.turned_back_at.is_none() {
            self.run.turned_back_at = Some(self.now);
            self.run.why = match stage {
                Stage::RollingBack(way) => Some(way.why.clone()),
                Stage::Frozen { why, .. } => Some(why.clone()),
                _ => None,
            };
        }
        if state == State::Complete {
            self.run.completed_at.get_or_insert(self.now);
        }
        world.enter(&self.rollout, self.now, &mut self.answers);
        world.look(&self.rollout, self.now, &mut self.answers);
    }
}

/// Whether a reason is that the canary did something bad, and not that nobody can tell.
const fn speaks_against(reason: Reason) -> bool {
    match reason {
        Reason::Evidence
        | Reason::HoldLevel
        | Reason::PhaseEndTest
        | Reason::EvidenceAssumed
        | Reason::OnlyWholePasses
        | Reason::NotBoth
        | Reason::BadInstance
        | Reason::RollbackBand
        | Reason::AlertBand
        | Reason::CriterionMissed => true,
        Reason::Between
        | Reason::TooFewTrials
        | Reason::NoData
        | Reason::Stale
        | Reason::NotFinite
        | Reason::NotJudged
        | Reason::Gaps
        | Reason::NotShownSafe
        | Reason::EfficacyNotShown
        | Reason::SplitNotAsPlanned
        | Reason::ArmsSwapped
        | Reason::IdenticalArms
        | Reason::Undecided
        | Reason::CannotDecide
        | Reason::WillFail => false,
    }
}
