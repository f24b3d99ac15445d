//! The memory of the process: what becomes of freed memory, and how much is taken at most.

/// Freed memory stays with the process from now on: training takes the same large blocks at every
/// step, and the system would fill them with zeros each time.
///
/// This is about glibc's allocator. One arena for all threads joins free neighbours whoever freed
/// them, which keeps the peak low.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use libc::{M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, mallopt};
        /// The largest that glibc takes; larger blocks go back to the system when they are freed.
        const LARGEST: libc::c_int = 32 << 20;
        const NEVER: libc::c_int = -1;
        for (option, value) in
            [(M_ARENA_MAX, 1), (M_MMAP_THRESHOLD, LARGEST), (M_TRIM_THRESHOLD, NEVER)]
        {
            // SAFETY: any thread may set these at any time. One that is refused costs time alone.
            unsafe { mallopt(option, value) };
        }
    }
}

/// Starts the measurement of [`peak_bytes`] anew, where the system can.
///
/// What was freed before goes back to the system, so that no run is charged for an earlier one.
pub fn reset_peak() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: any thread may ask for this at any time.
    unsafe {
        libc::malloc_trim(0)
    };
    // Linux: "5" resets the high-water mark of resident memory to what is resident now.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Most resident memory since [`reset_peak`], bytes; `None` where the system does not tell.
pub fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_run_freed_is_not_in_the_next_peak() {
        const MB: usize = 1 << 20;
        keep_freed_memory();
        let blocks: Vec<Vec<u8>> = (0..256).map(|_| vec![1; MB]).collect();
        let held = peak_bytes().unwrap();
        drop(blocks);
        reset_peak();
        let next = peak_bytes().unwrap();
        assert!(next + 128 * MB as u64 <= held, "{next} after {held}");
    }
}
