//! The same inputs give the same bytes, whatever the threads do.

use burn::tensor::Tensor;
use rayon::ThreadPoolBuilder;

use super::{Backward, leaf, numbers, random, rng};

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
    let grads = Backward::new(&y);
    let gradients =
        [grads.of(&x), grads.of(&weight), grads.of(&bias), grads.of(&gamma), Some(numbers(y))];
    gradients
        .into_iter()
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
