//! How much memory a piece of work takes: an allocator that counts what each thread holds.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    io::Write,
};

/// A thread that asks for more than this is stopped before the machine is.
const MOST: usize = 2 << 30;

thread_local! {
    /// Bytes that this thread took and did not give back. Below zero if it gave back others'.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// What `work` gives, and the most bytes that it held at one time on this thread.
pub fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let result = work();
    (result, (PEAK.get() - before).unsigned_abs())
}

/// The system's allocator, counting.
pub struct Counting;

impl Counting {
    /// Notes a request before it is granted; `false` if it is out of all proportion.
    fn take(bytes: usize) -> bool {
        // While a thread ends its variables are gone, and nothing is measured any more.
        let counted = HELD.try_with(|held| {
            let now = held.get().saturating_add_unsigned(bytes);
            if now > MOST as isize {
                return false;
            }
            held.set(now);
            PEAK.with(|peak| peak.set(peak.get().max(now)));
            true
        });
        let granted = counted.unwrap_or(true);
        if !granted {
            let _ = std::io::stderr().write_all(b"one thread asked for more than 2 GiB\n");
        }
        granted
    }

    fn give_back(bytes: usize) {
        let _ = HELD.try_with(|held| held.set(held.get().saturating_sub_unsigned(bytes)));
    }
}

// SAFETY: every call is passed on to the system's allocator as it is, or refused with null.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match Self::take(layout.size()) {
            true => unsafe { System.alloc(layout) },
            false => std::ptr::null_mut(),
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match Self::take(layout.size()) {
            true => unsafe { System.alloc_zeroed(layout) },
            false => std::ptr::null_mut(),
        }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new may be there at the same time.
        if !Self::take(size) {
            return std::ptr::null_mut();
        }
        Self::give_back(layout.size());
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        Self::give_back(layout.size());
        unsafe { System.dealloc(memory, layout) }
    }
}

#[test]
fn the_peak_is_what_was_held_at_one_time() {
    let (_, peak) = peak_of(|| {
        drop(vec![1_u8; 5000]);
        drop((vec![1_u8; 3000], vec![1_u8; 4000]));
    });
    assert!((7000..9000).contains(&peak), "{peak}");
    // Zeroed pages cost nothing until they are touched, but they were asked for.
    let (_, peak) = peak_of(|| drop(vec![0_u8; 1 << 30]));
    assert!(peak >= 1 << 30, "{peak}");
}
