//! What the tensors of a BERT are called in its checkpoint, and how they lie there.

use burn::{
    module::Param,
    nn::Linear,
    tensor::{Tensor, TensorData},
};

use super::{Bert, Norm, ROLES};
use crate::injection::{Role, Site};

/// What a layer's linear map is called, after the layer.
pub(super) fn name_in_layer(role: Role) -> &'static str {
    match role {
        Role::Query => "attention.self.query",
        Role::Key => "attention.self.key",
        Role::Value => "attention.self.value",
        Role::Output => "attention.output.dense",
        Role::Up => "intermediate.dense",
        Role::Down => "output.dense",
        Role::Gate => unreachable!("BERT has no gate: see ROLES"),
    }
}

impl Bert {
    /// The name of the linear map at a site in the checkpoint, without `.weight` or `.bias`;
    /// `None` where BERT has none.
    pub fn checkpoint_name(&self, Site { layer, role }: Site) -> Option<String> {
        let is_there = layer < self.blocks.len() && ROLES.contains(&role);
        is_there.then(|| format!("{}encoder.layer.{layer}.{}", self.root, name_in_layer(role)))
    }

    /// Every tensor under the name and in the shape that it has in the checkpoint.
    pub fn tensors(&self) -> Vec<(String, TensorData)> {
        let mut all = Named { root: self.root, tensors: vec![] };
        all.add("embeddings.word_embeddings.weight", &self.word);
        all.add("embeddings.position_embeddings.weight", &self.position);
        all.add("embeddings.token_type_embeddings.weight", &self.kind);
        all.add_norm("embeddings.LayerNorm", &self.norm);
        for (layer, block) in self.blocks.iter().enumerate() {
            let at = format!("encoder.layer.{layer}");
            for (role, linear) in block.linears() {
                all.add_linear(&format!("{at}.{}", name_in_layer(role)), linear);
            }
            all.add_norm(&format!("{at}.attention.output.LayerNorm"), &block.norm_attention);
            all.add_norm(&format!("{at}.output.LayerNorm"), &block.norm_feed_forward);
        }
        if let Some(pooler) = &self.pooler {
            all.add_linear("pooler.dense", pooler);
        }
        all.tensors
    }
}

/// Tensors under their names in a checkpoint.
struct Named {
    root: &'static str,
    tensors: Vec<(String, TensorData)>,
}

impl Named {
    fn push<const D: usize>(&mut self, name: &str, tensor: Tensor<D>) {
        let data = tensor.without_autodiff().into_data();
        self.tensors.push((format!("{}{name}", self.root), data));
    }

    fn add<const D: usize>(&mut self, name: &str, param: &Param<Tensor<D>>) {
        self.push(name, param.val());
    }

    fn add_norm(&mut self, name: &str, norm: &Norm) {
        let [gamma, beta] = norm.names;
        self.add(&format!("{name}.{gamma}"), &norm.gamma);
        self.add(&format!("{name}.{beta}"), &norm.beta);
    }

    /// PyTorch keeps the weight of a linear map as `[d_out, d_in]`.
    fn add_linear(&mut self, name: &str, linear: &Linear) {
        self.push(&format!("{name}.weight"), linear.weight.val().transpose());
        if let Some(bias) = &linear.bias {
            self.add(&format!("{name}.bias"), bias);
        }
    }
}
