//! How facts become a severity (SEV-3 to SEV-5, DEC-3).

use schemars::{Schema, SchemaGenerator};

use super::entries::Entry;
use super::phase::no_rules;
use super::severity::KnownSeverity;
use crate::fact::Condition;
use crate::grade::{ActOn, Exclusions};
use crate::policy::error::Problem;
use crate::policy::field::NoRule;
use crate::policy::node::Node;
use crate::policy::reader::{Draft as _, Field, Reader, Style, section};
use crate::policy::section::{Classifier, Effect, Rule};
use crate::unit::Name;

section! {
    plain
    /// What the list of rules does not say by itself.
    Classifier from ClassifierDraft, no_rules {
        /// Which severity to act on while facts are unknown: the one that is certain, or the worst that is possible.
        act_on: ActOn, [default "at_worst"];
        /// Whether a hot-fix is called for where no rule fires.
        otherwise: NoRule, [default "unknown"];
        /// What an exclusion does where a rule for a hot-fix fires, too: yield to it, win over it, or leave it to a person.
        exclusions: Exclusions, [default "ask"];
    }
}

section! {
    draft
    /// One rule of the classification. It has either a `severity`, or `hotfix` alone: true admits, false excludes.
    Rule as RuleDraft {
        /// Its id, unique.
        id: Name, [required];
        /// What it stands for, in words.
        title: String, [required];
        /// At least this severity.
        severity: KnownSeverity, [optional];
        /// Whether a hot-fix is called for whatever the severity.
        hotfix: bool, [optional];
        /// When it fires.
        when: Condition, [required];
    }
}

impl Field for Rule {
    type Out = Self;

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let draft = RuleDraft::read(reader.table(node)?, reader);
        let effect = match (draft.severity?, draft.hotfix?) {
            (Some(severity), None) => Some(Effect::Severity(severity)),
            (None, Some(true)) => Some(Effect::Admit),
            (None, Some(false)) => Some(Effect::Exclude),
            (Some(_), Some(_)) | (None, None) => reader.fail(Problem::RuleEffect {}),
        };
        Some(Self { id: draft.id?, title: draft.title?, effect: effect?, when: draft.when? })
    }
    fn write(value: &Self, style: Style) -> Node {
        let (severity, hotfix) = match value.effect {
            Effect::Severity(severity) => (Some(severity), None),
            Effect::Admit => (None, Some(true)),
            Effect::Exclude => (None, Some(false)),
        };
        RuleDraft {
            id: Some(value.id),
            title: Some(value.title.clone()),
            severity: Some(severity),
            hotfix: Some(hotfix),
            when: Some(value.when.clone()),
        }
        .write(style)
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
    fn example() -> &'static str {
        "{ … }"
    }
}

impl Entry for Rule {
    const WHAT: &'static str = "rule";
}
