//! Parsing of a commit message: composed messages exactly, and the layouts of the documents.

use std::collections::BTreeMap;

use serde::Serialize;

use super::fold::{normalised, unbulleted, unfolded};
use super::{CUT, CommitParts, MOST_SUBJECT, may_come_later};
use crate::code::{code, coded};
use crate::getters::members;
use crate::grade::CommitField;
use crate::policy::section::CommitForm;
use crate::text::joined;

/// A parsed commit message.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ParsedCommit {
    /// The first line.
    pub subject: String,
    /// The subject without the form's beginning, and with the rest if it was cut.
    pub summary: String,
    /// The type of a conventional commit: `fix`.
    pub kind: Option<String>,
    /// The scope of a conventional commit.
    pub scope: Option<String>,
    /// The facts.
    pub fields: BTreeMap<CommitField, String>,
    /// Other trailers, such as `Signed-off-by`, in their order.
    pub others: Vec<CommitTrailer>,
    /// The other text.
    pub body: String,
    /// The required facts that it lacks.
    pub missing: Vec<CommitField>,
    /// The missing facts that may be in a note, because they are often known only after the commit.
    pub later: Vec<CommitField>,
    /// The problems of the message, in the order of its lines.
    pub faults: Vec<CommitFault>,
}

/// A trailer that is not a fact of the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommitTrailer {
    /// Its token.
    pub label: String,
    /// Its value.
    pub value: String,
}

/// A problem of a message, with its line, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitFault {
    /// The problem.
    pub kind: CommitFaultKind,
    /// Its line.
    pub line: usize,
}

coded! {
    /// The problems of a message, each with its remedy.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum CommitFaultKind;

    /// The message is empty or far too long.
    #[error("{}", unreadable(*bytes))]
    Unreadable { bytes: usize } => code! {HF-VCS-026},

    #[error("the subject does not start with `{expected}`: add that")]
    Beginning { expected: String } => code! {HF-VCS-027},

    #[error("the subject has {length} characters: use at most {MOST_SUBJECT}, and write the rest below")]
    LongSubject {
        /// In characters.
        length: usize,
    } => code! {HF-VCS-028},

    #[error("no blank line follows the subject, so git reads the next line as part of it: add a blank line")]
    NoBlankLine => code! {HF-VCS-029},

    #[error("`{field}` occurs twice, and the last value is used: keep one")]
    Twice { field: CommitField } => code! {HF-VCS-030},

    #[error("`{field}` has a label but no value: add the value, or remove the line")]
    Blank { field: CommitField } => code! {HF-VCS-031},

    #[error("`{field}` still has the template's text in brackets: replace it")]
    Placeholder { field: CommitField } => code! {HF-VCS-032},
}

fn unreadable(bytes: usize) -> String {
    match bytes {
        0 => "the message is empty: describe in its first line what the fix does".to_owned(),
        _ => format!("the message has {bytes} bytes: shorten it to at most {MOST_BYTES}"),
    }
}

impl CommitFault {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// The problem and its remedy.
    pub fn message(&self) -> String {
        self.kind.to_string()
    }
}

members! { CommitFault: self; code = self.code(), line = self.line, message = self.message() }

/// Most bytes of a message. A message composed from the longest parts is shorter.
const MOST_BYTES: usize = 4 * CommitParts::MOST_BYTES;

enum Label<'l> {
    Field(CommitField),
    Other(&'l str),
}

/// The current label with its value so far.
struct Open<'l> {
    label: Label<'l>,
    value: String,
    line: usize,
}

impl CommitForm {
    /// Parses a message.
    ///
    /// A composed message gives exactly its parts. Otherwise labels of the form are read in any
    /// paragraph, in upper or lower case, with spaces or hyphens. Bullets are the `change`, as a list,
    /// if the form requires that and no label gives it. A fact that occurs twice has its last value.
    ///
    /// ```
    /// use hotfix_core::grade::CommitField;
    /// use hotfix_core::policy::Policy;
    ///
    /// let policy = Policy::preset("severity-matrix")?;
    /// let form = policy.commit_form();
    /// let text = "HOTFIX: Read the secret as UTF-8\n\nFixes: #1234\nroot cause: the secret was taken for ASCII\nSeverity: P1\n";
    /// let read = form.parse(text);
    /// assert_eq!(read.summary, "Read the secret as UTF-8");
    /// assert_eq!(read.fields[&CommitField::Cause], "the secret was taken for ASCII");
    /// assert_eq!(read.missing, [CommitField::Impact, CommitField::Solution]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parse(&self, text: &str) -> ParsedCommit {
        let mut parsed = ParsedCommit::default();
        let text = text.trim_start_matches('\u{feff}');
        let too_long = text.len() > MOST_BYTES;
        let lines: Vec<&str> =
            if too_long { Vec::new() } else { text.lines().map(str::trim_end).collect() };
        if let Some(first) = lines.iter().position(|line| !line.is_empty()) {
            Reading { form: self, parsed: &mut parsed, bullets: Vec::new() }.read(&lines, first);
        } else {
            let bytes = if too_long { text.len() } else { 0 };
            parsed.fault(1, CommitFaultKind::Unreadable { bytes });
        }
        // The commit that raises the version says nothing about the fix.
        let fields =
            if self.raises_version(&parsed.subject) { &[] } else { self.fields.as_slice() };
        let lacking = fields.iter().copied().filter(|field| !parsed.fields.contains_key(field));
        (parsed.later, parsed.missing) = lacking.partition(|field| may_come_later(*field));
        parsed
    }

    /// Whether this is the subject of the commit that raises the version.
    fn raises_version(&self, subject: &str) -> bool {
        let version = subject.rsplit_once(' ').map(|(_, version)| self.version_subject(version));
        self.version_commit && version.is_some_and(|raised| raised == subject)
    }

    /// The fact that has this label in the form.
    fn field(&self, label: &str) -> Option<CommitField> {
        let label = label.replace(' ', "-");
        let is_label = |field: &CommitField| self.label(*field).eq_ignore_ascii_case(&label);
        CommitField::ALL.iter().copied().find(is_label)
    }

    /// The label of a line, and the text after it; `last`: the line is in the last paragraph.
    fn labelled<'l>(&self, line: &'l str, last: bool) -> Option<(Label<'l>, &'l str)> {
        let (label, value) = line.split_once(':')?;
        if let Some(field) = self.field(label) {
            return Some((Label::Field(field), value));
        }
        let token = label.starts_with(|c: char| c.is_ascii_alphanumeric())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (last && token && value.starts_with(' ')).then_some((Label::Other(label), value))
    }
}

struct Reading<'r> {
    form: &'r CommitForm,
    parsed: &'r mut ParsedCommit,
    bullets: Vec<String>,
}

impl Reading<'_> {
    fn read(mut self, lines: &[&str], first: usize) {
        self.subject(lines[first].trim_start(), first + 1);
        let mut start = first + 1;
        if lines.get(start).is_some_and(|line| !line.is_empty()) {
            self.parsed.fault(start + 1, CommitFaultKind::NoBlankLine);
        }
        while lines.get(start).is_some_and(|line| line.is_empty()) {
            start += 1;
        }
        if let Some(rest) = self.rest(lines, start) {
            self.parsed.summary.push_str(rest);
            start += 1;
        }
        self.body(lines, start);
        let asked = self.form.fields.contains(&CommitField::Change);
        let change = match self.bullets.as_slice() {
            [alone] => normalised(alone),
            list => normalised(&joined(list.iter().map(|bullet| format!("- {bullet}")), "\n")),
        };
        if asked && !self.parsed.fields.contains_key(&CommitField::Change) && !change.is_empty() {
            self.parsed.fields.insert(CommitField::Change, change);
        } else {
            for bullet in self.bullets {
                self.parsed.body.push_str("- ");
                self.parsed.body.push_str(&bullet);
                self.parsed.body.push('\n');
            }
        }
        let body = self.parsed.body.trim().to_owned();
        self.parsed.body = body;
    }

    fn subject(&mut self, subject: &str, line: usize) {
        subject.clone_into(&mut self.parsed.subject);
        let length = subject.chars().count();
        if length > MOST_SUBJECT {
            self.parsed.fault(line, CommitFaultKind::LongSubject { length });
        }
        let expected =
            if self.form.conventional { self.conventional(subject) } else { self.plain(subject) };
        if let Some(expected) = expected {
            subject.clone_into(&mut self.parsed.summary);
            if !self.form.raises_version(subject) {
                self.parsed.fault(line, CommitFaultKind::Beginning { expected });
            }
        }
    }

    /// Reads a subject with the form's beginning; returns the beginning that it lacks.
    fn plain(&mut self, subject: &str) -> Option<String> {
        match subject.strip_prefix(self.form.subject.as_str()) {
            Some(summary) => summary.trim_start().clone_into(&mut self.parsed.summary),
            None => return Some(self.form.subject.clone()),
        }
        None
    }

    /// Reads a conventional subject, `fix(payments)!: …`; returns the beginning that it lacks.
    fn conventional(&mut self, subject: &str) -> Option<String> {
        let kind = if self.form.raises_version(subject) { "chore" } else { self.form.kind() };
        let wrong = || Some(format!("{kind}: "));
        let Some((before, summary)) = subject.split_once(": ") else { return wrong() };
        let before = before.strip_suffix('!').unwrap_or(before);
        let (found, scope) =
            match before.strip_suffix(')').and_then(|before| before.split_once('(')) {
                Some((found, scope)) => (found, Some(scope)),
                None => (before, None),
            };
        if !found.eq_ignore_ascii_case(kind)
            || scope.is_some_and(|scope| scope.contains(['(', ')']))
        {
            return wrong();
        }
        summary.trim_start().clone_into(&mut self.parsed.summary);
        self.parsed.kind = Some(found.to_owned());
        self.parsed.scope = scope.map(str::to_owned);
        None
    }

    /// The rest of a cut subject: a paragraph of one line that starts with the mark.
    fn rest<'l>(&mut self, lines: &[&'l str], start: usize) -> Option<&'l str> {
        let rest = lines.get(start)?.strip_prefix(CUT)?;
        let alone = lines.get(start + 1).is_none_or(|line| line.is_empty());
        if !alone || !self.parsed.summary.ends_with(CUT) {
            return None;
        }
        self.parsed.summary.pop();
        Some(rest)
    }

    fn body(&mut self, lines: &[&str], start: usize) {
        let end = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
        let body = lines.get(start..end).unwrap_or_default();
        // A message that was copied from a list is indented as a whole.
        let indent = |line: &&str| line.len() - line.trim_start_matches(' ').len();
        let indent = body.iter().filter(|line| !line.is_empty()).map(indent).min().unwrap_or(0);
        let last = body.iter().rposition(|line| line.is_empty()).map_or(0, |blank| blank + 1);
        let mut open: Option<Open<'_>> = None;
        let mut in_bullet = false;
        for (index, line) in body.iter().enumerate() {
            let line = line.get(indent..).unwrap_or_default();
            if line.is_empty() {
                self.close(open.take());
                in_bullet = false;
                self.parsed.body.push('\n');
                continue;
            }
            let folded = line.strip_prefix([' ', '\t']);
            if let (Some(folded), Some(open)) = (folded, open.as_mut()) {
                open.value.push('\n');
                open.value.push_str(unfolded(folded));
            } else if let Some((label, value)) = self.form.labelled(line, index >= last) {
                let met = Open { label, value: value.to_owned(), line: start + index + 1 };
                self.close(open.replace(met));
                in_bullet = false;
            } else if let Some(open) = open.as_mut() {
                open.value.push('\n');
                open.value.push_str(line);
            } else if let Some(bullet) = unbulleted(line) {
                self.bullets.push(bullet.to_owned());
                in_bullet = true;
            } else if let (true, Some(_), Some(bullet)) =
                (in_bullet, folded, self.bullets.last_mut())
            {
                bullet.push(' ');
                bullet.push_str(line.trim_start());
            } else {
                self.parsed.body.push_str(line);
                self.parsed.body.push('\n');
            }
        }
        self.close(open);
    }

    fn close(&mut self, open: Option<Open<'_>>) {
        let Some(Open { label, value, line }) = open else { return };
        let value = normalised(&value);
        let field = match label {
            Label::Field(field) => field,
            Label::Other(label) => {
                self.parsed.others.push(CommitTrailer { label: label.to_owned(), value });
                return;
            }
        };
        if value.is_empty() {
            self.parsed.fault(line, CommitFaultKind::Blank { field });
            return;
        }
        if value.starts_with('[') && value.ends_with(']') {
            self.parsed.fault(line, CommitFaultKind::Placeholder { field });
        }
        if self.parsed.fields.insert(field, value).is_some() {
            self.parsed.fault(line, CommitFaultKind::Twice { field });
        }
    }
}

impl ParsedCommit {
    fn fault(&mut self, line: usize, kind: CommitFaultKind) {
        self.faults.push(CommitFault { kind, line });
    }
}
