//! The report through C is the core's, in each format (POST-1).

mod common;

use hotfix::report::{hotfix_report, hotfix_rollout_report};
use hotfix_core::report::report;

use common::{buffer, raw};

fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn post_1_a_report_through_c_is_the_cores() {
    let log =
        std::fs::read_to_string(root().join("examples/expected/canary_rollback.jsonl")).unwrap();
    for format in ["markdown", "json", "html"] {
        let ((log, log_len), (name, name_len)) = (raw(&log), raw(format));
        // SAFETY: both texts live through the call.
        let written =
            buffer(|out, error| unsafe { hotfix_report(log, log_len, name, name_len, out, error) });
        // SAFETY: as above.
        let bytes = unsafe { std::slice::from_raw_parts(log.cast::<u8>(), log_len) };
        assert_eq!(written, report(bytes, format).unwrap(), "{format}");
    }
}
