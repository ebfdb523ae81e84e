//! Reads values from a tree and records which ones were read, so that no part of a document is
//! ignored silently.
//!
//! A value that is never read becomes a finding ([`unread`]). The known keys are those that the
//! code reads; there is no separate list.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::fault::{ConvertErrors, Fault};
use super::finding::{Finding, ImportFinding};
use crate::document::{DocumentFault, Member, Node, Place, Value};
use crate::text::{nearest, pointer_step, shown};

/// The findings and faults of an import, and what it has read.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) findings: RefCell<Vec<Finding>>,
    pub(super) errors: RefCell<ConvertErrors>,
    read: RefCell<BTreeMap<*const Node, Reading>>,
}

/// How the import used a value.
#[derive(Default)]
struct Reading {
    /// Everything in it is handled.
    whole: bool,
    /// The keys of a table that the import knows.
    asked: BTreeSet<&'static str>,
}

/// A value with its place.
#[derive(Clone)]
pub(super) struct At<'d> {
    pub(super) node: &'d Node,
    /// The place of its key, or of the value itself in a list.
    place: Place,
    path: String,
    notes: &'d Notes,
}

impl<'d> At<'d> {
    pub(super) fn root(node: &'d Node, notes: &'d Notes) -> Self {
        let root = Self { node, place: node.place, path: String::new(), notes };
        root.reading(|_| ());
        root
    }

    /// The value of a key or of an index, which the import reads from now on.
    fn below(&self, node: &'d Node, step: &str, place: Place) -> Self {
        let below = self.unread_below(node, step, place);
        below.reading(|_| ());
        below
    }

    fn unread_below(&self, node: &'d Node, step: &str, place: Place) -> Self {
        let path = format!("{}/{}", self.path, pointer_step(step));
        Self { node, place, path, notes: self.notes }
    }

    /// Reads or changes how the import used the value, which from now on counts as read.
    fn reading<T>(&self, use_it: impl FnOnce(&mut Reading) -> T) -> T {
        use_it(self.notes.read.borrow_mut().entry(std::ptr::from_ref(self.node)).or_default())
    }

    fn is_read(&self) -> bool {
        self.notes.read.borrow().contains_key(&std::ptr::from_ref(self.node))
    }

    fn is_whole(&self) -> bool {
        self.reading(|reading| reading.whole)
    }

    pub(super) fn remark(&self, remark: ImportFinding) {
        self.notes.findings.borrow_mut().push(Finding::new(remark, &self.path, self.place));
    }

    /// A setting that works differently in the policy.
    pub(super) fn differs(&self, there: impl Into<String>, here: impl Into<String>) {
        self.remark(ImportFinding::Differs { there: there.into(), here: here.into() });
    }

    /// A setting that works the same, in other words or units.
    pub(super) fn put(&self, there: impl Into<String>, here: impl Into<String>) {
        self.remark(ImportFinding::Put { there: there.into(), here: here.into() });
    }

    /// A different response to missing data.
    pub(super) fn no_data(&self, there: impl Into<String>, here: impl Into<String>) {
        self.remark(ImportFinding::NoData { there: there.into(), here: here.into() });
    }

    /// A setting without a counterpart in a policy.
    pub(super) fn no_counterpart(&self, what: impl Into<String>) {
        self.remark(ImportFinding::NoCounterpart { what: what.into() });
    }

    pub(super) fn fail<T>(&self, fault: impl Into<Fault>) -> Option<T> {
        self.notes.errors.borrow_mut().push_at(self.node.place, &self.path, fault.into());
        None
    }

    fn wrong<T>(&self, expected: &'static str) -> Option<T> {
        self.ignore();
        self.fail(DocumentFault::WrongType { expected, got: self.node.shown() })
    }

    /// Marks everything in it as handled, without effect on the policy.
    pub(super) fn ignore(&self) {
        self.reading(|reading| reading.whole = true);
    }

    /// Marks everything in it as handled by a finding.
    pub(super) fn lost(&self, remark: ImportFinding) {
        self.ignore();
        self.remark(remark);
    }

    fn table(&self) -> Option<&'d [Member]> {
        match &self.node.value {
            Value::Table(members) => Some(members),
            _ if self.node.is_null() => Some(&[]),
            _ => self.wrong("a table"),
        }
    }

    /// The value of a key. Null counts as absent.
    pub(super) fn get(&self, key: &'static str) -> Option<Self> {
        // A value that is not a table is reported once.
        if self.is_whole() {
            return None;
        }
        let members = self.table()?;
        self.reading(|reading| reading.asked.insert(key));
        let Member { place, node, .. } = members.iter().find(|member| member.key == key)?;
        let below = self.below(node, key, *place);
        (!node.is_null()).then_some(below)
    }

    pub(super) fn need(&self, key: &'static str, example: &'static str) -> Option<Self> {
        let found = self.get(key);
        if found.is_none() && !self.is_whole() {
            return self.lacks(key, example);
        }
        found
    }

    /// The value of a key as something, with its place.
    pub(super) fn read<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Self) -> Option<T>,
    ) -> Option<(T, Self)> {
        let at = self.get(key)?;
        Some((read(&at)?, at))
    }

    /// The text of the required key `name`.
    pub(super) fn name(&self, example: &'static str) -> Option<&'d str> {
        self.need("name", example)?.text()
    }

    /// Reports a key that has no counterpart in a policy, where its value can be read.
    pub(super) fn leave_out<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Self) -> Option<T>,
        what: &str,
    ) {
        if let Some((_, at)) = self.read(key, read) {
            at.no_counterpart(what);
        }
    }

    pub(super) fn lacks<T>(&self, key: &'static str, example: &str) -> Option<T> {
        self.fail(DocumentFault::MissingKey { key, example: example.to_owned() })
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

    /// The items of a list under a key, none if it is absent.
    pub(super) fn list(&self, key: &'static str) -> Vec<Self> {
        self.get(key).map(|at| at.items()).unwrap_or_default()
    }

    /// A scalar, and whether it is unquoted.
    pub(super) fn scalar(&self, expected: &'static str) -> Option<(&'d str, bool)> {
        self.node.scalar().or_else(|| self.wrong(expected))
    }

    pub(super) fn text(&self) -> Option<&'d str> {
        self.scalar("a text").map(|(text, _)| text)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.node.scalar().is_some_and(|(text, _)| text.is_empty())
    }

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
                    return self.out_of_range(shown(text), "a finite number");
                }
                _ => return self.wrong("a number"),
            }
        };
        if number.is_finite() {
            return Some(number);
        }
        self.out_of_range(shown(text), "a finite number")
    }

    pub(super) fn out_of_range<T>(&self, got: impl Display, range: &'static str) -> Option<T> {
        self.fail(DocumentFault::OutOfRange { got: format!("`{got}`"), range })
    }

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
        self.out_of_range(number, range)
    }

    pub(super) fn whole_within(&self, least: f64, most: f64, range: &'static str) -> Option<f64> {
        let number = self.number_within(least, most, range)?;
        if number.fract() == 0.0 {
            return Some(number);
        }
        self.out_of_range(number, range)
    }

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
            self.ignore();
            return self.fail(DocumentFault::WrongType {
                expected: "a duration such as `90s`, `10m` or `1h30m`",
                got: format!("`{}`", shown(text)),
            });
        };
        self.within(seconds, 0.001, 864_000_000.0, RANGE)
    }

    /// A delay in seconds. None if it is 0, which Argo accepts.
    pub(super) fn delay_in(&self, text: &str) -> Option<f64> {
        if go_duration(text) == Some(0.0) { None } else { self.duration_in(text) }
    }

    /// One of a closed set of words.
    pub(super) fn word(&self, known: &'static [&'static str]) -> Option<&'static str> {
        let text = self.text()?;
        if let Some(word) = known.iter().find(|word| **word == text) {
            return Some(word);
        }
        self.fail(DocumentFault::unknown_value(text, known))
    }
}

/// `1h30m`, `250ms`, `90s`; bare digits are seconds.
fn go_duration(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 7] = [
        ("ns", 1e-9),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("ms", 1e-3),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3600.0),
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
    if root.is_whole() {
        return;
    }
    for (index, item) in root.node.items().iter().enumerate() {
        let key = index.to_string();
        let at = root.unread_below(item, &key, item.place);
        if at.is_read() {
            unread(&at);
        } else {
            at.remark(ImportFinding::UnknownKey { key, nearest: None });
        }
    }
    for Member { key, place, node } in root.node.members() {
        let at = root.unread_below(node, key, *place);
        if at.is_read() {
            unread(&at);
        } else {
            let nearest = root.reading(|reading| nearest(key, reading.asked.iter().copied()));
            at.remark(ImportFinding::UnknownKey { key: shown(key), nearest });
        }
    }
}
