//! Roles with those who hold them, and vendors (TIME-4).

use std::collections::BTreeSet;

use schemars::{Schema, SchemaGenerator, json_schema};

use super::entries::Entry;
use super::phase::no_rules;
use crate::policy::error::{Problem, shown};
use crate::policy::field::{List, NAME_PATTERN};
use crate::policy::node::Node;
use crate::policy::reader::{Draft as _, Field, Reader, Style, section};
use crate::policy::section::{Holder, HouseRole, Vendor};
use crate::unit::RoleName;

section! {
    draft
    /// A role of the house: who holds it, how it is reached and who stands in (TIME-4).
    HouseRole as HouseRoleDraft {
        /// What people call it.
        title: String, [required];
        /// The roles that stand in for it, the first choice first.
        stand_ins: List<RoleName>, [default Node::List(Vec::new())];
        /// The people who hold it.
        holders: List<Holder>, [default Node::List(Vec::new())];
        /// How the role itself is reached, whoever holds it: a pager, a channel.
        reach: String, [optional];
    }
}

section! {
    plain
    /// Somebody who holds a role (TIME-4).
    Holder from HolderDraft, no_rules {
        /// The person's name.
        name: String, [required];
        /// How they are reached.
        reach: String, [optional];
    }
}

section! {
    plain
    /// A company whose service the house depends on (TIME-4).
    Vendor from VendorDraft, no_rules {
        /// What people call it, unique.
        name: String, [required];
        /// How its support is reached.
        support: String, [optional];
        /// Where it says how its service is.
        status: String, [optional];
        /// Where the house's account with it is looked after.
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
    type Out = Vec<HouseRole>;

    fn read(node: &Node, reader: &mut Reader) -> Option<Vec<HouseRole>> {
        let entries = reader.table(node)?;
        let mut roles: Vec<HouseRole> = Vec::new();
        let mut complete = true;
        let mut met = BTreeSet::new();
        for (id, node) in entries {
            let read = reader.within(id, |reader| {
                if !met.insert(id) {
                    return reader.fail(Problem::DuplicateKey { key: shown(id) });
                }
                role(id, node, reader)
            });
            complete &= read.is_some();
            roles.extend(read);
        }
        roles.sort_by_key(|role| role.id);
        complete.then_some(roles)
    }
    fn write(value: &Vec<HouseRole>, style: Style) -> Node {
        let entry = |role: &HouseRole| (role.id.as_str().to_owned(), written(role, style));
        Node::Table(value.iter().map(entry).collect())
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let role = generator.subschema_for::<HouseRole>();
        json_schema!({
            "type": "object",
            "propertyNames": { "pattern": NAME_PATTERN },
            "additionalProperties": role,
        })
    }
    fn example() -> &'static str {
        "{ … }"
    }
}

fn role(id: &str, node: &Node, reader: &mut Reader) -> Option<HouseRole> {
    let name = RoleName::try_new(&shown(id));
    // Its keys are read before a wrong name ends it: all errors at once.
    let draft = reader.table(node).map(|entries| HouseRoleDraft::read(entries, reader));
    let id = match name {
        Ok(id) => id,
        Err(error) => return reader.fail(error),
    };
    let draft = draft?;
    Some(HouseRole {
        id,
        title: draft.title?,
        stand_ins: draft.stand_ins?,
        holders: draft.holders?,
        reach: draft.reach?,
    })
}

fn written(role: &HouseRole, style: Style) -> Node {
    HouseRoleDraft {
        title: Some(role.title.clone()),
        stand_ins: Some(role.stand_ins.clone()),
        holders: Some(role.holders.clone()),
        reach: Some(role.reach.clone()),
    }
    .write(style)
}
