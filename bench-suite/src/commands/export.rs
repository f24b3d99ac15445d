//! `export`: a trained run as an adapter of Hugging Face PEFT.

use anyhow::Result;
use serde_json::json;

use super::{find::find, print_json, store};
use crate::{
    cli::{Common, ExportArgs},
    device::choose,
    exchange,
    finished::Finished,
    new_folder::new_folder,
};

pub fn export(args: &ExportArgs, common: &Common) -> Result<()> {
    let (results, record) = find(&args.run, args.results.as_deref())?;
    exchange::check_is_adapter(&record)?;
    let store = store(common)?;
    let run = Finished::load(&results, record, &store, choose(common.device)?)?;
    let files = new_folder(&args.to, |folder| exchange::export(&run, &store, &args.to, folder))?;
    if common.json {
        return print_json(&json!({ "run": run.record.id, "folder": args.to, "files": files }));
    }
    println!("{} as an adapter of Hugging Face PEFT in {}:", run.record.id, args.to.display());
    files.iter().for_each(|name| println!("  {name}"));
    Ok(())
}
