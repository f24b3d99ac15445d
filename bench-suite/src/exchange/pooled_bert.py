"""BERT for sequence classification with the pooling of the run that an adapter came from.

`config.pooling` says how a sentence vector is made of the hidden states:

- mean:      their mean over the true tokens
- cls:       that of the true [CLS]
- pooler:    BERT's pooler on the true [CLS]
- hf_pooler: BERT's pooler on the first row, which under a prompt is a virtual token

`config.n_prompt_rows` is how many rows a prompt puts before the text. `config.shift_positions`
says whether the text's positions begin after the keys and values of a prefix, as they do in
Hugging Face's BERT, or at 0.
"""

import torch
from transformers import BertModel, BertPreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class PooledBert(BertPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.pooling = getattr(config, "pooling", "mean")
        if self.pooling not in ("mean", "cls", "pooler", "hf_pooler"):
            raise ValueError(f"config.pooling is {self.pooling!r}")
        self.n_prompt_rows = getattr(config, "n_prompt_rows", 0)
        self.shift_positions = getattr(config, "shift_positions", False)
        self.num_labels = config.num_labels
        self.bert = BertModel(config, add_pooling_layer="pooler" in self.pooling)
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
        given = input_ids if inputs_embeds is None else inputs_embeds
        n_rows = given.shape[1]
        positions = None
        if past_key_values is not None and not self.shift_positions:
            positions = torch.arange(n_rows, device=given.device).unsqueeze(0)
        hidden = self.bert(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=positions,
            inputs_embeds=inputs_embeds,
            past_key_values=past_key_values,
        ).last_hidden_state
        # A prompt comes as embeddings; without it, as when it is disabled, there are ids.
        n_prompt = 0 if inputs_embeds is None else self.n_prompt_rows
        if attention_mask is None:
            attention_mask = torch.ones(hidden.shape[:2], device=hidden.device)
        logits = self.classifier(self.pool(hidden, attention_mask, n_prompt))
        loss = None
        if labels is not None:
            loss = torch.nn.functional.cross_entropy(logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)

    def pool(self, hidden, mask, n_prompt):
        if self.pooling == "hf_pooler":
            return self.bert.pooler(hidden)
        hidden = hidden[:, n_prompt:]
        if self.pooling == "pooler":
            return self.bert.pooler(hidden)
        if self.pooling == "cls":
            return hidden[:, 0]
        # The mask also covers what came before the text.
        mask = mask[:, -hidden.shape[1] :, None].to(hidden.dtype)
        return (hidden * mask).sum(1) / mask.sum(1)
