//! The example in `docs/log.md` is a log: sealed here, and checked by the page's own Python in
//! `hotfix-py/tests/test_log_page.py`.

use hotfix_core::canonical::{Digest, Encoder, verify_line};
use serde_json::json;

use crate::tree;

const PAGE: &str = "docs/log.md";
const OPEN: &str = "```json\n";

#[test]
fn roll_7_the_log_pages_example_is_a_log() {
    let salt = "b7c1f09a";
    let by = Digest::of(format!("{salt}\0R. Okafor").as_bytes());
    let mut lines = Vec::new();
    let mut encoder = Encoder::new();
    let opened = json!({
        "at": "2025-03-14T09:26:53.589Z",
        "by": by,
        "format": 1,
        "kind": "opened",
        "personal": {
            "by": "R. Okafor",
            "salt": salt,
            "values": { "/plan/release/author": "R. Okafor" },
        },
        "plan": { "release": { "author": by } },
        "prev": Digest::ZERO,
        "seq": 0,
    });
    let head = encoder.seal(&opened, &mut lines).unwrap();
    let observed = json!({
        "at": "2025-03-14T09:27:03.589Z",
        "kind": "observe",
        "metrics": {
            "error_rate": { "canary": [3, 1000], "baseline": [27, 9000] },
            "latency_p95": { "canary": 2.5e-7 },
        },
        "prev": head,
        "seq": 1,
    });
    let head = encoder.seal(&observed, &mut lines).unwrap();

    let page = tree::read(&tree::root().join(PAGE));
    let (before, rest) = page.split_once(OPEN).unwrap();
    let (_, after) = rest.split_once("```").unwrap();
    let example = String::from_utf8(lines).unwrap();
    tree::committed(PAGE, &format!("{before}{OPEN}{example}```{after}"));

    let mut last = Digest::ZERO;
    for line in example.lines() {
        let line = verify_line(line.as_bytes()).unwrap();
        assert_eq!(line.prev(), last);
        last = line.hash();
    }
    assert_eq!(last, head);
}
