//! Audit of a log: the chain, the head, and every recomputed verdict.

use serde::Serialize;

use crate::canonical::Digest;
use crate::getters::members;

use super::Rollout;
use super::conclude::Changes;
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
    /// What is wrong, in the order of the lines; empty for a correct log.
    pub findings: Vec<AuditFinding>,
}

/// One thing that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditFinding {
    /// A stable code.
    pub code: &'static str,
    /// The line, from 1.
    pub line: usize,
    /// What was found and what was expected.
    pub message: String,
}

impl Audit {
    /// Whether the log is complete and every recomputed outcome equals the recorded one.
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

members! {
    Audit: self;
    clean = self.is_clean(), findings = self.findings, head = self.head, lines = self.lines,
}

/// Audits a log from end to end: it finds changed, swapped and missing lines, recomputes every
/// verdict, action and change of state, and, given the expected head, finds a missing tail. It
/// never fails: whatever is wrong is a finding.
///
/// The codes of the findings are those of [`LogFault`]. Of the outcomes that differ only the first
/// is reported, because later ones depend on it, and besides it the plan of the opening.
pub fn audit(log: &[u8], expected_head: Option<Digest>) -> Audit {
    let mut audit = Audit { lines: 0, head: Digest::ZERO, findings: Vec::new() };
    let mut lines = Lines::new(log);
    let mut rollout: Option<Rollout> = None;
    // The opening has the salt: without it no name can be checked.
    let mut opens = None;
    for line in &mut lines {
        audit.lines += 1;
        if *opens.get_or_insert(line.is_ok())
            && let Ok(LogLine { number, forged: Some(place), .. }) = &line
        {
            let fault = LogFault::Name { place: place.clone() };
            audit.find(&LogError { line: *number, fault });
        }
        let step = line.and_then(|mut line| match &mut rollout {
            None if audit.lines == 1 => {
                let opened = rollout.insert(Rollout::reopen(&line, Recording::Off)?);
                // No outcome of a later line depends on the digest that the opening names.
                if let Err(error) = check_plan(opened, &line) {
                    audit.find(&error);
                }
                Ok(())
            }
            // After a broken line outcomes cannot be computed, only the chain is checked.
            None => Ok(()),
            Some(known) => recompute(known, &mut line),
        });
        if let Err(error) = step {
            rollout = None;
            audit.find(&error);
        }
    }
    audit.head = lines.head;
    if audit.lines == 0 {
        audit.find(&LogError::EMPTY);
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

/// Compares the plan that a line names, the opening or a statement about the plan, with the one in
/// force.
fn check_plan(rollout: &Rollout, line: &LogLine) -> Result<(), LogError> {
    match line.event.plan_digest {
        Some(recorded) if recorded != rollout.plan.digest() => {
            Err(line.error(LogFault::Outcome { what: "plan" }))
        }
        _ => Ok(()),
    }
}

/// Folds a line, recomputes its outcome and compares it with the recorded one.
fn recompute(rollout: &mut Rollout, line: &mut LogLine) -> Result<(), LogError> {
    let EventKind::Taken(kind) = line.event.kind else {
        return rollout.replay_line(line).map(drop);
    };
    let at = line.event.at;
    let (input, resolved) = rollout.fold_line(line, kind)?;
    check_plan(rollout, line)?;
    rollout.conclude(at, &input, &resolved);
    let (recorded, Changes { to, replans, judged, .. }) = (&line.event, &rollout.changes);
    let agrees = match (recorded.verdict.as_deref(), judged) {
        (Some(recorded), Some(_)) => rollout.verdict() == recorded,
        (recorded, judged) => recorded.is_none() && judged.is_none(),
    };
    let outcomes = [
        ("verdict", agrees),
        ("stage", recorded.to.as_deref() == to.as_ref()),
        ("plan of duties", *recorded.replans == **replans),
        ("actions", *recorded.actions == *rollout.actions),
    ];
    if let Some((what, _)) = outcomes.into_iter().find(|(_, agrees)| !agrees) {
        return Err(line.error(LogFault::Outcome { what }));
    }
    rollout.settle(at, &input, &resolved);
    Ok(())
}
