//! `list`: methods, tasks, models, suites.

use anyhow::Result;
use assets::Kind;
use datasets::{FOLDERS, NAMED};
use methods::CARDS;
use serde_json::{Value, json};

use super::{print_json, store};
use crate::{
    arm::Baseline,
    cli::{Common, Listing},
    suite::{SUITES, Suite},
};

pub fn list(what: Listing, common: &Common) -> Result<()> {
    let rows = match what {
        Listing::Methods => methods(),
        Listing::Tasks => tasks(),
        Listing::Models => models(common)?,
        Listing::Suites => suites()?,
    };
    if common.json {
        return print_json(&rows);
    }
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let width = rows.iter().map(|row| text(row, "name").len()).max().unwrap_or(0);
    for row in &rows {
        println!("{:<width$}  {}", text(row, "name"), text(row, "title"));
        let note = text(row, "note");
        if !note.is_empty() {
            println!("{:<width$}  {note}", "");
        }
    }
    Ok(())
}

fn methods() -> Vec<Value> {
    let card = |card: &methods::Card| {
        json!({ "name": card.name, "title": card.title, "note": format!("{}  ({})", card.equation, card.paper),
            "file": card.file, "baseline": false, "identity_at_start": card.identity_at_start,
            "foldable": card.foldable, "learning_rate": card.learning_rate })
    };
    let baseline = |baseline: Baseline| {
        json!({ "name": baseline.name(), "title": baseline.title(),
            "note": format!("baseline: {}", baseline.meaning()), "baseline": true })
    };
    CARDS.iter().map(card).chain(Baseline::ALL.map(baseline)).collect()
}

fn tasks() -> Vec<Value> {
    let fetched = NAMED.iter().map(|task| {
        let note = format!("classes: {}", task.classes.join(", "));
        json!({ "name": task.name, "title": task.title, "note": note })
    });
    let local = FOLDERS.iter().map(|task| {
        let note = format!("from local files: --task {} --data FOLDER", task.name);
        json!({ "name": task.name, "title": task.title, "note": note })
    });
    fetched.chain(local).collect()
}

fn models(common: &Common) -> Result<Vec<Value>> {
    let store = store(common)?;
    let row = |asset: &assets::Asset| {
        let cached = if store.is_cached(&asset.name) { "in the cache" } else { "not fetched yet" };
        let size = asset.bytes() as f64 / 1e6;
        json!({ "name": asset.name, "title": asset.title,
            "note": format!("{size:.0} MB, {}, {cached}", asset.licence) })
    };
    Ok(store.registry().of_kind(Kind::Model).map(row).collect())
}

fn suites() -> Result<Vec<Value>> {
    let row = |(name, _): &(&str, &str)| {
        let suite = Suite::find(name)?;
        Ok(
            json!({ "name": name, "title": suite.title, "note": format!("{} runs", suite.runs.len()) }),
        )
    };
    SUITES.iter().map(row).collect()
}
