//! Tensors that may be missing, as the extension mechanism takes them.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, ExtensionType};
use burn::tensor::Tensor;

/// A tensor that may be missing: an `Option`, which the extension mechanism does not take.
#[derive(ExtensionType)]
pub enum Maybe<B: Backend> {
    /// It is there.
    Present(FloatTensor<B>),
    /// It is not.
    Absent,
}

impl<B: Backend> Maybe<B> {
    /// The same as an option.
    pub fn into_option(self) -> Option<FloatTensor<B>> {
        match self {
            Self::Present(x) => Some(x),
            Self::Absent => None,
        }
    }
}

impl<B: Backend> From<Option<FloatTensor<B>>> for Maybe<B> {
    fn from(x: Option<FloatTensor<B>>) -> Self {
        x.map_or(Self::Absent, Self::Present)
    }
}

/// The linear maps that make queries, keys and values.
#[derive(ExtensionType)]
pub struct Maps<B: Backend> {
    /// Weight of the queries.
    pub query: FloatTensor<B>,
    /// Weight of the keys.
    pub key: FloatTensor<B>,
    /// Weight of the values.
    pub value: FloatTensor<B>,
    /// Their biases.
    #[extension_type]
    pub biases: MaybeEach<B>,
}

/// For each of query, key and value a tensor that may be missing.
#[derive(ExtensionType)]
pub struct MaybeEach<B: Backend> {
    /// Of the queries.
    #[extension_type]
    pub query: Maybe<B>,
    /// Of the keys.
    #[extension_type]
    pub key: Maybe<B>,
    /// Of the values.
    #[extension_type]
    pub value: Maybe<B>,
}

impl<B: Backend> MaybeEach<B> {
    /// Query, key, value.
    pub fn into_options(self) -> [Option<FloatTensor<B>>; 3] {
        [self.query, self.key, self.value].map(Maybe::into_option)
    }
}

/// The linear maps of a feed-forward part.
#[derive(ExtensionType)]
pub struct FeedForwardMaps<B: Backend> {
    /// Weight of the widening map.
    pub up: FloatTensor<B>,
    /// Its bias.
    #[extension_type]
    pub up_bias: Maybe<B>,
    /// Weight of the narrowing map.
    pub down: FloatTensor<B>,
    /// Its bias.
    #[extension_type]
    pub down_bias: Maybe<B>,
}

/// The tensor as the extension takes it.
pub fn maybe<const D: usize>(x: Option<Tensor<D>>) -> Maybe<Dispatch> {
    x.map(Tensor::into_dispatch).into()
}
