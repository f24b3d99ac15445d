//! The instruction sets, and the kernels for each.
//!
//! A level asks the processor for every feature that code compiled for it may use, here and in
//! crates that build on this one, so that all of them choose alike.

#[cfg(target_arch = "x86_64")]
use crate::{avx2, avx512};
use crate::{bf16, portable, tile::Kernel};

/// An instruction set this processor has.
///
/// The field is private: a value exists only if the processor was asked, which is what makes the
/// code compiled for it sound to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Set);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

/// The vectors of a [`Level`]: which features code that is called for it may be compiled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vectors {
    /// `avx512f`, `avx512bw`, `avx512dq`, `avx512vl`, and what AVX2 has.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// `avx2` and `fma`.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Those of every processor that the program was built for.
    Portable,
}

impl Level {
    /// The best of [`available`](Self::available).
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx512 = avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            if avx512 {
                let bf16 = is_x86_feature_detected!("avx512bf16");
                return Self(if bf16 { Set::Avx512Bf16 } else { Set::Avx512 });
            }
            if avx2 {
                return Self(Set::Avx2);
            }
        }
        Self(Set::Portable)
    }

    /// All that this processor can run, the slowest first.
    pub fn available() -> Vec<Self> {
        let sets = [
            Set::Portable,
            #[cfg(target_arch = "x86_64")]
            Set::Avx2,
            #[cfg(target_arch = "x86_64")]
            Set::Avx512,
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Bf16,
        ];
        // Each was asked for all that the ones below it have.
        let best = Self::best();
        let n_available = sets.iter().position(|set| *set == best.0).map_or(0, |i| i + 1);
        sets[..n_available].iter().map(|set| Self(*set)).collect()
    }

    /// Its vectors. The processor was asked for them, so code with their features may be called.
    pub fn vectors(self) -> Vectors {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Bf16 | Set::Avx512 => Vectors::Avx512,
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => Vectors::Avx2,
            Set::Portable => Vectors::Portable,
        }
    }

    /// Whether it multiplies pairs of bfloat16.
    pub fn has_bf16(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        if self.0 == Set::Avx512Bf16 {
            return true;
        }
        false
    }

    /// The kernel whose words are `f32`.
    pub(crate) fn f32(self) -> Kernel {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Bf16 | Set::Avx512 => Kernel { tile: avx512::f32, rows: avx512::ROWS },
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => Kernel { tile: avx2::f32, rows: avx2::ROWS },
            Set::Portable => Kernel { tile: portable::f32, rows: usize::MAX },
        }
    }

    /// Rounds rows of `width` numbers to rows of pairs of bfloat16.
    pub(crate) fn pairs(self, rows: &[f32], width: usize, out: &mut Vec<u32>) {
        #[cfg(target_arch = "x86_64")]
        if self.has_bf16() {
            // SAFETY: the level exists only where its instructions do.
            return unsafe { avx512::pairs(rows, width, out) };
        }
        bf16::pairs(rows, width, out);
    }

    /// The kernel whose words are pairs of bfloat16, where the processor has one.
    pub(crate) fn bf16(self) -> Option<Kernel> {
        #[cfg(target_arch = "x86_64")]
        if self.has_bf16() {
            return Some(Kernel { tile: avx512::bf16_pairs, rows: avx512::ROWS });
        }
        None
    }
}
