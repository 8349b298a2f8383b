"""Answers with verdicts given by hand, against which a judge is measured.

``labelled.jsonl`` beside this module is invented content of an invented district, in simplified and traditional
Chinese and English. Most of its answers are wrong in one small thing: a figure, a year, a bureau, a negation, a detail
that the passages lack, a right answer that they do not bear out, a faithful one that answers something else.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eval.cases import Case
from eval.results import CaseResult, Retrieved
from eval.storage import restored
from rag.errors import SourceError, SourceNotFound

LABELLED = Path(__file__).parent / "labelled.jsonl"
"""The set that comes with the program."""


@dataclass(frozen=True, slots=True)
class LabelledItem:
    """One answer with its verdicts by hand; ``correct`` is None where there is no reference.

    ``kind`` says what is wrong with the answer ("number", "another bureau"), "right" where nothing is.
    """

    id: str
    lang: str
    kind: str
    question: str
    passages: tuple[str, ...]
    answer: str
    references: tuple[str, ...]
    faithful: Literal["yes", "no"]
    correct: Literal["yes", "no"] | None

    @property
    def result(self) -> CaseResult:
        """The item as a run would have recorded it, all passages shown."""
        passages = tuple(
            Retrieved(n, f"{self.id}-{n}", "", text, 0, len(text), 0.0)
            for n, text in enumerate(self.passages, start=1)
        )
        case = Case(self.id, self.question, self.references, answerable=bool(self.references), lang=self.lang)
        shown = tuple(passage.number for passage in passages)
        return CaseResult(case, passages, shown, self.answer, "answered")


def load_labelled(path: Path = LABELLED) -> tuple[LabelledItem, ...]:
    """The items of a labelled set, one JSON object a line.

    :raises SourceNotFound: when there is no such file
    :raises SourceError: when a line is not such an item, an id occurs twice, or there is none
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceNotFound(f"The labelled set {path} cannot be read: {error}.") from error
    items: list[LabelledItem] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            item = restored(LabelledItem, json.loads(line))
            if (item.correct is None) != (not item.references):
                raise ValueError("a verdict on correctness needs a reference, and a reference a verdict")
            if item.id in seen:
                raise ValueError(f"the id {item.id!r} occurs twice")
        except (TypeError, ValueError, RecursionError) as error:
            raise SourceError(
                f"Line {number} of the labelled set {path} is malformed: {error}.", "Mend that line."
            ) from error
        seen.add(item.id)
        items.append(item)
    if not items:
        raise SourceError(f"The labelled set {path} holds nothing.", "It has one JSON object a line.")
    return tuple(items)


def digest(items: tuple[LabelledItem, ...]) -> str:
    """A name for the content of a labelled set."""
    return hashlib.sha256(repr(items).encode("utf-8", "replace")).hexdigest()[:16]
