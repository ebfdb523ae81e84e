//! When S1's thresholds and `standard` would have acted on recorded incidents of a real shop.
//!
//! `backtest` prints the tables; `backtest --write FILE` also writes them, behind what a backtest is, to FILE (`docs/backtest.md`). Reads
//! `HOTFIX_DATA`, by default `../shared/data`; where that is not there, a small made-up sample of this repository.

mod shop;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use hotfix_benches::recordings::{self, Failure};

fn run(write: Option<&Path>) -> Result<(), Failure> {
    let Some(data) = recordings::recorded("nezha/front_service.csv") else {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("backtest/sample");
        print!("{}", shop::tables(&sample)?.text);
        return Ok(());
    };
    let found = shop::tables(&data.join("nezha"))?.text;
    print!("{found}");
    if let Some(file) = write {
        fs::write(file, format!("{}{found}", include_str!("head.md")))?;
    }
    Ok(())
}

fn main() -> ExitCode {
    recordings::run("backtest", run)
}
