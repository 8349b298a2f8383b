"""How far the pipeline's confidence tells right answers from wrong ones.

The coverage-accuracy curve is the risk-coverage curve of selective classification (El-Yaniv and Wiener 2010; Geifman and
El-Yaniv 2017) with accuracy, which is 1 - risk; its area is 1 - AURC. The reliability curve and the expected
calibration error are those of Naeini et al. (2015) and Guo et al. (2017).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from eval.metrics.metric import said
from eval.metrics.reading import contains
from eval.results import CaseResult

Correctness = Callable[[CaseResult], float | None]
"""How right an answer is, 0 to 1; None where that cannot be told."""


@dataclass(frozen=True, slots=True)
class Point:
    """What answering only from ``confidence`` on would give: the share of answers kept, and how right those are."""

    coverage: float
    accuracy: float
    confidence: float
    n: int


@dataclass(frozen=True, slots=True)
class Curve:
    """The points from the most to the least confident, and the mean accuracy over all coverages.

    ``n`` counts the answers behind it, ``left_out`` the results that are not: refused, failed, without confidence, or
    answers of which it cannot be told whether they are right. ``area`` is None without answers.
    """

    points: tuple[Point, ...]
    area: float | None
    n: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers with a confidence from ``low`` to ``high``: their mean confidence and the share that is right."""

    low: float
    high: float
    confidence: float
    correct: float
    n: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """The bins that hold answers, from low to high, and the expected calibration error (None without answers)."""

    bins: tuple[Bin, ...]
    error: float | None
    n: int


def correctness(result: CaseResult) -> float | None:
    """Containment for the answerable; 0 for an answer to what is unanswerable."""
    return contains(result.case, said(result)) if result.case.answerable else 0.0


def coverage_accuracy(results: Sequence[CaseResult], correct: Correctness = correctness) -> Curve:
    """The coverage-accuracy curve over the answers that were given (answered or partial).

    Coverage is the share of these answers. Answers of equal confidence come in together and make one point; within them
    the accuracy that goes into the area is what any order of them gives on average.
    """
    judged = _judged(results, correct)
    points: list[Point] = []
    accuracies: list[float] = []
    right, taken = 0.0, 0
    for confidence, group in groupby(sorted(judged, reverse=True), key=lambda pair: pair[0]):
        found = [value for _, value in group]
        share = sum(found) / len(found)
        accuracies.extend((right + i * share) / (taken + i) for i in range(1, len(found) + 1))
        right, taken = right + sum(found), taken + len(found)
        points.append(Point(taken / len(judged), right / taken, confidence, taken))
    area = sum(accuracies) / len(accuracies) if accuracies else None
    return Curve(tuple(points), area, len(judged), len(results) - len(judged))


def reliability(
    results: Sequence[CaseResult], correct: Correctness = correctness, bins: int = 10
) -> Reliability:
    """Bins of equal width over confidences from 0 to 1 against the share of right answers in each.

    Confidences outside 0 to 1 count in the first or last bin. The error is the mean distance between confidence and
    share, weighted by the answers in each bin; it says something only of a confidence meant as a probability.
    """
    filled: dict[int, list[tuple[float, float]]] = {}
    judged = _judged(results, correct)
    for confidence, value in judged:
        filled.setdefault(min(bins - 1, max(0, int(confidence * bins))), []).append((confidence, value))
    found = tuple(
        Bin(
            low=index / bins,
            high=(index + 1) / bins,
            confidence=sum(confidence for confidence, _ in pairs) / len(pairs),
            correct=sum(value for _, value in pairs) / len(pairs),
            n=len(pairs),
        )
        for index, pairs in sorted(filled.items())
    )
    error = (
        sum(part.n * abs(part.confidence - part.correct) for part in found) / len(judged) if judged else None
    )
    return Reliability(found, error, len(judged))


def _judged(results: Sequence[CaseResult], correct: Correctness) -> list[tuple[float, float]]:
    """(confidence, correctness) of the answers that were given and can be judged."""
    given = [
        (result.confidence, correct(result))
        for result in results
        if not result.error and result.outcome in {"answered", "partial"} and result.confidence is not None
    ]
    return [(confidence, value) for confidence, value in given if value is not None]
