//! Texts that are deflated in the library: see `build.rs`.

/// A deflated text.
pub(crate) struct Packed(pub(crate) &'static [u8]);

/// The text of the file of this name.
macro_rules! packed {
    ($file:expr) => {
        $crate::packed::Packed(include_bytes!(concat!(env!("OUT_DIR"), "/", $file)))
    };
}
pub(crate) use packed;

impl Packed {
    /// The inflated text.
    pub(crate) fn text(&self) -> String {
        let text = miniz_oxide::inflate::decompress_to_vec(self.0).unwrap_or_default();
        String::from_utf8(text).unwrap_or_default()
    }
}
