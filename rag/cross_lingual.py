"""Whether a sentence of a document says what a claim in another language says. Pure, given a comparison.

No words are shared, so meaning must tell, by three measures. How near the nearest run of the sentence's clauses lies; how much
nearer than the usual sentence beside it, for some claims lie near to everything (Conneau et al., "Word Translation Without Parallel
Data", ICLR 2018, section 2.3); and how well each word of the claim is met by one of the sentence (`rag.late_interaction`), which tells a
sentence about the same thing from one that says the same. A logistic regression makes a probability of them; `eval.training.meaning`
says on what it was learned.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.calibration import shipped

Array = NDArray[np.float32]
Similarity = Callable[[Sequence[str], Sequence[str]], Array]
"""Cosine of each text of the first list with each of the second, ``[n, m]``."""
WordsMet = Callable[[str, Sequence[str]], Array]
"""How well the words of a text are met by those of each of some others, ``[n]``, -1 to 1."""
NAMES = ("meaning", "over_others", "words_met", "exact")
FILE = "cross_lingual.json"
"""The learned weights, in `rag.trained`."""
LOOKED_AT = 4
"""Sentences, nearest first, that are looked at word by word."""
_FEWEST = 4
"""Sentences from which on it is known how near the usual one lies."""
_MOST_RUNS = 24
_SHORTEST_PART = 12
_PART = re.compile(r"[,;]\s+(?:and\s+|as well as\s+)?|[，；]")
_CLAUSE = re.compile(r"[，,；;：:。！？!?]+")


@dataclass(frozen=True, slots=True)
class Comparison:
    """How texts are compared by meaning; without ``words_met`` the embedding of whole clauses decides alone."""

    similarity: Similarity
    words_met: WordsMet | None = None


@dataclass(frozen=True, slots=True)
class Likeness:
    """A sentence, by its place among those compared, and the probability that it says what the claim does."""

    sentence: int
    probability: float


def nearest(claim: str, texts: Sequence[str], comparison: Comparison, *, exact: bool) -> list[Likeness]:
    """The sentences that are nearest to a claim in another language, at most `LOOKED_AT`, the likeliest first.

    :param exact: whether the claim states an amount or a date, which is held against the sentence besides
    """
    rows = features(claim, texts, comparison, exact=exact)
    weights = shipped(FILE, NAMES)
    found = [Likeness(place, weights.probability(row)) for place, row in rows]
    return sorted(found, key=lambda one: -one.probability)


def features(
    claim: str, texts: Sequence[str], comparison: Comparison, *, exact: bool
) -> list[tuple[int, Array]]:
    """The places of the nearest sentences, nearest first, each with its numbers, one for each of `NAMES`."""
    if not texts:
        return []
    near = meanings(claim, texts, comparison.similarity)
    usual = float(np.median(near)) if len(near) >= _FEWEST else math.nan
    places = [int(place) for place in np.argsort(-near, kind="stable")[:LOOKED_AT]]
    met = comparison.words_met(claim, [texts[place] for place in places]) if comparison.words_met else None
    return [
        (
            place,
            np.asarray(
                [
                    near[place],
                    near[place] - usual,
                    math.nan if met is None else met[n],
                    float(exact),
                ],
                np.float32,
            ),
        )
        for n, place in enumerate(places)
    ]


def meanings(claim: str, texts: Sequence[str], similarity: Similarity) -> Array:
    """How near each sentence is to a claim, ``[texts]``: by its nearest run of clauses, or the mean over the claim's parts.

    A claim that sums up several clauses is nearer to each of them in its parts than as a whole.
    """
    runs = [(place, run) for place, text in enumerate(texts) for run in clause_runs(text)]
    said = list(dict.fromkeys([claim, *parts(claim)]))
    found = similarity(said, [run for _, run in runs])
    owners = np.array([place for place, _ in runs])
    scores = np.zeros(len(texts), np.float32)
    for place in range(len(texts)):
        best = found[:, owners == place].max(axis=1)
        in_parts = float(best[1:].mean()) if len(said) > 1 else 0.0
        scores[place] = max(float(best[0]), in_parts)
    return scores


def parts(claim: str) -> list[str]:
    """The parts of a sentence that its commas divide, where there are several."""
    found = [part.strip(" .。") for part in _PART.split(claim)]
    found = [part for part in found if _length(part) >= _SHORTEST_PART]
    return found if len(found) > 1 else []


def clause_runs(sentence: str) -> list[str]:
    """A sentence and its runs of one to three clauses: a list item renders a part of a long sentence."""
    clauses = [clause for clause in _CLAUSE.split(sentence) if len(clause) > 3]
    runs = ["，".join(clauses[i : i + n]) for n in (1, 2, 3) for i in range(len(clauses) - n + 1)]
    return list(dict.fromkeys([sentence, *runs]))[:_MOST_RUNS]


def _length(text: str) -> int:
    """Characters, one of Chinese counting as two: it says about as much."""
    return sum(2 if "\u4e00" <= character <= "\u9fff" else 1 for character in text)
