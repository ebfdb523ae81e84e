//! Checks whether an input is accepted. No check changes the folded state.

use std::collections::BTreeMap;

use crate::canonical::digest;
use crate::deadline;
use crate::fact::Facts;
use crate::grade::{CriterionAnswer, Moment, RevertTo};
use crate::judge::{Decision, Prepared, Reason};
use crate::metric::ReadingError;
use crate::plan::{PlanError, Release, no_long_text};
use crate::policy::section::choices;
use crate::text::{is_blank, joined, lasting, moment};
use crate::unit::{MetricName, Name, Span, Timestamp};

use super::blocker::blocked_at;
use super::input::{Command, Input, InputError, InputKind, ItemStatus, KnownTime};
use super::moments::MOST_EARLIER;
use super::refusal::RefusalReason;
use super::revision::Revision;
use super::stage::State;
use super::state::{Afterwards, RolloutState};
use super::statement::Statement;
use super::{Rollout, Stage};

/// An input that is accepted.
pub(super) enum Passed<'a> {
    /// It takes effect at `at`; `claimed_at`: the sender's time, where that was not accepted.
    At { at: Timestamp, claimed_at: Option<Timestamp>, made: Made<'a> },
    /// Its key is known: the input was accepted before.
    Repeated,
}

/// What is made of an input before anything changes, because making it can fail.
pub(super) enum Made<'a> {
    /// The readings of an observation, checked.
    Readings(Prepared<'a>),
    /// The plan that the input puts in force.
    Plan(Box<Revision>),
    /// Nothing: folding the input cannot fail.
    Nothing,
}

/// How many blockers a refusal names; `Rollout::blockers` lists all.
const MOST_NAMED: usize = 5;

/// Pairs of moments, by times that people may state: the second may not be before the first.
const IN_ORDER: [(Moment, Moment); 5] = [
    (Moment::Began, Moment::Detected),
    (Moment::Detected, Moment::Resolved),
    (Moment::Began, Moment::Resolved),
    (Moment::Deployed, Moment::Verified),
    (Moment::Resolved, Moment::Closed),
];

/// JSON Pointer of a time in the input `set_times`.
fn in_times(time: KnownTime) -> String {
    format!("/times/{time}")
}

/// How far the clocks of two machines may be apart.
const APART: Span = Span::from_seconds(300);

/// How far a tick may be after the last input and after the time that `poll_at` asked for.
const MOST_TICK: Span = Span::from_seconds(31 * 86_400);

impl Rollout {
    /// The kinds of input that would be accepted now.
    pub fn accepted(&self) -> Vec<InputKind> {
        let state = self.state();
        let mut accepted = state.accepts().to_vec();
        let of_no_use = match self.plan.release() {
            Some(_) => InputKind::Release,
            None => InputKind::Supersede,
        };
        accepted.retain(|kind| *kind != of_no_use && self.is_of_use(*kind));
        // `start` is not accepted outside of the change window, or while it waits for readings.
        let is_blocked = |at| blocked_at(&self.plan, &self.case, at).next().is_some();
        accepted.retain(|kind| *kind != InputKind::Start || !self.now().is_some_and(is_blocked));
        if !self.pending_actions().is_empty() && !accepted.contains(&InputKind::Confirm) {
            accepted.splice(0..0, [InputKind::Confirm, InputKind::Failed]);
        }
        if !accepted.contains(&InputKind::Approve) {
            match self.case.readiness.afterwards(self.plan.policy()) {
                Afterwards::Never => {}
                Afterwards::Met => accepted.extend([InputKind::Deny, InputKind::Withdraw]),
                Afterwards::Wanted => {
                    accepted.extend([InputKind::Approve, InputKind::Deny, InputKind::Withdraw]);
                }
            }
        }
        accepted
    }

    /// Whether an input can change anything at this stage. Refused are a rollback before the start,
    /// without traffic of an earlier attempt; a hold once the held-back traffic moves; a result
    /// without a pending action; and while the train is rolled back a promotion, a resumption and,
    /// after the start, another release.
    pub(super) fn is_of_use(&self, kind: InputKind) -> bool {
        match (kind, self.stage()) {
            (InputKind::RollBack | InputKind::Revert, Stage::Preparing) => self.case.has_traffic(),
            (InputKind::Confirm | InputKind::Failed, _) => !self.pending_actions().is_empty(),
            (InputKind::Hold, Stage::Complete { ending: Some(_), .. }) => false,
            (InputKind::Supersede, Stage::Preparing) => true,
            (InputKind::Promote | InputKind::Resume | InputKind::Supersede, _) => {
                !self.case.people.train_rolls_back()
            }
            _ => true,
        }
    }

    pub(super) fn check<'a>(
        &mut self,
        at: Timestamp,
        input: &'a Input,
    ) -> Result<Passed<'a>, RefusalReason> {
        if let Some(fault) = input.fault() {
            return Err(RefusalReason::Input(fault));
        }
        let kind = input.command.kind();
        if kind.needs_actor() && input.by.as_deref().is_some_and(is_blank) {
            return Err(RefusalReason::Nameless);
        }
        if let Command::Revert { version, .. } = &input.command
            && is_blank(version)
        {
            return Err(RefusalReason::Input(InputError::Missing { kind, field: "version" }));
        }
        if let Some(known) = self.case.actions.of_key(input.key.as_deref()) {
            return if known.is(input) {
                Ok(Passed::Repeated)
            } else {
                Err(RefusalReason::KeyReused { first: known.kind() })
            };
        }
        if let Some(expected) = input.expected_head {
            match self.head() {
                None => return Err(RefusalReason::NoLog),
                Some(head) if head != expected => {
                    return Err(RefusalReason::StaleHead { head, expected });
                }
                Some(_) => {}
            }
        }
        let (at, claimed_at) = self.check_time(at, &input.command)?;
        self.check_state(kind, input)?;
        self.check_command(at, input)?;
        let made = self.make::<RefusalReason>(at, &input.command)?;
        Self::check_new(&input.command)?;
        Ok(Passed::At { at, claimed_at, made })
    }

    /// Checks that the policy has this metric; of another one [`evidence`](Self::evidence) is None, too.
    ///
    /// # Errors
    /// [`ReadingError::UnknownMetric`] with what to name instead.
    pub fn check_metric(&self, metric: MetricName) -> Result<(), ReadingError> {
        self.case.judged.judge().check_metric(metric)
    }

    /// Checks that only new inputs have to pass: logs of earlier releases break them, and still replay.
    fn check_new(command: &Command) -> Result<(), RefusalReason> {
        match command {
            Command::Release { release, .. }
            | Command::Supersede { release, .. }
            | Command::Retry { release: Some(release), .. } => Ok(release.check_texts()?),
            Command::SetFacts { facts, .. } => Ok(no_long_text("/facts", facts)?),
            _ => Ok(()),
        }
    }

    /// The time at which an input takes effect, and the sender's time where that was not accepted.
    /// An urgent input, or the result of a rollback's action, with a time too early or too late
    /// counts at the time of the last input.
    fn check_time(
        &self,
        at: Timestamp,
        command: &Command,
    ) -> Result<(Timestamp, Option<Timestamp>), RefusalReason> {
        // A rehearsal, which writes no log, may have any time: recordings often begin at 0.
        let early = at < Timestamp::EARLIEST && self.journal.is_on();
        let Some(last) = self.case.place.at() else {
            return if early { Err(RefusalReason::Seconds { at }) } else { Ok((at, None)) };
        };
        let (past, kind) = (at < last, command.kind());
        let future = self.ahead(at, last, kind);
        let is_urgent = match command {
            Command::Confirm { action, .. } | Command::Failed { action, .. } => {
                matches!(self.stage(), Stage::RollingBack(_))
                    && self.case.actions.is_pending(*action)
            }
            _ => kind.is_urgent(),
        };
        if (past || future.is_some()) && is_urgent {
            Ok((last, Some(at)))
        } else if early {
            Err(RefusalReason::Seconds { at })
        } else if past {
            Err(RefusalReason::Past { at, last })
        } else {
            future.map_or(Ok((at, None)), Err)
        }
    }

    /// The refusal of a time too far after the last input; None where it is not. A tick may come long after it,
    /// but not so long that one wrong clock makes the rollout refuse correct times for years.
    fn ahead(&self, at: Timestamp, last: Timestamp, kind: InputKind) -> Option<RefusalReason> {
        if kind == InputKind::Tick {
            let asked_for = self.poll_at().unwrap_or(last);
            (at.since(last.max(asked_for)) > MOST_TICK).then_some(RefusalReason::FarTick {
                at,
                last,
                most: MOST_TICK,
            })
        } else {
            let most = self.plan.policy().clock().most_ahead;
            (at.since(last) > most).then_some(RefusalReason::Future { at, last, most })
        }
    }

    fn check_state(&self, kind: InputKind, input: &Input) -> Result<(), RefusalReason> {
        let state = self.state();
        if let (Command::Release { .. }, Some(release)) = (&input.command, self.plan.release())
            && state.accepts().contains(&InputKind::Supersede)
        {
            return Err(RefusalReason::HasRelease { version: release.version.clone() });
        }
        match (&input.command, state) {
            // The result of an action is accepted in every state while the action is pending.
            (Command::Confirm { action, .. } | Command::Failed { action, .. }, _) => {
                if self.case.actions.may_end(*action) {
                    return Ok(());
                }
                let pending = joined(self.pending_actions().iter().map(|a| a.id.to_string()), ", ");
                let pending = if pending.is_empty() { "none".to_owned() } else { pending };
                Err(RefusalReason::NoSuchAction { action: *action, pending })
            }
            (Command::Start, State::Drafted | State::AwaitingApproval) => {
                let mut missing: Vec<String> =
                    self.blockers().into_iter().map(|blocker| blocker.sentence).collect();
                let more = missing.len().saturating_sub(MOST_NAMED);
                missing.truncate(MOST_NAMED);
                Err(RefusalReason::NotReady { missing: missing.join("; "), more })
            }
            _ if state.accepts().contains(&kind) && self.is_of_use(kind) => Ok(()),
            (Command::Approve { .. } | Command::Deny { .. } | Command::Withdraw { .. }, _) => {
                let accepted = self.accepted();
                if accepted.contains(&kind) {
                    return Ok(());
                }
                let met = self.case.readiness.afterwards(self.plan.policy()) == Afterwards::Met;
                let mut instead = vec![InputKind::Report, InputKind::Pause, InputKind::RollBack];
                instead.retain(|kind| accepted.contains(kind));
                if instead.is_empty() {
                    instead.push(InputKind::Note);
                }
                Err(RefusalReason::NothingToApprove { met, instead })
            }
            _ => {
                let accepted = self.accepted();
                let failed =
                    matches!(kind, InputKind::Revert | InputKind::Report | InputKind::Abort)
                        && accepted.contains(&InputKind::Retry);
                Err(RefusalReason::State { accepted, failed })
            }
        }
    }

    /// Prepares the readings or the plan that an input brings; the folded state does not change.
    pub(super) fn make<'a, E: From<ReadingError> + From<PlanError>>(
        &mut self,
        at: Timestamp,
        command: &'a Command,
    ) -> Result<Made<'a>, E> {
        if let Command::Observe { metrics } = command {
            let share = self.case.place.share();
            return Ok(Made::Readings(self.case.judged.prepare(at, share, metrics)?));
        }
        let revision = Revision::of(&self.plan, &self.case, command)?;
        Ok(revision.map_or(Made::Nothing, Made::Plan))
    }

    fn check_command(&self, at: Timestamp, input: &Input) -> Result<(), RefusalReason> {
        if self.case.place.at().is_none() && self.journal.is_on() {
            self.check_incident(at, &input.command)?;
        }
        let statement = Statement {
            plan: &self.plan,
            readiness: &self.case.readiness,
            salt: &self.journal.salt,
        };
        match &input.command {
            Command::CheckItem { status: ItemStatus::Done, .. } => {
                statement.check_items(input)?;
                // A success criterion that the log contradicts is not confirmed.
                let mut contrary = input.command.items().filter_map(|item| {
                    let fact = self.against_criterion(at, item)?;
                    Some(RefusalReason::Contrary { item, fact })
                });
                contrary.next().map_or(Ok(()), Err)
            }
            Command::CheckItem { .. } | Command::WaiveItem { .. } => statement.check_items(input),
            Command::Approve { .. } | Command::Deny { .. } | Command::Withdraw { .. } => {
                statement.check(input)
            }
            Command::Promote { why } => self.check_promotion(at, why.as_deref()),
            Command::Start => self.check_start(at),
            Command::Supersede { release, .. } => match self.plan.release() {
                None => Err(RefusalReason::NoRelease),
                Some(now) if release.version == now.version => {
                    Err(RefusalReason::SameRelease { version: release.version.clone() })
                }
                Some(_) => self.check_previous(release),
            },
            Command::Retry { release, .. } => match self.plan.release() {
                Some(now) => self.check_previous(release.as_deref().unwrap_or(now)),
                None => Ok(()),
            },
            Command::Revert { version, .. } => self.check_revert(version),
            Command::Acknowledge { duty, .. } => {
                Ok(self.case.agenda.check(at, deadline::Input::Acknowledge { duty: *duty })?)
            }
            Command::Done { duty, .. } => {
                Ok(self.case.agenda.check(at, deadline::Input::Done { duty: *duty })?)
            }
            Command::SetSeverity { severity, .. } => {
                let policy = self.plan.policy();
                let levels = policy.severities();
                if levels.is_empty() || policy.severity(*severity).is_some() {
                    return Ok(());
                }
                let (severity, known) = (*severity, choices(levels));
                Err(RefusalReason::NoSuchSeverity { severity, known })
            }
            Command::SetTimes { times, .. } => self.check_times(at, times, in_times),
            Command::SetFacts { facts, .. } => {
                match Facts::read(facts, self.plan.policy().vocabulary()) {
                    Ok(read) => self.check_dated_facts(at, &read)?,
                    Err(errors) => {
                        if let Some(first) = errors.first() {
                            let (fact, more) = (first.fault().clone(), errors.count() - 1);
                            return Err(RefusalReason::Fact { fact, more });
                        }
                    }
                }
                digest(facts).map(|_| ()).map_err(RefusalReason::Facts)
            }
            _ => Ok(()),
        }
    }

    /// How the log contradicts a success criterion; None where it does not, or has no answer to it.
    pub(crate) fn against_criterion(&self, at: Timestamp, item: Name) -> Option<String> {
        let (policy, agenda) = (self.plan.policy(), &self.case.agenda);
        let answer = policy.success().iter().find(|criterion| criterion.id == item)?;
        match answer.answered_by? {
            CriterionAnswer::Rollback => {
                let back = self.rolled_back_since().or(agenda.came(Moment::RolledBack));
                back.map(|at| format!("the fix was rolled back at {}", moment(at)))
            }
            CriterionAnswer::Duration => {
                let (planned, ended) =
                    (self.plan.planned_duration(), agenda.came(Moment::Verified));
                let started = agenda.came(Moment::DeployStarted)?;
                let taken = ended.unwrap_or(at).since(started);
                let [took, plan] = [lasting(taken), lasting(planned)];
                (taken > planned).then(|| match ended {
                    Some(_) => format!("it took {took} of the {plan} planned"),
                    None => format!("not complete after {took}; {plan} planned"),
                })
            }
        }
    }

    /// Checks facts that are times of moments as [`check_times`](Self::check_times) does, and that no other
    /// time of that moment is stated by the incident or `set_times`: that one would still count.
    fn check_dated_facts(&self, at: Timestamp, facts: &Facts) -> Result<(), RefusalReason> {
        let time = |time: &KnownTime| Some((*time, Some(facts.time(time.fact()?)?)));
        let times: BTreeMap<_, _> = KnownTime::ALL.iter().filter_map(time).collect();
        let path = |time| format!("/facts/{time}_at");
        self.check_times(at, &times, path)?;
        for (time, got) in times.into_iter().filter_map(|(time, got)| Some((time, got?))) {
            let stated = time.moment().and_then(|moment| self.case.agenda.stated(moment));
            if let Some(stated) = stated.filter(|stated| *stated != got) {
                let fault =
                    format!("not the recorded time ({stated}): correct it with `set_times`");
                return Err(RefusalReason::ImpossibleTime { path: path(time), got, fault });
            }
        }
        Ok(())
    }

    /// Checks that times of moments are neither in the future nor before 2001 and are in order, and
    /// that calendar days are to come. `path`: the JSON Pointer of a time. A replay does not check:
    /// earlier logs differ.
    fn check_times(
        &self,
        at: Timestamp,
        times: &BTreeMap<KnownTime, Option<Timestamp>>,
        path: fn(KnownTime) -> String,
    ) -> Result<(), RefusalReason> {
        let given = |moment| times.iter().find(|(time, _)| time.moment() == Some(moment));
        let came =
            |moment| given(moment).map_or_else(|| self.case.agenda.came(moment), |(_, at)| *at);
        let first_input = self.case.agenda.opened().unwrap_or(at);
        // A moment without a time has that of its fallback.
        let origin = |moment| {
            let mut known = Some(moment);
            while let Some(moment) = known.filter(|moment| came(*moment).is_none()) {
                known = moment.fallback();
            }
            known.and_then(|moment| Some((moment, came(moment)?)))
        };
        let is_closed = matches!(self.case.place.stage(), Stage::Closed);
        for (&time, &got) in times {
            let Some(got) = got else {
                match time.moment() {
                    None => return Err(RefusalReason::NoDay { day: time }),
                    Some(Moment::Resolved | Moment::Closed) if is_closed => {
                        return Err(RefusalReason::Over { time });
                    }
                    Some(_) => continue,
                }
            };
            let is_checked = matches!(time.moment(), Some(Moment::Declared | Moment::FixStarted));
            let began =
                origin(Moment::Began).filter(|(_, began)| is_checked && got + APART < *began);
            let fault = match time.moment() {
                None if got <= at => format!("over, because now is {at}: send the day that comes"),
                Some(_) if got > at + APART => {
                    format!("after now ({at}): give the time at which it happened")
                }
                Some(Moment::Began | Moment::Detected) if got > first_input + APART => format!(
                    "after the first input ({first_input}): the incident was known by then. For \
                     another incident open another rollout"
                ),
                Some(_) if got < Timestamp::EARLIEST && self.journal.is_on() => {
                    Timestamp::TOO_EARLY.to_owned()
                }
                None | Some(_) => match began {
                    Some((by, began)) => format!("before `{by}` ({began}): correct one of them"),
                    None => continue,
                },
            };
            return Err(RefusalReason::ImpossibleTime { path: path(time), got, fault });
        }
        for (first, then) in IN_ORDER {
            let Some((&time, &Some(got))) = given(then).or_else(|| given(first)) else { continue };
            let fault = match (origin(first), came(then)) {
                (Some((by, began)), Some(ended)) if ended < began => {
                    let remedy = if by == first {
                        "Correct one of them".to_owned()
                    } else {
                        format!("Correct it, or give `{first}` as well")
                    };
                    format!("not possible: `{then}` ({ended}) is before `{by}` ({began}). {remedy}")
                }
                (None, _) if matches!(time, KnownTime::Verified | KnownTime::Closed) => {
                    format!("too early: `{first}` has to come first, and has not")
                }
                _ => continue,
            };
            return Err(RefusalReason::ImpossibleTime { path: path(time), got, fault });
        }
        Ok(())
    }

    /// Checks with the first input that the plan's incident does not begin after it. Readings may be up to a
    /// day earlier; urgent inputs, and a correction with `set_times`, are always accepted.
    fn check_incident(&self, at: Timestamp, command: &Command) -> Result<(), RefusalReason> {
        let most = match command {
            Command::Observe { .. } => MOST_EARLIER,
            Command::SetTimes { .. } => return Ok(()),
            _ if command.kind().is_urgent() => return Ok(()),
            _ => APART,
        };
        let stated = [
            (KnownTime::Began, self.plan.began_at()),
            (KnownTime::Detected, self.plan.detected_at()),
        ];
        let mut stated = stated.into_iter().filter_map(|(time, got)| Some((time, got?)));
        let Some((time, got)) = stated.find(|(_, got)| *got > at + most) else { return Ok(()) };
        let fault = format!(
            "after the first input ({at}): correct `{time}_at` of the incident, or send `set_times` \
             first"
        );
        Err(RefusalReason::ImpossibleTime { path: in_times(time), got, fault })
    }

    /// Checks what `Readiness::missing` does not list: errors of the policy, and blockers that
    /// depend on the time.
    fn check_start(&self, at: Timestamp) -> Result<(), RefusalReason> {
        if let [first, more @ ..] = self.plan.policy().denials() {
            let finding = first.clone();
            return Err(RefusalReason::PolicyDenied { finding, more: more.len() });
        }
        match blocked_at(&self.plan, &self.case, at).next() {
            Some(blocker) => Err(RefusalReason::NotReady { missing: blocker.sentence, more: 0 }),
            None => Ok(()),
        }
    }

    /// Checks that another attempt has as `previous` the version that a `revert` restored. A replay
    /// does not check: earlier logs have attempts without it.
    fn check_previous(&self, release: &Release) -> Result<(), RefusalReason> {
        match self.case.place.restored() {
            Some(live) if live != release.previous => Err(RefusalReason::NotLive {
                live: live.to_owned(),
                previous: release.previous.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Checks that the policy allows a revert to this version.
    fn check_revert(&self, version: &str) -> Result<(), RefusalReason> {
        let allowed = self.plan.policy().rollback().revert;
        let subject = self.plan.subject();
        if version == subject.version() {
            return Err(RefusalReason::SameRelease { version: version.to_owned() });
        }
        match allowed {
            RevertTo::Any => Ok(()),
            RevertTo::Previous if version == subject.previous() => Ok(()),
            RevertTo::Previous => {
                Err(RefusalReason::RevertBarred { only: Some(subject.previous().to_owned()) })
            }
            RevertTo::Never => Err(RefusalReason::RevertBarred { only: None }),
        }
    }

    /// Checks that a phase may be promoted: at its gate; before it only where the policy allows
    /// that, or where a person was asked to decide.
    fn check_promotion(&self, at: Timestamp, why: Option<&str>) -> Result<(), RefusalReason> {
        let RolloutState { place, actions, people, readiness, judged, .. } = &self.case;
        let policy = self.plan.policy();
        if let Some(contingency) = self.case.waits_for_data(policy) {
            return Err(RefusalReason::Blind { when: contingency.when.clone() });
        }
        let is_asked = people.asked() || self.awaits_answer();
        let allowed = match place.stage() {
            Stage::Gate { .. } => true,
            Stage::Monitoring(step) => {
                is_asked
                    || judged.verdict().has(Reason::Inconclusive)
                    || policy.phases().get(step.index).is_some_and(|p| p.early_promotion)
            }
            Stage::FinalValidation { .. } => {
                let open = readiness.unvalidated(policy);
                if !open.is_empty() {
                    return Err(RefusalReason::Unvalidated { open });
                }
                is_asked || self.would_be_asked(at)
            }
            // The end of a hold-back that failed may be tried again.
            Stage::Complete { ending: Some(_), .. } => actions.pending().is_empty(),
            Stage::Complete { ending: None, .. } => people.objected() || people.asked(),
            _ => false,
        };
        let is_the_end = matches!(place.stage(), Stage::FinalValidation { .. });
        let lacks = judged.lacks_proof(&self.plan, readiness.severity()).filter(|_| is_the_end);
        if !allowed {
            Err(RefusalReason::TooEarly)
        } else if let Some(lacks) = lacks.filter(|_| why.is_none_or(is_blank)) {
            Err(RefusalReason::Unproven { lacks })
        } else {
            Ok(())
        }
    }

    /// Whether a tick at this time would ask a person, or end the final validation: then `promote`
    /// need not wait for it.
    fn would_be_asked(&self, at: Timestamp) -> bool {
        self.case.question(&self.plan, at).is_some_and(|question| {
            let decision = self.case.judged.would_decide(&self.plan, &question);
            matches!(decision, Decision::Promote | Decision::Ask)
        })
    }
}
