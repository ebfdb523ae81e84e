//! Personal names, outside of the hashed part of a line: salted digests replace them there, so that
//! names can be redacted.

use std::borrow::Cow;

use serde_json::Value;

use crate::canonical::Digest;
use crate::gate::{is_same_person, person};
use crate::plan::digest::Named;
use crate::sorting::retain;

use super::event::{Event, EventKind, Personal};

/// The salt of the digests of names.
#[derive(Clone, Debug, Default)]
pub(super) struct Salt {
    /// None: it was removed from the log. Later lines have the empty salt.
    text: Option<String>,
}

impl Salt {
    pub(super) fn new(text: Option<&str>) -> Self {
        Self { text: text.map(str::to_owned) }
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Whether it was removed: then a digest cannot be matched with a name.
    pub(super) const fn is_lost(&self) -> bool {
        self.text.is_none()
    }

    /// Whether this is the author of the fix, whose name may be redacted. Without the salt the author
    /// cannot be ruled out.
    pub(super) fn is_author(&self, author: &str, by: &str) -> bool {
        self.is_person(author, by).unwrap_or(true)
    }

    /// The salted digest of a name: SHA-256 of salt, a zero byte and the name. The same person has the
    /// same throughout one log.
    pub(super) fn digest(&self, name: &str) -> Digest {
        let salt = self.text().unwrap_or_default();
        Digest::of(&[salt.as_bytes(), b"\0", name.as_bytes()].concat())
    }

    /// The replacement of a name in a document: its digest, or the digests of both parts of
    /// `Name <address>`, so that either part can be matched.
    fn hidden(&self, name: &str) -> String {
        match name_and_address(name) {
            Some((name, address)) => format!("{} <{}>", self.digest(name), self.digest(address)),
            None => self.digest(name).to_string(),
        }
    }

    /// The document with digests in place of names; the names go into `personal`, by their place
    /// below `at`.
    pub(super) fn hide_in<'d, T: Named>(
        &self,
        document: &'d T,
        at: &str,
        personal: &mut Personal<'_>,
    ) -> Cow<'d, T> {
        if !document.names_anybody() {
            return Cow::Borrowed(document);
        }
        let mut hidden = document.clone();
        hidden.each_name(&mut |place, name| {
            let digest = self.hidden(name);
            personal.values.insert(format!("{at}{place}"), std::mem::replace(name, digest));
        });
        Cow::Owned(hidden)
    }

    /// Puts digests in place of names in the release that a line brings.
    pub(super) fn hide_release(&self, event: &mut Event<'_>) {
        let Some(&Cow::Borrowed(release)) = event.release.as_deref() else { return };
        let mut personal = event.personal.take().unwrap_or_default();
        event.release = Some(Box::new(self.hide_in(release, "/release", &mut personal)));
        event.personal = Some(personal).filter(|personal| *personal != Personal::default());
    }

    /// Restores names in place of digests. A name that does not match its hashed digest is omitted,
    /// and its place is returned.
    pub(super) fn reveal(&mut self, event: &mut Event<'_>, line: &str) -> Option<String> {
        if event.kind == EventKind::Opened {
            *self = Self::new(event.personal.as_ref().and_then(|p| p.salt.as_deref()));
        }
        let personal = event.personal.as_mut()?;
        let mut forged = None;
        let actors = [
            ("/by", &mut personal.by, event.by),
            ("/heard_by", &mut personal.heard_by, event.heard_by),
        ];
        for (place, name, digest) in actors {
            if name.as_deref().is_some_and(|name| digest != Some(self.digest(name))) {
                *name = None;
                forged = forged.or_else(|| Some(place.to_owned()));
            }
        }
        if personal.values.is_empty() {
            return forged;
        }
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        retain(&mut personal.values, |place, name| {
            let hashed = line.pointer(place).and_then(Value::as_str);
            let same = hashed == Some(&self.hidden(name));
            if !same {
                forged.get_or_insert_with(|| place.clone());
            }
            same
        });
        let put_back = |at: &'static str| {
            let values = &personal.values;
            move |place: &str, name: &mut String| {
                if let Some(value) = values.get(&format!("{at}{place}")) {
                    name.clone_from(value);
                }
            }
        };
        if let Some(policy) = &mut event.policy {
            policy.to_mut().each_name(&mut put_back("/policy"));
        }
        if let Some(plan) = &mut event.plan {
            plan.to_mut().each_name(&mut put_back("/plan"));
        }
        if let Some(release) = &mut event.release {
            release.to_mut().each_name(&mut put_back("/release"));
        }
        forged
    }

    /// Whether a recorded name, which may be redacted, is the person `by`. Another spelling of a
    /// redacted name has another digest. None for a redacted name where the salt was removed.
    pub(super) fn is_person(&self, name: &str, by: &str) -> Option<bool> {
        let Some((hidden, address)) = digests(name) else {
            return Some(is_same_person(name, by));
        };
        let is_part = |part| {
            let part = self.digest(part);
            part == hidden || Some(part) == address
        };
        (!self.is_lost()).then(|| person::parts(by).any(is_part))
    }
}

/// Whether this is the digest of a redacted name.
pub(crate) fn is_taken_out(name: &str) -> bool {
    digests(name).is_some()
}

fn digests(name: &str) -> Option<(Digest, Option<Digest>)> {
    match name_and_address(name) {
        Some((name, address)) => Some((name.parse().ok()?, Some(address.parse().ok()?))),
        None => Some((name.parse().ok()?, None)),
    }
}

/// Both parts of `Name <address>`, where nothing else is in it.
fn name_and_address(text: &str) -> Option<(&str, &str)> {
    let (name, address) = text.strip_suffix('>')?.split_once(" <")?;
    let plain = |part: &str| !part.is_empty() && part.trim() == part && !part.contains(['<', '>']);
    (plain(name) && plain(address)).then_some((name, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roll_7_a_digest_stands_for_one_person_as_far_as_the_salt_tells() {
        let salt = Salt::new(Some("pepper"));
        let author = salt.hidden("Lena Ode <lena@example.org>");
        assert!(is_taken_out(&author) && is_taken_out(&salt.hidden("lena")));
        assert!(!is_taken_out("Lena Ode <lena@example.org>") && !is_taken_out("lena"));
        for by in [
            "Lena Ode",
            "lena@example.org ",
            "Lena Ode <lena@example.org>",
            "Lena Ode <omar@example.org>",
        ] {
            assert_eq!(salt.is_person(&author, by), Some(true), "{by}");
        }
        for by in ["omar", "lena ode", "", "Lena <omar@example.org>"] {
            assert_eq!(salt.is_person(&author, by), Some(false), "{by}");
        }
        assert_eq!(Salt::new(None).is_person(&author, "Lena Ode"), None);
        assert_eq!(Salt::new(Some("salt")).is_person(&author, "Lena Ode"), Some(false));
    }

    #[test]
    fn roll_7_two_texts_have_no_digest_in_common() {
        let salt = Salt::new(Some(""));
        let texts = [
            "a <b>", "a  <b>", "a <b> ", " a <b>", "a < b>", "a <b", "a", "<b>", " <b>", "a <b <c>",
        ];
        for (index, text) in texts.iter().enumerate() {
            for other in &texts[..index] {
                assert_ne!(salt.hidden(text), salt.hidden(other), "{text} {other}");
            }
        }
    }
}
