"""Asks back where a question fits several bodies or years and names none. Pure.

Asked back only where the passages themselves speak of several: a question with one answer is answered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag import prompts
from rag.evidence import LOOKED_AT
from rag.questions import Question
from rag.quoting import own_words
from rag.reading import Reading
from rag.scripts import in_script
from rag.speech import bodies_speaking
from rag.superseding import superseded
from rag.text import fold, joined
from rag.types import Passage

_SOME_BODY = re.compile(
    r"(?:^|[，,、\s这那该哪])(?:局长|主任|部长|书记|镇长|院长|处长|负责人|发言人|局里|部门|单位|该局|这个局|那个局|这个部门)"
    r"|\b(?:the|this|that) (?:bureau|department|office|director|head|commission)\b(?! of)"
)
_ANY_BODY = re.compile(r"哪[些个几]|各|所有|全部|每个|多少个?(?:部门|单位|局)|\b(?:which|all|every|each)\b")
_NOW = re.compile(
    r"今年|明年|去年|前年|本年|现在|目前|最新|近期|当前|最近|现行|如今|\b(?:now|current|latest|this year|next year|last year|recent)\b"
)
_SURE = 0.0
_FEWEST, _MOST = 2, 5


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked back, and the passages that stand for its options, by position."""

    text: str
    options: tuple[str, ...]
    passages: tuple[int, ...]


def choice(question: Question, passages: Sequence[Passage], readings: Sequence[Reading]) -> Choice | None:
    """What to ask back; None where the question is plain."""
    return _of_bodies(question, passages) or _of_years(question, passages, readings)


def _of_bodies(question: Question, passages: Sequence[Passage]) -> Choice | None:
    folded = fold(question.text)
    if question.bodies or not question.asks_statement:
        return None
    if not _SOME_BODY.search(folded) or _ANY_BODY.search(folded):
        return None
    speaking: dict[str, int] = {}
    for number, passage in enumerate(passages[:LOOKED_AT]):
        for body in sorted(bodies_speaking(passage.chunk.speeches)):
            speaking.setdefault(body, number)
    if not _FEWEST <= len(speaking) <= _MOST:
        return None
    return _asked(question, "which_body", list(speaking), list(speaking.values()))


def _of_years(question: Question, passages: Sequence[Passage], readings: Sequence[Reading]) -> Choice | None:
    """Editions of one document that give different answers, where the question tells no time."""
    if question.years or _NOW.search(fold(question.text)) or not readings:
        return None
    sure = [
        number
        for number, reading in enumerate(readings)
        if reading.answers > _SURE and reading.margin > _SURE
    ]
    later = superseded(passages[: len(readings)])
    for number in sure:
        found = later.get(number)
        if found is None or found.reason != "later edition" or found.by not in sure:
            continue
        words = [_words(passages[n], readings[n]) for n in (number, found.by)]
        years = [_year(passages[n]) for n in (number, found.by)]
        if all(words) and words[0] != words[1] and all(years) and years[0] != years[1]:
            return _asked(question, "which_year", sorted(filter(None, years)), [number, found.by])
    return None


def _words(passage: Passage, reading: Reading) -> str:
    placed = own_words(passage, reading)
    return fold(passage.chunk.text[slice(*placed)]) if placed else ""


def _year(passage: Passage) -> str:
    match = re.search(r"(?:19|20)\d\d", passage.source.title)
    return match.group() if match else (passage.source.published or "")[:4]


def _asked(question: Question, key: str, options: Sequence[str], passages: Sequence[int]) -> Choice:
    script = question.script
    shown = tuple(in_script(option, script, ()) for option in options)
    text = prompts.CLARIFY[key][script].format(options=joined(shown, script))
    return Choice(text, shown, tuple(dict.fromkeys(passages)))
