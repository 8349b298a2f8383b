"""How likely it is that the documents answer a question, weighed step by step: before a word, before generating, afterwards.

Joins what reading tells (`rag.answerability`), the chat model's own word (`rag.assessment`) and what was answered
(`rag.answered`); each step's probability is the answer's confidence until the next.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.answerability import answer_probability, words_count
from rag.answered import answered_probability, can_be_judged, cited_texts, features
from rag.assessment import (
    WORTH_ASKING,
    assessed_probability,
    comparable,
    hesitation,
    yes_log_odds,
)
from rag.checking import Draft
from rag.evidence import LOOKED_AT, Evidence, assess
from rag.excerpts import Excerpt
from rag.messages import messages
from rag.model import ChatModel
from rag.questions import Question, corrected_text
from rag.reading import Reading
from rag.reranking import Reader, reranking_text
from rag.settings import Settings
from rag.text import to_simplified
from rag.types import Passage


@dataclass(frozen=True, slots=True)
class Weighed:
    """What passages are worth for a question before the chat model is asked anything.

    ``readings`` are of the first passages, in their order; none without a reader. ``wanting`` is whether the evidence is plainly
    not there, whatever the probability ``likely``. ``assessed`` is whether the chat model's own word counts.
    """

    evidence: Evidence
    readings: tuple[Reading, ...]
    likely: float
    wanting: bool
    assessed: bool

    def worth_going_on(self, threshold: float) -> bool:
        """Whether the chat model is to be asked at all."""
        least = min(WORTH_ASKING, threshold) if self.assessed else threshold
        return self.likely >= least and not (self.wanting and threshold > 0)


class Weighing:
    """Weighs the evidence and the answers of one pipeline."""

    def __init__(self, reader: Reader | None, model: ChatModel, settings: Settings) -> None:
        self._reader = reader
        self._model = model
        self._settings = settings

    def passages(self, question: Question, passages: Sequence[Passage]) -> Weighed:
        """Before a word: whether these passages answer, by reading them and by their words."""
        evidence = assess(question, passages)
        readings = self._read(question, passages) if evidence.score > 0 else []
        likely = answer_probability(question, passages, readings, evidence.score)
        by_words = bool(readings) and words_count(question, passages, readings)
        return Weighed(
            evidence,
            tuple(readings),
            likely,
            wanting=bool(evidence.fault) and (not readings or evidence.score == 0),
            assessed=self._settings.assess and self._settings.evidence_threshold > 0 and not by_words,
        )

    def assessed(
        self,
        question: Question,
        passages: Sequence[Passage],
        parts: Sequence[Excerpt],
        weighed: Weighed,
        stop: threading.Event | None,
    ) -> float:
        """Before generating: the probability with the chat model's own word on what it is shown, where that counts.

        :raises ModelError: the chat model cannot be asked
        """
        if not weighed.assessed:
            return weighed.likely
        short = self._settings.answer_style == "short"
        asked = messages(question, passages, parts, short=short, whether=True)
        odds = yes_log_odds(self._model.first_tokens(asked, stop=stop))
        if odds is None:
            return weighed.likely
        odds = comparable(odds, english=question.is_latin, short=short)
        return assessed_probability(weighed.likely, odds)

    def answered(
        self,
        question: Question,
        draft: Draft,
        passages: Sequence[Passage],
        weighed: Weighed,
        likely: float,
        first: Mapping[str, float],
    ) -> float:
        """Afterwards: the probability that what stands of an answer answers the question.

        :param likely: the probability before generating
        :param first: with which tokens the answer might have begun; empty where that is not told
        """
        citations = draft.citations
        if self._reader is None or not weighed.readings or not can_be_judged(question, citations):
            return likely
        said = "\n".join(sentence.text for sentence in draft.supported)
        cited = self._reader.read(to_simplified(corrected_text(question)), cited_texts(citations))
        # Whole sentences begin alike, whatever they go on to say: only of a few words the first token tells.
        hesitated = hesitation(first) if self._settings.answer_style == "short" else None
        row = features(question, said, citations, passages, weighed.readings, cited, likely, hesitated)
        return answered_probability(row)

    def _read(self, question: Question, passages: Sequence[Passage]) -> list[Reading]:
        """What reading the first passages together with the question tells; empty without a reader."""
        if self._reader is None:
            return []
        texts = [reranking_text(p.source, p.chunk) for p in passages[:LOOKED_AT]]
        return self._reader.read(to_simplified(corrected_text(question)), texts)
