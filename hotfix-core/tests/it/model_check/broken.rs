//! Machines that each break one rule: the check has to find every one of them.

use std::fmt::Write as _;

use hotfix_core::deadline::Duties;
use hotfix_core::grade::Response;
use hotfix_core::plan::Plan;
use hotfix_core::rollout::{
    Act, Action, ActionId, Command, Input, InputKind, Recording, Rollout, State,
};
use hotfix_core::unit::{Share, Span, Timestamp};

use crate::model::alphabet::Move;
use crate::model::key::KeyWriter;
use crate::model::laws::Law;
use crate::model::machine::{Machine, Real, Refused, forward};
use crate::model::past::{Past, is_under_way};

/// The rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A person's `promote` moves traffic while the fix is taken back.
    PromotesOnTheWayBack,
    /// An objection is taken and forgotten.
    ForgetsObjections,
    /// What is stated after the end is taken and forgotten.
    ForgetsRelapses,
    /// A report is taken and forgotten.
    SwallowsReports,
    /// `start` gives the approval and checks the item itself.
    ApprovesItself,
    /// `resume` asks for all traffic.
    RaisesOnResume,
    /// What is done in a pause asks for all traffic.
    RaisesInAPause,
    /// `resume` does not ask for the traffic that the pause held back.
    ForgetsWhatAPauseHeldBack,
    /// The late result of an overtaken action moves the share.
    BelievesLateResults,
    /// Ticks and observations do nothing on the way back.
    DropsTicksGoingBack,
    /// Nothing but time is taken in a pause.
    RefusesAllInPause,
    /// A remark on what was aborted moves traffic.
    LivesOn,
    /// The late result of an overtaken action panics.
    PanicsOnLateResults,
    /// A refused `promote` stops the clock.
    RefusalPauses,
    /// A clock that stepped back keeps a report out.
    RefusesLateReports,
    /// Nobody is told to come back when the veto window is over.
    ForgetsTheGatesTime,
    /// The duty to write a report is in no list.
    ForgetsADuty,
    /// Nobody is called, whatever is due.
    CallsNobody,
    /// Every question offers another attempt.
    OffersARetry,
}

impl Fault {
    /// Each with the law that finds it.
    pub(crate) const ALL: [(Self, Law); 19] = [
        (Self::PromotesOnTheWayBack, Law::NoPromotion),
        (Self::ForgetsObjections, Law::NoPromotion),
        (Self::ForgetsRelapses, Law::NoPromotion),
        (Self::SwallowsReports, Law::WayBack),
        (Self::ApprovesItself, Law::Ready),
        (Self::RaisesOnResume, Law::Traffic),
        (Self::RaisesInAPause, Law::Pause),
        (Self::ForgetsWhatAPauseHeldBack, Law::Pause),
        (Self::BelievesLateResults, Law::Traffic),
        (Self::DropsTicksGoingBack, Law::WayBack),
        (Self::RefusesAllInPause, Law::WayOut),
        (Self::LivesOn, Law::Over),
        (Self::PanicsOnLateResults, Law::NoPanic),
        (Self::RefusalPauses, Law::Refusal),
        (Self::RefusesLateReports, Law::Refusal),
        (Self::ForgetsTheGatesTime, Law::Poll),
        (Self::ForgetsADuty, Law::Duty),
        (Self::CallsNobody, Law::Duty),
        (Self::OffersARetry, Law::Offer),
    ];
}

/// A rollout with one rule broken.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    inner: Rollout,
    fault: Fault,
    /// What the fault made of the share.
    share: Option<Share>,
}

impl Broken {
    pub(crate) fn new(plan: Plan, fault: Fault) -> Self {
        let inner =
            Rollout::try_new(plan, Recording::Off, "").expect("the small policies are fine");
        Self { inner, fault, share: None }
    }

    /// The input of a word, to the rollout inside.
    fn say(&mut self, at: Timestamp, name: &str) {
        let real = Real(self.inner.clone());
        let input = Move::say(name).input(&real, &Past::default());
        if let Some((_, input)) = input {
            let _ = self.inner.handle(at, &input);
        }
    }

    fn is_late(&self, input: &Input) -> bool {
        let (Command::Confirm { action, .. } | Command::Failed { action, .. }) = input.command
        else {
            return false;
        };
        self.inner.pending_actions().iter().all(|pending| pending.id != action)
    }
}

/// An action that the machine did not ask for.
fn all_traffic() -> Action {
    Action { id: ActionId { event: 9_999, index: 0 }, act: Act::SetTraffic { share: Share::ALL } }
}

impl Machine for Broken {
    fn rollout(&self) -> &Rollout {
        &self.inner
    }

    fn handle(&mut self, at: Timestamp, input: &Input) -> Result<Vec<Action>, Refused> {
        let (kind, state) = (input.command.kind(), self.inner.state());
        let report_back = match input.command {
            Command::Report { signal, .. } => {
                self.plan().policy().triggers().response(signal) == Response::RollBack
            }
            _ => false,
        };
        match (self.fault, kind) {
            (Fault::PromotesOnTheWayBack, InputKind::Promote) if state == State::RollingBack => {
                Ok(vec![all_traffic()])
            }
            (Fault::ForgetsObjections, InputKind::Hold)
            | (Fault::ForgetsRelapses, InputKind::SetFacts)
                if is_under_way(state) =>
            {
                Ok(Vec::new())
            }
            (Fault::SwallowsReports, InputKind::Report) if report_back && is_under_way(state) => {
                Ok(Vec::new())
            }
            (Fault::ApprovesItself, InputKind::Start) => {
                self.say(at, "approve");
                self.say(at, "check the item");
                forward(&mut self.inner, at, input)
            }
            (Fault::RaisesOnResume, InputKind::Resume) => {
                let mut actions = forward(&mut self.inner, at, input)?;
                actions.push(all_traffic());
                Ok(actions)
            }
            (Fault::RaisesInAPause, InputKind::Confirm) if state == State::Paused => {
                let mut actions = forward(&mut self.inner, at, input)?;
                actions.push(all_traffic());
                Ok(actions)
            }
            (Fault::ForgetsWhatAPauseHeldBack, InputKind::Resume) => {
                let mut actions = forward(&mut self.inner, at, input)?;
                actions.retain(|action| !matches!(action.act, Act::SetTraffic { .. }));
                Ok(actions)
            }
            (Fault::BelievesLateResults, InputKind::Confirm) if self.is_late(input) => {
                let actions = forward(&mut self.inner, at, input)?;
                self.share = Some(Share::ALL);
                Ok(actions)
            }
            (Fault::DropsTicksGoingBack, InputKind::Tick | InputKind::Observe)
                if state == State::RollingBack =>
            {
                Ok(Vec::new())
            }
            (Fault::RefusesAllInPause, _) if state == State::Paused => {
                if matches!(kind, InputKind::Tick | InputKind::Observe) {
                    forward(&mut self.inner, at, input)
                } else {
                    Err(Refused { code: "HF-ROLL-001".to_owned(), accepted: self.accepted() })
                }
            }
            (Fault::LivesOn, InputKind::Note) if state == State::Aborted => Ok(vec![all_traffic()]),
            // Not `panic!`, whose message nobody wants to read.
            (Fault::PanicsOnLateResults, InputKind::Confirm) if self.is_late(input) => {
                std::panic::resume_unwind(Box::new("on purpose"))
            }
            (Fault::RefusalPauses, InputKind::Promote) => {
                let taken = forward(&mut self.inner, at, input);
                if taken.is_err() {
                    self.say(at, "pause");
                }
                taken
            }
            (Fault::RefusesLateReports, InputKind::Report)
                if self.now().is_some_and(|now| at < now) =>
            {
                Err(Refused { code: "HF-ROLL-002".to_owned(), accepted: self.accepted() })
            }
            (Fault::OffersARetry, _) => {
                let mut actions = forward(&mut self.inner, at, input)?;
                for action in &mut actions {
                    if let Act::AskDecision { question } = &mut action.act {
                        question.push_str(" Or send `retry`.");
                    }
                }
                Ok(actions)
            }
            (Fault::CallsNobody, _) => {
                let mut actions = forward(&mut self.inner, at, input)?;
                actions.retain(|action| !matches!(action.act, Act::Page { duty: Some(_), .. }));
                Ok(actions)
            }
            _ => forward(&mut self.inner, at, input),
        }
    }

    fn duties(&self, at: Timestamp) -> Duties<'_> {
        let mut duties = self.inner.duties(at);
        if self.fault == Fault::ForgetsADuty {
            duties.later.retain(|item| item.id.as_str() != "report");
        }
        duties
    }

    fn share(&self) -> Share {
        self.share.unwrap_or_else(|| self.inner.share())
    }

    fn poll_at(&self) -> Option<Timestamp> {
        let forgotten =
            self.fault == Fault::ForgetsTheGatesTime && self.inner.state() == State::Gate;
        if !forgotten {
            return self.inner.poll_at();
        }
        // Duties are still thought of.
        let now = self.now()?;
        let Duties { due, next, .. } = self.inner.duties(now);
        let late = due.iter().filter_map(|item| item.due).map(|at| at + Span::from_millis(1));
        let times = late.chain(next.iter().filter_map(|item| item.opens.or(item.due)));
        times.filter(|at| *at > now).min()
    }

    fn accepted(&self) -> Vec<InputKind> {
        let paused = self.fault == Fault::RefusesAllInPause && self.inner.state() == State::Paused;
        if paused { vec![InputKind::Tick, InputKind::Observe] } else { self.inner.accepted() }
    }

    fn write(&self, into: &mut KeyWriter) {
        self.inner.write_behaviour(into).expect("a string takes everything");
        write!(into, "{:?}", self.share).expect("a string takes everything");
    }
}
