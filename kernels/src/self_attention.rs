//! The attention of a block whose query, key and value maps are frozen.

pub mod step;

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::fused::Fused;
use crate::maybe::{Maps, Maybe, MaybeEach, maybe};
use crate::{Frozen, attention, check_key_bias, fusable, linear, packable};

/// What a block's attention is computed from, beside its input.
pub struct SelfAttention<'a> {
    /// Weight `[d_model, d]` and bias `[d]` of query, key and value.
    pub maps: [(Tensor<2>, Option<Tensor<1>>); 3],
    /// What is added to query, key and value, `[batch, seq, d]`.
    pub deltas: [Option<Tensor<3>>; 3],
    /// Keys and values that stand before the own ones, `[heads, n_prefix, d / heads]`.
    pub prefix: Option<[Tensor<3>; 2]>,
    /// Added to the scores of a key, `[batch, n_prefix + seq]`; see [`softmax`](crate::softmax()).
    pub key_bias: Tensor<2>,
    /// Heads.
    pub n_heads: usize,
    /// Holds the packed forms of the three weights.
    pub frozen: &'a Frozen,
}

/// The attention of `x` to itself and to a prefix, with maps that nobody trains: one product for
/// query, key and value.
///
/// The same as [`frozen_linear`](crate::frozen_linear) thrice, the deltas added, and
/// [`attention`](crate::attention()) of the heads: maps that are trained after all go that way.
///
/// # Shapes
/// `x`: `[batch, seq, d_model]`, result `[batch, seq, d]`.
///
/// # Panics
/// If the shapes do not fit together.
pub fn self_attention(x: Tensor<3>, with: SelfAttention) -> Tensor<3> {
    let fused = with.maps.iter().all(|(weight, bias)| packable(&x, weight, bias))
        && with.maps.iter().all(|(weight, _)| weight.dims() == with.maps[0].0.dims())
        && with.deltas.iter().flatten().chain(with.prefix.iter().flatten()).all(fusable)
        && fusable(&with.key_bias);
    if !fused {
        return in_parts(x, with);
    }
    let SelfAttention { maps, deltas, prefix, key_bias, n_heads, frozen } = with;
    let [n_batch, seq, _] = x.dims();
    let d = maps[0].0.dims()[1];
    let n_prefix = prefix.as_ref().map_or(0, |[key, _]| key.dims()[1]);
    assert!(d.is_multiple_of(n_heads), "self_attention: {n_heads} heads do not divide {d}");
    for delta in deltas.iter().flatten() {
        assert_eq!(delta.dims(), [n_batch, seq, d], "self_attention: a delta does not fit");
    }
    for prefix in prefix.iter().flatten() {
        let expected = [n_heads, n_prefix, d / n_heads];
        assert_eq!(prefix.dims(), expected, "self_attention: the prefix does not fit");
    }
    check_key_bias(&Some(key_bias.clone()), n_batch, n_prefix + seq);
    let [(query, b_query), (key, b_key), (value, b_value)] = maps;
    let [query, key, value] = [query, key, value].map(Tensor::into_dispatch);
    let biases = MaybeEach { query: maybe(b_query), key: maybe(b_key), value: maybe(b_value) };
    let [d_query, d_key, d_value] = deltas.map(maybe);
    let deltas = MaybeEach { query: d_query, key: d_key, value: d_value };
    let [p_key, p_value] = match prefix {
        None => [None, None],
        Some(prefix) => prefix.map(Some),
    };
    let prefix = MaybeEach { query: Maybe::Absent, key: maybe(p_key), value: maybe(p_value) };
    Tensor::from_dispatch(Dispatch::fused_self_attention(
        x.into_dispatch(),
        Maps { query, key, value, biases },
        deltas,
        prefix,
        key_bias.into_dispatch(),
        n_heads,
        frozen.clone(),
    ))
}

/// [`self_attention`], one operation after the other.
pub fn in_parts(x: Tensor<3>, with: SelfAttention) -> Tensor<3> {
    let SelfAttention { maps, deltas, prefix, key_bias, n_heads, .. } = with;
    let [n_batch, seq, _] = x.dims();
    let mut deltas = deltas.into_iter();
    let projected = maps.map(|(weight, bias)| {
        let y = linear(x.clone(), weight, bias);
        let y = match deltas.next().flatten() {
            None => y,
            Some(delta) => y + delta,
        };
        let d = y.dims()[2];
        y.reshape([n_batch, seq, n_heads, d / n_heads]).swap_dims(1, 2)
    });
    let [query, mut key, mut value] = projected;
    if let Some([prefix_key, prefix_value]) = prefix {
        let before = |prefix: Tensor<3>, own: Tensor<4>| {
            let [n_heads, n_prefix, d_head] = prefix.dims();
            let prefix = prefix.unsqueeze::<4>().expand([n_batch, n_heads, n_prefix, d_head]);
            Tensor::cat(vec![prefix, own], 2)
        };
        key = before(prefix_key, key);
        value = before(prefix_value, value);
    }
    let y = attention(query, key, value, Some(key_bias)).swap_dims(1, 2);
    let [_, _, _, d_head] = y.dims();
    y.reshape([n_batch, seq, n_heads * d_head])
}
