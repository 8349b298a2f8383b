"""``python -m eval.training.answerability``: learns how likely passages answer a question (`rag.answerability`).

Every question is asked as users' are: retrieved, reranked, the first passages read. Answerable questions whose gold document is
among those passages count as answered. As not answered count questions written to have no answer (over all documents, and
over the one that nearly answers alone), and answerable ones asked of everything but their gold documents. Only documents that
the reader was not trained on are used; half of them measure.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.ahead import AheadEmbedder
from eval.benchmarks import load_benchmark
from eval.cases import Case
from eval.runner import fill, index_key
from eval.training.candidates import SETS, TrainingSet, document_of
from eval.training.examples import Part, part_of
from rag.answerability import NAMES, features
from rag.calibration import Calibration, record_of
from rag.embedding import E5_NAME, open_embedder, token_encoder
from rag.evidence import LOOKED_AT
from rag.library import Library
from rag.questions import Question
from rag.reranking import Reader, open_reranker, reranking_text
from rag.retrieval import Retriever
from rag.rewriting import standing_alone
from rag.settings import Settings, load_settings
from rag.text import to_simplified
from rag.types import Passage

Array = NDArray[np.float32]
_DEEPER = 12
_MOST = 260
"""Questions of a kind and set."""
_STEPS, _RATE, _PENALTY = 800, 0.05, 3e-3
_OWN = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Judged:
    """One question asked: its set, how it was asked, its part, whether it is answered, its features."""

    set: str
    kind: str
    part: Part
    answered: bool
    row: tuple[float, ...]


def asked(
    wanted: TrainingSet, data: Path, settings: Settings, embedder: AheadEmbedder, reader: Any, most: int
) -> Iterator[Judged]:
    """The questions of a set, each asked in the ways that suit it."""
    benchmark = load_benchmark((_OWN if wanted.own else data) / wanted.folder, part=wanted.part)
    home = settings.home / "eval" / "cache" / "indexes" / index_key(benchmark, settings, embedder)
    with Library.open(settings.model_copy(update={"home": home}), embedder, writable=True) as library:
        fill(library, benchmark, settings, lambda _: None)
        retriever = Retriever(library, settings.candidates, reader)
        everything = [version.source.id for version in library.documents()]
        rng = random.Random(0)  # noqa: S311 - no secret
        cases = [c for c in benchmark.cases if (c.gold or c.given) and part_of(document_of(c)) != "reranker"]
        there = [case for case in cases if case.answerable]
        gone = [case for case in cases if not case.answerable]
        for case in rng.sample(there, min(most, len(there))):
            part, question = part_of(document_of(case)), _standing(case)
            found = retriever.search(question, LOOKED_AT)
            if any(passage.source.id in case.gold for passage in found):
                yield _judged(wanted, "open", part, True, question, found, reader)
            alone = retriever.search(question, LOOKED_AT, case.gold)
            yield _judged(wanted, "closed", part, True, question, alone, reader)
            others = [p for p in retriever.search(question, _DEEPER) if p.source.id not in case.gold]
            if others and len(everything) > 1:
                yield _judged(wanted, "without", part, False, question, others[:LOOKED_AT], reader)
        for case in rng.sample(gone, min(most, len(gone))):
            part, question = part_of(document_of(case)), _standing(case)
            yield _judged(
                wanted, "near", part, False, question, retriever.search(question, LOOKED_AT), reader
            )
            alone = retriever.search(question, LOOKED_AT, case.given)
            yield _judged(wanted, "near closed", part, False, question, alone, reader)


def _standing(case: Case) -> Question:
    return standing_alone(case.question, case.history, 2000)


def _judged(
    wanted: TrainingSet,
    kind: str,
    part: Part,
    answered: bool,
    question: Question,
    passages: Sequence[Passage],
    reader: Reader,
) -> Judged:
    texts = [reranking_text(passage.source, passage.chunk) for passage in passages]
    readings = reader.read(to_simplified(question.text), texts)
    row = tuple(map(float, features(question, passages, readings)))
    return Judged(wanted.name, kind, part, answered, row)


def learn(judged: Sequence[Judged], penalty: float = _PENALTY, *, rising: bool = False) -> Calibration:
    """The weights that fit best, with a penalty on their squares.

    What is not known of a row (NaN) counts as the mean, as it does where the weights are used. Each set counts the same, in it
    each outcome, and in that each way of asking.

    :param rising: let no feature speak against an answer the higher it is, which keeps a few rows from being learned by heart
    """
    import torch

    rows = np.asarray([one.row for one in judged], np.float32)
    mean, deviation = np.nanmean(rows, 0), np.nanstd(rows, 0) + 1e-6
    counts: dict[tuple[str, str], int] = defaultdict(int)
    kinds: dict[tuple[str, bool], set[str]] = defaultdict(set)
    for one in judged:
        counts[one.set, one.kind] += 1
        kinds[one.set, one.answered].add(one.kind)
    weight = torch.tensor(
        [1.0 / counts[one.set, one.kind] / len(kinds[one.set, one.answered]) for one in judged]
    )
    weight /= weight.sum()
    x = torch.from_numpy(np.nan_to_num((rows - mean) / deviation, nan=0.0))
    wanted = torch.tensor([float(one.answered) for one in judged])
    weights = torch.zeros(rows.shape[1], requires_grad=True)
    bias = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.Adam([weights, bias], _RATE)
    for _ in range(_STEPS):
        each = torch.nn.functional.binary_cross_entropy_with_logits(
            x @ weights + bias, wanted, reduction="none"
        )
        loss: Any = (each * weight).sum() + penalty * weights.square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if rising:
            weights.data.clamp_(min=0.0)
    return Calibration(mean, deviation, weights.detach().numpy(), float(bias.detach()))


def area(answered: Sequence[float], other: Sequence[float]) -> float:
    """The probability that an answered question has the higher number of the two (area under the ROC curve)."""
    one, two = np.asarray(answered)[:, None], np.asarray(other)[None, :]
    return float(((one > two) + 0.5 * (one == two)).mean())


def _told(judged: Sequence[Judged], calibration: Calibration) -> str:
    by_set: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in judged:
        by_set[one.set][one.kind].append(calibration.probability(np.asarray(one.row, np.float32)))
    lines = []
    for name, kinds in sorted(by_set.items()):
        for there, gone in (("open", "without"), ("open", "near"), ("closed", "near closed")):
            if kinds[there] and kinds[gone]:
                right = np.mean(np.asarray(kinds[there]) >= 0.5), np.mean(np.asarray(kinds[gone]) < 0.5)
                lines.append(
                    f"{name:14} {there:7} against {gone:12} area {area(kinds[there], kinds[gone]):.3f},"
                    f" at 0.5 answered {right[0]:.3f}, refused {right[1]:.3f},"
                    f" n {len(kinds[there])} and {len(kinds[gone])}"
                )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask, learn, write the weights, and tell what they reach on what was held out."""
    parser = argparse.ArgumentParser(prog="python -m eval.training.answerability", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public sets")
    parser.add_argument("--home", type=Path, required=True, help="folder that keeps the indexes")
    parser.add_argument("--output", type=Path, required=True, help="file of the weights, .json")
    parser.add_argument("--most", type=int, default=_MOST, help="questions of a kind and set")
    parser.add_argument("--kept", type=Path, help="file that keeps what was read, and gives it again")
    given = parser.parse_args(arguments)
    judged: list[Judged] = []
    if given.kept and given.kept.exists():
        records = json.loads(given.kept.read_text(encoding="utf-8"))
        judged = [
            Judged(name, kind, part, answered, tuple(row)) for name, kind, part, answered, row in records
        ]
    else:
        settings = load_settings({"home": given.home})
        opened = open_embedder(settings)
        embedder = AheadEmbedder(opened)
        reader = open_reranker(settings, E5_NAME, token_encoder(opened))
        for wanted in SETS:
            if wanted.folder == "*" or wanted.keywords or wanted.named:
                continue
            before = len(judged)
            judged += asked(wanted, given.data, settings, embedder, reader, given.most)
            sys.stderr.write(f"{wanted.name}: {len(judged) - before}\n")
        if given.kept:
            kept = [[j.set, j.kind, j.part, j.answered, list(j.row)] for j in judged]
            given.kept.write_text(json.dumps(kept), encoding="utf-8")
    calibration = learn([one for one in judged if one.part == "fusion"])
    sys.stderr.write(f"{_told([one for one in judged if one.part == 'held_out'], calibration)}\n")
    given.output.write_text(json.dumps(record_of(calibration, NAMES), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
