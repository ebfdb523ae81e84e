//! Roles with their holders, where a policy names them, and vendors.

use std::collections::BTreeSet;

use super::Approval;
use super::list::{Entries, by_own_name, none};
use crate::document::Node;
use crate::policy::Policy;
use crate::policy::field::List;
use crate::policy::reader::{Field, PolicyReader, Style, section};
use crate::policy::schema::{Definitions, Schema};
use crate::sorting::{set_of, sort_by_key};
use crate::unit::RoleName;

section! {
    plain
    /// A role: its holders, how to reach it, and its stand-ins.
    pub CustomRole: Eq from CustomRoleDraft with
        /// Its name in approvals and duties: `engineering_manager`.
        id: RoleName
    {
        /// The name of the role for people.
        title: String, [required];
        /// The roles that stand in for it, the first choice first. A stand-in of several roles meets the
        /// demands for all of them with one approval: where two people have to approve, give these roles
        /// different stand-ins.
        stand_ins: Vec<RoleName> as List<RoleName>, [default none()];
        /// The people who hold the role. With holders, nobody else may approve, deny or
        /// withdraw in this role.
        holders: Vec<Holder> as Entries<Holder>, [default none()];
        /// How to reach the role, whoever holds it: a pager or a channel.
        reach: String, [optional];
    }
}

section! {
    plain
    /// A person who holds a role.
    pub Holder: Eq from HolderDraft {
        /// The name of the person, unique in the role.
        name: String, [required];
        /// How to reach the person.
        reach: String, [optional];
    }
}

section! {
    plain
    /// A vendor whose service you depend on.
    pub Vendor: Eq from VendorDraft {
        /// The name of the vendor, unique.
        name: String, [required];
        /// How to reach its support.
        support: String, [optional];
        /// The address of its status page.
        status: String, [optional];
        /// The address of the dashboard of your account.
        dashboard: String, [optional];
    }
}

/// The roles by id, in the order of their ids.
pub(super) struct Roles;

impl Field for Roles {
    type Out = Vec<CustomRole>;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Vec<CustomRole>> {
        let mut roles =
            reader.each_named(node, |reader, _, node| CustomRole::read(node, reader))?;
        sort_by_key(&mut roles, |role| role.id);
        (roles.len() == node.members().len()).then_some(roles)
    }
    fn write(value: &Vec<CustomRole>, style: Style) -> Node {
        Node::table(value.iter().map(|role| (role.id.as_str(), CustomRole::write(role, style))))
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        by_own_name(&CustomRole::refer(definitions))
    }
}

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
        let duties = (0..).zip(self.duties()).map(|(at, duty)| ("duties", at, duty.role));
        let lists = (0..).zip(self.checklists()).map(|(at, list)| ("checklists", at, list.role));
        let steps = (0..).zip(self.procedure()).map(|(at, step)| ("procedure", at, step.role));
        for (key, index, role) in duties.chain(lists).chain(steps) {
            named.extend(role.map(|role| (format!("/{key}/{index}/role"), role)));
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
