"""Joins the features of a candidate into one score, with weights that were learned. Pure but for reading them.

A score is a weighted sum in which the weights depend on the question: ``x . (w + W q)`` for the features ``x`` of a
candidate and ``q`` of the question. Learned listwise (Cao et al., "Learning to rank: from pairwise approach to listwise
approach", ICML 2007, with the top-one probability): `eval.training.fusion` says on what and how.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import WeightsError
from rag.features import NAMES, QUESTION_NAMES

Array = NDArray[np.float32]
RERANKED_NAMES = ("relevance", "relevance_behind", "answers", "relevance_rank")
"""The columns that a reranker adds."""
_READ = 10
"""Passages that a reranker reads, in which nine of ten questions have their answer already."""
_ACROSS = 3
_FILE = "fusion.json"


@dataclass(frozen=True, slots=True)
class Fusion:
    """Learned weights: ``weights`` ``[features]`` and ``by_question`` ``[features, question features]``.

    Features are first brought to ``(x - mean) / deviation``.
    """

    mean: Array
    deviation: Array
    weights: Array
    by_question: Array

    def scores(self, rows: Array, question: Array) -> Array:
        """One score a row, higher for better; comparable within one question.

        :param rows: ``[candidates, features]``
        :param question: ``[question features]``
        """
        weights = self.weights + self.by_question @ question
        return np.asarray(((rows - self.mean) / self.deviation) @ weights, np.float32)


@dataclass(frozen=True, slots=True)
class Fusions:
    """The weights without a reranker's columns, and with them.

    ``sure`` is the share of the first candidate in the softmax over the first stage's scores from which reranking changes next to nothing.
    """

    first: Fusion
    reranked: Fusion
    sure: float


def to_rerank(scores: Array, rows: Array) -> NDArray[np.int64]:
    """Which candidates a reranker shall read, best first: the best ten, or the best seven and the best three that are in
    another language than the question, for the first stage hardly compares languages.

    :param scores: the first stage's, one a row
    :param rows: ``[candidates, features]``
    """
    order = np.argsort(-scores, kind="stable")
    foreign = rows[order, NAMES.index("other_language")] > 0.5
    chosen = foreign & (np.cumsum(foreign) <= _ACROSS)
    chosen |= ~chosen & (np.cumsum(~chosen) <= _READ - chosen.sum())
    return np.asarray(order[chosen], np.int64)


def reranked_features(rows: Array, scores: Array) -> Array:
    """The rows with a reranker's columns behind them.

    :param rows: ``[candidates, features]``
    :param scores: the reranker's two numbers for each, ``[candidates, 2]``: relevance, and whether it answers
    """
    relevance, answers = scores[:, 0], scores[:, 1]
    place = np.argsort(np.argsort(-relevance, kind="stable"), kind="stable")
    columns = (relevance, relevance - relevance.max(initial=-np.inf), answers, 1.0 / (1.0 + place))
    return np.column_stack([rows, *columns]).astype(np.float32)


@functools.cache
def trained() -> Fusions:
    """The weights that come with the program.

    :raises WeightsError: they do not fit the features, which only a broken installation explains
    """
    text = resources.files("rag.trained").joinpath(_FILE).read_text(encoding="utf-8")
    record = json.loads(text)
    if record["question_features"] != list(QUESTION_NAMES):
        raise WeightsError(f"{_FILE} was learned with other features.", "Install Wenzheng anew.")
    return Fusions(
        _fusion(record["first"], NAMES),
        _fusion(record["reranked"], (*NAMES, *RERANKED_NAMES)),
        float(record["sure"]),
    )


def _fusion(record: dict[str, Any], names: tuple[str, ...]) -> Fusion:
    if record["features"] != list(names):
        raise WeightsError(f"{_FILE} was learned with other features.", "Install Wenzheng anew.")
    mean, deviation, weights, by_question = (
        np.asarray(record[key], np.float32) for key in ("mean", "deviation", "weights", "by_question")
    )
    return Fusion(mean, deviation, weights, by_question)
