//! The errors of a policy: all of them at once, each with a code, a place and a remedy.

pub use super::problem::Problem;
use crate::document::{DocumentError, DocumentErrors};
pub(super) use crate::text::{nearest, shown};

/// All errors of a policy, in the order of the format; never empty.
///
/// ```
/// use hotfix_core::policy::Policy;
/// let errors = Policy::from_toml("format = 1\nnaem = \"payments\"").unwrap_err();
/// let naem = errors.iter().find(|e| e.path() == "/naem").unwrap();
/// assert_eq!((naem.code(), naem.line(), naem.column()), ("HF-POL-006", Some(2), Some(1)));
/// assert!(naem.sentence().contains("did you mean `name`"));
/// ```
pub type PolicyErrors = DocumentErrors<Problem>;

/// One error in a policy.
pub type PolicyError = DocumentError<Problem>;
