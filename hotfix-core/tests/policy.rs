//! The policy format: presets, errors, round trips, schema.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

use hotfix_core::policy::Policy;

#[test]
fn field_5_presets_read_back_as_written() {
    for name in Policy::presets() {
        let policy = Policy::preset(name).unwrap_or_else(|errors| panic!("{name}: {errors}"));
        assert_eq!(Policy::from_toml(&policy.to_toml()).as_ref(), Ok(&policy), "{name}");
        assert_eq!(Policy::from_json(&policy.to_json()).as_ref(), Ok(&policy), "{name}");
    }
}
