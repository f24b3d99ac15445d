use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;

use super::{Backward, assert_close, assert_same_gradient, leaf, numbers, random, rng};
use crate::plain;

type Softmax = fn(Tensor<4>, f32, Option<Tensor<2>>) -> Tensor<4>;

/// Masks about a third of the keys, half of them by −∞ and half by −1e9; never the first.
pub fn mask(n_batch: usize, n_keys: usize, rng: &mut rand::rngs::SmallRng) -> Tensor<2> {
    let mut bias = vec![0.0_f32; n_batch * n_keys];
    for (i, bias) in bias.iter_mut().enumerate() {
        if i % n_keys != 0 && rng.random_bool(0.3) {
            *bias = if rng.random_bool(0.5) { f32::NEG_INFINITY } else { -1e9 };
        }
    }
    Tensor::from_data(TensorData::new(bias, [n_batch, n_keys]), &Device::flex())
}

fn run(softmax: Softmax, scores: &Tensor<4>, bias: &Option<Tensor<2>>) -> [Vec<f32>; 2] {
    let scores = leaf(scores, true);
    let y = softmax(scores.clone(), 0.37, bias.clone());
    let grad = Backward::new(&y).of(&scores).expect("tracked");
    [numbers(y), grad]
}

#[test]
fn softmax_and_its_gradient_equal_plain_burn_in_any_shape_with_and_without_a_mask() {
    let rng = &mut rng(1);
    for round in 0..40 {
        let [b, h, q] = [0; 3].map(|_| rng.random_range(1..4));
        let k = rng.random_range(1..70);
        let scores = random([b, h, q, k], if round % 2 == 0 { 5.0 } else { 80.0 }, rng);
        let bias = (round % 3 != 0).then(|| mask(b, k, rng));
        let [y, grad] = run(crate::softmax, &scores, &bias);
        let [plain_y, plain_grad] = run(plain::softmax, &scores, &bias);
        assert_close("softmax", &y, &plain_y, 1e-6);
        assert_close("gradient", &grad, &plain_grad, 1e-5);
    }
}

#[test]
fn a_key_masked_with_minus_infinity_has_exactly_no_weight() {
    let scores = random([1, 2, 3, 4], 3.0, &mut rng(2));
    let bias = Tensor::from_data([[0.0, f32::NEG_INFINITY, 0.0, -1e9]], &Device::flex());
    let y = numbers(crate::softmax(scores, 1.0, Some(bias)));
    for row in y.chunks(4) {
        assert_eq!([row[1], row[3]], [0.0, 0.0]);
        assert!((row[0] + row[2] - 1.0).abs() < 1e-6);
    }
}

#[test]
fn a_query_without_any_key_gets_zeros_and_no_gradient_instead_of_nan() {
    let scores = random([1, 2, 3, 5], 3.0, &mut rng(3));
    let bias = Some(Tensor::full([1, 5], f32::NEG_INFINITY, &Device::flex()));
    for softmax in [crate::softmax as Softmax, plain::softmax] {
        let [y, grad] = run(softmax, &scores, &bias);
        assert_eq!(y, [0.0; 30]);
        assert_eq!(grad, [0.0; 30]);
    }
}

#[test]
fn no_gradient_flows_into_the_key_bias() {
    let scores = leaf(&random([1, 1, 2, 3], 1.0, &mut rng(4)), true);
    for softmax in [crate::softmax as Softmax, plain::softmax] {
        let bias = leaf(&Tensor::zeros([1, 3], &Device::flex()), true);
        let y = softmax(scores.clone(), 1.0, Some(bias.clone()));
        assert_same_gradient("bias", Backward::new(&y).of(&bias), None);
    }
}
