//! Every fault that the linter knows, each with its code, level, sentence and remedy.

use super::finding::Level;

macro_rules! faults {
    ($($(#[$doc:meta])* $code:literal $level:ident $variant:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* } remedy $remedy:literal)*) => {
        /// What the linter may find.
        #[derive(Clone, Debug, PartialEq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Fault {
            $($(#[$doc])* $variant { $($(#[$field_doc])* $field: $type,)* },)*
        }

        impl Fault {
            /// Every code of the linter, in order.
            pub const CODES: &'static [&'static str] = &[$($code,)*];

            /// The stable code.
            pub const fn code(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $code,)* }
            }

            /// How grave it is.
            pub const fn level(&self) -> Level {
                match self { $(Self::$variant { .. } => Level::$level,)* }
            }

            /// What to do about it.
            pub const fn remedy(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $remedy,)* }
            }
        }
    };
}

// Tree and rules: 001 to 019. Bounds, phases and statistics: 020 to 039. Deadlines, people and messages: 040 to 069.
faults! {
    /// The questions lead round in a circle.
    #[error("these questions lead back to the first of them: {questions}")]
    "HF-LINT-001" Deny Circle {
        /// Their ids, in the order of the circle.
        questions: String,
    }
    remedy "let one of them lead to a leaf"
}
