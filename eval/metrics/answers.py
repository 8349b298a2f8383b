"""The few metrics that are asked of a case with the pipeline's own passages and answer, without a `CaseResult`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eval.cases import Case
from eval.metrics.metric import without_markers
from eval.metrics.reading import contains
from eval.metrics.retrieval import hit_at
from rag.types import Answer, Passage


def recall(case: Case, passages: Sequence[Passage], k: int) -> float | None:
    """1 when a gold document is among the first ``k`` documents, each counted once; None without gold.

    This is ``hit@k`` of `eval.metrics.retrieval`. Gold documents are named by their ids or their files' names.
    """
    if not case.gold:
        return None
    names = {passage.source.id: Path(passage.source.path).name for passage in passages}
    ranking = [name if name in case.gold else key for key, name in names.items()]
    return hit_at(ranking, case.gold, k)


def containment(case: Case, answer: Answer) -> float | None:
    """1 when the answer holds what is required, as `eval.metrics.reading.contains`; a refusal holds nothing."""
    return contains(case, "" if answer.outcome == "refused" else without_markers(answer.text))


def refusal(case: Case, answer: Answer) -> float | None:
    """For an unanswerable case, 1 when it was refused; None otherwise."""
    return None if case.answerable else float(answer.outcome == "refused")


def false_refusal(case: Case, answer: Answer) -> float | None:
    """For an answerable case, 1 when it was refused; None otherwise."""
    return float(answer.outcome == "refused") if case.answerable else None
