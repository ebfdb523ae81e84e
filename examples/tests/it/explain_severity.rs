//! The Rust example prints what those of the other languages print.

use std::path::PathBuf;
use std::process::Command;

#[test]
fn sev_5_the_severity_is_explained_as_in_every_language() {
    let examples = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let output = Command::new(env!("CARGO_BIN_EXE_explain_severity")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = std::fs::read_to_string(examples.join("expected/explain_severity.txt")).unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}
