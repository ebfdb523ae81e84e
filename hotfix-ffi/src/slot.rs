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

/// A type of handles, by its name. Two types are the same if their addresses are the same.
pub(crate) struct Kind(pub(crate) &'static str);

/// What a slot can contain.
pub(crate) trait Kinded: Sized {
    /// The kind of a handle that the caller owns, and of one that another handle owns: the caller
    /// can read it, but neither change nor free it.
    fn kinds() -> &'static [Kind; 2];
}

/// Makes a type one that a slot can contain.
macro_rules! kinded {
    ($name:ty) => {
        impl $crate::slot::Kinded for $name {
            #[inline]
            fn kinds() -> &'static [$crate::slot::Kind; 2] {
                static KINDS: [$crate::slot::Kind; 2] =
                    [const { $crate::slot::Kind(stringify!($name)) }; 2];
                &KINDS
            }
        }
    };
}
pub(crate) use kinded;

struct Slot {
    /// Null while the slot is free.
    kind: AtomicPtr<Kind>,
    value: AtomicPtr<c_void>,
}

impl Slot {
    const fn free() -> Self {
        Self { kind: AtomicPtr::new(ptr::null_mut()), value: AtomicPtr::new(ptr::null_mut()) }
    }

    fn put(&self, value: *mut c_void, kind: &'static Kind) {
        self.value.store(value, Ordering::Relaxed);
        self.kind.store(ptr::from_ref(kind).cast_mut(), Ordering::Release);
    }

    /// The value of a live handle of these kinds; `to_change` refuses one that another handle owns.
    fn value(
        &self,
        [own, owned]: &'static [Kind; 2],
        name: &str,
        to_change: bool,
    ) -> Fallible<*mut c_void> {
        let kind = self.kind.load(Ordering::Acquire);
        if ptr::eq(kind, own) || !to_change && ptr::eq(kind, owned) {
            return Ok(self.value.load(Ordering::Relaxed));
        }
        // SAFETY: what is stored there is null or a `&'static Kind`.
        Err(match unsafe { kind.as_ref() } {
            Some(other) if ptr::eq(other, owned) => hotfix_error::owned(name),
            Some(other) => hotfix_error::other_kind(name, other.0, own.0),
            None => hotfix_error::no_handle(name),
        })
    }

    /// The value of a slot whose kind changes from one to the other; only one of several concurrent
    /// calls succeeds.
    fn turn(&self, from: &'static Kind, to: *const Kind) -> Option<*mut c_void> {
        let from = ptr::from_ref(from).cast_mut();
        let value = self.value.load(Ordering::Acquire);
        let turned =
            self.kind.compare_exchange(from, to.cast_mut(), Ordering::AcqRel, Ordering::Relaxed);
        turned.is_ok().then_some(value)
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
fn place_of(address: usize) -> Option<usize> {
    let offset = address.checked_sub(SLOTS.as_ptr().addr())?;
    let place = offset / size_of::<Slot>();
    (offset.is_multiple_of(size_of::<Slot>()) && place < COUNT).then_some(place)
}

/// A handle for this value.
pub(crate) fn put<H: Kinded>(value: Box<H>) -> *mut H {
    put_value(Box::into_raw(value).cast(), &H::kinds()[0]).cast()
}

fn put_value(value: *mut c_void, kind: &'static Kind) -> *mut Slot {
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
    unsafe { &*slot }.put(value, kind);
    slot.cast_mut()
}

/// Looks at the slot of a handle; none if this is not the address of a slot.
#[inline]
fn at<R>(address: usize, look: impl FnOnce(&Slot) -> R) -> Option<R> {
    match place_of(address) {
        Some(place) => Some(look(&SLOTS[place])),
        None => places().more.get(&address).map(|slot| look(slot)),
    }
}

/// The value of a live handle, to read it.
#[inline]
pub(crate) fn find<H: Kinded>(handle: *const H, name: &str) -> Fallible<*mut H> {
    Ok(find_value(handle.addr(), H::kinds(), name, false)?.cast())
}

/// The value of a live handle that the caller owns, to change it.
#[inline]
pub(crate) fn find_own<H: Kinded>(handle: *const H, name: &str) -> Fallible<*mut H> {
    Ok(find_value(handle.addr(), H::kinds(), name, true)?.cast())
}

fn find_value(
    address: usize,
    kinds: &'static [Kind; 2],
    name: &str,
    to_change: bool,
) -> Fallible<*mut c_void> {
    at(address, |slot| slot.value(kinds, name, to_change))
        .unwrap_or_else(|| Err(hotfix_error::no_handle(name)))
}

/// The value of a live handle that another handle owns from now on.
pub(crate) fn give_away<H: Kinded>(handle: *mut H, name: &str) -> Fallible<*mut H> {
    let [own, owned] = H::kinds();
    let given = at(handle.addr(), |slot| slot.turn(own, owned)).flatten();
    given.map(<*mut c_void>::cast).ok_or_else(|| hotfix_error::owned(name))
}

/// The value of a handle that the caller owns and that is freed now; none if it was not a live handle
/// of this type.
pub(crate) fn take<H: Kinded>(handle: *mut H) -> Option<Box<H>> {
    take_as(handle, &H::kinds()[0])
}

/// The value of a handle that another handle owns and that is freed now.
pub(crate) fn take_owned<H: Kinded>(handle: *mut H) -> Option<Box<H>> {
    take_as(handle, &H::kinds()[1])
}

fn take_as<H: Kinded>(handle: *mut H, kind: &'static Kind) -> Option<Box<H>> {
    let value = take_value(handle.addr(), kind)?;
    // SAFETY: `put` made it from a box of this type, and nothing else removes it from its slot.
    Some(unsafe { Box::from_raw(value.cast()) })
}

fn take_value(address: usize, kind: &'static Kind) -> Option<*mut c_void> {
    let mut places = places();
    if let Some(place) = place_of(address) {
        let value = SLOTS[place].turn(kind, ptr::null())?;
        places.give_back(place);
        return Some(value);
    }
    let value = places.more.get(&address)?.turn(kind, ptr::null())?;
    places.more.remove(&address);
    if places.more.is_empty() {
        // An empty map of std keeps memory.
        places.more = BTreeMap::new();
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Guarded;
    use crate::pointer::{Handle as _, handle};

    struct Number(Guarded<usize>);
    handle!(Number, usize);
    struct Text(Guarded<String>);
    handle!(Text, String);

    #[test]
    fn roll_7_more_handles_than_slots_are_told_apart() {
        let all: Vec<*mut Number> =
            (0..COUNT + 10).map(|n| put(Box::new(Number::wrap(n)))).collect();
        for (n, handle) in all.iter().enumerate() {
            // SAFETY: live, and no thread changes it.
            let value = unsafe { &*find(*handle, "number").ok().unwrap() };
            assert_eq!(value.guarded().read("number", |value| Ok(*value)).ok(), Some(n));
            assert!(find(handle.cast::<Text>(), "text").is_err());
            assert!(take(handle.cast::<Text>()).is_none());
        }
        for handle in &all {
            // One that another handle owns can be read, and only its owner frees it.
            assert!(give_away(*handle, "number").is_ok() && give_away(*handle, "number").is_err());
            assert!(find(*handle, "number").is_ok() && find_own(*handle, "number").is_err());
            assert!(take(*handle).is_none() && take_owned(*handle).is_some());
            assert!(take(*handle).is_none() && find(*handle, "number").is_err());
        }
        let next = put(Box::new(Text::wrap(String::new())));
        assert!(all.iter().all(|freed| find(*freed, "number").is_err()));
        assert!(take(next).is_some());
        assert!(places().more.is_empty());
    }
}
