//! Counts what each thread allocates and holds, around the system's allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    /// How often the thread has allocated.
    pub(crate) static COUNT: Cell<usize> = const { Cell::new(0) };
    /// The bytes that it holds.
    pub(crate) static LIVE: Cell<isize> = const { Cell::new(0) };
    /// The most bytes that it held at a time since a test set this.
    pub(crate) static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count() {
    // A thread that is being torn down has no counter any more, and nobody reads it.
    let _ = COUNT.try_with(|counter| counter.set(counter.get() + 1));
}

fn live(more: usize, less: usize) {
    let _ = LIVE.try_with(|live| {
        live.set(live.get().wrapping_add_unsigned(more).wrapping_sub_unsigned(less));
        let _ = MOST.try_with(|most| most.set(most.get().max(live.get())));
    });
}

// SAFETY: every call goes to the system's allocator unchanged; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        live(layout.size(), 0);
        // SAFETY: the caller keeps the promise of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        live(layout.size(), 0);
        // SAFETY: the caller keeps the promise of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        live(size, layout.size());
        // SAFETY: the caller keeps the promise of `realloc`.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        live(0, layout.size());
        // SAFETY: the caller keeps the promise of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
