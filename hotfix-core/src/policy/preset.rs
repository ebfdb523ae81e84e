//! The policies that come with the library.

use super::Policy;
use super::error::{PolicyErrors, Problem, nearest, shown};

/// The names; the recommended preset is the last.
const NAMES: &[&str] = &[
    "phased-canary",
    "enterprise",
    "fast-track",
    "severity-matrix",
    "emergency-command",
    "standard",
];

const TEXTS: &[&str] = &[
    include_str!("../../policies/phased-canary.toml"),
    include_str!("../../policies/enterprise.toml"),
    include_str!("../../policies/fast-track.toml"),
    include_str!("../../policies/severity-matrix.toml"),
    include_str!("../../policies/emergency-command.toml"),
    include_str!("../../policies/standard.toml"),
];

/// The text of a preset.
pub(super) fn text(name: &str) -> Option<&'static str> {
    NAMES.iter().zip(TEXTS).find(|(known, _)| **known == name).map(|(_, text)| *text)
}

impl Policy {
    /// The names of the presets of this release.
    pub const fn presets() -> &'static [&'static str] {
        NAMES
    }

    /// A preset by name.
    ///
    /// ```
    /// use hotfix_core::policy::Policy;
    /// let policy = Policy::preset("phased-canary")?;
    /// assert_eq!(policy.phases().len(), 3);
    /// # Ok::<(), hotfix_core::policy::PolicyErrors>(())
    /// ```
    ///
    /// # Errors
    /// [`Problem::UnknownPreset`] if no preset has this name, with the nearest name.
    pub fn preset(name: &str) -> Result<Self, PolicyErrors> {
        if let Some(text) = text(name) {
            return Self::from_toml(text);
        }
        let (got, nearest) = (shown(name), nearest(name, NAMES.iter().copied()));
        Err(PolicyErrors::of("", Problem::UnknownPreset { got, nearest, known: NAMES }))
    }
}
