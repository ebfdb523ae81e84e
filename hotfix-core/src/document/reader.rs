//! Reads a tree: the current place, and the errors so far.

use std::collections::BTreeSet;

use super::error::DocumentErrors;
use super::fault::DocumentFault;
use super::node::{Member, Node, Place, Value};
use crate::text::{nearest, pointer_step, shown};

/// The current place, the errors so far, and what else the reader of a family knows.
pub(crate) struct DocumentReader<F, K = ()> {
    errors: DocumentErrors<F>,
    path: String,
    pub(crate) known: K,
}

impl<F: From<DocumentFault>, K> DocumentReader<F, K> {
    pub(crate) const fn knowing(known: K) -> Self {
        Self { errors: DocumentErrors::new(), path: String::new(), known }
    }

    pub(crate) const fn faults(&self) -> usize {
        self.errors.count()
    }

    pub(crate) fn into_errors(self) -> DocumentErrors<F> {
        self.errors
    }

    /// Reads a whole document; its errors are in the order of the text.
    pub(crate) fn read<T>(
        mut self,
        document: &Node,
        read: impl FnOnce(&mut Self, &Node) -> Option<T>,
    ) -> Result<T, DocumentErrors<F>>
    where
        F: PartialEq,
    {
        let read = read(&mut self, document);
        self.errors.placed_in(document).in_order_of_text().or(read)
    }

    /// The current place, as a JSON Pointer.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn own_key(&self) -> String {
        let step = self.path.rsplit('/').next().unwrap_or_default();
        step.replace("~1", "/").replace("~0", "~")
    }

    /// Reports an error at the current place. Returns `None`, so that a read function can return
    /// it.
    pub(crate) fn fail<T>(&mut self, fault: impl Into<F>) -> Option<T> {
        self.fail_in(Place::default(), fault)
    }

    /// Reports an error at the current path, with its place in the text.
    pub(crate) fn fail_in<T>(&mut self, place: Place, fault: impl Into<F>) -> Option<T> {
        self.errors.push_at(place, &self.path, fault.into());
        None
    }

    /// Reports an error at a key of the current table.
    pub(crate) fn fail_at<T>(&mut self, key: &str, fault: impl Into<F>) -> Option<T> {
        self.within(key, |reader| reader.fail(fault))
    }

    /// Reports an error at a place of the whole document.
    pub(crate) fn fail_at_path<T>(&mut self, path: &str, fault: impl Into<F>) -> Option<T> {
        self.errors.push(path, fault.into());
        None
    }

    /// Adds the errors of a document inside this one, which have their places in it.
    pub(crate) fn append(&mut self, errors: DocumentErrors<F>) {
        self.errors.append(errors.under(&self.path));
    }

    /// Reads below a key or an index of the current place.
    pub(crate) fn within<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = enter(&mut self.path, key);
        let out = read(self);
        self.path.truncate(outer);
        out
    }

    /// Reads each item of a list, also after an error: the rest may have more.
    pub(crate) fn each<I, T>(
        &mut self,
        items: impl IntoIterator<Item = I>,
        mut read: impl FnMut(&mut Self, I) -> Option<T>,
    ) -> Vec<T> {
        let items = items.into_iter().enumerate();
        let read = |(i, item): (usize, I)| self.within(&i.to_string(), |reader| read(reader, item));
        items.filter_map(read).collect()
    }

    /// Reads all items of a list; `None` if one has an error.
    pub(crate) fn all<I, T>(
        &mut self,
        items: impl IntoIterator<Item = I, IntoIter: ExactSizeIterator>,
        read: impl FnMut(&mut Self, I) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = items.into_iter();
        let count = items.len();
        let values = self.each(items, read);
        (values.len() == count).then_some(values)
    }

    /// Reads each value of a table with free names, also after an error.
    pub(crate) fn each_named<T>(
        &mut self,
        node: &Node,
        mut read: impl FnMut(&mut Self, &str, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut met = BTreeSet::new();
        let mut values = Vec::new();
        for member in self.table(node)? {
            let Member { key, node, .. } = member;
            if met.insert(key) {
                values.extend(self.within(key, |reader| read(reader, key, node)));
            } else {
                self.duplicate_key(member);
            }
        }
        Some(values)
    }

    pub(crate) fn wrong_type<T>(&mut self, expected: &'static str, node: &Node) -> Option<T> {
        self.fail(DocumentFault::WrongType { expected, got: node.kind().to_owned() })
    }

    pub(crate) fn table<'n>(&mut self, node: &'n Node) -> Option<&'n [Member]> {
        match &node.value {
            Value::Table(entries) => Some(entries),
            _ => self.wrong_type("a table", node),
        }
    }

    /// Sorts the members of a table by its known keys; reports unknown and duplicate ones.
    pub(crate) fn slots<'n>(
        &mut self,
        known: &'static [&'static str],
        members: &'n [Member],
    ) -> Vec<Option<&'n Node>> {
        let mut slots = vec![None; known.len()];
        for member in members {
            let Some(index) = known.iter().position(|name| *name == member.key) else {
                self.unknown_key(member, known);
                continue;
            };
            if slots[index].replace(&member.node).is_some() {
                self.duplicate_key(member);
            }
        }
        slots
    }

    /// The name nearest to an unknown one; None once further errors are only counted, because each
    /// name is compared with all others.
    pub(crate) fn nearest<'n>(
        &self,
        got: &str,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Option<&'n str> {
        if self.errors.is_full() { None } else { nearest(got, names) }
    }

    /// Reports a key that the current table does not have.
    fn unknown_key(&mut self, member: &Member, known: &'static [&'static str]) {
        let key = member.key.as_str();
        let nearest = self.nearest(key, known.iter().copied());
        let fault = DocumentFault::UnknownKey { key: shown(key), nearest, known };
        self.within(key, |reader| reader.fail_in::<()>(member.place, fault));
    }

    /// Reports a key that the current table has twice, at the second.
    pub(crate) fn duplicate_key(&mut self, member: &Member) {
        let fault = DocumentFault::DuplicateKey { key: shown(&member.key) };
        self.within(&member.key, |reader| reader.fail_in::<()>(member.place, fault));
    }

    /// One of a closed set of texts, by its index.
    pub(crate) fn name_of(&mut self, node: &Node, known: &[&'static str]) -> Option<usize> {
        let Some(text) = node.as_text() else { return self.wrong_type("a text", node) };
        let index = known.iter().position(|name| *name == text);
        index.or_else(|| self.fail(DocumentFault::unknown_value(text, known)))
    }
}

/// Adds a step to a JSON Pointer; returns the length before.
fn enter(path: &mut String, key: &str) -> usize {
    let outer = path.len();
    path.push('/');
    path.push_str(&pointer_step(key));
    outer
}
