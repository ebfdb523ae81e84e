//! Phases and the final validation (PLAN-2, ROLL-3).

use schemars::{Schema, SchemaGenerator, json_schema};

use super::entries::{Entries, Entry};
use super::list::none;
use super::rule::at_least;
use crate::grade::{GateMode, PromotionRule};
use crate::policy::error::Problem;
use crate::policy::field::{Duration, FailSafe, Lasting, List};
use crate::policy::node::Node;
use crate::policy::reader::{Draft as _, Field, Reader, Style, section};
use crate::policy::section::{FinalValidation, LaterWatch, Phase};
use crate::unit::{PhaseName, Share};

section! {
    plain
    /// One phase: a share of the traffic, watched for a time, then a gate (PLAN-2).
    Phase from PhaseDraft, phase_rules {
        /// Its name, unique.
        name: PhaseName, [required];
        /// What it is to show, for people.
        objective: String, [default ""];
        /// The canary's share of the traffic, above 0; kept to a hundredth of a per cent.
        share: Share, [required];
        /// How long the deployment is expected to take.
        deploy: Lasting, [required];
        /// The least time to watch before the gate.
        watch: Lasting, [required];
        /// The most time to watch, at least `watch`; then `undecided` applies. Without it there is no limit.
        watch_most: Lasting, [optional];
        /// What passing claims: minimum time, traffic and bands, or evidence that it is not worse than the margin.
        promotion: PromotionRule, [required];
        /// What follows when the least time is over and a success bound is missed.
        missed: FailSafe, [required];
        /// What follows when the most time is over without a decision.
        undecided: FailSafe, [default "ask"];
        /// Who lets it pass.
        gate: GateMode, [required];
        /// With `gate = "veto"`: how long a person may say hold.
        veto: Duration, [default "0s"];
        /// Whether a person may promote while it is still watched, before its gate.
        early_promotion: bool, [default false];
        /// What people look at besides the metrics (MET-7).
        watch_for: List<String>, [default none()];
    }
}

fn phase_rules(phase: &PhaseDraft, reader: &mut Reader) {
    if phase.share.is_some_and(|share| share == Share::NONE) {
        let (key, range) = ("share", "a share above 0, at least \"0.01%\"");
        reader.fail_at::<()>(key, Problem::OutOfRange { key, got: "0%".to_owned(), range });
    }
    at_least(reader, "watch_most", phase.watch_most.flatten(), "watch", phase.watch);
}

section! {
    draft
    /// A window after the last phase; without `watch` its end alone may be written (ROLL-6).
    LaterWatch as LaterWatchDraft {
        /// When it ends, counted from the end of the last phase.
        until: Lasting, [required];
        /// What is looked at. Where it is empty: the metrics.
        watch: List<String>, [default none()];
    }
}

impl Field for LaterWatch {
    type Out = Self;

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let Node::Table(entries) = node else {
            return Lasting::read(node, reader).map(|until| Self { until, watch: Vec::new() });
        };
        let draft = LaterWatchDraft::read(entries, reader);
        Some(Self { until: draft.until?, watch: draft.watch? })
    }
    fn write(value: &Self, style: Style) -> Node {
        if value.watch.is_empty() {
            return Lasting::write(&value.until, style);
        }
        let (until, watch) = (Some(value.until), Some(value.watch.clone()));
        LaterWatchDraft { until, watch }.write(style)
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let until = Lasting::schema(generator);
        let table = generator.subschema_for::<Self>();
        json_schema!({ "anyOf": [until, table] })
    }
    fn example() -> &'static str {
        Lasting::example()
    }
}

section! {
    plain
    /// The last look after the last phase.
    FinalValidation from FinalValidationDraft, no_rules {
        /// How long it takes.
        watch: Lasting, [required];
        /// Who ends it.
        gate: GateMode, [required];
    }
}

pub(super) const fn no_rules<T>(_: &T, _: &mut Reader) {}

impl Entry for Phase {
    const WHAT: &'static str = "phase";
    const KEY: &'static str = "name";
}

/// Phases, each with a name of its own; or none.
pub(super) type PhasesOrNone = Entries<Phase>;

impl serde::Serialize for Phase {
    /// As a policy has it on the wire.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        <Self as Field>::write(self, Style::Wire).serialize(serializer)
    }
}

/// The phases: at least one, each with a name of its own.
pub(super) struct Phases;

impl Field for Phases {
    type Out = Vec<Phase>;

    fn read(node: &Node, reader: &mut Reader) -> Option<Vec<Phase>> {
        let phases = Entries::<Phase>::read(node, reader);
        if matches!(node, Node::List(items) if items.is_empty()) {
            reader.fail::<()>(Problem::Empty { what: "phase" });
        }
        phases
    }
    fn write(value: &Vec<Phase>, style: Style) -> Node {
        Entries::<Phase>::write(value, style)
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Entries::<Phase>::schema(generator);
        schema.insert("minItems".to_owned(), 1.into());
        schema
    }
    fn example() -> &'static str {
        Entries::<Phase>::example()
    }
}
