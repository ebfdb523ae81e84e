//! The digest of a plan.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::canonical::{Begun, CanonicalError, Digest, Encoder, digest};
use crate::policy::Policy;
use crate::unit::MetricName;

use super::personal::nameless;
use super::{MetricCalibration, Subject};

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
