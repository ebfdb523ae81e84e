//! What `hotfix_rollout_observe` costs over the same call in Rust: no allocation of its own. A program of its own, as its
//! allocator counts.

#[path = "it/common.rs"]
#[allow(dead_code, reason = "the other program uses the rest")]
mod common;
mod quiet;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use hotfix::rollout::hotfix_recording;
use hotfix_core::rollout::{Input, Recording};
use quiet::{METRICS, at, in_c, in_rust, observe, readings};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the promise of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the promise of `realloc`.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the promise of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn roll_2_a_quiet_observation_through_c_allocates_what_it_does_in_rust() {
    let (mut rust, c) = (in_rust(Recording::HandOut), in_c(hotfix_recording::HandOut));
    let (input, readings) = (Input::from_json(METRICS).unwrap(), readings());
    let mut counts = Vec::new();
    for tick in 1..50 {
        let ms = 1_772_548_802_000 + tick * 10_000;
        let before = COUNT.get();
        rust.handle(at(ms), &input).unwrap();
        let between = COUNT.get();
        observe(&c, ms, &readings);
        counts.push((between - before, COUNT.get() - between));
    }
    // The first ones make room.
    assert!(counts[10..].iter().all(|count| *count == (0, 0)), "(Rust, C): {counts:?}");
}
