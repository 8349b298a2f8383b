"""Retrieval at the level of documents: each counts once, at its first passage. Gains are binary.

``recall@k`` is BEIR's (Thakur et al. 2021): the share of the gold documents among the first k. ``hit@k`` is whether any
gold document is among them; the two agree where there is one gold document. ``mrr@10`` is the reciprocal rank of the
first gold document, 0 after rank 10; ``ndcg@10`` discounts by log2(rank + 1) (Järvelin and Kekäläinen 2002).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from eval.cases import Case
from eval.metrics.metric import Function, Metric, metric
from eval.results import CaseResult

DEPTHS = (1, 5, 10)


def documents(result: CaseResult) -> tuple[str, ...]:
    """The documents of the ranking, best first, each once."""
    return tuple(dict.fromkeys(passage.document for passage in result.passages))


def recall_at(ranking: Sequence[str], gold: Collection[str], k: int) -> float:
    """The share of the gold documents among the first ``k`` of the ranking; ``gold`` is not empty."""
    return len(set(ranking[:k]) & set(gold)) / len(set(gold))


def hit_at(ranking: Sequence[str], gold: Collection[str], k: int) -> float:
    """1 when any gold document is among the first ``k`` of the ranking."""
    return float(any(document in gold for document in ranking[:k]))


def reciprocal_rank(ranking: Sequence[str], gold: Collection[str], k: int) -> float:
    """1 / rank of the first gold document among the first ``k``, 0 without one."""
    return next((1 / rank for rank, document in enumerate(ranking[:k], start=1) if document in gold), 0.0)


def ndcg_at(ranking: Sequence[str], gold: Collection[str], k: int) -> float:
    """The discounted gain of the first ``k`` against that of the best ranking possible; ``gold`` is not empty."""
    gain = sum(
        1 / math.log2(rank + 1) for rank, document in enumerate(ranking[:k], start=1) if document in gold
    )
    return gain / sum(1 / math.log2(rank + 1) for rank in range(1, min(len(set(gold)), k) + 1))


def _has_gold(case: Case) -> bool:
    return bool(case.gold)


def _recall(k: int) -> Function:
    return lambda result: recall_at(documents(result), result.case.gold, k)


def _hit(k: int) -> Function:
    return lambda result: hit_at(documents(result), result.case.gold, k)


METRICS: tuple[Metric, ...] = (
    *(
        metric(
            f"recall@{k}",
            f"Share of the gold documents among the first {k} documents.",
            _recall(k),
            _has_gold,
            needs_answer=False,
        )
        for k in DEPTHS
    ),
    *(
        metric(
            f"hit@{k}",
            f"Whether any gold document is among the first {k} documents.",
            _hit(k),
            _has_gold,
            needs_answer=False,
        )
        for k in DEPTHS
    ),
    metric(
        "mrr@10",
        "Reciprocal rank of the first gold document among ten.",
        lambda result: reciprocal_rank(documents(result), result.case.gold, 10),
        _has_gold,
        needs_answer=False,
    ),
    metric(
        "ndcg@10",
        "Normalised discounted cumulative gain of the first ten documents, binary gains.",
        lambda result: ndcg_at(documents(result), result.case.gold, 10),
        _has_gold,
        needs_answer=False,
    ),
)
