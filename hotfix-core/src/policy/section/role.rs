//! Roles with their holders, and vendors.

use super::list::{by_own_name, none};
use crate::document::Node;
use crate::policy::field::List;
use crate::policy::reader::{Field, PolicyReader, Style, section};
use crate::policy::schema::{Definitions, Schema};
use crate::sorting::sort_by_key;
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
        holders: Vec<Holder> as List<Holder>, [default none()];
        /// How to reach the role, whoever holds it: a pager or a channel.
        reach: String, [optional];
    }
}

section! {
    plain
    /// A person who holds a role.
    pub Holder: Eq from HolderDraft {
        /// The name of the person.
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
