//! Methods that give a part of a value, one a line.

/// Getters of a type: `pub Plan: self; /// Its digest. digest: Digest = self.digest;`
macro_rules! getters {
    ($vis:vis $of:ident: $self:ident; $($(#[$doc:meta])* $name:ident: $type:ty = $value:expr;)+) => {
        impl $of {
            $($(#[$doc])* $vis const fn $name(&$self) -> $type { $value })+
        }
    };
}
pub(crate) use getters;
