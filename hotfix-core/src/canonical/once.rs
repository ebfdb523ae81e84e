//! Objects of external JSON, which are refused if a member occurs twice: there is no right choice
//! between the two.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

/// Target that an object's members are read into.
pub(crate) trait Members: Sized {
    type Name: DeserializeOwned + fmt::Display + Ord;
    type Member: DeserializeOwned;

    fn of(members: BTreeMap<Self::Name, Self::Member>) -> Self;
}

impl Members for Map<String, Value> {
    type Name = String;
    type Member = Value;

    fn of(members: BTreeMap<String, Value>) -> Self {
        members.into_iter().collect()
    }
}

impl<K: DeserializeOwned + fmt::Display + Ord, V: DeserializeOwned> Members for BTreeMap<K, V> {
    type Name = K;
    type Member = V;

    fn of(members: Self) -> Self {
        members
    }
}

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
                let mut members = BTreeMap::new();
                while let Some(name) = map.next_key::<M::Name>()? {
                    if members.contains_key(&name) {
                        return Err(A::Error::custom(format_args!("`{name}` comes twice")));
                    }
                    members.insert(name, map.next_value()?);
                }
                Ok(Once(M::of(members)))
            }
        }
        deserializer.deserialize_map(Object(PhantomData))
    }
}

/// Reads an object, and refuses one in which a member occurs twice; `null` is an empty one.
pub(crate) fn each_once<'de, D: Deserializer<'de>, M: Members + Default>(
    from: D,
) -> Result<M, D::Error> {
    each_once_if_any(from).map(Option::unwrap_or_default)
}

/// Reads a value that may be left out; `null` is the default, too.
pub(crate) fn if_any<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// As [`each_once`], with None for `null`.
pub(crate) fn each_once_if_any<'de, D: Deserializer<'de>, M: Members>(
    from: D,
) -> Result<Option<M>, D::Error> {
    Option::<Once<M>>::deserialize(from).map(|members| members.map(|once| once.0))
}
