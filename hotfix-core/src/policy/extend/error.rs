//! Errors of policies that extend others.

use crate::code::coded;
use crate::policy::Policy;
use crate::text::{did_you_mean, quoted};

coded! {
    /// An error in what a policy extends.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum ExtendError;

    #[error(
        "there is no policy `{got}`{}: {}the presets are {}",
        by.as_ref().map_or_else(String::new, |by| format!(", which `{by}` extends")),
        did_you_mean(*nearest),
        quoted(known, ", ")
    )]
    Unknown {
        got: String,
        /// The base that names it, where it is not the policy itself.
        by: Option<String>,
        nearest: Option<&'static str>,
        known: &'static [&'static str],
    } => "HF-POL-028",
    #[error("{} is a cycle: delete one of these `extends`{}", arrows(chain), of_preset(chain))]
    Cycle {
        /// The names, each extending the next; the last is the first again.
        chain: Vec<String>,
    } => "HF-POL-029",
    #[error("there are more than {most} bases, including the bases of bases: extend fewer")]
    Many { most: usize } => "HF-POL-031",
    #[error("the base `{base}` does not have `{key}`: it has {}", quoted(has, ", "))]
    NotThere { base: String, key: &'static str, has: Vec<&'static str> } => "HF-POL-034",
    /// A `remove` that cannot be applied.
    #[error("{detail}")]
    Removal { detail: &'static str } => "HF-POL-035",
    #[error("`extends` is not allowed here: write the resolved policy, as `to_json` gives it")]
    Unresolved {} => "HF-POL-036",
}

impl ExtendError {
    /// Nothing is inherited that could be removed.
    pub(super) const NOTHING: Self = Self::Removal {
        detail: "nothing is inherited here that `remove` could remove: delete it, or correct the name",
    };
    /// The item of a list that is not merged.
    pub(super) const WHOLE: Self = Self::Removal {
        detail: "a list whose items have neither `id` nor `name` is replaced as a whole: list the items that remain",
    };
    /// Other keys next to `remove`, which would be lost.
    pub(super) const BESIDE: Self = Self::Removal {
        detail: "`remove` removes all of this: delete the keys next to it, or delete `remove`",
    };
}

/// A policy that has the name of a preset may be meant to extend that.
fn of_preset(chain: &[String]) -> String {
    let preset = chain.first().filter(|name| Policy::presets().contains(&name.as_str()));
    preset.map_or_else(String::new, |name| {
        format!(", or rename your policy if the preset is meant: it hides the preset `{name}`")
    })
}

/// `a → b → c`.
fn arrows(chain: &[String]) -> String {
    quoted(chain, " → ")
}
