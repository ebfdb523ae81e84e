//! The machine during a scene, as text and figures.

use serde::Serialize;

use crate::lines::Unit;
use crate::machine::MachineSecond;
use crate::record::RunRecord;

/// The machine during a scene.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    /// One or two sentences.
    words: String,
    /// The seconds in which it was busy.
    busy: Vec<Row>,
}

/// One second, as the tables show it.
#[derive(Debug, Serialize)]
struct Row {
    at: String,
    timers: String,
    requests: String,
    waited: String,
}

/// Returns `None` if the machine was not measured.
pub(super) fn of(record: &RunRecord) -> Option<Machine> {
    let seconds = &record.machine;
    if seconds.is_empty() {
        return None;
    }
    let most = |figure: fn(&MachineSecond) -> Option<f64>| {
        seconds.iter().filter_map(figure).max_by(f64::total_cmp)
    };
    let show = |seconds: f64| Unit::Milliseconds.show(seconds);
    let ms = |figure: Option<f64>| figure.map_or_else(|| "–".into(), show);
    let begun = match record.busy_seconds() {
        0 => "The machine was not busy".to_owned(),
        busy => format!("The machine was busy for {busy} of {} s", seconds.len()),
    };
    let timers = ms(most(|second| Some(second.timer_late)));
    let requests = most(|second| second.send_late).map_or_else(String::new, |late| {
        format!(", requests at most {} (99th percentile of each second)", ms(Some(late)))
    });
    let waited = most(|second| second.waited).map_or_else(String::new, |waited| {
        let waited = ms(Some(waited));
        format!("; a process waited for a processor for at most {waited} of a second")
    });
    let words = format!("{begun}: timers at most {timers} late{requests}{waited}.");
    let row = |second: &MachineSecond| Row {
        at: format!("{:.0} s", second.at),
        timers: ms(Some(second.timer_late)),
        requests: ms(second.send_late),
        waited: ms(second.waited),
    };
    let busy = seconds.iter().filter(|second| second.busy).map(row).collect();
    Some(Machine { words, busy })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_busy_machine_is_told_with_its_seconds_and_an_idle_one_with_its_worst() {
        let machine = of(&sample::disturbed()).expect("it was watched");
        assert!(machine.words.starts_with("The machine was busy for 3 of "), "{}", machine.words);
        let rows: Vec<&str> = machine.busy.iter().map(|row| row.at.as_str()).collect();
        assert_eq!(rows, ["10 s", "11 s", "12 s"]);
        assert_eq!(machine.busy[1].requests, "180 ms");
        let machine = of(&sample::rolled_back()).expect("it was watched");
        assert!(machine.words.starts_with("The machine was not busy: "), "{}", machine.words);
        assert!(machine.busy.is_empty());
        assert!(of(&RunRecord::default()).is_none());
    }
}
