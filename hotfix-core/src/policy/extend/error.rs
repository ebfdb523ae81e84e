//! Errors of policies that extend others.

use crate::text::{did_you_mean, quoted};

/// An error in what a policy extends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtendError {
    /// A name that neither the caller nor the presets know.
    #[error(
        "there is no policy `{got}`{}: {}the presets are {}",
        by.as_ref().map_or_else(String::new, |by| format!(", which `{by}` extends")),
        did_you_mean(*nearest),
        quoted(known, ", ")
    )]
    Unknown {
        /// The name.
        got: String,
        /// The base that names it, where it is not the policy itself.
        by: Option<String>,
        /// The nearest preset, where one is near.
        nearest: Option<&'static str>,
        /// The presets.
        known: &'static [&'static str],
    },
    /// A base that extends itself, directly or through others.
    #[error("{} is a cycle: delete one of these `extends`", arrows(chain))]
    Cycle {
        /// The names, each extending the next; the last is the first again.
        chain: Vec<String>,
    },
    /// A chain of bases that is too long.
    #[error(
        "{} is a chain of more than {most} bases: extend one of the last directly",
        arrows(chain)
    )]
    Deep {
        /// The names, each extending the next.
        chain: Vec<String>,
        /// How long a chain may be.
        most: usize,
    },
    /// Too many bases.
    #[error("there are more than {most} bases, including the bases of bases: extend fewer")]
    Many {
        /// How many there may be.
        most: usize,
    },
    /// The bases are too long together.
    #[error("the bases have more than {most} bytes together: extend fewer, or shorten them")]
    Large {
        /// How many there may be.
        most: usize,
    },
    /// A base with an error.
    #[error("the base `{base}` has {fault}")]
    InBase {
        /// Its name.
        base: String,
        /// The fault with its code and its place in the base.
        fault: String,
    },
    /// A key in `take` that the base does not have.
    #[error("the base `{base}` does not have `{key}`: it has {}", quoted(has, ", "))]
    NotThere {
        /// The base.
        base: String,
        /// The key.
        key: &'static str,
        /// The keys that it has.
        has: Vec<&'static str>,
    },
    /// A `remove = true` that cannot be applied.
    #[error("{detail}")]
    Removal {
        /// The reason, and what to do.
        detail: &'static str,
    },
    /// `extends` where a resolved policy is needed, as in a log.
    #[error("`extends` is not allowed here: write the resolved policy, as `to_json` gives it")]
    Unresolved {},
}

impl ExtendError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "HF-POL-028",
            Self::Cycle { .. } => "HF-POL-029",
            Self::Deep { .. } => "HF-POL-030",
            Self::Many { .. } => "HF-POL-031",
            Self::Large { .. } => "HF-POL-032",
            Self::InBase { .. } => "HF-POL-033",
            Self::NotThere { .. } => "HF-POL-034",
            Self::Removal { .. } => "HF-POL-035",
            Self::Unresolved {} => "HF-POL-036",
        }
    }

    /// Nothing is inherited that could be removed.
    pub(super) const NOTHING: Self = Self::Removal {
        detail: "nothing is inherited here that `remove = true` could remove: delete the line, or correct the name",
    };
    /// Other keys next to `remove`, which would be lost.
    pub(super) const BESIDE: Self = Self::Removal {
        detail: "`remove = true` removes all of this: delete the keys next to it, or delete `remove`",
    };
}

/// `a → b → c`.
fn arrows(chain: &[String]) -> String {
    quoted(chain, " → ")
}
