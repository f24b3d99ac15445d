//! Shapes without numbers, views, other number types, and shapes that do not fit.

use burn::tensor::{Device, FloatDType, Tensor};

use super::{Backward, assert_close, leaf, numbers, random, rng};
use crate::plain;

#[test]
fn tensors_without_numbers_come_back_without_numbers() {
    let device = Device::flex().autodiff();
    let x = Tensor::<3>::zeros([2, 0, 4], &device).require_grad();
    let weight = Tensor::ones([4, 3], &device).require_grad();
    let y = crate::linear(crate::gelu(x.clone()), weight.clone(), None);
    let ones = Tensor::ones([3], &device);
    let y = crate::add_layer_norm(y.clone(), y, ones.clone(), ones, 1e-5);
    assert_eq!(y.dims(), [2, 0, 3]);
    let grads = y.sum().backward();
    assert_eq!(x.grad(&grads).expect("tracked").dims(), [2, 0, 4]);
    assert_eq!(numbers(weight.grad(&grads).expect("tracked")), [0.0; 12]);

    let heads = Tensor::<4>::zeros([2, 3, 0, 4], &device).require_grad();
    let keys = Tensor::<4>::ones([2, 3, 5, 4], &device);
    let y = crate::attention(heads.clone(), keys.clone(), keys.clone(), None);
    assert_eq!(y.dims(), [2, 3, 0, 4]);
    let grads = y.sum().backward();
    assert_eq!(heads.grad(&grads).expect("tracked").dims(), [2, 3, 0, 4]);
    assert_eq!(crate::softmax(heads, 1.0, None).dims(), [2, 3, 0, 4]);
    let no_keys = Tensor::<4>::zeros([2, 0, 3, 4], &device).swap_dims(1, 2);
    assert_eq!(numbers(crate::attention(keys, no_keys.clone(), no_keys, None)), [0.0; 120]);
}

#[test]
fn a_linear_map_of_no_features_is_its_bias() {
    let device = Device::flex();
    let x = Tensor::<3>::zeros([1, 2, 0], &device);
    let y = crate::linear(x, Tensor::zeros([0, 2], &device), Some(Tensor::ones([2], &device)));
    assert_eq!(numbers(y), [1.0; 4]);
}

#[test]
fn views_are_read_where_they_lie() {
    let x = random([6, 10, 8], 2.0, &mut rng(41));
    let views = [
        x.clone().slice([1..4, 2..7, 0..8]),
        x.clone().swap_dims(0, 2),
        x.clone().flip([1]),
        x.clone().slice([0..1, 0..10, 0..8]).expand([3, 10, 8]),
    ];
    for view in views {
        assert_close(
            "gelu",
            &numbers(crate::gelu(view.clone())),
            &numbers(plain::gelu(view.clone())),
            1e-6,
        );
        let weight = random([view.dims()[2], 3], 1.0, &mut rng(42));
        for weight in [weight.clone(), weight.flip([0, 1])] {
            assert_close(
                "linear",
                &numbers(crate::linear(view.clone(), weight.clone(), None)),
                &numbers(plain::linear(view.clone(), weight, None)),
                1e-5,
            );
        }
        let heads = view.unsqueeze_dim::<4>(1);
        assert_close(
            "attention",
            &numbers(crate::attention(heads.clone(), heads.clone(), heads.clone(), None)),
            &numbers(plain::attention(heads.clone(), heads.clone(), heads, None)),
            1e-5,
        );
    }
}

#[test]
fn an_input_that_is_used_again_keeps_its_numbers() {
    let x = random([2, 3, 4], 2.0, &mut rng(43));
    let before = numbers(x.clone());
    let gamma = Tensor::ones([4], &Device::flex());
    crate::gelu(x.clone());
    crate::add_layer_norm(x.clone(), x.clone(), gamma.clone(), gamma, 1e-5);
    crate::softmax(x.clone().unsqueeze_dim(0), 3.0, None);
    assert_eq!(numbers(x), before);
}

#[test]
fn gelu_and_its_gradient_equal_plain_burn() {
    let x = random([3, 37, 53], 6.0, &mut rng(44));
    let run = |gelu: fn(Tensor<3>) -> Tensor<3>| {
        let x = leaf(&x, true);
        let y = gelu(x.clone());
        (Backward::new(&y).of(&x).expect("tracked"), numbers(y))
    };
    let ((grad, y), (plain_grad, plain_y)) = (run(crate::gelu), run(plain::gelu));
    assert_close("gelu", &y, &plain_y, 1e-6);
    assert_close("gradient", &grad, &plain_grad, 1e-6);
}

#[test]
fn other_number_types_take_the_plain_path() {
    let x = random([1, 2, 4], 1.0, &mut rng(45));
    let double = x.clone().cast(FloatDType::F64);
    let weight = random([4, 4], 1.0, &mut rng(46));
    let y = crate::linear(double.clone(), weight.clone().cast(FloatDType::F64), None);
    assert_close(
        "float64",
        &numbers(y.cast(FloatDType::F32)),
        &numbers(crate::linear(x, weight, None)),
        1e-6,
    );
    assert!(crate::gelu(double).dtype() == burn::tensor::DType::F64);
}

#[test]
fn gradient_checkpointing_gives_the_same_gradients() {
    let device = Device::flex().autodiff().gradient_checkpointing();
    let x = Tensor::from_data(random([2, 3, 4], 1.0, &mut rng(47)).into_data(), &device);
    let x = x.require_grad();
    let weight = Tensor::from_data(random([4, 4], 1.0, &mut rng(48)).into_data(), &device);
    let run = |gelu: fn(Tensor<3>) -> Tensor<3>| {
        let hidden = gelu(crate::linear(x.clone() * 2.0, weight.clone(), None)) * 3.0;
        let grads = hidden.exp().sum().backward();
        numbers(x.grad(&grads).expect("tracked"))
    };
    assert_close("x", &run(crate::gelu), &run(plain::gelu), 1e-5);
}

#[test]
#[should_panic(expected = "linear: the weight does not fit x")]
fn a_weight_that_does_not_fit_is_refused() {
    let device = Device::flex();
    crate::linear(Tensor::<3>::zeros([1, 2, 3], &device), Tensor::zeros([4, 3], &device), None);
}

#[test]
#[should_panic(expected = "the key bias does not fit the keys")]
fn a_key_bias_for_other_keys_is_refused() {
    let device = Device::flex();
    let bias = Tensor::zeros([1, 4], &device);
    crate::softmax(Tensor::zeros([1, 1, 2, 3], &device), 1.0, Some(bias));
}

#[test]
#[should_panic(expected = "low_rank: the rank is 0")]
fn a_branch_through_no_numbers_is_refused() {
    let device = Device::flex();
    let (a, b) = (Tensor::zeros([3, 0], &device), Tensor::zeros([0, 3], &device));
    crate::low_rank(Tensor::<3>::zeros([1, 2, 3], &device), a, b, 1.0);
}
