"""How well the words of a question are met by words of a passage, each by the nearest. Pure.

Late interaction (Khattab and Zaharia, "ColBERT: Efficient and effective passage search via contextualized late interaction
over BERT", SIGIR 2020), over the token vectors of a model that was not trained for it: the mean of all tokens is taken off
first, for they share most of their direction, and rare pieces count for more than common ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces of a text: their numbers in the vocabulary ``[tokens]`` and their vectors ``[tokens, d]``."""

    ids: NDArray[np.int64]
    vectors: Array

    def less(self, mean: Array) -> Pieces:
        """The same with a mean ``[d]`` taken off, each vector of length one."""
        vectors = self.vectors - mean
        return replace(
            self, vectors=vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
        )


def late_interaction(question: Pieces, passages: Sequence[Pieces], weights: Array) -> Array:
    """One number a passage, -1 to 1: the weighted mean over the question's pieces of the nearest piece's cosine.

    Pieces have vectors of length one; one without pieces scores 0.

    :param weights: how much each piece of the vocabulary counts
    """
    scores = np.zeros(len(passages), np.float32)
    weight = weights[question.ids]
    if not weight.sum():
        return scores
    for place, passage in enumerate(passages):
        if len(passage.ids):
            nearest = (question.vectors @ passage.vectors.T).max(1)
            scores[place] = float(nearest @ weight / weight.sum())
    return scores
