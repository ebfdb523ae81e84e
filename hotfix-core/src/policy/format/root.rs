//! The document as a whole.

use super::metric::Metrics;
use super::phase::{Checklists, Phases};
use crate::grade::Strategy;
use crate::policy::Policy;
use crate::policy::error::{PolicyErrors, Problem};
use crate::policy::extend::Extends;
use crate::policy::field::{Lasting, List};
use crate::policy::node::{MOST_DEPTH, Node};
use crate::policy::reader::{Draft as _, Field, Reader, Style, escaped, section};
use crate::policy::section::{
    Approval, Clock, Efficacy, Evidence, FinalValidation, Rollback, Triggers, Watch,
};
use crate::unit::Name;

section! {
    draft
    /// How a house rolls out an emergency fix.
    Policy as PolicyDraft {
        /// What it is laid over: a name, or a list of names and of tables that take some keys of a base.
        extends: Extends, [optional];
        /// The version of the format.
        format: Format, [required];
        /// The policy's name.
        name: Name, [required];
        /// What people call it.
        title: String, [required];
        /// How traffic is moved.
        strategy: Strategy, [required];
        /// When to look again after the last phase, each counted from its end (ROLL-6).
        after: List<Lasting>, [default Node::List(Vec::new())];
        /// What the engine believes of the host's clock.
        clock: Clock, [default empty()];
        /// How evidence is weighed.
        evidence: Evidence, [default empty()];
        /// How metrics are watched.
        watch: Watch, [required];
        /// The demands for approval; all must be met.
        approvals: List<Approval>, [default Node::List(Vec::new())];
        /// What is to be done before the start.
        checklists: Checklists, [default Node::List(Vec::new())];
        /// The phases, in order; at least one.
        phases: Phases, [required];
        /// The last look after the last phase.
        final_validation: FinalValidation, [required];
        /// The metrics by id; at least one.
        metrics: Metrics, [required];
        /// The claim that the fix works.
        efficacy: Efficacy, [optional];
        /// What follows each signal; one that is not named is asked about.
        triggers: Triggers, [default empty()];
        /// The rollback workflow.
        rollback: Rollback, [required];
    }
}

const fn empty() -> Node {
    Node::Table(Vec::new())
}

/// The version of the format that this release reads.
#[derive(Clone, Copy)]
pub(super) struct Format;

impl Format {
    const KNOWN: f64 = 1.0;
}

impl Field for Format {
    type Out = Self;

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match node {
            Node::Number(version) if *version == Self::KNOWN => Some(Self),
            Node::Number(version) => {
                reader.fail(Problem::Format { got: version.to_string(), known: "1" })
            }
            _ => reader.wrong_type("the number of a format", node),
        }
    }
    fn write(_: &Self, _: Style) -> Node {
        Node::Number(Self::KNOWN)
    }
    fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "const": 1 })
    }
    fn example() -> &'static str {
        "1"
    }
}

/// The top-level keys that a document may inherit.
pub(in crate::policy) fn inheritable() -> &'static [&'static str] {
    // `extends` is the first.
    PolicyDraft::NAMES.split_first().map_or(&[], |(_, keys)| keys)
}

/// Refuses what is nested too deep or of another format: with such a document nothing else can be done.
pub(in crate::policy) fn check_form(node: &Node) -> Result<(), PolicyErrors> {
    if let Some(steps) = node.too_deep() {
        let place: Vec<String> = steps.iter().map(|step| format!("/{}", escaped(step))).collect();
        return Err(PolicyErrors::of(&place.concat(), Problem::TooDeep { most: MOST_DEPTH }));
    }
    let mut reader = Reader::new();
    // Another format has other keys: remarks on these would be noise.
    if let Some(format @ Node::Number(_)) = node.key("format")
        && reader.within("format", |reader| Format::read(format, reader)).is_none()
    {
        return Err(reader.into_errors());
    }
    Ok(())
}

/// Checks a document that extends nothing, or nothing any more.
pub(in crate::policy) fn from_node(node: &Node) -> Result<Policy, PolicyErrors> {
    check_form(node)?;
    let mut reader = Reader::new();
    let policy = reader.table(node).and_then(|entries| policy(entries, &mut reader));
    let errors = reader.into_errors().placed_in(node);
    match policy {
        Some(policy) if errors.is_clean() => Ok(policy),
        _ => Err(errors),
    }
}

fn policy(entries: &[(String, Node)], reader: &mut Reader) -> Option<Policy> {
    let draft = PolicyDraft::read(entries, reader);
    draft.format?;
    Some(Policy {
        name: draft.name?,
        title: draft.title?,
        strategy: draft.strategy?,
        clock: draft.clock?,
        evidence: draft.evidence?,
        watch: draft.watch?,
        approvals: draft.approvals?,
        checklists: draft.checklists?,
        phases: draft.phases?,
        final_validation: draft.final_validation?,
        after: draft.after?,
        metrics: draft.metrics?,
        efficacy: draft.efficacy?,
        triggers: draft.triggers?,
        rollback: draft.rollback?,
    })
}

/// Writes a policy; reading gives an equal one.
pub(in crate::policy) fn to_node(policy: &Policy, style: Style) -> Node {
    PolicyDraft {
        extends: Some(None),
        format: Some(Format),
        name: Some(policy.name),
        title: Some(policy.title.clone()),
        strategy: Some(policy.strategy),
        after: Some(policy.after.clone()),
        clock: Some(policy.clock),
        evidence: Some(policy.evidence),
        watch: Some(policy.watch),
        approvals: Some(policy.approvals.clone()),
        checklists: Some(policy.checklists.clone()),
        phases: Some(policy.phases.clone()),
        final_validation: Some(policy.final_validation),
        metrics: Some(policy.metrics.clone()),
        efficacy: Some(policy.efficacy),
        triggers: Some(policy.triggers),
        rollback: Some(policy.rollback),
    }
    .write(style)
}
