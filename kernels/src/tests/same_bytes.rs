//! The same inputs give the same bytes, whatever the threads do.

use burn::tensor::Tensor;
use rayon::ThreadPoolBuilder;

use super::{Backward, leaf, numbers, random, rng};
use crate::{Frozen, Precision};

/// A block of a transformer, all of whose inputs are trained: its output and every gradient.
fn block() -> Vec<Vec<u32>> {
    let rng = &mut rng(51);
    let [b, s, h, d_head] = [5, 37, 6, 16];
    let d_model = h * d_head;
    let x = leaf(&random([b, s, d_model], 1.0, rng), true);
    let weight = leaf(&random([d_model, d_model], 0.2, rng), true);
    let bias = leaf(&random([d_model], 0.2, rng), true);
    let gamma = leaf(&random([d_model], 1.0, rng), true);
    let hidden = crate::linear(x.clone(), weight.clone(), Some(bias.clone()));
    let heads: Tensor<4> = hidden.reshape([b, s, h, d_head]).swap_dims(1, 2);
    let attended = crate::attention(heads.clone(), heads.clone(), heads, None);
    let merged = attended.swap_dims(1, 2).reshape([b, s, d_model]);
    let y = crate::add_layer_norm(merged, x.clone(), gamma.clone(), bias.clone(), 1e-5);
    let y = crate::gelu(crate::linear(y, weight.clone(), None));
    let thin = random([d_model, 3], 0.2, rng);
    let [a, b_] = [leaf(&thin, true), leaf(&thin.transpose(), true)];
    let rounded = Frozen::new(Precision::Bf16);
    let frozen = random([d_model, d_model], 0.2, rng);
    let y = crate::frozen_linear(y, frozen.clone(), None, &rounded)
        + crate::low_rank(x.clone(), a.clone(), b_.clone(), 2.0);
    let maps = || [0; 2].map(|_| (frozen.clone(), None));
    let y = crate::frozen_feed_forward(y, maps(), [&Frozen::default(), &Frozen::default()]);
    let y = crate::frozen_feed_forward(y, maps(), [&rounded, &rounded]);
    let grads = Backward::new(&y);
    let leaves = [grads.of(&x), grads.of(&bias), grads.of(&gamma)];
    let matrices = [grads.of(&weight), grads.of(&a), grads.of(&b_), Some(numbers(y))];
    leaves
        .into_iter()
        .chain(matrices)
        .map(|numbers| numbers.expect("tracked").into_iter().map(f32::to_bits).collect())
        .collect()
}

#[test]
fn one_thread_and_many_give_the_same_bytes_every_time() {
    let expected = block();
    for n_threads in [1, 2, 3, 2] {
        let pool = ThreadPoolBuilder::new().num_threads(n_threads).build().expect("a pool");
        assert!(pool.install(block) == expected, "{n_threads} threads give other bytes");
    }
}
