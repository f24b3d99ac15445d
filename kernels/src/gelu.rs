//! x Φ(x) and its derivative.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::{Flex, FlexTensor};
use packed::Level;

use crate::buffer::Dense;
use crate::rows;

/// x Φ(x).
pub fn forward(x: FlexTensor) -> FlexTensor {
    let level = Level::best();
    Dense::new(x).map_rows(|_, values| rows::gelu(level, values))
}

/// The gradient of x.
pub fn backward(x: FlexTensor, grad: FlexTensor) -> FlexTensor {
    let level = Level::best();
    let x = Dense::new(x);
    let x = x.values();
    Dense::new(grad).map_rows(|start, grads| {
        rows::gelu_backward(level, grads, &x[start..start + grads.len()]);
    })
}

/// The recorded step. It keeps x.
#[derive(Debug)]
pub struct Gelu;

impl Backward<Flex, 1> for Gelu {
    type State = FlexTensor;

    fn backward(
        self,
        ops: Ops<FlexTensor, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        if let [Some(x)] = ops.parents {
            grads.register::<Flex>(x.id, backward(ops.state, grad));
        }
    }
}
