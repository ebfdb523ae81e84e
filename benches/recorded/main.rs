//! Results of the tests on recorded incidents of real services.
//!
//! `recorded` prints the tables; `recorded --write FILE` also writes the table of faults to FILE
//! (`docs/recorded.md`). Reads `HOTFIX_DATA`, by default `../shared/data`, or a small synthetic
//! sample of this repository if that does not exist.

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

Faults were injected into a real shop (Nezha, FSE 2023; half of the published faults are used). The
table shows how soon each is found; below it are the alarms where nothing happened. Gauges are in
[`nab.md`](../benches/recorded/nab.md).

Kayenta judges once, so its time is the end of its data. The spans after a fault are those of its
first 120 s; [the backtests](backtest.md#on-a-recorded-shop) have all requests up to the end, in F026
845. The protocol is at the top of
[`nezha.rs`](../benches/recorded/nezha.rs). The recordings are from before and after a fault on one
deployment, so you would not use the concurrent mode here: between different windows it has no
guarantee. The before-and-after mode has a guarantee only as far as the window before is like the
window after.

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
