//! What the files of all methods with virtual tokens have in common.

use backbones::BackboneSpec;
use burn::tensor::Tensor;

use super::{Adapter, AdapterError};

/// The one tensor of such a method.
pub const TENSOR: &str = "prompt_embeddings";

/// Width and heads of one virtual token: of the model's input, or of one layer's keys.
pub struct Widths {
    /// `token_dim`
    pub d: usize,
    /// `num_attention_heads`
    pub n_heads: usize,
}

/// Writes the fields that say how many virtual tokens there are, and for what a model.
pub fn write(
    adapter: &mut Adapter,
    tokens: usize,
    widths: Widths,
    spec: &BackboneSpec,
    tensor: Tensor<2>,
) {
    adapter.set("num_virtual_tokens", tokens);
    adapter.set("token_dim", widths.d);
    adapter.set("num_attention_heads", widths.n_heads);
    adapter.set("num_layers", spec.n_layers);
    adapter.set("num_transformer_submodules", 1);
    adapter.put(TENSOR, tensor);
}

/// Reads how many virtual tokens there are.
///
/// # Errors
/// [`AdapterError::Fields`] if they are for another model.
pub fn read(adapter: &Adapter, widths: Widths, spec: &BackboneSpec) -> Result<usize, AdapterError> {
    adapter.expect("token_dim", widths.d)?;
    adapter.expect("num_attention_heads", widths.n_heads)?;
    adapter.expect("num_layers", spec.n_layers)?;
    adapter.get("num_virtual_tokens")
}

/// Writes a prompt. The model class must know how many rows of the hidden states are its own.
pub fn write_prompt(adapter: &mut Adapter, tokens: usize, spec: &BackboneSpec, prompt: Tensor<2>) {
    write(adapter, tokens, of_the_input(spec), spec, prompt);
    adapter.model.insert("n_prompt_rows".to_owned(), tokens.into());
}

/// Reads the length of a prompt.
///
/// # Errors
/// As [`read`].
pub fn read_prompt_length(adapter: &Adapter, spec: &BackboneSpec) -> Result<usize, AdapterError> {
    read(adapter, of_the_input(spec), spec)
}

fn of_the_input(spec: &BackboneSpec) -> Widths {
    Widths { d: spec.d_model, n_heads: spec.n_heads }
}
