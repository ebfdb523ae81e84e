//! The version of the library.

use std::ffi::{CStr, c_char};

/// The ABI version of this header. A library with another ABI version is not compatible with it.
pub const HOTFIX_ABI_VERSION: u32 = 2;

/// The package's version as C text.
const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// The ABI version of the loaded library: compare it with HOTFIX_ABI_VERSION.
///
/// @return A number that increases with every change that is not only an addition.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn hotfix_abi_version() -> u32 {
    HOTFIX_ABI_VERSION
}

/// The version of the loaded library: "0.1.0".
///
/// @return Static text that ends with a null byte.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn hotfix_version() -> *const c_char {
    VERSION.as_ptr()
}
