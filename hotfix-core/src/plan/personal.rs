//! Where documents name people: to leave names out of digests, and to keep them beside the hashed part of a log.

use std::borrow::Cow;

use crate::policy::Policy;

use super::{Preparer, Release, Subject};

/// A document that names people.
pub(crate) trait Named: Clone {
    /// Whether it names anybody.
    fn names_anybody(&self) -> bool;

    /// Every value about a person, with its place: a JSON Pointer into the document.
    fn each_name(&mut self, each: &mut dyn FnMut(&str, &mut String));
}

/// Who holds roles, and how they are reached. How a role itself is reached, whoever holds it, is about nobody.
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

/// Who wrote the fix, and the person who prepared the plan: a program is nobody.
impl Named for Release {
    fn names_anybody(&self) -> bool {
        let prepared_by = self.record.as_ref().and_then(|record| record.prepared_by.as_ref());
        self.author.is_some() || prepared_by.is_some_and(|by| by.kind == Preparer::Person)
    }

    fn each_name(&mut self, each: &mut dyn FnMut(&str, &mut String)) {
        if let Some(author) = &mut self.author {
            each("/author", author);
        }
        let record = self.record.as_mut();
        let prepared_by = record.and_then(|record| record.prepared_by.as_mut());
        if let Some(by) = prepared_by.filter(|by| by.kind == Preparer::Person) {
            each("/record/prepared_by/name", &mut by.name);
        }
    }
}

impl Named for Subject {
    fn names_anybody(&self) -> bool {
        self.release.names_anybody()
    }

    fn each_name(&mut self, each: &mut dyn FnMut(&str, &mut String)) {
        self.release.each_name(&mut |place, name| each(&format!("/release{place}"), name));
    }
}

/// The document with empty text for every value about a person: what digests are taken of, so that they are the same before and
/// after names were taken out.
pub(crate) fn nameless<T: Named>(document: &T) -> Cow<'_, T> {
    if !document.names_anybody() {
        return Cow::Borrowed(document);
    }
    let mut blank = document.clone();
    blank.each_name(&mut |_, name| name.clear());
    Cow::Owned(blank)
}
