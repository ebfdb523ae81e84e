//! Settings of single strategies, and the strategy that a release replaced.

use super::Phase;
use super::list::{keyed, none};
use super::phase::{Phases, PhasesOrNone, no_rules};
use super::rule::at_least;
use crate::document::Node;
use crate::grade::{GateMode, PromotionRule, Response, Strategy};
use crate::policy::error::Problem;
use crate::policy::field::{Duration, FailSafe, HowMany, Lasting, List};
use crate::policy::reader::{Draft as _, Field, PolicyReader, Style, section};
use crate::policy::schema::{Definitions, Schema};
use crate::unit::{Share, Span};

/// Settings of one strategy.
///
/// The policy's own strategy has its phases in the policy's `phases`. Another one uses the `phases`
/// here, if there are any. Otherwise its phases are derived from those of the policy:
///
/// | strategy | phases |
/// |---|---|
/// | canary, feature flag | those of the policy if its strategy is the other of the two; otherwise those that are set here for the other of the two; otherwise none |
/// | blue-green | one, `switch`, with all traffic: the policy's last phase |
/// | immediate | one, `all`, with all traffic: the policy's last phase |
/// | rolling | one for each batch of instances: the policy's first phase, for the last batch its last phase |
///
/// `changes` then replace settings of the derived phases.
#[derive(Clone, Debug, PartialEq)]
pub struct StrategySettings {
    /// The strategy.
    pub strategy: Strategy,
    /// Whether a release may choose it. Default true.
    pub allowed: bool,
    /// Its phases, with shares that rise to 100%; empty: they are derived.
    pub phases: Vec<Phase>,
    /// With `rolling`: how many instances are updated at a time.
    pub batch: Option<u32>,
    /// With `blue_green`: what is checked on the idle side before the traffic is switched.
    pub validate: Vec<String>,
    /// Settings that replace those of the derived phases.
    pub changes: PhaseChanges,
}

/// Settings that replace those of a derived phase. None: unchanged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhaseChanges {
    /// How long the deployment is expected to take.
    pub deploy: Option<Span>,
    /// How long the phase is watched at least. The last batch of `rolling` is always watched as
    /// long as the policy's last phase.
    pub watch: Option<Span>,
    /// How long the phase is watched at most; a shorter time than the least one counts as the
    /// least.
    pub watch_most: Option<Span>,
    /// The criterion for promotion.
    pub promotion: Option<PromotionRule>,
    /// What happens if a success bound is missed.
    pub criteria_missed: Option<Response>,
    /// What happens if `watch_most` is over without a decision.
    pub inconclusive: Option<Response>,
    /// Who promotes the phase.
    pub gate: Option<GateMode>,
    /// With `gate = "veto"`: how long a person may veto the promotion.
    pub veto: Option<Span>,
}

section! {
    draft
    /// Settings of one strategy: its phases, or what differs from the phases of the policy.
    StrategySettings as StrategySettingsDraft {
        /// Whether a release may choose it.
        allowed: bool, [default true];
        /// The phases of the strategy, with shares that rise to 100%. Not allowed with `rolling`,
        /// whose shares follow the instances, and for the policy's own strategy. Empty: derived
        /// from the phases of the policy.
        phases: PhasesOrNone, [default none()];
        /// With `rolling`: how many instances are updated at a time. Default: the `batch` of the
        /// alternatives, otherwise 1.
        batch: HowMany, [optional];
        /// With `blue_green`: what is checked on the idle side before the traffic is switched.
        validate: List<String>, [default none()];
        /// How long the deployment of a derived phase is expected to take. Default: that of the
        /// policy.
        deploy: Lasting, [optional];
        /// How long a derived phase is watched at least. The last batch of `rolling` is watched as
        /// long as the last phase of the policy. Default: that of the policy.
        watch: Lasting, [optional];
        /// How long a derived phase is watched at most, at least `watch`. Default: that of the
        /// policy.
        watch_most: Lasting, [optional];
        /// The criterion for promotion of a derived phase. Default: that of the policy.
        promotion: PromotionRule, [optional];
        /// What happens if a derived phase misses a success bound. Default: that of the policy.
        criteria_missed: FailSafe, [optional];
        /// What happens if `watch_most` of a derived phase is over without a decision. Default:
        /// that of the policy.
        inconclusive: FailSafe, [optional];
        /// Who promotes a derived phase. Default: that of the policy.
        gate: GateMode, [optional];
        /// With `gate = "veto"`: how long a person may veto the promotion. Default: that of the
        /// policy.
        veto: Duration, [optional];
    }
}

section! {
    plain
    /// The original strategy and phases, in the policy of a plan whose release chose another
    /// strategy. The plan writes it, so that the log shows what was replaced.
    pub InsteadOf from InsteadOfDraft, no_rules {
        /// The policy's own strategy.
        strategy: Strategy, [required];
        /// Why the policy chose it.
        why: String, [default ""];
        /// Its phases.
        phases: Vec<Phase> as Phases, [required];
    }
}

impl StrategySettingsDraft {
    /// The keys of this table that change derived phases.
    fn changed(&self) -> Vec<&'static str> {
        [
            ("deploy", matches!(self.deploy, Some(Some(_)))),
            ("watch", matches!(self.watch, Some(Some(_)))),
            ("watch_most", matches!(self.watch_most, Some(Some(_)))),
            ("promotion", matches!(self.promotion, Some(Some(_)))),
            ("criteria_missed", matches!(self.criteria_missed, Some(Some(_)))),
            ("inconclusive", matches!(self.inconclusive, Some(Some(_)))),
            ("gate", matches!(self.gate, Some(Some(_)))),
            ("veto", matches!(self.veto, Some(Some(_)))),
        ]
        .into_iter()
        .filter_map(|(key, is_there)| is_there.then_some(key))
        .collect()
    }

    /// The keys of this table that the strategy does not have.
    fn meaningless(&self, strategy: Strategy) -> Vec<&'static str> {
        let written = self.phases.as_ref().is_some_and(|phases| !phases.is_empty());
        let mut keys = Vec::new();
        if written && strategy == Strategy::Rolling {
            keys.push("phases");
        }
        if matches!(self.batch, Some(Some(_))) && strategy != Strategy::Rolling {
            keys.push("batch");
        }
        let validates = self.validate.as_ref().is_some_and(|validate| !validate.is_empty());
        if validates && strategy != Strategy::BlueGreen {
            keys.push("validate");
        }
        let is_derived = match strategy {
            Strategy::Canary | Strategy::FeatureFlag => false,
            Strategy::BlueGreen | Strategy::Immediate => !written,
            Strategy::Rolling => true,
        };
        if !is_derived {
            keys.extend(self.changed());
        }
        keys
    }
}

/// The settings of strategies, by name.
pub(super) struct StrategySettingsTable;

impl Field for StrategySettingsTable {
    type Out = Vec<StrategySettings>;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Vec<StrategySettings>> {
        let entries = reader.table(node)?;
        let slots = reader.slots(Strategy::NAMES, entries);
        let met = Strategy::ALL.iter().copied().zip(slots);
        let met: Vec<(Strategy, &Node)> = met.filter_map(|(s, slot)| Some((s, slot?))).collect();
        let mut courses = Vec::new();
        for (strategy, node) in &met {
            courses.extend(reader.within(strategy.as_str(), |r| course(*strategy, node, r)));
        }
        (courses.len() == met.len()).then_some(courses)
    }
    fn write(value: &Vec<StrategySettings>, style: Style) -> Node {
        Node::table(value.iter().map(|course| (course.strategy.as_str(), written(course, style))))
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        let text = |strategy: &Strategy| format!("Settings of the strategy `{strategy}`.");
        let keys = Strategy::ALL.iter().map(|strategy| (strategy.as_str(), text(strategy)));
        keyed(&StrategySettings::refer(definitions), keys)
    }
}

fn course(strategy: Strategy, node: &Node, reader: &mut PolicyReader) -> Option<StrategySettings> {
    let draft = StrategySettingsDraft::read(reader.table(node)?, reader);
    for key in draft.meaningless(strategy) {
        reader.fail_at::<()>(key, Problem::NotForStrategy { key, strategy: strategy.as_str() });
    }
    if let Some(phases) = &draft.phases {
        shares(strategy, phases, reader);
    }
    at_least(reader, "watch_most", draft.watch_most.flatten(), "watch", draft.watch.flatten());
    Some(StrategySettings {
        strategy,
        allowed: draft.allowed?,
        phases: draft.phases?,
        batch: draft.batch?,
        validate: draft.validate?,
        changes: PhaseChanges {
            deploy: draft.deploy?,
            watch: draft.watch?,
            watch_most: draft.watch_most?,
            promotion: draft.promotion?,
            criteria_missed: draft.criteria_missed?,
            inconclusive: draft.inconclusive?,
            gate: draft.gate?,
            veto: draft.veto?,
        },
    })
}

/// Checks that shares rise to 100%, and that `immediate` has one phase.
fn shares(strategy: Strategy, phases: &[Phase], reader: &mut PolicyReader) {
    let rises = phases.windows(2).all(|pair| pair[0].share < pair[1].share);
    let detail = match phases {
        [] => return,
        [.., last] if last.share < Share::ALL => "the last phase does not have all traffic",
        [_, _, ..] if strategy == Strategy::Immediate => "`immediate` has more than one phase",
        _ if !rises => "a phase has no more traffic than the one before",
        _ => return,
    };
    reader.fail_at::<()>("phases", Problem::PhaseShares { detail });
}

fn written(course: &StrategySettings, style: Style) -> Node {
    let PhaseChanges {
        deploy,
        watch,
        watch_most,
        promotion,
        criteria_missed,
        inconclusive,
        gate,
        veto,
    } = course.changes;
    StrategySettingsDraft {
        allowed: Some(course.allowed),
        phases: Some(course.phases.clone()),
        batch: Some(course.batch),
        validate: Some(course.validate.clone()),
        deploy: Some(deploy),
        watch: Some(watch),
        watch_most: Some(watch_most),
        promotion: Some(promotion),
        criteria_missed: Some(criteria_missed),
        inconclusive: Some(inconclusive),
        gate: Some(gate),
        veto: Some(veto),
    }
    .write(style)
}

/// Checks that the settings of the policy's own strategy neither replace its phases nor forbid it.
pub(super) fn own_course(own: Strategy, courses: &[StrategySettings], reader: &mut PolicyReader) {
    let Some(course) = courses.iter().find(|course| course.strategy == own) else { return };
    let mut keys = Vec::new();
    if !course.allowed {
        keys.push("allowed");
    }
    if !course.phases.is_empty() {
        keys.push("phases");
    }
    // With `rolling` they apply to a release that names another batch.
    if own != Strategy::Rolling && course.changes != PhaseChanges::default() {
        keys.push("");
    }
    for key in keys {
        reader.within("strategies", |reader| {
            reader.within(own.as_str(), |reader| {
                let problem = Problem::OwnStrategy { strategy: own.as_str() };
                if key.is_empty() {
                    reader.fail::<()>(problem);
                } else {
                    reader.fail_at::<()>(key, problem);
                }
            });
        });
    }
}
