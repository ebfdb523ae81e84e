//! Results of the tests on recorded incidents of real services.
//!
//! `recorded` prints the tables; `recorded --write FILE` also writes the table of faults to FILE
//! (`docs/recorded.md`), `recorded --check FILE` fails if FILE has another. Reads `HOTFIX_DATA`, by default
//! `../shared/data`, or a small synthetic sample of this repository if that does not exist.

mod nab;
mod nezha;

use std::path::Path;
use std::process::ExitCode;

use hotfix_benches::recordings::{self, Failure};

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

fn page() -> Result<Option<String>, Failure> {
    let Some(data) = recordings::recorded("nezha/faults.csv") else {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("recorded/sample/nezha");
        print!("{}", nezha::nezha(&sample)?.text);
        return Ok(None);
    };
    let found = nezha::nezha(&data.join("nezha"))?.text;
    println!("{found}");
    print!("{}", nab::nab(&data.join("nab"))?);
    Ok(Some(format!("{HEAD}{found}")))
}

fn main() -> ExitCode {
    recordings::run("recorded", page)
}
