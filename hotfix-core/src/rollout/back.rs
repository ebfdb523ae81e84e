//! The way back: whether it is taken, its steps of traffic, its methods one after the other, and whether it helped (ROLL-4,
//! ROLL-5, FIELD-6, FIELD-7).

use crate::grade::{MessageKind, OnFailure, RollbackMethod};
use crate::judge::{Cause, Reason};
use crate::policy::section::Rollback;
use crate::text::quoted;
use crate::unit::Timestamp;

use super::Rollout;
use super::action::Act;
use super::conclude::TOLD;
use super::state::{Returning, RollbackCause, Stage, WayBack};

/// Causes in a few words, for a question.
pub(super) fn in_words(causes: &[Cause]) -> String {
    let words = |cause: &Cause| match cause.metric {
        Some(metric) => format!("{metric}: {}", cause.reason),
        None => cause.reason.to_string(),
    };
    let (unjudged, others): (Vec<&Cause>, Vec<&Cause>) =
        causes.iter().partition(|cause| cause.reason == Reason::NotJudged);
    let metrics: Vec<_> = unjudged.iter().filter_map(|cause| cause.metric).collect();
    let mut told = Vec::with_capacity(others.len() + 1);
    if !metrics.is_empty() {
        told.push(format!("nothing judges {}", quoted(&metrics, ", ")));
    } else if !unjudged.is_empty() {
        told.push("no metric decides".to_owned());
    }
    told.extend(others.into_iter().map(words));
    told.join(", ")
}

impl RollbackCause {
    /// A person said so: it is done, whatever the policy has for failures.
    const fn is_an_order(&self) -> bool {
        matches!(self, Self::Person | Self::Revert { .. } | Self::Abort)
    }

    /// In a few words, for a question.
    fn words(&self) -> String {
        match self {
            Self::Verdict { causes } => in_words(causes),
            Self::Signal { signal } => format!("`{signal}` was reported"),
            Self::ActionFailed => "an action failed".to_owned(),
            Self::Person | Self::Revert { .. } | Self::Abort => "a person asked for it".to_owned(),
        }
    }
}

impl Rollout {
    /// Something asks to go back: what follows is the policy's and the release's matter, unless a person said so.
    pub(super) fn fail(&mut self, at: Timestamp, why: RollbackCause) {
        if why.is_an_order() {
            self.go_back(at, why);
            return;
        }
        match (&self.case.stage, self.plan.on_failure()) {
            // Somebody was woken, and acts.
            (Stage::Frozen { .. }, _) => {}
            (Stage::RollingBack(_), _) | (_, OnFailure::RollBack) => self.go_back(at, why),
            (_, OnFailure::Ask) => {
                // A verdict stands from look to look; one that turned, what is reported and what fails is news.
                let is_news = self.changes.turned || !matches!(why, RollbackCause::Verdict { .. });
                if is_news || !self.case.asked || self.validation_ends(at) {
                    let choice = match why {
                        // What failed is not tried again by itself, so there is no going on.
                        RollbackCause::ActionFailed => "roll back, or give another release?",
                        _ => "go on, or roll back?",
                    };
                    self.ask(format!("{}: {choice}", why.words()));
                }
                self.end_veto();
            }
            (stage, OnFailure::Freeze) => {
                if !stage.may_go_back() {
                    return;
                }
                let what = why.words();
                self.changes.to = Some(Stage::Frozen { since: at, why, tried: false });
                self.page(format!(
                    "{what}, and what was deployed cannot simply go back: traffic stays as it is until somebody decides"
                ));
                self.notify(MessageKind::Update, &TOLD);
            }
        }
    }

    /// The way back begins. One that is under way is not begun again, but a revert names another version.
    pub(super) fn go_back(&mut self, at: Timestamp, why: RollbackCause) {
        match &self.case.stage {
            Stage::RollingBack(way) if !self.is_overtaken(way, &why) => return,
            stage if !stage.may_go_back() => return,
            _ => {}
        }
        self.withdraw(at, why);
    }

    /// Whether a way back has to be begun anew: a revert names another version than the one it leads to, or skips its steps.
    fn is_overtaken(&self, way: &WayBack, why: &RollbackCause) -> bool {
        let RollbackCause::Revert { version } = why else { return false };
        let leads_to = match &way.why {
            RollbackCause::Revert { version } => version,
            _ => &self.plan.subject().release.previous,
        };
        way.returning.is_some() || version != leads_to
    }

    /// Begins a way back, wherever the rollout is.
    pub(super) fn withdraw(&mut self, at: Timestamp, why: RollbackCause) {
        // What was aborted stays aborted, however it goes back.
        let was_aborted = matches!(&self.case.stage, Stage::RollingBack(way) if way.abort);
        let abort = was_aborted || why == RollbackCause::Abort;
        // What is at once takes no steps, and before the start all traffic was to be taken back already.
        let at_once = matches!(why, RollbackCause::Revert { .. })
            || matches!(self.case.stage, Stage::Preparing);
        let first = if at_once { None } else { self.step_from(0) };
        let returning = first.map(|step| Returning { step, reached: None });
        let way = WayBack { abort, method: 0, since: at, returning, watching: None, why };
        // The way back does not wait for messages.
        self.take_way(at, way);
        self.notify(MessageKind::RollingBack, &TOLD);
    }

    /// The first of the policy's steps, from this one on, in which the old version gets more traffic than it has.
    fn step_from(&self, from: usize) -> Option<usize> {
        let steps = &self.plan.policy().rollback().steps;
        let has = self.case.share.rest();
        (from..steps.len()).find(|&step| steps.get(step).is_some_and(|step| step.share > has))
    }

    /// Asks for the step or the method that this way back is at, or says that there is none left.
    fn take_way(&mut self, at: Timestamp, way: WayBack) {
        let step = way.returning.and_then(|returning| {
            let step = self.plan.policy().rollback().steps.get(returning.step)?;
            Some(Act::SetTraffic { share: step.share.rest() })
        });
        if let Some(act) = step.or_else(|| self.method(&way)) {
            self.changes.to = Some(Stage::RollingBack(way));
            self.act(act);
        } else {
            self.changes.to = Some(Stage::Frozen { since: at, why: way.why, tried: true });
            self.page("every way back has failed: a person has to act".to_owned());
        }
    }

    /// The method that this way back is at. A version other than the previous one can only be deployed.
    fn method(&self, way: &WayBack) -> Option<Act> {
        let previous = &self.plan.subject().release.previous;
        match &way.why {
            RollbackCause::Revert { version } if version != previous => {
                (way.method == 0).then(|| Act::RollBack {
                    method: RollbackMethod::Redeploy,
                    version: version.clone(),
                })
            }
            _ => self
                .plan
                .methods()
                .get(way.method)
                .map(|method| Act::RollBack { method: method.kind, version: previous.clone() }),
        }
    }

    /// An action of the way back was done.
    pub(super) fn came_back(&mut self, at: Timestamp, act: &Act, way: &WayBack) {
        let mut way = way.clone();
        match act {
            Act::RollBack { .. } => way.watching = Some(at),
            Act::SetTraffic { .. } => match &mut way.returning {
                Some(returning) => returning.reached = Some(at),
                None => return,
            },
            _ => return,
        }
        self.changes.to = Some(Stage::RollingBack(way));
    }

    /// An action of the way back failed: where a method fails the next is taken (PLAN-5), where a step fails the method.
    pub(super) fn could_not_go_back(&mut self, at: Timestamp, act: &Act, way: &WayBack) {
        // The time to be confirmed in counts anew for what is asked now.
        let way = WayBack { since: at, ..way.clone() };
        let next = match act {
            Act::RollBack { .. } => WayBack { method: way.method + 1, ..way },
            Act::SetTraffic { .. } => WayBack { returning: None, ..way },
            _ => return,
        };
        self.take_way(at, next);
    }

    /// Is the old version back, and do metrics return (ROLL-5)? A way back always ends or wakes somebody.
    pub(super) fn watch_return(&mut self, at: Timestamp, way: &WayBack) {
        let Rollback { watch, returned_within, .. } = *self.plan.policy().rollback();
        if let Some(Returning { step, reached }) = way.returning {
            self.watch_step(at, way, step, reached);
            return;
        }
        let Some(since) = way.watching else {
            if self.comes_now(at, way.since + returned_within) {
                self.page("the way back has not been confirmed in time".to_owned());
            }
            return;
        };
        let watched = at.since(since);
        let returned = watched >= watch && self.case.judge.returned();
        if returned || watched >= returned_within {
            if !returned {
                self.page(
                    "the old version is back, but metrics are not at their level before".to_owned(),
                );
            }
            self.notify(MessageKind::RolledBack, &TOLD);
            self.changes.to = Some(if way.abort { Stage::Aborted } else { Stage::RolledBack });
        }
    }

    /// The old version keeps a step's traffic for its time; a step that nobody confirms does not hold up the way back.
    fn watch_step(
        &mut self,
        at: Timestamp,
        way: &WayBack,
        step: usize,
        reached: Option<Timestamp>,
    ) {
        let Rollback { returned_within, steps, .. } = self.plan.policy().rollback();
        let over = match (reached, steps.get(step)) {
            (Some(reached), Some(step)) => at.since(reached) >= step.wait,
            (None, Some(_)) => at.since(way.since) >= *returned_within,
            (_, None) => true,
        };
        if !over {
            return;
        }
        let next = reached.and_then(|_| self.step_from(step + 1));
        let returning = next.map(|step| Returning { step, reached: None });
        // The time to be confirmed in counts anew for what is asked now.
        self.take_way(at, WayBack { since: at, returning, ..way.clone() });
    }
}

impl Stage {
    /// Whether there is something to be taken back.
    const fn may_go_back(&self) -> bool {
        match self {
            Self::Deploying(_)
            | Self::Monitoring(_)
            | Self::Gate { .. }
            | Self::FinalValidation { .. }
            | Self::Complete { .. }
            | Self::RollingBack(_)
            | Self::Paused { .. }
            | Self::Frozen { .. } => true,
            Self::Preparing | Self::Closed | Self::RolledBack | Self::Aborted | Self::Failed => {
                false
            }
        }
    }
}
