//! What other modules of the crate read of a rollout; nothing changes.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::deadline::Item;
use crate::fact::Facts;
use crate::gate::checklist::{self, Checks, ItemStatus, Situation};
use crate::getters::getters;
use crate::grade::{Audience, MessageKind, Moment};
use crate::judge::{self, EndedBy, Harm, PhaseRecord, Recovery};
use crate::metric::{self, Band};
use crate::plan::{Plan, Window};
use crate::policy::section::{Checklist, Metric};
use crate::text::{joined, quoted};
use crate::unit::{MetricName, Name, PhaseName, Timestamp};

use super::Rollout;
use super::blocker::window_missed;
use super::describe;
use super::input::InputKind;
use super::intervention::{Intervention, TrainNotice};
use super::poll::{deployment_is_late, watch_is_over};
use super::stage::{Stage, State};
use super::state::{Assessed, Reach, Silent, unsettled};
use super::timely::is_timely;

/// Why a deployment does not continue without a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stalled {
    /// Its action is late.
    Late,
    /// Its action failed, and the policy leaves that to a person.
    Failed,
}

impl Rollout {
    /// The duties that no longer apply since severity, facts or release changed.
    pub(crate) fn dropped_duties(&self, at: Timestamp) -> Vec<Item<'_>> {
        self.case.agenda.dropped(self.plan.policy(), at)
    }

    /// The impact by facts from before all of the traffic had the fix, and by later ones: see
    /// [`Readiness`](super::state::Readiness).
    pub(crate) fn impact_before_the_fix(
        &self,
        sentence: impl Fn(&Facts) -> Option<String>,
    ) -> Option<([Timestamp; 2], String, Option<String>)> {
        self.case.readiness.known().impact_before_the_fix(&self.case.agenda, self.stage(), sentence)
    }

    /// The last recorded intent of this kind.
    pub(crate) fn intervention(&self, kind: InputKind) -> Option<&Intervention> {
        self.case.people.interventions().last(kind)
    }

    /// How many duties were missed by a time: see [`Agenda::missed`](crate::deadline::Agenda).
    pub(crate) fn missed_duties(&self, at: Timestamp) -> u64 {
        self.case.agenda.missed(self.not_before_last(at))
    }

    /// How many occurrences of a duty an answer at this time would settle late.
    pub(crate) fn passed_occurrences(&self, duty: Name, at: Timestamp) -> u64 {
        self.case.agenda.passed(duty, self.not_before_last(at))
    }

    /// From when on a settled duty could be done, and by when: see
    /// [`Agenda::times_of`](crate::deadline::Agenda).
    pub(crate) fn duty_times(&self, duty: Name, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        self.case.agenda.times_of(duty, self.not_before_last(at))
    }

    /// Whether an input with this key was accepted, as far as keys are remembered.
    pub(crate) fn knows_key(&self, key: Option<&str>) -> bool {
        self.case.actions.of_key(key).is_some()
    }

    /// Why the end of the final validation verifies nothing: which checks were waived, made too early
    /// or not made. Where it waits for none, why a person had to pass the last phase, and which checks of
    /// the live fix are recorded.
    pub(crate) fn unverified(&self) -> Option<String> {
        let (policy, live) = (self.plan.policy(), self.moment(Moment::Deployed));
        let checks = self.checks();
        if checks.are_asked_for() {
            return (!checks.verify()).then(|| checks.described());
        }
        let why = self.passed_without(policy.phases().last()?.name)?;
        let of_fix = |list: &Checklist| list.at.is_live() && !list.is_review();
        let checks = self.case.readiness.checks(policy, live, of_fix);
        let made =
            if checks.are_recorded() { checks.described() } else { "no check recorded".to_owned() };
        Some(format!("{made}: {why}"))
    }

    /// The moment that times from `moment` count from, with its time: `moment` itself, or its
    /// fallback.
    pub(crate) fn origin(&self, moment: Moment) -> Option<(Moment, Timestamp)> {
        self.case.agenda.origin(moment)
    }

    /// Whether a message of this kind is true in the present state.
    pub(crate) fn is_timely(&self, kind: MessageKind) -> bool {
        let starts = kind == MessageKind::DeploymentStarted
            && self.state() == State::Ready
            && !self.start_is_held();
        let phases = self.plan.policy().phases().len();
        starts || is_timely(kind, self.stage(), phases, &self.case)
    }

    /// Which readings are missing at this time, where a phase, or the fix after it, is watched for longer
    /// than readings stay fresh.
    pub(crate) fn missing_readings(&self, at: Timestamp) -> Option<Silent> {
        let policy = self.plan.policy();
        let is_old = |since: Timestamp| at.since(since) > policy.watch().stale;
        // After the last phase its readings go on, and the verdict begins again.
        let (watched, judged) = match self.stage() {
            Stage::FinalValidation { since } | Stage::Complete { since, .. } => {
                let last = self.case.happened.phases().last();
                (last.map_or(*since, |phase| phase.since), *since)
            }
            stage => stage.watched_step().map(|step| (step.since, step.since))?,
        };
        // Readings may have become stale since the last verdict.
        if is_old(watched) && self.case.judged.judge().read_at().is_some_and(is_old) {
            return Some(Silent::All);
        }
        self.case.judged.missing(policy).filter(|_| is_old(judged))
    }

    /// Whether the metrics have returned to their level before the deployment, after a rollback: at
    /// the end of its watch, or as they are now while it lasts.
    pub(crate) fn recovery(&self) -> Recovery {
        let ended = self.case.place.recovery();
        ended.unwrap_or_else(|| Recovery::of(self.case.judged.judge()))
    }

    /// Whether a question is the one about the severity or about whether this is a hot-fix.
    pub(crate) fn is_about_severity(&self, question: &str) -> bool {
        self.case.readiness.question().text().is_some_and(|text| question.contains(text))
    }

    /// Why this may be no hot-fix, after the start: the policy's reasons, or else the unknown facts
    /// that would settle it; None without either.
    pub(crate) fn hotfix_in_doubt(&self) -> Option<String> {
        let (policy, readiness) = (self.plan.policy(), &self.case.readiness);
        if let Some(reasons) = readiness.against() {
            return Some(joined(reasons.iter().map(|reason| &reason.text), "; "));
        }
        let facts = unsettled(policy, readiness.severity(), readiness.facts());
        (!facts.is_empty()).then(|| {
            format!("whether the policy calls for a hot-fix: not known: {}", quoted(&facts, ", "))
        })
    }

    /// What each metric reads, canary and live version, with interpolated quantiles: as the last
    /// verdict has it, and during and after a rollback as the window has it.
    pub(crate) fn figures(&self) -> Vec<(MetricName, [Option<f64>; 2])> {
        if self.case.read_since_verdict().is_some() || self.live_again_at().is_some() {
            return self.levels().collect();
        }
        Self::of_verdict(self.case.judged.last())
    }

    fn of_verdict(of: &Assessed) -> Vec<(MetricName, [Option<f64>; 2])> {
        let shown = |(id, seen): &(_, _)| Some((*id, of.judge.metric(*id)?.shown(seen)));
        of.verdict.metrics.iter().filter_map(shown).collect()
    }

    /// When the fix was read last by this metric.
    pub(crate) fn metric_read_at(&self, id: MetricName) -> Option<Timestamp> {
        self.case.judged.judge().metric(id)?.read_at()
    }

    /// What each metric read last, with and without the fix, while no phase is under way: by the
    /// window until a rollback is confirmed, then by the verdict before it; after the last phase by
    /// the last verdict, or else by that phase. None while a phase is under way.
    pub(crate) fn read_last(&self) -> Option<Vec<(MetricName, [Option<f64>; 2])>> {
        if self.case.read_since_verdict().is_some() {
            return Some(self.levels().collect());
        }
        if self.turned_back_at().is_some() {
            return Some(Self::of_verdict(self.case.judged.explained()));
        }
        let is_over = matches!(
            self.stage(),
            Stage::FinalValidation { .. } | Stage::Complete { .. } | Stage::Closed
        );
        is_over.then(|| {
            let last: BTreeMap<_, _> = self.figures().into_iter().collect();
            let either = |(id, [canary, live]): (MetricName, [Option<f64>; 2])| {
                let [last_canary, last_live] = last.get(&id).copied().unwrap_or_default();
                (id, [last_canary.or(canary), last_live.or(live)])
            };
            self.since_phase().map(either).collect()
        })
    }

    /// What a metric that missed its success bound showed over the phase, with the bound; None
    /// where the explained verdict is newer than a freeze or rollback.
    pub(crate) fn missed_criterion(&self, metric: &Metric) -> Option<String> {
        let Assessed { judge, question, .. } = self.case.judged.explained();
        let question = (*question)?;
        let is_of_it = self.turned_back_at().is_none_or(|back| question.at() <= back);
        let share = question.moment(&self.plan).share;
        is_of_it.then(|| describe::over_the_phase(judge, share, metric))?
    }

    /// What each metric of the live version has read since it is live again; None before that, and
    /// metrics without a reading are absent.
    pub(crate) fn read_since_rollback(&self) -> Option<BTreeMap<MetricName, f64>> {
        self.live_again_at()?;
        Some(self.levels().filter_map(|(id, [_, live])| Some((id, live?))).collect())
    }

    /// Whether a metric of the fix was compared with what the live version had before the start.
    pub(crate) fn was_compared_with_before(&self, metric: MetricName) -> bool {
        let watched = self.case.judged.judge().metric(metric);
        self.plan.policy().moves_at_once() && watched.is_some_and(judge::Watched::has_compared)
    }

    /// Why a person had to pass the phase: no metric was read, none was judged, or [by what it
    /// ended](EndedBy); None where it met its criteria, or has not ended.
    pub(crate) fn passed_without(&self, phase: PhaseName) -> Option<&'static str> {
        let (comparison, policy) = (self.comparison(), self.plan.policy());
        let column = comparison.phases.iter().position(|of| of.phase == phase)?;
        let deciding = comparison.rows.iter().filter(|row| policy.decides(row.metric));
        let cells = deciding.filter_map(|row| *row.cells.get(column)?);
        let bands: Vec<Option<Band>> = cells.map(|cell| cell.band).collect();
        if bands.is_empty() {
            return Some("no metric was read");
        }
        let phases = policy.phases();
        let is_of =
            |record: &&PhaseRecord| phases.get(record.index).is_some_and(|of| of.name == phase);
        let record = self.case.happened.phases().iter().rev().find(is_of);
        let by = record.and_then(PhaseRecord::ended_by);
        // An instance is judged by the others, where no bound or test judges the metric.
        let is_unjudged = bands.iter().flatten().all(|band| *band == Band::NotJudged);
        if is_unjudged && by != Some(EndedBy::OneInstance) {
            return Some("no metric was judged");
        }
        by?.passed_without()
    }

    /// How many times as often, at least, a metric's events come with the fix, where that is
    /// certainly more than is tolerated and the test does not act on it.
    pub(crate) fn excess(&self, metric: MetricName) -> Option<String> {
        self.case.judged.judge().metric(metric)?.excess()
    }

    /// The value that was noted last with an item that records something of this name; for `cause`,
    /// else the root cause that was stated last.
    pub(crate) fn recorded(&self, name: &str) -> Option<&str> {
        let noted = self.case.readiness.marks().recorded(self.plan.policy(), name);
        let cause = || self.case.happened.cause().filter(|_| name == "cause");
        noted.or_else(|| cause().map(|(_, cause)| cause))
    }

    /// The root cause in the commit message of the fix.
    pub(crate) fn cause_by_author(&self) -> Option<String> {
        let text = self.plan.release()?.commit_text.as_ref()?.cause.as_deref()?.trim();
        (!text.is_empty()).then(|| format!("by the commit message: {text}"))
    }

    /// The other severity that an audience had read of before its last alert or update.
    pub(crate) fn severity_before(&self, audience: Audience) -> Option<impl Display> {
        let before = self.case.people.reader(audience)?.before;
        before.filter(|before| Some(before.severity) != self.severity())
    }

    /// Whether an input of this kind would end the watch after the completion at this time.
    pub(crate) fn would_close(&self, at: Timestamp, kind: InputKind) -> bool {
        let Stage::Complete { since, ending } = self.stage() else { return false };
        match kind {
            InputKind::Observe | InputKind::Tick => {
                let agenda = &self.case.agenda;
                ending.is_none()
                    && !self.case.is_kept_open()
                    && watch_is_over(self.plan.policy(), agenda, at, *since)
            }
            // The hold-back has the fix: that ends the watch.
            InputKind::Confirm => ending.is_some(),
            _ => false,
        }
    }

    /// Whether the policy makes the start wait for readings that have stopped.
    pub(crate) fn start_waits_for_readings(&self) -> bool {
        let silence = self.now().and_then(|at| self.case.silence(self.plan.policy(), at));
        silence.is_some_and(|silence| silence.waits)
    }

    /// Whether a train, the normal process, an error of the policy or missing readings hold the start.
    pub(crate) fn start_is_held(&self) -> bool {
        let by_train = self.case.people.train().is_some_and(TrainNotice::holds_start);
        by_train
            || self.wants_normal_process()
            || self.never_starts()
            || self.start_waits_for_readings()
    }
}

getters! {
    pub(crate) fn Rollout: self;

    /// Whether somebody stated after the end that it is not the end, and nobody has answered that.
    end_is_in_doubt: bool = self.case.awaits_answer()
        && self.case.people.unanswered().is_some_and(|open| open.about.is_relapse());
    /// Whether the rollout is ready to start and it is open whether this is a hot-fix.
    hotfix_is_open: bool = self.state() == State::Ready
        && self.case.readiness.open_hotfix(self.plan.policy()).is_some();
    /// The plan of the release that has the canary's share, or had it when it was rolled back: the plan in
    /// force, or that of an earlier attempt.
    canary_plan: &Plan = self.case.canary_plan(&self.plan);
    /// The rollback point of that release, as it was named with the item that records it.
    rollback_point_noted: Option<&str> =
        self.case.canary_marks().noted(checklist::point_item(self.plan.policy())?);
    /// Whether a superseded release is rolled back, and not the one of the plan in force.
    rolls_back_former: bool = self.stage().has_turned_back() && self.case.former.is_some();
    /// The plan by which the present or the next rollback is.
    plan_of_rollback: &Plan =
        if self.rolls_back_former() { self.canary_plan() } else { self.plan() };
    /// How long that rollback takes, as somebody noted it with an item of a checklist.
    rollback_time_noted: Option<&str> = {
        let former = self.case.canary_marks();
        let marks = if self.rolls_back_former() { former } else { self.case.readiness.marks() };
        marks.recorded(self.plan.policy(), "rollback_minutes")
    };
    /// The version beside the release: `previous`, or what a `revert` restored.
    live_version: Option<&str> =
        self.plan.release().map(|of| self.case.place.restored().unwrap_or(&of.previous));
    /// The canary's version, where it is that of an earlier attempt.
    former_version: Option<&str> = self.canary_version().filter(|_| self.case.former.is_some());
    /// The policy's success criteria with their states.
    success_criteria: Vec<ItemStatus> =
        checklist::success_criteria(self.plan.policy(), self.case.readiness.marks());
    /// When a page was first answered, of those whose answer holds.
    first_answer: Option<Timestamp> = self.case.agenda.first_answer();
    /// Whether somebody was paged who is still called, and nobody has answered or begun a fix.
    waits_for_responders: bool = self.case.agenda.waits_for_responders();
    /// What became of the checks of the final validation.
    checks: Checks<'_> = {
        let live = self.moment(Moment::Deployed);
        self.case.readiness.checks(self.plan.policy(), live, Checklist::holds_completion)
    };
    /// When the fix was verified; None where nothing verifies it.
    verified_at: Option<Timestamp> =
        self.moment(Moment::Verified).filter(|_| self.unverified().is_none());
    /// The impact of each version per minute, while the fix has traffic or is getting some.
    harm_now: Option<Harm> = self.harm().filter(|_| self.case.has_traffic());
    /// Why the deployment does not continue without a person.
    stalled: Option<Stalled> = match (self.stage(), self.now()) {
        (Stage::Deploying(_), _) if self.case.actions.pending().is_empty() => Some(Stalled::Failed),
        (Stage::Deploying(step), Some(now)) => {
            deployment_is_late(self.plan.policy(), &self.case, *step, now).then_some(Stalled::Late)
        }
        _ => None,
    };
    /// Whether readings show traffic on the fix although none is confirmed.
    sees_unconfirmed_traffic: bool = self.case.sees_unconfirmed_traffic();
    /// Whether each deciding metric is back at its level; None for one that was not compared.
    recovered: impl Iterator<Item = (MetricName, Option<bool>)> =
        Recovery::of_each(self.case.judged.judge());
    /// The metrics that are worse than before the deployment after a rollback, now and before it.
    worse_than_before: BTreeMap<MetricName, [f64; 2]> = Recovery::worse(self.case.judged.judge());
    /// Whether a question or a page is open that a person has to answer.
    awaits_answer: bool = self.case.awaits_answer();
    /// How much of the traffic the canary has, as far as it is known.
    reach: Reach = self.case.reach();
    /// When the root cause was stated last.
    cause_stated_at: Option<Timestamp> = self.case.happened.cause().map(|(at, _)| at);
    /// When each fix but the present one was rolled back, or withdrawn for another.
    earlier_rollbacks: impl Iterator<Item = Timestamp> = {
        let present = self.rolled_back_since();
        let all = self.case.happened.rollbacks().iter().copied();
        all.filter(move |at| present.is_none_or(|since| *at < since))
    };
    /// The step of the deployment that failed last, and why.
    failed_step: Option<&str> = self.case.happened.failed_step();
    /// How the incident was resolved, as it was stated last.
    resolution: Option<&str> = self.case.happened.resolution();
    /// Whether a phase waits until readings come again.
    waits_for_readings: bool = self.case.waits_for_data(self.plan.policy()).is_some();
    /// Whether the severity is only assumed: nobody gave it, and by the facts that are known it may
    /// be a less severe one.
    severity_is_assumed: bool = self.case.readiness.is_assumed(self.plan.policy());
    /// Whether the incident is over, and no fix is live or being deployed.
    has_ended: bool = self.case.has_ended();
    /// Whether the incident was resolved once, and is not now.
    is_reopened: bool = self.case.agenda.is_reopened();
    /// When the statement that the incident is resolved was last revoked.
    reopened_at: Option<Timestamp> = self.case.agenda.reopened_at();
    /// When the fix of the present attempt went live, if a rollback has revoked that.
    was_live: Option<Timestamp> =
        self.case.agenda.was_live().filter(|_| self.rolled_back_since().is_some());
    /// The severity as people read it.
    named_severity: Option<impl Display> = self.case.readiness.named_severity(self.plan.policy());
    /// Whether time does not end the watch after the completion, and no question is open about that.
    is_kept_open_without_question: bool = self.case.people.objected() && !self.case.awaits_answer();
    /// Whether no phase passes by itself: after an objection, or a verdict that rolls back, a person has to
    /// promote.
    bars_promotion: bool = self.case.people.bars_promotion();
    /// Whether the policy calls for the normal process, and nobody has waived that.
    wants_normal_process: bool = self.case.readiness.normal_process().is_some();
    /// Whether an error of the policy prevents every start.
    never_starts: bool = !self.plan.policy().denials().is_empty();
    /// The change window, where the start would be outside of it now.
    window_missed: Option<Window> = window_missed(&self.plan, &self.case.readiness, self.now()?);
    /// What each metric read since the last phase began, until a rollback: with the fix, and without
    /// it.
    since_phase: impl Iterator<Item = (MetricName, [Option<f64>; 2])> =
        judge::values(&self.case.judged.explained().judge, self.share(), metric::Window::phase);
    /// When the version that a rollback restores got the traffic back, in this attempt.
    live_again_at: Option<Timestamp> = self.case.place.live_again_at();
    /// Whether its train is being rolled back while its fix is being deployed or live.
    goes_back: bool = self.case.goes_back(self.stage());
    /// The last notice of its train.
    train_notice: Option<TrainNotice> = self.case.people.train();
    /// What decides which checklists apply.
    situation: Situation<'_> = self.case.readiness.situation();
    /// The worst that was known of each fact, whatever is known now.
    worst_facts: &Facts = self.case.readiness.worst_facts();
    /// The open reports, denials and withdrawals while the fix is being deployed or live; None without any.
    unanswered_objections: Option<String> = self.case.unanswered_objections(self.plan.policy());
    /// Whether the fix should be shown to work, and readings that could show it have not.
    is_unproven: bool = self.case.judged.is_unproven(&self.plan);
}
