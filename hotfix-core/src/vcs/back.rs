//! The way back, and how to try again after it (VCS-6).

use serde::Serialize;

use super::command::git;
use super::course::{Base, Course};
use super::step::{Step, VcsStepKind};
use super::version::version_of_next_try;
use super::{Command, VcsError};
use crate::grade::{MergeKind, VcsStep};
use crate::unit::RefName;

/// How the fix is taken out again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WayBack {
    /// The steps back, in order. Every clone can take them.
    pub steps: Vec<Step>,
    /// The steps that come first when the fix is tried again: merging the same branch once more brings nothing back.
    pub again: Vec<Step>,
}

pub(super) fn way(course: &Course<'_>) -> Result<WayBack, VcsError> {
    let fetch = || -> Result<Step, VcsError> {
        Ok(Step::new(VcsStepKind::Fetch, "Get branches, tags and records").run(course.fetch()?))
    };
    let live = course.live.as_ref().filter(|_| course.order.contains(&VcsStep::Tag));
    let previous = live.map_or(course.previous.as_str(), RefName::as_str);
    let deploy = Step::new(VcsStepKind::DeployPrevious, format!("Put {previous} back"))
        .of(previous)
        .why("By the fastest way that the release has.")
        .people(format!(
            "Deploy {previous} by your own tool, or see that pushing the revert has done so."
        ));

    let mut reverts = Vec::new();
    for target in course.reached() {
        reverts.push(revert(course, target)?);
    }
    let place = |step| course.order.iter().position(|&other| other == step);
    let merged_first = match (place(VcsStep::Merge), place(VcsStep::Deploy)) {
        (Some(merge), Some(deploy)) => merge < deploy,
        (_, None) => true,
        (None, Some(_)) => course.branch.is_none(),
    };
    let mut steps = vec![fetch()?];
    if merged_first {
        // What was deployed from a branch goes back with that branch.
        steps.extend(reverts.drain(..1.min(reverts.len())));
    }
    steps.push(deploy);
    steps.extend(reverts);

    let mut again = vec![fetch()?];
    again.extend(try_again(course)?);
    Ok(WayBack { steps, again })
}

/// Whether a record is there.
fn recorded(record: &str) -> Result<Command, VcsError> {
    git(["rev-parse", "--verify", "--quiet", record])
}

fn revert(course: &Course<'_>, target: &RefName) -> Result<Step, VcsError> {
    let (merged, reverted) = (course.merged(target), course.reverted(target));
    let mut commands = Course::take_up(target)?;
    let why = if course.as_range() {
        // One commit however many came, so that one revert brings them back. `-m 1` serves a merge among them, and says
        // nothing of other commits.
        let range = format!("{}..{merged}", course.before(target));
        commands.push(git(["revert", "--no-commit", "-m", "1", "--first-parent", &range])?);
        commands.push(git(["commit", "-m", &course.about("Revert: ")])?);
        "All commits with which the branch got the fix, as one."
    } else if course.merge == MergeKind::Squash {
        commands.push(git(["revert", "--no-edit", &merged])?);
        ""
    } else {
        commands.push(git(["revert", "--no-edit", "-m", "1", &merged])?);
        "A merge has two parents: `-m 1` names the branch's own, and git refuses to revert it without."
    };
    commands.push(git(["update-ref", &reverted, "HEAD"])?);
    commands.push(git(["push", "origin", target.as_str()])?);
    commands.push(Course::push_records(&[&reverted])?);
    Ok(Step::new(VcsStepKind::Revert, format!("Take the fix out of {target}"))
        .of(target.as_str())
        .why(why)
        .only_if(recorded(&merged)?, true)
        .run(commands))
}

fn try_again(course: &Course<'_>) -> Result<Vec<Step>, VcsError> {
    let mut steps = Vec::new();
    for target in course.reached() {
        // What came as one commit and went again left no trace that git merges by.
        let squashed = course.branch.is_some() && course.merge == MergeKind::Squash;
        if squashed || course.base.name() == target.as_str() {
            continue;
        }
        let reverted = course.reverted(target);
        let mut commands = Course::take_up(target)?;
        commands.push(git(["revert", "--no-edit", &reverted])?);
        commands.push(git(["push", "origin", target.as_str()])?);
        let why = format!(
            "A correction merges only onto what it corrects. Until it comes, {target} has the fix as it failed: deploy nothing from it."
        );
        steps.push(
            Step::new(VcsStepKind::RevertRevert, format!("Revert the revert on {target}"))
                .of(target.as_str())
                .why(why)
                .only_if(recorded(&reverted)?, true)
                .run(commands),
        );
    }
    let next = course.branch.as_ref().map(|branch| next_try(branch.as_str()));
    match (&next, &course.base) {
        (Some(branch), Base::Branch(base)) if course.merge != MergeKind::Squash => {
            let reverted = course.reverted(base);
            let mut commands = Course::take_up(base)?;
            commands.push(git(["switch", "--create", branch])?);
            commands.push(git(["revert", "--no-edit", &reverted])?);
            let step = Step::new(
                VcsStepKind::RevertRevert,
                format!("Branch {branch} from {base}, with the revert reverted"),
            );
            let why = format!(
                "{base} has the fix and its revert: merging the same branch again would do nothing."
            );
            steps.push(step.of(branch).why(why).only_if(recorded(&reverted)?, true).run(commands));
            let step = go_on_from_fix(course, branch)?;
            steps.push(step.only_if(recorded(&reverted)?, false));
        }
        (Some(branch), _) => steps.push(go_on_from_fix(course, branch)?),
        (None, Base::Branch(trunk)) => {
            // The new plan records where the trunk is before anything changes there.
            steps.push(go_on(course, None));
            let reverted = course.reverted(trunk);
            let commands = vec![git(["revert", "--no-commit", &reverted])?];
            let step = Step::new(
                VcsStepKind::RevertRevert,
                format!("Bring the fix back onto {trunk}, uncommitted"),
            );
            let why = "After the new plan's first step; correct it before its commit.";
            steps.push(
                step.of(trunk.as_str()).why(why).only_if(recorded(&reverted)?, true).run(commands),
            );
            return Ok(steps);
        }
        (None, Base::Tag(_)) => {}
    }
    steps.push(go_on(course, next.as_deref()));
    Ok(steps)
}

/// A branch that was never merged, or not into its base, is gone on with.
fn go_on_from_fix(course: &Course<'_>, branch: &str) -> Result<Step, VcsError> {
    let commands = vec![git(["switch", "--create", branch, &course.fix()])?];
    let step = Step::new(VcsStepKind::Branch, format!("Branch {branch} from the fix"));
    Ok(step.of(branch).run(commands))
}

fn go_on(course: &Course<'_>, branch: Option<&str>) -> Step {
    let next = version_of_next_try(course.version, &course.previous, &course.versioning());
    let version = next.unwrap_or_else(|| "the next version".to_owned());
    let people = match branch {
        Some(branch) => format!(
            "Make a new plan for {version} and the branch {branch}, correct the fix, and follow the plan from its commit on."
        ),
        None => format!("Make a new plan for {version}, and take its first step."),
    };
    let mut step = Step::new(VcsStepKind::GoOn, "Go through a new plan").people(people);
    if let Some(tag) = &course.tag {
        step.why = format!(
            "{tag} stays where it is: a tag that others have is neither moved nor used again."
        );
    }
    step
}

/// The branch of the next try: `x-try-2` after `x`, then `x-try-3`.
fn next_try(name: &str) -> String {
    let (stem, number) = name.rsplit_once("-try-").unwrap_or((name, "1"));
    match number.parse::<u32>().ok().and_then(|number| number.checked_add(1)) {
        Some(number) => format!("{stem}-try-{number}"),
        None => format!("{name}-try-2"),
    }
}
