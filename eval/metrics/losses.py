"""Where a case was lost on its way through the pipeline: one category for each (`eval.results.Loss`)."""

from __future__ import annotations

from eval.metrics.metric import groups
from eval.metrics.registry import METRICS
from eval.results import CaseResult, Loss

CLOSE_ENOUGH = 0.5
"""The F1 (CMRC's, scripts folded) from which an answer counts as right without holding a reference word by word."""


def right(result: CaseResult) -> bool | None:
    """Whether an answer counts as right; None where nothing is known of what it should say.

    An unanswerable case is right when it was refused. An answerable one is right when containment holds; or, where the
    case requires nothing in particular, when `f1_cmrc_folded` reaches `CLOSE_ENOUGH`, so that a reference of a whole
    sentence need not be repeated to the letter. A failed case is not right.
    """
    case = result.case
    if result.error:
        return False
    if not case.answerable:
        return result.outcome == "refused"
    if METRICS["containment"].function(result) == 1.0:
        return True
    close = METRICS["f1_cmrc_folded"].function(result)
    if close is not None and not case.required:
        return close >= CLOSE_ENOUGH
    return False if groups(case) else None


def loss(result: CaseResult) -> Loss:
    """The first thing that went wrong, or "none".

    What came out right is not lost, wherever its answer came from. Where no gold documents are known, nothing is said
    of retrieval and use. Where nothing is known of the answer, one that cites gold counts as not lost. In a run of
    retrieval alone (no outcome) only "not_retrieved", "failed" and "none" occur.
    """
    case = result.case
    if result.error:
        return "failed"
    gold = set(case.gold) if case.answerable else set()
    found = {passage.number for passage in result.passages if passage.document in gold}
    if not result.outcome:
        return "not_retrieved" if gold and not found else "none"
    correct = right(result)
    if correct:
        return "none"
    if not case.answerable:
        return "wrongly_answered"
    if gold and not found:
        return "not_retrieved"
    if gold and not found & set(result.shown):
        return "not_shown"
    if result.outcome == "refused":
        return "wrongly_refused"
    if gold and not any(citation.document in gold for citation in result.citations):
        return "not_used"
    return "none" if correct is None else "wrong"
