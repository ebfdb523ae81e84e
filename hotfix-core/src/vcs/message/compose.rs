//! Composition of a commit message from its parts.

use std::collections::BTreeMap;

use super::fold::{normalised, push_trailer};
use super::{
    CUT, CommitError, CommitLater, CommitMessage, CommitNote, CommitParts, MOST_SUBJECT,
    may_come_later,
};
use crate::grade::CommitField;
use crate::policy::Policy;
use crate::policy::section::CommitForm;
use crate::sorting::map_of;
use crate::text::shown;
use crate::vcs::name::on_one_line;

impl Policy {
    /// The form of its commit messages. A policy without `[vcs]` requires nothing.
    pub fn commit_form(&self) -> CommitForm {
        self.vcs().map(|vcs| vcs.commit.clone()).unwrap_or_default()
    }
}

impl CommitForm {
    /// Composes a message: a subject of at most 72 characters, cut at a word with the rest below
    /// it, and the facts as trailers. The form's facts come first and in its order, then the
    /// others.
    ///
    /// Required facts that were not given are listed in `missing`, and never left blank. The person
    /// who deployed is never known in time, so that fact goes into `later` and `note`; so do
    /// testing and approval while they are unknown. Values are kept exactly, except line ends,
    /// control characters, and blanks at the end of a line or at either end.
    ///
    /// # Errors
    /// A [`CommitError`] for invalid parts.
    ///
    /// ```
    /// use hotfix_core::grade::CommitField;
    /// use hotfix_core::policy::Policy;
    /// use hotfix_core::vcs::CommitParts;
    ///
    /// let policy = Policy::preset("severity-matrix")?;
    /// let form = policy.commit_form();
    /// let mut parts = CommitParts { summary: "Read the webhook's secret as UTF-8".to_owned(), ..CommitParts::default() };
    /// parts.fields.insert(CommitField::Issue, "#1234".to_owned());
    /// parts.fields.insert(CommitField::DeployedBy, "Ann".to_owned());
    /// let message = form.compose(&parts)?;
    /// assert_eq!(message.text, "HOTFIX: Read the webhook's secret as UTF-8\n\nFixes: #1234\n");
    /// assert_eq!(message.missing[0], CommitField::Severity);
    /// let note = message.note.ok_or("who deployed it")?;
    /// assert_eq!(
    ///     note.command,
    ///     "git notes append -m 'Deployed-By: Ann\n' HEAD && git push origin refs/notes/commits",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compose(&self, parts: &CommitParts) -> Result<CommitMessage, CommitError> {
        let texts = [Some(&parts.summary), parts.scope.as_ref(), parts.version.as_ref()];
        let bytes = texts.into_iter().flatten().chain(parts.fields.values()).map(String::len).sum();
        if bytes > CommitParts::MOST_BYTES {
            return Err(CommitError::TooLong { bytes, most: CommitParts::MOST_BYTES });
        }
        let (subject, rest) = self.subject(parts)?;
        let fields = parts.fields.iter().map(|(field, value)| (*field, normalised(value)));
        let fields = map_of(fields.filter(|(_, value)| !value.is_empty()));
        let besides = fields.keys().copied().filter(|field| !self.fields.contains(field));
        let order: Vec<CommitField> = self.fields.iter().copied().chain(besides).collect();
        let (mut trailers, mut missing, mut later) = (String::new(), Vec::new(), Vec::new());
        for field in order {
            let (label, value) = (self.label(field), fields.get(&field));
            match value {
                Some(value) if field != CommitField::DeployedBy => {
                    push_trailer(&mut trailers, label, value);
                }
                value if may_come_later(field) => {
                    later.push(CommitLater {
                        field,
                        label: label.to_owned(),
                        value: value.cloned(),
                    });
                }
                _ => missing.push(field),
            }
        }
        let mut text = format!("{subject}\n");
        for paragraph in
            [rest.map(|rest| format!("{rest}\n")), Some(trailers)].into_iter().flatten()
        {
            if !paragraph.is_empty() {
                text.push('\n');
                text.push_str(&paragraph);
            }
        }
        let known = map_of(later.iter().filter_map(|one| Some((one.field, one.value.clone()?))));
        let version = parts.version.as_deref().map(str::trim).filter(|version| !version.is_empty());
        let version_commit = match version.filter(|_| self.version_commit) {
            Some(version) => Some(self.version_message(version)?),
            None => None,
        };
        let version_missing = self.version_commit && version_commit.is_none();
        let note = self.note(&known);
        Ok(CommitMessage { text, subject, missing, later, note, version_commit, version_missing })
    }

    /// The note for facts that become known after the commit. None without facts.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use hotfix_core::grade::CommitField;
    /// use hotfix_core::policy::section::CommitForm;
    ///
    /// let known = BTreeMap::from([(CommitField::ApprovedBy, "Bob, by telephone".to_owned())]);
    /// let note = CommitForm::default().note(&known).ok_or("a note")?;
    /// assert_eq!(note.text, "Approved-By: Bob, by telephone\n");
    /// # Ok::<(), &str>(())
    /// ```
    pub fn note(&self, fields: &BTreeMap<CommitField, String>) -> Option<CommitNote> {
        let mut text = String::new();
        for (field, value) in fields {
            let value = normalised(value);
            if !value.is_empty() {
                push_trailer(&mut text, self.label(*field), &value);
            }
        }
        if text.is_empty() { None } else { CommitNote::of(text, "HEAD") }
    }

    /// The subject, and the rest of a long summary.
    fn subject(&self, parts: &CommitParts) -> Result<(String, Option<String>), CommitError> {
        let summary = on_one_line(&parts.summary);
        if summary.is_empty() {
            return Err(CommitError::NoSummary);
        }
        let beginning = self.beginning(parts.scope.as_deref())?;
        if beginning.is_empty() && summary.starts_with(['#', '-']) {
            return Err(CommitError::Beginning { got: shown(&summary) });
        }
        // The limits of the policy's `subject` and of a scope leave room.
        let room = MOST_SUBJECT.saturating_sub(beginning.chars().count());
        let (head, rest) = cut(&summary, room);
        Ok((format!("{beginning}{head}"), rest))
    }

    /// The text before the summary.
    fn beginning(&self, scope: Option<&str>) -> Result<String, CommitError> {
        if !self.conventional {
            return Ok(self.subject.clone());
        }
        let scope = scope.map(str::trim).filter(|scope| !scope.is_empty());
        let Some(scope) = scope else { return Ok(format!("{}: ", self.kind())) };
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        if scope.len() > 24 || !scope.chars().all(named) {
            return Err(CommitError::Scope { got: shown(scope) });
        }
        Ok(format!("{}({scope}): ", self.kind()))
    }

    /// The type of a conventional commit.
    pub(super) fn kind(&self) -> &str {
        let kind = self.subject.trim_end().trim_end_matches(':');
        if kind.is_empty() { "fix" } else { kind }
    }

    fn version_message(&self, version: &str) -> Result<String, CommitError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_');
        if version.len() > 40 || !version.chars().all(fits) {
            return Err(CommitError::Version { got: shown(version) });
        }
        Ok(self.version_subject(version) + "\n")
    }

    /// The subject of the commit that raises the version.
    pub(in crate::vcs) fn version_subject(&self, version: &str) -> String {
        let beginning = if self.conventional { "chore: bump" } else { "Bump" };
        format!("{beginning} version to {version}")
    }
}

/// Cuts a line to so many characters, at a word if possible. The rest starts with the mark of a
/// cut, and with a space if a word ended there.
fn cut(line: &str, room: usize) -> (String, Option<String>) {
    if line.chars().count() <= room {
        return (line.to_owned(), None);
    }
    let kept = room.saturating_sub(1);
    let end = line.char_indices().nth(kept).map_or(line.len(), |(at, _)| at);
    // A word may end right at the limit: then the space comes next.
    let word = line[end..].starts_with(' ').then_some(end).or_else(|| line[..end].rfind(' '));
    let end = word.filter(|at| *at > 0).unwrap_or(end);
    (format!("{}{CUT}", &line[..end]), Some(format!("{CUT}{}", &line[end..])))
}
