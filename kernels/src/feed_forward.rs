//! The feed-forward part of a block whose maps are frozen: both products of some rows in one go,
//! while the numbers between them are still close to the processor.

use std::mem::MaybeUninit;
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::{Flex, FlexTensor};
use burn::tensor::Shape;
use packed::{Level, Precision};

use crate::buffer::{self, Dense, filled, filled_together, part};
use crate::frozen::{Packs, ROWS};
use crate::kept::Kept;
use crate::linear::with_width;
use crate::rows;

/// A packed weight, and a bias if it has one.
pub struct Map {
    packs: Arc<Packs>,
    bias: Option<Dense>,
}

impl Map {
    /// x W + b.
    pub fn new(packs: Arc<Packs>, bias: Option<FlexTensor>) -> Self {
        Self { packs, bias: bias.map(Dense::new) }
    }

    fn apply<'a>(&self, x: &[f32], out: &'a mut [MaybeUninit<f32>]) -> &'a mut [f32] {
        self.packs.forward().apply(x, self.bias.as_ref().map(Dense::values), out)
    }
}

/// x, the two maps, and how many numbers go through them.
struct FeedForward {
    x: Dense,
    up: Map,
    down: Map,
    n_rows: usize,
    /// Widths of x, of what is between the maps, and of the result.
    widths: [usize; 3],
    /// Of the result.
    shape: Shape,
}

impl FeedForward {
    fn new(x: FlexTensor, [up, down]: [Map; 2]) -> Self {
        let x = Dense::new(x);
        let [[d, d_ff], [_, d_out]] = [&up, &down].map(|map| map.packs.forward().shape());
        let shape = with_width(x.shape(), d_out);
        let n_rows = shape.num_elements() / d_out.max(1);
        Self { x, up, down, n_rows, widths: [d, d_ff, d_out], shape }
    }

    /// Numbers in all rows and in those of a task, where each row has this many.
    fn size(&self, width: usize) -> (usize, usize) {
        (self.n_rows * width, ROWS * width)
    }

    /// What a task gets of x.
    fn input(&self, task: usize) -> &[f32] {
        part(self.x.values(), task, ROWS * self.widths[0])
    }

    /// The result; each task gives what is between the maps to `keep`, before GELU.
    fn run(&self, keep: impl Fn(usize, &[f32]) + Sync) -> Vec<f32> {
        let [_, d_ff, d_out] = self.widths;
        let (len, chunk) = self.size(d_out);
        filled(len, chunk, |start, slots| {
            let task = start / chunk;
            let len = slots.len() / d_out * d_ff;
            let mut hidden = filled(len, len, |_, slots| self.up.apply(self.input(task), slots));
            keep(task, &hidden);
            rows::gelu(Level::best(), &mut hidden);
            self.down.apply(&hidden, slots)
        })
    }

    /// The result, and what is between the maps, before GELU.
    fn run_keeping(&self) -> [Vec<f32>; 2] {
        let [_, d_ff, d_out] = self.widths;
        filled_together([self.size(d_out), self.size(d_ff)], |task, [slots, hidden]| {
            let hidden = self.up.apply(self.input(task), hidden);
            let mut inner = hidden.to_vec();
            rows::gelu(Level::best(), &mut inner);
            [self.down.apply(&inner, slots), hidden]
        })
    }
}

/// The result, keeping nothing.
pub fn forward(x: FlexTensor, maps: [Map; 2]) -> FlexTensor {
    let feed_forward = FeedForward::new(x, maps);
    buffer::tensor(feed_forward.run(|_, _| ()), feed_forward.shape)
}

/// What the backward pass needs of the forward pass.
#[derive(Clone, Debug)]
pub struct Saved {
    up: Arc<Packs>,
    down: Arc<Packs>,
    /// What is between the maps, before GELU, [`ROWS`] rows a part.
    hidden: Kept,
}

/// The same as [`forward`], with what the backward pass needs.
pub fn forward_saving(x: FlexTensor, maps: [Map; 2]) -> (Saved, FlexTensor) {
    let feed_forward = FeedForward::new(x, maps);
    let (len, chunk) = feed_forward.size(feed_forward.widths[1]);
    let (hidden, y) = match feed_forward.up.packs.precision() {
        Precision::F32 => {
            let [y, hidden] = feed_forward.run_keeping();
            let shape = Shape::from([len]);
            (Kept::exact(buffer::tensor(hidden, shape), chunk), y)
        }
        Precision::Bf16 => {
            let hidden = Kept::rounded(len, chunk);
            let y = feed_forward.run(|task, rows| hidden.round(task, rows));
            (hidden, y)
        }
    };
    let FeedForward { up, down, shape, .. } = feed_forward;
    (Saved { up: up.packs, down: down.packs, hidden }, buffer::tensor(y, shape))
}

/// The gradient of x: `(g W_downᵀ · gelu′(h)) W_upᵀ`.
fn backward(saved: &Saved, grad: FlexTensor) -> FlexTensor {
    let grad = Dense::new(grad);
    let [up, down] = [&saved.up, &saved.down].map(|packs| packs.backward());
    let ([d_out, d_ff], [_, d]) = (down.shape(), up.shape());
    let shape = with_width(grad.shape(), d);
    let chunk = ROWS * d;
    let out = filled(shape.num_elements(), chunk, |start, slots| {
        let task = start / chunk;
        let grad = part(grad.values(), task, ROWS * d_out);
        let len = slots.len() / d * d_ff;
        let mut inner = filled(len, len, |_, slots| down.apply(grad, None, slots));
        rows::gelu_backward(Level::best(), &mut inner, &saved.hidden.part(task));
        up.apply(&inner, None, slots)
    });
    buffer::tensor(out, shape)
}

/// The recorded step; its parent is x.
#[derive(Debug)]
pub struct FrozenFeedForward;

impl Backward<Flex, 1> for FrozenFeedForward {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 1>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        if let [Some(x)] = ops.parents {
            grads.register::<Flex>(x.id, backward(&ops.state, grad));
        }
    }
}
