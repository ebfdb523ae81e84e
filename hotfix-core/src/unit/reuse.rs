//! Copies into memory that is already allocated.

/// `Clone` of a struct, field by field. `clone_from` reuses the memory of the fields, which the
/// derived one does not: simulation runs that start from one state would spend 5% of their time on
/// allocating it.
macro_rules! clone_in_place {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl Clone for $name {
            fn clone(&self) -> Self {
                let Self { $($field),+ } = self;
                Self { $($field: Clone::clone($field)),+ }
            }

            fn clone_from(&mut self, source: &Self) {
                let Self { $($field),+ } = source;
                $(Clone::clone_from(&mut self.$field, $field);)+
            }
        }
    };
}

pub(crate) use clone_in_place;
