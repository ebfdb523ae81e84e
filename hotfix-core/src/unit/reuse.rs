//! Copies that go into memory that is there already.

/// `Clone` of a struct, field by field. `clone_from` uses the memory of the fields again, which a derived one does not: runs
/// of a simulation that start from one state would spend a twentieth of their time on allocating it.
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
