//! Fused against plain Burn, in alternating pairs: `cargo bench -p kernels`.
//!
//! Shapes are those of MiniLM-L6: width 384, 12 heads, feed-forward 1536, batches of 32.

use std::hint::black_box;
use std::time::{Duration, Instant};

use burn::tensor::{Device, Distribution, Tensor};
use kernels::plain;

const BATCH: usize = 32;
const D_MODEL: usize = 384;
const D_FEED_FORWARD: usize = 1536;
const N_HEADS: usize = 12;
const N_PAIRS: usize = 15;

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Device::flex())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn time(task: &impl Fn()) -> Duration {
    let start = Instant::now();
    task();
    start.elapsed()
}

fn compare(name: &str, plain: impl Fn(), fused: impl Fn()) {
    plain();
    fused();
    let pairs: Vec<_> = (0..N_PAIRS).map(|_| (time(&plain), time(&fused))).collect();
    let (plain, fused): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let (plain, fused) = (median(plain), median(fused));
    println!("{name:<44} {plain:>9.2} ms {fused:>9.2} ms {:>7.2}×", plain / fused);
}

/// Compares `op` forward on the plain device, then forward and backward with x tracked.
fn both_ways(
    name: &str,
    x: Tensor<3>,
    plain: impl Fn(Tensor<3>) -> Tensor<3>,
    fused: impl Fn(Tensor<3>) -> Tensor<3>,
) {
    let forward = |op: &dyn Fn(Tensor<3>) -> Tensor<3>| {
        black_box(op(x.clone()));
    };
    compare(&format!("{name} forward"), || forward(&plain), || forward(&fused));
    let backward = |op: &dyn Fn(Tensor<3>) -> Tensor<3>| {
        let x = x.clone().autodiff().require_grad();
        black_box(op(x).sum().backward());
    };
    compare(&format!("{name} forward + backward"), || backward(&plain), || backward(&fused));
}

fn attend(
    x: Tensor<3>,
    attention: impl Fn(Tensor<4>, Tensor<4>, Tensor<4>) -> Tensor<4>,
) -> Tensor<3> {
    let [b, s, d_model] = x.dims();
    let heads = x.reshape([b, s, N_HEADS, d_model / N_HEADS]).swap_dims(1, 2);
    attention(heads.clone(), heads.clone(), heads).swap_dims(1, 2).reshape([b, s, d_model])
}

fn main() {
    println!("{:<44} {:>12} {:>12} {:>8}", "", "plain Burn", "fused", "faster");
    for s in [26, 64, 128] {
        let x = random([BATCH, s, D_MODEL]);
        let wide = random([BATCH, s, D_FEED_FORWARD]);
        let ones = Tensor::<1>::ones([D_MODEL], &Device::flex());
        let up = random([D_MODEL, D_FEED_FORWARD]);
        let bias = random([D_FEED_FORWARD]);
        both_ways(
            &format!("linear [{BATCH},{s},{D_MODEL}] -> {D_FEED_FORWARD}"),
            x.clone(),
            |x| {
                let as_x = |w: Tensor<2>| if x.is_autodiff() { w.autodiff() } else { w };
                let bias = if x.is_autodiff() { bias.clone().autodiff() } else { bias.clone() };
                plain::linear(x.clone(), as_x(up.clone()), Some(bias))
            },
            |x| kernels::linear(x, up.clone(), Some(bias.clone())),
        );
        both_ways(
            &format!("gelu [{BATCH},{s},{D_FEED_FORWARD}]"),
            wide,
            plain::gelu,
            kernels::gelu,
        );
        let norm = |x: Tensor<3>| (x.clone(), x, ones.clone(), ones.clone());
        both_ways(
            &format!("add + layer norm [{BATCH},{s},{D_MODEL}]"),
            x.clone(),
            |x| {
                let (x, residual, gamma, beta) = norm(x);
                plain::add_layer_norm(x, residual, gamma, beta, 1e-12)
            },
            |x| {
                let (x, residual, gamma, beta) = norm(x);
                kernels::add_layer_norm(x, residual, gamma, beta, 1e-12)
            },
        );
        let mask = Tensor::<2>::zeros([BATCH, s], &Device::flex());
        both_ways(
            &format!("attention [{BATCH},{s},{D_MODEL}], {N_HEADS} heads"),
            x.clone(),
            |x| attend(x, |q, k, v| plain::attention(q, k, v, Some(mask.clone()))),
            |x| attend(x, |q, k, v| kernels::attention(q, k, v, Some(mask.clone()))),
        );
        both_ways(
            "  the same: plain is products + fused softmax",
            x,
            |x| {
                attend(x, |q, k, v| {
                    let scores = q.matmul(k.transpose());
                    kernels::softmax(scores, 0.177, Some(mask.clone())).matmul(v)
                })
            },
            |x| attend(x, |q, k, v| kernels::attention(q, k, v, Some(mask.clone()))),
        );
    }
}
