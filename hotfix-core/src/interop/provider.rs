//! Providers of Argo Rollouts: what a measurement gives, and the report of a failure that no reading shows.

use super::draft::Draft;
use super::finding::ImportFinding;
use super::reader::At;
use crate::text::shown;

/// What the measurements of a metric give.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Provided {
    /// Numbers, which bounds can be compared with.
    Numbers,
    /// Success or failure, and why no number.
    Outcome(&'static str),
    /// Nothing that is read.
    Nothing,
}

/// Reads the provider of a metric with these conditions.
pub(super) fn provider(at: &At<'_>, name: &str, conditions: &[Option<At<'_>>; 2]) -> Provided {
    const VALUES: [&str; 9] = [
        "prometheus",
        "datadog",
        "wavefront",
        "newRelic",
        "cloudWatch",
        "graphite",
        "influxdb",
        "skywalking",
        "web",
    ];
    const OTHERS: [(&str, &str); 2] = [
        ("kayenta", "a metric that Kayenta judges: import its configuration"),
        ("plugin", "a metric of a plugin"),
    ];
    let Some(provider) = at.need("provider", "`provider:` with a query") else {
        return Provided::Nothing;
    };
    if let Some(job) = provider.get("job") {
        job.ignore();
        return Provided::Outcome("a job gives no value");
    }
    for (key, what) in OTHERS {
        if let Some(found) = provider.get(key) {
            found.lost(ImportFinding::NoCounterpart { what: what.to_owned() });
            return Provided::Nothing;
        }
    }
    // An unknown key gets its own finding.
    let query = VALUES.into_iter().find_map(|key| provider.get(key));
    let texts = conditions.iter().flatten().filter_map(|at| at.node.scalar());
    if texts.map(|(text, _)| text).any(|text| text.contains(['"', '\'', '`'])) {
        query.iter().for_each(At::ignore);
        return Provided::Outcome("a condition compares with a text");
    }
    if let Some(query) = query {
        query.lost(ImportFinding::Query { metric: shown(name) });
    }
    Provided::Numbers
}

/// Adds the finding for a metric that readings cannot decide: it has none, or only one, after which
/// a bound would see missing data.
pub(super) fn report(
    at: &At<'_>,
    there: &str,
    here: &str,
    tolerated: f64,
    conditions: &[Option<At<'_>>; 2],
    draft: &mut Draft,
) {
    let times =
        if tolerated > 0.0 { format!(" more than {tolerated} times") } else { String::new() };
    let inconclusive = match conditions {
        [Some(_), Some(_)] => ", and `pause` if it is inconclusive",
        _ => "",
    };
    draft.failed_check = "roll_back";
    at.differs(
        there,
        format!(
            "{here}: measure it when it is due in the source, and send `report` with the signal `health_check_failed` if it fails{times}, which rolls back{inconclusive}"
        ),
    );
}
