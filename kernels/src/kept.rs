//! Numbers of the forward pass that the backward pass needs, in the precision of the frozen
//! products around them: in bfloat16 they take half the memory.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use burn::backend::flex::FlexTensor;
use packed::Level;

use crate::buffer::{Dense, part};
use crate::rows;

/// A tensor that is written and read in parts of equal length, the last of which may be shorter.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Numbers of a part.
    part: usize,
    values: Values,
}

#[derive(Clone, Debug)]
enum Values {
    Exact(Dense),
    /// The bits of each part in bfloat16, once it is kept.
    Rounded(Arc<[OnceLock<Box<[u16]>>]>),
}

impl Kept {
    /// All of it, as it is.
    pub fn exact(x: FlexTensor, part: usize) -> Self {
        Self { part, values: Values::Exact(Dense::new(x)) }
    }

    /// Nothing yet of `len` numbers: every part is still to be [rounded](Self::round) into it.
    pub fn rounded(len: usize, part: usize) -> Self {
        let parts = (0..len.div_ceil(part.max(1))).map(|_| OnceLock::new());
        Self { part, values: Values::Rounded(parts.collect()) }
    }

    /// Keeps a part in bfloat16, unless it is kept already.
    pub fn round(&self, i: usize, values: &[f32]) {
        if let Values::Rounded(parts) = &self.values {
            parts[i].get_or_init(|| {
                let mut bits = Vec::with_capacity(values.len());
                rows::round(Level::best(), values, &mut bits);
                bits.into_boxed_slice()
            });
        }
    }

    /// A part as numbers.
    ///
    /// # Panics
    /// If it is not kept yet.
    pub fn part(&self, i: usize) -> Cow<'_, [f32]> {
        match &self.values {
            Values::Exact(x) => Cow::Borrowed(part(x.values(), i, self.part)),
            Values::Rounded(parts) => {
                let bits = parts[i].get().expect("every part was kept");
                let mut values = Vec::with_capacity(bits.len());
                rows::widen(Level::best(), bits, &mut values);
                Cow::Owned(values)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Shape;
    use packed::bf16;

    use super::*;
    use crate::buffer;

    #[test]
    fn parts_are_the_numbers_or_the_nearest_in_bfloat16() {
        let numbers: Vec<f32> = (0..35_u8).map(|i| f32::from(i).sin() * 1e3).collect();
        let exact = Kept::exact(buffer::tensor(numbers.clone(), Shape::from([5, 7])), 14);
        let rounded = Kept::rounded(35, 14);
        for (i, part) in numbers.chunks(14).enumerate() {
            rounded.round(i, part);
            assert_eq!(*exact.part(i), *part);
            let nearest: Vec<f32> = part.iter().map(|&x| bf16::widen(bf16::round(x))).collect();
            assert_eq!(*rounded.part(i), *nearest);
        }
    }

    #[test]
    fn what_is_no_number_and_what_is_endless_stays_so() {
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, f32::MAX];
        let kept = Kept::rounded(5, 5);
        kept.round(0, &odd);
        let part = kept.part(0);
        assert!(part[0].is_nan());
        assert_eq!(part[1..], [f32::INFINITY, f32::NEG_INFINITY, 0.0, f32::INFINITY]);
        assert!(part[3].is_sign_negative());
    }
}
