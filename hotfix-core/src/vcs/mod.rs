//! Source control: branch, version, tag, and the ordered steps of a fix from its branch to its way home (VCS-1 to VCS-6).
//!
//! Nothing here is run. A plan is an ordered list of typed steps with command lines that a POSIX shell reads as they are
//! meant, whatever stands in a description, and with what people or other tools do in between.
//!
//! # Records
//!
//! Later steps must find commits whose hashes nobody knows when the plan is made. The plan's own steps therefore record them
//! as references beside branches and tags, and push them, so that any clone can take the way back:
//!
//! | reference | is |
//! |---|---|
//! | `refs/hotfix/VERSION/fix` | the newest commit of the fix |
//! | `refs/hotfix/VERSION/before/BRANCH` | where a branch was before the fix; only where that cannot be told from the merge |
//! | `refs/hotfix/VERSION/merged/BRANCH` | the commit with which a branch got the fix |
//! | `refs/hotfix/VERSION/reverted/BRANCH` | the commit that took it out again |
//!
//! They are pushed after the branches and apart from them: a host that refuses them keeps no fix from going out, and the way
//! back then works from the clone that merged.

mod back;
mod command;
mod course;
mod error;
mod finding;
mod flow;
mod home;
mod message;
mod name;
mod order;
mod step;
mod tag;
mod version;

use serde::Serialize;

use crate::grade::{Flow, TagForm};
use crate::policy::section::Vcs;
use crate::unit::{RefName, Timestamp};

pub use back::WayBack;
pub use command::Command;
pub use error::{OrderFault, VcsError};
pub use finding::VcsFinding;
pub use home::{HomeBranch, WayHome};
pub use message::{
    CommitError, CommitFault, CommitFaultKind, CommitLater, CommitMessage, CommitNote, CommitParts,
    CommitTrailer, ParsedCommit,
};
pub use name::branch_name;
pub use order::{order_fault, own_order};
pub use step::{Condition, Instead, Step, Tool, VcsStepKind};
pub use tag::tag_name;
pub use version::{NextVersion, next_version};

use course::Course;

/// The fix that goes through source control.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fix<'a> {
    /// Its version: any text that can stand in a reference.
    pub version: &'a str,
    /// The version before it; where tags are named by time, the tag of that version.
    pub previous: &'a str,
    /// What it does, in one line; without it the title names branch and commit.
    pub description: Option<&'a str>,
    /// The incident's title; without it the incident's id does.
    pub title: Option<&'a str>,
    /// The incident's id.
    pub id: &'a str,
    /// The branch, where it has its name already.
    pub branch: Option<&'a str>,
    /// The commit, where it is there already: 7 to 64 hexadecimal digits. With a branch, that branch has it.
    pub commit: Option<&'a str>,
    /// The flow, where it is not the policy's first.
    pub flow: Option<Flow>,
    /// The policy's other way, by its id.
    pub way: Option<&'a str>,
    /// Turning a feature flag off mends it; only the flow `trunk` goes that way (S2 207-213).
    pub by_flag: bool,
    /// The whole commit message; without it the policy's prefix and the description.
    pub message: Option<&'a str>,
    /// When it is tagged, for tags that are named by time.
    pub at: Timestamp,
}

impl<'a> Fix<'a> {
    /// A fix of which only the versions are known.
    pub const fn new(version: &'a str, previous: &'a str, at: Timestamp) -> Self {
        Self {
            version,
            previous,
            description: None,
            title: None,
            id: "",
            branch: None,
            commit: None,
            flow: None,
            way: None,
            by_flag: false,
            message: None,
            at,
        }
    }
}

/// How a fix goes through source control: there, back, and home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceControl {
    /// How branches are used.
    pub flow: Flow,
    /// The policy's other way, where that is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<String>,
    /// The branch or tag that the fix starts from; absent where a flag is turned off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The branch of the fix; absent where it is a commit on the trunk, or a flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<RefName>,
    /// The version.
    pub version: String,
    /// The tag; absent where no step makes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<RefName>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The way back (VCS-6).
    pub back: WayBack,
    /// The way home: the branches that must have the fix in the end (VCS-6).
    pub home: WayHome,
    /// What it should be read with.
    pub findings: Vec<VcsFinding>,
}

impl SourceControl {
    /// The plan for a fix, as the policy has it.
    ///
    /// # Errors
    /// `HF-VCS-002` and `HF-VCS-003` for a flow or way that the policy does not allow; `HF-VCS-004` to `HF-VCS-006` for names;
    /// `HF-VCS-009` for a commit that is no hash; `HF-VCS-010` where the policy's steps cannot be taken in their order;
    /// `HF-VCS-011` for a commit message that no command line can hold.
    ///
    /// ```
    /// use hotfix_core::{policy::Policy, unit::Timestamp, vcs::{Fix, SourceControl}};
    ///
    /// let policy = Policy::preset("enterprise")?;
    /// let at: Timestamp = "2024-01-15T14:30:00Z".parse()?;
    /// let fix = Fix { description: Some("Security patch"), ..Fix::new("1.2.4", "1.2.3", at) };
    /// let plan = SourceControl::try_new(policy.vcs().ok_or("vcs")?, &fix)?;
    /// assert_eq!(plan.branch.as_ref().map(|name| name.as_str()), Some("hotfix/security-patch"));
    /// let revert = plan.back.steps.iter().flat_map(|step| &step.commands).find(|c| c.argv()[1] == "revert");
    /// assert_eq!(revert.map(|c| c.shown()), Some("git revert --no-edit -m 1 refs/hotfix/1.2.4/merged/main"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Shows VCS-1 to VCS-4 and VCS-6. S2 76-213, S3 51-156, S4 214-270, S5 30-40, 70-90 and 224-235.
    pub fn try_new(vcs: &Vcs, fix: &Fix<'_>) -> Result<Self, VcsError> {
        let course = Course::try_new(vcs, fix)?;
        if fix.by_flag && course.flow == Flow::Trunk {
            return Ok(flow::by_flag(&course));
        }
        let steps = flow::steps(&course)?;
        let (back, home) = (back::way(&course)?, home::way(&course)?);
        let mut findings = version::findings(fix.version, fix.previous, &course.versioning());
        findings.extend(course.named_after);
        findings.extend(
            home.branches
                .iter()
                .filter(|branch| !branch.planned)
                .map(|branch| VcsFinding::NotHome { branch: branch.branch.clone() }),
        );
        Ok(Self {
            flow: course.flow,
            way: course.way,
            base: Some(course.base.name().to_owned()),
            branch: course.branch,
            version: fix.version.to_owned(),
            tag: course.tag,
            steps,
            back,
            home,
            findings,
        })
    }
}

/// Whether a house tags by time: then a tag's name does not tell its version.
const fn by_time(form: TagForm) -> bool {
    matches!(form, TagForm::Timestamp)
}
