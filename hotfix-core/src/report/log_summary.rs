//! Summary of a log for the report, built line by line in bounded memory.

use std::collections::BTreeMap;

use crate::code::meaning;
use crate::gate::is_same_person;
use crate::grade::{Moment, RollbackMethod, Signal};
use crate::judge::{Cause, Decision, Recovery};
use crate::plan::Plan;
use crate::policy::Policy;
use crate::policy::section::Metric;
use crate::rollout::{
    Act, ActionId, Command, Entry, Input, InputKind, Reach, Recorded, RollbackCause, Rollout,
    Stage, is_of_a_train, is_taken_out, repetition,
};
use crate::sorting::remove;
use crate::text;
use crate::unit::{MetricName, Name, RoleName, Timestamp};

use super::bounded_list::BoundedList;
use super::describe;
use super::duties::DutyTracker;
use super::model::{
    ApprovalPart, AttemptComparison, AuditEntry, Mark, PhaseVisit, Statement, TimelineEntry,
    VerdictPart,
};
use super::phases::Visits;
use super::review::Waivers;
use super::series::Points;
use super::statements::{self, Answers, Topic};

/// Kind of an entry for an input that was refused.
const REFUSED: &str = "refused";
/// Most statements and marks; further ones are in the timeline only.
const MOST: usize = 200;

#[derive(Debug, Default)]
pub(super) struct LogSummary {
    pub(super) lines: u64,
    pub(super) as_of: Timestamp,
    pub(super) timeline: BoundedList<TimelineEntry, 500>,
    pub(super) audit: BoundedList<AuditEntry, 500>,
    pub(super) approvals: Vec<ApprovalPart>,
    pub(super) verdicts: BoundedList<VerdictPart, 25>,
    pub(super) visits: Visits,
    pub(super) comparisons: Vec<AttemptComparison>,
    pub(super) marks: Vec<Mark>,
    pub(super) levels: BTreeMap<MetricName, [Points; 2]>,
    pub(super) worse: Points,
    pub(super) works: Points,
    pub(super) duties: DutyTracker,
    pub(super) evidence: BTreeMap<Name, String>,
    pub(super) statements: Vec<(Answers, Statement)>,
    /// Since when the claim of the present attempt is shown, while the evidence bears it.
    works_since: Option<Timestamp>,
    /// The first report of a problem during the present attempt.
    reported: Option<(Timestamp, Signal)>,
    pub(super) failed: Vec<(Timestamp, String)>,
    pub(super) rollbacks: Vec<RolledBack>,
    pub(super) frozen: Vec<Frozen>,
    /// When the incident was resolved, each time that was revoked, and when it was.
    pub(super) revoked_ends: Vec<(Timestamp, Timestamp)>,
    resolved: Option<Timestamp>,
    /// What a person was asked after the completion.
    pub(super) asked_late: Vec<(Timestamp, String)>,
    /// Why the train of this service is rolled back, as the train let it know last.
    pub(super) train: Option<String>,
    pub(super) waivers: Waivers,
    pub(super) refused: BTreeMap<String, u64>,
    pub(super) odd_clock: u64,
    pub(super) has_redacted_names: bool,
    /// The version that was started last.
    started: Option<String>,
    /// Actions without a result so far.
    pending: BTreeMap<ActionId, Act>,
    acted_as: Vec<(String, RoleName)>,
    last_decision: Option<Decision>,
}

/// One freeze: a person had to act.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frozen {
    pub(super) at: Timestamp,
    pub(super) why: String,
    /// Whether all rollback methods had failed.
    pub(super) tried: bool,
    /// How much of the traffic the new version had at its end, or has.
    pub(super) has: Reach,
    /// When somebody acted.
    pub(super) until: Option<Timestamp>,
}

/// Log e-value at which the tests of all metrics together roll back; None where no test decides.
pub(super) fn threshold(plan: &Plan) -> Option<f64> {
    let is_tested = plan.policy().metrics().iter().any(Metric::is_tested);
    is_tested.then(|| plan.error_budget().threshold()).filter(|threshold| threshold.is_finite())
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct RolledBack {
    /// The attempt that was rolled back.
    pub(super) attempt: u32,
    /// The version that was.
    pub(super) version: String,
    pub(super) asked: Timestamp,
    pub(super) why: String,
    /// The reason that a person or the train gave.
    reason: Option<String>,
    pub(super) cause: RollbackCause,
    /// The first report of a problem with it.
    pub(super) reported: Option<(Timestamp, Signal)>,
    /// Whether the train of this service requested it.
    pub(super) by_train: bool,
    /// Since when the phase that it ended had been watched.
    pub(super) watched_since: Option<Timestamp>,
    pub(super) tried: Vec<RollbackMethod>,
    pub(super) has_failed: bool,
    /// The version that it restores.
    pub(super) to: String,
    pub(super) confirmed: Option<Timestamp>,
    /// When it ended, and whether the metrics had returned by then.
    pub(super) ended: Option<(Timestamp, Recovery)>,
    /// Whether each metric that decides had; None for one that was not compared.
    pub(super) recovered: Vec<(MetricName, Option<bool>)>,
}

impl RolledBack {
    /// What triggered it, with the reason that was given.
    pub(super) fn because(&self) -> String {
        match &self.reason {
            Some(reason) if self.by_train => reason.clone(),
            Some(reason) => format!("{}: {reason}", self.why),
            None => self.why.clone(),
        }
    }
}

impl LogSummary {
    pub(super) fn add(&mut self, rollout: &Rollout, entry: &Entry<'_>) {
        self.lines = entry.seq + 1;
        self.as_of = entry.at;
        let is_taken = matches!(entry.recorded, Recorded::Taken(_));
        self.odd_clock += u64::from(is_taken && entry.claimed_at.is_some());
        let line = match entry.recorded {
            Recorded::Opened => self.opened(rollout),
            Recorded::Refused { got, code, role, why, .. } => {
                let role = role.map(|role| rollout.plan().policy().role_title(role));
                TimelineEntry { role, ..self.refused(got, code, why) }
            }
            Recorded::Taken(input) => self.taken(rollout, entry, input),
        };
        let resolved = rollout.moment(Moment::Resolved);
        if let (Some(before), None) = (std::mem::replace(&mut self.resolved, resolved), resolved) {
            keep(&mut self.revoked_ends, (before, entry.at));
        }
        let turned = self.judged(rollout, entry);
        // A change that was under way may be confirmed in a freeze.
        if let Some(frozen) = self.frozen.last_mut().filter(|_| entry.to.is_none())
            && frozen.until.is_none()
        {
            frozen.has = rollout.reach();
        }
        if let Some(to) = entry.to {
            self.entered(rollout, entry, to);
        }
        self.add_entry(rollout, entry, line, turned);
        let asked = entry.actions.iter().filter(|action| action.act.awaits());
        self.pending.extend(asked.map(|action| (action.id, action.act.clone())));
        let is_quiet = entry.to.is_none()
            && entry.actions.is_empty()
            && matches!(entry.recorded, Recorded::Taken(input) if matches!(input.command, Command::Observe { .. } | Command::Tick));
        if !is_quiet {
            self.duties.update(rollout, entry.at);
        }
    }

    fn opened(&mut self, rollout: &Rollout) -> TimelineEntry {
        let plan = rollout.plan();
        let author = plan.release().and_then(|release| release.author.as_deref());
        self.has_redacted_names |= author.is_some_and(is_taken_out);
        let what = match plan.release() {
            Some(release) => format!("opened the log with the plan for {}", release.version),
            None => "opened the log with a plan without a release".to_owned(),
        };
        TimelineEntry { kind: "opened", what, ..TimelineEntry::default() }
    }

    fn refused(&mut self, got: Option<InputKind>, code: &str, why: Option<&str>) -> TimelineEntry {
        if self.refused.contains_key(code) || self.refused.len() < MOST {
            *self.refused.entry(code.to_owned()).or_default() += 1;
        }
        let what = text::words(got.map_or("an input", InputKind::as_str));
        let what = format!("refused: {what} ({code})");
        // What the code means, without markup.
        let means = || meaning(code).map(|text| text.replace('\n', " ").replace('`', ""));
        let why = why.map(str::to_owned).or_else(means);
        TimelineEntry { kind: REFUSED, what, why, ..TimelineEntry::default() }
    }

    fn taken(&mut self, rollout: &Rollout, entry: &Entry<'_>, input: &Input) -> TimelineEntry {
        let plan = rollout.plan();
        let about = self.resolve(&input.command, entry.at, plan);
        let role = self.role(plan, input);
        let what = describe::command(plan, &input.command, about.as_ref());
        let [_, _, _, evidence, note, _, why] = input.command.texts();
        let why = why.or(evidence).or(note).map(str::to_owned);
        self.collect(plan, entry.at, input, role.as_ref());
        if let (Command::Report { signal, .. }, true) = (&input.command, asks_late(rollout, entry))
        {
            let what = format!("{} was reported", text::words(signal.as_str()));
            keep(&mut self.asked_late, (entry.at, what));
        }
        if input.command.is_new_attempt() {
            // Readings from here on belong to another attempt, mostly of another version.
            self.levels.values_mut().for_each(|[new_version, _]| new_version.break_off());
            self.worse.break_off();
            self.works.break_off();
            (self.works_since, self.reported) = (None, None);
        }
        if let (Command::Start, Some(release)) = (&input.command, plan.release()) {
            self.started = Some(release.version.clone());
        }
        if let Command::Observe { .. } = &input.command {
            self.visits.reading(entry.at);
            if !rollout.state().is_final() {
                let gap = plan.policy().watch().stale;
                for (metric, arms) in rollout.levels() {
                    let series = self.levels.entry(metric).or_default();
                    for (points, value) in series.iter_mut().zip(arms) {
                        if let Some(value) = value {
                            points.add(entry.at, value, gap);
                        }
                    }
                }
            }
        }
        let kind = input.command.kind().as_str();
        TimelineEntry { kind, role, what, why, ..TimelineEntry::default() }
    }

    /// The action that a `confirm` or `failed` refers to.
    fn resolve(&mut self, command: &Command, at: Timestamp, plan: &Plan) -> Option<Act> {
        match command {
            Command::Confirm { action, .. } => remove(&mut self.pending, action),
            Command::Failed { action, .. } => {
                let act = remove(&mut self.pending, action);
                if let Some(act) = &act {
                    keep(&mut self.failed, (at, describe::act(plan.policy(), act)));
                }
                if let (Some(Act::RollBack { .. }), Some(back)) = (&act, self.rollbacks.last_mut())
                {
                    back.has_failed = true;
                }
                act
            }
            _ => None,
        }
    }

    /// The role of the sender: as the input names it, else one held or acted in before.
    fn role(&mut self, plan: &Plan, input: &Input) -> Option<String> {
        let policy = plan.policy();
        let by = input.by.as_deref();
        if let Some(role) = approving(&input.command) {
            if let Some(by) = by {
                keep(&mut self.acted_as, (by.to_owned(), role));
            }
            return Some(policy.role_title(role));
        }
        let by = by?;
        let holds = policy
            .roles()
            .iter()
            .find(|role| role.holders.iter().any(|holder| is_same_person(&holder.name, by)));
        let acted =
            || self.acted_as.iter().find(|(who, _)| is_same_person(who, by)).map(|(_, role)| *role);
        Some(policy.role_title(holds.map(|role| role.id).or_else(acted)?))
    }

    /// Keeps the statements of people for the parts of the report that only people can write.
    fn collect(&mut self, plan: &Plan, at: Timestamp, input: &Input, role: Option<&String>) {
        let policy = plan.policy();
        let statement = |text: &str| Statement { at, role: role.cloned(), text: text.to_owned() };
        let is_note = matches!(input.command, Command::Note { .. });
        if let Some(cause) = input.command.root_cause(policy).filter(|_| !is_note) {
            keep(&mut self.statements, (Answers::Topic(Topic::RootCause), statement(cause)));
        }
        match &input.command {
            Command::Note { why, .. } | Command::Pause { why } | Command::RollBack { why }
                if is_of_a_train(input) =>
            {
                self.train.clone_from(why);
            }
            Command::Resume { .. } | Command::Retry { .. } => self.train = None,
            Command::Note { text, .. } => {
                if let Some((answers, text)) = statements::answers(policy.report(), text) {
                    keep(&mut self.statements, (answers, statement(text)));
                }
            }
            Command::Done { duty, evidence: Some(evidence) } => {
                self.evidence.insert(*duty, evidence.clone());
            }
            Command::Report { signal, .. } => self.reported = self.reported.or(Some((at, *signal))),
            Command::WaiveItem { item, .. } => self.waivers.take(plan, input, *item),
            _ => {}
        }
        if let Some(role) = approving(&input.command) {
            self.approve(plan, at, input, role);
        }
    }

    fn approve(&mut self, plan: &Plan, at: Timestamp, input: &Input, role: RoleName) {
        let [channel, heard_by, .., why] = input.command.texts();
        let named = |name: Option<&str>| name.filter(|name| !is_taken_out(name)).map(str::to_owned);
        let approval = ApprovalPart {
            at,
            kind: input.command.kind().as_str(),
            role,
            who: named(input.by.as_deref()),
            channel: channel.map(str::to_owned),
            heard_by: named(heard_by),
            why: why.map(str::to_owned),
            plan_digest: plan.digest(),
        };
        keep(&mut self.approvals, approval);
    }

    /// Adds the verdict of a line, if there is one. Returns its text if the decision has changed.
    fn judged(&mut self, rollout: &Rollout, entry: &Entry<'_>) -> Option<String> {
        if !entry.judged {
            return None;
        }
        let verdict = rollout.verdict();
        let gap = rollout.plan().policy().watch().stale;
        let threshold = threshold(rollout.plan());
        // The clock alone brings no evidence: nothing is drawn while there are no readings.
        let is_read = |input: &Input| matches!(input.command, Command::Observe { .. });
        let is_read = matches!(entry.recorded, Recorded::Taken(input) if is_read(input));
        if threshold.is_some() && is_read {
            self.worse.add(entry.at, verdict.log_e, gap);
        }
        if let Some(efficacy) = verdict.efficacy {
            if is_read {
                self.works.add(entry.at, efficacy.log_e, gap);
            }
            self.works_since = self.works_since.or(Some(entry.at)).filter(|_| efficacy.shown);
        }
        let turned = self.last_decision != Some(verdict.decision);
        self.last_decision = Some(verdict.decision);
        let policy = rollout.plan().policy();
        let causes = || Cause::described(policy, verdict.led_by());
        let decides = verdict.decision.needs_answer();
        let is_shown = match verdict.decision {
            Decision::Ask => turned && asks(entry),
            _ => entry.to.is_some() || (turned && decides),
        };
        if turned && verdict.decision == Decision::Ask && asks_late(rollout, entry) {
            keep(&mut self.asked_late, (entry.at, causes()));
        }
        if is_shown {
            let why = rollout.why().filter(|why| why.at == entry.at);
            self.verdicts.push(VerdictPart {
                seq: entry.seq,
                at: entry.at,
                phase: self.visits.phase(),
                decision: verdict.decision,
                causes: verdict.causes.clone(),
                why: Some(causes()).filter(|why| !why.is_empty()),
                log_e: verdict.log_e,
                threshold,
                sentences: why
                    .map(|why| why.metrics.into_iter().map(|metric| metric.sentence).collect())
                    .unwrap_or_default(),
                harm: rollout.harm().filter(|harm| harm.at == entry.at),
            });
        }
        let decision = describe::decision(verdict.decision);
        turned.then(|| match verdict.causes.as_slice() {
            [] => format!("verdict: {decision}"),
            _ => format!("verdict: {decision}: {}", causes()),
        })
    }

    fn entered(&mut self, rollout: &Rollout, entry: &Entry<'_>, to: &Stage) {
        let at = entry.at;
        let ended = self.visits.enter(rollout, at, to);
        keep(&mut self.marks, Mark { at, state: rollout.state() });
        if let Stage::Complete { .. } = to {
            let levels = self.levels.values_mut().flatten();
            levels.chain([&mut self.worse, &mut self.works]).for_each(Points::settle);
        }
        let attempt = rollout.attempt();
        if let Some(frozen) = self.frozen.last_mut() {
            frozen.until.get_or_insert(at);
        }
        if let Stage::Frozen { why, tried, .. } = to {
            let why = why.described(rollout.plan().policy());
            let (tried, has) = (*tried, rollout.reach());
            keep(&mut self.frozen, Frozen { at, why, tried, has, until: None });
        }
        // Another attempt's rollback is not continued.
        let back = self.rollbacks.last_mut().filter(|back| back.attempt == attempt);
        match (to, back) {
            (Stage::RollingBack(way), back) => {
                let method = way.why.method(rollout.canary_plan(), way.method);
                let to = rollout.back_to().unwrap_or_default().to_owned();
                // A failed rollback stays open.
                if let Some(back) = back.filter(|back| back.ended.is_none()) {
                    back.confirmed = back.confirmed.or(way.watching);
                    back.tried.extend(method.filter(|kind| back.tried.last() != Some(kind)));
                    back.to = to;
                } else {
                    let order = match entry.recorded {
                        Recorded::Taken(input) if way.why.is_an_order() => Some(input),
                        _ => None,
                    };
                    let back = RolledBack {
                        attempt,
                        version: rollout.canary_version().unwrap_or_default().to_owned(),
                        asked: at,
                        why: way.why.described(rollout.plan().policy()),
                        reason: order.and_then(|of| of.command.texts().last()?.map(str::to_owned)),
                        cause: way.why.clone(),
                        reported: self.reported,
                        by_train: order.is_some_and(is_of_a_train),
                        watched_since: ended.and_then(|visit: PhaseVisit| visit.watched_since),
                        tried: method.into_iter().collect(),
                        has_failed: false,
                        to,
                        confirmed: way.watching,
                        ended: None,
                        recovered: Vec::new(),
                    };
                    keep(&mut self.rollbacks, back);
                }
            }
            (Stage::RolledBack | Stage::Aborted, Some(back)) if back.ended.is_none() => {
                back.ended = Some((at, rollout.recovery()));
                back.recovered = rollout.recovered().collect();
            }
            _ => {}
        }
        if let (Some(table), Some(version)) = (entry.superseded, self.started.clone()) {
            let attempt = rollout.attempt().saturating_sub(1);
            self.keep_comparison(AttemptComparison { attempt, version, table: table.clone() });
        }
        self.compare(rollout);
    }

    /// Replaces the comparison table of this attempt by the current one.
    pub(super) fn compare(&mut self, rollout: &Rollout) {
        let Some(release) = rollout.plan().release() else { return };
        let (attempt, version) = (rollout.attempt(), release.version.clone());
        self.keep_comparison(AttemptComparison { attempt, version, table: rollout.comparison() });
    }

    fn keep_comparison(&mut self, now: AttemptComparison) {
        if now.table.rows.iter().all(|row| row.cells.iter().all(Option::is_none)) {
            return;
        }
        match self.comparisons.last_mut().filter(|last| last.attempt == now.attempt) {
            Some(last) => *last = now,
            None => keep(&mut self.comparisons, now),
        }
    }

    fn add_entry(
        &mut self,
        rollout: &Rollout,
        entry: &Entry<'_>,
        line: TimelineEntry,
        turned: Option<String>,
    ) {
        let policy = rollout.plan().policy();
        let mut then: Vec<String> = turned.into_iter().collect();
        then.extend(entry.to.map(|to| self.stage(rollout, to, !then.is_empty())));
        then.extend(entry.actions.iter().map(|action| describe::act(policy, &action.act)));
        let is_reading = matches!(line.kind, "observe" | "tick");
        if !is_reading {
            self.record(entry, &line, policy);
        }
        let line = TimelineEntry {
            seq: entry.seq,
            at: entry.at,
            count: 1,
            claimed_at: entry.claimed_at,
            then,
            state: entry.to.map(|_| rollout.state()),
            ..line
        };
        // Readings in a row without a decision are one entry, and so are refusals of one kind and
        // repetitions of one question among them; ticks without a decision have none.
        let of = run_of(&line);
        if of.is_some() {
            if line.kind == "tick" && line.then.is_empty() {
                return;
            }
            let mut run = self.timeline.last_first().take_while(|before| run_of(before).is_some());
            if let Some(same) = run.find(|before| run_of(before) == of) {
                (same.until, same.claimed_at) = (Some(line.at), None);
                same.count += 1;
                same.then = line.then;
                return;
            }
        }
        self.timeline.push(line);
    }

    /// The stage that was entered, as text. The reason of a rollback is left out where the verdict
    /// of the same line or an earlier entry states it.
    fn stage(&self, rollout: &Rollout, to: &Stage, is_stated: bool) -> String {
        let text = describe::stage(rollout, to);
        match (to, self.rollbacks.last()) {
            (Stage::RollingBack(_), Some(back)) if is_stated || back.tried.len() > 1 => {
                text.replacen(&format!(": {}", back.why), "", 1)
            }
            _ => text,
        }
    }

    fn record(&mut self, entry: &Entry<'_>, line: &TimelineEntry, policy: &Policy) {
        let who = match entry.recorded {
            Recorded::Taken(input) => input.by.clone(),
            Recorded::Refused { by, .. } => by.map(str::to_owned),
            Recorded::Opened => None,
        };
        self.has_redacted_names |= who.as_deref().is_some_and(is_taken_out);
        let who = who.filter(|name| !is_taken_out(name));
        let is_same = |before: &&mut AuditEntry| {
            (&before.what, &before.who, &before.why) == (&line.what, &who, &line.why)
        };
        if let Some(same) =
            self.audit.last_first().take_while(|of| of.kind == REFUSED).find(is_same)
        {
            same.until = Some(entry.at);
            same.count += 1;
            return;
        }
        let changes = entry.actions.iter().filter(|action| action.act.awaits());
        self.audit.push(AuditEntry {
            seq: entry.seq,
            at: entry.at,
            until: None,
            count: 1,
            who,
            kind: line.kind,
            what: line.what.clone(),
            why: line.why.clone(),
            changes: changes.map(|action| describe::act(policy, &action.act)).collect(),
        });
    }

    /// Since when the fix is shown to work; None for one that is rolled back, or is to be.
    pub(super) fn shown_to_work(&self, rollout: &Rollout) -> Option<Timestamp> {
        self.works_since.filter(|_| rollout.turned_back_at().is_none())
    }
}

/// What an entry has in common with others of a row of them: readings and refusals that decide nothing, and
/// repetitions of a question. None for any other entry.
fn run_of(entry: &TimelineEntry) -> Option<(&str, Option<&str>)> {
    let is_reading = matches!(entry.kind, "observe" | "tick") && entry.claimed_at.is_none();
    match entry.then.as_slice() {
        [] => (is_reading || entry.kind == REFUSED).then(|| (&*entry.what, entry.why.as_deref())),
        [again, more @ ..] if is_reading && entry.state.is_none() => {
            let of = repetition(again)?;
            more.iter().all(|text| repetition(text) == Some(of)).then_some((of, None))
        }
        _ => None,
    }
}

/// Whether a person is asked with this line.
fn asks(entry: &Entry<'_>) -> bool {
    entry.actions.iter().any(|of| matches!(of.act, Act::AskDecision { .. }))
}

/// Whether that is after the completion.
fn asks_late(rollout: &Rollout, entry: &Entry<'_>) -> bool {
    matches!(rollout.stage(), Stage::Complete { .. }) && asks(entry)
}

/// Adds to a list that has room.
fn keep<T>(list: &mut Vec<T>, item: T) {
    if list.len() < MOST {
        list.push(item);
    }
}

const fn approving(command: &Command) -> Option<RoleName> {
    match command {
        Command::Approve { role, .. }
        | Command::Deny { role, .. }
        | Command::Withdraw { role, .. } => Some(*role),
        _ => None,
    }
}
