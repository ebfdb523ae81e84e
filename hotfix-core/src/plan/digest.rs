//! The digest of a plan, and the names of people, which it and the hashed part of a log leave out.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::{MetricCalibration, Preparer, Release, Subject};
use crate::canonical::{Begun, CanonicalError, Digest, Encoder, digest};
use crate::policy::Policy;
use crate::unit::MetricName;

/// SHA-256 of `{"calibration", "policy", "subject"}` in canonical JSON, without `calibration` if it
/// is empty, and with an empty text for each name of a person.
///
/// Canonical JSON sorts members, so without calibrations all plans of a policy begin with the same
/// text, the policy, which is hashed once.
pub(super) fn of(
    policy: &Policy,
    subject: &Subject,
    calibration: &BTreeMap<MetricName, MetricCalibration>,
) -> Result<Digest, CanonicalError> {
    let begun = policy.reasoned.plans(|| {
        let mut text = b"{\"policy\":".to_vec();
        Encoder::new().encode(&*nameless(policy), &mut text).ok()?;
        text.extend_from_slice(b",\"subject\":");
        Some(Begun::with(&text))
    });
    match begun.filter(|_| calibration.is_empty()) {
        Some(begun) => {
            let mut text = Vec::new();
            Encoder::new().encode(&*nameless(subject), &mut text)?;
            text.push(b'}');
            Ok(begun.end(&text))
        }
        None => whole(policy, subject, calibration),
    }
}

fn whole(
    policy: &Policy,
    subject: &Subject,
    calibration: &BTreeMap<MetricName, MetricCalibration>,
) -> Result<Digest, CanonicalError> {
    #[derive(Serialize)]
    struct Whole<'a> {
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        calibration: &'a BTreeMap<MetricName, MetricCalibration>,
        policy: &'a Policy,
        subject: &'a Subject,
    }
    digest(&Whole { calibration, policy: &nameless(policy), subject: &nameless(subject) })
}

/// A document that names people.
pub(crate) trait Named: Clone {
    fn names_anybody(&self) -> bool;

    /// Every value about a person, with its place: a JSON Pointer into the document.
    fn each_name(&mut self, each: &mut dyn FnMut(&str, &mut String));
}

/// The holders of roles, and their contacts. The contact of a role itself is not personal.
impl Named for Policy {
    fn names_anybody(&self) -> bool {
        self.roles.iter().any(|role| !role.holders.is_empty())
    }

    fn each_name(&mut self, each: &mut dyn FnMut(&str, &mut String)) {
        for role in &mut self.roles {
            for (index, holder) in role.holders.iter_mut().enumerate() {
                let place = format!("/roles/{}/holders/{index}", role.id);
                each(&format!("{place}/name"), &mut holder.name);
                if let Some(reach) = &mut holder.reach {
                    each(&format!("{place}/reach"), reach);
                }
            }
        }
    }
}

/// The author of the fix, and the person who prepared the plan. A program is not a person.
impl Named for Release {
    fn names_anybody(&self) -> bool {
        let prepared_by =
            self.change_record.as_ref().and_then(|record| record.prepared_by.as_ref());
        self.author.is_some() || prepared_by.is_some_and(|by| by.kind == Preparer::Person)
    }

    fn each_name(&mut self, each: &mut dyn FnMut(&str, &mut String)) {
        if let Some(author) = &mut self.author {
            each("/author", author);
        }
        let record = self.change_record.as_mut();
        let prepared_by = record.and_then(|record| record.prepared_by.as_mut());
        if let Some(by) = prepared_by.filter(|by| by.kind == Preparer::Person) {
            each("/change_record/prepared_by/name", &mut by.name);
        }
    }
}

impl Named for Subject {
    fn names_anybody(&self) -> bool {
        self.release.as_ref().is_some_and(Named::names_anybody)
    }

    fn each_name(&mut self, each: &mut dyn FnMut(&str, &mut String)) {
        if let Some(release) = &mut self.release {
            release.each_name(&mut |place, name| each(&format!("/release{place}"), name));
        }
    }
}

/// The document with an empty text for every value about a person. Digests use it, so that they are
/// the same after names were redacted.
pub(crate) fn nameless<T: Named>(document: &T) -> Cow<'_, T> {
    if !document.names_anybody() {
        return Cow::Borrowed(document);
    }
    let mut blank = document.clone();
    blank.each_name(&mut |_, name| name.clear());
    Cow::Owned(blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plan_7_the_quick_way_and_the_whole_text_have_one_digest() {
        let none = BTreeMap::new();
        for name in Policy::presets() {
            let policy = Policy::preset(name).unwrap();
            for id in ["INC-1", "INC-2 \"quoted\" \u{1f525}"] {
                let mut subject = Subject::default();
                subject.incident.id = id.to_owned();
                let expected = whole(&policy, &subject, &none).unwrap();
                assert_eq!(of(&policy, &subject, &none).unwrap(), expected, "{name}");
            }
        }
    }
}
