//! The vector functions on every instruction set of this processor, against `f64`.

use packed::Level;

use crate::rows;
use crate::simd::{LANES, exp_negative};

/// erfc in `f64`: its Taylor series near 0 and its continued fraction further out.
fn erfc(x: f64) -> f64 {
    if x < 2.5 {
        let mut term = x;
        let mut total = x;
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            total += term / f64::from(2 * n + 1);
        }
        return 1.0 - total * 2.0 / std::f64::consts::PI.sqrt();
    }
    let fraction = (1..200).rev().fold(x, |below, n| x + f64::from(n) / 2.0 / below);
    (-x * x).exp() / (fraction * std::f64::consts::PI.sqrt())
}

fn normal_cdf(x: f64) -> f64 {
    let tail = 0.5 * erfc(x.abs() / std::f64::consts::SQRT_2);
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// Every `f32` in steps of a few thousand units in the last place, up to `limit`.
fn grid(limit: f32) -> Vec<f32> {
    let positive = (0..limit.to_bits()).step_by(4099).map(f32::from_bits);
    positive.flat_map(|x| [x, -x]).filter(|x| x.abs() > 1e-30 || *x == 0.0).collect()
}

#[test]
fn the_exponential_is_right_to_2e_7() {
    for x in grid(87.2).into_iter().filter(|x| *x <= 0.0) {
        let exact = f64::from(x).exp();
        for value in [exp_negative::<true>(x), exp_negative::<false>(x)] {
            assert!((f64::from(value) / exact - 1.0).abs() < 2e-7, "exp({x}) = {value}");
        }
    }
}

#[test]
fn gelu_is_right_to_1e_6_even_where_its_tail_is_tiny() {
    let xs: Vec<f32> = grid(13.0);
    for level in Level::available() {
        let mut values = xs.clone();
        rows::gelu(level, &mut values);
        for (x, value) in xs.iter().zip(values) {
            let exact = f64::from(*x) * normal_cdf(f64::from(*x));
            let error = (f64::from(value) - exact).abs();
            assert!(error <= 1e-6 * exact.abs(), "{level:?}: gelu({x}) = {value}, not {exact}");
        }
    }
}

#[test]
fn the_slope_of_gelu_is_right_to_1e_6() {
    let xs: Vec<f32> = grid(13.0);
    for level in Level::available() {
        let mut slopes = vec![1.0; xs.len()];
        rows::gelu_backward(level, &mut slopes, &xs);
        for (x, slope) in xs.iter().zip(slopes) {
            let x = f64::from(*x);
            let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let exact = normal_cdf(x) + x * density;
            let error = (f64::from(slope) - exact).abs();
            assert!(error <= 1e-6, "{level:?}: slope at {x} is {slope}, not {exact}");
        }
    }
}

#[test]
fn gelu_of_infinity_and_nan_is_what_the_limit_says() {
    for level in Level::available() {
        let mut values = [f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, f32::NAN, -0.0];
        let mut slopes = [1.0; 6];
        rows::gelu_backward(level, &mut slopes, &values);
        rows::gelu(level, &mut values);
        assert_eq!(values[..4], [f32::INFINITY, 0.0, f32::MAX, 0.0], "{level:?}");
        assert_eq!(slopes[..4], [1.0, 0.0, 1.0, 0.0], "{level:?}");
        assert!(values[4].is_nan() && slopes[4].is_nan(), "{level:?}: NaN must stay NaN");
        assert_eq!(values[5], 0.0);
    }
}

#[test]
fn every_instruction_set_gives_the_same_softmax_up_to_rounding() {
    let width = 3 * LANES;
    let rows: Vec<f32> = (0..5 * width).map(|i| ((i * 7919) % 1000) as f32 / 50.0).collect();
    let bias: Vec<f32> =
        (0..width).map(|i| if i % 7 == 3 { f32::NEG_INFINITY } else { 0.0 }).collect();
    let results = Level::available().into_iter().map(|level| {
        let mut rows = rows.clone();
        rows::softmax(level, &mut rows, &bias, 0.5);
        rows
    });
    for result in results {
        for (row, x) in result.chunks_exact(width).zip(rows.chunks_exact(width)) {
            let weight = |i: usize| f64::exp(f64::from(x[i]) * 0.5 + f64::from(bias[i]));
            let total: f64 = (0..width).map(weight).sum();
            for (i, value) in row.iter().enumerate() {
                assert!((f64::from(*value) - weight(i) / total).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn a_score_that_is_not_a_number_spoils_its_whole_row_and_no_other() {
    for level in Level::available() {
        let mut rows = [0.5; 2 * LANES];
        rows[3] = f32::NAN;
        rows::softmax(level, &mut rows, &[0.0; LANES], 1.0);
        assert!(rows[..LANES].iter().all(|x| x.is_nan()), "{level:?}");
        assert!(rows[LANES..].iter().all(|x| *x == 1.0 / LANES as f32), "{level:?}");
    }
}
