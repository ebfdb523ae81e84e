//! `Action` and `Outcome`: what the caller has to do, and the result of an input.

use hotfix_core::grade::{Audience, MessageKind, RollbackMethod};
use hotfix_core::rollout::{Action as CoreAction, ActionDocument, Input, Refusal, Rollout as Core};
use hotfix_core::unit::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::document::{document, each, flag, maybe, name, one, text, texts, value, word};
use crate::error::lines;
use crate::typed::{ActionKind, Dicts, Json, Name};

/// An action as a caller sees it: whether it awaits an answer, and what the policy has for it.
pub(crate) fn document_of(action: &CoreAction, rollout: &Core) -> Value {
    value(&ActionDocument::of(action, rollout))
}

impl Action {
    /// Actions of a rollout.
    pub(crate) fn list(rollout: &Core, actions: impl Fn(&Core) -> &[CoreAction]) -> Vec<Self> {
        actions(rollout).iter().map(|action| Self(document_of(action, rollout))).collect()
    }
}

document! {
    /// One action for your deploy tool. Its id is the same after every replay.
    ///
    /// The attributes depend on its kind; the others are None as attributes and absent in
    /// `to_dict`.
    Action(Value) {
        /// Its id, such as ``"7.1"``, which ``confirm`` and ``failed`` name.
        fn id(this) -> String { text(this, "id") }
        /// ``set_traffic``, ``deploy``, ``roll_back``, ``ask_decision``, ``request_approval``,
        /// ``notify``, ``page``, ``update_status_page`` or ``schedule``.
        fn kind(this) -> Name<ActionKind> { name(this, "kind") }
        /// Whether the rollout waits for ``confirm`` or ``failed``.
        fn awaits(this) -> bool { flag(this, "awaits") }
        /// With ``set_traffic``: the canary's share, from 0 to 1.
        fn share(this) -> Option<f64> { this["share"].as_f64() }
        /// With ``deploy`` and ``roll_back``: the version.
        fn version(this) -> Option<String> { word(this, "version") }
        /// With ``roll_back``: the rollback method.
        fn method(this) -> Option<Name<RollbackMethod>> { maybe(this, "method") }
        /// With ``roll_back``: the condition of its method, in the policy's words, and the risk of a schema
        /// change.
        fn condition(this) -> Option<String> { word(this, "condition") }
        /// With ``roll_back`` to the previous version: its rollback point, as release and checklists
        /// name it.
        fn rollback_point(this) -> Option<String> { word(this, "rollback_point") }
        /// With ``deploy``: the signs by which it is answered with ``confirm`` or ``failed``, where
        /// the policy has some: ``{"success": […], "failure": […]}``.
        fn signs(this) -> Option<Json> { one(this, "signs", |signs| Json::of(&signs)) }
        /// With ``notify``: the audience.
        fn audience(this) -> Option<Name<Audience>> { maybe(this, "audience") }
        /// With ``notify`` and ``update_status_page``: the kind of message.
        fn message(this) -> Option<Name<MessageKind>> { maybe(this, "message") }
        /// With ``page``: the role to page. With ``notify``: the role that it is for, where that is
        /// not everybody in the audience; ``why`` is its text then.
        fn role(this) -> Option<String> { word(this, "role") }
        /// With ``page``: the reason, in a sentence.
        fn why(this) -> Option<String> { word(this, "why") }
        /// With ``ask_decision``: the question, in a sentence.
        fn question(this) -> Option<String> { word(this, "question") }
        /// With ``deploy`` of a blue-green rollout: the checks that the idle side has to pass
        /// before ``confirm``; otherwise empty.
        fn validate(this) -> Vec<String> { texts(this, "validate") }
        /// The duty that caused the action, which ``acknowledge`` and ``done`` name.
        fn duty(this) -> Option<String> { word(this, "duty") }
        /// With ``schedule``: the name of the meeting.
        fn title(this) -> Option<String> { word(this, "title") }
        /// With ``schedule``: the time by which the meeting is due, if that is known.
        fn by(this) -> Option<String> { word(this, "by") }
        /// Whom to contact, where the policy names somebody: with ``page`` the holders of the role,
        /// with ``notify`` and ``update_status_page`` those of the duty's role, with
        /// ``request_approval`` those of each role: ``[{"role", "title", "holders": [{"name",
        /// "reach"}], "reach", "stand_in", "stand_ins"}, …]``. They are not in the log.
        fn contacts(this) -> Json<Dicts> { Json::of(&each(this, "contacts", |one| one)) }
        /// Your organisation's own commands for the action, where the policy has some:
        /// ``[{"of", "id", "title", "commands": [{"line", "missing"}, …]}, …]``, with the values of
        /// the plan. Nothing is run. They are not in the log.
        fn commands(this) -> Json<Dicts> { Json::of(&each(this, "commands", |one| one)) }
        /// With ``request_approval``: the roles; the approval of any one of them is enough.
        fn any_of(this) -> Option<Vec<String>> { one(this, "any_of", |_| texts(this, "any_of")) }
    }
}

/// The serialised form of `Outcome`. The lines stay in one piece until they are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OutcomeDocument {
    actions: Vec<Value>,
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
        /// Whether an input with this key was delivered before: nothing changed. The actions are
        /// those of the first delivery: do not carry them out, others may have followed since.
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
        let actions = actions.iter().map(|action| document_of(action, rollout)).collect();
        Ok(Self(OutcomeDocument { actions, events, repeated }))
    }
}
