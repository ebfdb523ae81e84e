//! Objects of external JSON, which are refused if a member occurs twice: there is no right choice
//! between the two.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

/// Target that an object's members are read into.
pub(crate) trait Members: Default {
    type Name: DeserializeOwned + fmt::Display;
    type Member: DeserializeOwned;

    fn has(&self, name: &Self::Name) -> bool;
    fn add(&mut self, name: Self::Name, member: Self::Member);
}

macro_rules! members {
    ($map:ty: $name:ty, $member:ty $(; $($of:tt)+)?) => {
        impl $(<$($of)+>)? Members for $map {
            type Name = $name;
            type Member = $member;

            fn has(&self, name: &$name) -> bool {
                self.contains_key(name)
            }
            fn add(&mut self, name: $name, member: $member) {
                self.insert(name, member);
            }
        }
    };
}

members!(Map<String, Value>: String, Value);
members!(BTreeMap<K, V>: K, V; K: DeserializeOwned + fmt::Display + Ord, V: DeserializeOwned);

struct Once<M>(M);

impl<'de, M: Members> Deserialize<'de> for Once<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<M>(PhantomData<M>);
        impl<'de, M: Members> Visitor<'de> for Object<M> {
            type Value = Once<M>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Once<M>, A::Error> {
                let mut members = M::default();
                while let Some(name) = map.next_key::<M::Name>()? {
                    if members.has(&name) {
                        return Err(A::Error::custom(format_args!("`{name}` comes twice")));
                    }
                    members.add(name, map.next_value()?);
                }
                Ok(Once(members))
            }
        }
        deserializer.deserialize_map(Object(PhantomData))
    }
}

/// Reads an object, and refuses one in which a member occurs twice.
pub(crate) fn each_once<'de, D: Deserializer<'de>, M: Members>(from: D) -> Result<M, D::Error> {
    Once::deserialize(from).map(|once| once.0)
}

/// The same, with `null` for an absent object.
pub(crate) fn each_once_if_any<'de, D: Deserializer<'de>, M: Members>(
    from: D,
) -> Result<Option<M>, D::Error> {
    Option::<Once<M>>::deserialize(from).map(|members| members.map(|once| once.0))
}
