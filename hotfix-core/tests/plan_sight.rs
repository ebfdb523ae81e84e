//! scratch
use hotfix_core::{plan::Plan, policy::Policy};
use std::sync::Arc;
#[test]
fn scratch() {
    for preset in Policy::presets() {
        let policy = Arc::new(Policy::preset(preset).unwrap());
        let plan = Plan::from_json(
            policy,
            r#"{"id":"INC-1"}"#,
            r#"{"version":"2","previous":"1"}"#,
            r#"{"requests_per_minute":1000,"instances":20}"#,
        )
        .unwrap();
        let t = std::time::Instant::now();
        let sight = plan.sight();
        println!("{preset} {:?}", t.elapsed());
        println!("{}", sight.to_markdown());
        if ["standard", "phased-canary"].contains(preset) {
            println!("{}", serde_json::to_string_pretty(&sight).unwrap());
        }
    }
}
