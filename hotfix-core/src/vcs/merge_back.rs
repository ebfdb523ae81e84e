//! Merge back: branches that lack a live fix would lose it with the next release.

use serde::Serialize;

use super::Command;
use super::flow::bring;
use super::release_context::ReleaseContext;
use super::rollback::restore;
use super::step::{Step, VcsStepKind, git, record};
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
    /// The steps that bring the fix, if it lacks it.
    pub steps: Vec<Step>,
}

pub(super) fn merge_back(context: &ReleaseContext<'_>) -> MergeBack {
    let reached = context.reached();
    let branch = |target: &RefName| {
        let planned = reached.contains(&target);
        let picked = is_picked(context, target);
        let squashed = context.site.branch().is_some() && context.merge == MergeKind::Squash;
        let requested = context.requested_into() == Some(target);
        let known =
            if picked || squashed || requested { context.merged(target) } else { context.fix() };
        let remote = format!("refs/remotes/origin/{target}");
        let has = git(&["merge-base", "--is-ancestor", &known, &remote]);
        let steps = steps(context, target);
        MergeBackBranch { branch: target.to_string(), planned, has, steps }
    };
    MergeBack { inspect: context.fetch(), branches: context.home.iter().map(branch).collect() }
}

/// From the trunk, a commit is picked: a merge would bring all other changes of the trunk.
fn is_picked(context: &ReleaseContext<'_>, target: &RefName) -> bool {
    context.site.trunk().is_some_and(|trunk| trunk != target)
}

/// The steps that bring the fix to a branch.
pub(super) fn steps(context: &ReleaseContext<'_>, target: &RefName) -> Vec<Step> {
    let (title, commands) = if is_picked(context, target) {
        (format!("Cherry-pick the fix to {target}"), pick(context, target))
    } else {
        (format!("Merge the fix into {target}"), bring(context, target, &context.fix()))
    };
    let mut steps = restore(context, target, false);
    steps.push(Step::new(VcsStepKind::MergeBack, title).of(target.as_str()).run(commands));
    steps
}

fn pick(context: &ReleaseContext<'_>, target: &RefName) -> Vec<Command> {
    let mut commands = ReleaseContext::take_up(target);
    let (before, merged) = (context.before(target), context.merged(target));
    commands.push(record(&before));
    if let Some(trunk) = context.reached().first() {
        let range = format!("{}..{}", context.before(trunk), context.merged(trunk));
        commands.push(git(&["cherry-pick", "-x", "-m", "1", "--first-parent", &range]));
    }
    commands.extend([
        record(&merged),
        git(&["push", "origin", target.as_str()]),
        ReleaseContext::push_records(&[&before, &merged]),
    ]);
    commands
}
