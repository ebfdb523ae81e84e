//! Who holds which role, and whom a house calls outside (TIME-4).

use crate::unit::RoleName;

/// A role of the house: who holds it, how it is reached and who stands in.
///
/// Approvals, duties and procedures name roles; that a role is named which stands nowhere is no error, so that a policy
/// can be shared without the people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseRole {
    /// Its name in approvals and duties: `engineering_manager`.
    pub id: RoleName,
    /// What people call it.
    pub title: String,
    /// The roles that stand in for it, the first choice first.
    pub stand_ins: Vec<RoleName>,
    /// The people who hold it.
    pub holders: Vec<Holder>,
    /// How the role itself is reached, whoever holds it: a pager, a channel.
    pub reach: Option<String>,
}

/// Somebody who holds a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The person's name.
    pub name: String,
    /// How they are reached.
    pub reach: Option<String>,
}

/// A company whose service the house depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendor {
    /// What people call it, unique.
    pub name: String,
    /// How its support is reached.
    pub support: Option<String>,
    /// Where it says how its service is.
    pub status: Option<String>,
    /// Where the house's account with it is looked after.
    pub dashboard: Option<String>,
}
