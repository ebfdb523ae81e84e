//! Observations as arrays of plain structs, read into reused memory.

use std::ffi::c_char;
use std::str;

use hotfix_core::canonical::Digest;
use hotfix_core::metric::{Arms, Histogram, Observation, Sample};
use hotfix_core::rollout::{Command, Input};
use hotfix_core::unit::MetricName;

use crate::error::{Fallible, hotfix_error};
use crate::pointer;
use crate::versioned::{self, Versioned};

/// The form of a reading's numbers.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_form {
    /// `canary` and `baseline` are {events, trials}, or {events, seconds of exposure} for a count.
    Pair = 1,
    /// `canary[0]` and `baseline[0]` are levels: a gauge, or a volume per minute. With
    /// HOTFIX_READING_TOTALS a volume is a running counter, from whose difference the rollout
    /// computes the volume per minute.
    Level = 2,
    /// Cumulative buckets as in Prometheus: `le`, the arms' counts, and the number of all requests
    /// in `canary[0]` and `baseline[0]`.
    Histogram = 3,
    /// Raw latencies in seconds.
    Samples = 4,
}

/// The canary has numbers. Without this flag the canary's members are ignored: an absent value is
/// not zero.
pub const HOTFIX_READING_CANARY: u32 = 1;
/// The baseline has numbers. Without this flag the canary is compared with the metric's reference.
pub const HOTFIX_READING_BASELINE: u32 = 2;
/// The numbers are running counters; resets are handled.
pub const HOTFIX_READING_TOTALS: u32 = 4;

const ALL_FLAGS: u32 = HOTFIX_READING_CANARY | HOTFIX_READING_BASELINE | HOTFIX_READING_TOTALS;

/// The reading of one metric since the last observation. Set all bytes to zero, then set the
/// members that apply: `{.struct_size = sizeof r, …}`.
///
/// NaN and infinity are accepted and logged: those of the canary make the metric's band `not_finite`,
/// which is never healthy, and those of the live version are no reading. A division by zero is better
/// sent as no reading.
///
/// All elements of an array have the same `struct_size`, which is the array's stride. Send readings
/// by instance as JSON.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_reading {
    /// sizeof(hotfix_reading), set by the caller.
    pub struct_size: usize,
    /// The metric's id; UTF-8, borrowed for the call.
    pub metric: *const c_char,
    /// Its length in bytes.
    pub metric_len: usize,
    /// A hotfix_form; may be 0 where no arm has numbers.
    pub form: i32,
    /// One flag for each arm that has numbers, HOTFIX_READING_CANARY or HOTFIX_READING_BASELINE, and
    /// HOTFIX_READING_TOTALS if the numbers are running counters, combined with `|`. The numbers of an
    /// arm without its flag are ignored; numbers without the flag of any arm are refused.
    pub flags: u32,
    /// The canary's numbers, see hotfix_form.
    pub canary: [f64; 2],
    /// The baseline's numbers, see hotfix_form.
    pub baseline: [f64; 2],
    /// HISTOGRAM: upper boundaries in seconds, ascending, without the last one (+Inf). Borrowed for
    /// the call.
    pub le: *const f64,
    /// Number of boundaries, which is also the number of counts of each arm.
    pub le_len: usize,
    /// HISTOGRAM: requests at or below each boundary.
    pub canary_counts: *const f64,
    /// HISTOGRAM: requests at or below each boundary.
    pub baseline_counts: *const f64,
    /// SAMPLES: latencies in seconds.
    pub canary_samples: *const f64,
    /// Number of elements.
    pub canary_samples_len: usize,
    /// SAMPLES: latencies in seconds.
    pub baseline_samples: *const f64,
    /// Number of elements.
    pub baseline_samples_len: usize,
}

impl hotfix_reading {
    /// Whether any number of an arm is set.
    fn has_numbers(&self) -> bool {
        let lists =
            [self.canary_counts, self.baseline_counts, self.canary_samples, self.baseline_samples];
        self.canary.iter().chain(&self.baseline).any(|number| *number != 0.0)
            || lists.iter().any(|list| !list.is_null())
    }
}

// SAFETY: repr(C), the size first, 8 bytes each beyond `baseline`; zero is a value of every member.
unsafe impl Versioned for hotfix_reading {
    const LEAST: usize = std::mem::offset_of!(hotfix_reading, le);
}

/// The sender of an observation. Null, or a struct with zero members, gives no sender.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_sender {
    /// sizeof(hotfix_sender), set by the caller.
    pub struct_size: usize,
    /// The actor: a person or a tool. Logged as a salted digest. UTF-8, at most 256 bytes, borrowed
    /// for the call.
    pub by: *const c_char,
    /// Its length in bytes.
    pub by_len: usize,
    /// The idempotency key: an input with the same key changes nothing, and its outcome is
    /// `repeated`. UTF-8, at most 256 bytes, borrowed for the call.
    pub key: *const c_char,
    /// Its length in bytes.
    pub key_len: usize,
    /// The log head that the sender has seen, 64 hexadecimal digits. The observation is refused if
    /// it is no longer the head.
    pub expected_head: *const c_char,
    /// Its length in bytes.
    pub expected_head_len: usize,
}

// SAFETY: repr(C), the size first, 8 bytes each; zero is a value of every member.
unsafe impl Versioned for hotfix_sender {
    const LEAST: usize = size_of::<usize>();
}

/// Maximum length of `by` and `key`, as in JSON inputs.
const LONGEST: usize = 256;

/// An observation whose memory is reused from call to call.
pub(crate) struct Scratch {
    input: Input,
    /// The index that each metric of the observation had in the last array, in the observation's
    /// order.
    places: Vec<usize>,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self { input: Input::observe(Observation::new()), places: Vec::new() }
    }

    /// The observation that was read last.
    pub(crate) const fn input(&self) -> &Input {
        &self.input
    }

    /// Reads an array. Allocates only where metrics, arms or bucket counts are not those of the
    /// last one.
    pub(crate) unsafe fn fill(
        &mut self,
        readings: *const hotfix_reading,
        count: usize,
        sender: *const hotfix_sender,
    ) -> Fallible<()> {
        // SAFETY: the caller keeps the header's contract.
        unsafe {
            self.sender(sender)?;
            let array = Array::new(readings, count)?;
            if !self.refill(&array)? {
                self.arrange(&array)?;
                self.refill(&array)?;
            }
        }
        Ok(())
    }

    /// Reads an array with the same metrics at the same indices as the last one; false if its
    /// metrics differ.
    #[inline]
    unsafe fn refill(&mut self, array: &Array) -> Fallible<bool> {
        let Self { input: Input { command: Command::Observe { metrics }, .. }, places } = self
        else {
            return Ok(false);
        };
        if places.len() != array.count {
            return Ok(false);
        }
        for ((metric, kept), &index) in metrics.iter_mut().zip(places.iter()) {
            // SAFETY: `places` has each index below `count` once; the caller keeps the header's
            // contract.
            unsafe {
                if !array.has(index, metric) {
                    return Ok(false);
                }
                let other;
                let reading = if let Some(ours) = array.ours(index) {
                    ours
                } else {
                    other = array.other(index)?;
                    &other
                };
                fill(kept.whole_mut(), reading).map_err(|error| blame(metric, error))?;
            }
        }
        Ok(true)
    }

    /// Builds the layout of the observation again. If that fails, the old layout stays.
    #[cold]
    unsafe fn arrange(&mut self, array: &Array) -> Fallible<()> {
        let mut places: Vec<(MetricName, usize)> = Vec::new();
        for index in 0..array.count {
            // SAFETY: the caller keeps the header's contract.
            let name = unsafe { array.name(index)? };
            let at = |error: Box<hotfix_error>| error.at(format!("/readings/{index}/metric"));
            let text =
                str::from_utf8(name).map_err(|fault| at(hotfix_error::utf8("metric", fault)))?;
            let metric = MetricName::try_new(text).map_err(|error| at(error.into()))?;
            let Err(place) = places.binary_search_by_key(&metric, |(known, _)| *known) else {
                let twice = hotfix_core::rollout::InputError::Syntax {
                    fault: format!("the metric `{metric}` occurs twice: send each metric once"),
                };
                return Err(at(twice.into()));
            };
            places.insert(place, (metric, index));
        }
        let mut metrics = Observation::new();
        for (metric, _) in &places {
            metrics.set(*metric, Arms::default());
        }
        self.input.command = Command::Observe { metrics };
        self.places = places.into_iter().map(|(_, place)| place).collect();
        Ok(())
    }

    unsafe fn sender(&mut self, sender: *const hotfix_sender) -> Fallible<()> {
        let Input { by, key, expected_head, .. } = &mut self.input;
        *expected_head = None;
        if sender.is_null() {
            (*by, *key) = (None, None);
            return Ok(());
        }
        // SAFETY: not null; the caller keeps the header's contract.
        unsafe {
            let sent = versioned::read(sender, "sender")?;
            *by = short(pointer::text(sent.by, sent.by_len, "by")?, "by")?;
            *key = short(pointer::text(sent.key, sent.key_len, "key")?, "key")?;
            let head = pointer::text(sent.expected_head, sent.expected_head_len, "expected_head")?;
            *expected_head = self::head(head, "expected_head")?;
        }
        Ok(())
    }
}

/// The head of a log; none if the text is empty.
pub(crate) fn head(text: &str, name: &str) -> Fallible<Option<Digest>> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|fault| hotfix_error::digest(name, fault))
}

fn short(text: &str, field: &'static str) -> Fallible<Option<String>> {
    if text.len() > LONGEST {
        let (bytes, most) = (text.len(), LONGEST);
        return Err(hotfix_core::rollout::InputError::TooLong { field, bytes, most }.into());
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

#[cold]
fn blame(metric: &MetricName, error: Box<hotfix_error>) -> Box<hotfix_error> {
    error.at(format!("/metrics/{metric}"))
}

/// An array whose stride is the caller's `struct_size`.
struct Array {
    base: *const hotfix_reading,
    stride: usize,
    count: usize,
}

/// Maximum number of metrics in an observation.
const MOST: usize = 4096;

impl Array {
    unsafe fn new(base: *const hotfix_reading, count: usize) -> Fallible<Self> {
        if count > MOST {
            return Err(hotfix_error::range("count", count, format_args!("at most {MOST}")));
        }
        let stride = match count {
            0 => 0,
            // SAFETY: the caller keeps the header's contract.
            _ => unsafe { versioned::size_of_caller(base, "readings")? },
        };
        Ok(Self { base, stride, count })
    }

    /// # Safety
    /// `index` is below `count`.
    #[inline]
    unsafe fn place(&self, index: usize) -> *const hotfix_reading {
        // SAFETY: within the caller's array, whose stride is its elements' size, a multiple of 8.
        unsafe { self.base.byte_add(index * self.stride) }
    }

    /// Whether an element has the array's size and this metric.
    ///
    /// # Safety
    /// `index` is below `count`.
    #[inline]
    unsafe fn has(&self, index: usize, metric: &MetricName) -> bool {
        // SAFETY: size, `metric` and `metric_len` are within `LEAST`, `metric_len` bytes readable,
        // by the header's contract.
        unsafe {
            let at = self.place(index);
            (*at).struct_size == self.stride
                && !(*at).metric.is_null()
                && pointer::bytes((*at).metric, (*at).metric_len, "metric")
                    .is_ok_and(|name| *metric == *name)
        }
    }

    /// The metric's name of an element, after a check that its size is the stride.
    ///
    /// # Safety
    /// `index` is below `count`.
    unsafe fn name(&self, index: usize) -> Fallible<&[u8]> {
        // SAFETY: size, `metric` and `metric_len` are within `LEAST`, `metric_len` bytes readable,
        // by the header's contract.
        unsafe {
            let at = self.place(index);
            let size = (*at).struct_size;
            if size != self.stride {
                return Err(hotfix_error::structure(
                    "readings",
                    format_args!(
                        "struct_size {size} at {index} and {} at 0: set the same size in every element",
                        self.stride
                    ),
                ));
            }
            pointer::bytes((*at).metric, (*at).metric_len, "metric")
                .map_err(|error| error.at(format!("/readings/{index}/metric")))
        }
    }

    /// An element if the caller's struct has the size of ours.
    ///
    /// # Safety
    /// `index` is below `count`.
    #[inline]
    unsafe fn ours(&self, index: usize) -> Option<&hotfix_reading> {
        // SAFETY: `stride` bytes are readable there by the header's contract, and no thread changes
        // them during the call.
        (self.stride == size_of::<hotfix_reading>()).then(|| unsafe { &*self.place(index) })
    }

    /// An element of another size.
    ///
    /// # Safety
    /// `index` is below `count`.
    unsafe fn other(&self, index: usize) -> Fallible<hotfix_reading> {
        // SAFETY: as above.
        unsafe { versioned::read_other(self.place(index), self.stride, "readings") }
    }
}

/// Reads one metric's arms, in place if their form is the same as before.
#[inline]
unsafe fn fill(arms: &mut Arms, from: &hotfix_reading) -> Fallible<()> {
    const PAIR: i32 = hotfix_form::Pair as i32;
    const LEVEL: i32 = hotfix_form::Level as i32;
    const HISTOGRAM: i32 = hotfix_form::Histogram as i32;
    const SAMPLES: i32 = hotfix_form::Samples as i32;
    if from.flags & !ALL_FLAGS != 0 {
        return Err(hotfix_error::no_member("flags", from.flags, "HOTFIX_READING_*"));
    }
    let canary = from.flags & HOTFIX_READING_CANARY != 0;
    let baseline = from.flags & HOTFIX_READING_BASELINE != 0;
    if !canary && !baseline && from.has_numbers() {
        return Err(hotfix_error::no_flags());
    }
    let Arms { canary: in_canary, baseline: in_baseline, totals } = arms;
    *totals = from.flags & HOTFIX_READING_TOTALS != 0;
    match from.form {
        PAIR => {
            pair(in_canary, canary, from.canary);
            pair(in_baseline, baseline, from.baseline);
        }
        LEVEL => {
            level(in_canary, canary, from.canary[0]);
            level(in_baseline, baseline, from.baseline[0]);
        }
        // SAFETY: `le_len` doubles are readable at each of an arm that is there, by the header's
        // contract.
        HISTOGRAM => unsafe {
            let le = pointer::numbers(from.le, from.le_len, "le")?;
            let (counts, all) = ((from.canary_counts, "canary_counts"), from.canary[0]);
            histogram(in_canary, canary, le, counts, all)?;
            let (counts, all) = ((from.baseline_counts, "baseline_counts"), from.baseline[0]);
            histogram(in_baseline, baseline, le, counts, all)?;
        },
        // SAFETY: that many doubles are readable at each of an arm that is there, by the header's
        // contract.
        SAMPLES => unsafe {
            let sent = (from.canary_samples, from.canary_samples_len, "canary_samples");
            samples(in_canary, canary, sent)?;
            let sent = (from.baseline_samples, from.baseline_samples_len, "baseline_samples");
            samples(in_baseline, baseline, sent)?;
        },
        0 if !canary && !baseline => (*in_canary, *in_baseline) = (None, None),
        other => return Err(hotfix_error::no_member("form", other, "hotfix_form")),
    }
    Ok(())
}

#[inline]
fn pair(slot: &mut Option<Sample>, there: bool, [events, trials]: [f64; 2]) {
    match slot {
        Some(Sample::Pair(e, t)) if there => (*e, *t) = (events, trials),
        _ => *slot = there.then_some(Sample::Pair(events, trials)),
    }
}

#[inline]
fn level(slot: &mut Option<Sample>, there: bool, level: f64) {
    match slot {
        Some(Sample::Level(kept)) if there => *kept = level,
        _ => *slot = there.then_some(Sample::Level(level)),
    }
}

#[inline]
unsafe fn histogram(
    slot: &mut Option<Sample>,
    there: bool,
    le: &[f64],
    (counts, name): (*const f64, &str),
    count: f64,
) -> Fallible<()> {
    if !there {
        *slot = None;
        return Ok(());
    }
    // SAFETY: as many doubles as boundaries are readable there by the header's contract.
    let counts = unsafe { pointer::numbers(counts, le.len(), name)? };
    if let Some(Sample::Histogram(kept)) = slot {
        kept.count = count;
        renew(&mut kept.le, le);
        renew(&mut kept.counts, counts);
    } else {
        let (le, counts) = (le.to_vec(), counts.to_vec());
        *slot = Some(Sample::Histogram(Histogram { count, counts, le }));
    }
    Ok(())
}

#[inline]
unsafe fn samples(
    slot: &mut Option<Sample>,
    there: bool,
    (at, len, name): (*const f64, usize, &str),
) -> Fallible<()> {
    if !there {
        *slot = None;
        return Ok(());
    }
    // SAFETY: `len` doubles are readable there by the header's contract.
    let sent = unsafe { pointer::numbers(at, len, name)? };
    if let Some(Sample::Samples(kept)) = slot {
        renew(kept, sent);
    } else {
        *slot = Some(Sample::Samples(sent.to_vec()));
    }
    Ok(())
}

#[inline]
fn renew(kept: &mut Vec<f64>, numbers: &[f64]) {
    if kept.len() == numbers.len() {
        kept.copy_from_slice(numbers);
    } else {
        numbers.clone_into(kept);
    }
}
