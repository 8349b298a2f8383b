"""RGB: questions with passages that hold the answer, passages that do not, and falsified ones.

JSON lines with ``id, query, answer, positive, negative`` and, in the counterfactual part, ``positive_wrong, fakeanswer``;
in the integration part ``positive`` is a list of lists, one for each thing asked. Passages are drawn for each question
as the publisher's ``evalue.py`` draws them (Chen et al. 2023, arXiv 2309.01431): with the seed 2333, which is the
publisher's, they are the same passages in the same order.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from eval.benchmarks.corpus import Cases, Texts, lang_of, main_script
from eval.benchmarks.reading import Record
from eval.cases import Benchmark, Case
from rag.errors import SourceError

Part = Literal["noise", "integration", "counterfactual"]


@dataclass(frozen=True, slots=True)
class Drawing:
    """How passages are drawn: how many a question, and which shares are noise and, falsified ones aside, correct."""

    passages: int = 5
    noise: float = 0.0
    correct: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.passages < 1:
            raise SourceError(
                f"{self.passages} passages a question are too few.",
                "Give 1 or more.",
                chinese=f"每个问题{self.passages}个段落太少。请给1个或更多。",
            )
        if not (0 <= self.noise <= 1 and 0 <= self.correct <= 1 and self.noise + self.correct <= 1):
            raise SourceError(
                f"A share of {self.noise} noise and {self.correct} correct passages is not possible.",
                "Give shares from 0 to 1 that make no more than 1 together.",
                chinese=f"噪声{self.noise}与正确段落{self.correct}的比例不成立。请给0到1之间、合计不超过1的比例。",
            )


@dataclass(frozen=True, slots=True)
class Passages:
    """The passages of one question, as ids of documents. ``positive`` has one group except in the integration part."""

    part: Part
    positive: tuple[tuple[str, ...], ...]
    negative: tuple[str, ...]
    falsified: tuple[str, ...] = ()


def is_rgb(value: Any) -> bool:
    """Whether a JSON value, the first line of a file, is a record of this form."""
    return isinstance(value, dict) and "query" in value and not {"positive", "negative"}.isdisjoint(value)


def load_rgb(records: Iterable[Record], name: str, drawing: Drawing) -> Benchmark:
    """Read the form from its records.

    Every distinct passage of the file is a document. A case's ``given`` are the passages drawn for it, its ``gold`` the
    positive ones among them; where none is drawn that could answer (noise 1) the case is not answerable from what is
    given to it. ``required`` are the answer's parts with their alternatives as the publisher checks them.

    :raises SourceError: a record is malformed
    """
    kept = list(records)
    default = main_script(item.text("query") for item in kept)
    texts, cases = Texts(), Cases()
    for item in kept:
        id_, question = item.identifier("id"), item.text("query", blank=False)
        found = _passages(item, id_, texts)
        given, gold = draw(found, drawing)
        falsified = found.part == "counterfactual" and bool(set(given).intersection(found.falsified))
        required = _required(item)
        case = Case(
            id=id_,
            question=question,
            answers=_answers(required),
            required=required,
            gold=gold,
            answerable=bool(gold) or (falsified and drawing.noise < 1),
            lang=lang_of(question, default),
            type=found.part,
            given=given,
            misleading=item.flat("fakeanswer"),
        )
        cases.add(case, item)
    return Benchmark(
        name, "rgb", tuple(texts.documents.values()), tuple(cases.cases), closed_possible=bool(cases.cases)
    )


def draw(passages: Passages, drawing: Drawing) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The passages given to a question, shuffled, and the positive ones among them.

    Noise takes ``ceil(passages * noise)`` of the places; where there are too few of one kind, the other fills up. The
    integration part gives one passage of each group first, whatever the noise. At noise 1 there are negatives alone,
    in the integration part too, where the publisher would still give the positives.
    """
    rng = random.Random(drawing.seed)  # noqa: S311 - a draw to be repeated, not secrets
    negatives = math.ceil(drawing.passages * drawing.noise)
    if drawing.noise == 1:
        positive: list[str] = []
        drawn = list(passages.negative[: drawing.passages])
    elif passages.part == "integration":
        positive = _integration(passages.positive, drawing.passages - negatives, rng)
        drawn = positive + list(passages.negative[: max(0, drawing.passages - len(positive))])
    elif passages.part == "counterfactual":
        falsified, positive = _counterfactual(passages, drawing, negatives, rng)
        drawn = falsified + positive + list(passages.negative[:negatives])
    else:
        right = passages.positive[0]
        if negatives > len(passages.negative):
            negatives = len(passages.negative)
        elif drawing.passages - negatives > len(right):
            negatives = drawing.passages - len(right)
        positive = list(right[: drawing.passages - negatives])
        drawn = positive + list(passages.negative[:negatives])
    rng.shuffle(drawn)
    given = tuple(dict.fromkeys(drawn))
    return given, tuple(id_ for id_ in given if id_ in set(positive))


def _integration(groups: Sequence[Sequence[str]], wanted: int, rng: random.Random) -> list[str]:
    """One passage of each group, then second ones and so on until there are as many as wanted."""
    shuffled = [list(group) for group in groups]
    for group in shuffled:
        rng.shuffle(group)
    drawn = [group[0] for group in shuffled]
    for rank in range(1, max(map(len, shuffled), default=0)):
        for group in shuffled:
            if len(drawn) >= wanted:
                return drawn
            if len(group) > rank:
                drawn.append(group[rank])
    return drawn


def _counterfactual(
    passages: Passages, drawing: Drawing, negatives: int, rng: random.Random
) -> tuple[list[str], list[str]]:
    """Falsified passages, and correct ones that are not the originals of those."""
    right = passages.positive[0]
    correct = math.ceil(drawing.passages * drawing.correct)
    indices = list(range(len(right)))
    wanted = max(0, drawing.passages - negatives - correct)
    chosen = rng.sample(indices, min(len(indices), wanted))
    rest = [i for i in indices if i not in chosen]
    kept = rng.sample(rest, min(len(rest), correct)) if correct and rest else []
    return [passages.falsified[i] for i in chosen], [right[i] for i in kept]


def _passages(item: Record, id_: str, texts: Texts) -> Passages:
    def known(key: str, values: Sequence[str], group: str = "") -> tuple[str, ...]:
        return tuple(texts.add(f"{id_}:{key}:{group}{i}", text) for i, text in enumerate(values))

    listed = item.values("positive")
    if listed and isinstance(listed[0], list):
        groups = tuple(_group(item, i, value) for i, value in enumerate(listed))
        positive = tuple(known("positive", group, f"{i}.") for i, group in enumerate(groups))
        return Passages("integration", positive, known("negative", item.texts("negative")))
    right = known("positive", item.texts("positive"))
    falsified: tuple[str, ...] = ()
    if item.has("positive_wrong"):
        falsified = known("positive_wrong", item.texts("positive_wrong"))
        if len(falsified) != len(right):
            raise item.wrong(
                f"has {len(falsified)} falsified passages for {len(right)} positive ones",
                f"有{len(right)}个正确段落，却有{len(falsified)}个篡改段落",
            )
    negative = known("negative", item.texts("negative"))
    return Passages("counterfactual" if falsified else "noise", (right,), negative, falsified)


def _group(item: Record, i: int, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise item.wrong(f'has no list of passages in "positive[{i}]"', f"的“positive[{i}]”里没有段落列表")
    return Record({f"positive[{i}]": value}, item.place).texts(f"positive[{i}]")


def _required(item: Record) -> tuple[tuple[str, ...], ...]:
    """The groups of an answer: a text or number is one, each item of a list is one, an inner list its alternatives."""
    value = item.get("answer")
    groups = value if isinstance(value, list) else [value]
    required = tuple(
        tuple(text for text in Record({"answer": group}, item.place).flat("answer") if text.strip())
        for group in groups
    )
    if not required or not all(required):
        raise item.wrong('has nothing in "answer"', "的“answer”是空的")
    return required


def _answers(required: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Alternatives that answer in full: those of the one group, or the groups' first ones in a row."""
    if len(required) == 1:
        return tuple(dict.fromkeys(required[0]))
    return ("、".join(_firsts(required)),)


def _firsts(groups: Sequence[Sequence[str]]) -> Iterator[str]:
    return (group[0] for group in groups)
