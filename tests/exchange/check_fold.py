"""Loads folded checkpoints in Hugging Face transformers and compares the logits.

`bench-suite run` trains on `movie` with MiniLM-L6, `bench-suite fold` writes a plain checkpoint,
transformers loads it. Both then answer the same 64 sentences. Pooled by the model's own pooler the
checkpoint answers as it is; pooled otherwise, its encoder and its head do, as its README says.

    pip install -r tests/fixtures/requirements.txt
    python tests/exchange/check_fold.py
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    logging,
)

MAX_TOKENS = 128
TOLERANCE = 1e-4

SHORT = ["train_rows=384", "validation_rows=64", "evaluations=1", "batch_size=16"]
ALL_ROLES = 'roles=["query","key","value","output","up","down"]'
PATTERNS = 'rank_pattern={"0.query"=2,"down"=3}', 'alpha_pattern={"value"=5}'

# Method, what is said of it, settings, pooling.
CASES = [
    ("lora", "default", [], "mean"),
    ("lora", "all maps, patterns by site", ["alpha=10", ALL_ROLES, *PATTERNS], "cls"),
    ("lora", "rank-stabilised, rank 2", ["rs_lora=true", "rank=2"], "pooler"),
    ("adalora", "default, pruned", ["interval=1"], "mean"),
    ("adalora", "all maps, from 6 to 1", ["initial_rank=6", "target_rank=1", ALL_ROLES], "pooler"),
    ("full", "default", [], "mean"),
    ("full", "default", [], "pooler"),
    ("head", "default", [], "mean"),
    ("head", "default", [], "pooler"),
]


class Suite:
    """The program."""

    def __init__(self, command):
        self.command = command

    def tell(self, *words):
        flags = ["--json", "--device", "flex"]
        ran = subprocess.run([*self.command, *words, *flags], capture_output=True, text=True)
        if ran.returncode != 0:
            sys.exit(f"{' '.join(words[:8])} …\n{ran.stderr}")
        return ran.stdout

    def train(self, method, config, pooling, results):
        words = ["run", "--method", method, "--task", "movie", "--pooling", pooling]
        words += [word for setting in config for word in ("--config", setting)]
        words += [word for setting in SHORT for word in ("--training", setting)]
        [record] = json.loads(self.tell(*words, "--results", results))
        return record["id"]

    def logits(self, run, results, file):
        lines = self.tell("predict", run, "--results", results, "--file", str(file))
        return torch.tensor([json.loads(line)["logits"] for line in lines.splitlines()])

    def path(self, asset):
        return Path(json.loads(self.tell("fetch", asset))[0]["path"])


def sentences(folder):
    """64 movie reviews of all lengths."""
    lines = (folder / "movieReviewSnippets_GroundTruth.txt").read_text("utf-8", "replace")
    texts = [line.split("\t")[2] for line in lines.splitlines() if line.count("\t") == 2]
    texts.sort(key=lambda text: (len(text), text))
    return [texts[i * len(texts) // 64].strip() for i in range(64)]


def answers(folder, pooling, texts):
    """What transformers makes of a folder, told nothing but the pooling."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    batch = tokenizer(
        texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
    )
    if pooling == "pooler":
        model, found = AutoModelForSequenceClassification.from_pretrained(
            folder, output_loading_info=True
        )
        check_loaded(folder, found, unexpected="position_ids")
        if list(model.config.id2label.values()) != ["negative", "positive"]:
            sys.exit(f"{folder}: classes {model.config.id2label}")
        with torch.no_grad():
            return model.eval()(**batch).logits
    model, found = AutoModel.from_pretrained(folder, output_loading_info=True)
    check_loaded(folder, found, unexpected="classifier")
    head = load_file(folder / "model.safetensors")
    with torch.no_grad():
        hidden = model.eval()(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1)
    vectors = (hidden * mask).sum(1) / mask.sum(1) if pooling == "mean" else hidden[:, 0]
    return vectors @ head["classifier.weight"].T + head["classifier.bias"]


def check_loaded(folder, found, unexpected):
    """Every tensor of the model is in the file; of the file, all but what is not of the model."""
    extra = [name for name in found["unexpected_keys"] if unexpected not in name]
    if found["missing_keys"] or extra or found["mismatched_keys"]:
        sys.exit(f"{folder}: {found}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", help="the program [default: cargo run -p bench-suite]")
    arguments = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    cargo = ["cargo", "run", "--quiet", "--release", "-p", "bench-suite", "--"]
    suite = Suite([arguments.program] if arguments.program else cargo)
    texts = sentences(suite.path("sentiment-sentences"))
    failed = False
    print("| method | settings | pooling | largest difference | same predictions |")
    print("| --- | --- | --- | ---: | ---: |")
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        (work / "texts.txt").write_text("\n".join(texts) + "\n")
        for number, (method, what, config, pooling) in enumerate(CASES):
            results, folder = str(work / f"runs{number}"), work / f"folded{number}"
            run = suite.train(method, config, pooling, results)
            suite.tell("fold", run, "--results", results, "--to", str(folder))
            ours = suite.logits(run, results, work / "texts.txt")
            theirs = answers(folder, pooling, texts)
            difference = (ours - theirs).abs().max().item()
            same = (ours.argmax(1) == theirs.argmax(1)).sum().item()
            failed |= difference > TOLERANCE or same != len(texts)
            cells = [f"`{method}`", what, pooling, f"{difference:.1e}", f"{same} of {len(texts)}"]
            print(f"| {' | '.join(cells)} |", flush=True)
    if failed:
        sys.exit(f"more than {TOLERANCE:g} apart, or other predictions")


if __name__ == "__main__":
    main()
