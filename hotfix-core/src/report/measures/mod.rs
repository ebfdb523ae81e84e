//! What logs tell afterwards: measures of one incident, their trend over many, incidents like it (POST-3).
//!
//! Everything here is worked out from logs alone. What nobody said is no zero and no 'no': a measure is known, open (the
//! incident goes on, and the value is the one so far), or was not said.

mod course;
mod dora;
mod error;
mod figures;
mod logs;
mod median;
mod page;
mod similar;
mod trend;
mod value;

pub(crate) use course::{Course, Incident};
pub use dora::{Clocks, Dora, DoraRow, Outcomes, Period, dora};
pub use error::MeasureError;
pub use figures::{MeasureName, Measures};
pub use logs::{split_logs, starts_with_an_opening};
pub use median::Median;
pub(crate) use page::{called, told};
pub use similar::{Agreement, Known, Similar, similar};
pub use trend::Chart;
pub use value::{ErrorRate, Figure, Hurt, Mark, Measure, Objective, Standing};
