//! Reads any bytes as recordings: they are refused with a place, or read, and then a policy is run
//! on them.
//!
//! The first line is the format, the second the mapping, the rest the recording.

use std::sync::{Arc, LazyLock};

use hotfix_core::policy::Policy;
use hotfix_core::simulate::backtest::backtest;
use hotfix_core::simulate::recorded::{Format, Mapping, RecordedErrors, RecordedMetrics};
use hotfix_core::unit::Span;

/// Loaded once: a fuzzer calls often.
static POLICIES: LazyLock<[Arc<Policy>; 2]> = LazyLock::new(|| {
    ["phased-canary", "standard"]
        .map(|name| Arc::new(Policy::preset(name).expect("a preset loads")))
});
/// A recording of years is not run to its end: that is slow, and shows nothing more.
const LONGEST: Span = Span::from_seconds(4 * 3_600);

fn refused(errors: &RecordedErrors) {
    assert!(errors.first().is_some());
    for error in errors {
        assert!(error.code().starts_with("HF-REC-"), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

/// Reads the bytes as a recording, and runs two policies over it.
pub fn recording(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Some((format, rest)) = text.split_once('\n') else { return };
    let Some((mapping, text)) = rest.split_once('\n') else { return };
    let read = Format::named(format).and_then(|format| {
        let mapping = Mapping::from_json(mapping)?;
        Ok((RecordedMetrics::read(format, text, &mapping)?, mapping))
    });
    let (recorded, mapping) = match read {
        Ok(read) => read,
        Err(error) => return refused(&error),
    };
    let readings = recorded.readings();
    assert!(!readings.is_empty());
    assert!(readings.is_sorted_by_key(|reading| reading.at));
    assert!(readings.iter().all(|reading| !reading.metrics.is_empty() || format == "json_lines"));
    let mut assume = mapping.assume;
    let first = readings[0].at;
    if readings.windows(2).any(|two| two[1].at.since(two[0].at) > LONGEST) {
        assume.from.get_or_insert(first - LONGEST);
    }
    let first = assume.from.unwrap_or(first);
    assume.until = Some(assume.until.map_or(first + LONGEST, |until| until.min(first + LONGEST)));
    match backtest(POLICIES.as_slice(), &recorded, &assume) {
        Ok(found) => {
            assert_eq!(found.policies.len(), 2);
            for one in &found.policies {
                assert!(one.would.is_sorted_by_key(|would| would.at), "{one:?}");
                assert!(one.would.iter().all(|would| would.at >= found.from), "{one:?}");
                let back = one.would.last().map(|would| would.what.as_str()) == Some("roll_back");
                assert_eq!(back, one.first_rollback.is_some(), "{one:?}");
                assert!(one.findings.iter().all(|finding| finding.count > 0), "{one:?}");
            }
            assert!(found.to_markdown().lines().count() >= 6);
        }
        Err(error) => refused(&error),
    }
}
