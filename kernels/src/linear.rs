//! x W + b. The gradient of a weight is computed only if somebody trains it.

use std::cell::Cell;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::{Flex, FlexTensor};
use burn::tensor::Shape;
use packed::Matrix;

use crate::buffer::{self, Dense, filled, repeated, rows_per_chunk};
use crate::product::{add_product, product};
use crate::sums::column_sums;

thread_local! {
    static WEIGHT_GRADIENTS: Cell<usize> = const { Cell::new(0) };
}

/// How many gradients of weight matrices the backward passes on this thread have computed.
pub fn n_weight_gradients() -> usize {
    WEIGHT_GRADIENTS.get()
}

/// A weight matrix as it lies in memory, transposed or not.
pub struct Weight(FlexTensor);

impl Weight {
    /// The matrix of a tensor of two axes.
    pub fn new(weight: FlexTensor) -> Self {
        let forward = weight.layout().strides().iter().all(|stride| *stride >= 0);
        if forward { Self(weight) } else { Self(weight.to_contiguous()) }
    }

    /// Its elements.
    pub fn matrix(&self) -> Matrix<'_> {
        let layout = self.0.layout();
        let (shape, strides) = (layout.shape(), layout.strides());
        let values = &self.0.storage()[layout.start_offset()..];
        let strides = [strides[0].unsigned_abs(), strides[1].unsigned_abs()];
        Matrix::new(values, [shape[0], shape[1]], strides)
    }
}

/// The same shape with another last axis.
pub fn with_width(shape: &Shape, width: usize) -> Shape {
    let mut axes = shape.to_vec();
    if let Some(last) = axes.last_mut() {
        *last = width;
    }
    Shape::from(axes)
}

/// x W + b.
pub fn forward(x: FlexTensor, weight: FlexTensor, bias: Option<FlexTensor>) -> FlexTensor {
    let x = Dense::new(x);
    let weight = Weight::new(weight);
    let [d_in, d_out] = [weight.0.layout().shape()[0], weight.0.layout().shape()[1]];
    let shape = with_width(x.shape(), d_out);
    let len = shape.num_elements();
    if len == 0 {
        return buffer::tensor(Vec::new(), shape);
    }
    let x = Matrix::rows(x.values(), [len / d_out, d_in]);
    let out = match bias.map(Dense::new) {
        None => filled(len, len, |_, slots| product(x, weight.matrix(), slots)),
        Some(bias) => {
            let chunk = rows_per_chunk(d_out) * d_out;
            let mut out = filled(len, chunk, |_, slots| repeated(bias.values(), slots));
            add_product(x, weight.matrix(), &mut out);
            out
        }
    };
    buffer::tensor(out, shape)
}

/// The gradient of x: g Wᵀ.
fn x_gradient(grad: FlexTensor, weight: FlexTensor) -> FlexTensor {
    let grad = Dense::new(grad);
    let weight = Weight::new(weight);
    let [d_in, d_out] = [weight.0.layout().shape()[0], weight.0.layout().shape()[1]];
    let shape = with_width(grad.shape(), d_in);
    let len = shape.num_elements();
    if len == 0 {
        return buffer::tensor(Vec::new(), shape);
    }
    let rows = Matrix::rows(grad.values(), [len / d_in, d_out]);
    let out = filled(len, len, |_, slots| product(rows, weight.matrix().transposed(), slots));
    buffer::tensor(out, shape)
}

/// The gradient of the weight: xᵀ g.
fn weight_gradient(x: FlexTensor, grad: FlexTensor) -> FlexTensor {
    WEIGHT_GRADIENTS.set(WEIGHT_GRADIENTS.get() + 1);
    let [x, grad] = [x, grad].map(Dense::new);
    let [d_in, d_out] = [x.width(), grad.width()];
    let shape = Shape::from([d_in, d_out]);
    if d_in * d_out == 0 {
        return buffer::tensor(Vec::new(), shape);
    }
    let n_rows = x.len() / d_in;
    let x = Matrix::rows(x.values(), [n_rows, d_in]);
    let grad = Matrix::rows(grad.values(), [n_rows, d_out]);
    let out = filled(d_in * d_out, d_in * d_out, |_, slots| product(x.transposed(), grad, slots));
    buffer::tensor(out, shape)
}

/// What the backward pass needs, and only that: the weight if x is tracked, x if the weight is.
#[derive(Clone, Debug)]
pub struct Saved {
    /// Needed for the gradient of the weight.
    pub x: Option<FlexTensor>,
    /// Needed for the gradient of x.
    pub weight: Option<FlexTensor>,
}

/// The recorded step; its parents are x, the weight and, if there is one, the bias.
#[derive(Debug)]
pub struct Linear;

impl<const N: usize> Backward<Flex, N> for Linear {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, N>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let mut parents = ops.parents.into_iter();
        let mut next = || parents.next().flatten();
        let [x, weight, bias] = [next(), next(), next()];
        if let Some(bias) = bias {
            grads.register::<Flex>(bias.id, column_sums(grad.clone()));
        }
        if let (Some(parent), Some(x)) = (weight, ops.state.x) {
            grads.register::<Flex>(parent.id, weight_gradient(x, grad.clone()));
        }
        if let (Some(parent), Some(weight)) = (x, ops.state.weight) {
            grads.register::<Flex>(parent.id, x_gradient(grad, weight));
        }
    }
}
