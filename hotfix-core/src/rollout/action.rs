//! Actions: what your deploy tool has to do.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use crate::gate::Who;
use crate::grade::RollbackMethod;
pub use crate::grade::{Audience, MessageKind};
use crate::plan::{Plan, PlannedCommands, SCHEMA_RISK};
use crate::policy::Policy;
use crate::policy::section::DeploymentSigns;
use crate::text::{MOST, joined};
use crate::unit::{Name, RoleName, Share, Timestamp, UnitError};

use super::{Rollout, is_taken_out};

/// One action, with an id that is the same after every replay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Its id, as `7.1`: the line of the log that raised it, and its index there, from 0.
    pub id: ActionId,
    /// What to do, by `kind`.
    #[serde(flatten)]
    pub act: Act,
}

/// An action as a document: as in the log, whether the rollout waits for its result, whom to
/// contact, and the organisation's own commands for it.
///
/// Contacts and commands are not in the log: they follow from the policy and the plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActionDocument<'a> {
    /// The action as in the log.
    #[serde(flatten)]
    pub action: &'a Action,
    /// Whether the rollout waits for `confirm` or `failed`.
    pub awaits: bool,
    /// The organisation's own commands that belong to it, with the values of the plan. This
    /// library runs none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<PlannedCommands<'a>>,
    /// Whom to contact, where the policy names somebody: of a page the role that is paged, of a
    /// notice the role of its duty, of a request for approval each role.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Who<'a>>,
    /// Of a rollback: the condition of its method, in the policy's words, and what a schema change means
    /// for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Cow<'a, str>>,
    /// Of a rollback to the previous version: its rollback point, as release and checklists name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_point: Option<String>,
    /// Of a deployment: the signs by which it is answered with `confirm` or `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signs: Option<DeploymentSigns<'a>>,
}

impl<'a> ActionDocument<'a> {
    /// The document of an action of this rollout.
    pub fn of(action: &'a Action, rollout: &'a Rollout) -> Self {
        Self {
            action,
            awaits: action.act.awaits(),
            commands: rollout.commands(action),
            contacts: action.contacts(rollout.plan().policy()),
            condition: action.act.conditions(rollout.plan()),
            rollback_point: action.act.rollback_point(rollout),
            signs: action.act.signs(rollout.plan().policy()),
        }
    }
}

impl Action {
    /// Whom the policy names for the action: of a page the role that is paged, of a notice the role
    /// of its duty, of a request for approval each role that may give it. A role that nobody holds
    /// has the contact of its stand-in. Roles without any contact are left out, so it may be empty.
    ///
    /// `policy` is the policy of the plan. It is computed for each call.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout}};
    ///
    /// let own = r#"{"extends": "enterprise", "name": "own", "roles": {"on_call_engineer":
    ///     {"holders": [{"name": "Iris", "reach": "pager 7"}]}}}"#;
    /// let plan = Plan::from_json(
    ///     Arc::new(Policy::from_json(own)?),
    ///     r#"{"id": "INC-2041", "severity": "P0", "detected_at": "2026-03-03T14:06:00Z"}"#,
    ///     r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
    ///     "",
    /// )?;
    /// let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
    /// rollout.handle("2026-03-03T14:06:00Z".parse()?, &Input::from_json(r#"{"kind": "tick"}"#)?)?;
    /// let policy = rollout.plan().policy();
    /// let contacts = rollout.last_actions().iter().flat_map(|action| action.contacts(policy));
    /// let reached: Vec<_> = contacts.flat_map(|who| who.holders).map(|one| one.reach).collect();
    /// assert!(reached.contains(&Some("pager 7")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn contacts<'p>(&self, policy: &'p Policy) -> Vec<Who<'p>> {
        let of_duty = |id: &Option<Name>| {
            let duty = policy.duties().iter().find(|duty| Some(duty.id) == *id);
            duty.and_then(|duty| duty.role)
        };
        let known = |role: &RoleName| {
            let mut who = Who::of(policy, *role);
            // The digest of a redacted name reaches nobody.
            who.holders.retain(|holder| !is_taken_out(holder.name));
            who.is_reached().then_some(who)
        };
        match &self.act {
            Act::Page { role, .. } | Act::Notify { role: Some(role), .. } => {
                known(role).into_iter().collect()
            }
            Act::Notify { duty, .. } | Act::UpdateStatusPage { duty, .. } => {
                of_duty(duty).and_then(|role| known(&role)).into_iter().collect()
            }
            Act::RequestApproval { any_of, .. } => any_of.iter().filter_map(known).collect(),
            Act::SetTraffic { .. }
            | Act::Deploy { .. }
            | Act::RollBack { .. }
            | Act::AskDecision { .. }
            | Act::Schedule { .. } => Vec::new(),
        }
    }
}

/// The kind of an action, with its data.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Act {
    /// Give the canary this share of the traffic. Awaits `confirm` or `failed`.
    SetTraffic {
        /// The canary's share, from 0 to 1.
        share: Share,
    },
    /// Deploy this version beside the live one. Awaits `confirm` or `failed`.
    Deploy {
        /// The version to deploy.
        version: String,
        /// With blue-green: the checks that the idle side has to pass before `confirm`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        validate: Vec<String>,
    },
    /// Roll back to this version with this method. Awaits `confirm` or `failed`.
    RollBack {
        /// The method to use.
        method: RollbackMethod,
        /// The version to restore.
        version: String,
    },
    /// Ask a person. The question names the inputs that answer it, such as `promote`, `resume` or
    /// `roll_back`.
    AskDecision {
        /// Service, incident, what was observed, and the inputs that answer.
        question: String,
    },
    /// Ask for the approval of one of these roles.
    RequestApproval {
        /// The roles; the approval of one of them is enough.
        any_of: Vec<RoleName>,
        /// Why they are asked now, such as that only the author of the fix approved, that an earlier
        /// plan was approved, or a question about the incident that `set_facts` answers.
        why: Option<String>,
    },
    /// Send a message.
    Notify {
        /// Who reads it.
        audience: Audience,
        /// The kind of message; `Rollout::message` writes it.
        message: MessageKind,
        /// The duty that raised it: send `done` with this id once it is sent.
        duty: Option<Name>,
        /// The role that it is for, where that is not everybody in the audience. Then `why` is the text.
        role: Option<RoleName>,
        /// What the role has to know: service, incident, and what happened. Nobody waits for an answer.
        why: Option<String>,
    },
    /// Page somebody.
    Page {
        /// The role to page.
        role: RoleName,
        /// Service, incident, what was observed, and what to do.
        why: String,
        /// The duty that raised it: `acknowledge` with this id stops the escalation.
        duty: Option<Name>,
    },
    /// Put this on the status page.
    UpdateStatusPage {
        /// The kind of message; `Rollout::message` writes it.
        message: MessageKind,
        /// The duty that raised it: send `done` with this id once it is published.
        duty: Option<Name>,
    },
    /// Find a time for a meeting.
    Schedule {
        /// The duty that raised it: send `done` with this id once it was held.
        duty: Name,
        /// What people call the meeting.
        title: String,
        /// By when it has to be held, where that is known.
        by: Option<Timestamp>,
    },
}

impl Act {
    /// A message to everybody in an audience.
    pub(super) const fn notify(audience: Audience, message: MessageKind) -> Self {
        Self::Notify { audience, message, duty: None, role: None, why: None }
    }

    /// A message to one role of the responders, for its information.
    pub(super) const fn inform(role: RoleName, why: String) -> Self {
        let (audience, message) = (Audience::Responders, MessageKind::Update);
        Self::Notify { audience, message, duty: None, role: Some(role), why: Some(why) }
    }

    /// Audience and kind of a message that names the severity; None for any other action.
    pub(super) const fn tells_severity(&self) -> Option<(Audience, MessageKind)> {
        match self {
            Self::Notify {
                audience,
                message: message @ (MessageKind::Alert | MessageKind::Update),
                role: None,
                ..
            } => Some((*audience, *message)),
            _ => None,
        }
    }

    /// The name of its kind, as in its document.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SetTraffic { .. } => "set_traffic",
            Self::Deploy { .. } => "deploy",
            Self::RollBack { .. } => "roll_back",
            Self::AskDecision { .. } => "ask_decision",
            Self::RequestApproval { .. } => "request_approval",
            Self::Notify { .. } => "notify",
            Self::Page { .. } => "page",
            Self::UpdateStatusPage { .. } => "update_status_page",
            Self::Schedule { .. } => "schedule",
        }
    }

    /// The canary's share that a change of traffic asks for.
    pub(super) const fn share(&self) -> Option<Share> {
        match self {
            Self::SetTraffic { share } => Some(*share),
            _ => None,
        }
    }

    /// Whether the rollout waits for `confirm` or `failed`.
    pub const fn awaits(&self) -> bool {
        match self {
            Self::SetTraffic { .. } | Self::Deploy { .. } | Self::RollBack { .. } => true,
            Self::AskDecision { .. }
            | Self::RequestApproval { .. }
            | Self::Notify { .. }
            | Self::Page { .. }
            | Self::UpdateStatusPage { .. }
            | Self::Schedule { .. } => false,
        }
    }

    /// The signs by which a deployment is answered; None for any other action.
    pub(super) fn signs<'p>(&self, policy: &'p Policy) -> Option<DeploymentSigns<'p>> {
        policy.deployment_signs().filter(|_| matches!(self, Self::Deploy { .. }))
    }

    /// When the method of a rollback can be used, in the policy's words; None where it does not say.
    pub(super) fn condition<'p>(&self, policy: &'p Policy) -> Option<&'p str> {
        let Self::RollBack { method, .. } = self else { return None };
        let own = policy.rollback().methods.iter().find(|way| way.kind == *method)?;
        own.condition.as_deref()
    }

    /// When the method of a rollback can be used, and what a schema change means for it.
    fn conditions<'p>(&self, plan: &'p Plan) -> Option<Cow<'p, str>> {
        let own = self.condition(plan.policy());
        let is_risky = matches!(self, Self::RollBack { .. })
            && plan.subject().traffic.schema_change == Some(true);
        if !is_risky {
            return own.map(Cow::Borrowed);
        }
        let risk = format!("check first, because {SCHEMA_RISK}");
        Some(Cow::Owned(joined(own.map(str::to_owned).into_iter().chain([risk]), "; ")))
    }

    /// The rollback point of a rollback to the previous version, where more than its version is
    /// known.
    fn rollback_point(&self, rollout: &Rollout) -> Option<String> {
        let release = rollout.canary_plan().release()?;
        let Self::RollBack { version, .. } = self else { return None };
        let point = release.point.as_ref().filter(|_| *version == release.previous);
        let parts = point.map(|point| [("commit", &point.commit), ("artifact", &point.artifact)]);
        let known = parts.into_iter().flatten().filter_map(|(of, text)| Some((of, text.as_ref()?)));
        let known = known.map(|(of, text)| format!("{of} {text}"));
        let noted = rollout.rollback_point_noted().filter(|_| *version == release.previous);
        let all = joined(known.chain(noted.map(str::to_owned)), ", ");
        (!all.is_empty()).then_some(all)
    }

    /// Whether both are the same message to the same audience, whatever raised them.
    pub(super) fn is_same_message(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Notify { audience, message, role, .. },
                Self::Notify { audience: to, message: about, role: of, .. },
            ) => (audience, message, role) == (to, about, of),
            (
                Self::UpdateStatusPage { message, .. },
                Self::UpdateStatusPage { message: about, .. },
            ) => message == about,
            _ => false,
        }
    }

    /// The duty that raised it, where one did: `acknowledge` and `done` name it.
    pub const fn duty(&self) -> Option<&Name> {
        match self {
            Self::Notify { duty, .. }
            | Self::Page { duty, .. }
            | Self::UpdateStatusPage { duty, .. } => duty.as_ref(),
            Self::Schedule { duty, .. } => Some(duty),
            Self::SetTraffic { .. }
            | Self::Deploy { .. }
            | Self::RollBack { .. }
            | Self::AskDecision { .. }
            | Self::RequestApproval { .. } => None,
        }
    }
}

/// The id of an action: `"7.1"` is the second action of event 7.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay, DeserializeFromStr,
)]
pub struct ActionId {
    /// The event's number.
    pub event: u64,
    /// The action's place in it, from 0.
    pub index: u32,
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.event, self.index)
    }
}

impl FromStr for ActionId {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        text.split_once('.')
            .and_then(|(event, index)| {
                Some(Self { event: event.parse().ok()?, index: index.parse().ok()? })
            })
            .filter(|id| id.to_string() == text)
            .ok_or_else(|| UnitError::ActionId { got: text.chars().take(MOST + 1).collect() })
    }
}
