"""Benchmarks: documents and the questions asked about them, in Wenzheng's own form (``questions.jsonl``)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import SourceError
from rag.types import Turn


@dataclass(frozen=True, slots=True)
class Case:
    """One question with what is known of its answer.

    ``answers`` are alternatives, each of which answers; ``required`` are strings that must all be in a complete
    answer; ``gold`` names the files that hold the evidence.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    required: tuple[str, ...]
    gold: tuple[str, ...]
    answerable: bool
    history: tuple[Turn, ...]
    lang: str
    type: str


def load_cases(path: Path) -> tuple[Case, ...]:
    """Read a ``questions.jsonl``.

    :raises SourceError: naming the line that is malformed
    """
    cases = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            cases.append(_case(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SourceError(
                f"{path.name}, line {number}, is no case: {error!r}.",
                "Mend the line; see samples/questions.jsonl.",
            ) from error
    return tuple(cases)


def _case(record: dict[str, Any]) -> Case:
    history = tuple(
        Turn("user" if index % 2 == 0 else "assistant", text) for index, text in enumerate(record["history"])
    )
    return Case(
        id=record["id"],
        question=record["question"],
        answers=tuple(record["answers"]),
        required=tuple(record.get("all", ())),
        gold=tuple(record["gold"]),
        answerable=bool(record["answerable"]),
        history=history,
        lang=record["lang"],
        type=record["type"],
    )
