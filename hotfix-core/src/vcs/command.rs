//! Command lines: their arguments, and their quoted form.

use serde::Serialize;

use super::VcsError;
use crate::unit::is_invisible;

/// A command. This library does not run it.
///
/// `shown` is `argv` quoted for a POSIX shell: a shell reads exactly these arguments, whatever they
/// contain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Command {
    argv: Vec<String>,
    shown: String,
}

impl Command {
    /// Longest argument, in bytes. Linux accepts 128 KiB.
    pub const MOST_BYTES: usize = 100_000;

    /// Quotes a command.
    ///
    /// # Errors
    /// [`VcsError::Text`] if an argument has more than 100,000 bytes or an invisible character,
    /// which a terminal may interpret as a key. Line feeds are allowed.
    ///
    /// ```
    /// use hotfix_core::vcs::Command;
    ///
    /// let commit = Command::try_new(["git", "commit", "-m", "fix: don't $(reboot)"])?;
    /// assert_eq!(commit.shown(), r#"git commit -m "fix: don't "'$(reboot)'"#);
    /// assert!(Command::try_new(["git", "commit", "-m", "a\u{1b}[2Jb"]).is_err());
    /// # Ok::<(), hotfix_core::vcs::VcsError>(())
    /// ```
    pub fn try_new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Result<Self, VcsError> {
        let command = Self::new(argv);
        command.check()?;
        Ok(command)
    }

    /// A command that is still to be [checked](Self::check).
    pub(super) fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        let argv: Vec<String> = argv.into_iter().map(Into::into).collect();
        // Only a NUL cannot be quoted, which the check refuses.
        let shown = shlex::try_join(argv.iter().map(String::as_str)).unwrap_or_default();
        Self { argv, shown }
    }

    pub(super) fn check(&self) -> Result<(), VcsError> {
        if self.argv.iter().any(|argument| argument.len() > Self::MOST_BYTES) {
            return Err(VcsError::Text { fault: "an argument of more than 100,000 bytes" });
        }
        let unseen = |c: char| c != '\n' && is_invisible(c);
        if self.argv.iter().any(|argument| argument.contains(unseen)) {
            return Err(VcsError::Text { fault: "an argument with an invisible character" });
        }
        Ok(())
    }

    /// The program and its arguments.
    pub fn argv(&self) -> &[String] {
        &self.argv
    }

    /// The line to show.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

pub(super) fn git(arguments: &[&str]) -> Command {
    Command::new(std::iter::once("git").chain(arguments.iter().copied()))
}

/// Records the newest commit as a reference.
pub(super) fn record(reference: &str) -> Command {
    git(&["update-ref", reference, "HEAD"])
}
