"""Hugging Face PEFT's side of `bench-suite bench --against PYTHON`.

Reads a job as one line of JSON from standard input: the model's folder, rows as token ids, the
rows of every batch, and a method with its settings. Then

- as a worker (`whole_runs` is false): trains one round to warm up, and after that does a round
  whenever a line asks for one (`train`, `phases`, `evaluate`), and answers with what it took;
- with whole runs: trains every run to its end, tests the best checkpoint, and answers with the
  accuracies and the seconds.

The methods are PEFT's own, at their best settings for speed on a processor: SDPA attention,
fused AdamW, and no dropout, which bench-suite has not either. See docs/performance.md.
"""

import json
import sys
import time
import warnings

# Nothing but answers goes to standard output.
ANSWERS, sys.stdout = sys.stdout, sys.stderr
warnings.filterwarnings("ignore")

try:
    import peft
    import torch
    import transformers
    from transformers.modeling_outputs import SequenceClassifierOutput
    from transformers.models.bert.modeling_bert import BertModel, BertPreTrainedModel
except ImportError as error:
    sys.exit(str(error))

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

SITES = {
    "query": r"attention\.self\.query",
    "key": r"attention\.self\.key",
    "value": r"attention\.self\.value",
    "output": r"attention\.output\.dense",
    "up": r"intermediate\.dense",
    "down": r"output\.dense",
}


def say(answer):
    """One line for who listens, at once."""
    print(answer if isinstance(answer, str) else json.dumps(answer), file=ANSWERS, flush=True)


def peak_bytes():
    """Most resident memory of this process."""
    try:
        with open("/proc/self/status") as status:
            line = next(line for line in status if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        return None


class Classifier(BertPreTrainedModel):
    """BERT, the mean over the true tokens, and a linear head."""

    def __init__(self, config):
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.classifier = torch.nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids=None,
        attention_mask=None,
        token_type_ids=None,
        inputs_embeds=None,
        labels=None,
        past_key_values=None,
        **_,
    ):
        text = input_ids if input_ids is not None else inputs_embeds
        n_seen = text.shape[1]
        mask = attention_mask
        if past_key_values is not None:
            # A mask over the keys of prefix and text; BertModel alone makes one for the text.
            mask = mask[:, None, None, :].bool().expand(-1, 1, n_seen, -1)
        hidden = self.bert(
            input_ids=input_ids,
            attention_mask=mask,
            token_type_ids=token_type_ids,
            inputs_embeds=inputs_embeds,
            past_key_values=past_key_values,
        ).last_hidden_state
        # Virtual tokens take no part in the mean.
        n_text = self.n_text
        weights = attention_mask[:, -n_text:].to(hidden.dtype)
        weights = weights / weights.sum(1, keepdim=True)
        logits = self.classifier((hidden[:, -n_text:] * weights[:, :, None]).sum(1))
        loss = None
        if labels is not None:
            loss = torch.nn.functional.cross_entropy(logits.float(), labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)


def targets(config):
    sites = "|".join(SITES[role] for role in config["roles"])
    layers = config.get("layers")
    layer = r"\d+" if layers is None else "(" + "|".join(map(str, layers)) + ")"
    return rf".*encoder\.layer\.{layer}\.({sites})"


def peft_config(method, config, n_steps):
    """The same method and size, as PEFT says it."""
    task = {"task_type": "SEQ_CLS"}
    if method == "lora":
        return peft.LoraConfig(
            r=config["rank"],
            lora_alpha=config["alpha"],
            lora_dropout=config["dropout"],
            use_rslora=config["rs_lora"],
            target_modules=targets(config),
            **task,
        )
    if method == "adalora":
        return peft.AdaLoraConfig(
            target_r=config["target_rank"],
            init_r=config["initial_rank"],
            lora_alpha=config["alpha"],
            orth_reg_weight=config["orthogonality"],
            beta1=config["beta_sensitivity"],
            beta2=config["beta_uncertainty"],
            tinit=round(config["warmup_share"] * n_steps),
            tfinal=round(config["final_share"] * n_steps),
            deltaT=config["interval"],
            total_step=n_steps,
            target_modules=targets(config),
            **task,
        )
    if method == "prompt_tuning":
        return peft.PromptTuningConfig(num_virtual_tokens=config["tokens"], **task)
    if method == "p_tuning":
        return peft.PromptEncoderConfig(
            num_virtual_tokens=config["tokens"],
            encoder_reparameterization_type=config["encoder"].upper(),
            encoder_hidden_size=config["hidden"],
            encoder_num_layers=config["lstm_layers"],
            **task,
        )
    if method == "prefix_tuning":
        return peft.PrefixTuningConfig(
            num_virtual_tokens=config["tokens"],
            prefix_projection=config["projection"],
            encoder_hidden_size=config["hidden"],
            **task,
        )
    sys.exit(f"method '{method}' has no counterpart in peft_side.py")


class Run:
    """One method on one model."""

    def __init__(self, job, run):
        self.job, self.run, self.training = job, run, run["training"]
        self.method = run["method"]
        torch.manual_seed(0)
        config = transformers.AutoConfig.from_pretrained(job["model"])
        config.num_labels = job["n_classes"]
        config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
        self.base = Classifier.from_pretrained(
            job["model"], config=config, attn_implementation="sdpa", dtype=torch.float32
        )
        self.model = self.base
        if self.method == "head":
            self.base.bert.requires_grad_(False)
        elif self.method != "full":
            settings = dict(run["config"])
            if "hidden" in settings and settings["hidden"] is None:
                settings["hidden"] = config.hidden_size
            self.model = peft.get_peft_model(
                self.base, peft_config(self.method, settings, len(run["batches"]))
            )
        trained = [(n, p) for n, p in self.model.named_parameters() if p.requires_grad]
        head = [p for n, p in trained if "classifier" in n]
        body = [p for n, p in trained if "classifier" not in n]
        self.trained = head + body
        self.groups = [{"params": head, "lr": self.training["head_learning_rate"]}]
        if body:
            self.groups.append({"params": body, "lr": self.training["learning_rate"] or 0.0})

    def rate(self, step):
        """Share of the highest learning rate, linear up and down; steps count from 0 here."""
        total = len(self.run["batches"])
        warmup = round(self.training["warmup_share"] * total)
        if step < warmup:
            return (step + 1) / warmup
        return 1.0 - (step - warmup) / max(total - warmup, 1)

    def autocast(self):
        is_low = self.job["precision"] == "bfloat16"
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_low)

    def batch(self, rows, split):
        rows = [self.job[split][row] for row in rows]
        longest = max(len(row["ids"]) for row in rows)
        pad = lambda key: torch.tensor([r[key] + [0] * (longest - len(r[key])) for r in rows])
        mask = [[1] * len(r["ids"]) + [0] * (longest - len(r["ids"])) for r in rows]
        self.base.n_text = longest
        return {
            "input_ids": pad("ids"),
            "token_type_ids": pad("type_ids"),
            "attention_mask": torch.tensor(mask),
            "labels": torch.tensor([row["label"] for row in rows]),
        }

    def step(self, number, rows, lap):
        batch = self.batch(rows, "train")
        lap("data")
        with self.autocast():
            loss = self.model(**batch).loss
        lap("forward")
        loss.backward()
        lap("backward")
        if self.training["clip_norm"] > 0:
            torch.nn.utils.clip_grad_norm_(self.trained, self.training["clip_norm"])
        self.optimizer.step()
        self.scheduler.step()
        if self.method == "adalora":
            self.model.base_model.update_and_allocate(number)
        self.optimizer.zero_grad()
        lap("optimizer")
        return loss.detach()

    def evaluate(self, split):
        """Accuracy and mean loss."""
        self.model.eval()
        right, loss, n = 0, 0.0, 0
        with torch.inference_mode(), self.autocast():
            for rows in self.job[f"{split}_batches"]:
                batch = self.batch(rows, split)
                labels = batch.pop("labels")
                logits = self.model(**batch).logits.float()
                right += int((logits.argmax(1) == labels).sum())
                loss += float(torch.nn.functional.cross_entropy(logits, labels, reduction="sum"))
                n += len(rows)
        self.model.train()
        return right / n, loss / n

    def train(self, lap=lambda phase: None, after_step=lambda step: None):
        """All steps with a fresh optimizer."""
        self.model.train()
        groups = [dict(group) for group in self.groups]
        decay = self.training["weight_decay"]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=decay, eps=1e-8, fused=True)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self.rate)
        for number, rows in enumerate(self.run["batches"], 1):
            self.step(number, rows, lap)
            after_step(number)

    def tokens(self):
        rows = (row for batch in self.run["batches"] for row in batch)
        return sum(len(self.job["train"][row]["ids"]) for row in rows)


def train_round(run, with_phases):
    phases = dict.fromkeys(("data", "forward", "backward", "optimizer"), 0.0)
    clock = since = time.perf_counter()

    def lap(phase):
        nonlocal since
        now = time.perf_counter()
        phases[phase] += now - since
        since = now

    run.train(lap if with_phases else lambda phase: None)
    return {
        "seconds": time.perf_counter() - clock,
        "steps": len(run.run["batches"]),
        "tokens": run.tokens(),
        "peak_bytes": peak_bytes(),
        "phases": phases if with_phases else None,
    }


def evaluate_round(job, run):
    clock = time.perf_counter()
    run.evaluate("test")
    seconds = time.perf_counter() - clock
    tokens = sum(len(row["ids"]) for row in job["test"])
    return {
        "seconds": seconds, "steps": 0, "tokens": tokens, "peak_bytes": peak_bytes(),
        "phases": None,
    }


def work(job):
    run = Run(job, job["runs"][0])
    run.train(after_step=lambda step: say("first step") if step == 1 else None)
    say("ready")
    for request in sys.stdin:
        request = request.strip()
        if request == "evaluate":
            say(evaluate_round(job, run))
        else:
            say(train_round(run, request == "phases"))


def whole_run(job, plan):
    """Trains to the end, keeps the best checkpoint by validation, tests it."""
    clock = time.perf_counter()
    if plan["method"] == "majority":
        labels = [row["label"] for row in job["train"]]
        commonest = max(set(labels), key=labels.count)
        test = sum(row["label"] == commonest for row in job["test"]) / len(job["test"])
        return {"method": "majority", "test_accuracy": test, "seconds": time.perf_counter() - clock}
    run = Run(job, plan)
    n, looks = len(plan["batches"]), plan["training"]["evaluations"]
    best = None

    def after_step(step):
        nonlocal best
        if step != n and step * looks // n == (step - 1) * looks // n:
            return
        accuracy, loss = run.evaluate("validation")
        # AdaLoRA has its final size only after the last pruning.
        final = n - round(plan["config"].get("final_share", 0) * n)
        settled = plan["method"] != "adalora" or step >= final
        if settled and (best is None or (accuracy, -loss) > best[0]):
            kept = [parameter.detach().clone() for parameter in run.trained]
            best = ((accuracy, -loss), kept)

    run.train(after_step=after_step)
    with torch.no_grad():
        for parameter, kept in zip(run.trained, best[1]):
            parameter.copy_(kept)
    test, _ = run.evaluate("test")
    return {
        "method": plan["method"],
        "test_accuracy": test,
        "validation_accuracy": best[0][0],
        "seconds": time.perf_counter() - clock,
    }


def main():
    if sys.argv[1:] == ["versions"]:
        modules = (torch, transformers, peft)
        say({module.__name__: module.__version__ for module in modules})
        return
    job = json.loads(sys.stdin.readline())
    torch.set_num_threads(job["threads"])
    if job["whole_runs"]:
        for plan in job["runs"]:
            say(whole_run(job, plan))
    else:
        work(job)


if __name__ == "__main__":
    main()
