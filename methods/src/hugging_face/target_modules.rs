//! Which linear maps an adapter acts on, by the library's own rules.

use backbones::{BackboneSpec, Role};
use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Adapter, AdapterError};
use crate::{
    method::ConfigError,
    sites::{Target, select},
};

/// Names of modules: a list of endings, or a regular expression.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a list of names, or one regular expression")]
enum Names {
    List(Vec<String>),
    Pattern(String),
}

/// One number or several.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected numbers of layers")]
enum Layers {
    One(usize),
    Many(Vec<usize>),
}

/// The sites of an adapter, as settings of ours say them.
pub struct Targets {
    /// Their roles.
    pub roles: Vec<Role>,
    /// Their layers; all if `None`.
    pub layers: Option<Vec<usize>>,
    /// Each of them.
    pub sites: Vec<Target>,
}

impl Targets {
    /// Writes the sites as a list of whole names, which leaves nothing to matching: `output.dense`
    /// alone would be the end of two names in a BERT.
    pub fn write(adapter: &mut Adapter, spec: &BackboneSpec, targets: &[Target]) {
        let names: Vec<String> = targets.iter().map(|t| (spec.modules.site)(t.site)).collect();
        adapter.set("target_modules", names);
    }

    /// Reads the sites: every linear map of the model that `target_modules` matches, but for the
    /// excluded ones.
    ///
    /// # Errors
    /// [`AdapterError`] if there is none, or if they are not the same roles in every layer.
    pub fn read(adapter: &Adapter, spec: &BackboneSpec) -> Result<Self, AdapterError> {
        let wanted = Wanted::read(adapter)?;
        let mut sites = vec![];
        for site in spec.sites() {
            if wanted.contains(&(spec.modules.site)(site), site.layer) {
                sites.push(site);
            }
        }
        let refuse = |problem: String| AdapterError::field("target_modules", problem);
        if sites.is_empty() {
            let known: Vec<String> =
                spec.sites().map(spec.modules.site).take(spec.roles.len()).collect();
            return Err(refuse(format!(
                "is {}, which matches no linear map of this {} model, such as {}",
                messages::short(&adapter.config["target_modules"]),
                spec.family,
                known.join(", ")
            )));
        }
        let is_used = |role: &Role| sites.iter().any(|site| site.role == *role);
        let roles: Vec<Role> = spec.roles.iter().copied().filter(is_used).collect();
        let layers: Vec<usize> =
            (0..spec.n_layers).filter(|layer| sites.iter().any(|s| s.layer == *layer)).collect();
        let targets = select(spec, &roles, Some(&layers))?;
        if let Some(gap) = targets.iter().find(|target| !sites.contains(&target.site)) {
            return Err(refuse(format!(
                "leaves out {}, but not all of its role and layer; here a method acts on the same \
                 roles in each of its layers",
                (spec.modules.site)(gap.site)
            )));
        }
        let layers = (layers.len() < spec.n_layers).then_some(layers);
        Ok(Self { roles, layers, sites: targets })
    }
}

/// The fields that choose sites.
struct Wanted {
    targets: Names,
    excluded: Option<Names>,
    layers: Option<Vec<usize>>,
}

impl Wanted {
    fn read(adapter: &Adapter) -> Result<Self, AdapterError> {
        let layers = match adapter.get("layers_to_transform")? {
            Some(Layers::One(layer)) => Some(vec![layer]),
            Some(Layers::Many(layers)) if !layers.is_empty() => Some(layers),
            _ => None,
        };
        let wanted = Self {
            targets: adapter.get("target_modules")?,
            excluded: adapter.get("exclude_modules")?,
            layers,
        };
        for (field, names) in [
            ("target_modules", Some(&wanted.targets)),
            ("exclude_modules", wanted.excluded.as_ref()),
        ] {
            if let Some(Names::Pattern(pattern)) = names
                && whole(pattern).is_none()
            {
                let problem = format!(
                    "is '{}', which cannot be read as a regular expression",
                    messages::short(pattern)
                );
                return Err(AdapterError::field(field, problem));
            }
        }
        Ok(wanted)
    }

    fn contains(&self, name: &str, layer: usize) -> bool {
        if self.excluded.as_ref().is_some_and(|names| names.matches(name)) {
            return false;
        }
        match &self.targets {
            // The head is the only linear map that this leaves out.
            Names::Pattern(pattern) if pattern == "all-linear" => true,
            // A whole name stands for itself, whatever the layers say.
            Names::List(names) if names.iter().any(|whole| whole == name) => true,
            Names::List(_) => {
                self.targets.matches(name)
                    && self.layers.as_ref().is_none_or(|layers| layers.contains(&layer))
            }
            Names::Pattern(_) => self.targets.matches(name),
        }
    }
}

impl Names {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::List(endings) => endings.iter().any(|ending| {
                name == ending
                    || name.strip_suffix(ending.as_str()).is_some_and(|rest| rest.ends_with('.'))
            }),
            Self::Pattern(pattern) => whole(pattern).is_some_and(|whole| whole.is_match(name)),
        }
    }
}

fn whole(pattern: &str) -> Option<Regex> {
    Regex::new(&format!("^(?:{pattern})$")).ok()
}

/// The value for a module of the first pattern that matches its name or an end of it, `None` if
/// none does.
///
/// # Errors
/// [`ConfigError::Pattern`] for a pattern that cannot be read.
pub fn by_pattern<'v>(
    field: &'static str,
    patterns: &'v Map<String, Value>,
    name: &str,
) -> Result<Option<&'v Value>, ConfigError> {
    for (pattern, value) in patterns {
        let regex =
            Regex::new(&format!(r"^(.*\.)?({pattern})$")).map_err(|_| ConfigError::Pattern {
                field,
                pattern: pattern.clone(),
                problem: "cannot be read as a regular expression".to_owned(),
            })?;
        if regex.is_match(name) {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

#[cfg(test)]
#[path = "target_modules_tests.rs"]
mod tests;
