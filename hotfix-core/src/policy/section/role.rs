//! Roles with their holders, and vendors.

use crate::unit::RoleName;

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

/// A person who holds a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The name of the person.
    pub name: String,
    /// How to reach the person.
    pub reach: Option<String>,
}

/// A vendor whose service you depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendor {
    /// The name of the vendor, unique.
    pub name: String,
    /// How to reach its support.
    pub support: Option<String>,
    /// The address of its status page.
    pub status: Option<String>,
    /// The address of the dashboard of your account.
    pub dashboard: Option<String>,
}
