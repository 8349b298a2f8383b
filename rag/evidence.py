"""Before any word is generated: do these passages bear on the question at all? Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rag.bodies import names_body
from rag.questions import Question, coverage
from rag.text import fold, has_han
from rag.types import Passage

_LOOKED_AT = 4
"""Passages that count as evidence: about what the chat model will be shown."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How well passages bear on a question.

    ``score`` is 0 to 1. ``fault`` names the reason (a key of `rag.prompts.REASONS`) where one is plain whatever the
    score, ``names`` what it is about.
    """

    score: float
    fault: str = ""
    names: tuple[str, ...] = ()


def assess(question: Question, passages: Sequence[Passage]) -> Evidence:
    """Weigh the first few passages as evidence for a question."""
    looked_at = passages[:_LOOKED_AT]
    if not looked_at:
        return Evidence(0.0, "nothing_relevant")
    texts = [folded_context(passage) for passage in looked_at]
    joined = "\n".join(texts)
    absent = [body for body in question.bodies if not names_body(joined, body)]
    if absent and len(absent) == len(question.bodies):
        return Evidence(0.0, "body_missing", question.called)
    missing_years = sorted(year for year in question.years if not _covers_year(year, looked_at, joined))
    if missing_years and len(missing_years) == len(question.years):
        return Evidence(0.0, "year_missing", tuple(missing_years))
    similarity = max((passage.similarity or 0.0 for passage in looked_at), default=0.0)
    best = max(coverage(question, text) for text in texts)
    union = coverage(question, joined)
    foreign = question.is_latin and all(has_han(passage.chunk.text) for passage in looked_at)
    score = _foreign_score(similarity, named=bool(question.bodies)) if foreign else _score(best, union)
    if foreign or score >= 0.5:
        return Evidence(score)
    missing = [word for word in question.weights if word not in joined]
    missing.sort(key=lambda word: -question.weights[word])
    names = tuple(missing[:2])
    return Evidence(score, "words_missing" if names and not question.is_latin else "nothing_relevant", names)


def folded_context(passage: Passage) -> str:
    """A passage with its title and heading, folded: what may bear out a word of the question."""
    return fold(f"{passage.source.title}\n{passage.chunk.heading}\n{passage.chunk.text}")


def _covers_year(year: str, passages: Sequence[Passage], joined: str) -> bool:
    return year in joined or any((passage.source.published or "").startswith(year) for passage in passages)


def _score(best: float, union: float) -> float:
    return _logistic(-3.2 + 5.0 * best + 2.0 * union)


def _foreign_score(similarity: float, *, named: bool) -> float:
    return _logistic(40.0 * (similarity - 0.80) + (1.5 if named else 0.0))


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))
