//! The commit message of a plan.

use super::Plan;
use crate::fact::Impact;
use crate::gate::SeverityBasis;
use crate::grade::CommitField;
use crate::policy::section::{CommitForm, CommitLabels};
use crate::unit::is_invisible;
use crate::vcs::{CommitError, CommitMessage, CommitNote, CommitParts, fix_record, raises_version};

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
        let known = |text: &Option<String>| text.clone().filter(|text| is_seen(text));
        if parts.summary.trim().is_empty() {
            let description = release.and_then(|release| known(&release.description));
            parts.summary = description.or_else(|| known(&incident.title)).unwrap_or_default();
        }
        // Where the subject is another text, nothing else says what the issue is. A label of its own
        // belongs to a reference, such as `Fixes: #1234`.
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
            let value = value.filter(|value| is_seen(value) && form.fields.contains(&field));
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

fn is_seen(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !is_invisible(c))
}
