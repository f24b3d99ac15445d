//! `fold` and `unfold`: a trained run as a plain checkpoint, and back.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::{find::find, print_json, store};
use crate::{
    cli::{Common, FoldArgs},
    device::choose,
    finished::Finished,
    folding,
    new_folder::new_folder,
};

pub fn fold(args: &FoldArgs, common: &Common) -> Result<()> {
    let (results, record) = find(&args.run, args.results.as_deref())?;
    let run = Finished::load(&results, record, &store(common)?, choose(common.device)?)?;
    let written = new_folder(&args.to, |folder| folding::fold(&run, folder))?;
    let (to, n_changed) = (args.to.display(), written.n_changed);
    let rounded: Vec<String> =
        written.rounded_to.iter().map(|dtype| format!("{dtype:?}")).collect();
    let pooling = run.model.pooling.name();
    if common.json {
        return print_json(&json!({
            "folder": args.to,
            "changed": n_changed,
            "rounded_to": rounded,
            "pooling": pooling,
        }));
    }
    println!(
        "{to}: {n_changed} tensors changed; the head reads pooling '{pooling}', see README.md"
    );
    if !rounded.is_empty() {
        println!("the numbers were rounded to the checkpoint's own type, {}", rounded.join(", "));
    }
    Ok(())
}

pub fn unfold(from: &Path, to: &Path, common: &Common) -> Result<()> {
    new_folder(to, |folder| folding::unfold(from, folder))?;
    if common.json {
        return print_json(&json!({ "folder": to }));
    }
    println!("{}: the checkpoint as it was before it was folded", to.display());
    Ok(())
}
