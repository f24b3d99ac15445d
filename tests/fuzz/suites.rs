//! Suite files.

use std::path::Path;

use bench_suite::suite::{SUITES, Suite};

use crate::reader::{Reader, Seed};

const FILE: &str = "suite.toml";

const WHOLE: &str = r#"title = "Everything that a suite can say"
seeds = [1, 2]
model = { name = "minilm-l6", pooling = "cls", max_tokens = 64 }
training = { epochs = 2, batch_size = 16, schedule = "cosine", warmup_share = 0.1 }

[task]
train = "rows.csv"
text = "review"
label = "stars"
encoding = "latin1"

[[run]]
method = "lora"
config = { rank = 4, alpha = 8.5, roles = ["query", "up"], layers = [0, 1] }
training = { learning_rate = 1e-3 }
seeds = [3]

[[run]]
method = "adalora"
[run.config]
target_rank = 2
initial_rank = 4

[[run]]
method = "p_tuning"
config = { encoder = "lstm", hidden = 32 }

[[run]]
method = "head"
"#;

fn read(folder: &Path) -> Result<(), String> {
    let path = folder.join(FILE);
    let suite = Suite::find(&path.display().to_string()).map_err(|error| format!("{error:#}"))?;
    assert!(suite.runs.iter().all(|run| run.training.check().is_ok()));
    Ok(())
}

#[test]
fn suite() {
    let built_in = SUITES.iter().map(|(_, text)| Seed::plain(*text));
    let seeds = built_in.chain([Seed::plain(WHOLE)]).collect();
    Reader::new(FILE, seeds, read).fixed_bytes(16 << 20).holds("suite");
}
