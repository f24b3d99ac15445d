//! Linear maps that nobody trains, through weights that are packed once.

use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::{Flex, FlexTensor};
use burn::tensor::Shape;
use packed::{Level, Matrix, Packed, Precision};

use crate::buffer::{self, Dense, copied, filled, filled_together};
use crate::kept::Kept;
use crate::linear::{Weight, with_width};
use crate::rows;

/// Rows that one task multiplies: few enough to share the work evenly, enough for a panel of the
/// weight to be worth its way into the cache. Each row's numbers are the same in any company.
pub const ROWS: usize = 48;

/// The packed forms of a frozen weight, made when they are first needed and kept beside it.
///
/// It notices when the weight becomes another one, and packs that. In `f32` each form takes as
/// many bytes as the weight, in bfloat16 half of them; the one for the forward pass is made by the
/// first forward pass, the one for the backward pass by the first backward pass.
#[derive(Clone, Debug, Default)]
pub struct Frozen {
    precision: Precision,
    packs: Arc<Mutex<Option<Arc<Packs>>>>,
}

impl Frozen {
    /// Packs in this precision.
    pub fn new(precision: Precision) -> Self {
        Self { precision, packs: Arc::default() }
    }

    /// The packed forms of these weights, side by side.
    pub(crate) fn packs(&self, weights: &[FlexTensor]) -> Arc<Packs> {
        let mut packs = self.packs.lock().unwrap_or_else(PoisonError::into_inner);
        match &*packs {
            Some(packs) if packs.are_of(weights) => packs.clone(),
            _ => packs.insert(Arc::new(Packs::new(weights.to_vec(), self.precision))).clone(),
        }
    }
}

/// The packed forms of weights `[d_in, d_out]` side by side: one matrix.
pub struct Packs {
    /// Held, so that their memory can neither change nor become another tensor's: flex writes only
    /// to memory that it alone holds.
    weights: Vec<FlexTensor>,
    precision: Precision,
    /// For x W.
    forward: OnceLock<Packed>,
    /// For g Wᵀ.
    backward: OnceLock<Packed>,
}

impl std::fmt::Debug for Packs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packs({:?}, {:?})", self.weights, self.precision)
    }
}

impl Packs {
    fn new(weights: Vec<FlexTensor>, precision: Precision) -> Self {
        Self { weights, precision, forward: OnceLock::new(), backward: OnceLock::new() }
    }

    /// Of the products.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    fn are_of(&self, weights: &[FlexTensor]) -> bool {
        let at = |x: &FlexTensor| (x.bytes().as_ptr(), x.layout().start_offset());
        let axes = |x: &FlexTensor| (x.layout().shape().to_vec(), x.layout().strides().to_vec());
        let is_same = |(a, b)| at(a) == at(b) && axes(a) == axes(b);
        self.weights.len() == weights.len() && self.weights.iter().zip(weights).all(is_same)
    }

    /// For x W.
    pub fn forward(&self) -> &Packed {
        self.forward.get_or_init(|| self.pack(|matrix| matrix))
    }

    /// For g Wᵀ.
    fn backward(&self) -> &Packed {
        self.backward.get_or_init(|| self.pack(|matrix| matrix.transposed()))
    }

    fn pack(&self, turn: fn(Matrix) -> Matrix) -> Packed {
        let weights: Vec<Weight> = self.weights.iter().cloned().map(Weight::new).collect();
        let matrices: Vec<Matrix> = weights.iter().map(Weight::matrix).collect();
        if let [matrix] = matrices[..] {
            return Packed::new(turn(matrix), self.precision);
        }
        let d_in = matrices[0].shape()[0];
        let mut values = Vec::new();
        for i in 0..d_in {
            for matrix in &matrices {
                values.extend((0..matrix.shape()[1]).map(|j| matrix.at(i, j)));
            }
        }
        let joined = Matrix::rows(&values, [d_in, values.len() / d_in.max(1)]);
        Packed::new(turn(joined), self.precision)
    }
}

/// A product with a packed matrix, which tasks compute [`ROWS`] rows at a time.
struct Product<'a> {
    x: Dense,
    packed: &'a Packed,
    bias: Option<Dense>,
    /// Of the result.
    shape: Shape,
}

impl<'a> Product<'a> {
    fn new(x: FlexTensor, packed: &'a Packed, bias: Option<FlexTensor>) -> Self {
        let x = Dense::new(x);
        let [_, n] = packed.shape();
        Self { shape: with_width(x.shape(), n), x, packed, bias: bias.map(Dense::new) }
    }

    /// How many numbers the result has, and how many of them a task computes.
    fn size(&self) -> (usize, usize) {
        let [_, n] = self.packed.shape();
        (self.shape.num_elements(), ROWS * n)
    }

    /// Writes the rows of the result from its number `start` on.
    fn write<'s>(&self, start: usize, slots: &'s mut [MaybeUninit<f32>]) -> &'s mut [f32] {
        let [k, n] = self.packed.shape();
        let rows = start / n * k..(start + slots.len()) / n * k;
        self.packed.apply(&self.x.values()[rows], self.bias.as_ref().map(Dense::values), slots)
    }
}

/// x W + b.
pub fn forward(x: FlexTensor, packs: &Packs, bias: Option<FlexTensor>) -> FlexTensor {
    multiply(x, packs.forward(), bias)
}

/// The gradient of x: g Wᵀ.
pub fn x_gradient(grad: FlexTensor, packs: &Packs) -> FlexTensor {
    multiply(grad, packs.backward(), None)
}

fn multiply(x: FlexTensor, packed: &Packed, bias: Option<FlexTensor>) -> FlexTensor {
    let product = Product::new(x, packed, bias);
    let (len, chunk) = product.size();
    let out = filled(len, chunk, |start, slots| product.write(start, slots));
    buffer::tensor(out, product.shape)
}

/// The recorded step; its parent is x.
#[derive(Debug)]
pub struct FrozenLinear;

impl Backward<Flex, 1> for FrozenLinear {
    type State = Arc<Packs>;

    fn backward(
        self,
        ops: Ops<Arc<Packs>, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        if let [Some(x)] = ops.parents {
            grads.register::<Flex>(x.id, x_gradient(grad, &ops.state));
        }
    }
}

/// h Φ(h) with h = x W + b, keeping nothing.
pub fn gelu_forward(x: FlexTensor, packs: &Packs, bias: Option<FlexTensor>) -> FlexTensor {
    let level = Level::best();
    let product = Product::new(x, packs.forward(), bias);
    let (len, chunk) = product.size();
    let out = filled(len, chunk, |start, slots| {
        let rows = product.write(start, slots);
        rows::gelu(level, rows);
        rows
    });
    buffer::tensor(out, product.shape)
}

/// What the backward pass needs of the forward pass.
#[derive(Clone, Debug)]
pub struct Saved {
    packs: Arc<Packs>,
    /// x W + b, [`ROWS`] rows a part.
    hidden: Kept,
}

/// The same as [`gelu_forward`], with what the backward pass needs.
pub fn gelu_forward_saving(
    x: FlexTensor,
    packs: Arc<Packs>,
    bias: Option<FlexTensor>,
) -> (Saved, FlexTensor) {
    let level = Level::best();
    let product = Product::new(x, packs.forward(), bias);
    let (len, chunk) = product.size();
    let shape = product.shape.clone();
    let (hidden, y) = match packs.precision {
        Precision::F32 => {
            let width = (chunk / ROWS).max(1);
            let [hidden, y] = filled_together([(len, chunk); 2], |i, [hidden, y]| {
                let hidden = product.write(i * chunk, hidden);
                let y = copied(hidden, y, width, |y| rows::gelu(level, y));
                [hidden, y]
            });
            (Kept::exact(buffer::tensor(hidden, shape.clone()), chunk), y)
        }
        Precision::Bf16 => {
            let hidden = Kept::rounded(len, chunk);
            let y = filled(len, chunk, |start, slots| {
                let rows = product.write(start, slots);
                hidden.round(start / chunk, rows);
                rows::gelu(level, rows);
                rows
            });
            (hidden, y)
        }
    };
    (Saved { packs, hidden }, buffer::tensor(y, shape))
}

/// The gradient of x: (g · gelu′(h)) Wᵀ.
fn gelu_backward(saved: &Saved, grad: FlexTensor) -> FlexTensor {
    let level = Level::best();
    let grad = Dense::new(grad);
    let packed = saved.packs.backward();
    let [k, n] = packed.shape();
    let shape = with_width(grad.shape(), n);
    let out = filled(shape.num_elements(), ROWS * n, |start, slots| {
        let rows = start / n * k..(start + slots.len()) / n * k;
        let mut inner = Vec::with_capacity(rows.len());
        let hidden = saved.hidden.part(start / (ROWS * n));
        for (grad, hidden) in grad.values()[rows].chunks(k).zip(hidden.chunks(k)) {
            let start = inner.len();
            inner.extend_from_slice(grad);
            rows::gelu_backward(level, &mut inner[start..], hidden);
        }
        packed.apply(&inner, None, slots)
    });
    buffer::tensor(out, shape)
}

/// The recorded step; its parent is x.
#[derive(Debug)]
pub struct FrozenLinearGelu;

impl Backward<Flex, 1> for FrozenLinearGelu {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 1>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        if let [Some(x)] = ops.parents {
            grads.register::<Flex>(x.id, gelu_backward(&ops.state, grad));
        }
    }
}
