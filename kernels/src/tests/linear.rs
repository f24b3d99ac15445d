use burn::tensor::{Device, Tensor};
use rand::Rng;

use super::{Backward, assert_close, assert_same_gradient, leaf, numbers, random, rng};
use crate::{n_weight_gradients, plain};

type Linear = fn(Tensor<3>, Tensor<2>, Option<Tensor<1>>) -> Tensor<3>;

#[test]
fn a_linear_map_equals_plain_burn_whichever_inputs_are_trained() {
    let rng = &mut rng(21);
    for round in 0..32 {
        let (tracked, has_bias) = (round % 8, round < 16);
        let [b, s] = [0; 2].map(|_| rng.random_range(1..20));
        let [d_in, d_out] = [0; 2].map(|_| rng.random_range(1..90));
        let x = random([b, s, d_in], 1.0, rng);
        // Half of the weights lie transposed in memory.
        let weight = match round % 2 {
            0 => random([d_in, d_out], 1.0, rng),
            _ => random([d_out, d_in], 1.0, rng).transpose(),
        };
        let bias = random([d_out], 1.0, rng);
        let run = |linear: Linear| {
            let (x, weight) = (leaf(&x, tracked & 1 > 0), leaf(&weight, tracked & 2 > 0));
            let bias = has_bias.then(|| leaf(&bias, tracked & 4 > 0));
            let y = linear(x.clone(), weight.clone(), bias.clone());
            let any = tracked & 3 > 0 || has_bias && tracked > 0;
            let grads = any.then(|| {
                let grads = Backward::new(&y);
                [grads.of(&x), grads.of(&weight), bias.and_then(|bias| grads.of(&bias))]
            });
            (numbers(y), grads.unwrap_or_default())
        };
        let (y, grads) = run(crate::linear);
        let (plain_y, plain_grads) = run(plain::linear);
        assert_close("output", &y, &plain_y, 1e-5);
        for ((name, grad), plain) in ["x", "weight", "bias"].into_iter().zip(grads).zip(plain_grads)
        {
            assert_same_gradient(name, grad, plain);
        }
    }
}

#[test]
fn a_frozen_weight_never_costs_a_gradient_and_a_trained_one_costs_one() {
    let rng = &mut rng(22);
    let x = random([2, 3, 4], 1.0, rng);
    let frozen = random([4, 5], 1.0, rng);
    let trained = random([5, 2], 1.0, rng);
    let before = n_weight_gradients();
    let x = leaf(&x, true);
    let hidden = crate::linear(x.clone(), leaf(&frozen, false), None);
    let loss = crate::linear(hidden.clone(), frozen.clone().transpose().autodiff(), None);
    let grads = loss.sum().backward();
    assert!(x.grad(&grads).is_some());
    assert_eq!(n_weight_gradients(), before);
    let trained = leaf(&trained, true);
    let hidden = crate::linear(x, frozen, None);
    crate::linear(hidden, trained, None).sum().backward();
    assert_eq!(n_weight_gradients(), before + 1);
}

#[test]
fn plain_and_autodiff_tensors_mix_and_only_the_tracked_ones_get_gradients() {
    let rng = &mut rng(23);
    let x = random([2, 3, 4], 1.0, rng);
    let weight = random([4, 5], 1.0, rng);
    let bias = random([5], 1.0, rng);
    let tracked = leaf(&weight, true);
    let y = crate::linear(x.clone(), tracked.clone(), Some(bias.clone()));
    let plain_weight = leaf(&weight, true);
    let plain_y = plain::linear(x.autodiff(), plain_weight.clone(), Some(bias.autodiff()));
    assert_same_gradient(
        "weight",
        Backward::new(&y).of(&tracked),
        Backward::new(&plain_y).of(&plain_weight),
    );
}

#[test]
fn nothing_tracked_gives_a_constant() {
    let x = Tensor::<2>::ones([2, 3], &Device::flex().autodiff());
    let weight = Tensor::ones([3, 2], &Device::flex().autodiff());
    let y = crate::linear(x, weight, None);
    assert!(y.is_autodiff() && !y.is_require_grad());
    // What follows may still be trained.
    let scale = Tensor::<2>::ones([2, 2], &Device::flex().autodiff()).require_grad();
    let grads = (y * scale.clone()).sum().backward();
    assert_eq!(numbers(scale.grad(&grads).expect("tracked")), [3.0; 4]);
}

#[test]
fn a_gradient_that_comes_transposed_is_read_right() {
    let rng = &mut rng(24);
    let (x, weight) = (random([2, 3, 4], 1.0, rng), random([4, 4], 1.0, rng));
    let run = |linear: Linear| {
        let x = leaf(&x, true);
        let y = linear(x.clone().swap_dims(1, 2).reshape([2, 3, 4]), weight.clone(), None);
        Backward::new(&y.swap_dims(0, 1).swap_dims(1, 2)).of(&x)
    };
    assert_same_gradient("x", run(crate::linear), run(|x, w, b| plain::linear(x, w.autodiff(), b)));
}
