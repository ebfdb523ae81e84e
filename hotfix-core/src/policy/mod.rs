//! The policy: how an organisation rolls out an emergency fix.
//!
//! Read a [`Policy`] with [`Policy::from_toml`] or [`Policy::preset`]. Every `Policy` has been
//! checked: its values are in range and consistent. Ask it with [`Policy::classify`],
//! [`Policy::decide`] and [`Policy::lint`], and make a [`Plan`](crate::plan::Plan) from it. The
//! figures of the presets are in `policies/*.toml`, not in code. `docs/policy.md` has the format.

mod chain;
mod error;
mod extend;
mod field;
mod preset;
mod reader;
pub(crate) mod reasoning;
mod schema;
pub mod section;
pub(crate) mod template;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

pub use error::{PolicyError, PolicyErrors, Problem};
pub use extend::ExtendError;
pub use schema::schema;
pub use section::root::Policy;

use reader::{Field as _, Style};
use reasoning::Reasoning;
use section::{
    Contingency, CustomRole, Deploying, DeploymentSigns, InsteadOf, Metric, Phase, SeverityLevel,
    StrategySettings,
};

use crate::canonical::{Digest, pretty};
use crate::document::{DocumentErrors, Node};
use crate::grade::{Role, Severity, Sign, Strategy};
use crate::text::words;
use crate::unit::{MetricName, RoleName, Share, Span, Timestamp};

/// An invalid policy is refused with all its errors at once, each with a code, a place and a
/// remedy. A doubtful but valid setting is not an error; the linter reports it.
///
/// ```
/// use hotfix_core::policy::Policy;
/// let preset = Policy::preset("phased-canary")?;
/// assert_eq!(preset.phases()[0].share.to_string(), "10%");
/// assert_eq!(preset.metric("error_rate").and_then(|m| m.reference), Some(0.003));
/// assert_eq!(Policy::from_toml(&preset.to_toml())?, preset);
///
/// let errors = Policy::from_toml(&preset.to_toml().replace("10min", "10 parsecs")).unwrap_err();
/// let watch = errors.iter().next().unwrap();
/// assert_eq!((watch.code(), watch.path()), ("HF-UNIT-001", "/phases/0/watch"));
/// # Ok::<(), hotfix_core::policy::PolicyErrors>(())
/// ```
impl Policy {
    /// Reads TOML of at most 1 MiB. `extends` may name presets; [`Policy::from_toml_with`] also
    /// accepts policies of the caller.
    ///
    /// # Errors
    /// All errors at once: `HF-POL-…` for the text, its keys and their consistency, `HF-UNIT-…` for
    /// single values.
    pub fn from_toml(text: &str) -> Result<Self, PolicyErrors> {
        Self::from_toml_with(text, |_| None)
    }

    /// Reads JSON of at most 1 MiB. `extends` may name presets.
    ///
    /// # Errors
    /// As [`Policy::from_toml`].
    pub fn from_json(text: &str) -> Result<Self, PolicyErrors> {
        Self::from_json_with(text, |_| None)
    }

    /// Reads TOML that may extend other policies, and resolves it. The resolved policy no longer
    /// contains `extends`, so it is written, logged and hashed as if it had been written out in
    /// full.
    ///
    /// ```
    /// use hotfix_core::policy::Policy;
    /// let enterprise = r#"
    ///     extends = "phased-canary"
    ///     [metrics.payment_success]
    ///     alert = { remove = true }
    /// "#;
    /// let payments = r#"
    ///     extends = "enterprise"
    ///     name = "payments"
    ///     [[phases]]
    ///     name = "canary"
    ///     watch = "20min"
    /// "#;
    /// let resolve = |name: &str| (name == "enterprise").then(|| enterprise.to_owned());
    /// let policy = Policy::from_toml_with(payments, resolve)?;
    /// assert_eq!(policy.phases()[0].watch.as_seconds(), 1200.0);
    /// assert_eq!(policy.phases().len(), 3);
    /// let payment_success = policy.metric("payment_success");
    /// assert!(payment_success.is_some_and(|metric| metric.bounds.alert.is_none()));
    /// assert_eq!(Policy::from_toml(&policy.to_toml())?.digest(), policy.digest());
    /// # Ok::<(), hotfix_core::policy::PolicyErrors>(())
    /// ```
    ///
    /// **What is extended.** `extends` is a name, or a list of names and of tables such as
    /// `{ policy = "enterprise", take = ["metrics", "phases"] }`, which inherits only these
    /// top-level keys of that base. `resolve` is called first, once for each name. If it returns
    /// `None`, the name is that of a preset. The text that `resolve` returns is JSON if its first
    /// character other than white space is `{`, and TOML otherwise.
    ///
    /// **Order.** Each base is first merged over the bases that it extends itself. The bases are
    /// merged in the order of the list, later ones over earlier ones, and the document over all of
    /// them. A base does not have to be a complete policy: it may lack any key, even `format`. Only
    /// the result is checked.
    ///
    /// **Merging.**
    /// * Two tables: key by key. Keys in both are merged, the others stay.
    /// * Two lists of tables in which every item has a unique `id`, or every item a unique `name`:
    ///   item by item. An item with the same `id` is merged in its place, a new one is appended. One
    ///   without, over a list of such items, and a second one with the same are errors.
    /// * Everything else is replaced: values, other lists, an empty list, a list by a table. JSON's
    ///   `null` is a value like others.
    /// * A table with `remove = true`, as the value of a key or as an item with its `id`, removes
    ///   what is inherited there. It has no other keys. If nothing is inherited it is an error, so
    ///   that a typing error in a name is noticed. In a base that extends nothing it removes from
    ///   the bases before it in the list.
    ///
    /// **Limits.** At most 32 bases in all, including those of bases, of at most 1 MiB of text each.
    ///
    /// **Places.** An error in the result has its JSON Pointer in the result, and the line and column
    /// of the document that has the value; if that is a base, the sentence names it. An error of a
    /// base itself has its place in the base.
    ///
    /// # Errors
    /// As [`Policy::from_toml`], and [`ExtendError`] for errors in the bases.
    pub fn from_toml_with(
        text: &str,
        mut resolve: impl FnMut(&str) -> Option<String>,
    ) -> Result<Self, PolicyErrors> {
        extend::read(Node::from_toml(text, 0).map_err(DocumentErrors::of_family)?, &mut resolve)
    }

    /// Reads JSON that may extend other policies, as [`Policy::from_toml_with`] does.
    ///
    /// # Errors
    /// As [`Policy::from_toml_with`].
    pub fn from_json_with(
        text: &str,
        mut resolve: impl FnMut(&str) -> Option<String>,
    ) -> Result<Self, PolicyErrors> {
        extend::read(Node::from_json(text, 0).map_err(DocumentErrors::of_family)?, &mut resolve)
    }

    /// Reads JSON that a program made: its errors have no line and column.
    pub(crate) fn from_value(document: &serde_json::Value) -> Result<Self, PolicyErrors> {
        extend::read(Node::from_value(document), &mut |_| None)
    }

    /// Writes JSON: durations in seconds, shares as fractions, with every default.
    pub fn to_json(&self) -> String {
        pretty(self).unwrap_or_default()
    }

    /// Writes TOML for people, with every default: `"10min"` where that is exactly the value.
    pub fn to_toml(&self) -> String {
        toml::to_string(&self.document()).unwrap_or_default()
    }

    /// The policy as a tree, for people.
    pub(crate) fn document(&self) -> Node {
        Self::write(self, Style::Human)
    }

    /// SHA-256 of the canonical JSON (RFC 8785) of the policy: the same for equal policies, however
    /// they were written.
    ///
    /// ```
    /// use hotfix_core::policy::Policy;
    /// let preset = Policy::preset("standard")?;
    /// assert_eq!(Policy::from_toml(&preset.to_toml())?.digest(), preset.digest());
    /// assert_ne!(Policy::preset("phased-canary")?.digest(), preset.digest());
    /// # Ok::<(), hotfix_core::policy::PolicyErrors>(())
    /// ```
    pub fn digest(&self) -> Digest {
        // Canonical JSON refuses infinite numbers, duplicate keys and deep nesting; a checked
        // policy has none of them.
        crate::canonical::digest(self).unwrap_or(Digest::ZERO)
    }

    /// The evaluation of its conditions, computed on first use.
    pub(crate) fn reasoning(&self) -> &Reasoning {
        self.reasoned.of(self)
    }

    /// The settings of a strategy.
    pub fn strategy_settings(&self, strategy: Strategy) -> Option<&StrategySettings> {
        self.strategies.iter().find(|settings| settings.strategy == strategy)
    }

    /// A severity with its demands; none if the policy does not have it.
    pub fn severity(&self, severity: Severity) -> Option<&SeverityLevel> {
        self.severities.iter().find(|level| level.severity == severity)
    }

    /// The signs of a successful and of a failed deployment. None if it names none or its strategy
    /// deploys nothing.
    pub fn deployment_signs(&self) -> Option<DeploymentSigns<'_>> {
        let deploys = self.strategy != Strategy::FeatureFlag;
        let Deploying { success, failure, .. } = self.deploying().filter(|_| deploys)?;
        let is_any = !success.is_empty() || !failure.is_empty();
        is_any.then_some(DeploymentSigns { success, failure })
    }

    /// A role by id; none if it is not declared.
    pub fn role(&self, id: RoleName) -> Option<&CustomRole> {
        let place = self.roles.binary_search_by(|role| role.id.cmp(&id)).ok()?;
        self.roles.get(place)
    }

    /// The name of a role for people: its title, or its id as words.
    pub(crate) fn role_title(&self, id: RoleName) -> String {
        self.role(id).map_or_else(|| words(id.as_str()), |role| role.title.clone())
    }

    /// The share of the traffic that stays on the old version after the last phase, if any.
    pub fn held_back(&self) -> Option<Share> {
        Some(self.phases.last()?.share.rest()).filter(|rest| *rest > Share::NONE)
    }

    /// When the last of the windows [`after`](Self::after) ends, given when all traffic had the fix and when the final
    /// validation passed; `None` without a window.
    pub fn watched_until(&self, deployed: Timestamp, verified: Timestamp) -> Option<Timestamp> {
        self.after.iter().map(|watch| watch.ends(deployed, verified)).max()
    }

    /// The metrics that decide.
    pub(crate) fn deciding(&self) -> impl Iterator<Item = &Metric> + Clone {
        self.metrics.iter().filter(|metric| metric.role == Role::Decide)
    }

    /// A metric by id.
    pub fn metric(&self, id: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.id.as_str() == id)
    }

    /// The name of a metric for people: its title, or its id as words.
    pub(crate) fn metric_title(&self, id: MetricName) -> String {
        self.metric(id.as_str()).map_or_else(|| words(id.as_str()), |metric| metric.title.clone())
    }

    /// The contingency that makes a rollout of this severity wait while readings are missing.
    pub(crate) fn waits_for_readings(&self, severity: Option<Severity>) -> Option<&Contingency> {
        let waits = |of: &&Contingency| severity.is_some_and(|at| of.waits.contains(&at));
        self.contingencies.iter().filter(|of| of.sign == Some(Sign::NoData)).find(waits)
    }

    /// The contingency for missing readings, whatever severities it is for.
    pub(crate) fn on_silence(&self) -> Option<&Contingency> {
        self.contingencies.iter().find(|of| of.sign == Some(Sign::NoData))
    }

    /// How long a phase may be held: `watch_most`, but at least until the reading that covers
    /// `watch`; without a `watch_most`, until a person is asked, `ask_again` after `watch`.
    pub(crate) fn held_at_most(&self, phase: &Phase) -> Span {
        let most = phase.watch_most.map(|most| most.max(phase.watch + self.watch().reads_every()));
        most.unwrap_or(phase.watch + self.ask_again())
    }

    /// How long the final validation may be held before a person decides: it has no longest time of
    /// its own, so that of the last phase is added to its `watch`.
    pub(crate) fn validation_held_at_most(&self) -> Span {
        let longest = self.phases.last().map_or(Span::ZERO, Phase::longest);
        self.final_validation.watch + longest
    }

    /// How long a phase may be held at most before a person is asked. If nothing ends the phase, that is
    /// `ask_again` after its longest time.
    pub(crate) fn held_unasked(&self, phase: &Phase) -> Span {
        match phase.longest_held() {
            Some(_) => self.held_at_most(phase),
            None => phase.longest() + self.ask_again(),
        }
    }

    /// This policy with another strategy and its phases; keeps the original ones in `instead_of`.
    pub(crate) fn choosing(&self, strategy: Strategy, phases: Vec<Phase>) -> Self {
        let why = self.strategy_why.clone();
        let own = InsteadOf { strategy: self.strategy, why, phases: self.phases.clone() };
        self.following(InsteadOf { strategy, why: String::new(), phases }, Some(own))
    }

    /// The original policy; none if this is the original.
    pub(crate) fn before_choice(&self) -> Option<Self> {
        Some(self.following(self.instead_of.clone()?, None))
    }

    fn following(&self, chosen: InsteadOf, instead_of: Option<InsteadOf>) -> Self {
        let InsteadOf { strategy, why: strategy_why, phases } = chosen;
        let reasoned = self.reasoned.with_other_phases();
        Self { reasoned, strategy, strategy_why, instead_of, phases, ..self.clone() }
    }

    pub(crate) fn decides(&self, id: MetricName) -> bool {
        self.metric(id.as_str()).is_some_and(|metric| metric.role == Role::Decide)
    }
}

impl<'de> Deserialize<'de> for Policy {
    /// Goes through the same checks as [`Policy::from_json`], but extends nothing: a log means the
    /// same for ever (`HF-POL-036`).
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        section::root::from_node(&Node::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
