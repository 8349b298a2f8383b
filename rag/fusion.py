"""Joins the features of a candidate into one score, with weights that were learned. Pure but for reading them.

A score is a weighted sum in which the weights depend on the question: ``x . (w + W q)`` for the features ``x`` of a
candidate and ``q`` of the question. Learned listwise (Cao et al., "Learning to rank: from pairwise approach to listwise
approach", ICML 2007, with the top-one probability): `eval.training.fusion` says on what and how.
"""

from __future__ import annotations

import functools
import json
import math
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import WeightsError
from rag.features import NAMES, QUESTION_NAMES

Array = NDArray[np.float32]
RERANKED_NAMES = ("first", "relevance", "words_met")
"""The columns after reranking: the first stage's score, and two of the reranker's numbers. With the first stage's own columns
beside them the sum fitted the sets it was learned on, and lost on others what the reranker had gained."""
_READ = 10
"""Passages that a reranker reads, in which nine of ten questions have their answer already."""
_ACROSS = 3
_OWN, _FOREIGN = 0.5, 1.0
"""What the first stage's scores and another reranker's count for in `joined`."""
_ALIKE = 1e-6
"""Deviation under which numbers differ by rounding alone, as a share of their size."""
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
    """The weights of the first stage's columns (`rag.features.NAMES`), and of those after reranking.

    ``sure`` is the share of the first candidate in the softmax over the first stage's scores from which reranking changes next to nothing.
    """

    first: Fusion
    reranked: Fusion
    sure: float


def to_rerank(scores: Array, rows: Array, within: float = math.inf) -> NDArray[np.int64]:
    """Which candidates a reranker shall read, best first.

    The best ten, or the best seven and the best three that are in another language than the question, for the first stage
    hardly compares languages. Of those in the question's language only what lies ``within`` so much of the best.

    :param scores: the first stage's, one a row
    :param rows: ``[candidates, features]``
    """
    order = np.argsort(-scores, kind="stable")
    foreign = rows[order, NAMES.index("other_language")] > 0.5
    chosen = foreign & (np.cumsum(foreign) <= _ACROSS)
    chosen |= ~chosen & (np.cumsum(~chosen) <= _READ - chosen.sum())
    chosen &= foreign | (scores[order] >= scores.max(initial=-math.inf) - within)
    return np.asarray(order[chosen], np.int64)


def reranked_features(first: Array, scores: Array) -> Array:
    """One row for each passage that a reranker has read, a column for each of `RERANKED_NAMES`.

    :param first: the first stage's scores, ``[passages]``
    :param scores: the reranker's numbers, ``[passages, 3]``: relevance, whether it answers, how words are met
    """
    return np.column_stack([first, scores[:, 0], scores[:, 2]]).astype(np.float32)


def joined(first: Array, relevance: Array) -> Array:
    """One score for each passage that a reranker has read whose scale is not known, higher for better.

    The weights learned for the reranker that comes with the program mean nothing for another model's numbers, which may be
    logits, probabilities or anything that grows with relevance. So they are brought to mean 0 and deviation 1 over the
    passages of the question and added, with a fixed weight, to the first stage's scores, which are log odds up to a
    constant; so the sum is on that scale too. The two weights gave the likeliest right answers among those tried on 129
    questions, the program's own reranker taken for a foreign one. On 171 questions of four other sets 0.749 of the first
    passages were right (0.743 through a sigmoid), after the first stage alone 0.713, by the reranker alone 0.673, by the
    mean of reciprocal ranks 0.725; with noise of twice its deviation added to the reranker 0.684, where reciprocal ranks
    fell to 0.614.

    :param first: the first stage's scores of these passages
    :param relevance: the reranker's, in the same order
    """
    mean = float(relevance.mean()) if len(relevance) else 0.0
    deviation = float(relevance.std()) if len(relevance) else 0.0
    alike = deviation <= _ALIKE * max(1.0, abs(mean))
    standing = np.zeros_like(first) if alike else (relevance - mean) / deviation
    return np.asarray(_OWN * first + _FOREIGN * standing, np.float32)


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
        _fusion(record["reranked"], RERANKED_NAMES),
        float(record["sure"]),
    )


def _fusion(record: dict[str, Any], names: tuple[str, ...]) -> Fusion:
    if record["features"] != list(names):
        raise WeightsError(f"{_FILE} was learned with other features.", "Install Wenzheng anew.")
    mean, deviation, weights, by_question = (
        np.asarray(record[key], np.float32) for key in ("mean", "deviation", "weights", "by_question")
    )
    return Fusion(mean, deviation, weights, by_question)
