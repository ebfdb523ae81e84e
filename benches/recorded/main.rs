//! What the tests find in recorded incidents of real services.
//!
//! `recorded` prints the tables; `recorded --write FILE` also writes the table of faults to FILE (`docs/recorded.md`).
//! Reads `HOTFIX_DATA`, by default `../shared/data`; where that is not there, a small made-up sample of this repository.

mod nab;
mod nezha;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use hotfix_benches::recordings::{self, Failure};
use hotfix_core::unit::Timestamp;

const HEAD: &str = "# Recorded incidents

Faults that were injected into a real shop (Nezha, FSE 2023; half of the published ones): when each is found after it
began, and what is found where nothing happened. Gauges are in [`nab.md`](../benches/recorded/nab.md).

Kayenta's time is the end of what it is given: it looks once. The protocol stands at the top of
[`nezha.rs`](../benches/recorded/nezha.rs). These are recordings of before and after on one deployment, so the concurrent
mode is not what one would use here: between unlike windows it has no guarantee, and the mode for before and after has one
only as far as the window before is like the one after.

";

fn today() -> Result<String, Failure> {
    let millis = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let now = Timestamp::try_from_millis(millis)?.to_string();
    Ok(now.chars().take(10).collect())
}

fn run(write: Option<&Path>) -> Result<(), Failure> {
    let Some(data) = recordings::recorded("nezha/faults.csv") else {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("recorded/sample/nezha");
        print!("{}", nezha::nezha(&sample)?.text);
        return Ok(());
    };
    let found = nezha::nezha(&data.join("nezha"))?.text;
    println!("{found}");
    print!("{}", nab::nab(&data.join("nab"))?);
    if let Some(file) = write {
        let mut page = HEAD.to_owned();
        let _ = write!(page, "Written by `make recorded` on {}.\n\n{found}", today()?);
        fs::write(file, page)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    recordings::run("recorded", run)
}
