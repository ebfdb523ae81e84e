//! Shared code of the programs over recorded incidents: where the recordings are, and the options
//! `--write FILE` and `--check FILE`.

use std::error::Error;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flate2::read::GzDecoder;

/// An error as text.
pub type Failure = Box<dyn Error>;

/// The folder of recordings that has this file: under `HOTFIX_DATA`, by default `../shared/data`.
/// If it does not exist this prints a note and returns `None`: the caller then uses a synthetic
/// sample.
pub fn recorded(file: &str) -> Option<PathBuf> {
    let data =
        std::env::var_os("HOTFIX_DATA").map_or_else(|| "../shared/data".into(), PathBuf::from);
    if data.join(file).exists() {
        return Some(data);
    }
    println!("No recorded data at {}: using a synthetic sample instead.\n", data.display());
    None
}

/// The text of a file, or of the file with `.gz` appended to its name.
///
/// # Errors
/// If neither can be read.
pub fn text(folder: &Path, name: &str) -> Result<String, Failure> {
    let mut text = String::new();
    match File::open(folder.join(format!("{name}.gz"))) {
        Ok(packed) => _ = GzDecoder::new(packed).read_to_string(&mut text)?,
        Err(_) => text = fs::read_to_string(folder.join(name))?,
    }
    Ok(text)
}

/// The fields of a line.
///
/// # Errors
/// If the line does not have `N` fields.
pub fn fields<const N: usize>(line: &str) -> Result<[&str; N], Failure> {
    let fields: Vec<&str> = line.split(',').collect();
    <[&str; N]>::try_from(fields).map_err(|_| format!("`{line}` does not have {N} fields").into())
}

/// Runs a program that prints figures and makes a page of them, where it has the recordings for it: `--write FILE`
/// writes the page, `--check FILE` fails if it is another one.
pub fn run(name: &str, body: impl FnOnce() -> Result<Option<String>, Failure>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => body().map(drop),
        ["--write", file] => body().and_then(|page| write(page, file)),
        ["--check", file] => body().and_then(|page| check(name, page, file)),
        _ => Err(format!("{name} [--write FILE | --check FILE]").into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn write(page: Option<String>, file: &str) -> Result<(), Failure> {
    page.map_or(Ok(()), |page| Ok(fs::write(file, page)?))
}

fn check(name: &str, page: Option<String>, file: &str) -> Result<(), Failure> {
    let committed = fs::read_to_string(file)?;
    if page.is_none_or(|page| page == committed) {
        return Ok(());
    }
    Err(format!("{file} has other figures or texts: run `make {name}` and read the difference")
        .into())
}
