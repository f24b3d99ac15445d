//! Scaled dot-product attention, one batch element a task: the scores never leave the cache.
//!
//! The backward pass computes the scores again from query and key, which is cheaper than keeping
//! them: they are `seq / d_head` times as large.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::{Flex, FlexTensor, Layout};
use burn::tensor::Shape;

use crate::buffer::{self, Dense, filled, filled_together, zeroed};
use crate::product::{Matrix, Threads, set_product};
use crate::rows;
use crate::simd::{LANES, Level};
use crate::softmax::padded_bias;

/// Query, key or value: `[batch, heads, tokens, d_head]` in any memory order.
struct Heads {
    x: FlexTensor,
    n_batch: usize,
    n_heads: usize,
    n_tokens: usize,
    d_head: usize,
}

impl Heads {
    fn new(x: FlexTensor) -> Self {
        let forward = x.layout().strides().iter().all(|stride| *stride >= 0);
        let x = if forward { x } else { x.to_contiguous() };
        let shape = x.layout().shape();
        let [n_batch, n_heads, n_tokens, d_head] = [shape[0], shape[1], shape[2], shape[3]];
        Self { n_batch, n_heads, n_tokens, d_head, x }
    }

    /// One head of one batch element: `[tokens, d_head]`.
    fn matrix(&self, batch: usize, head: usize) -> Matrix<'_> {
        let layout = self.x.layout();
        let strides = layout.strides();
        let [by_batch, by_head, by_token, by_feature] =
            [0, 1, 2, 3].map(|axis: usize| strides[axis].unsigned_abs());
        let start = layout.start_offset() + batch * by_batch + head * by_head;
        let values = &self.x.storage()[start..];
        Matrix::new(values, [self.n_tokens, self.d_head], [by_token, by_feature])
    }

    /// Values of one token, all heads.
    fn width(&self) -> usize {
        self.n_heads * self.d_head
    }

    /// Values of one batch element.
    fn len_of_one(&self) -> usize {
        self.n_tokens * self.width()
    }

    fn len(&self) -> usize {
        self.n_batch * self.len_of_one()
    }

    /// A tensor of this shape whose values lie token by token, as `[batch, tokens, heads, d_head]`:
    /// to merge its heads moves nothing.
    fn token_by_token(&self, values: Vec<f32>) -> FlexTensor {
        let shape = Shape::from([self.n_batch, self.n_tokens, self.n_heads, self.d_head]);
        let x = buffer::tensor(values, shape);
        let layout: Layout = x.layout().transpose(1, 2);
        x.with_layout(layout)
    }
}

/// Query, key, value and bias, as the forward pass got them.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// `[batch, heads, queries, d_head]`.
    pub query: FlexTensor,
    /// `[batch, heads, keys, d_head]`.
    pub key: FlexTensor,
    /// `[batch, heads, keys, d_head]`.
    pub value: FlexTensor,
    /// `[batch, keys]`.
    pub key_bias: Option<FlexTensor>,
}

/// The inputs, ready to be read head by head.
struct Attention {
    query: Heads,
    key: Heads,
    value: Heads,
    key_bias: Option<Dense>,
    scale: f32,
    level: Level,
}

impl Attention {
    fn new(inputs: Inputs) -> Self {
        let query = Heads::new(inputs.query);
        Self {
            scale: 1.0 / (query.d_head as f32).sqrt(),
            key: Heads::new(inputs.key),
            value: Heads::new(inputs.value),
            key_bias: inputs.key_bias.map(Dense::new),
            level: Level::best(),
            query,
        }
    }

    fn bias(&self, batch: usize) -> Vec<f32> {
        let n_keys = self.key.n_tokens;
        let bias = self.key_bias.as_ref().map(|bias| &bias.values()[batch * n_keys..][..n_keys]);
        padded_bias(bias, n_keys)
    }

    /// Space for the scores of one head: a row for each query, padded to whole vectors.
    fn scores(&self) -> Vec<f32> {
        vec![0.0; self.query.n_tokens * self.key.n_tokens.next_multiple_of(LANES)]
    }

    /// The weights of one head: softmax(Q Kᵀ · scale + bias). The padding stays 0.
    fn weigh(&self, batch: usize, head: usize, bias: &[f32], scores: &mut [f32]) {
        let (query, key) = (self.query.matrix(batch, head), self.key.matrix(batch, head));
        set_product(query, key.transposed(), scores, bias.len(), Threads::One);
        rows::softmax(self.level, scores, bias, self.scale);
    }

    /// The weights of all heads applied to the values of one batch element; `out` holds zeros.
    fn attend(&self, batch: usize, out: &mut [f32]) {
        if self.key.len() == 0 {
            return;
        }
        let bias = self.bias(batch);
        let mut weights = self.scores();
        for head in 0..self.query.n_heads {
            self.weigh(batch, head, &bias, &mut weights);
            let weights = self.weights(&weights, bias.len());
            let value = self.value.matrix(batch, head);
            let out = &mut out[head * self.value.d_head..];
            set_product(weights, value, out, self.value.width(), Threads::One);
        }
    }

    fn weights<'a>(&self, values: &'a [f32], row_stride: usize) -> Matrix<'a> {
        Matrix::new(values, [self.query.n_tokens, self.key.n_tokens], [row_stride, 1])
    }

    /// The gradients of query, key and value of one batch element; all three hold zeros.
    fn attend_backward(&self, batch: usize, grad: &Heads, [q, k, v]: [&mut [f32]; 3]) {
        if q.is_empty() || k.is_empty() {
            return;
        }
        let bias = self.bias(batch);
        let stride = bias.len();
        let mut weights = self.scores();
        let mut grads = self.scores();
        for head in 0..self.query.n_heads {
            let [query, key, value, grad] =
                [&self.query, &self.key, &self.value, grad].map(|x| x.matrix(batch, head));
            let start = head * self.query.d_head;
            let width = self.query.width();
            self.weigh(batch, head, &bias, &mut weights);
            let to_value = self.weights(&weights, stride).transposed();
            set_product(to_value, grad, &mut v[start..], width, Threads::One);
            set_product(grad, value.transposed(), &mut grads, stride, Threads::One);
            rows::softmax_backward(self.level, &mut grads, &weights, stride, self.scale);
            let scores = self.weights(&grads, stride);
            set_product(scores, key, &mut q[start..], width, Threads::One);
            set_product(scores.transposed(), query, &mut k[start..], width, Threads::One);
        }
    }
}

/// softmax(Q Kᵀ / √d_head + key bias) V.
pub fn forward(inputs: Inputs) -> FlexTensor {
    let attention = Attention::new(inputs);
    let query = &attention.query;
    let chunk = query.len_of_one();
    let out = filled(query.len(), chunk, |start, slots| {
        let out = zeroed(slots);
        attention.attend(start / chunk, out);
        out
    });
    query.token_by_token(out)
}

/// The gradients of query, key and value.
fn backward(inputs: Inputs, grad: FlexTensor) -> [FlexTensor; 3] {
    let attention = Attention::new(inputs);
    let grad = Heads::new(grad);
    let parts = [&attention.query, &attention.key, &attention.value];
    let sizes = parts.map(|x| (x.len(), x.len_of_one()));
    let gradients = filled_together(sizes, |batch, slots| {
        let [q, k, v] = slots.map(zeroed);
        attention.attend_backward(batch, &grad, [&mut *q, &mut *k, &mut *v]);
        [q, k, v]
    });
    let mut parts = parts.into_iter();
    gradients.map(|values| parts.next().expect("three of each").token_by_token(values))
}

/// The recorded step; its parents are query, key and value.
#[derive(Debug)]
pub struct Attend;

impl Backward<Flex, 3> for Attend {
    type State = Inputs;

    fn backward(
        self,
        ops: Ops<Inputs, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let gradients = backward(ops.state, grad);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}
