//! The author's statements about a change.

use serde::{Deserialize, Serialize};

use crate::grade::closed_set;

/// Contents of a change that its figures do not show. An absent value is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// How many faults it fixes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixes: Option<u32>,
    /// It adds a feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<bool>,
    /// How far it tidies the code around the fix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tidying: Option<Tidying>,
    /// It updates dependencies. Without it, it does where it touches a file that names them; say no
    /// where that is for something else, such as the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updates_dependencies: Option<bool>,
    /// The dependencies that it updates are the fix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
