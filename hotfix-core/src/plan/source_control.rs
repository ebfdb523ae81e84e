//! The plan's source control, with its commit message.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::Plan;
use crate::fact::Impact;
use crate::gate::SeverityBasis;
use crate::grade::{CommitField, Flow};
use crate::policy::section::{CommitForm, CommitLabels};
use crate::text::{is_blank, quoted};
use crate::unit::{Share, Timestamp};
use crate::vcs::{
    Command, CommitError, CommitMessage, CommitNote, CommitParts, Fix, SourceControl, Step,
    VcsError, VcsFinding, VcsStepKind, fix_record, flow_of, is_merged_alone, raises_version,
};

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
    /// This release as the former one of another attempt. None without a source-control plan.
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

    /// The flow whose duties are due. None if those of every flow are: the release's flow is not
    /// known, or it names branches that get the fix under any flow.
    pub(crate) fn flow_of_duties(&self) -> Option<Flow> {
        let release = self.release().filter(|release| release.merge_back.is_empty())?;
        flow_of(self.policy().vcs()?, release.flow, release.way.as_deref())
    }

    /// Whether the release is merged before the deployment into the only branch that needs it: then
    /// nothing is left to merge, and a revert on that branch removes the fix.
    pub(crate) fn is_merged_alone(&self) -> bool {
        let (Some(vcs), Some(release)) = (self.policy().vcs(), self.release()) else {
            return false;
        };
        // The time only names a tag.
        let new = Fix::new(&release.version, &release.previous, Timestamp::default());
        let (flow, way) = (release.flow, release.way.as_deref());
        is_merged_alone(vcs, &Fix { flow, way, merge_back: &release.merge_back, ..new })
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
        let commits = |step: &&mut Step| {
            let mut verbs = step.commands.iter().filter_map(|command| command.argv().get(1));
            verbs.any(|verb| verb == "commit")
        };
        if let Some(commit) = plan.steps.iter_mut().find(commits) {
            // Not the commit of the version, which follows a cherry-picked fix.
            if let (VcsStepKind::Commit, Some(people), Some(Ok(CommitMessage { later, .. }))) =
                (commit.kind, &mut commit.people, &composed)
                && !later.is_empty()
            {
                let labels: Vec<&str> = later.iter().map(|of| of.label.as_str()).collect();
                let (labels, fix) = (quoted(&labels, ", "), fix_record(&release.version));
                let _ = write!(
                    people,
                    " Add {labels} once they are known: to the message, or after the commit with `git \
                     notes append {fix}`."
                );
            }
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

impl Plan {
    /// The commit message of the fix in the policy's form, from what is given and what the plan
    /// knows.
    ///
    /// Given values have precedence. Otherwise the summary is the release's description, or else
    /// the incident's title; of the facts that the form asks for, the issue is the incident's title
    /// and id, or the id alone where the summary is the title or the policy has another label for it,
    /// the severity the plan's where that is given or settled, and the impact what the known facts
    /// mean to users and the business. Cause, change, solution and testing are the release's
    /// `commit_text`. Nothing is guessed: what nobody gave is missing. The note is for the fix as the
    /// steps of [`source_control`](Self::source_control) record it.
    ///
    /// # Errors
    /// As [`CommitForm::compose`](crate::policy::section::CommitForm::compose), also if there is
    /// neither summary, description nor title.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{grade::CommitField, plan::Plan, policy::Policy, vcs::CommitParts};
    ///
    /// let incident = r#"{"id": "INC-2041", "severity": "P1", "title": "card payments fail", "facts": {"users_affected": 0.12}}"#;
    /// let release = r#"{"version": "2.3.1", "previous": "2.3.0", "description": "read the secret as UTF-8"}"#;
    /// let plan = Plan::from_json(Arc::new(Policy::preset("fast-track")?), incident, release, "")?;
    /// let message = plan.commit_message(CommitParts::default())?;
    /// assert_eq!(
    ///     message.text,
    ///     "hotfix: read the secret as UTF-8\n\nIssue: card payments fail (INC-2041)\nImpact: 12% of users are affected\n",
    /// );
    /// assert_eq!(message.missing, [CommitField::Change]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn commit_message(&self, given: CommitParts) -> Result<CommitMessage, CommitError> {
        let form = self.policy.commit_form();
        let mut parts = given;
        let (incident, release) = (&self.subject.incident, self.release());
        let known = |text: &Option<String>| text.clone().filter(|text| !is_blank(text));
        if is_blank(&parts.summary) {
            let description = release.and_then(|release| known(&release.description));
            parts.summary = description.or_else(|| known(&incident.title)).unwrap_or_default();
        }
        // The title is needed only if the subject line is another text, and not under a label of
        // the policy's own, which is for a reference, such as `Fixes: #1234`.
        let is_usual = form.label(CommitField::Issue) == CommitLabels::usual(CommitField::Issue);
        let title = known(&incident.title).filter(|title| is_usual && *title != parts.summary);
        let issue = title.map_or_else(|| incident.id.clone(), |t| format!("{t} ({})", incident.id));
        parts.version = parts.version.or_else(|| release.map(|release| release.version.clone()));
        // A severity that is only acted on while facts are unknown may be another one tomorrow.
        let certain =
            matches!(self.severity_basis(), SeverityBasis::Given | SeverityBasis::Settled);
        let severity = self.severity.filter(|_| certain);
        let text = release.and_then(|release| release.commit_text.clone()).unwrap_or_default();
        let own = self.policy.own_effects(&self.facts);
        let normal = self.policy.normal_figures(&self.facts);
        let impact = Impact::new(&self.facts, false).and(&own).without(&normal);
        let known = [
            (CommitField::Cause, text.cause),
            (CommitField::Change, text.change),
            (CommitField::Solution, text.solution),
            (CommitField::Tested, text.tested),
            (CommitField::Issue, Some(issue)),
            (CommitField::Severity, severity.map(|severity| severity.to_string())),
            (CommitField::Impact, Some(impact.line())),
        ];
        for (field, value) in known {
            let value = value.filter(|value| !is_blank(value) && form.fields.contains(&field));
            if let Some(value) = value {
                parts.fields.entry(field).or_insert(value);
            }
        }
        let (Some(release), Some(vcs)) = (release, self.policy.vcs()) else {
            return form.compose(&parts);
        };
        let version_commit = raises_version(vcs, release.flow, release.way.as_deref());
        let mut message = CommitForm { version_commit, ..form }.compose(&parts)?;
        let fix = fix_record(&release.version);
        message.note = message.note.and_then(|note| CommitNote::of(note.text, &fix));
        Ok(message)
    }
}
