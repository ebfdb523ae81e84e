//! Roles with their holders, and vendors.

use super::entries::Entry;
use super::list::none;
use super::phase::no_rules;
use crate::document::Node;
use crate::policy::error::shown;
use crate::policy::field::{List, NAME_PATTERN};
use crate::policy::reader::{Draft as _, Field, PolicyReader, Style, section};
use crate::policy::schema::{Definitions, Schema};
use crate::sorting::sort_by_key;
use crate::unit::RoleName;
use serde_json::json;

/// A role: its holders, how to reach it, and its substitutes.
///
/// Approvals, duties and procedures name roles. A role that is named but not declared is not an
/// error, so that a policy can be shared without the people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomRole {
    /// Its name in approvals and duties: `engineering_manager`.
    pub id: RoleName,
    /// The name of the role for people.
    pub title: String,
    /// The roles that substitute for it, the first choice first.
    pub stand_ins: Vec<RoleName>,
    /// The people who hold the role.
    pub holders: Vec<Holder>,
    /// How to reach the role, whoever holds it: a pager or a channel.
    pub reach: Option<String>,
}

section! {
    draft
    /// A role: its holders, how to reach it, and its substitutes.
    CustomRole as CustomRoleDraft {
        /// The name of the role for people.
        title: String, [required];
        /// The roles that substitute for it, the first choice first.
        stand_ins: List<RoleName>, [default none()];
        /// The people who hold the role. With holders, nobody else may approve in this role.
        holders: List<Holder>, [default none()];
        /// How to reach the role, whoever holds it: a pager or a channel.
        reach: String, [optional];
    }
}

section! {
    plain
    /// A person who holds a role.
    pub Holder: Eq from HolderDraft, no_rules {
        /// The name of the person.
        name: String, [required];
        /// How to reach the person.
        reach: String, [optional];
    }
}

section! {
    plain
    /// A vendor whose service you depend on.
    pub Vendor: Eq from VendorDraft, no_rules {
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

impl Entry for Vendor {
    const WHAT: &'static str = "vendor";
    const KEY: &'static str = "name";
}

/// The roles by id, in the order of their ids.
pub(super) struct Roles;

impl Field for Roles {
    type Out = Vec<CustomRole>;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Vec<CustomRole>> {
        let mut roles = reader.each_named(node, |reader, id, node| role(id, node, reader))?;
        sort_by_key(&mut roles, |role| role.id);
        (roles.len() == node.members().len()).then_some(roles)
    }
    fn write(value: &Vec<CustomRole>, style: Style) -> Node {
        Node::table(value.iter().map(|role| (role.id.as_str(), written(role, style))))
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        let role = CustomRole::refer(definitions);
        json!({
            "type": "object",
            "propertyNames": { "pattern": NAME_PATTERN },
            "additionalProperties": role,
        })
    }
}

fn role(id: &str, node: &Node, reader: &mut PolicyReader) -> Option<CustomRole> {
    let name = RoleName::try_new(&shown(id));
    // The keys are read before a wrong name ends it: all errors at once.
    let draft = reader.table(node).map(|entries| CustomRoleDraft::read(entries, reader));
    let id = match name {
        Ok(id) => id,
        Err(error) => return reader.fail(error),
    };
    let draft = draft?;
    Some(CustomRole {
        id,
        title: draft.title?,
        stand_ins: draft.stand_ins?,
        holders: draft.holders?,
        reach: draft.reach?,
    })
}

fn written(role: &CustomRole, style: Style) -> Node {
    CustomRoleDraft {
        title: Some(role.title.clone()),
        stand_ins: Some(role.stand_ins.clone()),
        holders: Some(role.holders.clone()),
        reach: Some(role.reach.clone()),
    }
    .write(style)
}
