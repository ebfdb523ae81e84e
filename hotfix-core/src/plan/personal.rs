//! The names of people in documents, which digests and the hashed part of a log leave out.

use std::borrow::Cow;

use crate::policy::Policy;

use super::{Preparer, Release, Subject};

/// A document that names people.
pub(crate) trait Named: Clone {
    fn names_anybody(&self) -> bool;

    /// Every value about a person, with its place: a JSON Pointer into the document.
    fn each_name(&mut self, each: &mut dyn FnMut(&str, &mut String));
}

/// The holders of roles, and their contacts. The contact of a role itself is not personal.
impl Named for Policy {
    fn names_anybody(&self) -> bool {
        self.roles.iter().any(|role| !role.holders.is_empty())
    }

    fn each_name(&mut self, each: &mut dyn FnMut(&str, &mut String)) {
        for role in &mut self.roles {
            for (index, holder) in role.holders.iter_mut().enumerate() {
                let place = format!("/roles/{}/holders/{index}", role.id);
                each(&format!("{place}/name"), &mut holder.name);
                if let Some(reach) = &mut holder.reach {
                    each(&format!("{place}/reach"), reach);
                }
            }
        }
    }
}

/// The author of the fix, and the person who prepared the plan. A program is not a person.
impl Named for Release {
    fn names_anybody(&self) -> bool {
        let prepared_by =
            self.change_record.as_ref().and_then(|record| record.prepared_by.as_ref());
        self.author.is_some() || prepared_by.is_some_and(|by| by.kind == Preparer::Person)
    }

    fn each_name(&mut self, each: &mut dyn FnMut(&str, &mut String)) {
        if let Some(author) = &mut self.author {
            each("/author", author);
        }
        let record = self.change_record.as_mut();
        let prepared_by = record.and_then(|record| record.prepared_by.as_mut());
        if let Some(by) = prepared_by.filter(|by| by.kind == Preparer::Person) {
            each("/change_record/prepared_by/name", &mut by.name);
        }
    }
}

impl Named for Subject {
    fn names_anybody(&self) -> bool {
        self.release.as_ref().is_some_and(Named::names_anybody)
    }

    fn each_name(&mut self, each: &mut dyn FnMut(&str, &mut String)) {
        if let Some(release) = &mut self.release {
            release.each_name(&mut |place, name| each(&format!("/release{place}"), name));
        }
    }
}

/// The document with an empty text for every value about a person. Digests use it, so that they are
/// the same after names were redacted.
pub(crate) fn nameless<T: Named>(document: &T) -> Cow<'_, T> {
    if !document.names_anybody() {
        return Cow::Borrowed(document);
    }
    let mut blank = document.clone();
    blank.each_name(&mut |_, name| name.clear());
    Cow::Owned(blank)
}
