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
use crate::heads::{Attention, Heads};

/// Query, key or value: `[batch, heads, tokens, d_head]` in any memory order.
struct Input {
    x: FlexTensor,
    n_batch: usize,
    n_heads: usize,
    n_tokens: usize,
    d_head: usize,
}

impl Input {
    /// Copies only if the features of a head do not follow each other.
    fn new(x: FlexTensor) -> Self {
        let strides = x.layout().strides();
        let readable = strides.iter().all(|stride| *stride >= 0) && strides[3] == 1;
        let x = if readable { x } else { x.to_contiguous() };
        let shape = x.layout().shape();
        let [n_batch, n_heads, n_tokens, d_head] = [shape[0], shape[1], shape[2], shape[3]];
        Self { n_batch, n_heads, n_tokens, d_head, x }
    }

    /// One batch element.
    fn heads(&self, batch: usize) -> Heads<'_> {
        let layout = self.x.layout();
        let strides = layout.strides();
        let [by_batch, by_head, by_token] =
            [0, 1, 2].map(|axis: usize| strides[axis].unsigned_abs());
        let start = layout.start_offset() + batch * by_batch;
        Heads {
            values: self.x.storage().get(start..).unwrap_or_default(),
            n_tokens: self.n_tokens,
            d_head: self.d_head,
            by_head,
            by_token,
        }
    }

    /// Values of one batch element.
    fn len_of_one(&self) -> usize {
        self.n_tokens * self.n_heads * self.d_head
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

/// The inputs, ready to be read one batch element at a time.
struct Batches {
    query: Input,
    key: Input,
    value: Input,
    key_bias: Option<Dense>,
}

impl Batches {
    fn new(inputs: Inputs) -> Self {
        Self {
            query: Input::new(inputs.query),
            key: Input::new(inputs.key),
            value: Input::new(inputs.value),
            key_bias: inputs.key_bias.map(Dense::new),
        }
    }

    fn one(&self, batch: usize) -> Attention<'_> {
        let n_keys = self.key.n_tokens;
        let bias = self.key_bias.as_ref().map(|bias| &bias.values()[batch * n_keys..][..n_keys]);
        let [query, key, value] = [&self.query, &self.key, &self.value].map(|x| x.heads(batch));
        Attention::new(self.query.n_heads, query, key, value, bias)
    }
}

/// softmax(Q Kᵀ / √d_head + key bias) V.
pub fn forward(inputs: Inputs) -> FlexTensor {
    let batches = Batches::new(inputs);
    let query = &batches.query;
    let chunk = query.len_of_one();
    let out = filled(query.len(), chunk, |start, slots| {
        let out = zeroed(slots);
        batches.one(start / chunk).forward(out);
        out
    });
    query.token_by_token(out)
}

/// The gradients of query, key and value.
fn backward(inputs: Inputs, grad: FlexTensor) -> [FlexTensor; 3] {
    let batches = Batches::new(inputs);
    let grad = Input::new(grad);
    let parts = [&batches.query, &batches.key, &batches.value];
    let sizes = parts.map(|x| (x.len(), x.len_of_one()));
    let gradients = filled_together(sizes, |batch, slots| {
        let [q, k, v] = slots.map(zeroed);
        batches.one(batch).backward(grad.heads(batch), [&mut *q, &mut *k, &mut *v]);
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
