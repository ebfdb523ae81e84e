//! Sets the SONAME of the shared library, so that programs link against an ABI and not against a
//! file.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libhotfix.so.0");
    }
}
