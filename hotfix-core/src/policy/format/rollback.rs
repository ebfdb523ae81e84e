//! The rollback workflow (ROLL-5, PLAN-5).

use super::list::{none, rising};
use super::rule::at_least;
use crate::grade::RollbackMethod;
use crate::policy::field::{Duration, Lasting, List};
use crate::policy::reader::{Reader, section};
use crate::policy::section::{Rollback, RollbackWay, TimeRange};

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
    }
}

fn rollback_rules(rollback: &RollbackDraft, reader: &mut Reader) {
    at_least(reader, "returned_within", rollback.returned_within, "watch", rollback.watch);
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
