//! Where a policy names roles.

use std::collections::BTreeSet;

use super::Policy;
use super::section::Approval;
use crate::sorting::set_of;
use crate::unit::RoleName;

impl Policy {
    /// The approvals with their places: of each severity, then of the whole policy.
    pub(crate) fn demands_by_place(&self) -> impl Iterator<Item = (String, &Approval)> {
        let of_severities = self.severities().iter().flat_map(|level| {
            let place = move |(index, demand)| {
                (format!("/severities/{}/approvals/{index}", level.severity), demand)
            };
            level.approvals.iter().enumerate().map(place)
        });
        let of_all = self.approvals().iter().enumerate();
        of_severities.chain(of_all.map(|(index, demand)| (format!("/approvals/{index}"), demand)))
    }

    /// Every role that is named in the policy, except as a key of `roles`, with its place.
    pub(crate) fn roles_by_place(&self) -> Vec<(String, RoleName)> {
        let mut named = Vec::new();
        let list = |place: String, roles: &[RoleName], named: &mut Vec<(String, RoleName)>| {
            let roles = roles.iter().enumerate();
            named.extend(roles.map(|(index, role)| (format!("{place}/{index}"), *role)));
        };
        for (place, demand) in self.demands_by_place() {
            list(format!("{place}/any_of"), &demand.any_of, &mut named);
            list(format!("{place}/notified"), &demand.notified, &mut named);
        }
        list("/waived_by".to_owned(), self.waived_by(), &mut named);
        for level in self.severities() {
            if let Some(role) = level.review.as_ref().and_then(|review| review.role) {
                named.push((format!("/severities/{}/review/role", level.severity), role));
            }
        }
        for (index, role) in self.duties().iter().map(|duty| duty.role).enumerate() {
            named.extend(role.map(|role| (format!("/duties/{index}/role"), role)));
        }
        for (index, role) in self.checklists().iter().map(|list| list.role).enumerate() {
            named.extend(role.map(|role| (format!("/checklists/{index}/role"), role)));
        }
        for (index, role) in self.procedure().iter().map(|step| step.role).enumerate() {
            named.extend(role.map(|role| (format!("/procedure/{index}/role"), role)));
        }
        for role in self.roles() {
            list(format!("/roles/{}/stand_ins", role.id), &role.stand_ins, &mut named);
        }
        named
    }

    /// Every role that the policy declares or names.
    pub(crate) fn known_roles(&self) -> BTreeSet<RoleName> {
        let declared = self.roles().iter().map(|role| role.id);
        set_of(self.roles_by_place().into_iter().map(|(_, role)| role).chain(declared))
    }
}
