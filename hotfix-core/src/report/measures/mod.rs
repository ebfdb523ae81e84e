//! Measures from logs: of one incident, their trend over many incidents, and similar incidents.
//!
//! Everything is computed from logs only. A value that was not recorded is neither zero nor false:
//! a measure is known, open (the incident is not over, and the value is the one so far), or not
//! stated.

mod dora;
mod error;
mod figures;
mod incident_history;
mod logs;
mod median;
mod page;
mod similar;
mod trend;
mod value;

pub use dora::{Clocks, Dora, DoraRow, Outcomes, Period, dora};
pub use error::MeasureError;
pub use figures::{MeasureName, Measures};
pub(crate) use incident_history::{Incident, IncidentHistory};
pub use logs::{split_logs, starts_with_an_opening};
pub use median::Median;
pub(crate) use page::{called, described};
pub use similar::{Agreement, Known, Similar, similar};
pub use trend::Chart;
pub use value::{ErrorRate, Figure, Impact, ImpactUnit, Mark, Measure, MeasureStatus, Objective};
