//! A checked policy: what a house, or one of the documents, wants.
//!
//! A `Policy` that exists is in range and consistent enough to run; engines take `&Policy`, so none can see an
//! unchecked one. Figures live in `policies/*.toml`, not in code.

mod chain;
mod choice;
mod error;
mod extend;
mod field;
mod format;
mod node;
mod preset;
mod problem;
mod reader;
pub(crate) mod reasoning;
mod roles;
mod schema;
pub mod section;
pub(crate) mod template;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use error::{PolicyError, PolicyErrors, Problem};
pub use extend::ExtendError;
pub use schema::schema;

use node::Node;
use reader::Style;
use reasoning::{Reasoned, Reasoning};
use section::{
    Advice, Alternative, Approval, Checklist, Classifier, Clock, Contingency, Course, Deploying,
    Duty, Efficacy, Evidence, FinalValidation, HouseRole, Implication, InsteadOf, LaterWatch,
    Message, Metric, Phase, ProcedureStep, Record, Remedy, Report, Risk, Rollback, Rule, Scope,
    SeverityLevel, SuccessCriterion, Tree, Triggers, Vcs, Vendor, Watch,
};

use crate::canonical::Digest;
use crate::fact::Vocabulary;
use crate::grade::{Severity, Strategy};
use crate::text::words;
use crate::unit::{Name, RoleName, Span};

/// A checked policy.
///
/// Reading refuses what it cannot read or run, all of it at once, each error with a code, a place and a remedy. What can
/// be read but is doubtful is no error.
///
/// ```
/// use hotfix_core::policy::Policy;
/// let preset = Policy::preset("phased-canary")?;
/// assert_eq!(preset.phases()[0].share.to_string(), "10%");
/// assert_eq!(preset.metric("error_rate").and_then(|m| m.record), Some(0.003));
/// assert_eq!(Policy::from_toml(&preset.to_toml())?, preset);
///
/// let errors = Policy::from_toml(&preset.to_toml().replace("10min", "10 parsecs")).unwrap_err();
/// let watch = errors.iter().next().unwrap();
/// assert_eq!((watch.code(), watch.path()), ("HF-UNIT-001", "/phases/0/watch"));
/// # Ok::<(), hotfix_core::policy::PolicyErrors>(())
/// ```
///
/// Shows FIELD-5.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub(crate) name: Name,
    pub(crate) title: String,
    pub(crate) strategy: Strategy,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) implications: Vec<Implication>,
    pub(crate) classifier: Classifier,
    pub(crate) rules: Vec<Rule>,
    pub(crate) tree: Option<Tree>,
    pub(crate) strategy_why: String,
    pub(crate) alternatives: Vec<Alternative>,
    pub(crate) strategies: Vec<Course>,
    pub(crate) instead_of: Option<InsteadOf>,
    pub(crate) clock: Clock,
    pub(crate) evidence: Evidence,
    pub(crate) watch: Watch,
    pub(crate) severities: Vec<SeverityLevel>,
    pub(crate) roles: Vec<HouseRole>,
    pub(crate) vendors: Vec<Vendor>,
    pub(crate) duties: Vec<Duty>,
    pub(crate) approvals: Vec<Approval>,
    pub(crate) waived_by: Vec<RoleName>,
    pub(crate) scope: Option<Scope>,
    pub(crate) checklists: Vec<Checklist>,
    pub(crate) phases: Vec<Phase>,
    pub(crate) final_validation: FinalValidation,
    pub(crate) after: Vec<LaterWatch>,
    pub(crate) record: Option<Record>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) efficacy: Option<Efficacy>,
    pub(crate) success: Vec<SuccessCriterion>,
    pub(crate) deploying: Option<Deploying>,
    pub(crate) triggers: Triggers,
    pub(crate) rollback: Rollback,
    pub(crate) reasoned: Reasoned,
    pub(crate) vcs: Option<Vcs>,
    pub(crate) procedure: Vec<ProcedureStep>,
    pub(crate) advice: Vec<Advice>,
    pub(crate) risks: Vec<Risk>,
    pub(crate) contingencies: Vec<Contingency>,
    pub(crate) remedies: Vec<Remedy>,
    pub(crate) messages: Vec<Message>,
    pub(crate) report: Option<Report>,
}

impl Policy {
    /// Reads TOML, at most 1 MiB of it. `extends` may name presets; [`Policy::from_toml_with`] knows policies of the caller too.
    ///
    /// # Errors
    /// All of them at once: `HF-POL-…` for the text, its keys and what hangs together, `HF-UNIT-…` for single values.
    pub fn from_toml(text: &str) -> Result<Self, PolicyErrors> {
        Self::from_toml_with(text, |_| None)
    }

    /// Reads JSON, at most 1 MiB of it. `extends` may name presets.
    ///
    /// # Errors
    /// As [`Policy::from_toml`].
    pub fn from_json(text: &str) -> Result<Self, PolicyErrors> {
        Self::from_json_with(text, |_| None)
    }

    /// Reads TOML that may extend other policies, and resolves it: what comes out knows nothing of `extends`, so it is
    /// written, logged and hashed as if it had been written out in full.
    ///
    /// ```
    /// use hotfix_core::policy::Policy;
    /// let enterprise = r#"
    ///     extends = "phased-canary"
    ///     [metrics.payment_success]
    ///     alert = { remove = true }
    /// "#;
    /// let house = r#"
    ///     extends = "enterprise"
    ///     name = "payments"
    ///     [[phases]]
    ///     name = "canary"
    ///     watch = "20min"
    /// "#;
    /// let resolve = |name: &str| (name == "enterprise").then(|| enterprise.to_owned());
    /// let policy = Policy::from_toml_with(house, resolve)?;
    /// assert_eq!(policy.phases()[0].watch.as_seconds(), 1200.0);
    /// assert_eq!(policy.phases().len(), 3);
    /// assert!(policy.metric("payment_success").is_some_and(|metric| metric.bounds.alert.is_none()));
    /// assert_eq!(Policy::from_toml(&policy.to_toml())?.digest(), policy.digest());
    /// # Ok::<(), hotfix_core::policy::PolicyErrors>(())
    /// ```
    ///
    /// **What is extended.** `extends` is a name, or a list of names and of tables such as
    /// `{ policy = "enterprise", take = ["metrics", "phases"] }`, which take these top-level keys of that base alone.
    /// `resolve` is asked for a name first, once for each; `None` means that it does not know it, and then the name is a
    /// preset's. What a preset extends is a preset. The text that `resolve` gives is JSON where its first character
    /// other than white space is `{`, and TOML otherwise: TOML cannot start so, and a policy in JSON can only start so.
    ///
    /// **Order.** Each base is first laid over the bases that it extends itself. The bases are laid over each other in
    /// the order of the list, later ones on top, and the document on top of all. A base need not be a policy by itself: it may
    /// lack any key, also `format`; one that it has must be known. Only the outcome is checked.
    ///
    /// **Laying one over another.**
    /// * Two tables: key by key; keys of both are merged, the others stay.
    /// * Two lists whose items are all tables with an `id`, or else all with a `name`, a text that is different for each
    ///   item of a list: item by item. An item with the same `id` is merged in its place, a new one is appended.
    /// * Everything else is replaced: values, lists of other kinds, an empty list, a list by a table. JSON's `null` is a
    ///   value like others.
    /// * A table with `remove = true`, as the value of a key or as an item with its `id`, takes out what is inherited there. It
    ///   has no other keys. Where nothing is inherited it is an error, so a slip in a name cannot pass for a removal. In a
    ///   base that extends nothing it takes from the bases before it in the list.
    ///
    /// **Limits.** A chain of 8 bases, 32 bases in all, 1 MiB of text for each and 4 MiB for all.
    ///
    /// **Places.** An error of the outcome has its place in the outcome; its sentence names the base where the whole top-level
    /// key came from one. An error of a base has the place of that base in `extends`.
    ///
    /// # Errors
    /// As [`Policy::from_toml`]; `HF-POL-028` to `HF-POL-035` say what is wrong with the bases.
    ///
    /// Shows FIELD-5.
    pub fn from_toml_with(
        text: &str,
        mut resolve: impl FnMut(&str) -> Option<String>,
    ) -> Result<Self, PolicyErrors> {
        extend::read(Node::from_toml(text)?, &mut resolve)
    }

    /// Reads JSON that may extend other policies, as [`Policy::from_toml_with`] does.
    ///
    /// # Errors
    /// As [`Policy::from_toml_with`].
    pub fn from_json_with(
        text: &str,
        mut resolve: impl FnMut(&str) -> Option<String>,
    ) -> Result<Self, PolicyErrors> {
        extend::read(Node::from_json(text)?, &mut resolve)
    }

    /// Writes JSON as it goes over the wire: durations in seconds, shares as fractions, every default filled in.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Writes TOML as people read it: `"10min"` and `"0.3%"` where that says exactly the same, every default filled in.
    pub fn to_toml(&self) -> String {
        toml::to_string(&format::to_node(self, Style::Human)).unwrap_or_default()
    }

    /// SHA-256 of its canonical JSON (RFC 8785): the same for equal policies, however they were written.
    ///
    /// ```
    /// use hotfix_core::policy::Policy;
    /// let preset = Policy::preset("standard")?;
    /// assert_eq!(Policy::from_toml(&preset.to_toml())?.digest(), preset.digest());
    /// assert_ne!(Policy::preset("phased-canary")?.digest(), preset.digest());
    /// # Ok::<(), hotfix_core::policy::PolicyErrors>(())
    /// ```
    pub fn digest(&self) -> Digest {
        // Canonical JSON refuses what is not finite, stands twice or is nested deep; a checked policy has none of it.
        crate::canonical::digest(self).unwrap_or(Digest::ZERO)
    }

    /// What its conditions amount to; worked out when it is first asked for.
    pub(crate) fn reasoning(&self) -> &Reasoning {
        self.reasoned.of(self)
    }

    /// Its name.
    pub const fn name(&self) -> Name {
        self.name
    }

    /// What people call it.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// How traffic is moved.
    pub const fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// The facts that it knows: the built-in ones and its own (SEV-2).
    pub const fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// What follows from what among the facts.
    pub fn implications(&self) -> &[Implication] {
        &self.implications
    }

    /// What the list of rules does not say by itself.
    pub const fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    /// The rules that classify an incident, in the order of the policy.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The decision tree, where the policy has one (DEC-1).
    pub const fn tree(&self) -> Option<&Tree> {
        self.tree.as_ref()
    }

    /// Why this strategy (PLAN-1); empty: not said.
    pub fn strategy_why(&self) -> &str {
        &self.strategy_why
    }

    /// The strategies that were not chosen, and why (PLAN-1).
    pub fn alternatives(&self) -> &[Alternative] {
        &self.alternatives
    }

    /// What is said of single strategies, at most once of each (PLAN-1).
    pub fn strategies(&self) -> &[Course] {
        &self.strategies
    }

    /// What is said of a strategy (PLAN-1).
    pub fn course(&self, strategy: Strategy) -> Option<&Course> {
        self.strategies.iter().find(|course| course.strategy == strategy)
    }

    /// What the policy has for every release, where this is the policy of a plan whose release chose another strategy
    /// (PLAN-1).
    pub const fn instead_of(&self) -> Option<&InsteadOf> {
        self.instead_of.as_ref()
    }

    /// What the policy says of itself (DEC-7).
    pub const fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// What the engine believes of the host's clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How evidence is weighed.
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// How metrics are watched.
    pub const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The severities that the policy has, the most severe first; a document that takes them as given has none (SEV-1).
    pub fn severities(&self) -> &[SeverityLevel] {
        &self.severities
    }

    /// What belongs to a severity and what it asks for (SEV-6); none where the policy does not have it.
    pub fn severity(&self, severity: Severity) -> Option<&SeverityLevel> {
        self.severities.iter().find(|level| level.severity == severity)
    }

    /// The roles of the house, in the order of their ids (TIME-4).
    pub fn roles(&self) -> &[HouseRole] {
        &self.roles
    }

    /// A role by id (TIME-4); none where nobody is said to hold it.
    pub fn role(&self, id: RoleName) -> Option<&HouseRole> {
        self.roles.iter().find(|role| role.id == id)
    }

    /// What people call a role: its title, or its id as words.
    pub(crate) fn role_title(&self, id: RoleName) -> String {
        self.role(id).map_or_else(|| words(id.as_str()), |role| role.title.clone())
    }

    /// The companies whose services the house depends on (TIME-4).
    pub fn vendors(&self) -> &[Vendor] {
        &self.vendors
    }

    /// What is due, in the order of the policy: response times, escalation, updates, reviews, follow-ups (SEV-6, TIME-1,
    /// TIME-2, POST-2, POST-4).
    pub fn duties(&self) -> &[Duty] {
        &self.duties
    }

    /// The demands for approval whatever the severity; all must be met (GATE-1).
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }

    /// The roles that may let a hot-fix start where the policy answers with the normal process, or outside of its change
    /// window; empty: any role.
    pub fn waived_by(&self) -> &[RoleName] {
        &self.waived_by
    }

    /// What a hot-fix may change (GATE-4); none where nothing is said.
    pub const fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// What is gone through item by item, each list at its moment (GATE-2, GATE-5).
    pub fn checklists(&self) -> &[Checklist] {
        &self.checklists
    }

    /// The phases, in order; at least one.
    pub fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// The last look after the last phase.
    pub const fn final_validation(&self) -> &FinalValidation {
        &self.final_validation
    }

    /// When to look again after the last phase, each counted from its end (ROLL-6).
    pub fn after(&self) -> &[LaterWatch] {
        &self.after
    }

    /// When the last of those windows ends, counted from the end of the last phase; None without a window.
    pub fn watched_until(&self) -> Option<Span> {
        self.after.iter().map(|watch| watch.until).max()
    }

    /// The metrics, in the order of their ids; at least one.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// A metric by id.
    pub fn metric(&self, id: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.id.as_str() == id)
    }

    /// The claim that the fix works, where the policy makes one.
    pub const fn efficacy(&self) -> Option<&Efficacy> {
        self.efficacy.as_ref()
    }

    /// What success means beyond the bounds of metrics (MET-7).
    pub fn success(&self) -> &[SuccessCriterion] {
        &self.success
    }

    /// What a deployment looks like that goes well, and one that does not (ROLL-1).
    pub const fn deploying(&self) -> Option<&Deploying> {
        self.deploying.as_ref()
    }

    /// What follows each signal.
    pub const fn triggers(&self) -> &Triggers {
        &self.triggers
    }

    /// The rollback workflow (ROLL-5).
    pub const fn rollback(&self) -> &Rollback {
        &self.rollback
    }

    /// How a fix goes through source control (VCS-1).
    pub const fn vcs(&self) -> Option<&Vcs> {
        self.vcs.as_ref()
    }

    /// The steps that people take, in order (PLAN-8).
    pub fn procedure(&self) -> &[ProcedureStep] {
        &self.procedure
    }

    /// What to do, not to do, and to beware of (GATE-6).
    pub fn advice(&self) -> &[Advice] {
        &self.advice
    }

    /// The risk register (PLAN-4).
    pub fn risks(&self) -> &[Risk] {
        &self.risks
    }

    /// What is done when something else fails (PLAN-4).
    pub fn contingencies(&self) -> &[Contingency] {
        &self.contingencies
    }

    /// What helps against faults that are known already, each with the incidents that it is for.
    pub fn remedies(&self) -> &[Remedy] {
        &self.remedies
    }

    /// The templates of messages (COMM-1).
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The incident report (POST-1).
    pub const fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        format::to_node(self, Style::Wire).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Policy {
    /// Goes through the same checks as [`Policy::from_json`], but extends nothing: a log means the same for ever
    /// (`HF-POL-036`).
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        format::from_node(&Node::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
