//! A driver that is killed at every event continues to the same log, and does nothing twice
//! (ROLL-7).

use std::path::{Path, PathBuf};
use std::process::Command;

struct Run {
    log: PathBuf,
    world: PathBuf,
}

impl Run {
    fn new(folder: &Path, name: &str) -> Self {
        Self {
            log: folder.join(format!("{name}.log")),
            world: folder.join(format!("{name}.world")),
        }
    }

    /// Runs the driver; true if it ended without a crash.
    fn drive(&self, crash: Option<&str>) -> bool {
        // Read at run time: two clones that share a target folder must not read each other's files.
        let scripts =
            PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("scripts");
        let mut driver = Command::new(env!("CARGO_BIN_EXE_driver"));
        driver
            .arg(scripts.join("canary_rollback.plan.json"))
            .arg(scripts.join("canary_rollback.jsonl"))
            .arg(&self.log)
            .arg(&self.world);
        if let Some(crash) = crash {
            driver.args(["--crash", crash]);
        }
        let output = driver.output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || crash.is_some(), "{complaint}");
        output.status.success()
    }

    fn log(&self) -> Vec<u8> {
        std::fs::read(&self.log).unwrap()
    }

    /// The actions done, sorted by id: after a crash the pending ones come first.
    fn done(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.world).unwrap();
        let mut done: Vec<String> = text.lines().map(str::to_owned).collect();
        done.sort();
        done
    }
}

#[test]
fn roll_7_a_driver_killed_at_any_event_goes_on_to_the_same_log_and_does_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let whole = Run::new(folder.path(), "whole");
    assert!(whole.drive(None));
    let lines = whole.log().iter().filter(|b| **b == b'\n').count();
    assert!(lines > 20, "{lines} lines are no recorded rollout");
    for line in 1..=lines {
        for point in ["torn", "appended", "acted"] {
            let run = Run::new(folder.path(), &format!("{line}-{point}"));
            let ended = run.drive(Some(&format!("{line}:{point}")));
            // The opening has no actions of its own: after it the first input's line is written at
            // once.
            assert_eq!(ended, line == 1 && point == "acted", "line {line}, {point}");
            let torn = run.log();
            assert!(whole.log().starts_with(&torn), "line {line}, {point}");
            assert!(run.drive(None));
            assert!(run.log() == whole.log(), "line {line}, {point}: another log");
            assert_eq!(run.done(), whole.done(), "line {line}, {point}");
        }
    }
}
