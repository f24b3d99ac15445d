//! What theory says of a step: how many multiplications, and how much is kept between the two
//! passes.
//!
//! With B rows of s tokens, p prompt tokens and t prefix tokens, L layers, q = s + p queries and
//! k = q + t keys a row, W the numbers of a layer's frozen matrices, D those of the tensors that
//! act beside them:
//!
//! multiplications = B · (2 · (L · q · W − p · V) + 3 · L · 2 · q · k · d + 3 · s · D)
//!
//! The frozen matrices are multiplied once on the way up and once on the way down, where only the
//! gradient of their input is needed; the matrices after the attention, V numbers of a layer's W,
//! are not multiplied with the prompt's rows in the last layer. Attention and what is trained cost
//! twice as much on the way down as on the way up. Layers below the lowest trained tensor have no
//! way down; that is left out.
//!
//! kept bytes = B · (L · q · (c · (3 · d + d_ff) + 4 · 3 · d) − p · (c · d_ff + 4 · 2 · d))
//!
//! Per token and layer: query, key, value and the input of GELU, at c bytes a number, 4 or in
//! bfloat16 2; two normalised vectors and the input of what is trained; the last layer's normalised
//! vectors and the input of its GELU without the prompt's rows. Attention weights are computed
//! again.

use anyhow::Result;
use backbones::{BackboneSpec, Injection, Precision, Role};
use rand::{SeedableRng, rngs::StdRng};

use super::job::{Job, Work};
use crate::model::Model;

/// Bytes of a number.
pub const F32: usize = 4;

/// What a step costs by the formulas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Multiplications.
    pub products: f64,
    /// Bytes kept between the two passes.
    pub kept_bytes: f64,
}

/// The cost of a step of a method on rows of one length.
///
/// # Errors
/// As the method's own check of its settings.
pub fn of(job: &Job, model: &Model) -> Result<Cost> {
    let spec = &model.spec;
    let device = spec.embeddings.device();
    let method = job.arm.method(model, &mut StdRng::seed_from_u64(0), &device)?;
    let prompt = method.as_ref().and_then(Injection::prompt);
    let n_prompt = prompt.map_or(0, |prompt| prompt.dims()[0]);
    let prefixes = method.as_ref().map(Injection::prefixes).unwrap_or_default();
    let n_prefix = prefixes.first().map_or(0, |prefix| prefix.key.dims()[1]);
    let is_beside = n_prompt == 0 && n_prefix == 0;
    let beside = match job.arm.plan(model)? {
        Some(plan) if is_beside => plan.trainable(),
        _ => 0,
    };
    let length = match job.work {
        Work::Length(length) => length,
        Work::Rows => 0,
    };
    let (batch, queries) = (job.batch, length + n_prompt);
    let keys = queries + n_prefix;
    let frozen = spec.n_layers * queries * layer_numbers(spec)
        - n_prompt * numbers(spec, &[Role::Output, Role::Up, Role::Down]);
    let attention = spec.n_layers * 2 * queries * keys * spec.n_heads * spec.d_head;
    let (d, d_ff) = (spec.d_model, spec.d_ff);
    let c = bytes(job.model.precision);
    let kept = spec.n_layers * queries * (c * (3 * d + d_ff) + F32 * 3 * d)
        - n_prompt * (c * d_ff + F32 * 2 * d);
    Ok(Cost {
        products: (batch * (2 * frozen + 3 * attention + 3 * length * beside)) as f64,
        kept_bytes: (batch * kept) as f64,
    })
}

/// Bytes of a number in what is packed, and in what is kept of its products.
pub fn bytes(precision: Precision) -> usize {
    match precision {
        Precision::F32 => F32,
        Precision::Bf16 => F32 / 2,
    }
}

/// W, the numbers of a layer's frozen matrices.
pub fn layer_numbers(spec: &BackboneSpec) -> usize {
    numbers(spec, spec.roles)
}

fn numbers(spec: &BackboneSpec, roles: &[Role]) -> usize {
    let widths = roles.iter().filter_map(|&role| spec.widths(role));
    widths.map(|(d_in, d_out)| d_in * d_out).sum()
}
