//! `demo`: runs two scenes with live progress, then the others in parallel, repeats those during
//! which the machine was busy, and writes the report.

use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant;

use anyhow::Context as _;
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

use crate::conclusion::{Conclusion, TOO_BUSY};
use crate::drive::now;
use crate::pace::{self, Carry, Pace, TooBusy};
use crate::process::{children_cpu_seconds, told_to_end};
use crate::progress::Board;
use crate::real;
use crate::record::RunRecord;
use crate::report::{self, Report};
use crate::scenes::{Ending, SCENES, Scene};
use crate::service::positive;
use crate::stage::{self, Stage};

/// The scenes that run first: a fix that works and one that does not.
const HEADLINE: [&str; 2] = ["good", "errors"];

/// Number of parallel scenes if only the rate is given.
const AT_ONCE: usize = 8;

/// The text of `--help` about the exit codes.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  every scene ended as required
  1  a scene did not end as required, and the machine was not busy
  2  the demo could not run
  3  the machine was too busy to begin, or the result is unclear: a scene and its repetition did not
     end as required while other programs used the processors; stop them, and try again
  130  interrupted";

/// Flags of `canary_lab demo`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Flags {
    /// Folder for logs, records and the report; those of `--real` go to its folder `real`.
    #[arg(long, default_value = "lab-report")]
    out: PathBuf,
    /// The policy.
    #[arg(long, default_value = "examples/policies/lab.toml")]
    policy: PathBuf,
    /// Requests per second of each scene; by default the measured capacity of the machine.
    #[arg(long)]
    rate: Option<Pace>,
    /// Timeout of a scene in seconds of the script.
    #[arg(long, default_value_t = 110.0, value_parser = positive)]
    limit: f64,
    /// Number of parallel scenes, the longest first; by default the measured capacity of the
    /// machine.
    #[arg(long, value_parser = at_least_one)]
    at_once: Option<usize>,
    /// Use HAProxy as the splitter and a Prometheus server as the source.
    #[arg(long)]
    real: bool,
    /// Run only these scenes. With HAProxy and Prometheus, the scenes with instances and flags are
    /// left out.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    scene: Vec<String>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("`{text}` is not a number above 0"))
}

impl Flags {
    /// The selected scenes: the two headline scenes first, then the longest, which are watched
    /// until they are closed.
    fn scenes(&self) -> anyhow::Result<Vec<&'static Scene>> {
        let mut scenes: Vec<&Scene> = SCENES.iter().filter(|s| s.real || !self.real).collect();
        let known: Vec<&str> = scenes.iter().map(|s| s.id).collect();
        if let Some(stranger) = self.scene.iter().find(|s| !known.contains(&s.as_str())) {
            anyhow::bail!("no scene `{stranger}`: the scenes are {}", known.join(", "));
        }
        scenes.retain(|s| self.scene.is_empty() || self.scene.iter().any(|id| id == s.id));
        scenes.sort_by_key(|s| (!HEADLINE.contains(&s.id), s.ending != Ending::Closed));
        Ok(scenes)
    }

    /// The pace and the number of parallel scenes from the flags; `None` if the machine has to be
    /// measured.
    fn given(&self) -> Option<(Pace, usize)> {
        (self.rate.is_some() || self.at_once.is_some())
            .then(|| (self.rate.unwrap_or_default(), self.at_once.unwrap_or(AT_ONCE)))
    }
}

/// Runs the scenes, writes the report, and returns the exit code.
pub(crate) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let scenes = flags.scenes()?;
    let title = if flags.real { "Canary lab with HAProxy and Prometheus" } else { "Canary lab" };
    if flags.real {
        real::check_installed()?;
    }
    let given = flags.given();
    let stage = Stage {
        folder: if flags.real { flags.out.join("real") } else { flags.out },
        policy: flags.policy,
        pace: Pace::default(),
        limit: flags.limit,
        real: flags.real,
    };
    let folder = stage.folder.clone();
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let begun = (now(), Instant::now());
    // `cargo run` becomes this process, whose processor time then includes that of the compilers.
    let before = children_cpu_seconds().unwrap_or(0.0);
    let local = LocalSet::new();
    let demo = Rc::new(Demo { stage, given, board: Board::new() });
    let played = tokio::select! {
        biased;
        why = told_to_end() => {
            eprintln!("canary_lab: {}: ending all processes", why?);
            return Ok(ExitCode::from(130));
        }
        played = local.run_until(demo.play(scenes)) => played,
    };
    let (records, too_busy) = match played {
        Ok(played) => played,
        Err(e) => {
            println!("{}", e.downcast::<TooBusy>()?);
            return Ok(ExitCode::from(TOO_BUSY));
        }
    };
    let seconds = begun.1.elapsed().as_secs_f64();
    let cpu = children_cpu_seconds().map(|all| all - before);
    let report = Report::new(title, records, begun.0, seconds, cpu);
    let [page, text, json] = report::write(&report, &folder)?;
    println!("\n{}", report.sentence());
    if let Some(why) = too_busy {
        println!("{why}");
    }
    println!(
        "Open {} first. As Markdown: {}; with all figures, as JSON: {}.",
        page.display(),
        text.display(),
        json.display()
    );
    Ok(ExitCode::from(report.conclusion.exit_code()))
}

/// A running demo.
struct Demo {
    /// The settings of all scenes, except their pace.
    stage: Stage,
    /// The pace and the number of parallel scenes, if flags set them.
    given: Option<(Pace, usize)>,
    board: Board,
}

/// How a running group of scenes is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// A live line for each scene.
    Live,
    /// The numbers of all, finished and running scenes.
    Counted,
}

impl Demo {
    /// Runs the scenes, and repeats those that were disturbed. The second value is the reason if
    /// they could not be repeated.
    ///
    /// # Errors
    /// [`TooBusy`] if the machine's capacity is too small even for the first scenes.
    async fn play(
        self: Rc<Self>,
        mut scenes: Vec<&'static Scene>,
    ) -> anyhow::Result<(Vec<RunRecord>, Option<TooBusy>)> {
        let others = scenes.split_off(HEADLINE.len().min(scenes.len()));
        let (pace, (at_once, pace_of_others)) = if let Some((pace, at_once)) = self.given {
            (pace, (at_once, pace))
        } else {
            let carry = self.measure().await?;
            (carry.headline()?, carry.others(others.len())?)
        };
        let at_first = HEADLINE.len().min(self.given.map_or(usize::MAX, |given| given.1));
        let mut records = self.side_by_side(scenes, at_first, pace, Shown::Live).await?;
        records.extend(self.side_by_side(others, at_once, pace_of_others, Shown::Counted).await?);
        let too_busy = self.repeat(&mut records).await?;
        records.sort_by_key(|record| SCENES.iter().position(|s| s.id == record.scene));
        Ok((records, too_busy))
    }

    async fn measure(&self) -> anyhow::Result<Carry> {
        let carry = pace::measure(&self.stage.folder, self.stage.real).await?;
        self.board.print(&format!(
            "The machine can serve {:.0} requests per second.",
            carry.per_second()
        ));
        Ok(carry)
    }

    fn stage(&self, pace: Pace) -> Stage {
        Stage { pace, ..self.stage.clone() }
    }

    async fn side_by_side(
        self: &Rc<Self>,
        scenes: Vec<&'static Scene>,
        at_once: usize,
        pace: Pace,
        shown: Shown,
    ) -> anyhow::Result<Vec<RunRecord>> {
        let places = Rc::new(Semaphore::new(at_once));
        let tally = (shown == Shown::Counted).then(|| Rc::new(self.board.tally(scenes.len())));
        let mut running = Vec::new();
        for scene in scenes {
            let (demo, places, tally) = (Rc::clone(self), Rc::clone(&places), tally.clone());
            running.push(tokio::task::spawn_local(async move {
                let _place = places.acquire().await?;
                let row = match &tally {
                    None => demo.board.live(scene.id),
                    Some(tally) => tally.begun(),
                };
                let record = stage::run(scene, &demo.stage(pace), &row).await;
                drop(row);
                if let Some(tally) = tally {
                    tally.ended();
                }
                demo.board.print(&summary(&record));
                anyhow::Ok(record)
            }));
        }
        let mut records = Vec::new();
        for scene in running {
            records.push(scene.await.context("a scene was lost")??);
        }
        Ok(records)
    }

    /// Repeats, one at a time, the scenes during which the machine was busy. Returns the reason if
    /// the machine is too busy even for that.
    async fn repeat(&self, records: &mut [RunRecord]) -> anyhow::Result<Option<TooBusy>> {
        let mut disturbed = records
            .iter_mut()
            .filter(|record| record.conclusion() == Conclusion::Disturbed)
            .peekable();
        if disturbed.peek().is_none() {
            return Ok(None);
        }
        let pace = match self.given {
            Some((pace, _)) => pace,
            None => match self.measure().await?.alone() {
                Ok(pace) => pace,
                Err(too_busy) => return Ok(Some(too_busy)),
            },
        };
        for record in disturbed {
            let scene = SCENES.iter().find(|s| s.id == record.scene).context("no such scene")?;
            let row = self.board.live(scene.id);
            let again = stage::run(scene, &self.stage(pace), &row).await;
            drop(row);
            record.repeated_as(again);
            self.board.print(&summary(record));
            if record.conclusion() == Conclusion::Disturbed {
                break; // the machine is too busy for the others too, and the result is clear
            }
        }
        Ok(None)
    }
}

/// The text on the terminal about a finished scene.
fn summary(record: &RunRecord) -> String {
    let conclusion = record.conclusion();
    let mark = match conclusion {
        Conclusion::Passed => "passed",
        Conclusion::Disturbed => "BUSY",
        Conclusion::Failed => "FAILED",
    };
    let ended = match record.outcome.as_str() {
        "" => "not finished".to_owned(),
        outcome => outcome.replace('_', " "),
    };
    let busy = record.busy_seconds();
    let why = match (&record.repeated, conclusion) {
        (None, Conclusion::Disturbed) => {
            format!("; the machine was busy for {busy} s: it is repeated at the end")
        }
        (None, _) => String::new(),
        (Some(first), Conclusion::Disturbed) => {
            format!("; {}, and for {busy} s of the second attempt", first.sentence())
        }
        (Some(first), _) => format!("; {}", first.sentence()),
    };
    let (scene, seconds) = (&record.scene, record.seconds);
    let ended = format!("{mark:<6}  {scene:<12} {ended} in {seconds:.0} s{why}");
    let not_so = record.checks.iter().filter(|c| !c.passed);
    let not_so = not_so.map(|c| format!("        failed check: {} ({})", c.what, c.seen));
    let error = record.error.iter().map(|error| format!("        {error}"));
    std::iter::once(ended).chain(not_so).chain(error).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_scenes_line_says_how_it_came_out_and_what_the_machine_did() {
        let mut again = sample::disturbed();
        again.repeated_as(sample::disturbed());
        again.error = Some("not finished after 110 s".into());
        let not_so =
            "\n        failed check: it is promoted when a person sends `promote` (after 2.4 s)";
        let ended = "veto         complete in 61 s";
        let first = "repeated: the machine was busy for 3 s";
        let cases = [
            (sample::rolled_back(), "passed  errors       rolled back in 18 s".to_owned()),
            (
                sample::disturbed(),
                format!(
                    "BUSY    {ended}; the machine was busy for 3 s: it is repeated at the \
                     end{not_so}"
                ),
            ),
            (sample::repeated(), format!("passed  {ended}; {first}")),
            (
                again,
                format!(
                    "BUSY    {ended}; {first}, and for 3 s of the second attempt{not_so}\n        \
                     not finished after 110 s"
                ),
            ),
        ];
        for (record, line) in cases {
            assert_eq!(summary(&record), line);
        }
    }
}
