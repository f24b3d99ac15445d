//! `merge`: results folders of several machines become one.

use std::path::{Path, PathBuf};

use anyhow::Result;
use report::{ResultsDir, format::plural, merge, render};

use super::{print_json, report::title};
use crate::cli::Common;

pub fn merge_folders(from: &[PathBuf], to: &Path, common: &Common) -> Result<()> {
    let folders: Vec<ResultsDir> =
        from.iter().map(|folder| ResultsDir::existing(folder)).collect::<Result<_, _>>()?;
    let merged = merge(&folders, to)?;
    let results = ResultsDir::existing(to)?;
    let suite = results.suite()?;
    let n_missing = match &suite {
        Some(suite) => suite.n_missing(&results.read_all()?),
        None => 0,
    };
    let rendered = match results.is_empty()? {
        true => None,
        false => Some(render(&results, &title(&results)?)?),
    };
    if common.json {
        return print_json(&serde_json::json!({
            "new": merged.n_new, "runs": merged.n_runs, "missing": n_missing,
        }));
    }
    println!("{} in {}, {} of them new.", plural(merged.n_runs, "run"), to.display(), merged.n_new);
    if n_missing > 0 {
        println!("{} of the suite not recorded yet.", plural(n_missing, "run"));
    }
    if let Some(rendered) = rendered {
        println!("  {}\n  {}", rendered.html.display(), rendered.markdown.display());
    }
    Ok(())
}
