use burn::tensor::Tensor;
use rand::Rng;

use super::softmax::mask;
use super::{Backward, assert_close, assert_same_gradient, leaf, numbers, random, rng};
use crate::self_attention::in_parts;
use crate::{Frozen, Precision, SelfAttention, self_attention};

#[test]
fn one_step_equals_its_parts_whichever_inputs_are_there_and_trained() {
    let rng = &mut rng(71);
    for round in 0..64 {
        let [tracked, present] = [round % 16, round / 4];
        let [n_batch, seq] = [0; 2].map(|_| rng.random_range(1..9));
        let [n_heads, d_head] = [rng.random_range(1..4), rng.random_range(1..35)];
        let [d_model, d] = [rng.random_range(1..60), n_heads * d_head];
        let n_prefix = if present & 1 > 0 { rng.random_range(1..20) } else { 0 };
        let x = random([n_batch, seq, d_model], 1.0, rng);
        let maps = [0; 3].map(|_| (random([d_model, d], 0.3, rng), random([d], 0.3, rng)));
        let deltas = [0; 3].map(|_| random([n_batch, seq, d], 0.5, rng));
        let prefix = [0; 2].map(|_| random([n_heads, n_prefix, d_head], 0.5, rng));
        let key_bias = mask(n_batch, n_prefix + seq, rng);
        let frozen = Frozen::default();
        let run = |attention: fn(Tensor<3>, SelfAttention) -> Tensor<3>| {
            let x = leaf(&x, tracked & 1 > 0);
            let deltas = [1, 2, 4].map(|bit| present & bit > 0).into_iter().zip(&deltas);
            let deltas: Vec<Option<Tensor<3>>> =
                deltas.map(|(there, x)| there.then(|| leaf(x, tracked & 2 > 0))).collect();
            let prefix =
                (n_prefix > 0).then(|| prefix.each_ref().map(|x| leaf(x, tracked & 4 > 0)));
            let with = SelfAttention {
                maps: maps.clone().map(|(weight, bias)| (weight, (round % 3 > 0).then_some(bias))),
                deltas: deltas.clone().try_into().expect("three"),
                prefix: prefix.clone(),
                key_bias: key_bias.clone(),
                n_heads,
                frozen: &frozen,
            };
            let y = attention(x.clone(), with);
            let leaves =
                [Some(x)].into_iter().chain(deltas).chain(prefix.into_iter().flatten().map(Some));
            let leaves: Vec<Tensor<3>> = leaves.flatten().collect();
            let any = leaves.iter().any(Tensor::is_require_grad);
            let grads = any.then(|| Backward::new(&y));
            let of = |leaf: &Tensor<3>| grads.as_ref().and_then(|grads| grads.of(leaf));
            let grads: Vec<_> = leaves.iter().map(of).collect();
            (numbers(y), grads)
        };
        let ((y, grads), (expected, expected_grads)) = (run(self_attention), run(in_parts));
        assert_close("output", &y, &expected, 1e-5);
        for (grad, expected) in grads.into_iter().zip(expected_grads) {
            assert_same_gradient("gradient", grad, expected);
        }
    }
}

#[test]
fn in_bfloat16_it_is_close_to_float32_in_both_directions() {
    let rng = &mut rng(72);
    let [n_batch, seq, n_heads, d_head] = [3, 11, 2, 17];
    let [d_model, d, n_prefix] = [29, n_heads * d_head, 4];
    let x = random([n_batch, seq, d_model], 1.0, rng);
    let maps = [0; 3].map(|_| (random([d_model, d], 0.3, rng), Some(random([d], 0.3, rng))));
    let delta = random([n_batch, seq, d], 0.5, rng);
    let prefix = [0; 2].map(|_| random([n_heads, n_prefix, d_head], 0.5, rng));
    let key_bias = mask(n_batch, n_prefix + seq, rng);
    let run = |precision| {
        let [x, delta] = [&x, &delta].map(|x| leaf(x, true));
        let prefix = prefix.each_ref().map(|x| leaf(x, true));
        let with = SelfAttention {
            maps: maps.clone(),
            deltas: [None, None, Some(delta.clone())],
            prefix: Some(prefix.clone()),
            key_bias: key_bias.clone(),
            n_heads,
            frozen: &Frozen::new(precision),
        };
        let y = self_attention(x.clone(), with);
        let grads = Backward::new(&y);
        let [key, value] = prefix;
        let grads = [x, delta, key, value].map(|leaf| grads.of(&leaf).expect("tracked"));
        [numbers(y)].into_iter().chain(grads)
    };
    let names = ["output", "x", "delta", "key", "value"];
    for (name, (rounded, exact)) in names.iter().zip(run(Precision::Bf16).zip(run(Precision::F32)))
    {
        assert_close(name, &rounded, &exact, 1.0 / 64.0);
        assert_ne!(rounded, exact, "{name} was not computed in bfloat16");
    }
}
