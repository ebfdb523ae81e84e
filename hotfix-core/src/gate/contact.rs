//! Whom to contact for a role: its holders, their stand-ins, and how they are reached.

use serde::Serialize;

use crate::policy::Policy;
use crate::policy::section::CustomRole;
use crate::text::quoted;
use crate::unit::RoleName;

/// Whom to contact for a role, as the policy knows it.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Who<'p> {
    /// The role that the policy names.
    pub role: RoleName,
    /// What people call it.
    pub title: Option<&'p str>,
    /// The stand-in, where nobody holds the role. Holders and reach are then the stand-in's.
    pub stand_in: Option<RoleName>,
    /// The people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<Holder<'p>>,
    /// How the role itself is reached.
    pub reach: Option<&'p str>,
    /// The stand-ins, the first choice first.
    #[serde(skip_serializing_if = "<[RoleName]>::is_empty")]
    pub stand_ins: &'p [RoleName],
}

/// Somebody who holds a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Holder<'p> {
    /// The person's name.
    pub name: &'p str,
    /// How they are reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<&'p str>,
}

/// How many stand-ins are asked for one role: nobody calls through more of them.
const MOST_ASKED: usize = 64;

impl<'p> Who<'p> {
    /// Whom to contact for a role: its holders, or those of the first stand-in that somebody holds,
    /// or of a stand-in's stand-in, at most 64 of them. A role with a contact of its own, such as a pager, counts as
    /// held.
    pub fn of(policy: &'p Policy, role: RoleName) -> Self {
        let named = policy.role(role);
        let held = |role: &&CustomRole| !role.holders.is_empty() || role.reach.is_some();
        let stand_in = named.filter(|named| !held(named)).and_then(|named| {
            // Each role is visited once, also where roles replace each other.
            let mut seen = vec![named.id];
            let mut next = 0;
            while let Some(role) = seen.get(next).and_then(|role| policy.role(*role)) {
                next += 1;
                if held(&role) {
                    return Some(role);
                }
                if seen.len() > MOST_ASKED {
                    break;
                }
                let new = role.stand_ins.iter().filter(|id| policy.role(**id).is_some());
                let new: Vec<RoleName> = new.filter(|id| !seen.contains(id)).copied().collect();
                seen.extend(new);
            }
            None
        });
        let reached = stand_in.or(named);
        let holders = reached.map_or(&[][..], |role| &role.holders);
        Self {
            role,
            title: named.map(|role| role.title.as_str()),
            stand_in: stand_in.map(|role| role.id),
            holders: holders
                .iter()
                .map(|holder| Holder { name: &holder.name, reach: holder.reach.as_deref() })
                .collect(),
            reach: reached.and_then(|role| role.reach.as_deref()),
            stand_ins: named.map_or(&[], |role| &role.stand_ins),
        }
    }

    /// Whether anybody can be contacted.
    pub fn is_reached(&self) -> bool {
        !self.holders.is_empty() || self.reach.is_some()
    }

    /// Whom to contact instead, where nobody holds the role; None where somebody does.
    pub(crate) fn note(&self) -> Option<String> {
        let role = self.role;
        if let Some(stand_in) = self.stand_in {
            return Some(format!("nobody holds `{role}`: contact `{stand_in}`"));
        }
        let others = match self.stand_ins {
            [] => ", and it has no stand-in".to_owned(),
            stand_ins => format!(" or its stand-in {}", quoted(stand_ins, " or ")),
        };
        (!self.is_reached()).then(|| format!("nobody holds `{role}`{others}: name somebody"))
    }
}
