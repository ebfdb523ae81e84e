//! Kayenta's canary configuration in JSON.

use super::error::{Finding, KayentaError, nearest, step};
use super::settings::{Direction, EffectSize, Measure, MetricSettings, NanStrategy, Outliers};
use serde_json::Value;
use std::collections::BTreeMap;

/// A canary configuration, with the findings about it. Accepts documents with
/// `analysisConfigurations`, and older ones with `extensions` instead; `configVersion` as text or
/// number; numbers and booleans as text, as Kayenta does; unknown values fall back to their
/// defaults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// In the order of the document.
    pub metrics: Vec<MetricConfig>,
    /// By group, in per cent.
    pub group_weights: BTreeMap<String, f64>,
    /// `classifier.scoreThresholds.pass`.
    pub pass: Option<f64>,
    /// `classifier.scoreThresholds.marginal`.
    pub marginal: Option<f64>,
    /// In the order of the document.
    pub findings: Vec<Finding>,
}

/// One metric of a configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricConfig {
    /// By this its samples are found.
    pub name: String,
    /// The groups that it counts in.
    pub groups: Vec<String>,
    /// What it is asked.
    pub settings: MetricSettings,
}

const ROOT: &[&str] = &[
    "applications",
    "classifier",
    "configVersion",
    "createdTimestamp",
    "createdTimestampIso",
    "description",
    "id",
    "judge",
    "metrics",
    "name",
    "templates",
    "updatedTimestamp",
    "updatedTimestampIso",
];
const METRIC: &[&str] =
    &["analysisConfigurations", "extensions", "groups", "id", "name", "query", "scopeName"];
const CANARY: &[&str] =
    &["critical", "direction", "effectSize", "muted", "mustHaveData", "nanStrategy", "outliers"];
const EFFECT_SIZE: &[&str] =
    &["allowedDecrease", "allowedIncrease", "criticalDecrease", "criticalIncrease", "measure"];
/// Settings of our own for a metric; Kayenta does not have them.
const OWN: &[&str] = &["confidence", "tolerance"];

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// `HF-KAY-001` for text that is not JSON, with line and column; otherwise as
    /// [`from_value`](Self::from_value).
    ///
    /// ```
    /// use hotfix_core::kayenta::Config;
    ///
    /// let text = r#"{"metrics": [{"name": "errors", "groups": ["all"],
    ///     "analysisConfigurations": {"canary": {"direction": "increase", "critcal": true}}}]}"#;
    /// let config = Config::from_json(text).expect("a configuration");
    /// assert_eq!(config.findings[0].path(), "/metrics/0/analysisConfigurations/canary/critcal");
    ///
    /// let error = Config::from_json("{\n  \"metrics\": oops}").expect_err("no JSON");
    /// assert!(error.to_string().contains("line 2, column 14"), "{error}");
    /// ```
    pub fn from_json(text: &str) -> Result<Self, KayentaError> {
        Self::from_value(&parse("configuration", text)?)
    }

    /// Reads a configuration that is JSON already.
    ///
    /// # Errors
    /// `HF-KAY-002` for a value that is of another type than its key's, `HF-KAY-006` for a figure
    /// out of range.
    pub fn from_value(value: &Value) -> Result<Self, KayentaError> {
        let mut reader = ConfigReader { document: "configuration", findings: Vec::new() };
        let root = reader.object(value, "")?;
        reader.known(root, "", &[ROOT]);
        let mut config = Self::default();
        if let Some(classifier) = root.get("classifier").filter(|value| !value.is_null()) {
            let path = "/classifier";
            let classifier = reader.object(classifier, path)?;
            reader.known(classifier, path, &[&["groupWeights", "scoreThresholds"]]);
            if let Some((weights, path)) = reader.member(classifier, path, "groupWeights")? {
                for name in weights.keys() {
                    if let Some(weight) = reader.number(weights, &path, name)? {
                        config.group_weights.insert(name.clone(), weight);
                    }
                }
            }
            if let Some((thresholds, path)) = reader.member(classifier, path, "scoreThresholds")? {
                reader.known(thresholds, &path, &[&["pass", "marginal"]]);
                config.pass = reader.number(thresholds, &path, "pass")?;
                config.marginal = reader.number(thresholds, &path, "marginal")?;
            }
        }
        let sum: f64 = config.group_weights.values().sum();
        if !config.group_weights.is_empty() && (sum - 100.0).abs() > 1e-9 {
            reader.findings.push(Finding::WeightSum { sum });
        }
        let metrics = root.get("metrics").unwrap_or(&Value::Null);
        let metrics = match metrics {
            Value::Array(metrics) => metrics.as_slice(),
            other => return Err(reader.fault("/metrics", other, "a list of metrics")),
        };
        for (index, metric) in metrics.iter().enumerate() {
            let metric = reader.metric(metric, &format!("/metrics/{index}"))?;
            if config.metrics.iter().any(|other| other.name == metric.name) {
                reader.findings.push(Finding::Twice { metric: metric.name });
            } else {
                config.metrics.push(metric);
            }
        }
        config.findings = reader.findings;
        Ok(config)
    }
}

impl MetricSettings {
    /// Reads the settings of a metric by itself: what `analysisConfigurations.canary` holds, and
    /// `tolerance` and `confidence`.
    ///
    /// # Errors
    /// As [`Config::from_value`].
    pub fn from_value(value: &Value) -> Result<(Self, Vec<Finding>), KayentaError> {
        let mut reader = ConfigReader { document: "settings", findings: Vec::new() };
        let members = reader.object(value, "")?;
        reader.known(members, "", &[CANARY, OWN]);
        let mut settings = reader.settings(members, "")?;
        if let Some(tolerance) = reader.number(members, "", "tolerance")? {
            settings.tolerance = tolerance;
        }
        if let Some(confidence) = reader.number(members, "", "confidence")? {
            settings.confidence = confidence;
        }
        settings.check()?;
        Ok((settings, reader.findings))
    }

    /// Reads them from text; empty text is the defaults.
    ///
    /// # Errors
    /// `HF-KAY-001` for text that is not JSON; otherwise as [`Config::from_value`].
    pub fn from_json(text: &str) -> Result<(Self, Vec<Finding>), KayentaError> {
        if text.trim().is_empty() {
            return Ok((Self::default(), Vec::new()));
        }
        Self::from_value(&parse("settings", text)?)
    }
}

/// Text as JSON.
pub(super) fn parse(document: &'static str, text: &str) -> Result<Value, KayentaError> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let fault = error.to_string();
        let fault = fault.split(" at line ").next().unwrap_or_default().to_owned();
        KayentaError::Syntax { document, line, column, fault }
    })
}

type Members = serde_json::Map<String, Value>;

/// What a value is, in a few characters.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "absent".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => format!("`{}`", text.chars().take(40).collect::<String>()),
        Value::Bool(_) | Value::Number(_) => format!("`{value}`"),
    }
}

struct ConfigReader {
    document: &'static str,
    findings: Vec<Finding>,
}

impl ConfigReader {
    fn fault(&self, path: &str, got: &Value, expected: &'static str) -> KayentaError {
        KayentaError::Type {
            document: self.document,
            path: path.to_owned(),
            got: shown(got),
            expected,
        }
    }

    fn object<'a>(&self, value: &'a Value, path: &str) -> Result<&'a Members, KayentaError> {
        value.as_object().ok_or_else(|| self.fault(path, value, "an object"))
    }

    /// An object inside an object, with its path; null is absent.
    fn member<'a>(
        &self,
        of: &'a Members,
        path: &str,
        key: &str,
    ) -> Result<Option<(&'a Members, String)>, KayentaError> {
        let Some(value) = of.get(key).filter(|value| !value.is_null()) else { return Ok(None) };
        let path = step(path, key);
        Ok(Some((self.object(value, &path)?, path)))
    }

    /// Reports the keys that are not among these.
    fn known(&mut self, members: &Members, path: &str, known: &[&[&str]]) {
        for key in members.keys() {
            let mut all = known.iter().flat_map(|keys| keys.iter().copied());
            if !all.any(|known| known == key) {
                let all = known.iter().flat_map(|keys| keys.iter().copied());
                self.findings.push(Finding::UnknownKey {
                    path: step(path, key),
                    nearest: nearest(key, all),
                });
            }
        }
    }

    fn number(&self, of: &Members, path: &str, key: &str) -> Result<Option<f64>, KayentaError> {
        let Some(value) = of.get(key).filter(|value| !value.is_null()) else { return Ok(None) };
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number.filter(|number| number.is_finite()) {
            Some(number) => Ok(Some(number)),
            None => Err(self.fault(&step(path, key), value, "a number")),
        }
    }

    fn truth(&self, of: &Members, path: &str, key: &str) -> Result<bool, KayentaError> {
        match of.get(key) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(truth)) => Ok(*truth),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(other) => Err(self.fault(&step(path, key), other, "true or false")),
        }
    }

    fn text<'a>(
        &self,
        of: &'a Members,
        path: &str,
        key: &str,
    ) -> Result<Option<&'a str>, KayentaError> {
        match of.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.fault(&step(path, key), other, "text")),
        }
    }

    /// A word; one that is not known gives the default and a remark.
    fn word<T: Default>(
        &mut self,
        of: &Members,
        (path, key): (&str, &str),
        meaning: impl Fn(&str) -> Option<T>,
        (taken, known): (&'static str, &'static str),
    ) -> Result<T, KayentaError> {
        let Some(word) = self.text(of, path, key)? else { return Ok(T::default()) };
        Ok(meaning(word).unwrap_or_else(|| {
            let (path, word) = (step(path, key), word.to_owned());
            self.findings.push(Finding::UnknownWord { path, word, taken, known });
            T::default()
        }))
    }

    fn metric(&mut self, value: &Value, path: &str) -> Result<MetricConfig, KayentaError> {
        let metric = self.object(value, path)?;
        self.known(metric, path, &[METRIC]);
        let name = self
            .text(metric, path, "name")?
            .ok_or_else(|| self.fault(&step(path, "name"), &Value::Null, "the metric's name"))?;
        let groups = match metric.get("groups") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(groups)) => {
                let read = groups.iter().enumerate().map(|(index, group)| {
                    let path = format!("{path}/groups/{index}");
                    group.as_str().ok_or_else(|| self.fault(&path, group, "a group's name"))
                });
                read.map(|group| group.map(str::to_owned)).collect::<Result<_, _>>()?
            }
            Some(other) => return Err(self.fault(&step(path, "groups"), other, "a list of names")),
        };
        let mut settings = MetricSettings::default();
        // The newer key is used where a document has both.
        for key in ["analysisConfigurations", "extensions"] {
            let Some((analysis, path)) = self.member(metric, path, key)? else { continue };
            self.known(analysis, &path, &[&["canary"]]);
            if let Some((canary, path)) = self.member(analysis, &path, "canary")? {
                self.known(canary, &path, &[CANARY]);
                settings = self.settings(canary, &path)?;
                settings.check()?;
                break;
            }
        }
        Ok(MetricConfig { name: name.to_owned(), groups, settings })
    }

    fn settings(&mut self, canary: &Members, path: &str) -> Result<MetricSettings, KayentaError> {
        let mut settings = MetricSettings {
            direction: self.word(
                canary,
                (path, "direction"),
                Direction::of,
                ("either", "increase, decrease, either"),
            )?,
            nan_strategy: self.word(
                canary,
                (path, "nanStrategy"),
                NanStrategy::of,
                ("remove", "remove, replace"),
            )?,
            critical: self.truth(canary, path, "critical")?,
            must_have_data: self.truth(canary, path, "mustHaveData")?,
            muted: self.truth(canary, path, "muted")?,
            ..MetricSettings::default()
        };
        if let Some((effect, path)) = self.member(canary, path, "effectSize")? {
            self.known(effect, &path, &[EFFECT_SIZE]);
            let measure = self.word(
                effect,
                (&path, "measure"),
                Measure::of,
                ("meanRatio", "meanRatio, cles"),
            )?;
            let mut sizes = EffectSize::of(measure);
            for (key, size) in [
                ("allowedIncrease", &mut sizes.allowed_increase),
                ("allowedDecrease", &mut sizes.allowed_decrease),
                ("criticalIncrease", &mut sizes.critical_increase),
                ("criticalDecrease", &mut sizes.critical_decrease),
            ] {
                if let Some(number) = self.number(effect, &path, key)? {
                    *size = number;
                }
            }
            settings.effect_size = sizes;
        }
        if let Some((outliers, path)) = self.member(canary, path, "outliers")? {
            self.known(outliers, &path, &[&["outlierFactor", "strategy"]]);
            let factor = self.number(outliers, &path, "outlierFactor")?.unwrap_or(Outliers::FACTOR);
            let meaning = |word: &str| match word {
                "keep" => Some(Outliers::Keep),
                "remove" => Some(Outliers::Remove { factor }),
                _ => None,
            };
            settings.outliers =
                self.word(outliers, (&path, "strategy"), meaning, ("keep", "keep, remove"))?;
        }
        Ok(settings)
    }
}
