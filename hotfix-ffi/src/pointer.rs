//! The only file that turns handles into references.

use std::ffi::c_char;
use std::ptr::NonNull;
use std::slice;

use crate::error::{Fallible, hotfix_error};
use crate::guard::Guarded;
use crate::slot::{self, Kinded};

/// An opaque type that C holds a pointer to: the address of the slot that contains it.
pub(crate) trait Handle: Kinded {
    /// What is in it.
    type Value;
    fn wrap(value: Self::Value) -> Self;
    fn guarded(&self) -> &Guarded<Self::Value>;
    fn guarded_mut(&mut self) -> &mut Guarded<Self::Value>;
}

/// Makes a tuple struct over `Guarded` a handle.
macro_rules! handle {
    ($name:ty, $value:ty) => {
        $crate::slot::kinded!($name);
        impl $crate::pointer::Handle for $name {
            type Value = $value;
            fn wrap(value: $value) -> Self {
                Self($crate::guard::Guarded::new(value))
            }
            #[inline]
            fn guarded(&self) -> &$crate::guard::Guarded<$value> {
                &self.0
            }
            #[inline]
            fn guarded_mut(&mut self) -> &mut $crate::guard::Guarded<$value> {
                &mut self.0
            }
        }
    };
}
pub(crate) use handle;

#[inline]
pub(crate) fn not_null<T>(pointer: *const T, name: &str) -> Fallible<()> {
    if pointer.is_null() { Err(hotfix_error::null(name)) } else { Ok(()) }
}

/// Sets the caller's pointer to null before anything else can fail, then stores a new handle there.
pub(crate) unsafe fn make<H: Handle>(
    out: *mut *mut H,
    value: impl FnOnce() -> Fallible<H::Value>,
) -> Fallible<()> {
    not_null(out, "out")?;
    // SAFETY: not null, and writable by the header's contract.
    unsafe { out.write(std::ptr::null_mut()) };
    let handle = slot::put(Box::new(H::wrap(value()?)));
    // SAFETY: as above.
    unsafe { out.write(handle) };
    Ok(())
}

/// Reads from a handle that other threads may read at the same time.
#[inline]
pub(crate) unsafe fn read<H: Handle, R>(
    handle: *const H,
    name: &str,
    body: impl FnOnce(&H::Value) -> Fallible<R>,
) -> Fallible<R> {
    not_null(handle, name)?;
    let value = slot::find(handle, name)?;
    // SAFETY: live, and no thread changes it during the call, by the header's contract.
    unsafe { &*value }.guarded().read(name, body)
}

/// Changes a handle that no other thread uses at the same time. One that another handle owns is
/// refused.
#[inline]
pub(crate) unsafe fn change<H: Handle, R>(
    handle: *mut H,
    name: &str,
    body: impl FnOnce(&mut H::Value) -> Fallible<R>,
) -> Fallible<R> {
    not_null(handle, name)?;
    let value = slot::find_own(handle, name)?;
    // SAFETY: live, and used by this thread alone, by the header's contract.
    unsafe { &mut *value }.guarded_mut().change(name, body)
}

/// Changes a plain value of this library that C holds a pointer to.
pub(crate) unsafe fn with<T, R>(
    at: *mut T,
    name: &str,
    body: impl FnOnce(&mut T) -> R,
) -> Fallible<R> {
    not_null(at, name)?;
    // SAFETY: not null; live, and used by this thread alone, by the header's contract.
    Ok(body(unsafe { &mut *at }))
}

/// A handle whose ownership the caller passed on; its new owner frees it.
pub(crate) struct Taken<H: Handle> {
    handle: *mut H,
    value: NonNull<H>,
}

impl<H: Handle> Taken<H> {
    /// Takes ownership of a live handle: from now on the caller can only read it.
    pub(crate) fn new(handle: *mut H, name: &str) -> Fallible<Self> {
        let value = NonNull::new(slot::give_away(handle, name)?);
        value.map(|value| Self { handle, value }).ok_or_else(|| hotfix_error::null(name))
    }

    pub(crate) const fn as_ptr(&self) -> *const H {
        self.handle
    }

    pub(crate) fn guarded(&self) -> &Guarded<H::Value> {
        // SAFETY: live as long as this value, which alone frees it; changed through `guarded_mut`
        // only.
        unsafe { self.value.as_ref() }.guarded()
    }

    pub(crate) fn guarded_mut(&mut self) -> &mut Guarded<H::Value> {
        // SAFETY: as above, and used by this thread alone, by the header's contract for the new
        // owner.
        unsafe { self.value.as_mut() }.guarded_mut()
    }
}

impl<H: Handle> Drop for Taken<H> {
    fn drop(&mut self) {
        drop_caught(|| slot::take_owned(self.handle));
    }
}

/// Plain values that the caller lends for this call; null is allowed for no values. `expected` is
/// what has to be right about `len`.
unsafe fn lent<'a, T>(at: *const T, len: usize, name: &str, expected: &str) -> Fallible<&'a [T]> {
    if len == 0 {
        return Ok(&[]);
    }
    not_null(at, name)?;
    if !at.is_aligned() {
        return Err(hotfix_error::not_aligned(name));
    }
    if len > isize::MAX as usize / size_of::<T>() {
        return Err(hotfix_error::range(name, len, expected));
    }
    // SAFETY: not null, aligned, not too long; `len` readable values by the header's contract.
    Ok(unsafe { slice::from_raw_parts(at, len) })
}

/// Structs that the caller lends for this call.
pub(crate) unsafe fn array<'a, T>(at: *const T, len: usize, name: &str) -> Fallible<&'a [T]> {
    // SAFETY: the caller keeps the header's contract.
    unsafe { lent(at, len, name, "the number of structs") }
}

/// Frees a handle. Null is allowed; a pointer that is not a live handle of this type is left
/// untouched, and so is one that another handle owns.
pub(crate) fn free<H: Kinded>(handle: *mut H) {
    drop_caught(|| slot::take(handle));
}

/// Dropping a poisoned value is safe: its memory is valid, only its state is not reliable. A panic in
/// the drop must still not reach C.
fn drop_caught<H>(take: impl FnOnce() -> Option<Box<H>>) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(take())));
}

/// Bytes that the caller lends for this call; null is allowed for no bytes.
pub(crate) unsafe fn bytes<'a>(at: *const c_char, len: usize, name: &str) -> Fallible<&'a [u8]> {
    // SAFETY: the caller keeps the header's contract.
    unsafe { lent(at.cast(), len, name, "the length in bytes") }
}

/// UTF-8 text that the caller lends for this call; null is allowed for empty text.
pub(crate) unsafe fn text<'a>(at: *const c_char, len: usize, name: &str) -> Fallible<&'a str> {
    // SAFETY: the caller keeps the header's contract.
    let bytes = unsafe { bytes(at, len, name)? };
    std::str::from_utf8(bytes).map_err(|fault| hotfix_error::utf8(name, fault))
}

/// Numbers that the caller lends for this call; null is allowed for no numbers.
pub(crate) unsafe fn numbers<'a>(at: *const f64, len: usize, name: &str) -> Fallible<&'a [f64]> {
    // SAFETY: the caller keeps the header's contract.
    unsafe { lent(at, len, name, "the number of doubles") }
}

/// Writes a plain value through a pointer that must not be null.
pub(crate) unsafe fn put<T>(out: *mut T, name: &str, value: T) -> Fallible<()> {
    not_null(out, name)?;
    // SAFETY: not null, and writable by the header's contract.
    unsafe { out.write(value) };
    Ok(())
}
