//! Typed objects over the core's documents: attributes, and `[]` with the names of the JSON in Rust
//! and C.

use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::convert::object;
use crate::typed::Name;

/// The serialised form of a value: the JSON, in which NaN and infinities are null.
pub(crate) fn value(inner: &impl Serialize) -> Value {
    serde_json::to_value(inner).unwrap_or_default()
}

pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> PyResult<T> {
    serde_json::from_str(text).map_err(|e| PyValueError::new_err(e.to_string()))
}

/// Equal values have equal serialised forms.
pub(crate) fn hash(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.to_string().hash(&mut hasher);
    hasher.finish()
}

/// A member that is text; empty without it.
pub(crate) fn text(of: &Value, key: &str) -> String {
    of[key].as_str().unwrap_or_default().to_owned()
}

/// The same; None without it.
pub(crate) fn word(of: &Value, key: &str) -> Option<String> {
    of[key].as_str().map(str::to_owned)
}

/// A member that is a whole number; 0 without it.
pub(crate) fn whole(of: &Value, key: &str) -> u64 {
    of[key].as_u64().unwrap_or_default()
}

/// A member that is one of a set of names.
pub(crate) fn name<H>(of: &Value, key: &str) -> Name<H> {
    Name::new(text(of, key).into())
}

pub(crate) fn maybe<H>(of: &Value, key: &str) -> Option<Name<H>> {
    of[key].is_string().then(|| name(of, key))
}

pub(crate) fn flag(of: &Value, key: &str) -> bool {
    of[key].as_bool().unwrap_or_default()
}

/// The items of a list, each as an object.
pub(crate) fn every<T>(of: &Value, make: impl Fn(Value) -> T) -> Vec<T> {
    of.as_array().into_iter().flatten().cloned().map(make).collect()
}

pub(crate) fn each<T>(of: &Value, key: &str, make: impl Fn(Value) -> T) -> Vec<T> {
    every(&of[key], make)
}

pub(crate) fn texts(of: &Value, key: &str) -> Vec<String> {
    of[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(crate) fn one<T>(of: &Value, key: &str, make: impl Fn(Value) -> T) -> Option<T> {
    of.get(key).filter(|value| !value.is_null()).cloned().map(make)
}

/// The names of the members that are present.
pub(crate) fn keys(value: &Value) -> Vec<String> {
    value.as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default()
}

pub(crate) fn iter<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyIterator>> {
    PyList::new(py, keys(value))?.try_iter()
}

pub(crate) fn repr(py: Python<'_>, name: &str, value: &Value) -> PyResult<String> {
    Ok(format!("{name}({})", object(py, value)?.repr()?))
}

/// Declares a frozen class over a value, with the getters given; a second block has its methods.
macro_rules! shown {
    ($(#[$doc:meta])* $name:ident($inner:ty) as [$($option:tt)*] {
        $($(#[$getter_doc:meta])* fn $getter:ident($this:ident $(, $py:ident)?) -> $result:ty { $body:expr })*
    } { $($method:tt)* }) => {
        $(#[$doc])*
        #[pyo3::pyclass(frozen, eq, $($option)*)]
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) struct $name(pub(crate) $inner);

        #[pyo3::pymethods]
        impl $name {
            $(
                $(#[$getter_doc])*
                #[getter]
                fn $getter(&self $(, $py: pyo3::Python<'_>)?) -> $result {
                    let $this = &self.0;
                    $body
                }
            )*

            $($method)*
        }
    };
}
pub(crate) use shown;

/// Declares a frozen class over a value that serialises: the getters given, `to_dict`, `[]`, `in`,
/// `keys`, equality, hash, repr and pickling; a second block has further methods.
///
/// The class belongs to the module `hotfix`; `in "hotfix.stats"` after the type names another
/// module. Of a type with `.part` only that part is shown as a dict.
macro_rules! document {
    ($(#[$doc:meta])* $name:ident($inner:ty) { $($getters:tt)* } $($methods:tt)?) => {
        $crate::document::document! { $(#[$doc])* $name($inner) in "hotfix" { $($getters)* } $($methods)? }
    };
    ($(#[$doc:meta])* $name:ident($inner:ty) $(. $part:ident)? in $module:literal { $($getters:tt)* } $({ $($method:tt)* })?) => {
        $crate::document::shown! { $(#[$doc])* $name($inner) as [mapping, module = $module] { $($getters)* } {
            $($($method)*)?

            /// As a dict: the same JSON as in Rust and C. Absent values are left out; None is a number
            /// that is infinite.
            fn to_dict<'py>(&self, py: pyo3::Python<'py>) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
                $crate::convert::object(py, &$crate::document::value(&self.0 $(.$part)?))
            }

            fn __getitem__<'py>(
                &self,
                py: pyo3::Python<'py>,
                key: &pyo3::Bound<'py, pyo3::PyAny>,
            ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
                pyo3::types::PyAnyMethods::get_item(&self.to_dict(py)?, key)
            }

            fn __contains__(&self, key: &pyo3::Bound<'_, pyo3::PyAny>) -> bool {
                let value = $crate::document::value(&self.0 $(.$part)?);
                $crate::convert::key_of(key).is_ok_and(|key| value.get(key).is_some())
            }

            fn __iter__<'py>(
                &self,
                py: pyo3::Python<'py>,
            ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::types::PyIterator>> {
                $crate::document::iter(py, &$crate::document::value(&self.0 $(.$part)?))
            }

            /// The members that are present.
            fn keys(&self) -> Vec<String> {
                $crate::document::keys(&$crate::document::value(&self.0 $(.$part)?))
            }

            fn __repr__(&self, py: pyo3::Python<'_>) -> pyo3::PyResult<String> {
                $crate::document::repr(py, stringify!($name), &$crate::document::value(&self.0 $(.$part)?))
            }

            fn __hash__(&self) -> u64 {
                $crate::document::hash(&$crate::document::value(&self.0 $(.$part)?))
            }

            #[staticmethod]
            fn _from_json(text: &str) -> pyo3::PyResult<Self> {
                $crate::document::from_json(text).map(Self)
            }

            fn __reduce__<'py>(
                &self,
                py: pyo3::Python<'py>,
            ) -> pyo3::PyResult<(pyo3::Bound<'py, pyo3::PyAny>, (String,))> {
                let class = <Self as pyo3::PyTypeInfo>::type_object(py);
                let make = pyo3::types::PyAnyMethods::getattr(class.as_any(), "_from_json")?;
                Ok((make, ($crate::document::value(&self.0).to_string(),)))
            }
        } }
    };
}
pub(crate) use document;
