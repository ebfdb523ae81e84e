//! Every fault that the linter knows, each with its code, level, sentence and remedy.

use super::finding::Level;

macro_rules! faults {
    (
        $(#[$name_doc:meta])*
        $name:ident
        $(parts { $($(#[$part_doc:meta])* $part:ident($part_type:ident),)* })?
        $($(#[$doc:meta])* $code:literal $level:ident $variant:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* } remedy $remedy:literal)*
    ) => {
        $(#[$name_doc])*
        #[derive(Clone, Debug, PartialEq, thiserror::Error)]
        #[non_exhaustive]
        pub enum $name {
            $($($(#[$part_doc])* #[error(transparent)] $part(#[from] $part_type),)*)?
            $($(#[$doc])* $variant { $($(#[$field_doc])* $field: $type,)* },)*
        }

        impl $name {
            /// The codes of its own, in order; its parts have theirs.
            pub const CODES: &'static [&'static str] = &[$($code,)*];

            /// The stable code.
            pub const fn code(&self) -> &'static str {
                match self {
                    $($(Self::$part(part) => part.code(),)*)?
                    $(Self::$variant { .. } => $code,)*
                }
            }

            /// How grave it is.
            pub const fn level(&self) -> Level {
                match self {
                    $($(Self::$part(part) => part.level(),)*)?
                    $(Self::$variant { .. } => Level::$level,)*
                }
            }

            /// What to do about it.
            pub const fn remedy(&self) -> &'static str {
                match self {
                    $($(Self::$part(part) => part.remedy(),)*)?
                    $(Self::$variant { .. } => $remedy,)*
                }
            }
        }
    };
}

mod figures;
mod people;
mod times;

pub use figures::{FigureFault, PhaseChance};
pub use people::PeopleFault;
pub use times::TimeFault;

// Tree and rules: 001 to 019. Bounds, phases and statistics: 020 to 039. Deadlines, people and messages: 040 to 069.
faults! {
    /// What the linter may find.
    Fault
    parts {
        /// In bounds, phases and statistics.
        Figures(FigureFault),
        /// In deadlines and other times.
        Times(TimeFault),
        /// In who does what, and who is told.
        People(PeopleFault),
    }

    /// The questions lead round in a circle.
    #[error("these questions lead back to the first of them: {questions}")]
    "HF-LINT-001" Deny Circle {
        /// Their ids, in the order of the circle.
        questions: String,
    }
    remedy "let one of them lead to a leaf"
}
