//! Every operation fused and in plain Burn: `cargo bench -p bench-suite -p kernels --bench kernels`.
//!
//! Shapes are those of MiniLM-L6: width 384, 12 heads, feed-forward 1536, batches of 32. Each
//! operation is measured forward on the plain device, and forward with backward where its first
//! input is tracked and every weight is frozen. Items are tokens.

use burn::tensor::{Device, Distribution, Tensor};
use divan::{Bencher, counter::ItemsCount};
use kernels::plain;

const BATCH: usize = 32;
const D_MODEL: usize = 384;
const D_FEED_FORWARD: usize = 1536;
const N_HEADS: usize = 12;
const EPSILON: f64 = 1e-12;

/// Tokens a row: an average row of the task `movie`, and the longer ones.
const LENGTHS: [usize; 3] = [26, 64, 128];

fn main() {
    divan::main();
}

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Device::flex())
}

/// Measures an operation on `[BATCH, length, width]`.
fn forward(bencher: Bencher, length: usize, width: usize, op: impl Fn(Tensor<3>) -> Tensor<3>) {
    let x = random([BATCH, length, width]);
    let bencher = bencher.counter(ItemsCount::new(BATCH * length));
    bencher.bench_local(|| op(x.clone()));
}

/// Measures it with the way back to its input.
fn both_ways(bencher: Bencher, length: usize, width: usize, op: impl Fn(Tensor<3>) -> Tensor<3>) {
    let x = random([BATCH, length, width]);
    let bencher = bencher.counter(ItemsCount::new(BATCH * length));
    bencher.bench_local(|| op(x.clone().autodiff().require_grad()).sum().backward());
}

/// A frozen tensor on the side of its input, which plain Burn asks for.
fn beside<const D: usize, const E: usize>(x: &Tensor<D>, frozen: &Tensor<E>) -> Tensor<E> {
    if x.is_autodiff() { frozen.clone().autodiff() } else { frozen.clone() }
}

/// The four ways to measure an operation.
macro_rules! measured {
    ($name:ident, $width:expr, fused: $fused:expr, plain: $plain:expr) => {
        mod $name {
            use super::*;

            #[divan::bench(args = LENGTHS)]
            fn fused_forward(bencher: Bencher, length: usize) {
                forward(bencher, length, $width, $fused);
            }

            #[divan::bench(args = LENGTHS)]
            fn plain_forward(bencher: Bencher, length: usize) {
                forward(bencher, length, $width, $plain);
            }

            #[divan::bench(args = LENGTHS)]
            fn fused_both_ways(bencher: Bencher, length: usize) {
                both_ways(bencher, length, $width, $fused);
            }

            #[divan::bench(args = LENGTHS)]
            fn plain_both_ways(bencher: Bencher, length: usize) {
                both_ways(bencher, length, $width, $plain);
            }
        }
    };
}

measured!(
    linear_up,
    D_MODEL,
    fused: {
        let (weight, bias) = (random([D_MODEL, D_FEED_FORWARD]), random([D_FEED_FORWARD]));
        move |x| kernels::linear(x, weight.clone(), Some(bias.clone()))
    },
    plain: {
        let (weight, bias) = (random([D_MODEL, D_FEED_FORWARD]), random([D_FEED_FORWARD]));
        move |x| {
            let (weight, bias) = (beside(&x, &weight), beside(&x, &bias));
            plain::linear(x, weight, Some(bias))
        }
    }
);

measured!(
    linear_down,
    D_FEED_FORWARD,
    fused: {
        let (weight, bias) = (random([D_FEED_FORWARD, D_MODEL]), random([D_MODEL]));
        move |x| kernels::linear(x, weight.clone(), Some(bias.clone()))
    },
    plain: {
        let (weight, bias) = (random([D_FEED_FORWARD, D_MODEL]), random([D_MODEL]));
        move |x| {
            let (weight, bias) = (beside(&x, &weight), beside(&x, &bias));
            plain::linear(x, weight, Some(bias))
        }
    }
);

measured!(gelu, D_FEED_FORWARD, fused: kernels::gelu, plain: plain::gelu);

measured!(
    add_layer_norm,
    D_MODEL,
    fused: |x: Tensor<3>| {
        let ones = Tensor::<1>::ones([D_MODEL], &Device::flex());
        kernels::add_layer_norm(x.clone(), x, ones.clone(), ones, EPSILON)
    },
    plain: |x: Tensor<3>| {
        let ones = Tensor::<1>::ones([D_MODEL], &x.device());
        plain::add_layer_norm(x.clone(), x, ones.clone(), ones, EPSILON)
    }
);

measured!(
    attention,
    D_MODEL,
    fused: |x| attend(x, |q, k, v, mask| kernels::attention(q, k, v, Some(mask))),
    plain: |x| attend(x, |q, k, v, mask| plain::attention(q, k, v, Some(mask)))
);

/// The fused softmax between two products of plain Burn, against the fused attention.
mod attention_of_parts {
    use super::*;

    fn of_parts(x: Tensor<3>) -> Tensor<3> {
        let scale = 1.0 / ((D_MODEL / N_HEADS) as f32).sqrt();
        attend(x, |q, k, v, mask| {
            kernels::softmax(q.matmul(k.transpose()), scale, Some(mask)).matmul(v)
        })
    }

    #[divan::bench(args = LENGTHS)]
    fn fused_forward(bencher: Bencher, length: usize) {
        forward(bencher, length, D_MODEL, of_parts);
    }

    #[divan::bench(args = LENGTHS)]
    fn fused_both_ways(bencher: Bencher, length: usize) {
        both_ways(bencher, length, D_MODEL, of_parts);
    }
}

fn attend(
    x: Tensor<3>,
    attention: impl Fn(Tensor<4>, Tensor<4>, Tensor<4>, Tensor<2>) -> Tensor<4>,
) -> Tensor<3> {
    let [b, s, d_model] = x.dims();
    let mask = Tensor::<2>::zeros([b, s], &Device::flex());
    let heads = x.reshape([b, s, N_HEADS, d_model / N_HEADS]).swap_dims(1, 2);
    attention(heads.clone(), heads.clone(), heads, mask).swap_dims(1, 2).reshape([b, s, d_model])
}
