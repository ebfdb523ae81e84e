//! The rollback: whether it begins, its steps of traffic, its methods one after the other, and
//! whether the metrics recover.

use crate::grade::{ChecklistMoment, MessageKind, OnFailure, RollbackMethod, Sign};
use crate::judge::{Cause, Recovery};
use crate::metric::measured;
use crate::plan::{Plan, SCHEMA_RISK};
use crate::policy::Policy;
use crate::policy::section::Rollback;
use crate::text::{brief, enumerated, joined, moment, quoted, sentence, words};
use crate::unit::{MetricName, Share, Timestamp};

use super::action::{Act, Action, ActionId};
use super::conclude::{Conclusion, FOLLOWERS};
use super::describe;
use super::stage::{Returning, RollbackCause, RollbackProgress, Stage};
use super::state::RolloutState;

impl RollbackCause {
    /// Whether a person ordered it: then the rollback begins, whatever the policy has for failures.
    pub(crate) const fn is_an_order(&self) -> bool {
        matches!(self, Self::Person | Self::Revert { .. } | Self::Abort)
    }

    /// What called for the rollback, as a clause.
    pub(crate) fn described(&self, policy: &Policy) -> String {
        match self {
            Self::Verdict { causes } => Cause::described(policy, Cause::of_rollback(causes)),
            Self::Signal { signal } => signal.described().to_owned(),
            Self::Person => "a person decided to roll back".to_owned(),
            Self::Revert { version } => format!("a person decided to return to {version}"),
            Self::ActionFailed => "a step of the deployment failed".to_owned(),
            Self::Abort => "a person aborted the rollout".to_owned(),
        }
    }

    /// The rollback method at this place; None after the last. A version other than the previous
    /// one can only be deployed.
    pub(crate) fn method(&self, plan: &Plan, index: usize) -> Option<RollbackMethod> {
        let previous = plan.subject().previous();
        if self.target(previous) == previous {
            plan.methods().get(index).map(|method| method.kind)
        } else {
            (index == 0).then_some(RollbackMethod::Redeploy)
        }
    }
}

impl Conclusion<'_> {
    /// Handles a cause for a rollback that no person ordered: the policy and the release decide what follows.
    /// `what`: the action that failed or the report; None for the causes of the verdict.
    pub(super) fn fail(&mut self, at: Timestamp, why: RollbackCause, what: Option<String>) {
        let left = matches!(self.case.place.stage(), Stage::Preparing) && self.case.has_traffic();
        match (self.case.place.stage(), self.plan.on_failure()) {
            // Somebody was paged and acts.
            (Stage::Frozen { .. }, _) => {}
            (Stage::RollingBack(_), _) | (_, OnFailure::RollBack) => self.begin_rollback(at, why),
            // What an earlier attempt left does not move by itself: there is nothing to freeze.
            (_, on_failure) if on_failure == OnFailure::Ask || left => {
                // A verdict that did not change since the last evaluation does not repeat the
                // question.
                if what.is_some() || self.is_news(at) {
                    let question = match what {
                        None => self.question_about_verdict(at),
                        Some(what) if why == RollbackCause::ActionFailed => {
                            self.after_failure(&what)
                        }
                        Some(what) => format!("{what}. {}", self.choices(at, true)),
                    };
                    self.ask(&question);
                }
                self.end_veto();
            }
            (stage, _) => {
                if !stage.can_roll_back() {
                    return;
                }
                let causes = &self.case.judged.verdict().causes;
                let what = what.unwrap_or_else(|| self.describe_causes(causes));
                let stays = self.stays();
                let by_policy = self.plan.policy().rollback().on_failure == OnFailure::Freeze;
                let changes = self.plan.subject().traffic.schema_change == Some(true);
                let because = match (by_policy, changes) {
                    (true, false) => "`on_failure` of the policy".to_owned(),
                    (true, true) => format!("`on_failure` of the policy; {SCHEMA_RISK}"),
                    (false, _) => format!("a schema change: {SCHEMA_RISK}"),
                };
                self.changes.to = Some(Stage::Frozen { since: at, why, tried: false });
                // The page is sent again as it is, with what led to it.
                self.page(&format!(
                    "at {}: {what}. An automatic rollback is not allowed ({because}): {stays}",
                    moment(at)
                ));
                self.notify(MessageKind::Update, &FOLLOWERS);
            }
        }
    }

    /// Which traffic stays where it is in a freeze, and until when; a change that is under way is not
    /// stopped by it.
    fn stays(&self) -> String {
        let moves = |action: &&Action| action.act.share().is_some();
        let has = match self.case.actions.pending().iter().find(moves) {
            Some(Action { id, act }) => {
                let share = if self.case.sees_unconfirmed_traffic() {
                    "the traffic that readings show".to_owned()
                } else {
                    format!("{} of the traffic", self.case.place.share())
                };
                let moved = describe::action(*id, act);
                format!("{moved} is under way, so stop it by hand or send its result; else {share}")
            }
            None => format!("{} of the traffic", self.case.reach()),
        };
        format!(
            "{has} stays on {} until somebody sends {}.",
            brief(self.version()),
            self.after_freeze()
        )
    }

    /// The inputs that end a freeze.
    pub(super) fn after_freeze(&self) -> &'static str {
        after_freeze(self.case.people.train_rolls_back())
    }

    /// The page of a freeze with the inputs that end it now.
    pub(super) fn page_of_freeze(&self, page: &str) -> String {
        page.replace(after_freeze(!self.case.people.train_rolls_back()), self.after_freeze())
    }

    /// That an action of the deployment failed, where the policy leaves that to a person: it is not
    /// repeated, so the rollout cannot continue.
    pub(super) fn after_failure(&self, what: &str) -> String {
        if self.case.people.train_rolls_back() {
            return format!("{what}. Send `roll_back`.");
        }
        format!("{what}. Send `roll_back`, or `supersede` with another release.")
    }

    /// A change of traffic was confirmed while the rollout is frozen: whoever was paged knew another
    /// share.
    pub(super) fn frozen_confirmed(&mut self) {
        let stays = self.stays();
        self.page(&format!(
            "the rollout is frozen, and the change of traffic that was under way was confirmed: \
             {stays}"
        ));
        self.notify(MessageKind::Update, &FOLLOWERS);
    }

    /// A superseded change of traffic was confirmed after the action that superseded it. Nobody knows which was
    /// carried out last, so somebody is paged; not during a step of a rollback, which further steps follow.
    pub(super) fn confirmed_too_late(&mut self, id: ActionId) {
        let RolloutState { actions, place, .. } = self.case;
        let has = place.share();
        let is_step = matches!(place.stage(), Stage::RollingBack(_)) && has > Share::NONE;
        let is_settled = !is_step && !actions.is_unsettled(id);
        let moved = actions.superseded_share(id).filter(|share| is_settled && *share > Share::NONE);
        if let Some(share) = moved {
            // With several attempts it is not known which one the change was for.
            let version = match place.attempt() {
                1 => brief(self.version()),
                _ => "the version that it was for".to_owned(),
            };
            let restored = if has == Share::NONE {
                brief(place.back_to(self.plan.subject().previous()))
            } else {
                format!("{has} of the traffic for {}", brief(self.version()))
            };
            self.page(&format!(
                "{} was confirmed after the action that superseded it. If it was carried out last, \
                 {share} of the traffic is on {version}: check which version is live, and restore \
                 {restored} by hand.",
                describe::action(id, &Act::SetTraffic { share }),
            ));
        }
    }

    /// Begins the rollback. One that is under way is not begun again, unless a revert replaces it.
    pub(super) fn begin_rollback(&mut self, at: Timestamp, why: RollbackCause) {
        match self.case.place.stage() {
            Stage::RollingBack(progress) if !self.is_replaced(progress, &why) => return,
            Stage::Preparing if self.case.has_traffic() => {}
            stage if !stage.can_roll_back() => return,
            _ => {}
        }
        self.roll_back_now(at, why);
    }

    /// Whether a revert replaces the rollback under way: it names another version, or skips its
    /// steps.
    fn is_replaced(&self, progress: &RollbackProgress, why: &RollbackCause) -> bool {
        let RollbackCause::Revert { version } = why else { return false };
        let target = self.case.place.back_to(self.plan.subject().previous());
        progress.returning.is_some() || version != target
    }

    /// Begins a rollback in any stage.
    pub(super) fn roll_back_now(&mut self, at: Timestamp, why: RollbackCause) {
        // An aborted rollout stays aborted, however it is rolled back.
        let was_aborted = matches!(self.case.place.stage(), Stage::RollingBack(now) if now.abort);
        let abort = was_aborted || why == RollbackCause::Abort;
        // A revert takes no steps; before the start all traffic was to be rolled back already.
        let at_once = matches!(why, RollbackCause::Revert { .. })
            || matches!(self.case.place.stage(), Stage::Preparing);
        let first = if at_once { None } else { self.step_from(0) };
        let returning = first.map(|step| Returning { step, reached: None });
        let progress =
            RollbackProgress { abort, method: 0, since: at, returning, watching: None, why };
        // The rollback does not wait for messages.
        self.continue_rollback(at, progress);
        self.notify(MessageKind::RollingBack, &FOLLOWERS);
    }

    /// The first of the policy's steps, from this one on, that gives the old version more traffic
    /// than it has.
    fn step_from(&self, from: usize) -> Option<usize> {
        let steps = &self.plan.policy().rollback().steps;
        let has = self.case.place.share().rest();
        (from..steps.len()).find(|&step| steps.get(step).is_some_and(|step| step.share > has))
    }

    /// Asks for the current step or method of the rollback; pages somebody where none is left.
    fn continue_rollback(&mut self, at: Timestamp, progress: RollbackProgress) {
        let step = progress.returning.and_then(|returning| {
            let step = self.plan.policy().rollback().steps.get(returning.step)?;
            Some(Act::SetTraffic { share: step.share.rest() })
        });
        let method = || {
            let method = progress.why.method(self.canary_plan(), progress.method)?;
            let version = progress.why.target(&self.canary_plan().release()?.previous).to_owned();
            Some(Act::RollBack { method, version })
        };
        if let Some(act) = step.or_else(method) {
            self.changes.to = Some(Stage::RollingBack(progress));
            self.act(act);
        } else {
            let why = |method| self.case.happened.why_failed(method);
            let tried = (0..).map_while(|index| progress.why.method(self.canary_plan(), index));
            let between =
                if tried.clone().any(|method| why(method).is_some()) { "; " } else { ", " };
            let methods = tried.map(|method| match why(method) {
                Some(why) => format!("{}: {why}", words(method.as_str())),
                None => words(method.as_str()),
            });
            let methods = joined(methods, between);
            let version = brief(self.version());
            let input = match &progress.why {
                RollbackCause::Revert { version } => format!("`revert` to {}", brief(version)),
                _ => "`roll_back`".to_owned(),
            };
            let reach = self.case.reach();
            let still = if !reach.is_any() {
                format!("No traffic was on {version}.")
            } else if reach.is_known() {
                sentence(&format!("{reach} of the traffic is still on {version}."))
            } else {
                format!("Check which share {version} has: {reach} of the traffic is still on it.")
            };
            let by_hand = self.by_hand().unwrap_or_else(|| "Roll back by hand".to_owned());
            self.page(&format!(
                "all rollback methods failed ({methods}). {still} {by_hand}, then send {input} and \
                 confirm its actions."
            ));
            self.changes.to = Some(Stage::Frozen { since: at, why: progress.why, tried: true });
            self.notify(MessageKind::Update, &FOLLOWERS);
        }
    }

    /// That a method failed; None unless the policy has people act then, and another method is left.
    fn what_failed(&self, act: &Act, next: &RollbackProgress) -> Option<String> {
        let Act::RollBack { method, .. } = act else { return None };
        let next = next.why.method(self.canary_plan(), next.method)?;
        let (id, _) = self.awaited()?;
        let (by_hand, [failed, next]) =
            (self.by_hand()?, [*method, next].map(RollbackMethod::as_str));
        Some(format!(
            "the rollback by {} failed, and the next method is {}. {by_hand}, then send `confirm` or \
             `failed` for action {id}.",
            words(failed),
            words(next)
        ))
    }

    /// What the policy has people do once a rollback method has failed; None without such a contingency.
    fn by_hand(&self) -> Option<String> {
        let mut all = self.plan.policy().contingencies().iter();
        let of = all.find(|of| of.sign == Some(Sign::RollbackFailed))?;
        Some(format!("If {}: {}", brief(&of.when), of.to_do()?))
    }

    /// Folds the confirmation of an action of the rollback.
    pub(super) fn rollback_confirmed(
        &mut self,
        at: Timestamp,
        act: &Act,
        progress: &RollbackProgress,
    ) {
        let mut progress = progress.clone();
        match act {
            Act::RollBack { .. } => progress.watching = Some(at),
            Act::SetTraffic { .. } => match &mut progress.returning {
                Some(returning) => returning.reached = Some(at),
                None => return,
            },
            _ => return,
        }
        self.changes.to = Some(Stage::RollingBack(progress));
    }

    /// An action of the rollback failed: after a method the next one is tried, after a step the
    /// method.
    pub(super) fn rollback_failed(
        &mut self,
        at: Timestamp,
        act: &Act,
        progress: &RollbackProgress,
    ) {
        // The time for a confirmation begins again with the next action.
        let now = RollbackProgress { since: at, ..progress.clone() };
        let next = match act {
            Act::RollBack { .. } => RollbackProgress { method: now.method + 1, ..now },
            Act::SetTraffic { .. } => RollbackProgress { returning: None, ..now },
            _ => return,
        };
        self.continue_rollback(at, next.clone());
        // Whoever read when it ends reads what failed, and when it ends now.
        if matches!((act, self.next_stage()), (Act::RollBack { .. }, Stage::RollingBack(_))) {
            self.notify(MessageKind::RollingBack, &FOLLOWERS);
        }
        if let Some(what) = self.what_failed(act, &next) {
            self.page(&what);
        }
    }

    /// Watches whether the old version is live and the metrics recover. A rollback always ends or
    /// pages somebody.
    pub(super) fn watch_recovery(&mut self, at: Timestamp, progress: &RollbackProgress) {
        let Rollback { watch, returned_within, .. } = *self.plan.policy().rollback();
        if let Some(Returning { step, reached }) = progress.returning {
            self.watch_step(at, progress, step, reached);
            return;
        }
        let Some(since) = progress.watching else {
            if self.case.place.comes_now(at, progress.since + returned_within)
                && let Some((id, act)) = self.awaited()
            {
                let text = describe::unconfirmed(self.plan.policy(), id, act, returned_within);
                let next =
                    progress.why.method(self.canary_plan(), progress.method + 1).map(|method| {
                        format!(" After `failed` the next method is {}.", words(method.as_str()))
                    });
                self.page(&(text + &next.unwrap_or_default()));
            }
            return;
        };
        let watched = at.since(since);
        if watched < watch {
            return;
        }
        let recovery = Recovery::of(self.case.judged.judge());
        if recovery == Recovery::Returned || watched >= returned_within {
            if let Some(why) = self.not_back(recovery) {
                self.page(&why);
            }
            self.notify(MessageKind::RolledBack, &FOLLOWERS);
            self.changes.to = Some(if progress.abort { Stage::Aborted } else { Stage::RolledBack });
        }
    }

    /// That the metrics are not back at their level before the deployment, or that nobody knows; None
    /// where they are.
    pub(super) fn not_back(&self, recovery: Recovery) -> Option<String> {
        let subject = self.plan.subject();
        let version = self.case.place.back_to(subject.previous());
        let (version, live) = (brief(version), subject.live(version));
        let within = self.plan.policy().rollback().returned_within;
        let answers = self.after_rollback();
        match recovery {
            Recovery::Returned => None,
            Recovery::NotReturned => Some(format!(
                "{version} is {live}, but after {within} the metrics are not at their level \
                 before the deployment{}. The cause may lie outside of this release: \
                 investigate. {answers}",
                self.not_at_their_level()
            )),
            Recovery::NotKnown => Some(format!(
                "{version} is {live}, but whether the metrics are at their level before the \
                 deployment is not known: there are no readings after the rollback, or none \
                 before the deployment to compare with. Restore them, or check the service by \
                 hand. {answers}"
            )),
        }
    }

    /// Which metrics are not at their level, now and before the deployment; empty where no figures are known.
    fn not_at_their_level(&self) -> String {
        let (policy, judge) = (self.plan.policy(), self.case.judged.judge());
        let of = |(id, levels): (MetricName, [f64; 2])| {
            let (kind, watched) = (policy.metric(id.as_str())?.kind, judge.metric(id)?);
            let [now, before] = levels.map(|level| measured(kind, watched.edges(), level));
            Some(format!("{} {now} instead of {before}", brief(&policy.metric_title(id))))
        };
        let worse: Vec<String> = Recovery::worse(judge).into_iter().filter_map(of).collect();
        if worse.is_empty() { String::new() } else { format!(": {}", enumerated(&worse)) }
    }

    /// A sentence with the inputs that answer the page after a rollback: somebody is at work.
    fn after_rollback(&self) -> String {
        let lists = self.plan.policy().checklists().iter();
        let after = lists.filter(|list| list.at == ChecklistMoment::RolledBack);
        let lists = quoted(&after.map(|list| list.id).collect::<Vec<_>>(), " or ");
        let check = if lists.is_empty() {
            lists
        } else {
            format!("`check_item` for an item of {lists}, or ")
        };
        format!(
            "Once somebody is on it, send {check}`retry`; once the incident is over, `set_times` with \
             `resolved`."
        )
    }

    /// Watches a step of the rollback: the old version keeps its traffic for the step's time. A
    /// step that nobody confirms does not delay the rollback beyond its limit.
    fn watch_step(
        &mut self,
        at: Timestamp,
        progress: &RollbackProgress,
        step: usize,
        reached: Option<Timestamp>,
    ) {
        let Rollback { returned_within, steps, .. } = self.plan.policy().rollback();
        let over = match (reached, steps.get(step)) {
            (Some(reached), Some(step)) => at.since(reached) >= step.wait,
            (None, Some(_)) => at.since(progress.since) >= *returned_within,
            (_, None) => true,
        };
        if !over {
            return;
        }
        let next = reached.and_then(|_| self.step_from(step + 1));
        let returning = next.map(|step| Returning { step, reached: None });
        // The time for a confirmation begins again with the next action.
        self.continue_rollback(at, RollbackProgress { since: at, returning, ..progress.clone() });
    }
}

/// The inputs that end a freeze.
const fn after_freeze(train_rolls_back: bool) -> &'static str {
    if train_rolls_back { "`roll_back` or `abort`" } else { "`roll_back`, `supersede` or `abort`" }
}

impl RolloutState {
    /// How the metrics are after a rollback that ended before they were back at their level; None
    /// once they are, or once the incident is resolved.
    pub(super) fn lacks_recovery(&self) -> Option<Recovery> {
        self.place.live_again_at()?;
        let failed = self.place.recovery().filter(|ended| *ended != Recovery::Returned);
        failed.filter(|_| !self.is_resolved())?;
        Some(Recovery::lately(self.judged.judge())).filter(|now| *now != Recovery::Returned)
    }
}

impl Stage {
    /// Whether a rollback can begin, or is under way.
    const fn can_roll_back(&self) -> bool {
        self.may_turn_back() || matches!(self, Self::RollingBack(_))
    }

    /// Whether a rollback can begin: the fix is being deployed, live or frozen.
    pub(super) const fn may_turn_back(&self) -> bool {
        self.is_out() || matches!(self, Self::Frozen { .. })
    }
}
