//! The way home: a fix that is live and that a branch lacks is lost with the next release (VCS-6).

use serde::Serialize;

use super::command::git;
use super::course::Course;
use super::flow::bring;
use super::step::{Step, VcsStepKind};
use super::{Command, VcsError};
use crate::grade::MergeKind;
use crate::unit::RefName;

/// The branches that must have the fix in the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WayHome {
    /// What is run before the branches are looked at.
    pub look: Vec<Command>,
    /// The branches; a duty each, until it has the fix.
    pub branches: Vec<HomeBranch>,
}

/// A branch that must have the fix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HomeBranch {
    /// Its name.
    pub branch: String,
    /// Whether a step of the plan brings the fix here.
    pub planned: bool,
    /// Exits with zero where the branch has had the fix on the remote, and with another status where it never had. Of what
    /// came as one commit or was picked, only the plan's own record tells: merged otherwise, it counts as lacking. A fix that
    /// the way back took out again counts as had; it is no longer live, so that nobody owes it.
    pub has: Command,
    /// How it gets the fix where it lacks it.
    pub steps: Vec<Step>,
}

pub(super) fn way(course: &Course<'_>) -> Result<WayHome, VcsError> {
    let reached = course.reached();
    let branch = |target: &RefName| -> Result<HomeBranch, VcsError> {
        let planned = reached.contains(&target);
        // Off the trunk, a commit is picked: merging would bring everything that the trunk has.
        let picked = course.branch.is_none() && !planned;
        let known = if picked || (course.branch.is_some() && course.merge == MergeKind::Squash) {
            course.merged(target)
        } else {
            course.fix()
        };
        let remote = format!("refs/remotes/origin/{target}");
        let (kind, title) = if picked {
            (VcsStepKind::MergeBack, format!("Pick the fix onto {target}"))
        } else {
            (VcsStepKind::MergeBack, format!("Bring the fix to {target}"))
        };
        let commands =
            if picked { pick(course, target)? } else { bring(course, target, &course.fix())? };
        Ok(HomeBranch {
            branch: target.to_string(),
            planned,
            has: git(["merge-base", "--is-ancestor", &known, &remote])?,
            steps: vec![Step::new(kind, title).of(target.as_str()).run(commands)],
        })
    };
    let branches = course.home.iter().map(branch).collect::<Result<_, _>>()?;
    Ok(WayHome { look: course.fetch()?, branches })
}

fn pick(course: &Course<'_>, target: &RefName) -> Result<Vec<Command>, VcsError> {
    let mut commands = Course::take_up(target)?;
    if let Some(trunk) = course.reached().first() {
        let range = format!("{}..{}", course.before(trunk), course.merged(trunk));
        commands.push(git(["cherry-pick", "-x", "-m", "1", "--first-parent", &range])?);
    }
    let merged = course.merged(target);
    commands.push(git(["update-ref", &merged, "HEAD"])?);
    commands.push(git(["push", "origin", target.as_str()])?);
    commands.push(Course::push_records(&[&merged])?);
    Ok(commands)
}
