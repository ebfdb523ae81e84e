//! The plan's source control, with its commit message.

use serde::{Deserialize, Serialize};

use crate::grade::Flow;
use crate::policy::section::CommitForm;
use crate::unit::{Share, Timestamp};
use crate::vcs::{
    Command, CommitError, CommitMessage, CommitParts, Fix, SourceControl, VcsError, VcsFinding,
    flow_of,
};

use super::Plan;

/// The release of the attempt before this one, as source control knows it.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Former {
    version: String,
    /// The branch that its plan used. None for a commit on the trunk.
    branch: Option<String>,
    description: Option<String>,
    flow: Option<Flow>,
    way: Option<String>,
}

impl Plan {
    /// What another release after this one continues. None without a release and a `vcs`.
    pub(super) fn as_former(&self) -> Option<Former> {
        let release = self.release()?;
        // The time only names a tag.
        let plan = self.source_control(Timestamp::default()).ok()?;
        Some(Former {
            version: release.version.clone(),
            branch: plan.branch.map(|branch| branch.to_string()),
            description: release.description.clone(),
            flow: release.flow,
            way: release.way.clone(),
        })
    }

    /// The branching model for which duties are due: each, where that of the release is not known, and where the
    /// release names branches, which get the fix under each.
    pub(crate) fn flow_of_duties(&self) -> Option<Flow> {
        let release = self.release().filter(|release| release.merge_back.is_empty())?;
        flow_of(self.policy().vcs()?, release.flow, release.way.as_deref())
    }

    /// The source-control plan of the fix: release, rollback and merge back. Nothing is run.
    ///
    /// `release.flow` and `release.way` choose another flow than the policy's first. Branch and
    /// commit are named after `release.description`, or else the incident's title, or else its id.
    /// `at` is the time of the tag, for tags that are named by time.
    ///
    /// If the plan makes a commit, its message is [`commit_message`](Self::commit_message) in the
    /// policy's form, with the known facts; a finding lists the missing ones. If the policy has no
    /// form, or the message cannot be composed, it is the policy's prefix and the description.
    ///
    /// In a rollout that has tried another release before, the same branch is continued: the first
    /// steps are those of [`VcsRollback::again`](crate::vcs::VcsRollback::again) of that release, and
    /// the branch is the next (`…-try-2`). A description of its own is another fix, with a branch of
    /// its own.
    ///
    /// # Errors
    /// [`VcsError::NotSaid`] if the policy has no `vcs`, [`VcsError::NoRelease`] without a release, and those of [`SourceControl::try_new`].
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy};
    ///
    /// let policy = Arc::new(Policy::preset("emergency-command")?);
    /// let release = r#"{"version": "1.2.4", "previous": "1.2.3", "description": "critical auth fix"}"#;
    /// let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, release, "")?;
    /// let vcs = plan.source_control("2026-03-03T14:40:00Z".parse()?)?;
    /// let lines: Vec<&str> = vcs.steps[0].commands.iter().map(|c| c.shown()).collect();
    /// assert_eq!(lines, [
    ///     "git fetch --tags origin",
    ///     "git switch --create hotfix/critical-auth-fix refs/tags/v1.2.3",
    /// ]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn source_control(&self, at: Timestamp) -> Result<SourceControl, VcsError> {
        let vcs = self.policy().vcs().ok_or(VcsError::NotSaid)?;
        let incident = &self.subject().incident;
        let release = self.release().ok_or(VcsError::NoRelease)?;
        let composed = (vcs.commit != CommitForm::default()).then(|| self.message());
        let message = composed.as_ref().and_then(|composed| composed.as_ref().ok());
        let message = message.map(|message| message.text.as_str());
        let former = self.former.as_ref().map(|former| Fix {
            description: former.description.as_deref(),
            title: incident.title.as_deref(),
            id: &incident.id,
            branch: former.branch.as_deref(),
            flow: former.flow,
            way: former.way.as_deref(),
            ..Fix::new(&former.version, &release.previous, at)
        });
        let fix = Fix {
            version: &release.version,
            previous: &release.previous,
            description: release.description.as_deref(),
            title: incident.title.as_deref(),
            id: &incident.id,
            branch: release.branch.as_deref(),
            commit: release.commit.as_deref(),
            flow: release.flow,
            way: release.way.as_deref(),
            merge_back: &release.merge_back,
            in_steps: self.policy().phases().first().is_some_and(|first| first.share < Share::ALL),
            message,
            at,
            after: former.as_ref(),
        };
        let mut plan = SourceControl::try_new(vcs, &fix)?;
        let commits = plan.steps.iter().flat_map(|step| &step.commands);
        if commits.map(Command::argv).any(|argv| argv.get(1).is_some_and(|verb| verb == "commit")) {
            plan.findings.extend(match composed {
                Some(Ok(CommitMessage { missing, .. })) if !missing.is_empty() => {
                    Some(VcsFinding::MessageLacks { missing })
                }
                Some(Err(fault)) => Some(VcsFinding::MessageWithoutForm { fault }),
                Some(Ok(_)) | None => None,
            });
        }
        Ok(plan)
    }

    /// The commit message, if a command line can contain it.
    fn message(&self) -> Result<CommitMessage, CommitError> {
        let message = self.commit_message(CommitParts::default())?;
        let (bytes, most) = (message.text.len(), Command::MOST_BYTES);
        if bytes > most { Err(CommitError::TooLong { bytes, most }) } else { Ok(message) }
    }
}
