//! How inputs change an agenda.

use super::input::Input;
use super::item_state::{DutyState, Settled, Settlement};
use super::obligations::{Obligation, Source};
use super::status::{Awaits, DutyStatus, Phase};
use super::{Agenda, Answered, Reached, origin};
use crate::fact::{Facts, Truth};
use crate::grade::{BranchDuty, Calendar, Moment, Severity};
use crate::policy::Policy;
use crate::policy::section::Due;
use crate::unit::{RoleName, Timestamp};

impl Agenda {
    /// Folds one input. `answered` is the duty that an answer is about.
    pub(super) fn fold(
        &mut self,
        policy: &Policy,
        at: Timestamp,
        input: Input<'_>,
        answered: Option<usize>,
    ) {
        if let Input::Stated { moment, .. }
        | Input::Moment { moment, .. }
        | Input::TakenBack(moment) = input
        {
            self.state.by_fact.retain(|given| *given != moment);
        }
        match input {
            Input::Severity(severity) => {
                let was = std::mem::replace(&mut self.state.severity, severity);
                // Where the policy declares no severities, nobody is called for one.
                if !policy.severities().is_empty() {
                    self.reach_severity(was, at);
                }
            }
            Input::Assumed(assumed) => self.state.assumed = assumed,
            Input::Facts(facts) => self.apply(policy, facts),
            Input::TurnedBack => {
                self.keep_risen();
                self.state.turned_back = Some(at);
            }
            Input::StopGap(stop_gap) => self.state.stop_gap = stop_gap,
            Input::Flow { flow, merged } => {
                (self.state.flow, self.state.merged) = (flow, merged);
            }
            Input::Reverted if self.state.merged => {
                self.settle_for_canary(at, |of| of.settled_in_branch == Some(BranchDuty::Revert));
            }
            Input::Reverted => {}
            Input::Stated { moment, at: came } => self.state.moments[moment as usize] = Some(came),
            Input::AnotherAttempt => self.state.attempt = Some(at),
            Input::AnotherRelease => {
                self.keep_settled();
                self.settle_by_another_release(at);
                // What counts from `ready` is about the fix that was ready then.
                self.revoke(Moment::Ready, at);
                self.start_again_from(Moment::Ready);
            }
            Input::Moment { moment, at: came } => {
                self.happen(moment, came.min(at), at);
                if moment == Moment::RolledBack {
                    self.undo(Moment::Resolved, at);
                }
            }
            Input::NotNeeded => self.happen(Moment::RolledBack, at, at),
            Input::ByFact { moment, at: came } => self.date(moment, came, at),
            Input::TakenBack(moment) => {
                if matches!(moment, Moment::Approved | Moment::Ready | Moment::Deployed) {
                    self.keep_settled();
                }
                self.revoke(moment, at);
            }
            Input::Day { day, at: by } => self.state.days[day as usize] = Some(by),
            Input::Approval { demand, given } => {
                for (obligation, course) in self.obligations.iter().zip(&mut self.state.courses) {
                    if obligation.source == Source::Approval && obligation.index == demand {
                        course.settle_if(given, Settled { at, how: Settlement::Given });
                    }
                }
            }
            Input::Checklist { list, complete } => {
                for (obligation, course) in self.obligations.iter().zip(&mut self.state.courses) {
                    let how = Settlement::Checklist;
                    let is_open = course.settled.is_none_or(|settled| settled.how == how);
                    if obligation.list == Some(list) && is_open {
                        course.settle_if(complete, Settled { at, how });
                    }
                }
            }
            Input::Acknowledge { .. } => self.settle(answered, at, Settlement::Acknowledged),
            Input::Acted { role } => {
                for index in 0..self.obligations.len() {
                    if self.is_called(index, role, at) {
                        self.settle(Some(index), at, Settlement::Acted);
                    }
                }
                self.act_early(role, at);
            }
            Input::Done { .. } => self.settle(answered, at, Settlement::Done),
        }
        self.bind_days(at);
    }

    /// Notes since when the incident has been as severe as it is now; `was`: its severity before. As
    /// severe as was only assumed it never was.
    fn reach_severity(&mut self, was: Option<Severity>, at: Timestamp) {
        let Some(now) = self.state.severity else { return };
        if self.state.assumed {
            self.state.reached[..now as usize].fill(None);
        }
        let is_new = |of: &&Severity| now <= **of && was.is_none_or(|was| **of < was);
        for of in Severity::ALL.iter().filter(is_new) {
            self.state.reached[*of as usize].get_or_insert(Reached { at, live: false });
        }
    }

    /// Keeps which severities the incident rose to with the fix live, before that is given up.
    fn keep_risen(&mut self) {
        let live = self.held_since(Moment::Deployed);
        for reached in self.state.reached.iter_mut().flatten() {
            reached.live |= reached.is_after(live);
        }
    }

    /// Evaluates the conditions of duties with these facts. A duty that [follows](Obligation::follows)
    /// what happened stays due where earlier facts asked for it.
    fn apply(&mut self, policy: &Policy, facts: &Facts) {
        let informed = policy.classify(facts).informed();
        for (obligation, course) in self.obligations.iter().zip(&mut self.state.courses) {
            let stays = course.holds == Truth::Yes && obligation.follows();
            if let Some(when) = obligation.when(policy).filter(|_| !stays) {
                course.holds = informed.holds(when);
            }
        }
    }

    /// A moment happened, or its time is corrected.
    fn happen(&mut self, moment: Moment, came: Timestamp, at: Timestamp) {
        // These come again with each attempt.
        if matches!(moment, Moment::DeployStarted | Moment::RolledBack) {
            self.keep_settled();
        }
        if moment == Moment::DeployStarted {
            self.state.was_live = None;
        }
        let before = self.state.moments[moment as usize].replace(came);
        if moment == Moment::Deployed {
            // The release that was rolled back is live after all.
            self.settle_for_canary(came, |of| of.another_release.is_some());
        }
        if moment == Moment::RolledBack {
            for (obligation, course) in self.obligations.iter().zip(&mut self.state.courses) {
                if obligation.is_about_failed() {
                    course.owe(&self.state.canary);
                }
            }
            if before.is_some_and(|before| before < came) {
                self.start_again_from(moment);
            }
            self.undo(Moment::Deployed, at);
            self.undo(Moment::Verified, at);
            let begun = self.state.turned_back;
            // A fix that somebody reported as live is not live any more.
            for (obligation, course) in self.obligations.iter().zip(&mut self.state.courses) {
                let is_undone = |done: Settled| begun.is_none_or(|begun| done.at <= begun);
                if obligation.is_urgent_fix() && course.settled.is_some_and(is_undone) {
                    course.start_again();
                }
            }
        }
    }

    /// Revokes what a rollback undoes: not what came after it had begun.
    fn undo(&mut self, moment: Moment, at: Timestamp) {
        let begun = self.state.turned_back;
        if begun.is_none() || self.came(moment) <= begun {
            self.revoke(moment, at);
        }
    }

    /// Keeps what moments have settled of responses and notices: people did or read it, also if the
    /// moment is revoked or comes again.
    fn keep_settled(&mut self) {
        for index in 0..self.obligations.len() {
            let open = self.pair(index).filter(|(obligation, course)| {
                obligation.stays_settled() && course.on && course.settled.is_none()
            });
            let settled = open.and_then(|(of, course)| self.settled_otherwise(of, course));
            if let (Some(_), Some(course)) = (settled, self.state.courses.get_mut(index)) {
                course.settled = settled;
            }
        }
    }

    /// Sets the time that a fact gives a moment; None: the fact is not known any more.
    fn date(&mut self, moment: Moment, came: Option<Timestamp>, at: Timestamp) {
        let by_fact = self.state.by_fact.contains(&moment);
        match came {
            Some(_) if by_fact => self.state.moments[moment as usize] = came,
            Some(_) if self.came(moment).is_none() => {
                self.state.by_fact.push(moment);
                self.state.moments[moment as usize] = came;
            }
            None if by_fact => {
                self.state.by_fact.retain(|given| *given != moment);
                self.revoke(moment, at);
            }
            // Its time was given otherwise.
            Some(_) | None => {}
        }
    }

    /// Settles duties about a release that was rolled back, for the one that has the canary's traffic.
    fn settle_for_canary(&mut self, at: Timestamp, of: impl Fn(&Obligation) -> bool) {
        for (obligation, course) in self.obligations.iter().zip(&mut self.state.courses) {
            if of(obligation) {
                course.settle_for(&self.state.canary, at);
            }
        }
    }

    /// Another release settles the duties to plan one.
    fn settle_by_another_release(&mut self, at: Timestamp) {
        let (moments, again) = (&self.state.moments, self.begun_again());
        for (obligation, course) in self.obligations.iter().zip(&mut self.state.courses) {
            let came = origin(moments, obligation.from).map(|(_, at)| at);
            if obligation.another_release == Some(true)
                && course.on
                && obligation.counts_from(came, again).is_some()
            {
                course.settle_if(true, Settled { at, how: Settlement::Moment });
            }
        }
    }

    fn settle(&mut self, answered: Option<usize>, at: Timestamp, how: Settlement) {
        let Some(index) = answered else { return };
        // Its moment was revoked: the answer is about what was asked before.
        let awaits = self.status(index, at).map(|status| status.phase);
        if matches!(awaits, Some(Phase::Later(Awaits::Moment(_)))) {
            return;
        }
        let through = self.settles_through(index, at);
        let first = self.pair(index).and_then(|(of, course)| self.first_update(of, course));
        let (Some(obligation), Some(course)) =
            (self.obligations.get(index), self.state.courses.get_mut(index))
        else {
            return;
        };
        course.through = through.max(course.through);
        course.settled = Some(Settled { at, how });
        course.times += 1 + u64::from(first.is_some());
        if let Some(ladder) = obligation.ladder.filter(|_| how.is_answer()) {
            self.answer_to(ladder, at);
        }
    }

    /// Somebody has answered what an escalation asked for so far.
    fn answer_to(&mut self, ladder: usize, at: Timestamp) {
        if let Some(answered) = self.state.ladders.get_mut(ladder) {
            let first = answered.map_or(at, |answered| answered.first);
            *answered = Some(Answered { first, last: at });
        }
    }

    /// Whoever acts before the level of the role is called has answered what the escalation asked for
    /// so far. Where nobody has been called there is nothing to answer; and the level itself stays: it is
    /// called once the fix is late.
    fn act_early(&mut self, role: RoleName, at: Timestamp) {
        for index in 0..self.obligations.len() {
            let level = self.obligations.get(index).filter(|of| of.is_level());
            let level = level.filter(|of| of.role == Some(role));
            let Some(ladder) = level.and_then(|of| of.ladder) else { continue };
            let waits = |status: DutyStatus| {
                matches!(status.phase, Phase::Next | Phase::Later(Awaits::Escalation))
            };
            let is_unanswered = |(other, (of, course)): (usize, (&Obligation, &DutyState))| {
                of.counts_answers_of(ladder)
                    && course.told.asked.is_some()
                    && self.status(other, at).is_some_and(|status| status.is_asked())
            };
            let mut all = self.obligations.iter().zip(&self.state.courses).enumerate();
            if self.status(index, at).is_some_and(waits) && all.any(is_unanswered) {
                self.answer_to(ladder, at);
            }
        }
    }

    /// Whether a role is paged by a duty now.
    fn is_called(&self, index: usize, role: RoleName, at: Timestamp) -> bool {
        let of_role =
            |obligation: &Obligation| obligation.kind.is_call() && obligation.role == Some(role);
        self.obligations.get(index).is_some_and(of_role)
            && self.status(index, at).is_some_and(|status| status.is_asked())
    }

    /// When the last occurrence is due that an answer now settles; None for a duty that is not repeated.
    fn settles_through(&self, index: usize, at: Timestamp) -> Option<Timestamp> {
        let present = self.status(index, at)?.due?;
        let last = self.grid(index)?.last_up_to(at);
        last.filter(|last| *last > present).or(Some(present))
    }

    fn revoke(&mut self, moment: Moment, at: Timestamp) {
        if moment == Moment::Deployed {
            self.keep_risen();
        }
        let Some(came) = self.state.moments[moment as usize].take() else { return };
        if moment == Moment::Deployed {
            self.state.was_live = Some(came);
        }
        if moment == Moment::Resolved {
            self.state.reopened = Some(at);
            // What is not resolved is not closed.
            self.revoke(Moment::Closed, at);
        }
        for (obligation, course) in self.obligations.iter().zip(&mut self.state.courses) {
            // Where the moment has a fallback, the duty counts from that one's time and goes on.
            let gone = obligation.from == moment && origin(&self.state.moments, moment).is_none();
            // Whoever has read the alert does not read it with each approval.
            let is_known = obligation.is_alert() && course.settled.is_some();
            if gone && !is_known {
                course.start_again();
            }
            let ends =
                |obligation: &Obligation| obligation.ends(obligation.until).any(|of| of == moment);
            if obligation.every.is_some() && ends(obligation) {
                // Occurrences that would have been due after the end were not missed.
                course.since = Some(at);
            }
        }
    }

    /// Opens calls and responses where they have begun again since `before`: those of the present
    /// severity, or of every one where the incident was reopened.
    pub(super) fn begin_again(&mut self, before: Option<Timestamp>, at: Timestamp) {
        let again = self.begun_again();
        if again.at() != Some(at) || again.at() == before {
            return;
        }
        self.state.ladders.fill(None);
        self.state.calls.clear();
        for (obligation, course) in self.obligations.iter().zip(&mut self.state.courses) {
            // Also those that do not apply now: the fact for which they do may come later.
            if again.of(obligation) == Some(at) {
                course.start_again();
            }
        }
    }

    /// Opens what counts from this moment of an earlier fix or rollback: it is to be done once more.
    fn start_again_from(&mut self, moment: Moment) {
        for (obligation, course) in self.obligations.iter().zip(&mut self.state.courses) {
            if obligation.from == moment {
                course.start_again();
            }
        }
    }

    fn bind_days(&mut self, at: Timestamp) {
        let again = self.begun_again();
        for (obligation, course) in self.obligations.iter().zip(&mut self.state.courses) {
            let Due::Next(day) = obligation.within else { continue };
            let came = origin(&self.state.moments, obligation.from).map(|(_, at)| at);
            // A day from before the incident was reopened has passed.
            let from = obligation.counts_from(came, again);
            let fits = |day: &Timestamp| from.is_some_and(|from| *day > from);
            // A day that has passed belongs to an earlier duty.
            let new = self.state.days[day as usize].filter(|day| fits(day) && *day > at);
            let old = course.day.filter(fits);
            let day = match (old, new) {
                // A day bound at this same time is replaced: the order of equal times does not
                // matter.
                (Some(_), Some(new)) if course.day_bound == Some(at) => Some(new),
                (Some(old), Some(new)) => Some(bound(day, old, new, at)),
                (old, new) => old.or(new),
            };
            if day != course.day {
                (course.day, course.day_bound) = (day, Some(at));
            }
        }
    }

    /// Determines which duties apply.
    pub(super) fn select(&mut self, at: Option<Timestamp>) {
        let opens = at <= self.state.opened;
        for (obligation, course) in self.obligations.iter().zip(&mut self.state.courses) {
            let stays = course.on
                && obligation.outlasts(self.state.severity)
                && origin(&self.state.moments, obligation.from)
                    .is_some_and(|(_, came)| course.since.is_none_or(|since| since <= came));
            let on = (obligation.severities.contain(self.state.severity) || stays)
                && obligation.may_apply(course.holds)
                && !(self.state.assumed && obligation.waits_for_severity())
                && !(obligation.stop_gap && self.state.stop_gap == Truth::No)
                && obligation.is_for_flow(self.state.flow)
                && !(obligation.settled_in_branch == Some(BranchDuty::Merge) && self.state.merged);
            match (course.on, on) {
                // Dropped and added again while the incident opens: its `since` stays.
                (false, true) if opens && course.dropped.is_some() => course.dropped = None,
                (false, true) => (course.since, course.dropped) = (at, None),
                // Added and dropped while the incident opens: nobody has seen it.
                (true, false) if opens && course.since.is_some() => course.since = None,
                (true, false) => course.dropped = at,
                (true, true) | (false, false) => {}
            }
            course.on = on;
            course.apart &= !on;
        }
    }
}

/// The day by which a duty is due when a new day is given.
fn bound(day: Calendar, old: Timestamp, new: Timestamp, at: Timestamp) -> Timestamp {
    match day {
        // Tomorrow's next day does not put off what is due by today's.
        Calendar::NextDay | Calendar::NextBusinessDay => old.min(new),
        // Put off, unless it has passed: then the new one is the one after.
        Calendar::NextRelease | Calendar::NextSprint if old <= at => old,
        Calendar::NextRelease | Calendar::NextSprint => new,
    }
}
