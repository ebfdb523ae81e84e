//! Objects of other people's JSON in which each member stands once: which of two holds is not for us to choose.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

struct Once<K, V>(BTreeMap<K, V>);

impl<'de, K, V> Deserialize<'de> for Once<K, V>
where
    K: Deserialize<'de> + fmt::Display + Ord,
    V: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<K, V>(PhantomData<(K, V)>);
        impl<'de, K, V> Visitor<'de> for Members<K, V>
        where
            K: Deserialize<'de> + fmt::Display + Ord,
            V: Deserialize<'de>,
        {
            type Value = Once<K, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Once<K, V>, A::Error> {
                let mut members = BTreeMap::new();
                while let Some(name) = map.next_key::<K>()? {
                    if members.contains_key(&name) {
                        return Err(A::Error::custom(format_args!("`{name}` comes twice")));
                    }
                    members.insert(name, map.next_value()?);
                }
                Ok(Once(members))
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// Reads an object; one that names a member twice is refused.
pub(crate) fn each_once<'de, D, M, K, V>(deserializer: D) -> Result<M, D::Error>
where
    D: Deserializer<'de>,
    M: FromIterator<(K, V)>,
    K: Deserialize<'de> + fmt::Display + Ord,
    V: Deserialize<'de>,
{
    Ok(Once::deserialize(deserializer)?.0.into_iter().collect())
}

/// The same where `null` stands for none.
pub(crate) fn each_once_if_any<'de, D, M, K, V>(deserializer: D) -> Result<Option<M>, D::Error>
where
    D: Deserializer<'de>,
    M: FromIterator<(K, V)>,
    K: Deserialize<'de> + fmt::Display + Ord,
    V: Deserialize<'de>,
{
    let members = Option::<Once<K, V>>::deserialize(deserializer)?;
    Ok(members.map(|members| members.0.into_iter().collect()))
}
