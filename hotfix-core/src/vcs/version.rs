//! The next version (VCS-3).

use semver::{BuildMetadata, Prerelease, Version};

use super::{VcsError, VcsFinding};
use crate::grade::Versioning;
use crate::text::shown;

/// A version, and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct NextVersion {
    /// Without `v`.
    pub version: String,
    /// That the hot-fix identifier ranks below the version that it follows.
    pub findings: Vec<VcsFinding>,
}

/// What pre-releases of ours begin with.
const IDENTIFIER: &str = "hotfix.";

/// The version of a hot-fix that follows this one.
///
/// `patch` makes 1.2.4 of 1.2.3, and of 1.2.3-hotfix.2 too, as that came after 1.2.3. `hotfix_identifier` makes
/// 1.2.3-hotfix.1 of 1.2.3, then 1.2.3-hotfix.2; semantic versioning ranks both *below* 1.2.3, which is a finding. Build
/// metadata is left out.
///
/// # Errors
/// `HF-VCS-007` for what is no semantic version; `HF-VCS-008` for another pre-release, as in 2.0.0-rc.1, and where the
/// number has no successor.
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
/// Shows VCS-3. S2 96, S5 73-74. Source: Semantic Versioning 2.0.0, clauses 9 to 11.
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

/// The number of a hot-fix identifier, 0 without one; none for another pre-release.
fn ours(version: &Version) -> Option<u64> {
    match version.pre.as_str() {
        "" => Some(0),
        pre => pre.strip_prefix(IDENTIFIER)?.parse().ok(),
    }
}

/// A hot-fix identifier stands for a version that came later, and ranks below it.
fn ranks_below(version: &Version) -> Option<VcsFinding> {
    version.pre.as_str().starts_with(IDENTIFIER).then(|| VcsFinding::RanksBelow {
        version: version.to_string(),
        release: Version::new(version.major, version.minor, version.patch).to_string(),
    })
}

/// What is to be said of a release's version: whether it ranks below the one before, and whether it is one that the
/// policy would give it. What is live stays the version before until a try holds, so a second try counts on from the first.
pub(super) fn findings(version: &str, previous: &str, by: &[Versioning]) -> Vec<VcsFinding> {
    let (Ok(new), Ok(old)) = (Version::parse(version), Version::parse(previous)) else {
        return vec![VcsFinding::NoSemver { version: shown(version), previous: shown(previous) }];
    };
    let mut findings = Vec::new();
    if let Some(below) = ranks_below(&new) {
        findings.push(below);
    } else if new.cmp_precedence(&old).is_le() {
        findings.push(VcsFinding::NotAbove { version: new.to_string(), previous: old.to_string() });
    }
    let expected: Vec<String> =
        by.iter().filter_map(|&by| Some(next_version(previous, by).ok()?.version)).collect();
    if !expected.is_empty() && !by.iter().any(|&by| is_counted_up(&new, &old, by)) {
        findings.push(VcsFinding::OtherVersion { version: new.to_string(), expected });
    }
    findings
}

/// Whether counting up from the live version gives this one: at once, or after tries that went back, each of which used up
/// a version.
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

/// The version of the next try after this one went back: of the policy's ways of numbering the first that also counts up
/// from what is live.
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
    let nexts: Vec<String> =
        by.iter().filter_map(|&by| Some(next_version(version, by).ok()?.version)).collect();
    nexts.iter().find(|next| counts_up(next)).or(nexts.first()).cloned()
}
