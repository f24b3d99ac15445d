//! The flags that choose a model.

use backbones::Precision;
use clap::{Args, ValueEnum};

use crate::choice::ModelChoice;

/// How one sentence vector is made.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PoolingArg {
    /// Mean over the true tokens.
    Mean,
    /// The true `[CLS]` token.
    Cls,
    /// The checkpoint's own pooler on `[CLS]`.
    Pooler,
    /// The pooler on the first row, a prompt's if there is one, as Hugging Face PEFT reads.
    #[value(name = "hf_pooler")]
    HfPooler,
}

impl From<PoolingArg> for backbones::Pooling {
    fn from(pooling: PoolingArg) -> Self {
        match pooling {
            PoolingArg::Mean => Self::Mean,
            PoolingArg::Cls => Self::Cls,
            PoolingArg::Pooler => Self::Pooler,
            PoolingArg::HfPooler => Self::HfPooler,
        }
    }
}

/// Rounding of the factors of products with frozen matrices.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PrecisionArg {
    /// None.
    F32,
    /// To bfloat16, on the device flex; sums and all that is trained stay float32.
    Bf16,
}

/// Which model.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Model")]
pub struct ModelArgs {
    /// A registered model, a local folder in Hugging Face layout, or org/name on the hub
    /// [default: minilm-l6].
    #[arg(long)]
    pub model: Option<String>,
    /// How a sentence vector is made [default: mean].
    #[arg(long, value_enum)]
    pub pooling: Option<PoolingArg>,
    /// Longest input in tokens; longer texts are cut [default: 128].
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<usize>,
    /// Rounding of both factors in products with frozen matrices [default: f32].
    #[arg(long, value_enum)]
    pub precision: Option<PrecisionArg>,
}

impl ModelArgs {
    /// `base` with what the flags say.
    pub fn over(&self, mut base: ModelChoice) -> ModelChoice {
        if let Some(name) = &self.model {
            base.name.clone_from(name);
        }
        if let Some(pooling) = self.pooling {
            base.pooling = pooling.into();
        }
        base.max_tokens = self.max_tokens.unwrap_or(base.max_tokens);
        if let Some(precision) = self.precision {
            base.precision = match precision {
                PrecisionArg::F32 => Precision::F32,
                PrecisionArg::Bf16 => Precision::Bf16,
            };
        }
        base
    }
}
