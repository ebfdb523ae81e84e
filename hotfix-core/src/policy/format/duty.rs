//! Duties: what is due, when, how often and by whom (SEV-6, TIME-1, TIME-2, POST-2, POST-4).

use super::entries::Entry;
use super::severity::NamedSeverities;
use crate::fact::Condition;
use crate::grade::{Audience, DutyKind, Moment};
use crate::policy::error::Problem;
use crate::policy::field::{HowMany, Lasting};
use crate::policy::node::Node;
use crate::policy::reader::{Reader, section};
use crate::policy::section::{Due, Duty, TimeRange};
use crate::unit::{Name, RoleName};

section! {
    plain
    /// Something that is due, once or again and again (SEV-6, TIME-1, TIME-2, POST-2, POST-4).
    Duty from DutyDraft, duty_rules {
        /// Its id, unique.
        id: Name, [required];
        /// What is to be done: `escalate` is a rung of a ladder, `update` is repeated news.
        kind: DutyKind, [required];
        /// What people call it.
        title: String, [required];
        /// The severities that it is due for; empty: for all.
        severities: NamedSeverities, [default Node::List(Vec::new())];
        /// The moment from which its time counts.
        from: Moment, [required];
        /// When it is due, the first time where it is repeated; 0 is at once.
        within: Due, [required];
        /// How often it is repeated from then on, above 0. Without it it is done once.
        every: Lasting, [optional];
        /// With `every`: the moment that ends the repeating. Without it it goes on until it is called off.
        until: Moment, [optional];
        /// Who does it; with the kinds `page` and `escalate` who is woken.
        role: RoleName, [optional];
        /// Who is told.
        audience: Audience, [optional];
        /// With the kind `escalate`, and never without: its rung of the ladder, from 1.
        step: HowMany, [optional];
        /// How long it takes, as for a meeting.
        lasts: TimeRange, [optional];
        /// It is due only where this holds. Without it always.
        when: Condition, [optional];
        /// Whether it is due only where the fix is a stop-gap.
        stop_gap: bool, [default false];
    }
}

fn duty_rules(duty: &DutyDraft, reader: &mut Reader) {
    if duty.every == Some(None) && duty.until.flatten().is_some() {
        let (key, needs) = ("until", "every = \"15min\"");
        reader.fail_at::<()>(key, Problem::KeyNeeds { key, needs });
    }
    // Only where both could be read: a key that could not has its error already.
    let (Some(kind), Some(step)) = (duty.kind, duty.step) else { return };
    match (kind, step) {
        (DutyKind::Escalate, None) => {
            let (key, kind, example) = ("step", kind.as_str(), "`step = 1`");
            reader.fail::<()>(Problem::KindNeeds { key, kind, example });
        }
        (DutyKind::Escalate, Some(_)) | (_, None) => {}
        (_, Some(_)) => {
            let (key, kind) = ("step", kind.as_str());
            reader.fail_at::<()>(key, Problem::NotForKind { key, kind });
        }
    }
}

impl Entry for Duty {
    const WHAT: &'static str = "duty";
}
