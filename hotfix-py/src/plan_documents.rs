//! The documents of which a plan is made.

use std::sync::Arc;

use hotfix_core::plan::{Plan as Core, PlanError, PlanHistories, Subject};
use hotfix_core::policy::Policy as CorePolicy;
use hotfix_core::unit::MetricName;
use pyo3::prelude::*;
use serde_json::Value;

use crate::calibration::{dict_of, rows, series};
use crate::convert::{json as to_json, key_of};
use crate::error::{Fault, Result};
use crate::plan::Plan;

/// Makes a plan from documents.
pub(crate) fn make(
    policy: &Arc<CorePolicy>,
    incident: &Bound<'_, PyAny>,
    release: Option<&Bound<'_, PyAny>>,
    traffic: Option<&Bound<'_, PyAny>>,
    calibration: Option<&Bound<'_, PyAny>>,
) -> Result<Plan> {
    let subject = Subject::from_values(
        part(incident, "incident")?,
        release.map(|release| part(release, "release")).transpose()?,
        traffic.map(|traffic| part(traffic, "traffic")).transpose()?,
    )?;
    let policy = Arc::clone(policy);
    let Some(histories) = calibration else { return Ok(Plan(Core::try_new(policy, subject)?)) };
    let mut read = PlanHistories::default();
    let py = incident.py();
    let of_plan = |fault: Fault| of_plan(fault.into_value(py), "calibration");
    for (metric, history) in &dict_of(histories, "a calibration").map_err(of_plan)? {
        let name = key_of(&metric).map_err(of_plan)?;
        let within = |fault: Fault| of_plan(fault.into_value(py).within(name));
        let metric =
            MetricName::try_new(name).map_err(|error| within(Fault::value(error.to_string())))?;
        if policy.is_replayed_by_times(metric) {
            read.times.insert(metric, rows(&history).map_err(within)?);
        } else {
            read.counts.insert(metric, series(&history).map_err(within)?);
        }
    }
    let histories = read;
    Ok(Plan(py.detach(|| Core::calibrated(policy, subject, histories))?))
}

fn part(from: &Bound<'_, PyAny>, document: &str) -> Result<Value> {
    to_json(from).map_err(|fault| of_plan(fault, document))
}

/// The fault of a value as one of the plan's documents.
fn of_plan(fault: Fault, document: &str) -> Fault {
    match fault.within(document).into_faults() {
        Ok(faults) => PlanError::Values { faults }.into(),
        Err(other) => other,
    }
}
