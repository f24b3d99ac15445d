use burn::tensor::{Device, Tensor};
use rand::Rng;

use super::{Backward, assert_close, assert_same_gradient, leaf, numbers, random, rng};
use crate::plain;

type AddLayerNorm = fn(Tensor<3>, Tensor<3>, Tensor<1>, Tensor<1>, f64) -> Tensor<3>;

#[test]
fn layer_norm_of_a_sum_equals_plain_burn_whichever_inputs_are_trained() {
    let rng = &mut rng(11);
    for tracked in 0..16 {
        let [b, s] = [0; 2].map(|_| rng.random_range(1..20));
        let width = rng.random_range(2..100);
        let x = random([b, s, width], 3.0, rng);
        let residual = random([b, s, width], 3.0, rng);
        let gamma = random([width], 2.0, rng);
        let beta = random([width], 2.0, rng);
        let run = |add_layer_norm: AddLayerNorm| {
            let (x, residual) = (leaf(&x, tracked & 1 > 0), leaf(&residual, tracked & 2 > 0));
            let (gamma, beta) = (leaf(&gamma, tracked & 4 > 0), leaf(&beta, tracked & 8 > 0));
            let y = add_layer_norm(x.clone(), residual.clone(), gamma.clone(), beta.clone(), 1e-12);
            let grads = (tracked > 0).then(|| {
                let grads = Backward::new(&y);
                [grads.of(&x), grads.of(&residual), grads.of(&gamma), grads.of(&beta)]
            });
            (numbers(y), grads.unwrap_or_default())
        };
        let (y, grads) = run(crate::add_layer_norm);
        let (plain_y, plain_grads) = run(plain::add_layer_norm);
        assert_close("output", &y, &plain_y, 1e-5);
        let names = ["x", "residual", "gamma", "beta"];
        for ((name, grad), plain) in names.into_iter().zip(grads).zip(plain_grads) {
            assert_same_gradient(name, grad, plain);
        }
    }
}

#[test]
fn a_gamma_of_zero_and_a_row_of_equal_numbers_stay_finite() {
    let x = leaf(&Tensor::<3>::full([1, 2, 5], 7.0, &Device::flex()), true);
    let residual = leaf(&Tensor::<3>::zeros([1, 2, 5], &Device::flex()), true);
    let gamma = Tensor::from_data([0.0, 1.0, 0.0, 2.0, 0.0], &Device::flex());
    let beta = Tensor::full([5], 0.5, &Device::flex());
    let y = crate::add_layer_norm(x.clone(), residual, gamma, beta, 1e-12);
    assert!(Backward::new(&y).of(&x).expect("tracked").iter().all(|grad| grad.is_finite()));
    assert_eq!(numbers(y), [0.5; 10]);
}

#[test]
fn more_rows_than_one_task_takes_give_the_same_gradient_of_gamma_as_plain_burn() {
    let rng = &mut rng(12);
    let x = random([7, 41, 24], 1.0, rng);
    let run = |add_layer_norm: AddLayerNorm| {
        let gamma = leaf(&Tensor::ones([24], &Device::flex()), true);
        let beta = leaf(&Tensor::zeros([24], &Device::flex()), true);
        let y = add_layer_norm(x.clone(), x.clone(), gamma.clone(), beta.clone(), 1e-5);
        let grads = Backward::new(&y);
        [grads.of(&gamma), grads.of(&beta)]
    };
    let plain = run(plain::add_layer_norm);
    for (fused, plain) in run(crate::add_layer_norm).into_iter().zip(plain) {
        assert_same_gradient("gamma or beta", fused, plain);
    }
}
