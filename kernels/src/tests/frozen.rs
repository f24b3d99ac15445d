use burn::tensor::{Device, Tensor, TensorData};
use packed::bf16;
use rand::Rng;

use super::{Backward, assert_close, assert_same_gradient, leaf, numbers, random, rng};
use crate::{Frozen, Precision, n_weight_gradients, plain};

/// The nearest numbers in bfloat16.
pub fn rounded<const D: usize>(x: &Tensor<D>) -> Tensor<D> {
    let nearest: Vec<f32> =
        numbers(x.clone()).into_iter().map(|x| bf16::widen(bf16::round(x))).collect();
    Tensor::from_data(TensorData::new(nearest, x.dims()), &Device::flex())
}

#[test]
fn a_frozen_linear_map_equals_plain_burn() {
    let rng = &mut rng(61);
    for round in 0..24 {
        let [b, s] = [0; 2].map(|_| rng.random_range(1..20));
        let [d_in, d_out] = [0; 2].map(|_| rng.random_range(1..90));
        let x = random([b, s, d_in], 1.0, rng);
        let weight = match round % 2 {
            0 => random([d_in, d_out], 1.0, rng),
            _ => random([d_out, d_in], 1.0, rng).transpose(),
        };
        let bias = (round % 3 > 0).then(|| random([d_out], 1.0, rng));
        let tracked = round % 4 > 0;
        let frozen = Frozen::default();
        let run = |op: &dyn Fn(Tensor<3>) -> Tensor<3>| {
            let x = leaf(&x, tracked);
            let y = op(x.clone());
            let grad = tracked.then(|| Backward::new(&y).of(&x)).flatten();
            (numbers(y), grad)
        };
        let (y, grad) = run(&|x| crate::frozen_linear(x, weight.clone(), bias.clone(), &frozen));
        let on_tape = bias.clone().map(Tensor::autodiff);
        let (plain_y, plain_grad) =
            run(&|x| plain::linear(x, weight.clone().autodiff(), on_tape.clone()));
        assert_close("output", &y, &plain_y, 1e-5);
        assert_same_gradient("x", grad, plain_grad);
    }
}

#[test]
fn in_bfloat16_it_is_the_map_of_rounded_numbers_and_close_to_float32() {
    let rng = &mut rng(62);
    let x = random([3, 7, 33], 1.0, rng);
    let weight = random([33, 50], 0.2, rng);
    let bias = random([50], 1.0, rng);
    let frozen = Frozen::new(Precision::Bf16);
    let on_tape = leaf(&x, true);
    let y = crate::frozen_linear(on_tape.clone(), weight.clone(), Some(bias.clone()), &frozen);
    let expected = plain::linear(rounded(&x), rounded(&weight), Some(bias.clone()));
    assert_close("output", &numbers(y.clone()), &numbers(expected), 1e-5);
    let exact = plain::linear(x.clone(), weight.clone(), Some(bias));
    // Two factors, each within 2⁻⁹ of itself; errors of many terms cancel further.
    assert_close("output", &numbers(y.clone()), &numbers(exact), 1.0 / 256.0);
    // The gradient that comes in is rounded, and so is the weight.
    let grad = Backward::new(&y).of(&on_tape).expect("tracked");
    let incoming = random([3, 7, 50], 1.0, &mut super::rng(99));
    let expected = plain::linear(rounded(&incoming), rounded(&weight).transpose(), None);
    assert_close("gradient", &grad, &numbers(expected), 1e-5);
    let exact = plain::linear(incoming, weight.transpose(), None);
    assert_close("gradient", &grad, &numbers(exact), 1.0 / 256.0);
}

#[test]
fn a_weight_that_becomes_another_is_packed_anew() {
    let rng = &mut rng(63);
    let x = random([1, 4, 5], 1.0, rng);
    let first = random([5, 6], 1.0, rng);
    let frozen = Frozen::default();
    let through = |weight: &Tensor<2>| {
        let y = crate::frozen_linear(x.clone(), weight.clone(), None, &frozen);
        assert_close(
            "output",
            &numbers(y),
            &numbers(plain::linear(x.clone(), weight.clone(), None)),
            1e-5,
        );
    };
    through(&first);
    let changed = first.clone() + 1.0;
    through(&changed);
    through(&first);
    through(&changed.slice([0..5, 1..6]));
    // In place: its memory may be the same.
    drop(x.clone());
    through(&(first * 2.0));
}

#[test]
fn a_weight_that_is_trained_after_all_gets_its_gradient() {
    let rng = &mut rng(64);
    let x = random([2, 3, 4], 1.0, rng);
    let weight = leaf(&random([4, 5], 1.0, rng), true);
    let before = n_weight_gradients();
    let frozen = Frozen::new(Precision::Bf16);
    let y = crate::frozen_linear(x.clone(), weight.clone(), None, &frozen);
    assert!(Backward::new(&y).of(&weight).is_some());
    assert_eq!(n_weight_gradients(), before + 1);
    // The precision is one of frozen weights alone.
    let y = crate::frozen_linear(x.clone(), weight.clone(), None, &frozen);
    let plain_y = plain::linear(x, weight.without_autodiff(), None);
    assert_close("output", &numbers(y), &numbers(plain_y), 1e-6);
}

#[test]
fn a_low_rank_branch_equals_plain_burn_whichever_inputs_are_trained() {
    let rng = &mut rng(65);
    for round in 0..24 {
        let tracked = round % 8;
        let [b, s] = [0; 2].map(|_| rng.random_range(1..20));
        let [d_in, d_out] = [0; 2].map(|_| rng.random_range(1..120));
        let rank = rng.random_range(1..20);
        let x = random([b, s, d_in], 1.0, rng);
        let (a, b) = (random([d_in, rank], 1.0, rng), random([rank, d_out], 1.0, rng));
        type Op = fn(Tensor<3>, Tensor<2>, Tensor<2>, f64) -> Tensor<3>;
        let run = |op: Op| {
            let x = leaf(&x, tracked & 1 > 0);
            let (a, b) = (leaf(&a, tracked & 2 > 0), leaf(&b, tracked & 4 > 0));
            let y = op(x.clone(), a.clone(), b.clone(), 1.5);
            let grads = (tracked > 0).then(|| {
                let grads = Backward::new(&y);
                [grads.of(&x), grads.of(&a), grads.of(&b)]
            });
            (numbers(y), grads.unwrap_or_default())
        };
        let (y, grads) = run(crate::low_rank);
        let (plain_y, plain_grads) = run(plain::low_rank);
        assert_close("output", &y, &plain_y, 1e-5);
        for ((name, grad), plain) in ["x", "a", "b"].iter().zip(grads).zip(plain_grads) {
            assert_same_gradient(name, grad, plain);
        }
    }
}

#[test]
fn frozen_maps_and_low_rank_branches_take_tensors_without_rows() {
    let x = Tensor::<3>::zeros([2, 0, 4], &Device::flex().autodiff()).require_grad();
    let weight = Tensor::ones([4, 3], &Device::flex());
    let frozen = Frozen::default();
    let a = leaf(&Tensor::ones([4, 2], &Device::flex()), true);
    let b = leaf(&Tensor::ones([2, 3], &Device::flex()), true);
    let y = crate::frozen_linear(x.clone(), weight, None, &frozen)
        + crate::low_rank(x.clone(), a.clone(), b.clone(), 1.0);
    assert_eq!(y.dims(), [2, 0, 3]);
    let grads = y.sum().backward();
    assert_eq!(x.grad(&grads).expect("tracked").dims(), [2, 0, 4]);
    assert_eq!(numbers(a.grad(&grads).expect("tracked")), [0.0; 8]);
    assert_eq!(numbers(b.grad(&grads).expect("tracked")), [0.0; 6]);
}
