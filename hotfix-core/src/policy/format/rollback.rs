//! The rollback workflow (ROLL-5, PLAN-5).

use super::list::{none, rising};
use super::rule::at_least;
use crate::grade::{OnFailure, RevertTo, RollbackMethod};
use crate::policy::error::Problem;
use crate::policy::field::{Duration, Lasting, List};
use crate::policy::reader::{Reader, section};
use crate::policy::section::{Rollback, RollbackStep, RollbackWay, TimeRange};
use crate::unit::Share;

section! {
    plain
    /// The rollback workflow (ROLL-5).
    Rollback from RollbackDraft, rollback_rules {
        /// The least time to watch metrics after the way back is done.
        watch: Lasting, [required];
        /// When metrics have not returned by then, someone is paged; at least `watch`.
        returned_within: Lasting, [required];
        /// The ways back that the policy knows (PLAN-5). What a release has is in its plan.
        methods: List<RollbackWay>, [default none()];
        /// How long it takes to find out whether to go back.
        assess: TimeRange, [optional];
        /// How long going back takes.
        execute: TimeRange, [optional];
        /// How long it takes to see that it helped.
        verify: TimeRange, [optional];
        /// How long the whole is expected to take.
        estimate: TimeRange, [optional];
        /// Whether a point to go back to is recorded before the deployment.
        point: bool, [default false];
        /// What is done once the old version is back.
        aftercare: List<String>, [default none()];
        /// What follows when a verdict, a report or a failed action asks to go back. A release that changes a schema freezes
        /// where this says `roll_back` (FIELD-6).
        on_failure: OnFailure, [default "roll_back"];
        /// To which versions a person may revert at once, past the analysis (FIELD-7).
        revert: RevertTo, [default "any"];
        /// The steps in which the old version gets its traffic back, shares rising; then it has all of it. Where there are
        /// none: all at once (FIELD-6).
        steps: List<RollbackStep>, [default none()];
    }
}

fn rollback_rules(rollback: &RollbackDraft, reader: &mut Reader) {
    at_least(reader, "returned_within", rollback.returned_within, "watch", rollback.watch);
    let steps = rollback.steps.as_deref().unwrap_or_default();
    for (index, pair) in steps.windows(2).enumerate() {
        if pair[1].share <= pair[0].share {
            let (got, before) = (pair[1].share.to_string(), pair[0].share.to_string());
            let place = (index + 1).to_string();
            reader.within("steps", |reader| {
                reader.within(&place, |reader| {
                    reader.fail_at::<()>("share", Problem::StepShare { got, before });
                });
            });
        }
    }
}

section! {
    plain
    /// A step of the way back (FIELD-6).
    RollbackStep from RollbackStepDraft, rollback_step_rules {
        /// How much of the traffic the old version has in it; above 0, below 100%.
        share: Share, [required];
        /// How long it is left at that.
        wait: Lasting, [required];
    }
}

fn rollback_step_rules(step: &RollbackStepDraft, reader: &mut Reader) {
    if let Some(share) = step.share
        && (share == Share::NONE || share == Share::ALL)
    {
        let (key, range) = ("share", "a share above 0 and below 100%: after the steps it has all");
        let got = share.to_string();
        reader.fail_at::<()>(key, Problem::OutOfRange { key, got, range });
    }
}

section! {
    plain
    /// A way back and how long it takes (PLAN-5).
    RollbackWay from RollbackWayDraft, rollback_way_rules {
        /// Which way back it is.
        kind: RollbackMethod, [required];
        /// The least time it takes; 0 or more. Without it: not said.
        least: Duration, [optional];
        /// The most time it takes, at least `least`. Without it: not said.
        most: Duration, [optional];
        /// When it can be taken, for people. Without it: always.
        condition: String, [optional];
    }
}

fn rollback_way_rules(way: &RollbackWayDraft, reader: &mut Reader) {
    rising(reader, way.least.flatten(), way.most.flatten());
}
