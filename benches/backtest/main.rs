//! When S1's thresholds and `standard` would have acted on recorded incidents of a real shop.
//!
//! `backtest` prints the tables; `backtest --write FILE` also writes them, behind what a backtest is, to FILE (`docs/backtest.md`). Reads
//! `HOTFIX_DATA`, by default `../shared/data`; where that is not there, a small made-up sample of this repository.

mod shop;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

type Failure = Box<dyn std::error::Error>;

fn run(write: Option<&Path>) -> Result<(), Failure> {
    let data =
        std::env::var_os("HOTFIX_DATA").map_or_else(|| "../shared/data".into(), PathBuf::from);
    let recorded = data.join("nezha");
    if !recorded.join("front_service.csv").exists() {
        println!("No recorded data at {}: a made-up sample instead.\n", data.display());
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("backtest/sample");
        print!("{}", shop::tables(&sample)?.text);
        return Ok(());
    }
    let found = shop::tables(&recorded)?.text;
    print!("{found}");
    if let Some(file) = write {
        fs::write(file, format!("{}{found}", include_str!("head.md")))?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let write = match arguments.as_slice() {
        [] => None,
        [option, file] if option == "--write" => Some(Path::new(file)),
        _ => {
            eprintln!("backtest [--write FILE]");
            return ExitCode::FAILURE;
        }
    };
    match run(write) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
