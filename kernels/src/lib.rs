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

mod adamw;
mod attention;
mod buffer;
mod feed_forward;
mod frozen;
mod fused;
mod gelu;
mod heads;
mod kept;
mod layer_norm;
mod linear;
mod low_rank;
mod maybe;
pub mod plain;
mod product;
mod rows;
mod self_attention;
mod simd;
mod softmax;
mod sums;
#[cfg(test)]
mod tests;
mod transpose;

use burn::backend::{Dispatch, DispatchDevice};
use burn::tensor::{DType, Device, Tensor};

pub use adamw::AdamW;
pub use frozen::Frozen;
use fused::Fused;
use maybe::{FeedForwardMaps, maybe};
pub use packed::Precision;
pub use self_attention::{SelfAttention, self_attention};

/// Whether the fused operations can take this tensor: `f32` on flex, with or without gradients.
fn fusable<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && is_flex(&x.device())
}

/// Whether this device has the fused operations and the packed weights: flex alone.
pub fn is_flex(device: &Device) -> bool {
    matches!(device.as_dispatch().clone().inner(), DispatchDevice::Flex(_))
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

/// `gelu(x W_up + b_up) W_down + b_down` with maps that nobody trains: what is between the two
/// products is never in memory as a whole, but for the backward pass.
///
/// The same as [`frozen_linear`], [`gelu`](gelu()) and [`frozen_linear`] one after the other; maps
/// that are trained after all go that way. Each map has a weight and perhaps a bias.
///
/// # Panics
/// If the shapes do not fit together.
pub fn frozen_feed_forward<const D: usize>(
    x: Tensor<D>,
    maps: [(Tensor<2>, Option<Tensor<1>>); 2],
    frozen: [&Frozen; 2],
) -> Tensor<D> {
    let [(up, up_bias), (down, down_bias)] = maps;
    let can_pack_down = can_pack(up.dims()[1], &down, &down_bias);
    if !(packable(&x, &up, &up_bias) && can_pack_down) {
        let hidden = gelu(frozen_linear(x, up, up_bias, frozen[0]));
        return frozen_linear(hidden, down, down_bias, frozen[1]);
    }
    let maps = FeedForwardMaps {
        up: up.into_dispatch(),
        up_bias: maybe(up_bias),
        down: down.into_dispatch(),
        down_bias: maybe(down_bias),
    };
    let frozen = frozen.map(Frozen::clone);
    Tensor::from_dispatch(Dispatch::fused_frozen_feed_forward(x.into_dispatch(), maps, frozen))
}

/// Whether x can go through a linear map that [`Frozen`] holds.
///
/// # Panics
/// If the shapes do not fit together.
fn packable<const D: usize>(x: &Tensor<D>, weight: &Tensor<2>, bias: &Option<Tensor<1>>) -> bool {
    can_pack(x.dims()[D - 1], weight, bias) && fusable(x)
}

/// Whether a linear map of inputs of this width is one that [`Frozen`] can hold.
///
/// # Panics
/// If the shapes do not fit together.
fn can_pack(width: usize, weight: &Tensor<2>, bias: &Option<Tensor<1>>) -> bool {
    let [d_in, d_out] = weight.dims();
    assert_eq!(width, d_in, "linear: the weight does not fit x");
    if let Some(bias) = bias {
        assert_eq!(bias.dims(), [d_out], "linear: the bias does not fit the weight");
    }
    let is_plain = !weight.is_autodiff() && bias.iter().all(|bias| !bias.is_autodiff());
    is_plain && fusable(weight) && bias.iter().all(fusable)
}

/// `scale · (x A) B`: a branch through a few numbers.
///
/// # Shapes
/// `x`: `[.., d_in]`, `a`: `[d_in, rank]`, `b`: `[rank, d_out]`, result `[.., d_out]`.
///
/// # Panics
/// If the shapes do not fit together, or the rank is 0.
pub fn low_rank<const D: usize>(x: Tensor<D>, a: Tensor<2>, b: Tensor<2>, scale: f64) -> Tensor<D> {
    let ([d_in, rank], [rank_b, _]) = (a.dims(), b.dims());
    assert_eq!(x.dims()[D - 1], d_in, "low_rank: A does not fit x");
    assert_eq!(rank, rank_b, "low_rank: B does not fit A");
    assert!(rank > 0, "low_rank: the rank is 0; leave the branch out");
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

/// Whether [`adamw`] takes this tensor: `f32` on flex, without gradients.
pub fn has_adamw<const D: usize>(x: &Tensor<D>) -> bool {
    !x.is_autodiff() && fusable(x)
}

/// A step of AdamW: the tensor and its two moments after it, in the memory of those before if
/// nobody else holds it.
///
/// # Shapes
/// All the same.
///
/// # Panics
/// If the shapes differ, or a tensor is none that [`has_adamw`] names.
pub fn adamw<const D: usize>(
    x: Tensor<D>,
    grad: Tensor<D>,
    [first, second]: [Tensor<D>; 2],
    with: AdamW,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    for other in [&x, &grad, &first, &second] {
        assert_eq!(other.dims(), x.dims(), "adamw: the tensors differ in shape");
        assert!(has_adamw(other), "adamw: the tensors are not f32 on flex without gradients");
    }
    let [x, grad] = [x, grad].map(Tensor::into_dispatch);
    let [first, second] = [first, second].map(Tensor::into_dispatch);
    let (x, first, second) = Dispatch::fused_adamw(x, grad, first, second, with);
    (Tensor::from_dispatch(x), [first, second].map(Tensor::from_dispatch))
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
