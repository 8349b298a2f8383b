"""What reading a question and a passage together tells: whether the passage answers, and with which words. Pure.

Where the words begin and end is scored for each token, and against them that no words answer (Devlin et al., "BERT", 2019,
for SQuAD 2.0).
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Callable, Sequence
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


def characters_of(text: str, first: int, last: int, ids: Callable[[str], Sequence[int]]) -> tuple[int, int]:
    """The stretch of a text that its tokens ``first`` to ``last`` come from.

    A beginning of the text that has the first of its tokens, and no others, ends where one of them ends: it does not where it
    breaks one up. Tokenizers that choose the likeliest path give just that (the path to a place on the best path is the best
    one there).

    :param ids: the numbers of a text's tokens
    """
    every = list(ids(text))

    @functools.cache
    def beginning(length: int) -> list[int]:
        return list(ids(text[:length]))

    def ended(length: int) -> int | None:
        """How many tokens end in a beginning of the text; None where it breaks one up."""
        found = beginning(length)
        return len(found) if found == every[: len(found)] else None

    def border(tokens: int) -> tuple[int, int]:
        """The longest beginning in which no more tokens end, and the shortest one in which as many do."""
        at = bisect.bisect_left(range(len(text)), tokens, key=lambda length: len(beginning(length)))
        while (here := ended(at)) is None or here > tokens:
            at -= 1
        for length in range(at + 1, len(text) + 1):
            number = ended(length)
            if number is not None and number > tokens:
                return at, at if here == tokens else length
            if number is not None:
                at, here = length, number
        return at, at

    start, end = border(first)[0], border(last + 1)[1]
    return start, start + len(text[start:end].rstrip())


def _log_sum(places: Array) -> Array:
    top = places.max(axis=0)
    return np.asarray(top + np.log(np.exp(places - top).sum(axis=0)), np.float32)
