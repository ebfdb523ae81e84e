//! Auditing a log: the chain, the head, and every verdict computed anew (ROLL-7).

use crate::canonical::Digest;

use super::Rollout;
use super::case::Changes;
use super::event::EventKind;
use super::journal::Recording;
use super::log::{Lines, LogError, LogFault, LogLine};

/// What an audit found.
#[derive(Clone, Debug, PartialEq)]
pub struct Audit {
    /// Lines read.
    pub lines: usize,
    /// The hash of the last line.
    pub head: Digest,
    /// What is wrong, in the order of the lines; empty for a log that is whole.
    pub findings: Vec<AuditFinding>,
}

/// One thing that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFinding {
    /// A stable code.
    pub code: &'static str,
    /// The line, from 1.
    pub line: usize,
    /// What was found and what was expected.
    pub message: String,
}

impl Audit {
    /// True for a log that is whole and whose verdicts all come out as recorded.
    pub const fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, error: &LogError) {
        let LogError { line, fault } = error;
        self.findings.push(AuditFinding {
            code: fault.code(),
            line: *line,
            message: fault.to_string(),
        });
    }
}

/// Checks a log from end to end: flips, swaps and drops of lines, every verdict, action and change of state computed
/// anew, and, given the head that it should have, a cut tail. Never fails: whatever is wrong is a finding.
///
/// Codes: `HF-JSON-…`, `HF-LOG-001` to `-006` and `-009` for lines, `HF-LOG-007` for an outcome that comes out differently (the
/// first one; what follows rests on it), `HF-LOG-008` for another head, `HF-LOG-010` for a name that is not the one whose
/// digest was hashed.
pub fn audit(log: &[u8], expected_head: Option<Digest>) -> Audit {
    let mut audit = Audit { lines: 0, head: Digest::ZERO, findings: Vec::new() };
    let mut lines = Lines::new(log);
    let mut rollout: Option<Rollout> = None;
    for line in &mut lines {
        audit.lines += 1;
        if let Ok(LogLine { number, forged: Some(place), .. }) = &line {
            let fault = LogFault::Name { place: place.clone() };
            audit.find(&LogError { line: *number, fault });
        }
        let step = line.and_then(|mut line| match &mut rollout {
            None if audit.lines == 1 => {
                rollout = Some(Rollout::reopen(&line, Recording::Off)?);
                Ok(())
            }
            // After a broken line outcomes cannot be computed, only the chain is checked.
            None => Ok(()),
            Some(known) => known.recompute(&mut line),
        });
        if let Err(error) = step {
            rollout = None;
            audit.find(&error);
        }
    }
    audit.head = lines.head;
    if audit.lines == 0 {
        audit.find(&LogError { line: 1, fault: LogFault::Empty });
    } else if log.last() != Some(&b'\n') {
        audit.find(&LogError { line: audit.lines, fault: LogFault::Torn });
    }
    if let Some(expected) = expected_head
        && expected != audit.head
    {
        audit.find(&LogError {
            line: audit.lines,
            fault: LogFault::Head { expected, found: audit.head },
        });
    }
    audit
}

impl Rollout {
    /// Folds a line, concludes anew and compares with what is recorded.
    fn recompute(&mut self, line: &mut LogLine) -> Result<(), LogError> {
        let EventKind::Taken(kind) = line.event.kind else {
            return self.replay_line(line).map(drop);
        };
        let at = line.event.at;
        let (input, resolved) = self.fold_line(line, kind)?;
        if line.event.plan_digest.is_some_and(|recorded| recorded != self.plan.digest()) {
            return Err(line.error(LogFault::Outcome { what: "plan" }));
        }
        self.changes.clear();
        self.conclude(at, &input.command, resolved.as_ref());
        self.follow_duties(at, &input.command);
        let differs = |what| Err(line.error(LogFault::Outcome { what }));
        let verdict = line.event.verdict.as_deref();
        let agrees = match (verdict, self.changes.judged) {
            (Some(recorded), Some(_)) => self.case.verdict.agrees_with(recorded),
            (recorded, judged) => recorded.is_none() && judged.is_none(),
        };
        if !agrees {
            return differs("verdict");
        }
        if line.event.to.as_deref() != self.changes.to.as_ref() {
            return differs("stage");
        }
        if *line.event.replans != *self.changes.replans {
            return differs("plan of duties");
        }
        self.number_actions();
        if *line.event.actions != *self.actions {
            return differs("actions");
        }
        let Changes { to, judged, .. } = &mut self.changes;
        self.case.settle(&self.plan, at, &input, to, &self.actions, *judged);
        Ok(())
    }
}
