//! Output text: views into a handle, and buffers that the caller frees.

use std::ffi::c_char;
use std::fmt::Display;

use crate::error::Fallible;
use crate::pointer;

/// A view of UTF-8 text that a handle or the library owns. It does not end with a null byte; `ptr`
/// is never null.
///
/// Print it with `printf("%.*s", (int)s.len, s.ptr)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_str {
    /// The first byte.
    pub ptr: *const c_char,
    /// Length in bytes.
    pub len: usize,
}

impl hotfix_str {
    /// No text.
    pub const EMPTY: Self = Self { ptr: c"".as_ptr(), len: 0 };

    pub(crate) const fn of(text: &str) -> Self {
        if text.is_empty() {
            Self::EMPTY
        } else {
            Self { ptr: text.as_ptr().cast(), len: text.len() }
        }
    }
}

/// UTF-8 text, or the bytes of a snapshot, that the caller owns. Free it with hotfix_buf_free; do
/// not change its members.
///
/// A null byte follows the text and is not counted in `len`. Before its first use the struct may
/// hold anything.
#[repr(C)]
#[derive(Debug)]
pub struct hotfix_buf {
    /// The first byte; null if there is no text to free.
    pub data: *mut c_char,
    /// Length in bytes.
    pub len: usize,
}

impl hotfix_buf {
    pub(crate) const EMPTY: Self = Self { data: std::ptr::null_mut(), len: 0 };

    fn of(mut bytes: Vec<u8>) -> Self {
        let len = bytes.len();
        bytes.push(0);
        Self { data: Box::into_raw(bytes.into_boxed_slice()).cast(), len }
    }
}

/// Writes text into the caller's buffer, which is emptied before `make` can fail.
pub(crate) unsafe fn put_text(
    out: *mut hotfix_buf,
    make: impl FnOnce() -> Fallible<String>,
) -> Fallible<()> {
    // SAFETY: the caller keeps the header's contract.
    unsafe { put_bytes(out, || Ok(make()?.into_bytes())) }
}

/// Writes bytes into the caller's buffer, which is emptied before `make` can fail.
pub(crate) unsafe fn put_bytes(
    out: *mut hotfix_buf,
    make: impl FnOnce() -> Fallible<Vec<u8>>,
) -> Fallible<()> {
    pointer::not_null(out, "out")?;
    // SAFETY: not null, and writable by the header's contract; the caller has freed what it held.
    unsafe { out.write(hotfix_buf::EMPTY) };
    let buf = hotfix_buf::of(make()?);
    // SAFETY: as above.
    unsafe { out.write(buf) };
    Ok(())
}

/// Frees a buffer and empties it, so that freeing it again does nothing.
///
/// @param buf  A buffer that a function of this library filled, or null.
///
/// Thread rule: one thread at a time for one buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_buf_free(buf: *mut hotfix_buf) {
    if buf.is_null() {
        return;
    }
    // SAFETY: not null; live and writable by the header's contract.
    let freed = unsafe { buf.replace(hotfix_buf::EMPTY) };
    if !freed.data.is_null() {
        // SAFETY: `data` came from a boxed slice of `len` bytes and a null byte, by the contract of
        // the struct.
        drop(unsafe {
            Box::from_raw(std::ptr::slice_from_raw_parts_mut(
                freed.data.cast::<u8>(),
                freed.len + 1,
            ))
        });
    }
}

/// A SHA-256 digest as 64 lower-case hexadecimal digits and a null byte; empty text if there is no
/// digest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_digest {
    /// The digits.
    pub hex: [c_char; 65],
}

/// A short name that ends with a null byte; empty text if there is no name.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_name {
    /// The text.
    pub text: [c_char; 32],
}

/// Copies text in place and ends it with a null byte; text that does not fit is cut.
pub(crate) fn in_place<const N: usize>(text: &impl Display) -> [c_char; N] {
    struct Place<const N: usize>([c_char; N], usize);
    impl<const N: usize> std::fmt::Write for Place<N> {
        #[allow(clippy::cast_possible_wrap, reason = "C's char is signed here and unsigned there")]
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            for &byte in text.as_bytes() {
                if self.1 + 1 < N {
                    self.0[self.1] = byte as c_char;
                    self.1 += 1;
                }
            }
            Ok(())
        }
    }
    let mut place = Place([0; N], 0);
    let _ = std::fmt::Write::write_fmt(&mut place, format_args!("{text}"));
    place.0
}
