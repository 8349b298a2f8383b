"""Metrics over cases, and intervals for their means. A metric that does not apply to a case is None."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.benchmarks import Case
from rag.text import fold
from rag.types import Answer, Passage


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with the number of cases behind it and its 95 % bootstrap interval."""

    value: float
    n: int
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] n={self.n}"


def recall(case: Case, passages: Sequence[Passage], k: int) -> float | None:
    """1 when a gold document is among the first ``k`` documents, each counted once; None without gold."""
    if not case.gold:
        return None
    files = list(dict.fromkeys(Path(passage.source.path).name for passage in passages))
    return float(any(name in case.gold for name in files[:k]))


def containment(case: Case, answer: Answer) -> float | None:
    """1 when the answer holds all that is required, or one of the alternatives; scripts and widths folded."""
    if not case.answerable:
        return None
    text = fold(answer.text)
    if case.required:
        return float(all(fold(part) in text for part in case.required))
    return float(any(fold(part) in text for part in case.answers))


def refusal(case: Case, answer: Answer) -> float | None:
    """For an unanswerable case, 1 when it was refused; None otherwise."""
    return None if case.answerable else float(answer.outcome == "refused")


def false_refusal(case: Case, answer: Answer) -> float | None:
    """For an answerable case, 1 when it was refused; None otherwise."""
    return float(answer.outcome == "refused") if case.answerable else None


def mean(values: Sequence[float | None], *, seed: int = 0, resamples: int = 1000) -> Mean | None:
    """The mean of the values that apply, with its bootstrap interval (percentile method; Efron 1979)."""
    present = [value for value in values if value is not None]
    if not present:
        return None
    rng = random.Random(seed)  # noqa: S311 - resampling, not secrets
    n = len(present)
    means = sorted(sum(rng.choices(present, k=n)) / n for _ in range(resamples))
    return Mean(sum(present) / n, n, means[int(0.025 * resamples)], means[int(0.975 * resamples)])
