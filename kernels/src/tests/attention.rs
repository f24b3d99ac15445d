use burn::tensor::{Device, Tensor};
use rand::Rng;

use super::softmax::mask;
use super::{Backward, assert_close, assert_same_gradient, leaf, numbers, random, rng};
use crate::plain;

type Attention = fn(Tensor<4>, Tensor<4>, Tensor<4>, Option<Tensor<2>>) -> Tensor<4>;

#[test]
fn attention_equals_plain_burn_with_prefix_and_mask_whichever_inputs_are_trained() {
    let rng = &mut rng(31);
    for round in 0..32 {
        let tracked = round % 8;
        let [b, h, s] = [0; 3].map(|_| rng.random_range(1..5));
        let s = s * rng.random_range(1..9);
        let n_prefix = if round % 2 == 0 { 0 } else { rng.random_range(1..20) };
        let d_head = rng.random_range(1..40);
        let [n_keys, range] = [n_prefix + s, if round % 5 == 0 { 3 } else { 1 }];
        let query = random([b, h, s, d_head], range as f32, rng);
        let key = random([b, h, n_keys, d_head], range as f32, rng);
        let value = random([b, h, n_keys, d_head], 1.0, rng);
        let bias = (round % 3 != 0).then(|| mask(b, n_keys, rng));
        let run = |attention: Attention| {
            let query = leaf(&query, tracked & 1 > 0);
            let (key, value) = (leaf(&key, tracked & 2 > 0), leaf(&value, tracked & 4 > 0));
            let y = attention(query.clone(), key.clone(), value.clone(), bias.clone());
            let grads = (tracked > 0).then(|| {
                let grads = Backward::new(&y);
                [grads.of(&query), grads.of(&key), grads.of(&value)]
            });
            (numbers(y), grads.unwrap_or_default())
        };
        let (y, grads) = run(crate::attention);
        let (plain_y, plain_grads) = run(plain::attention);
        assert_close("output", &y, &plain_y, 1e-5);
        for ((name, grad), plain) in ["query", "key", "value"].iter().zip(grads).zip(plain_grads) {
            assert_same_gradient(name, grad, plain);
        }
    }
}

#[test]
fn heads_split_from_and_merged_into_token_rows_give_the_same_gradients_as_plain_burn() {
    let rng = &mut rng(32);
    let [b, s, h, d_head] = [3, 11, 4, 8];
    let inputs = [0; 3].map(|_| random([b, s, h * d_head], 1.0, rng));
    let run = |attention: Attention| {
        let leaves = inputs.each_ref().map(|x| leaf(x, true));
        let [query, key, value] =
            leaves.each_ref().map(|x| x.clone().reshape([b, s, h, d_head]).swap_dims(1, 2));
        let y = attention(query, key, value, None).swap_dims(1, 2).reshape([b, s, h * d_head]);
        let grads = Backward::new(&y);
        (numbers(y), leaves.map(|leaf| grads.of(&leaf)))
    };
    let (y, grads) = run(crate::attention);
    let (plain_y, plain_grads) = run(plain::attention);
    assert_close("output", &y, &plain_y, 1e-5);
    for (grad, plain) in grads.into_iter().zip(plain_grads) {
        assert_same_gradient("query, key or value", grad, plain);
    }
}

#[test]
fn a_batch_element_that_is_all_padding_attends_to_nothing() {
    let rng = &mut rng(33);
    let heads = leaf(&random([2, 1, 3, 4], 1.0, rng), true);
    let mut bias = vec![0.0; 6];
    bias[3..].fill(f32::NEG_INFINITY);
    let bias = Tensor::<1>::from_floats(bias.as_slice(), &Device::flex()).reshape([2, 3]);
    let y = crate::attention(heads.clone(), heads.clone(), heads.clone(), Some(bias));
    let grad = Backward::new(&y).of(&heads).expect("tracked");
    let y = numbers(y);
    assert!(y[..12].iter().any(|x| *x != 0.0) && y[..12].iter().all(|x| x.is_finite()));
    assert_eq!(y[12..], [0.0; 12]);
    assert_eq!(grad[12..], [0.0; 12]);
}
