//! JSON form of a decision.

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::{Decision, NextQuestion, Remaining};
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

impl Serialize for NextQuestion<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut question = serializer.serialize_struct("NextQuestion", 4)?;
        question.serialize_field("fact", &self.fact)?;
        question.serialize_field("ask", self.ask)?;
        question.serialize_field("kind", &self.kind)?;
        question.serialize_field("if_known", &ByValue(&self.if_known))?;
        question.end()
    }
}

/// The ids of the leaves by value, from the smallest value to the largest.
struct ByValue<'r, 'a>(&'r [Remaining<'a>]);

impl Serialize for ByValue<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for remaining in self.0 {
            let leaves: Vec<Name> = remaining.leaves.iter().map(|leaf| leaf.id).collect();
            map.serialize_entry(&remaining.value, &leaves)?;
        }
        map.end()
    }
}
