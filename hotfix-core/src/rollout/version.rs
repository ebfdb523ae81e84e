//! Lines that a newer release wrote: which of them this release cannot read, and which release can.

use semver::Version;
use serde_json::Value;

use crate::canonical::ReadError;

use super::event::{Event, EventKind, LOG_FORMAT};
use super::log::LogFault;

/// This release.
const HERE: &str = env!("CARGO_PKG_VERSION");

/// The event of a line, unless a newer release is needed to read it.
pub(super) fn checked(
    read: Result<Box<Event<'static>>, ReadError>,
    line: &str,
) -> Result<Box<Event<'static>>, LogFault> {
    let event = read.map_err(|error| unread(line, &error.to_string()))?;
    if let Some(format) = event.format.filter(|format| *format != LOG_FORMAT) {
        let fault =
            format!("log format {format} is unknown: this release reads format {LOG_FORMAT}");
        return Err(unread(line, &fault));
    }
    match event.needs.as_deref().filter(|needs| is_newer(needs)) {
        Some(needs) => Err(newer(event.kind.as_str(), "", Some(needs))),
        None => Ok(event),
    }
}

/// Why an event cannot be read: it is not valid, or newer.
fn unread(line: &str, fault: &str) -> LogFault {
    let line: Value = serde_json::from_str(line).unwrap_or_default();
    let text = |member: &str| line.get(member).and_then(Value::as_str);
    let needs = text("needs").filter(|needs| is_newer(needs));
    match (text("kind"), needs) {
        (Some(kind), needs) if EventKind::find(kind).is_none() => newer(kind, "", needs),
        (Some(kind), Some(_)) => newer(kind, &format!(" ({fault})"), needs),
        (None, _) | (_, None) => LogFault::Event { fault: fault.to_owned() },
    }
}

fn newer(kind: &str, detail: &str, needs: Option<&str>) -> LogFault {
    let needs = match needs {
        Some(needs) => format!("release {needs}"),
        None => format!("a release newer than {HERE}"),
    };
    LogFault::Newer { what: format!("its event `{kind}`{detail}"), needs, here: HERE }
}

/// Whether a release comes after this one. A text that is not a version counts as not older.
fn is_newer(release: &str) -> bool {
    match (Version::parse(release), Version::parse(HERE)) {
        (Ok(release), Ok(here)) => release > here,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roll_7_releases_are_compared_by_their_numbers() {
        let Version { major, minor, patch, .. } = Version::parse(HERE).unwrap();
        assert!(!is_newer(HERE) && !is_newer("0.0.9"));
        assert!(is_newer(&format!("{major}.{minor}.{}", patch + 1)));
        assert!(is_newer(&format!("{major}.{}.0", minor + 10)));
        assert!(is_newer(&format!("{}.0.0", major + 1)));
        for strange in ["", "2", "0.1", "0.1.x", "0.1.0.0", "-1.0.0"] {
            assert!(is_newer(strange), "{strange}");
        }
    }
}
