//! Rounding to bfloat16, the upper half of an `f32`.

/// The nearest bfloat16, ties to even; its bits.
#[inline]
pub fn round(x: f32) -> u16 {
    let bits = x.to_bits();
    if x.is_nan() {
        return (bits >> 16) as u16 | 0x40;
    }
    ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

/// The number of these bits.
#[inline]
pub fn widen(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// Two neighbours along the inner axis as one word, the first in the lower half.
pub fn pair(first: f32, second: f32) -> u32 {
    u32::from(round(first)) | u32::from(round(second)) << 16
}

/// Rounds rows of `width` numbers to rows of pairs; an odd last one is paired with 0.
pub fn pairs(rows: &[f32], width: usize, out: &mut Vec<u32>) {
    out.clear();
    for row in rows.chunks_exact(width) {
        let (whole, odd) = row.as_chunks::<2>();
        out.extend(whole.iter().map(|&[first, second]| pair(first, second)));
        out.extend(odd.iter().map(|&first| pair(first, 0.0)));
    }
}
