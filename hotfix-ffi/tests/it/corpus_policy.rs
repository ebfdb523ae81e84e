//! The shared cases of policies through the C functions.

#![allow(
    clippy::unsafe_derive_deserialize,
    reason = "their methods call C functions, their fields promise nothing"
)]

use std::collections::BTreeMap;
use std::ffi::{c_char, c_void};
use std::ptr::null_mut;

use hotfix::extend::{
    hotfix_base, hotfix_base_set, hotfix_policy_from_json_with, hotfix_policy_from_toml_with,
};
use hotfix::policy::hotfix_policy_from_toml;
use hotfix::status::hotfix_status;
use serde_json::Value;

use crate::common::{Failed, Policy, call, raw};
use crate::corpus::{cases, digest, load, to_json};

/// The form is described in `cases/policy/keys.toml`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyCase {
    id: String,
    policy: Option<String>,
    toml: Option<String>,
    json: Option<String>,
    #[serde(default)]
    set: Vec<(String, Value)>,
    #[serde(default)]
    remove: Vec<String>,
    errors: Vec<(String, String)>,
    #[serde(default)]
    says: Vec<String>,
    #[serde(default)]
    bases: BTreeMap<String, String>,
    #[serde(default)]
    has: Vec<(String, Value)>,
    #[serde(default)]
    lacks: Vec<String>,
    same_as: Option<String>,
}

/// Answers from a map of names and texts.
unsafe extern "C" fn from_map(
    context: *mut c_void,
    name: *const c_char,
    name_len: usize,
    base: *mut hotfix_base,
) {
    // SAFETY: the context is the map that the reading was given; the name is lent for this call.
    let (bases, name) = unsafe {
        let name = std::slice::from_raw_parts(name.cast::<u8>(), name_len);
        (&*context.cast::<BTreeMap<String, String>>(), str::from_utf8(name).unwrap())
    };
    if let Some((at, len)) = bases.get(name).map(|text| raw(text)) {
        // SAFETY: live text, and a base that waits for it.
        call(|error| unsafe { hotfix_base_set(base, at, len, error) }).unwrap();
    }
}

impl PolicyCase {
    fn read(&self, text: &str, is_json: bool) -> Result<Policy, Failed> {
        let with =
            if is_json { hotfix_policy_from_json_with } else { hotfix_policy_from_toml_with };
        let ((at, len), mut out) = (raw(text), null_mut());
        let context = (&raw const self.bases).cast_mut().cast::<c_void>();
        // SAFETY: live text and slot; the map outlives the call, in which it is only read.
        call(|error| unsafe { with(at, len, Some(from_map), context, &raw mut out, error) })?;
        Ok(Policy(out))
    }

    /// What of the outcome is not as the case says.
    fn outcome_faults(&self, policy: &Policy) -> Option<String> {
        let outcome = to_json(policy);
        let same = |got: &Value, wanted: &Value| {
            got == wanted || got.as_f64().is_some_and(|got| wanted.as_f64() == Some(got))
        };
        let wrong = self
            .has
            .iter()
            .find(|(place, wanted)| !outcome.pointer(place).is_some_and(|got| same(got, wanted)));
        let there = self.lacks.iter().find(|place| outcome.pointer(place).is_some());
        let other = self
            .same_as
            .as_ref()
            .filter(|name| digest(policy) != digest(&Policy::preset(name).unwrap()));
        (wrong.is_some() || there.is_some() || other.is_some())
            .then(|| format!("{}: {wrong:?}, {there:?}, {other:?} in {outcome}", self.id))
    }

    fn load(&self) -> Result<Policy, Failed> {
        if let Some(name) = &self.policy {
            let mut document = to_json(&Policy::preset(name)?);
            for (pointer, value) in &self.set {
                put(&mut document, pointer, Some(value.clone()));
            }
            for pointer in &self.remove {
                put(&mut document, pointer, None);
            }
            return self.read(&document.to_string(), true);
        }
        if let Some(json) = &self.json {
            return self.read(json, true);
        }
        let text = self.toml.as_deref().unwrap();
        let read = self.read(text, false);
        if self.bases.is_empty() {
            let ((at, len), mut out) = (raw(text), null_mut());
            // SAFETY: live text and slot.
            let plain =
                call(|error| unsafe { hotfix_policy_from_toml(at, len, &raw mut out, error) })
                    .map(|()| Policy(out));
            let shown = |read: &Result<Policy, Failed>| {
                read.as_ref().map_or_else(|f| f.json.clone(), to_json)
            };
            assert_eq!(shown(&plain), shown(&read), "{}: both read the same", self.id);
        }
        read
    }

    fn faults(&self) -> Option<String> {
        let (mut got, mut said) = (Vec::new(), String::new());
        let read = self.load();
        if let Ok(policy) = &read
            && let Some(faults) = self.outcome_faults(policy)
        {
            return Some(faults);
        }
        if let Err(failed) = read {
            let pair = |error: &Value| {
                (
                    error["code"].as_str().unwrap().to_owned(),
                    error["path"].as_str().unwrap().to_owned(),
                )
            };
            assert_eq!(failed.status, hotfix_status::Policy, "{}", self.id);
            got = failed.json["errors"].as_array().unwrap().iter().map(pair).collect();
            assert_eq!(
                got.first().map(|(code, path)| (code, path)),
                Some((&failed.code, &failed.path))
            );
            said = failed.message;
        }
        got.sort();
        let mut wanted = self.errors.clone();
        wanted.sort();
        if got != wanted {
            return Some(format!("{}: {got:?}, expected {wanted:?}", self.id));
        }
        let missing = self.says.iter().find(|part| !said.contains(part.as_str()))?;
        Some(format!("{}: {said:?} does not say {missing:?}", self.id))
    }
}

fn put(document: &mut Value, pointer: &str, value: Option<Value>) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    match (document.pointer_mut(parent), value) {
        (Some(Value::Object(table)), Some(value)) => drop(table.insert(key, value)),
        (Some(Value::Object(table)), None) => drop(table.remove(&key)),
        (Some(Value::Array(list)), Some(value)) if key == "-" => list.push(value),
        (Some(Value::Array(list)), Some(value)) => list[key.parse::<usize>().unwrap()] = value,
        (Some(Value::Array(list)), None) => drop(list.remove(key.parse().unwrap())),
        _ => panic!("nothing at `{parent}`"),
    }
}

#[test]
fn field_5_policy_cases_come_out_in_c_as_they_say() {
    let files = std::fs::read_dir(cases("policy")).unwrap().map(|entry| entry.unwrap().path());
    let faults: Vec<String> =
        files.flat_map(|path| load::<PolicyCase>(&path)).filter_map(|case| case.faults()).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
