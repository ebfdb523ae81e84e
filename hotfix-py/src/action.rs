//! `Action` and `Outcome`: what the caller has to do, and the result of an input.

use std::ops::Deref;

use hotfix_core::grade::{Audience, MessageKind, RollbackMethod};
use hotfix_core::rollout::{Act, Action as CoreAction, Input, Refusal, Rollout as Core};
use hotfix_core::unit::{RoleName, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::document::{document, value};
use crate::error::lines;
use crate::typed::{ActionKind, Dicts, Json, Name};

/// The serialised form of `Action`: as in the log, with `awaits`, which follows from the rest, the
/// contacts of the policy and the commands of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Told {
    #[serde(flatten)]
    action: CoreAction,
    awaits: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    commands: Vec<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contacts: Vec<Value>,
}

impl Told {
    pub(crate) fn of(action: &CoreAction, rollout: &Core) -> Self {
        let policy = rollout.plan().policy();
        Self {
            action: action.clone(),
            awaits: action.act.awaits(),
            commands: rollout.commands(action).iter().map(value).collect(),
            contacts: action.contacts(policy).iter().map(value).collect(),
        }
    }
}

impl Deref for Told {
    type Target = CoreAction;

    fn deref(&self) -> &CoreAction {
        &self.action
    }
}

impl Action {
    /// Actions of a rollout.
    pub(crate) fn list(rollout: &Core, actions: impl Fn(&Core) -> &[CoreAction]) -> Vec<Self> {
        actions(rollout).iter().map(|action| Self(Told::of(action, rollout))).collect()
    }
}

document! {
    /// One action for your deploy tool. Its id is the same after every replay.
    ///
    /// The attributes depend on its kind; the others are None as attributes and absent in
    /// `to_dict`.
    Action(Told) {
        /// Its id, such as ``"7.1"``, which ``confirm`` and ``failed`` name.
        fn id(this) -> String { this.id.to_string() }
        /// ``set_traffic``, ``deploy``, ``roll_back``, ``ask_decision``, ``request_approval``,
        /// ``notify``, ``page``, ``update_status_page`` or ``schedule``.
        fn kind(this) -> Name<ActionKind> { Name::new(this.act.kind().into()) }
        /// Whether the rollout waits for ``confirm`` or ``failed``.
        fn awaits(this) -> bool { this.act.awaits() }
        /// With ``set_traffic``: the canary's share, from 0 to 1.
        fn share(this) -> Option<f64> {
            if let Act::SetTraffic { share } = &this.act { Some(share.as_fraction()) } else { None }
        }
        /// With ``deploy`` and ``roll_back``: the version.
        fn version(this) -> Option<String> {
            if let Act::Deploy { version, .. } | Act::RollBack { version, .. } = &this.act {
                Some(version.clone())
            } else {
                None
            }
        }
        /// With ``roll_back``: the rollback method.
        fn method(this) -> Option<Name<RollbackMethod>> {
            if let Act::RollBack { method, .. } = &this.act { Some((*method).into()) } else { None }
        }
        /// With ``notify``: the audience.
        fn audience(this) -> Option<Name<Audience>> {
            if let Act::Notify { audience, .. } = &this.act { Some((*audience).into()) } else { None }
        }
        /// With ``notify`` and ``update_status_page``: the kind of message.
        fn message(this) -> Option<Name<MessageKind>> {
            if let Act::Notify { message, .. } | Act::UpdateStatusPage { message, .. } = &this.act {
                Some((*message).into())
            } else {
                None
            }
        }
        /// With ``page``: the role to page.
        fn role(this) -> Option<String> {
            if let Act::Page { role, .. } = &this.act { Some(role.to_string()) } else { None }
        }
        /// With ``page``: the reason, in a sentence.
        fn why(this) -> Option<String> {
            if let Act::Page { why, .. } = &this.act { Some(why.clone()) } else { None }
        }
        /// With ``ask_decision``: the question, in a sentence.
        fn question(this) -> Option<String> {
            if let Act::AskDecision { question } = &this.act { Some(question.clone()) } else { None }
        }
        /// With ``deploy`` of a blue-green rollout: the checks that the idle side has to pass
        /// before ``confirm``; otherwise empty.
        fn validate(this) -> Vec<String> {
            if let Act::Deploy { validate, .. } = &this.act { validate.clone() } else { Vec::new() }
        }
        /// The duty that caused the action, which ``acknowledge`` and ``done`` name.
        fn duty(this) -> Option<String> { this.act.duty().map(ToString::to_string) }
        /// With ``schedule``: the name of the meeting.
        fn title(this) -> Option<String> {
            if let Act::Schedule { title, .. } = &this.act { Some(title.clone()) } else { None }
        }
        /// With ``schedule``: the time by which the meeting is due, if that is known.
        fn by(this) -> Option<String> {
            if let Act::Schedule { by: Some(by), .. } = &this.act { Some(by.to_string()) } else { None }
        }
        /// Whom to contact, where the policy names somebody: with ``page`` the holders of the role,
        /// with ``notify`` and ``update_status_page`` those of the duty's role, with
        /// ``request_approval`` those of each role: ``[{"role", "title", "holders": [{"name",
        /// "reach"}], "reach", "stand_in", "stand_ins"}, …]``. They are not in the log.
        fn contacts(this) -> Json<Dicts> { Json::of(&this.contacts) }
        /// Your organisation's own commands for the action, where the policy has some:
        /// ``[{"of", "id", "title", "commands": [{"line", "missing"}, …]}, …]``, with the values of
        /// the plan. Nothing is run. They are not in the log.
        fn commands(this) -> Json<Dicts> { Json::of(&this.commands) }
        /// With ``request_approval``: the roles; the approval of any one of them is enough.
        fn any_of(this) -> Option<Vec<String>> {
            if let Act::RequestApproval { any_of } = &this.act {
                Some(any_of.iter().map(RoleName::to_string).collect())
            } else {
                None
            }
        }
    }
}

/// The serialised form of `Outcome`. The lines stay in one piece until they are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OutcomeDocument {
    actions: Vec<Told>,
    #[serde(serialize_with = "split", deserialize_with = "join")]
    events: String,
    repeated: bool,
}

pub(crate) fn split<S: Serializer>(events: &str, serializer: S) -> Result<S::Ok, S::Error> {
    lines(events).serialize(serializer)
}

pub(crate) fn join<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Vec::<String>::deserialize(deserializer).map(|lines| lines.concat())
}

document! {
    /// The outcome of an input.
    Outcome(OutcomeDocument) {
        /// The log lines to append durably before you act; each ends with a line feed.
        fn events(this) -> Vec<&str> { lines(&this.events) }
        /// The actions, in the order in which to carry them out.
        fn actions(this) -> Vec<Action> { this.actions.iter().cloned().map(Action).collect() }
        /// Whether an input with this key was delivered before: nothing changed, and the actions
        /// are those of the first delivery.
        fn repeated(this) -> bool { this.repeated }
    }
}

impl Outcome {
    /// Handles an input.
    pub(crate) fn handled(
        rollout: &mut Core,
        at: Timestamp,
        input: &Input,
    ) -> Result<Self, Refusal> {
        let outcome = rollout.handle(at, input)?;
        let (actions, repeated) = (outcome.actions.to_vec(), outcome.repeated);
        let events = outcome.events.to_owned();
        let actions = actions.iter().map(|action| Told::of(action, rollout)).collect();
        Ok(Self(OutcomeDocument { actions, events, repeated }))
    }
}
