//! The next version.

use semver::{BuildMetadata, Prerelease, Version};

use super::{VcsError, VcsFinding};
use crate::grade::Versioning;
use crate::text::shown;

/// A version with its findings.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct NextVersion {
    /// Without `v`.
    pub version: String,
    /// The finding that a hot-fix identifier ranks below the version that it follows.
    pub findings: Vec<VcsFinding>,
}

/// The beginning of a hot-fix identifier.
const IDENTIFIER: &str = "hotfix.";

/// The version of a hot-fix that follows this one.
///
/// `patch` gives 1.2.4 after 1.2.3, and also after 1.2.3-hotfix.2, which was released after 1.2.3.
/// `hotfix_identifier` gives 1.2.3-hotfix.1 after 1.2.3, then 1.2.3-hotfix.2; semantic versioning
/// ranks both *below* 1.2.3, which is a finding. Build metadata is left out.
///
/// # Errors
/// [`VcsError::Version`] if the text is not a semantic version; [`VcsError::NoNext`] for another
/// pre-release, as in 2.0.0-rc.1, and if the number has no successor.
///
/// ```
/// use hotfix_core::{grade::Versioning, vcs::next_version};
///
/// assert_eq!(next_version("1.2.3", Versioning::Patch)?.version, "1.2.4");
/// let next = next_version("1.2.3", Versioning::HotfixIdentifier)?;
/// assert_eq!((next.version.as_str(), next.findings[0].code()), ("1.2.3-hotfix.1", "HF-VCS-012"));
/// # Ok::<(), hotfix_core::vcs::VcsError>(())
/// ```
///
/// Source: Semantic Versioning 2.0.0, clauses 9 to 11.
pub fn next_version(version: &str, by: Versioning) -> Result<NextVersion, VcsError> {
    let Ok(mut next) = Version::parse(version) else {
        return Err(VcsError::Version { got: shown(version) });
    };
    let no_next = |why| VcsError::NoNext { got: shown(version), why };
    let full = || no_next("its number has no successor");
    next.build = BuildMetadata::EMPTY;
    let ours = ours(&next).ok_or_else(|| no_next("it is a pre-release"))?;
    match by {
        Versioning::Patch => {
            next.patch = next.patch.checked_add(1).ok_or_else(full)?;
            next.pre = Prerelease::EMPTY;
        }
        Versioning::HotfixIdentifier => {
            let number = ours.checked_add(1).ok_or_else(full)?;
            next.pre = Prerelease::new(&format!("{IDENTIFIER}{number}")).map_err(|_| full())?;
        }
    }
    let findings = ranks_below(&next).into_iter().collect();
    Ok(NextVersion { version: next.to_string(), findings })
}

/// The number of a hot-fix identifier, 0 without one. None for another pre-release.
fn ours(version: &Version) -> Option<u64> {
    match version.pre.as_str() {
        "" => Some(0),
        pre => pre.strip_prefix(IDENTIFIER)?.parse().ok(),
    }
}

/// The finding that a version with a hot-fix identifier ranks below the version that it follows.
fn ranks_below(version: &Version) -> Option<VcsFinding> {
    version.pre.as_str().starts_with(IDENTIFIER).then(|| VcsFinding::RanksBelow {
        version: version.to_string(),
        release: Version::new(version.major, version.minor, version.patch).to_string(),
    })
}

fn nexts(version: &str, by: &[Versioning]) -> Vec<String> {
    by.iter().filter_map(|&by| Some(next_version(version, by).ok()?.version)).collect()
}

/// The findings of a release's version: whether it ranks below the previous version, and whether
/// the policy's numbering gives it. The previous version stays live until an attempt succeeds, so a
/// second attempt counts from the first.
pub(super) fn findings(version: &str, previous: &str, by: &[Versioning]) -> Vec<VcsFinding> {
    let (Ok(new), Ok(old)) = (Version::parse(version), Version::parse(previous)) else {
        let (version, previous) = (shown(version), shown(previous));
        let finding = match (numbers(&version), numbers(&previous)) {
            (Some(new), Some(old)) if new > old => None,
            (Some(_), Some(_)) => Some(VcsFinding::NotAbove { version, previous }),
            _ => Some(VcsFinding::NoSemver { version, previous }),
        };
        return finding.into_iter().collect();
    };
    let mut findings = Vec::new();
    if let Some(below) = ranks_below(&new) {
        findings.push(below);
    } else if new.cmp_precedence(&old).is_le() {
        findings.push(VcsFinding::NotAbove { version: new.to_string(), previous: old.to_string() });
    }
    let expected = nexts(previous, by);
    if !expected.is_empty() && !by.iter().any(|&by| is_counted_up(&new, &old, by)) {
        findings.push(VcsFinding::OtherVersion { version: new.to_string(), expected });
    }
    findings
}

/// The numbers of a calendar version or a build number, which have an order: 2024.01.2, 4711.
fn numbers(version: &str) -> Option<Vec<u64>> {
    version.split('.').map(|number| number.parse().ok()).collect()
}

/// Whether counting up from the live version gives this one: immediately, or after attempts that
/// were rolled back, each of which used a version.
fn is_counted_up(new: &Version, live: &Version, by: Versioning) -> bool {
    let line = |version: &Version| (version.major, version.minor);
    match by {
        Versioning::Patch => {
            line(new) == line(live) && new.pre.is_empty() && new.patch > live.patch
        }
        Versioning::HotfixIdentifier => {
            let number = |version| ours(version).filter(|&number| number > 0);
            (line(new), new.patch) == (line(live), live.patch) && number(new) > ours(live)
        }
    }
}

/// The version of the next attempt after this one was rolled back: by the first of the policy's
/// numbering schemes that also counts up from the live version.
pub(super) fn version_of_next_try(
    version: &str,
    previous: &str,
    by: &[Versioning],
) -> Option<String> {
    let live = Version::parse(previous).ok();
    let counts_up = |next: &String| {
        let next = Version::parse(next).ok();
        let both = next.as_ref().zip(live.as_ref());
        both.is_some_and(|(next, live)| by.iter().any(|&by| is_counted_up(next, live, by)))
    };
    let nexts = nexts(version, by);
    nexts.iter().find(|next| counts_up(next)).or(nexts.first()).cloned()
}
