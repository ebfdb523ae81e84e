//! Merge back: branches that lack a live fix would lose it with the next release.

use serde::Serialize;

use super::Command;
use super::flow::bring;
use super::release_context::ReleaseContext;
use super::rollback::restore;
use super::step::{Step, VcsStepKind, git, is_ancestor, record};
use crate::grade::MergeKind;
use crate::unit::RefName;

/// The branches that must get the fix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MergeBack {
    /// Commands to run before the branches are checked.
    pub inspect: Vec<Command>,
    /// The branches. Each is a duty until it has the fix.
    pub branches: Vec<MergeBackBranch>,
}

/// A branch that must have the fix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MergeBackBranch {
    /// Its name.
    pub branch: String,
    /// Whether a step of the plan brings the fix here.
    pub planned: bool,
    /// Exits with zero if the branch has had the fix on the remote, and with another status if it
    /// never had. A fix that is squashed, picked or merged by a pull request is only known from the
    /// plan's references: merged another way, it counts as missing. A fix that the rollback
    /// reverted counts as merged, because it is no longer live and no longer due.
    pub has: Command,
    /// The steps that bring the fix, if it lacks it. Where the branch of a release lacks what the fix is
    /// based on, only the fix's commits are picked.
    pub steps: Vec<Step>,
}

pub(super) fn merge_back(context: &ReleaseContext<'_>) -> MergeBack {
    let reached = context.reached();
    let branch = |target: &RefName| {
        let planned = reached.contains(&target);
        let picked = is_picked(context, target) || context.named.contains(target);
        let squashed = context.site.branch().is_some() && context.merge == MergeKind::Squash;
        let requested = context.requested_into() == Some(target);
        let known =
            if picked || squashed || requested { context.merged(target) } else { context.fix() };
        let remote = format!("refs/remotes/origin/{target}");
        let has = is_ancestor(&known, &remote);
        let steps = steps(context, target);
        MergeBackBranch { branch: target.to_string(), planned, has, steps }
    };
    MergeBack { inspect: context.fetch(), branches: context.home.iter().map(branch).collect() }
}

/// From the trunk, a commit is picked: a merge would bring all other changes of the trunk.
fn is_picked(context: &ReleaseContext<'_>, target: &RefName) -> bool {
    context.site.trunk().is_some_and(|trunk| trunk != target)
}

/// The steps that bring the fix to a branch, without those of the release.
pub(super) fn steps(context: &ReleaseContext<'_>, target: &RefName) -> Vec<Step> {
    if is_picked(context, target) {
        return vec![pick(context, target)];
    }
    let merge = Step::new(VcsStepKind::MergeBack, format!("Merge the fix into {target}"));
    let merge = merge.of(target.as_str()).run(bring(context, target, &context.fix()));
    let mut steps = restore(context, target, false);
    steps.extend(merge_or_pick(context, target, merge));
    steps
}

/// A branch that the release names may be older than what the fix is based on. A merge would bring all
/// that was added in between, so the fix alone is picked there.
pub(super) fn merge_or_pick(
    context: &ReleaseContext<'_>,
    target: &RefName,
    merge: Step,
) -> Vec<Step> {
    if !context.named.contains(target) {
        return vec![merge];
    }
    let has_base = is_ancestor(&context.start(), &format!("refs/remotes/origin/{target}"));
    let base = context.site.base();
    let why = format!("{target} lacks what {base} has: a merge would bring all of it.");
    let pick = pick(context, target).why(why).only_if(has_base.clone(), false);
    vec![merge.only_if(has_base, true), pick]
}

fn pick(context: &ReleaseContext<'_>, target: &RefName) -> Step {
    let (before, merged) = (context.before(target), context.merged(target));
    let mut pick = vec!["cherry-pick", "-x"];
    let end = match context.site.trunk() {
        Some(trunk) => {
            pick.extend(["-m", "1", "--first-parent"]);
            context.merged(trunk)
        }
        None => context.fix(),
    };
    let range = format!("{}..{end}", context.start());
    let raised = format!("^{}", context.vcs.commit.version_subject(""));
    // A line that is maintained has versions of its own.
    if context.version_commit && context.named.contains(target) {
        pick.extend(["--invert-grep", "--grep", &raised]);
    }
    pick.push(&range);
    Step::new(VcsStepKind::MergeBack, format!("Cherry-pick the fix to {target}"))
        .of(target.as_str())
        .run(ReleaseContext::take_up(target))
        .run([record(&before), git(&pick), record(&merged)])
        .run([
            git(&["push", "origin", target.as_str()]),
            ReleaseContext::push_records(&[&before, &merged]),
        ])
}
