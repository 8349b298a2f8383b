"""Splits a document into chunks that follow its sentences, with exact offsets.

Chunks are runs of whole sentences up to the target length; a heading, and in most cases a new speaker, opens one. Sentences of one
paragraph stay together where they fit. A sentence longer than half as much again as the target is cut at clauses.
Every character of the text that is not white space lies in exactly one chunk, headings excepted when no text
follows them: those become chunks of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.speech import opens_speech
from rag.text import sentences
from rag.types import Chunk, Document

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
    heading: bool
    speech: bool = False


def split(document: Document, target: int) -> list[Chunk]:
    """Cut a document into chunks of about ``target`` characters, at most half as much again."""
    text = document.text
    chunks: list[Chunk] = []
    trail: list[tuple[int, str]] = []
    pending: list[_Piece] = []
    held: list[_Piece] = []

    def flush() -> None:
        if pending:
            start, end = pending[0].start, pending[-1].end
            heading = " / ".join(title for _, title in trail)
            chunks.append(Chunk(document.source.id, len(chunks), start, end, text[start:end], heading))
            pending.clear()

    for piece in _pieces(text, round(target * _STRETCH)):
        if piece.heading:
            flush()
            held.append(piece)
            _descend(trail, text[piece.start : piece.end])
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


def _pieces(text: str, longest: int) -> Iterator[_Piece]:
    spans = sentences(text)
    led = False
    for index, (start, end) in enumerate(spans):
        line_start = text.rfind("\n", 0, start) + 1
        line_end = text.find("\n", end)
        line = text[line_start : line_end if line_end >= 0 else len(text)]
        first = not text[line_start:start].strip()
        if first and is_heading(line):
            yield _Piece(start, end, line_start, heading=True)
            continue
        # The sentence that leads a paragraph up to its speaker belongs with what is said.
        leads = first and index + 1 < len(spans) and "\n" not in text[end : spans[index + 1][0]]
        leads = leads and opens_speech(text[slice(*spans[index + 1])])
        speech = not led and (leads or opens_speech(text[start:end]))
        led = leads
        for a, b in _cut(text, start, end, longest):
            yield _Piece(a, b, line_start, heading=False, speech=speech and a == start)


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


def _descend(trail: list[tuple[int, str]], line: str) -> None:
    marked = _MARKDOWN_HEADING.match(line.strip())
    if marked:
        level, title = len(marked.group(1)), marked.group(2)
    else:
        title = line.strip()
        level = 10 if title.startswith("第") else 12 if title[0] in "（(" else 11
    while trail and trail[-1][0] >= level:
        trail.pop()
    trail.append((level, title))
