//! Source control: versions that rank below, impossible orders, facts known too late.

use super::fault;
use super::finding::{Finding, report};
use super::format::names;
use crate::grade::{CommitField, MergeKind, ReviewTime, RollbackMethod, VcsStep, Versioning};
use crate::policy::Policy;
use crate::policy::section::Vcs;
use crate::unit::Timestamp;
use crate::vcs::{Fix, SourceControl, VcsError};

pub(super) fn find(policy: &Policy, findings: &mut Vec<Finding>) {
    let Some(vcs) = policy.vcs() else { return };
    versions(policy, vcs, findings);
    commits(policy, vcs, findings);
    orders(vcs, findings);
}

/// Versions that rank below the release, and merges whose revert needs a parent.
fn versions(policy: &Policy, vcs: &Vcs, findings: &mut Vec<Finding>) {
    let by_identifier = Versioning::HotfixIdentifier;
    let own = (vcs.version == Some(by_identifier)).then(|| ("/vcs/version".to_owned(), ""));
    let also = vcs.also_version.iter().position(|way| *way == by_identifier);
    let also = also.map(|index| (format!("/vcs/also_version/{index}"), " as an alternative"));
    for (path, so) in own.into_iter().chain(also) {
        report! { findings, path, fault::VERSION_RANKS_BELOW,
            "versions have a hot-fix identifier{so}: 1.2.3-hotfix.1 is a pre-release and ranks below the 1.2.3 that it fixes"
        }
    }
    let methods = &policy.rollback().methods;
    let reverts = methods.iter().position(|way| way.kind == RollbackMethod::GitRevert);
    if let (MergeKind::NoFf, Some(index)) = (vcs.merge, reverts) {
        report! { findings, format!("/rollback/methods/{index}"), fault::REVERT_NEEDS_PARENT,
            "branches are merged with a merge commit, and `git_revert` is a rollback method: a revert of such a commit has to name its parent, and the branch cannot be merged a second time"
        }
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
        report! { findings, "/vcs/commit/fields", fault::KNOWN_LATER,
            "the commit message has {}, which may be known only after the deployment",
            names(&fields)
        }
    }
}

fn orders(vcs: &Vcs, findings: &mut Vec<Finding>) {
    // Any fix is good enough: the order depends only on the policy.
    let fix = Fix { description: Some("fix"), ..Fix::new("1.0.1", "1.0.0", Timestamp::default()) };
    let mut look = |path: String, order: &[VcsStep], fix: Fix<'_>| {
        // The only fault of a flow's own order can be a missing branch.
        let path = if order.is_empty() { "/vcs/merge_back".to_owned() } else { path };
        if let Err(VcsError::Order(fault)) = SourceControl::try_new(vcs, &fix) {
            report! { findings, path, fault::VCS_ORDER,
                "this order of source-control steps is impossible: {fault}"
            }
        }
    };
    look("/vcs/order".to_owned(), &vcs.order, fix);
    for (index, way) in vcs.ways.iter().enumerate() {
        let by_way = Fix { way: Some(way.id.as_str()), ..fix };
        look(format!("/vcs/ways/{index}/order"), &way.order, by_way);
    }
}
