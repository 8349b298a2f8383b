"""Before any word is generated: do these passages bear on the question at all? Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.bodies import Body, names_body
from rag.framing import folded_context
from rag.questions import Question, coverage
from rag.spelled_names import spelled_names, stands_in
from rag.text import fold, has_han
from rag.types import Passage

_EVEN = 0.5
_ACTING = (
    "表示|指出|强调|介绍|说|认为|提出|回应|答复|透露|坦言|称|承诺|将|拟|计划|负责(?!人)|牵头|受理|发布|印发|组织|实施|推进|开展"
    "|say|said|will|plan|promis|pledg|announc"
)
_PLACE = "[省市县区镇乡村]|街道"
LOOKED_AT = 4
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
    looked_at = passages[:LOOKED_AT]
    if not looked_at:
        # The dense leg always finds something where there is anything.
        return Evidence(0.0, "empty_library")
    texts = [folded_context(passage.source, passage.chunk) for passage in looked_at]
    joined = "\n".join(texts)
    if question.bodies and not any(names_body(joined, body) for body in question.bodies):
        return Evidence(0.0, "body_missing", question.called)
    if (
        question.asks_statement
        and question.bodies
        and not any(_acts(joined, body) for body in question.bodies)
    ):
        return Evidence(0.0, "body_silent", question.called)
    missing_years = sorted(year for year in question.years if not _covers_year(year, looked_at, joined))
    if missing_years and len(missing_years) == len(question.years):
        return Evidence(0.0, "year_missing", tuple(missing_years))
    strange = tuple(word for word in _place_names(question) if not _hinted(word, joined))
    if strange and not question.is_latin:
        return Evidence(0.0, "words_missing", strange[:2])
    if question.is_latin:
        unheard = tuple(name for name in spelled_names(question.text) if not stands_in(name, joined))
        if unheard:
            return Evidence(0.0, "words_missing", unheard[:2])
    score = _score(max(coverage(question, text) for text in texts), coverage(question, joined))
    if question.is_latin:
        # A passage in another language shares no words with the question: there the embedding has to tell.
        foreign = [passage for passage in looked_at if has_han(passage.chunk.text)]
        score = max([score, *(_foreign_score(question, passage) for passage in foreign)])
    missing = [word for word in question.weights if word not in joined]
    missing.sort(key=lambda word: -question.weights[word])
    if score >= _EVEN or not missing or question.is_latin:
        return Evidence(score)
    return Evidence(score, "words_missing", tuple(missing[:2]))


def _covers_year(year: str, passages: Sequence[Passage], joined: str) -> bool:
    return year in joined or any((passage.source.published or "").startswith(year) for passage in passages)


def _score(best: float, union: float) -> float:
    return _logistic(-3.2 + 5.0 * best + 2.0 * union)


def _foreign_score(question: Question, passage: Passage) -> float:
    named = bool(question.bodies) and any(
        names_body(folded_context(passage.source, passage.chunk), body) for body in question.bodies
    )
    return _logistic(80.0 * ((passage.similarity or 0.0) - 0.768) + (2.0 if named else 0.0))


def _place_names(question: Question) -> list[str]:
    """Words that the dictionary lacks and that stand before or with the sign of a place: a place's own name."""
    folded = fold(question.text)
    return [
        word
        for word in question.names
        if re.search(rf"{re.escape(word)}(?:{_PLACE})", folded) is not None
        or (len(word) >= 3 and re.search(rf"(?:{_PLACE})$", word) is not None)
    ]


def _hinted(word: str, joined: str) -> bool:
    return any(word[i : i + 2] in joined for i in range(len(word) - 1))


def _acts(joined: str, body: Body) -> bool:
    """Whether a text has the body say, plan or answer for something, rather than only be there."""
    names = "|".join(
        re.escape(name) for name in sorted((*body.chinese, *body.english), key=len, reverse=True)
    )
    return (
        re.search(
            rf"(?:{names})(?:[^。；;！？\n]{{0,30}}?(?:{_ACTING})|[^，。；\n]{{0,24}}(?:计划|方案|通知|要点|安排|意见)$|\s*[:：])",
            joined,
            re.MULTILINE,
        )
        is not None
    )


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))
