"""What a metric is, and the words of an answer as metrics read them. Pure."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

from eval.cases import Case
from eval.results import CaseResult
from rag.citations import parse
from rag.polar import polarity
from rag.text import fold

Function = Callable[[CaseResult], float | None]
"""Measures one result; None where the metric does not apply."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One measure of one case.

    ``function`` gives None where the metric does not apply. ``worst`` is what a failed case gets when ``applies``
    holds for it; an infinite ``worst`` means that there is no such value (times, tokens) and that the metric is absent
    where nothing was measured. ``needs_answer`` is False for what a run of retrieval alone can measure too.
    """

    name: str
    function: Function
    worst: float
    higher_is_better: bool
    needs_answer: bool
    description: str
    applies: Callable[[Case], bool]

    @property
    def has_worst(self) -> bool:
        """Whether a failed case has a value of this metric."""
        return math.isfinite(self.worst)


def metric(
    name: str,
    description: str,
    function: Function,
    applies: Callable[[Case], bool],
    *,
    worst: float = 0.0,
    higher_is_better: bool = True,
    needs_answer: bool = True,
) -> Metric:
    """A metric whose function is asked only about results of cases for which ``applies`` holds."""

    def guarded(result: CaseResult) -> float | None:
        return function(result) if applies(result.case) else None

    return Metric(name, guarded, worst, higher_is_better, needs_answer, description, applies)


def said(result: CaseResult) -> str:
    """What the answer says of the question: its text without ``[n]`` markers, nothing where it was refused.

    The text of a refusal explains the refusal; a name that happens to be in it answers nothing. Where the references are the words YES or
    NO (CJRC; Duan et al. 2019), what says yes or no in another way counts as that word.
    """
    if result.outcome == "refused":
        return ""
    text = without_markers(result.text)
    words = {answer.strip() for answer in result.case.answers}
    if words and words <= {"YES", "NO"}:
        return {"yes": "YES", "no": "NO"}.get(polarity(text), text)
    return text


@functools.lru_cache(maxsize=4096)
def without_markers(text: str) -> str:
    """A text without its ``[n]`` markers."""
    return "".join(sentence.lead + sentence.text for sentence in parse(text))


@functools.lru_cache(maxsize=16384)
def folded(text: str) -> str:
    """`rag.text.fold`, remembered, since many metrics fold the same texts."""
    return fold(text)


def references(case: Case) -> tuple[str, ...]:
    """The alternatives of the answer that are not blank."""
    return tuple(answer for answer in case.answers if answer.strip())


def groups(case: Case) -> tuple[tuple[str, ...], ...]:
    """The groups of alternatives of which an answer must hold one each: ``required``, else ``answers`` as one group.

    Blank alternatives are left out, since every text holds them; so is a group of nothing else.
    """
    of = case.required or (case.answers,)
    kept = (tuple(alternative for alternative in group if alternative.strip()) for group in of)
    return tuple(group for group in kept if group)
