"""``python -m eval.training.fusion``: learns what the features are worth, with a reranker's columns and without.

Listwise: the probability that the softmax over a question's candidates gives to those that answer it is made as great as
possible, every set counting the same, with a penalty on the squares of the weights. Full-batch Adam (Kingma and Ba, 2015).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.training.examples import Example, read_examples
from rag.features import NAMES, QUESTION_NAMES
from rag.fusion import RERANKED_NAMES, Fusion, reranked_features, to_rerank
from rag.reranking import Reranker, open_reranker
from rag.settings import load_settings
from rag.text import to_simplified

Array = NDArray[np.float32]
_STEPS, _RATE, _PENALTY = 600, 0.03, 1e-3
_MOST = 250
"""Questions of a set that are learned from: more of one would only weigh as much."""
_GIVEN = {"speaks": (2.5, 1.5), "other_language": (0.0, 0.0)}
"""Too few of the questions ask for what a body said for the weight of who speaks to be learned: the weight, and what is added
to it for questions in other languages, whose words a passage in Chinese cannot hold. And before it is read, a passage's
language says nothing for it: a learned bonus lifts scraps of program text and addresses."""
_LOST = 0.0
"""Share of right first passages that may be lost by leaving out the reranker where the first order is sure."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Candidates of questions, padded: ``rows`` ``[n, k, f]``, which count and which answer ``[n, k]``, and each question's weight."""

    rows: Array
    there: NDArray[np.bool_]
    answers: NDArray[np.bool_]
    asked: Array
    weight: Array


def lists_of(examples: Sequence[Example], rows: Sequence[Array]) -> Lists:
    """Pad the rows of examples; those without an answer among them are left out."""
    kept = [n for n, example in enumerate(examples) if _right(example)[: len(rows[n])].any()]
    longest = max(len(rows[n]) for n in kept)
    counts: dict[str, int] = defaultdict(int)
    for n in kept:
        counts[examples[n].set] += 1
    padded = np.zeros((len(kept), longest, rows[kept[0]].shape[1]), np.float32)
    there = np.zeros((len(kept), longest), np.bool_)
    answers = np.zeros_like(there)
    for place, n in enumerate(kept):
        size = len(rows[n])
        padded[place, :size] = rows[n]
        there[place, :size] = True
        answers[place, :size] = _right(examples[n])[:size]
    asked = np.asarray([examples[n].asked for n in kept], np.float32)
    weight = np.asarray([1.0 / counts[examples[n].set] for n in kept], np.float32)
    return Lists(padded, there, answers, asked, weight / weight.sum())


def learn(lists: Lists, seed: int, given: Mapping[str, tuple[float, float]]) -> Fusion:
    """The weights that fit these lists best.

    :param given: columns whose weight is not learned, of `rag.features.NAMES`: the weight, and what `latin` adds to it
    """
    import torch

    torch.manual_seed(seed)
    fixed = [NAMES.index(name) for name in given]
    known = lists.rows[lists.there]
    mean, deviation = known.mean(0), known.std(0) + 1e-6
    mean[fixed], deviation[fixed] = 0.0, 1.0
    rows = torch.from_numpy((lists.rows - mean) / deviation)
    rows[:, :, fixed] = 0.0
    asked, weight = torch.from_numpy(lists.asked), torch.from_numpy(lists.weight)
    there, answers = torch.from_numpy(lists.there), torch.from_numpy(lists.answers)
    weights = torch.zeros(rows.shape[-1], requires_grad=True)
    by_question = torch.zeros((rows.shape[-1], asked.shape[-1]), requires_grad=True)
    optimizer = torch.optim.Adam([weights, by_question], _RATE)
    for _ in range(_STEPS):
        scores = (rows * (weights + asked @ by_question.T)[:, None]).sum(-1)
        scores = scores.masked_fill(~there, -1e9)
        share = torch.logsumexp(scores.masked_fill(~answers, -1e9), 1) - torch.logsumexp(scores, 1)
        loss: Any = -(share * weight).sum() + _PENALTY * (weights.square().sum() + by_question.square().sum())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    learned, shifted = weights.detach().numpy(), by_question.detach().numpy()
    for name, (fixed_weight, latin) in given.items():
        learned[NAMES.index(name)] = fixed_weight
        shifted[NAMES.index(name)] = [latin if of == "latin" else 0.0 for of in QUESTION_NAMES]
    return Fusion(mean, deviation, learned, shifted)


class KeptScores:
    """A `Reranker` that writes what it says into a file of JSON lines, and says it again from there: reading takes long."""

    def __init__(self, reranker: Reranker, path: Path) -> None:
        """Keep in ``path`` what ``reranker`` says; another reranker's are left aside."""
        self._reranker = reranker
        self._path = path
        self._known: dict[str, list[list[float]]] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                record = json.loads(line)
                self._known[record["key"]] = record["scores"]

    @property
    def name(self) -> str:
        """The reranker's identity."""
        return self._reranker.name

    def scores(self, question: str, passages: Sequence[str]) -> Array:
        """As the reranker's own."""
        asked = "\0".join((self.name, question, *passages))
        key = hashlib.sha256(asked.encode("utf-8", "replace")).hexdigest()[:24]
        if key not in self._known:
            found = self._reranker.scores(question, passages)
            self._known[key] = np.round(found.astype(np.float64), 5).tolist()
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"key": key, "scores": self._known[key]}) + "\n")
        return np.asarray(self._known[key], np.float32)


def reranked(example: Example, first: Fusion, reranker: Reranker) -> tuple[Example, Array]:
    """The best candidates by the first order, in it, and their rows after reranking."""
    rows = _rows(example)
    scores = first.scores(rows, np.asarray(example.asked, np.float32))
    top = to_rerank(scores, rows)
    texts = [example.proposed[n].text for n in top]
    judged = reranker.scores(to_simplified(example.question), texts)
    cut = replace(example, proposed=tuple(example.proposed[n] for n in top))
    return cut, reranked_features(scores[top], judged)


def first_right(example: Example, scores: Array) -> bool:
    """Whether the best candidate is of a gold document."""
    return bool(len(scores)) and example.proposed[int(np.argmax(scores))].document in example.gold


def _right(example: Example) -> NDArray[np.bool_]:
    answering = np.asarray([item.label == "answers" for item in example.proposed], np.bool_)
    if answering.any():
        return answering
    return np.asarray([item.document in example.gold for item in example.proposed], np.bool_)


def _rows(example: Example) -> Array:
    return np.asarray([item.features for item in example.proposed], np.float32).reshape(-1, len(NAMES))


def _sure(pairs: Sequence[tuple[Array, bool, bool]]) -> float:
    """The least share of the first candidate from which leaving the reranker out loses next to nothing."""
    shares = sorted((_share(scores), before, after) for scores, before, after in pairs)
    lost, best = 0, 1.0
    for share, before, after in reversed(shares):
        lost += int(after) - int(before)
        if lost > _LOST * len(shares):
            break
        best = share
    return best


def _share(scores: Array) -> float:
    """The share of the first candidate in the softmax over the scores."""
    return 1.0 / float(np.exp(scores - scores.max()).sum())


def _record(fusion: Fusion, names: Sequence[str]) -> dict[str, Any]:
    return {
        "features": list(names),
        **{
            key: np.round(getattr(fusion, key).astype(np.float64), 6).tolist()
            for key in ("mean", "deviation", "weights", "by_question")
        },
    }


def _told(rights: Mapping[str, Sequence[tuple[bool, bool]]]) -> str:
    lines = [f"{'set':22} {'n':>5} {'first':>7} {'reranked':>9}"]
    for name, found in rights.items():
        one, two = np.mean(found, 0)
        lines.append(f"{name:22} {len(found):>5} {one:>7.3f} {two:>9.3f}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Learn from the candidates in a folder, write the weights, and tell what they reach on what was held out."""
    parser = argparse.ArgumentParser(prog="python -m eval.training.fusion", description=__doc__)
    parser.add_argument("--candidates", type=Path, required=True, help="folder that `candidates` wrote")
    parser.add_argument("--output", type=Path, required=True, help="file of the weights, .json")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--held-out", type=int, default=60, help="questions of each set to measure on")
    given = parser.parse_args(arguments)
    from rag.embedding import E5_NAME

    opened = open_reranker(load_settings({}), E5_NAME)
    assert opened is not None
    reranker = KeptScores(opened, given.candidates / "scores.jsonl")
    rng = random.Random(given.seed)  # noqa: S311 - no secret
    learned: list[Example] = []
    held: list[Example] = []
    unread: list[Example] = []
    for path in sorted(given.candidates.glob("*.jsonl.gz")):
        parts: dict[str, list[Example]] = defaultdict(list)
        for example in read_examples(path):
            if example.answerable and example.proposed:
                parts[example.part].append(example)
        for part, kept, most in (
            ("fusion", learned, _MOST),
            ("held_out", held, given.held_out),
            # What the reranker was learned on says nothing of what it is worth, but all of the first stage.
            ("reranker", unread, _MOST),
        ):
            kept.extend(rng.sample(parts[part], min(most, len(parts[part]))))
    sys.stderr.write(f"{len(learned)} questions to learn from, {len(held)} held out\n")
    all_of_them = [*learned, *unread]
    first = learn(lists_of(all_of_them, [_rows(example) for example in all_of_them]), given.seed, _GIVEN)
    mine = [reranked(example, first, reranker) for example in learned]
    second = learn(lists_of([example for example, _ in mine], [rows for _, rows in mine]), given.seed, {})
    pairs = [_outcome(example, *cut, first, second) for example, cut in zip(learned, mine, strict=True)]
    sure = _sure(pairs)
    record = {
        "question_features": list(QUESTION_NAMES),
        "sure": round(sure, 4),
        "first": _record(first, NAMES),
        "reranked": _record(second, RERANKED_NAMES),
    }
    given.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    skipped = np.mean([_share(scores) >= sure for scores, _, _ in pairs])
    sys.stderr.write(f"sure from {sure:.3f}: {skipped:.0%} of the questions are not reranked\n")
    rights: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for example in held:
        _, before, after = _outcome(example, *reranked(example, first, reranker), first, second)
        rights[example.set].append((before, after))
    sys.stderr.write(f"{_told(rights)}\n")


def _outcome(
    example: Example, cut: Example, rows: Array, first: Fusion, second: Fusion
) -> tuple[Array, bool, bool]:
    """The first stage's scores, and whether the first passage is right before and after reranking."""
    asked = np.asarray(example.asked, np.float32)
    before = first.scores(_rows(example), asked)
    return before, first_right(example, before), first_right(cut, second.scores(rows, asked))


if __name__ == "__main__":
    main()
