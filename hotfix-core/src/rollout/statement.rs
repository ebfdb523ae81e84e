//! Checks of statements about the plan, and of marks on checklist items.

use crate::gate::approval::{demands, is_spoken, served_by, stand_ins_of};
use crate::gate::checklist::{self, Known};
use crate::gate::is_same_person;
use crate::plan::Plan;
use crate::policy::Policy;
use crate::text::{instead, is_blank, nearest, quoted};
use crate::unit::{Name, RoleName};

use super::input::{Command, Input, ItemStatus};
use super::personal::{Salt, is_taken_out};
use super::refusal::RefusalReason;
use super::state::Readiness;

/// What statements are checked against.
pub(super) struct Statement<'a> {
    pub(super) plan: &'a Plan,
    pub(super) readiness: &'a Readiness,
    /// The salt of the digests that replace redacted names.
    pub(super) salt: &'a Salt,
}

impl Statement<'_> {
    /// Checks that a statement names a person who may act in the role, is about this plan, and has
    /// an accepted form.
    pub(super) fn check(&self, input: &Input) -> Result<(), RefusalReason> {
        let (by, given) = (named(input)?, self.readiness.statements());
        match &input.command {
            Command::Approve { role, channel, heard_by, plan_digest, .. } => {
                let plan = self.plan.digest();
                if let Some(approved) = plan_digest.filter(|approved| *approved != plan) {
                    return Err(RefusalReason::PlanChanged { approved, plan });
                }
                self.check_role(*role)?;
                self.check_holder(*role, by)?;
                self.check_another(*role, by)?;
                if is_spoken(channel.as_deref(), heard_by.as_deref()) {
                    self.check_verbal(*role, by, heard_by.as_deref())?;
                }
                Ok(())
            }
            Command::Withdraw { role, .. } if !given.has_approved(*role) => {
                let denied = given.denials().any(|denial| denial.role == *role);
                Err(RefusalReason::NoSuchApproval { role: *role, denied })
            }
            Command::Deny { role, .. } | Command::Withdraw { role, .. } => {
                self.check_holder(*role, by)
            }
            _ => Ok(()),
        }
    }

    /// Checks that the policy knows the role: an approval in another one would have no effect. Any
    /// role may deny, and may then approve, which lifts its denial.
    fn check_role(&self, role: RoleName) -> Result<(), RefusalReason> {
        let known = self.plan.policy().known_roles();
        let mut denials = self.readiness.statements().denials();
        if known.contains(&role) || denials.any(|denial| denial.role == role) {
            return Ok(());
        }
        let instead = instead(role.as_str(), known.iter().map(RoleName::as_str));
        Err(RefusalReason::NoSuchRole { role, instead })
    }

    /// Checks that two approvals come from two people.
    fn check_another(&self, role: RoleName, by: &str) -> Result<(), RefusalReason> {
        let (given, policy) = (self.readiness.statements(), self.plan.policy());
        let mut approvals = given.approvals();
        let first = approvals.find(|given| given.role != role && self.is_person(&given.by, by));
        let Some(first) = first.map(|given| given.role) else { return Ok(()) };
        let unasked = given.unasked(policy, self.readiness.severity());
        if unasked.iter().any(|word| word.role == first) {
            let remedy = "which nobody is asked for now: send `withdraw` for that approval first";
            return Err(RefusalReason::SamePerson { first, remedy: remedy.to_owned() });
        }
        let open = self.readiness.demands(policy, None).into_iter();
        let mut roles: Vec<RoleName> = Vec::new();
        for demand in open.filter(|demand| !demand.is_met()) {
            let serve = demand.roles();
            if serve.contains(&role) {
                roles.extend(serve.iter().filter(|of| **of != first));
            }
        }
        let mut who: Vec<String> = Vec::new();
        for role in if roles.is_empty() { vec![role] } else { roles } {
            let shown = self.role_with_holders(role, by);
            if !who.contains(&shown) {
                who.push(shown);
            }
        }
        let remedy = format!(
            "and two approvals need two people: ask {}, or send `withdraw` for the other approval",
            who.join(" or ")
        );
        Err(RefusalReason::SamePerson { first, remedy })
    }

    /// A role with the people other than this one who hold it, and how they are reached.
    fn role_with_holders(&self, role: RoleName, but: &str) -> String {
        let known = self.plan.policy().role(role);
        let people = known.into_iter().flat_map(|role| &role.holders);
        let people = people.filter(|holder| !is_taken_out(&holder.name));
        let others = people.filter(|holder| !self.is_person(&holder.name, but));
        let mut reached: Vec<String> = others
            .map(|holder| match &holder.reach {
                Some(reach) => format!("{}: {reach}", holder.name),
                None => holder.name.clone(),
            })
            .collect();
        reached.extend(known.and_then(|role| role.reach.clone()));
        if reached.is_empty() {
            format!("`{role}`")
        } else {
            format!("`{role}` ({})", reached.join(", "))
        }
    }

    /// Whether a recorded name, which may be redacted in the log, is this person's.
    fn is_person(&self, name: &str, by: &str) -> bool {
        self.salt.is_person(name, by) == Some(true)
    }

    /// Checks that the sender holds the role, where the policy names who holds it.
    fn check_holder(&self, role: RoleName, by: &str) -> Result<(), RefusalReason> {
        let holders = self.plan.policy().role(role).map(|role| role.holders.as_slice());
        let holders = holders.unwrap_or_default();
        if holders.is_empty() || holders.iter().any(|holder| self.is_person(&holder.name, by)) {
            return Ok(());
        }
        let named = holders.iter().map(|holder| holder.name.as_str());
        let names: Vec<&str> = named.filter(|name| !is_taken_out(name)).collect();
        let taken_out = match (holders.len() - names.len(), self.salt.is_lost()) {
            (0, _) => None,
            (_, true) => Some(
                "somebody whose name was redacted in the log, together with the salt: continue \
                 with the log that has both",
            ),
            (_, false) => {
                Some("somebody whose name was redacted in the log: write it as in the policy")
            }
        };
        let names = (!names.is_empty()).then(|| quoted(&names, " or "));
        let holders: Vec<String> = names.into_iter().chain(taken_out.map(str::to_owned)).collect();
        Err(RefusalReason::NotTheHolder { role, holders: holders.join(", or by ") })
    }

    /// Checks that a demand accepts a verbal approval, and that somebody else heard it.
    fn check_verbal(
        &self,
        role: RoleName,
        by: &str,
        heard_by: Option<&str>,
    ) -> Result<(), RefusalReason> {
        let policy = self.plan.policy();
        let asked: Vec<_> =
            demands(policy, self.readiness.severity()).map(|(_, demand)| demand).collect();
        let mut served = asked.iter().filter(|demand| served_by(policy, demand, role).is_some());
        let is_asked = served.clone().next().is_some();
        if served.any(|demand| demand.verbal) {
            let heard = heard_by.is_some_and(|who| !is_blank(who) && !is_same_person(who, by));
            return if heard { Ok(()) } else { Err(RefusalReason::Unheard) };
        }
        let remedy = if is_asked {
            "write it, in chat or in the ticket, name that as `channel`, and omit `heard_by`"
                .to_owned()
        } else {
            let mut verbal: Vec<RoleName> = Vec::new();
            for role in asked.iter().filter(|d| d.verbal).flat_map(|d| &d.any_of) {
                if !verbal.contains(role) {
                    verbal.push(*role);
                }
            }
            if verbal.is_empty() {
                "no demand accepts one, so write it".to_owned()
            } else {
                format!("it is accepted from {}", quoted(&verbal, " or "))
            }
        };
        Err(RefusalReason::NotSpoken { role, remedy })
    }

    /// Checks that an exception is waived by a role that the policy names; where it names none, by
    /// any role.
    fn check_exception(&self, item: Name, input: &Input) -> Result<(), RefusalReason> {
        let policy = self.plan.policy();
        let roles = policy.waived_by();
        let may = |role: RoleName| {
            roles.is_empty() || roles.contains(&role) || stand_ins_of(policy, roles).contains(&role)
        };
        match &input.command {
            Command::WaiveItem { role: Some(role), .. } if may(*role) => Ok(()),
            _ => Err(RefusalReason::OnlyWaived { item, roles: roles.to_vec() }),
        }
    }

    /// Checks that each item or step exists, and that a waiver or `not_applicable` has a reason.
    pub(super) fn check_items(&self, input: &Input) -> Result<(), RefusalReason> {
        match &input.command {
            Command::CheckItem { status, evidence, .. } => {
                let aside = *status == ItemStatus::NotApplicable;
                let reason = aside.then_some(("evidence", evidence.as_deref()));
                input.command.items().try_for_each(|item| {
                    self.check_item(item, reason, input)?;
                    if *status == ItemStatus::Done {
                        self.check_point(item, evidence.as_deref())?;
                    }
                    self.check_review(item, *status, input)
                })
            }
            Command::WaiveItem { item, why, .. } => {
                self.check_item(*item, Some(("why", Some(why.as_str()))), input)
            }
            _ => Ok(()),
        }
    }

    /// Checks that the item that records the rollback point names it, unless the release does.
    fn check_point(&self, item: Name, evidence: Option<&str>) -> Result<(), RefusalReason> {
        let names = evidence.is_some_and(|text| !is_blank(text));
        let is_asked = checklist::point_item(self.plan.policy()) == Some(item);
        if !is_asked || names || self.plan.names_rollback_point() {
            return Ok(());
        }
        Err(RefusalReason::NoRollbackPoint { item })
    }

    /// Checks that the author of the fix does not review it, nor sets a review aside that applies in any
    /// case.
    fn check_review(
        &self,
        item: Name,
        status: ItemStatus,
        input: &Input,
    ) -> Result<(), RefusalReason> {
        let policy = self.plan.policy();
        let author = self.plan.release().and_then(|release| release.author.as_deref());
        let by = named(input)?;
        let is_author = author.is_some_and(|author| self.salt.is_author(author, by));
        let aside = status == ItemStatus::NotApplicable;
        let may = status == ItemStatus::Open || aside && is_conditional(policy, item);
        if is_author && !may && checklist::is_review(policy, item) {
            return Err(RefusalReason::OwnReview { item, aside });
        }
        Ok(())
    }

    /// Checks one item, with the field of the reason that it needs.
    fn check_item(
        &self,
        item: Name,
        reason: Option<(&'static str, Option<&str>)>,
        input: &Input,
    ) -> Result<(), RefusalReason> {
        let policy = self.plan.policy();
        let Some(known) = checklist::find(policy, item) else {
            let known: Vec<Name> = checklist::ids(policy).collect();
            let nearest = nearest(item.as_str(), known.iter().map(Name::as_str));
            let nearest = nearest.map(str::to_owned);
            let place = input.command.items().position(|of| of == item).unwrap_or_default();
            let is_one = input.command.items().nth(1).is_none();
            let path = if is_one { "/item".to_owned() } else { format!("/items/{place}") };
            return Err(RefusalReason::NoSuchItem { item: item.to_string(), nearest, path });
        };
        let by = named(input)?;
        if let Command::WaiveItem { role: Some(role), .. } = &input.command {
            self.check_holder(*role, by)?;
        }
        if matches!(known, Known::Exception(_)) {
            self.check_exception(item, input)?;
        }
        match reason {
            Some((field, text)) if text.is_none_or(is_blank) => {
                // A conditional item needs no reason for not applying.
                if field == "evidence" && is_conditional(policy, item) {
                    Ok(())
                } else {
                    Err(RefusalReason::NoReason { item, field })
                }
            }
            _ => Ok(()),
        }
    }
}

/// Whether an item may be not applicable.
fn is_conditional(policy: &Policy, item: Name) -> bool {
    matches!(checklist::find(policy, item), Some(Known::Item(item)) if item.if_applicable)
}

/// The sender of an input. That the name is not blank was checked with every input.
fn named(input: &Input) -> Result<&str, RefusalReason> {
    input.by.as_deref().ok_or(RefusalReason::Nameless)
}
