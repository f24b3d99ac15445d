//! The instruction sets, and the kernels for each.

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

impl Level {
    /// The best of [`available`](Self::available).
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                let bf16 = is_x86_feature_detected!("avx512bf16")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl");
                return Self(if bf16 { Set::Avx512Bf16 } else { Set::Avx512 });
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
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
        // A processor with AVX-512 has all that is below it.
        let best = Self::best();
        let n_available = sets.iter().position(|set| *set == best.0).map_or(0, |i| i + 1);
        sets[..n_available].iter().map(|set| Self(*set)).collect()
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
