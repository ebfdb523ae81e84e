//! Recorded metrics are read or refused with their place, and policies are run over them (FIELD-12).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

mod preset_common;
mod recorded_cases;
mod tree;

use std::fmt::Write as _;
use std::sync::Arc;

use hotfix_core::policy::Policy;
use hotfix_core::simulate::backtest::{Backtests, backtest};
use hotfix_core::simulate::recorded::{Format, Mapping, RecordedError, RecordedMetrics};
use recorded_cases::Case;

fn read(case: &Case) -> Result<(RecordedMetrics, Mapping), RecordedError> {
    let format = Format::named(&case.format)?;
    let mapping = Mapping::from_json(&case.mapping)?;
    Ok((RecordedMetrics::read(format, &case.text, &mapping)?, mapping))
}

fn run(case: &Case) -> Result<Backtests, RecordedError> {
    let (recorded, mapping) = read(case)?;
    let policy = match case.policy() {
        Ok(name) => Policy::preset(name).unwrap(),
        Err(text) => Policy::from_toml(text).unwrap_or_else(|error| panic!("{}: {error}", case.id)),
    };
    backtest(&[Arc::new(policy)], &recorded, &mapping.assume)
}

fn lines(recorded: &RecordedMetrics) -> String {
    let mut lines = String::new();
    for reading in recorded.readings() {
        let metrics = serde_json::to_string(&reading.metrics).unwrap();
        let _ = writeln!(lines, "{} {metrics}", reading.at);
    }
    lines
}

#[test]
fn field_12_recordings_are_read_or_refused_with_their_place() {
    let mut wrong = Vec::new();
    let cases = Case::load(&tree::root().join("hotfix-core/tests/cases/recorded"));
    assert!(cases.len() >= 40, "{}", cases.len());
    for case in &cases {
        if let (Some(expected), Ok((recorded, _))) = (&case.readings, read(case))
            && lines(&recorded) != *expected
        {
            wrong.push(format!("{}: read\n{}", case.id, lines(&recorded)));
        }
        let answer = run(case)
            .map(|found| serde_json::to_value(found).unwrap())
            .map_err(|error| (error.code().to_owned(), error.path()));
        wrong.extend(case.faults(answer));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
