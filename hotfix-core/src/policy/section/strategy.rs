//! Settings of single strategies, and the strategy that a release replaced.

use super::Phase;
use super::command::CommandLine;
use super::list::{NamedTable, none};
use super::phase::PhasesOrNone;
use super::range::Phases;
use crate::grade::Strategy;
use crate::policy::error::Problem;
use crate::policy::field::{HowMany, Lasting, List, TextOrNone};
use crate::policy::reader::{Apart as _, Field, PolicyReader, Style, section};
use crate::unit::{Share, Span};

section! {
    plain
    /// Settings of one strategy: its phases, or what differs from the phases of the policy.
    pub StrategySettings from StrategySettingsDraft, strategy_rules with
        /// The strategy.
        strategy: Strategy
    {
        /// Whether a release may choose it.
        allowed: bool, [default true];
        /// The phases of the strategy, with shares that rise to 100%. Not allowed with `rolling`,
        /// whose shares follow the instances, and for the policy's own strategy. Empty: derived
        /// from the phases of the policy. Keys about a derived phase are allowed with `blue_green`,
        /// `immediate` and `rolling`, and not beside `phases`.
        phases: Vec<Phase> as PhasesOrNone, [default none()];
        /// With `rolling`: how many instances are updated at a time. Default: the `batch` of the
        /// alternatives, otherwise 1. Where `rolling` is the policy's own strategy, it has the phases of
        /// the policy, and only a `batch` of the release changes them.
        batch: u32 as HowMany, [optional];
        /// With `blue_green`: what is checked on the idle side before the traffic is switched.
        validate: Vec<String> as List<String>, [default none()];
        /// How long the deployment of a derived phase is expected to take. Default: that of the
        /// policy.
        deploy: Span as Lasting, [optional];
        /// How long a derived phase is watched at least. The last batch of `rolling` is watched as
        /// long as the last phase of the policy. Default: that of the policy.
        watch: Span as Lasting, [optional];
        /// How long a derived phase is watched at most, at least `watch`. Where the policy watches longer
        /// and `watch` is missing here, it is watched for this time. Default: that of the policy.
        watch_most: Span as Lasting, [optional];
        /// The commands of each phase that is not written here, for people, as those of a phase. Without
        /// this key none: those of the policy's phases are for its own strategy.
        commands: Vec<String> as List<CommandLine<true>>, [optional];
        /// The commands of each such phase after the first, where one begins what the others continue.
        /// Default: `commands`.
        next_commands: Vec<String> as List<CommandLine<true>>, [optional];
    }
}

section! {
    plain
    /// The original strategy and phases, in the policy of a plan whose release chose another
    /// strategy. The plan writes it, so that the log shows what was replaced.
    pub InsteadOf from InsteadOfDraft {
        /// The policy's own strategy.
        strategy: Strategy, [required];
        /// Why the policy chose it.
        why: String as TextOrNone, [default ""];
        /// Its phases.
        phases: Vec<Phase> as Phases, [required];
    }
}

/// The keys that change the derived phases of a strategy.
const CHANGES: &str = "deploy watch watch_most";

impl StrategySettingsDraft {
    /// The keys of this table that change derived phases.
    fn changes(&self) -> impl Iterator<Item = &'static str> {
        let is_there = [
            matches!(self.deploy, Some(Some(_))),
            matches!(self.watch, Some(Some(_))),
            matches!(self.watch_most, Some(Some(_))),
        ];
        CHANGES.split(' ').zip(is_there).filter_map(|(key, is_there)| is_there.then_some(key))
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
        if matches!(self.commands, Some(Some(_))) && written {
            keys.push("commands");
        }
        let is_one_phase = matches!(strategy, Strategy::BlueGreen | Strategy::Immediate);
        if matches!(self.next_commands, Some(Some(_))) && (written || is_one_phase) {
            keys.push("next_commands");
        }
        let is_derived = match strategy {
            Strategy::Canary | Strategy::FeatureFlag => false,
            Strategy::BlueGreen | Strategy::Immediate => !written,
            Strategy::Rolling => true,
        };
        if !is_derived {
            keys.extend(self.changes());
        }
        keys
    }
}

impl NamedTable for StrategySettings {
    const NAMES: &'static [&'static str] = Strategy::NAMES;
    const ABOUT: [&'static str; 2] = ["Settings of the strategy ", "."];

    fn name(&self) -> &'static str {
        self.strategy.as_str()
    }
}

fn strategy_rules(draft: &StrategySettingsDraft, reader: &mut PolicyReader) {
    let Some(strategy) = Strategy::read_apart(reader) else { return };
    for key in draft.meaningless(strategy) {
        reader.fail_at::<()>(key, Problem::NotForStrategy { key, strategy: strategy.as_str() });
    }
    if let Some(phases) = &draft.phases {
        shares(strategy, phases, reader);
    }
    reader.at_least(("watch_most", draft.watch_most.flatten()), ("watch", draft.watch.flatten()));
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

/// Checks that the settings of the policy's own strategy neither replace its phases nor forbid it.
pub(super) fn check_own_settings(
    own: Strategy,
    settings: &[StrategySettings],
    reader: &mut PolicyReader,
) {
    let Some(of_own) = settings.iter().find(|of_own| of_own.strategy == own) else { return };
    let mut keys = Vec::new();
    if !of_own.allowed {
        keys.push("/allowed");
    }
    if !of_own.phases.is_empty() {
        keys.push("/phases");
    }
    // With `rolling` they apply to a release that names another batch.
    let table = StrategySettings::write(of_own, Style::Wire);
    let is_changed =
        table.members().iter().any(|member| CHANGES.split(' ').any(|key| key == member.key));
    if own != Strategy::Rolling && is_changed {
        keys.push("");
    }
    for key in keys {
        let problem = Problem::OwnStrategy { strategy: own.as_str() };
        reader.fail_at_path::<()>(&format!("/strategies/{own}{key}"), problem);
    }
}
