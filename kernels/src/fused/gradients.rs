//! The operations with gradients. One none of whose inputs is tracked records nothing and saves
//! nothing.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::ops::{Backward, NodeGuard, OpsKind};
use burn::backend::flex::{Flex, FlexTensor};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend};

use super::Fused;
use crate::adamw::AdamW;
use crate::attention::{self, Attend};
use crate::feed_forward::{self, FrozenFeedForward, Map};
use crate::frozen::{self, Frozen, FrozenLinear};
use crate::gelu::{self, Gelu};
use crate::layer_norm::{self, AddLayerNorm};
use crate::linear::{self, Linear};
use crate::low_rank::{self, LowRank};
use crate::maybe::{FeedForwardMaps, Maps, Maybe, MaybeEach};
use crate::self_attention::step::{self as self_attention, SelfAttend};
use crate::softmax::{self, Softmax};

/// A tensor on flex that may be tracked.
type Variable = FloatTensor<Autodiff<Flex>>;

/// A tensor without a history.
fn constant(x: FlexTensor) -> Variable {
    <Autodiff<Flex>>::from_inner(x)
}

/// Records a step whose parents are `nodes`, at least one of them tracked.
fn record<C: CheckpointStrategy, B: Backward<Flex, N>, const N: usize>(
    step: B,
    nodes: [NodeGuard; N],
    saved: B::State,
    output: FlexTensor,
) -> Variable {
    match step.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(saved, output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    }
}

impl<C: CheckpointStrategy> Fused for Autodiff<Flex, C> {
    fn fused_softmax(scores: Variable, key_bias: Maybe<Self>, scale: f32) -> Variable {
        let key_bias = key_bias.into_option().map(Variable::into_primitive);
        let tracked = scores.is_tracked();
        let (scores, node) = scores.into_parts();
        let softmax = softmax::forward(scores, key_bias, scale);
        if !tracked {
            return constant(softmax);
        }
        let saved = softmax::Saved { softmax: softmax.clone(), scale };
        record::<C, _, 1>(Softmax, [node], saved, softmax)
    }

    fn fused_gelu(x: Variable) -> Variable {
        if !x.is_tracked() {
            return constant(gelu::forward(x.into_primitive()));
        }
        let (x, node) = x.into_parts();
        record::<C, _, 1>(Gelu, [node], x.clone(), gelu::forward(x))
    }

    fn fused_add_layer_norm(
        x: Variable,
        residual: Variable,
        gamma: Variable,
        beta: Variable,
        eps: f32,
    ) -> Variable {
        let variables = [x, residual, gamma, beta];
        let tracked = variables.iter().any(Variable::is_tracked);
        let nodes = variables.each_ref().map(Variable::node);
        let [x, residual, gamma, beta] = variables.map(Variable::into_primitive);
        if !tracked {
            return constant(layer_norm::forward(x, residual, gamma, beta, eps));
        }
        let (saved, y) = layer_norm::forward_saving(x, residual, gamma, beta, eps);
        record::<C, _, 4>(AddLayerNorm, nodes, saved, y)
    }

    fn fused_linear(x: Variable, weight: Variable, bias: Maybe<Self>) -> Variable {
        let bias = bias.into_option();
        let [x_tracked, weight_tracked] = [x.is_tracked(), weight.is_tracked()];
        let bias_tracked = bias.as_ref().is_some_and(Variable::is_tracked);
        let (x, x_node) = x.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let (bias, bias_node) = bias.map(Variable::into_parts).unzip();
        let saved = linear::Saved {
            x: weight_tracked.then(|| x.clone()),
            weight: x_tracked.then(|| weight.clone()),
        };
        let output = linear::forward(x, weight, bias);
        match bias_node {
            _ if !(x_tracked || weight_tracked || bias_tracked) => constant(output),
            None => record::<C, _, 2>(Linear, [x_node, weight_node], saved, output),
            Some(bias) => record::<C, _, 3>(Linear, [x_node, weight_node, bias], saved, output),
        }
    }

    fn fused_frozen_linear(
        x: Variable,
        weight: Variable,
        bias: Maybe<Self>,
        frozen: Frozen,
    ) -> Variable {
        let tracked = x.is_tracked();
        let (x, node) = x.into_parts();
        let packs = frozen.packs(&[weight.into_primitive()]);
        let y = frozen::forward(x, &packs, bias.into_option().map(Variable::into_primitive));
        if !tracked {
            return constant(y);
        }
        record::<C, _, 1>(FrozenLinear, [node], packs, y)
    }

    fn fused_frozen_feed_forward(
        x: Variable,
        maps: FeedForwardMaps<Self>,
        frozen: [Frozen; 2],
    ) -> Variable {
        let FeedForwardMaps { up, up_bias, down, down_bias } = maps;
        let map = |frozen: &Frozen, weight: Variable, bias: Maybe<Self>| {
            let packs = frozen.packs(&[weight.into_primitive()]);
            Map::new(packs, bias.into_option().map(Variable::into_primitive))
        };
        let maps = [map(&frozen[0], up, up_bias), map(&frozen[1], down, down_bias)];
        let tracked = x.is_tracked();
        let (x, node) = x.into_parts();
        if !tracked {
            return constant(feed_forward::forward(x, maps));
        }
        let (saved, y) = feed_forward::forward_saving(x, maps);
        record::<C, _, 1>(FrozenFeedForward, [node], saved, y)
    }

    fn fused_self_attention(
        x: Variable,
        maps: Maps<Self>,
        deltas: MaybeEach<Self>,
        prefix: MaybeEach<Self>,
        key_bias: Variable,
        n_heads: usize,
        frozen: Frozen,
    ) -> Variable {
        let plain = |x: Option<Variable>| x.map(Variable::into_primitive);
        let weights = [maps.query, maps.key, maps.value].map(Variable::into_primitive);
        let deltas = deltas.into_options();
        let [_, prefix_key, prefix_value] = prefix.into_options();
        let [query, key, value] = deltas;
        let variables = [Some(x), query, key, value, prefix_key, prefix_value];
        let tracked = variables.iter().flatten().any(Variable::is_tracked);
        let nothing = constant(key_bias.clone().into_primitive());
        let nodes = variables.each_ref().map(|x| x.as_ref().unwrap_or(&nothing).node());
        let [x, query, key, value, prefix_key, prefix_value] = variables.map(plain);
        let inputs = self_attention::Inputs {
            packs: frozen.packs(&weights),
            biases: maps.biases.into_options().map(plain),
            deltas: [query, key, value],
            prefix: prefix_key.zip(prefix_value).map(|(key, value)| [key, value]),
            key_bias: key_bias.into_primitive(),
            n_heads,
        };
        let x = x.expect("the first of the variables");
        if !tracked {
            return constant(self_attention::forward(x, inputs));
        }
        let (saved, y) = self_attention::forward_saving(x, inputs);
        record::<C, _, 6>(SelfAttend, nodes, saved, y)
    }

    fn fused_low_rank(x: Variable, a: Variable, b: Variable, scale: f32) -> Variable {
        let variables = [x, a, b];
        let tracked = variables.iter().any(Variable::is_tracked);
        let nodes = variables.each_ref().map(Variable::node);
        let [x, a, b] = variables.map(Variable::into_primitive);
        let (saved, y) = low_rank::forward(x, a, b, scale);
        if !tracked {
            return constant(y);
        }
        record::<C, _, 3>(LowRank, nodes, saved, y)
    }

    fn fused_attention(
        query: Variable,
        key: Variable,
        value: Variable,
        key_bias: Maybe<Self>,
    ) -> Variable {
        let key_bias = key_bias.into_option().map(Variable::into_primitive);
        let variables = [query, key, value];
        let tracked = variables.iter().any(Variable::is_tracked);
        let nodes = variables.each_ref().map(Variable::node);
        let [query, key, value] = variables.map(Variable::into_primitive);
        let inputs = attention::Inputs { query, key, value, key_bias };
        if !tracked {
            return constant(attention::forward(inputs));
        }
        record::<C, _, 3>(Attend, nodes, inputs.clone(), attention::forward(inputs))
    }

    fn fused_adamw(
        x: Variable,
        grad: Variable,
        first: Variable,
        second: Variable,
        with: AdamW,
    ) -> (Variable, Variable, Variable) {
        let plain = [x, grad, first, second].map(Variable::into_primitive);
        let [x, grad, first, second] = plain;
        let (x, first, second) = Flex::fused_adamw(x, grad, first, second, with);
        (constant(x), constant(first), constant(second))
    }
}
