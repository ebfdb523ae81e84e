//! The reading of one metric: both arms, or both arms of each stratum.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::convert::Infallible;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::shown;
use crate::unit::FromText;

use super::reading::{Arms, twice};

/// The reading of one metric: the two arms, or strata with two arms each, by name or as a list.
/// Strata are parts of the traffic that are compared separately, such as regions: the evidence is that
/// of all and of each, while windows and bands use their sums. Where running totals are sent, the names must not
/// change, nor the number and the order of a list: a stratum that was not read is empty. None may
/// have the name of a member of the arms: `baseline`, `canary`, `totals`.
///
/// ```
/// use hotfix_core::metric::Observation;
/// let seen: Observation = serde_json::from_str(
///     r#"{"error_rate": {"eu": {"canary": [3, 500], "baseline": [24, 4500]},
///                        "us": {"canary": [0, 500], "baseline": [2, 4500]}}}"#,
/// )?;
/// assert_eq!(seen.iter().next().unwrap().1.strata().count(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The arms, or those of the first stratum.
    first: Arms,
    /// None without strata, as in most readings.
    more: Option<Box<More>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct More {
    /// The arms of the other strata.
    arms: Vec<Arms>,
    /// The names of all strata in order; empty for a list.
    names: Vec<String>,
}

/// Which stratum of a reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stratum {
    /// Its place in the list, from 0.
    Place(usize),
    /// Its name.
    Name(String),
}

impl Reading {
    /// What is wrong with an object that has members of both.
    pub const ARMS_OR_STRATA: &str = "an object has both arms, or strata by name: write `totals` in each \
         stratum, as in {\"eu\": {\"totals\": true, \"canary\": …, \"baseline\": …}}";

    /// A reading by strata as a list: the first, and the others.
    pub fn stratified(first: Arms, more: Vec<Arms>) -> Self {
        let is_list = !more.is_empty();
        let more = More { arms: more, names: Vec::new() };
        Self { first, more: is_list.then(|| Box::new(more)) }
    }

    /// A reading by strata that have names; without any, a reading with empty arms.
    pub fn by_stratum(strata: BTreeMap<String, Arms>) -> Self {
        let has_any = !strata.is_empty();
        let (names, arms): (_, Vec<_>) = strata.into_iter().unzip();
        let mut arms = arms.into_iter();
        let first = arms.next().unwrap_or_default();
        let more = More { arms: arms.collect(), names };
        Self { first, more: has_any.then(|| Box::new(more)) }
    }

    /// Its strata in order; a single one for a reading without strata.
    pub fn strata(&self) -> impl Iterator<Item = &Arms> + Clone {
        let more = self.more.as_ref().map_or(&[][..], |more| more.arms.as_slice());
        std::iter::once(&self.first).chain(more)
    }

    /// Its strata in order, to be changed in place.
    pub(crate) fn strata_mut(&mut self) -> impl Iterator<Item = &mut Arms> {
        let more = self.more.as_mut().map_or(&mut [][..], |more| more.arms.as_mut_slice());
        std::iter::once(&mut self.first).chain(more)
    }

    /// The names of its strata in order; empty for a list, and without strata.
    pub fn names(&self) -> &[String] {
        self.more.as_ref().map_or(&[], |more| &more.names)
    }

    /// The stratum at a place; None without strata.
    pub(super) fn stratum(&self, place: usize) -> Option<Stratum> {
        let name = self.more.as_ref()?.names.get(place);
        Some(name.map_or(Stratum::Place(place), |name| Stratum::Name(name.clone())))
    }

    /// The arms where there are no strata.
    pub fn whole(&self) -> Option<&Arms> {
        self.more.is_none().then_some(&self.first)
    }

    /// The arms, to be changed in place: a reading without strata from now on.
    #[inline]
    pub fn whole_mut(&mut self) -> &mut Arms {
        if self.more.is_some() {
            self.more = None;
        }
        &mut self.first
    }
}

impl From<Arms> for Reading {
    fn from(first: Arms) -> Self {
        Self { first, more: None }
    }
}

impl Serialize for Reading {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.more {
            None => self.first.serialize(serializer),
            Some(more) if more.names.is_empty() => serializer.collect_seq(self.strata()),
            Some(more) => serializer.collect_map(more.names.iter().zip(self.strata())),
        }
    }
}

impl<'de> Deserialize<'de> for Reading {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = Reading;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "{\"canary\", \"baseline\"}, or such an object for each stratum, by name or as a list",
                )
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Reading, A::Error> {
                let mut strata = BTreeMap::new();
                let mut member = map.next_key::<Member>()?;
                while let Some(Member::Stratum(name)) = member {
                    let arms = map.next_value_seed(OfStratum(Some(&name)))?;
                    match strata.entry(name) {
                        Entry::Occupied(known) => return Err(twice(known.key())),
                        Entry::Vacant(place) => place.insert(arms),
                    };
                    member = map.next_key()?;
                }
                match member {
                    None => Ok(Reading::by_stratum(strata)),
                    Some(Member::OfArms(first)) if strata.is_empty() => {
                        let begun = Begun { first: Some(first), is_totals: first == "totals", map };
                        Arms::deserialize(MapAccessDeserializer::new(begun)).map(Reading::from)
                    }
                    Some(_) => Err(A::Error::custom(Reading::ARMS_OR_STRATA)),
                }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Reading, A::Error> {
                let Some(first) = seq.next_element_seed(OfStratum(None))? else {
                    return Err(A::Error::custom("a list of strata has at least one"));
                };
                let mut more = Vec::new();
                while let Some(arms) = seq.next_element_seed(OfStratum(None))? {
                    more.push(arms);
                }
                Ok(Reading::stratified(first, more))
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

/// Members of the arms, so no stratum may have such a name.
pub(super) const NO_STRATA: [&str; 3] = ["baseline", "canary", "totals"];

/// A member of a reading.
enum Member {
    OfArms(&'static str),
    Stratum(String),
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let member = |text: &str| {
            let known = NO_STRATA.into_iter().find(|known| *known == text);
            Ok::<_, Infallible>(known.map_or_else(|| Self::Stratum(text.to_owned()), Self::OfArms))
        };
        deserializer.deserialize_str(FromText("a name", member))
    }
}

/// An object of which the first key was read already. No stratum follows `totals`.
struct Begun<A> {
    first: Option<&'static str>,
    is_totals: bool,
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Begun<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let known = match self.first.take() {
            None if self.is_totals => match self.map.next_key()? {
                Some(Member::Stratum(_)) => {
                    return Err(A::Error::custom(Reading::ARMS_OR_STRATA));
                }
                Some(Member::OfArms(name)) => name,
                None => return Ok(None),
            },
            None => return self.map.next_key_seed(seed),
            Some(first) => first,
        };
        seed.deserialize(known.into_deserializer()).map(Some)
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// Reads the arms of a stratum, which are not a list: a list would be read as the fields in order.
struct OfStratum<'a>(Option<&'a str>);

impl<'de> DeserializeSeed<'de> for OfStratum<'_> {
    type Value = Arms;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Arms, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OfStratum<'_> {
    type Value = Arms;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{\"canary\", \"baseline\"}")?;
        self.0.map_or(Ok(()), |name| write!(f, " of the stratum `{}`", shown(name)))
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Arms, A::Error> {
        Arms::deserialize(MapAccessDeserializer::new(map))
    }
}
