//! What the examples share: scripts, that is, a plan and recorded inputs as files.

pub mod drill_file;
pub mod stretch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use hotfix_core::plan::{Incident, Plan, Release, Subject, Traffic};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::Input;
use hotfix_core::unit::Timestamp;
use serde::Deserialize;

/// A plan as a file: `{"preset" or "policy_file", "incident", "release", "traffic", "salt"}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// A built-in policy …
    pub preset: Option<String>,
    /// … or a file, seen from the plan file's folder or one above it.
    pub policy_file: Option<PathBuf>,
    /// What is broken.
    pub incident: Incident,
    /// The version that fixes it; None if it is not known yet.
    pub release: Option<Release>,
    /// How much traffic there is.
    #[serde(default)]
    pub traffic: Traffic,
    /// Salt of the digests of people's names.
    #[serde(default)]
    pub salt: String,
}

/// One recorded input and its time.
#[derive(Debug)]
pub struct Recorded {
    /// When the input was received.
    pub at: Timestamp,
    /// The input.
    pub input: Input,
}

impl Script {
    /// Reads a plan file.
    ///
    /// # Errors
    /// The file cannot be read or is no plan file; the message names it.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = read(path)?;
        let mut script: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} is no plan file", path.display()))?;
        if let Some(file) = &script.policy_file {
            let folders = path.ancestors().skip(1).map(|folder| folder.join(file));
            let found = folders.into_iter().find(|file| file.exists());
            script.policy_file =
                Some(found.with_context(|| format!("no {} here", file.display()))?);
        }
        Ok(script)
    }

    /// The plan that the file describes.
    ///
    /// # Errors
    /// The policy or the plan is refused.
    pub fn plan(&self) -> anyhow::Result<Plan> {
        let policy = match (&self.preset, &self.policy_file) {
            (Some(name), None) => Policy::preset(name)?,
            (None, Some(file)) => Policy::from_toml(&read(file)?)?,
            _ => anyhow::bail!("a plan file names either `preset` or `policy_file`"),
        };
        let (incident, release, traffic) =
            (self.incident.clone(), self.release.clone(), self.traffic.clone());
        Ok(Plan::try_new(Arc::new(policy), Subject { incident, release, traffic })?)
    }

    /// Reads recorded inputs, one `{"at", "input"}` a line.
    ///
    /// # Errors
    /// The file cannot be read or a line is no input; the message names the line.
    pub fn inputs(path: &Path) -> anyhow::Result<Vec<Recorded>> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Line {
            at: Timestamp,
            input: serde_json::Value,
        }
        let text = read(path)?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        lines
            .map(|(number, line)| {
                let place = || format!("{}, line {}", path.display(), number + 1);
                let Line { at, input } = serde_json::from_str(line).with_context(place)?;
                Ok(Recorded { at, input: Input::from_value(input).with_context(place)? })
            })
            .collect()
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
