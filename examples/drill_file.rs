//! A drill as a file: a policy, and the scenario against which it is simulated.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use hotfix_core::policy::Policy;
use hotfix_core::simulate::{Campaign, Scenario};

/// A drill that was read.
#[derive(Debug)]
pub struct Drill {
    /// The file's name without its ending.
    pub name: String,
    /// One line that says what the drill shows.
    pub title: String,
    /// The policy of the rollout.
    pub policy: Arc<Policy>,
    /// Traffic, faults and inputs of people.
    pub scenario: Scenario,
}

impl Drill {
    /// Reads a drill: `title`, `policy` (a preset's name, or a file seen from the drill's folder) and `scenario`.
    ///
    /// # Errors
    /// The file, its policy or its scenario is wrong; the message names the place.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let shown = || file.display().to_string();
        let text = std::fs::read_to_string(file).with_context(shown)?;
        let mut document: toml::Table = toml::from_str(&text).with_context(shown)?;
        let mut take = |key: &str| {
            document.remove(key).with_context(|| format!("{}: `{key}` is missing", shown()))
        };
        let (title, policy, scenario) = (take("title")?, take("policy")?, take("scenario")?);
        if let Some(key) = document.keys().next() {
            anyhow::bail!("{}: a drill has no `{key}`", shown());
        }
        let words = |value: toml::Value| value.try_into::<String>().with_context(shown);
        let scenario = serde_json::to_value(scenario).with_context(shown)?;
        Ok(Self {
            name: file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            title: words(title)?,
            policy: Arc::new(policy_of(&words(policy)?, file).with_context(shown)?),
            scenario: Scenario::from_value(&scenario).with_context(shown)?,
        })
    }

    /// The simulated runs of the drill, drawn from the scenario's own seed.
    ///
    /// # Errors
    /// The scenario does not fit the policy.
    pub fn campaign(&self) -> anyhow::Result<Campaign> {
        let plan = self.scenario.plan(Arc::clone(&self.policy)).context(self.name.clone())?;
        Campaign::try_new(plan, &self.scenario, self.scenario.seed()).context(self.name.clone())
    }
}

fn policy_of(name: &str, drill: &Path) -> anyhow::Result<Policy> {
    if Path::new(name).extension().is_none() {
        return Ok(Policy::preset(name)?);
    }
    let file = drill.parent().unwrap_or(Path::new("")).join(name);
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    Ok(Policy::from_toml(&text)?)
}
