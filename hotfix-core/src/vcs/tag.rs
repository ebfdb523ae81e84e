//! Names of tags.

use super::VcsError;
use super::name::reference;
use crate::grade::TagForm;
use crate::unit::{RefName, Timestamp};

/// The name of a release's tag: `v1.2.4`, the version as it is, or `hotfix-20240115-1430` after the
/// time in UTC.
///
/// A version that begins with `v` and a digit gets no second `v`. Two releases within one minute
/// would get the same timestamp: git refuses the second tag.
///
/// # Errors
/// [`VcsError::Name`] if the version is not valid in a tag.
///
/// ```
/// use hotfix_core::{grade::TagForm, unit::Timestamp, vcs::tag_name};
///
/// let at: Timestamp = "2024-01-15T15:30:59+01:00".parse()?;
/// assert_eq!(tag_name(TagForm::Version, "1.2.4", at)?.as_str(), "v1.2.4");
/// assert_eq!(tag_name(TagForm::Timestamp, "1.2.4", at)?.as_str(), "hotfix-20240115-1430");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn tag_name(form: TagForm, version: &str, at: Timestamp) -> Result<RefName, VcsError> {
    let name = match form {
        // Otherwise `v` alone would be a tag.
        TagForm::Version if version.is_empty() => String::new(),
        TagForm::Version => version_tag(version),
        TagForm::Plain => version.to_owned(),
        TagForm::Timestamp => {
            // 2024-01-15T14:30:00.000Z
            let text = at.to_string();
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let (day, time) = digits.split_at_checked(8).unwrap_or((&digits, ""));
            format!("hotfix-{day}-{}", time.get(..4).unwrap_or(time))
        }
    };
    reference("/release/version", "tag", &name)
}

fn version_tag(version: &str) -> String {
    let mut letters = version.chars();
    let has_v = letters.next() == Some('v') && letters.next().is_some_and(|c| c.is_ascii_digit());
    if has_v { version.to_owned() } else { format!("v{version}") }
}

/// The tag of the live version. With tags named by time, the release gives that tag as its
/// previous version.
pub(super) fn live_tag(form: TagForm, previous: &str) -> Result<RefName, VcsError> {
    let name = match form {
        TagForm::Version => version_tag(previous),
        TagForm::Plain | TagForm::Timestamp => previous.to_owned(),
    };
    reference("/release/previous", "tag", &name)
}
