//! tmp
use super::{Report, ReportError};
pub(super) fn page(_: &Report) -> Result<String, ReportError> {
    Ok(String::new())
}
