use std::mem::MaybeUninit;

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{Level, Matrix, Packed, Precision, bf16, product};

fn numbers(n: usize, rng: &mut StdRng) -> Vec<f32> {
    (0..n).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn apply(packed: &Packed, x: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let [k, n] = packed.shape();
    let m = x.len() / k;
    let mut out = vec![MaybeUninit::new(f32::NAN); m * n];
    packed.apply(x, bias, &mut out).to_vec()
}

/// `start + a · b` in double precision, and the sum of all magnitudes: what errors scale with.
fn expected(x: &[f32], weight: Matrix, bias: Option<&[f32]>) -> Vec<(f64, f64)> {
    let [k, n] = weight.shape();
    let element = |row: &[f32], j: usize| {
        let start = bias.map_or(0.0, |bias| f64::from(bias[j]));
        let terms = row.iter().enumerate().map(|(i, x)| f64::from(*x) * f64::from(weight.at(i, j)));
        terms.fold((start, start.abs()), |(sum, size), term| (sum + term, size + term.abs()))
    };
    x.chunks_exact(k).flat_map(|row| (0..n).map(move |j| element(row, j))).collect()
}

fn assert_close(found: &[f32], expected: &[(f64, f64)], k: usize, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, (value, size))) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - value).abs();
        let allowed = (k + 2) as f64 * f64::from(f32::EPSILON) * size;
        assert!(error <= allowed, "{what}: {found} instead of {value} at {i}");
    }
}

/// Sizes around every border: of a register, a panel, a tile, a pair.
fn sizes() -> Vec<[usize; 3]> {
    let mut sizes = vec![];
    for m in [1, 2, 7, 8, 9, 17] {
        for k in [1, 2, 15, 33] {
            for n in [1, 7, 8, 16, 24, 31, 47, 48, 49, 97, 144] {
                sizes.push([m, k, n]);
            }
        }
    }
    sizes
}

#[test]
fn every_level_multiplies_matrices_of_every_shape() {
    let rng = &mut StdRng::seed_from_u64(1);
    for [m, k, n] in sizes() {
        let (x, weight, bias) = (numbers(m * k, rng), numbers(k * n, rng), numbers(n, rng));
        let weight = Matrix::rows(&weight, [k, n]);
        for bias in [None, Some(bias.as_slice())] {
            let expected = expected(&x, weight, bias);
            for level in Level::available() {
                let packed = Packed::for_level(weight, Precision::F32, level);
                let what = format!("{level:?} [{m}, {k}] · [{k}, {n}]");
                assert_close(&apply(&packed, &x, bias), &expected, k, &what);
            }
        }
    }
}

#[test]
fn in_bfloat16_both_factors_are_rounded_and_nothing_else() {
    let rng = &mut StdRng::seed_from_u64(2);
    let rounded =
        |x: &[f32]| -> Vec<f32> { x.iter().map(|x| bf16::widen(bf16::round(*x))).collect() };
    for [m, k, n] in sizes() {
        let (x, values, bias) = (numbers(m * k, rng), numbers(k * n, rng), numbers(n, rng));
        let nearest = rounded(&values);
        let expected = expected(&rounded(&x), Matrix::rows(&nearest, [k, n]), Some(&bias));
        for level in Level::available() {
            let weight = Matrix::rows(&values, [k, n]);
            let packed = Packed::for_level(weight, Precision::Bf16, level);
            let what = format!("{level:?} [{m}, {k}] · [{k}, {n}]");
            assert_close(&apply(&packed, &x, Some(&bias)), &expected, k, &what);
        }
    }
}

#[test]
fn levels_with_fused_multiplication_give_the_same_bytes() {
    let rng = &mut StdRng::seed_from_u64(3);
    let [m, k, n] = [11, 129, 101];
    let (x, weight) = (numbers(m * k, rng), numbers(k * n, rng));
    let of = |level| {
        apply(&Packed::for_level(Matrix::rows(&weight, [k, n]), Precision::F32, level), &x, None)
    };
    // The portable one has no fused multiplication on x86.
    let fused: Vec<_> = Level::available().into_iter().skip(1).map(of).collect();
    assert!(fused.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_row_gives_the_same_bytes_alone_and_among_others() {
    let rng = &mut StdRng::seed_from_u64(4);
    let [m, k, n] = [19, 70, 130];
    let (x, weight) = (numbers(m * k, rng), numbers(k * n, rng));
    for precision in [Precision::F32, Precision::Bf16] {
        let packed = Packed::new(Matrix::rows(&weight, [k, n]), precision);
        let together = apply(&packed, &x, None);
        let alone: Vec<f32> = x.chunks_exact(k).flat_map(|row| apply(&packed, row, None)).collect();
        assert_eq!(together, alone);
    }
}

#[test]
fn a_transposed_matrix_is_packed_as_if_it_were_laid_out_so() {
    let rng = &mut StdRng::seed_from_u64(5);
    let [m, k, n] = [5, 21, 50];
    let (x, weight) = (numbers(m * k, rng), numbers(k * n, rng));
    let laid_out: Vec<f32> = (0..k * n).map(|i| weight[i % n * k + i / n]).collect();
    let transposed = Packed::new(Matrix::rows(&weight, [n, k]).transposed(), Precision::F32);
    let plain = Packed::new(Matrix::rows(&laid_out, [k, n]), Precision::F32);
    assert_eq!(apply(&transposed, &x, None), apply(&plain, &x, None));
}

#[test]
fn small_products_take_any_strides_of_the_first_factor_and_leave_gaps_alone() {
    let rng = &mut StdRng::seed_from_u64(6);
    for [m, k, n] in sizes() {
        let (a, b) = (numbers(m * k, rng), numbers(k * (n + 3), rng));
        let laid_out: Vec<f32> = (0..m * k).map(|i| a[i % k * m + i / k]).collect();
        let b = Matrix::new(&b, [k, n], [n + 3, 1]);
        let expected = expected(&laid_out, b, None);
        for level in Level::available() {
            let mut out = vec![7.0; m * (n + 2)];
            product(level, Matrix::rows(&a, [k, m]).transposed(), b, &mut out, n + 2);
            let found: Vec<f32> =
                out.chunks_exact(n + 2).flat_map(|row| row[..n].to_vec()).collect();
            assert_close(&found, &expected, k, &format!("{level:?} [{m}, {k}] · [{k}, {n}]"));
            assert!(out.chunks_exact(n + 2).all(|row| row[n..] == [7.0, 7.0]));
        }
    }
}

#[test]
fn nothing_times_nothing_is_the_bias_or_zero() {
    let packed = Packed::new(Matrix::rows(&[], [0, 3]), Precision::F32);
    let mut out = [MaybeUninit::new(9.0); 6];
    assert_eq!(packed.apply(&[], Some(&[1.0, 2.0, 3.0]), &mut out), [1.0, 2.0, 3.0].repeat(2));
    let packed = Packed::new(Matrix::rows(&[], [4, 0]), Precision::Bf16);
    assert!(packed.apply(&[], None, &mut []).is_empty());
    let mut out = [5.0; 4];
    product(Level::best(), Matrix::rows(&[], [2, 0]), Matrix::rows(&[], [0, 2]), &mut out, 2);
    assert_eq!(out, [0.0; 4]);
}

#[test]
fn rounding_takes_the_nearest_and_of_two_the_even_one() {
    // From 1 to 2 they are 2⁻⁷ apart.
    let ulp = 1.0 / 128.0;
    let cases = [(0.0, 0.0), (0.5, 0.0), (1.5, 2.0), (0.51, 1.0), (1.49, 1.0)];
    let cases = cases.map(|(x, nearest)| (1.0 + x * ulp, 1.0 + nearest * ulp));
    for (x, nearest) in cases {
        assert_eq!(bf16::widen(bf16::round(x)), nearest, "{x}");
        assert_eq!(bf16::widen(bf16::round(-x)), -nearest, "-{x}");
    }
    assert!(bf16::widen(bf16::round(f32::NAN)).is_nan());
    assert_eq!(bf16::widen(bf16::round(f32::INFINITY)), f32::INFINITY);
    assert_eq!(bf16::widen(bf16::round(f32::MAX)), f32::INFINITY);
}

#[test]
fn every_level_rounds_to_the_same_pairs() {
    let rng = &mut StdRng::seed_from_u64(7);
    for width in [1, 2, 16, 31, 32, 53] {
        let x: Vec<f32> = numbers(3 * width, rng).iter().map(|x| x * 1e3).collect();
        let (mut expected, mut found) = (vec![], vec![]);
        bf16::pairs(&x, width, &mut expected);
        for level in Level::available() {
            level.pairs(&x, width, &mut found);
            assert_eq!(found, expected, "{level:?}, width {width}");
        }
    }
}

#[test]
fn not_a_number_and_infinity_come_through() {
    for precision in [Precision::F32, Precision::Bf16] {
        for level in Level::available() {
            let packed = Packed::for_level(Matrix::rows(&[1.0; 16], [2, 8]), precision, level);
            assert!(apply(&packed, &[f32::NAN, 1.0], None).iter().all(|y| y.is_nan()));
            assert_eq!(apply(&packed, &[f32::INFINITY, 1.0], None), [f32::INFINITY; 8]);
        }
    }
}

#[test]
#[should_panic(expected = "rows do not fit")]
fn rows_of_another_width_are_refused() {
    let packed = Packed::new(Matrix::rows(&[0.0; 6], [3, 2]), Precision::F32);
    packed.apply(&[0.0; 4], None, &mut [MaybeUninit::uninit(); 4]);
}

#[test]
#[should_panic(expected = "needs more than 5 values")]
fn a_matrix_that_reaches_outside_its_memory_is_refused() {
    Matrix::rows(&[0.0; 5], [2, 3]);
}
