"""``[n]`` markers in text, and the answer put together from checked sentences with exact offsets. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.text import sentences
from rag.types import Claim, Verdict

_MARKER = re.compile(
    r"\s?[\[【［]\s*(?:资料|資料|[Ss]ource\s*)?(\d{1,3}(?:\s*[,，、]\s*\d{1,3})*)\s*[\]】］]"
)
_CLOSING = re.compile(r"[。！？!?….;；,，、:：”’」』\"')）\s]+$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a model's text without its markers, with the numbers it cited."""

    text: str
    lead: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence with its verdict; ``numbers`` are the passages that bear it out, ``lead`` the space before it.

    ``ranges`` has the place in each of these passages' documents.
    """

    text: str
    lead: str
    numbers: tuple[int, ...]
    verdict: Verdict
    reason: str = ""
    ranges: tuple[tuple[int, int], ...] = ()


def parse(text: str) -> list[Sentence]:
    """Split a model's text into sentences, taking the ``[n]`` markers off.

    A marker belongs to the sentence that it stands in or directly follows.
    """
    plain: list[str] = []
    markers: list[tuple[int, tuple[int, ...]]] = []
    length = last = 0
    for match in _MARKER.finditer(text):
        piece = text[last : match.start()]
        plain.append(piece)
        length += len(piece)
        markers.append((length, tuple(int(number) for number in re.findall(r"\d+", match.group(1)))))
        last = match.end()
    plain.append(text[last:])
    clean = "".join(plain)
    spans = sentences(clean)
    found = []
    for index, (start, end) in enumerate(spans):
        # Up to where the next sentence begins; a marker at its very start belongs to this one.
        limit = spans[index + 1][0] if index + 1 < len(spans) else len(clean)
        first = spans[index - 1][1] if index else 0
        numbers = [
            number
            for position, some in markers
            if (start < position <= limit if index else position <= limit)
            for number in some
        ]
        found.append(Sentence(clean[start:end], clean[first:start], tuple(dict.fromkeys(numbers))))
    return found


def without_markers(text: str) -> str:
    """A text without its ``[n]`` markers."""
    return _MARKER.sub("", text)


def assemble(checked: Sequence[Checked], *, keep_unsupported: bool) -> tuple[str, tuple[Claim, ...]]:
    """Put the answer together: each supported sentence with its markers before its closing punctuation.

    Sentences without support are left out, or kept without a marker; either way they have a claim. That of one left
    out is empty and stands where it would have been.
    """
    parts: list[str] = []
    claims: list[Claim] = []
    length = 0
    for sentence in checked:
        if sentence.verdict == "unsupported" and not keep_unsupported:
            claims.append(Claim(sentence.text, length, length, (), "unsupported", sentence.reason))
            continue
        lead = sentence.lead if parts else ""
        shown = _marked(sentence.text, sentence.numbers) if sentence.verdict == "supported" else sentence.text
        parts.extend((lead, shown))
        start = length + len(lead)
        length = start + len(shown)
        claims.append(
            Claim(
                sentence.text,
                start,
                length,
                sentence.numbers,
                sentence.verdict,
                sentence.reason,
                sentence.ranges,
            )
        )
    return "".join(parts), tuple(claims)


def _marked(text: str, numbers: Sequence[int]) -> str:
    markers = "".join(f"[{number}]" for number in numbers)
    closing = _CLOSING.search(text)
    at = closing.start() if closing else len(text)
    # A closing quote or bracket stays with what it closes.
    while at < len(text) and text[at] in "”’」』\"')）":
        at += 1
    return f"{text[:at]}{markers}{text[at:]}"
