//! Reads values from a tree and records which ones were read, so that no part of a document is
//! ignored silently.
//!
//! A value that is never read becomes a finding ([`unread`]). The known keys are those that the
//! code reads; there is no separate list.

use std::cell::RefCell;

use super::document::{DocumentNode, Entry, Place, Value};
use super::fault::{ConvertError, Fault};
use super::finding::{Finding, ImportFinding};
use crate::text::{nearest, pointer_step, shown};

/// The findings and faults of an import.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) findings: RefCell<Vec<Finding>>,
    pub(super) errors: RefCell<Vec<ConvertError>>,
}

/// A value with its place.
#[derive(Clone)]
pub(super) struct At<'d> {
    pub(super) node: &'d DocumentNode,
    /// The place of its key, or of the value itself in a list.
    place: Place,
    path: String,
    document: usize,
    notes: &'d Notes,
}

impl<'d> At<'d> {
    pub(super) fn root(node: &'d DocumentNode, document: usize, notes: &'d Notes) -> Self {
        node.seen.set(true);
        Self { node, place: node.place, path: String::new(), document, notes }
    }

    fn below(&self, node: &'d DocumentNode, step: &str, place: Place) -> Self {
        node.seen.set(true);
        let path = format!("{}/{}", self.path, pointer_step(step));
        Self { node, place, path, document: self.document, notes: self.notes }
    }

    pub(super) fn remark(&self, remark: ImportFinding) {
        let finding = Finding::new(remark, &self.path, self.document, self.place);
        self.notes.findings.borrow_mut().push(finding);
    }

    pub(super) fn fail<T>(&self, fault: Fault) -> Option<T> {
        let error = ConvertError::new(fault, &self.path, self.document, self.node.place);
        self.notes.errors.borrow_mut().push(error);
        None
    }

    fn wrong<T>(&self, expected: &'static str) -> Option<T> {
        self.node.whole.set(true);
        self.fail(Fault::WrongType { expected, got: self.node.shown() })
    }

    /// Marks everything in it as handled, without effect on the policy.
    pub(super) fn ignore(&self) {
        self.node.whole.set(true);
    }

    /// Marks everything in it as handled by a finding.
    pub(super) fn lost(&self, remark: ImportFinding) {
        self.ignore();
        self.remark(remark);
    }

    fn table(&self) -> Option<&'d [Entry]> {
        match &self.node.value {
            Value::Table(entries) => Some(entries),
            _ if self.node.is_null() => Some(&[]),
            _ => self.wrong("a table"),
        }
    }

    /// The value of a key. Null counts as absent.
    pub(super) fn get(&self, key: &'static str) -> Option<Self> {
        // A value that is not a table is reported once.
        if self.node.whole.get() {
            return None;
        }
        let entries = self.table()?;
        self.node.asked.borrow_mut().insert(key);
        let entry = entries.iter().find(|entry| entry.key == key)?;
        entry.node.seen.set(true);
        let null = entry.node.is_null();
        (!null).then(|| self.below(&entry.node, key, entry.place))
    }

    /// The value of a required key.
    pub(super) fn need(&self, key: &'static str, example: &'static str) -> Option<Self> {
        let found = self.get(key);
        if found.is_none() && !self.node.whole.get() {
            return self.fail(Fault::MissingKey { key, example });
        }
        found
    }

    /// The keys of a table with free names, and their values.
    pub(super) fn entries(&self) -> Vec<(&'d str, Self)> {
        let entries = self.table().unwrap_or_default();
        entries.iter().map(|e| (e.key.as_str(), self.below(&e.node, &e.key, e.place))).collect()
    }

    /// The keys of a table, without reading their values.
    pub(super) fn keys(&self) -> Option<Vec<&'d str>> {
        Some(self.table()?.iter().map(|entry| entry.key.as_str()).collect())
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Vec<Self> {
        match &self.node.value {
            Value::List(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| self.below(item, &index.to_string(), item.place))
                .collect(),
            _ => self.wrong("a list").unwrap_or_default(),
        }
    }

    /// The items of a list under a key. None if it is absent.
    pub(super) fn list(&self, key: &'static str) -> Vec<Self> {
        self.get(key).map(|at| at.items()).unwrap_or_default()
    }

    /// A scalar, and whether it is unquoted.
    fn scalar(&self, expected: &'static str) -> Option<(&'d str, bool)> {
        match &self.node.value {
            Value::Scalar(text, plain) => Some((text, *plain)),
            _ => self.wrong(expected),
        }
    }

    /// A text, unchanged.
    pub(super) fn text(&self) -> Option<&'d str> {
        self.scalar("a text").map(|(text, _)| text)
    }

    /// Whether it is an empty text.
    pub(super) fn is_empty(&self) -> bool {
        matches!(&self.node.value, Value::Scalar(text, _) if text.is_empty())
    }

    /// The text of a key.
    pub(super) fn text_of(&self, key: &'static str) -> Option<&'d str> {
        self.get(key)?.text()
    }

    /// A number: as Kubernetes reads it, `010` is eight and `1_000` a thousand.
    pub(super) fn number(&self) -> Option<f64> {
        let (text, plain) = self.scalar("a number")?;
        if !plain {
            return self.wrong("a number");
        }
        self.number_in(text)
    }

    /// A number that may be in quotes.
    pub(super) fn loose_number(&self) -> Option<f64> {
        let (text, _) = self.scalar("a number")?;
        self.number_in(text.trim())
    }

    pub(super) fn number_in(&self, text: &str) -> Option<f64> {
        let digits = text.trim_start_matches(['-', '+']);
        let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
        let whole = |radix, digits: &str| u64::from_str_radix(digits, radix).ok().map(|n| n as f64);
        let based = [("0x", 16), ("0o", 8), ("0b", 2)]
            .into_iter()
            .find_map(|(prefix, radix)| whole(radix, digits.strip_prefix(prefix)?));
        let octal = digits.strip_prefix('0').filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        let octal = octal.filter(|digits| !digits.is_empty()).and_then(|digits| whole(8, digits));
        let number = if let Some(number) = octal.or(based) {
            let number = sign * number;
            let meaning = number.to_string();
            self.remark(ImportFinding::Ambiguous { text: shown(text), meaning });
            number
        } else {
            let plain = text.replace('_', "");
            // `inf` and `nan` are numbers in YAML, but not finite.
            let worded =
                plain.bytes().any(|b| b.is_ascii_alphabetic() && !b.eq_ignore_ascii_case(&b'e'));
            match plain.parse::<f64>() {
                Ok(number) if !worded => number,
                _ if matches!(digits.to_ascii_lowercase().as_str(), ".inf" | ".nan") => {
                    let got = shown(text);
                    return self.fail(Fault::OutOfRange { got, range: "a finite number" });
                }
                _ => return self.wrong("a number"),
            }
        };
        if number.is_finite() {
            return Some(number);
        }
        self.fail(Fault::OutOfRange { got: shown(text), range: "a finite number" })
    }

    /// A number in a range.
    pub(super) fn number_within(&self, least: f64, most: f64, range: &'static str) -> Option<f64> {
        let number = self.number()?;
        self.within(number, least, most, range)
    }

    pub(super) fn within(
        &self,
        number: f64,
        least: f64,
        most: f64,
        range: &'static str,
    ) -> Option<f64> {
        if (least..=most).contains(&number) {
            return Some(number);
        }
        self.fail(Fault::OutOfRange { got: number.to_string(), range })
    }

    /// A whole number in a range.
    pub(super) fn whole_within(&self, least: f64, most: f64, range: &'static str) -> Option<f64> {
        let number = self.number_within(least, most, range)?;
        if number.fract() == 0.0 {
            return Some(number);
        }
        self.fail(Fault::OutOfRange { got: number.to_string(), range })
    }

    /// A boolean.
    pub(super) fn flag(&self) -> Option<bool> {
        let (text, plain) = self.scalar("true or false")?;
        let meaning = match text.to_ascii_lowercase().as_str() {
            "true" => return Some(true),
            "false" => return Some(false),
            "yes" | "on" | "y" if plain => true,
            "no" | "off" | "n" if plain => false,
            _ => return self.wrong("true or false"),
        };
        self.remark(ImportFinding::Ambiguous { text: shown(text), meaning: meaning.to_string() });
        Some(meaning)
    }

    /// A duration in seconds, above 0: a text as in Go, or a whole number of seconds.
    pub(super) fn duration(&self) -> Option<f64> {
        let (text, _) = self.scalar("a duration")?;
        self.duration_in(text)
    }

    pub(super) fn duration_in(&self, text: &str) -> Option<f64> {
        const RANGE: &str =
            "a duration above 0 and at most 10000 days, as in `90s`, `10m` or `1h30m`";
        let Some(seconds) = go_duration(text) else {
            self.node.whole.set(true);
            return self.fail(Fault::WrongType {
                expected: "a duration such as `90s`, `10m` or `1h30m`",
                got: format!("`{}`", shown(text)),
            });
        };
        self.within(seconds, 0.001, 864_000_000.0, RANGE)
    }

    /// One of a closed set of words.
    pub(super) fn word(&self, known: &'static [&'static str]) -> Option<&'static str> {
        let text = self.text()?;
        if let Some(word) = known.iter().find(|word| **word == text) {
            return Some(word);
        }
        let quoted: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
        self.fail(Fault::UnknownValue {
            got: shown(text),
            nearest: nearest(text, known.iter().copied()),
            known: quoted.join(", "),
        })
    }
}

/// Whether a text is a duration of 0, such as `0s`.
pub(super) fn is_no_time(text: &str) -> bool {
    go_duration(text) == Some(0.0)
}

/// `1h30m`, `250ms`, `90s`; bare digits are seconds.
fn go_duration(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 9] = [
        ("ns", 1e-9),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("ms", 1e-3),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3600.0),
        // Units of Prometheus and OpenSLO, not of Go.
        ("d", 86_400.0),
        ("w", 604_800.0),
    ];
    let text = text.trim();
    if !text.is_empty() && text.len() < 16 && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest.get(..end)?.parse().ok()?;
        rest = rest.get(end..)?;
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = rest.get(..end)?;
        seconds += number * UNITS.iter().find(|(name, _)| *name == unit)?.1;
        rest = rest.get(end..)?;
    }
    (!text.is_empty()).then_some(seconds)
}

/// Adds a finding for each value that was never read.
pub(super) fn unread(root: &At<'_>) {
    if root.node.whole.get() {
        return;
    }
    match &root.node.value {
        Value::Scalar(..) => {}
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                let seen = item.seen.get();
                let at = root.below(item, &index.to_string(), item.place);
                if seen {
                    unread(&at);
                } else {
                    let key = index.to_string();
                    at.remark(ImportFinding::UnknownKey { key, nearest: None });
                }
            }
        }
        Value::Table(entries) => {
            for entry in entries {
                let seen = entry.node.seen.get();
                let at = root.below(&entry.node, &entry.key, entry.place);
                if seen {
                    unread(&at);
                } else {
                    let asked = root.node.asked.borrow();
                    let nearest = nearest(&entry.key, asked.iter().copied());
                    at.remark(ImportFinding::UnknownKey { key: shown(&entry.key), nearest });
                }
            }
        }
    }
}
