//! The laws, and how one input is judged by them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hotfix_core::deadline::Duties;
use hotfix_core::grade::{DutyKind, GateMode};
use hotfix_core::judge::{Decision, Reason};
use hotfix_core::rollout::{Act, Action, Command, Input, InputKind, Stage, State};
use hotfix_core::unit::{Name, Share, Span, Timestamp};

use super::alphabet::Move;
use super::key::{Key, KeyWriter};
use super::machine::{Machine, Refused};
use super::past::{Past, deploy_confirmed, is_under_way};

/// What must hold whatever happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Law {
    /// After a way back was asked for nothing is promoted; what a person objected to, or was asked about, waits for a person, and
    /// so does a fix while the incident is open again.
    NoPromotion,
    /// No start without approvals and required items.
    Ready,
    /// Traffic rises by the start or by a promotion, to the phase's share, and once its action is confirmed.
    Traffic,
    /// A pause holds: no traffic is added until `resume`, which then asks for what the pause held back.
    Pause,
    /// A way back that was asked for is taken, and ends or wakes somebody in time.
    WayBack,
    /// A few inputs lead to the end.
    WayOut,
    /// What is over stays over.
    Over,
    /// No input panics.
    NoPanic,
    /// A refusal changes nothing, and says the truth about what is taken.
    Refusal,
    /// Time alone changes nothing before the moment that was asked for.
    Poll,
    /// A question or a page names only inputs that are accepted, and once since when nobody has answered.
    Offer,
    /// Every duty stands in one list, whoever is to be called was called, and the moment asked for is no later than its time.
    Duty,
}

/// A law that was broken, and how.
#[derive(Clone, Debug)]
pub(crate) struct Breach {
    pub(crate) law: Law,
    pub(crate) how: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.law, self.how)
    }
}

fn breach<T>(law: Law, how: impl Into<String>) -> Result<T, Breach> {
    Err(Breach { law, how: how.into() })
}

/// One input and what came of it.
pub(crate) struct Taken<M> {
    pub(crate) machine: M,
    pub(crate) past: Past,
    pub(crate) outcome: Result<Vec<Action>, Refused>,
}

/// The key of a machine and its past.
pub(crate) fn key_of(machine: &impl Machine, past: &Past) -> Key {
    let mut writer = KeyWriter::new(machine.now());
    machine.write(&mut writer);
    past.write(&mut writer);
    writer.key()
}

/// Gives the input of a move to a copy of the machine and judges what comes of it; None where the move cannot be made.
///
/// # Errors
/// The law that is broken.
pub(crate) fn step<M: Machine>(
    machine: &M,
    past: &Past,
    by: Move,
) -> Result<Option<Taken<M>>, Breach> {
    let Some((at, input)) = by.input(machine, past) else { return Ok(None) };
    take(machine, past, at, &input).map(Some)
}

/// The same for any input at any time.
///
/// # Errors
/// The law that is broken.
pub(crate) fn take<M: Machine>(
    machine: &M,
    past: &Past,
    at: Timestamp,
    input: &Input,
) -> Result<Taken<M>, Breach> {
    let mut after = machine.clone();
    let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| after.handle(at, input))) else {
        return breach(Law::NoPanic, format!("`{}` panics", input.command.kind()));
    };
    let mut next = past.clone();
    match &outcome {
        Ok(actions) => {
            next = past.and(machine, input, actions, &after);
            let turn = Turn { before: machine, past, input, actions, after: &after };
            turn.check_over()?;
            turn.check_promotion()?;
            turn.check_start()?;
            turn.check_pause()?;
            turn.check_traffic()?;
            turn.check_way_back(&next)?;
            turn.check_poll(at)?;
            turn.check_offers()?;
        }
        Err(refused) => check_refusal(machine, past, input, refused, &after)?,
    }
    Ok(Taken { machine: after, past: next, outcome })
}

/// An input that was taken, with what was before and after.
struct Turn<'a, M> {
    before: &'a M,
    past: &'a Past,
    input: &'a Input,
    actions: &'a [Action],
    after: &'a M,
}

/// How far a rollout is on its way forward; None elsewhere.
fn progress(stage: &Stage) -> Option<usize> {
    match stage {
        Stage::FinalValidation { .. } => Some(1_000),
        Stage::Complete { .. } => Some(1_001),
        Stage::Closed => Some(1_002),
        _ => stage.step().map(|step| step.index),
    }
}

impl<M: Machine> Turn<'_, M> {
    fn kind(&self) -> InputKind {
        self.input.command.kind()
    }

    fn check_offers(&self) -> Result<(), Breach> {
        let accepted = self.after.rollout().accepted();
        for action in self.actions {
            let text = match &action.act {
                Act::AskDecision { question } => question,
                Act::Page { why, duty: None, .. } => why,
                _ => continue,
            };
            if text.matches("answer since").count() > 1 {
                return breach(Law::Offer, format!("it says twice since when: {text}"));
            }
            // Names are in back-ticks: every second part.
            let mut named = text.split('`').skip(1).step_by(2).filter_map(|name| name.parse().ok());
            if let Some(kind) = named.find(|kind: &InputKind| !accepted.contains(kind)) {
                let state = self.after.state();
                return breach(Law::Offer, format!("`{kind}` is refused in `{state}`: {text}"));
            }
        }
        Ok(())
    }

    /// Whether a phase, or the final validation, was passed.
    fn promotes(&self) -> bool {
        let (from, to) = (progress(self.before.stage()), progress(self.after.stage()));
        from.is_some() && to > from && self.before.state() != State::Complete
    }

    fn rises(&self) -> impl Iterator<Item = Share> {
        let top = self.past.top;
        self.actions.iter().filter_map(move |action| match action.act {
            Act::SetTraffic { share } if share > top => Some(share),
            _ => None,
        })
    }

    fn check_promotion(&self) -> Result<(), Breach> {
        let (from, to) = (self.before.state(), self.after.state());
        let forward = self.promotes() || self.rises().next().is_some();
        if self.past.back.is_some() && (forward || (is_under_way(to) && to != State::Frozen)) {
            return breach(
                Law::NoPromotion,
                format!("`{from}` becomes `{to}` after a way back was asked for"),
            );
        }
        if !self.promotes() || self.kind() == InputKind::Promote {
            return Ok(());
        }
        if !matches!(self.kind(), InputKind::Observe | InputKind::Tick) {
            return breach(Law::NoPromotion, format!("`{}` promotes", self.kind()));
        }
        if self.after.verdict().decision != Decision::Promote {
            return breach(Law::NoPromotion, "promoted without the judge's word");
        }
        if self.past.held {
            return breach(Law::NoPromotion, "promoted by itself although a person objected");
        }
        if self.past.doubted {
            return breach(
                Law::NoPromotion,
                "promoted by itself although a person was asked about a report",
            );
        }
        if self.past.relapsed {
            return breach(
                Law::NoPromotion,
                "promoted by itself although the incident is open again",
            );
        }
        let policy = self.before.plan().policy();
        let gate = match (self.before.stage(), self.before.stage().step()) {
            (Stage::FinalValidation { .. }, _) => policy.final_validation().gate,
            (_, Some(step)) => policy.phases()[step.index].gate,
            _ => GateMode::Manual,
        };
        let is_final = matches!(self.before.stage(), Stage::FinalValidation { .. });
        let over = self.past.veto.is_some_and(|until| next_now(self.after) >= until);
        match gate {
            GateMode::Automatic => Ok(()),
            GateMode::Veto if is_final || over => Ok(()),
            GateMode::Veto => breach(Law::NoPromotion, "promoted before its veto window is over"),
            GateMode::Manual => breach(Law::NoPromotion, "a manual gate passed by itself"),
        }
    }

    fn check_start(&self) -> Result<(), Breach> {
        let prepares =
            |state| matches!(state, State::Drafted | State::AwaitingApproval | State::Ready);
        let (from, to) = (self.before.state(), self.after.state());
        // Aborted; or what an attempt before still has is taken back.
        if !prepares(from) || prepares(to) || matches!(to, State::Aborted | State::RollingBack) {
            return Ok(());
        }
        if self.kind() != InputKind::Start {
            return breach(Law::Ready, format!("`{}` starts it", self.kind()));
        }
        if !self.past.is_ready() {
            return breach(Law::Ready, "started without its approval or its item");
        }
        Ok(())
    }

    fn check_pause(&self) -> Result<(), Breach> {
        let state = self.after.state();
        if let (State::Paused | State::Frozen, Some(share)) = (state, self.rises().next()) {
            return breach(Law::Pause, format!("`{}` asks for {share} in `{state}`", self.kind()));
        }
        let moves = |action: &Action| matches!(action.act, Act::SetTraffic { .. });
        let resumes = self.kind() == InputKind::Resume && self.past.held_back;
        if resumes && !self.actions.iter().any(moves) {
            return breach(Law::Pause, "`resume` does not ask for what the pause held back");
        }
        Ok(())
    }

    fn check_traffic(&self) -> Result<(), Breach> {
        let of_start = self.kind() == InputKind::Start
            || self.deploy_confirmed()
            || self.kind() == InputKind::Resume && self.past.held_back;
        for share in self.rises() {
            let step = self.after.stage().step();
            let planned = step.map(|step| self.after.plan().phases()[step.index].share);
            // What was held back to compare with gets the fix when the last window is over.
            let of_end = self.before.state() == State::Complete && share == Share::ALL;
            if of_end
                && matches!(self.kind(), InputKind::Observe | InputKind::Tick | InputKind::Promote)
            {
                continue;
            }
            if !self.promotes() && !of_start {
                return breach(Law::Traffic, format!("`{}` asks for {share}", self.kind()));
            }
            if planned != Some(share) {
                return breach(
                    Law::Traffic,
                    format!("{share} is asked for, the plan has {planned:?}"),
                );
            }
        }
        let (from, to) = (self.before.share(), self.after.share());
        let confirmed = match &self.input.command {
            Command::Confirm { action, .. } => {
                self.before.pending().iter().find(|pending| pending.id == *action)
            }
            _ => None,
        };
        let asked = match confirmed.map(|action| &action.act) {
            Some(Act::SetTraffic { share }) => Some(*share),
            _ => None,
        };
        if to > from && asked != Some(to) {
            return breach(Law::Traffic, format!("the share rises to {to} by `{}`", self.kind()));
        }
        Ok(())
    }

    fn deploy_confirmed(&self) -> bool {
        deploy_confirmed(self.before, self.input)
    }

    /// What is asked for begins at once, and in time it ends or somebody is woken.
    fn check_way_back(&self, next: &Past) -> Result<(), Breach> {
        let state = self.after.state();
        if next.back.is_some() && is_under_way(state) && state != State::Frozen {
            return breach(
                Law::WayBack,
                format!("`{}` asks for the way back, and it is `{state}`", self.kind()),
            );
        }
        if state == State::Frozen && !next.escalated {
            return breach(Law::WayBack, "no way back is left, and nobody was woken");
        }
        let (Stage::RollingBack(way), InputKind::Observe | InputKind::Tick) =
            (self.after.stage(), self.kind())
        else {
            return Ok(());
        };
        let limit = self.after.plan().policy().rollback().returned_within;
        let since = way.watching.unwrap_or(way.since);
        if next_now(self.after).since(since) >= limit && !next.escalated {
            return breach(Law::WayBack, "its time is over, and nobody was woken");
        }
        Ok(())
    }

    fn check_over(&self) -> Result<(), Breach> {
        let (from, to) = (self.before.state(), self.after.state());
        if self.kind() != InputKind::Retry
            && from.is_final()
            && (to != from || self.actions.iter().any(|a| a.act.awaits()))
        {
            return breach(Law::Over, format!("`{from}` becomes `{to}`, or moves something"));
        }
        Ok(())
    }

    /// A tick before the moment that was asked for is one that nothing waited for.
    fn check_poll(&self, at: Timestamp) -> Result<(), Breach> {
        let Some(now) = self.before.now() else { return Ok(()) };
        let poll = self.before.poll_at();
        // At once is a moment, too: of what came since time was looked at last. A tick leaves nothing for this moment.
        if poll.is_some_and(|poll| poll < now) {
            return breach(Law::Poll, "the moment that is asked for is over already");
        }
        let left = self.after.poll_at();
        if self.kind() == InputKind::Tick && left.is_some_and(|left| left <= next_now(self.after)) {
            return breach(Law::Poll, "after a tick another one is asked for at once");
        }
        let window = self.before.plan().policy().watch().window;
        // What readings do when they leave the window is looked at with the next observation.
        if self.past.read.iter().any(|read| now < *read + window && *read + window <= at) {
            return Ok(());
        }
        // What is foreseen is a matter of looks, too.
        let mut causes = self.after.verdict().causes.iter();
        if causes.any(|cause| cause.reason == Reason::WillFail) {
            return Ok(());
        }
        let early = self.kind() == InputKind::Tick && poll.is_none_or(|poll| at < poll);
        let same = self.before.state() == self.after.state() && self.actions.is_empty();
        if early && !same {
            let (from, to) = (self.before.state(), self.after.state());
            return breach(
                Law::Poll,
                format!(
                    "a tick before the moment asked for: `{from}` becomes `{to}`, {:?}",
                    self.actions
                ),
            );
        }
        Ok(())
    }
}

fn next_now(machine: &impl Machine) -> Timestamp {
    machine.now().unwrap_or_default()
}

fn check_refusal<M: Machine>(
    before: &M,
    past: &Past,
    input: &Input,
    refused: &Refused,
    after: &M,
) -> Result<(), Breach> {
    let kind = input.command.kind();
    if key_of(before, past) != key_of(after, past) {
        return breach(Law::Refusal, format!("a refused `{kind}` changes something"));
    }
    if refused.accepted != before.accepted() {
        return breach(Law::Refusal, "it does not say what would be taken");
    }
    if refused.code == "HF-ROLL-001" && refused.accepted.contains(&kind) {
        return breach(Law::Refusal, format!("`{kind}` is said to be taken, and is refused"));
    }
    if kind.is_urgent() && refused.accepted.contains(&kind) {
        return breach(
            Law::Refusal,
            format!("`{kind}` is urgent, and refused with {}", refused.code),
        );
    }
    Ok(())
}

/// No duty is forgotten, now or later.
///
/// # Errors
/// The law that is broken.
pub(crate) fn check_duties<M: Machine>(machine: &M, past: &Past) -> Result<(), Breach> {
    let Some(now) = machine.now() else { return Ok(()) };
    let severity = machine.rollout().severity();
    let policy = machine.plan().policy();
    let asked = policy.duties().iter().filter(|duty| {
        duty.severities.is_empty() || severity.is_some_and(|s| duty.severities.contains(&s))
    });
    let asked: Vec<Name> = asked.map(|duty| duty.id).collect();
    for later in [0, 30_001, 3_600_000] {
        let at = now + Span::from_millis(later);
        let Duties { due, overdue, next, later: waiting, undated, done, .. } = machine.duties(at);
        let open = [&due, &overdue, &next, &waiting, &undated];
        for id in &asked {
            let places = open.iter().filter(|list| list.iter().any(|item| item.id == *id)).count();
            let is_done = usize::from(done.iter().any(|item| item.id == *id));
            if places + is_done != 1 {
                return breach(Law::Duty, format!("`{id}` stands in {} lists", places + is_done));
            }
        }
        if later > 0 {
            continue;
        }
        let calls = |kind| {
            matches!(
                kind,
                DutyKind::Page | DutyKind::Escalate | DutyKind::Notify | DutyKind::Update
            )
        };
        let mut called = due.iter().chain(&overdue).filter(|item| calls(item.kind));
        if let Some(item) = called.find(|item| !past.announced.contains(&item.id)) {
            return breach(Law::Duty, format!("`{}` is due, and nobody was told", item.id));
        }
        let times = due.iter().filter_map(|item| item.due);
        let times = times.chain(next.iter().filter_map(|item| item.opens.or(item.due)));
        let first = times.filter(|time| *time > now).min();
        // It is late a moment after its time.
        let moment = Span::from_millis(1);
        if let Some(first) = first
            && machine.poll_at().is_none_or(|poll| poll > first + moment)
        {
            return breach(Law::Duty, "the moment that is asked for is after the next duty");
        }
    }
    Ok(())
}

/// How the host answers the actions of a way back.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Never,
    Failed,
    Confirmed,
}

/// What must hold of a state by itself.
///
/// # Errors
/// The law that is broken.
pub(crate) fn of_state<M: Machine>(machine: &M, past: &Past) -> Result<(), Breach> {
    check_duties(machine, past)?;
    if machine.state() == State::RollingBack {
        for answer in [Answer::Never, Answer::Failed, Answer::Confirmed] {
            way_back_ends(machine.clone(), past.clone(), answer)?;
        }
    }
    if machine.state().is_final() {
        return Ok(());
    }
    // `abort` is taken everywhere but at the end.
    let Some(taken) = step(machine, past, Move::say("abort"))? else { return Ok(()) };
    let from = machine.state();
    let goes_back = taken.machine.state() == State::RollingBack;
    match way_back_ends(taken.machine, taken.past, Answer::Confirmed) {
        Ok(()) => Ok(()),
        Err(found) if found.law == Law::WayBack && !goes_back => {
            breach(Law::WayOut, format!("`{from}`, aborted, does not end: {}", found.how))
        }
        Err(found) => Err(found),
    }
}

/// Plays a way back to its end with ticks alone, its actions answered in one way.
fn way_back_ends<M: Machine>(machine: M, past: Past, answer: Answer) -> Result<(), Breach> {
    let (mut machine, mut past) = (machine, past);
    let rollback = machine.plan().policy().rollback();
    // Each step keeps its time; one that nobody confirms, and the method after it, have a limit each.
    let waits: u64 = rollback.steps.iter().map(|step| step.wait.as_millis()).sum();
    let most = Span::from_millis(2 * rollback.returned_within.as_millis() + waits);
    let begin = next_now(&machine);
    for _ in 0..12 {
        let state = machine.state();
        let ended = state.is_final() || (state == State::Frozen && past.escalated);
        if ended || (past.escalated && answer == Answer::Never) {
            let lasted = next_now(&machine).since(begin);
            return if lasted <= most {
                Ok(())
            } else {
                breach(Law::WayBack, format!("it takes {lasted}, with its actions {answer:?}"))
            };
        }
        let by = if answer != Answer::Never && !machine.pending().is_empty() {
            Move::Pending { place: 0, failed: answer == Answer::Failed }
        } else {
            Move::AtPoll
        };
        let Some(taken) = step(&machine, &past, by)? else {
            let state = machine.state();
            return breach(
                Law::WayBack,
                format!("nothing is waited for in `{state}`, with its actions {answer:?}"),
            );
        };
        (machine, past) = (taken.machine, taken.past);
    }
    breach(Law::WayBack, format!("it does not end, with its actions {answer:?}"))
}
