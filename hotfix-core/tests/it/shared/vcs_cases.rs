//! The cases of `tests/cases/vcs`, and what differs in an answer: for Rust and C alike.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plans {
    case: Vec<PlanCase>,
}

/// The lines of the document, the kind of the step, the command.
type Line = (String, String, String);

/// A case of `plans.toml`, which describes the form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanCase {
    pub(crate) id: String,
    pub(crate) policy: String,
    #[serde(default)]
    set: Vec<(String, Value)>,
    #[serde(default)]
    without: Vec<String>,
    pub(crate) incident: Value,
    pub(crate) release: Value,
    #[serde(default = "noon")]
    pub(crate) at: String,
    #[serde(default)]
    lines: Vec<Line>,
    #[serde(default)]
    only: bool,
    kinds: Option<Vec<String>>,
    #[serde(default)]
    back: Vec<Line>,
    #[serde(default)]
    again: Vec<Line>,
    #[serde(default)]
    home: Vec<Line>,
    #[serde(default)]
    people: Vec<(String, String)>,
    #[serde(default)]
    instead: Vec<Line>,
    #[serde(default)]
    is: Vec<(String, Value)>,
    #[serde(default)]
    findings: Vec<String>,
    error: Option<(String, String)>,
    #[serde(default)]
    says: Vec<String>,
}

fn noon() -> String {
    "2024-01-15T12:00:00Z".to_owned()
}

/// What went wrong: code, place, sentence.
pub(crate) struct Wrong {
    pub(crate) code: String,
    pub(crate) path: String,
    pub(crate) message: String,
}

fn read<T: serde::de::DeserializeOwned>(folder: &Path, file: &str) -> T {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Kind and command of everything that a list of steps runs.
fn commands<'v>(steps: &'v Value, of: fn(&'v Value) -> &'v Value) -> Vec<(&'v str, &'v str)> {
    let step = |step: &'v Value| {
        let kind = step["kind"].as_str().unwrap_or_default();
        let lines = of(step).as_array().into_iter().flatten();
        lines.map(move |line| (kind, line["shown"].as_str().unwrap_or_default()))
    };
    steps.as_array().into_iter().flatten().flat_map(step).collect()
}

impl PlanCase {
    pub(crate) fn load(folder: &Path) -> Vec<Self> {
        read::<Plans>(folder, "plans.toml").case
    }

    /// The preset's document as the case changes it.
    pub(crate) fn document(&self, preset: &str) -> String {
        let mut document: Value = serde_json::from_str(preset).unwrap_or_default();
        for (pointer, value) in &self.set {
            match document.pointer_mut(pointer) {
                Some(place) => *place = value.clone(),
                None => panic!("{}: nothing stands at {pointer}", self.id),
            }
        }
        if let Value::Object(keys) = &mut document {
            keys.retain(|key, _| !self.without.contains(key));
        }
        document.to_string()
    }

    pub(crate) fn faults(&self, answer: Result<Value, Wrong>) -> Vec<String> {
        let mut faults = Vec::new();
        match (answer, &self.error) {
            (Ok(plan), None) => self.differences(&plan, &mut faults),
            (Ok(_), Some((code, _))) => faults.push(format!("there is a plan, not {code}")),
            (Err(wrong), None) => faults.push(format!("{}: {}", wrong.code, wrong.message)),
            (Err(wrong), Some((code, path))) => {
                if (&wrong.code, &wrong.path) != (code, path) {
                    faults.push(format!("{} at {}: {}", wrong.code, wrong.path, wrong.message));
                }
                let missing = self.says.iter().filter(|part| !wrong.message.contains(*part));
                faults.extend(
                    missing.map(|part| format!("nothing says `{part}`: {}", wrong.message)),
                );
            }
        }
        faults.into_iter().map(|fault| format!("{}: {fault}", self.id)).collect()
    }

    fn differences(&self, plan: &Value, faults: &mut Vec<String>) {
        let homes: Vec<Value> = plan["merge_back"]["branches"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|home| home["steps"].as_array().cloned().unwrap_or_default())
            .collect();
        let homes = Value::from(homes);
        for (what, steps, expected) in [
            ("steps", &plan["steps"], &self.lines),
            ("way back", &plan["rollback"]["steps"], &self.back),
            ("next try", &plan["rollback"]["again"], &self.again),
            ("way home", &homes, &self.home),
        ] {
            let got = commands(steps, |step| &step["commands"]);
            in_order(what, &got, expected, faults);
        }
        let got = commands(&plan["steps"], |step| &step["instead"]["commands"]);
        in_order("other tool's", &got, &self.instead, faults);
        let got = commands(&plan["steps"], |step| &step["commands"]);
        if self.only && got.len() != self.lines.len() {
            faults.push(format!("{} commands, not {}: {got:#?}", got.len(), self.lines.len()));
        }
        let steps: Vec<&Value> = plan["steps"].as_array().into_iter().flatten().collect();
        if let Some(kinds) = &self.kinds {
            let got: Vec<&str> = steps.iter().filter_map(|step| step["kind"].as_str()).collect();
            if got != *kinds {
                faults.push(format!("the steps are {got:?}"));
            }
        }
        for (kind, part) in &self.people {
            let says = |step: &&&Value| {
                ["people", "why"]
                    .iter()
                    .any(|key| step[*key].as_str().is_some_and(|text| text.contains(part)))
            };
            if !steps.iter().filter(|step| step["kind"] == *kind).any(|step| says(&step)) {
                faults.push(format!("no step `{kind}` says `{part}`"));
            }
        }
        for (pointer, expected) in &self.is {
            let got = plan.pointer(pointer);
            let absent = expected == "absent" && got.is_none();
            if !absent && got != Some(expected) {
                faults.push(format!("{pointer} is {got:?}, not {expected}"));
            }
        }
        let codes: Vec<&str> = plan["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|finding| finding["code"].as_str())
            .collect();
        if codes != self.findings {
            faults.push(format!("the findings are {}", plan["findings"]));
        }
    }
}

fn in_order(what: &str, got: &[(&str, &str)], expected: &[Line], faults: &mut Vec<String>) {
    let mut rest = got.iter();
    for (_, kind, command) in expected {
        if !rest.any(|(k, c)| k == kind && c == command) {
            faults.push(format!("{what}: no `{command}` at `{kind}` in order: {got:#?}"));
            return;
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    case: Vec<NameCase>,
}

/// A case of `names.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NameCase {
    description: String,
    #[serde(default = "hotfix")]
    pub(crate) prefix: String,
    repeat: Option<usize>,
    branch: Option<String>,
    error: Option<String>,
}

fn hotfix() -> String {
    "hotfix/".to_owned()
}

/// A text where there is one, else a code; and the codes of findings.
pub(crate) type Answer = Result<(String, Vec<String>), String>;

fn differs(what: &str, answer: &Answer, expected: &Answer) -> Option<String> {
    (answer != expected).then(|| format!("{what:?} gives {answer:?}, not {expected:?}"))
}

impl NameCase {
    pub(crate) fn load(folder: &Path) -> Vec<Self> {
        read::<Names>(folder, "names.toml").case
    }

    pub(crate) fn description(&self) -> String {
        self.description.repeat(self.repeat.unwrap_or(1))
    }

    pub(crate) fn fault(&self, answer: &Answer) -> Option<String> {
        let expected = match (&self.branch, &self.error) {
            (Some(branch), None) => Ok((branch.clone(), Vec::new())),
            (None, Some(code)) => Err(code.clone()),
            _ => panic!("{:?}: either `branch` or `error`", self.description),
        };
        differs(&self.description, answer, &expected)
    }
}

/// The cases of `versions.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Versions {
    pub(crate) next: Vec<NextCase>,
    pub(crate) tag: Vec<TagCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NextCase {
    pub(crate) version: String,
    #[serde(default = "patch")]
    pub(crate) kind: String,
    next: Option<String>,
    #[serde(default)]
    findings: Vec<String>,
    error: Option<String>,
}

fn patch() -> String {
    "patch".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TagCase {
    pub(crate) version: Option<String>,
    pub(crate) at: Option<String>,
    name: Option<String>,
    error: Option<String>,
}

impl Versions {
    pub(crate) fn load(folder: &Path) -> Self {
        read(folder, "versions.toml")
    }
}

impl NextCase {
    pub(crate) fn fault(&self, answer: &Answer) -> Option<String> {
        let expected = match (&self.next, &self.error) {
            (Some(next), None) => Ok((next.clone(), self.findings.clone())),
            (None, Some(code)) => Err(code.clone()),
            _ => panic!("{}: either `next` or `error`", self.version),
        };
        differs(&self.version, answer, &expected)
    }
}

impl TagCase {
    pub(crate) fn fault(&self, answer: &Answer) -> Option<String> {
        let expected = match (&self.name, &self.error) {
            (Some(name), None) => Ok((name.clone(), Vec::new())),
            (None, Some(code)) => Err(code.clone()),
            _ => panic!("either `name` or `error`"),
        };
        let of = self.version.as_ref().or(self.at.as_ref()).map_or("", String::as_str);
        differs(of, answer, &expected)
    }
}
