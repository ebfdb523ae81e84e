//! A log that was read and verified, with its events in memory: folding by itself.

use crate::canonical::Digest;

use super::Rollout;
use super::journal::Recording;
use super::log::{Lines, LogError, LogFault, LogLine};

/// The events of a log that is whole, verified and not folded yet.
///
/// [`Rollout::replay`] reads and folds line by line, in memory that does not grow with the log.
/// This keeps the events, for callers that fold one log several times.
///
/// ```
/// # use std::sync::Arc;
/// # use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording}};
/// use hotfix_core::rollout::{DecodedLog, Rollout};
/// # let policy = Arc::new(Policy::preset("phased-canary")?);
/// # let release = r#"{"version": "2", "previous": "1"}"#;
/// # let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, release, "")?;
/// # let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
/// # let note = Input::from_json(r#"{"kind": "note", "by": "lena", "text": "found it"}"#)?;
/// # rollout.handle("2026-03-03T14:40:00Z".parse()?, &note).map_err(|refusal| refusal.reason)?;
/// let decoded = DecodedLog::read(rollout.log().as_bytes())?;
/// assert_eq!((decoded.len(), Some(decoded.head())), (2, rollout.head()));
/// assert_eq!(decoded.fold()?.state(), rollout.state());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct DecodedLog {
    lines: Vec<LogLine>,
    head: Digest,
}

impl DecodedLog {
    /// Reads and verifies a whole log, strictly.
    ///
    /// # Errors
    /// As [`Rollout::replay`], but for what only folding finds.
    pub fn read(log: &[u8]) -> Result<Self, LogError> {
        let mut lines = Lines::whole(log)?;
        let read = lines.by_ref().map(|line| line?.trusted()).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { lines: read, head: lines.head })
    }

    /// How many lines it has.
    pub const fn len(&self) -> usize {
        self.lines.len()
    }

    /// Never: a log has its opening line.
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The hash of the last line.
    pub const fn head(&self) -> Digest {
        self.head
    }

    /// The rollout after the last event. It returns later lines with each outcome, and keeps none.
    ///
    /// # Errors
    /// As [`Rollout::replay`] for what folding finds.
    pub fn fold(self) -> Result<Rollout, LogError> {
        let mut lines = self.lines.into_iter();
        let Some(first) = lines.next() else {
            return Err(LogError { line: 1, fault: LogFault::Empty });
        };
        let mut rollout = Rollout::reopen(&first, Recording::HandOut)?;
        for mut line in lines {
            rollout.replay_line(&mut line)?;
        }
        rollout.journal.resume(self.head, &[]);
        Ok(rollout)
    }
}
