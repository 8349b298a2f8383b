"""``python -m eval.training.reranker``: learns to read a question and a passage together.

The upper layers of the embedding model's transformer and two linear layers are trained on groups of one passage that answers
and some that do not. The first layer, over the whole pair, has two outputs: relevance, learned by the cross entropy of the group,
and whether the passage answers. The second, over each token, says where the words that answer begin and end; where nothing
answers, that is the sign that begins the text (Devlin et al., "BERT", 2019, for SQuAD 2.0). Questions without an answer give
passages of the document that nearly answers, and some of those with one are made such by exchanging a name or a number. A
quarter of the questions are turned into bare keywords, as people type them. What was learned is kept as a difference of low rank
to the embedding model's own weights (singular values, Eckart and Young, 1936).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.training.examples import Example, Proposed, read_examples
from eval.training.exchanges import Kind, exchanged, names_by_kind
from eval.training.keywords import as_keywords
from eval.training.spans import answer_span
from rag import e5
from rag.embedding import computes_bfloat16
from rag.reranking import MAX_TOKENS, WORDS, with_learned
from rag.settings import load_settings
from rag.text import to_simplified

if TYPE_CHECKING:
    import torch

_KEYWORDS = 0.25
"""Share of the questions that are turned into keywords."""
_HARDEST = 6
"""All wrong passages but one are of so many that stand highest."""
_DEPTH = 24
_MEANT = 200
"""Examples from which the means of token vectors are taken."""
_OFTEN = {"near": 2.5, "web": 1.5, "rules": 1.5}
"""How many times as often as by their size sets are drawn from that hold what the public ones do not: near misses, and other
kinds of question."""
_EXCHANGED = 0.25
"""Share of the questions with an answer that lose it by exchanging a name or number."""
_NOWHERE = -1e4
"""The score of a place behind the text."""
_UNKNOWN = -100
"""A place that nothing is learned of."""
_HELD_TO = 0.3
"""How often a passage of the right document that does not answer stands among the wrong ones."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train. ``frozen`` are the lowest layers, left as they are; ``rank`` is that of the difference kept."""

    steps: int
    questions: int = 8
    wrong: int = 3
    rate: float = 6e-5
    head_rate: float = 1e-3
    frozen: int = 4
    rank: int = 48
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Group:
    """A question with passages; ``first`` is whether the first of them answers, else none does.

    ``span`` is the range of the words that answer in the first passage, None where it is not known.
    """

    question: str
    passages: tuple[str, ...]
    first: bool
    span: tuple[int, int] | None = None


def group_of(
    example: Example, wrong: int, rng: random.Random, names: Mapping[Kind, Sequence[str]]
) -> Group | None:
    """A group drawn from an example; None where it has too few passages.

    :param names: what a name may be exchanged for
    """
    answering = [item for item in example.proposed if item.label == "answers"]
    others = [item for item in example.proposed if item.label == "wrong"][:_DEPTH]
    near = [item for item in example.proposed if item.label == "document"]
    question = as_keywords(example.question, rng) if rng.random() < _KEYWORDS else example.question
    if not example.answerable:
        drawn = [*near, *others[: 2 * wrong]]
        chosen = rng.sample(drawn, min(wrong, len(drawn)))
        return Group(question, _texts(chosen), first=False) if chosen else None
    if not answering or len(others) < wrong:
        return None
    right = rng.choice(answering)
    if rng.random() < _EXCHANGED:
        other = exchanged(question, right.text, names, rng)
        if other is not None:
            return Group(other, _texts([right, *others[: wrong - 1]]), first=False)
    chosen = rng.sample(others[:_HARDEST], min(wrong - 1, _HARDEST))
    chosen.append(rng.choice([item for item in others if item not in chosen]))
    if near and rng.random() < _HELD_TO:
        chosen[-1] = rng.choice(near)
    span = answer_span(right.text, example.answers, example.question)
    return Group(question, _texts([right, *chosen]), first=True, span=span)


def _texts(items: Sequence[Proposed]) -> tuple[str, ...]:
    return tuple(item.text for item in items)


def train(
    examples: Sequence[Example], plan: Plan, folder: Path, checkpoint: Path, begun: Path | None = None
) -> Any:
    """Train on examples; tells the progress on standard error, and goes on from ``checkpoint`` where it is there.

    ``begun`` is what it begins with: the checkpoint of an earlier training, or a difference that one has written.

    A set is drawn from by the square root of its size, so that the largest does not drown the others, some more often.
    """
    import numpy as np
    import torch
    from transformers import AutoTokenizer

    rng = random.Random(plan.seed)  # noqa: S311 - no secret
    torch.manual_seed(plan.seed)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = _model(folder, plan.frozen)
    if begun is not None:
        _begin_with(model, begun)
    names = names_by_kind(example.question for example in examples)
    body = [p for p in model.transformer.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        [
            {"params": body, "lr": plan.rate},
            {"params": [*model.head.parameters(), *model.spans.parameters()], "lr": plan.head_rate},
        ],
        weight_decay=0.01,
    )
    warm = max(1, plan.steps // 16)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / warm) * max(0.02, 1.0 - step / plan.steps)
    )
    begin = _resumed(checkpoint, model, optimizer, schedule, rng)
    sizes = Counter(example.set for example in examples)
    weights = [_OFTEN.get(example.set, 1.0) * sizes[example.set] ** -0.5 for example in examples]
    # Without the instructions for them, 16-bit floats are computed four times as slowly as 32-bit ones.
    half = computes_bfloat16()
    order: list[int] = []
    told: list[tuple[float, ...]] = []
    started = time.monotonic()
    for step in range(begin, plan.steps):
        groups: list[Group] = []
        while len(groups) < plan.questions:
            if not order:
                order = rng.choices(range(len(examples)), weights, k=len(examples))
            group = group_of(examples[order.pop()], plan.wrong, rng, names)
            if group is not None:
                groups.append(group)
        encoded = tokenizer(
            [to_simplified(group.question) for group in groups for _ in group.passages],
            [passage for group in groups for passage in group.passages],
            truncation="only_second",
            max_length=MAX_TOKENS,
            padding=True,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        places = _places(encoded, groups)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            found, spans = by_length(model, encoded["input_ids"], encoded["attention_mask"])
        told.append(_learn(found.float(), spans.float(), groups, places, model, optimizer))
        schedule.step()
        if (step + 1) % 25 == 0 or step + 1 == plan.steps:
            loss, answer_loss, span_loss, right = np.mean(told[-50:], 0)
            left = (time.monotonic() - started) / (step + 1 - begin) * (plan.steps - step - 1) / 60
            sys.stderr.write(
                f"step {step + 1} of {plan.steps}: ranking {loss:.3f}, answering {answer_loss:.3f}, words {span_loss:.3f},"
                f" first right {right:.3f}; {left:.0f} min left\n"
            )
        if (step + 1) % 100 == 0:
            torch.save(
                {
                    "step": step + 1,
                    "model": model.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "schedule": schedule.state_dict(),
                    "random": rng.getstate(),
                },
                checkpoint,
            )
    return model


def _begin_with(model: Any, begun: Path) -> None:
    import safetensors.torch
    import torch

    if begun.suffix != ".safetensors":
        model.load_state_dict(torch.load(begun, weights_only=False)["model"], strict=False)
        return
    learned = safetensors.torch.load_file(begun)
    model.transformer.load_state_dict(with_learned(model.transformer.state_dict(), learned))
    for layer in ("head", "spans"):
        part = {name.split(":")[1]: t.float() for name, t in learned.items() if name.startswith(f"{layer}:")}
        getattr(model, layer).load_state_dict(part)


def by_length(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What the model finds in pairs, the shorter half computed apart, so that it is not filled up to the longest of all.

    :param ids: ``[pairs, tokens]``, filled up at the end
    :param mask: 1 where a token is, ``[pairs, tokens]``
    :returns: the numbers of each pair ``[pairs, 2]``, and of each token ``[pairs, tokens, 2]``
    """
    import torch

    lengths = mask.sum(1)
    order = lengths.argsort()
    whole = ids.shape[1]
    found: list[torch.Tensor] = []
    spans: list[torch.Tensor] = []
    for some in order.chunk(2):
        longest = int(lengths[some].max())
        pair, places = model(ids[some, :longest], mask[some, :longest])
        found.append(pair)
        spans.append(torch.nn.functional.pad(places, (0, 0, 0, whole - longest), value=_NOWHERE))
    back = order.argsort()
    return torch.cat(found)[back], torch.cat(spans)[back]


def _places(encoded: Any, groups: Sequence[Group]) -> list[tuple[int, int]]:
    """The first and last token of the answer in each pair: 0 where nothing answers, `_UNKNOWN` where that is not known."""
    places: list[tuple[int, int]] = []
    for group in groups:
        for number in range(len(group.passages)):
            if number or not group.first:
                places.append((0, 0))
                continue
            if group.span is None:
                places.append((_UNKNOWN, _UNKNOWN))
                continue
            row = len(places)
            start, end = group.span
            offsets = encoded["offset_mapping"][row].tolist()
            inside = [
                n
                for n, (of, (first, last)) in enumerate(zip(encoded.sequence_ids(row), offsets, strict=True))
                if of == 1 and first < end and last > start and last > first
            ]
            places.append((inside[0], inside[-1]) if inside else (_UNKNOWN, _UNKNOWN))
    return places


def _learn(
    found: torch.Tensor,
    spans: torch.Tensor,
    groups: Sequence[Group],
    places: Sequence[tuple[int, int]],
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
) -> tuple[float, ...]:
    import torch

    rank, answers = found[:, 0], found[:, 1]
    labels: list[float] = []
    losses: list[torch.Tensor] = []
    right: list[bool] = []
    for group in groups:
        start = len(labels)
        labels += [float(group.first), *[0.0] * (len(group.passages) - 1)]
        if group.first:
            scores = rank[start : len(labels)]
            losses.append(-torch.log_softmax(scores, 0)[0])
            right.append(bool(scores.argmax() == 0))
    wanted = torch.tensor(labels)
    weight = 1.0 + wanted
    answering = torch.nn.functional.binary_cross_entropy_with_logits(answers, wanted, weight=weight)
    ranking = torch.stack(losses).mean() if losses else torch.zeros(())
    marked = torch.tensor(places)
    each = torch.nn.functional.cross_entropy(spans, marked, ignore_index=_UNKNOWN, reduction="none")
    words = (each.mean(1) * weight).sum() / weight[marked[:, 0] != _UNKNOWN].sum()
    optimizer.zero_grad()
    loss: Any = ranking + 0.5 * answering + 0.5 * words
    loss.backward()
    torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
    optimizer.step()
    parts = (ranking, answering, words)
    return (*(float(part.detach()) for part in parts), sum(right) / max(1, len(right)))


def _model(folder: Path, frozen: int) -> Any:
    import torch
    from transformers import AutoModel

    class Pair(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer = AutoModel.from_pretrained(folder, dtype=torch.float32)
            self.transformer.requires_grad_(False)
            for layer in self.transformer.encoder.layer[frozen:]:
                layer.requires_grad_(True)
            self.head = torch.nn.Linear(2 * self.transformer.config.hidden_size, 2)
            self.spans = torch.nn.Linear(self.transformer.config.hidden_size, 2)
            for layer in (self.head, self.spans):
                torch.nn.init.normal_(layer.weight, std=0.02)
                torch.nn.init.zeros_(layer.bias)

        def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            hidden = self.transformer(input_ids=ids, attention_mask=mask).last_hidden_state
            weight = mask.unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * weight).sum(1) / weight.sum(1)
            found: torch.Tensor = self.head(torch.cat([hidden[:, 0], mean], 1).float())
            places: torch.Tensor = self.spans(hidden).float()
            return found, places.masked_fill(mask.unsqueeze(-1) == 0, _NOWHERE)

    return Pair().train()


def _resumed(checkpoint: Path, model: Any, optimizer: Any, schedule: Any, rng: random.Random) -> int:
    import torch

    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, weights_only=False)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    rng.setstate(state["random"])
    return int(state["step"])


def difference(model: Any, folder: Path, rank: int) -> dict[str, torch.Tensor]:
    """What was learned, as tensors by name: ``up:NAME`` and ``down:NAME`` of matrices, ``add:NAME`` of vectors, the head.

    In 16-bit floats; ``up @ down`` is the best approximation of that rank.
    """
    import safetensors
    import torch

    kept = {
        f"{layer}:{part}": tensor.detach().half()
        for layer in ("head", "spans")
        for part, tensor in getattr(model, layer).named_parameters()
    }
    learned = model.transformer.state_dict()
    with safetensors.safe_open(folder / "model.safetensors", "pt") as file:
        for name in file.keys():  # noqa: SIM118 - not a mapping
            if name == WORDS:
                continue
            change = learned[name].float() - file.get_tensor(name).float()
            if not change.any():
                continue
            if change.ndim == 1:
                kept[f"add:{name}"] = change.half()
                continue
            left, values, right = torch.linalg.svd(change, full_matrices=False)
            root = values[:rank].sqrt()
            kept[f"up:{name}"] = (left[:, :rank] * root).half().contiguous()
            kept[f"down:{name}"] = (root[:, None] * right[:rank]).half().contiguous()
    return kept


def late_constants(folder: Path, examples: Sequence[Example], seed: int) -> dict[str, torch.Tensor]:
    """What `rag.late_interaction` needs beside the model, as tensors by name.

    ``late:weights`` is how surprising each piece of the vocabulary is, minus the log of its probability in the tokenizer's
    own unigram model; ``late:question_mean`` and ``late:passage_mean`` are the means of token vectors over some examples.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    weights = torch.tensor([-score for _, score in vocabulary]).clamp(min=0.0)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    some = random.Random(seed).sample(list(examples), min(_MEANT, len(examples)))  # noqa: S311 - no secret

    def mean(texts: Sequence[str], prompt: str) -> torch.Tensor:
        begun = 1 + len(tokenizer(prompt, add_special_tokens=False)["input_ids"])
        tokens = []
        for text in texts:
            encoded = tokenizer(
                f"{prompt} {text}", truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
            )
            with torch.inference_mode():
                tokens.append(model(**encoded).last_hidden_state[0, begun:-1])
        return torch.cat(tokens).mean(0)

    asked = [to_simplified(example.question) for example in some]
    read = [example.proposed[0].text for example in some if example.proposed]
    return {
        "late:weights": weights.half(),
        "late:question_mean": mean(asked, "query:"),
        "late:passage_mean": mean(read, "passage:"),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Train on the candidates in a folder and write the difference."""
    parser = argparse.ArgumentParser(prog="python -m eval.training.reranker", description=__doc__)
    parser.add_argument("--candidates", type=Path, required=True, help="folder that `candidates` wrote")
    parser.add_argument("--output", type=Path, required=True, help="file of the difference, .safetensors")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rank", type=int, default=48)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--begin", type=Path, help="checkpoint or difference of an earlier training to begin with"
    )
    given = parser.parse_args(arguments)
    import safetensors.torch

    examples = [
        example
        for path in sorted(given.candidates.glob("*.jsonl.gz"))
        for example in read_examples(path)
        if example.part == "reranker"
    ]
    sys.stderr.write(f"{len(examples)} questions\n")
    folder = e5.prepare(load_settings({}))
    plan = Plan(given.steps, rank=given.rank, seed=given.seed)
    model = train(examples, plan, folder, given.output.with_suffix(".checkpoint"), given.begin)
    kept = difference(model, folder, plan.rank) | late_constants(folder, examples, plan.seed)
    safetensors.torch.save_file(kept, given.output)


if __name__ == "__main__":
    main()
