"""How likely passages answer a question, from what reading them together tells and from its words. Pure but for reading the weights.

A logistic regression over a dozen numbers; `eval.training.answerability` says on what it was learned, and how the probability
was held against what became of other questions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.calibration import shipped
from rag.framing import folded_context
from rag.numerals import quantities
from rag.questions import Question, coverage
from rag.reading import Reading
from rag.text import fold, has_han
from rag.types import Passage

Array = NDArray[np.float32]
NAMES = (
    "answers",
    "margin",
    "relevance",
    "agreement",
    "others",
    "coverage",
    "coverage_of_best",
    "unknown_names",
    "unknown_numbers",
    "unknown_words",
    "similarity",
    "latin",
    "across",
)
FILE = "answerability.json"
"""The learned weights, in `rag.trained`."""
_LIMIT = 12.0
_FAR_SIMILARITY = 0.8
_DISCOUNT = 0.6
"""0.5, from which words alone counted as evidence, is what 0.3 is as a probability."""
_YEAR = re.compile(r"(?:19|20)\d\d")


def features(question: Question, passages: Sequence[Passage], readings: Sequence[Reading]) -> Array:
    """The numbers that tell whether passages answer a question, one for each of `NAMES`.

    :param readings: one a passage, in their order; at least one
    """
    contexts = [folded_context(passage.source, passage.chunk) for passage in passages]
    answers = [reading.answers for reading in readings]
    margins = [reading.margin for reading in readings]
    best = int(np.argmax(np.asarray(answers) + 0.5 * np.asarray(margins)))
    joined = "\n".join(contexts)
    names = [word for word in question.names if word not in contexts[best]]
    total = sum(question.weights.values()) or 1.0
    unknown = sum(weight for word, weight in question.weights.items() if word not in joined)
    similarities = [p.similarity for p in passages if p.similarity is not None]
    across = has_han(passages[best].chunk.text) == question.is_latin
    ranked = sorted(answers, reverse=True)
    return np.asarray(
        [
            _bounded(max(answers)),
            _bounded(max(margins)),
            _bounded(max(reading.relevance for reading in readings)),
            float(answers[best] == max(answers) and margins[best] == max(margins)),
            _bounded(ranked[1]) if len(ranked) > 1 else _bounded(ranked[0]) - 2.0,
            0.0 if across else coverage(question, joined),
            0.0 if across else coverage(question, contexts[best]),
            0.0 if across else min(3.0, float(len(names))),
            _unknown_numbers(question, contexts[best]),
            0.0 if across else unknown / total,
            max(similarities, default=_FAR_SIMILARITY) - _FAR_SIMILARITY,
            float(question.is_latin),
            float(across),
        ],
        np.float32,
    )


def answer_probability(
    question: Question, passages: Sequence[Passage], readings: Sequence[Reading], bearing: float
) -> float:
    """The probability that these passages answer the question; without readings what the words alone tell.

    :param bearing: how far the passages bear on the question by its words (`rag.evidence`), 0 to 1. It counts, at a discount,
        where reading was learned on too little to speak against it: what a body that is named said or promised, which is
        many sentences and no short stretch of one, and passages in another language than the question.
    """
    if not readings:
        return bearing
    read = shipped(FILE, NAMES).probability(features(question, passages, readings))
    return max(read, _DISCOUNT * bearing) if words_count(question, passages, readings) else read


def words_count(question: Question, passages: Sequence[Passage], readings: Sequence[Reading]) -> bool:
    """Whether reading was learned on too little to speak against words: statements of a named body, another language."""
    if question.bodies and question.asks_statement:
        return True
    return bool(features(question, passages, readings)[NAMES.index("across")])


def _unknown_numbers(question: Question, context: str) -> float:
    """Numbers that the question has and the passage lacks, years left out: those are looked for before."""
    asked = {q.value for q in quantities(fold(question.text)) if not _YEAR.fullmatch(q.value)}
    if not asked:
        return 0.0
    held = {q.value for q in quantities(context)}
    return float(min(2, len(asked - held)))


def _bounded(value: float) -> float:
    return max(-_LIMIT, min(_LIMIT, value))
