//! Source control: versions that rank below, impossible orders, facts known too late.

use super::fault::{FigureFault, PeopleFault};
use super::finding::{Finding, put};
use crate::grade::{CommitField, MergeKind, ReviewTime, RollbackMethod, VcsStep, Versioning};
use crate::policy::Policy;
use crate::policy::section::Vcs;
use crate::unit::Timestamp;
use crate::vcs::{Fix, SourceControl, VcsError, own_order};

pub(super) fn find(policy: &Policy, findings: &mut Vec<Finding>) {
    let Some(vcs) = policy.vcs() else { return };
    versions(policy, vcs, findings);
    commits(policy, vcs, findings);
    orders(vcs, findings);
    if vcs.pull_request.is_some() && !opens_pull_request(vcs) {
        put(findings, "/vcs/pull_request", PeopleFault::NoPullRequest {});
    }
}

/// Whether the order of the policy, of one of its ways or of another flow has a pull request.
fn opens_pull_request(vcs: &Vcs) -> bool {
    let has_it = |order: &[VcsStep], flow| {
        let order = if order.is_empty() { own_order(flow) } else { order };
        order.contains(&VcsStep::PullRequest)
    };
    has_it(&vcs.order, vcs.flow)
        || vcs.ways.iter().any(|way| has_it(&way.order, way.flow))
        || vcs.also.iter().any(|flow| has_it(&[], *flow))
}

/// Versions that rank below the release, and merges whose revert needs a parent.
fn versions(policy: &Policy, vcs: &Vcs, findings: &mut Vec<Finding>) {
    let by_identifier = Versioning::HotfixIdentifier;
    if vcs.version == Some(by_identifier) {
        let fault = FigureFault::VersionRanksBelow { also: false };
        put(findings, "/vcs/version".to_owned(), fault);
    }
    if let Some(index) = vcs.also_version.iter().position(|way| *way == by_identifier) {
        let fault = FigureFault::VersionRanksBelow { also: true };
        put(findings, format!("/vcs/also_version/{index}"), fault);
    }
    let methods = &policy.rollback().methods;
    let reverts = methods.iter().position(|way| way.kind == RollbackMethod::GitRevert);
    if let (MergeKind::NoFf, Some(index)) = (vcs.merge, reverts) {
        put(findings, format!("/rollback/methods/{index}"), FigureFault::RevertNeedsParent {});
    }
}

/// Fields that are known only after the commit.
fn commits(policy: &Policy, vcs: &Vcs, findings: &mut Vec<Finding>) {
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
        put(findings, "/vcs/commit/fields", PeopleFault::KnownLater { fields });
    }
}

fn orders(vcs: &Vcs, findings: &mut Vec<Finding>) {
    // Any fix is good enough: the order depends only on the policy.
    let fix = Fix { description: Some("fix"), ..Fix::new("1.0.1", "1.0.0", Timestamp::default()) };
    let mut look = |path: String, order: &[VcsStep], fix: Fix<'_>| {
        // The only fault of a flow's own order can be a missing branch.
        let path = if order.is_empty() { "/vcs/merge_back".to_owned() } else { path };
        if let Err(VcsError::Order(fault)) = SourceControl::try_new(vcs, &fix) {
            put(findings, path, PeopleFault::VcsOrder { fault });
        }
    };
    look("/vcs/order".to_owned(), &vcs.order, fix);
    for (index, way) in vcs.ways.iter().enumerate() {
        let by_way = Fix { way: Some(way.id.as_str()), ..fix };
        look(format!("/vcs/ways/{index}/order"), &way.order, by_way);
    }
}
