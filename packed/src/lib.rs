#![doc = include_str!("../README.md")]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub mod bf16;
mod level;
mod matrix;
mod portable;
#[cfg(test)]
mod tests;
mod tile;

use std::cell::RefCell;
use std::mem::MaybeUninit;

pub use level::{Level, Vectors};
pub use matrix::Matrix;
use matrix::extent;
use serde::{Deserialize, Serialize};
use tile::{Job, Kernel, LANES, PANEL};

/// How the numbers of a product are rounded before they are multiplied; sums are always `f32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Not at all.
    #[default]
    F32,
    /// Both factors to bfloat16: 8 bits of exponent, 8 of precision.
    Bf16,
}

impl Precision {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::F32, Self::Bf16];

    /// The name used in configurations and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }
}

/// Words of a vector, aligned so that none is split between two lines of the cache.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "read through pointers")] [u32; LANES]);

/// A matrix `[k, n]` that never changes, laid out for products `x · W`.
pub struct Packed {
    shape: [usize; 2],
    precision: Precision,
    level: Level,
    /// Rows of words: k, or half of it where a word holds a pair.
    depth: usize,
    /// Panel by panel, row by row, padded with zeros to whole vectors.
    lines: Vec<Line>,
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [k, n] = self.shape;
        write!(f, "Packed([{k}, {n}], {:?}, {:?})", self.precision, self.level)
    }
}

impl Packed {
    /// Packs a matrix for the best instruction set of this processor.
    pub fn new(weight: Matrix, precision: Precision) -> Self {
        Self::for_level(weight, precision, Level::best())
    }

    /// Packs a matrix for an instruction set.
    pub fn for_level(weight: Matrix, precision: Precision, level: Level) -> Self {
        let [k, n] = weight.shape();
        let rounded = |i, j| match precision {
            Precision::F32 => weight.at(i, j),
            Precision::Bf16 => bf16::widen(bf16::round(weight.at(i, j))),
        };
        let in_pairs = precision == Precision::Bf16 && level.has_bf16();
        let word = |i: usize, j: usize| match in_pairs {
            false => rounded(i, j).to_bits(),
            true if 2 * i + 1 < k => bf16::pair(rounded(2 * i, j), rounded(2 * i + 1, j)),
            true => bf16::pair(rounded(2 * i, j), 0.0),
        };
        let depth = if in_pairs { k.div_ceil(2) } else { k };
        let mut lines = Vec::with_capacity(depth * n.div_ceil(LANES));
        for panel in (0..n).step_by(PANEL) {
            let end = n.min(panel + PANEL);
            for i in 0..depth {
                for column in (panel..end).step_by(LANES) {
                    let at = |lane| if column + lane < n { word(i, column + lane) } else { 0 };
                    lines.push(Line(std::array::from_fn(at)));
                }
            }
        }
        Self { shape: [k, n], precision, level, depth, lines }
    }

    /// k and n.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Writes `x · W + bias`, row by row, on the thread that asks.
    ///
    /// # Shapes
    /// `x`: `[m, k]`, `bias`: `[n]`, `out`: `[m, n]`, all row-major.
    ///
    /// # Panics
    /// If the shapes do not fit together.
    pub fn apply<'a>(
        &self,
        x: &[f32],
        bias: Option<&[f32]>,
        out: &'a mut [MaybeUninit<f32>],
    ) -> &'a mut [f32] {
        let [k, n] = self.shape;
        let m = out.len() / n.max(1);
        assert_eq!((x.len(), out.len()), (m * k, m * n), "rows do not fit a matrix [{k}, {n}]");
        assert!(bias.is_none_or(|bias| bias.len() == n), "the bias does not fit [{k}, {n}]");
        match (self.precision, self.level.bf16()) {
            (Precision::F32, _) => self.run(self.level.f32(), x.as_ptr().cast(), bias, out),
            (Precision::Bf16, Some(kernel)) => scratch(|pairs| {
                self.level.pairs(x, k, pairs);
                self.run(kernel, pairs.as_ptr(), bias, out);
            }),
            (Precision::Bf16, None) => scratch(|rounded| {
                rounded.clear();
                rounded.extend(x.iter().map(|x| bf16::widen(bf16::round(*x)).to_bits()));
                self.run(self.level.f32(), rounded.as_ptr(), bias, out);
            }),
        }
        // SAFETY: each panel wrote its columns of every row.
        unsafe { out.assume_init_mut() }
    }

    /// `x` points to rows of `self.depth` words, as many as `out` has rows.
    fn run(
        &self,
        kernel: Kernel,
        x: *const u32,
        bias: Option<&[f32]>,
        out: &mut [MaybeUninit<f32>],
    ) {
        let [_, n] = self.shape;
        let n_rows = out.len() / n.max(1);
        for panel in (0..n).step_by(PANEL) {
            let n_columns = (n - panel).min(PANEL);
            let job = Job {
                a: x,
                a_strides: [self.depth, 1],
                depth: self.depth,
                // Every panel before this one is PANEL words wide.
                b: self.lines[panel / LANES * self.depth..].as_ptr().cast(),
                b_stride: n_columns.next_multiple_of(LANES),
                start: bias.map_or(std::ptr::null(), |bias| bias[panel..].as_ptr()),
                out: out[panel..].as_mut_ptr().cast(),
                out_stride: n,
                n_rows,
                n_columns,
            };
            // SAFETY: a `Level` exists only where its instructions do. `x` has `n_rows` rows of
            // `depth` words, the panel `depth` rows of `b_stride`, the bias and each of the
            // `n_rows` rows of `out` `n_columns` numbers from here on.
            unsafe { kernel.run(job) };
        }
    }
}

/// Lends memory that the thread keeps from one call to the next.
fn scratch<T>(task: impl FnOnce(&mut Vec<u32>) -> T) -> T {
    thread_local! {
        static WORDS: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    }
    WORDS.with_borrow_mut(task)
}

/// Writes `a · b` over the first columns of rows that start `row_stride` apart, on the thread that
/// asks. For small products: nothing is packed.
///
/// # Panics
/// If the shapes do not fit together, or the values of a row of `b` do not follow each other.
pub fn product(level: Level, a: Matrix, b: Matrix, out: &mut [f32], row_stride: usize) {
    let ([m, k], [k_b, n]) = (a.shape(), b.shape());
    assert_eq!(k, k_b, "inner widths of a product differ");
    assert!(b.strides()[1] == 1 || n < 2 || k == 0, "the rows of b have gaps");
    assert!(row_stride >= n, "rows of the result overlap");
    assert!(extent([m, n], [row_stride, 1]) <= out.len(), "the result of a product does not fit");
    if m == 0 {
        return;
    }
    for column in (0..n).step_by(PANEL) {
        let job = Job {
            a: a.as_ptr().cast(),
            a_strides: a.strides(),
            depth: k,
            b: b.as_ptr().wrapping_add(column).cast(),
            b_stride: b.strides()[0],
            start: std::ptr::null(),
            out: out[column..].as_mut_ptr().cast(),
            out_stride: row_stride,
            n_rows: m,
            n_columns: (n - column).min(PANEL),
        };
        // SAFETY: a `Level` exists only where its instructions do. `Matrix` holds that every
        // element of `a` and `b` is in its memory, and `out` was checked above.
        unsafe { level.f32().run(job) };
    }
}
