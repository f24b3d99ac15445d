//! The operations as an extension of Burn's flex backend: here plain, in [`gradients`] with gradients.

mod gradients;

use burn::backend::flex::{Flex, FlexTensor};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};

use crate::adamw::{self, AdamW};
use crate::feed_forward::{self, Map};
use crate::frozen::{self, Frozen};
use crate::maybe::{FeedForwardMaps, Maps, Maybe, MaybeEach};
use crate::self_attention::step as self_attention;
use crate::{attention, gelu, layer_norm, linear, low_rank, softmax};

/// The fused operations.
#[backend_extension(Flex, Autodiff)]
pub trait Fused: Backend {
    /// See [`softmax`](crate::softmax()).
    fn fused_softmax(
        scores: FloatTensor<Self>,
        #[extension_type] key_bias: Maybe<Self>,
        scale: f32,
    ) -> FloatTensor<Self>;

    /// See [`gelu`](crate::gelu()).
    fn fused_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// See [`add_layer_norm`](crate::add_layer_norm).
    fn fused_add_layer_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        eps: f32,
    ) -> FloatTensor<Self>;

    /// See [`linear`](crate::linear()).
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] bias: Maybe<Self>,
    ) -> FloatTensor<Self>;

    /// See [`frozen_linear`](crate::frozen_linear); neither weight nor bias is tracked.
    fn fused_frozen_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] bias: Maybe<Self>,
        frozen: Frozen,
    ) -> FloatTensor<Self>;

    /// See [`frozen_feed_forward`](crate::frozen_feed_forward); neither weights nor biases are
    /// tracked.
    fn fused_frozen_feed_forward(
        x: FloatTensor<Self>,
        #[extension_type] maps: FeedForwardMaps<Self>,
        frozen: [Frozen; 2],
    ) -> FloatTensor<Self>;

    /// See [`self_attention`](crate::self_attention()); neither weights nor biases are tracked, and
    /// the prefix has keys and values or neither.
    fn fused_self_attention(
        x: FloatTensor<Self>,
        #[extension_type] maps: Maps<Self>,
        #[extension_type] deltas: MaybeEach<Self>,
        #[extension_type] prefix: MaybeEach<Self>,
        key_bias: FloatTensor<Self>,
        n_heads: usize,
        frozen: Frozen,
    ) -> FloatTensor<Self>;

    /// See [`low_rank`](crate::low_rank()).
    fn fused_low_rank(
        x: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        scale: f32,
    ) -> FloatTensor<Self>;

    /// See [`attention`](crate::attention()).
    fn fused_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        #[extension_type] key_bias: Maybe<Self>,
    ) -> FloatTensor<Self>;

    /// See [`adamw`](crate::adamw()); nothing is tracked.
    fn fused_adamw(
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        with: AdamW,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

impl Fused for Flex {
    fn fused_softmax(scores: FlexTensor, key_bias: Maybe<Self>, scale: f32) -> FlexTensor {
        softmax::forward(scores, key_bias.into_option(), scale)
    }

    fn fused_gelu(x: FlexTensor) -> FlexTensor {
        gelu::forward(x)
    }

    fn fused_add_layer_norm(
        x: FlexTensor,
        residual: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        eps: f32,
    ) -> FlexTensor {
        layer_norm::forward(x, residual, gamma, beta, eps)
    }

    fn fused_linear(x: FlexTensor, weight: FlexTensor, bias: Maybe<Self>) -> FlexTensor {
        linear::forward(x, weight, bias.into_option())
    }

    fn fused_frozen_linear(
        x: FlexTensor,
        weight: FlexTensor,
        bias: Maybe<Self>,
        frozen: Frozen,
    ) -> FlexTensor {
        frozen::forward(x, &frozen.packs(&[weight]), bias.into_option())
    }

    fn fused_frozen_feed_forward(
        x: FlexTensor,
        maps: FeedForwardMaps<Self>,
        frozen: [Frozen; 2],
    ) -> FlexTensor {
        let FeedForwardMaps { up, up_bias, down, down_bias } = maps;
        let map = |frozen: &Frozen, weight, bias: Maybe<Self>| {
            Map::new(frozen.packs(&[weight]), bias.into_option())
        };
        let maps = [map(&frozen[0], up, up_bias), map(&frozen[1], down, down_bias)];
        feed_forward::forward(x, maps)
    }

    fn fused_self_attention(
        x: FlexTensor,
        maps: Maps<Self>,
        deltas: MaybeEach<Self>,
        prefix: MaybeEach<Self>,
        key_bias: FlexTensor,
        n_heads: usize,
        frozen: Frozen,
    ) -> FlexTensor {
        let Maps { query, key, value, biases } = maps;
        let [_, prefix_key, prefix_value] = prefix.into_options();
        let inputs = self_attention::Inputs {
            packs: frozen.packs(&[query, key, value]),
            biases: biases.into_options(),
            deltas: deltas.into_options(),
            prefix: prefix_key.zip(prefix_value).map(|(key, value)| [key, value]),
            key_bias,
            n_heads,
        };
        self_attention::forward(x, inputs)
    }

    fn fused_low_rank(x: FlexTensor, a: FlexTensor, b: FlexTensor, scale: f32) -> FlexTensor {
        low_rank::forward(x, a, b, scale).1
    }

    fn fused_attention(
        query: FlexTensor,
        key: FlexTensor,
        value: FlexTensor,
        key_bias: Maybe<Self>,
    ) -> FlexTensor {
        attention::forward(attention::Inputs {
            query,
            key,
            value,
            key_bias: key_bias.into_option(),
        })
    }

    fn fused_adamw(
        x: FlexTensor,
        grad: FlexTensor,
        first: FlexTensor,
        second: FlexTensor,
        with: AdamW,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let (x, [first, second]) = adamw::step(x, grad, [first, second], with);
        (x, first, second)
    }
}
