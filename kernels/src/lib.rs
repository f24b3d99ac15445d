//! The operations of a transformer block, fused for the CPU.
//!
//! Each function has two paths that give the same numbers up to rounding:
//! - on Burn's flex backend in `f32`, one pass over the rows in parallel, with vector code chosen
//!   for the processor at run time, and a backward pass of its own;
//! - on every other device and for every other number type, [`plain`] Burn.
//!
//! Gradients are computed for tracked inputs only: a frozen weight costs no gradient, and where
//! nothing is tracked nothing is recorded or kept. Results do not depend on how threads are
//! scheduled: the same inputs give the same bytes.

mod attention;
mod buffer;
mod frozen;
mod fused;
mod gelu;
mod heads;
mod layer_norm;
mod linear;
mod low_rank;
pub mod plain;
mod product;
mod rows;
mod self_attention;
mod simd;
mod softmax;
mod sums;
#[cfg(test)]
mod tests;

use burn::backend::{Dispatch, DispatchDevice};
use burn::tensor::{DType, Device, Tensor};

pub use frozen::Frozen;
use fused::{Fused, Maps, Maybe, MaybeEach};
pub use packed::Precision;

/// Whether the fused operations can take this tensor: `f32` on flex, with or without gradients.
fn fusable<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && is_flex(&x.device())
}

/// Whether this device has the fused operations and the packed weights: flex alone.
pub fn is_flex(device: &Device) -> bool {
    matches!(device.as_dispatch().clone().inner(), DispatchDevice::Flex(_))
}

/// The tensor as the extension takes it.
fn maybe<const D: usize>(x: Option<Tensor<D>>) -> Maybe<Dispatch> {
    x.map(Tensor::into_dispatch).into()
}

/// `softmax(scores · scale + key_bias)` over the keys.
///
/// A key with the bias −∞ has weight 0; a query with no other keys gets zeros, not NaN. The bias
/// is a constant: no gradient flows into it.
///
/// # Shapes
/// `scores`: `[batch, heads, queries, keys]`, `key_bias`: `[batch, keys]`, result as `scores`.
///
/// # Panics
/// If the shapes do not fit together.
pub fn softmax(scores: Tensor<4>, scale: f32, key_bias: Option<Tensor<2>>) -> Tensor<4> {
    let [n_batch, _, _, n_keys] = scores.dims();
    check_key_bias(&key_bias, n_batch, n_keys);
    if !fusable(&scores) || !key_bias.iter().all(fusable) {
        return plain::softmax(scores, scale, key_bias);
    }
    Tensor::from_dispatch(Dispatch::fused_softmax(scores.into_dispatch(), maybe(key_bias), scale))
}

/// The exact Gaussian error linear unit `x Φ(x)`.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !fusable(&x) {
        return plain::gelu(x);
    }
    Tensor::from_dispatch(Dispatch::fused_gelu(x.into_dispatch()))
}

/// `LayerNorm(x + residual)` over the last axis.
///
/// # Shapes
/// `x`, `residual` and result: `[.., d_model]`, `gamma` and `beta`: `[d_model]`.
///
/// # Panics
/// If the shapes do not fit together.
pub fn add_layer_norm<const D: usize>(
    x: Tensor<D>,
    residual: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    eps: f64,
) -> Tensor<D> {
    let d_model = x.dims()[D - 1];
    assert_eq!(x.dims(), residual.dims(), "add_layer_norm: x and residual differ in shape");
    assert_eq!(gamma.dims(), [d_model], "add_layer_norm: gamma does not fit x");
    assert_eq!(beta.dims(), [d_model], "add_layer_norm: beta does not fit x");
    if !(fusable(&x) && fusable(&residual) && fusable(&gamma) && fusable(&beta)) {
        return plain::add_layer_norm(x, residual, gamma, beta, eps);
    }
    Tensor::from_dispatch(Dispatch::fused_add_layer_norm(
        x.into_dispatch(),
        residual.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        eps as f32,
    ))
}

/// `x W + b` over the last axis.
///
/// # Shapes
/// `x`: `[.., d_in]`, `weight`: `[d_in, d_out]`, `bias`: `[d_out]`, result `[.., d_out]`.
///
/// # Panics
/// If the shapes do not fit together.
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    let [d_in, d_out] = weight.dims();
    assert_eq!(x.dims()[D - 1], d_in, "linear: the weight does not fit x");
    if let Some(bias) = &bias {
        assert_eq!(bias.dims(), [d_out], "linear: the bias does not fit the weight");
    }
    if !(fusable(&x) && fusable(&weight) && bias.iter().all(fusable)) {
        return plain::linear(x, weight, bias);
    }
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_linear(x, weight, maybe(bias)))
}

/// `x W + b` with a weight that nobody trains, packed once in `frozen`.
///
/// The same as [`linear`](linear()) up to rounding: in `frozen`'s precision. A weight that is
/// trained after all, or that the packed form cannot take, goes to [`linear`](linear()), in `f32`.
///
/// # Panics
/// If the shapes do not fit together.
pub fn frozen_linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    frozen: &Frozen,
) -> Tensor<D> {
    if !packable(&x, &weight, &bias) {
        return linear(x, weight, bias);
    }
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_frozen_linear(x, weight, maybe(bias), frozen.clone()))
}

/// `gelu(x W + b)` with a weight that nobody trains; see [`frozen_linear`].
///
/// # Panics
/// If the shapes do not fit together.
pub fn frozen_linear_gelu<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    frozen: &Frozen,
) -> Tensor<D> {
    if !packable(&x, &weight, &bias) {
        return gelu(linear(x, weight, bias));
    }
    let (x, weight, bias) = (x.into_dispatch(), weight.into_dispatch(), maybe(bias));
    Tensor::from_dispatch(Dispatch::fused_frozen_linear_gelu(x, weight, bias, frozen.clone()))
}

/// What a block's attention is computed from, beside its input.
pub struct SelfAttention<'a> {
    /// Weight `[d_model, d]` and bias `[d]` of query, key and value.
    pub maps: [(Tensor<2>, Option<Tensor<1>>); 3],
    /// What is added to query, key and value, `[batch, seq, d]`.
    pub deltas: [Option<Tensor<3>>; 3],
    /// Keys and values that stand before the own ones, `[heads, n_prefix, d / heads]`.
    pub prefix: Option<[Tensor<3>; 2]>,
    /// Added to the scores of a key, `[batch, n_prefix + seq]`; see [`softmax`](softmax()).
    pub key_bias: Tensor<2>,
    /// Heads.
    pub n_heads: usize,
    /// Holds the packed forms of the three weights.
    pub frozen: &'a Frozen,
}

/// The attention of `x` to itself and to a prefix, with maps that nobody trains: one product for
/// query, key and value.
///
/// The same as [`frozen_linear`] thrice, the deltas added, and [`attention`](attention()) of the
/// heads: maps that are trained after all go that way.
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

/// [`self_attention`](self_attention()), one operation after the other.
fn in_parts(x: Tensor<3>, with: SelfAttention) -> Tensor<3> {
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
            concat(prefix, own, 2)
        };
        key = before(prefix_key, key);
        value = before(prefix_value, value);
    }
    let y = attention(query, key, value, Some(key_bias)).swap_dims(1, 2);
    let [_, _, _, d_head] = y.dims();
    y.reshape([n_batch, seq, n_heads * d_head])
}

/// Concatenates along `dim` when one of the two may be on the autodiff side of the device.
pub fn concat<const D: usize>(a: Tensor<D>, b: Tensor<D>, dim: usize) -> Tensor<D> {
    if a.is_autodiff() || b.is_autodiff() {
        Tensor::cat(vec![a.autodiff(), b.autodiff()], dim)
    } else {
        Tensor::cat(vec![a, b], dim)
    }
}

/// Whether a linear map is one that [`Frozen`] can hold.
///
/// # Panics
/// If the shapes do not fit together.
fn packable<const D: usize>(x: &Tensor<D>, weight: &Tensor<2>, bias: &Option<Tensor<1>>) -> bool {
    let [d_in, d_out] = weight.dims();
    assert_eq!(x.dims()[D - 1], d_in, "linear: the weight does not fit x");
    if let Some(bias) = bias {
        assert_eq!(bias.dims(), [d_out], "linear: the bias does not fit the weight");
    }
    let is_plain = !weight.is_autodiff() && bias.iter().all(|bias| !bias.is_autodiff());
    is_plain && fusable(x) && fusable(weight) && bias.iter().all(fusable)
}

/// `scale · (x A) B`: a branch through a few numbers.
///
/// # Shapes
/// `x`: `[.., d_in]`, `a`: `[d_in, rank]`, `b`: `[rank, d_out]`, result `[.., d_out]`.
///
/// # Panics
/// If the shapes do not fit together.
pub fn low_rank<const D: usize>(x: Tensor<D>, a: Tensor<2>, b: Tensor<2>, scale: f64) -> Tensor<D> {
    let ([d_in, rank], [rank_b, _]) = (a.dims(), b.dims());
    assert_eq!(x.dims()[D - 1], d_in, "low_rank: A does not fit x");
    assert_eq!(rank, rank_b, "low_rank: B does not fit A");
    if !(fusable(&x) && fusable(&a) && fusable(&b)) {
        return plain::low_rank(x, a, b, scale);
    }
    let [a, b] = [a, b].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::fused_low_rank(x.into_dispatch(), a, b, scale as f32))
}

/// Scaled dot-product attention, `softmax(Q Kᵀ / √d_head + key_bias) V`.
///
/// The masking rules of [`softmax`](softmax()) hold. On flex the result lies token by token in
/// memory, so that `swap_dims(1, 2)` and `reshape` to `[batch, queries, heads · d_head]` are free;
/// query, key and value are best given as the reverse of that.
///
/// # Shapes
/// `query`: `[batch, heads, queries, d_head]`, `key` and `value`: `[batch, heads, keys, d_head]`,
/// `key_bias`: `[batch, keys]`, result as `query`.
///
/// # Panics
/// If the shapes do not fit together.
pub fn attention(
    query: Tensor<4>,
    key: Tensor<4>,
    value: Tensor<4>,
    key_bias: Option<Tensor<2>>,
) -> Tensor<4> {
    let [n_batch, n_heads, _, d_head] = query.dims();
    let n_keys = key.dims()[2];
    let expected = [n_batch, n_heads, n_keys, d_head];
    assert_eq!(key.dims(), expected, "attention: the key does not fit the query");
    assert_eq!(value.dims(), expected, "attention: the value does not fit the key");
    check_key_bias(&key_bias, n_batch, n_keys);
    let fused = [&query, &key, &value].into_iter().all(fusable) && key_bias.iter().all(fusable);
    if !fused {
        return plain::attention(query, key, value, key_bias);
    }
    Tensor::from_dispatch(Dispatch::fused_attention(
        query.into_dispatch(),
        key.into_dispatch(),
        value.into_dispatch(),
        maybe(key_bias),
    ))
}

fn check_key_bias(key_bias: &Option<Tensor<2>>, n_batch: usize, n_keys: usize) {
    if let Some(bias) = key_bias {
        assert_eq!(bias.dims(), [n_batch, n_keys], "the key bias does not fit the keys");
    }
}

/// How many weight-shaped gradients the backward passes of [`linear`](linear()) on flex have
/// computed on this thread, so that a test can hold that a frozen weight never costs one.
#[doc(hidden)]
pub fn n_weight_gradients() -> usize {
    linear::n_weight_gradients()
}
