//! Which linear maps a method acts on, and per-site settings.

use std::collections::BTreeMap;

use backbones::{BackboneSpec, Role, Site};
use regex::Regex;

use crate::method::ConfigError;

/// The roles that low-rank methods act on by default, as in the paper of LoRA.
pub const DEFAULT_ROLES: [Role; 2] = [Role::Query, Role::Value];

/// What tells a curve on other roles from the one on [`DEFAULT_ROLES`].
pub fn on_roles(roles: &[Role]) -> Option<String> {
    if roles == DEFAULT_ROLES {
        return None;
    }
    Some(match roles.len() {
        1..=3 => {
            let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
            format!("on {}", names.join(", "))
        }
        n => format!("on {n} roles"),
    })
}

/// A linear map that a method acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where it is.
    pub site: Site,
    /// Input width.
    pub d_in: usize,
    /// Output width.
    pub d_out: usize,
}

/// The sites of the given roles in the given layers (all layers if `None`), in order.
///
/// # Errors
/// [`ConfigError`] for no role at all, a role that the backbone lacks, or a layer beyond the last.
pub fn select(
    spec: &BackboneSpec,
    roles: &[Role],
    layers: Option<&[usize]>,
) -> Result<Vec<Target>, ConfigError> {
    let known = || spec.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ");
    if roles.is_empty() {
        return Err(ConfigError::out_of_range("roles", "[]", format!("some of {}", known())));
    }
    if let Some(role) = roles.iter().find(|role| !spec.roles.contains(role)) {
        return Err(ConfigError::NoSuchRole {
            role: role.to_string(),
            family: spec.family,
            known: known(),
        });
    }
    let last = spec.n_layers - 1;
    match layers {
        Some([]) => {
            return Err(ConfigError::out_of_range("layers", "[]", format!("some of 0 to {last}")));
        }
        Some(layers) => {
            if let Some(layer) = layers.iter().find(|&&layer| layer > last) {
                let expected = format!("0 to {last} in this backbone");
                return Err(ConfigError::out_of_range("layers", layer, expected));
            }
        }
        None => {}
    }
    let wanted = |site: &Site| {
        roles.contains(&site.role) && layers.is_none_or(|layers| layers.contains(&site.layer))
    };
    let target = |site: Site| {
        let (d_in, d_out) = spec.widths(site.role)?;
        Some(Target { site, d_in, d_out })
    };
    Ok(spec.sites().filter(wanted).filter_map(target).collect())
}

/// The value for each target: of the first pattern that matches its name, else the default.
///
/// A pattern is a regular expression that must match a whole site name (`3.query`) or its end
/// after a dot (`query`), as the keys of Hugging Face PEFT's `rank_pattern` do.
///
/// # Errors
/// [`ConfigError::Pattern`] for a pattern that cannot be read or that matches no target.
pub fn per_site<T: Copy>(
    field: &'static str,
    patterns: &BTreeMap<String, T>,
    default: T,
    targets: &[Target],
) -> Result<Vec<T>, ConfigError> {
    let refuse = |pattern: &str, problem: String| ConfigError::Pattern {
        field,
        pattern: pattern.to_owned(),
        problem,
    };
    let names: Vec<String> = targets.iter().map(|target| target.site.to_string()).collect();
    let mut values = vec![None; targets.len()];
    for (pattern, &value) in patterns {
        let whole = Regex::new(&format!(r"^(.*\.)?({pattern})$"))
            .map_err(|_| refuse(pattern, "is not a regular expression".to_owned()))?;
        let hits: Vec<usize> = (0..names.len()).filter(|&i| whole.is_match(&names[i])).collect();
        if hits.is_empty() {
            let sites = names.join(", ");
            return Err(refuse(pattern, format!("matches none of the chosen sites: {sites}")));
        }
        for i in hits {
            values[i].get_or_insert(value);
        }
    }
    Ok(values.into_iter().map(|value| value.unwrap_or(default)).collect())
}

/// Checks the strength α of a low-rank branch.
///
/// # Errors
/// [`ConfigError::OutOfRange`] for a number that is not above 0, or so large that the branch
/// leaves the range of float32.
pub fn check_alpha(alpha: f64) -> Result<(), ConfigError> {
    if alpha > 0.0 && alpha <= 1e6 {
        return Ok(());
    }
    Err(ConfigError::out_of_range("alpha", alpha, "a number above 0, at most 1000000"))
}

/// Checks that a rank fits a matrix.
///
/// # Errors
/// [`ConfigError::OutOfRange`] with the largest rank that fits.
pub fn check_rank(field: &'static str, rank: usize, target: &Target) -> Result<(), ConfigError> {
    let largest = target.d_in.min(target.d_out);
    if rank == 0 || rank > largest {
        let expected =
            format!("1 to {largest} at {} ({} × {})", target.site, target.d_in, target.d_out);
        return Err(ConfigError::out_of_range(field, rank, expected));
    }
    Ok(())
}
