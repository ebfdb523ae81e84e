//! Commit fields that are known only after the commit.

use super::fault::PeopleFault;
use super::finding::Finding;
use crate::grade::{CommitField, ReviewTime};
use crate::policy::Policy;

pub(super) fn find(policy: &Policy, findings: &mut Vec<Finding>) {
    let Some(vcs) = policy.vcs() else { return };
    let hotfixes = || policy.severities().iter().filter(|level| level.hotfix);
    let late_approval = hotfixes()
        .flat_map(|level| &level.approvals)
        .chain(policy.approvals())
        .any(|approval| approval.after_the_fact.is_some());
    let late_review = hotfixes()
        .filter_map(|level| level.review.as_ref())
        .any(|review| review.time != ReviewTime::Before);
    let later = |field: &CommitField| match field {
        CommitField::DeployedBy => true,
        CommitField::ApprovedBy => late_approval || late_review,
        _ => false,
    };
    let fields: Vec<CommitField> = vcs.commit.fields.iter().copied().filter(later).collect();
    if !fields.is_empty() {
        let fault = PeopleFault::KnownLater { fields };
        findings.push(Finding::new("/vcs/commit/fields".to_owned(), fault, None));
    }
}
