//! Slots that contain the handles. Their memory is never returned to the system, so a handle that
//! was freed, or has another type, is recognised before anything behind it is accessed.
//!
//! C holds the address of a slot. A free slot is reused as late as possible: after all other free
//! slots. If all slots are in use, a slot is allocated for the handle and known as long as the
//! handle lives.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::{Fallible, hotfix_error};
use crate::pointer::Handle;

/// A type of handles, by its name. Two types are the same if their addresses are the same.
pub(crate) struct Kind(pub(crate) &'static str);

struct Slot {
    /// Null while the slot is free.
    kind: AtomicPtr<Kind>,
    value: AtomicPtr<c_void>,
}

impl Slot {
    const fn free() -> Self {
        Self { kind: AtomicPtr::new(ptr::null_mut()), value: AtomicPtr::new(ptr::null_mut()) }
    }

    fn put<H: Handle>(&self, value: Box<H>) {
        self.value.store(Box::into_raw(value).cast(), Ordering::Relaxed);
        self.kind.store(ptr::from_ref(H::kind()).cast_mut(), Ordering::Release);
    }

    /// The value of a live handle of this type.
    fn value<H: Handle>(&self, name: &str) -> Fallible<*mut H> {
        let kind = self.kind.load(Ordering::Acquire);
        if ptr::eq(kind, H::kind()) {
            return Ok(self.value.load(Ordering::Relaxed).cast());
        }
        // SAFETY: what is stored there is null or a `&'static Kind`.
        Err(match unsafe { kind.as_ref() } {
            Some(other) => hotfix_error::other_kind(name, other.0, H::kind().0),
            None => hotfix_error::no_handle(name),
        })
    }

    /// Frees the slot if it has a live handle of this type; only one of several concurrent calls
    /// succeeds.
    fn take<H: Handle>(&self) -> Option<*mut H> {
        let kind = ptr::from_ref(H::kind()).cast_mut();
        let value = self.value.load(Ordering::Acquire);
        let freed =
            self.kind.compare_exchange(kind, ptr::null_mut(), Ordering::AcqRel, Ordering::Relaxed);
        freed.is_ok().then(|| value.cast())
    }
}

const COUNT: usize = 4096;

static SLOTS: [Slot; COUNT] = [const { Slot::free() }; COUNT];

/// Which slots are free.
struct Places {
    /// Slots from this index on were never used.
    fresh: usize,
    /// A ring of the slots that became free, the oldest first.
    freed: [u16; COUNT],
    first: usize,
    len: usize,
    /// Slots beyond `SLOTS`, by their addresses.
    more: BTreeMap<usize, Box<Slot>>,
}

static PLACES: Mutex<Places> =
    Mutex::new(Places { fresh: 0, freed: [0; COUNT], first: 0, len: 0, more: BTreeMap::new() });

impl Places {
    fn take(&mut self) -> Option<usize> {
        if self.fresh < COUNT {
            self.fresh += 1;
            return Some(self.fresh - 1);
        }
        let place = (self.len > 0).then(|| usize::from(self.freed[self.first]))?;
        (self.first, self.len) = ((self.first + 1) % COUNT, self.len - 1);
        Some(place)
    }

    fn give_back(&mut self, place: usize) {
        // The ring has as many places as there are slots.
        self.freed[(self.first + self.len) % COUNT] = place.try_into().unwrap_or_default();
        self.len += 1;
    }
}

fn places() -> std::sync::MutexGuard<'static, Places> {
    // Nothing that holds the lock can panic half-way.
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The index of this address in `SLOTS`.
fn place_of<H>(handle: *const H) -> Option<usize> {
    let offset = handle.addr().checked_sub(SLOTS.as_ptr().addr())?;
    let place = offset / size_of::<Slot>();
    (offset.is_multiple_of(size_of::<Slot>()) && place < COUNT).then_some(place)
}

/// A handle for this value.
pub(crate) fn put<H: Handle>(value: H) -> *mut H {
    let value = Box::new(value);
    let mut places = places();
    let slot = if let Some(place) = places.take() {
        &raw const SLOTS[place]
    } else {
        let slot = Box::new(Slot::free());
        let at = &raw const *slot;
        places.more.insert(at.addr(), slot);
        at
    };
    // SAFETY: a slot of ours, which only `take` frees.
    unsafe { &*slot }.put(value);
    slot.cast_mut().cast()
}

/// The value of a live handle.
#[inline]
pub(crate) fn find<H: Handle>(handle: *const H, name: &str) -> Fallible<*mut H> {
    match place_of(handle) {
        Some(place) => SLOTS[place].value(name),
        None => places()
            .more
            .get(&handle.addr())
            .ok_or_else(|| hotfix_error::no_handle(name))?
            .value(name),
    }
}

/// The value of a handle that is freed now; none if it was not a live handle of this type.
pub(crate) fn take<H: Handle>(handle: *mut H) -> Option<Box<H>> {
    let mut places = places();
    let value = if let Some(place) = place_of(handle) {
        let value = SLOTS[place].take()?;
        places.give_back(place);
        value
    } else {
        let value = places.more.get(&handle.addr())?.take()?;
        places.more.remove(&handle.addr());
        if places.more.is_empty() {
            // An empty map of std keeps memory.
            places.more = BTreeMap::new();
        }
        value
    };
    // SAFETY: `put` made it from a box of this type, and nothing else removes it from its slot.
    Some(unsafe { Box::from_raw(value) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Guarded;
    use crate::pointer::handle;

    struct Number(Guarded<usize>);
    handle!(Number, usize);
    struct Text(Guarded<String>);
    handle!(Text, String);

    #[test]
    fn roll_7_more_handles_than_slots_are_told_apart() {
        let all: Vec<*mut Number> = (0..COUNT + 10).map(|n| put(Number::wrap(n))).collect();
        for (n, handle) in all.iter().enumerate() {
            // SAFETY: live, and no thread changes it.
            let value = unsafe { &*find(*handle, "number").ok().unwrap() };
            assert_eq!(value.guarded().read("number", |value| Ok(*value)).ok(), Some(n));
            assert!(find(handle.cast::<Text>(), "text").is_err());
            assert!(take(handle.cast::<Text>()).is_none());
        }
        for handle in &all {
            assert!(take(*handle).is_some());
            assert!(take(*handle).is_none() && find(*handle, "number").is_err());
        }
        let next = put(Text::wrap(String::new()));
        assert!(all.iter().all(|freed| find(*freed, "number").is_err()));
        assert!(take(next).is_some());
        assert!(places().more.is_empty());
    }
}
