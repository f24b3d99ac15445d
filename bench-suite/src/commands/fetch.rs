//! `fetch`: fills the cache.

use anyhow::Result;
use serde_json::json;

use super::{print_json, store};
use crate::{cli::Common, names::unknown};

pub fn fetch(names: &[String], common: &Common) -> Result<()> {
    let store = store(common)?;
    let known: Vec<&str> = store.registry().assets().iter().map(|a| a.name.as_str()).collect();
    let wanted: Vec<&str> = match names {
        [] => known.clone(),
        names => names.iter().map(String::as_str).collect(),
    };
    let mut fetched = vec![];
    for name in wanted {
        let asset = match known.contains(&name) {
            true => store.fetch(name)?,
            false if name.contains('/') => store.model(name)?,
            false => anyhow::bail!("{}", unknown("asset", name, &known, "list models")),
        };
        if !common.json {
            println!("{name}: {} (from {})", asset.path.display(), asset.origin);
        }
        fetched.push(json!({ "name": name, "path": asset.path, "origin": asset.origin }));
    }
    if common.json {
        print_json(&fetched)?;
    }
    Ok(())
}
