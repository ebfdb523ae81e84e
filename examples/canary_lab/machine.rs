//! The influence of the machine on a scene: how late timers fired, how late requests were sent, and
//! how long the scene's processes waited for a processor.
//!
//! A version in an endless loop would make the others wait too; none of the lab's faults does that.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, MissedTickBehavior};

use crate::load::Summary;
use crate::process::Proc;

/// The interval at which the demo's process measures the delay of its timers.
const PULSE: Duration = Duration::from_millis(20);

// The bounds of a busy second. On two cores with eight parallel scenes, the 99th percentiles of a
// second's figures were 28 ms, 23 ms and 0.41 s while the lab had priority over everything else,
// and 1 second in 100 was busy. With one or two further programs that always compute, 4 to 7
// seconds in 10 were busy. The speed of answers is deliberately not used: it may be caused by the
// fix.

/// Seconds by which a timer may be late: twice as much as a request, because the latest of a
/// second's 50 timers counts.
const TIMER_LATE: f64 = 0.05;

/// Seconds by which 99 of 100 requests of a second may leave late: the distance between the
/// reference of the p95, 250 ms, and the end of its success band.
const SEND_LATE: f64 = 0.025;

/// Seconds of a second for which one process may wait for a processor: half of it.
const WAITED: f64 = 0.5;

/// Busy seconds that can explain how a scene ended: half a window of the policy. A single busy
/// second occurs on any machine.
pub(crate) const ENOUGH_SECONDS: usize = 2;

/// The machine in one second of a scene. A figure is None if it could not be measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct MachineSecond {
    /// Start of the second, in seconds since the scene's start.
    pub(crate) at: f64,
    /// Seconds by which the latest timer was late.
    pub(crate) timer_late: f64,
    /// Seconds by which requests left late: the 99th percentile.
    pub(crate) send_late: Option<f64>,
    /// Seconds that the process with the longest wait waited for a processor.
    pub(crate) waited: Option<f64>,
    /// Whether a figure is over its bound.
    pub(crate) busy: bool,
}

impl MachineSecond {
    /// Classifies the measured figures of a second.
    pub(crate) fn new(
        at: f64,
        timer_late: f64,
        send_late: Option<f64>,
        waited: Option<f64>,
    ) -> Self {
        let over = |figure: Option<f64>, bound| figure.is_some_and(|figure| figure > bound);
        let busy = timer_late > TIMER_LATE || over(send_late, SEND_LATE) || over(waited, WAITED);
        Self { at, timer_late, send_late, waited, busy }
    }
}

/// The processes of a scene whose waiting for a processor is measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crew(Arc<Mutex<BTreeMap<u32, Waits>>>);

/// Nanoseconds that each thread of a process has waited so far.
type Waits = BTreeMap<u32, u64>;

impl Crew {
    /// Measures `process` from now on until it has ended.
    pub(crate) fn add(&self, process: &Proc) {
        if let Some(pid) = process.pid() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(pid, Waits::new());
        }
    }

    /// Seconds that the thread with the longest wait has waited since the previous call; None if
    /// the system does not report it.
    fn waited(&self) -> Option<f64> {
        let mut longest = None;
        let mut processes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        processes.retain(|pid, before| {
            let Some(now) = waits(Path::new(&format!("/proc/{pid}/task"))) else { return false };
            for (thread, waited) in &now {
                let more = waited.saturating_sub(before.get(thread).copied().unwrap_or(0));
                longest = longest.max(Some(more));
            }
            *before = now;
            true
        });
        longest.map(|nanos| Duration::from_nanos(nanos).as_secs_f64())
    }
}

/// How long each thread of a process has waited so far; None if the process has ended or the system
/// does not report it.
fn waits(tasks: &Path) -> Option<Waits> {
    let mut waits = Waits::new();
    for entry in std::fs::read_dir(tasks).ok()?.flatten() {
        let thread = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let text = std::fs::read_to_string(entry.path().join("schedstat")).unwrap_or_default();
        if let (Some(thread), Some(waited)) = (thread, run_queue_wait(&text)) {
            waits.insert(thread, waited);
        }
    }
    (!waits.is_empty()).then_some(waits)
}

/// Nanoseconds of waiting from a `schedstat` of Linux, which lists nanoseconds on a processor,
/// nanoseconds of waiting for one, and turns; None if the kernel does not count (all are 0).
fn run_queue_wait(schedstat: &str) -> Option<u64> {
    let mut figures = schedstat.split_whitespace().map(str::parse::<u64>);
    let (Some(Ok(ran)), Some(Ok(waited)), Some(Ok(_)), None) =
        (figures.next(), figures.next(), figures.next(), figures.next())
    else {
        return None;
    };
    (ran > 0).then_some(waited)
}

/// Measurements of the demo's process by second of the scene: delay of the latest timer, and the
/// longest wait of a process for a processor; in seconds.
#[derive(Debug, Default)]
pub(crate) struct Log(Vec<(f64, Option<f64>)>);

impl Log {
    #[expect(clippy::cast_possible_truncation, reason = "seconds of a scene")]
    fn second(&mut self, second: u64) -> &mut (f64, Option<f64>) {
        let second = second as usize;
        if self.0.len() <= second {
            self.0.resize(second + 1, (0.0, None));
        }
        &mut self.0[second]
    }

    /// Records a timer that was due and fired at these times after the scene's start: every second
    /// from `due` to `fired` is that late.
    fn fired(&mut self, due: Duration, fired: Duration) {
        for second in due.as_secs()..=fired.as_secs() {
            let (late, _) = self.second(second);
            *late = late.max(fired.saturating_sub(due).as_secs_f64());
        }
    }

    /// The seconds of a scene that began at `began`, in Unix time, with the delays of requests that
    /// the load, which started later, has measured.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "seconds of a scene"
    )]
    pub(crate) fn with(self, load: Option<&Summary>, began: f64) -> Vec<MachineSecond> {
        let offset = load.map_or(0.0, |load| (load.began - began).max(0.0)).round() as usize;
        let send_late = |second: usize| -> Option<f64> {
            load?.by_second.get(second.checked_sub(offset)?)?.late_p99
        };
        let seconds = self.0.into_iter().enumerate();
        seconds
            .map(|(second, (timer_late, waited))| {
                MachineSecond::new(second as f64, timer_late, send_late(second), waited)
            })
            .collect()
    }
}

/// Measures the machine until it is dropped.
pub(crate) async fn watch(crew: &Crew, log: &mut Log) -> Infallible {
    let begun = Instant::now();
    let mut pulse = tokio::time::interval(PULSE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut second = 0;
    loop {
        let due = pulse.tick().await.saturating_duration_since(begun);
        let fired = begun.elapsed();
        log.fired(due, fired);
        if fired.as_secs() > second {
            log.second(second).1 = crew.waited();
            second = fired.as_secs();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Second;

    #[test]
    fn the_second_figure_of_a_schedstat_is_the_waiting() {
        let cases = [
            ("206768 80020 2\n", Some(80_020)),
            ("206768 0 1", Some(0)),
            ("0 0 0\n", None), // a kernel without these counters
            ("206768 80020", None),
            ("206768 80020 2 7", None),
            ("206768 -1 2", None),
            ("", None),
        ];
        for (text, waited) in cases {
            assert_eq!(run_queue_wait(text), waited, "{text:?}");
        }
    }

    #[test]
    fn every_thread_of_a_process_counts_and_one_that_is_gone_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        for (thread, text) in [("7", "5 40 1"), ("8", "5 90 1"), ("9", "0 0 0"), ("x", "5 70 1")] {
            let place = folder.path().join(thread);
            std::fs::create_dir(&place).expect("a folder");
            std::fs::write(place.join("schedstat"), text).expect("a file");
        }
        assert_eq!(waits(folder.path()), Some(Waits::from([(7, 40), (8, 90)])));
        assert_eq!(waits(&folder.path().join("gone")), None);
    }

    #[test]
    fn a_second_is_busy_beyond_any_of_the_bounds() {
        let (timer, send, waited) = (TIMER_LATE, Some(SEND_LATE), Some(WAITED));
        let more = |bound: Option<f64>| bound.map(|bound| bound + 0.001);
        let cases = [
            ("quiet", MachineSecond::new(0.0, 0.0, None, None), false),
            ("at the bounds", MachineSecond::new(0.0, timer, send, waited), false),
            ("a late timer", MachineSecond::new(0.0, timer + 0.001, send, waited), true),
            ("late requests", MachineSecond::new(0.0, timer, more(send), waited), true),
            ("a wait", MachineSecond::new(0.0, timer, send, more(waited)), true),
            ("nothing else is known", MachineSecond::new(0.0, timer + 0.001, None, None), true),
        ];
        for (name, second, busy) in cases {
            assert_eq!(second.busy, busy, "{name}");
        }
    }

    #[test]
    fn a_stall_is_in_every_second_that_it_took() {
        let mut log = Log::default();
        let at = Duration::from_millis;
        log.fired(at(900), at(901));
        log.fired(at(1_980), at(4_100));
        log.fired(at(4_120), at(4_121));
        log.second(2).1 = Some(0.3);
        let load = Summary {
            began: 1_001.9, // its first second is the scene's third
            by_second: vec![Second { late_p99: Some(0.7), ..Second::default() }, Second::default()],
            ..Summary::default()
        };
        let seconds = log.with(Some(&load), 1_000.0);
        let late: Vec<f64> = seconds.iter().map(|s| (s.timer_late * 1e3).round()).collect();
        assert_eq!(late, [1.0, 2_120.0, 2_120.0, 2_120.0, 2_120.0]);
        let sent: Vec<Option<f64>> = seconds.iter().map(|s| s.send_late).collect();
        assert_eq!(sent, [None, None, Some(0.7), None, None]);
        assert_eq!(seconds[2].waited, Some(0.3));
        assert_eq!(seconds.iter().map(|s| s.at).collect::<Vec<_>>(), [0.0, 1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn a_process_that_keeps_the_thread_is_seen_by_its_timers() {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut log = Log::default();
        runtime.block_on(async {
            let crew = Crew::default();
            let held_up = async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                std::thread::sleep(Duration::from_millis(200));
                tokio::time::sleep(Duration::from_millis(30)).await;
            };
            tokio::select! {
                () = held_up => {}
                never = watch(&crew, &mut log) => match never {},
            }
        });
        let seconds = log.with(None, 0.0);
        assert!(seconds[0].timer_late > 0.15, "{seconds:?}");
        assert!(seconds[0].busy);
    }
}
