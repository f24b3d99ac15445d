use burn::tensor::{Device, Tensor};
use rand::Rng;

use super::frozen::rounded;
use super::{Backward, assert_close, assert_same_gradient, leaf, numbers, random, rng};
use crate::{Frozen, Precision, frozen_feed_forward, n_weight_gradients, plain};

#[test]
fn it_equals_plain_burn() {
    let rng = &mut rng(81);
    for round in 0..24 {
        // Up to 400 rows: several tasks, the last of them with fewer rows.
        let [b, s] = [0; 2].map(|_| rng.random_range(1..20));
        let [d, d_ff, d_out] = [0; 3].map(|_| rng.random_range(1..90));
        let x = random([b, s, d], 1.0, rng);
        let up = match round % 2 {
            0 => random([d, d_ff], 1.0, rng),
            _ => random([d_ff, d], 1.0, rng).transpose(),
        };
        let down = random([d_ff, d_out], 1.0, rng);
        let up_bias = (round % 3 > 0).then(|| random([d_ff], 1.0, rng));
        let down_bias = (round % 5 > 0).then(|| random([d_out], 1.0, rng));
        let tracked = round % 4 > 0;
        let run = |op: &dyn Fn(Tensor<3>) -> Tensor<3>| {
            let x = leaf(&x, tracked);
            let y = op(x.clone());
            let grad = tracked.then(|| Backward::new(&y).of(&x)).flatten();
            (numbers(y), grad)
        };
        let maps = || [(up.clone(), up_bias.clone()), (down.clone(), down_bias.clone())];
        let frozen = Frozen::default();
        let (y, grad) = run(&|x| frozen_feed_forward(x, maps(), [&frozen, &Frozen::default()]));
        let (plain_y, plain_grad) = run(&|x| {
            let on_tape = |(weight, bias): (Tensor<2>, Option<Tensor<1>>)| {
                (weight.autodiff(), bias.map(Tensor::autodiff))
            };
            let [(up, up_bias), (down, down_bias)] = maps().map(on_tape);
            plain::linear(plain::gelu(plain::linear(x, up, up_bias)), down, down_bias)
        });
        assert_close("output", &y, &plain_y, 1e-5);
        assert_same_gradient("x", grad, plain_grad);
    }
}

#[test]
fn in_bfloat16_what_is_between_the_maps_is_kept_rounded() {
    let rng = &mut rng(82);
    let x = random([5, 31, 33], 1.0, rng);
    let [up, down] = [random([33, 50], 0.2, rng), random([50, 21], 0.2, rng)];
    let on_tape = leaf(&x, true);
    let frozen = [0; 2].map(|_| Frozen::new(Precision::Bf16));
    let maps = [(up.clone(), None), (down.clone(), None)];
    let y = frozen_feed_forward(on_tape.clone(), maps, frozen.each_ref());
    let hidden = plain::linear(rounded(&x), rounded(&up), None);
    let expected = plain::linear(rounded(&plain::gelu(hidden.clone())), rounded(&down), None);
    // A number between two neighbours may be rounded to either, as the sums before it were.
    assert_close("output", &numbers(y.clone()), &numbers(expected), 1e-3);
    let grad = Backward::new(&y).of(&on_tape).expect("tracked");
    let incoming = rounded(&random([5, 31, 21], 1.0, &mut super::rng(99)));
    let of_inner = plain::linear(incoming, rounded(&down).transpose(), None);
    let kept = leaf(&rounded(&hidden), true);
    let grads = (plain::gelu(kept.clone()) * of_inner.autodiff()).sum().backward();
    let of_kept = kept.grad(&grads).expect("tracked");
    let expected = plain::linear(rounded(&of_kept), rounded(&up).transpose(), None);
    assert_close("gradient", &grad, &numbers(expected), 1e-3);
}

#[test]
fn a_map_that_is_trained_after_all_gets_its_gradient() {
    let rng = &mut rng(83);
    let x = random([2, 3, 4], 1.0, rng);
    let weights = [random([4, 5], 1.0, rng), random([5, 6], 1.0, rng)];
    for trained in 0..2 {
        let mut maps = weights.clone().map(|weight| (weight, None));
        let leaf = leaf(&weights[trained], true);
        maps[trained].0 = leaf.clone();
        let before = n_weight_gradients();
        let y = frozen_feed_forward(x.clone(), maps, [&Frozen::default(), &Frozen::default()]);
        assert!(Backward::new(&y).of(&leaf).is_some());
        assert_eq!(n_weight_gradients(), before + 1);
    }
}

#[test]
fn it_takes_tensors_without_rows() {
    let x = Tensor::<3>::zeros([2, 0, 4], &Device::flex().autodiff()).require_grad();
    let maps = [[4, 3], [3, 4]].map(|shape| (Tensor::ones(shape, &Device::flex()), None));
    let y = frozen_feed_forward(x.clone(), maps, [&Frozen::default(), &Frozen::default()]);
    assert_eq!(y.dims(), [2, 0, 4]);
    let grads = y.sum().backward();
    assert_eq!(x.grad(&grads).expect("tracked").dims(), [2, 0, 4]);
}
