//! The policies that come with the library.

use super::Policy;
use super::error::{PolicyErrors, Problem, nearest, shown};
use crate::packed::{Packed, packed};

macro_rules! presets {
    ($($name:literal),+) => {
        const NAMES: &[&str] = &[$($name),+];
        const TEXTS: &[Packed] = &[$(packed!(concat!($name, ".toml"))),+];
    };
}

// The recommended preset is the last.
presets!(
    "phased-canary",
    "enterprise",
    "fast-track",
    "severity-matrix",
    "emergency-command",
    "standard"
);

pub(super) fn text(name: &str) -> Option<String> {
    NAMES.iter().zip(TEXTS).find(|(known, _)| **known == name).map(|(_, text)| text.text())
}

impl Policy {
    /// The names of the presets of this release.
    pub const fn presets() -> &'static [&'static str] {
        NAMES
    }

    /// A preset by name, as in the example of [`Policy`].
    ///
    /// # Errors
    /// [`Problem::UnknownPreset`] if no preset has this name, with the nearest name.
    pub fn preset(name: &str) -> Result<Self, PolicyErrors> {
        if let Some(text) = text(name) {
            return Self::from_toml(&text);
        }
        let (got, nearest) = (shown(name), nearest(name, NAMES.iter().copied()));
        Err(PolicyErrors::of("", Problem::UnknownPreset { got, nearest, known: NAMES }))
    }
}
