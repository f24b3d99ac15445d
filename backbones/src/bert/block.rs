//! A layer of BERT.

use burn::{
    module::{Module, Param},
    nn::Linear,
    tensor::Tensor,
};
use kernels::{Frozen, Precision, SelfAttention, self_attention};

use crate::injection::{Injection, KeyValue, Role, Site};

/// `LayerNorm(x + residual)`.
#[derive(Module, Debug)]
pub(super) struct Norm {
    pub(super) gamma: Param<Tensor<1>>,
    pub(super) beta: Param<Tensor<1>>,
    pub(super) eps: f64,
    /// What gamma and beta are called in the checkpoint.
    #[module(skip)]
    pub(super) names: [&'static str; 2],
}

impl Norm {
    pub(super) fn forward(&self, x: Tensor<3>, residual: Tensor<3>) -> Tensor<3> {
        kernels::add_layer_norm(x, residual, self.gamma.val(), self.beta.val(), self.eps)
    }
}

/// One transformer block: attention, then feed-forward, each with a residual and a norm after.
#[derive(Module, Debug)]
pub(super) struct Block {
    pub(super) query: Linear,
    pub(super) key: Linear,
    pub(super) value: Linear,
    pub(super) output: Linear,
    pub(super) norm_attention: Norm,
    pub(super) up: Linear,
    pub(super) down: Linear,
    pub(super) norm_feed_forward: Norm,
    pub(super) n_heads: usize,
    #[module(skip)]
    pub(super) frozen: FrozenMaps,
}

/// The packed forms of a block's linear maps.
#[derive(Clone, Debug, Default)]
pub(super) struct FrozenMaps {
    /// Query, key and value side by side.
    projection: Frozen,
    output: Frozen,
    up: Frozen,
    down: Frozen,
}

impl FrozenMaps {
    pub(super) fn new(precision: Precision) -> Self {
        let [projection, output, up, down] = std::array::from_fn(|_| Frozen::new(precision));
        Self { projection, output, up, down }
    }
}

impl Block {
    pub(super) fn linears(&self) -> [(Role, &Linear); 6] {
        [
            (Role::Query, &self.query),
            (Role::Key, &self.key),
            (Role::Value, &self.value),
            (Role::Output, &self.output),
            (Role::Up, &self.up),
            (Role::Down, &self.down),
        ]
    }

    pub(super) fn linears_mut(&mut self) -> [(Role, &mut Linear); 6] {
        [
            (Role::Query, &mut self.query),
            (Role::Key, &mut self.key),
            (Role::Value, &mut self.value),
            (Role::Output, &mut self.output),
            (Role::Up, &mut self.up),
            (Role::Down, &mut self.down),
        ]
    }

    /// The block's output without its first `n_unread` rows, which nothing reads: their keys and
    /// values count, and that is all that is computed of them.
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        layer: usize,
        prefix: Option<&KeyValue>,
        key_bias: Tensor<2>,
        injection: &dyn Injection,
        n_unread: usize,
    ) -> Tensor<3> {
        let delta = |role: Role| injection.linear_delta(Site { layer, role });
        let of = |linear: &Linear| (linear.weight.val(), linear.bias.as_ref().map(Param::val));
        let map = |linear: &Linear, frozen: &Frozen, role: Role, x: &Tensor<3>| {
            let (weight, bias) = of(linear);
            let y = kernels::frozen_linear(x.clone(), weight, bias, frozen);
            match delta(role) {
                None => y,
                Some(delta) => y + delta(x),
            }
        };
        let Self { query, key, value, output, up, down, frozen, .. } = self;
        let with = SelfAttention {
            maps: [query, key, value].map(of),
            deltas: [Role::Query, Role::Key, Role::Value].map(|role| Some(delta(role)?(&x))),
            prefix: prefix.map(|prefix| [prefix.key.clone(), prefix.value.clone()]),
            key_bias,
            n_heads: self.n_heads,
            frozen: &frozen.projection,
        };
        let context = self_attention(x.clone(), with);
        let [context, x] = [context, x].map(|x| without_first(n_unread, x));
        let output = map(output, &frozen.output, Role::Output, &context);
        let x = self.norm_attention.forward(output, x);
        let is_untouched = [Role::Up, Role::Down].into_iter().all(|role| delta(role).is_none());
        let y = if is_untouched {
            let frozen = [&frozen.up, &frozen.down];
            kernels::frozen_feed_forward(x.clone(), [up, down].map(of), frozen)
        } else {
            let inner = kernels::gelu(map(up, &frozen.up, Role::Up, &x));
            map(down, &frozen.down, Role::Down, &inner)
        };
        self.norm_feed_forward.forward(y, x)
    }
}

/// All rows but the first `n`.
fn without_first(n: usize, x: Tensor<3>) -> Tensor<3> {
    let [batch, rows, width] = x.dims();
    match n {
        0 => x,
        _ => x.slice([0..batch, n..rows, 0..width]),
    }
}
