//! The cases of the Kayenta-compatible judge, as Rust and C run them: documents in, documents out.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// What a call came to: a document, or the code and the sentence of an error.
pub(crate) type Came = Result<Value, (String, String)>;

/// `cases/kayenta/classify.toml` describes the form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClassifyCase {
    id: String,
    control: Vec<f64>,
    experiment: Vec<f64>,
    settings: Value,
    expect: BTreeMap<String, Value>,
}

/// `cases/kayenta/judge.toml` describes the form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JudgeCase {
    id: String,
    pub(crate) config: String,
    samples: String,
    pub(crate) pass: Option<f64>,
    pub(crate) marginal: Option<f64>,
    error: Option<(String, String)>,
    expect: Option<BTreeMap<String, Value>>,
}

pub(crate) fn load<C: DeserializeOwned>(folder: &Path, file: &str, least: usize) -> Vec<C> {
    #[derive(Deserialize)]
    struct File<C> {
        case: Vec<C>,
    }
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let file: File<C> = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert!(file.case.len() >= least, "{}: only {} cases", path.display(), file.case.len());
    file.case
}

/// A member of a result by the name that a case gives it.
fn member(result: &Value, name: &str) -> Value {
    if let Some((arm @ ("control" | "experiment"), figure)) = name.split_once('_') {
        return result[arm][figure].clone();
    }
    match name {
        "interval" | "exact_interval" if result[name].is_object() => {
            json!([result[name]["low"], result[name]["high"]])
        }
        "says" => result["reason"].clone(),
        "findings" => {
            let findings = result[name].as_array().map(Vec::as_slice).unwrap_or_default();
            findings.iter().map(|finding| finding["code"].clone()).collect()
        }
        _ => result[name].clone(),
    }
}

fn near(got: &Value, wanted: &Value, tolerance: f64) -> bool {
    match (got, wanted) {
        (Value::Null, Value::String(text)) => text == "absent",
        (Value::Array(got), Value::Array(wanted)) => {
            got.len() == wanted.len() && got.iter().zip(wanted).all(|(g, w)| near(g, w, tolerance))
        }
        _ => match (got.as_f64(), wanted.as_f64()) {
            (Some(got), Some(wanted)) => (got - wanted).abs() <= tolerance * wanted.abs().max(1e-6),
            _ => got == wanted,
        },
    }
}

impl ClassifyCase {
    /// Every difference from what a classification of these settings and samples, both JSON, should come to.
    pub(crate) fn faults(&self, classify: impl Fn(&str, &str) -> Came) -> Vec<String> {
        // NaN is null in JSON.
        let samples = json!({"control": self.control, "experiment": self.experiment});
        let result = match classify(&self.settings.to_string(), &samples.to_string()) {
            Ok(result) => result,
            Err((code, message)) => return vec![format!("{}: {code} {message}", self.id)],
        };
        let compared = self.expect.iter().filter_map(|(name, wanted)| {
            let got = member(&result, name);
            let fine = match (name.as_str(), &got, wanted) {
                ("says" | "note", Value::String(got), Value::String(part)) => {
                    got.contains(part.as_str())
                }
                ("interval" | "estimate", ..) => near(&got, wanted, 1e-9),
                _ => near(&got, wanted, 1e-12),
            };
            (!fine).then(|| format!("{}: {name} is {got}, expected {wanted}", self.id))
        });
        compared.collect()
    }
}

impl JudgeCase {
    /// The samples, with what their words stand for.
    pub(crate) fn samples(&self) -> String {
        let high = r#"{"control": [10, 11, 12], "experiment": [20, 21, 22]}"#;
        let low = r#"{"control": [20, 21, 22], "experiment": [10, 11, 12]}"#;
        let fine = r#"{"control": [10, 11, 12], "experiment": [11, 10, 13]}"#;
        let none = r#"{"control": [null, "NaN"], "experiment": [1, 2]}"#;
        [("$high", high), ("$low", low), ("$fine", fine), ("$none", none)]
            .iter()
            .fold(self.samples.clone(), |text, (word, samples)| text.replace(word, samples))
    }

    /// Every difference from what the judgement should come to.
    pub(crate) fn faults(&self, came: &Came) -> Vec<String> {
        match (came, &self.error, &self.expect) {
            (Err((code, message)), Some((wanted, part)), None) => {
                let fine = code == wanted && message.contains(part);
                (!fine).then(|| format!("{}: {code} {message}", self.id)).into_iter().collect()
            }
            (Ok(got), None, Some(expect)) => {
                let compared = expect.iter().filter_map(|(name, wanted)| {
                    let got = judged(got, name);
                    let fine = match (name.as_str(), &got, wanted) {
                        ("says", Value::String(got), Value::String(part)) => {
                            got.contains(part.as_str())
                        }
                        ("labels", Value::Object(got), Value::Object(some)) => {
                            some.iter().all(|(metric, label)| got.get(metric) == Some(label))
                        }
                        _ => near(&got, wanted, 1e-12),
                    };
                    (!fine).then(|| format!("{}: {name} is {got}, expected {wanted}", self.id))
                });
                compared.collect()
            }
            _ => vec![format!("{}: {came:?}", self.id)],
        }
    }
}

/// A member of a judgement by the name that a case gives it.
fn judged(got: &Value, name: &str) -> Value {
    let list = |name: &str| got[name].as_array().cloned().unwrap_or_default();
    match name {
        "says" => got["reason"].clone(),
        "groups" => {
            list(name).iter().map(|g| json!([g["name"], g["score"], g["weight"]])).collect()
        }
        "labels" => {
            let label = |m: &Value| {
                (m["name"].as_str().unwrap_or_default().to_owned(), m["classification"].clone())
            };
            Value::Object(list("metrics").iter().map(label).collect())
        }
        "findings" => {
            let mut found: Vec<_> =
                list(name).iter().map(|f| (f["code"].to_string(), f.clone())).collect();
            found.sort_by_key(|(code, finding)| (code.clone(), finding["path"].to_string()));
            found.iter().map(|(_, finding)| json!([finding["code"], finding["path"]])).collect()
        }
        _ => got[name].clone(),
    }
}
