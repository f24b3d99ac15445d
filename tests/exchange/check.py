"""Exchanges adapters with Hugging Face PEFT on a real model and compares the logits, both ways.

Out: `bench-suite run` trains every method on `movie` with MiniLM-L6, `bench-suite export` writes it,
Hugging Face PEFT loads it. In: Hugging Face PEFT trains and saves, `bench-suite import` reads it.
Both then answer the same 64 sentences. docs/exchange.md has the command and the result.
"""

import argparse
import contextlib
import importlib.metadata
import importlib.util
import json
import platform
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from peft import (
    AdaLoraConfig,
    LoraConfig,
    PeftModel,
    PrefixTuningConfig,
    PromptEncoderConfig,
    PromptTuningConfig,
    get_peft_model,
    get_peft_model_state_dict,
)
from safetensors.torch import load_file
from transformers import (
    AutoConfig,
    AutoTokenizer,
    BertForSequenceClassification,
    logging,
)

ROOT = Path(__file__).parents[2]
POOLED_BERT = ROOT / "bench-suite" / "src" / "exchange" / "pooled_bert.py"
MODEL = "minilm-l6"
CLASSES = ["negative", "positive"]
MAX_TOKENS = 128
TOLERANCE = 1e-4
MARKS = "<!-- check.py writes from here -->", "<!-- to here -->"

SHORT = ["train_rows=384", "validation_rows=64", "evaluations=1", "batch_size=16"]
ALL_ROLES = 'roles=["query","key","value","output","up","down"]'
PATTERNS = 'rank_pattern={"0.query"=2,"down"=3}', 'alpha_pattern={"value"=5}'

# Method, what is said of it, settings, pooling.
OUT = [
    ("lora", "default", [], "mean"),
    ("lora", "all maps, patterns by site", ["alpha=10", ALL_ROLES, *PATTERNS], "mean"),
    ("lora", "rank-stabilised, layers 1 and 4", ["rs_lora=true", "layers=[1,4]"], "cls"),
    ("lora", "rank 2", ["rank=2", 'init="gaussian"'], "pooler"),
    ("adalora", "default, pruned", ["interval=1"], "mean"),
    ("adalora", "all maps, from 6 to 1", ["initial_rank=6", "target_rank=1", ALL_ROLES], "pooler"),
    ("prompt_tuning", "default", [], "mean"),
    ("prompt_tuning", "from a text", ['init="text"', 'text="a fine film"', "tokens=5"], "pooler"),
    ("prompt_tuning", "placed as there", ["tokens=10"], "hf_pooler"),
    ("p_tuning", "MLP", [], "mean"),
    ("p_tuning", "LSTM", ['encoder="lstm"', "hidden=64"], "cls"),
    ("p_tuning", "placed as there", ["tokens=10"], "hf_pooler"),
    ("prefix_tuning", "direct", [], "mean"),
    ("prefix_tuning", "projected", ["projection=true", "hidden=64"], "pooler"),
    ("prefix_tuning", "placed as there", ["shift_positions=true"], "hf_pooler"),
]


def into():
    """Name, what is said of it, settings there, what the model class must know (None: its own)."""
    task = {"task_type": "SEQ_CLS"}
    two = task | {"target_modules": ["query", "value"]}
    mean = {"pooling": "mean"}
    yield "lora", "query, value", LoraConfig(**two, r=8, lora_alpha=16), None
    yield "lora", "all-linear but the pooler, patterns", LoraConfig(
        **task,
        target_modules="all-linear",
        exclude_modules=["pooler.dense"],
        use_rslora=True,
        rank_pattern={"query": 4, r"[0-2]\.output\.dense": 2},
        alpha_pattern={"value": 3},
    ), None
    yield "lora", "one layer", LoraConfig(**two, layers_to_transform=[3]), mean
    yield "adalora", "pruned", AdaLoraConfig(
        **two, init_r=6, target_r=2, lora_alpha=32, tinit=2, tfinal=4, total_step=N_STEPS
    ), None
    prompt = task | {"num_virtual_tokens": 12}
    knows = mean | {"n_prompt_rows": 12}
    yield "prompt_tuning", "random", PromptTuningConfig(**prompt), None
    yield "prompt_tuning", "random", PromptTuningConfig(**prompt), knows
    yield "p_tuning", "MLP", PromptEncoderConfig(**prompt, encoder_hidden_size=64), None
    lstm = {"encoder_reparameterization_type": "LSTM", "encoder_hidden_size": 32}
    yield "p_tuning", "LSTM", PromptEncoderConfig(**prompt, **lstm), knows
    yield "prefix_tuning", "direct", PrefixTuningConfig(**prompt), None
    yield "prefix_tuning", "direct", PrefixTuningConfig(**prompt), mean | {"shift_positions": False}
    projected = {"prefix_projection": True, "encoder_hidden_size": 64}
    yield "prefix_tuning", "projected", PrefixTuningConfig(**prompt, **projected), None


N_STEPS = 12


class Suite:
    """The program."""

    def __init__(self, command):
        self.command = command

    def json(self, *words):
        ran = subprocess.run(
            [*self.command, *words, "--json", "--device", "flex"], capture_output=True, text=True
        )
        if ran.returncode != 0:
            sys.exit(f"{' '.join(words[:8])} …\n{ran.stderr}")
        return json.loads(ran.stdout)

    def path(self, asset):
        return Path(self.json("fetch", asset)[0]["path"])

    def logits(self, run, results, texts):
        """Of each text; flags first, since a text may begin with a dash."""
        ran = subprocess.run(
            [*self.command, "predict", run, "--results", results, "--json", "--device", "flex"]
            + ["--", *texts],
            capture_output=True,
            text=True,
        )
        if ran.returncode != 0:
            sys.exit(ran.stderr)
        answers = [json.loads(line) for line in ran.stdout.splitlines()]
        return torch.tensor([answer["logits"] for answer in answers])


def sentences(folder):
    """64 movie reviews of all lengths, and the class of each by its rating."""
    lines = (folder / "movieReviewSnippets_GroundTruth.txt").read_text("utf-8", "replace")
    rows = [line.split("\t") for line in lines.splitlines() if line.count("\t") == 2]
    rows.sort(key=lambda row: (len(row[2]), row[0]))
    rows = [rows[i * len(rows) // 64] for i in range(64)]
    return [text.strip() for *_, text in rows], [int(float(rating) > 0) for _, rating, _ in rows]


class Check:
    """Both directions, and what came of them."""

    def __init__(self, suite, work):
        self.suite, self.work = suite, work
        self.base = suite.path(MODEL)
        self.tokenizer = AutoTokenizer.from_pretrained(self.base)
        self.texts, self.labels = sentences(suite.path("sentiment-sentences"))
        self.rows, self.failed = [], False

    def inputs(self, texts):
        return self.tokenizer(
            texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        )

    def compare(self, way, method, what, pooling, ours, theirs):
        difference = (ours - theirs).abs().max().item()
        same = (ours.argmax(1) == theirs.argmax(1)).sum().item()
        good = difference <= TOLERANCE and same == len(self.texts)
        self.failed |= not good
        row = [way, f"`{method}`", what, pooling, f"{difference:.1e}", f"{same} of {len(ours)}"]
        self.rows.append(row)
        print(" | ".join(row), "" if good else "   <-- too far", flush=True)

    def out(self, method, what, config, pooling):
        number = len(self.rows)
        results, folder = str(self.work / f"runs{number}"), self.work / f"adapter{number}"
        words = ["run", "--method", method, "--task", "movie", "--results", results]
        words += [word for setting in config for word in ("--config", setting)]
        words += [word for setting in SHORT for word in ("--training", setting)]
        [record] = self.suite.json(*words, "--pooling", pooling)
        self.suite.json("export", record["id"], "--results", results, "--to", str(folder))
        model = self.load(folder)
        with torch.no_grad():
            theirs = model(**self.inputs(self.texts)).logits
        ours = self.suite.logits(record["id"], results, self.texts)
        self.compare("out", method, what, pooling, ours, theirs)
        if pooling == "hf_pooler" or pooling == "pooler" and method in ("lora", "adalora"):
            # Placed as there: Hugging Face's own class does it too.
            own = BertForSequenceClassification.from_pretrained(self.base, num_labels=len(CLASSES))
            own = PeftModel.from_pretrained(own, folder).eval()
            with torch.no_grad():
                theirs = own(**self.inputs(self.texts)).logits
            self.compare("out", method, what + ", its own class", pooling, ours, theirs)

    def load(self, folder):
        """As the model card says; and every tensor of the file must have found its place."""
        config = AutoConfig.from_pretrained(folder)
        model = class_in(folder / "pooled_bert.py").from_pretrained(self.base, config=config)
        with load_results() as results:
            model = PeftModel.from_pretrained(model, folder).eval()
        [keys] = results
        # The library itself calls the one tensor of its prompts unexpected, and then loads it.
        is_prompt = model.peft_config["default"].is_prompt_learning
        odd = {*keys.unexpected_keys} - {"prompt_embeddings" if is_prompt else None}
        if keys.missing_keys or odd:
            sys.exit(f"{folder}: missing {keys.missing_keys}, unexpected {odd}")
        in_file = load_file(folder / "adapter_model.safetensors")
        in_model = get_peft_model_state_dict(model)
        if in_file.keys() != in_model.keys():
            sys.exit(f"{folder}: {sorted(in_file.keys() ^ in_model.keys())} differ")
        for name, tensor in in_file.items():
            if not torch.equal(tensor, in_model[name]):
                sys.exit(f"{folder}: {name} was not loaded")
        return model

    def into(self, method, what, config, knows):
        folder = self.work / f"from_peft{len(self.rows)}"
        torch.manual_seed(len(self.rows))
        if knows is None:
            base = BertForSequenceClassification.from_pretrained(
                self.base, num_labels=len(CLASSES)
            )
        else:
            settings = AutoConfig.from_pretrained(self.base, id2label=dict(enumerate(CLASSES)))
            # Fields that the library does not know it takes as attributes only.
            vars(settings).update(knows)
            base = class_in(POOLED_BERT).from_pretrained(self.base, config=settings)
        model = get_peft_model(base, config).eval()
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=5e-3)
        for step in range(1, N_STEPS + 1):
            at = range((step - 1) * 5 % 48, (step - 1) * 5 % 48 + 16)
            batch = self.inputs([self.texts[i] for i in at])
            labels = torch.tensor([self.labels[i] for i in at])
            model(**batch, labels=labels).loss.backward()
            optimizer.step()
            if isinstance(config, AdaLoraConfig):
                model.base_model.update_and_allocate(step)
            optimizer.zero_grad()
        model.save_pretrained(folder)
        if knows is not None:
            base.config.save_pretrained(folder)
        with torch.no_grad():
            theirs = model(**self.inputs(self.texts)).logits
        results = str(self.work / f"imported{len(self.rows)}")
        names = ["--classes", ",".join(CLASSES)] if knows is None else []
        record = self.suite.json(
            "import", str(folder), "--model", MODEL, "--results", results, *names
        )
        if record["task"]["classes"] != CLASSES:
            sys.exit(f"{folder}: classes {record['task']['classes']}")
        ours = self.suite.logits(record["id"], results, self.texts)
        pooling = record["backbone"]["pooling"] + (", its own class" if knows is None else "")
        self.compare("in", method, what, pooling, ours, theirs)


@contextlib.contextmanager
def load_results():
    """What `load_adapter` finds out about keys and `from_pretrained` does not tell."""
    load, results = PeftModel.load_adapter, []

    def load_and_keep(*args, **kwargs):
        results.append(load(*args, **kwargs))
        return results[-1]

    PeftModel.load_adapter = load_and_keep
    yield results
    PeftModel.load_adapter = load
    assert len(results) == 1


def class_in(path):
    spec = importlib.util.spec_from_file_location("pooled_bert", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PooledBert


def page(check):
    """The table, and what it was made with."""
    packages = ["torch", "transformers", "peft", "safetensors"]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    lengths = check.inputs(check.texts)["attention_mask"].sum(1)
    lines = [
        f"{len(check.texts)} sentences of {lengths.min()} to {lengths.max()} tokens; "
        f"Python {platform.python_version()}, {versions}; {cpu()}, float32.",
        "",
        "| way | method | settings | pooling | largest difference | same predictions |",
        "| --- | --- | --- | --- | ---: | ---: |",
        *(f"| {' | '.join(row)} |" for row in check.rows),
    ]
    return "\n".join(lines)


def cpu():
    lines = Path("/proc/cpuinfo")
    names = lines.read_text().splitlines() if lines.is_file() else []
    names = [line.split(":")[1].strip() for line in names if line.startswith("model name")]
    return f"{len(names)} cores of an {names[0]}" if names else platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", help="the program [default: cargo run -p bench-suite]")
    parser.add_argument("--only", help="methods whose names begin so", default="")
    parser.add_argument("--write", type=Path, help="page to write the table into")
    arguments = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.simplefilter("ignore")
    cargo = ["cargo", "run", "--quiet", "--release", "-p", "bench-suite", "--"]
    suite = Suite([arguments.program] if arguments.program else cargo)
    with tempfile.TemporaryDirectory() as work:
        check = Check(suite, Path(work))
        for case in OUT:
            if case[0].startswith(arguments.only):
                check.out(*case)
        for case in into():
            if case[0].startswith(arguments.only):
                check.into(*case)
    if arguments.write:
        before, rest = arguments.write.read_text().split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        text = f"{before}{MARKS[0]}\n\n{page(check)}\n\n{MARKS[1]}{after}"
        arguments.write.write_text(text)
    if check.failed:
        sys.exit(f"more than {TOLERANCE:g} apart, or other predictions")


if __name__ == "__main__":
    main()
