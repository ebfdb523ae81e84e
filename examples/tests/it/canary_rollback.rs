//! The Rust example prints the log that all languages print.

use std::path::PathBuf;
use std::process::Command;

#[test]
fn roll_5_the_example_prints_the_log_that_all_languages_print() {
    let examples = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let output = Command::new(env!("CARGO_BIN_EXE_canary_rollback"))
        .arg(examples.join("scripts"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = std::fs::read(examples.join("expected/canary_rollback.jsonl")).unwrap();
    assert!(output.stdout == expected, "another log than examples/expected/canary_rollback.jsonl");
}
