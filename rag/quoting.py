"""Answers in the document's own words, where reading is sure of them and the chat model found none. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.addressed import speaks_to_model
from rag.reading import Reading
from rag.reranking import reranking_text
from rag.text import sentences, to_simplified
from rag.types import Passage

_SIGNS = ' 。，,.;；:：、“”"「」『』()（）'
_LONGER = 8
"""Characters by which the words that reading found may be longer than those that they complete."""
_UNIT = re.compile(
    r"(?:\.\d+)?\s?(?:%|[万亿千百]*(?:多|余)?(?:平方公里|平方米|立方米|公里|千米|公斤|公顷|个百分点|百分点|人次|个月|小时|分钟|美元|港元|欧元|日元"
    r"|年|月|日|号|个|户|人|名|位|家|所|台|辆|座|条|项|元|亩|吨|米|岁|天|周|度|倍|层|册|部|支|件|种|次|场|届|分|点|期|艘|架|枚|只|头)?)"
)


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


def in_full(words: str, passage: Passage, reading: Reading | None) -> str:
    """A few words taken from a passage, as the passage has them in full: a number with its unit, a name uncut.

    The words that reading found count as the full ones where they hold the given ones and are little longer.

    :param words: in simplified script; what the passage does not hold literally is given back as it is
    """
    text = passage.chunk.text
    plain = to_simplified(text)
    bare = words.strip(_SIGNS)
    if len(plain) != len(text) or not bare:
        return words
    placed = own_words(passage, reading) if reading is not None else None
    if placed is not None:
        start, end = placed
        if bare in plain[start:end] and end - start <= len(bare) + _LONGER and "。" not in text[start:end]:
            return text[start:end].strip(_SIGNS)
    at = plain.find(bare)
    if at < 0:
        return words
    end = at + len(bare)
    if bare[-1].isdigit() and (unit := _UNIT.match(plain, end)):
        end = unit.end()
    return text[at:end]
