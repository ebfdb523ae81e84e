//! How strategies go that are not the policy's own (PLAN-1).

use schemars::{Schema, SchemaGenerator};

use super::list::{keyed, none};
use super::phase::{Phases, PhasesOrNone, no_rules};
use super::rule::at_least;
use crate::grade::{GateMode, PromotionRule, Strategy};
use crate::policy::error::Problem;
use crate::policy::field::{Duration, FailSafe, HowMany, Lasting, List};
use crate::policy::node::Node;
use crate::policy::reader::{Draft as _, Field, Reader, Style, section};
use crate::policy::section::{Course, InsteadOf, Phase, PhaseChanges};
use crate::unit::Share;

section! {
    draft
    /// How a strategy goes, where that does not follow from the policy's own phases (PLAN-1).
    Course as CourseDraft {
        /// Whether a release may choose it.
        allowed: bool, [default true];
        /// Its phases, shares rising to 100%; not with `rolling`, whose shares follow the instances, and not for the
        /// policy's own strategy. Where there are none: they are derived from the policy's own.
        phases: PhasesOrNone, [default none()];
        /// With `rolling`: how many instances at a time. Without it: what the alternatives say, else 1.
        batch: HowMany, [optional];
        /// With `blue_green`: what is looked at on the idle side before traffic is switched.
        validate: List<String>, [default none()];
        /// How long the deployment of a derived phase is expected to take. Without it: as in the policy's own.
        deploy: Lasting, [optional];
        /// The least time to watch a derived phase; the last batch of `rolling` is watched as the policy's own last phase.
        /// Without it: as in the policy's own.
        watch: Lasting, [optional];
        /// The most time to watch a derived phase, at least `watch`. Without it: as in the policy's own.
        watch_most: Lasting, [optional];
        /// What passing a derived phase claims. Without it: as in the policy's own.
        promotion: PromotionRule, [optional];
        /// What follows when a derived phase misses a success bound. Without it: as in the policy's own.
        missed: FailSafe, [optional];
        /// What follows when the most time of a derived phase is over without a decision. Without it: as in the policy's
        /// own.
        undecided: FailSafe, [optional];
        /// Who lets a derived phase pass. Without it: as in the policy's own.
        gate: GateMode, [optional];
        /// With `gate = "veto"`: how long a person may say hold. Without it: as in the policy's own.
        veto: Duration, [optional];
    }
}

section! {
    plain
    /// What the policy has for every release, where this is the policy of a plan whose release chose another strategy
    /// (PLAN-1). A plan writes it, so that its log says what was chosen instead of what.
    InsteadOf from InsteadOfDraft, no_rules {
        /// The policy's own strategy.
        strategy: Strategy, [required];
        /// Why the policy has it.
        why: String, [default ""];
        /// Its phases.
        phases: Phases, [required];
    }
}

impl CourseDraft {
    /// The keys that change derived phases, as far as they are there.
    fn changed(&self) -> Vec<&'static str> {
        [
            ("deploy", matches!(self.deploy, Some(Some(_)))),
            ("watch", matches!(self.watch, Some(Some(_)))),
            ("watch_most", matches!(self.watch_most, Some(Some(_)))),
            ("promotion", matches!(self.promotion, Some(Some(_)))),
            ("missed", matches!(self.missed, Some(Some(_)))),
            ("undecided", matches!(self.undecided, Some(Some(_)))),
            ("gate", matches!(self.gate, Some(Some(_)))),
            ("veto", matches!(self.veto, Some(Some(_)))),
        ]
        .into_iter()
        .filter_map(|(key, is_there)| is_there.then_some(key))
        .collect()
    }

    /// The keys that say something this strategy does not have.
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

/// What the policy says of strategies, by their names.
pub(super) struct Courses;

const NAMES: [&str; Strategy::ALL.len()] = {
    let mut names = [""; Strategy::ALL.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = Strategy::ALL[i].as_str();
        i += 1;
    }
    names
};

impl Field for Courses {
    type Out = Vec<Course>;

    fn read(node: &Node, reader: &mut Reader) -> Option<Vec<Course>> {
        let entries = reader.table(node)?;
        let slots = reader.slots(&NAMES, entries);
        let met = Strategy::ALL.iter().copied().zip(slots);
        let met: Vec<(Strategy, &Node)> = met.filter_map(|(s, slot)| Some((s, slot?))).collect();
        let mut courses = Vec::new();
        for (strategy, node) in &met {
            courses.extend(reader.within(strategy.as_str(), |r| course(*strategy, node, r)));
        }
        (courses.len() == met.len()).then_some(courses)
    }
    fn write(value: &Vec<Course>, style: Style) -> Node {
        let entry = |course: &Course| (course.strategy.as_str().to_owned(), written(course, style));
        Node::Table(value.iter().map(entry).collect())
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let text =
            |strategy: &Strategy| format!("How a rollout with the strategy `{strategy}` goes.");
        let keys = Strategy::ALL.iter().map(|strategy| (strategy.as_str(), text(strategy)));
        keyed(&generator.subschema_for::<Course>(), keys)
    }
    fn example() -> &'static str {
        "{ … }"
    }
}

fn course(strategy: Strategy, node: &Node, reader: &mut Reader) -> Option<Course> {
    let draft = CourseDraft::read(reader.table(node)?, reader);
    for key in draft.meaningless(strategy) {
        reader.fail_at::<()>(key, Problem::NotForStrategy { key, strategy: strategy.as_str() });
    }
    if let Some(phases) = &draft.phases {
        shares(strategy, phases, reader);
    }
    at_least(reader, "watch_most", draft.watch_most.flatten(), "watch", draft.watch.flatten());
    Some(Course {
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
            missed: draft.missed?,
            undecided: draft.undecided?,
            gate: draft.gate?,
            veto: draft.veto?,
        },
    })
}

/// Shares rise, the last is everything, and who moves all at once has one phase.
fn shares(strategy: Strategy, phases: &[Phase], reader: &mut Reader) {
    let rises = phases.windows(2).all(|pair| pair[0].share < pair[1].share);
    let detail = match phases {
        [] => return,
        [.., last] if last.share < Share::ALL => "the last phase has not all traffic",
        [_, _, ..] if strategy == Strategy::Immediate => "`immediate` has more than one phase",
        _ if !rises => "a phase has no more traffic than the one before",
        _ => return,
    };
    reader.fail_at::<()>("phases", Problem::PhaseShares { detail });
}

fn written(course: &Course, style: Style) -> Node {
    let PhaseChanges { deploy, watch, watch_most, promotion, missed, undecided, gate, veto } =
        course.changes;
    CourseDraft {
        allowed: Some(course.allowed),
        phases: Some(course.phases.clone()),
        batch: Some(course.batch),
        validate: Some(course.validate.clone()),
        deploy: Some(deploy),
        watch: Some(watch),
        watch_most: Some(watch_most),
        promotion: Some(promotion),
        missed: Some(missed),
        undecided: Some(undecided),
        gate: Some(gate),
        veto: Some(veto),
    }
    .write(style)
}

/// What the policy says of its own strategy can be no second set of phases, and cannot bar it.
pub(super) fn own_course(own: Strategy, courses: &[Course], reader: &mut Reader) {
    let Some(course) = courses.iter().find(|course| course.strategy == own) else { return };
    let mut keys = Vec::new();
    if !course.allowed {
        keys.push("allowed");
    }
    if !course.phases.is_empty() {
        keys.push("phases");
    }
    // With `rolling` they are for a release that names another batch.
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
