//! What other tools take: a log as their events, a rollout as their metrics and calendar.
//!
//! Nothing here names people: who does something is a role. Free texts of people (titles, notes, reasons) stay in the log.

pub mod cdevents;
mod error;
pub mod grafana;
pub mod icalendar;
pub mod openmetrics;

pub use error::ExportError;
