//! Kayenta's canary configuration in JSON.

use super::error::{Finding, KayentaErrors, KayentaFault, pointer};
use super::settings::{EffectSize, MetricSettings, NanStrategy, Outliers};
use crate::document::{DocumentErrors, DocumentFault, DocumentReader, Node, Value};
use crate::sorting::map_of;
use crate::text::{nearest, shown};
use std::collections::{BTreeMap, BTreeSet};

/// A canary configuration, alone or in a request with its thresholds, with the findings about it. Accepts documents with
/// `analysisConfigurations`, and older ones with `extensions` instead; `configVersion` as text or
/// number; numbers and booleans as text, as Kayenta does; unknown values fall back to their
/// defaults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// In the order of the document.
    pub metrics: Vec<MetricConfig>,
    /// By group, in per cent.
    pub group_weights: BTreeMap<String, f64>,
    /// `classifier.scoreThresholds.pass`, or `executionRequest.thresholds.pass` of a request.
    pub pass: Option<f64>,
    /// The marginal score, from the same place.
    pub marginal: Option<f64>,
    /// In the order of the document.
    pub findings: Vec<Finding>,
}

/// One metric of a configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricConfig {
    /// Name by which its samples are found.
    pub name: String,
    /// The groups that it counts in.
    pub groups: Vec<String>,
    /// How it is judged.
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
    /// All faults, each with line and column: `HF-KAY-001` for text that is not JSON, `HF-KAY-002`
    /// for a value that is of another type than its key's, `HF-KAY-006` for a figure out of range.
    ///
    /// ```
    /// use hotfix_core::kayenta::Config;
    ///
    /// let text = r#"{"metrics": [{"name": "errors", "groups": ["all"],
    ///     "analysisConfigurations": {"canary": {"direction": "increase", "critcal": true}}}]}"#;
    /// let config = Config::from_json(text).expect("a configuration");
    /// assert_eq!(config.findings[0].path(), "/metrics/0/analysisConfigurations/canary/critcal");
    ///
    /// let errors = Config::from_json("{\n  \"metrics\": oops}").expect_err("no JSON");
    /// assert!(errors.to_string().contains("line 2, column 14"), "{errors}");
    /// ```
    pub fn from_json(text: &str) -> Result<Self, KayentaErrors> {
        Self::read(Node::from_json(text, 0))
    }

    /// Reads a configuration that is JSON already.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json), without line and column.
    pub fn from_value(value: &serde_json::Value) -> Result<Self, KayentaErrors> {
        Self::read(Ok(Node::from_value(value)))
    }

    fn read(document: Parsed) -> Result<Self, KayentaErrors> {
        let (config, findings) = read(document, ConfigReader::config)?;
        Ok(Self { findings, ..config })
    }
}

impl MetricSettings {
    /// Reads the settings of a metric by itself: what `analysisConfigurations.canary` holds, and
    /// `tolerance` and `confidence`.
    ///
    /// # Errors
    /// As [`Config::from_value`].
    pub fn from_value(value: &serde_json::Value) -> Result<(Self, Vec<Finding>), KayentaErrors> {
        read(Ok(Node::from_value(value)), ConfigReader::own_settings)
    }

    /// Reads settings of a metric from JSON; empty text is the defaults.
    ///
    /// # Errors
    /// As [`Config::from_json`].
    pub fn from_json(text: &str) -> Result<(Self, Vec<Finding>), KayentaErrors> {
        if text.trim().is_empty() {
            return Ok((Self::default(), Vec::new()));
        }
        read(Node::from_json(text, 0), ConfigReader::own_settings)
    }
}

/// Reads a document, and notes what has no effect.
type ConfigReader = DocumentReader<KayentaFault, Vec<Finding>>;

type Parsed = Result<Node, DocumentErrors<DocumentFault>>;

fn read<T>(
    document: Parsed,
    read: impl FnOnce(&mut ConfigReader, &Node) -> Option<T>,
) -> Result<(T, Vec<Finding>), KayentaErrors> {
    let document = document.map_err(DocumentErrors::of_family)?;
    ConfigReader::knowing(Vec::new()).read(&document, |reader, document| {
        let read = read(reader, document)?;
        Some((read, std::mem::take(&mut reader.known)))
    })
}

impl ConfigReader {
    /// Checks that a value is a table, and notes the keys that have no effect.
    fn keys(&mut self, node: &Node, known: &[&[&'static str]]) -> Option<()> {
        let table = self.table(node)?;
        let mut seen = BTreeSet::new();
        for member in table {
            if !seen.insert(member.key.as_str()) {
                self.duplicate_key(member);
            }
            let all = || known.iter().flat_map(|keys| keys.iter().copied());
            if !all().any(|known| known == member.key) {
                let path = format!("{}{}", self.path(), pointer(&member.key));
                let nearest = nearest(&member.key, all());
                self.known.push(Finding::UnknownKey { path, nearest });
            }
        }
        Some(())
    }

    /// A number, or its text, as Kayenta accepts it.
    fn loose_number(&mut self, node: &Node) -> Option<f64> {
        let number = match &node.value {
            Value::Number(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| number.is_finite());
        number.or_else(|| self.wrong("a number", node))
    }

    /// A boolean, or its text.
    fn loose_flag(&mut self, node: &Node) -> Option<bool> {
        match &node.value {
            Value::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => self.flag(node),
        }
    }

    /// Kayenta's term under a key; an unknown one gives the default and a finding.
    fn term<T: Default>(
        &mut self,
        table: &Node,
        key: &str,
        meaning: impl Fn(&str) -> Option<T>,
        (taken, known): (&'static str, &'static str),
    ) -> T {
        let term = self.unless_null(table, key, |reader, node| {
            let word = reader.text(node)?;
            meaning(&word).or_else(|| {
                let (path, word) = (reader.path().to_owned(), shown(&word));
                reader.known.push(Finding::UnknownWord { path, word, taken, known });
                None
            })
        });
        term.unwrap_or_default()
    }

    fn config(&mut self, root: &Node) -> Option<Config> {
        if let Some(of_request) = root.key("canaryConfig") {
            self.keys(root, &[&["canaryConfig", "executionRequest"]])?;
            let mut config = self.within("canaryConfig", |reader| reader.config(of_request))?;
            self.unless_null(root, "executionRequest", |reader, request| {
                let judged_by = |reader: &mut Self, of: &Node| reader.thresholds(of, &mut config);
                reader.unless_null(request, "thresholds", judged_by)
            });
            return Some(config);
        }
        self.keys(root, &[ROOT])?;
        self.unless_null(root, "judge", |reader, judge| {
            reader.unless_null(judge, "name", |reader, name| {
                let judge = reader.text(name).filter(|name| name != super::JUDGE)?;
                let (path, judge) = (reader.path().to_owned(), shown(&judge));
                reader.known.push(Finding::OtherJudge { path, judge });
                Some(())
            })
        });
        let mut config = Config::default();
        self.unless_null(root, "classifier", |reader, classifier| {
            reader.classifier(classifier, &mut config)
        });
        let sum: f64 = config.group_weights.values().sum();
        if !config.group_weights.is_empty() && (sum - 100.0).abs() > 1e-9 {
            self.known.push(Finding::WeightSum { sum });
        }
        for (group, weight) in config.group_weights.iter().filter(|(_, weight)| **weight < 0.0) {
            let group = group.clone();
            self.known.push(Finding::NegativeWeight { group, weight: *weight });
        }
        if root.key("metrics").is_none() {
            let example = "a list of metrics".to_owned();
            return self.fail(DocumentFault::MissingKey { key: "metrics", example });
        }
        let mut names = BTreeSet::new();
        for metric in self.list(root, "metrics", Self::metric) {
            if names.insert(metric.name.clone()) {
                config.metrics.push(metric);
            } else {
                self.known.push(Finding::Twice { metric: metric.name });
            }
        }
        Some(config)
    }

    fn classifier(&mut self, classifier: &Node, config: &mut Config) -> Option<()> {
        self.keys(classifier, &[&["groupWeights", "scoreThresholds"]])?;
        self.unless_null(classifier, "groupWeights", |reader, weights| {
            let weight = |reader: &mut Self, name: &str, weight: &Node| match weight.value {
                Value::Null => None,
                _ => Some((name.to_owned(), reader.loose_number(weight)?)),
            };
            config.group_weights = map_of(reader.each_named(weights, weight)?);
            Some(())
        });
        self.unless_null(classifier, "scoreThresholds", |reader, of| reader.thresholds(of, config))
    }

    fn thresholds(&mut self, thresholds: &Node, config: &mut Config) -> Option<()> {
        self.keys(thresholds, &[&["pass", "marginal"]])?;
        config.pass = self.unless_null(thresholds, "pass", Self::loose_number);
        config.marginal = self.unless_null(thresholds, "marginal", Self::loose_number);
        Some(())
    }

    fn metric(&mut self, metric: &Node) -> Option<MetricConfig> {
        self.keys(metric, &[METRIC])?;
        let name = self.needed(metric, "name", Self::text);
        let groups =
            self.unless_null(metric, "groups", |reader, groups| reader.items(groups, Self::text));
        // The newer key is used where a document has both.
        let settings = ["analysisConfigurations", "extensions"].into_iter().find_map(|key| {
            self.unless_null(metric, key, |reader, analysis| {
                reader.keys(analysis, &[&["canary"]])?;
                reader.unless_null(analysis, "canary", |reader, canary| {
                    reader.keys(canary, &[CANARY])?;
                    let settings = reader.settings(canary);
                    reader.checked(settings)
                })
            })
        });
        Some(MetricConfig {
            name: name?,
            groups: groups.unwrap_or_default(),
            settings: settings.unwrap_or_default(),
        })
    }

    fn own_settings(&mut self, root: &Node) -> Option<MetricSettings> {
        self.keys(root, &[CANARY, OWN])?;
        let mut settings = self.settings(root);
        self.figures(
            root,
            [("tolerance", &mut settings.tolerance), ("confidence", &mut settings.confidence)],
        );
        self.checked(settings)
    }

    /// Settings whose figures are in range.
    fn checked(&mut self, settings: MetricSettings) -> Option<MetricSettings> {
        let checked = settings.check().map_err(|errors| self.append(errors));
        checked.is_ok().then_some(settings)
    }

    /// The figures that the table has.
    fn figures<const N: usize>(&mut self, table: &Node, figures: [(&str, &mut f64); N]) {
        for (key, figure) in figures {
            if let Some(number) = self.unless_null(table, key, Self::loose_number) {
                *figure = number;
            }
        }
    }

    fn settings(&mut self, canary: &Node) -> MetricSettings {
        let mut flag = |key| self.unless_null(canary, key, Self::loose_flag).unwrap_or_default();
        let mut settings = MetricSettings {
            critical: flag("critical"),
            must_have_data: flag("mustHaveData"),
            muted: flag("muted"),
            ..MetricSettings::default()
        };
        let known = ("either", "increase, decrease, either");
        settings.direction = self.term(canary, "direction", |word| word.parse().ok(), known);
        let known = ("remove", "remove, replace");
        settings.nan_strategy = self.term(canary, "nanStrategy", NanStrategy::of, known);
        self.unless_null(canary, "effectSize", |reader, effect| {
            reader.keys(effect, &[EFFECT_SIZE])?;
            let known = ("meanRatio", "meanRatio, cles");
            let measure = reader.term(effect, "measure", |word| word.parse().ok(), known);
            let mut sizes = EffectSize::of(measure);
            let figures = [
                ("allowedIncrease", &mut sizes.allowed_increase),
                ("allowedDecrease", &mut sizes.allowed_decrease),
                ("criticalIncrease", &mut sizes.critical_increase),
                ("criticalDecrease", &mut sizes.critical_decrease),
            ];
            reader.figures(effect, figures);
            settings.effect_size = sizes;
            Some(())
        });
        let outliers = self.unless_null(canary, "outliers", |reader, outliers| {
            reader.keys(outliers, &[&["outlierFactor", "strategy"]])?;
            let mut factor = Outliers::FACTOR;
            reader.figures(outliers, [("outlierFactor", &mut factor)]);
            let meaning = |word: &str| match word {
                "keep" => Some(Outliers::Keep),
                "remove" => Some(Outliers::Remove { factor }),
                _ => None,
            };
            Some(reader.term(outliers, "strategy", meaning, ("keep", "keep, remove")))
        });
        settings.outliers = outliers.unwrap_or_default();
        settings
    }
}
