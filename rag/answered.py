"""How likely an answer whose sentences were checked answers its question, and not another one like it. Pure.

Each sentence of an answer may stand in the documents and still be about something else: the asked district's neighbour,
another year, the first such train where the third was asked for. What the reader finds on its own is held against what was
answered, and the cited places are read again by themselves (Hu et al., "Read + Verify", AAAI 2019). A logistic regression makes
a probability of it; `eval.training.answered` says on what it was learned.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from rag.calibration import shipped
from rag.framing import folded_frame
from rag.questions import Question, coverage
from rag.reading import Reading
from rag.reranking import reranking_text
from rag.text import fold, has_han, to_simplified
from rag.types import Citation, Passage

Array = NDArray[np.float32]
NAMES = (
    "likely",
    "cited",
    "cited_margin",
    "agreement",
    "cited_agreement",
    "coverage_of_cited",
    "decided",
)
FILE = "answered.json"
"""The learned weights, in `rag.trained`."""
_LIMIT = 12.0
_SURE = 3.0
"""Log odds that the passages answer, above which they say nothing more of this answer: it may still be beside."""
_MOST_UNDECIDED = 3.0
"""Nats of entropy above which a first token is as good as guessed."""
_MARKS = re.compile(r"\[\d{1,3}\]|[\s，。、；：,.;:!?！？“”\"'（）()《》]")
_BEFORE = 120
"""Characters of its paragraph before a cited sentence that are read with it."""
_LONG = 400
"""Characters of an answer that are compared."""


def cited_texts(citations: Sequence[Citation]) -> list[str]:
    """What is read again: each cited sentence under the title of its document, in simplified script as the reader was taught."""
    return [to_simplified("\n".join((c.passage.source.title, _before(c) + c.quote))) for c in citations]


def _before(citation: Citation) -> str:
    """The last characters before a cited sentence in its paragraph: what it may be about ("该馆周一闭馆")."""
    chunk = citation.passage.chunk
    start = max(0, citation.start - chunk.start)
    line = chunk.text.rfind("\n", 0, start) + 1
    return chunk.text[max(line, start - _BEFORE) : start]


def features(
    question: Question,
    said: str,
    citations: Sequence[Citation],
    passages: Sequence[Passage],
    readings: Sequence[Reading],
    cited: Sequence[Reading],
    likely: float,
    hesitated: float | None,
) -> Array:
    """The numbers that tell whether a checked answer answers, one for each of `NAMES`.

    :param said: the sentences that stand, with or without markers
    :param readings: of the first passages, in their order; at least one
    :param cited: of `cited_texts`, in their order; at least one
    :param likely: the probability, before anything was generated, that the passages answer
    :param hesitated: as `rag.assessment.hesitation` tells; unknown numbers are NaN, which counts as the mean
    """
    words = _bare(said)
    spans = [
        _bare(reranking_text(p.source, p.chunk)[r.start : r.end])
        for p, r in zip(passages, readings, strict=False)
    ]
    texts = cited_texts(citations)
    best = max(range(len(readings)), key=lambda n: readings[n].answers + 0.5 * readings[n].margin)
    near = max(range(len(cited)), key=lambda n: cited[n].answers + 0.5 * cited[n].margin)
    held = [
        coverage(question, f"{folded_frame(c.passage, c.start, c.end)}\n{fold(c.quote)}") for c in citations
    ]
    return np.asarray(
        [
            bounded_log_odds(likely),
            _bounded(max(reading.answers for reading in cited)),
            _bounded(max(reading.margin for reading in cited)),
            _overlap(words, spans[best]),
            _overlap(words, _bare(texts[near][cited[near].start : cited[near].end])),
            max(held),
            math.nan if hesitated is None else -min(hesitated, _MOST_UNDECIDED),
        ],
        np.float32,
    )


def answered_probability(row: Array) -> float:
    """The probability that what stands of an answer answers the question, by its `features`."""
    return shipped(FILE, NAMES).probability(row)


def can_be_judged(question: Question, citations: Sequence[Citation]) -> bool:
    """Whether reading was learned on such questions.

    It was not on what somebody said or promised, which is many sentences and no short stretch of one, nor across languages.
    """
    if question.asks_statement:
        return False
    return any(has_han(citation.quote) != question.is_latin for citation in citations)


def bounded_log_odds(probability: float) -> float:
    """The log odds of a probability, between -3 and 3: what is surer says nothing more of one answer."""
    inside = min(max(probability, 1e-9), 1 - 1e-9)
    return max(-_SURE, min(_SURE, math.log(inside / (1 - inside))))


def _overlap(one: str, other: str) -> float:
    """The longest common run's share of the shorter text, 0 to 1."""
    if not one or not other:
        return 0.0
    one, other = one[:_LONG], other[:_LONG]
    found = SequenceMatcher(None, one, other, autojunk=False).find_longest_match()
    return found.size / min(len(one), len(other))


def _bare(text: str) -> str:
    return _MARKS.sub("", to_simplified(fold(text)))


def _bounded(value: float) -> float:
    return max(-_LIMIT, min(_LIMIT, value))
