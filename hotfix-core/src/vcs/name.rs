//! Names of branches, and texts of one line (VCS-2).

use super::VcsError;
use crate::text::shown;
use crate::unit::{RefName, is_invisible};

/// The most characters of a branch's name that come from a description.
const MOST_SLUG: usize = 50;

/// The name of a hot-fix's branch: a prefix and what the description says, in small letters, digits and hyphens.
///
/// Letters with marks lose them (`für` becomes `fur`); every other character is a gap. The description's part has at most
/// 50 characters and ends with a whole word where it can. So nothing of a description reaches a shell, a reference or a
/// file name but these.
///
/// # Errors
/// `HF-VCS-005` where no letter or digit is left; `HF-VCS-004` where the prefix makes it no name of a branch.
///
/// ```
/// use hotfix_core::vcs::branch_name;
///
/// assert_eq!(branch_name("hotfix/", "Security patch")?.as_str(), "hotfix/security-patch");
/// assert_eq!(branch_name("hotfix/", "--force $(rm -rf ~) `x`.lock")?.as_str(), "hotfix/force-rm-rf-x-lock");
/// assert!(branch_name("hotfix/", "…!?").is_err());
/// # Ok::<(), hotfix_core::vcs::VcsError>(())
/// ```
///
/// Shows VCS-2. S2 90, S3 59, S4 120, S5 35.
pub fn branch_name(prefix: &str, description: &str) -> Result<RefName, VcsError> {
    let Some(slug) = slug(description) else {
        return Err(VcsError::NoName { got: shown(description) });
    };
    let name = format!("{prefix}{slug}");
    RefName::try_new(name.as_str()).map_err(|fault| VcsError::Name {
        field: "/policy/vcs/prefix",
        what: "branch",
        got: shown(&name),
        fault,
    })
}

/// Small letters, digits and single hyphens between them; none where nothing is left.
pub(super) fn slug(description: &str) -> Option<String> {
    let mut slug = String::new();
    for c in description.chars() {
        // Neither a gap nor a letter: `re\u{ad}start` is one word.
        if is_invisible(c) && !c.is_whitespace() && !c.is_control() {
            continue;
        }
        match plain(c) {
            // An apostrophe joins: `don't` becomes `dont`.
            "" if matches!(c, '\'' | '’') || is_mark(c) => {}
            "" => {
                if !slug.is_empty() && !slug.ends_with('-') {
                    slug.push('-');
                }
            }
            "=" => slug.push(c.to_ascii_lowercase()),
            letters => slug.push_str(letters),
        }
        if slug.len() > MOST_SLUG {
            break;
        }
    }
    if slug.len() > MOST_SLUG {
        slug.truncate(MOST_SLUG);
        // The last word is cut through: it goes, unless little would be left.
        if let Some(end) = slug.rfind('-').filter(|&end| end > MOST_SLUG / 2) {
            slug.truncate(end);
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    (!slug.is_empty()).then_some(slug)
}

/// Marks that stand over or under the letter before.
const fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// The letters for a character; `=` for itself, nothing for a gap.
const fn plain(c: char) -> &'static str {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => "=",
        'À'..='Å' | 'à'..='å' | 'Ā' | 'ā' | 'Ă' | 'ă' | 'Ą' | 'ą' => "a",
        'Æ' | 'æ' => "ae",
        'Ç' | 'ç' | 'Ć' | 'ć' | 'Č' | 'č' => "c",
        'Ð' | 'ð' | 'Ď' | 'ď' | 'Đ' | 'đ' => "d",
        'È'..='Ë' | 'è'..='ë' | 'Ē' | 'ē' | 'Ę' | 'ę' | 'Ě' | 'ě' => "e",
        'Ğ' | 'ğ' => "g",
        'Ì'..='Ï' | 'ì'..='ï' | 'Ī' | 'ī' | 'İ' | 'ı' => "i",
        'Ł' | 'ł' => "l",
        'Ñ' | 'ñ' | 'Ń' | 'ń' | 'Ň' | 'ň' => "n",
        'Ò'..='Ö' | 'Ø' | 'ò'..='ö' | 'ø' | 'Ō' | 'ō' | 'Ő' | 'ő' => "o",
        'Œ' | 'œ' => "oe",
        'Ř' | 'ř' => "r",
        'Ś' | 'ś' | 'Ş' | 'ş' | 'Š' | 'š' => "s",
        'ß' | 'ẞ' => "ss",
        'Ť' | 'ť' => "t",
        'Þ' | 'þ' => "th",
        'Ù'..='Ü' | 'ù'..='ü' | 'Ū' | 'ū' | 'Ů' | 'ů' | 'Ű' | 'ű' => "u",
        'Ý' | 'ý' | 'ÿ' | 'Ÿ' => "y",
        'Ź' | 'ź' | 'Ż' | 'ż' | 'Ž' | 'ž' => "z",
        _ => "",
    }
}

/// A text as one line of at most `most` characters: no control or invisible character, single spaces, and no hyphen at the
/// start that a command could take for an option. Empty where nothing is left.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let mut line = String::new();
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
            continue;
        }
        let option = line.is_empty() && c == '-';
        if !option && !is_invisible(c) {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    if let Some((end, _)) = line.char_indices().nth(most) {
        let cut = line.char_indices().nth(most.saturating_sub(1)).map_or(end, |(at, _)| at);
        line.truncate(cut);
        line.truncate(line.trim_end().len());
        line.push('…');
    }
    line
}

/// A message of several lines: as [`one_line`] line by line, but for its length and the spaces and hyphens that lines begin
/// with; no empty lines at either end. A line of which nothing is left is a dot, as in a folded trailer: an empty one would
/// end the paragraph.
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
