"""What tells how well a passage answers a question, as numbers. Pure.

One row a candidate, the same columns for every question; what a column is worth was learned (`rag.fusion`). Scores of
both legs mean nothing across questions, so they are given relative to the best and the least of the same question.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.framing import folded_context
from rag.questions import Question, coverage
from rag.speech import bodies_speaking, speaks
from rag.text import bigrams, fold
from rag.types import Chunk, Source

NAMES = (
    "similarity_behind",
    "similarity_share",
    "dense_rank",
    "dense_found",
    "lexical_share",
    "lexical_behind",
    "lexical_rank",
    "lexical_found",
    "coverage",
    "rare_pairs",
    "numbers",
    "speaks",
    "other_language",
    "document_dense",
    "document_lexical",
    "short",
)
QUESTION_NAMES = ("asks", "length", "latin")
_RANK_CONSTANT = 5.0
_FAR = 0.1
"""Difference of cosines from which being farther behind says no more, so that models of a wider range are not misjudged.
The cosine itself is no column: it would be worth a thousandth of the right first passages, and is another in each model."""
_LONGEST_QUESTION = 120
"""Characters of a question that are compared letter by letter."""
_SHORT = 40
"""Characters under which a passage hardly says a sentence."""


@dataclass(frozen=True, slots=True)
class Range:
    """The best and the least score among the hits of one leg, by which those of one question are measured."""

    best: float
    least: float

    @classmethod
    def of(cls, scores: Sequence[float]) -> Range:
        """The range of these scores; nothing but zeros where there are none."""
        return cls(max(scores, default=0.0), min(scores, default=0.0))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that a leg found: its score and its rank (from 1) in each, None where that leg did not find it.

    ``near`` is the similarity with what another language takes away given back, ``dense`` its range over all hits;
    ``other_language`` is whether the chunk's language is another than the question's.
    """

    key: str
    chunk: Chunk
    source: Source
    similarity: float | None
    near: float | None
    lexical: float | None
    dense_rank: int | None
    lexical_rank: int | None
    dense: Range
    other_language: bool


def features(question: Question, candidates: Sequence[Candidate], lexical: Range) -> NDArray[np.float32]:
    """One row a candidate, one column for each of `NAMES`; ``lexical`` is that leg's range over all its hits."""
    texts = [folded_context(candidate.source, candidate.chunk) for candidate in candidates]
    asked = fold(question.text)[:_LONGEST_QUESTION]
    rarity = _rarity(tuple(dict.fromkeys(bigrams(asked))), texts)
    total = sum(rarity.values()) or 1.0
    numbers = _numbers(asked)
    dense_ranks, lexical_ranks = _best_of_documents(candidates)
    rows = np.zeros((len(candidates), len(NAMES)), np.float32)
    for row, (candidate, text) in enumerate(zip(candidates, texts, strict=True)):
        dense = candidate.dense
        similarity = dense.least if candidate.near is None else candidate.near
        score = 0.5 * lexical.least if candidate.lexical is None else candidate.lexical
        document = candidate.source.id
        rows[row] = (
            max(similarity - dense.best, -_FAR),
            (similarity - dense.least) / max(dense.best - dense.least, 1e-6),
            _of_rank(candidate.dense_rank),
            candidate.dense_rank is not None,
            score / max(lexical.best, 1e-6),
            math.log1p(score) - math.log1p(lexical.best),
            _of_rank(candidate.lexical_rank),
            candidate.lexical_rank is not None,
            coverage(question, text),
            sum(weight for pair, weight in rarity.items() if pair in text) / total,
            sum(number in text for number in numbers) / len(numbers) if numbers else 0.0,
            _heard(question, candidate, text),
            candidate.other_language,
            _of_rank(dense_ranks[document]),
            _of_rank(lexical_ranks[document]),
            min(1.0, _SHORT / max(len(candidate.chunk.text), 1)),
        )
    return rows


def question_features(question: Question) -> NDArray[np.float32]:
    """What of the question bears on how the columns weigh, one number for each of `QUESTION_NAMES`.

    Whether it asks in a sentence or is a bare list of words, how long it is, whether it is in a language other than Chinese.
    """
    asks = any(mark in question.text for mark in "?？吗嗎呢谁誰哪何几幾") or "什么" in fold(question.text)
    return np.asarray([asks, min(1.0, len(question.text) / 60), question.is_latin], np.float32)


def _of_rank(rank: int | None) -> float:
    return 0.0 if rank is None else _RANK_CONSTANT / (_RANK_CONSTANT + rank - 1)


def _rarity(pairs: Sequence[str], texts: Sequence[str]) -> dict[str, float]:
    """How much each pair tells these texts apart (idf over the candidates alone)."""
    count = len(texts)
    return {pair: math.log((count + 1.0) / (sum(pair in text for text in texts) + 0.5)) for pair in pairs}


def _numbers(folded: str) -> list[str]:
    return "".join(char if char.isascii() and char.isdigit() else " " for char in folded).split()


def _heard(question: Question, candidate: Candidate, text: str) -> bool:
    """For what a body said or promised: whether the passage has it speak, rather than only names it.

    Also one in which its head goes on speaking, and which names neither: who speaks is known from what stands before.
    """
    if not (question.asks_statement and question.bodies):
        return False
    speaking = bodies_speaking(candidate.chunk.speeches)
    return any(body.name in speaking or speaks(text, body) for body in question.bodies)


def _best_of_documents(
    candidates: Sequence[Candidate],
) -> tuple[dict[str, int | None], dict[str, int | None]]:
    """The best rank of each document in each leg, by the document's id."""
    dense: dict[str, int | None] = {}
    lexical: dict[str, int | None] = {}
    for candidate in candidates:
        document = candidate.source.id
        dense[document] = _better(dense.get(document), candidate.dense_rank)
        lexical[document] = _better(lexical.get(document), candidate.lexical_rank)
    return dense, lexical


def _better(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)
