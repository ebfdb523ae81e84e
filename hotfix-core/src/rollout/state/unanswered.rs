//! Questions that nobody has answered, and what they are about.

use serde::{Deserialize, Serialize};

use crate::rollout::action::ActionId;
use crate::rollout::input::InputKind;
use crate::rollout::stage::Stage;
use crate::text::moment;
use crate::unit::Timestamp;

use super::objection::Objection;

/// A question that nobody has answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unanswered {
    /// When it was asked first.
    pub(crate) since: Timestamp,
    /// When it was asked last.
    pub(crate) asked_at: Timestamp,
    /// The question as it was asked first.
    pub(crate) text: String,
    /// The action that asked it first; None until it is asked again after a `hold`.
    pub(crate) action: Option<ActionId>,
    /// It is a page: somebody has to act.
    pub(crate) page: bool,
    pub(crate) about: About,
    /// The objections that it is about, oldest first.
    pub(crate) stated: Vec<Objection>,
}

/// What a question is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum About {
    /// A gate, an action, the end of the rollout.
    #[default]
    Other,
    /// The verdict: asked again, it has the figures of that time.
    Verdict,
    /// What a person reported, denied or withdrew: no other question takes its place.
    Objection,
    /// The incident that is open again with the fix live: only an objection takes its place.
    Reopening,
    /// Harm that somebody states after the end, or of a live fix where it was known to be absent;
    /// ranks as `Reopening`.
    Harm,
    /// The incident whose rollout was aborted before its start.
    Stopped,
    /// What somebody has to waive or to lift before the start: the normal process, a change window that
    /// is over, a denial. Asked again, it has the reasons of that time.
    Process,
}

impl About {
    /// What the question that an input of this kind raised is about. `asks`: the verdict does;
    /// `objects`: an objection is open; `harm`: somebody states harm. Before the start all others
    /// are about [`Process`](Self::Process).
    pub(super) const fn of(
        kind: InputKind,
        [asks, objects, harm]: [bool; 3],
        stage: &Stage,
    ) -> Self {
        match kind {
            _ if harm => Self::Harm,
            InputKind::Report => Self::Objection,
            InputKind::Start if objects => Self::Objection,
            _ if matches!(stage, Stage::Preparing) => Self::Process,
            InputKind::Abort if matches!(stage, Stage::Aborted) => Self::Stopped,
            InputKind::Deny | InputKind::Withdraw => Self::Objection,
            InputKind::SetTimes => Self::Reopening,
            InputKind::Observe | InputKind::Tick if asks => Self::Verdict,
            _ => Self::Other,
        }
    }

    /// Whether it asks whether the incident is open again.
    pub(crate) const fn is_relapse(self) -> bool {
        matches!(self, Self::Reopening | Self::Harm)
    }

    /// Whether the question ends when the incident is resolved.
    pub(super) const fn is_about_the_incident(self) -> bool {
        self.is_relapse() || matches!(self, Self::Stopped)
    }

    /// Whether it stays open when the rollout asks something else later.
    pub(super) const fn is_kept(self) -> bool {
        !Self::Other.replaces(self)
    }

    /// Whether a question about this takes the place of an open one about `open`.
    pub(super) const fn replaces(self, open: Self) -> bool {
        match open {
            Self::Objection => matches!(self, Self::Objection),
            Self::Reopening | Self::Harm => matches!(self, Self::Objection) || self.is_relapse(),
            Self::Other | Self::Verdict | Self::Process | Self::Stopped => true,
        }
    }
}

impl Unanswered {
    pub(super) fn new(at: Timestamp, text: &str, action: ActionId) -> Self {
        let (text, action, stated) = (text.to_owned(), Some(action), Vec::new());
        Self { since: at, asked_at: at, text, action, page: false, about: About::Other, stated }
    }

    /// The text of a question or page that is raised once more.
    pub(crate) fn repeated(&self, text: &str) -> String {
        format!("{text}{}", no_answer_since(&moment(self.since)))
    }

    /// Whether it asks whether the incident is open again.
    pub(super) const fn is_relapse(&self) -> bool {
        self.about.is_relapse()
    }

    /// Whether no other question takes its place: it is a page, or [kept](About::is_kept).
    pub(crate) const fn keeps_its_place(&self) -> bool {
        self.page || self.about.is_kept()
    }

    /// What another question says of it, to precede what was stated.
    pub(crate) fn named(&self) -> String {
        format!(" Nobody has answered since {}: ", moment(self.since))
    }

    pub(crate) fn is_named_in(&self, question: &str) -> bool {
        question.contains(&self.named())
    }

    /// Whether this text is a repetition of it. Logs of earlier releases write the time differently.
    pub(super) fn is_repeated_by(&self, text: &str) -> bool {
        let times = [moment(self.since), self.since.to_string()];
        times.iter().any(|since| text.ends_with(&no_answer_since(since)))
    }
}

/// How the text of a repeated question or page ends.
pub(crate) fn no_answer_since(since: &str) -> String {
    format!("{NO_ANSWER}{since}.")
}

const NO_ANSWER: &str = " No answer since ";

/// The end of a repeated question or page, the same for each repetition; None for any other text.
pub(crate) fn repetition(text: &str) -> Option<&str> {
    Some(&text[text.rfind(NO_ANSWER)?..])
}
