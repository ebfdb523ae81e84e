//! Structs that grow at the end: each starts with its own size as the caller compiled it.

use crate::error::{Fallible, hotfix_error};
use crate::pointer::not_null;

/// A struct that contains its size.
///
/// # Safety
/// The type is `repr(C)`, starts with `struct_size: usize`, is aligned to 8, and every member that
/// ends beyond `LEAST` is 8 bytes long or an array of such. If it is read and not only written, it
/// may be all zero bytes.
pub(crate) unsafe trait Versioned: Copy {
    /// The size that the struct had in the first release; later members default to zero.
    const LEAST: usize = size_of::<Self>();
}

/// Maximum size of a struct of this library, now and later: a larger size was never set by sizeof,
/// and so much would be written over.
const MOST: usize = 512;

/// The size that the caller wrote.
#[inline]
pub(crate) unsafe fn size_of_caller<T: Versioned>(at: *const T, name: &str) -> Fallible<usize> {
    not_null(at, name)?;
    if !at.is_aligned() {
        return Err(hotfix_error::structure(name, "an address that is not aligned"));
    }
    // SAFETY: not null and aligned; every versioned struct starts with its size, readable by the
    // header's contract.
    let size = unsafe { at.cast::<usize>().read() };
    if size < T::LEAST || size > MOST || !size.is_multiple_of(8) {
        return Err(hotfix_error::structure(
            name,
            format_args!("struct_size {size}: set it to sizeof, here {}", size_of::<T>()),
        ));
    }
    Ok(size)
}

/// Copies a struct whose size is not ours: missing members become zero, unknown members have to be
/// zero.
#[cold]
pub(crate) unsafe fn read_other<T: Versioned>(
    at: *const T,
    size: usize,
    name: &str,
) -> Fallible<T> {
    let known = size.min(size_of::<T>());
    // SAFETY: `size` bytes are readable by the header's contract; those beyond ours are only
    // compared.
    let tail = unsafe { std::slice::from_raw_parts(at.cast::<u8>().add(known), size - known) };
    if tail.iter().any(|byte| *byte != 0) {
        return Err(hotfix_error::structure(
            name,
            format_args!(
                "members that this library (version {}) does not know: set them to zero",
                env!("CARGO_PKG_VERSION")
            ),
        ));
    }
    let mut ours = std::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: `known` bytes are readable there and writable here; all zero bytes are a value, and
    // so is a caller's.
    unsafe {
        std::ptr::copy_nonoverlapping(at.cast::<u8>(), ours.as_mut_ptr().cast(), known);
        Ok(ours.assume_init())
    }
}

/// Reads one struct of any size.
pub(crate) unsafe fn read<T: Versioned>(at: *const T, name: &str) -> Fallible<T> {
    // SAFETY: the caller keeps the header's contract.
    let size = unsafe { size_of_caller(at, name)? };
    if size == size_of::<T>() {
        // SAFETY: not null, aligned, and `size` bytes are readable by the header's contract.
        return Ok(unsafe { at.read() });
    }
    // SAFETY: as above.
    unsafe { read_other(at, size, name) }
}

/// Writes as much as the caller's struct has room for; unknown members of a longer struct become
/// zero. Keeps its `struct_size`.
#[inline]
pub(crate) unsafe fn write<T: Versioned>(out: *mut T, size: usize, value: &T) {
    const HEAD: usize = size_of::<usize>();
    let known = size.min(size_of::<T>());
    // SAFETY: `size` bytes are writable by the header's contract, and were checked with
    // `size_of_caller`; `value` is another object, and `known` is at least `LEAST`, which is at
    // least the head.
    unsafe {
        let (to, from) = (out.cast::<u8>(), std::ptr::from_ref(value).cast::<u8>());
        if size == size_of::<T>() {
            // The compiler knows this length, so the copy needs no function call.
            std::ptr::copy_nonoverlapping(from.add(HEAD), to.add(HEAD), size_of::<T>() - HEAD);
            return;
        }
        std::ptr::copy_nonoverlapping(from.add(HEAD), to.add(HEAD), known - HEAD);
        if size > known {
            to.add(known).write_bytes(0, size - known);
        }
    }
}
