"""Answers in the document's own words, where reading is sure of them and the chat model found none. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.addressed import speaks_to_model
from rag.numerals import UNITS
from rag.polar import polarity
from rag.questions import Question, coverage
from rag.reading import Reading
from rag.reranking import reranking_text
from rag.text import fold, sentences, to_simplified
from rag.types import Passage

_SIGNS = ' 。，,.;；:：、“”"「」『』()（）'
_OPENING = tuple("：:，,、；; ")
_PARTNERS = {"（": "）", "(": ")", "「": "」", "『": "』", "“": "”"}
_CLOSING = {closing: opening for opening, closing in _PARTNERS.items()}
_LESS = 0.1
"""Share of the question by which the quoted sentence may fall behind another of its passage."""
_LONGER = 8
"""Characters by which the words that reading found may be longer than those that they complete."""
_UNIT = re.compile(rf"(?:\.\d+)?\s?(?:[%％‰]|[万亿千百]*(?:多|余)?(?:号|{UNITS})?)")


@dataclass(frozen=True, slots=True)
class Quotation:
    """The words ``document[start:end]`` of ``passages[passage]`` that answer, and the sentence they stand in."""

    passage: int
    start: int
    end: int
    sentence_start: int
    sentence_end: int


def quotation(
    question: Question, passages: Sequence[Passage], readings: Sequence[Reading]
) -> Quotation | None:
    """Where the surest words of these passages stand.

    None where they cannot be placed in a passage's own text, and where another sentence of that passage speaks more of what
    was asked: of the rows of a table only the right one answers.
    """
    if not readings:
        return None
    number = max(range(len(readings)), key=lambda n: readings[n].answers + 0.5 * readings[n].margin)
    passage = passages[number]
    chunk = passage.chunk
    placed = own_words(passage, readings[number])
    if placed is None:
        return None
    start, end = placed
    spans = sentences(chunk.text)
    held = next(((first, last) for first, last in spans if first <= start < last), None)
    if held is None or speaks_to_model(chunk.text[slice(*held)]):
        return None
    asked = [coverage(question, fold(chunk.text[first:last])) for first, last in spans]
    if asked[spans.index(held)] < max(asked) - _LESS:
        return None
    offset = chunk.start
    return Quotation(number, offset + start, offset + min(end, held[1]), offset + held[0], offset + held[1])


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
    while start < end and plain[start] in _OPENING:
        start += 1
    return (start, end) if start < end else None


def in_full(words: str, passage: Passage, reading: Reading | None) -> str:
    """A few words taken from a passage, as the passage has them in full: a number with its unit, a name uncut.

    The words that reading found count as the full ones where they hold the given ones and are little longer.

    :param words: in simplified script; what the passage does not hold literally is given back as it is
    """
    text = passage.chunk.text
    plain = to_simplified(text)
    bare = bare_words(words)
    if len(plain) != len(text) or not bare or polarity(bare):
        return words
    placed = own_words(passage, reading) if reading is not None else None
    if placed is not None:
        start, end = placed
        if bare in plain[start:end] and end - start <= len(bare) + _LONGER and "。" not in text[start:end]:
            return bare_words(text[start:end])
    at = plain.find(bare)
    if at < 0:
        return words
    end = at + len(bare)
    if bare[-1].isdigit() and (unit := _UNIT.match(plain, end)):
        end = unit.end()
    return text[at:end]


def completed(words: str, passages: Sequence[Passage], readings: Sequence[Reading]) -> str:
    """A few words as the first passage that has more of them has them: "3.7" as "3.7%"; unchanged where none has.

    :param readings: of the first passages, in their order
    """
    for number, passage in enumerate(passages):
        full = in_full(words, passage, readings[number] if number < len(readings) else None)
        if len(full) > len(words):
            return full
    return words


def bare_words(words: str) -> str:
    """Words without the signs around them; a bracket or quotation mark whose partner stands inside them is theirs."""
    while words:
        first, last = words[0], words[-1]
        if last in _SIGNS and not (last in _CLOSING and _CLOSING[last] in words[:-1]):
            words = words[:-1]
        elif first in _SIGNS and not (first in _PARTNERS and _PARTNERS[first] in words[1:]):
            words = words[1:]
        elif _PARTNERS.get(first) == last and words.count(last) == 1:
            words = words[1:-1]
        else:
            break
    return words
