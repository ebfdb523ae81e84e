//! The rollback, and the steps for another attempt.

use serde::Serialize;

use super::command::git;
use super::release_context::{Base, ReleaseContext};
use super::step::{Step, VcsStepKind};
use super::version::version_of_next_try;
use super::{Command, VcsError};
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

pub(super) fn way(context: &ReleaseContext<'_>) -> Result<VcsRollback, VcsError> {
    let fetch = || -> Result<Step, VcsError> {
        Ok(Step::new(VcsStepKind::Fetch, "Fetch branches, tags and hot-fix references")
            .run(context.fetch()?))
    };
    let live = context.live.as_ref().filter(|_| context.order.contains(&VcsStep::Tag));
    let previous = live.map_or(context.previous.as_str(), RefName::as_str);
    let deploy = Step::new(VcsStepKind::DeployPrevious, format!("Deploy {previous}"))
        .of(previous)
        .why("Use the release's fastest rollback method.")
        .people("Use your own tool, or check that the push of the revert has deployed it.");

    let mut reverts = Vec::new();
    for target in context.reached() {
        reverts.push(revert(context, target)?);
    }
    let place = |step| context.order.iter().position(|&other| other == step);
    let merged_first = match (place(VcsStep::Merge), place(VcsStep::Deploy)) {
        (Some(merge), Some(deploy)) => merge < deploy,
        (_, None) => true,
        (None, Some(_)) => context.branch.is_none(),
    };
    let mut steps = vec![fetch()?];
    if merged_first {
        // A deployment from a branch is rolled back with that branch.
        steps.extend(reverts.drain(..1.min(reverts.len())));
    }
    steps.push(deploy);
    steps.extend(reverts);

    let mut again = vec![fetch()?];
    again.extend(try_again(context)?);
    Ok(VcsRollback { steps, again })
}

/// Whether a reference exists.
fn recorded(record: &str) -> Result<Command, VcsError> {
    git(["rev-parse", "--verify", "--quiet", record])
}

fn revert(context: &ReleaseContext<'_>, target: &RefName) -> Result<Step, VcsError> {
    let (merged, reverted) = (context.merged(target), context.reverted(target));
    let mut commands = ReleaseContext::take_up(target)?;
    let why = if context.as_range() {
        // One commit for all of them, so that one revert restores them. `-m 1` applies to merges
        // among them and has no effect on other commits.
        let range = format!("{}..{merged}", context.before(target));
        commands.push(git(["revert", "--no-commit", "-m", "1", "--first-parent", &range])?);
        commands.push(git(["commit", "-m", &context.about("Revert: ")])?);
        "This reverts all commits that brought the fix to the branch, as one commit."
    } else if context.merge == MergeKind::Squash {
        commands.push(git(["revert", "--no-edit", &merged])?);
        ""
    } else {
        commands.push(git(["revert", "--no-edit", "-m", "1", &merged])?);
        "A merge has two parents: `-m 1` selects the parent on this branch, and git requires it."
    };
    commands.push(git(["update-ref", &reverted, "HEAD"])?);
    commands.push(git(["push", "origin", target.as_str()])?);
    commands.push(ReleaseContext::push_records(&[&reverted])?);
    Ok(Step::new(VcsStepKind::Revert, format!("Revert the fix on {target}"))
        .of(target.as_str())
        .why(why)
        .only_if(recorded(&merged)?, true)
        .run(commands))
}

fn try_again(context: &ReleaseContext<'_>) -> Result<Vec<Step>, VcsError> {
    let mut steps = Vec::new();
    for target in context.reached() {
        // A squashed and reverted fix leaves no trace that git merges by.
        let squashed = context.branch.is_some() && context.merge == MergeKind::Squash;
        if squashed || context.base.name() == target.as_str() {
            continue;
        }
        let reverted = context.reverted(target);
        let mut commands = ReleaseContext::take_up(target)?;
        commands.push(git(["revert", "--no-edit", &reverted])?);
        commands.push(git(["push", "origin", target.as_str()])?);
        let why = format!(
            "A correction merges only onto the fix that it corrects. Until then {target} contains the failed fix: deploy nothing from it."
        );
        steps.push(
            Step::new(VcsStepKind::RevertRevert, format!("Revert the revert on {target}"))
                .of(target.as_str())
                .why(why)
                .only_if(recorded(&reverted)?, true)
                .run(commands),
        );
    }
    let next = context.branch.as_ref().map(|branch| next_try(branch.as_str()));
    match (&next, &context.base) {
        (Some(branch), Base::Branch(base)) if context.merge != MergeKind::Squash => {
            let reverted = context.reverted(base);
            let mut commands = ReleaseContext::take_up(base)?;
            commands.push(git(["switch", "--create", branch])?);
            commands.push(git(["revert", "--no-edit", &reverted])?);
            let step = Step::new(
                VcsStepKind::RevertRevert,
                format!("Branch {branch} from {base}, with the revert reverted"),
            );
            let why = format!(
                "{base} has the fix and its revert: merging the same branch again would change nothing."
            );
            steps.push(step.of(branch).why(why).only_if(recorded(&reverted)?, true).run(commands));
            let step = go_on_from_fix(context, branch)?;
            steps.push(step.only_if(recorded(&reverted)?, false));
        }
        (Some(branch), _) => steps.push(go_on_from_fix(context, branch)?),
        (None, Base::Branch(trunk)) => {
            // The new plan records the trunk before anything changes there.
            steps.push(go_on(context, None));
            let reverted = context.reverted(trunk);
            let commands = vec![git(["revert", "--no-commit", &reverted])?];
            let step = Step::new(
                VcsStepKind::RevertRevert,
                format!("Restore the fix on {trunk}, uncommitted"),
            );
            let why = "Do this after the first step of the new plan, and correct the fix before its commit.";
            steps.push(
                step.of(trunk.as_str()).why(why).only_if(recorded(&reverted)?, true).run(commands),
            );
            return Ok(steps);
        }
        (None, Base::Tag(_)) => {}
    }
    steps.push(go_on(context, next.as_deref()));
    Ok(steps)
}

/// Continues with a branch that was never merged, or not into its base.
fn go_on_from_fix(context: &ReleaseContext<'_>, branch: &str) -> Result<Step, VcsError> {
    let commands = vec![git(["switch", "--create", branch, &context.fix()])?];
    let step = Step::new(VcsStepKind::Branch, format!("Branch {branch} from the fix"));
    Ok(step.of(branch).run(commands))
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

/// The branch of the next attempt: `x-try-2` after `x`, then `x-try-3`.
fn next_try(name: &str) -> String {
    let (stem, number) = name.rsplit_once("-try-").unwrap_or((name, "1"));
    match number.parse::<u32>().ok().and_then(|number| number.checked_add(1)) {
        Some(number) => format!("{stem}-try-{number}"),
        None => format!("{name}-try-2"),
    }
}
