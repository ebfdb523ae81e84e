//! The conclusion of a scene. A scene that did not end as required is a failure only if the machine
//! was not busy.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::machine::ENOUGH_SECONDS;

/// The conclusion of a scene or of all scenes, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Conclusion {
    /// It ended as required.
    Passed,
    /// It ended otherwise while the machine was busy with other work, so the result is not valid.
    Disturbed,
    /// It ended otherwise, and the machine was not busy.
    Failed,
}

impl Conclusion {
    /// The conclusion from the end of a scene and the number of seconds in which the machine was
    /// busy.
    pub(crate) fn of(as_required: bool, busy_seconds: usize) -> Self {
        match (as_required, busy_seconds) {
            (true, _) => Self::Passed,
            (false, busy) if busy >= ENOUGH_SECONDS => Self::Disturbed,
            (false, _) => Self::Failed,
        }
    }

    /// The conclusion of a run: that of its worst scene. A run without scenes has failed.
    pub(crate) fn of_all(scenes: impl IntoIterator<Item = Self>) -> Self {
        scenes.into_iter().max().unwrap_or(Self::Failed)
    }

    /// The exit code of the demo.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Disturbed => TOO_BUSY,
        }
    }
}

impl fmt::Display for Conclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Disturbed => "unclear: machine busy",
            Self::Failed => "failed",
        })
    }
}

/// Exit code of a demo without a clear result because the machine was busy; 2 is that of a demo
/// that could not run.
pub(crate) const TOO_BUSY: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::MachineSecond;
    use crate::record::RunRecord;

    /// One second of each kind that counts as busy, and one that does not.
    const SECONDS: [(&str, [f64; 3], bool); 4] = [
        ("quiet", [0.01, 0.01, 0.1], false),
        ("late timers", [0.2, 0.01, 0.1], true),
        ("late requests", [0.01, 0.2, 0.1], true),
        ("waiting", [0.01, 0.01, 0.9], true),
    ];

    /// An attempt of 50 s with this many seconds of this kind.
    fn attempt(as_required: bool, seconds: usize, [timer, send, waited]: [f64; 3]) -> RunRecord {
        let mut record = RunRecord::new("veto", "A scene", "", 0.0);
        record.check("it ends as required", as_required, "so");
        let mut machine = vec![MachineSecond::new(0.0, 0.0, None, None); 50];
        machine[..seconds].fill(MachineSecond::new(0.0, timer, Some(send), Some(waited)));
        record.machine = machine;
        record
    }

    #[test]
    fn only_what_ended_otherwise_on_a_machine_that_was_not_busy_has_failed() {
        for (kind, figures, busy) in SECONDS {
            for (as_required, seconds, expected) in [
                (true, 0, Conclusion::Passed),
                (true, 50, Conclusion::Passed),
                (false, ENOUGH_SECONDS - 1, Conclusion::Failed),
                (
                    false,
                    ENOUGH_SECONDS,
                    if busy { Conclusion::Disturbed } else { Conclusion::Failed },
                ),
                (false, 50, if busy { Conclusion::Disturbed } else { Conclusion::Failed }),
            ] {
                let first = attempt(as_required, seconds, figures);
                let case = format!("{kind} for {seconds} s, as required: {as_required}");
                assert_eq!(first.conclusion(), expected, "{case}");
                // The conclusion of a second attempt does not depend on the first.
                let mut record = attempt(false, 50, [1.0, 1.0, 1.0]);
                record.repeated_as(first);
                assert_eq!(record.conclusion(), expected, "repeated, {case}");
                assert_eq!(record.repeated.map(|first| first.busy_seconds), Some(50), "{case}");
            }
        }
    }

    #[test]
    fn a_scene_that_could_not_be_finished_ended_otherwise() {
        for (seconds, expected) in [(0, Conclusion::Failed), (5, Conclusion::Disturbed)] {
            let mut record = attempt(true, seconds, [1.0, 1.0, 1.0]);
            record.error = Some("the driver ended with Some(2): not over after 110 s".into());
            assert_eq!(record.conclusion(), expected, "{seconds} s");
            record.error = None;
            record.checks.clear();
            assert_eq!(record.conclusion(), expected, "{seconds} s, nothing shown");
        }
    }

    #[test]
    fn a_run_ends_with_the_code_of_its_worst_scene() {
        use Conclusion::{Disturbed, Failed, Passed};
        let cases = [
            (vec![Passed, Passed], 0),
            (vec![Passed, Disturbed], 3),
            (vec![Disturbed, Failed, Passed], 1),
            (vec![], 1),
        ];
        for (scenes, code) in cases {
            assert_eq!(Conclusion::of_all(scenes.clone()).exit_code(), code, "{scenes:?}");
        }
    }
}
