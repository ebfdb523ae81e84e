//! The document as a whole.

use super::checklist::Checklists;
use super::condition::HouseFacts;
use super::entries::Entries;
use super::list::{empty, none};
use super::metric::Metrics;
use super::phase::Phases;
use super::role::Roles;
use super::severity::Severities;
use super::strategy::{Courses, own_course};
use crate::grade::Strategy;
use crate::policy::Policy;
use crate::policy::error::{PolicyErrors, Problem};
use crate::policy::extend::Extends;
use crate::policy::field::List;
use crate::policy::node::{MOST_DEPTH, Node};
use crate::policy::reader::{Draft as _, Field, Reader, Style, section};
use crate::policy::reasoning::Reasoned;
use crate::policy::section::{
    Advice, Alternative, Approval, Classifier, Clock, Contingency, Deploying, Duty, Efficacy,
    Evidence, FinalValidation, Implication, InsteadOf, LaterWatch, Message, ProcedureStep, Record,
    Remedy, Report, Risk, Rollback, Rule, Scope, SuccessCriterion, Tree, Triggers, Vcs, Vendor,
    Watch,
};
use crate::text::pointer_step;
use crate::unit::{Name, RoleName};

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
        /// Facts of the house's own, by name.
        facts: HouseFacts, [default empty()];
        /// What follows from what among the facts.
        implications: Entries<Implication>, [default none()];
        /// The severities that the policy has, each with what it asks for (SEV-1, SEV-6).
        severities: Severities, [default empty()];
        /// What the list of rules does not say by itself.
        classification: Classifier, [default empty()];
        /// The rules that classify an incident.
        rules: Entries<Rule>, [default none()];
        /// The decision tree.
        tree: Tree, [optional];
        /// Why this strategy.
        strategy_why: String, [default ""];
        /// The strategies that were not chosen, and why (PLAN-1).
        alternatives: Entries<Alternative>, [default none()];
        /// How strategies go that a release may choose, by their names; also what is looked at with the policy's own
        /// (PLAN-1).
        strategies: Courses, [default empty()];
        /// What the policy has for every release, where this is the policy of one plan. A plan writes it.
        instead_of: InsteadOf, [optional];
        /// When to look again after the last phase, each counted from its end: a duration, or a table that says what is
        /// looked at, too (ROLL-6).
        after: List<LaterWatch>, [default none()];
        /// What the policy says of itself.
        record: Record, [optional];
        /// What the engine believes of the host's clock.
        clock: Clock, [default empty()];
        /// How evidence is weighed.
        evidence: Evidence, [default empty()];
        /// How metrics are watched.
        watch: Watch, [required];
        /// The roles of the house by id: who holds them, how they are reached, who stands in (TIME-4).
        roles: Roles, [default empty()];
        /// The companies whose services the house depends on (TIME-4).
        vendors: Entries<Vendor>, [default none()];
        /// What is due, when, how often and by whom (SEV-6, TIME-1, TIME-2, POST-2, POST-4).
        duties: Entries<Duty>, [default none()];
        /// The demands for approval whatever the severity; all must be met (GATE-1).
        approvals: List<Approval>, [default none()];
        /// Who may let a hot-fix start that the policy answers with the normal process, or outside of its change window: any
        /// one of these roles, with a reason. Without it any role may, if it is named.
        waived_by: List<RoleName>, [default none()];
        /// What a hot-fix may change (GATE-4). Without it nothing is said.
        scope: Scope, [optional];
        /// What is gone through item by item, and when; the start waits for `start` lists (GATE-2, GATE-5).
        checklists: Checklists, [default none()];
        /// The phases, in order; at least one.
        phases: Phases, [required];
        /// The last look after the last phase.
        final_validation: FinalValidation, [required];
        /// The metrics by id; at least one.
        metrics: Metrics, [required];
        /// The claim that the fix works.
        efficacy: Efficacy, [optional];
        /// What success means beyond the bounds of metrics.
        success: Entries<SuccessCriterion>, [default none()];
        /// What a deployment looks like that goes well, and one that does not.
        deploying: Deploying, [optional];
        /// What follows each signal; one that is not named is asked about.
        triggers: Triggers, [default empty()];
        /// The rollback workflow.
        rollback: Rollback, [required];
        /// How a fix goes through source control.
        vcs: Vcs, [optional];
        /// The steps that people take, in order.
        procedure: Entries<ProcedureStep>, [default none()];
        /// What to do, not to do, and to beware of.
        advice: Entries<Advice>, [default none()];
        /// The risk register.
        risks: Entries<Risk>, [default none()];
        /// What is done when something else fails.
        contingencies: Entries<Contingency>, [default none()];
        /// What helps against faults that are known already.
        remedies: Entries<Remedy>, [default none()];
        /// The templates of messages.
        messages: Entries<Message>, [default none()];
        /// The incident report.
        report: Report, [optional];
    }
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
        let place: Vec<String> =
            steps.iter().map(|step| format!("/{}", pointer_step(step))).collect();
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
    apart(&draft, reader);
    draft.format?;
    if let (Some(strategy), Some(courses), Some(instead_of)) =
        (draft.strategy, &draft.strategies, &draft.instead_of)
    {
        // The policy of a plan keeps what is said of strategies for the policy that it stands for.
        own_course(instead_of.as_ref().map_or(strategy, |own| own.strategy), courses, reader);
    }
    Some(Policy {
        name: draft.name?,
        title: draft.title?,
        strategy: draft.strategy?,
        strategy_why: draft.strategy_why?,
        alternatives: draft.alternatives?,
        strategies: draft.strategies?,
        instead_of: draft.instead_of?,
        clock: draft.clock?,
        evidence: draft.evidence?,
        watch: draft.watch?,
        severities: draft.severities?,
        roles: draft.roles?,
        vendors: draft.vendors?,
        duties: draft.duties?,
        approvals: draft.approvals?,
        waived_by: draft.waived_by?,
        scope: draft.scope?,
        checklists: draft.checklists?,
        phases: draft.phases?,
        final_validation: draft.final_validation?,
        vocabulary: draft.facts?,
        implications: draft.implications?,
        classifier: draft.classification?,
        rules: draft.rules?,
        tree: draft.tree?,
        after: draft.after?,
        record: draft.record?,
        metrics: draft.metrics?,
        efficacy: draft.efficacy?,
        success: draft.success?,
        deploying: draft.deploying?,
        triggers: draft.triggers?,
        rollback: draft.rollback?,
        reasoned: Reasoned::default(),
        vcs: draft.vcs?,
        procedure: draft.procedure?,
        advice: draft.advice?,
        risks: draft.risks?,
        contingencies: draft.contingencies?,
        remedies: draft.remedies?,
        messages: draft.messages?,
        report: draft.report?,
    })
}

/// `check_item` takes ids of items and of steps, so none is both (PLAN-8).
fn apart(draft: &PolicyDraft, reader: &mut Reader) {
    let (Some(lists), Some(steps)) = (&draft.checklists, &draft.procedure) else { return };
    for (i, list) in lists.iter().enumerate() {
        for (j, item) in list.items.iter().enumerate() {
            let Some(step) = steps.iter().position(|step| step.id == item.id) else { continue };
            let (name, step) = (item.id.to_string(), format!("/procedure/{step}"));
            let problem = Problem::ItemAndStep { name, step };
            reader.fail_at_path::<()>(&format!("/checklists/{i}/items/{j}/id"), problem);
        }
    }
}

/// Writes a policy; reading gives an equal one.
pub(in crate::policy) fn to_node(policy: &Policy, style: Style) -> Node {
    PolicyDraft {
        extends: Some(None),
        format: Some(Format),
        name: Some(policy.name),
        title: Some(policy.title.clone()),
        strategy: Some(policy.strategy),
        facts: Some(policy.vocabulary.clone()),
        implications: Some(policy.implications.clone()),
        classification: Some(policy.classifier),
        rules: Some(policy.rules.clone()),
        tree: Some(policy.tree.clone()),
        strategy_why: Some(policy.strategy_why.clone()),
        alternatives: Some(policy.alternatives.clone()),
        strategies: Some(policy.strategies.clone()),
        instead_of: Some(policy.instead_of.clone()),
        after: Some(policy.after.clone()),
        record: Some(policy.record.clone()),
        clock: Some(policy.clock),
        evidence: Some(policy.evidence),
        watch: Some(policy.watch),
        severities: Some(policy.severities.clone()),
        roles: Some(policy.roles.clone()),
        vendors: Some(policy.vendors.clone()),
        duties: Some(policy.duties.clone()),
        approvals: Some(policy.approvals.clone()),
        waived_by: Some(policy.waived_by.clone()),
        scope: Some(policy.scope.clone()),
        checklists: Some(policy.checklists.clone()),
        phases: Some(policy.phases.clone()),
        final_validation: Some(policy.final_validation),
        metrics: Some(policy.metrics.clone()),
        efficacy: Some(policy.efficacy),
        success: Some(policy.success.clone()),
        deploying: Some(policy.deploying.clone()),
        triggers: Some(policy.triggers),
        rollback: Some(policy.rollback.clone()),
        vcs: Some(policy.vcs.clone()),
        procedure: Some(policy.procedure.clone()),
        advice: Some(policy.advice.clone()),
        risks: Some(policy.risks.clone()),
        contingencies: Some(policy.contingencies.clone()),
        remedies: Some(policy.remedies.clone()),
        messages: Some(policy.messages.clone()),
        report: Some(policy.report.clone()),
    }
    .write(style)
}
