//! Names of branches and tags, and texts of one line.

use unicode_normalization::char::is_combining_mark;

use super::{VcsError, VcsFinding};
use crate::grade::TagForm;
use crate::text::{apart, joined, shown};
use crate::unit::{RefName, Timestamp, is_invisible};

/// Most characters of a branch name that come from a description.
const MOST_SLUG: usize = 50;

/// Between the branch of the first attempt and the number of another.
const TRY: &str = "-try-";

/// The branch name of a hot-fix: a prefix, then the description in lower-case letters, digits and
/// hyphens.
///
/// Letters lose their diacritics (`für` becomes `fur`); every other character is a gap. The
/// description's part has at most 50 characters and ends with a whole word if possible. A prefix
/// that the description begins with is not repeated. No other character of a description reaches a
/// shell, a reference or a file name.
///
/// # Errors
/// [`VcsError::NoName`] if no letter or digit is left; [`VcsError::Name`] if the prefix makes the
/// name invalid.
///
/// ```
/// use hotfix_core::vcs::branch_name;
///
/// assert_eq!(branch_name("hotfix/", "Security patch")?.as_str(), "hotfix/security-patch");
/// assert_eq!(branch_name("hotfix/", "--force $(rm -rf ~) `x`.lock")?.as_str(), "hotfix/force-rm-rf-x-lock");
/// assert!(branch_name("hotfix/", "…!?").is_err());
/// # Ok::<(), hotfix_core::vcs::VcsError>(())
/// ```
pub fn branch_name(prefix: &str, description: &str) -> Result<RefName, VcsError> {
    let rest = description.strip_prefix(prefix).and_then(slug);
    let Some(slug) = rest.or_else(|| slug(description)) else {
        return Err(VcsError::NoName { got: shown(description) });
    };
    reference("/policy/vcs/prefix", "branch", &format!("{prefix}{slug}"))
}

/// The finding of a branch that lacks the prefix that the policy states: a release named it.
pub(super) fn other_prefix(branch: Option<&RefName>, prefix: Option<&str>) -> Option<VcsFinding> {
    let (branch, prefix) = (branch?.as_str(), prefix?);
    let (branch, prefix) = (branch.to_owned(), prefix.to_owned());
    (!branch.starts_with(&prefix)).then_some(VcsFinding::OtherPrefix { branch, prefix })
}

/// A text as the name of a reference; `field` is its place, and `what` it names.
pub(super) fn reference(
    field: &'static str,
    what: &'static str,
    name: &str,
) -> Result<RefName, VcsError> {
    RefName::try_new(name).map_err(|fault| VcsError::Name { field, what, got: shown(name), fault })
}

/// Lower-case letters and digits with single hyphens between them. None if nothing is left.
pub(super) fn slug(description: &str) -> Option<String> {
    let mut slug = String::new();
    for c in apart(description).chars() {
        // Neither a gap nor a letter: `re\u{ad}start` is one word.
        if is_invisible(c) && !c.is_whitespace() && !c.is_control() {
            continue;
        }
        match letters(c) {
            _ if c.is_ascii_alphanumeric() => slug.push(c.to_ascii_lowercase()),
            // An apostrophe joins: `don't` becomes `dont`.
            "" if matches!(c, '\'' | '’') || is_combining_mark(c) => {}
            "" => {
                if !slug.is_empty() && !slug.ends_with('-') {
                    slug.push('-');
                }
            }
            letters => slug.push_str(letters),
        }
        if slug.len() > MOST_SLUG {
            break;
        }
    }
    if slug.len() > MOST_SLUG {
        slug.truncate(MOST_SLUG);
        // The last word is incomplete: it is removed, unless little would be left.
        if let Some(end) = slug.rfind('-').filter(|&end| end > MOST_SLUG / 2) {
            slug.truncate(end);
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    (!slug.is_empty()).then_some(slug)
}

/// The letters for one that has no diacritic to lose; nothing for a gap.
const fn letters(c: char) -> &'static str {
    match c {
        'Æ' | 'æ' => "ae",
        'Ð' | 'ð' | 'Đ' | 'đ' => "d",
        'ı' => "i",
        'Ł' | 'ł' => "l",
        'Ø' | 'ø' => "o",
        'Œ' | 'œ' => "oe",
        'ß' | 'ẞ' => "ss",
        'Þ' | 'þ' => "th",
        _ => "",
    }
}

/// The branch of the next attempt: `x-try-2` after `x`, then `x-try-3`.
pub(super) fn next_try(name: &str) -> String {
    let tried = name.strip_prefix(stem(name)).and_then(|number| number.strip_prefix(TRY));
    let next = tried.map_or(Some(2), |number| number.parse::<u32>().ok()?.checked_add(1));
    format!("{}{TRY}{}", stem(name), next.unwrap_or(2))
}

/// The branch of the first attempt: `x` of `x-try-2`.
pub(super) fn stem(name: &str) -> &str {
    let counted = |number: &str| number.parse::<u32>().is_ok_and(|number| number < u32::MAX);
    name.rsplit_once(TRY).filter(|(_, number)| counted(number)).map_or(name, |(stem, _)| stem)
}

/// A text on one line: every run of white space becomes one space, and invisible characters are removed.
pub(super) fn on_one_line(text: &str) -> String {
    let seen = text.chars().map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { c });
    let text: String = seen.filter(|c| !is_invisible(*c)).collect();
    joined(text.split_whitespace(), " ")
}

/// A text [on one line](on_one_line) of at most `most` characters, without a leading hyphen, which a
/// command could read as an option. Empty if nothing is left.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let line = on_one_line(text);
    let line = line.trim_start_matches(['-', ' ']);
    if line.chars().nth(most).is_none() {
        return line.to_owned();
    }
    let kept: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A message of several lines: each line as by [`one_line`], but with its length and its leading
/// spaces and hyphens. Empty lines at both ends are removed. A line of which nothing visible is
/// left becomes a dot, as in a folded trailer, because it would end the paragraph.
pub(super) fn message(text: &str) -> String {
    let line = |line: &str| {
        let seen = line.chars().map(|c| if c == '\t' { ' ' } else { c });
        let seen: String = seen.filter(|&c| !is_invisible(c)).collect();
        let seen = seen.trim_end();
        if seen.is_empty() && !line.is_empty() { " .".to_owned() } else { seen.to_owned() }
    };
    let lines: Vec<String> = text.lines().map(line).collect();
    lines.join("\n").trim_start_matches(['\n', ' ', '-']).trim_end().to_owned()
}

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
