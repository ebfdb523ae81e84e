//! Methods that give a part of a value, and documents of such parts, one a line.

/// Getters of a type: `pub Plan: self; /// Its digest. digest: Digest = self.digest;`. After `pub fn`
/// they need not be constant.
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

/// Writes an object with these members, in this order: `object!(serializer, Step: id = self.id)`.
macro_rules! object {
    ($to:ident, $of:ident: $($name:ident = $value:expr),+ $(,)?) => {{
        use serde::ser::SerializeStruct as _;
        let mut object = $to.serialize_struct(stringify!($of), [$(stringify!($name)),+].len())?;
        $(object.serialize_field(stringify!($name), &$value)?;)+
        object.end()
    }};
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
