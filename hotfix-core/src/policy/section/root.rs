//! The document as a whole.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::checklist::Checklists;
use super::condition::CustomFacts;
use super::list::{ByName, Entries, empty, none};
use super::metric::{Metrics, metric_settings};
use super::phase::LaterWatchForm;
use super::range::Phases;
use super::role::Roles;
use super::strategy::check_own_settings;
use super::{
    Advice, Alternative, Approval, Checklist, Classifier, Clock, Contingency, CustomRole,
    Deploying, Duty, Efficacy, Evidence, Exception, FinalValidation, Implication, InsteadOf,
    LaterWatch, Message, Metric, OBJECTIVE, Phase, ProcedureStep, REPORT, Record, Remedy, Report,
    Risk, Rollback, Rule, Scope, SeverityLevel, StrategySettings, SuccessCriterion, Tree, Triggers,
    Vcs, Vendor, Watch, approval_duty,
};
use crate::document::{DocumentErrors, Node, Value};
use crate::fact::Vocabulary;
use crate::getters::getters;
use crate::grade::Strategy;
use crate::policy::error::{PolicyErrors, Problem};
use crate::policy::extend::Extends;
use crate::policy::field::{Lasting, List, TextOrNone, values};
use crate::policy::reader::{Draft as _, Field, PolicyReader, Style, section};
use crate::policy::reasoning::Reasoned;
use crate::policy::schema::{Definitions, Schema};
use crate::unit::{Name, RoleName, Span};
use serde_json::json;

section! {
    plain
    /// How an organisation rolls out an emergency fix.
    pub(crate) Policy from PolicyDraft, policy_rules with reasoned: Reasoned {
        /// The policies that this one extends: a name, or a list of names and of tables that take
        /// only some top-level keys.
        extends: Infallible as Extends, [optional];
        /// The version of the policy format: 1.
        format: Format, [required];
        /// The id of the policy.
        name: Name, [required], shown(Name);
        /// The name of the policy for people.
        title: String, [required], shown(&str = as_str());
        /// How traffic is moved to the fix.
        strategy: Strategy, [required], shown(Strategy);
        /// Custom facts, by name, in addition to the built-in ones.
        facts: Vocabulary as CustomFacts, [default empty()];
        /// Facts that follow from other facts.
        implications: Vec<Implication> as Entries<Implication>, [default none()],
            shown([Implication]);
        /// The severities of the policy, each with its demands for approval, review and testing.
        severities: Vec<SeverityLevel> as ByName<SeverityLevel>, [default empty()];
        /// How the rules are evaluated: with unknown facts, if no rule fires, and if rules
        /// contradict each other.
        classification: Classifier, [default empty()];
        /// The rules that classify an incident by its facts.
        rules: Vec<Rule> as Entries<Rule>, [default none()], shown([Rule]);
        /// The decision tree: questions that lead to a severity and to hot-fix or no hot-fix.
        tree: Tree, [optional], shown(Option<&Tree>);
        /// Why this strategy was chosen.
        strategy_why: String as TextOrNone, [default ""], shown(&str = as_str());
        /// The strategies that were not chosen, with the reasons.
        alternatives: Vec<Alternative> as Entries<Alternative>, [default none()],
            shown([Alternative]);
        /// Settings by strategy: phases and checks of the strategies that a release may choose
        /// instead of the policy's own.
        strategies: Vec<StrategySettings> as ByName<StrategySettings>, [default empty()],
            shown([StrategySettings]);
        /// The original strategy and phases, in the policy of a plan whose release chose another
        /// strategy. Written by the plan.
        instead_of: InsteadOf, [optional], shown(Option<&InsteadOf>);
        /// When the system is checked again after the last phase: a duration from the end of the
        /// final validation, or a table with the list of things to check.
        after: Vec<LaterWatch> as List<LaterWatchForm>, [default none()], shown([LaterWatch]);
        /// Metadata of the policy: source, owner, last change, objective, review cycle.
        change_record: Record, [optional], shown(Option<&Record>);
        /// Limits on the timestamps that the caller sends.
        clock: Clock, [default empty()], shown(&Clock);
        /// Settings of the sequential tests.
        evidence: Evidence, [default empty()], shown(&Evidence);
        /// How metrics are observed and evaluated.
        watch: Watch, [required], shown(&Watch);
        /// The roles by id: their holders, how to reach them, and their stand-ins. Messages name
        /// the holders of `incident_commander` as the commander, and of no role with another id; after a
        /// handover give `commander` in the `values` of a message.
        roles: Vec<CustomRole> as Roles, [default empty()];
        /// The vendors whose services you depend on, with their contacts.
        vendors: Vec<Vendor> as Entries<Vendor>, [default none()], shown([Vendor]);
        /// The duties: what somebody has to do, by when, and how often.
        duties: Vec<Duty> as Entries<Duty>, [default none()], shown([Duty]);
        /// The approvals that are needed for every severity; all must be given.
        approvals: Vec<Approval> as List<Approval>, [default none()], shown([Approval]);
        /// The roles that may start a hot-fix that the policy sends to the normal process, or
        /// outside the change window. Any one of them may, with a reason. Without this key any role
        /// may, if it is named.
        waived_by: Vec<RoleName> as List<RoleName>, [default none()], shown([RoleName]);
        /// How long a request for approval, a question to a person or a page stays without an answer
        /// until it is sent again; a request or page then goes to the stand-ins as well.
        ask_again: Span as Lasting, [default "15min"], shown(Span);
        /// What a hot-fix may change. Without this key the change is not checked.
        scope: Scope, [optional], shown(Option<&Scope>);
        /// The checklists, each with the moment when it is due. The start waits for the lists at
        /// `start`.
        checklists: Vec<Checklist> as Checklists, [default none()], shown([Checklist]);
        /// The phases, in order; at least one.
        phases: Vec<Phase> as Phases, [required], shown([Phase]);
        /// The final validation after the last phase.
        final_validation: FinalValidation, [required], shown(&FinalValidation);
        /// The metrics by id; at least one.
        metrics: Vec<Metric> as Metrics, [required];
        /// The claim that the fix works: the bug's metric has to drop.
        efficacy: Efficacy, [optional], shown(Option<&Efficacy>);
        /// The success criteria, in addition to the bounds of the metrics.
        success: Vec<SuccessCriterion> as Entries<SuccessCriterion>, [default none()],
            shown([SuccessCriterion]);
        /// How long a deployment takes, and the signs of success and failure.
        deploying: Deploying, [optional], shown(Option<&Deploying>);
        /// What happens on each signal that a person or a check reports. For a signal that is not
        /// named, a person is asked.
        triggers: Triggers, [default empty()], shown(&Triggers);
        /// The rollback workflow.
        rollback: Rollback, [required], shown(&Rollback);
        /// The path of a fix through source control.
        vcs: Vcs, [optional], shown(Option<&Vcs>);
        /// The steps of the procedure for people, in order.
        procedure: Vec<ProcedureStep> as Entries<ProcedureStep>, [default none()],
            shown([ProcedureStep]);
        /// Advice for people: dos, don'ts and pitfalls.
        advice: Vec<Advice> as Entries<Advice>, [default none()], shown([Advice]);
        /// The risk register.
        risks: Vec<Risk> as Entries<Risk>, [default none()], shown([Risk]);
        /// What to do if something other than the fix fails, such as monitoring.
        contingencies: Vec<Contingency> as Entries<Contingency>, [default none()],
            shown([Contingency]);
        /// Remedies for known kinds of faults.
        remedies: Vec<Remedy> as Entries<Remedy>, [default none()], shown([Remedy]);
        /// The templates of the messages.
        messages: Vec<Message> as Entries<Message>, [default none()], shown([Message]);
        /// The incident report.
        report: Report, [optional], shown(Option<&Report>);
    }
}

// Getters whose name is not that of the key, or whose order matters.
getters! {
    pub Policy: self;

    /// The facts that the policy knows: built-in and custom ones.
    vocabulary: &Vocabulary = &self.facts;
    /// How the rules are evaluated.
    classifier: &Classifier = &self.classification;
    /// The severities of the policy, the most severe first; empty if it uses none.
    severities: &[SeverityLevel] = self.severities.as_slice();
    /// The roles, in the order of their ids. One that is named but not declared is no error, so that
    /// a policy can be shared without the people.
    roles: &[CustomRole] = self.roles.as_slice();
    /// The metrics, in the order of their ids; at least one.
    metrics: &[Metric] = self.metrics.as_slice();
}

/// The version of the format that this release reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Format;

impl Format {
    const KNOWN: f64 = 1.0;
}

values! {
    Format => Self: |node, reader| {
        Value::Number(version) if *version == Self::KNOWN => Some(Self),
        Value::Number(version) => {
            reader.fail(Problem::Format { got: version.to_string(), known: "1" })
        },
    } or "the number of a format", |_value, _| Node::from(Self::KNOWN), json!({ "const": 1 }), "1";
}

/// The top-level keys that a document may inherit.
pub(in crate::policy) fn inheritable() -> &'static [&'static str] {
    // `extends` is the first.
    PolicyDraft::NAMES.split_first().map_or(&[], |(_, keys)| keys)
}

/// Refuses a document that is nested too deep or has another format; nothing else in it can be
/// checked. A base is also refused if its format is no number.
pub(in crate::policy) fn check_form(node: &Node, is_base: bool) -> Result<(), PolicyErrors> {
    node.check_depth().map_err(DocumentErrors::of_family)?;
    let mut reader = PolicyReader::new();
    // Another format has other keys: errors about these would be noise.
    if let Some(format) = node.key("format")
        && (is_base || matches!(format.value, Value::Number(_)))
        && reader.within("format", |reader| Format::read(format, reader)).is_none()
    {
        return Err(reader.into_errors().placed_in(node));
    }
    Ok(())
}

/// Checks a document without `extends`, or whose `extends` is resolved.
pub(in crate::policy) fn from_node(node: &Node) -> Result<Policy, PolicyErrors> {
    check_form(node, false)?;
    let mut reader = PolicyReader::new();
    let policy = Policy::read(node, &mut reader);
    reader.into_errors().placed_in(node).below_a_table(node, PolicyDraft::NAMES).or(policy)
}

fn policy_rules(draft: &PolicyDraft, reader: &mut PolicyReader) {
    apart(draft, reader);
    duties_apart(draft, reader);
    if let (Some(metrics), Some(evidence)) = (&draft.metrics, &draft.evidence) {
        metric_settings(metrics, evidence, reader);
    }
    if let (Some(strategy), Some(settings), Some(instead_of)) =
        (draft.strategy, &draft.strategies, &draft.instead_of)
    {
        // The policy of a plan keeps the settings of strategies of the original policy.
        let own = instead_of.as_ref().map_or(strategy, |own| own.strategy);
        check_own_settings(own, settings, reader);
    }
}

/// `check_item` and `waive_item` accept ids of items, of steps, of success criteria and of exceptions,
/// so no id may be two of them.
fn apart(draft: &PolicyDraft, reader: &mut PolicyReader) {
    let mut known: BTreeMap<&str, String> = Exception::ALL
        .iter()
        .map(|exception| (exception.as_str(), "that of a waiver (`waived_by`)".to_owned()))
        .collect();
    let steps = (0..).zip(draft.procedure.iter().flatten());
    let steps = steps.map(|(at, step)| (&step.id, format!("/procedure/{at}")));
    let criteria = (0..).zip(draft.success.iter().flatten());
    let criteria = criteria.map(|(at, criterion)| (&criterion.id, format!("/success/{at}")));
    let lists = (0..).zip(draft.checklists.iter().flatten());
    let items = lists.flat_map(|(i, list)| {
        let items = (0..).zip(&list.items);
        items.map(move |(j, item)| (&item.id, format!("/checklists/{i}/items/{j}")))
    });
    for kind in [steps.collect(), criteria.collect(), items.collect::<Vec<_>>()] {
        for (id, place) in &kind {
            taken(id, place, known.get(id.as_str()), reader);
        }
        // Two of one kind have been reported.
        known.extend(kind.into_iter().map(|(id, place)| (id.as_str(), format!("at `{place}`"))));
    }
}

/// `done` accepts ids of the policy's duties and of those that follow from its other tables.
fn duties_apart(draft: &PolicyDraft, reader: &mut PolicyReader) {
    let duties = draft.duties.as_deref().unwrap_or_default();
    let mut made: Vec<(String, &str)> = Vec::new();
    if draft.change_record.iter().flatten().any(|record| record.slo.is_some()) {
        made.push((OBJECTIVE.to_owned(), "`change_record.slo`"));
    }
    let within = draft.report.iter().flatten().find_map(|report| report.within);
    let covers =
        |within| duties.iter().any(|duty| duty.severities.is_empty() && duty.covers_report(within));
    if within.is_some_and(|within| !covers(within)) {
        made.push((REPORT.to_owned(), "`report.within`"));
    }
    let of_severities = draft.severities.iter().flatten().flat_map(|level| &level.approvals);
    let demands = draft.approvals.iter().flatten().chain(of_severities);
    let late = (0..).zip(demands).filter(|(_, demand)| demand.after_the_fact.is_some());
    made.extend(late.map(|(at, _)| (approval_duty(at), "an approval with `after_the_fact`")));
    let by_other = |id: &Name, made: &[(String, &str)]| {
        let of = made.iter().find(|(made, _)| made == id.as_str());
        of.map(|(_, of)| format!("that of the duty that follows from {of}"))
    };
    let lists = (0..).zip(draft.checklists.iter().flatten());
    for (at, list) in lists.filter(|(_, list)| list.within.is_some()) {
        let place = format!("/checklists/{at}");
        taken(&list.id, &place, by_other(&list.id, &made).as_ref(), reader);
        made.push((list.id.to_string(), "a checklist with `within`"));
    }
    for (at, duty) in (0..).zip(duties) {
        taken(&duty.id, &format!("/duties/{at}"), by_other(&duty.id, &made).as_ref(), reader);
    }
}

/// Reports an id that is something else, too.
fn taken(id: &Name, place: &str, by: Option<&String>, reader: &mut PolicyReader) {
    if let Some(by) = by {
        let problem = Problem::IdTaken { name: id.to_string(), by: by.clone() };
        reader.fail_at_path::<()>(&format!("{place}/id"), problem);
    }
}
