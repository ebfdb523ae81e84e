//! When `phased-canary` and `standard` would have acted on recorded incidents of a real shop.
//!
//! `backtest` prints the tables. `backtest --write FILE` also writes `head.md` and the tables to
//! FILE (`docs/backtest.md`), `backtest --check FILE` fails if FILE has others. It reads
//! `HOTFIX_DATA`, by default `../shared/data`, or a small synthetic sample of this repository if that does not exist.

mod shop;

use std::path::Path;
use std::process::ExitCode;

use hotfix_benches::recordings::{self, Failure};

fn page() -> Result<Option<String>, Failure> {
    let Some(data) = recordings::recorded("nezha/front_service.csv") else {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("backtest/sample");
        print!("{}", shop::tables(&sample)?.text);
        return Ok(None);
    };
    let found = shop::tables(&data.join("nezha"))?.text;
    print!("{found}");
    Ok(Some(format!("{}{found}", include_str!("head.md"))))
}

fn main() -> ExitCode {
    recordings::run("backtest", page)
}
