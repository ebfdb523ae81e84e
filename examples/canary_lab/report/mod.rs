//! The report of a run: JSON with all data, Markdown for a ticket, and one HTML file for people.

mod html;
mod machine;
mod plot;
#[cfg(test)]
pub(crate) mod sample;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::conclusion::Conclusion;
use crate::record::RunRecord;

/// The report of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Title.
    pub(crate) title: String,
    /// Start in seconds of Unix time.
    pub(crate) began: f64,
    /// Length in seconds.
    pub(crate) seconds: f64,
    /// Processor time of all processes over the run's length; 1 is one core.
    pub(crate) cpu_share: Option<f64>,
    /// The conclusion of the run: that of its worst scene.
    pub(crate) conclusion: Conclusion,
    /// The scenes.
    #[serde(serialize_with = "with_conclusions")]
    pub(crate) scenes: Vec<RunRecord>,
}

/// Serialises the scenes, each record with its conclusion.
fn with_conclusions<S: serde::Serializer>(
    scenes: &[RunRecord],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Concluded<'a> {
        conclusion: Conclusion,
        #[serde(flatten)]
        record: &'a RunRecord,
    }
    let concluded = |record| Concluded { conclusion: RunRecord::conclusion(record), record };
    serializer.collect_seq(scenes.iter().map(concluded))
}

impl Report {
    /// Makes the report of a run; `cpu` is the processor time of all its processes in seconds.
    pub(crate) fn new(
        title: &str,
        scenes: Vec<RunRecord>,
        began: f64,
        seconds: f64,
        cpu: Option<f64>,
    ) -> Self {
        Self {
            title: title.into(),
            began,
            seconds,
            cpu_share: cpu.filter(|_| seconds > 0.0).map(|cpu| cpu / seconds),
            conclusion: Conclusion::of_all(scenes.iter().map(RunRecord::conclusion)),
            scenes,
        }
    }

    /// The conclusion of the run, as a sentence.
    pub(crate) fn sentence(&self) -> String {
        let all = self.scenes.len();
        let so = |record: &&RunRecord| record.conclusion() == self.conclusion;
        let these: Vec<&str> =
            self.scenes.iter().filter(so).map(|record| record.scene.as_str()).collect();
        let (number, flag, these) = (these.len(), these.join(","), these.join(", "));
        let repeated = match self.scenes.iter().filter(|s| s.repeated.is_some()).count() {
            0 => String::new(),
            n => format!(", {n} of them in a second attempt, because the machine was busy"),
        };
        let sentence = match self.conclusion {
            Conclusion::Passed => format!("{all} of {all} scenes ended as required{repeated}."),
            Conclusion::Failed => {
                format!("{number} of {all} scenes did not end as required: {these}.")
            }
            Conclusion::Disturbed => format!(
                "The result of {number} of {all} scenes is unclear, because the machine was busy: \
                 {these}. Stop other programs and repeat them: --scene {flag}."
            ),
        };
        let share = |share: f64| format!(", {:.0}% of one core", share * 100.0);
        let cpu = self.cpu_share.map_or_else(String::new, share);
        format!("{sentence} It took {:.0} s{cpu}.", self.seconds)
    }
}

/// Flags of `canary_lab report`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Flags {
    /// The JSON report of an earlier run.
    from: PathBuf,
    /// The folder of the report.
    #[arg(long, default_value = "lab-report")]
    out: PathBuf,
}

/// Writes the report of an earlier run again.
pub(crate) fn again(flags: &Flags) -> anyhow::Result<()> {
    let shown = flags.from.display();
    let text =
        std::fs::read_to_string(&flags.from).with_context(|| format!("cannot read {shown}"))?;
    let report: Report =
        serde_json::from_str(&text).with_context(|| format!("{shown} is not a report"))?;
    std::fs::create_dir_all(&flags.out)
        .with_context(|| format!("cannot make {}", flags.out.display()))?;
    for file in write(&report, &flags.out)? {
        println!("report: {}", file.display());
    }
    Ok(())
}

/// Writes `report.html`, `report.md` and `report.json` and returns their paths.
pub(crate) fn write(report: &Report, out: &Path) -> anyhow::Result<[PathBuf; 3]> {
    let files = ["report.html", "report.md", "report.json"].map(|name| out.join(name));
    let (page, text) = html::render(report)?;
    let json = serde_json::to_string_pretty(report)?;
    for (file, content) in files.iter().zip([page, text, json]) {
        std::fs::write(file, content)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(scenes: Vec<RunRecord>) -> Report {
        Report::new("Canary lab", scenes, 1_772_500_000.0, 61.0, Some(30.5))
    }

    #[test]
    fn a_run_comes_out_as_its_worst_scene_and_says_what_to_do() {
        let (good, busy) = (sample::rolled_back(), sample::disturbed());
        let mut bad = sample::rolled_back();
        bad.check("it ends otherwise", false, "so");
        let cases = [
            (
                vec![good.clone()],
                Conclusion::Passed,
                "1 of 1 scenes ended as required. It took 61 s",
            ),
            (
                vec![good.clone(), sample::repeated()],
                Conclusion::Passed,
                "2 of 2 scenes ended as required, 1 of them in a second attempt",
            ),
            (
                vec![busy.clone(), good],
                Conclusion::Disturbed,
                "The result of 1 of 2 scenes is unclear, because the machine was busy: veto. Stop \
                 other programs and repeat them: --scene veto. It took 61 s, 50% of one core.",
            ),
            (vec![bad, busy], Conclusion::Failed, "1 of 2 scenes did not end as required: errors."),
            (vec![], Conclusion::Failed, "0 of 0 scenes did not"),
        ];
        for (scenes, conclusion, sentence) in cases {
            let report = of(scenes);
            assert_eq!(report.conclusion, conclusion, "{sentence}");
            assert!(report.sentence().starts_with(sentence), "{} / {sentence}", report.sentence());
        }
    }

    #[test]
    fn the_json_has_each_scenes_conclusion_and_is_read_back() {
        let report = of(vec![sample::rolled_back(), sample::repeated(), sample::disturbed()]);
        let json = serde_json::to_value(&report).expect("JSON");
        assert_eq!(json["conclusion"], "disturbed");
        let of_scenes: Vec<_> =
            (0..3).map(|i| json["scenes"][i]["conclusion"].as_str().expect("a text")).collect();
        assert_eq!(of_scenes, ["passed", "passed", "disturbed"]);
        assert_eq!(json["scenes"][1]["repeated"]["busy_seconds"], 3);
        assert_eq!(serde_json::from_value::<Report>(json).expect("a report"), report);
    }
}
