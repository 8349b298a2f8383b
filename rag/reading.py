"""What reading a question and a passage together tells: whether the passage answers, and with which words. Pure.

Where the words begin and end is scored for each token, and against them that no words answer (Devlin et al., "BERT", 2019,
for SQuAD 2.0).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_LONGEST = 40
"""Tokens of the longest answer."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a passage answers a question.

    ``relevance`` is the reranker's, ``answers`` the log odds that the passage answers; ``margin`` is how much likelier, in nats,
    the best words ``text[start:end]`` are than that none answer. ``start`` and ``end`` index into the text that was read.
    """

    relevance: float
    answers: float
    margin: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Span:
    """The best stretch of tokens, ``first`` to ``last``, and its margin over there being none."""

    first: int
    last: int
    margin: float


def best_span(places: Array, first: int, last: int) -> Span:
    """The likeliest answer among tokens ``first`` to ``last`` (not counted in).

    :param places: for each token how well an answer begins and ends there, ``[tokens, 2]``; token 0 stands for no answer
    """
    scores = places - _log_sum(places)
    none = float(scores[0].sum())
    if last <= first:
        return Span(first, first, -abs(none) - 1e3)
    begins, ends = scores[first:last, 0], scores[first:last, 1]
    size = last - first
    together = begins[:, None] + ends[None, :]
    allowed = np.triu(np.ones((size, size), np.bool_)) & ~np.triu(np.ones((size, size), np.bool_), _LONGEST)
    together = np.where(allowed, together, -np.inf)
    best = int(np.argmax(together))
    return Span(first + best // size, first + best % size, float(together.flat[best]) - none)


def characters_of(text: str, first: int, last: int, count: Callable[[str], int]) -> tuple[int, int]:
    """The stretch of a text that its tokens ``first`` to ``last`` come from.

    :param count: the number of tokens of a text; that of a beginning of the text is the number that end in it
    """
    return _shortest(text, first + 1, count) - 1, _shortest(text, last + 1, count)


def _shortest(text: str, tokens: int, count: Callable[[str], int]) -> int:
    """The length of the shortest beginning of a text that has so many tokens; at least 1."""
    low, high = 1, max(1, len(text))
    while low < high:
        middle = (low + high) // 2
        if count(text[:middle]) >= tokens:
            high = middle
        else:
            low = middle + 1
    return low


def _log_sum(places: Array) -> Array:
    top = places.max(axis=0)
    return np.asarray(top + np.log(np.exp(places - top).sum(axis=0)), np.float32)
