"""Answers in the document's own words, where reading is sure of them and the chat model found none. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.addressed import speaks_to_model
from rag.reading import Reading
from rag.reranking import reranking_text
from rag.text import sentences, to_simplified
from rag.types import Passage


@dataclass(frozen=True, slots=True)
class Quotation:
    """The words ``document[start:end]`` of ``passages[passage]`` that answer, and the sentence they stand in."""

    passage: int
    start: int
    end: int
    sentence_start: int
    sentence_end: int


def quotation(passages: Sequence[Passage], readings: Sequence[Reading]) -> Quotation | None:
    """Where the surest words of these passages stand; None where they cannot be placed in a passage's own text."""
    order = sorted(range(len(readings)), key=lambda n: -(readings[n].answers + 0.5 * readings[n].margin))
    for number in order[:1]:
        chunk = passages[number].chunk
        placed = own_words(passages[number], readings[number])
        if placed is None:
            continue
        start, end = placed
        for first, last in sentences(chunk.text):
            if first <= start < last and not speaks_to_model(chunk.text[first:last]):
                end = min(end, last)
                return Quotation(
                    number, chunk.start + start, chunk.start + end, chunk.start + first, chunk.start + last
                )
    return None


def own_words(passage: Passage, reading: Reading) -> tuple[int, int] | None:
    """The range of the words that answer in the chunk's own text, which stands last in what was read; None where they
    stand above it, or converting the script moved them.
    """
    text = passage.chunk.text
    plain = to_simplified(text)
    if len(plain) != len(text):
        return None
    offset = len(reranking_text(passage.source, passage.chunk)) - len(plain)
    start, end = reading.start - offset, reading.end - offset
    if not 0 <= start < end <= len(text):
        return None
    return start, end
