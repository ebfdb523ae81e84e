//! The rollback, and the steps for another attempt.

use serde::Serialize;

use super::Command;
use super::name::next_try;
use super::release_context::{ReleaseContext, Site, is_merged_first};
use super::step::{Step, VcsStepKind, git, is_ancestor, record};
use super::version::version_of_next_try;
use crate::grade::{MergeKind, VcsStep};
use crate::unit::RefName;

/// The rollback of the fix in source control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VcsRollback {
    /// The rollback steps, in order. They work in every clone.
    pub steps: Vec<Step>,
    /// The first steps of another attempt. Merging the same branch again would change nothing.
    pub again: Vec<Step>,
}

pub(super) fn rollback(context: &ReleaseContext<'_>) -> VcsRollback {
    let live = context.live.as_ref().filter(|_| context.order.contains(&VcsStep::Tag));
    let previous = live.map_or(context.previous.as_str(), RefName::as_str);
    let deploy = Step::new(VcsStepKind::DeployPrevious, format!("Deploy {previous}"))
        .of(previous)
        .why("Use the release's fastest rollback method.")
        .people("Use your own tool, or check that the push of the revert has deployed it.");

    let reached = context.reached();
    // People may have merged the fix back to the others.
    let by_duty = context.home.iter().filter(|target| !reached.contains(target));
    let mut reverts = reached.iter().copied().chain(by_duty).map(|target| revert(context, target));
    let mut steps = vec![fetch(context)];
    if is_merged_first(&context.order) {
        // A deployment from a branch is rolled back with that branch.
        steps.extend(reverts.by_ref().take(1.min(reached.len())));
    }
    steps.push(deploy);
    steps.extend(reverts);

    let mut again = vec![fetch(context)];
    again.extend(try_again(context));
    VcsRollback { steps, again }
}

/// The steps by which another attempt continues this fix on its own branch, before its commit.
/// `fresh` makes the branch if there is nothing to continue.
pub(super) fn continue_on(
    context: &ReleaseContext<'_>,
    former: &ReleaseContext<'_>,
    branch: &RefName,
    fresh: Step,
) -> Vec<Step> {
    let mut steps = vec![fetch(former)];
    for target in context.home.iter().filter(|target| context.restores(target)) {
        let (reverted, own) = (former.reverted(target), context.reverted(target));
        let title = format!("Record the revert on {target} under {}", context.version);
        let push = ReleaseContext::push_records(&[&own]);
        steps.push(
            Step::new(VcsStepKind::Fetch, title)
                .of(target.as_str())
                .why("It is reverted before the merge there, in this attempt or the next.")
                .only_if(recorded(&reverted), true)
                .run([git(&["update-ref", &own, &reverted]), push]),
        );
    }
    steps.push(fresh.only_if(recorded(&former.fix()), false));
    let mut next = next_branch(former, branch.as_str());
    if let Some(from_fix) = next.pop() {
        // Neither of the steps before it has made the branch.
        next.push(from_fix.only_if(recorded(&format!("refs/heads/{branch}")), false));
    }
    steps.extend(next);
    steps
}

/// The steps by which another attempt continues this fix on the trunk, before its commit. `fresh`
/// updates the trunk.
pub(super) fn continue_on_trunk(former: &ReleaseContext<'_>, fresh: Step) -> Vec<Step> {
    let why = "Correct the fix before you commit it.";
    vec![fetch(former), fresh, restore_uncommitted(former, former.site.name()).why(why)]
}

fn fetch(context: &ReleaseContext<'_>) -> Step {
    Step::new(VcsStepKind::Fetch, "Fetch branches, tags and hot-fix references")
        .run(context.fetch())
}

fn recorded(record: &str) -> Command {
    git(&["rev-parse", "--verify", "--quiet", record])
}

fn revert(context: &ReleaseContext<'_>, target: &RefName) -> Step {
    let (merged, reverted) = (context.merged(target), context.reverted(target));
    let step = Step::new(VcsStepKind::Revert, format!("Revert the fix on {target}"))
        .of(target.as_str())
        .only_if(recorded(&merged), true)
        .run(ReleaseContext::take_up(target));
    let step = if context.as_range(target) {
        // One commit for all of them, so that one revert restores them. `-m 1` applies to merges
        // among them and has no effect on other commits.
        let range = format!("{}..{merged}", context.before(target));
        let commit = git(&["commit", "-m", &context.about("Revert: ")]);
        step.why("This reverts all commits that brought the fix to the branch, as one commit.")
            .run([git(&["revert", "--no-commit", "-m", "1", "--first-parent", &range]), commit])
    } else if context.merge == MergeKind::Squash {
        step.run([git(&["revert", "--no-edit", &merged])])
    } else {
        step.why("A merge has two parents: `-m 1` selects the parent on this branch, and git requires it.")
            .run([git(&["revert", "--no-edit", "-m", "1", &merged])])
    };
    let push = git(&["push", "origin", target.as_str()]);
    step.run([record(&reverted), push, ReleaseContext::push_records(&[&reverted])])
}

fn try_again(context: &ReleaseContext<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    match &context.site {
        Site::Branch { name, .. } => {
            let next = next_try(name.as_str());
            steps.extend(next_branch(context, &next));
            steps.push(go_on(context, Some(&next)));
        }
        Site::Trunk(trunk) => {
            steps.push(go_on(context, None));
            let why = "Do this after the first step of the new plan, and correct the fix before its commit.";
            steps.push(restore_uncommitted(context, trunk).why(why));
        }
    }
    for target in context.home.iter().filter(|target| context.restored_elsewhere(target)) {
        let revert = git(&["revert", "--no-edit", &context.reverted(target)]);
        let why = format!(
            "A correction merges only onto the fix that it corrects. Do this directly before the new plan's merge into {target}, and revert it if the new version is rolled back."
        );
        steps.push(
            revert_revert(context, target)
                .why(why)
                .run(ReleaseContext::take_up(target))
                .run([revert, git(&["push", "origin", target.as_str()])]),
        );
    }
    steps
}

fn revert_revert(context: &ReleaseContext<'_>, target: &RefName) -> Step {
    let reverted = context.reverted(target);
    // What was picked there and reverted is picked completely by the next attempt.
    let was_merged = if context.named.contains(target) {
        is_ancestor(&context.start(), &reverted)
    } else {
        recorded(&reverted)
    };
    Step::new(VcsStepKind::RevertRevert, format!("Revert the revert on {target}"))
        .of(target.as_str())
        .only_if(was_merged, true)
}

/// The steps before the merge into a branch that may have the previous attempt's branch and its
/// revert. The recorded range begins before them, so that a rollback reverts them, too. `push` if
/// the merge is not made in this clone.
pub(super) fn restore(context: &ReleaseContext<'_>, target: &RefName, push: bool) -> Vec<Step> {
    if !context.restores(target) {
        return Vec::new();
    }
    let update = Step::new(VcsStepKind::TakeUp, format!("Update {target}"))
        .of(target.as_str())
        .run(ReleaseContext::take_up(target))
        .run([record(&context.before(target))]);
    let reverted = context.reverted(target);
    let pushed = push.then(|| git(&["push", "origin", target.as_str()]));
    let mut why = "A correction merges only onto the fix that it corrects.".to_owned();
    if push {
        let until =
            format!(" Until the merge {target} contains the failed fix: deploy nothing from it.");
        why.push_str(&until);
    }
    // Nothing is left to restore on this branch, so the record of the revert is removed.
    let forget =
        [git(&["update-ref", "-d", &reverted]), git(&["push", "origin", "--delete", &reverted])];
    let step = revert_revert(context, target).why(why);
    vec![update, step.run([git(&["revert", "--no-edit", &reverted])]).run(pushed).run(forget)]
}

/// The steps that make the next branch, with the fix. The last one branches from the fix itself.
fn next_branch(context: &ReleaseContext<'_>, branch: &str) -> Vec<Step> {
    // Continues with a branch that was never merged, or not into its base.
    let from_fix = Step::new(VcsStepKind::Branch, format!("Branch {branch} from the fix"))
        .of(branch)
        .run([git(&["switch", "--create", branch, &context.fix()])]);
    let Some(base) = context.site.base_branch() else { return vec![from_fix] };
    if context.merge == MergeKind::Squash {
        return vec![from_fix];
    }
    let reverted = context.reverted(base);
    let title = format!("Branch {branch} from {base}, with the revert reverted");
    let why = format!(
        "{base} has the fix and its revert: merging the same branch again would change nothing."
    );
    let step = Step::new(VcsStepKind::RevertRevert, title)
        .of(branch)
        .why(why)
        .only_if(recorded(&reverted), true)
        .run(ReleaseContext::take_up(base))
        .run([git(&["switch", "--create", branch]), git(&["revert", "--no-edit", &reverted])]);
    vec![step, from_fix.only_if(recorded(&reverted), false)]
}

/// Restores a fix that was a commit on the trunk.
fn restore_uncommitted(context: &ReleaseContext<'_>, trunk: &RefName) -> Step {
    let reverted = context.reverted(trunk);
    let title = format!("Restore the fix on {trunk}, uncommitted");
    Step::new(VcsStepKind::RevertRevert, title)
        .of(trunk.as_str())
        .only_if(recorded(&reverted), true)
        .run([git(&["revert", "--no-commit", &reverted])])
}

fn go_on(context: &ReleaseContext<'_>, branch: Option<&str>) -> Step {
    let next = version_of_next_try(context.version, &context.previous, &context.versioning());
    let version = next.unwrap_or_else(|| "the next version".to_owned());
    let people = match branch {
        Some(branch) => format!(
            "Create a new plan for {version} and the branch {branch}, correct the fix, and follow the plan from its commit step."
        ),
        None => format!("Create a new plan for {version}, and do its first step."),
    };
    let mut step = Step::new(VcsStepKind::GoOn, "Follow a new plan").people(people);
    if let Some(tag) = &context.tag {
        step.why = format!("Keep {tag} where it is: never move or reuse a published tag.");
    }
    step
}
