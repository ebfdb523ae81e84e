//! Source control: impossible orders of the steps.

use super::fault::PeopleFault;
use super::finding::{Finding, put};
use crate::policy::Policy;
use crate::unit::Timestamp;
use crate::vcs::{Fix, SourceControl, VcsError};

pub(super) fn find(policy: &Policy, findings: &mut Vec<Finding>) {
    let Some(vcs) = policy.vcs() else { return };
    // Any fix is good enough: the order depends only on the policy.
    let fix = Fix { description: Some("fix"), ..Fix::new("1.0.1", "1.0.0", Timestamp::default()) };
    let mut look = |path: String, fix: Fix<'_>| {
        if let Err(VcsError::Order(fault)) = SourceControl::try_new(vcs, &fix) {
            put(findings, path, PeopleFault::VcsOrder { fault });
        }
    };
    look("/vcs/order".to_owned(), fix);
    for (index, way) in vcs.ways.iter().enumerate() {
        look(format!("/vcs/ways/{index}/order"), Fix { way: Some(way.id.as_str()), ..fix });
    }
}
