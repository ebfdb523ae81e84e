//! Questions to people: what was observed, and which inputs answer.

use crate::fact::{Fact, Facts, Impact};
use crate::gate::checklist::open_criteria;
use crate::grade::{Moment, OnFailure, Response};
use crate::judge::{Cause, Decision, Reason};
use crate::plan::Plan;
use crate::policy::section::{Contingency, Phase};
use crate::text::{between, brief, joined, moment, quoted, sentence};
use crate::unit::Timestamp;

use serde::Serialize;

use super::action::{Act, Action, ActionId};
use super::blocker::{blockers, question_about_process};
use super::conclude::Conclusion;
use super::input::{Command, InputKind};
use super::stage::{Stage, Step};
use super::state::{About, Objected, Objection, RolloutState, Silent, Unanswered, stated_impact};
use super::{describe, poll};

/// A question or a page that nobody has answered yet.
///
/// A click in a chat answers the question that is open when it arrives, not the one beside its button: compare
/// `action` before you send the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenQuestion {
    /// The action that asked first, `ask_decision` or `page`; repetitions are actions of their own. Null
    /// after a `hold`, until it is asked again.
    pub action: Option<ActionId>,
    /// When it was asked first.
    pub since: Timestamp,
    /// When it was asked last.
    pub asked_at: Timestamp,
    /// The question as it would be asked now, with the answers that are possible now.
    pub text: String,
    /// The inputs that the text names and that are accepted now, in its order: buttons of a message.
    pub answers: Vec<InputKind>,
}

/// What helps where the policy makes the rollout wait for readings.
const RESTORE: &str = "Restore the readings, or send `roll_back`.";

/// What a question during a deployment is about does not stop it.
const CONTINUES: &str = "The deployment continues unless somebody sends `pause` or `roll_back`.";

/// Where what was stated after the end ends in a question about it, and what was stated before it.
const IF_OPEN_AGAIN: &str = "If it is open again, send `set_times` with `resolved` null.";
const SINCE_LIVE: &str = "by what was stated since the fix is live.";
const WAS_SO_BEFORE: &str =
    "If it was so before the fix, send `set_facts` once more, with `correction` true.";

impl Conclusion<'_> {
    /// The question about the rollout, then that about the severity. `accepted`: by the rollout.
    pub(super) fn questions(&self, accepted: &[InputKind]) -> Vec<OpenQuestion> {
        let people = &self.case.people;
        let vetoes = self.case.place.stage().is_in_veto_window();
        let asked = people.unanswered().filter(|_| vetoes || self.case.needs_answer());
        let asked = asked.zip(self.case.place.at());
        let asked = asked.and_then(|(open, at)| Some((open, self.again(at, open)?)));
        let severity = people.about_severity().map(|open| (open, open.text.clone()));
        let is_unvalidated = matches!(self.case.place.stage(), Stage::FinalValidation { .. })
            && !self.case.readiness.unvalidated(self.plan.policy()).is_empty();
        let of = |(open, text): (&Unanswered, String)| {
            let Unanswered { since, asked_at, action, .. } = *open;
            let named = text.split('`').filter_map(|word| word.parse().ok());
            let mut answers: Vec<InputKind> = Vec::new();
            for kind in named {
                let is_early = kind == InputKind::Promote && is_unvalidated;
                if accepted.contains(&kind) && !is_early && !answers.contains(&kind) {
                    answers.push(kind);
                }
            }
            OpenQuestion { action, since, asked_at, text, answers }
        };
        asked.into_iter().chain(severity).map(of).collect()
    }

    /// The inputs that answer a question in this stage, and what it waits for. `objects`: the rollout
    /// waits for the answer.
    pub(super) fn choices(&self, at: Timestamp, objects: bool) -> String {
        let version = brief(self.version());
        let open = self.case.readiness.unvalidated(self.plan.policy());
        let decision = self.case.judged.verdict().decision;
        let waits = objects || self.case.people.bars_promotion() || decision == Decision::RollBack;
        match self.case.place.stage() {
            &Stage::Gate { step, until: Some(until) } if !waits => {
                let by = if at < until { "If this is over by then" } else { "Once this is over" };
                format!("{by}, {}", self.unless_held(at, step, until))
            }
            Stage::Monitoring(_) if self.case.waits_for_data(self.plan.policy()).is_some() => {
                RESTORE.to_owned()
            }
            Stage::FinalValidation { .. } if !open.is_empty() => format!(
                "Send `hold` to keep watching, or `roll_back`; to complete the rollout, check \
                 what is open ({open}) with `check_item`, or waive it with `waive_item`, then send \
                 `promote`."
            ),
            Stage::FinalValidation { .. } => {
                "Send `hold` to keep watching, `promote` to complete the rollout now, or \
                 `roll_back`."
                    .to_owned()
            }
            &Stage::Monitoring(step) => format!(
                "Send `hold` to keep watching, `promote` to end phase `{}` now and continue with \
                 {}, or `roll_back`.",
                step.phase,
                self.follows(step)
            ),
            &Stage::Gate { step, .. } => self.at_the_gate(step),
            Stage::Complete { .. } if self.case.people.train_rolls_back() => self.until_its_turn(),
            Stage::Complete { ending: None, .. } if objects || self.case.people.objected() => {
                format!("Keep {version} with `promote`, or send `roll_back`.")
            }
            &Stage::Complete { since, ending: None } => {
                let ends = poll::watch_ends(self.plan.policy(), &self.case.agenda, since);
                describe::stays_live(&version, Some(ends).filter(|ends| *ends > at))
            }
            Stage::Complete { .. } => {
                format!("{version} stays live unless somebody sends `roll_back`.")
            }
            Stage::Paused { .. } => self.after_pause().to_owned(),
            Stage::Preparing if self.plan.release().is_none() => {
                "Send `release` when there is a fix, or `abort`.".to_owned()
            }
            // The start is offered only where it is accepted.
            Stage::Preparing => {
                let is_ready = blockers(self.plan, self.case).is_empty();
                let new = brief(self.plan.subject().version());
                let go_on = format!("`start` to deploy {new} all the same");
                let go_on =
                    if is_ready { go_on } else { "`supersede` with another fix".to_owned() };
                if self.case.has_traffic() {
                    format!(
                        "{} of the traffic is still on {version}: send `roll_back` to restore {}, \
                         or {go_on}.",
                        self.case.reach(),
                        brief(self.case.place.back_to(self.plan.subject().previous())),
                    )
                } else if let Some(asked) = self.question_before_start(at, objects) {
                    // What a report does not answer is still asked for.
                    sentence(&asked)
                } else {
                    format!("Send {go_on}, or `abort`.")
                }
            }
            Stage::Frozen { .. } => format!("Send {}.", self.after_freeze()),
            &Stage::Deploying(step) => match (self.stalled(at, step), self.awaited()) {
                (Some(text), _) => sentence(&text),
                (None, Some((id, act))) => format!(
                    "It continues once {} is confirmed, unless somebody sends `pause` or \
                     `roll_back`.",
                    describe::action(id, act)
                ),
                (None, None) => String::new(),
            },
            Stage::RollingBack(_)
            | Stage::Closed
            | Stage::RolledBack
            | Stage::Aborted
            | Stage::Failed => String::new(),
        }
    }

    /// The inputs that answer at a gate.
    fn at_the_gate(&self, step: Step) -> String {
        if self.case.waits_for_data(self.plan.policy()).is_some() {
            return RESTORE.to_owned();
        }
        format!("Send `promote` to continue with {}, or `roll_back`.", self.follows(step))
    }

    /// When a phase is promoted that has met its criteria, unless a person objects, as a clause.
    fn unless_held(&self, at: Timestamp, step: Step, until: Timestamp) -> String {
        let when = if at < until {
            format!("it is promoted to {} at {}", self.follows(step), moment(until))
        } else {
            "its veto window begins again".to_owned()
        };
        format!("{when} unless somebody sends `hold`. {}", self.at_the_gate(step))
    }

    /// The question in a veto window.
    pub(super) fn question_in_the_window(
        &self,
        at: Timestamp,
        step: Step,
        until: Timestamp,
    ) -> String {
        let check = self.phase_at(step.index).map(to_check).unwrap_or_default();
        let when = sentence(&self.unless_held(at, step, until));
        format!("{}. {when}{check}", self.met(step))
    }

    /// The inputs that a complete service has while its train is being rolled back.
    fn until_its_turn(&self) -> String {
        let is_next = self.plan.on_failure() == OnFailure::RollBack;
        let then = if is_next { "follows in its turn" } else { "stays live" };
        format!(
            "Its train is being rolled back, and refuses `promote` meanwhile: {} {then}. To \
             roll it back now, send `roll_back`.",
            brief(self.version())
        )
    }

    /// The inputs that end a pause.
    pub(super) fn after_pause(&self) -> &'static str {
        if self.case.people.train_rolls_back() {
            "Its train is being rolled back, and refuses `resume` meanwhile: send `roll_back`."
        } else {
            "Continue with `resume`, or send `roll_back`."
        }
    }

    /// Why a deployment does not continue, with the inputs that help: an action is late, which has taken
    /// twice as long as a deployment is expected to, or has failed where the policy leaves that to a
    /// person.
    pub(super) fn stalled(&self, at: Timestamp, step: Step) -> Option<String> {
        let Some(Action { id, act }) = self.case.actions.pending().first() else {
            let failed = self.case.actions.last_unsettled();
            let failed = failed.map(|(id, share)| describe::action(id, &Act::SetTraffic { share }));
            let failed = failed.unwrap_or_else(|| "the deployment".to_owned());
            return Some(self.after_failure(&format!("{failed} failed")));
        };
        poll::deployment_is_late(self.plan.policy(), self.case, step, at).then(|| {
            let expected = self.phase_at(step.index).map(|phase| phase.deploy).unwrap_or_default();
            format!(
                "{} Phase `{}` was expected to take {expected} to deploy. To stop it, send \
                 `roll_back`.",
                describe::unconfirmed(self.plan.policy(), *id, act, expected + expected),
                step.phase
            )
        })
    }

    /// What a person is asked about the present verdict, or whether to continue after one that is over.
    pub(super) fn question_about_verdict(&self, at: Timestamp) -> String {
        if self.case.place.is_validated(self.plan.policy(), at) {
            return self.question_about_the_end();
        }
        let verdict = self.case.judged.verdict();
        let causes = self.describe_causes(&verdict.causes);
        // Readings that come and are refused are a fault of what sends them.
        let since = at - self.plan.policy().watch().stale;
        let refused = self.case.happened.refused_reading(since).map(describe::refused);
        if let Some(waits) = self.case.waits_for_data(self.plan.policy()) {
            let (when, then) = match refused {
                Some(refused) => {
                    (format!("the readings that are sent are {refused}"), String::new())
                }
                None => (waits.when.clone(), waits.then()),
            };
            let choices = self.choices(at, false);
            return format!(
                "{when}, and the policy makes the rollout wait.{then} {choices} Observed: {causes}."
            );
        }
        let is_over = !verdict.decision.needs_answer();
        if let &Stage::Deploying(step) = self.case.place.stage()
            && is_over
            && let Some(text) = self.stalled(at, step)
        {
            return text;
        }
        // Where nothing judges a metric, or compares it, whoever decides has to check by eye.
        let step = self.case.place.stage().step();
        let is_alone = verdict.has(Reason::LiveNeverRead);
        let unjudged = step.filter(|_| is_alone || verdict.has(Reason::NotJudged));
        let check = unjudged.and_then(|step| self.phase_at(step.index)).map(to_check);
        let compare = if is_alone {
            " To compare, send readings of the live version as well; with `promote` the rollout continues \
             without the comparison, also in later phases."
        } else {
            ""
        };
        let place =
            step.map(|step| format!("phase `{}` at {}: ", step.phase, self.case.place.share()));
        let paused = self.paused();
        let (place, check) = (place.unwrap_or_default(), check.unwrap_or_default());
        let is_silent = verdict.has(Reason::Stale) || verdict.has(Reason::NoData);
        let to_do = if refused.is_none() { self.on_silence() } else { String::new() };
        let causes = match refused.filter(|_| is_silent) {
            _ if is_over => "what was asked about is over".to_owned(),
            Some(refused) => format!("{causes}; some readings that are sent are {refused}"),
            None => causes,
        };
        let by_time = self.rolled_back_by_time(at);
        let spares = verdict.has(Reason::FewerFailures);
        let by_bound = if spares && self.plan.on_failure() == OnFailure::RollBack {
            " A rollback bound that is exceeded rolls it back meanwhile."
        } else {
            ""
        };
        let choices = describe::to_replace(&verdict.causes) + &self.choices(at, false);
        // Whoever promotes has to know what all metrics show, not only those that lead to the question.
        let causes = if choices.contains("`promote`") {
            let named: &[Cause] = if is_over { &[] } else { &verdict.causes };
            describe::with_others(causes, self.plan.policy(), &self.case.judged, named)
        } else {
            causes
        };
        format!("{paused}{place}{causes}.{to_do} {choices}{compare}{by_time}{by_bound}{check}")
    }

    /// What the policy has for readings that have stopped, to follow a sentence; empty where they have not.
    fn on_silence(&self) -> String {
        let is_blind = self.case.judged.missing(self.plan.policy()) == Some(Silent::All);
        let to_do = self.plan.policy().on_silence().filter(|_| is_blind);
        to_do.map_or_else(String::new, Contingency::then)
    }

    /// Since when and why it is paused, to precede a question; empty where it is not.
    fn paused(&self) -> String {
        let Stage::Paused { since, .. } = *self.case.place.stage() else { return String::new() };
        let order = self.case.people.interventions().last(InputKind::Pause);
        let why = order.filter(|order| order.at >= since).and_then(|order| order.why.as_deref());
        format!("the rollout has been paused since {}{}; ", moment(since), describe::given(why))
    }

    /// When a phase is rolled back by time, if it goes on like this; empty where it is not.
    fn rolled_back_by_time(&self, at: Timestamp) -> String {
        let Stage::Monitoring(step) = *self.case.place.stage() else { return String::new() };
        if self.plan.on_failure() != OnFailure::RollBack {
            return String::new();
        }
        let verdict = self.case.judged.verdict();
        let is_silent = verdict.has(Reason::Stale) || verdict.has(Reason::NoData);
        let goes_on = if is_silent { "no more readings come" } else { "it goes on like this" };
        let most = |phase: &Phase| self.plan.policy().held_at_most(phase);
        let until = self.phase_at(step.index).map(|phase| step.since + most(phase));
        let is_missed = |until: &Timestamp| {
            let question = self.case.question(self.plan, *until);
            let decides = |question| self.case.judged.would_decide(self.plan, &question);
            question.map(decides) == Some(Decision::RollBack)
        };
        let until = until.filter(|until| *until > at).filter(is_missed);
        let no_data = self.plan.policy().watch().no_data;
        let rolls_back = no_data.then == Response::RollBack;
        let idle = self.case.judged.judge().without_requests_since().filter(|_| rolls_back);
        match (idle.map(|since| since + no_data.after), until) {
            (Some(idle), until) if idle > at && until.is_none_or(|until| idle < until) => {
                format!(" If no request comes, it may be rolled back from {} on.", moment(idle))
            }
            (_, Some(until)) => {
                format!(" If {goes_on}, it is rolled back at {} by what was read.", moment(until))
            }
            _ => String::new(),
        }
    }

    /// That the incident is open again, and what answers that.
    pub(super) fn reopened(&self, at: Timestamp) -> String {
        let choices = self.choices(at, true);
        format!(
            "the incident is open again. {choices} Send `set_times` with `resolved` once it is over."
        )
    }

    /// Asks whether the incident is open again where somebody states after its end what it does to
    /// users: a closed rollout cannot be rolled back. Before the end, whether to keep the fix, where a
    /// `relapse` is stated.
    pub(super) fn ask_whether_it_is_back(
        &mut self,
        at: Timestamp,
        command: &Command,
        relapse: &[Fact],
    ) {
        let stage = self.case.place.stage();
        let then = if matches!(stage, Stage::Closed) {
            "The rollout is closed: if it is not over, open another incident."
        } else {
            IF_OPEN_AGAIN
        };
        let resolved = || {
            let resolved = self.case.agenda.came(Moment::Resolved).map(moment)?;
            let impact = stated_impact(self.plan.policy(), command)?;
            Some(format!(
                "{impact}, by what was stated after the incident was resolved at {resolved}. {then}"
            ))
        };
        let harm = self.case.stated(&self.case.harm(relapse)).filter(|_| !relapse.is_empty());
        let harm = harm.map(|harm| format!("{harm}, {SINCE_LIVE}"));
        let Some(stated) = harm.or_else(resolved) else { return };
        self.ask(format!("{stated} {}", self.choices_on_harm(at)).trim_end());
        self.end_veto();
    }

    /// The inputs that answer what was stated after the end, or of a live fix before it.
    fn choices_on_harm(&self, at: Timestamp) -> String {
        match self.case.place.stage() {
            stage if !stage.is_out() => String::new(),
            _ if self.case.is_resolved() => self.choices(at, true),
            _ => format!("{} {WAS_SO_BEFORE}", self.choices(at, true)),
        }
    }

    /// The causes of a verdict with what was measured, for a text.
    pub(super) fn describe_causes(&self, causes: &[Cause]) -> String {
        describe::causes(self.plan.policy(), &self.case.judged, self.case.place.share(), causes)
    }

    /// What follows a phase, for a text: `50% of the traffic`, or `the final validation`.
    pub(super) fn follows(&self, step: Step) -> String {
        match self.phase_at(step.index + 1) {
            Some(next) => format!("{} of the traffic", next.share),
            None => "the final validation".to_owned(),
        }
    }

    /// Whether the incident is resolved, with all that is still open.
    pub(super) fn question_about_the_end(&self) -> String {
        let [known, choices] = self.at_the_end();
        format!("{known} {choices}{}", self.open_objection())
    }

    /// What is known at the end of the final validation, and the inputs that answer.
    fn at_the_end(&self) -> [String; 2] {
        let policy = self.plan.policy();
        let mut text = "the final validation is over.".to_owned();
        let (open, early, lacks) = poll::left_open(self.plan, self.case);
        if !open.is_empty() {
            text = format!("{text} Still open: {open}. `check_item` or `waive_item` first.");
        }
        if !early.is_empty() {
            text = format!(
                "{text} Checked too early: {early}. `check_item` again, or nothing is verified."
            );
        }
        let criteria = open_criteria(policy, self.case.readiness.marks());
        if !criteria.is_empty() {
            let open = quoted(&criteria, ", ");
            text = format!("{text} Success criteria not confirmed, which hold nothing: {open}.");
        }
        if let Some(lacks) = lacks {
            let lacks = sentence(lacks);
            text = format!("{text} {lacks}, so `promote` needs a reason in `why`.");
        }
        let causes = &self.case.judged.verdict().causes;
        let seen = self.describe_causes(causes);
        let seen = describe::with_others(seen, policy, &self.case.judged, causes);
        if !seen.is_empty() {
            text = format!("{text} Observed: {seen}.");
        }
        text += &self.on_silence();
        let (agenda, stage) = (&self.case.agenda, self.case.place.stage());
        let line = |facts: &Facts| describe::impact(policy, facts);
        let recorded = self.case.readiness.known().impact_before_the_fix(agenda, stage, line);
        if let Some((times, before, later)) = recorded {
            text.extend(later.map(|later| format!(" Recorded since the deployment: {later}.")));
            text = format!(
                "{text} Recorded {}: {before}. Correct with `set_facts` what is over.",
                between(times.map(moment))
            );
        }
        let works =
            if self.case.is_resolved() { "the fix works" } else { "the incident is resolved" };
        [text, format!("If {works}, send `promote`; else `roll_back`.")]
    }

    /// What a person reported or withdrew, if nobody has answered it: another question is answered
    /// with it in view.
    pub(super) fn open_objection(&self) -> String {
        let open = self.case.people.objection(self.case.place.stage());
        open.map_or_else(String::new, |open| {
            let text = match self.case.stated(&open.stated) {
                Some(text) => text + ".",
                None => without_answers(open).unwrap_or(&open.text).to_owned(),
            };
            open.named() + &text
        })
    }

    /// An open question or page as it is now, with the answers that are possible now; the question of a
    /// pause, and a page about anything but a rollback that has not helped, in its first words. None: it
    /// is answered.
    pub(super) fn again(&self, at: Timestamp, open: &Unanswered) -> Option<String> {
        let stage = self.case.place.stage();
        let is_bad = self.case.judged.verdict().decision.needs_answer();
        let now = match open.about {
            About::Other | About::Verdict if stage.is_in_veto_window() => match *stage {
                Stage::Gate { step, until: Some(until) } if !is_bad => {
                    Some(self.question_in_the_window(at, step, until))
                }
                _ => Some(self.question_about_verdict(at)),
            },
            About::Verdict => Some(self.question_about_verdict(at)),
            // A waiver may not be needed any more.
            About::Process => Some(self.question_before_start(at, false)?),
            About::Other => match *stage {
                Stage::Deploying(step) => {
                    self.stalled(at, step).map(|_| self.question_about_verdict(at))
                }
                Stage::Gate { step, until: None } => Some(self.question_at_the_gate(step)),
                Stage::FinalValidation { .. } => {
                    let is_over = self.case.place.is_validated(self.plan.policy(), at);
                    is_over.then(|| self.question_about_the_end())
                }
                Stage::Frozen { .. } => return Some(self.page_of_freeze(&open.text)),
                _ => self.case.lacks_recovery().and_then(|recovery| self.not_back(recovery)),
            },
            About::Objection if !matches!(stage, Stage::Paused { .. }) => {
                self.case.stated(&open.stated).map(|what| self.with_objection(at, &what))
            }
            About::Objection | About::Stopped => None,
            // What was stated is as it was; the answers are those of now.
            About::Harm => {
                let choices = self.choices_on_harm(at);
                let Some(harm) = self.case.stated(&open.stated) else {
                    let stated = without_answers(open).unwrap_or(&open.text);
                    return Some(format!("{stated} {choices}").trim_end().to_owned());
                };
                Some(format!("{harm}, {SINCE_LIVE} {choices}"))
            }
            About::Reopening => Some(self.reopened(at)),
        };
        Some(now.map_or_else(|| open.text.clone(), |text| self.addressed(&text)))
    }

    /// Whether to promote a phase that has met its criteria.
    pub(super) fn question_at_the_gate(&self, step: Step) -> String {
        let [met, choices] = self.met_with_choices(step);
        format!("{met} {choices}{}", self.open_objection())
    }

    /// That a phase met its criteria, and the inputs that answer, with what to check first.
    fn met_with_choices(&self, step: Step) -> [String; 2] {
        let check = self.phase_at(step.index).map(to_check).unwrap_or_default();
        [format!("{}.", self.met(step)), self.at_the_gate(step) + &check]
    }

    /// What a person objected to, with the answers. Where the rollout waits for a person in any case,
    /// with the question of that: one answer is for both.
    fn with_objection(&self, at: Timestamp, what: &str) -> String {
        let [known, choices] = match *self.case.place.stage() {
            Stage::Gate { step, .. } => self.met_with_choices(step),
            _ if self.case.place.is_validated(self.plan.policy(), at) => self.at_the_end(),
            _ => return format!("{what}. {}", self.choices(at, true)),
        };
        format!("{known} {}. {choices}", sentence(what))
    }

    /// That a phase met its criteria.
    pub(super) fn met(&self, step: Step) -> String {
        format!("phase `{}` met its criteria at {}", step.phase, self.case.place.share())
    }

    /// Says that readings have stopped, where the start does not wait for them.
    pub(super) fn name_silence(&mut self, at: Timestamp) {
        if let Some(silence) = self.case.silence(self.plan.policy(), at) {
            self.ask(&format!("{silence}.{} {CONTINUES}", silence.of.then()));
        }
    }

    /// Names a report that nobody has answered, and the end of the incident: whoever starts may not know of
    /// them.
    pub(super) fn name_objections(&mut self) {
        let reported = self.case.people.unanswered().and_then(|open| {
            let stated = self.case.stated(&open.stated)?;
            let since = moment(open.since);
            Some(format!("{stated} before the start, and nobody has answered since {since}"))
        });
        let is_over = self.case.is_resolved() && !self.case.people.asks_about_relapse();
        let ended = is_over.then(|| Objection::from(Objected::Ended).to_string());
        let stated = joined(reported.into_iter().chain(ended), "; ");
        if !stated.is_empty() {
            self.ask(&format!("{stated}. {CONTINUES}"));
        }
    }
}

/// The question about what was stated after the end or before it, without the answers that were possible
/// then.
fn without_answers(open: &Unanswered) -> Option<&str> {
    let ends = |part: &str| Some(open.text.find(part)? + part.len());
    open.text.get(..[IF_OPEN_AGAIN, SINCE_LIVE].into_iter().find_map(ends)?)
}

/// Whether what an open question is about is not so any more: the process is waived, what was stated
/// after the end is corrected, or an incident that is open again has no fix that is being deployed.
pub(super) fn is_moot(plan: &Plan, case: &RolloutState, open: &Unanswered, at: Timestamp) -> bool {
    match open.about {
        About::Process => {
            !case.has_ended() && question_about_process(plan, case, at, false).is_none()
        }
        about if about.is_relapse() && !case.is_resolved() && !case.place.stage().is_out() => true,
        About::Harm => Impact::new(case.readiness.facts(), false).states().next().is_none(),
        About::Stopped => case.is_resolved(),
        // What could not be deployed need not be tried again once the incident is over.
        About::Other => case.has_ended() && matches!(case.place.stage(), Stage::Failed),
        About::Verdict | About::Objection | About::Reopening => false,
    }
}

/// What a person has to check in this phase, because no metric shows it.
pub(super) fn to_check(phase: &Phase) -> String {
    match phase.watch_for.as_slice() {
        [] => String::new(),
        what => format!(" Check first: {}.", what.join("; ")),
    }
}
