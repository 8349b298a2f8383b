"""Every metric by name, and the scores of one result."""

from __future__ import annotations

from eval.metrics import citations, completeness, cost, judged, reading, refusals, retrieval, rgb
from eval.metrics.metric import Metric
from eval.results import CaseResult

METRICS: dict[str, Metric] = {
    found.name: found
    for module in (retrieval, reading, completeness, citations, refusals, rgb, judged, cost)
    for found in module.METRICS
}
"""In the order in which tables show them."""


def score(result: CaseResult, *, only_retrieval: bool = False) -> dict[str, float]:
    """Every metric that applies to a result, in the order of `METRICS`.

    A failed result gets the worst value of each metric that would apply to its case, of those that a run of retrieval
    alone measures where ``only_retrieval``. Without an error, such a run shows in the outcome, which is empty. What a
    judge says is absent where none was asked, of a failed result as well.
    """
    only_retrieval = only_retrieval or not (result.outcome or result.error)
    found: dict[str, float] = {}
    for name, metric in METRICS.items():
        if metric.needs_answer and only_retrieval:
            continue
        if name in judged.NAMES and result.judgement is None:
            continue
        if result.error and metric.has_worst:
            value = metric.worst if metric.applies(result.case) else None
        else:
            value = metric.function(result)
        if value is not None:
            found[name] = value
    return found


def scores(result: CaseResult) -> dict[str, float]:
    """The metrics that a result holds, computed where it holds none."""
    return dict(result.metrics) or score(result)
