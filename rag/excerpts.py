"""Cuts passages to what the chat model is shown: every prompt token costs time before the first word. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.bodies import names_body
from rag.framing import folded_context
from rag.questions import Question, coverage
from rag.speech import bodies_speaking, speaks
from rag.text import fold, sentences
from rag.types import Passage

_LEAST_SHARE = 0.005
"""Of the best passage's score, its likelihood. Over 597 questions of four sets the answer stood in what is shown as often as with
four passages, but for one set of 150 (0.96 instead of 0.973), in two thirds of the characters."""
_LEAST = 60
"""A passage is not shown with fewer characters than this left."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is shown of ``passages[number - 1]``."""

    number: int
    text: str


def excerpts(question: Question, passages: Sequence[Passage], budget: int) -> list[Excerpt]:
    """What the chat model is shown, best passage first, within ``budget`` characters together.

    Passages far behind the best one are left out: a small model takes their words for an answer. So are, where the
    question names bodies, those that name none of them, and where it asks what they said, those in which they do not
    speak. A passage that does not fit whole is cut to the run of its
    sentences that holds most of the question.
    """
    shown: list[Excerpt] = []
    left = budget
    for number in _worth_showing(question, passages):
        text = passages[number - 1].chunk.text
        if left < min(_LEAST, len(text)):
            break
        part = text if len(text) <= left else _best_run(question, text, left)
        shown.append(Excerpt(number, part))
        left -= len(part)
    return shown


def _worth_showing(question: Question, passages: Sequence[Passage]) -> list[int]:
    numbers = range(1, len(passages) + 1)
    best = max((passage.score for passage in passages), default=0.0)
    near = [n for n in numbers if passages[n - 1].score >= _LEAST_SHARE * best]
    if not question.bodies:
        return near
    contexts = {n: folded_context(passages[n - 1].source, passages[n - 1].chunk) for n in numbers}
    naming = [n for n in numbers if any(names_body(contexts[n], body) for body in question.bodies)]
    if question.asks_statement:
        heard = {n: bodies_speaking(passages[n - 1].chunk.speeches) for n in naming}
        speaking = [
            n
            for n in naming
            if any(body.name in heard[n] or speaks(contexts[n], body) for body in question.bodies)
        ]
        return speaking or naming or near
    return naming or near


def _best_run(question: Question, text: str, length: int) -> str:
    spans = sentences(text)
    best, best_score = text[:length], -1.0
    for first in range(len(spans)):
        last = first
        while last + 1 < len(spans) and spans[last + 1][1] - spans[first][0] <= length:
            last += 1
        run = text[spans[first][0] : spans[last][1]][:length]
        score = coverage(question, fold(run)) + 0.0001 * len(run)
        if score > best_score:
            best, best_score = run, score
    return best
