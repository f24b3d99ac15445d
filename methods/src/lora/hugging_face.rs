//! LoRA in Hugging Face PEFT's files.
//!
//! | here | there |
//! | --- | --- |
//! | `a` `[d_in, rank]` | `lora_A.weight` `[rank, d_in]` |
//! | `b` `[rank, d_out]` | `lora_B.weight` `[d_out, rank]` |
//! | `roles`, `layers` | `target_modules`, by whole names |
//! | `rank_pattern`, `alpha_pattern` by site | the same by whole names |

use std::collections::BTreeMap;

use backbones::BackboneSpec;
use serde_json::{Map, Value};

use super::{LoraConfig, LoraInit, Shape};
use crate::{
    hugging_face::{
        Accepts::{Any, Only},
        Adapter, AdapterError, Format, INSIDE, Stored, Targets, by_pattern, number,
    },
    method::{ConfigError, take_stored},
};

pub(super) const FORMAT: Format<LoraConfig> = Format {
    peft_type: "LORA",
    root: INSIDE,
    fields: &[
        ("r", Any),
        ("lora_alpha", Any),
        ("lora_dropout", Any),
        ("target_modules", Any),
        ("exclude_modules", Any),
        ("layers_to_transform", Any),
        ("layers_pattern", Any),
        ("rank_pattern", Any),
        ("alpha_pattern", Any),
        ("use_rslora", Any),
        ("bias", Only(&["none"])),
        // Other starts change the frozen weights too.
        ("init_lora_weights", Only(&["true", "gaussian"])),
        // Settings of features that are switched on elsewhere.
        ("megatron_core", Any),
        ("qalora_group_size", Any),
    ],
    write,
    read,
};

const FACTORS: [(&str, &str); 2] = [("a", "lora_A.weight"), ("b", "lora_B.weight")];

fn write(
    config: &LoraConfig,
    spec: &BackboneSpec,
    stored: &Stored,
    adapter: &mut Adapter,
) -> Result<(), ConfigError> {
    let shapes = config.shapes(spec)?;
    let targets: Vec<_> = shapes.iter().map(|shape| shape.target).collect();
    Targets::write(adapter, spec, &targets);
    adapter.set("r", config.rank);
    adapter.set("lora_alpha", number(config.alpha));
    adapter.set("lora_dropout", config.dropout);
    adapter.set("use_rslora", config.rs_lora);
    adapter.set("bias", "none");
    adapter.set("fan_in_fan_out", false);
    let start = match config.init {
        LoraInit::Kaiming => Value::from(true),
        LoraInit::Gaussian => Value::from("gaussian"),
    };
    adapter.set("init_lora_weights", start);
    let (mut ranks, mut alphas) = (Map::new(), Map::new());
    for Shape { target, rank, alpha, .. } in shapes {
        let name = (spec.modules.site)(target.site);
        if rank != config.rank {
            ranks.insert(name.clone(), rank.into());
        }
        if alpha != config.alpha {
            alphas.insert(name.clone(), number(alpha));
        }
        for ((ours, theirs), shape) in
            FACTORS.into_iter().zip([[target.d_in, rank], [rank, target.d_out]])
        {
            let factor = take_stored(stored, &format!("{}.{ours}", target.site), shape)?;
            adapter.put(format!("{INSIDE}{name}.{theirs}"), factor.transpose());
        }
    }
    adapter.set("rank_pattern", ranks);
    adapter.set("alpha_pattern", alphas);
    Ok(())
}

fn read(adapter: &mut Adapter, spec: &BackboneSpec) -> Result<(LoraConfig, Stored), AdapterError> {
    let targets = Targets::read(adapter, spec)?;
    let ranks: Option<Map<String, Value>> = adapter.get("rank_pattern")?;
    let alphas: Option<Map<String, Value>> = adapter.get("alpha_pattern")?;
    let (ranks, alphas) = (ranks.unwrap_or_default(), alphas.unwrap_or_default());
    let start: Value = adapter.get("init_lora_weights")?;
    let mut config = LoraConfig {
        rank: adapter.get("r")?,
        alpha: adapter.get("lora_alpha")?,
        dropout: adapter.get::<Option<f64>>("lora_dropout")?.unwrap_or_default(),
        roles: targets.roles,
        layers: targets.layers,
        init: if start == "gaussian" { LoraInit::Gaussian } else { LoraInit::Kaiming },
        rs_lora: adapter.get::<Option<bool>>("use_rslora")?.unwrap_or_default(),
        rank_pattern: BTreeMap::new(),
        alpha_pattern: BTreeMap::new(),
    };
    for target in &targets.sites {
        let name = (spec.modules.site)(target.site);
        if let Some(value) = by_pattern("rank_pattern", &ranks, &name)? {
            let rank = value.as_u64().ok_or_else(|| not_a_number("rank_pattern", value))?;
            config.rank_pattern.insert(target.site.to_string(), rank as usize);
        }
        if let Some(value) = by_pattern("alpha_pattern", &alphas, &name)? {
            let alpha = value.as_f64().ok_or_else(|| not_a_number("alpha_pattern", value))?;
            config.alpha_pattern.insert(target.site.to_string(), alpha);
        }
    }
    let mut stored = Stored::new();
    // What no site differs in is no pattern of ours.
    config.rank_pattern.retain(|_, rank| *rank != config.rank);
    config.alpha_pattern.retain(|_, alpha| *alpha != config.alpha);
    for Shape { target, rank, .. } in config.shapes(spec)? {
        let name = (spec.modules.site)(target.site);
        for ((ours, theirs), shape) in
            FACTORS.into_iter().zip([[rank, target.d_in], [target.d_out, rank]])
        {
            let factor = adapter.take_matrix(&format!("{INSIDE}{name}.{theirs}"), shape, spec)?;
            stored.insert(format!("{}.{ours}", target.site), factor.transpose());
        }
    }
    Ok((config, stored))
}

fn not_a_number(field: &str, value: &Value) -> AdapterError {
    AdapterError::field(
        field,
        format!("has the value {}, which is not a number that it takes", messages::short(value)),
    )
}
