//! What the plots show, as SVG. To be written.
use super::model::DutyPart;
/// x
pub(super) fn is_drawn(duty: &DutyPart) -> bool {
    duty.from.is_some()
}
