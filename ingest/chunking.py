"""Splits a document into chunks that follow its sentences, with exact offsets.

Chunks are runs of whole sentences up to the target length; a heading, and in most cases a new speaker, opens one. Sentences of one
paragraph stay together where they fit. A sentence longer than half as much again as the target is cut at clauses.
Every character of the text that is not white space lies in exactly one chunk, headings excepted when no text
follows them: those become chunks of their own. Roles that the file told (`Document.marks`) go before what the lines
look like; each chunk knows its page and what is said in it by whom.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.attribution import attribute
from rag.speech import opens_speech
from rag.text import sentences
from rag.types import Chunk, Document, Mark, Speech

_MARKDOWN_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
_NUMBERED_HEADING = re.compile(
    r"(?:第[一二三四五六七八九十百\d]+[章节節部分编編条條]|[一二三四五六七八九十]+、|[（(][一二三四五六七八九十]+[)）])\s*\S"
)
_LONGEST_HEADING = 40
_SENTENCE_END = "。！？!?；;：:，,、….”’」』"
_CLAUSE_END = "；;，,、：: "
_LEAST_BEFORE_SPEECH = 80
"""What a new speaker says opens a chunk of its own, unless the one before would be shorter than this."""
_STRETCH = 1.5
"""A chunk may be this many times the target where that keeps a sentence whole."""


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    line: int
    level: int = 0
    """Of a heading, 1 the highest; 0 for everything else."""
    speech: bool = False

    @property
    def heading(self) -> bool:
        return self.level > 0


def split(document: Document, target: int) -> list[Chunk]:
    """Cut a document into chunks of about ``target`` characters, at most half as much again."""
    text = document.text
    speeches = attribute(text, document.source.issuer)
    page_of = _pages(document.marks)
    chunks: list[Chunk] = []
    trail: list[tuple[int, str]] = []
    pending: list[_Piece] = []
    held: list[_Piece] = []

    def flush() -> None:
        if pending:
            start, end = pending[0].start, pending[-1].end
            heading = " / ".join(title for _, title in trail)
            said = _clipped(speeches, start, end)
            chunks.append(
                Chunk(
                    document.source.id,
                    len(chunks),
                    start,
                    end,
                    text[start:end],
                    heading,
                    page_of(start),
                    said,
                )
            )
            pending.clear()

    for piece in _pieces(text, document.marks, round(target * _STRETCH)):
        if piece.heading:
            flush()
            held.append(piece)
            _descend(trail, text[piece.start : piece.end], piece.level)
            continue
        if held:
            # The heading opens the chunk below it, so that it is shown, quoted and found with its text.
            pending.extend(held)
            held.clear()
        if pending and not _fits(pending, piece, target):
            flush()
        pending.append(piece)
    pending.extend(held)
    flush()
    return chunks


def _fits(pending: list[_Piece], piece: _Piece, target: int) -> bool:
    length = piece.end - pending[0].start
    if (
        piece.speech
        and pending[-1].end - pending[0].start >= _LEAST_BEFORE_SPEECH
        and not pending[-1].heading
    ):
        return False
    if length <= target:
        return True
    if pending[0].heading and all(p.heading for p in pending):
        return True
    same_paragraph = pending[-1].line == piece.line
    return (
        same_paragraph and length <= target * _STRETCH and pending[-1].end - pending[0].start < target * 0.5
    )


def _pieces(text: str, marks: Sequence[Mark], longest: int) -> Iterator[_Piece]:
    roles = {mark.start: mark for mark in marks}
    spans = sentences(text)
    led = False
    headed = -1
    for index, (start, end) in enumerate(spans):
        line_start = text.rfind("\n", 0, start) + 1
        if line_start == headed:
            continue
        line_end = text.find("\n", end)
        line_end = line_end if line_end >= 0 else len(text)
        line = text[line_start:line_end]
        first = not text[line_start:start].strip()
        if first and (level := _heading_level(line, roles.get(line_start), marked=bool(marks))):
            headed = line_start
            yield _Piece(start, start + len(text[start:line_end].rstrip()), line_start, level)
            continue
        # The sentence that leads a paragraph up to its speaker belongs with what is said.
        leads = first and index + 1 < len(spans) and "\n" not in text[end : spans[index + 1][0]]
        leads = leads and opens_speech(text[slice(*spans[index + 1])])
        speech = not led and (leads or opens_speech(text[start:end]))
        led = leads
        for a, b in _cut(text, start, end, longest):
            yield _Piece(a, b, line_start, speech=speech and a == start)


def _heading_level(line: str, mark: Mark | None, *, marked: bool) -> int:
    """The level of a line that is a heading, else 0: as the file told, or as the line looks where it told nothing."""
    if mark is not None and mark.kind == "heading":
        return max(1, mark.level)
    if mark is not None and mark.kind != "paragraph":
        return 0
    line = line.strip()
    if not marked and (found := _MARKDOWN_HEADING.match(line)):
        return len(found.group(1))
    if not is_heading(line) or line.startswith("#"):
        return 0
    return 10 if line.startswith("第") else 12 if line[0] in "（(" else 11


def _pages(marks: Sequence[Mark]) -> Callable[[int], int | None]:
    """From an offset to the page of the stretch it lies in."""
    starts = [mark.start for mark in marks]

    def page_of(offset: int) -> int | None:
        at = bisect.bisect_right(starts, offset) - 1
        return marks[at].page if at >= 0 else None

    return page_of


def _clipped(speeches: Sequence[Speech], start: int, end: int) -> tuple[Speech, ...]:
    """What is said between two offsets, cut off there."""
    first = bisect.bisect_right(speeches, start, key=lambda speech: speech.end)
    found = []
    for speech in speeches[first:]:
        if speech.start >= end:
            break
        found.append(replace(speech, start=max(start, speech.start), end=min(end, speech.end)))
    return tuple(found)


def _cut(text: str, start: int, end: int, longest: int) -> Iterator[tuple[int, int]]:
    while end - start > longest:
        window = text[start : start + longest]
        at = max(window.rfind(mark) for mark in _CLAUSE_END) + 1
        at = start + (at if at > longest // 3 else longest)
        yield start, at
        start = at
        while start < end and text[start].isspace():
            start += 1
    if start < end:
        yield start, end


def is_heading(line: str) -> bool:
    """Whether a line is a heading: marked so in Markdown, or short, numbered or bare, and no sentence."""
    line = line.strip()
    if not line or "|" in line:
        return False
    if _MARKDOWN_HEADING.match(line):
        return True
    if len(line) > _LONGEST_HEADING or line[-1] in _SENTENCE_END:
        return False
    return _NUMBERED_HEADING.match(line) is not None


def _descend(trail: list[tuple[int, str]], line: str, level: int) -> None:
    marked = _MARKDOWN_HEADING.match(line.strip())
    title = marked.group(2) if marked else line.strip()
    while trail and trail[-1][0] >= level:
        trail.pop()
    trail.append((level, title))
