//! What only people can say, and how it is found in the log: notes that begin with a label, and the evidence of duties.
//!
//! A note `root cause: the pool was too small` answers what the label names; one that begins with a question of the policy's
//! report, or the name of one of its sections, answers that. Case and punctuation do not matter. Everything else that people
//! wrote stands in the timeline.

use crate::grade::closed_set;
use crate::policy::section::Report as Asked;

closed_set! {
    /// What a note is about.
    Topic {
        /// Why it happened.
        RootCause = "root_cause",
        /// What led to it.
        Conditions = "conditions",
        /// How it was noticed.
        Detection = "detection",
        /// Whom it hit.
        Impact = "impact",
        /// What mended it.
        Resolution = "resolution",
        /// How that was verified.
        Verification = "verification",
        /// Why it was not caught earlier.
        NotCaughtEarlier = "not_caught_earlier",
        /// What went well.
        WentWell = "went_well",
        /// What is to be improved.
        ToImprove = "to_improve",
        /// What keeps it from coming back.
        Prevention = "prevention",
        /// Something to be done.
        Action = "action",
    }
}

/// The labels of each topic, in the form of [`plain`].
const LABELS: &[(Topic, &[&str])] = &[
    (Topic::RootCause, &["root cause", "cause"]),
    (Topic::Conditions, &["conditions", "contributing factors"]),
    (Topic::Detection, &["detection", "detected by"]),
    (Topic::Impact, &["impact"]),
    (Topic::Resolution, &["resolution"]),
    (Topic::Verification, &["verification", "verified by"]),
    (Topic::NotCaughtEarlier, &["not caught earlier", "why not caught earlier"]),
    (Topic::WentWell, &["went well", "what went well"]),
    (Topic::ToImprove, &["to improve", "what to improve"]),
    (Topic::Prevention, &["prevention"]),
    (Topic::Action, &["action", "action item"]),
];

/// Words of the house's section names, and the part of ours that has it.
const OURS: &[&str] = &[
    "summary",
    "detection",
    "timeline",
    "root cause",
    "resolution",
    "decisions",
    "went well",
    "improve",
    "action",
    "prevention",
    "impact",
    "went wrong",
    "beginning to end",
    "lessons",
];

/// What a note answers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answers {
    /// One of our parts.
    Topic(Topic),
    /// The policy's question of this place.
    Question(usize),
    /// The policy's section of this place.
    Section(usize),
}

/// What a note is about, and its text without the label.
pub(super) fn answers<'t>(asked: Option<&Asked>, text: &'t str) -> Option<(Answers, &'t str)> {
    if let Some(asked) = asked {
        for (place, question) in asked.questions.iter().enumerate() {
            let length = question.trim().len();
            let begins = text.get(..length).is_some_and(|begin| plain(begin) == plain(question));
            if let (true, Some(rest)) = (begins, text.get(length..)) {
                let rest = rest.trim_start_matches([':', '?', ' ', '\n']).trim();
                return Some((Answers::Question(place), rest)).filter(|_| !rest.is_empty());
            }
        }
    }
    let (label, rest) = text.split_once(':')?;
    let (label, rest) = (plain(label), rest.trim());
    if rest.is_empty() {
        return None;
    }
    let topic = LABELS.iter().find(|(_, labels)| labels.contains(&label.as_str()));
    if let Some((topic, _)) = topic {
        return Some((Answers::Topic(*topic), rest));
    }
    let sections = &asked?.sections;
    let place = sections.iter().position(|section| plain(head(section)) == label)?;
    Some((Answers::Section(place), rest))
}

/// The name of a section: what stands before the colon.
pub(super) fn head(section: &str) -> &str {
    section.split_once(':').map_or(section, |(head, _)| head).trim()
}

/// Whether one of our parts has what a section of the house is about.
pub(super) fn is_ours(section: &str) -> bool {
    let section = plain(head(section));
    OURS.iter().any(|part| section.contains(part))
}

/// Letters and digits of any script, one blank between words, without case.
fn plain(text: &str) -> String {
    let lower: String = text
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .flat_map(char::to_lowercase)
        .collect();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The parts of an action item in a note: `add a test; owner: qa; deadline: 2026-03-10; success: it fails on 2.3.0`.
pub(super) struct NotedAction {
    pub(super) task: String,
    pub(super) owner: Option<String>,
    pub(super) deadline: Option<String>,
    pub(super) success: Option<String>,
}

pub(super) fn action(text: &str) -> NotedAction {
    let mut noted = NotedAction { task: String::new(), owner: None, deadline: None, success: None };
    let mut task: Vec<&str> = Vec::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (label, rest) = part.split_once(':').unwrap_or(("", part));
        let rest = Some(rest.trim().to_owned()).filter(|rest| !rest.is_empty());
        match plain(label).as_str() {
            "owner" => noted.owner = rest,
            "deadline" | "due" | "by" => noted.deadline = rest,
            "success" | "success criterion" | "done when" => noted.success = rest,
            _ => task.push(part),
        }
    }
    noted.task = task.join("; ");
    noted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn post_1_a_note_answers_what_its_label_names() {
        let asked = Asked {
            questions: vec!["What let it through to production?".to_owned()],
            sections: vec!["lessons: what we learned".to_owned(), "Costs".to_owned()],
            ..Asked::default()
        };
        let read = |text| answers(Some(&asked), text);
        assert_eq!(read("Root cause: a pool"), Some((Answers::Topic(Topic::RootCause), "a pool")));
        assert_eq!(
            read("what let it through to production? no test"),
            Some((Answers::Question(0), "no test"))
        );
        assert_eq!(read("costs: 12"), Some((Answers::Section(1), "12")));
        for none in
            ["root cause:", "the root cause", "", "What let it through to production?", "é: x"]
        {
            assert_eq!(read(none), None, "{none}");
        }
        assert!(is_ours("summary: id, severity") && !is_ours("Costs"));
    }

    #[test]
    fn post_1_an_action_item_has_its_parts() {
        let noted = action("add a test; owner: QA; done when: it fails on 2.3.0; by: Friday");
        assert_eq!(noted.task, "add a test");
        assert_eq!(noted.owner.as_deref(), Some("QA"));
        assert_eq!(noted.deadline.as_deref(), Some("Friday"));
        assert_eq!(noted.success.as_deref(), Some("it fails on 2.3.0"));
    }
}
