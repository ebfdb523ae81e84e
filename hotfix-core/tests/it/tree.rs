//! The checked-out tree, for tests that read sources and generated pages.

use std::path::{Path, PathBuf};

/// The workspace. Asked at run time: the compiled-in path may be another clone's.
pub(crate) fn root() -> PathBuf {
    let tests = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    Path::new(&tests).ancestors().nth(2).expect("hotfix-core/tests is in a workspace").to_path_buf()
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A path as it is written in pages and messages: from the root, with slashes.
pub(crate) fn shown(path: &Path) -> String {
    let parts: Vec<_> = path.strip_prefix(root()).unwrap_or(path).iter().collect();
    parts.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// All files below `folder` that `wanted` takes, sorted; build output and hidden folders left out.
pub(crate) fn files(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    const SKIPPED: [&str; 3] = ["target", "node_modules", "lab-report"];
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.expect("a readable folder").path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !path.is_symlink() {
                if !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
                    open.push(path);
                }
            } else if wanted(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// All `.rs` files below `folder`.
pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    files(folder, &|path| path.extension().is_some_and(|extension| extension == "rs"))
}

/// Whether generated files are to be rewritten.
pub(crate) fn blessing() -> bool {
    std::env::var("HOTFIX_BLESS").is_ok_and(|bless| bless == "1")
}

/// Compares a generated page with the committed one, or rewrites it when `HOTFIX_BLESS=1`.
pub(crate) fn committed(path: &str, generated: &str) {
    let file = root().join(path);
    if blessing() {
        std::fs::write(&file, generated).unwrap_or_else(|error| panic!("{path}: {error}"));
        return;
    }
    let old = std::fs::read_to_string(&file).unwrap_or_default();
    let mut pairs = old.lines().zip(generated.lines()).enumerate();
    let line = pairs.find(|(_, (old, new))| old != new).map_or_else(
        || old.lines().count().min(generated.lines().count()) + 1,
        |(index, _)| index + 1,
    );
    assert!(
        old == generated,
        "{path} has drifted at line {line}: run `make bless` and read the difference"
    );
}
