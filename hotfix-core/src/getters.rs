//! Methods that give a part of a value, and documents of such parts, one a line.

/// Getters of a type: `pub Plan: self; /// Its digest. digest: Digest = self.digest;`. With `pub
/// fn` they are not `const`.
macro_rules! getters {
    ($vis:vis fn $of:ty: $self:ident; $($(#[$doc:meta])* $name:ident: $type:ty = $value:expr;)+) => {
        impl $of {
            $($(#[$doc])* $vis fn $name(&$self) -> $type { $value })+
        }
    };
    ($vis:vis $of:ident: $self:ident; $($(#[$doc:meta])* $name:ident: $type:ty = $value:expr;)+) => {
        impl $of {
            $($(#[$doc])* $vis const fn $name(&$self) -> $type { $value })+
        }
    };
}
pub(crate) use getters;

/// Writes an object with these members, in this order: `object!(serializer, Step: id = self.id)`. A member
/// `if_some` is left out where it is `None`, one `if_any` where it is empty.
macro_rules! object {
    ($to:ident, $of:ident: $($name:ident $($when:ident)? = $value:expr),+ $(,)?) => {{
        use serde::ser::SerializeStruct as _;
        let mut object = $to.serialize_struct(stringify!($of), [$(stringify!($name)),+].len())?;
        $($crate::getters::object!(@member object, $name, $value $(, $when)?);)+
        object.end()
    }};
    (@member $object:ident, $name:ident, $value:expr) => {
        $object.serialize_field(stringify!($name), &$value)?
    };
    (@member $object:ident, $name:ident, $value:expr, if_some) => {
        if let Some(value) = $value {
            $object.serialize_field(stringify!($name), &value)?;
        }
    };
    (@member $object:ident, $name:ident, $value:expr, if_any) => {
        let value = &$value;
        if !value.is_empty() {
            $object.serialize_field(stringify!($name), value)?;
        }
    };
}
pub(crate) use object;

/// The document of a type: `members! { Finding: self; code = self.code(), path = self.path }`.
macro_rules! members {
    ($of:ident: $self:ident; $($members:tt)+) => {
        impl serde::Serialize for $of {
            fn serialize<S: serde::Serializer>(&$self, to: S) -> Result<S::Ok, S::Error> {
                $crate::getters::object!(to, $of: $($members)+)
            }
        }
    };
}
pub(crate) use members;
