//! The campaigns with which simulation is measured.

use hotfix_core::policy::Policy;
use hotfix_core::simulate::{Campaign, Scenario};
use std::error::Error;
use std::sync::Arc;

/// A healthy fix under steady traffic.
pub const PLAIN: &str = "";

/// A healthy fix under traffic that varies in every way.
pub const UNSTEADY: &str = r#"
traffic = { day = { swing = 0.3, peak = "14h" }, bursts = { every = "20min", lasts = "5min", times = 2.0 }, noise = { deviation = 0.2, memory = 0.8 } }
metrics.error_rate = { noise = { deviation = 0.2, memory = 0.8 }, instances = { count = 10, deviation = 0.2 } }
"#;

/// Two proportions and a volume, observed sixty times.
///
/// # Errors
/// If the library no longer accepts the policy or the scenario.
pub fn campaign(scenario: &str) -> Result<Campaign, Box<dyn Error>> {
    let text = include_str!("../hotfix-core/tests/policies/simulated.toml");
    let scenario = Scenario::read(scenario)?;
    let plan = scenario.plan(Arc::new(Policy::from_toml(text)?))?;
    Ok(Campaign::try_new(plan, &scenario, 1)?)
}
