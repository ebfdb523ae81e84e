//! Which library this is.

use std::ffi::{CStr, c_char};

/// The version of the ABI that this header describes. A library with another one does not fit it.
pub const HOTFIX_ABI_VERSION: u32 = 1;

/// The package's version as C text.
const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// The ABI version of the library that is loaded: compare it with HOTFIX_ABI_VERSION.
///
/// @return A number that grows with every change that is not an addition.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn hotfix_abi_version() -> u32 {
    HOTFIX_ABI_VERSION
}

/// The version of the library that is loaded: "0.1.0".
///
/// @return Static text that ends with a null byte.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn hotfix_version() -> *const c_char {
    VERSION.as_ptr()
}
