//! The author's statements about a change.

use serde::{Deserialize, Serialize};

use crate::grade::closed_set;

/// Contents of a change that its figures do not show. An absent value is unknown.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// How many faults it fixes.
    pub fixes: Option<u32>,
    /// It adds a feature.
    pub features: Option<bool>,
    /// How far it tidies the code around the fix.
    pub tidying: Option<Tidying>,
    /// It updates dependencies. Where this is unknown, it does if it touches a file that names them: state
    /// no if that was for something else, such as the version.
    pub updates_dependencies: Option<bool>,
    /// The dependencies that it updates are the fix.
    pub dependencies_are_the_fix: Option<bool>,
}

closed_set! {
    /// How far a change tidies the code around the fix.
    Tidying {
        /// Not at all.
        None = "none",
        /// As far as the fix needs it.
        Needed = "needed",
        /// A little, without need.
        Small = "small",
        /// Much, without need.
        Large = "large",
    }
}
