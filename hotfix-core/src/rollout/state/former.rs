//! Another plan, and the superseded release that still has the canary's share of the traffic.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::gate::checklist::Marks;
use crate::judge::{Judge, Use};
use crate::plan::{self, Plan, PlanError, Subject};
use crate::rollout::revision::Kept;
use crate::rollout::stage::Stage;

use super::{Judged, RolloutState};

/// A superseded release that has the canary's share, until its traffic is withdrawn, or had it when it
/// was rolled back. Its rollback is by its own plan, and by what was recorded for it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::rollout) struct Former {
    pub(super) plan: Arc<Plan>,
    pub(super) marks: Marks,
}

/// As it is in a snapshot; policy and calibrations are those of the plan in force.
#[derive(Serialize, Deserialize)]
pub(in crate::rollout) struct FormerState<'a> {
    after: Option<Cow<'a, plan::Former>>,
    marks: Cow<'a, Marks>,
    plan: Cow<'a, Subject>,
}

impl Former {
    pub(in crate::rollout) fn state(&self) -> FormerState<'_> {
        FormerState {
            after: self.plan.former().map(Cow::Borrowed),
            marks: Cow::Borrowed(&self.marks),
            plan: Cow::Borrowed(self.plan.subject()),
        }
    }
}

impl FormerState<'_> {
    /// The superseded release of a rollout whose plan in force is `now`.
    pub(in crate::rollout) fn restored(self, now: &Plan) -> Result<Former, PlanError> {
        let (policy, subject) = (now.shared_policy(), self.plan.into_owned());
        let plan = Plan::restored(policy, subject, now.calibrations().clone())?;
        let plan = Arc::new(plan.after(self.after.map(Cow::into_owned)));
        Ok(Former { plan, marks: self.marks.into_owned() })
    }
}

fn plan_of<'a>(former: Option<&'a Former>, plan: &'a Plan) -> &'a Plan {
    former.map_or(plan, |former| &former.plan)
}

impl RolloutState {
    /// Puts the plan of an input in force; no metric has data yet. `replaces`: the plan that another
    /// attempt replaces; None for the first release.
    pub(in crate::rollout) fn begin_plan(
        &mut self,
        plan: &Plan,
        judge: Judge,
        kept: Kept,
        replaces: Option<Arc<Plan>>,
    ) {
        self.judged = Judged::of(judge);
        if let Some(former) = replaces {
            self.place.attempt += 1;
            let new = || Former { plan: former, marks: self.readiness.marks().clone() };
            let former = self.former.take().unwrap_or_else(new);
            self.former = self.has_traffic().then_some(former);
        }
        (self.place.restored, self.place.reverted) = (None, false);
        self.readiness.begin_attempt(plan, kept);
        self.happened.phases.clear();
    }

    /// Whether a superseded release that `former` still names has lost its traffic.
    pub(in crate::rollout) fn is_withdrawn(&self) -> bool {
        let is_off = matches!(self.place.stage, Stage::Preparing) && !self.has_traffic();
        is_off && self.former.is_some()
    }

    /// The plan of the release that has the canary's share, or had it when it was rolled back: `plan`, or
    /// that of an earlier attempt.
    pub(in crate::rollout) fn canary_plan<'a>(&'a self, plan: &'a Plan) -> &'a Plan {
        plan_of(self.former.as_ref(), plan)
    }

    /// Lets the agenda know the version that is deployed, rolled back or reverted next.
    pub(in crate::rollout) fn name_canary(&mut self, plan: &Plan) {
        self.agenda.name_canary(plan_of(self.former.as_ref(), plan).subject().version());
    }

    /// What was checked for the release of [`canary_plan`](Self::canary_plan).
    pub(in crate::rollout) fn canary_marks(&self) -> &Marks {
        self.former.as_ref().map_or(self.readiness.marks(), |former| &former.marks)
    }

    /// What an observation is for at this stage.
    pub(super) fn purpose(&self) -> Use {
        if self.reads_former() { Use::Ignore } else { self.place.purpose(|| self.reach()) }
    }

    /// Whether readings are of a former version's traffic, while the next version is deployed.
    pub(super) fn reads_former(&self) -> bool {
        self.former.is_some() && self.place.stage.is_deploying()
    }
}
