//! Statements of people in the log: notes that begin with a label, and the evidence of duties.
//!
//! A note such as `root cause: the pool was too small` belongs to the topic of its label. A note
//! that begins with a question of the policy's report, or with the name of one of its sections,
//! belongs to that question or section. Case and punctuation do not matter. All other notes appear
//! in the timeline only.

use crate::grade::closed_set;
use crate::policy::section::Report as Asked;
use crate::rollout::ROOT_CAUSE;
use crate::text::plain;

use super::model::ActionItem;

closed_set! {
    /// Topic of a note.
    Topic {
        RootCause = "root_cause",
        /// Contributing factors.
        Conditions = "conditions",
        Detection = "detection",
        Impact = "impact",
        Resolution = "resolution",
        Verification = "verification",
        NotCaughtEarlier = "not_caught_earlier",
        WentWell = "went_well",
        ToImprove = "to_improve",
        Prevention = "prevention",
        Action = "action",
    }
}

/// The labels of each topic, as [`plain`] writes them.
const LABELS: &[(Topic, &[&str])] = &[
    (Topic::RootCause, &ROOT_CAUSE),
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

/// The part of the report that a note belongs to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answers {
    /// A built-in part.
    Topic(Topic),
    /// The policy's question at this index.
    Question(usize),
    /// The policy's section at this index.
    Section(usize),
}

/// The part that a note belongs to, and its text without the label.
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

/// The name of a section: the text before the colon.
pub(super) fn head(section: &str) -> &str {
    section.split_once(':').map_or(section, |(head, _)| head).trim()
}

/// An action item in a note: `add a test; owner: qa; deadline: 2026-03-10; success: it passes`.
pub(super) fn action(text: &str) -> ActionItem {
    let (mut owner, mut deadline, mut success_criterion) = (None, None, None);
    // What has no label belongs to the task as it was written.
    let mut task = String::new();
    for part in text.split_inclusive(';') {
        let (label, rest) = part.split_once(':').unwrap_or(("", part));
        let rest = rest.trim_end_matches(';').trim().to_owned();
        let rest = Some(rest).filter(|rest| !rest.is_empty());
        match plain(label).as_str() {
            "owner" => owner = rest,
            "deadline" | "due" | "by" => deadline = rest,
            "success" | "success criterion" | "done when" => success_criterion = rest,
            _ => task.push_str(part),
        }
    }
    let task = task.trim_matches([';', ' ', '\n']).to_owned();
    ActionItem { task, owner, deadline, success_criterion, done: false, duty: None }
}

/// Whether an action item has a field of this name.
pub(super) fn has_field(item: &ActionItem, name: &str) -> bool {
    let name = plain(name);
    match name.as_str() {
        "task" => true,
        "owner" => item.owner.is_some(),
        "deadline" => item.deadline.is_some(),
        "success criterion" => item.success_criterion.is_some(),
        _ => item
            .task
            .split(';')
            .filter_map(|part| part.split_once(':'))
            .any(|(label, rest)| plain(label) == name && !rest.trim().is_empty()),
    }
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
    }

    #[test]
    fn post_1_an_action_item_has_its_parts() {
        let noted = action("add a test; owner: QA; done when: it fails on 2.3.0; by: Friday");
        assert_eq!(noted.task, "add a test");
        assert_eq!(noted.owner.as_deref(), Some("QA"));
        assert_eq!(noted.deadline.as_deref(), Some("Friday"));
        assert_eq!(noted.success_criterion.as_deref(), Some("it fails on 2.3.0"));
        let ticket = action("add a test; Ticket: 4711; room:");
        let has = |field| has_field(&ticket, field);
        assert_eq!(["ticket", "room", "owner", "task"].map(has), [true, false, false, true]);
    }
}
