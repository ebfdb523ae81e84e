//! Severities with what each asks for: approvals, review, testing (SEV-1, SEV-6, GATE-1, GATE-3).

use schemars::{Schema, SchemaGenerator};

use super::list::keyed;
use super::rule::at_least;
use crate::fact::Condition;
use crate::grade::{ReviewTime, Severity};
use crate::policy::error::Problem;
use crate::policy::field::{Duration, HowMany, Lasting, List};
use crate::policy::node::Node;
use crate::policy::reader::{Draft as _, Field, Reader, Style, section};
use crate::policy::section::{Approval, Review, SeverityLevel, Testing};
use crate::unit::RoleName;

section! {
    draft
    /// A severity as the policy has it, with what it asks for (SEV-1, SEV-6).
    SeverityLevel as SeverityLevelDraft {
        /// What the house calls it.
        label: String, [required];
        /// What belongs to it, in a sentence.
        definition: String, [default ""];
        /// Whether it is answered with a hot-fix; else it goes through the normal process.
        hotfix: bool, [required];
        /// How its process departs from the normal one.
        process: String, [default ""];
        /// Its demands for approval, beside those of the whole policy; all must be met.
        approvals: List<Approval>, [default Node::List(Vec::new())];
        /// The review that it asks for. Without it none.
        review: Review, [optional];
        /// The testing that it asks for. Without it none.
        testing: Testing, [optional];
    }
}

section! {
    plain
    /// One demand for approval; all demands must be met (GATE-1).
    Approval from ApprovalDraft, approval_rules {
        /// The roles, any one of which will do.
        any_of: List<RoleName>, [required];
        /// Whether the spoken word will do.
        verbal: bool, [default false];
        /// How long after the start it may still be given, above 0; the start does not wait for it. Without it the
        /// approval comes first.
        after_the_fact: Lasting, [optional];
        /// The roles that are told of it.
        told: List<RoleName>, [default Node::List(Vec::new())];
        /// Whether the rollout waits for it.
        blocking: bool, [default true];
        /// Whether whoever wrote the fix may give it.
        author_alone: bool, [default false];
    }
}

fn approval_rules(approval: &ApprovalDraft, reader: &mut Reader) {
    if approval.any_of.as_ref().is_some_and(Vec::is_empty) {
        reader.fail_at::<()>("any_of", Problem::Empty { what: "role" });
    }
}

section! {
    plain
    /// The review of a change (GATE-3).
    Review from ReviewDraft, review_rules {
        /// Before the deployment, after it, or either.
        time: ReviewTime, [required];
        /// How many people review it.
        approvers: HowMany, [default 1.0];
        /// The role that reviews. Without it anybody but the author.
        role: RoleName, [optional];
        /// How long it takes at least.
        least: Duration, [optional];
        /// How long it may take; at least `least`.
        most: Lasting, [optional];
        /// What reviewers ask themselves.
        questions: List<String>, [default Node::List(Vec::new())];
    }
}

fn review_rules(review: &ReviewDraft, reader: &mut Reader) {
    at_least(reader, "most", review.most.flatten(), "least", review.least.flatten());
}

section! {
    plain
    /// The testing of a change (GATE-3).
    Testing from TestingDraft, testing_rules {
        /// How long it takes at least.
        least: Duration, [optional];
        /// How long it may take; at least `least`.
        most: Lasting, [optional];
        /// Whether the fix passes staging first.
        staging: bool, [default false];
        /// With `staging = true`: it may be left out where this holds. Without it never.
        skip_staging_when: Condition, [optional];
        /// What is tested, or shown by a test.
        demands: List<String>, [default Node::List(Vec::new())];
    }
}

fn testing_rules(testing: &TestingDraft, reader: &mut Reader) {
    at_least(reader, "most", testing.most.flatten(), "least", testing.least.flatten());
    if testing.staging == Some(false) && matches!(testing.skip_staging_when, Some(Some(_))) {
        let (key, needs) = ("skip_staging_when", "staging = true");
        reader.fail_at::<()>(key, Problem::KeyNeeds { key, needs });
    }
}

/// The severities that the policy has, by name, the most severe first.
pub(super) struct Severities;

const NAMES: [&str; Severity::ALL.len()] = {
    let mut names = [""; Severity::ALL.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = Severity::ALL[i].as_str();
        i += 1;
    }
    names
};

impl Field for Severities {
    type Out = Vec<SeverityLevel>;

    fn read(node: &Node, reader: &mut Reader) -> Option<Vec<SeverityLevel>> {
        let entries = reader.table(node)?;
        let slots = reader.slots(&NAMES, entries);
        let met = Severity::ALL.iter().copied().zip(slots).filter_map(|(s, slot)| Some((s, slot?)));
        let met: Vec<(Severity, &Node)> = met.collect();
        reader.severities = Some(met.iter().map(|(severity, _)| *severity).collect());
        let mut levels = Vec::new();
        for (severity, node) in &met {
            levels
                .extend(reader.within(severity.as_str(), |reader| level(*severity, node, reader)));
        }
        (levels.len() == met.len()).then_some(levels)
    }
    fn write(value: &Vec<SeverityLevel>, style: Style) -> Node {
        let entry =
            |level: &SeverityLevel| (level.severity.as_str().to_owned(), written(level, style));
        Node::Table(value.iter().map(entry).collect())
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let text = |severity: &Severity| {
            format!("What belongs to the severity `{severity}`, and what it asks for.")
        };
        let keys = Severity::ALL.iter().map(|severity| (severity.as_str(), text(severity)));
        keyed(&generator.subschema_for::<SeverityLevel>(), keys)
    }
    fn example() -> &'static str {
        "{ … }"
    }
}

fn level(severity: Severity, node: &Node, reader: &mut Reader) -> Option<SeverityLevel> {
    let draft = SeverityLevelDraft::read(reader.table(node)?, reader);
    Some(SeverityLevel {
        severity,
        label: draft.label?,
        definition: draft.definition?,
        hotfix: draft.hotfix?,
        process: draft.process?,
        approvals: draft.approvals?,
        review: draft.review?,
        testing: draft.testing?,
    })
}

fn written(level: &SeverityLevel, style: Style) -> Node {
    SeverityLevelDraft {
        label: Some(level.label.clone()),
        definition: Some(level.definition.clone()),
        hotfix: Some(level.hotfix),
        process: Some(level.process.clone()),
        approvals: Some(level.approvals.clone()),
        review: Some(level.review.clone()),
        testing: Some(level.testing.clone()),
    }
    .write(style)
}

/// Some of the policy's severities, each once; kept with the most severe first.
pub(super) struct NamedSeverities;

impl Field for NamedSeverities {
    type Out = Vec<Severity>;

    fn read(node: &Node, reader: &mut Reader) -> Option<Vec<Severity>> {
        let named = List::<KnownSeverity>::read(node, reader);
        let texts = node.items().iter().enumerate();
        let texts =
            texts.filter_map(|(i, item)| Some((format!("{}/{i}", reader.path()), item.as_text()?)));
        let texts: Vec<(String, &str)> = texts.collect();
        reader.unique("severity", &texts);
        let mut named = named?;
        named.sort_unstable();
        Some(named)
    }
    fn write(value: &Vec<Severity>, style: Style) -> Node {
        List::<KnownSeverity>::write(value, style)
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = List::<KnownSeverity>::schema(generator);
        schema.insert("uniqueItems".to_owned(), true.into());
        schema
    }
    fn example() -> &'static str {
        "[\"P0\"]"
    }
}

/// A severity that the policy has.
pub(super) struct KnownSeverity;

impl Field for KnownSeverity {
    type Out = Severity;

    fn read(node: &Node, reader: &mut Reader) -> Option<Severity> {
        let severity = Severity::read(node, reader)?;
        match &reader.severities {
            Some(known) if !known.contains(&severity) => {
                let known = known.iter().map(|known| known.as_str()).collect();
                reader.fail(Problem::UnknownSeverity { got: severity.as_str(), known })
            }
            // What the policy has could not be read: that has been reported.
            _ => Some(severity),
        }
    }
    fn write(value: &Severity, style: Style) -> Node {
        Severity::write(value, style)
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        Severity::schema(generator)
    }
    fn example() -> &'static str {
        Severity::example()
    }
}
