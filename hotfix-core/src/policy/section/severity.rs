//! Severities with their demands: approvals, review, testing.

use super::list::{NamedTable, Once, none};
use super::range::Approvers;
use crate::document::Node;
use crate::fact::Condition;
use crate::grade::{ReviewTime, Severity};
use crate::policy::error::Problem;
use crate::policy::field::{Duration, HowMany, Lasting, List, TextOrNone};
use crate::policy::reader::{Narrowed, PolicyReader, section};
use crate::sorting::sort_by_key;
use crate::text::{joined, line};
use crate::unit::{RoleName, Span};

impl Approval {
    /// Whether the start waits for the approval: it is blocking, and may not be given afterwards.
    pub const fn holds_start(&self) -> bool {
        self.blocking && self.after_the_fact.is_none()
    }
}

section! {
    plain
    /// A severity of the policy, with its demands for approval, review and testing.
    pub SeverityLevel from SeverityLevelDraft with
        /// The severity.
        severity: Severity
    {
        /// Your name for it, such as `critical`.
        label: String, [required];
        /// What belongs to this severity, in a sentence: shown where a severity is chosen or explained.
        definition: String as TextOrNone, [default ""];
        /// Whether it is answered with a hot-fix; otherwise the fix goes through the normal
        /// process.
        hotfix: bool, [required];
        /// How its process differs from the normal one, for people.
        process: String as TextOrNone, [default ""];
        /// The approvals that are needed, in addition to those of the whole policy; all must be
        /// given. One approval counts for each of them that its role may give.
        approvals: Vec<Approval> as List<Approval>, [default none()];
        /// The review that it demands. Without this key none.
        review: Review, [optional];
        /// The testing that it demands. Without this key none.
        testing: Testing, [optional];
    }
}

impl SeverityLevel {
    /// What belongs to it, in a sentence. None where the policy does not say.
    pub fn definition(&self) -> Option<&str> {
        Some(self.definition.as_str()).filter(|text| !text.is_empty())
    }
}

/// Severities to choose from, each with what belongs to it: `` `P0` (complete outage), `P1` ``.
pub(crate) fn choices(levels: &[SeverityLevel]) -> String {
    let choice = |level: &SeverityLevel| {
        let what = level.definition().map_or_else(String::new, |of| format!(" ({})", line(of)));
        format!("`{}`{what}", level.severity)
    };
    joined(levels.iter().map(choice), ", ")
}

section! {
    plain
    /// One approval that is needed.
    pub Approval: Eq from ApprovalDraft {
        /// The roles of which any one may give the approval.
        any_of: Vec<RoleName> as Approvers, [required];
        /// Whether verbal approval is accepted.
        verbal: bool, [default false];
        /// How long after the start the approval may be given, above 0; the start does not wait for
        /// it. Without this key the approval is needed before the start.
        after_the_fact: Span as Lasting, [optional];
        /// The roles that are notified of the approval.
        notified: Vec<RoleName> as List<RoleName>, [default none()];
        /// Whether the rollout waits for the approval. One for which nothing waits is requested once, with
        /// `after_the_fact` every `ask_again`.
        blocking: bool, [default true];
        /// Whether the author of the fix may give the approval.
        author_alone: bool, [default false];
    }
}

section! {
    plain
    /// The review of the change.
    pub Review: Eq from ReviewDraft {
        /// When the review takes place: before the deployment, after it, or either.
        time: ReviewTime, [required];
        /// How many people have to review the change, for people: the plan says it, but nobody counts them.
        /// One check clears a review item; an item for each reviewer makes the start wait for all.
        approvers: u32 as HowMany, [default 1.0];
        /// The role that reviews, for people: an input that checks an item names a person and no
        /// role. Whatever the role, the author of the fix cannot check a review item.
        role: RoleName, [optional];
        /// The shortest time that the review takes.
        least: Span as Duration, [optional];
        /// The longest time that the review may take; at least `least`.
        most: Span as Lasting, [optional] at least least;
        /// The questions that reviewers have to answer.
        questions: Vec<String> as List<String>, [default none()];
    }
}

section! {
    plain
    /// The testing of the change.
    pub Testing from TestingDraft, testing_rules {
        /// The shortest time that testing takes.
        least: Span as Duration, [optional];
        /// The longest time that testing may take; at least `least`.
        most: Span as Lasting, [optional] at least least;
        /// Whether the fix has to pass staging first.
        staging: bool, [default false];
        /// With `staging = true`: the condition under which staging may be skipped. Without this
        /// key never.
        skip_staging_when: Condition, [optional];
        /// The tests that are demanded, for people.
        demands: Vec<String> as List<String>, [default none()];
    }
}

fn testing_rules(testing: &TestingDraft, reader: &mut PolicyReader) {
    if testing.staging == Some(false) && matches!(testing.skip_staging_when, Some(Some(_))) {
        let (key, needs) = ("skip_staging_when", "`staging` as `true`");
        reader.fail_at::<()>(key, Problem::KeyNeeds { key, needs });
    }
}

impl NamedTable for SeverityLevel {
    const NAMES: &'static [&'static str] = Severity::NAMES;
    const ABOUT: [&'static str; 2] = ["The severity ", " and its demands."];

    fn name(&self) -> &'static str {
        self.severity.as_str()
    }

    fn note(names: &[&'static str], reader: &mut PolicyReader) {
        let known = names.iter().filter_map(|name| name.parse().ok());
        reader.known.severities = Some(known.collect());
    }
}

/// Some severities of the policy, each at most once; sorted, the most severe first.
pub(super) struct NamedSeverities;

impl Narrowed for NamedSeverities {
    type Of = Once<KnownSeverity>;

    fn check(mut named: Vec<Severity>, _: &Node, _: &mut PolicyReader) -> Option<Vec<Severity>> {
        sort_by_key(&mut named, |severity| *severity);
        Some(named)
    }
}

pub(super) struct KnownSeverity;

impl Narrowed for KnownSeverity {
    type Of = Severity;

    fn check(severity: Severity, _: &Node, reader: &mut PolicyReader) -> Option<Severity> {
        match &reader.known.severities {
            Some(known) if !known.contains(&severity) => {
                let known = known.iter().map(|known| known.as_str()).collect();
                reader.fail(Problem::UnknownSeverity { got: severity.as_str(), known })
            }
            // The severities of the policy could not be read, which has been reported.
            _ => Some(severity),
        }
    }
}
