//! The pace of the scenes, derived from the requests that the machine can serve beside its work.
//!
//! Scenes and policies are written for 300 requests per second. At another rate all times are
//! stretched, so that each tick and each window has the same number of requests: the random
//! variation is then the same, and only the clock differs.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};

use hyper::Method;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::http;
use crate::load::quantile;
use crate::process::Proc;
use crate::switch::{ARMS, Behind, Mover, Switch};

/// Requests per second for which scenes and policies are written.
const WRITTEN_FOR: f64 = 300.0;

/// Valid requests per second. Below, a scene takes most of an hour; above, ticks are shorter than
/// the machine's own delays.
const RATES: RangeInclusive<f64> = 10.0..=3_000.0;

/// The pace of a scene: requests per second, and seconds for each second of the scripts.
///
/// The stretch is kept in whole hundredths, so that a policy's spans stay whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "PaceRecord", into = "PaceRecord")]
pub(crate) struct Pace {
    hundredths: u32,
}

/// The serialised form of a pace.
#[derive(Serialize, Deserialize)]
struct PaceRecord {
    rate: f64,
    stretch: f64,
}

impl From<PaceRecord> for Pace {
    fn from(record: PaceRecord) -> Self {
        Self::stretched(record.stretch)
    }
}

impl From<Pace> for PaceRecord {
    fn from(pace: Pace) -> Self {
        Self { rate: pace.rate(), stretch: pace.stretch() }
    }
}

impl FromStr for Pace {
    type Err = String;

    /// Parses a number of requests per second.
    fn from_str(text: &str) -> Result<Self, String> {
        let rate: f64 = text.parse().unwrap_or(f64::NAN);
        if RATES.contains(&rate) {
            return Ok(Self::at_rate(rate));
        }
        let (least, most) = (RATES.start(), RATES.end());
        Err(format!("`{text}` is not a number of requests per second from {least} to {most}"))
    }
}

impl Default for Pace {
    /// The pace for which the scripts are written.
    fn default() -> Self {
        Self { hundredths: 100 }
    }
}

impl Pace {
    /// The pace with about `rate` requests per second, and never more.
    pub(crate) fn at_rate(rate: f64) -> Self {
        Self::stretched(WRITTEN_FOR / rate)
    }

    /// The pace at which a second of the scripts takes at least `stretch` seconds.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "over 0")]
    fn stretched(stretch: f64) -> Self {
        // Minus a rounding error: 0.43 times 100 is 43.000000000000004.
        Self { hundredths: ((stretch * 100.0 - 1e-6).ceil() as u32).max(1) }
    }

    /// Requests a second.
    pub(crate) fn rate(self) -> f64 {
        WRITTEN_FOR / self.stretch()
    }

    /// Seconds for each second of the scripts.
    pub(crate) fn stretch(self) -> f64 {
        f64::from(self.hundredths) / 100.0
    }

    /// Converts seconds of the scripts to seconds of the clock.
    pub(crate) fn seconds(self, script: f64) -> f64 {
        script * self.stretch()
    }

    /// Converts seconds of the scripts to a duration of the clock.
    pub(crate) fn time(self, script: f64) -> Duration {
        Duration::from_secs_f64(self.seconds(script))
    }
}

/// The part of the machine's capacity that the scenes may use; other programs' load varies.
const PART: f64 = 0.7;

/// Maximum requests per second of one scene: its ticks are then 0.2 s apart.
const MOST: f64 = 750.0;

/// The maximum with a Prometheus server, whose scrapes are then 5 s apart. The server finds a new
/// version up to 5 s after its start: in a shorter scene a fault would begin earlier.
const MOST_REAL: f64 = 120.0;

/// Minimum requests per second of one scene: it then takes three times as long as at 300.
const LEAST: f64 = 100.0;

/// Maximum requests per second of a scene that is repeated because the machine was busy.
const REPEATED: f64 = 300.0;

/// Number of scenes side by side if the machine can serve that many. With fewer, a slow scene keeps
/// the others waiting; with more, each is stretched further and the longest ends later.
const SIDE_BY_SIDE: usize = 8;

/// Requests per second that the machine can serve with its other work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Carry {
    per_second: f64,
    /// Maximum requests per second of one scene.
    most: f64,
}

/// The machine is too busy for the requested rate.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "with its other work the machine can serve {carried:.0} requests per second, and {needed:.0} \
     are needed for {scenes} at once: stop other programs, or give --rate and --at-once"
)]
pub(crate) struct TooBusy {
    carried: f64,
    needed: f64,
    scenes: Scenes,
}

/// A number of scenes, displayed in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scenes(usize);

impl fmt::Display for Scenes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("1 scene"),
            n => write!(f, "{n} scenes"),
        }
    }
}

impl Carry {
    /// The capacity that is reached in 9 of 10 slices, from the answers per slice: a machine that
    /// stalls often has the capacity of its stalls. `most` is the maximum of one scene.
    fn of(slices: &[u32], most: f64) -> Self {
        let mut sorted: Vec<f64> = slices.iter().map(|&n| f64::from(n)).collect();
        sorted.sort_by(f64::total_cmp);
        Self { per_second: quantile(&sorted, 0.1) / SLICE.as_secs_f64(), most }
    }

    /// Requests per second that the machine can serve.
    pub(crate) fn per_second(self) -> f64 {
        self.per_second
    }

    /// The pace of the two scenes that come first.
    pub(crate) fn headline(self) -> Result<Pace, TooBusy> {
        self.pace(2, self.most)
    }

    /// How many of `scenes` further scenes run side by side, and at which pace: [`SIDE_BY_SIDE`],
    /// or as many more as can have the highest rate; fewer if not all of them would have the least.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few scenes")]
    pub(crate) fn others(self, scenes: usize) -> Result<(usize, Pace), TooBusy> {
        let carried = PART * self.per_second;
        let (at_most, at_least) = ((carried / LEAST) as usize, (carried / self.most) as usize);
        let at_once = SIDE_BY_SIDE.max(at_least).min(at_most).clamp(1, scenes.max(1));
        Ok((at_once, self.pace(at_once, self.most)?))
    }

    /// The pace of a scene that is repeated with no other beside it.
    pub(crate) fn alone(self) -> Result<Pace, TooBusy> {
        self.pace(1, REPEATED)
    }

    /// The pace of `scenes` side by side, each with at most `most` requests per second.
    fn pace(self, scenes: usize, most: f64) -> Result<Pace, TooBusy> {
        let rate = PART * self.per_second / scenes as f64;
        if rate < LEAST {
            let needed = LEAST * scenes as f64 / PART;
            let scenes = Scenes(scenes);
            return Err(TooBusy { carried: self.per_second, needed, scenes });
        }
        Ok(Pace::at_rate(rate.min(most)))
    }
}

/// Concurrent connections of the probe to each of its splitters.
const CUSTOMERS: usize = 16;

/// Maximum splitters of the probe: its customers share one process and could not use more.
const SPLITTERS: usize = 4;

/// Length and number of the time slices in which the probe counts answers.
const SLICE: Duration = Duration::from_millis(100);
const SLICES: u32 = 16;

/// Measures the machine's present capacity in about 2 s: closed-loop requests through one splitter
/// per core to a service that answers at once, in processes as in the scenes. Logs go to `folder`.
/// The measurement also serves for `real` parts: HAProxy takes less per request, Prometheus more.
///
/// # Errors
/// The probe's processes do not start.
pub(crate) async fn measure(folder: &Path, real: bool) -> anyhow::Result<Carry> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut chains = Vec::new();
    for number in 1..=cores.min(SPLITTERS) {
        chains.push(Chain::start(number, folder).await?);
    }
    let begun = Instant::now();
    let mut customers = JoinSet::new();
    for traffic in chains.iter().map(|chain| chain.traffic) {
        for _ in 0..CUSTOMERS {
            customers.spawn(pay_on(traffic, begun));
        }
    }
    let mut slices = [0; SLICES as usize + 1];
    for answered in customers.join_all().await {
        slices.iter_mut().zip(answered).for_each(|(sum, own)| *sum += own);
    }
    let most = if real { MOST_REAL } else { MOST };
    Ok(Carry::of(&slices[1..], most)) // the first slice is the warm-up
}

/// A splitter and the service behind it.
struct Chain {
    traffic: SocketAddr,
    _processes: [Proc; 2],
}

impl Chain {
    async fn start(number: usize, folder: &Path) -> anyhow::Result<Self> {
        let start = |name: &str, args: &[&str]| {
            let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
            Proc::start(&format!("probe-{name}-{number}"), &args, folder)
        };
        let mut splitter = start("splitter", &["splitter"])?;
        let mut service = start("service", &["service", "--version=probe", "--median=0.001"])?;
        let traffic = splitter.address().await?;
        let switch = Switch { by: Mover::Splitter(splitter.address().await?), names: ARMS };
        let (name, at) = (ARMS[0].to_owned(), service.address().await?);
        switch.register(&[Behind { name, at, live: true }]).await?;
        Ok(Self { traffic, _processes: [splitter, service] })
    }
}

/// Sends payments one after the other until the end of the last slice; returns answers per slice.
async fn pay_on(traffic: SocketAddr, begun: Instant) -> [u32; SLICES as usize + 1] {
    let mut answered = [0; SLICES as usize + 1];
    let end = begun + SLICE * (SLICES + 1);
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        let answer = http::call(traffic, Method::GET, "/pay", "", left).await;
        let slice = begun.elapsed().as_millis() / SLICE.as_millis();
        let here = usize::try_from(slice).ok().and_then(|slice| answered.get_mut(slice));
        if let (Ok(_), Some(here)) = (answer, here) {
            *here += 1;
        }
    }
    answered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_stretch_go_together_and_times_stay_whole_milliseconds() {
        for (asked, rate, stretch) in
            [(300.0, 300.0, 1.0), (750.0, 750.0, 0.4), (100.0, 100.0, 3.0), (700.0, 697.7, 0.43)]
        {
            let pace = Pace::at_rate(asked);
            assert_eq!(pace.stretch(), stretch, "{asked}");
            assert!((pace.rate() - rate).abs() < 0.1 && pace.rate() <= asked, "{asked}");
            let cadence = pace.seconds(0.5) * 1e3;
            assert!((cadence - cadence.round()).abs() < 1e-9, "{cadence} ms");
            let text = serde_json::to_string(&pace).expect("a record");
            assert_eq!(serde_json::from_str::<Pace>(&text).expect("a pace"), pace);
            assert_eq!(pace.rate().to_string().parse(), Ok(pace));
        }
        for wrong in ["0", "-1", "nan", "fast", "1e6"] {
            assert!(wrong.parse::<Pace>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_stall_now_and_then_counts_and_one_stall_does_not() {
        let mut slices = [400; 16];
        assert_eq!(Carry::of(&slices, MOST).per_second(), 4_000.0);
        slices[3] = 0;
        assert_eq!(Carry::of(&slices, MOST).per_second(), 4_000.0);
        slices[9] = 50;
        assert_eq!(Carry::of(&slices, MOST).per_second(), 500.0);
    }

    #[test]
    fn what_the_machine_carries_says_how_many_scenes_run_and_how_fast() {
        // Capacity per second; stretch of the first two scenes; number at once and stretch of 13
        // others; stretch of one scene alone.
        let table = [
            (40_000.0, Some(0.4), Some((13, 0.4)), Some(1.0)),
            (6_000.0, Some(0.4), Some((8, 0.58)), Some(1.0)),
            (3_000.0, Some(0.4), Some((8, 1.15)), Some(1.0)),
            (1_400.0, Some(0.62), Some((8, 2.45)), Some(1.0)),
            (1_000.0, Some(0.86), Some((7, 3.0)), Some(1.0)),
            (286.0, Some(3.0), Some((2, 3.0)), Some(1.5)),
            (285.0, None, Some((1, 1.51)), Some(1.51)),
            (143.0, None, Some((1, 3.0)), Some(3.0)),
            (142.0, None, None, None),
            (0.0, None, None, None),
        ];
        for (per_second, headline, others, alone) in table {
            let carry = Carry { per_second, most: MOST };
            let stretch = |pace: Result<Pace, TooBusy>| pace.ok().map(Pace::stretch);
            assert_eq!(stretch(carry.headline()), headline, "{per_second}");
            let of_13 = carry.others(13).ok().map(|(at_once, pace)| (at_once, pace.stretch()));
            assert_eq!(of_13, others, "{per_second}");
            assert_eq!(stretch(carry.alone()), alone, "{per_second}");
            // With fewer scenes than the machine can serve, each has more requests.
            let of_2 = carry.others(2).ok().map(|(at_once, pace)| (at_once <= 2, pace.stretch()));
            let at_least = headline.map(|stretch| (true, stretch));
            assert!(at_least.is_none() || of_2 == at_least, "{per_second}");
        }
    }

    #[test]
    fn real_parts_are_scraped_every_five_seconds_at_most() {
        let carry = Carry { per_second: 6_000.0, most: MOST_REAL };
        assert_eq!(carry.headline().map(Pace::stretch), Ok(2.5));
        assert_eq!(carry.others(11), Ok((11, Pace::at_rate(MOST_REAL))));
    }

    #[test]
    fn too_busy_says_what_was_measured_what_is_needed_and_what_to_do() {
        let text = Carry { per_second: 180.0, most: MOST }.headline().unwrap_err().to_string();
        assert_eq!(
            text,
            "with its other work the machine can serve 180 requests per second, and 286 are \
             needed for 2 scenes at once: stop other programs, or give --rate and --at-once"
        );
    }
}
