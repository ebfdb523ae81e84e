//! What a log tells afterwards: measures of one incident, their trend over many, incidents like it (POST-3).
//!
//! Everything here is worked out from logs alone. What nobody said is no zero and no 'no': a measure is known, open (the
//! incident goes on, and the value is the one so far), or was not said.

mod trend;
mod course;
mod dora;
mod error;
mod logs;
mod measure;
mod median;
mod page;
mod similar;
mod value;

pub use trend::Chart;
pub use dora::{Clocks, Dora, DoraRow, Outcomes, Period, dora};
pub use error::ReportError;
pub use logs::{split_logs, starts_with_an_opening};
pub use measure::{MeasureName, Measures};
pub use median::Median;
pub use similar::{Agreement, Known, Similar, similar};
pub use value::{ErrorRate, Figure, Hurt, Mark, Measure, Objective, Standing};
