//! Puts tables where a page of text has a place for them.

use std::path::Path;

use anyhow::{Context, Result};

/// Replaces what stands between `<!-- NAME -->` and `<!-- /NAME -->` in a file.
///
/// # Errors
/// A file that cannot be read or written, or that has no such place.
pub fn fill(path: &Path, name: &str, block: &str) -> Result<()> {
    report::write_atomic(path, with_block(path, name, block)?.as_bytes())?;
    Ok(())
}

/// Refuses a file that has no place of a name, before hours go into what belongs there.
///
/// # Errors
/// A file that cannot be read, or that has no such place.
pub fn check(path: &Path, name: &str) -> Result<()> {
    with_block(path, name, "").map(drop)
}

fn with_block(path: &Path, name: &str, block: &str) -> Result<String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("{shown} cannot be read"))?;
    filled(&text, name, block).with_context(|| {
        format!(
            "{shown}: there is no place for a table; put <!-- {name} --> and <!-- /{name} --> \
             into it, each in a line of its own"
        )
    })
}

/// The text with the block in its place; `None` if there is no such place.
pub fn filled(text: &str, name: &str, block: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    let block = match block.trim() {
        "" => String::new(),
        block => format!("\n{block}\n\n"),
    };
    Some(format!("{before}{begin}{block}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_takes_its_place_and_leaves_all_else() {
        let page = "a\n<!-- speed -->\nold\n<!-- /speed -->\nb\n";
        let once = filled(page, "speed", "| new |\n").unwrap();
        assert_eq!(once, "a\n<!-- speed -->\n\n| new |\n\n<!-- /speed -->\nb\n");
        assert_eq!(filled(&once, "speed", "| new |").unwrap(), once);
        assert_eq!(filled(page, "growth", "x"), None);
    }
}
