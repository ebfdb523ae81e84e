//! The names of enumerations, and the values of the core that they are.

/// The name of each value of an enumeration, in order, and the enumeration of the core with the
/// same values, if there is one.
macro_rules! named {
    ($name:ident { $($value:ident = $text:literal,)+ }) => {
        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$value,)+];

            const fn name(self) -> &'static std::ffi::CStr {
                match self { $(Self::$value => $text,)+ }
            }

            /// The name of a number, which need not be a value.
            fn name_of(number: i32) -> *const std::ffi::c_char {
                let known = Self::ALL.iter().find(|known| **known as i32 == number);
                known.map_or(c"unknown", |known| known.name()).as_ptr()
            }
        }
    };
    ($name:ident is $core:ident { $($value:ident = $text:literal,)+ }) => {
        $crate::names::named! { $name { $($value = $text,)+ } }

        impl From<$core> for $name {
            fn from(value: $core) -> Self {
                match value { $($core::$value => Self::$value,)+ }
            }
        }
    };
}
pub(crate) use named;

/// A value of the core, by its number in C.
macro_rules! by_number {
    ($number:expr, $parameter:literal, $name:ident is $core:ident { $($value:ident),+ }) => {
        match $number {
            $(number if number == $name::$value as i32 => Ok($core::$value),)+
            other => Err(hotfix_error::no_member($parameter, other, stringify!($name))),
        }
    };
}
pub(crate) use by_number;
