//! JSON form of a decision.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::{Decision, Remaining};
use crate::unit::Name;

impl Serialize for Decision<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let open = self.open();
        let leaves: Vec<Name> = open.leaves.iter().map(|leaf| leaf.id).collect();
        let gaps: Vec<Name> = open.gaps.iter().map(|question| question.id).collect();
        let contradictions: Vec<&str> =
            self.contradictions().into_iter().map(|implication| implication.id.as_str()).collect();
        let mut decision = serializer.serialize_struct("Decision", 9)?;
        decision.serialize_field("outcome", &self.outcome())?;
        decision.serialize_field("settled", &self.settled())?;
        decision.serialize_field("path", &self.path())?;
        decision.serialize_field("reachable", &leaves)?;
        decision.serialize_field("gaps", &gaps)?;
        decision.serialize_field("circular", &self.circular())?;
        decision.serialize_field("next_question", &self.next_question())?;
        decision.serialize_field("contradictions", &contradictions)?;
        decision.serialize_field("exact", &self.exact())?;
        decision.end()
    }
}

/// The ids of the leaves by value, from the smallest value to the largest.
pub(super) fn by_value<S: Serializer>(
    if_known: &[Remaining<'_>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let ids = |left: &Remaining<'_>| left.leaves.iter().map(|leaf| leaf.id).collect::<Vec<_>>();
    serializer.collect_map(if_known.iter().map(|left| (&left.value, ids(left))))
}
