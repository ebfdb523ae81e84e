//! The possible orders of steps.

use super::OrderFault;
use crate::grade::{Flow, VcsStep};

/// The steps of a flow if the policy lists none.
pub const fn own_order(flow: Flow) -> &'static [VcsStep] {
    use VcsStep::{Branch, Commit, DeleteBranch, Deploy, Merge, MergeBack, PullRequest, Push, Tag};
    match flow {
        Flow::GitFlow => &[Branch, Commit, Push, Merge, Tag, Deploy, MergeBack, DeleteBranch],
        Flow::GithubFlow => &[Branch, Commit, Push, PullRequest, Merge, Deploy],
        Flow::Trunk => &[Commit, Push, Deploy],
        Flow::ProductionTag => &[Branch, Commit, Tag, Push, Deploy, MergeBack, DeleteBranch],
    }
}

/// The fault of this order of steps, if it has one. With `trunk`, the fix may be a commit on the
/// trunk.
pub fn order_fault(order: &[VcsStep], trunk: bool) -> Option<OrderFault> {
    let place = |step: VcsStep| order.iter().position(|&other| other == step);
    let before = |step: VcsStep, needs: VcsStep| match (place(step), place(needs)) {
        (Some(at), Some(first)) => at < first,
        (Some(_), None) => true,
        (None, _) => false,
    };
    let branches = place(VcsStep::Branch).is_some();
    if place(VcsStep::Commit).is_none() {
        return Some(OrderFault::Missing { step: VcsStep::Commit });
    }
    if !branches && !trunk {
        return Some(OrderFault::Missing { step: VcsStep::Branch });
    }
    for &step in order {
        let needs = match step {
            VcsStep::Branch => continue,
            VcsStep::Commit if !branches => continue,
            VcsStep::Commit => VcsStep::Branch,
            VcsStep::PullRequest if before(step, VcsStep::Push) => VcsStep::Push,
            // Without a branch there is nothing to merge, request or delete.
            VcsStep::PullRequest | VcsStep::Merge | VcsStep::MergeBack | VcsStep::DeleteBranch
                if !branches =>
            {
                VcsStep::Branch
            }
            _ => VcsStep::Commit,
        };
        if before(step, needs) {
            return Some(OrderFault::Before { step, needs });
        }
    }
    let late = |step: VcsStep, needs: VcsStep| place(needs).is_some() && before(step, needs);
    // A pull request is opened before its merge.
    if late(VcsStep::Merge, VcsStep::PullRequest) {
        return Some(OrderFault::Before { step: VcsStep::Merge, needs: VcsStep::PullRequest });
    }
    let merged = |step| place(step).is_some() && !before(VcsStep::DeleteBranch, step);
    let step = VcsStep::DeleteBranch;
    place(step)?;
    if !merged(VcsStep::Merge) && !merged(VcsStep::MergeBack) {
        return Some(OrderFault::Lost);
    }
    // Steps that name the branch come while it exists.
    let uses = [VcsStep::Push, VcsStep::PullRequest, VcsStep::Merge, VcsStep::MergeBack];
    // Without a tag or a merge before it, the branch itself is deployed.
    let deploys_it =
        before(VcsStep::Deploy, VcsStep::Tag) && before(VcsStep::Deploy, VcsStep::Merge);
    let mut uses = uses.into_iter().chain(deploys_it.then_some(VcsStep::Deploy));
    uses.find(|&needs| late(step, needs)).map(|needs| OrderFault::Before { step, needs })
}
