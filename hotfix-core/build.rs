//! Deflates the texts that are in the library: 0.4 MB of presets and explanations become 0.1 MB.

#![expect(clippy::disallowed_methods, reason = "its output is a file")]

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    println!("cargo::rerun-if-changed=policies");
    let mut texts = vec![Path::new("src/code/explanations.md").to_owned()];
    for file in fs::read_dir("policies")? {
        texts.push(file?.path());
    }
    for text in texts {
        println!("cargo::rerun-if-changed={}", text.display());
        let packed = miniz_oxide::deflate::compress_to_vec(&fs::read(&text)?, 10);
        fs::write(Path::new(&out).join(text.file_name().unwrap_or_default()), packed)?;
    }
    Ok(())
}
