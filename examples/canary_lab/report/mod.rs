//! The report of a run: JSON with everything, Markdown for a ticket, one HTML file for people.

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

/// All that a run tells.
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
    /// How the run came out: as its worst scene.
    pub(crate) conclusion: Conclusion,
    /// The scenes.
    #[serde(serialize_with = "with_conclusions")]
    pub(crate) scenes: Vec<RunRecord>,
}

/// Scenes for those who read the JSON: what is concluded from a record stands with it.
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
    /// Puts a run together; `cpu` is the processor time of all its processes in seconds.
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

    /// How the run came out, for people.
    pub(crate) fn sentence(&self) -> String {
        let all = self.scenes.len();
        let so = |record: &&RunRecord| record.conclusion() == self.conclusion;
        let these: Vec<&str> =
            self.scenes.iter().filter(so).map(|record| record.scene.as_str()).collect();
        let (number, flag, these) = (these.len(), these.join(","), these.join(", "));
        let repeated = match self.scenes.iter().filter(|s| s.repeated.is_some()).count() {
            0 => String::new(),
            n => format!(", {n} of them when repeated because the machine was busy"),
        };
        let said = match self.conclusion {
            Conclusion::Passed => format!("{all} of {all} scenes ended as they must{repeated}."),
            Conclusion::Failed => {
                format!("{number} of {all} scenes did not end as they must: {these}.")
            }
            Conclusion::Disturbed => format!(
                "The machine was too busy to tell how {number} of {all} scenes end: {these}. End \
                 whatever else uses the processors, then play them again: --scene {flag}."
            ),
        };
        let share = |share: f64| format!(", {:.0}% of one core", share * 100.0);
        let cpu = self.cpu_share.map_or_else(String::new, share);
        format!("{said} It took {:.0} s{cpu}.", self.seconds)
    }
}

/// Flags of `canary_lab report`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Flags {
    /// The JSON report of an earlier run.
    from: PathBuf,
    /// Where the report goes.
    #[arg(long, default_value = "lab-report")]
    out: PathBuf,
}

/// Draws the report of an earlier run again.
pub(crate) fn again(flags: &Flags) -> anyhow::Result<()> {
    let shown = flags.from.display();
    let text =
        std::fs::read_to_string(&flags.from).with_context(|| format!("cannot read {shown}"))?;
    let report: Report =
        serde_json::from_str(&text).with_context(|| format!("{shown} is no report"))?;
    std::fs::create_dir_all(&flags.out)
        .with_context(|| format!("cannot make {}", flags.out.display()))?;
    for file in write(&report, &flags.out)? {
        println!("report: {}", file.display());
    }
    Ok(())
}

/// Writes `report.html`, `report.md` and `report.json` and gives their places.
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
                "1 of 1 scenes ended as they must. It took 61 s",
            ),
            (
                vec![good.clone(), sample::repeated()],
                Conclusion::Passed,
                "2 of 2 scenes ended as they must, 1 of them when repeated",
            ),
            (
                vec![busy.clone(), good],
                Conclusion::Disturbed,
                "The machine was too busy to tell how 1 of 2 scenes end: veto. End whatever else \
                 uses the processors, then play them again: --scene veto. It took 61 s, 50% of one \
                 core.",
            ),
            (
                vec![bad, busy],
                Conclusion::Failed,
                "1 of 2 scenes did not end as they must: errors.",
            ),
            (vec![], Conclusion::Failed, "0 of 0 scenes did not"),
        ];
        for (scenes, conclusion, said) in cases {
            let report = of(scenes);
            assert_eq!(report.conclusion, conclusion, "{said}");
            assert!(report.sentence().starts_with(said), "{} / {said}", report.sentence());
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
