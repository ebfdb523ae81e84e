//! Source control: branch, version, tag, and the ordered steps of a fix from branch to merge back.
//!
//! [`Plan::source_control`](crate::plan::Plan::source_control) returns the steps.
//!
//! This library runs no command. A plan is an ordered list of typed steps with safely quoted POSIX
//! command lines, and with the work of people or other tools in between.
//!
//! # References
//!
//! Later steps need commits whose hashes are unknown when the plan is made. The plan's steps
//! therefore record them as references beside branches and tags, and push them, so that any clone
//! can roll back:
//!
//! | reference | is |
//! |---|---|
//! | `refs/hotfix/VERSION/fix` | the newest commit of the fix |
//! | `refs/hotfix/VERSION/base` | its base branch before the fix; only if the release names branches |
//! | `refs/hotfix/VERSION/before/BRANCH` | a branch before the fix; only if the merge may not show it |
//! | `refs/hotfix/VERSION/merged/BRANCH` | the commit with which a branch got the fix |
//! | `refs/hotfix/VERSION/reverted/BRANCH` | the commit that reverted it, or the fix of a previous attempt that is not restored there yet |
//!
//! They are pushed after the branches and separately: a server that refuses them does not block
//! the fix, and the rollback then works from the clone that merged.

mod error;
mod flow;
mod merge_back;
mod message;
mod name;
mod order;
mod release_context;
mod rollback;
mod step;
mod version;

use serde::Serialize;

use crate::grade::Flow;
use crate::policy::section::Vcs;
use crate::unit::{RefName, Timestamp};

pub use error::{OrderFault, VcsError, VcsFinding};
pub use merge_back::{MergeBack, MergeBackBranch};
pub use message::{
    CommitError, CommitFault, CommitFaultKind, CommitLater, CommitMessage, CommitNote, CommitParts,
    CommitTrailer, ParsedCommit,
};
pub use name::{branch_name, tag_name};
pub use order::{order_fault, own_order};
pub use rollback::VcsRollback;
pub use step::{Command, Condition, Instead, Step, Tool, VcsStepKind};
pub use version::{NextVersion, next_version};

use release_context::ReleaseContext;
pub(crate) use release_context::{
    fix_record, flow_of, is_deployed_unmerged, is_merged_alone, raises_version,
};

/// The fix that goes through source control.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fix<'a> {
    /// Its version: any text that is valid in a git reference.
    pub version: &'a str,
    /// The previous version. If tags are named by time, the tag of that version.
    pub previous: &'a str,
    /// What it does, in one line. Without it, branch and commit are named after the title.
    pub description: Option<&'a str>,
    /// The incident's title. Without it, the incident's id is used.
    pub title: Option<&'a str>,
    /// The incident's id.
    pub id: &'a str,
    /// The branch, if it already has a name.
    pub branch: Option<&'a str>,
    /// The commit, if it exists: 7 to 64 hexadecimal digits. With a branch, it is on that branch.
    pub commit: Option<&'a str>,
    /// The flow, if it is not the policy's first.
    pub flow: Option<Flow>,
    /// The policy's alternative, by its id.
    pub way: Option<&'a str>,
    /// Branches that have to get the fix besides those of the policy, such as an open release branch.
    /// It is merged into a branch that has what the fix is based on, and else only its commits are picked.
    pub merge_back: &'a [String],
    /// Whether it gets its traffic in steps, which a push that deploys it would skip.
    pub in_steps: bool,
    /// The whole commit message. Without it, the policy's prefix and the description.
    pub message: Option<&'a str>,
    /// The time of the tag, for tags that are named by time.
    pub at: Timestamp,
    /// The fix of the previous attempt. If this fix has the same branch, or is the same commit on
    /// the trunk, its steps continue with that one, also if the rollback has reverted it.
    pub after: Option<&'a Self>,
}

impl<'a> Fix<'a> {
    /// A fix with known versions and nothing else.
    pub fn new(version: &'a str, previous: &'a str, at: Timestamp) -> Self {
        Self { version, previous, at, ..Self::default() }
    }
}

/// The source-control plan of a fix: release, rollback and merge back.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceControl {
    /// The branching flow.
    pub flow: Flow,
    /// The policy's alternative, if it is used.
    pub way: Option<String>,
    /// The branch or tag that the fix starts from.
    pub base: String,
    /// The branch of the fix. Absent if the fix is a commit on the trunk.
    pub branch: Option<RefName>,
    /// The version.
    pub version: String,
    /// The tag. Absent if no step makes one.
    pub tag: Option<RefName>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The rollback.
    pub rollback: VcsRollback,
    /// The merge back: the branches that must get the fix.
    pub merge_back: MergeBack,
    /// The findings.
    pub findings: Vec<VcsFinding>,
}

impl SourceControl {
    /// The source-control plan for a fix under the policy.
    ///
    /// # Errors
    /// A [`VcsError`] for a flow or alternative that the policy does not allow, an invalid name or
    /// commit hash, an impossible order of steps, or a commit message that a command line cannot
    /// contain.
    ///
    /// ```
    /// use hotfix_core::{policy::Policy, unit::Timestamp, vcs::{Fix, SourceControl}};
    ///
    /// let policy = Policy::preset("enterprise")?;
    /// let at: Timestamp = "2024-01-15T14:30:00Z".parse()?;
    /// let fix = Fix { description: Some("Security patch"), ..Fix::new("1.2.4", "1.2.3", at) };
    /// let plan = SourceControl::try_new(policy.vcs().ok_or("vcs")?, &fix)?;
    /// assert_eq!(plan.branch.as_ref().map(|name| name.as_str()), Some("hotfix/security-patch"));
    /// let revert = plan.rollback.steps.iter().flat_map(|step| &step.commands).find(|c| c.argv()[1] == "revert");
    /// assert_eq!(revert.map(|c| c.shown()), Some("git revert --no-edit -m 1 refs/hotfix/1.2.4/merged/main"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_new(vcs: &Vcs, fix: &Fix<'_>) -> Result<Self, VcsError> {
        let context = ReleaseContext::try_new(vcs, fix)?;
        let steps = flow::steps(&context);
        let (rollback, merge_back) =
            (rollback::rollback(&context), merge_back::merge_back(&context));
        let by = if vcs.version.is_some() { context.versioning() } else { Vec::new() };
        let mut findings = version::findings(fix.version, fix.previous, &by);
        findings.extend(name::other_prefix(context.site.branch(), vcs.prefix.as_deref()));
        findings.extend(context.named_after);
        let unplanned = merge_back.branches.iter().filter(|branch| !branch.planned);
        findings
            .extend(unplanned.map(|branch| VcsFinding::NotHome { branch: branch.branch.clone() }));
        let plan = Self {
            flow: context.flow,
            way: context.way,
            base: context.site.base().to_string(),
            branch: context.site.branch().cloned(),
            version: fix.version.to_owned(),
            tag: context.tag,
            steps,
            rollback,
            merge_back,
            findings,
        };
        plan.commands().try_for_each(Command::check)?;
        Ok(plan)
    }

    fn commands(&self) -> impl Iterator<Item = &Command> {
        let Self { steps, rollback, merge_back, .. } = self;
        let steps = steps.iter().chain(&rollback.steps).chain(&rollback.again);
        let steps = steps.chain(merge_back.branches.iter().flat_map(|branch| &branch.steps));
        let of_steps = steps.flat_map(|step| {
            let instead = step.instead.iter().flat_map(|instead| &instead.commands);
            let condition = step.condition.iter().map(|condition| &condition.command);
            condition.chain(&step.commands).chain(instead)
        });
        let checks = merge_back.branches.iter().map(|branch| &branch.has);
        of_steps.chain(&merge_back.inspect).chain(checks)
    }
}
