//! Distributes runs over the cores; results are in the order of the runs.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// The most runs that a thread fetches at a time.
const MOST_FETCHED: u32 = 16;

/// The results of runs `0..count`.
pub(crate) fn all<T: Send>(count: u32, one: impl Fn(u32) -> T + Sync) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let shares = u32::try_from(4 * threads).unwrap_or(u32::MAX);
    // Few runs that take long are to keep every core busy, too.
    let fetched = (count / shares).clamp(1, MOST_FETCHED);
    let next = AtomicU32::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let first = next.fetch_add(fetched, Ordering::Relaxed);
            if first >= count {
                return done;
            }
            let last = count.min(first + fetched);
            done.push((first, (first..last).map(&one).collect::<Vec<T>>()));
        }
    };
    let mut chunks: Vec<(u32, Vec<T>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        // A run that panics is a bug of this program: let it end the program.
        let done = workers.into_iter().map(|worker| match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        done.flatten().collect()
    });
    chunks.sort_unstable_by_key(|chunk| chunk.0);
    chunks.into_iter().flat_map(|chunk| chunk.1).collect()
}
