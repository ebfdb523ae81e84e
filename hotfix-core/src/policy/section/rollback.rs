//! The rollback: methods, times, steps.

use super::TimeRange;
use super::command::CommandLine;
use super::list::{Entries, none};
use super::range::PartOfTraffic;
use crate::grade::{OnFailure, RevertTo, RollbackMethod};
use crate::policy::error::Problem;
use crate::policy::field::{Duration, Lasting, List};
use crate::policy::reader::{PolicyReader, section};
use crate::unit::{Share, Span};

section! {
    plain
    /// The rollback: its methods, its times, and what follows.
    pub Rollback from RollbackDraft, rollback_rules {
        /// How long metrics are watched at least after a rollback is complete.
        watch: Span as Lasting, [required];
        /// How long a rollback may be unconfirmed, or metrics not recovered, before someone is
        /// paged; at least `watch`.
        returned_within: Span as Lasting, [required] at least watch;
        /// The rollback methods that the policy knows. A release that names no methods of its own
        /// is rolled back with these, the fastest first and equal ones in this order.
        methods: Vec<RollbackWay> as Entries<RollbackWay>, [default none()];
        /// How long it takes to decide on a rollback.
        assess: TimeRange, [optional];
        /// How long the rollback itself takes, without the waits of `steps`.
        execute: TimeRange, [optional];
        /// How long it takes to verify the rollback.
        verify: TimeRange, [optional];
        /// How long the whole rollback is expected to take, without the waits of `steps`. This time and
        /// `execute` are for the methods in `methods`; where that is empty, for each method.
        estimate: TimeRange, [optional];
        /// Whether the start waits until the rollback point is named: by the commit or artifact in `point`
        /// of the release, or as the evidence of an item that `records` it. Without such an item there
        /// is one with the id `rollback_point`.
        point: bool, [default false];
        /// What people do after a rollback, in order.
        aftercare: Vec<String> as List<String>, [default none()];
        /// What happens if a verdict, a report or a failed action demands a rollback. With
        /// `roll_back`, a release that changes a schema freezes instead.
        on_failure: OnFailure, [default "roll_back"];
        /// To which versions a person may revert at once, without waiting for the analysis.
        revert: RevertTo, [default "any"];
        /// The steps in which the old version gets its traffic back, with rising shares; after them
        /// it has all traffic. Empty: all traffic at once.
        steps: Vec<RollbackStep> as List<RollbackStep>, [default none()];
    }
}

impl Rollback {
    /// How long the steps wait that take traffic from a fix with this share.
    pub(crate) fn waits(&self, share: Share) -> Span {
        let steps = self.steps.iter().filter(|step| step.share > share.rest());
        steps.fold(Span::ZERO, |sum, step| sum + step.wait)
    }
}

fn rollback_rules(rollback: &RollbackDraft, reader: &mut PolicyReader) {
    let shares: Vec<Share> = rollback.steps.iter().flatten().map(|step| step.share).collect();
    reader.rising("steps", "/share", &shares, |got, before| Problem::StepShare {
        got: got.to_string(),
        before: before.to_string(),
    });
}

section! {
    plain
    /// A step of the rollback: a share of the traffic and how long it is kept.
    pub RollbackStep: Copy + Eq from RollbackStepDraft {
        /// The share of the traffic that the old version gets; above 0, below 100%.
        share: Share as PartOfTraffic, [required];
        /// How long this share is kept.
        wait: Span as Lasting, [required];
    }
}

section! {
    plain
    /// A rollback method and how long it takes.
    pub RollbackWay: Eq from RollbackWayDraft {
        /// The method; each at most once.
        kind: RollbackMethod, [required];
        /// The shortest time it takes; 0 or more. Without this key it is unknown.
        least: Span as Duration, [optional];
        /// The longest time it takes, at least `least`. Without this key it is unknown.
        most: Span as Duration, [optional] at least least;
        /// When the method can be used, for people. Without this key always.
        condition: String, [optional];
        /// The commands of the method, for people: a line of a POSIX shell each, with the values of
        /// those of the procedure.
        commands: Vec<String> as List<CommandLine<false>>, [default none()];
    }
}
