//! What a kernel computes: one tile of a product.

/// Columns of a vector, whatever the width of the registers: the unit of the packed layout.
pub const LANES: usize = 16;

/// Vectors of a panel.
pub const VECTORS: usize = 3;

/// Columns of a panel.
pub const PANEL: usize = VECTORS * LANES;

/// `out = start + a · b`, for a few rows and at most [`PANEL`] columns.
///
/// A word is 32 bits: an `f32`, or a pair of bfloat16 that follow each other along the inner axis.
/// Every element of the result is one chain of additions along the inner axis, in its order, so it
/// does not depend on which tile it is in.
#[derive(Clone, Copy)]
pub struct Job {
    /// The first word of `a`.
    pub a: *const u32,
    /// Words from a row of `a` to the next, and from one inner word to the next.
    pub a_strides: [usize; 2],
    /// Inner words.
    pub depth: usize,
    /// The first word of `b`.
    pub b: *const u32,
    /// Words from a row of `b` to the next; the words of a row follow each other.
    pub b_stride: usize,
    /// A row that every sum starts with; null for zeros.
    pub start: *const f32,
    /// The first number of the result.
    pub out: *mut f32,
    /// Numbers from a row of the result to the next.
    pub out_stride: usize,
    /// Rows of `a` and of the result, at least 1 and at most what the kernel says.
    pub n_rows: usize,
    /// Columns of `b` and of the result, at least 1 and at most [`PANEL`].
    pub n_columns: usize,
}

/// A kernel and the number of rows it takes at most.
#[derive(Clone, Copy)]
pub struct Kernel {
    /// Computes one tile.
    pub tile: unsafe fn(Job),
    /// Rows of a tile.
    pub rows: usize,
}

impl Kernel {
    /// Computes a job of any number of rows.
    ///
    /// # Safety
    /// The pointers of the job are valid for its extent, and the kernel's instructions are there.
    pub unsafe fn run(self, job: Job) {
        let mut row = 0;
        while row < job.n_rows {
            let n_rows = (job.n_rows - row).min(self.rows);
            // SAFETY: the caller's promise, for a part of the rows.
            unsafe {
                (self.tile)(Job {
                    a: job.a.add(row * job.a_strides[0]),
                    out: job.out.add(row * job.out_stride),
                    n_rows,
                    ..job
                });
            }
            row += n_rows;
        }
    }
}
