//! The pace of the scenes: it follows from the number of requests that the machine can serve with
//! its other work.
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

/// Requests a second that can be asked for: slower a scene takes most of an hour, faster its ticks
/// are shorter than the machine's own times.
const RATES: RangeInclusive<f64> = 10.0..=3_000.0;

/// The pace of a scene: requests per second, and seconds for each second of the scripts.
///
/// The stretch is kept in whole hundredths, so that a policy's spans stay whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "PaceRecord", into = "PaceRecord")]
pub(crate) struct Pace {
    hundredths: u32,
}

/// A pace as a record has it.
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

    /// Reads requests a second.
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
    /// As the scripts are written.
    fn default() -> Self {
        Self { hundredths: 100 }
    }
}

impl Pace {
    /// The pace of a scene with about so many requests a second; at most so many.
    pub(crate) fn at_rate(rate: f64) -> Self {
        Self::stretched(WRITTEN_FOR / rate)
    }

    /// The pace at which a second of the scripts takes at least so many seconds.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "over 0")]
    fn stretched(stretch: f64) -> Self {
        // A hair less, as 0.43 times 100 is 43.000000000000004.
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

    /// How many seconds so many seconds of the scripts take.
    pub(crate) fn seconds(self, script: f64) -> f64 {
        script * self.stretch()
    }

    /// How long so many seconds of the scripts take.
    pub(crate) fn time(self, script: f64) -> Duration {
        Duration::from_secs_f64(self.seconds(script))
    }
}

/// The part of what the machine carries that the scenes may ask for: the rest is for what comes and
/// goes beside them.
const PART: f64 = 0.7;

/// Requests a second of one scene at most: its ticks are 0.2 s apart then.
const MOST: f64 = 750.0;

/// The same with a Prometheus server, whose scrapes are 5 s apart then. It finds a new version up to
/// 5 s after its start: in a shorter scene a fault would begin before that.
const MOST_REAL: f64 = 120.0;

/// Requests a second of one scene at least: it takes three times as long as at 300 then.
const LEAST: f64 = 100.0;

/// Requests a second at most of a scene that is repeated because the machine was in its way.
const REPEATED: f64 = 300.0;

/// How many scenes run side by side where the machine carries that many. With fewer a slow scene
/// keeps the others waiting; with more each is stretched further, and the longest ends later.
const SIDE_BY_SIDE: usize = 8;

/// Requests per second that the machine can serve with its other work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Carry {
    per_second: f64,
    /// Those of one scene at most.
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

/// So many scenes, in words.
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
    /// What is carried in all but the worst tenth of the slices, each with so many answers: a
    /// machine that stalls now and then carries what it carries then.
    fn of(slices: &[u32], most: f64) -> Self {
        let mut sorted: Vec<f64> = slices.iter().map(|&n| f64::from(n)).collect();
        sorted.sort_by(f64::total_cmp);
        Self { per_second: quantile(&sorted, 0.1) / SLICE.as_secs_f64(), most }
    }

    /// Requests a second.
    pub(crate) fn per_second(self) -> f64 {
        self.per_second
    }

    /// The pace of the two scenes that come first.
    pub(crate) fn headline(self) -> Result<Pace, TooBusy> {
        self.pace(2, self.most)
    }

    /// How many of so many further scenes run side by side, and at which pace. Few enough that each
    /// has its least rate; as many more as the machine carries at the highest one.
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

    /// The pace of so many scenes side by side, each with `most` requests a second at most.
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

/// Connections of the probe at a time to each of its splitters.
const CUSTOMERS: usize = 16;

/// Splitters of the probe at most: the customers, of one process, would keep more of them waiting.
const SPLITTERS: usize = 4;

/// The probe counts answers by slices of this length, so many of them.
const SLICE: Duration = Duration::from_millis(100);
const SLICES: u32 = 16;

/// Measures what the machine carries now, in about 2 s: closed-loop requests through a splitter for
/// each core to a service that answers at once, all of them processes as in the scenes. With `real`
/// parts HAProxy takes less for a request and Prometheus takes more: the same figure serves.
/// Logs of the probe's processes go to `folder`.
///
/// # Errors
/// When the probe's processes do not start.
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
    Ok(Carry::of(&slices[1..], most)) // the first warms up
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

/// Pays one time after the other until the last slice is over; answers by the slice in which they
/// came.
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
        // Carried a second; then stretches: of two, of 13 others and how many at once, of one
        // alone.
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
            // Fewer scenes than could run leave more to each.
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
