//! Linear maps that nobody trains, through weights that are packed once.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::{Flex, FlexTensor};
use packed::{Matrix, Packed, Precision};

use crate::buffer::{self, Dense, filled};
use crate::linear::{Weight, with_width};

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
    pub fn backward(&self) -> &Packed {
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

/// x W + b.
pub fn forward(x: FlexTensor, packs: &Packs, bias: Option<FlexTensor>) -> FlexTensor {
    multiply(x, packs.forward(), bias)
}

/// The gradient of x: g Wᵀ.
pub fn x_gradient(grad: FlexTensor, packs: &Packs) -> FlexTensor {
    multiply(grad, packs.backward(), None)
}

/// A product with a packed matrix, [`ROWS`] rows a task.
fn multiply(x: FlexTensor, packed: &Packed, bias: Option<FlexTensor>) -> FlexTensor {
    let x = Dense::new(x);
    let bias = bias.map(Dense::new);
    let [k, n] = packed.shape();
    let shape = with_width(x.shape(), n);
    let out = filled(shape.num_elements(), ROWS * n, |start, slots| {
        let rows = start / n * k..(start + slots.len()) / n * k;
        packed.apply(&x.values()[rows], bias.as_ref().map(Dense::values), slots)
    });
    buffer::tensor(out, shape)
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
