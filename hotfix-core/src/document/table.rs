//! Tables that are declared once: their fields with the readers of their keys.

/// Declares tables once: each key with its type and its reader. Without another word it is optional;
/// else it is `needed`, a `list`, as absent where it is `null` (`nullable`, also with a default), or
/// has a default (`or`), which `or_empty` reads from an empty table. `as` is the key of a field with
/// another name. A missing key does not hide the errors of the others.
macro_rules! document_table {
    ($reader:ty; $(
        $(#[$about:meta])*
        $seen:vis struct $name:ident {
            $(
                $(#[$doc:meta])*
                $shown:vis $key:ident $(as $text:literal)?: $type:ty = $read:expr
                    $(, $presence:ident $($default:expr)?)?;
            )+
        }
    )+) => {$(
        $(#[$about])*
        $seen struct $name {
            $($(#[$doc])* $shown $key: $type,)+
        }

        impl $name {
            pub(super) fn from_node(
                reader: &mut $reader,
                node: &$crate::document::Node,
            ) -> Option<Self> {
                let node = reader.table_of(node, &[$(document_table!(@text $key $($text)?)),+])?;
                $(let $key = document_table!(
                    @read reader, node, document_table!(@text $key $($text)?), $read
                    $(, $presence $($default)?)?
                );)+
                Some(Self { $($key: document_table!(@value $key $($presence)?)),+ })
            }
        }
    )+};
    (@text $key:ident) => { stringify!($key) };
    (@text $key:ident $text:literal) => { $text };
    (@read $reader:ident, $node:ident, $key:expr, $read:expr) => {
        $reader.key($node, $key, $read)
    };
    (@read $reader:ident, $node:ident, $key:expr, $read:expr, needed) => {
        $reader.needed($node, $key, $read)
    };
    (@read $reader:ident, $node:ident, $key:expr, $read:expr, list) => {
        $reader.list($node, $key, $read)
    };
    (@read $reader:ident, $node:ident, $key:expr, $read:expr, nullable) => {
        $reader.unless_null($node, $key, $read)
    };
    (@read $reader:ident, $node:ident, $key:expr, $read:expr, nullable $default:expr) => {
        $reader.unless_null($node, $key, $read).unwrap_or_else(|| $default)
    };
    (@read $reader:ident, $node:ident, $key:expr, $read:expr, or $default:expr) => {
        $reader.key($node, $key, $read).unwrap_or_else(|| $default)
    };
    (@read $reader:ident, $node:ident, $key:expr, $read:expr, or_empty) => {
        $reader.key($node, $key, $read).or_else(|| $read($reader, &$crate::document::Node::table::<&str>([])))
    };
    (@value $key:ident needed) => { $key? };
    (@value $key:ident or_empty) => { $key? };
    (@value $key:ident $($presence:ident)?) => { $key };
}

pub(crate) use document_table;
