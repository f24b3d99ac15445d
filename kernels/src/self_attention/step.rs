//! One product for query, key and value, what a method adds to them, a prefix, and the attention
//! itself, as one step of the graph.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::{Flex, FlexTensor};
use burn::tensor::Shape;
use packed::Precision;

use crate::buffer::{self, Dense, filled, filled_together, zeroed};
use crate::frozen::{Packs, ROWS, x_gradient};
use crate::heads::{Attention, Heads};
use crate::kept::Kept;
use crate::sums::column_sums;

/// What the attention is computed from, beside x.
pub struct Inputs {
    /// Of the query, key and value weights, side by side.
    pub packs: Arc<Packs>,
    /// `[d]` each.
    pub biases: [Option<FlexTensor>; 3],
    /// What is added to query, key and value, `[batch, seq, d]` each.
    pub deltas: [Option<FlexTensor>; 3],
    /// Keys and values that stand before the own ones, `[heads, n_prefix, d_head]` each.
    pub prefix: Option<[FlexTensor; 2]>,
    /// `[batch, n_prefix + seq]`.
    pub key_bias: FlexTensor,
    /// Heads.
    pub n_heads: usize,
}

/// What the backward pass needs of the forward pass.
#[derive(Clone, Debug)]
pub struct Saved {
    packs: Arc<Packs>,
    batches: Batches,
}

/// `x [Wq Wk Wv] + biases + deltas`, `[batch, seq, 3 · d]`.
fn project(
    x: FlexTensor,
    packs: &Packs,
    biases: [Option<FlexTensor>; 3],
    deltas: [Option<FlexTensor>; 3],
) -> FlexTensor {
    let x = Dense::new(x);
    let deltas = deltas.map(|delta| delta.map(Dense::new));
    let packed = packs.forward();
    let [k, n] = packed.shape();
    let d = n / 3;
    let mut bias = vec![0.0; n];
    for (slots, values) in bias.chunks_exact_mut(d).zip(biases) {
        if let Some(values) = values {
            slots.copy_from_slice(Dense::new(values).values());
        }
    }
    let shape = Shape::from([x.shape()[0], x.shape()[1], n]);
    let out = filled(shape.num_elements(), ROWS * n, |start, slots| {
        let first = start / n;
        let n_rows = slots.len() / n;
        let rows = packed.apply(&x.values()[first * k..][..n_rows * k], Some(&bias), slots);
        for (i, delta) in deltas.iter().enumerate() {
            let Some(delta) = delta else { continue };
            let deltas = delta.values()[first * d..].chunks_exact(d);
            for (row, delta) in rows.chunks_exact_mut(n).zip(deltas) {
                for (y, delta) in row[i * d..][..d].iter_mut().zip(delta) {
                    *y += delta;
                }
            }
        }
        rows
    });
    buffer::tensor(out, shape)
}

/// The projected tokens, ready to be read one batch element at a time.
#[derive(Clone, Debug)]
struct Batches {
    /// Query, key and value of each token, `[batch, seq, 3 · d]`, a batch element a part.
    projected: Kept,
    prefix: Option<[Dense; 2]>,
    key_bias: Dense,
    n_batch: usize,
    seq: usize,
    n_heads: usize,
    /// Values of query, key or value of a token.
    d: usize,
}

impl Batches {
    fn new(x: FlexTensor, inputs: Inputs) -> Self {
        let Inputs { packs, biases, deltas, prefix, key_bias, n_heads } = inputs;
        let projected = project(x, &packs, biases, deltas);
        let [n_batch, seq, d] = [0, 1, 2].map(|axis: usize| projected.layout().shape()[axis]);
        Self {
            projected: Kept::exact(projected, seq * d),
            prefix: prefix.map(|prefix| prefix.map(Dense::new)),
            key_bias: Dense::new(key_bias),
            n_batch,
            seq,
            n_heads,
            d: d / 3,
        }
    }

    fn d_head(&self) -> usize {
        self.d / self.n_heads
    }

    fn n_prefix(&self) -> usize {
        self.prefix.as_ref().map_or(0, |[key, _]| key.shape()[1])
    }

    fn n_keys(&self) -> usize {
        self.n_prefix() + self.seq
    }

    /// Query (0), key (1) or value (2) of the own tokens.
    fn own<'a>(&self, projected: &'a [f32], which: usize) -> Heads<'a> {
        let values = projected.get(which * self.d..).unwrap_or_default();
        Heads::tokens(values, self.seq, self.d_head(), 3 * self.d)
    }

    /// Keys (1) or values (2) with the prefix before them, token by token.
    fn joined(&self, projected: &[f32], which: usize, prefix: &Dense) -> Vec<f32> {
        let (d, d_head) = (self.d, self.d_head());
        let mut tokens = vec![0.0; self.n_keys() * d];
        for (i, values) in prefix.values().chunks_exact(d_head).enumerate() {
            let (head, token) = (i / self.n_prefix(), i % self.n_prefix());
            tokens[token * d + head * d_head..][..d_head].copy_from_slice(values);
        }
        let rows = tokens[self.n_prefix() * d..].chunks_exact_mut(d);
        for (token, own) in rows.zip(projected.chunks_exact(3 * d)) {
            token.copy_from_slice(&own[which * d..][..d]);
        }
        tokens
    }

    /// Calls `task` with the attention of one batch element.
    fn with<T>(&self, batch: usize, task: impl FnOnce(Attention) -> T) -> T {
        let bias = &self.key_bias.values()[batch * self.n_keys()..][..self.n_keys()];
        let projected = self.projected.part(batch);
        let query = self.own(&projected, 0);
        match &self.prefix {
            None => {
                let [key, value] = [1, 2].map(|which| self.own(&projected, which));
                task(Attention::new(self.n_heads, query, key, value, Some(bias)))
            }
            Some([key, value]) => {
                let joined =
                    [(1, key), (2, value)].map(|(which, x)| self.joined(&projected, which, x));
                let [key, value] = joined
                    .each_ref()
                    .map(|x| Heads::tokens(x, self.n_keys(), self.d_head(), self.d));
                task(Attention::new(self.n_heads, query, key, value, Some(bias)))
            }
        }
    }

    /// The attention of every batch element, `[batch, seq, d]`; after each, `then` gets its number.
    fn attend(&self, then: impl Fn(usize) + Sync) -> FlexTensor {
        let chunk = self.seq * self.d;
        let out = filled(self.n_batch * chunk, chunk, |start, slots| {
            let out = zeroed(slots);
            self.with(start / chunk, |attention| attention.forward(out));
            then(start / chunk);
            out
        });
        buffer::tensor(out, Shape::from([self.n_batch, self.seq, self.d]))
    }
}

/// The attention's result, `[batch, seq, d]`, keeping nothing.
pub fn forward(x: FlexTensor, inputs: Inputs) -> FlexTensor {
    Batches::new(x, inputs).attend(|_| ())
}

/// The same as [`forward`], with what the backward pass needs.
pub fn forward_saving(x: FlexTensor, inputs: Inputs) -> (Saved, FlexTensor) {
    let packs = inputs.packs.clone();
    let mut batches = Batches::new(x, inputs);
    let y = match packs.precision() {
        Precision::F32 => batches.attend(|_| ()),
        Precision::Bf16 => {
            let part = batches.seq * 3 * batches.d;
            let rounded = Kept::rounded(batches.n_batch * part, part);
            let y = batches.attend(|batch| rounded.round(batch, &batches.projected.part(batch)));
            batches.projected = rounded;
            y
        }
    };
    (Saved { packs, batches }, y)
}

/// The gradients of the projected tokens, and of the prefix.
fn backward(batches: &Batches, grad: FlexTensor) -> (FlexTensor, [FlexTensor; 2]) {
    let grad = Dense::new(grad);
    let Batches { n_batch, seq, n_heads, d, .. } = *batches;
    let (d_head, n_prefix) = (batches.d_head(), batches.n_prefix());
    let sizes = [seq * 3 * d, n_prefix * d, n_prefix * d].map(|one| (n_batch * one, one));
    let [projected, keys, values] = filled_together(sizes, |batch, slots| {
        let [projected, keys, values] = slots.map(zeroed);
        let mut query = vec![0.0; seq * d];
        let [mut key, mut value] = [0; 2].map(|_: usize| vec![0.0; batches.n_keys() * d]);
        let grad = &grad.values()[batch * seq * d..][..seq * d];
        let grad = Heads::tokens(grad, seq, d_head, d);
        batches.with(batch, |attention| {
            attention.backward(grad, [&mut query, &mut key, &mut value]);
        });
        keys.copy_from_slice(&key[..keys.len()]);
        values.copy_from_slice(&value[..values.len()]);
        let own = [&query[..], &key[keys.len()..], &value[values.len()..]];
        for (which, own) in own.into_iter().enumerate() {
            for (row, own) in projected.chunks_exact_mut(3 * d).zip(own.chunks_exact(d)) {
                row[which * d..][..d].copy_from_slice(own);
            }
        }
        [projected, keys, values]
    });
    let prefix = [keys, values].map(|each| {
        if n_prefix == 0 {
            return buffer::tensor(Vec::new(), Shape::from([n_heads, 0, d_head]));
        }
        let sum = column_sums(buffer::tensor(each, Shape::from([n_batch, n_prefix * d])));
        let sum = sum.reshape(Shape::from([n_prefix, n_heads, d_head]));
        sum.transpose(0, 1)
    });
    (buffer::tensor(projected, Shape::from([n_batch, seq, 3 * d])), prefix)
}

/// The recorded step; its parents are x, the deltas of query, key and value, and the prefix's keys
/// and values.
#[derive(Debug)]
pub struct SelfAttend;

impl Backward<Flex, 6> for SelfAttend {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 6>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [x, query, key, value, prefix_key, prefix_value] = ops.parents;
        let Saved { packs, batches } = ops.state;
        let (projected, prefix) = backward(&batches, grad);
        for (parent, gradient) in [prefix_key, prefix_value].into_iter().zip(prefix) {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
        let d = projected.layout().shape()[2] / 3;
        for (which, parent) in [query, key, value].into_iter().enumerate() {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, projected.narrow(2, which * d, d));
            }
        }
        if let Some(x) = x {
            grads.register::<Flex>(x.id, x_gradient(projected, &packs));
        }
    }
}
