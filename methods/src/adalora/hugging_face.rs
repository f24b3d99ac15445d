//! AdaLoRA in Hugging Face PEFT's files.
//!
//! | here | there, k triplets having survived |
//! | --- | --- |
//! | `q` `[d_in, k]` | `lora_A` `[k, d_in]` |
//! | `lambda` `[1, k]` | `lora_E` `[k, 1]` |
//! | `p` `[k, d_out]` | `lora_B` `[d_out, k]` |
//! | α/r₀ | α/(r₀ + 10⁻⁵); λ makes up for the difference |
//! | `warmup_share`, `final_share` | `tinit`, `tfinal` of `total_step` |
//!
//! `rank_pattern` there says of each of the r₀ triplets of a site whether it survived. Only how
//! many did matters for what is computed, and only that is kept here: the first k are marked.

use std::collections::BTreeMap;

use backbones::BackboneSpec;
use serde_json::Map;

use super::AdaLoraConfig;
use crate::{
    hugging_face::{
        Accepts::{Any, Only},
        Adapter, AdapterError, Format, INSIDE, Stored, Targets, number,
    },
    method::{ConfigError, take_stored},
};

pub(super) const FORMAT: Format<AdaLoraConfig> = Format {
    peft_type: "ADALORA",
    root: INSIDE,
    fields: &[
        ("r", Any),
        ("init_r", Any),
        ("target_r", Any),
        ("lora_alpha", Any),
        ("lora_dropout", Any),
        ("target_modules", Any),
        ("exclude_modules", Any),
        ("layers_to_transform", Any),
        ("layers_pattern", Any),
        ("rank_pattern", Any),
        ("tinit", Any),
        ("tfinal", Any),
        ("deltaT", Any),
        ("total_step", Any),
        ("beta1", Any),
        ("beta2", Any),
        ("orth_reg_weight", Any),
        ("bias", Only(&["none"])),
        ("init_lora_weights", Only(&["true", "gaussian"])),
        // Settings of features that are switched on elsewhere.
        ("megatron_core", Any),
        ("qalora_group_size", Any),
    ],
    write,
    read,
};

/// The shares of the schedule are written as steps of so many.
const STEPS: f64 = 1000.0;

/// What λ is multiplied by when it leaves: the library divides by r₀ + 10⁻⁵.
fn correction(initial_rank: usize) -> f64 {
    1.0 + 1e-5 / initial_rank as f64
}

fn write(
    config: &AdaLoraConfig,
    spec: &BackboneSpec,
    stored: &Stored,
    adapter: &mut Adapter,
) -> Result<(), ConfigError> {
    let targets = config.targets(spec)?;
    Targets::write(adapter, spec, &targets);
    adapter.set("init_r", config.initial_rank);
    adapter.set("target_r", config.target_rank);
    adapter.set("lora_alpha", number(config.alpha));
    adapter.set("tinit", (config.warmup_share * STEPS).round() as u64);
    adapter.set("tfinal", (config.final_share * STEPS).round() as u64);
    adapter.set("total_step", STEPS as u64);
    adapter.set("deltaT", config.interval);
    adapter.set("beta1", config.beta_sensitivity);
    adapter.set("beta2", config.beta_uncertainty);
    adapter.set("orth_reg_weight", config.orthogonality);
    adapter.set("bias", "none");
    adapter.set("fan_in_fan_out", false);
    let mut survivors = Map::new();
    for target in targets {
        let site = target.site;
        let k = stored.get(&format!("{site}.lambda")).map_or(0, |lambda| lambda.dims()[1]);
        let take = |name: &str, shape| take_stored(stored, &format!("{site}.{name}"), shape);
        let name = (spec.modules.site)(site);
        let lambda = take("lambda", [1, k])? * correction(config.initial_rank);
        let at = format!("{INSIDE}{name}");
        adapter.put(format!("{at}.lora_A"), take("q", [target.d_in, k])?.transpose());
        adapter.put(format!("{at}.lora_E"), lambda.transpose());
        adapter.put(format!("{at}.lora_B"), take("p", [k, target.d_out])?.transpose());
        let survived: Vec<bool> = (0..config.initial_rank).map(|i| i < k).collect();
        survivors.insert(format!("{name}.lora_E"), survived.into());
    }
    adapter.set("rank_pattern", survivors);
    Ok(())
}

fn read(
    adapter: &mut Adapter,
    spec: &BackboneSpec,
) -> Result<(AdaLoraConfig, Stored), AdapterError> {
    let targets = Targets::read(adapter, spec)?;
    let total: f64 = adapter.get("total_step")?;
    if total < 1.0 {
        let problem = format!("is {total}; a training has at least one step");
        return Err(AdapterError::field("total_step", problem));
    }
    let share = |field: &str| -> Result<f64, AdapterError> {
        Ok(adapter.get::<Option<f64>>(field)?.unwrap_or_default() / total)
    };
    let default = AdaLoraConfig::default();
    let config = AdaLoraConfig {
        target_rank: adapter.get("target_r")?,
        initial_rank: adapter.get("init_r")?,
        alpha: adapter.get("lora_alpha")?,
        roles: targets.roles,
        layers: targets.layers,
        orthogonality: adapter
            .get::<Option<f64>>("orth_reg_weight")?
            .unwrap_or(default.orthogonality),
        beta_sensitivity: adapter.get::<Option<f64>>("beta1")?.unwrap_or(default.beta_sensitivity),
        beta_uncertainty: adapter.get::<Option<f64>>("beta2")?.unwrap_or(default.beta_uncertainty),
        warmup_share: share("tinit")?,
        final_share: share("tfinal")?,
        interval: adapter.get::<Option<usize>>("deltaT")?.unwrap_or(1),
    };
    config.targets(spec)?;
    // Null where the training did not get to the last pruning: then all triplets are kept.
    let survivors: Option<BTreeMap<String, Vec<bool>>> = adapter.get("rank_pattern")?;
    let mut stored = Stored::new();
    for target in targets.sites {
        let name = (spec.modules.site)(target.site);
        let k = match &survivors {
            None => config.initial_rank,
            Some(survivors) => rank(survivors, &format!("{name}.lora_E"), config.initial_rank)?,
        };
        let at = format!("{INSIDE}{name}");
        let q = adapter.take_matrix(&format!("{at}.lora_A"), [k, target.d_in], spec)?;
        let lambda = adapter.take_matrix(&format!("{at}.lora_E"), [k, 1], spec)?;
        let p = adapter.take_matrix(&format!("{at}.lora_B"), [target.d_out, k], spec)?;
        let lambda = lambda.transpose() / correction(config.initial_rank);
        for (ours, factor) in [("q", q.transpose()), ("lambda", lambda), ("p", p.transpose())] {
            stored.insert(format!("{}.{ours}", target.site), factor);
        }
    }
    Ok((config, stored))
}

/// How many triplets of a site survived.
fn rank(
    survivors: &BTreeMap<String, Vec<bool>>,
    name: &str,
    initial_rank: usize,
) -> Result<usize, AdapterError> {
    let refuse = |problem: String| Err(AdapterError::field("rank_pattern", problem));
    match survivors.get(name) {
        None => refuse(format!("says nothing of {name}")),
        Some(survived) if survived.len() != initial_rank => {
            let n = survived.len();
            refuse(format!("has {n} values for {name}, but init_r is {initial_rank}"))
        }
        Some(survived) => Ok(survived.iter().filter(|&&survived| survived).count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corrected_lambda_gives_our_scale_under_their_division() {
        for initial_rank in [1, 3, 12] {
            let (alpha, lambda) = (7.0, 0.3);
            let theirs = lambda * correction(initial_rank) * alpha / (initial_rank as f64 + 1e-5);
            let ours = lambda * alpha / initial_rank as f64;
            assert!((theirs - ours).abs() < 1e-15, "{initial_rank}: {theirs} and {ours}");
        }
    }
}
